"""Daily figures of policies for evidence: averaged over start days, at each cost and delay, stitched by window."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from workbench.backtest.engine import Backtests, simulate
from workbench.backtest.evidence.windows import YEAR, Window
from workbench.backtest.policy import Policy
from workbench.backtest.runs import Runs
from workbench.backtest.signals import target_returns, total_returns
from workbench.backtest.universe import Costs, Floats, Ints, Signals, Universe
from workbench.errors import ParameterError, PolicyError

#: Runs that are held in memory at once with their daily costs.
AT_ONCE = 64
#: The cost multiple and delay of every headline figure.
BASE = (1.0, 1)


@dataclass(frozen=True, eq=False)
class Setting:
    """What all policies of a comparison share: data, costs, the client's risk aversion, starts, stresses."""

    universe: Universe
    signals: Signals
    costs: Costs
    risk_aversion: float = 5.0
    cost_multiples: tuple[float, ...] = (0.5, 1.0, 2.0)
    delays: tuple[int, ...] = (1, 2)
    offsets: tuple[int, ...] | Literal["all"] = "all"

    def __post_init__(self) -> None:
        if BASE not in self.combinations:
            raise ParameterError("cost_multiples must hold 1 and delays 1: headline figures are made there", "delays")
        if len(set(self.combinations)) < len(self.combinations):
            raise ParameterError("cost_multiples or delays hold a number twice; give each once", "cost_multiples")
        if self.universe.paths != 1:
            raise ParameterError(
                f"{self.universe.name} has {self.universe.paths} paths: evidence is on one", "universe"
            )

    @property
    def combinations(self) -> tuple[tuple[float, int], ...]:
        """(cost multiple, delay) of each row of daily figures."""
        return tuple((float(multiple), int(delay)) for multiple in self.cost_multiples for delay in self.delays)

    @property
    def base(self) -> int:
        """The row of headline figures."""
        return self.combinations.index(BASE)

    @cached_property
    def basis(self) -> str:
        """SHA-256 of all that two tracks must share to be compared: data, signals, costs, risk aversion, starts."""
        digest = hashlib.sha256(repr((self.costs, float(self.risk_aversion), self.offsets)).encode())
        for part in (self.universe, self.signals):
            for each in fields(part):
                value = getattr(part, each.name)
                if isinstance(value, np.ndarray):
                    digest.update(f"{each.name}{value.shape}".encode() + np.ascontiguousarray(value).tobytes())
        return digest.hexdigest()

    def only_base(self) -> Setting:
        """The same without stresses, for seeds and surrogates."""
        return replace(self, cost_multiples=(1.0,), delays=(1,))


@dataclass(frozen=True, eq=False)
class Record:
    """One policy's days from session `begin` on (D), for C combinations of cost and delay and O start offsets.

    `excess` (net return above cash), `net`, and `total` (trading cost and tracking loss, bp a year) are means over
    offsets (C x D); `excess_of` and `total_of` (O x D) are those of each offset at `BASE`.
    """

    policy: Policy
    begin: int
    net: Floats
    excess: Floats
    total: Floats
    excess_of: Floats
    total_of: Floats
    runs: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Track:
    """What a committee would have had on the test sessions: figures as in `Record`, with one policy a window.

    `basis` says on which data, costs and starts it was made, so that no track is compared with one made on others.
    """

    name: str
    windows: tuple[Window, ...]
    combinations: tuple[tuple[float, int], ...]
    policies: tuple[Policy, ...]
    net: Floats
    excess: Floats
    total: Floats
    excess_of: Floats
    total_of: Floats
    runs: pd.DataFrame
    basis: str

    @property
    def base(self) -> int:
        """The row of headline figures."""
        return self.combinations.index(BASE)


def records(
    setting: Setting, policies: Sequence[Policy], first: int, stop: int, span: tuple[int, int]
) -> tuple[Record, ...]:
    """Run policies from the close of session `first` up to and without `stop`; `runs` has statistics of `span`.

    Raises `PolicyError` where a policy asks for weights off the simplex, or ends with nothing.
    """
    runs = Runs.product(policies, setting.offsets, setting.cost_multiples, setting.delays)
    pairs = zip(runs.cost_multiple.tolist(), runs.delay.tolist(), strict=True)
    combination = [setting.combinations.index(pair) for pair in pairs]
    days = stop - first - 1
    counts = np.zeros((len(policies), len(setting.combinations)))
    net, total = np.zeros((*counts.shape, days)), np.zeros((*counts.shape, days))
    cash = setting.universe.cash_return[0, first + 1 : stop]
    base_net: list[list[Floats]] = [[] for _ in policies]
    base_total: list[list[Floats]] = [[] for _ in policies]
    tables = []
    for rows, part in _parts(setting, runs, first, stop):
        returns, loss, cost = _daily(setting, part, first, stop)
        tables.append(_statistics(part, returns, loss, cost, cash, slice(span[0] - first - 1, span[1] - first - 1)))
        together = cost + loss
        for row, run in enumerate(rows):
            policy, place = runs.policy[run], combination[run]
            net[policy, place] += returns[row]
            total[policy, place] += together[row]
            counts[policy, place] += 1
            if place == setting.base:
                base_net[policy].append(returns[row])
                base_total[policy].append(together[row])
    net /= counts[..., None]
    total /= counts[..., None]
    table = pd.concat(tables, ignore_index=True)
    return tuple(
        Record(
            policy=policy,
            begin=first + 1,
            net=net[i],
            excess=net[i] - cash,
            total=total[i],
            excess_of=np.array(base_net[i]) - cash,
            total_of=np.array(base_total[i]),
            runs=table[table["policy"] == policy.name],
        )
        for i, policy in enumerate(policies)
    )


def _parts(setting: Setting, runs: Runs, first: int, stop: int) -> Iterator[tuple[Ints, Backtests]]:
    """The runs, `AT_ONCE` at a time, with the rows they are: all daily costs together would fill the memory."""
    for start in range(0, len(runs), AT_ONCE):
        rows = np.arange(start, min(start + AT_ONCE, len(runs)))
        yield (
            rows,
            simulate(
                setting.universe,
                setting.signals,
                runs.subset(rows),
                costs=setting.costs,
                risk_aversion=setting.risk_aversion,
                keep_returns=True,
                keep_paths=True,
                first=first,
                last=stop - 1,
            ),
        )


def _daily(setting: Setting, part: Backtests, first: int, stop: int) -> tuple[Floats, Floats, Floats]:
    """Net returns, tracking loss and trading cost of each day (R x D), the latter two in bp a year."""
    returns, costs = part.returns, part.costs
    assert returns is not None
    assert costs is not None
    if not np.isfinite(returns).all():
        run = int(np.argmin(np.isfinite(returns).all(axis=1)))
        said = part.events["what"].iloc[-1] if len(part.events) else "it has days without a return"
        raise PolicyError(f"{part.statistics['policy'].iloc[run]!r} gives no evidence: {said}. Leave it out.")
    target = target_returns(setting.universe, total_returns(setting.universe))[0, first + 1 : stop]
    active = (1.0 + returns) / (1.0 - costs) - 1.0 - target
    return returns, 1e4 * YEAR * 0.5 * setting.risk_aversion * active**2, 1e4 * YEAR * costs


def _statistics(
    part: Backtests, returns: Floats, loss: Floats, cost: Floats, cash: Floats, span: slice
) -> pd.DataFrame:
    """A row a run over the days of `span`, by the conventions of `Backtests.statistics`."""
    trades = part.trades
    assert trades is not None
    net, excess = returns[:, span], returns[:, span] - cash[span]
    bought, sold = np.maximum(trades[:, span], 0).sum(axis=2), np.maximum(-trades[:, span], 0).sum(axis=2)
    table = part.statistics[["policy", "offset", "cost_multiple", "delay"]].copy()
    table["return_"], table["volatility"], drawdown = _of_wealth(net)
    table["sharpe"], table["max_drawdown"] = sharpe(excess), drawdown
    table["turnover"] = np.maximum(bought, sold).mean(axis=1) * YEAR
    table["cost_bp"] = cost[:, span].mean(axis=1)
    table["tracking_loss_bp"] = loss[:, span].mean(axis=1)
    table["total_bp"] = table["cost_bp"] + table["tracking_loss_bp"]
    return table


def stitch(name: str, setting: Setting, by_window: Sequence[Record], windows: Sequence[Window]) -> Track:
    """The test sessions of each window from its own record, one after the other.

    Where windows differ in their number of start offsets, each phase of the longest takes the same part of the others.
    """
    cuts = [
        slice(window.test[0] - record.begin, window.test[1] - record.begin)
        for record, window in zip(by_window, windows, strict=True)
    ]
    phases = max(len(record.excess_of) for record in by_window)
    rows = [np.arange(phases) * len(record.excess_of) // phases for record in by_window]

    def joined(field: str) -> Floats:
        return np.concatenate([getattr(r, field)[:, cut] for r, cut in zip(by_window, cuts, strict=True)], axis=1)

    def joined_of(field: str) -> Floats:
        parts = [getattr(r, field)[row][:, cut] for r, row, cut in zip(by_window, rows, cuts, strict=True)]
        return np.concatenate(parts, axis=1)

    net = joined("net")
    fixed = len({id(record) for record in by_window}) == 1
    return Track(
        name=name,
        windows=tuple(windows),
        combinations=setting.combinations,
        policies=tuple(record.policy for record in by_window),
        net=net,
        excess=joined("excess"),
        total=joined("total"),
        excess_of=joined_of("excess_of"),
        total_of=joined_of("total_of"),
        runs=by_window[0].runs.assign(policy=name) if fixed else _tranched(name, setting, net, by_window),
        basis=setting.basis,
    )


def _tranched(name: str, setting: Setting, net: Floats, by_window: Sequence[Record]) -> pd.DataFrame:
    """Statistics of policies that change by window: all start offsets together, for none lasts all windows (-1)."""
    rows = pd.concat([record.runs for record in by_window])
    means = rows.groupby(["cost_multiple", "delay"])[["sharpe", "turnover", "cost_bp", "tracking_loss_bp", "total_bp"]]
    table = means.mean().reindex(pd.MultiIndex.from_tuples(setting.combinations, names=["cost_multiple", "delay"]))
    table["return_"], table["volatility"], table["max_drawdown"] = _of_wealth(net)
    return table.reset_index().assign(policy=name, offset=-1)


def _of_wealth(net: Floats) -> tuple[Floats, Floats, Floats]:
    """Yearly return and volatility, and worst drawdown, of daily net returns (R x D)."""
    wealth = np.cumprod(1.0 + net, axis=1)
    peak = np.maximum(np.maximum.accumulate(wealth, axis=1), 1.0)
    yearly = wealth[:, -1] ** (YEAR / net.shape[1]) - 1.0
    return yearly, net.std(axis=1, ddof=1) * np.sqrt(YEAR), (wealth / peak).min(axis=1) - 1.0


def sharpe(excess: Floats) -> Floats:
    """Yearly Sharpe ratio along the last axis; NaN where nothing moves."""
    spread = excess.std(axis=-1, ddof=1)
    mean = excess.mean(axis=-1) * np.sqrt(YEAR)
    return np.divide(mean, spread, out=np.full_like(spread, np.nan), where=spread > 1e-12)


def worth(measure: str, excess: Floats, total: Floats) -> Floats:
    """Worth along the last axis in the claim's measure, above is better: Sharpe ratio, or cost with a minus."""
    return sharpe(excess) if measure == "sharpe" else -total.mean(axis=-1)


def gain(measure: str, candidate: Track, opponent: Track, row: int, opponent_row: int | None = None) -> Floats:
    """Daily gain (D) whose mean is the difference in worth: of cost in bp a year, or of returns over volatility."""
    other = row if opponent_row is None else opponent_row
    if measure == "total_bp":
        return np.asarray(opponent.total[other] - candidate.total[row])
    scaled = [excess * np.sqrt(YEAR) / excess.std(ddof=1) for excess in (candidate.excess[row], opponent.excess[other])]
    return np.asarray(scaled[0] - scaled[1])
