"""Why a policy trades what it trades: beside the rule in bp and money, by the shares of its inputs, and as a map."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd

from workbench.backtest import Floats, Observation, Policy
from workbench.errors import ParameterError

SESSIONS = 252
#: Exact Shapley values ask the policy once for every subset of inputs: 4,096 times for twelve.
MOST_INPUTS = 12


@dataclass(frozen=True, eq=False)
class Decision:
    """What one look leads to: weights after trading (m), one-way turnover, cost now (bp) and what is left to lose.

    `loss_bp` is the tracking loss a year of standing there, 1e4 x 1/2 x risk aversion x (y - w*)' S (y - w*). `trades`
    is False where the policy leaves alone.
    """

    name: str
    weight: Floats
    trades: bool
    turnover: float
    cost_bp: float
    loss_bp: float


@dataclass(frozen=True, eq=False)
class Difference:
    """A policy's decision beside a rule's at one look; differences are policy less rule, below 0 the policy is cheaper.

    `bp` counts trading cost now and the tracking loss until the next look, `years` later; `money` is that of `wealth`.
    """

    assets: tuple[str, ...]
    before: Floats
    target: Floats
    policy: Decision
    rule: Decision
    years: float
    wealth: float

    @property
    def bp(self) -> float:
        """Cost and loss until the next look, policy less rule, in bp of wealth."""
        return self.policy.cost_bp - self.rule.cost_bp + self.years * (self.policy.loss_bp - self.rule.loss_bp)

    @property
    def money(self) -> float:
        """The same in the currency of `wealth`."""
        return self.bp * 1e-4 * self.wealth

    @property
    def sentence(self) -> str:
        """The difference for a reader without a glossary."""
        if np.allclose(self.policy.weight, self.rule.weight, atol=1e-9):
            return f"{self.policy.name} and {self.rule.name} do the same."
        better = "less" if self.bp < 0 else "more"
        return (
            f"{_does(self.policy)}; {_does(self.rule)}. Until the next look the policy's trading and distance from the "
            f"target are expected to cost {abs(self.bp):.2f} bp ({abs(self.money):,.0f}) {better}."
        )

    def to_frame(self) -> pd.DataFrame:
        """A row a position: before, target, policy, rule, difference (weights), money (of the difference)."""
        gap = self.policy.weight - self.rule.weight
        return pd.DataFrame(
            {
                "before": self.before,
                "target": self.target,
                "policy": self.policy.weight,
                "rule": self.rule.weight,
                "difference": gap,
                "money": gap * self.wealth,
            },
            index=pd.Index(self.assets, name="position"),
        )


@dataclass(frozen=True, eq=False)
class Contributions:
    """Which input is behind a trade: Shapley values (inputs x positions), in weight.

    `values` sum over inputs to `action` less `base`: the trade proposed less the mean trade on the reference looks.
    """

    inputs: tuple[str, ...]
    assets: tuple[str, ...]
    values: Floats
    base: Floats
    action: Floats

    def to_frame(self) -> pd.DataFrame:
        """A row an input, a column a position; ordered by the absolute sum, largest first."""
        frame = pd.DataFrame(self.values, index=pd.Index(self.inputs, name="input"), columns=list(self.assets))
        return frame.loc[frame.abs().sum(axis=1).sort_values(ascending=False, kind="stable").index]


@dataclass(frozen=True, eq=False)
class PolicyMap:
    """The part of a drift that is traded back (0 none, 1 all) and the one-way turnover, over drift x volatility."""

    name: str
    asset: str
    drifts: Floats
    volatilities: Floats
    closed: Floats
    turnover: Floats

    def to_frame(self) -> pd.DataFrame:
        """The part traded back: a row a drift (weight), a column a multiple of today's volatility."""
        columns = pd.Index(self.volatilities, name="volatility multiple")
        return pd.DataFrame(self.closed, index=pd.Index(self.drifts, name=f"drift of {self.asset}"), columns=columns)


def decision(policy: Policy, seen: Observation) -> Decision:
    """What a policy does at one look, with what it costs and leaves. Raises what the policy raises."""
    wanted = policy.decide(seen)
    weight = seen.weight.copy() if wanted is None else np.asarray(wanted, float)
    turnover = 0.5 * float(np.abs(weight - seen.weight).sum())
    return Decision(policy.name, weight, wanted is not None, turnover, *cost_and_loss(seen, weight))


def cost_and_loss(seen: Observation, weight: Floats) -> tuple[float, float]:
    """Cost (bp) of trading to `weight` (m) from what is held, and the tracking loss (bp a year) of standing there."""
    off = weight - seen.target
    cost = 1e4 * float(seen.cost @ np.abs(weight - seen.weight))
    return cost, 1e4 * 0.5 * seen.risk_aversion * float(off @ seen.covariance @ off)


def against_rule(
    policy: Policy, rule: Policy, seen: Observation, *, wealth: float, assets: Sequence[str] = ()
) -> Difference:
    """What the rule would have done at this look, and the difference in bp and money.

    `assets` name the positions, cash included (default: numbered). Raises `ParameterError` for a wealth that is not
    positive or a wrong count of names.
    """
    if not (math.isfinite(wealth) and wealth > 0):
        raise ParameterError(f"wealth is {wealth}; give the account's value", "wealth")
    names = _names(assets, len(seen.weight))
    years = policy.every / SESSIONS
    return Difference(names, seen.weight, seen.target, decision(policy, seen), decision(rule, seen), years, wealth)


def contributions(
    policy: Policy,
    seen: Observation,
    reference: Sequence[Observation],
    *,
    market_names: Sequence[str],
    asset_names: Sequence[str],
    assets: Sequence[str] = (),
) -> Contributions:
    """Share a proposed trade out among the inputs by exact Shapley values (Shapley 1953; Lundberg and Lee 2017).

    An input is the weights, the covariance, the costs, or a signal. Where an input is "not known" it is taken from a
    reference look, and the trade is averaged over the reference looks. Raises `ParameterError` without reference looks
    or with more than 12 inputs.
    """
    if not reference:
        raise ParameterError("give at least one reference look, such as the days of the training years", "reference")
    inputs = (
        "weights",
        "covariance",
        "costs",
        *(f"market {n}" for n in market_names),
        *(f"asset {n}" for n in asset_names),
    )
    count = len(inputs)
    if count > MOST_INPUTS:
        raise ParameterError(
            f"{count} inputs need {2**count:,} evaluations; leave out signals it does not read", "inputs"
        )
    value = np.array([_trade_where(policy, seen, reference, subset, len(market_names)) for subset in range(2**count)])
    shares = np.zeros((count, len(seen.weight)))
    for i in range(count):
        others = [j for j in range(count) if j != i]
        for taken in range(count):
            share = math.factorial(taken) * math.factorial(count - taken - 1) / math.factorial(count)
            for chosen in combinations(others, taken):
                without = sum(1 << j for j in chosen)
                shares[i] += share * (value[without | 1 << i] - value[without])
    return Contributions(inputs, _names(assets, len(seen.weight)), shares, value[0], value[-1])


def policy_map(
    policy: Policy,
    seen: Observation,
    *,
    asset: int,
    drifts: Sequence[float],
    volatilities: Sequence[float],
    market_names: Sequence[str] = (),
    asset_names: Sequence[str] = (),
    name: str = "",
) -> PolicyMap:
    """Ask a policy over a grid: an asset `drifts` above its target, markets `volatilities` times as volatile as `seen`.

    The other positions give way in proportion to their targets. Volatility scales the covariance and the signals called
    volatility and volatility_ratio. Raises `ParameterError` for a drift that leaves the simplex or is 0.
    """
    closed = np.empty((len(drifts), len(volatilities)))
    turnover = np.empty_like(closed)
    for i, drift in enumerate(drifts):
        weight = _drifted(seen.target, asset, drift)
        for j, multiple in enumerate(volatilities):
            made = decision(policy, _more_volatile(replace(seen, weight=weight), multiple, market_names, asset_names))
            closed[i, j] = (weight[asset] - made.weight[asset]) / drift + 0.0  # never a minus zero
            turnover[i, j] = made.turnover
    return PolicyMap(
        policy.name,
        name or f"position {asset}",
        np.array(drifts, float),
        np.array(volatilities, float),
        closed,
        turnover,
    )


def _does(made: Decision) -> str:
    return f"{made.name} trades {made.turnover:.2%} of the account" if made.trades else f"{made.name} leaves alone"


def _names(assets: Sequence[str], positions: int) -> tuple[str, ...]:
    if assets and len(assets) != positions:
        raise ParameterError(f"{len(assets)} names for {positions} positions; name each, cash last", "assets")
    return tuple(assets) or tuple(f"position {i}" for i in range(positions))


def _trade_where(
    policy: Policy, seen: Observation, reference: Sequence[Observation], known: int, markets: int
) -> Floats:
    """The mean trade where inputs with their bit in `known` are today's and the others those of reference looks."""
    total = np.zeros_like(seen.weight)
    for other in reference:
        mixed = _mixed(seen, other, known, markets)
        wanted = policy.decide(mixed)
        if wanted is not None:
            total += wanted - mixed.weight
    return total / len(reference)


def _mixed(seen: Observation, other: Observation, known: int, markets: int) -> Observation:
    market, asset = seen.market.copy(), seen.asset.copy()
    for k in range(markets):
        if not known >> (3 + k) & 1:
            market[k] = other.market[k]
    for k in range(len(asset)):
        if not known >> (3 + markets + k) & 1:
            asset[k] = other.asset[k]
    return replace(
        seen,
        weight=seen.weight if known & 1 else other.weight,
        covariance=seen.covariance if known & 2 else other.covariance,
        cost=seen.cost if known & 4 else other.cost,
        market=market,
        asset=asset,
    )


def _drifted(target: Floats, asset: int, drift: float) -> Floats:
    rest = 1.0 - target[asset]
    if drift == 0 or rest <= 0 or not 0 <= target[asset] + drift <= 1:
        raise ParameterError(f"a drift of {drift} from a target of {target[asset]:.4f} leaves nothing to map", "drifts")
    weight = target - drift * target / rest
    weight[asset] = target[asset] + drift
    return weight


def _more_volatile(
    seen: Observation, multiple: float, market_names: Sequence[str], asset_names: Sequence[str]
) -> Observation:
    if not (math.isfinite(multiple) and multiple > 0):
        raise ParameterError(f"a volatility multiple of {multiple} is no market; give more than 0", "volatilities")
    market, asset = seen.market.copy(), seen.asset.copy()
    for names, values in ((market_names, market), (asset_names, asset)):
        for k, name in enumerate(names):
            if name in ("volatility", "volatility_ratio"):
                values[k] = values[k] * multiple
    return replace(seen, covariance=seen.covariance * multiple**2, market=market, asset=asset)
