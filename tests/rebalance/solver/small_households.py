"""Small random households with coarse shares and tight cash, where rounding is hard: for tests against the referee."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.rebalance.solver.problem import BUY, DEVIATION, SELL, Integrality, Problem


def assemble(
    columns: Sequence[tuple[int, float, float, float, int, float, Sequence[tuple[int, float]]]],
    targets: Sequence[float],
    rows: Sequence[tuple[float, float]],
    quadratic: Sequence[float] | None = None,
) -> Problem:
    """A problem from columns (kind, cost, lower, upper, line, line coefficient, entries)."""
    entries = [c[6] for c in columns]
    return Problem(
        quadratic=np.zeros(len(columns)) if quadratic is None else np.array(quadratic, float),
        linear=np.array([c[1] for c in columns], float),
        lower=np.array([c[2] for c in columns], float),
        upper=np.array([c[3] for c in columns], float),
        line=np.array([c[4] for c in columns], np.int32),
        line_coefficient=np.array([c[5] for c in columns], float),
        column_ptr=np.cumsum([0, *map(len, entries)], dtype=np.int32),
        entry_row=np.array([k for e in entries for k, _ in e], np.int32),
        entry=np.array([a for e in entries for _, a in e], float),
        line_target=np.array(targets, float),
        row_low=np.array([low for low, _ in rows], float),
        row_high=np.array([high for _, high in rows], float),
        kind=np.array([c[0] for c in columns], np.int32),
    )


def small(seed: int, *, curved: bool = False) -> tuple[Problem, Integrality]:
    """Two accounts, three assets, one to three lots a position; a share is up to 4 % of the household."""
    rng = np.random.default_rng(seed)
    accounts, assets = 2, 3
    share = rng.choice([0.0, 0.002, 0.01, 0.04], assets, p=[0.1, 0.3, 0.4, 0.2])
    minimum = float(rng.choice([0.0, 0.01, 0.05]))
    columns: list[tuple[int, float, float, float, int, float, Sequence[tuple[int, float]]]] = []
    position, wash, quadratic = [], [], []
    held = np.zeros(assets * accounts)
    group = rng.choice([0, 1, 2], assets) if rng.random() < 0.5 else np.arange(assets)
    for i in range(assets):
        for a in range(accounts):
            columns.append((BUY, 0.0005, 0.0, np.inf, i, 1.0, [(a, -1.0)]))
            position.append(i * accounts + a)
            wash.append(int(group[i]))
    for i in range(assets):
        for a in range(accounts):
            for _ in range(int(rng.integers(0, 4))):
                size = float(rng.uniform(0.01, 0.12))
                if share[i] > 0 and rng.random() < 0.6:
                    size = max(round(size / share[i]), 1) * share[i]
                gain = float(1 - np.exp(rng.normal(0, 0.3))) if a == 0 else 0.0
                columns.append((SELL, 0.0005 + 0.238 * gain, 0.0, size, i, -1.0, [(a, 1.0), (accounts, gain)]))
                position.append(i * accounts + a)
                wash.append(int(group[i]) if gain < 0 else -1)
                held[i * accounts + a] += size
    for i in range(assets):
        for sign in (1.0, -1.0):
            price = float(rng.uniform(0.005, 0.03))
            columns.append((DEVIATION, 0.0 if curved else price, 0.0, np.inf, i, -sign, []))
            position.append(-1)
            wash.append(-1)
    quadratic = [0.4 if curved and c[0] == DEVIATION else 0.0 for c in columns]
    current = held.reshape(assets, accounts).sum(1)
    cash = rng.uniform(-0.02, 0.05, accounts)
    total = current.sum() + cash.sum()
    targets = rng.dirichlet(np.full(assets, 4.0)) * total - current
    width = rng.choice([0.01, 0.03, 0.1])
    rows = [(-float(c) + 0.002, -float(c) + 0.002 + float(width)) for c in cash]
    rows.append((-np.inf, float(rng.choice([0.0, 0.01, 1.0]))))
    integrality = Integrality(
        np.array(position, np.int32),
        np.repeat(share, accounts).astype(float),
        held,
        np.full(assets * accounts, minimum),
        np.array(wash, np.int32),
    )
    return assemble(columns, targets, rows, quadratic), integrality


def broken_rules(problem: Problem, integrality: Integrality, values: np.ndarray, tolerance: float = 1e-8) -> list[str]:
    """Every demand that `values` does not meet, in words; written for reading, not for speed."""
    lines, rows = np.zeros(len(problem.line_target)), np.zeros(len(problem.row_low))
    for c, v in enumerate(values):
        if problem.line[c] >= 0:
            lines[problem.line[c]] += problem.line_coefficient[c] * v
        for e in range(problem.column_ptr[c], problem.column_ptr[c + 1]):
            rows[problem.entry_row[e]] += problem.entry[e] * v
    found = [f"line {r}" for r in np.flatnonzero(np.abs(lines - problem.line_target) > tolerance)]
    found += [f"row {k} low" for k in np.flatnonzero(rows < problem.row_low - tolerance)]
    found += [f"row {k} high" for k in np.flatnonzero(rows > problem.row_high + tolerance)]
    found += [f"column {c} low" for c in np.flatnonzero(values < problem.lower)]
    found += [f"column {c} high" for c in np.flatnonzero(values > problem.upper)]
    for p in range(len(integrality.share)):
        of = integrality.position == p
        bought, sold = values[of & (problem.kind == BUY)].sum(), values[of & (problem.kind == SELL)].sum()
        if min(bought, sold) > tolerance:
            found.append(f"position {p} bought and sold")
        for amount, closes in ((bought, False), (sold, abs(sold - integrality.held[p]) <= tolerance)):
            if amount <= tolerance or closes:
                continue
            if amount < integrality.minimum[p] - tolerance:
                found.append(f"position {p} below its least trade")
            share = integrality.share[p]
            if share > 0 and abs(amount - round(amount / share) * share) > tolerance:
                found.append(f"position {p} trades a part of a share")
    for g in range(int(integrality.wash_group.max(initial=-1)) + 1):
        of = integrality.wash_group == g
        sides = values[of & (problem.kind == SELL)].sum(), values[of & (problem.kind == BUY)].sum()
        if min(sides) > tolerance:
            found.append(f"wash group {g} on both sides")
    return found
