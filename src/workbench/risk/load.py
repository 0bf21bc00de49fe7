"""From the firm's tables to what is watched: the book of record is read once, here."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from workbench.errors import FirmDataError, MarketDataError, ParameterError
from workbench.firm import CASH, Firm, codes, models_in_force
from workbench.risk.watched import Floats, Ints, Watched, added_up

#: A missing close is taken as unmoved for so many sessions; a security with a longer hole has no return there.
LONGEST_HOLE = 5
#: Years of holdings that can be taken back.
YEARS_BACK = 3


def watch(firm: Firm, *, years: int = YEARS_BACK) -> Watched:
    """Read what the watch score and the early warnings are made of; holdings of `years` can be taken back.

    Sessions are the days on which more than cash has a close. Raises `MarketDataError` where the firm has no prices up
    to its date, `FirmDataError` where there is no security for cash, `ParameterError` for a negative number of years.
    """
    if years < 0:
        raise ParameterError(f"years is {years}; give 0 or more", "years")
    securities = firm.table(
        "securities", ["security_id", "name", "kind", "asset_class", "sector", "issuer_id", "adv"]
    ).sort_values("security_id", ignore_index=True)
    if CASH not in set(securities["security_id"]):
        raise FirmDataError(f"securities: there is no {CASH}; add it, kind cash")
    accounts = firm.table(
        "accounts",
        [
            "account_id",
            "household_id",
            "advisor_id",
            "custodian_id",
            "model_id",
            "registration",
            "discretionary",
            "opened_on",
        ],
    ).sort_values("account_id", ignore_index=True)
    households = firm.table("households", ["household_id", "name", "advisor_id"])
    households = households.merge(firm.table("profiles"), on="household_id", how="left")
    households = households.sort_values("household_id", ignore_index=True)
    sessions, close, price_age, returns = _prices(firm, pd.Index(securities["security_id"]))
    begin = firm.as_of - pd.DateOffset(years=years)
    first = int(np.clip(sessions.searchsorted(begin, side="right") - 1, 0, len(sessions) - 1))
    pairs = _holdings(firm, accounts, securities, sessions, first)
    models, targets, sleeve_of_target = _models(firm, securities)
    sleeves, sleeve_returns = _sleeves(firm, securities, sleeve_of_target, returns)
    return Watched(
        as_of=firm.as_of,
        accounts=accounts,
        households=households,
        securities=securities,
        household=np.asarray(pd.Index(households["household_id"]).get_indexer(accounts["household_id"]), np.int64),
        **pairs,
        sessions=sessions,
        close=close,
        price_age=price_age,
        returns=returns,
        models=models,
        targets=targets,
        sleeves=sleeves,
        sleeve_of_target=sleeve_of_target,
        sleeve_returns=sleeve_returns,
        exposures=_exposures(firm, pd.Index(securities["security_id"])),
        rates_on=_last_rate(firm),
        booked_on=_last_bookings(firm, accounts),
        lots_gap=_lots_gap(firm, pd.Index(accounts["account_id"]), pd.Index(securities["security_id"])),
        first=first,
    )


def _prices(firm: Firm, securities: pd.Index) -> tuple[pd.DatetimeIndex, Floats, Ints, Floats]:
    frame = firm.table("prices", ["date", "security_id", "close", "adj_close"])
    frame = frame[frame["date"] <= firm.as_of]
    if frame.empty:
        raise MarketDataError(f"prices: none up to {firm.as_of:%Y-%m-%d}; load closes, or take a later date")
    wide = frame.pivot(index="date", columns="security_id", values=["close", "adj_close"]).sort_index()
    raw = wide["close"].reindex(columns=securities)
    traded = raw.drop(columns=CASH).notna().any(axis=1)
    if traded.any():
        wide, raw = wide[traded], raw[traded]
    raw[CASH] = raw[CASH].fillna(1.0)
    there = raw.notna().to_numpy()
    rows = np.arange(len(raw))[:, None]
    seen = np.maximum.accumulate(np.where(there, rows, -1), axis=0)
    price_age = np.where(seen < 0, -1, rows - seen)
    adjusted = wide["adj_close"].reindex(columns=securities)
    adjusted[CASH] = adjusted[CASH].ffill().fillna(1.0)
    carried = adjusted.ffill(limit=LONGEST_HOLE).to_numpy(np.float64)
    returns = np.full(carried.shape, np.nan)
    returns[1:] = carried[1:] / carried[:-1] - 1.0
    return pd.DatetimeIndex(raw.index), raw.ffill().to_numpy(np.float64), price_age.astype(np.int64), returns


def _holdings(
    firm: Firm, accounts: pd.DataFrame, securities: pd.DataFrame, sessions: pd.DatetimeIndex, first: int
) -> dict[str, NDArray]:
    """Today's holdings and what has moved since the first session, as one sorted list of pairs."""
    account_ids, security_ids = pd.Index(accounts["account_id"]), pd.Index(securities["security_id"])
    width, cash = len(security_ids), int(security_ids.get_loc(CASH))
    table = firm.arrow("positions", ["account_id", "security_id", "quantity"])
    held = codes(table["account_id"], account_ids).astype(np.int64) * width
    held += codes(table["security_id"], security_ids)
    quantity_held = table["quantity"].to_numpy().astype(np.float64)
    moves = _moves(firm, account_ids, security_ids, sessions[first])
    session = np.minimum(sessions.searchsorted(moves["day"], side="left"), len(sessions) - 1)
    of_shares = (moves["security"] != cash) & (moves["quantity"] != 0.0)
    of_cash = moves["amount"] != 0.0
    place = np.concatenate(
        [moves["account"][of_shares] * width + moves["security"][of_shares], moves["account"][of_cash] * width + cash]
    )
    keys = _distinct(np.concatenate([held, place]))
    quantity = np.zeros(len(keys))
    np.add.at(quantity, np.searchsorted(keys, held), quantity_held)
    return {
        "holding_account": keys // width,
        "holding_security": keys % width,
        "quantity": quantity,
        "moved_holding": np.searchsorted(keys, place),
        "moved_session": np.concatenate([session[of_shares], session[of_cash]]).astype(np.int64),
        "moved_quantity": np.concatenate([moves["quantity"][of_shares], moves["amount"][of_cash]]),
    }


def _moves(firm: Firm, account_ids: pd.Index, security_ids: pd.Index, after: pd.Timestamp) -> dict[str, NDArray]:
    table = firm.arrow("transactions", ["account_id", "security_id", "trade_date", "quantity", "amount"])
    if table.num_rows == 0:
        empty = np.zeros(0)
        return dict.fromkeys(("account", "security"), empty.astype(np.int64)) | {
            "day": empty.astype("datetime64[ms]"), "quantity": empty, "amount": empty,
        }  # fmt: skip
    days = table["trade_date"].cast(pa.timestamp("ms"))
    table = table.filter(pc.greater(days, pa.scalar(after.to_pydatetime(), pa.timestamp("ms"))))
    return {
        "account": codes(table["account_id"], account_ids).astype(np.int64),
        "security": codes(table["security_id"], security_ids).astype(np.int64),
        "day": table["trade_date"].cast(pa.timestamp("ms")).to_numpy(),
        "quantity": table["quantity"].to_numpy().astype(np.float64),
        "amount": table["amount"].to_numpy().astype(np.float64),
    }


def _models(firm: Firm, securities: pd.DataFrame) -> tuple[tuple[str, ...], Floats, pd.DataFrame]:
    """Models in force, their targets, and each target with its sleeve: model, sleeve_id, security, target."""
    models = models_in_force(firm.table("models"), firm.as_of)
    rows = firm.table("model_targets", ["model_id", "version", "sleeve_id", "security_id", "target"])
    rows = rows.merge(models[["model_id", "version"]], on=["model_id", "version"])
    names = tuple(models["model_id"])
    rows = rows.assign(
        model=pd.Index(names).get_indexer(rows["model_id"]),
        security=pd.Index(securities["security_id"]).get_indexer(rows["security_id"]),
    )
    targets = np.zeros((len(names), len(securities)))
    np.add.at(targets, (rows["model"].to_numpy(), rows["security"].to_numpy()), rows["target"].to_numpy(np.float64))
    return names, targets, rows[["model", "sleeve_id", "security", "target"]].reset_index(drop=True)


def _sleeves(
    firm: Firm, securities: pd.DataFrame, sleeve_of_target: pd.DataFrame, returns: Floats
) -> tuple[tuple[str, ...], Floats]:
    """Daily returns of each sleeve's benchmark; of its securities in the models' proportions where it has none."""
    ids = tuple(sorted(firm.table("sleeves", ["sleeve_id"])["sleeve_id"]))
    given = firm.table("sleeve_benchmarks")
    weights = np.zeros((len(ids), len(securities)))
    security = pd.Index(securities["security_id"]).get_indexer(given["security_id"])
    np.add.at(weights, (pd.Index(ids).get_indexer(given["sleeve_id"]), security), given["weight"].to_numpy(np.float64))
    own = sleeve_of_target.groupby(["sleeve_id", "security"])["target"].sum().reset_index()
    missing = own["sleeve_id"].isin([id for id, row in zip(ids, weights) if row.sum() == 0])
    own = own[missing]
    np.add.at(
        weights,
        (pd.Index(ids).get_indexer(own["sleeve_id"]), own["security"].to_numpy(np.int64)),
        own["target"].to_numpy(np.float64),
    )
    total = weights.sum(axis=1, keepdims=True)
    weights = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
    used = weights.any(axis=0)
    return ids, np.where(total.T > 0, returns[:, used] @ weights[:, used].T, np.nan)


def _exposures(firm: Firm, securities: pd.Index) -> pd.DataFrame:
    """The factor exposures that the firm keeps, security by factor; a security without any row is not there."""
    table = firm.table("factor_exposures")
    wide = table.pivot(index="security_id", columns="factor", values="exposure").fillna(0.0)
    if list(wide.columns) and CASH in securities and CASH not in wide.index:
        wide.loc[CASH] = 0.0
    return wide.sort_index().rename_axis(index=None, columns=None).astype("float64")


def _last_rate(firm: Firm) -> pd.Timestamp | None:
    dates = firm.table("rates", ["date"])["date"]
    dates = dates[dates <= firm.as_of]
    return None if dates.empty else pd.Timestamp(dates.max())


def _last_bookings(firm: Firm, accounts: pd.DataFrame) -> pd.Series:
    """The day of the last transaction at each custodian that has accounts, missing where there is none."""
    custodians = pd.Index(sorted(accounts["custodian_id"].unique()), name="custodian_id")
    table = firm.arrow("transactions", ["account_id", "trade_date"])
    if table.num_rows == 0:
        return pd.Series(pd.NaT, index=custodians, dtype="datetime64[ms]")
    account = codes(table["account_id"], pd.Index(accounts["account_id"]))
    custodian = custodians.get_indexer(accounts["custodian_id"])[account]
    day = table["trade_date"].cast(pa.timestamp("ms")).to_numpy().astype("datetime64[ms]")
    last = np.full(len(custodians), np.datetime64("1900-01-01", "ms"))
    known = (account >= 0) & (day <= np.datetime64(firm.as_of.to_datetime64(), "ms"))
    np.maximum.at(last, custodian[known], day[known])
    series = pd.Series(last, index=custodians)
    return series.mask(series == pd.Timestamp("1900-01-01"))


def _distinct(values: Ints) -> Ints:
    """The distinct values, sorted; a sort, for np.unique hashes and is slower on millions of nearly sorted keys."""
    values = np.sort(values, kind="stable")
    return values[np.concatenate([[True], values[1:] != values[:-1]])] if len(values) else values


def _lots_gap(firm: Firm, account_ids: pd.Index, security_ids: pd.Index) -> pd.DataFrame:
    """Holdings whose open lots differ from the statement: account_id, security_id, statement, lots (shares)."""
    sides = []
    for name in ("positions", "lots"):
        table = firm.arrow(name, ["account_id", "security_id", "quantity"])
        place = codes(table["account_id"], account_ids).astype(np.int64) * len(security_ids)
        place += codes(table["security_id"], security_ids)
        quantity = table["quantity"].to_numpy().astype(np.float64)
        shares = place % len(security_ids) != security_ids.get_loc(CASH)
        sides.append((place[shares], quantity[shares]))
    key = _distinct(np.concatenate([place for place, _ in sides]))
    statement, lots = (added_up(quantity, np.searchsorted(key, place), len(key)) for place, quantity in sides)
    gap = np.abs(statement - lots) > 1e-4 + 1e-9 * np.abs(statement)
    account, security = np.divmod(key[gap], len(security_ids))
    return pd.DataFrame(
        {
            "account_id": account_ids.to_numpy()[account],
            "security_id": security_ids.to_numpy()[security],
            "statement": statement[gap],
            "lots": lots[gap],
        }
    )
