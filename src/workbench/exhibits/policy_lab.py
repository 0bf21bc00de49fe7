"""The quant's bench: sweep a family of rules, compare any policies, start one rule on every day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench import backtest
from workbench.backtest import Band, Calendar, Costs, Floats, Policy, Quadratic, Runs, Signals, Universe, simulate
from workbench.errors import FirmDataError, MarketDataError, ParameterError
from workbench.exhibits import policy_costs, policy_luck
from workbench.exhibits import policy_facts as words
from workbench.exhibits.drift_facts import absent
from workbench.exhibits.origin import Origin
from workbench.exhibits.policy_review import most_followed
from workbench.firm import Firm
from workbench.report import Column, Exhibit, Settings, TableBody, figures

_FUNCTION = "backtest.simulate"
#: What this chapter's identifiers begin with where another chapter shows the same form.
_PART = "policy-lab"
_TRIGGERS = (0.0025, 0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.07, 0.10)
_BACK = {"to target": 0.0, "a quarter off": 0.25, "half way": 0.5, "three quarters off": 0.75, "to edge": 1.0}
_HORIZONS = (0.1, 0.2, 0.4, 0.7, 1.0, 1.5, 2.5, 4.0)
_RISKS = (0.5, 0.75, 1.0, 1.5, 2.0)
_EVERY = (5, 10, 21, 42, 63, 126, 252)
_DELAYS = (1, 2, 3, 5)
_LOOKS = {"day": 1, "week": 5, "month": 21}


@dataclass(frozen=True, eq=False)
class Bench:
    """Prices, signals and costs that every comparison of one chapter shares; `why` says why there are none."""

    universe: Universe | None
    signals: Signals | None
    costs: Costs
    risk_aversion: float
    cost_multiple: float
    delay: int
    why: str = ""

    @classmethod
    def of(
        cls, firm: Firm, model: str = "", commission: float = 0.0, risk_aversion: float = 5.0,
        cost_multiple: float = 1.0, delay: int = 1,
    ) -> Bench:  # fmt: skip
        """The bench of a firm's model; too short a history is said by the exhibits, not raised."""
        costs = Costs(commission=commission)
        try:
            universe = backtest.load_universe(firm, most_followed(firm, model))
            return cls(universe, backtest.signals(universe), costs, risk_aversion, cost_multiple, delay)
        except (FirmDataError, MarketDataError) as error:
            return cls(None, None, costs, risk_aversion, cost_multiple, delay, str(error))

    def run(self, policies: Sequence[Policy], offsets: str | Sequence[int] = "all") -> pd.DataFrame:
        """Statistics of every start day of each policy at the bench's cost and delay."""
        assert self.universe is not None
        assert self.signals is not None
        runs = Runs.product(policies, offsets, (self.cost_multiple,), (self.delay,))  # type: ignore[arg-type]
        return simulate(
            self.universe, self.signals, runs, costs=self.costs, risk_aversion=self.risk_aversion
        ).statistics  # fmt: skip

    def settings(self, origin: Origin) -> Settings:
        """The line under an exhibit of this bench."""
        assert self.universe is not None
        assert self.signals is not None
        days = f"{self.universe.sessions[self.signals.first]:%Y-%m-%d} to {self.universe.sessions[-1]:%Y-%m-%d}"
        basis = (
            f"{self.universe.name}, {days}, {self.cost_multiple:g} times half spreads and "
            f"{1e4 * self.costs.commission:g} bp commission, traded {self.delay} later, risk aversion "
            f"{self.risk_aversion:g}; looked at over all days, so no proof of anything"
        )
        return origin.settings(basis, words.TABLES)


def sweep(bench: Bench, family: str, origin: Origin) -> list[Exhibit]:
    """The total of a family of rules over two of its settings, the cheapest ringed.

    Raises `ParameterError` for a family that is none of band, quadratic and calendar.
    """
    makers = {"band": _bands, "quadratic": _quadratics, "calendar": _calendars}
    if family not in makers:
        raise ParameterError(f"family {family!r} is unknown; there are: {', '.join(makers)}", "family")
    id, title = "policy-sweep", f"The family {family}: cost and straying together"
    if bench.universe is None:
        return [absent(id, title, bench.why)]
    rows, columns, values, row_title, column_title = makers[family](bench)
    best = np.unravel_index(np.nanargmin(values), values.shape)
    at = int(best[0]), int(best[1])
    least = words.bp("policy.sweep.least", float(values[at]), origin, _FUNCTION)
    dearest = words.bp("policy.sweep.most", float(np.nanmax(values)), origin, _FUNCTION)
    takeaway = f"Cheapest is {rows[at[0]]}, {columns[at[1]]}: {least.text} a year; the dearest costs {dearest.text}."
    if at[0] in (0, len(rows) - 1) and len(rows) > 1:
        takeaway += " It stands at the rim of what was tried: widen the sweep before you believe it."
    table = pd.DataFrame(words.BP * values, columns=[f"c{n}" for n in range(len(columns))])
    table.insert(0, "row", rows)
    shown = (
        Column("row", row_title, emphasis=True),
        *(Column(f"c{n}", c, "bp", digits=2) for n, c in enumerate(columns)),
    )
    cells, facts = origin.table("policy.sweep", table, shown, _FUNCTION, words.TABLES)
    body = figures.heat_map(
        rows, columns, (words.BP * values).tolist(), alt=takeaway, digits=2, row_title=row_title,
        column_title=column_title, marked=at, data=TableBody(shown, cells),
    )  # fmt: skip
    return [Exhibit(id, title, body, takeaway, bench.settings(origin), (*facts, least, dearest))]


def compare(bench: Bench, policies: Sequence[Policy], origin: Origin, named: Sequence[str] = ()) -> list[Exhibit]:
    """Any policies side by side: the frontier and the table. Two of one name count once, the first of them."""
    if bench.universe is None:
        return [absent("policy-frontier", "What each policy costs", bench.why)]
    unique = list({policy.name: policy for policy in reversed(policies)}.values())[::-1]
    runs = bench.run(unique).assign(cost_multiple=1.0, delay=1)
    table = policy_costs.tranches(runs, bench.risk_aversion)
    settings = bench.settings(origin)
    return [
        policy_costs.frontier(table, policy_costs.families(unique), named, settings, origin, _PART),
        policy_costs.rules_table(table, runs, settings, origin, part=_PART),
    ]


def starts(bench: Bench, policy: Policy, origin: Origin) -> list[Exhibit]:
    """One policy begun on every day it could have been."""
    if bench.universe is None or bench.signals is None:
        return [absent("policy-luck-fan", "Every start day", bench.why)]
    found = policy_luck.started_every_day(
        bench.universe, bench.signals, policy, costs=bench.costs, risk_aversion=bench.risk_aversion
    )
    return [policy_luck.fan(found, bench.settings(origin), origin, _PART)]


Swept = tuple[list[str], list[str], Floats, str, str]


def _bands(bench: Bench) -> Swept:
    policies = [[Band(trigger, part * trigger, every=5) for part in _BACK.values()] for trigger in _TRIGGERS]
    rows = [f"{100 * trigger:g} %" for trigger in _TRIGGERS]
    return rows, list(_BACK), _totals(bench, policies), "Band, looked at weekly", "Traded back"


def _quadratics(bench: Bench) -> Swept:
    policies = [[Quadratic(horizon, risk) for risk in _RISKS] for horizon in _HORIZONS]
    rows = [f"{horizon:g} years" for horizon in _HORIZONS]
    return rows, [f"{risk:g} times" for risk in _RISKS], _totals(bench, policies), "Horizon", "Risk aversion"


def _calendars(bench: Bench) -> Swept:
    values = np.empty((len(_EVERY), len(_DELAYS)))
    for column, delay in enumerate(_DELAYS):
        one = Bench(
            bench.universe, bench.signals, bench.costs, bench.risk_aversion, bench.cost_multiple, delay
        )  # fmt: skip
        values[:, column] = _totals(one, [[Calendar(every)] for every in _EVERY])[:, 0]
    rows = [f"{every} sessions" for every in _EVERY]
    return rows, [f"{delay} later" for delay in _DELAYS], values, "Every", "Traded, sessions"


def _totals(bench: Bench, policies: Sequence[Sequence[Policy]]) -> Floats:
    """Mean total over start days of each policy of a grid; equal policies are run once."""
    unique = {policy.name: policy for row in policies for policy in row}
    mean = bench.run(list(unique.values())).groupby("policy")["total_bp"].mean()
    return np.array([[mean[policy.name] for policy in row] for row in policies], float)
