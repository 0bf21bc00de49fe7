"""From the firm's tables to households: every array is built once for the firm, and a household is a slice of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from workbench import drift
from workbench.errors import FirmDataError, ParameterError
from workbench.firm import Firm, at, codes, gain_rates
from workbench.market import FactorModel
from workbench.rebalance import _demands
from workbench.rebalance._market import read_market, read_models
from workbench.rebalance.household import (
    TREATMENT,
    Accounts,
    CashDemand,
    Days,
    Flags,
    Floats,
    Household,
    Ints,
    Lots,
    Market,
    Models,
    Offsets,
    Restriction,
    TaxPosition,
    WashEvent,
)
from workbench.rebalance.settings import Settings

#: Lots are matched to their position up to this many shares.
DUST = 1e-6
#: What a share that no lot accounts for is called.
NO_LOT = "no lot"
_ACCOUNT_COLUMNS = [
    "account_id", "household_id", "custodian_id", "registration", "discretionary", "model_id", "owner_birth_date",
]  # fmt: skip


@dataclass(frozen=True, eq=False)
class Book:
    """Every household of a firm as flat arrays: A accounts by household, H holdings by account, L lots by holding.

    `unmatched_lots` counts lots of no position; they are left out. `household(i)` is a light slice.
    """

    as_of: pd.Timestamp
    market: Market
    models: Models
    household_ids: tuple[str, ...]
    names: tuple[str, ...]
    advisors: tuple[str, ...]
    tax: pd.DataFrame
    household_ptr: Offsets
    account_ids: np.ndarray
    registration: np.ndarray
    treatment: Ints
    model: Ints
    discretionary: Flags
    fee: Floats
    cash: Floats
    kept_apart: Flags
    account_ptr: Offsets
    security: Ints
    quantity: Floats
    holding_ptr: Offsets
    lot_ids: Any
    lot_quantity: Floats
    lot_basis: Floats
    acquired_on: Days
    holding_start: Days
    unmatched_lots: int = 0
    restrictions: dict[int, tuple[Restriction, ...]] = field(default_factory=dict, repr=False)
    needs: dict[int, tuple[CashDemand, ...]] = field(default_factory=dict, repr=False)
    wash: dict[int, tuple[WashEvent, ...]] = field(default_factory=dict, repr=False)
    lineage: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.household_ids)

    def positions(self, households: Iterable[str]) -> list[int]:
        """Return the positions of households in the book, in its order. Raises `ParameterError` for an unknown one."""
        place = {household: i for i, household in enumerate(self.household_ids)}
        wanted = list(households)
        unknown = [household for household in wanted if household not in place]
        if unknown:
            raise ParameterError(
                f"no household {unknown[0]!r} with accounts on {self.as_of.date()}; the first is "
                f"{self.household_ids[0]}",
                "household",
            )
        return sorted({place[household] for household in wanted})

    def __iter__(self) -> Iterator[Household]:
        return (self.household(i) for i in range(len(self)))

    def find(self, household_id: str) -> Household:
        """Return a household by identifier; raises `ParameterError` for one that has no accounts here."""
        try:
            return self.household(self.household_ids.index(household_id))
        except ValueError as error:
            raise ParameterError(f"no household {household_id!r} with accounts", "household") from error

    def household(self, i: int) -> Household:
        """Return household i as views of the book's arrays."""
        first, last = int(self.household_ptr[i]), int(self.household_ptr[i + 1])
        h0, h1 = int(self.account_ptr[first]), int(self.account_ptr[last])
        l0, l1 = int(self.holding_ptr[h0]), int(self.holding_ptr[h1])
        model = self.model[first:last]
        return Household(
            household_id=self.household_ids[i],
            name=self.names[i],
            advisor_id=self.advisors[i],
            as_of=self.as_of.date(),
            market=self.market,
            models=self.models,
            tax=self._tax(i),
            accounts=Accounts(
                ids=tuple(self.account_ids[first:last]),
                registration=tuple(self.registration[first:last]),
                treatment=self.treatment[first:last],
                model=model,
                discretionary=self.discretionary[first:last],
                fee=self.fee[first:last],
                cash=self.cash[first:last],
                kept_apart=self.kept_apart[first:last],
                unmanaged=tuple(None if m >= 0 else "no model in force" for m in model.tolist()),
            ),
            account_ptr=self.account_ptr[first : last + 1] - h0,
            security=self.security[h0:h1],
            quantity=self.quantity[h0:h1],
            lots=Lots(
                holding_ptr=self.holding_ptr[h0 : h1 + 1] - l0,
                ids=self.lot_ids[l0:l1],
                quantity=self.lot_quantity[l0:l1],
                basis=self.lot_basis[l0:l1],
                acquired_on=self.acquired_on[l0:l1],
                holding_start=self.holding_start[l0:l1],
            ),
            restrictions=self.restrictions.get(i, ()),
            needs=self.needs.get(i, ()),
            wash=self.wash.get(i, ()),
            lineage=self.lineage,
        )

    def _tax(self, i: int) -> TaxPosition:
        row = {name: values[i] for name, values in self._tax_columns().items()}
        budget = row.pop("gain_budget")
        status = str(row.pop("filing_status"))
        return TaxPosition(
            filing_status=status,
            gain_budget=None if np.isnan(budget) else float(budget),
            **{name: float(value) for name, value in row.items()},
        )

    def _tax_columns(self) -> dict[str, np.ndarray]:
        if not self._columns:
            self._columns.update({name: self.tax[name].to_numpy() for name in self.tax.columns})
        return self._columns

    _columns: dict[str, np.ndarray] = field(default_factory=dict, repr=False)


def load(
    firm: Firm,
    as_of: pd.Timestamp | str | None = None,
    settings: Settings | None = None,
    *,
    risk: FactorModel | None = None,
    with_lineage: bool = True,
    with_gains: bool = True,
) -> Book:
    """Read every household of a firm as of a day (the snapshot's own by default).

    `settings` decide which securities count as identical; `risk` replaces the factor model that is otherwise estimated
    from the firm's prices. `with_lineage=False` spares the hashing of the files; `with_gains=False` is for studies of
    models and prices, which propose nothing. Raises `FirmDataError` where the tables contradict each other, and with
    gains where a household's gains of the year are not known on that day (see `unknown_gains`).
    """
    settings = settings or Settings()
    firm = firm if as_of is None else at(firm, as_of)
    if with_gains and (why := unknown_gains(firm)):
        raise FirmDataError(why)
    inputs = drift.load(firm, with_lots=False)
    securities = read_market(firm, inputs, settings, risk)
    models = read_models(inputs, securities)
    frame = _accounts(firm, models)
    households = _households(firm, frame)
    code = pd.Index(households["household_id"]).get_indexer(frame["household_id"])
    household_ptr = _offsets(np.bincount(code, minlength=len(households)))
    account_ptr, security, quantity, cash = _holdings(firm, frame, securities)
    holding_ptr, lots, unmatched = _lots(firm, frame, securities, account_ptr, security, quantity)
    restrictions = _demands.restrictions(firm, frame, code, household_ptr, households)
    value = cash + np.bincount(
        np.repeat(np.arange(len(frame)), np.diff(account_ptr)),
        weights=np.nan_to_num(quantity * securities.price[security]),
        minlength=len(frame),
    )
    return Book(
        as_of=firm.as_of,
        market=securities,
        models=models,
        household_ids=tuple(households["household_id"].astype(str)),
        names=tuple(households["name"].astype(str)),
        advisors=tuple(households["advisor_id"].astype(str)),
        tax=_tax(households),
        household_ptr=household_ptr,
        account_ids=frame["account_id"].astype(str).to_numpy(object),
        registration=frame["registration"].astype(str).to_numpy(object),
        treatment=frame["registration"].astype(str).map(TREATMENT).to_numpy(np.int32),
        model=frame["model"].to_numpy(np.int32),
        discretionary=frame["discretionary"].to_numpy(bool),
        fee=frame["ticket_fee"].to_numpy(np.float64),
        cash=cash,
        kept_apart=_kept_apart(firm, frame),
        account_ptr=account_ptr,
        security=security,
        quantity=quantity,
        holding_ptr=holding_ptr,
        **lots,
        unmatched_lots=unmatched,
        restrictions=restrictions,
        needs=_demands.cash_demands(firm, frame, code, household_ptr, restrictions, value),
        wash=_demands.wash_events(firm, frame, code, household_ptr, securities, settings),
        lineage=tuple(sorted(firm.hashes.items())) if with_lineage else (),
    )


def households(
    firm: Firm, as_of: pd.Timestamp | str | None = None, settings: Settings | None = None
) -> Sequence[Household]:
    """Return every household of a firm; `load` keeps them as one book of arrays, which is lighter for a large firm."""
    return list(load(firm, as_of, settings))


def unknown_gains(firm: Firm) -> str:
    """Say why nothing can be proposed on the firm's day: gains of the year, or losses carried into it, are missing.

    "" where every household's are known. They are kept for the snapshot's own day only: taken as zero on an earlier
    one, every tax and gain budget would be wrong.
    """
    columns = ["realised_short", "realised_long", "carryforward_short", "carryforward_long"]
    frame = firm.table("households", ["household_id", *columns]).sort_values("household_id")
    lost = frame.loc[frame[columns].isna().any(axis=1), "household_id"].astype(str)
    if lost.empty:
        return ""
    day, many = firm.as_of.date(), f"{len(lost):,} of {len(frame):,} households, {lost.iloc[0]} first,"
    if firm.as_of == firm.sealed_on:
        return (
            f"households: {many} have no realised gains or losses carried forward on {day}; give them, 0 for none, "
            "and seal the snapshot again"
        )
    return (
        f"the gains that {many} had realised by {day} are not known: the snapshot of {firm.sealed_on.date()} keeps "
        f"them for its own day only. For proposals of {day}, seal a snapshot of that day"
    )


def _accounts(firm: Firm, models: Models) -> pd.DataFrame:
    """Accounts in order of household and identifier, with model (-1: none) and ticket fee."""
    frame = firm.table("accounts", _ACCOUNT_COLUMNS)
    fees = firm.table("custodians").set_index("custodian_id")["ticket_fee"]
    frame = frame.assign(
        model=pd.Index(models.ids).get_indexer(frame["model_id"]), ticket_fee=frame["custodian_id"].map(fees)
    )
    if frame["ticket_fee"].isna().any():
        lost = frame.loc[frame["ticket_fee"].isna(), "custodian_id"].iloc[0]
        raise FirmDataError(f"accounts: custodian {lost!r} is not in custodians; add it with its ticket_fee")
    return frame.sort_values(["household_id", "account_id"], ignore_index=True)


def _households(firm: Firm, accounts: pd.DataFrame) -> pd.DataFrame:
    """The households that have accounts, in order of identifier."""
    frame = firm.table("households").sort_values("household_id", ignore_index=True)
    lost = ~accounts["household_id"].isin(frame["household_id"])
    if lost.any():
        raise FirmDataError(
            f"accounts: household {accounts.loc[lost, 'household_id'].iloc[0]!r} is not in households; add it there"
        )
    return frame[frame["household_id"].isin(accounts["household_id"])].reset_index(drop=True)


def _tax(households: pd.DataFrame) -> pd.DataFrame:
    short, long = gain_rates(households)
    return pd.DataFrame(
        {
            "filing_status": households["filing_status"].astype(str),
            "short_rate": short,
            "long_rate": long,
            "ordinary_rate": households["ordinary_rate"] + households["state_rate"],
            "realised_short": households["realised_short"],
            "realised_long": households["realised_long"],
            "carryforward_short": households["carryforward_short"],
            "carryforward_long": households["carryforward_long"],
            "gain_budget": households["gain_budget"].astype("float64"),
        }
    )


def _kept_apart(firm: Firm, accounts: pd.DataFrame) -> Flags:
    """Accounts that the household's profile wants managed on their own: its list of account ids or registrations."""
    profiles = firm.table("profiles")
    if "kept_apart" not in profiles.columns:
        return np.zeros(len(accounts), bool)
    wanted = profiles.set_index("household_id")["kept_apart"]
    apart = {(household, str(name)) for household, names in wanted.items() if names is not None for name in names}
    rows = zip(accounts["household_id"], accounts["account_id"], accounts["registration"], strict=True)
    return np.array([(h, str(a)) in apart or (h, str(r)) in apart for h, a, r in rows], bool)


def _offsets(counts: np.ndarray) -> Offsets:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def _holdings(firm: Firm, accounts: pd.DataFrame, securities: Market) -> tuple[Offsets, Ints, Floats, Floats]:
    """Holdings without cash, by account and security, and each account's cash."""
    table = firm.arrow("positions", ["account_id", "security_id", "quantity"])
    account = codes(table["account_id"], pd.Index(accounts["account_id"]))
    security = codes(table["security_id"], pd.Index(securities.ids))
    quantity = table["quantity"].to_numpy().astype(np.float64, copy=False)
    if (security < 0).any():
        raise FirmDataError("positions: a security is not in securities; add it there or correct the position")
    is_cash = (security == securities.cash) & (account >= 0)
    cash = np.bincount(account[is_cash], weights=quantity[is_cash], minlength=len(accounts)).astype(np.float64)
    kept = (account >= 0) & ~is_cash & (quantity != 0.0)
    account, security, quantity = account[kept], security[kept], quantity[kept]
    order = np.argsort(account.astype(np.int64) * len(securities.ids) + security, kind="stable")
    return _offsets(np.bincount(account, minlength=len(accounts))), security[order], quantity[order], cash


def _lots(
    firm: Firm, accounts: pd.DataFrame, securities: Market, account_ptr: Offsets, security: Ints, quantity: Floats
) -> tuple[Offsets, dict[str, Any], int]:
    """Lots by holding, oldest first, cut to what the position holds; shares of no lot become one of unknown basis."""
    columns = ["lot_id", "account_id", "security_id", "quantity", "cost_per_share", "wash_adjustment", "covered",
               "acquired_on", "holding_start"]  # fmt: skip
    table = firm.arrow("lots", columns)
    account = codes(table["account_id"], pd.Index(accounts["account_id"]))
    code = codes(table["security_id"], pd.Index(securities.ids))
    owner = np.repeat(np.arange(len(account_ptr) - 1), np.diff(account_ptr))
    held = owner.astype(np.int64) * len(securities.ids) + security
    wanted = account.astype(np.int64) * len(securities.ids) + code
    place = np.minimum(np.searchsorted(held, wanted), max(len(held) - 1, 0))
    known = (account >= 0) & (code >= 0) & (held[place] == wanted) if len(held) else np.zeros(len(account), bool)
    acquired, start = (
        table[name].cast(pa.timestamp("s")).to_numpy().astype("datetime64[D]")
        for name in ("acquired_on", "holding_start")
    )
    shares, cost, wash = (
        table[name].to_numpy().astype(np.float64, copy=False)
        for name in ("quantity", "cost_per_share", "wash_adjustment")
    )
    covered = table["covered"].to_numpy(zero_copy_only=False).astype(bool)
    rows = np.flatnonzero(known)
    order = rows[np.lexsort((rows, acquired[rows], place[rows]))]
    place, shares, acquired, start = place[order], shares[order], acquired[order], start[order]
    basis = np.where((cost[order] == 0) & ~covered[order], np.nan, cost[order] + wash[order] / shares)
    ids = pc.cast(table["lot_id"], pa.string()).combine_chunks().take(pa.array(order, pa.int64()))

    shares = _cut(place, shares, quantity)
    missing = np.maximum(quantity - np.bincount(place, weights=shares, minlength=len(quantity)), 0.0)
    extra = np.flatnonzero(missing > DUST)
    if len(extra):
        place = np.concatenate([place, extra])
        again = np.argsort(place, kind="stable")
        place = place[again]
        shares = np.concatenate([shares, missing[extra]])[again]
        nothing = np.full(len(extra), "NaT", "datetime64[D]")
        acquired, start = (np.concatenate([days, nothing])[again] for days in (acquired, start))
        basis = np.concatenate([basis, np.full(len(extra), np.nan)])[again]
        ids = pa.concat_arrays([_plain(ids), pa.array([NO_LOT] * len(extra), pa.string())]).take(pa.array(again))
    arrays = {
        "lot_ids": ids, "lot_quantity": shares, "lot_basis": basis, "acquired_on": acquired, "holding_start": start,
    }  # fmt: skip
    return _offsets(np.bincount(place, minlength=len(quantity))), arrays, int((~known).sum())


def _plain(values: Any) -> Any:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def _cut(place: np.ndarray, shares: Floats, quantity: Floats) -> Floats:
    """Lots of a holding may not hold more than the holding: the youngest give way."""
    if not len(place):
        return shares
    running = np.cumsum(shares)
    first = np.flatnonzero(np.r_[True, place[1:] != place[:-1]])
    before = running - shares
    within = before - np.repeat(before[first], np.diff(np.r_[first, len(place)]))
    room = np.maximum(quantity[place] - within, 0.0)
    # Differences of running sums carry rounding: a lot that fits up to dust is left as it is.
    return np.where(shares <= room + DUST, np.minimum(shares, np.maximum(quantity[place], 0.0)), room)
