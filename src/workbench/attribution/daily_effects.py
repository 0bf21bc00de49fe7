"""Each account's excess return, day by day, as rows: what the model decided, sleeve by sleeve, and what was done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from workbench.attribution._paper import Flags, Floats, Ints, grouped, held_sum
from workbench.attribution.paths import ModelPaths
from workbench.errors import ParameterError
from workbench.firm import CASH
from workbench.performance import DailyHoldings

#: The model against its benchmark, by sleeve.
MODEL_EFFECTS = ("allocation", "selection", "interaction")
#: The account against its model; the first is by sleeve, the others are one row each.
IMPLEMENTATION_EFFECTS = ("timing", "cash", "other_holdings", "trading", "fees", "residual")
EFFECTS = MODEL_EFFECTS + IMPLEMENTATION_EFFECTS
#: Accounts whose daily rows are held at once: a year of 40 rows takes 80 kB an account.
_CHUNK = 500


@dataclass(frozen=True, eq=False)
class DailyEffects:
    """Unlinked rows of N accounts over T periods; fractions of each account's beginning value.

    `rows` (N x T x K) sum over K to `portfolio` - `benchmark` where `present` (N x T): the account had value at the
    beginning, and its model a version in force. Everything is zero elsewhere. `begin` (N x T) is that value in dollars,
    `model` (N x T) the model's return, `model_row` (N) the account's model in the paths.
    """

    accounts: pd.DataFrame
    model_row: Ints
    present: Flags
    begin: Floats
    portfolio: Floats
    model: Floats
    benchmark: Floats
    rows: Floats


def row_names(sleeves: tuple[str, ...]) -> pd.DataFrame:
    """Give the K rows in order: effect, and sleeve_id where the effect has one."""
    by_sleeve = [(effect, sleeve) for effect in (*MODEL_EFFECTS, "timing") for sleeve in sleeves]
    return pd.DataFrame(
        [*by_sleeve, *((effect, None) for effect in IMPLEMENTATION_EFFECTS[1:])], dtype=object
    ).set_axis(["effect", "sleeve_id"], axis=1)


def model_effects(paths: ModelPaths) -> Floats:
    """Brinson-Fachler effects of each model against its benchmark by sleeve (M x T x 3L): one effect after another.

    With W, R of the model's sleeve, v, b of the benchmark's and B its total: allocation (W - v)(b - B), selection
    v (R - b), interaction (W - v)(R - b). A sleeve that the model does not hold has nothing selected.
    Brinson and Fachler, "Measuring Non-US Equity Portfolio Performance", J. of Portfolio Management, Spring 1985.
    """
    total = paths.benchmark_returns[..., None]
    neutral, against = paths.benchmark_weights, paths.sleeve_benchmark_returns
    active = paths.sleeve_weights - neutral
    selected = np.where(paths.sleeve_weights > 0, paths.sleeve_returns - against, 0.0)
    effects = [held_sum(active, against - total), neutral * selected, active * selected]
    return np.asarray(np.nan_to_num(np.concatenate(effects, axis=2)))


def daily_effects(daily: DailyHoldings, paths: ModelPaths) -> DailyEffects:
    """Split each account's return less its benchmark's, each period exactly, into the rows of `row_names`.

    With w for the account's beginning weights, m for the model's, r for a security's return, R the model's:

    - model against benchmark: `model_effects`;
    - timing, by sleeve: (w - m)(r - R) of the model's securities, those of two sleeves split as the model splits them;
    - other_holdings: w (g - R) of what the model does not hold, g being what it gained in the account;
    - cash: w (g - R) of the account's cash less m (0 - R) of the model's;
    - trading: the close against the price traded at; fees: what was charged; both over the beginning value;
    - residual: what the formula leaves: a security's gain in the account other than the model's return on it, and what
      the ledger cannot explain.

    Accounts without model, and periods without beginning value, are not `present`. Raises `ParameterError` where the
    two were made for other sessions or securities.
    """
    _check_alike(daily, paths)
    model_row = paths.model_rows(daily.accounts["model_id"])
    value = daily.account_value
    begin = value[:, :-1]
    known = model_row >= 0
    mine = np.where(known, model_row, 0)
    present = (begin > 0) & known[:, None] & paths.exists[mine]
    scale = np.divide(1.0, begin, out=np.zeros_like(begin), where=present)
    # From what the account gained, not from the rows, so that their sum is a check on them.
    portfolio = (value[:, 1:] - begin - daily.flow) * scale
    model, benchmark = (np.where(present, side[mine], 0.0) for side in (paths.model_returns, paths.benchmark_returns))
    held = _held(daily, paths, mine, scale, model)
    decided = np.where(present[..., None], model_effects(paths)[mine], 0.0)
    trading, fees = daily.by_account(daily.trading) * scale, daily.fee * scale
    explained = held.sum(axis=2) + trading + fees
    rows = np.concatenate(
        [decided, held, np.stack([trading, fees, portfolio - model - explained], axis=2)], axis=2
    )  # fmt: skip
    return DailyEffects(daily.accounts, model_row, present, begin * present, portfolio, model, benchmark, rows)


def split(ledger: DailyHoldings, paths: ModelPaths) -> Iterator[DailyHoldings]:
    """Cut a ledger into runs of accounts small enough for their daily rows.

    Raises `ParameterError` where ledger and paths were made for other sessions or securities.
    """
    _check_alike(ledger, paths)
    for first in range(0, max(len(ledger.accounts), 1), _CHUNK):  # of none, a run without accounts
        last = min(first + _CHUNK, len(ledger.accounts))
        slots = slice(int(ledger.slot_ptr[first]), int(ledger.slot_ptr[last]))
        yield replace(
            ledger,
            accounts=ledger.accounts.iloc[first:last].reset_index(drop=True),
            slot_ptr=ledger.slot_ptr[first : last + 1] - slots.start,
            slot_security=ledger.slot_security[slots],
            value=ledger.value[slots],
            holding=ledger.holding[slots],
            trading=ledger.trading[slots],
            flow=ledger.flow[first:last],
            fee=ledger.fee[first:last],
            unexplained=ledger.unexplained[first:last],
        )


def _held(daily: DailyHoldings, paths: ModelPaths, mine: Ints, scale: Floats, model: Floats) -> Floats:
    """Give timing by sleeve, cash and other holdings (N x T x L + 2), zero where `scale` is."""
    count = len(paths.sleeves)
    account, security = daily.slot_account, daily.slot_security.astype(np.int64)
    weight = daily.value[:, :-1] * scale[account]
    gain = daily.holding * scale[account] - weight * model[account]
    result = np.zeros((*scale.shape, count + 2))
    is_cash = np.equal(security, paths.securities.index(CASH))
    in_model = np.zeros(weight.shape, dtype=bool)
    against = weight * np.nan_to_num(paths.returns.T[security]) - weight * model[account]
    for sleeve, slots, share in slots_by_sleeve(daily, paths, mine):
        in_model[slots] |= share > 0
        result[..., sleeve] = sum_by_account(against[slots] * share, account[slots], len(scale))
    decided = _model_gains(paths)[mine] * (scale > 0)[..., None]
    result[..., :count] -= decided[..., :count]
    result[..., count] = daily.by_account(np.where(is_cash[:, None], gain, 0.0)) - decided[..., count]
    result[..., count + 1] = daily.by_account(np.where(in_model | is_cash[:, None], 0.0, gain))
    return result


def slots_by_sleeve(daily: DailyHoldings, paths: ModelPaths, model: Ints) -> Iterator[tuple[int, Ints, Floats]]:
    """Yield each sleeve that an account holds, its slots (k, cash apart), and the part of each in the sleeve (k x T).

    `model` (N) is each account's row in the paths. A part is what the account's model gives the sleeve of all it holds
    in the security, and zero while the model holds none.
    """
    owner, security = model[daily.slot_account], daily.slot_security.astype(np.int64)
    not_cash = security != paths.securities.index(CASH)
    whole = paths.security_weights.transpose(0, 2, 1)
    for sleeve in range(len(paths.sleeves)):
        inside = np.where(paths.column_sleeve == sleeve, paths.weights, 0.0)
        target = np.nan_to_num(paths.by_security(inside).transpose(0, 2, 1))
        ever = np.asarray((target > 0).any(axis=2))
        slots = np.flatnonzero(ever[owner, security] & not_cash)
        if len(slots):
            mine, all_of_it = (side[owner[slots], security[slots]] for side in (target, whole))
            yield sleeve, slots, np.divide(mine, all_of_it, out=np.zeros_like(mine), where=all_of_it > 0)


def _model_gains(paths: ModelPaths) -> Floats:
    """Give m (r - R) of each model by sleeve, and of its cash last (M x T x L + 1)."""
    gains = held_sum(paths.weights, paths.returns[:, paths.column_security] - paths.model_returns[..., None])
    group = np.where(paths.column_security == paths.securities.index(CASH), len(paths.sleeves), paths.column_sleeve)
    return np.nan_to_num(grouped(gains, group, len(paths.sleeves) + 1))


def sum_by_account(slots: Floats, account: Ints, count: int) -> Floats:
    """Sum slots, sorted by account, of which some are left out (k x T) to accounts (N x T)."""
    summed = np.zeros((count, slots.shape[1]))
    starts = np.flatnonzero(np.diff(account, prepend=-1))
    summed[account[starts]] = np.add.reduceat(slots, starts, axis=0)
    return summed


def _check_alike(daily: DailyHoldings, paths: ModelPaths) -> None:
    if not daily.sessions.equals(paths.sessions):
        raise ParameterError(
            "the ledger and the models' paths have different sessions; load both for the same", "paths"
        )
    if paths.securities[: len(daily.securities)] != daily.securities:
        raise ParameterError(
            "the models' paths do not begin with the ledger's securities; load them with securities=daily.securities",
            "paths",
        )
