"""All briefs of a firm in one folder: pages, PDFs, typefaces and an index in the order of the queue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from workbench.report.brief.page import BriefView
from workbench.report.brief.render import CONTENT_SECURITY_POLICY, render_both, screen_style, template
from workbench.report.exhibit import ExhibitError
from workbench.report.fonts import write_faces
from workbench.report.pool import write_in_chunks

#: Briefs a worker takes at a time: enough that passing them costs nothing, few enough that both end together.
_CHUNK = 8


@dataclass(frozen=True)
class WrittenBriefs:
    """Where a batch lies: its index page, and page and PDF of each brief in the order of the index."""

    index: Path
    pages: tuple[Path, ...]
    pdfs: tuple[Path, ...]


def write_briefs(
    folder: Path,
    briefs: Sequence[BriefView],
    *,
    title: str = "Household briefs",
    columns: Sequence[tuple[str, bool]] = (),
    workers: int = 2,
) -> WrittenBriefs:
    """Write every brief as HTML and PDF into `folder` (made if need be), with an index sorted by rank, then key.

    `columns` head the cells of each brief's line in the index (heading, whether figures). The bytes do not depend on
    `workers`, the number of processes. Raises `ExhibitError` where two briefs have one key or one cannot fit a page,
    `MissingToolError` where Pango or WeasyPrint is missing.
    """
    twice = [key for key, count in Counter(brief.key.lower() for brief in briefs).items() if count > 1]
    if twice:
        raise ExhibitError(f"two briefs would be written to one file: {', '.join(sorted(twice)[:5])}")
    folder.mkdir(parents=True, exist_ok=True)
    fonts = write_faces(folder)
    ordered = sorted(briefs, key=lambda brief: (brief.line.rank is None, brief.line.rank or 0, brief.key))
    write_in_chunks(_write_some, folder, ordered, fonts, workers=workers, chunk=_CHUNK)
    index = folder / "index.html"
    page = template("brief_index.html").render(
        title=title, columns=columns, briefs=ordered, style=Markup(fonts + screen_style()), csp=CONTENT_SECURITY_POLICY
    )
    index.write_text(page, encoding="utf-8", newline="\n")
    return WrittenBriefs(
        index,
        tuple(folder / f"{brief.key}.html" for brief in ordered),
        tuple(folder / f"{brief.key}.pdf" for brief in ordered),
    )


def _write_some(folder: Path, briefs: Sequence[BriefView], fonts: str) -> None:
    """Write a worker's next briefs."""
    for brief in briefs:
        rendered = render_both(brief, fonts)
        (folder / f"{brief.key}.html").write_text(rendered.html, encoding="utf-8", newline="\n")
        (folder / f"{brief.key}.pdf").write_bytes(rendered.pdf)
