"""Simple stand-ins for a policy, fitted to its trades: a line and a small tree, both policies themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.backtest import Costs, Floats, Observation, Policy, Signals, Universe, walk
from workbench.errors import ParameterError
from workbench.learning.projection import project

#: Half spreads alone.
_PLAIN = Costs()
#: Pull of the line's coefficients towards zero, in units of a standardised feature's own sum of squares.
RIDGE = 1e-3
#: A leaf of the tree stands on at least this many looks.
LEAF = 5
DEPTH = 4
#: A stand-in's trade below this part of wealth is not made.
UNTRADED = 1e-9


@dataclass(frozen=True, eq=False)
class Looks:
    """What a policy saw and traded: features (looks x k), trades (looks x m, 0 where it left alone), observations."""

    names: tuple[str, ...]
    features: Floats
    trades: Floats
    seen: tuple[Observation, ...]


@dataclass(frozen=True, eq=False)
class LinearSurrogate:
    """Trades as a linear function of drift and signals; a `Policy`. `coefficients` (k x m) and `constant` (m)."""

    name: str
    every: int
    inputs: tuple[str, ...]
    coefficients: Floats
    constant: Floats

    def decide(self, seen: Observation) -> Floats | None:
        """Weights wanted: the trade of the line, brought back onto the simplex."""
        return _after(seen, features(seen) @ self.coefficients + self.constant)


@dataclass(frozen=True, eq=False)
class TreeSurrogate:
    """Trades as the leaves of one tree of depth 4; a `Policy`. Arrays are by node, leaves have feature -1."""

    name: str
    every: int
    inputs: tuple[str, ...]
    feature: tuple[int, ...]
    threshold: Floats
    left: tuple[int, ...]
    right: tuple[int, ...]
    trade: Floats
    looks: tuple[int, ...]

    def decide(self, seen: Observation) -> Floats | None:
        """Weights wanted: the trade of the leaf, brought back onto the simplex."""
        values, node = features(seen), 0
        while self.feature[node] >= 0:
            # Thresholds are learned on 32-bit features, so they are compared as such.
            below = np.float32(values[self.feature[node]]) <= self.threshold[node]
            node = self.left[node] if below else self.right[node]
        return _after(seen, self.trade[node])

    def sentences(self, positions: Sequence[str] = ()) -> tuple[str, ...]:
        """A sentence a leaf: when it applies, what is then traded, on how many looks it stands."""
        return tuple(self._sentences(0, (), tuple(positions)))

    def _sentences(self, node: int, when: tuple[str, ...], positions: tuple[str, ...]) -> list[str]:
        if self.feature[node] >= 0:
            name, limit = self.inputs[self.feature[node]], self.threshold[node]
            return [
                *self._sentences(self.left[node], (*when, f"{name} is at most {limit:.4g}"), positions),
                *self._sentences(self.right[node], (*when, f"{name} is above {limit:.4g}"), positions),
            ]
        trade = self.trade[node]
        names = positions or tuple(f"position {i}" for i in range(len(trade)))
        parts = [f"{name} {part:+.2%}" for name, part in zip(names, trade) if abs(part) >= 5e-5]
        condition = f"Where {' and '.join(when)}" if when else "Always"
        return [f"{condition}: {', '.join(parts) or 'nothing is traded'} ({self.looks[node]} looks)."]


def looks(
    universe: Universe,
    signals: Signals,
    policy: Policy,
    *,
    offsets: Sequence[int] = (0,),
    paths: Sequence[int] = (0,),
    first: int | None = None,
    last: int | None = None,
    costs: Costs = _PLAIN,
    risk_aversion: float = 5.0,
) -> Looks:
    """Walk a policy over training sessions and note every look; more start offsets and paths give more looks.

    Raises `PolicyError` and `ParameterError` as `backtest.walk` does.
    """
    recorder = Recorder(policy)
    for path in paths:
        for offset in offsets:
            walk(
                universe,
                signals,
                recorder,
                offset=offset,
                path=path,
                costs=costs,
                risk_aversion=risk_aversion,
                keep_returns=False,
                keep_paths=False,
                first=first,
                last=last,
            )
    if not recorder.seen:
        raise ParameterError(f"{policy.name!r} never looked in these sessions; take more of them", "first")
    names = feature_names(universe, signals)
    return Looks(
        names, np.array([features(seen) for seen in recorder.seen]), np.array(recorder.trades), tuple(recorder.seen)
    )


def fit_linear(seen: Looks, policy: Policy) -> LinearSurrogate:
    """The line through a policy's trades, by least squares with a slight pull to zero."""
    mean, spread = seen.features.mean(axis=0), seen.features.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    x, y = (seen.features - mean) / scale, seen.trades - seen.trades.mean(axis=0)
    pull = RIDGE * len(x) * np.eye(x.shape[1])
    slope = np.linalg.solve(x.T @ x + pull, x.T @ y) / scale[:, None]
    return LinearSurrogate(
        f"line for {policy.name}", policy.every, seen.names, slope, seen.trades.mean(axis=0) - mean @ slope
    )


def fit_tree(seen: Looks, policy: Policy) -> TreeSurrogate:
    """The tree of depth 4 through a policy's trades (CART, squared error); the same looks give the same tree."""
    from sklearn.tree import DecisionTreeRegressor

    model = DecisionTreeRegressor(max_depth=DEPTH, min_samples_leaf=LEAF, random_state=0)
    tree = model.fit(seen.features, seen.trades).tree_
    return TreeSurrogate(
        name=f"tree for {policy.name}",
        every=policy.every,
        inputs=seen.names,
        feature=tuple(int(f) if f >= 0 else -1 for f in tree.feature),
        threshold=tree.threshold.copy(),
        left=tuple(tree.children_left.tolist()),
        right=tuple(tree.children_right.tolist()),
        trade=tree.value[:, :, 0].copy(),
        looks=tuple(tree.n_node_samples.tolist()),
    )


def features(seen: Observation) -> Floats:
    """What a stand-in sees: drift of each position, market signals, and the signals of each asset in a row."""
    live = len(seen.weight) if seen.asset.size == 0 else seen.asset.shape[1]
    return np.concatenate([seen.weight - seen.target, seen.market, seen.asset[:, :live].ravel()])


def feature_names(universe: Universe, signals: Signals) -> tuple[str, ...]:
    """Names of `features`, in their order."""
    positions = (*universe.assets, "cash") if universe.with_cash else universe.assets
    return (
        *(f"drift of {name}" for name in positions),
        *(f"market {name}" for name in signals.market_names),
        *(f"{name} of {position}" for name in signals.asset_names for position in positions),
    )


class Recorder:
    """A policy that notes what it saw and traded."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.seen: list[Observation] = []
        self.trades: list[Floats] = []

    @property
    def name(self) -> str:
        """The policy's."""
        return self.policy.name

    @property
    def every(self) -> int:
        """The policy's."""
        return self.policy.every

    def decide(self, seen: Observation) -> Floats | None:
        """What the policy answers, after noting it."""
        wanted = self.policy.decide(seen)
        self.seen.append(seen)
        self.trades.append(np.zeros_like(seen.weight) if wanted is None else wanted - seen.weight)
        return wanted


def _after(seen: Observation, trade: Floats) -> Floats | None:
    """Weights after a trade, brought back to the nearest portfolio; None where nothing is left of it."""
    nothing, everything = np.zeros_like(seen.weight), np.ones_like(seen.weight)
    wanted = project(seen.weight + trade, seen.weight, nothing, everything).weight
    return None if np.abs(wanted - seen.weight).sum() <= UNTRADED else wanted
