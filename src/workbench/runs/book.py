"""The params file of a scheduled run: which chapters, of which firm, as of when.

    book: quarterly                 # folder-safe name
    title: The quarterly book
    firm: demo                      # a firm's folder, or demo
    as_of: 2022-12-28               # or latest
    chapters:
      - chapter: memo
        parameters: {top: 5}

Read strictly: unknown and repeated keys are refused, so are YAML tags and aliases, so that a slip of the pen cannot
silently run something else.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml

from workbench.errors import ParameterError
from workbench.runs.parameters import is_iso_date
from workbench.runs.registry import CHAPTERS, Chapter, unknown
from workbench.runs.registry import chapter as find_chapter

_LARGEST_FILE = 65_536  # bytes; a params file is a page
_FOLDER_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,47}")
_LONGEST_TIME_LIMIT = 24 * 3600


@dataclass(frozen=True)
class ChapterRequest:
    """One chapter asked for, with the parameters that differ from the notebook's defaults."""

    chapter: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class BookParams:
    """What a params file asks for.

    `as_of` is an ISO date or "latest"; `time_limit` is seconds a notebook; `firm` a folder or "demo";
    `file_hash` the sha256 of the params file, "" where the text came from elsewhere, and `folder` the one it is in.
    """

    book: str
    title: str
    firm: str
    as_of: str
    chapters: tuple[ChapterRequest, ...]
    subtitle: str = ""
    time_limit: float = 120.0
    pdf: bool = True
    file_hash: str = ""
    folder: Path | None = None


_KEYS = ["book", "title", "subtitle", "firm", "as_of", "time_limit", "pdf", "chapters"]


def load_book(path: Path, chapters: Mapping[str, Chapter] = CHAPTERS) -> BookParams:
    """Read and check a params file. Raises ParameterError naming the file, the key and the remedy."""
    if not path.is_file():
        raise ParameterError(f"there is no params file {path}; give the path of one under params/.")
    with path.open("rb") as file:
        content = file.read(_LARGEST_FILE + 1)
    if len(content) > _LARGEST_FILE:
        raise ParameterError(f"params file {path} is larger than {_LARGEST_FILE:,} bytes; a params file is one page.")
    try:
        book = parse_book(content.decode("utf-8"), chapters)
        return replace(book, file_hash=hashlib.sha256(content).hexdigest(), folder=path.resolve().parent)
    except UnicodeDecodeError:
        raise ParameterError(f"params file {path} is not UTF-8 text; save it as UTF-8.") from None
    except ParameterError as error:
        raise ParameterError(f"params file {path.name}: {error}", parameter=error.parameter) from None


def parse_book(text: str, chapters: Mapping[str, Chapter] = CHAPTERS) -> BookParams:
    """The book a params file's text asks for; pure, so that it can be tested and fuzzed without files."""
    try:
        loaded = yaml.load(text, Loader=_StrictLoader)  # a SafeLoader made stricter
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark is not None else ""
        raise ParameterError(f"{where}{getattr(error, 'problem', None) or 'not YAML'}; correct the line.") from None
    except (RecursionError, ValueError) as error:
        raise ParameterError(f"not a params file: {type(error).__name__}; correct the YAML.") from None
    top = _mapping(loaded, "the file", _KEYS)
    missing = [key for key in ("book", "title", "firm", "as_of", "chapters") if key not in top]
    if missing:
        raise ParameterError(f"key {missing[0]!r} is missing; add it.", parameter=missing[0])
    return BookParams(
        book=_book_id(top["book"]),
        title=_line(top, "title"),
        subtitle=_line(top, "subtitle", required=False),
        firm=_line(top, "firm"),
        as_of=_as_of(top["as_of"]),
        time_limit=_time_limit(top.get("time_limit", 120)),
        pdf=_flag(top.get("pdf", True)),
        chapters=_chapters(top["chapters"], chapters),
    )


class _StrictLoader(yaml.SafeLoader):
    """SafeLoader that also refuses a key given twice and aliases, by which a small file can grow without end."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not used here", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key must be a plain word", key.start_mark)
            if key.value in seen:
                problem = f"key {key.value!r} is given twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _mapping(value: object, what: str, known: list[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ParameterError(f"{what} must be a mapping of keys to values.")
    for key in value:
        if key not in known:
            raise ParameterError(unknown("key", str(key), known), parameter=str(key))
    return value


def _book_id(value: object) -> str:
    if isinstance(value, str) and _FOLDER_NAME.fullmatch(value):
        return value
    raise ParameterError(
        f"book is {str(value)[:60]!r}; it names a folder: small letters, digits, - and _, at most 48 of them.",
        parameter="book",
    )


def _line(top: Mapping[str, Any], key: str, required: bool = True) -> str:
    value = top.get(key, "")
    if isinstance(value, str) and value.isprintable() and len(value) <= 300 and (value.strip() or not required):
        return value
    raise ParameterError(f"{key} must be one line of text, in quotes where it is a number or a date.", parameter=key)


def _as_of(value: object) -> str:
    text = value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else value
    if isinstance(text, str) and (text == "latest" or is_iso_date(text)):
        return text
    raise ParameterError(f"as_of is {str(value)[:40]!r}; write a date as 2022-12-28, or latest.", parameter="as_of")


def _time_limit(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value <= _LONGEST_TIME_LIMIT:
        return float(value)
    raise ParameterError(
        f"time_limit is {str(value)[:40]!r}; give seconds a notebook, from 1 to {_LONGEST_TIME_LIMIT:,}.",
        parameter="time_limit",
    )


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise ParameterError(f"pdf is {str(value)[:40]!r}; write true or false.", parameter="pdf")


def _chapters(value: object, chapters: Mapping[str, Chapter]) -> tuple[ChapterRequest, ...]:
    if not isinstance(value, list) or not value:
        raise ParameterError("chapters must be a list with at least one chapter.", parameter="chapters")
    requests: list[ChapterRequest] = []
    for position, item in enumerate(value, start=1):
        entry = _mapping(item, f"chapter {position}", ["chapter", "parameters"])
        key = find_chapter(str(entry.get("chapter", "")), chapters).key
        if key in [request.chapter for request in requests]:
            raise ParameterError(f"chapter {key!r} is listed twice; keep one.", parameter="chapters")
        given = entry.get("parameters") or {}
        if not isinstance(given, dict):
            raise ParameterError(f"the parameters of chapter {key!r} must be a mapping.", parameter="parameters")
        requests.append(ChapterRequest(key, {name: _plain(v) for name, v in given.items()}))
    return tuple(requests)


def _plain(value: object) -> object:
    """YAML reads 2022-12-28 as a date; parameters carry dates as ISO text."""
    return value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else value
