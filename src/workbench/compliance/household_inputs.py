"""What a household's proposal was made of, as hashes: one a table and one over all, so that a change is seen.

An approval is bound to the fingerprint of its household's inputs. Any row changed, added or taken away that the
household's proposal reads gives another fingerprint; a row of another household does not. The order of rows in a file
does not count, and neither does how a file spells them (dictionary or plain text, whole number or fraction).

What belongs to a household: its own rows and those of its accounts (positions, lots, transactions of the last
`TRANSACTION_DAYS` days, restrictions, profile), the models of its accounts (versions in force or planned, targets,
tolerances), its custodians' fees, and of every security it holds, targets, may substitute, traded in the window or is
restricted in: the security's row, its substitutes and its last price. The day itself counts, because holding periods
and wash sale windows move with it.

Not in it: firm-wide estimates (the covariance of returns reads years of prices) and the rule book. The first are
covered by the snapshot that a package names, the second by the hash of the rule book that a pre-flight names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from workbench.canonical import canonical
from workbench.compliance._row_digests import block_digests, row_digests
from workbench.errors import ParameterError
from workbench.firm import Firm, codes

#: Transactions this many days back are read: a rolling year of turnover and every wash sale window lie inside.
TRANSACTION_DAYS = 366
#: Changes with what is hashed and how, so that fingerprints of two methods are never taken for each other.
METHOD = "workbench household inputs 1"
#: Tables that hold rows of a household or of its accounts.
_OWN = ("households", "profiles", "accounts", "positions", "lots", "transactions", "restrictions")
#: Tables whose rows belong to a model, a custodian or a security, and reach a household through these.
_SHARED = ("models", "model_targets", "tolerances", "custodians", "securities", "substitutes", "prices")
TABLES = (*_OWN, *_SHARED)

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class HouseholdInputs:
    """Of each household: `tables`, the SHA-256 of its rows of each table, and `fingerprints`, one over all of them."""

    as_of: date
    tables: Mapping[str, Mapping[str, str]]
    fingerprints: Mapping[str, str]

    def changed(self, household_id: str, earlier: Mapping[str, str]) -> tuple[str, ...]:
        """Return the tables whose rows of this household differ from an `earlier` record of its table hashes."""
        now = self.tables[household_id]
        return tuple(table for table in TABLES if now.get(table) != earlier.get(table))


def household_inputs(firm: Firm, households: Iterable[str] | None = None) -> HouseholdInputs:
    """Hash what the proposals of `households` (all of the firm's by default) read, at the firm's day.

    The cost grows with the rows read, not with households times rows. Raises `ParameterError` for a household that the
    firm does not have, `FirmDataError` for a file that cannot be read.
    """
    every = pd.Index(firm.table("households", ["household_id"])["household_id"].astype(str))
    wanted = every if households is None else pd.Index(dict.fromkeys(map(str, households)))
    if (unknown := wanted.difference(every)).size:
        raise ParameterError(f"no household {unknown[0]!r} in {firm.name}; give households of this firm", "households")
    wanted = wanted.sort_values()
    rows = _Rows(firm, wanted)
    hashes = {table: digests for table, digests in [*_own_rows(rows), *_shared_rows(rows)]}
    day = firm.as_of.date()
    tables = {
        household: {table: hashes[table][at].hex() for table in TABLES} for at, household in enumerate(wanted.tolist())
    }
    return HouseholdInputs(day, tables, {household: _fingerprint(day, made) for household, made in tables.items()})


def _fingerprint(day: date, tables: Mapping[str, str]) -> str:
    return hashlib.sha256(canonical({"method": METHOD, "as_of": day.isoformat(), "tables": dict(tables)})).hexdigest()


class _Rows:
    """The firm's rows that belong to the wanted households, each with the household's place; read once."""

    def __init__(self, firm: Firm, wanted: pd.Index) -> None:
        self.firm, self.wanted = firm, wanted
        accounts = firm.arrow("accounts")
        owner = codes(accounts["household_id"], wanted).astype(np.int64)
        self.account_ids = pd.Index(accounts["account_id"].to_pandas().astype(str))
        self.account_owner = owner
        self.models = pd.Index(firm.table("models", ["model_id"])["model_id"].astype(str).unique()).sort_values()
        self.custodians = _sorted_ids(firm, "custodians", "custodian_id")
        self.securities = _sorted_ids(firm, "securities", "security_id")
        self.kept: dict[str, tuple[pa.Table, Codes]] = {}
        for table in _OWN:
            self.kept[table] = self._own(table)

    def _own(self, name: str) -> tuple[pa.Table, Codes]:
        table = self.firm.arrow(name)
        if table.num_rows == 0:
            return table, np.zeros(0, np.int64)
        if name == "transactions":
            day = self.firm.as_of.date()
            since = pa.scalar(day - pd.Timedelta(days=TRANSACTION_DAYS).to_pytimedelta(), pa.date32())
            table = table.filter(pc.greater_equal(table["trade_date"].cast(pa.date32()), since))
        owner = self._owner(name, table)
        mine = owner >= 0
        return (table, owner) if mine.all() else (table.filter(pa.array(mine)), owner[mine])

    def _owner(self, name: str, table: pa.Table) -> Codes:
        """The place of each row's household among those wanted, -1 for others'."""
        if "household_id" in table.column_names:
            return codes(table["household_id"], self.wanted).astype(np.int64)
        if name == "restrictions":
            account = _through(codes(table["scope_id"], self.account_ids), self.account_owner)
            household = codes(table["scope_id"], self.wanted).astype(np.int64)
            by_account = table["scope"].cast(pa.string()).to_pandas().to_numpy(object) == "account"
            return np.where(by_account, account, household)
        return _through(codes(table["account_id"], self.account_ids), self.account_owner)

    def pairs(self, table: str, column: str, known: pd.Index) -> NDArray[np.int64]:
        """(household, place in `known`) of a household's rows, each pair once; values that are not known are left."""
        rows, owner = self.kept[table]
        if rows.num_rows == 0:
            return np.zeros((0, 2), np.int64)
        code = codes(rows[column], known).astype(np.int64)
        return _distinct(owner[code >= 0], code[code >= 0], len(known))


def _own_rows(rows: _Rows) -> Iterator[tuple[str, list[bytes]]]:
    for table in _OWN:
        kept, owner = rows.kept[table]
        yield table, block_digests(table, kept, owner, len(rows.wanted))


def _shared_rows(rows: _Rows) -> Iterator[tuple[str, list[bytes]]]:
    """Digests of tables that reach a household through its models, its custodians and its securities."""
    firm, n = rows.firm, len(rows.wanted)
    by_model = rows.pairs("accounts", "model_id", rows.models)
    for table in ("models", "model_targets", "tolerances"):
        yield table, _gathered(table, _by_entity(firm, table, "model_id", rows.models), by_model, n)
    by_custodian = rows.pairs("accounts", "custodian_id", rows.custodians)
    custodians = _by_entity(firm, "custodians", "custodian_id", rows.custodians)
    yield "custodians", _gathered("custodians", custodians, by_custodian, n)
    by_security = _securities_of(rows, by_model)
    for table in ("securities", "substitutes"):
        yield (
            table,
            _gathered(table, _by_entity(firm, table, "security_id", rows.securities), by_security, n),
        )
    yield "prices", _gathered("prices", _last_prices(firm, rows.securities), by_security, n)


def _securities_of(rows: _Rows, by_model: Codes) -> Codes:
    """(household, security): held, in a lot, traded lately, restricted, targeted, or a substitute of one of these."""
    known, n = rows.securities, len(rows.securities)
    found = [rows.pairs(table, "security_id", known) for table in ("positions", "lots", "transactions")]
    found.append(rows.pairs("restrictions", "key", known))
    targets = rows.firm.arrow("model_targets")
    model, target = codes(targets["model_id"], rows.models), codes(targets["security_id"], known)
    found.append(_joined(by_model, _distinct(model, target, n), n))
    pairs = np.concatenate(found)
    substitutes = rows.firm.arrow("substitutes")
    if substitutes.num_rows:
        instead = _distinct(codes(substitutes["security_id"], known), codes(substitutes["substitute_id"], known), n)
        pairs = np.concatenate([pairs, _joined(pairs, instead, n)])
    return _distinct(pairs[:, 0], pairs[:, 1], n)


def _joined(left: Codes, right: Codes, n: int) -> Codes:
    """(a, c) for every (a, b) in `left` and (b, c) in `right`."""
    made = pd.DataFrame(left, columns=["a", "b"]).merge(pd.DataFrame(right, columns=["b", "c"]), on="b")
    return _distinct(made["a"].to_numpy(np.int64), made["c"].to_numpy(np.int64), n)


def _distinct(first: NDArray[np.integer], second: NDArray[np.integer], n: int) -> Codes:
    """Each pair once, in order; pairs with a place below zero are left out."""
    first, second = first.astype(np.int64), second.astype(np.int64)
    sound = (first >= 0) & (second >= 0)
    one = pd.unique(first[sound] * max(n, 1) + second[sound])
    one.sort()
    return np.column_stack(np.divmod(one, max(n, 1)))


def _through(place: NDArray[np.integer], owner: Codes) -> Codes:
    """`owner` at each place, -1 where the place is none."""
    if owner.size == 0:
        return np.full(place.size, -1, np.int64)
    return np.where(place >= 0, owner[np.maximum(place, 0)], -1)


def _sorted_ids(firm: Firm, table: str, column: str) -> pd.Index:
    return pd.Index(firm.table(table, [column])[column].astype(str)).sort_values()


def _by_entity(firm: Firm, table: str, column: str, known: pd.Index) -> NDArray[np.uint8]:
    """SHA-256 of each entity's rows of a shared table, one row of 32 bytes an entity."""
    rows = firm.arrow(table)
    owner = codes(rows[column], known).astype(np.int64) if rows.num_rows else np.zeros(0, np.int64)
    return row_digests(table, rows, owner, len(known))


def _last_prices(firm: Firm, securities: pd.Index) -> NDArray[np.uint8]:
    """SHA-256 of each security's last row of prices up to the firm's day; a security without one has an empty block."""
    prices = firm.arrow("prices")
    day = prices["date"].cast(pa.date32()).cast(pa.int32()).to_numpy()
    code = codes(prices["security_id"], securities).astype(np.int64)
    until = (firm.as_of - pd.Timestamp(0)).days
    seen = np.flatnonzero((day <= until) & (code >= 0))
    order = seen[np.lexsort((day[seen], code[seen]))]
    last = order[np.append(code[order][1:] != code[order][:-1], True)] if order.size else order
    return row_digests("prices", prices.take(last), code[last], len(securities))


def _gathered(table: str, digests: NDArray[np.uint8], pairs: Codes, n: int) -> list[bytes]:
    """One hash a household over the digests of its entities, in the order of their identifiers."""
    body = memoryview(digests[pairs[:, 1]].tobytes())
    ends = np.searchsorted(pairs[:, 0], np.arange(n), side="right").tolist()
    opening, made, start = f"{METHOD} {table}\n".encode(), [], 0
    for end in ends:
        digest = hashlib.sha256(opening)
        digest.update(body[32 * start : 32 * end])
        made.append(digest.digest())
        start = end
    return made
