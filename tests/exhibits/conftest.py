"""Chapters run in this process, cell by cell, as the kernel would: what they show, and the book made of it."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import IPython.display
import numpy as np
import pandas as pd
import pytest

from workbench.exhibits import Origin
from workbench.firm import Firm, write_firm
from workbench.report import Exhibit, Fact
from workbench.report.blocks import ExhibitBlock, collect_facts
from workbench.report.exhibit import CalloutBody, FigureBody, KpiBody, ProseBody, TableBody

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@dataclass(frozen=True)
class Shown:
    """The exhibits of one or more chapters, in order."""

    exhibits: tuple[Exhibit, ...]

    def __getitem__(self, id: str) -> Exhibit:
        return next(exhibit for exhibit in self.exhibits if exhibit.id == id)

    def __contains__(self, id: str) -> bool:
        return any(exhibit.id == id for exhibit in self.exhibits)

    @property
    def facts(self) -> dict[str, Fact]:
        """Every fact, as a run merges them: a conflict raises."""
        return {fact.id: fact for fact in collect_facts(ExhibitBlock(exhibit, 0) for exhibit in self.exhibits)}

    def text(self, id: str) -> str:
        """An exhibit's words as a reader meets them."""
        return words(self[id])


def words(exhibit: Exhibit) -> str:
    parts = [exhibit.title, exhibit.takeaway]
    body = exhibit.body
    if isinstance(body, CalloutBody | ProseBody):
        parts += ["".join(map(_run, paragraph)) for paragraph in body.paragraphs]
    if isinstance(body, KpiBody):
        parts += [f"{item.label}: {_run(item.value)} ({item.note})" for item in body.items]
    if isinstance(body, FigureBody):
        parts.append(body.alt)
    table = body if isinstance(body, TableBody) else body.data if isinstance(body, FigureBody) else None
    if table is not None:
        parts += [" | ".join(map(_run, row)) for row in table.rows] + [table.note]
    return "\n".join(part for part in parts if part)


def _run(run: Any) -> str:
    for name in ("text", "strong", "badge", "missing"):
        if hasattr(run, name):
            return str(getattr(run, name))
    return str(run)


def run_chapter(name: str, firm: Firm, as_of: str = "latest", **parameters: object) -> Shown:
    """Run a chapter's notebook on a firm with changed parameters and keep what it would display."""
    cells = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text())["cells"]
    shown: list[Exhibit] = []
    space: dict[str, Any] = {}
    kept, IPython.display.display = IPython.display.display, shown.append
    try:
        for cell in cells:
            if cell["cell_type"] != "code":
                continue
            tree = ast.parse("".join(cell["source"]))
            last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
            exec(compile(tree, name, "exec"), space)
            if last is not None:
                value = eval(compile(ast.Expression(last.value), name, "eval"), space)
                shown += [value] if isinstance(value, Exhibit) else []
            if "parameters" in cell["metadata"].get("tags", []):
                space |= {"firm": str(firm.folder), "as_of": as_of, **parameters}
    finally:
        IPython.display.display = kept
    return Shown(tuple(Exhibit.from_json(exhibit.to_json()) for exhibit in shown))


def run_book(firm: Firm, **parameters: object) -> Shown:
    """All three chapters, as a quarterly run merges them."""
    drift = run_chapter("drift", firm, **parameters)
    return Shown(run_chapter("memo", firm).exhibits + drift.exhibits + run_chapter("quality", firm).exhibits)


@pytest.fixture
def made(tmp_path):
    """Write tables as a firm."""

    def make(tables: dict[str, pd.DataFrame], name: str = "Small firm") -> Firm:
        return write_firm(tmp_path / "firm", tables, "2022-12-28", name=name)

    return make


@pytest.fixture
def book(made):
    """Run the whole book on tables."""
    return lambda tables, **parameters: run_book(made(tables), **parameters)


@pytest.fixture
def chapter(made):
    """Run one chapter on tables."""
    return lambda name, tables, **parameters: run_chapter(name, made(tables), **parameters)


@pytest.fixture
def origin():
    return Origin("2022-12-28", "3f9a12c4", "")


def longer(tables: dict[str, pd.DataFrame], sessions: int = 80) -> dict[str, pd.DataFrame]:
    """The tables with enough sessions of prices before theirs for a covariance."""
    first = tables["prices"]["date"].min()
    days = pd.bdate_range(end=first - pd.Timedelta(days=1), periods=sessions).astype("datetime64[ms]")
    rng, parts = np.random.default_rng(3), []
    for security, rows in tables["prices"].groupby("security_id", sort=False):
        start = float(rows["close"].iloc[0])
        moves = np.zeros(sessions) if security == "CASH" else rng.normal(0.0, 0.01, sessions)
        close = start * np.exp(np.cumsum(moves) - moves.sum())
        parts.append(rows.iloc[[0] * sessions].assign(date=days, close=close, adj_close=close))
    return {**tables, "prices": pd.concat([*parts, tables["prices"]], ignore_index=True)}


@pytest.fixture
def said():
    """The words of an exhibit."""
    return words


@pytest.fixture
def with_history(small):
    """The small firm with enough sessions of prices for tracking errors and a quarter's return."""
    return longer(small)
