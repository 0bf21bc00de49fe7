"""The committee's rendered books as they lie in a folder: which there are, and the one file of one book.

What is in the folder is read as hostile: names are checked before a path is made of them, links that lead out are not
followed, records are bounded and never trusted to be well formed.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: What a book is made of, and how each is served; anything else in its folder is not.
MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".otf": "font/otf",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".pdf": "application/pdf",
}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_LONGEST_RECORD = 2_000_000
_LONGEST_TEXT = 120


@dataclass(frozen=True)
class ShelvedBook:
    """One rendered book, as its run tells it; `record` is the hash of the book of record. "" means not said."""

    name: str
    title: str
    record: str
    as_of: str
    run_key: str
    finished_at: str
    succeeded: bool
    chapters: int
    failed: int
    has_pdf: bool


def books(folder: Path | None) -> list[ShelvedBook]:
    """Return the books of a folder, the newest first; folders without a readable record are no books."""
    if folder is None or not folder.is_dir():
        return []
    found = [book for entry in folder.iterdir() if (book := _read(entry)) is not None]
    return sorted(found, key=lambda book: (book.as_of, book.finished_at, book.name), reverse=True)


def book(folder: Path | None, name: str) -> ShelvedBook | None:
    """Return one book by the name of its folder, None where there is none."""
    return None if folder is None or not _NAME.fullmatch(name) else _read(folder / name)


def file_of(folder: Path, name: str, path: str) -> tuple[Path, str] | None:
    """Return a file of a book and its media type; None for what is not there, not of a book, or outside its folder."""
    parts = path.split("/")
    if not _NAME.fullmatch(name) or len(parts) > 2 or not all(_NAME.fullmatch(part) for part in parts):
        return None
    root = (folder / name).resolve()
    found = root.joinpath(*parts).resolve()
    media_type = MEDIA_TYPES.get(found.suffix.lower())
    if root.parent != folder.resolve() or not found.is_relative_to(root) or media_type is None or not found.is_file():
        return None
    return found, media_type


def _read(entry: Path) -> ShelvedBook | None:
    if not _NAME.fullmatch(entry.name) or entry.is_symlink() or not (entry / "index.html").is_file():
        return None
    run, lineage = _record(entry / "run.json"), _record(entry / "lineage.json") or {}
    if run is None:
        return None
    notebooks = [one for one in run.get("notebooks") or [] if isinstance(one, dict)] if _is_list(run) else []
    return ShelvedBook(
        name=entry.name,
        title=_text(run, "title") or entry.name,
        record=_text(lineage.get("inputs"), "firm"),
        as_of=_text(run, "as_of"),
        run_key=_text(run, "run_key"),
        finished_at=_text(run, "finished_at"),
        succeeded=run.get("status") == "succeeded",
        chapters=len(notebooks),
        failed=sum(one.get("status") != "succeeded" for one in notebooks),
        has_pdf=(entry / "book.pdf").is_file(),
    )


def _record(path: Path) -> dict[str, Any] | None:
    try:
        if path.is_symlink() or path.stat().st_size > _LONGEST_RECORD:
            return None
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _is_list(run: dict[str, Any]) -> bool:
    return isinstance(run.get("notebooks"), list)


def _text(said: Any, name: str) -> str:
    value = said.get(name) if isinstance(said, dict) else None
    return value[:_LONGEST_TEXT] if isinstance(value, str) else ""
