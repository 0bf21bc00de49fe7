"""Tracking: the deviation of each line, split at its band, and the factors that deviations add up to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.rebalance.household import Flags, Floats
from workbench.rebalance.program.assembly import Assembly, Row
from workbench.rebalance.program.costs import INSIDE, NEAR
from workbench.rebalance.program.managed import Managed
from workbench.rebalance.solver.problem import DEVIATION, EXCESS, FACTOR

#: Least specific variance: a line without any would have no price of its own, and ties would be broken by rounding.
LEAST_VARIANCE = 1e-4
_STOP = {"target": 0.0, "half": 0.5, "edge": 1.0}


@dataclass(frozen=True, eq=False)
class Tracking:
    """Columns of deviations (R), and of what goes beyond an edge: (lines, columns, +1 above or -1 below).

    `inner` is the part of the risk price that holds inside a band.
    """

    deviation: np.ndarray
    excess: list[tuple[np.ndarray, np.ndarray, float]]
    inner: float


def add_tracking(assembly: Assembly, m: Managed) -> Tracking:
    """Add a deviation for each line, its excess beyond the band where that counts otherwise, and the factors."""
    settings, n = m.settings, len(m.line_keys)
    w = m.share[m.line_group]
    curve = 2.0 * settings.risk_aversion / w * np.maximum(m.market.specific[m.line_security], LEAST_VARIANCE)
    stop = _STOP[settings.bands]
    inner = INSIDE if stop > 0 else 1.0
    low, high, least, split = _edges(m, stop)
    deviation = assembly.add(
        n, DEVIATION, quadratic=curve * inner, lower=np.maximum(low, least), upper=high, line=np.arange(n),
        line_coefficient=-1.0,
    )  # fmt: skip
    excess = []
    beyond = settings.band_price if stop in (0.0, 1.0) else 0.0
    for sign, edge in ((1.0, high), (-1.0, low)):
        lines = np.flatnonzero(split & np.isfinite(edge))
        if len(lines):
            linear = curve[lines] * inner * np.abs(edge[lines]) + beyond
            columns = assembly.add(
                len(lines), EXCESS, quadratic=curve[lines], linear=linear, upper=np.inf, line=lines,
                line_coefficient=-sign,
            )  # fmt: skip
            excess.append((lines, columns, sign))
    tracking = Tracking(deviation, excess, inner)
    _add_factors(assembly, m, tracking)
    return tracking


def _edges(m: Managed, stop: float) -> tuple[Floats, Floats, Floats, Flags]:
    """Where each line's deviation is split, below and above, its least, and whether it is split at all."""
    models, settings = m.household.models, m.settings
    w, model, n = m.share[m.line_group], m.group_model[m.line_group], len(m.line_keys)
    target = models.target[model, m.line_security]
    lower = (models.lower[model, m.line_security] - target) * w
    upper = (models.upper[model, m.line_security] - target) * w
    low, high, least = np.full(n, -np.inf), np.full(n, np.inf), np.full(n, -np.inf)
    off = m.line_weight == 0
    if stop > 0:
        low, high = np.where(off, 0.0, stop * lower), np.where(off, 0.0, stop * upper)
        split = np.isfinite(low) | np.isfinite(high)
    else:
        held = m.line_held - m.line_target
        split = ((held > NEAR * upper) | (held < NEAR * lower)) & (np.isfinite(lower) | np.isfinite(upper))
        low, high = np.where(split, lower, low), np.where(split, upper, high)
    if settings.mode == "transition" and settings.transition_years > 1:
        least = np.where(off, m.line_held * (1.0 - 1.0 / settings.transition_years), least)
        low, high, split = np.where(off, -np.inf, low), np.where(off, np.inf, high), split & ~off
    return low, high, least, split


def _add_factors(assembly: Assembly, m: Managed, tracking: Tracking) -> None:
    """Exposure of each group's deviations to each factor; inside a band they count as little as the line's own."""
    exposure = m.market.exposure[m.line_security]
    n_factors = exposure.shape[1]
    damp = np.sqrt(tracking.inner)
    for group, w in enumerate(m.share.tolist()):
        lines = np.flatnonzero(m.line_group == group)
        if not n_factors or not len(lines):
            continue
        curve = 2.0 * m.settings.risk_aversion / w
        factors = assembly.add(n_factors, FACTOR, quadratic=curve, lower=-np.inf, upper=np.inf)
        name = m.household.models.ids[m.group_model[group]]
        rows = np.array(
            [assembly.row(Row("factor", f"{name} factor {k + 1}", group), 0.0, 0.0) for k in range(n_factors)]
        )
        assembly.enter(rows, factors, 1.0)
        _enter_all(assembly, rows, tracking.deviation[lines], -damp * exposure[lines])
        for of, columns, sign in tracking.excess:
            mine = m.line_group[of] == group
            _enter_all(assembly, rows, columns[mine], -sign * exposure[of[mine]])


def _enter_all(assembly: Assembly, rows: np.ndarray, columns: np.ndarray, values: Floats) -> None:
    """Enter a full block of columns x rows."""
    assembly.enter(np.tile(rows, len(columns)), np.repeat(columns, len(rows)), values.ravel())
