"""A household's rebalancing as a program in arrays: what every solver here takes, with no name of the firm in it.

    minimise    1/2 sum_c quadratic[c] v[c]^2 + sum_c linear[c] v[c]
    subject to  sum of line_coefficient[c] v[c] over the columns of line r  = line_target[r]    every line r
                row_low[k] <= sum of the entries of row k                  <= row_high[k]      every row k
                lower <= v <= upper

A **line** is what a target is set for: one security (with its substitutes) in one group of accounts managed
together. A column belongs to one line at most, so that lines are eliminated one by one; everything that couples lines
(cash of an account, factor exposures, the gain budget, caps, bands of classes) is a **row**. Rows are few, lines many.
All amounts are fractions of the household's value; the objective is in the same unit a year.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
Flags = NDArray[np.bool_]

#: What a column stands for.
BUY, SELL, DEVIATION, EXCESS, FACTOR, CASH = range(6)


@dataclass(frozen=True, eq=False)
class Problem:
    """C columns, R lines, K rows; a column's entries in rows are `entry_row/entry[column_ptr[c]:column_ptr[c + 1]]`.

    `line` (C) is -1 for a column of no line. Bounds and row limits may be infinite; a row with `row_low == row_high`
    is an equality. `kind` (C) is one of the constants above.
    """

    quadratic: Floats
    linear: Floats
    lower: Floats
    upper: Floats
    line: Ints
    line_coefficient: Floats
    column_ptr: Ints
    entry_row: Ints
    entry: Floats
    line_target: Floats
    row_low: Floats
    row_high: Floats
    kind: Ints


@dataclass(frozen=True, eq=False)
class Integrality:
    """What must be whole, or nothing at all.

    `position` (C): the position (one security in one account) that a buy or sale trades, -1 for other columns. A
    position's buys are one column, its sales one column a lot. `share` (P): value of one share as a fraction of the
    household (0: fractional shares may be traded); a position trades a whole number of shares or is closed whole, and
    `held` (P) is what it holds. `minimum` (P): least trade, 0 for none; closing a position may be smaller.
    `wash_group` (C): loss sales and purchases of one group of substantially identical securities (-1: not concerned);
    a group takes one side only: its losses are realised or it is bought, never both.
    """

    position: Ints
    share: Floats
    held: Floats
    minimum: Floats
    wash_group: Ints


@dataclass(frozen=True, eq=False)
class Solution:
    """Values of the columns and the prices of the limits.

    `line_price` (R) and `row_price` (K) are the change of the optimal objective for one unit more of `line_target`,
    or of the limit that binds (positive: raising it costs); `bound_price` (C) is the reduced cost: above zero at a
    lower bound, below zero at an upper one. `status` is "optimal" or "infeasible"; `iterations` counts interior-point
    steps, or re-solves of a search.
    """

    values: Floats
    objective: float
    line_price: Floats
    row_price: Floats
    bound_price: Floats
    status: str
    iterations: int
