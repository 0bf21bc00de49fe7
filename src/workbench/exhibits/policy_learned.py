"""What a learned policy does: how much of a drift it trades back, and what the rule would have done in its place."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from workbench.backtest import Costs, Floats, Observation, Policy, Runs, Signals, Universe, simulate
from workbench.exhibits import policy_facts as words
from workbench.exhibits.drift_facts import absent, noun
from workbench.exhibits.origin import Origin
from workbench.learning import explain
from workbench.learning.registry import RegisteredPolicy
from workbench.report import Column, Exhibit, Settings, TableBody, figures
from workbench.report import format as fmt

_FUNCTION = "learning.explain"
#: What inputs are called where their own name is not plain enough.
_INPUTS = {"weights": "weights held", "costs": "costs of trading"}
#: Drifts of the map as parts of the mapped asset's target, and multiples of the last day's volatility.
_DRIFTS = (0.02, 0.05, 0.10, 0.15, 0.20, 0.30)
_VOLATILITIES = (0.5, 0.75, 1.0, 1.5, 2.0, 3.0)


#: Looks of the last year that stand for "not known" when a trade is shared out among its inputs.
_REFERENCES = 12
#: Positions whose trades are shared out, and rows of the comparison with the rule: the largest.
_SHARED, _ROWS = 4, 12
#: Smaller trades, as part of the portfolio, are none.
_TRADE = 5e-5


@dataclass(frozen=True, eq=False)
class LastLook:
    """The last session as a policy would see it, holding what the rule has left there, and the names of positions.

    `before` are looks of the year before it, a month apart, the latest first.
    """

    seen: Observation
    positions: tuple[str, ...]
    before: tuple[Observation, ...] = ()


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
    weights = found.weights[0]

    def seen_at(session: int) -> Observation:
        return _observation(universe, signals, weights[session - last - 1], session, assumed, risk_aversion)

    earliest = last - len(weights) + 1
    before = tuple(seen_at(last - 21 * n) for n in range(1, _REFERENCES + 1) if last - 21 * n >= earliest)
    return LastLook(seen_at(last), (*universe.assets, *(["cash"] if universe.with_cash else [])), before)


def _observation(
    universe: Universe, signals: Signals, held: Floats, session: int, costs: Costs, risk_aversion: float
) -> Observation:
    positions, assets = universe.positions, len(universe.assets)
    weight = held[:positions] / held[:positions].sum()
    covariance = np.zeros((positions, positions))
    covariance[:assets, :assets] = signals.covariance[0, signals.covariance_at[session]]
    asset = np.zeros((signals.asset.shape[2], positions))
    asset[:, :assets] = signals.asset[0, session]
    cost = np.zeros(positions)
    cost[:assets] = universe.half_spread + costs.commission
    return Observation(
        session, weight, universe.target_positions, covariance, cost, signals.market[0, session].copy(), asset,
        risk_aversion, universe.sessions[session],
    )  # fmt: skip


def action_map(
    policy: Policy, signals: Signals, look: LastLook, settings: Settings, origin: Origin, part: str = "policy"
) -> Exhibit:
    """How much of a drift the policy trades back, in calm and in wild markets, for the asset with the most risk.

    `part` begins identifiers, so that two chapters of one book may show it under different assumptions.
    """
    slug = origin.slug(policy.name)
    id, title = f"{part}-map-{slug}", f"{words.upper(policy.name)}: how much of a drift it trades back"
    target = look.seen.target
    risk = target * np.sqrt(np.diag(look.seen.covariance))
    asset = int(np.argmax(np.where(target < 1.0, risk, -1.0)))
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
        f"{_slope(closed.mean(axis=0))} on average when markets are wilder."
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
    whole = found.to_frame().reset_index()
    moved = (whole[["policy", "rule"]].sub(whole["before"], axis=0).abs() > _TRADE).any(axis=1)
    order = whole["money"].abs().sort_values(ascending=False, kind="stable").index
    frame = whole.loc[order][moved.loc[order]].head(_ROWS)
    if frame.empty:  # neither trades: the positions furthest off say why there was something to decide
        frame = whole.loc[(whole["before"] - whole["target"]).abs().nlargest(_SHARED).index]
    frame["position"] = frame["position"].astype(str).map(words.upper)
    columns = (
        Column("position", "Position", emphasis=True),
        Column("target", "Target", "percent", digits=2),
        Column("before", "Before", "percent", digits=2),
        Column("policy", fmt.clipped(words.upper(policy.name), 24), "percent", digits=2),
        Column("rule", fmt.clipped(words.upper(rule.name), 30), "percent", digits=2),
        Column("money", "Difference", "usd", note="policy less rule, over all money that follows the model"),
    )
    rows, facts = origin.table(f"{part}.instead.{slug}", frame, columns, _FUNCTION, words.TABLES)
    bp = words.bp(f"{part}.instead.{slug}.bp", found.bp, origin, _FUNCTION)
    money = origin.fact(f"{part}.instead.{slug}.usd", found.money, "usd", _FUNCTION, words.TABLES)
    day = "" if look.seen.day is None else f"On {look.seen.day:%Y-%m-%d}: "
    both = np.allclose(found.policy.weight, found.rule.weight, atol=1e-9)
    takeaway = words.house(f"{day}{found.sentence}") if both else words.upper(
        f"{day}{_does(found.policy)}, {_does(found.rule)}. Until the next look that is "
        f"{fmt.basis_points(abs(words.BP * found.bp), 2)} or {fmt.usd(abs(found.money))} "
        f"{'less' if found.bp < 0 else 'more'} than with the rule."
    )  # fmt: skip
    left = len(whole) - len(frame)
    note = (
        (
            f"Left out: {left} {noun(left, 'position')} that neither trades, or with smaller differences. "
            if left
            else ""
        )
        + f"Trading cost and expected straying until the next look, for {fmt.usd(wealth)} that follow the model: "
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
    return f"{made.name} turns over {made.turnover:.2%} of the portfolio"


def shares(
    policy: RegisteredPolicy,
    look: LastLook,
    settings: Settings,
    origin: Origin,
    part: str = "policy",
) -> Exhibit:
    """Which input is behind the last proposed trade: exact shares that add up to it (Shapley values).

    `part` begins identifiers, as in `action_map`.
    """
    slug = origin.slug(policy.name)
    id, title = f"{part}-shares-{slug}", f"{words.upper(policy.name)}: what is behind its last proposal"
    if not look.before:
        return absent(id, title, "There is no earlier look to hold the last one against.")
    market, asset = policy.spec.market, policy.spec.asset
    if 3 + len(market) + len(asset) > explain.MOST_INPUTS:
        return absent(id, title, "It reads too many signals for exact shares.")
    seen, *before = (_read(each, len(asset)) for each in (look.seen, *look.before))
    found = explain.contributions(
        policy, seen, before, market_names=market, asset_names=asset, assets=look.positions
    )  # fmt: skip
    if not np.abs(found.action).max() > _TRADE:
        return absent(id, title, "At the last close it proposes no trade, so there is nothing to share out.")
    largest = np.argsort(-np.abs(found.action), kind="stable")[:_SHARED]
    largest = largest[np.abs(found.action[largest]) > _TRADE]
    frame = pd.DataFrame(
        np.vstack([found.base, found.values, found.action])[:, largest],
        columns=[f"p{position}" for position in range(len(largest))],
    )
    names = [_INPUTS.get(name, name.replace("_", " ")) for name in found.inputs]
    frame.insert(0, "input", ["Mean trade of earlier looks", *map(words.upper, names), "Proposed trade"])
    columns = (
        Column("input", "Input", emphasis=True),
        *(
            Column(f"p{at}", words.upper(str(look.positions[position])), "pp", digits=2)
            for at, position in enumerate(largest)
        ),
    )
    rows, facts = origin.table(f"{part}.shares.{slug}", frame, columns, _FUNCTION, words.TABLES)
    first = found.values[:, largest[0]]
    name = look.positions[largest[0]]
    traded = fmt.percentage_points(float(found.action[largest[0]]), 2)
    takeaway = (
        f"Its largest trade, {traded} of {name}, comes mostly from {names[int(np.argmax(np.abs(first)))]}; the shares "
        "of all inputs add up to the trade."
    )
    note = (
        f"Exact Shapley values: what each input adds when it is today's instead of that of one of {len(before)} looks "
        "a month apart before it, averaged over every order of the inputs."
    )
    body = TableBody(columns, rows, total_row=True, note=note)
    return Exhibit(id, title, body, takeaway, settings, facts)


def _read(seen: Observation, assets: int) -> Observation:
    """A look with the asset signals that a policy reads alone."""
    return replace(seen, asset=seen.asset[:assets])
