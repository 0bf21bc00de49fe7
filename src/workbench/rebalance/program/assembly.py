"""Columns, rows and entries as they come, put into the arrays of a `Problem` at the end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.rebalance.household import Floats
from workbench.rebalance.solver.problem import Problem

_COLUMN = {
    "quadratic": 0.0, "linear": 0.0, "lower": 0.0, "upper": 0.0, "line": -1, "line_coefficient": 0.0,
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """What a row stands for: its kind, what it limits, in which group, level and account.

    `over` and `under` are the columns by which it may be missed (-1: none).
    """

    kind: str
    entity: str
    group: int = -1
    level: str = ""
    account: int = -1
    source: str = ""
    bound: float = 0.0
    over: int = -1
    under: int = -1


class Assembly:
    """Collects a program; each part of it adds its own columns and rows."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.size = 0
        self._low: list[float] = []
        self._high: list[float] = []
        self._columns: list[tuple[int, int, dict[str, np.ndarray | float]]] = []
        self._entries: list[tuple[int | np.ndarray, np.ndarray, np.ndarray | float]] = []

    def add(self, count: int, kind: int, **values: np.ndarray | float) -> np.ndarray:
        """Add columns of one kind; what is not given is zero (no line: -1). Return their places."""
        first, self.size = self.size, self.size + count
        self._columns.append((first, kind, values))
        return np.arange(first, self.size)

    def row(self, row: Row, low: float, high: float) -> int:
        """Add a row between two limits; return its place."""
        self.rows.append(row)
        self._low.append(low)
        self._high.append(high)
        return len(self.rows) - 1

    def enter(self, row: int | np.ndarray, columns: np.ndarray, values: np.ndarray | float) -> None:
        """Enter `values` in a row, or in one row a column."""
        self._entries.append((row, columns, values))

    def problem(self, line_target: Floats) -> Problem:
        """Return the arrays; columns keep their order, and a column's entries the order they came in."""
        arrays = {name: np.full(self.size, value) for name, value in _COLUMN.items()}
        kind = np.zeros(self.size, np.int32)
        ends = [first for first, _, _ in self._columns[1:]] + [self.size]
        for (first, of, values), end in zip(self._columns, ends):
            kind[first:end] = of
            for name, value in values.items():
                arrays[name][first:end] = value
        count = sum(len(columns) for _, columns, _ in self._entries)
        rows, places, entries = np.empty(count, np.int32), np.empty(count, np.int64), np.empty(count)
        at = 0
        for row, columns, numbers in self._entries:
            end = at + len(columns)
            rows[at:end], places[at:end], entries[at:end] = row, columns, numbers
            at = end
        order = np.argsort(places, kind="stable")
        ptr = np.zeros(self.size + 1, np.int32)
        np.cumsum(np.bincount(places, minlength=self.size), out=ptr[1:])
        return Problem(
            quadratic=arrays["quadratic"], linear=arrays["linear"], lower=arrays["lower"], upper=arrays["upper"],
            line=arrays["line"].astype(np.int32), line_coefficient=arrays["line_coefficient"], column_ptr=ptr,
            entry_row=rows[order], entry=entries[order], line_target=line_target, row_low=np.array(self._low, float),
            row_high=np.array(self._high, float), kind=kind,
        )  # fmt: skip
