"""Which advisor uses which custodian, and how much that says about either."""

from __future__ import annotations

import numpy as np

from workbench.attribution.implementation.panel import Floats, Panel


def overlap(panel: Panel) -> Floats:
    """Accounts of each advisor at each custodian (A x K)."""
    table = np.zeros((len(panel.advisors), len(panel.custodians)))
    np.add.at(table, (panel.advisor_of, panel.custodian_of), 1.0)
    return table


def comparisons(table: Floats) -> Floats:
    """For each column, how many accounts' worth of comparison its overlap gives.

    An advisor with n accounts, m of them in the column, compares m (n - m) / n: what a difference of two means of m and
    n - m accounts is worth in accounts. Zero where every advisor is wholly in or out.
    """
    rows = table.sum(axis=1, keepdims=True)
    return np.asarray((table * (rows - table) / rows).sum(axis=0))
