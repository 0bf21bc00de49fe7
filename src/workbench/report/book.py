"""The book: chapters in order, with what the index page lifts out of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.errors import ParameterError
from workbench.report.blocks import Block, ErrorBlock, ExhibitBlock, Note, collect_facts, read_notebook
from workbench.report.exhibit import Exhibit, Fact

_KEY = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True)
class Chapter:
    """One notebook's chapter; `key` names its page. `failure` says why it is incomplete, "" where it is not."""

    key: str
    title: str
    blocks: tuple[Block, ...]
    notes: tuple[Note, ...] = ()
    failure: str = ""

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key) or self.key in {"index", "assets"}:
            raise ParameterError(
                f"chapter key {self.key!r} cannot name a page; use lower-case letters, digits, '-' and '_'", "chapter"
            )

    @classmethod
    def from_notebook(
        cls, key: str, notebook: Mapping[str, Any] | None, *, title: str = "", failure: str = ""
    ) -> Chapter:
        """Make a chapter of an executed notebook (None where it left nothing).

        The title is `title`, else the notebook's first level-one heading. A notebook with an error output is failed
        even where `failure` is not given.
        """
        content = read_notebook(notebook or {})
        error = next((block for block in content.blocks if isinstance(block, ErrorBlock)), None)
        if error is not None and not failure:
            failure = f"cell {error.cell} ({error.first_line}): {error.name}: {error.message}"
        return cls(key, title or content.title or key.capitalize(), content.blocks, content.notes, failure)

    @property
    def exhibits(self) -> tuple[Exhibit, ...]:
        """The chapter's exhibits in order."""
        return tuple(block.exhibit for block in self.blocks if isinstance(block, ExhibitBlock))


@dataclass(frozen=True)
class Book:
    """A whole report. `as_of` is an ISO date; `run` are the lines of the foot (run key, data hash, versions)."""

    title: str
    firm_name: str
    as_of: str
    chapters: tuple[Chapter, ...]
    subtitle: str = ""
    run: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        keys = [chapter.key for chapter in self.chapters]
        if doubled := sorted({key for key in keys if keys.count(key) > 1}):
            raise ParameterError(
                f"chapter {', '.join(doubled)} appears twice; give each chapter its own key", "chapter"
            )

    @property
    def decisions(self) -> tuple[tuple[Chapter, Exhibit], ...]:
        """Every decision box, with its chapter."""
        return self._lifted("callout")

    @property
    def breaches(self) -> tuple[tuple[Chapter, Exhibit], ...]:
        """Every table marked for the index page, with its chapter."""
        return self._lifted("table")

    @property
    def key_figures(self) -> tuple[tuple[Chapter, Exhibit], ...]:
        """Every row of key figures marked for the index page, with its chapter."""
        return self._lifted("kpis")

    @property
    def failed(self) -> tuple[Chapter, ...]:
        """The chapters that did not run to their end."""
        return tuple(chapter for chapter in self.chapters if chapter.failure)

    def facts(self) -> list[Fact]:
        """Return every fact of the book; raises `ExhibitError` where two of one id disagree."""
        return collect_facts(block for chapter in self.chapters for block in chapter.blocks)

    def _lifted(self, kind: str) -> tuple[tuple[Chapter, Exhibit], ...]:
        return tuple(
            (chapter, exhibit)
            for chapter in self.chapters
            for exhibit in chapter.exhibits
            if exhibit.kind == kind
            and (exhibit.index or (kind == "callout" and getattr(exhibit.body, "tone", "") == "decision"))
        )


@dataclass(frozen=True)
class RenderedPages:
    """Where a rendered book lies; `pages` holds every HTML file with the index first."""

    index: Path
    pages: tuple[Path, ...]
    assets: tuple[Path, ...]
