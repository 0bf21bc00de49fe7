"""What a learned policy does: how much of a drift it trades back, and what the rule would have done in its place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.backtest import Costs, Floats, Observation, Policy, Runs, Signals, Universe, simulate
from workbench.exhibits import policy_facts as words
from workbench.exhibits.drift_facts import absent
from workbench.exhibits.origin import Origin
from workbench.learning import explain
from workbench.report import Column, Exhibit, Settings, TableBody, figures
from workbench.report import format as fmt

_FUNCTION = "learning.explain"
#: Drifts of the map as parts of the mapped asset's target, and multiples of the last day's volatility.
_DRIFTS = (0.02, 0.05, 0.10, 0.15, 0.20, 0.30)
_VOLATILITIES = (0.5, 0.75, 1.0, 1.5, 2.0, 3.0)


@dataclass(frozen=True, eq=False)
class LastLook:
    """The last session as a policy would see it, holding what the rule has left there, and the names of positions."""

    seen: Observation
    positions: tuple[str, ...]


def last_look(
    universe: Universe, signals: Signals, rule: Policy, *, costs: Costs | None = None, risk_aversion: float = 5.0
) -> LastLook:
    """What there is to see at the last close, with the weights that a year of the rule's own trades have left."""
    assumed = costs or Costs()
    last = len(universe.sessions) - 1
    found = simulate(
        universe, signals, Runs.product([rule]), costs=assumed, risk_aversion=risk_aversion, keep_paths=True,
        first=max(signals.first, last - 252),
    )  # fmt: skip
    assert found.weights is not None
    held = found.weights[0, -1]
    positions, assets = universe.positions, len(universe.assets)
    weight = held[:positions] / held[:positions].sum()
    covariance = np.zeros((positions, positions))
    covariance[:assets, :assets] = signals.covariance[0, signals.covariance_at[last]]
    asset = np.zeros((signals.asset.shape[2], positions))
    asset[:, :assets] = signals.asset[0, last]
    cost = np.zeros(positions)
    cost[:assets] = universe.half_spread + assumed.commission
    seen = Observation(
        last, weight, universe.target_positions, covariance, cost, signals.market[0, last].copy(), asset,
        risk_aversion, universe.sessions[last],
    )  # fmt: skip
    return LastLook(seen, (*universe.assets, *(["cash"] if universe.with_cash else [])))


def action_map(
    policy: Policy, signals: Signals, look: LastLook, settings: Settings, origin: Origin, part: str = "policy"
) -> Exhibit:
    """How much of a drift of the largest asset the policy trades back, in calm and in wild markets.

    `part` begins identifiers, so that two chapters of one book may show it under different assumptions.
    """
    slug = origin.slug(policy.name)
    id, title = f"{part}-map-{slug}", f"{policy.name}: how much of a drift it trades back"
    target = look.seen.target
    asset = int(np.argmax(np.where(target < 1.0, target, -1.0)))
    drifts = _drifts(float(target[asset]))
    if not drifts:
        return absent(id, title, "One asset alone makes the whole target: it cannot drift.")
    found = explain.policy_map(
        policy, look.seen, asset=asset, drifts=drifts, volatilities=_VOLATILITIES,
        market_names=signals.market_names, asset_names=signals.asset_names, name=look.positions[asset],
    )  # fmt: skip
    closed = np.clip(found.closed, -1.0, 2.0)
    rows = [f"{fmt.percentage_points(drift, 1)} off" for drift in drifts]
    columns = [f"{multiple:g} times" for multiple in _VOLATILITIES]
    least, most = float(closed.min()), float(closed.max())
    facts = tuple(
        origin.fact(f"{part}.map.{slug}.{name}", value, "percent", _FUNCTION, words.TABLES, digits=0)
        for name, value in (("least", least), ("most", most))
    )
    asset_name = found.asset
    takeaway = (
        f"Of a drift in {asset_name} it trades back between {least:.0%} and {most:.0%}; "
        f"{_slope(closed[len(drifts) // 2])} when markets are wilder."
    )
    if most - least < 0.005:
        takeaway = f"It trades back {most:.0%} of a drift in {asset_name}, whatever the drift and the market."
    body = figures.heat_map(
        rows, columns, closed.tolist(), alt=takeaway, unit="percent", digits=0,
        row_title=f"{asset_name} against its target", column_title="Volatility, in times of the last day's",
    )  # fmt: skip
    return Exhibit(id, title, body, takeaway, settings, facts)


def rule_instead(
    policy: Policy,
    rule: Policy,
    look: LastLook,
    wealth: float,
    settings: Settings,
    origin: Origin,
    part: str = "policy",
) -> Exhibit:
    """What policy and rule would do at the last close, position by position, and the difference in bp and dollars.

    `part` begins identifiers, as in `action_map`.
    """
    slug = origin.slug(policy.name)
    id, title = f"{part}-instead-{slug}", f"What {rule.name} would have done instead"
    if not wealth > 0.0:
        return absent(id, title, "No account follows the model, so there is no money to show the difference in.")
    found = explain.against_rule(policy, rule, look.seen, wealth=wealth, assets=look.positions)
    frame = found.to_frame().reset_index()
    frame["position"] = frame["position"].astype(str)
    columns = (
        Column("position", "Position", emphasis=True),
        Column("target", "Target", "percent", digits=2),
        Column("before", "Before", "percent", digits=2),
        Column("policy", fmt.clipped(policy.name, 24), "percent", digits=2),
        Column("rule", fmt.clipped(rule.name, 24), "percent", digits=2),
        Column("money", "Difference", "usd", note="policy less rule, over all money that follows the model"),
    )
    rows, facts = origin.table(f"{part}.instead.{slug}", frame, columns, _FUNCTION, words.TABLES)
    bp = words.bp(f"{part}.instead.{slug}.bp", found.bp, origin, _FUNCTION)
    money = origin.fact(f"{part}.instead.{slug}.usd", found.money, "usd", _FUNCTION, words.TABLES)
    day = "" if look.seen.day is None else f"On {look.seen.day:%Y-%m-%d}: "
    both = np.allclose(found.policy.weight, found.rule.weight, atol=1e-9)
    takeaway = f"{day}{found.sentence}" if both else (
        f"{day}{_does(found.policy)}, {_does(found.rule)}. Until the next look that is "
        f"{fmt.basis_points(abs(words.BP * found.bp), 2)} or {fmt.usd(abs(found.money))} "
        f"{'less' if found.bp < 0 else 'more'} than with the rule."
    )  # fmt: skip
    note = (
        f"Trading cost and expected straying until the next look, for {fmt.usd(wealth)} that follow the model: "
        f"{bp.text}, {money.text}. Below zero the policy is cheaper."
    )
    return Exhibit(id, title, TableBody(columns, rows, note=note), takeaway, settings, (*facts, bp, money))


def _drifts(target: float) -> list[float]:
    return [part * target for part in _DRIFTS if part * target <= 0.95 * (1.0 - target)]


def _slope(row: Floats) -> str:
    if abs(float(row[-1] - row[0])) < 0.02:
        return "about as much"
    return "more" if row[-1] > row[0] else "less"


def _does(made: explain.Decision) -> str:
    if not made.trades or made.turnover < 5e-5:
        return f"{made.name} leaves the portfolio alone"
    return f"{made.name} trades {made.turnover:.2%} of it"
