"""The book of record as compliance reads it: one pass over the firm's tables, everything in arrays by code.

Codes are positions: `account_household[a]` is the household of account a, `issuer[s]` the issuer of security s. -1 is
"not known". Accounts lie by household, holdings by account and security, lots by account and security, so that what a
household owns is one slice. Cash is the security `CASH`, and every account has a row of it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.compliance.exposures import sums
from workbench.compliance.wash_view import WashView
from workbench.errors import FirmDataError
from workbench.firm import CASH, Firm, models_in_force
from workbench.firm.schema import TABLES

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Days = NDArray[np.datetime64]

#: How far back transactions are read: a year for turnover, a month more for wash sales at its beginning.
HISTORY_DAYS = 400
#: Levels that exposures are measured at, with the column of `securities` that names them.
LEVELS = {
    "security": "security_id",
    "issuer": "issuer_id",
    "sector": "sector",
    "asset_class": "asset_class",
    "region": "region",
    "kind": "kind",
}


@dataclass(frozen=True, eq=False)
class FirmView:
    """One firm on one day, as arrays: A accounts, H households, S securities, P holdings, L lots, X transactions.

    `securities`, `accounts`, `households` are the tables in the order of their codes; `profiles` has one row a
    household (all missing where it has none); `restrictions` are all rows, with `account` and `household` codes and
    `in_force`; `transactions` the last `HISTORY_DAYS`, with codes. `groups[level]` (S,) and `group_names[level]` code
    issuer, sector ...; `screens` (S, K) flags of `screen_names`. Without a price `price` is NaN and `priced_on` NaT.
    `lot_basis` is dollars a share with wash adjustment, NaN where unknown. `yearly_dividend` is what a share of today
    paid in the last 365 days, NaN where it is not known; `substitutes` has codes `security`, `substitute` beside the
    registrations allowed. `lineage` maps table to SHA-256.
    """

    as_of: np.datetime64
    securities: pd.DataFrame
    accounts: pd.DataFrame
    households: pd.DataFrame
    profiles: pd.DataFrame
    restrictions: pd.DataFrame
    transactions: pd.DataFrame
    models: pd.DataFrame
    targets: pd.DataFrame
    groups: Mapping[str, Ints]
    group_names: Mapping[str, NDArray[np.object_]]
    screens: Flags
    screen_names: tuple[str, ...]
    price: Floats
    priced_on: Days
    account_household: Ints
    account_fee: Floats
    household_ptr: Ints
    account_ptr: Ints
    holding_security: Ints
    holding_quantity: Floats
    lot_id: NDArray[np.object_]
    lot_account: Ints
    lot_security: Ints
    lot_quantity: Floats
    lot_basis: Floats
    lot_acquired: Days
    lot_start: Days
    cash: int
    yearly_dividend: Floats
    substitutes: pd.DataFrame
    wash: WashView
    lineage: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, firm: Firm, *, with_lineage: bool = True) -> FirmView:
        """Read a firm once. Raises `FirmDataError` where its tables contradict each other."""
        securities = firm.table("securities").sort_values("security_id", ignore_index=True)
        prices = _last_prices(firm)
        tables = {
            "securities": securities,
            "prices": prices,
            "accounts": firm.table("accounts"),
            "households": firm.table("households"),
            "profiles": firm.table("profiles"),
            "positions": firm.table("positions"),
            "lots": firm.table("lots"),
            "restrictions": firm.table("restrictions"),
            "transactions": firm.table("transactions"),
            "models": firm.table("models"),
            "model_targets": firm.table("model_targets"),
            "custodians": firm.table("custodians"),
            "substitutes": firm.table("substitutes"),
        }
        return cls.of(tables, firm.as_of, lineage=dict(firm.hashes) if with_lineage else {})

    @classmethod
    def of(
        cls, tables: Mapping[str, pd.DataFrame], as_of: pd.Timestamp | str, *, lineage: Mapping[str, str] | None = None
    ) -> FirmView:
        """Build the view from tables; `prices` has one row a security: `security_id`, `date`, `close`.

        Raises `FirmDataError` where a name, a flag or a day is missing: rules would pass over its row.
        """
        _require_filled(tables)
        day = pd.Timestamp(as_of)
        securities = tables["securities"].sort_values("security_id", ignore_index=True)
        households = tables["households"].sort_values("household_id", ignore_index=True)
        household_ids = pd.Index(households["household_id"].astype(str))
        security_ids = pd.Index(securities["security_id"].astype(str))
        accounts = tables["accounts"].sort_values(["household_id", "account_id"], ignore_index=True)
        account_ids = pd.Index(accounts["account_id"].astype(str))
        account_household = _found(accounts["household_id"], household_ids, "accounts", "household_id")
        cash = security_ids.get_indexer([CASH])[0]
        if cash < 0:
            raise FirmDataError(f"securities: {CASH} is missing; cash is a position in it, so add its row")
        account_ptr, security, quantity = _holdings(tables["positions"], account_ids, security_ids, int(cash))
        groups, names = _groups(securities)
        screens, screen_names = _screens(securities)
        priced = tables["prices"].set_index("security_id").reindex(security_ids)
        models = models_in_force(tables["models"], day) if len(tables["models"]) else tables["models"]
        fee = tables["custodians"].set_index("custodian_id")["ticket_fee"]
        return cls(
            as_of=np.datetime64(day.date(), "D"),
            securities=securities,
            accounts=accounts,
            households=households,
            profiles=tables["profiles"].set_index("household_id").reindex(household_ids),
            restrictions=_restrictions(tables["restrictions"], account_ids, household_ids, account_household, day),
            transactions=_transactions(tables["transactions"], account_ids, security_ids, account_household, day),
            models=models,
            targets=tables["model_targets"].merge(models[["model_id", "version"]], on=["model_id", "version"]),
            groups=groups,
            group_names=names,
            screens=screens,
            screen_names=screen_names,
            price=priced["close"].to_numpy(np.float64),
            priced_on=pd.to_datetime(priced["date"]).to_numpy().astype("datetime64[D]"),
            account_household=account_household,
            account_fee=accounts["custodian_id"].astype("object").map(fee).to_numpy(np.float64),
            household_ptr=_offsets(account_household, len(household_ids)),
            account_ptr=account_ptr,
            holding_security=security,
            holding_quantity=quantity,
            **_lots(tables["lots"], account_ids, security_ids),
            cash=int(cash),
            yearly_dividend=_yearly_dividend(priced, int(cash)),
            substitutes=_substitutes(tables.get("substitutes"), security_ids),
            wash=WashView.of(
                {**tables, "securities": securities, "accounts": accounts}, household_ids, security_ids, day
            ),
            lineage=dict(lineage or {}),
        )

    @property
    def security_ids(self) -> NDArray[np.object_]:
        """(S,) identifiers by code."""
        return self.group_names["security"]

    @property
    def account_ids(self) -> NDArray[np.object_]:
        """(A,) identifiers by code."""
        return self._texts("accounts", "account_id")

    @property
    def household_ids(self) -> NDArray[np.object_]:
        """(H,) identifiers by code."""
        return self._texts("households", "household_id")

    def _texts(self, table: str, column: str) -> NDArray[np.object_]:
        texts: NDArray[np.object_] = self.once(
            ("texts", table, column), lambda: getattr(self, table)[column].astype(str).to_numpy(object)
        )
        return texts

    def find(self, what: Literal["security", "account", "household", "lot"], names: NDArray[np.object_]) -> Ints:
        """Return the codes of identifiers, -1 where the firm has no such thing."""
        # Of one type with what is looked up, so that the table of hashes is made once and kept.
        known = self.once(
            ("index", what),
            lambda: pd.Index(self.lot_id if what == "lot" else getattr(self, f"{what}_ids"), dtype=object),
        )
        code: Ints = known.get_indexer(pd.Index(names, dtype=object)).astype(np.int64)
        return code

    def once(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Return what `make` made when this key was first asked for: what checks derive from the firm alone."""
        if key not in self._cache:
            self._cache[key] = make()
        return self._cache[key]

    _cache: dict[Hashable, Any] = field(default_factory=dict, repr=False)


def _require_filled(tables: Mapping[str, pd.DataFrame]) -> None:
    for name, rows in tables.items():
        for column, schema in TABLES[name].columns.items():
            # A figure that is missing stays missing in what is computed of it, and a profile has rules of its own; a
            # name, flag or day that is missing would only leave its row out.
            if schema.nullable or column not in rows or name == "profiles" or _is_figure(rows[column]):
                continue
            missing = rows[column].isna().to_numpy()
            if missing.any():
                key = TABLES[name].key[-1]
                which = str(rows[key].iloc[int(missing.argmax())]) if key in rows else f"row {int(missing.argmax())}"
                raise FirmDataError(f"{name}: {which} has no {column}; fill it in, or correct the row")


def _is_figure(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _last_prices(firm: Firm) -> pd.DataFrame:
    """Each security's last close on or before the firm's day, and what a share of today paid in the year up to it."""
    prices = firm.table("prices", ["date", "security_id", "close", "dividend", "split_ratio"])
    prices = prices[pd.to_datetime(prices["date"]) <= firm.as_of].sort_values("date", kind="stable")
    year = prices[pd.to_datetime(prices["date"]) > firm.as_of - pd.Timedelta(days=365)].iloc[::-1]
    # Dividends are per share after that morning's split: later splits make shares of today out of them.
    product = year.groupby("security_id", observed=True)["split_ratio"].cumprod()
    paid = (year["dividend"] / (product / year["split_ratio"])).groupby(year["security_id"], observed=True).sum()
    last = prices.drop_duplicates("security_id", keep="last")
    return last.assign(yearly_dividend=last["security_id"].astype("object").map(paid).to_numpy(np.float64))


def _yearly_dividend(priced: pd.DataFrame, cash: int) -> Floats:
    """Dollars a share by security, NaN where the tables do not say; cash earns nothing in the book of record."""
    column = "yearly_dividend"
    paid = priced[column].to_numpy(np.float64).copy() if column in priced else np.full(len(priced), np.nan)
    paid[cash] = 0.0
    return paid


def _substitutes(rows: pd.DataFrame | None, security_ids: pd.Index) -> pd.DataFrame:
    if rows is None or rows.empty:
        rows = pd.DataFrame({"security_id": [], "substitute_id": [], "rank": [], "registrations": []})
    code = {name: _codes(rows[f"{name}_id"], security_ids) for name in ("security", "substitute")}
    return rows.assign(**code).reset_index(drop=True)


def _offsets(code: Ints, size: int) -> Ints:
    return np.concatenate([[0], np.cumsum(np.bincount(code, minlength=size))]).astype(np.int64)


def _codes(values: pd.Series, known: pd.Index) -> Ints:
    """Positions in `known`, -1 where a value is not there; each distinct value is looked up once."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        place = known.get_indexer(values.cat.categories.astype(str))
        code = values.cat.codes.to_numpy(np.int64)
        return np.where(code >= 0, np.append(place, -1)[code], -1).astype(np.int64)
    return known.get_indexer(values.astype("object")).astype(np.int64)


def _found(values: pd.Series, known: pd.Index, table: str, column: str) -> Ints:
    code = _codes(values, known)
    if (code < 0).any():
        unknown = str(values.iloc[int(np.flatnonzero(code < 0)[0])])
        raise FirmDataError(f"{table}: {column} {unknown!r} is not in the firm; add it or correct the row")
    return code


def _holdings(
    positions: pd.DataFrame, account_ids: pd.Index, security_ids: pd.Index, cash: int
) -> tuple[Ints, Ints, Floats]:
    """Holdings by account and security, with a row of cash for every account."""
    account = _found(positions["account_id"], account_ids, "positions", "account_id")
    security = _found(positions["security_id"], security_ids, "positions", "security_id")
    quantity = positions["quantity"].to_numpy(np.float64)
    every = np.arange(len(account_ids), dtype=np.int64)
    account = np.concatenate([account, every])
    security = np.concatenate([security, np.full(len(every), cash, np.int64)])
    quantity = np.concatenate([quantity, np.zeros(len(every))])
    key, place = np.unique(account * len(security_ids) + security, return_inverse=True)
    total = sums(place, quantity, len(key))
    held_by, held = np.divmod(key, len(security_ids))
    return _offsets(held_by, len(account_ids)), held, total


def _groups(securities: pd.DataFrame) -> tuple[dict[str, Ints], dict[str, NDArray[np.object_]]]:
    groups, names = {}, {}
    for level, column in LEVELS.items():
        code, keys = pd.factorize(securities[column].astype("object"), sort=True)
        groups[level], names[level] = code.astype(np.int64), np.asarray(keys, object)
    return groups, names


def _screens(securities: pd.DataFrame) -> tuple[Flags, tuple[str, ...]]:
    listed = [tuple(str(name) for name in names) for names in securities["screens"]]
    names = tuple(sorted({name for row in listed for name in row}))
    return np.array([[name in row for name in names] for row in listed], bool).reshape(len(listed), len(names)), names


def _restrictions(
    rows: pd.DataFrame, account_ids: pd.Index, household_ids: pd.Index, account_household: Ints, day: pd.Timestamp
) -> pd.DataFrame:
    """All restrictions with codes: `account` is -1 for a household's, `household` -1 where the firm knows neither."""
    rows = rows.sort_values("restriction_id", ignore_index=True)
    by_account = (rows["scope"] == "account").to_numpy(bool)
    scope_id = rows["scope_id"].astype("object")
    account = np.where(by_account, account_ids.get_indexer(scope_id), -1).astype(np.int64)
    household = np.where(by_account, -1, household_ids.get_indexer(scope_id)).astype(np.int64)
    household = np.where(account >= 0, account_household[account], household)
    expires = pd.to_datetime(rows["expires_on"])
    return rows.assign(account=account, household=household, in_force=(expires.isna() | (expires >= day)).to_numpy())


def _transactions(
    rows: pd.DataFrame, account_ids: pd.Index, security_ids: pd.Index, account_household: Ints, day: pd.Timestamp
) -> pd.DataFrame:
    """Transactions of the last `HISTORY_DAYS` up to the day, with codes."""
    traded = pd.to_datetime(rows["trade_date"])
    rows = rows[(traded >= day - pd.Timedelta(days=HISTORY_DAYS)) & (traded <= day)]
    account = _found(rows["account_id"], account_ids, "transactions", "account_id")
    security = _found(rows["security_id"], security_ids, "transactions", "security_id")
    household = account_household[account] if len(account) else account
    return rows.assign(account=account, security=security, household=household).reset_index(drop=True)


def _lots(lots: pd.DataFrame, account_ids: pd.Index, security_ids: pd.Index) -> dict[str, Any]:
    account = _found(lots["account_id"], account_ids, "lots", "account_id")
    security = _found(lots["security_id"], security_ids, "lots", "security_id")
    quantity = lots["quantity"].to_numpy(np.float64)
    cost = lots["cost_per_share"].to_numpy(np.float64)
    covered = lots["covered"].to_numpy(bool)
    # A cost of zero that nobody vouches for is an unknown basis, not a free share.
    basis = np.where((cost == 0) & ~covered, np.nan, cost + lots["wash_adjustment"].to_numpy(np.float64) / quantity)
    order = np.argsort(account * len(security_ids) + security, kind="stable")
    acquired, start = (
        pd.to_datetime(lots[n]).to_numpy().astype("datetime64[D]") for n in ("acquired_on", "holding_start")
    )
    return {
        "lot_id": lots["lot_id"].astype(str).to_numpy(object)[order],
        "lot_account": account[order],
        "lot_security": security[order],
        "lot_quantity": quantity[order],
        "lot_basis": basis[order],
        "lot_acquired": acquired[order],
        "lot_start": start[order],
    }
