"""From the firm's tables to the arrays of `DriftInputs`: the one place of this room that reads the book of record.

Text becomes codes while it is still Arrow, so that three million positions never turn into Python objects.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from workbench.drift.inputs import (
    DriftInputs,
    Holdings,
    Ints,
    Lots,
    Offsets,
    Securities,
)
from workbench.drift.levels import CLASSIFICATIONS, build_levels
from workbench.drift.tax import price_lots
from workbench.errors import FirmDataError, ParameterError
from workbench.firm import CASH, Firm, at, codes, models_in_force
from workbench.firm.schema import TAXED_REGISTRATIONS
from workbench.market import FactorModel

#: A price may be this many days old before the security counts as not priced: a long weekend and a day of grace.
MAX_PRICE_AGE_DAYS = 5
_ACCOUNT_COLUMNS = [
    "account_id", "household_id", "advisor_id", "registration", "model_id", "opened_on", "last_rebalanced_on",
]  # fmt: skip


def load(
    firm: Firm,
    as_of: pd.Timestamp | str | None = None,
    *,
    factor_model: FactorModel | None = None,
    with_lots: bool = True,
    max_price_age: int = MAX_PRICE_AGE_DAYS,
) -> DriftInputs:
    """Read what drift is measured from, as of the snapshot's date or an earlier one.

    The factor level takes its exposures from the `factor_exposures` table, or from `factor_model` where the firm keeps
    none. `with_lots=False` leaves the lots unread, and the tax of correcting is then missing. `max_price_age` is in
    days. Raises `FirmDataError` for a date outside the data or a tolerance with an unknown key, `ParameterError` for
    a negative age.
    """
    if max_price_age < 0:
        raise ParameterError("max_price_age must be 0 days or more", "max_price_age")
    firm = firm_as_of(firm, as_of)
    securities, attributes = _securities(firm, max_price_age)
    models = _models_in_force(firm)
    levels, unchecked = build_levels(firm, models, securities, attributes, factor_model)
    accounts = _accounts(firm, models)
    holdings = _holdings(firm, accounts, securities)
    reason = _reasons(accounts, holdings, securities)
    measured = np.asarray(reason.isna())
    no_data = pd.DataFrame(
        {
            "account_id": accounts.loc[~measured, "account_id"],
            "model_id": accounts.loc[~measured, "model_id"],
            "reason": reason[~measured],
        }
    ).reset_index(drop=True)
    if not measured.all():
        holdings = _keep(holdings, measured)
        accounts = accounts[measured].reset_index(drop=True)
    taxed = accounts["registration"].isin(TAXED_REGISTRATIONS).to_numpy(bool)
    lots = _lots(firm, accounts, holdings, securities) if with_lots else None
    return DriftInputs(
        as_of=firm.as_of,
        accounts=accounts.drop(columns="model"),
        model=accounts["model"].to_numpy(np.int32),
        taxed=taxed,
        model_ids=tuple(models["model_id"]),
        model_versions=tuple(int(version) for version in models["version"]),
        securities=securities,
        holdings=holdings,
        levels=levels,
        no_data=no_data,
        lots=lots,
        unchecked=unchecked,
    )


def firm_as_of(firm: Firm, as_of: pd.Timestamp | str | None) -> Firm:
    """Return the firm as it stood on a day; the snapshot itself for None."""
    return firm if as_of is None else at(firm, as_of)


def _models_in_force(firm: Firm) -> pd.DataFrame:
    models = models_in_force(firm.table("models"), firm.as_of)
    if models.empty:
        raise FirmDataError(
            f"models: no version is in force on {firm.as_of.date()}; give one an effective_date up to then "
            "and a status other than draft"
        )
    return models


def _securities(firm: Firm, max_price_age: int) -> tuple[Securities, pd.DataFrame]:
    columns = ["security_id", "name", "kind", "adv", "half_spread", *CLASSIFICATIONS]
    frame = firm.table("securities", columns).sort_values("security_id", ignore_index=True)
    closes = recent_closes(firm, firm.as_of - pd.Timedelta(days=max_price_age))
    last = closes.sort_values("date").drop_duplicates("security_id", keep="last").set_index("security_id")["close"]
    price = frame["security_id"].map(last).to_numpy(np.float64).copy()
    price[(frame["security_id"] == CASH).to_numpy()] = 1.0
    return (
        Securities(
            ids=tuple(frame["security_id"]),
            names=tuple(frame["name"]),
            is_cash=(frame["kind"] == "cash").to_numpy(bool),
            price=price,
            adv=frame["adv"].to_numpy(np.float64),
            half_spread=frame["half_spread"].to_numpy(np.float64),
        ),
        frame,
    )


def recent_closes(firm: Firm, first: pd.Timestamp) -> pd.DataFrame:
    """Return date, security_id and close from `first` to the firm's as-of date, both included."""
    table = firm.arrow("prices", ["date", "security_id", "close"])
    dates = table["date"].cast(pa.timestamp("ms"))
    low, high = (pa.scalar(day.to_pydatetime(), pa.timestamp("ms")) for day in (first, firm.as_of))
    rows = table.filter(pc.and_(pc.greater_equal(dates, low), pc.less_equal(dates, high)))
    frame: pd.DataFrame = rows.to_pandas(date_as_object=False)
    return frame.assign(security_id=frame["security_id"].astype("str"))


def _accounts(firm: Firm, models: pd.DataFrame) -> pd.DataFrame:
    """Accounts in order of identifier, with `model` (-1: none in force) and the version in force."""
    frame = firm.table("accounts", _ACCOUNT_COLUMNS).sort_values("account_id", ignore_index=True)
    model = pd.Index(models["model_id"]).get_indexer(frame["model_id"])
    version = models["version"].to_numpy()[model]
    return frame.assign(model=model.astype(np.int32), model_version=np.where(model < 0, 0, version))


def _holdings(firm: Firm, accounts: pd.DataFrame, securities: Securities) -> Holdings:
    table = firm.arrow("positions", ["account_id", "security_id", "quantity"])
    account = codes(table["account_id"], pd.Index(accounts["account_id"]))
    security = codes(table["security_id"], pd.Index(securities.ids))
    quantity = table["quantity"].to_numpy().astype(np.float64, copy=False)
    kept = (account >= 0) & (security >= 0) & (quantity != 0.0)
    if not kept.all():
        account, security, quantity = account[kept], security[kept], quantity[kept]
    place = account.astype(np.int64) * len(securities.ids) + security
    if (np.diff(place) < 0).any():
        order = np.argsort(place, kind="stable")
        account, security, quantity = account[order], security[order], quantity[order]
    counts = np.bincount(account, minlength=len(accounts))
    return Holdings(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), security, quantity)


def _reasons(accounts: pd.DataFrame, holdings: Holdings, securities: Securities) -> pd.Series:
    """Why an account cannot be measured; null where it can."""
    ptr = holdings.account_ptr
    owner = np.repeat(np.arange(len(accounts)), np.diff(ptr))
    worth = holdings.quantity * securities.price[holdings.security]
    value = np.bincount(owner, weights=worth, minlength=len(accounts))
    reason = pd.Series(pd.NA, index=accounts.index, dtype="string")
    reason[value <= 0] = "value is zero or negative"
    unpriced = np.flatnonzero(np.isnan(worth))
    account, first = np.unique(owner[unpriced], return_index=True)
    reason.iloc[account] = [f"no recent price for {securities.ids[s]}" for s in holdings.security[unpriced[first]]]
    reason[np.diff(ptr) == 0] = "no positions"
    reason[(accounts["model"] < 0).to_numpy()] = "its model has no version in force"
    reason[accounts["model_id"].isna().to_numpy()] = "no model assigned"
    return reason


def _keep(holdings: Holdings, accounts: np.ndarray) -> Holdings:
    sizes = np.diff(holdings.account_ptr)
    rows = np.repeat(accounts, sizes)
    ptr = np.concatenate([[0], np.cumsum(sizes[accounts])]).astype(np.int64)
    return Holdings(ptr, holdings.security[rows], holdings.quantity[rows])


def _lots(firm: Firm, accounts: pd.DataFrame, holdings: Holdings, securities: Securities) -> Lots:
    """Lots of the measured holdings, priced and taxed at their household's rates."""
    table = firm.arrow(
        "lots", ["account_id", "security_id", "quantity", "cost_per_share", "wash_adjustment", "holding_start"]
    )
    account = codes(table["account_id"], pd.Index(accounts["account_id"]))
    security = codes(table["security_id"], pd.Index(securities.ids))
    starts = table["holding_start"].cast(pa.timestamp("ms")).to_numpy()
    columns = ["household_id", "ordinary_rate", "long_term_rate", "state_rate", "niit"]
    households = firm.table("households", columns).set_index("household_id")
    rates = households.reindex(accounts["household_id"])
    quantity, cost, wash = (
        table[name].to_numpy().astype(np.float64, copy=False)
        for name in ("quantity", "cost_per_share", "wash_adjustment")
    )
    return price_lots(
        holding=_holding_of(account, security, holdings, len(securities.ids)),
        quantity=quantity,
        cost=cost + wash / quantity,
        holding_start=starts,
        as_of=firm.as_of,
        holdings=holdings,
        price=securities.price,
        rates=rates,
        taxed=accounts["registration"].isin(TAXED_REGISTRATIONS).to_numpy(bool),
    )


def _holding_of(account: Ints, security: Ints, holdings: Holdings, n_securities: int) -> Offsets:
    """Position of each lot's holding; -1 for a lot of an account that is not measured or of nothing held."""
    if not len(holdings.security):
        return np.full(len(account), -1, np.int64)
    owner = np.repeat(np.arange(len(holdings.account_ptr) - 1), np.diff(holdings.account_ptr))
    held = owner * n_securities + holdings.security
    wanted = account.astype(np.int64) * n_securities + security
    found = np.minimum(np.searchsorted(held, wanted), len(held) - 1)
    return np.where((account >= 0) & (security >= 0) & (held[found] == wanted), found, -1)
