"""Contributors and detractors: what each security added to the firm's excess return."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from workbench.attribution._paper import Floats
from workbench.attribution.daily_effects import split
from workbench.attribution.linking import Method, link
from workbench.attribution.paths import ModelPaths
from workbench.performance import DailyHoldings


def security_effects(
    daily: DailyHoldings | Iterable[DailyHoldings], paths: ModelPaths, linking: Method = "carino"
) -> pd.DataFrame:
    """Give each security's part in the excess return of all accounts put together, largest first.

    security_id, weight and benchmark_weight (averages over the periods), return (over the report; missing where a price
    is), contribution: w (g - B) - b (r - B), linked, with w, g the accounts' weight and gain and b, r, B the
    benchmark's. A security held with less than the benchmark's weight helps where it does worse than the benchmark.
    Contributions of all securities, with trading, fees and what the ledger cannot explain (rows without security_id,
    named in `effect`), sum to the linked excess return, to rounding.
    """
    sums = [_sums(part, paths) for ledger in ([daily] if isinstance(daily, DailyHoldings) else daily)
            for part in split(ledger, paths)]  # fmt: skip
    begin, returns, value, gain, other, neutral = (np.sum(side, axis=0) for side in zip(*sums, strict=True))
    scale = np.divide(1.0, begin, out=np.zeros_like(begin), where=begin > 0)
    weight, benchmark_weight = value * scale[:, None], neutral * scale[:, None]
    rows = np.concatenate([gain, other], axis=1) * scale[:, None]
    portfolio, benchmark = returns * scale
    linked = link(rows, portfolio, benchmark, linking, present=begin > 0)
    days = np.maximum((begin > 0).sum(), 1)
    count = len(paths.securities)
    frame = pd.DataFrame(
        {
            "security_id": [*paths.securities, None, None, None],
            "effect": ["security"] * count + ["trading", "fees", "residual"],
            "weight": [*(weight.sum(axis=0) / days), *[np.nan] * 3],
            "benchmark_weight": [*(benchmark_weight.sum(axis=0) / days), *[np.nan] * 3],
            "return": [*(np.prod(1 + paths.returns, axis=0) - 1), *[np.nan] * 3],
            "contribution": linked.effects,
        }
    )
    return frame.sort_values("contribution", ascending=False, kind="stable", ignore_index=True)


def _sums(daily: DailyHoldings, paths: ModelPaths) -> tuple[Floats, Floats, Floats, Floats, Floats, Floats]:
    """Dollars over the accounts measured: begin (T), gains of both sides (2 x T), and by security (T x S) value, gain
    over the benchmark's less the benchmark's own, the three other rows (T x 3), the benchmark's holdings (T x S)."""
    row = paths.model_rows(daily.accounts["model_id"])
    model = np.where(row >= 0, row, 0)
    total = daily.account_value
    present = (total[:, :-1] > 0) & (row >= 0)[:, None] & paths.exists[model]
    begin = total[:, :-1] * present
    against = np.where(present, paths.benchmark_returns[model], 0.0)
    here = present[daily.slot_account]
    value = daily.value[:, :-1] * here
    active = daily.holding * here - value * against[daily.slot_account]
    held, gained = (np.zeros((len(paths.securities), begin.shape[1])) for _ in range(2))
    np.add.at(held, daily.slot_security, value)
    np.add.at(gained, daily.slot_security, active)
    by_model = np.zeros((len(paths.models), begin.shape[1]))
    np.add.at(by_model, model, begin)
    inside = paths.benchmark_weights[..., paths.column_sleeve] * paths.sleeve_benchmark_weights
    weights = paths.by_security(np.where(paths.benchmark_weights[..., paths.column_sleeve] > 0, inside, 0.0))
    neutral = by_model[..., None] * weights
    expected = neutral * (paths.returns - np.nan_to_num(paths.benchmark_returns)[..., None])
    gained = gained.T - np.where(neutral > 0, expected, 0.0).sum(axis=0)
    other = np.stack([daily.by_account(daily.trading), daily.fee, daily.unexplained], axis=2)
    earned = (total[:, 1:] - total[:, :-1] - daily.flow) * present
    returns = np.stack([earned.sum(axis=0), (begin * against).sum(axis=0)])
    return (
        begin.sum(axis=0), returns, held.T, gained, (other * present[..., None]).sum(axis=0), neutral.sum(axis=0)
    )  # fmt: skip
