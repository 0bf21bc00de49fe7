"""From a params file to a plan: every notebook read, checked and keyed before the first kernel starts.

A run key is the hash of everything an executed notebook depends on: its code, its parameters and the files they name,
the firm's data, the lock of exact versions and the package's own source. Equal keys mean the earlier output may stand.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from workbench.errors import ParameterError
from workbench.runs.book import BookParams, ChapterRequest
from workbench.runs.parameters import Value, canonical, is_iso_date, read_parameters, source_of
from workbench.runs.policy import check_policy
from workbench.runs.registry import CHAPTERS, Chapter
from workbench.runs.registry import chapter as find_chapter

#: Parameters every chapter declares and the plan sets itself: a chapter cannot be of another firm or another day.
SET_BY_PLAN = ("firm", "as_of")


@dataclass(frozen=True)
class NotebookPlan:
    """One notebook to run: its file, the full set of its parameters, and the keys of its code and of its run."""

    key: str
    title: str
    notebook: Path
    source_hash: str
    parameters: Mapping[str, Value]
    run_key: str


@dataclass(frozen=True)
class RunPlan:
    """Everything a run does and depends on. Hashes are sha256 in hex; `out` is the folder of all runs."""

    book: BookParams
    firm_path: Path
    firm_hash: str
    as_of: str
    notebooks: tuple[NotebookPlan, ...]
    out: Path
    lock_hash: str
    package_hash: str
    run_key: str
    firm_tables: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The run folder's name: book, date and the first ten digits of the run key."""
        return f"{self.book.book}-{self.as_of}-{self.run_key[:10]}"


def plan(
    book: BookParams,
    *,
    firm_path: Path,
    firm_hash: str,
    as_of: str,
    notebooks: Path,
    out: Path,
    lock: Path,
    firm_tables: Mapping[str, str] | None = None,
    chapters: Mapping[str, Chapter] = CHAPTERS,
) -> RunPlan:
    """Plan a book: read and check each notebook and its parameters, and take the run keys.

    `as_of` is the book's date resolved to an ISO date; `firm_hash` the content hash of the firm's snapshot,
    `firm_tables` the hashes of its tables (for the lineage); `notebooks` the folder of notebooks; `lock` the file of
    exact versions. Raises ParameterError on a bad parameter or missing file, RunError where a notebook breaks policy.
    """
    if not is_iso_date(as_of):
        raise ParameterError(f"as_of is {as_of[:40]!r}; hand in an ISO date.", parameter="as_of")
    if not lock.is_file():
        raise ParameterError(f"there is no lock file {lock}; it holds the exact versions a run is keyed by.")
    lock_hash = file_hash(lock)
    package_hash = _package_hash()
    common = [firm_hash, lock_hash, package_hash]
    planned = tuple(
        _plan_notebook(
            request, find_chapter(request.chapter, chapters), notebooks, firm_path, as_of, common, book.folder
        )
        for request in book.chapters
    )
    head = [book.book, book.title, book.subtitle, book.pdf, as_of]
    run_key = _digest(head, [(notebook.key, notebook.run_key) for notebook in planned])
    return RunPlan(
        book, firm_path, firm_hash, as_of, planned, out, lock_hash, package_hash, run_key, dict(firm_tables or {})
    )


def _plan_notebook(
    request: ChapterRequest,
    chapter: Chapter,
    folder: Path,
    firm_path: Path,
    as_of: str,
    common: list[str],
    beside: Path | None,
) -> NotebookPlan:
    path = folder / chapter.notebook
    notebook = read_notebook(path, chapter.key)
    check_policy(notebook, chapter.key)
    declared = read_parameters(notebook, chapter.key)
    for name in SET_BY_PLAN:
        if name not in declared.names():
            raise ParameterError(f"notebook {chapter.key} declares no parameter {name!r}; add it.", parameter=name)
        if name in request.parameters:
            raise ParameterError(
                f"parameter {name!r} of chapter {chapter.key} is set by the book; set it once, at the top.", name
            )
    parameters = declared.validate({**request.parameters, "firm": str(firm_path), "as_of": as_of})
    source_hash = code_hash(notebook)
    # The firm's path is left out: the same data in another folder is the same run.
    keyed: dict[str, object] = {name: value for name, value in parameters.items() if name != "firm"}
    for name in declared.files():
        if parameters[name]:
            file = _beside(str(parameters[name]), beside, name, chapter.key)
            keyed[name] = [parameters[name], file_hash(file)]
            parameters[name] = str(file)
    run_key = _digest(chapter.key, source_hash, keyed, common)
    return NotebookPlan(chapter.key, chapter.title, path, source_hash, parameters, run_key)


def _beside(name: str, folder: Path | None, parameter: str, notebook: str) -> Path:
    """The file of this plain name in the folder of the params file, never one that a link there leads out to."""
    file = None if folder is None else (folder / name).resolve()
    if file is None or not file.is_file() or file.parent != folder:
        raise ParameterError(
            f"parameter {parameter!r} of notebook {notebook} names {name!r}, and there is no such file in the "
            "folder of the params file; put it there.",
            parameter=parameter,
        )
    return file


def read_notebook(path: Path, name: str) -> dict[str, Any]:
    """A notebook's JSON. Raises ParameterError where the file is missing or is not JSON."""
    if not path.is_file():
        raise ParameterError(f"notebook {name} has no file {path.name} in the notebooks folder; add it.")
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        raise ParameterError(f"notebook {name} is not a notebook: {path.name} is not JSON.") from None
    if not isinstance(loaded, dict):
        raise ParameterError(f"notebook {name} is not a notebook: {path.name} holds no object.")
    return loaded


def code_hash(notebook: Mapping[str, Any]) -> str:
    """The hash of a notebook's cells as written: type, tags and source, never outputs, counts or editor metadata.

    Markdown counts too: it is shown in the book, so a changed sentence is a changed chapter.
    """
    cells = [
        (cell["cell_type"], sorted(cell.get("metadata", {}).get("tags", [])), source_of(cell))
        for cell in notebook["cells"]
    ]
    return _digest(cells)


def file_hash(path: Path) -> str:
    """The sha256 of a file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _digest(*parts: object) -> str:
    return hashlib.sha256(canonical(parts).encode("utf-8")).hexdigest()


@cache
def _package_hash() -> str:
    """The hash of every Python and YAML file of the package: a run with changed code or thresholds is another run."""
    root = Path(__file__).resolve().parents[1]
    files = sorted(file for file in root.rglob("*") if file.suffix in (".py", ".yml"))
    return _digest([(file.relative_to(root).as_posix(), file_hash(file)) for file in files])
