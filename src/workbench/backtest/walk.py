"""The engine in plain Python, a day at a time: for policies that are not compiled, and to hold the kernel against."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from workbench.backtest import _arrays, _settlement
from workbench.backtest.engine import SPREADS_ONLY, Backtests, simulate
from workbench.backtest.policy import Policy
from workbench.backtest.runs import Runs
from workbench.backtest.signals import daily_volatility, target_returns, total_returns
from workbench.backtest.universe import Costs, Floats, Observation, Signals, Universe
from workbench.errors import PolicyError


def walk(
    universe: Universe,
    signals: Signals,
    policy: Policy,
    *,
    offset: int = 0,
    cost_multiple: float = 1.0,
    delay: int = 1,
    path: int = 0,
    costs: Costs = SPREADS_ONLY,
    risk_aversion: float = 5.0,
    keep_returns: bool = True,
    keep_paths: bool = True,
    first: int | None = None,
    last: int | None = None,
) -> Backtests:
    """Run one policy, compiled or not, in plain Python; arguments, conventions and errors are those of `simulate`."""
    runs = Runs.product([_Plain(policy)], [offset], [cost_multiple], [delay], [path])
    return simulate(
        universe,
        signals,
        runs,
        costs=costs,
        risk_aversion=risk_aversion,
        keep_returns=keep_returns,
        keep_paths=keep_paths,
        first=first,
        last=last,
    )


@dataclass(frozen=True)
class _Plain:
    """A policy with its compiled rule out of sight."""

    policy: Policy

    @property
    def name(self) -> str:
        return self.policy.name

    @property
    def every(self) -> int:
        return self.policy.every

    def decide(self, seen: Observation) -> Floats | None:
        return self.policy.decide(seen)


def walk_into(
    kept: _arrays.Kept, row: int, universe: Universe, signals: Signals, runs: Runs, terms: _settlement.Terms
) -> None:
    """Walk run `row` and write its results where the kernel would."""
    policy, path, delay = runs.policies[runs.policy[row]], int(runs.path[row]), int(runs.delay[row])
    book = _Book(universe, path, terms, float(runs.cost_multiple[row]))
    if terms.impact > 0.0:
        book.volatility = daily_volatility(signals)[path]
    reference = target_returns(universe, total_returns(universe))[path]
    sums = dict.fromkeys(_arrays.FIGURES, 0.0) | {"ended_at": -1.0}
    before = peak = terms.wealth
    due, order = -1, None
    for t in range(terms.first + 1, terms.last + 1):
        value = book.mark(t)
        gain = value / before - 1.0
        sums["active"] += gain - reference[t]
        sums["active_squared"] += (gain - reference[t]) ** 2
        if value <= _arrays.DUST * terms.wealth:
            sums.update(wealth=value, ending=_arrays.NO_WEALTH, ended_at=t)
            break
        trades, cost, count = np.zeros(len(universe.assets)), 0.0, 0
        if due == t and order is not None:
            due = -1
            paid = book.settle(t, *order)
            if paid is None:
                sums.update(ending=_arrays.UNPAYABLE, ended_at=t)
                break
            trades, cost, count = paid
            _count_trades(sums, trades, cost, count, value)
        after = book.value(t)
        gain = (1.0 + gain) * (after / value) - 1.0
        _count_return(sums, gain, gain - universe.cash_return[path, t])
        peak = max(peak, after)
        sums["drawdown"] = min(sums["drawdown"], after / peak - 1.0)
        sums["wealth"] = before = after
        day = t - terms.first - 1
        if kept.keep_returns:
            kept.returns[row, day] = gain
        if kept.keep_paths:
            kept.weights[row, day] = np.append(book.units * universe.price[path, t], book.cash) / after
            kept.trades[row, day], kept.costs[row, day] = trades / value, cost / value
        if due < 0 and t % policy.every == runs.offset[row] and t + delay <= terms.last:
            seen = observation(
                universe, signals, path, t, book.weight(t), terms.rate * book.multiple, terms.risk_aversion
            )
            order = _order(policy, seen)
            due = -1 if order is None else t + delay
    kept.figures[row] = [sums[name] for name in _arrays.FIGURES]


def _count_trades(sums: dict[str, float], trades: Floats, cost: float, count: int, value: float) -> None:
    sums["turnover"] += 0.5 * (np.abs(trades).sum() + abs(trades.sum())) / value
    sums["cost"] += cost / value
    sums["trades"] += count


def _count_return(sums: dict[str, float], net: float, excess: float) -> None:
    sums["net"] += net
    sums["net_squared"] += net**2
    sums["excess"] += excess
    sums["excess_squared"] += excess**2


def _order(policy: Policy, seen: Observation) -> tuple[Floats, NDArray[np.bool_]] | None:
    """Weights wanted and which positions trade, as `_settlement.write_order` has it; None where none does."""
    # Kept aside: the policy may write over what it is shown.
    weight, goal = seen.weight.copy(), seen.target.copy()
    wanted = asked(policy, seen)
    if wanted is None:
        return None
    whole = np.abs(wanted - goal).max() <= _settlement.UNTRADED
    moves = whole | (np.abs(wanted - weight) > _settlement.UNTRADED)
    return (np.maximum(wanted, 0.0), moves) if moves.any() else None


def observation(
    universe: Universe, signals: Signals, path: int, t: int, weight: Floats, rate: Floats, risk_aversion: float
) -> Observation:
    """What a policy is shown at a close: signals of the day, weights held (m) and costs of a dollar traded (n)."""
    n, m = len(universe.assets), universe.positions
    covariance = np.zeros((m, m))
    covariance[:n, :n] = signals.covariance[path, signals.covariance_at[t]]
    asset = np.zeros((signals.asset.shape[2], m))
    asset[:, :n] = signals.asset[path, t]
    cost = np.zeros(m)
    cost[:n] = rate
    return Observation(
        session=t,
        weight=weight,
        target=universe.goal(path, t),
        covariance=covariance,
        cost=cost,
        market=signals.market[path, t].copy(),
        asset=asset,
        risk_aversion=risk_aversion,
        day=universe.sessions[t],
    )


def asked(policy: Policy, seen: Observation) -> Floats | None:
    """The policy's answer; raises `PolicyError` naming policy and day where it raises or answers with no portfolio."""
    day = f"on {seen.day:%Y-%m-%d}" if seen.day is not None else f"at session {seen.session}"
    positions = len(seen.weight)
    try:
        wanted = policy.decide(seen)
    except PolicyError:
        raise
    # Whatever somebody's policy raises, the reader must learn whose it was and when.
    except Exception as error:
        raise PolicyError(
            f"{policy.name!r} raised {type(error).__name__} {day}: {error}; correct it, or use its fallback"
        ) from error
    if wanted is None:
        return None
    try:
        wanted = np.array(wanted, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise PolicyError(
            f"{policy.name!r} answers {day} with {type(wanted).__name__}, not {positions} weights; give these, or None"
        ) from error
    if wanted.shape != (positions,):
        raise PolicyError(
            f"{policy.name!r} answers {day} with shape {wanted.shape}; give a weight for each of {positions} positions"
        )
    total, least = float(wanted.sum()), float(wanted.min())
    if not (abs(total - 1.0) <= _settlement.SIMPLEX and least >= -_settlement.SIMPLEX):
        raise PolicyError(
            f"{policy.name!r} asks {day} for weights off the simplex (sum {total:.9g}, least {least:.3g}); they must "
            f"be 0 or more and sum to 1 within {_settlement.SIMPLEX:g}: correct it, or use its fallback"
        )
    return wanted


@dataclass
class _Book:
    """Units and cash of one run."""

    universe: Universe
    path: int
    terms: _settlement.Terms
    multiple: float
    units: Floats = field(init=False)
    cash: float = field(init=False)
    volatility: Floats | None = None

    def __post_init__(self) -> None:
        n, first = len(self.universe.assets), self.terms.first
        goal = self.universe.goal(self.path, first)
        price = self.universe.price[self.path, first]
        self.units = np.divide(goal[:n] * self.terms.wealth, price, out=np.zeros(n), where=goal[:n] > 0.0)
        self.cash = float(goal[n] * self.terms.wealth) if self.universe.with_cash else 0.0

    def mark(self, t: int) -> float:
        """Cash earns, dividends come in; the value at the close."""
        self.cash *= 1.0 + self.universe.cash_return[self.path, t]
        self.cash += float(self.units @ self.universe.dividend[self.path, t])
        return self.value(t)

    def value(self, t: int) -> float:
        return self.cash + float(self.units @ self.universe.price[self.path, t])

    def weight(self, t: int) -> Floats:
        """Weights of all positions (m): of wealth where cash is one, else of what is invested."""
        held = self.units * self.universe.price[self.path, t]
        if self.universe.with_cash:
            held = np.append(held, self.cash)
        return np.asarray(held / held.sum())

    def settle(self, t: int, wanted: Floats, touched: NDArray[np.bool_]) -> tuple[Floats, float, int] | None:
        """Trade as `_settlement.settle`: dollars by asset, cost and number of trades; None where it cannot be paid."""
        n, terms, price = len(self.units), self.terms, self.universe.price[self.path, t]
        held, goes = self.units * price, touched.copy()
        goes[:n] &= price > 0.0
        pool = held[goes[:n]].sum()
        if not self.universe.with_cash or touched[n]:
            pool += self.cash
        shares = wanted[goes].sum()
        if shares <= 0.0 or pool <= 0.0:
            return np.zeros(n), 0.0, 0
        share = np.where(goes[:n], wanted[:n], 0.0) / shares
        value = self.value(t)
        count = int((np.abs(share * pool - held)[goes[:n]] > _settlement.UNTRADED * value).sum())

        def trade(left: float) -> Floats:
            return np.where(goes[:n], share * left - held, 0.0)

        def cost(left: float) -> float:
            size = np.abs(trade(left))
            total = float(terms.rate @ size)
            if self.volatility is not None:
                total += terms.impact * float(self.volatility[t] @ (size * np.sqrt(size / terms.daily_value)))
            return self.multiple * (total + terms.ticket * count)

        left, change = pool, 0.0
        for _ in range(200):
            following = pool - cost(left)
            if not following > 0.0:
                return None
            left, change = following, abs(following - left)
            if change <= 1e-15 * pool:
                break
        if change > 1e-9 * pool:
            return None
        traded, paid = trade(left), cost(left)
        self.units = np.where(goes[:n], share * left / np.where(price > 0.0, price, 1.0), self.units)
        self.cash -= float(traded.sum()) + paid
        return traded, paid, count
