"""From a params file to a rendered book: plan, run the notebooks, render their exhibits."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from workbench import __version__, runs
from workbench.errors import MissingToolError
from workbench.firm import open_at, project_root
from workbench.report import Book, Chapter, render_html, render_pdf

PDF_NAME = "book.pdf"
LOCK_NAME = "requirements.lock"


@dataclass(frozen=True)
class Published:
    """A rendered run: the index page, the PDF (None where there is none) and what an operator should know."""

    result: runs.RunResult
    index: Path
    pdf: Path | None
    notes: tuple[str, ...] = ()

    def raise_if_failed(self) -> None:
        """Raise `RunError` naming every notebook that failed, with its cell and error."""
        self.result.raise_for_failure()


@dataclass
class _Renderer:
    """Renders a run's folder and keeps what there is to say about it."""

    firm_name: str
    pdf: bool
    notes: list[str] = field(default_factory=list)

    def __call__(self, result: runs.RunResult) -> None:
        book = _book(result, self.firm_name)
        render_html(book, result.folder)
        self.notes += [f"{chapter.key}: {note.text}" for chapter in book.chapters for note in chapter.notes]
        if self.pdf:
            try:
                render_pdf(book, result.folder / PDF_NAME)
            except MissingToolError as error:
                self.notes.append(f"no PDF: {error}")


def publish(
    params: Path,
    *,
    firm: str | None = None,
    as_of: str | None = None,
    out: Path = Path("reports"),
    jobs: int | None = None,
    resume: bool = False,
    pdf: bool | None = None,
    on_event: runs.OnEvent | None = None,
) -> Published:
    """Run a params file's notebooks and render the book; what is not given is the params file's.

    A failed notebook does not stop the others: its chapter says where it failed, and there is no PDF. Raises
    `ParameterError` and `FirmDataError` before anything runs.
    """
    request = runs.load_book(params)
    root = project_root(params.resolve().parent)
    opened = open_at(firm or request.firm)
    changed = opened.verify()
    opened = open_at(opened.folder, as_of or request.as_of)
    plan = runs.plan(
        replace(request, pdf=request.pdf if pdf is None else pdf),
        firm_path=opened.folder.resolve(),
        firm_hash=opened.content_hash,
        firm_tables=opened.hashes,
        as_of=str(opened.as_of.date()),
        notebooks=root / "notebooks",
        out=out,
        lock=root / LOCK_NAME,
    )
    renderer = _Renderer(opened.name, plan.book.pdf)
    if changed:
        renderer.notes.append(f"changed since the firm was sealed, and sound: {', '.join(changed)}")
    result = runs.run(
        plan, clock=lambda: datetime.now(UTC), on_event=on_event, jobs=jobs, resume=resume, render=renderer, code=root
    )
    if not result.succeeded:
        render_html(_book(result, opened.name), result.folder)
    printed = result.folder / PDF_NAME
    return Published(result, result.folder / "index.html", printed if printed.exists() else None, tuple(renderer.notes))


def _book(result: runs.RunResult, firm_name: str) -> Book:
    plan = result.plan
    chapters = []
    for outcome in result.outcomes:
        notebook = json.loads(outcome.path.read_text()) if outcome.path is not None else None
        failure = "" if outcome.succeeded else outcome.sentence()
        chapters.append(Chapter.from_notebook(outcome.key, notebook, title=outcome.title, failure=failure))
    return Book(
        title=plan.book.title,
        subtitle=plan.book.subtitle,
        firm_name=firm_name,
        as_of=plan.as_of,
        chapters=tuple(chapters),
        run=(
            ("Run", plan.run_key[:16]),
            ("Book of record", plan.firm_hash[:16]),
            ("Exact versions", plan.lock_hash[:16]),
            ("Workbench", __version__),
        ),
    )
