"""Contributors and detractors: what each security added to the firm's excess return."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from workbench.attribution._paper import Floats
from workbench.attribution.followed import Followed, follow
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
    gathered = SecuritySums(paths, linking)
    for run in follow(daily, paths):
        gathered.add(run)
    return gathered.result()


class SecuritySums:
    """Gathers, run by run, what all accounts together held and gained in each security."""

    def __init__(self, paths: ModelPaths, linking: Method) -> None:
        periods, securities = len(paths.sessions) - 1, len(paths.securities)
        self._paths, self._linking = paths, linking
        self._value, self._gain = np.zeros((periods, securities)), np.zeros((periods, securities))
        self._other, self._returns = np.zeros((periods, 3)), np.zeros((2, periods))
        self._begin = np.zeros((len(paths.models), periods))

    def add(self, run: Followed) -> None:
        """Add the dollars of a run of accounts."""
        daily, present = run.daily, run.present
        against = np.where(present, self._paths.benchmark_returns[run.model], 0.0)
        value, gain = run.by_security(against)
        self._value += value
        self._gain += gain
        self._other += np.stack(
            [np.where(present, side, 0.0).sum(axis=0) for side in (run.trading, daily.fee, daily.unexplained)], axis=1
        )
        earned = np.where(present, run.value[:, 1:] - run.value[:, :-1] - daily.flow, 0.0)
        self._returns += np.stack([earned.sum(axis=0), (run.begin * against).sum(axis=0)])
        self._begin += run.by_model(run.begin)

    def result(self) -> pd.DataFrame:
        """The securities' parts, linked, largest first."""
        paths, begin = self._paths, self._begin.sum(axis=0)
        neutral = self._begin[..., None] * _benchmark_weights(paths)
        expected = neutral * (paths.returns - np.nan_to_num(paths.benchmark_returns)[..., None])
        gain = self._gain - np.where(neutral > 0, expected, 0.0).sum(axis=0)
        scale = np.divide(1.0, begin, out=np.zeros_like(begin), where=begin > 0)
        weight, benchmark_weight = self._value * scale[:, None], neutral.sum(axis=0) * scale[:, None]
        rows = np.concatenate([gain, self._other], axis=1) * scale[:, None]
        portfolio, benchmark = self._returns * scale
        linked = link(rows, portfolio, benchmark, self._linking, present=begin > 0)
        days, count = np.maximum((begin > 0).sum(), 1), len(paths.securities)
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


def _benchmark_weights(paths: ModelPaths) -> Floats:
    """Weights of each model's benchmark by security (M x T x S)."""
    policy = paths.benchmark_weights[..., paths.column_sleeve]
    return paths.by_security(np.where(policy > 0, policy * paths.sleeve_benchmark_weights, 0.0))
