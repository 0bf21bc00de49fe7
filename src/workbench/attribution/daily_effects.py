"""Each account's excess return, day by day, as rows: what the model decided, sleeve by sleeve, and what was done."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.attribution._paper import Flags, Floats, Ints
from workbench.attribution.followed import Followed

#: The model against its benchmark, by sleeve.
MODEL_EFFECTS = ("allocation", "selection", "interaction")
#: The account against its model; the first is by sleeve, the others are one row each.
IMPLEMENTATION_EFFECTS = ("timing", "cash", "other_holdings", "trading", "fees", "residual")
EFFECTS = MODEL_EFFECTS + IMPLEMENTATION_EFFECTS


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


def daily_effects(run: Followed) -> DailyEffects:
    """Split each account's return less its benchmark's, each period exactly, into the rows of `row_names`.

    With w for the account's beginning weights, m for the model's, r for a security's return, R the model's:

    - model against benchmark: `model_effects`;
    - timing, by sleeve: (w - m)(r - R) of the model's securities, those of two sleeves split as the model splits them;
    - other_holdings: w (g - R) of what the model does not hold, g being what it gained in the account;
    - cash: w (g - R) of the account's cash less m (0 - R) of the model's;
    - trading: the close against the price traded at; fees: what was charged; both over the beginning value;
    - residual: what the formula leaves: a security's gain in the account other than the model's return on it, and what
      the ledger cannot explain.

    Accounts without model, and periods without beginning value, are not `present`.
    """
    daily, paths, scale, present = run.daily, run.paths, run.scale, run.present
    value = run.value
    # From what the account gained, not from the rows, so that their sum is a check on them.
    portfolio = (value[:, 1:] - value[:, :-1] - daily.flow) * scale
    model, benchmark = (
        np.where(present, side[run.model], 0.0) for side in (paths.model_returns, paths.benchmark_returns)
    )
    count = len(paths.sleeves)
    rows = np.empty((*scale.shape, 4 * count + 5))
    rows[..., : 3 * count] = run.sides.decided[run.model]
    rows[~present, : 3 * count] = 0.0
    held = rows[..., 3 * count : 4 * count + 2]
    _held(run, model, held)
    rows[..., -3], rows[..., -2] = run.trading * scale, daily.fee * scale
    rows[..., -1] = portfolio - model - held.sum(axis=2) - rows[..., -3] - rows[..., -2]
    return DailyEffects(daily.accounts, run.model_row, present, run.begin, portfolio, model, benchmark, rows)


def _held(run: Followed, model: Floats, held: Floats) -> None:
    """Fill in timing by sleeve, cash and other holdings (N x T x L + 2), zero where nothing is measured."""
    weight, gained, expected, _ = run.inside
    count = len(run.paths.sleeves)
    decided = np.where(run.present[..., None], run.sides.gains[run.model], 0.0)
    held[..., :count] = (expected - weight * model[..., None]) * run.scale[..., None] - decided[..., :count]
    held[..., count] = (run.interest - run.cash * model) * run.scale - decided[..., count]
    gain = run.holding - run.interest - gained.sum(axis=2)
    outside = run.value[:, :-1] - run.cash - weight.sum(axis=2)
    held[..., count + 1] = (gain - outside * model) * run.scale
