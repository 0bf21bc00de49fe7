"""Backtests: thousands of runs over one universe in one compiled pass, with their statistics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from workbench.backtest import _arrays, _kernel, _settlement
from workbench.backtest.policy import CompiledPolicy
from workbench.backtest.problems import check_known, check_number, check_whole
from workbench.backtest.runs import Runs
from workbench.backtest.signals import daily_volatility, target_returns, total_returns
from workbench.backtest.statistics import statistics
from workbench.backtest.universe import Costs, Floats, Ints, Signals, Universe
from workbench.errors import ParameterError, PolicyError

#: Half spreads of the universe and nothing else.
SPREADS_ONLY = Costs()


@dataclass(frozen=True, eq=False)
class Backtests:
    """Results of R runs over T' days, from the close of `start` to the last of `days`.

    - `statistics`: one row a run: policy, offset, cost_multiple, delay, path, and the columns of `STATISTICS`.
    - `returns` (R x T'): daily, net of costs; only where kept.
    - `weights` (R x T' x (n + 1)): of wealth at the close after trading, cash last whether it is a position or not;
      `trades` (R x T' x n) and `costs` (R x T'): fractions of wealth before that day's costs; only where kept.
    - `events`: what happened that a reader must know: policy, path, day, what (an asset went bankrupt, a run ended).
    """

    runs: Runs
    start: pd.Timestamp
    days: pd.DatetimeIndex
    statistics: pd.DataFrame
    events: pd.DataFrame
    returns: Floats | None = None
    weights: Floats | None = None
    trades: Floats | None = None
    costs: Floats | None = None

    def to_frame(self) -> pd.DataFrame:
        """The statistics, one row a run."""
        return self.statistics

    def tranches(self) -> pd.DataFrame:
        """Statistics of each policy averaged over its start offsets (by policy, cost_multiple, delay, path).

        `runs` counts them; `timing_luck` is the standard deviation of `return_` between them, what the choice of the
        rebalancing date alone is worth. Source: Hoffstein, Sibears and Faber (2019), "Rebalance timing luck".
        """
        by = ["policy", "cost_multiple", "delay", "path"]
        grouped = self.statistics.drop(columns="offset").groupby(by, sort=False, observed=True)
        table = grouped.mean()
        table.insert(0, "timing_luck", grouped["return_"].std(ddof=1))
        table.insert(0, "runs", grouped.size())
        return table.reset_index()

    def tranche_returns(self) -> pd.DataFrame:
        """Daily net returns of each policy in equal tranches, one a start offset, set equal again every day.

        Days by (policy, cost_multiple, delay, path). Raises `ParameterError` where returns were not kept.
        """
        if self.returns is None:
            raise ParameterError("returns were not kept; simulate with keep_returns=True", "keep_returns")
        by = [self.statistics[name] for name in ("policy", "cost_multiple", "delay", "path")]
        return pd.DataFrame(self.returns, columns=self.days).groupby(by, sort=False, observed=True).mean().T


def simulate(
    universe: Universe,
    signals: Signals,
    runs: Runs,
    *,
    costs: Costs = SPREADS_ONLY,
    risk_aversion: float = 5.0,
    keep_returns: bool = False,
    keep_paths: bool = False,
    first: int | None = None,
    last: int | None = None,
) -> Backtests:
    """Run every run from the close of session `first` (default: the first with signals) to that of `last`.

    Each begins at its target, bought free of cost, so that no policy is charged for starting. Units are held; a day is
    marked at its close; dividends go to cash, cash earns its return; where the target holds no cash, it waits there for
    the next trade. What was decided at one close is traded at the close `delay` later: positions the policy left alone
    keep their units, the others share what they are then worth in the proportions wanted, costs taken off. A run's
    multiple applies to every cost. A bankrupt asset is worth nothing and cannot be bought; its target goes to the other
    positions in proportion.

    A policy without a compiled rule is walked in plain Python (`walk`), a few thousand times slower.
    Raises `ParameterError` for sessions outside the universe or its signals, or a path that is not there;
    `PolicyError` for a policy that raises or asks for weights off the simplex.
    """
    first, last = check_window(universe, signals, first, last)
    check_number("risk_aversion", risk_aversion, low=0.0)
    if (runs.path >= universe.paths).any():
        raise ParameterError(f"{universe.name} has paths 0 to {universe.paths - 1}; got {runs.path.max()}", "path")
    kept = _room(len(runs), last - first, len(universe.assets), keep_returns, keep_paths)
    compiled = np.array([isinstance(policy, CompiledPolicy) for policy in runs.policies])[runs.policy]
    terms = _terms(universe, costs, risk_aversion, first, last)
    if compiled.any():
        rows = np.flatnonzero(compiled)
        _kernel.simulate(_market(universe, signals, terms), _batch(runs, rows), terms, kept)
        _check_simplex(runs, kept.figures, universe)
    if not compiled.all():
        from workbench.backtest.walk import walk_into  # here, because `walk` is made of `simulate`

        for row in np.flatnonzero(~compiled):
            walk_into(kept, int(row), universe, signals, runs, terms)
    table = statistics(kept.figures, last - first, costs.wealth, risk_aversion)
    return Backtests(
        runs=runs,
        start=universe.sessions[first],
        days=universe.sessions[first + 1 : last + 1],
        statistics=pd.concat([runs.to_frame(), table], axis=1),
        events=_events(universe, runs, kept.figures, first, last),
        returns=kept.returns if keep_returns else None,
        weights=kept.weights if keep_paths else None,
        trades=kept.trades if keep_paths else None,
        costs=kept.costs if keep_paths else None,
    )


def joined(parts: Sequence[Backtests]) -> Backtests:
    """Runs of several backtests over the same days as one; what only some of them kept is left out.

    Raises `ParameterError` where the days differ or two different policies share a name.
    """
    if not parts:
        raise ParameterError("give one backtest or more to join", "parts")
    days = parts[0].days
    if any(not part.days.equals(days) for part in parts):
        raise ParameterError("the backtests to join cover different days; run them over the same window", "parts")
    policies = {policy.name: policy for part in parts for policy in part.runs.policies}
    if any(policies[policy.name] != policy for part in parts for policy in part.runs.policies):
        raise ParameterError("two different policies to join share a name; name them apart", "parts")
    place = {name: index for index, name in enumerate(policies)}
    renumbered = [
        replace(
            part.runs,
            policies=tuple(policies.values()),
            policy=np.array([place[policy.name] for policy in part.runs.policies])[part.runs.policy],
        )
        for part in parts
    ]
    columns = {
        name: np.concatenate([getattr(runs, name) for runs in renumbered])
        for name in ("policy", "offset", "cost_multiple", "delay", "path")
    }
    arrays = {name: [getattr(part, name) for part in parts] for name in ("returns", "weights", "trades", "costs")}
    return Backtests(
        runs=Runs(tuple(policies.values()), **columns),
        start=parts[0].start,
        days=days,
        statistics=pd.concat([part.statistics for part in parts], ignore_index=True),
        events=pd.concat([part.events for part in parts], ignore_index=True).drop_duplicates(ignore_index=True),
        **{name: None if any(a is None for a in each) else np.concatenate(each) for name, each in arrays.items()},
    )


def check_window(universe: Universe, signals: Signals, first: int | None, last: int | None) -> tuple[int, int]:
    """The sessions to run from and to.

    Raises `ParameterError` where they are not inside the universe, `MarketDataError` for signals that are not finite.
    """
    end = len(universe.sessions) - 1
    first, last = signals.first if first is None else first, end if last is None else last
    for name, value in (("first", first), ("last", last)):
        check_whole(name, value)
    ours, n = (universe.paths, end + 1), len(universe.assets)
    of_ours = signals.market.shape[:2] == ours and signals.asset.shape[:2] == ours and signals.asset.shape[-1] == n
    of_ours &= signals.covariance.shape[0] == universe.paths and signals.covariance.shape[2:] == (n, n)
    if not of_ours or len(signals.covariance_at) != end + 1:
        raise ParameterError(
            f"the signals were made of another universe than {universe.name}; make them anew", "signals"
        )
    if not signals.first <= first < last <= end:
        raise ParameterError(
            f"a backtest of {universe.name} runs from session {signals.first} or later (no signals before) to {end} or "
            f"earlier, and one session on at least; got {first} to {last}",
            "first",
        )
    at = signals.covariance_at
    check_known("covariance", signals.covariance[:, at[first] : at[last] + 1])
    check_known("feature of the market", signals.market[:, first : last + 1])
    check_known("feature of an asset", signals.asset[:, first : last + 1])
    return int(first), int(last)


def _room(runs: int, days: int, assets: int, keep_returns: bool, keep_paths: bool) -> _arrays.Kept:
    kept, days_kept = (runs, days) if keep_paths else (0, 0), (runs, days) if keep_returns else (0, 0)
    return _arrays.Kept(
        figures=np.full((runs, len(_arrays.FIGURES)), np.nan),
        keep_returns=keep_returns,
        returns=np.full(days_kept, np.nan),
        keep_paths=keep_paths,
        weights=np.full((*kept, assets + 1), np.nan),
        trades=np.zeros((*kept, assets)),
        costs=np.zeros(kept),
    )


def _terms(universe: Universe, costs: Costs, risk_aversion: float, first: int, last: int) -> _settlement.Terms:
    return _settlement.Terms(
        rate=universe.half_spread + costs.commission,
        daily_value=universe.daily_value,
        impact=float(costs.impact),
        ticket=float(costs.ticket),
        wealth=float(costs.wealth),
        risk_aversion=float(risk_aversion),
        first=first,
        last=last,
    )


def _market(universe: Universe, signals: Signals, terms: _settlement.Terms) -> _arrays.Market:
    return _arrays.Market(
        price=universe.price,
        dividend=universe.dividend,
        pays=np.asarray((universe.dividend > 0.0).any(axis=2), dtype=np.bool_),
        cash_return=universe.cash_return,
        bankrupt_from=universe.bankrupt_from,
        target=universe.target_positions,
        target_return=target_returns(universe, total_returns(universe)),
        covariance=np.ascontiguousarray(signals.covariance),
        covariance_at=np.ascontiguousarray(signals.covariance_at, dtype=np.int64),
        market=np.ascontiguousarray(signals.market),
        asset=np.ascontiguousarray(signals.asset),
        volatility=daily_volatility(signals)
        if terms.impact > 0.0
        else np.zeros((universe.paths, len(universe.sessions), 0)),
    )


def _batch(runs: Runs, rows: Ints) -> _arrays.Batch:
    """Runs as the kernel reads them: sorted so that a block of lanes shares a path and a kind."""
    rules = [policy.rule() for policy in runs.policies if isinstance(policy, CompiledPolicy)]
    place = np.cumsum([isinstance(policy, CompiledPolicy) for policy in runs.policies]) - 1
    lengths = [len(rule.numbers) for rule in rules]
    end = np.cumsum(lengths)
    kinds, every = np.array([rule.kind for rule in rules]), np.array([rule.every for rule in rules])
    of = place[runs.policy[rows]]
    # Within a kind, lanes that look on the same days stand together.
    order = np.lexsort((runs.policy[rows], runs.offset[rows], every[of], kinds[of], runs.path[rows]))
    rows, of = rows[order], of[order]
    path, kind = runs.path[rows], kinds[of]
    # A block ends where the path or the kind changes.
    group = np.flatnonzero((np.diff(path) != 0) | (np.diff(kind) != 0)) + 1
    starts = [np.arange(a, b, _kernel.LANES) for a, b in zip([0, *group], [*group, len(rows)])]
    return _arrays.Batch(
        path=path,
        kind=kind.astype(np.int64),
        every=every[of].astype(np.int64),
        offset=runs.offset[rows],
        delay=runs.delay[rows],
        multiple=runs.cost_multiple[rows],
        begin=(end - lengths)[of].astype(np.int64),
        end=end[of].astype(np.int64),
        numbers=np.array([number for rule in rules for number in rule.numbers], dtype=np.float64),
        row=rows.astype(np.int64),
        block=np.append(np.concatenate(starts), len(rows)).astype(np.int64),
    )


def _check_simplex(runs: Runs, figures: Floats, universe: Universe) -> None:
    wrong = np.flatnonzero(figures[:, _arrays.ENDING] == _arrays.OFF_SIMPLEX)
    if len(wrong):
        run = int(wrong[0])
        day = universe.sessions[int(figures[run, _arrays.ENDED_AT])]
        raise PolicyError(
            f"{runs.policies[runs.policy[run]].name!r} asks on {day:%Y-%m-%d} for weights that are negative, missing "
            f"or do not sum to 1 (within {_settlement.SIMPLEX:g}); correct its rule, or use its fallback"
        )


def _events(universe: Universe, runs: Runs, figures: Floats, first: int, last: int) -> pd.DataFrame:
    rows: list[tuple[str, int, pd.Timestamp, str]] = []
    gone = universe.bankrupt_from
    for path, i in np.argwhere((gone > first) & (gone <= last)):
        if path in runs.path:
            what = f"{universe.assets[i]} is bankrupt: worth nothing, its target goes to the others in proportion"
            rows.append(("all", int(path), universe.sessions[gone[path, i]], what))
    said = {
        _arrays.NO_WEALTH: "nothing is left of the portfolio; the run ended",
        _arrays.UNPAYABLE: "the trade costs more than the traded positions are worth; the run ended",
    }
    for run in np.flatnonzero(np.isin(figures[:, _arrays.ENDING], list(said))):
        day = universe.sessions[int(figures[run, _arrays.ENDED_AT])]
        name = runs.policies[runs.policy[run]].name
        rows.append((name, int(runs.path[run]), day, said[int(figures[run, _arrays.ENDING])]))
    return pd.DataFrame(rows, columns=["policy", "path", "day", "what"])
