"""What a model change would do to the firm: who cannot follow it, what would trade, and what gains that realises.

A screening before the committee decides, not a proposal: every account of the model is moved straight to its new
targets at today's prices, as far as its restrictions let it, least-taxed lots first. No tracking risk, wash sale,
budget or household is weighed here; `propose` does that, account by account, once the version is in force.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench import drift
from workbench.drift import DriftInputs
from workbench.errors import ParameterError
from workbench.firm import CASH, Firm, at
from workbench.rebalance.version_change.conflicts import Desk, find_conflicts
from workbench.rebalance.version_change.target_change import TargetChange, target_change

Start = Literal["held", "target"]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class ImpactSummary:
    """The change in one line: accounts, dollars, and who cannot follow. Gains are of taxed accounts only.

    `turnover` is half of what is bought and sold over the accounts' value. `gain` and `tax` leave out `unknown_basis`,
    the proceeds of sales without a known basis. `unmeasured` accounts are on the model but cannot be measured;
    `unread` restrictions have a key that no security, lot or screen answers to; `left_out` are versions that cannot
    be used, with the reason.
    """

    models: tuple[str, ...]
    accounts: int
    households: int
    value: float
    bought: float
    sold: float
    blocked: float
    turnover: float
    gain: float
    tax: float
    unknown_basis: float
    accounts_in_conflict: int
    new_conflicts: int
    unmeasured: int
    unread: tuple[str, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class ModelChangeImpact:
    """What a change of models does, by account, conflict, security and model.

    `accounts`: account_id, household_id, model_id, version_before, version_after, discretionary, rollout_mode, value,
    bought, sold, blocked (dollars wanted that a restriction stops, or
    the lack of a sale to pay for them), turnover, gain, tax, unknown_basis, conflicts.
    `conflicts`: account_id, household_id, model_id, restriction_id, kind, key, security_id, target_before,
    target_after, amount (dollars in the way), new (not there under the old targets), reason; greatest amount first.
    `trades`: account_id, security_id, side, wanted, amount (what is let through), in dollars, `gain` and `tax`.
    `securities`: security_id, bought, sold, net, accounts. `models`: versions, target turnover, sleeves added,
    dropped, and `crossing`, the part of the account that only changes sleeve. `unmeasured`: account_id, reason.
    """

    summary: ImpactSummary
    accounts: pd.DataFrame
    conflicts: pd.DataFrame
    trades: pd.DataFrame
    securities: pd.DataFrame
    models: pd.DataFrame
    unmeasured: pd.DataFrame


def model_change(
    firm: Firm,
    versions: dict[str, int] | None = None,
    *,
    as_of: pd.Timestamp | str | None = None,
    start: Start = "held",
) -> ModelChangeImpact:
    """Return what putting new versions of models in force would do to every account on them.

    `versions` maps model_id to the version to look at; by default each model's last version, where that is later than
    the one in force. `start` is where trades start from: "held", what the accounts hold, so that today's drift is
    corrected on the way; or "target", the old targets, so that only the change itself is counted (a sale is never more
    than what is held). Raises `ParameterError` for an unknown model or version or nothing to compare, and
    `FirmDataError` for a version asked for by name whose targets do not sum to 1.
    """
    if start not in ("held", "target"):
        raise ParameterError(f"start {start!r} is not one of held, target", "start")
    firm = firm if as_of is None else at(firm, as_of)
    inputs = drift.load(firm)
    change = target_change(inputs, firm.table("models"), firm.table("model_targets"), versions)
    tables = {name: firm.table(name) for name in ("restrictions", "securities", "accounts")}
    held = tables["restrictions"].loc[lambda rows: rows["kind"] == "hold_lot", "key"]
    lots = firm.table("lots", ["lot_id", "account_id", "security_id", "quantity"])
    return assess(
        inputs, change, tables["restrictions"], tables["securities"], tables["accounts"],
        lots[lots["lot_id"].isin(held)], start=start,
    )  # fmt: skip


def assess(
    inputs: DriftInputs,
    change: TargetChange,
    restrictions: pd.DataFrame,
    securities: pd.DataFrame,
    accounts: pd.DataFrame,
    held_lots: pd.DataFrame,
    *,
    start: Start = "held",
) -> ModelChangeImpact:
    """The pure form of `model_change`: `inputs` with the firm's tables; `held_lots` are the lots of hold_lot rows."""
    desk = _desk(inputs, change, start)
    found, unread = find_conflicts(desk, restrictions, securities, held_lots, inputs.as_of)
    _pay_for(desk)
    gain, tax, unknown = _realised(inputs, desk)
    by = inputs.accounts.iloc[desk.accounts].reset_index(drop=True)
    total = desk.by_account
    traded = np.where(desk.is_cash, 0.0, desk.allowed)
    wanted = np.where(desk.is_cash, 0.0, desk.wanted)
    bought, sold = total(np.maximum(traded, 0.0)), total(np.maximum(-traded, 0.0))
    extra = accounts.set_index("account_id").reindex(by["account_id"])
    frame = pd.DataFrame(
        {
            "account_id": by["account_id"],
            "household_id": by["household_id"],
            "model_id": by["model_id"],
            "version_before": by["model_version"].astype(np.int64),
            "version_after": change.version_after[desk.model],
            "discretionary": extra["discretionary"].to_numpy(),
            "rollout_mode": extra["rollout_mode"].to_numpy(),
            "value": desk.value,
            "bought": bought,
            "sold": sold,
            "blocked": total(np.abs(wanted - traded)),
            "turnover": (bought + sold) / 2 / desk.value,
            "gain": total(gain),
            "tax": total(tax),
            "unknown_basis": total(unknown),
            "conflicts": found.groupby("account_id").size().reindex(by["account_id"], fill_value=0).to_numpy(),
        }
    )
    off = inputs.no_data[inputs.no_data["model_id"].isin(np.array(inputs.model_ids)[change.changed])]
    trades = _trades(inputs, desk, wanted, traded, gain, tax)
    return ModelChangeImpact(
        summary=_summary(frame, found, unread, off, change),
        accounts=frame,
        conflicts=found,
        trades=trades,
        securities=_by_security(trades),
        models=_by_model(frame, change, inputs),
        unmeasured=off[["account_id", "reason"]].reset_index(drop=True),
    )


def _desk(inputs: DriftInputs, change: TargetChange, start: Start) -> Desk:
    """Every security that an account of a changed model holds or is to hold, one row each, with the dollars wanted."""
    n_securities = len(inputs.securities.ids)
    affected = np.flatnonzero(change.changed[inputs.model])
    place = np.full(len(inputs.accounts), -1, np.int64)
    place[affected] = np.arange(len(affected))
    holdings = inputs.holdings
    owner = place[np.repeat(np.arange(len(inputs.accounts)), np.diff(holdings.account_ptr))]
    rows = np.flatnonzero(owner >= 0)
    held_key = owner[rows] * n_securities + holdings.security[rows]
    model = inputs.model[affected].astype(np.int64)
    named = (change.before > 0) | (change.after > 0)
    sizes = named.sum(axis=1)[model]
    first = np.concatenate([[0], np.cumsum(named.sum(axis=1))])[model]
    listed = np.nonzero(named)[1][np.repeat(first, sizes) + _counters(sizes)]
    key = np.union1d(held_key, np.repeat(np.arange(len(affected)), sizes) * n_securities + listed)
    account, security = key // n_securities, key % n_securities
    holding = np.full(len(key), -1, np.int64)
    holding[np.searchsorted(key, held_key)] = rows
    value = inputs.values[affected]
    held = np.where(holding >= 0, holdings.quantity[holding] * inputs.securities.price[security], 0.0)
    before, after = (targets[model[account], security] for targets in (change.before, change.after))
    wanted = (after * value[account] - held) if start == "held" else (after - before) * value[account]
    return Desk(
        inputs=inputs,
        change=change,
        accounts=affected,
        model=model,
        value=value,
        key=key,
        row_account=account,
        row_security=security,
        holding=holding,
        held=held,
        before=before,
        after=after,
        wanted=np.maximum(wanted, -np.maximum(held, 0.0)),
        wanted_before=before * value[account] - held if start == "held" else np.zeros(len(key)),
        is_cash=inputs.securities.is_cash[security] & (np.array(inputs.securities.ids)[security] == CASH),
    )


def _pay_for(desk: Desk) -> None:
    """Cut purchases, all alike, to what sales and cash above the target leave: a barred sale pays for nothing."""
    traded = np.where(desk.is_cash, 0.0, desk.allowed)
    buys = desk.by_account(np.maximum(traded, 0.0))
    funds = desk.by_account(np.maximum(-traded, 0.0)) - desk.by_account(np.where(desk.is_cash, desk.wanted, 0.0))
    part = np.clip(np.divide(funds, buys, out=np.ones_like(buys), where=buys > 0), 0.0, 1.0)
    part[part > 1 - 1e-9] = 1.0  # rounding is not a lack of cash
    short = (desk.allowed > 0) & ~desk.is_cash
    desk.allowed[short] *= part[desk.row_account[short]]


def _counters(sizes: Ints) -> Ints:
    """0, 1, ... within each run of the given sizes."""
    ends = np.cumsum(sizes)
    return np.arange(int(ends[-1]) if len(ends) else 0, dtype=np.int64) - np.repeat(ends - sizes, sizes)


def _realised(inputs: DriftInputs, desk: Desk) -> tuple[Floats, Floats, Floats]:
    """Gain and tax of each row's sale, least-taxed lots first, and its proceeds without known basis; taxed accounts."""
    gain, tax, unknown = (np.zeros(len(desk.key)) for _ in range(3))
    lots = inputs.lots
    sold = np.where(desk.is_cash, 0.0, np.maximum(-desk.allowed, 0.0))
    rows = np.flatnonzero((sold > 0) & (desk.holding >= 0) & inputs.taxed[desk.accounts[desk.row_account]])
    if lots is None or not len(rows):
        return gain, tax, unknown
    price = inputs.securities.price[desk.row_security[rows]]
    shares = sold[rows] / price
    first, sizes = lots.holding_ptr[desk.holding[rows]], np.diff(lots.holding_ptr)[desk.holding[rows]]
    lot = np.repeat(first, sizes) + _counters(sizes)
    sale = np.repeat(np.arange(len(rows)), sizes)
    running = np.concatenate([[0.0], np.cumsum(lots.quantity)])
    taken = np.clip(shares[sale] - (running[lot] - running[first][sale]), 0.0, lots.quantity[lot])
    known = np.isfinite(lots.gain[lot]) & np.isfinite(lots.tax[lot])
    covered = np.bincount(sale, weights=np.where(known, taken, 0.0), minlength=len(rows))
    for result, per_share in ((gain, lots.gain), (tax, lots.tax)):
        worth = np.where(known, taken * np.where(known, per_share[lot], 0.0), 0.0)
        result[rows] = np.bincount(sale, weights=worth, minlength=len(rows))
    missing = shares - covered
    unknown[rows] = np.where(missing > 1e-9 * np.maximum(shares, 1.0), missing * price, 0.0)
    return gain, tax, unknown


def _trades(inputs: DriftInputs, desk: Desk, wanted: Floats, traded: Floats, gain: Floats, tax: Floats) -> pd.DataFrame:
    rows = np.flatnonzero(np.abs(wanted) > 0.005)
    ids = inputs.accounts["account_id"].to_numpy()
    return pd.DataFrame(
        {
            "account_id": ids[desk.accounts[desk.row_account[rows]]],
            "security_id": np.array(inputs.securities.ids, dtype=object)[desk.row_security[rows]],
            "side": np.where(wanted[rows] > 0, "buy", "sell"),
            "wanted": np.abs(wanted[rows]),
            "amount": np.abs(traded[rows]),
            "gain": gain[rows],
            "tax": tax[rows],
        }
    ).astype({"account_id": "str", "security_id": "str", "side": "str"})


def _by_security(trades: pd.DataFrame) -> pd.DataFrame:
    moved = trades[trades["amount"] > 0]
    buys = moved["side"] == "buy"
    frame = moved.assign(bought=moved["amount"].where(buys, 0.0), sold=moved["amount"].where(~buys, 0.0))
    sums = frame.groupby("security_id", as_index=False).agg(
        bought=("bought", "sum"), sold=("sold", "sum"), accounts=("account_id", "nunique")
    )
    sums.insert(3, "net", sums["bought"] - sums["sold"])
    return sums


def _by_model(frame: pd.DataFrame, change: TargetChange, inputs: DriftInputs) -> pd.DataFrame:
    rows = []
    for m in np.flatnonzero(change.changed):
        model = inputs.model_ids[m]
        own = change.sleeves[change.sleeves["model_id"] == model]
        sums = own.groupby("sleeve_id")[["before", "after"]].sum()
        moves = (own["after"] - own["before"]).groupby(own["security"])
        up, down = moves.agg(lambda d: d.clip(lower=0).sum()), moves.agg(lambda d: -d.clip(upper=0).sum())
        on_it = frame[frame["model_id"] == model]
        rows.append(
            {
                "model_id": model,
                "version_before": inputs.model_versions[m],
                "version_after": int(change.version_after[m]),
                "accounts": len(on_it),
                "value": float(on_it["value"].sum()),
                "target_turnover": float(np.abs(change.after[m] - change.before[m]).sum() / 2),
                "sleeves_added": ", ".join(sums.index[(sums["before"] == 0) & (sums["after"] > 0)]),
                "sleeves_dropped": ", ".join(sums.index[(sums["before"] > 0) & (sums["after"] == 0)]),
                "crossing": float(np.minimum(up, down).sum()),
            }
        )
    return pd.DataFrame(rows)


def _summary(
    frame: pd.DataFrame, found: pd.DataFrame, unread: tuple[str, ...], off: pd.DataFrame, change: TargetChange
) -> ImpactSummary:
    value, bought, sold = (float(frame[name].sum()) for name in ("value", "bought", "sold"))
    return ImpactSummary(
        models=tuple(sorted(set(change.sleeves["model_id"]))),
        accounts=len(frame),
        households=int(frame["household_id"].nunique()),
        value=value,
        bought=bought,
        sold=sold,
        blocked=float(frame["blocked"].sum()),
        turnover=(bought + sold) / 2 / value if value else 0.0,
        gain=float(frame["gain"].sum()),
        tax=float(frame["tax"].sum()),
        unknown_basis=float(frame["unknown_basis"].sum()),
        accounts_in_conflict=int((frame["conflicts"] > 0).sum()),
        new_conflicts=int(found["new"].sum()),
        unmeasured=len(off),
        unread=unread,
        left_out=change.left_out,
    )
