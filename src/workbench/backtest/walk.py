"""The engine in plain Python, a day at a time: for policies that are not compiled, and to hold the kernel against."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from workbench.backtest import _kernel
from workbench.backtest.engine import SPREADS_ONLY, Backtests, daily_volatility, simulate
from workbench.backtest.policy import Policy
from workbench.backtest.runs import Runs
from workbench.backtest.signals import target_returns, total_returns
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
    kept: _kernel.Kept, row: int, universe: Universe, signals: Signals, runs: Runs, terms: _kernel.Terms
) -> None:
    """Walk run `row` and write its results where the kernel would."""
    policy, path, delay = runs.policies[runs.policy[row]], int(runs.path[row]), int(runs.delay[row])
    first = terms.first
    book = _Book(universe, path, terms, float(runs.cost_multiple[row]))
    if terms.impact > 0.0:
        book.volatility = daily_volatility(signals)[path]
    reference = target_returns(universe, total_returns(universe))[path]
    sums = dict.fromkeys(_kernel.FIGURES, 0.0)
    before = peak = terms.wealth
    due, order = -1, None
    sums["ended_at"] = -1
    for t in range(first + 1, terms.last + 1):
        value = book.mark(t)
        gain = value / before - 1.0
        sums["active"] += gain - reference[t]
        sums["active_squared"] += (gain - reference[t]) ** 2
        if value <= _kernel.DUST * terms.wealth:
            sums["wealth"] = value
            sums.update(ending=_kernel.NO_WEALTH, ended_at=t)
            break
        trades, cost, count = np.zeros(len(universe.assets)), 0.0, 0
        if due == t and order is not None:
            due = -1
            paid = book.settle(t, *order)
            if paid is None:
                sums.update(ending=_kernel.UNPAYABLE, ended_at=t)
                break
            trades, cost, count = paid
        after = book.value(t)
        gain = (1.0 + gain) * (after / value) - 1.0
        bought = trades.sum()
        sums["turnover"] += 0.5 * (np.abs(trades).sum() + abs(bought)) / value
        sums["cost"] += cost / value
        sums["trades"] += count
        sums["net"] += gain
        sums["net_squared"] += gain**2
        over = gain - universe.cash_return[path, t]
        sums["excess"] += over
        sums["excess_squared"] += over**2
        peak = max(peak, after)
        sums["drawdown"] = min(sums["drawdown"], after / peak - 1.0)
        sums["wealth"] = before = after
        if kept.keep_returns:
            kept.returns[row, t - first - 1] = gain
        if kept.keep_paths:
            held = np.append(book.units * universe.price[path, t], book.cash)
            kept.weights[row, t - first - 1] = held / after
            kept.trades[row, t - first - 1] = trades / value
            kept.costs[row, t - first - 1] = cost / value
        if due < 0 and t % policy.every == runs.offset[row]:
            weight = book.weight(t)
            wanted = _asked(policy, _observation(universe, signals, book, path, t, weight.copy()))
            if wanted is not None and t + delay <= terms.last:
                whole = np.abs(wanted - universe.goal(path, t)).max() <= _kernel.UNTRADED
                moves = whole | (np.abs(wanted - weight) > _kernel.UNTRADED)
                if moves.any():
                    due, order = t + delay, (np.maximum(wanted, 0.0), moves)
    kept.figures[row] = [sums[name] for name in _kernel.FIGURES]


def _observation(universe: Universe, signals: Signals, book: _Book, path: int, t: int, weight: Floats) -> Observation:
    n, m = len(universe.assets), universe.positions
    covariance = np.zeros((m, m))
    covariance[:n, :n] = signals.covariance[path, signals.covariance_at[t]]
    asset = np.zeros((signals.asset.shape[2], m))
    asset[:, :n] = signals.asset[path, t]
    cost = np.zeros(m)
    cost[:n] = book.terms.rate * book.multiple
    return Observation(
        session=t,
        weight=weight,
        target=universe.goal(path, t),
        covariance=covariance,
        cost=cost,
        market=signals.market[path, t].copy(),
        asset=asset,
        risk_aversion=book.terms.risk_aversion,
        day=universe.sessions[t],
    )


def _asked(policy: Policy, seen: Observation) -> Floats | None:
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
    if not (abs(total - 1.0) <= _kernel.SIMPLEX and least >= -_kernel.SIMPLEX):
        raise PolicyError(
            f"{policy.name!r} asks {day} for weights off the simplex (sum {total:.9g}, least {least:.3g}); they must "
            f"be 0 or more and sum to 1 within {_kernel.SIMPLEX:g}: correct it, or use its fallback"
        )
    return wanted


@dataclass
class _Book:
    """Units and cash of one run."""

    universe: Universe
    path: int
    terms: _kernel.Terms
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
        """Trade as `_kernel.settle`: dollars by asset, cost and number of trades; None where it cannot be paid."""
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
        count = int((np.abs(share * pool - held)[goes[:n]] > _kernel.UNTRADED * value).sum())

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
