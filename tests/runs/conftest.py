"""Tiny notebooks and plans of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from workbench.runs import BookParams, Chapter, ChapterRequest, RunPlan, plan

PARAMETERS = """\
firm: str = "demo"  # the firm's folder, or demo
as_of: str = "latest"  # the day the book stands on
top: int = 3  # 1..50: how many accounts to show
"""


def notebook_of(cells: Sequence[str], parameters: str = PARAMETERS) -> dict[str, Any]:
    """A notebook with a parameters cell and these code cells."""
    sources = [(["parameters"], parameters), *(([], cell) for cell in cells)]
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {},
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell-{position}",
                "metadata": {"tags": tags},
                "execution_count": None,
                "outputs": [],
                "source": source,
            }
            for position, (tags, source) in enumerate(sources)
        ],
    }


@pytest.fixture
def notebook() -> Callable[..., dict[str, Any]]:
    return notebook_of


@pytest.fixture
def make_plan(tmp_path: Path) -> Callable[..., RunPlan]:
    """Write notebooks given as lists of cells and plan a book of them."""

    def make(
        books: Mapping[str, Sequence[str]],
        *,
        time_limit: float = 60.0,
        parameters: Mapping[str, Mapping[str, Any]] | None = None,
        firm_path: Path = Path("demo"),
        firm_hash: str = "firm",
        lock: str = "lock",
    ) -> RunPlan:
        folder = tmp_path / "notebooks"
        folder.mkdir(exist_ok=True)
        for key, cells in books.items():
            (folder / f"{key}.ipynb").write_text(json.dumps(notebook_of(cells)), encoding="utf-8")
        (tmp_path / "lock").write_text(lock, encoding="utf-8")
        requests = tuple(ChapterRequest(key, (parameters or {}).get(key, {})) for key in books)
        book = BookParams("tiny", "A tiny book", "demo", "2022-12-28", requests, time_limit=time_limit)
        return plan(
            book,
            firm_path=firm_path,
            firm_hash=firm_hash,
            as_of="2022-12-28",
            notebooks=folder,
            out=tmp_path / "reports",
            lock=tmp_path / "lock",
            chapters={key: Chapter(key, f"{key}.ipynb", key.title()) for key in books},
        )

    return make
