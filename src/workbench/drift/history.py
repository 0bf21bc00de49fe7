"""What happened to accounts since they last stood on their model: transactions as events, and closing prices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.drift.inputs import DriftInputs, Floats, Ints, Offsets
from workbench.drift.load import firm_as_of, recent_closes
from workbench.errors import FirmDataError, MarketDataError, ParameterError
from workbench.firm import CASH, Firm, effective_versions

#: The steps of a day, in the order in which they are taken at its close.
SPLIT, DIVIDEND, CORPORATE_ACTION, FLOW, TRADE, OVERRIDE = range(6)
_FLOW_KINDS = ("deposit", "withdrawal", "transfer", "fee")
#: What a purchase or sale was made for; a client's raises or places money of a flow. What is not named here departs
#: from the model by somebody's choice and is an override.
_STEP_OF_ORIGIN = {
    "reinvestment": CORPORATE_ACTION,
    "corporate_action": CORPORATE_ACTION,
    "client": FLOW,
    "fee": FLOW,
    "rebalance": TRADE,
}


@dataclass(frozen=True, eq=False)
class Versions:
    """Targets of every non-draft version of the models: row in the inputs' models, effective date, targets (V x S).

    Sorted by model and effective date.
    """

    model: Ints
    effective: np.ndarray
    target: Floats


@dataclass(frozen=True, eq=False)
class History:
    """N accounts' events after their start, sorted by account, day and step, and the closes to value them at.

    `account` (N) points into the inputs' accounts; `start` (N) is the session whose close the walk begins at, a row
    of `sessions`; `start_quantity` is what each of the account's slots held then. A slot is a security that the
    account held, moved or was to hold: slots `slot_ptr[i]:slot_ptr[i + 1]` are account i's, ordered by security.
    Events `event_ptr[i]:event_ptr[i + 1]` are account i's; `event_slot` counts from the account's first slot.
    `close` (sessions x S) holds the last known raw close, NaN before the first.
    """

    account: Offsets
    start: Offsets
    slot_ptr: Offsets
    slot_security: Ints
    start_quantity: Floats
    event_ptr: Offsets
    event_day: Offsets
    event_step: Ints
    event_slot: Offsets
    event_quantity: Floats
    event_amount: Floats
    sessions: pd.DatetimeIndex
    close: Floats
    versions: Versions


def load_history(firm: Firm, inputs: DriftInputs, accounts: list[str] | None = None) -> History:
    """Read the events and prices that explain the drift of `accounts` (all that are measured where None).

    An account's walk begins at the close of its `last_rebalanced_on`; where that is missing, on the day it opened,
    or on the first day of the firm's prices where it opened before. Raises `ParameterError` for an account that was
    not measured and `MarketDataError` where there is no price up to the as-of date.
    """
    firm = firm_as_of(firm, inputs.as_of)
    chosen = _chosen(inputs, accounts)
    frame = inputs.accounts.iloc[chosen]
    start = frame["last_rebalanced_on"].fillna(frame["opened_on"])
    sessions, close = _closes(firm, inputs, start.min())
    start = start.clip(lower=sessions[0], upper=inputs.as_of)
    events = _events(firm, inputs, frame["account_id"], start)
    start_day = np.asarray(sessions.searchsorted(start, side="right") - 1, dtype=np.int64)
    events["day"] = np.maximum(
        sessions.searchsorted(events["trade_date"], side="right") - 1, start_day[events["account"]]
    )
    events = events.sort_values(["account", "day", "step"], kind="stable")
    versions = _versions(firm, inputs)
    slot_ptr, slot_security, quantity = _slots(inputs, chosen, events, versions)
    width = len(inputs.securities.ids)
    slot_keys = np.repeat(np.arange(len(chosen)), np.diff(slot_ptr)) * width + slot_security
    account = events["account"].to_numpy(np.int64)
    slot = np.searchsorted(slot_keys, account * width + events["security"].to_numpy())
    cash = np.searchsorted(slot_keys, account * width + _cash(inputs))
    shares = np.where(slot == cash, 0.0, events["quantity"].to_numpy(np.float64))
    amount = events["amount"].to_numpy(np.float64)
    quantity -= np.bincount(slot, weights=shares, minlength=len(quantity))
    quantity -= np.bincount(cash, weights=amount, minlength=len(quantity))
    counts = np.bincount(account, minlength=len(chosen))
    return History(
        account=chosen,
        start=start_day,
        slot_ptr=slot_ptr,
        slot_security=slot_security,
        start_quantity=quantity,
        event_ptr=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        event_day=events["day"].to_numpy(np.int64),
        event_step=events["step"].to_numpy(np.int32),
        event_slot=slot - slot_ptr[account],
        event_quantity=shares,
        event_amount=amount,
        sessions=sessions,
        close=close,
        versions=versions,
    )


def steps(kind: pd.Series, origin: pd.Series) -> Ints:
    """Return the step of the day at which each transaction is taken."""
    step = origin.map(_STEP_OF_ORIGIN).fillna(OVERRIDE).to_numpy(np.int32).copy()
    step[kind.isin(_FLOW_KINDS).to_numpy()] = FLOW
    step[(kind == "spin_off").to_numpy()] = CORPORATE_ACTION
    step[(kind == "dividend").to_numpy()] = DIVIDEND
    step[(kind == "split").to_numpy()] = SPLIT
    return step


def _chosen(inputs: DriftInputs, accounts: list[str] | None) -> Offsets:
    if accounts is None:
        return np.arange(len(inputs.accounts), dtype=np.int64)
    chosen = np.asarray(inputs.account_ids.get_indexer(pd.Index(accounts)), dtype=np.int64)
    missing = [account for account, position in zip(accounts, chosen) if position < 0]
    if missing:
        raise ParameterError(f"account {missing[0]!r} was not measured; see no_data for the reason", "accounts")
    return np.sort(chosen)


def _cash(inputs: DriftInputs) -> int:
    if CASH not in inputs.securities.ids:
        raise FirmDataError(f"securities: there is no {CASH}; add it, kind cash")
    return inputs.securities.ids.index(CASH)


def _closes(firm: Firm, inputs: DriftInputs, first: pd.Timestamp) -> tuple[pd.DatetimeIndex, Floats]:
    """Sessions from the last one up to `first`, and the last known close of each security on each of them."""
    margin = pd.Timedelta(days=10)
    rows = recent_closes(firm, (inputs.as_of if pd.isna(first) else first) - margin)
    if rows.empty:
        raise MarketDataError(f"prices: none up to {inputs.as_of.date()}; add closes for the time to be explained")
    wide = rows.pivot(index="date", columns="security_id", values="close").sort_index().ffill()
    wide = wide.reindex(columns=list(inputs.securities.ids))
    close = wide.to_numpy(np.float64).copy()
    close[:, _cash(inputs)] = 1.0
    return pd.DatetimeIndex(wide.index), close


def _events(firm: Firm, inputs: DriftInputs, account_ids: pd.Series, start: pd.Series) -> pd.DataFrame:
    columns = ["account_id", "security_id", "trade_date", "kind", "quantity", "amount", "origin"]
    rows = firm.table("transactions", columns)
    account = pd.Index(account_ids).get_indexer(rows["account_id"])
    rows = rows.assign(account=account)[account >= 0]
    begins = start.to_numpy()[rows["account"]]
    rows = rows[(rows["trade_date"].to_numpy() > begins) & (rows["trade_date"] <= inputs.as_of).to_numpy()]
    security = pd.Index(inputs.securities.ids).get_indexer(rows["security_id"].fillna(CASH))
    return rows.assign(security=security, step=steps(rows["kind"], rows["origin"]))


def _versions(firm: Firm, inputs: DriftInputs) -> Versions:
    models = effective_versions(firm.table("models"), inputs.as_of)
    model = pd.Index(inputs.model_ids).get_indexer(models["model_id"]).astype(np.int32)
    rows = firm.table("model_targets").merge(
        models[["model_id", "version"]].assign(place=np.arange(len(models))), on=["model_id", "version"]
    )
    target = np.zeros((len(models), len(inputs.securities.ids)))
    security = pd.Index(inputs.securities.ids).get_indexer(rows["security_id"])
    np.add.at(target, (rows["place"].to_numpy(), security), rows["target"].to_numpy(np.float64))
    return Versions(model, models["effective_date"].to_numpy(), target)


def _slots(
    inputs: DriftInputs, chosen: Offsets, events: pd.DataFrame, versions: Versions
) -> tuple[Offsets, Ints, Floats]:
    """Every security that an account holds, moved or was ever to hold, and what it holds of it now."""
    width = len(inputs.securities.ids)
    holdings, ptr = inputs.holdings, inputs.holdings.account_ptr
    sizes = np.diff(ptr)[chosen]
    place = np.repeat(np.arange(len(chosen)), sizes)
    rows = np.arange(len(place)) + np.repeat(ptr[chosen] - np.concatenate([[0], np.cumsum(sizes)[:-1]]), sizes)
    held = place * width + holdings.security[rows]
    ever = np.zeros((len(inputs.model_ids), width), dtype=bool)
    np.logical_or.at(ever, versions.model, versions.target > 0)
    who, what = np.nonzero(ever[inputs.model[chosen]])
    moved = events["account"].to_numpy() * width + events["security"].to_numpy()
    cash = np.arange(len(chosen)) * width + _cash(inputs)
    keys = np.unique(np.concatenate([held, who * width + what, moved, cash]))
    quantity = np.zeros(len(keys))
    quantity[np.searchsorted(keys, held)] = holdings.quantity[rows]
    counts = np.bincount(keys // width, minlength=len(chosen))
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), (keys % width).astype(np.int32), quantity
