"""How close each policy comes to the best there is, where the best is known: the reference problem of fixed targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from workbench.backtest import Policy, dynamic_programming, fixed_target
from workbench.exhibits import policy_facts as words
from workbench.exhibits.drift_facts import absent
from workbench.exhibits.origin import Origin
from workbench.report import Column, Exhibit, Settings, TableBody, figures

_FUNCTION = "backtest.fixed_target.evaluate"
#: Beyond this excess over the optimum a policy is in the table alone: its bar would hide the differences that matter.
_DRAWN = 0.6
#: Points a dimension and nodes of the grid: its optimum differs from that of 81 x 81 by less than 0.01 %.
_GRID = (41, 5)
_INTERVAL = ("excess", "excess_low", "excess_high")


@dataclass(frozen=True, eq=False)
class Gaps:
    """Costs of policies on one problem over the optimum's: the frame of `fixed_target.table`, the optimum first."""

    problem: fixed_target.Problem
    frame: pd.DataFrame
    paths: int
    seed: int
    skipped: dict[str, str]


def measure(
    policies: Sequence[Policy], problem: str = "n3_20", paths: int = 1000, seed: int = fixed_target.TEST_SEED
) -> Gaps:
    """Solve a reference problem and evaluate policies on the same paths as its optimum.

    A policy that cannot be asked there (its looks are no whole months) is named in `skipped` with the reason.
    """
    from workbench.errors import ParameterError, PolicyError

    chosen = fixed_target.reference(problem)
    best = fixed_target.evaluate(chosen, dynamic_programming.solve(chosen, *_GRID), paths, seed)
    costs, skipped = [best], {}
    for policy in policies:
        try:
            costs.append(fixed_target.evaluate(chosen, policy, paths, seed))
        except (ParameterError, PolicyError) as error:
            skipped[policy.name] = str(error)
    return Gaps(chosen, fixed_target.table(costs, best), paths, seed, skipped)


def gaps_figure(found: Gaps, origin: Origin) -> Exhibit:
    """Each policy's excess cost over the optimum, with its interval."""
    id, title = "policy-gaps", "Against the best there is, where it is known"
    frame = found.frame.iloc[1:].sort_values("excess")
    if frame.empty:
        return absent(id, title, "No policy was put to the reference problem.")
    columns = (
        Column("policy", "Policy", emphasis=True),
        Column("total_bp", "In all a year", "bp", digits=2),
        Column("trading_bp", "Trading", "bp", digits=2),
        Column("tracking_bp", "Straying", "bp", digits=2),
        Column("excess", "Over the best", "percent", digits=1),
        Column("excess_low", "from", "percent", digits=1),
        Column("excess_high", "to", "percent", digits=1),
    )
    whole = pd.concat([found.frame.iloc[:1], frame])
    scaled = whole.assign(**{name: words.BP * whole[name] for name in ("total_bp", "trading_bp", "tracking_bp")})
    rows, facts = origin.table("policy.gap", scaled, columns, _FUNCTION, (f"reference problem {found.problem.name}",))
    drawn = frame[frame["excess"] <= _DRAWN]
    drawn = drawn if len(drawn) else frame.head(3)
    nearest = frame.iloc[0]
    takeaway = (
        f"Nearest to the best is {nearest['policy']}, {_over(float(nearest['excess']))}; "
        f"the dearest here, {frame.iloc[-1]['policy']}, costs {_over(float(frame.iloc[-1]['excess']))}."
    )
    off = len(frame) - len(drawn)
    note = "Simulated prices, monthly looks, the same paths for every policy; intervals hold 95 times in 100."
    note += f" {off} beyond {_DRAWN:.0%} are in the table alone." if off else ""
    note += "".join(f" Left out: {name} ({why})" for name, why in found.skipped.items())
    body = figures.intervals(
        list(drawn["policy"]),
        {"Over the best": figures.Interval(*(drawn[name].tolist() for name in _INTERVAL))},
        alt=takeaway, unit="percent", digits=1, axis_title="Cost in all over the least possible",
        data=TableBody(columns, rows, note=note),
    )  # fmt: skip
    return Exhibit(id, title, body, takeaway, _settings(found, origin), facts)


def _settings(found: Gaps, origin: Origin) -> Settings:
    problem = found.problem
    basis = (
        f"{problem.assets} assets, {1e4 * problem.cost:g} bp a dollar traded, ten years after two of running in, "
        f"risk aversion {problem.risk_aversion:g}, the best by dynamic programming"
    )
    return Settings(
        origin.as_of, basis, f"reference problem {problem.name}, {found.paths:,} paths, seed {found.seed}",
        "every price of this exhibit",
    )  # fmt: skip


def _over(excess: float) -> str:
    return f"{100 * excess:.1f}% over it" if excess > 0 else f"{-100 * excess:.1f}% under it, within the grid's error"
