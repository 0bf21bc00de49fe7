"""Drafts written into one folder, named by their content: pages, PDFs, e-mails, Markdown, an index and the record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from workbench.drafting import Draft
from workbench.papers.release import Release


@dataclass(frozen=True)
class WrittenPapers:
    """Where papers lie: their folder, its index page, how many, and whether they were there already."""

    folder: Path
    index: Path
    papers: int
    reused: bool


def write_papers(
    out: Path,
    drafts: Iterable[Draft],
    *,
    title: str = "Drafts",
    releases: Mapping[str, Release] | None = None,
    pdf: bool = True,
    workers: int = 1,
) -> WrittenPapers:
    """Write drafts into a folder of their own under `out`; `releases` by the hash of their text."""
    raise NotImplementedError
