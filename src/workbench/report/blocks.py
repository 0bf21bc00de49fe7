"""An executed notebook's JSON, read into the blocks a chapter shows.

Only markdown cells and exhibits pass. Whatever else a cell printed is not shown (it could hold anything) but noted,
so that nothing disappears unsaid; an error becomes an error block.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.report.exhibit import MIME, Exhibit, ExhibitError, Fact

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_HEADING = re.compile(r"^#\s+(?P<title>.+?)\s*#*\s*$", re.MULTILINE)


@dataclass(frozen=True)
class MarkdownBlock:
    """The text of a markdown cell, still markdown."""

    text: str
    cell: int


@dataclass(frozen=True)
class ExhibitBlock:
    """An exhibit and the cell it came from."""

    exhibit: Exhibit
    cell: int


@dataclass(frozen=True)
class ErrorBlock:
    """A cell that failed: its number (from 1, as counted in the notebook), first line and error."""

    cell: int
    first_line: str
    name: str
    message: str
    traceback: str = ""


@dataclass(frozen=True)
class Note:
    """Something in the notebook that is not shown, and why."""

    cell: int
    text: str


Block = MarkdownBlock | ExhibitBlock | ErrorBlock


@dataclass(frozen=True)
class NotebookBlocks:
    """What a notebook holds: its title (the first level-one heading, "" without), blocks and notes."""

    title: str
    blocks: tuple[Block, ...]
    notes: tuple[Note, ...]


def read_notebook(notebook: Mapping[str, Any]) -> NotebookBlocks:
    """Read an executed notebook (nbformat 4 JSON) into blocks.

    Cells tagged "remove" are left out. A malformed exhibit becomes an error block of its cell.
    """
    title = ""
    blocks: list[Block] = []
    notes: list[Note] = []
    for number, cell in enumerate(notebook.get("cells", []), start=1):
        if "remove" in cell.get("metadata", {}).get("tags", []):
            continue
        source = _joined(cell.get("source", ""))
        if cell.get("cell_type") == "markdown":
            if not title and (match := _HEADING.search(source)):
                title = match["title"]
                source = source[: match.start()] + source[match.end() :]
            if source.strip():
                blocks.append(MarkdownBlock(source.strip(), number))
        elif cell.get("cell_type") == "code":
            for item in _read_outputs(cell.get("outputs", []), source, number):
                if isinstance(item, Note):
                    notes.append(item)
                else:
                    blocks.append(item)
    return NotebookBlocks(title, tuple(blocks), tuple(notes))


def collect_facts(blocks: Iterable[Block]) -> list[Fact]:
    """Return every fact once, in order of first appearance.

    Raises `ExhibitError` where two facts of one id differ in value, unit or as-of date: one of two exhibits is wrong.
    """
    facts: dict[str, Fact] = {}
    for block in blocks:
        if not isinstance(block, ExhibitBlock):
            continue
        for fact in block.exhibit.facts:
            known = facts.setdefault(fact.id, fact)
            if (known.value, known.unit, known.as_of) != (fact.value, fact.unit, fact.as_of):
                raise ExhibitError(
                    f"fact {fact.id!r} is {known.value!r} ({known.unit}, {known.as_of}) in one place and "
                    f"{fact.value!r} ({fact.unit}, {fact.as_of}) in exhibit {block.exhibit.id!r}; "
                    "compute it in one function and show that result in both"
                )
    return list(facts.values())


def _read_outputs(
    outputs: Sequence[Mapping[str, Any]], source: str, number: int
) -> Iterator[ExhibitBlock | ErrorBlock | Note]:
    first_line = next((line.strip() for line in source.splitlines() if line.strip()), "")
    for output in outputs:
        kind = output.get("output_type")
        data = output.get("data", {})
        if kind == "error":
            traceback = "\n".join(_ANSI.sub("", str(line)) for line in output.get("traceback", []))
            yield ErrorBlock(
                number, first_line, str(output.get("ename", "Error")), str(output.get("evalue", "")), traceback
            )
        elif MIME in data:
            try:
                yield ExhibitBlock(Exhibit.from_json(data[MIME]), number)
            except ExhibitError as error:
                yield ErrorBlock(number, first_line, "ExhibitError", str(error))
        elif kind == "stream":
            text = _joined(output.get("text", "")).strip()
            if text:
                yield Note(number, f"{output.get('name', 'stdout')} is not shown: {_short(text)}")
        elif data:
            shown = _short(_joined(data.get("text/plain", "")))
            yield Note(number, f"{', '.join(sorted(data))} is not an exhibit and not shown: {shown}")


def _joined(text: str | Sequence[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def _short(text: str, length: int = 120) -> str:
    line = " ".join(_ANSI.sub("", text).split())
    return line if len(line) <= length else line[: length - 1] + "…"
