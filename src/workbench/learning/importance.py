"""Permutation importance: what a policy's total cost becomes when one of its inputs is taken from another day."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from workbench.backtest import Costs, Policy, Runs, Signals, Universe, simulate
from workbench.backtest.universe import Ints
from workbench.errors import ParameterError

#: Half spreads alone.
_PLAIN = Costs()


@dataclass(frozen=True)
class Importance:
    """One input: mean rise of total cost (bp a year) when it is shuffled, its standard deviation over shuffles."""

    input: str
    rise_bp: float
    deviation_bp: float
    shuffles: int


def importance(
    universe: Universe,
    signals: Signals,
    policy: Policy,
    generator: np.random.Generator,
    *,
    shuffles: int = 10,
    block: int = 21,
    first: int | None = None,
    last: int | None = None,
    costs: Costs = _PLAIN,
    risk_aversion: float = 5.0,
) -> tuple[Importance, ...]:
    """Shuffle one input at a time over the sessions `first` to `last`, run the policy, and note the rise of its cost.

    Inputs are the covariance and every signal; weights are not, because they follow from what was traded. Whole blocks
    of `block` sessions change places, so that a shuffled signal is as smooth as it was. An input that is not read rises
    by exactly 0; a fall says that the policy would be better off without it. Largest rise first.

    Source: Breiman, Random Forests (2001), on the objective rather than on a fit. Raises `ParameterError` for
    shuffles or blocks below 1, and as `backtest.simulate` does.
    """
    if shuffles < 1 or block < 1:
        raise ParameterError(f"{shuffles} shuffles of blocks of {block}; both must be at least 1", "shuffles")
    start = signals.first if first is None else first
    end = len(universe.sessions) if last is None else last + 1

    def total(shuffled: Signals) -> float:
        runs = Runs.product([policy])
        results = simulate(universe, shuffled, runs, costs=costs, risk_aversion=risk_aversion, first=first, last=last)
        return float(results.statistics["total_bp"].iloc[0])

    base = total(signals)
    orders = [_blocks(start, end, block, generator) for _ in range(shuffles)]
    found = []
    for name in _inputs(signals):
        rises = np.array([total(_shuffled(signals, name, order, start, end)) - base for order in orders])
        spread = float(rises.std(ddof=1)) if shuffles > 1 else 0.0
        found.append(Importance(name, float(rises.mean()), spread, shuffles))
    return tuple(sorted(found, key=lambda one: -one.rise_bp))


def to_frame(found: tuple[Importance, ...]) -> pd.DataFrame:
    """A row an input: rise_bp, deviation_bp, shuffles."""
    return pd.DataFrame([vars(one) for one in found]).set_index("input")


def _inputs(signals: Signals) -> tuple[str, ...]:
    return (
        "covariance",
        *(f"market {name}" for name in signals.market_names),
        *(f"asset {name}" for name in signals.asset_names),
    )


def _blocks(start: int, end: int, block: int, generator: np.random.Generator) -> Ints:
    """Sessions `start` to `end`, whole blocks of them in another order."""
    parts = np.split(np.arange(start, end), np.arange(block, end - start, block))
    return np.concatenate([parts[i] for i in generator.permutation(len(parts))])


def _shuffled(signals: Signals, name: str, order: Ints, start: int, end: int) -> Signals:
    if name == "covariance":
        at = signals.covariance_at.copy()
        at[start:end] = at[order]
        return replace(signals, covariance_at=at)
    of, _, signal = name.partition(" ")
    values = getattr(signals, of).copy()
    k = getattr(signals, f"{of}_names").index(signal)
    values[:, start:end, k] = values[:, order, k]
    return replace(signals, **{of: values})
