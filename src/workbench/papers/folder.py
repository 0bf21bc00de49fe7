"""Drafts written into one folder, named by their content: pages, PDFs, e-mails, Markdown, an index and the records.

The same drafts give the same folder with the same bytes; a second run finds it whole and writes nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from markupsafe import Markup

from workbench import __version__
from workbench.canonical import canonical
from workbench.drafting import Draft
from workbench.errors import DraftError
from workbench.papers.mail import render_mail
from workbench.papers.markdown import render_markdown
from workbench.papers.pages import (
    CONTENT_SECURITY_POLICY,
    heading,
    render_html,
    render_pdf,
    screen_style,
    template,
    verdict,
)
from workbench.papers.record import record
from workbench.papers.release import Release, check, state
from workbench.report.fonts import write_faces
from workbench.report.pool import write_in_chunks

Form = Literal["html", "pdf", "eml", "md"]
RECORD = "papers.json"
#: The forms of a kind of paper that is sent by mail; any other is a page, a print and Markdown.
MAILED: Mapping[str, tuple[Form, ...]] = {
    "client_email": ("html", "eml"),
    "notice": ("html", "pdf", "eml", "md"),
    "alert": ("html", "eml", "md"),
}
FORMS: tuple[Form, ...] = ("html", "pdf", "md")
#: Papers a worker takes at a time: enough that passing them costs nothing, few enough that all end together.
_CHUNK = 16
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True)
class WrittenPapers:
    """Where papers lie: their folder, its index page, how many, and whether they were there already."""

    folder: Path
    index: Path
    papers: int
    reused: bool


@dataclass(frozen=True)
class Filed:
    """A draft on its way into a folder: the stem of its files' names, its release if any, the forms it takes."""

    stem: str
    draft: Draft
    release: Release | None
    forms: tuple[Form, ...]

    @property
    def line(self) -> dict[str, object]:
        """What the folder's record and index say of it."""
        draft = self.draft
        return {
            "file": self.stem, "kind": draft.kind, "key": draft.key, "title": heading(draft),
            "state": state(self.release), "verdict": verdict(draft), "supported": draft.report.supported,
            "words": len(draft.text.split()), "text": draft.hash, "facts": draft.sheet.hash,
            "made": [draft.made.name, draft.made.name_hash], "forms": list(self.forms),
            "release": asdict(self.release) if self.release else None,
        }  # fmt: skip


def write_papers(
    out: Path,
    drafts: Iterable[Draft],
    *,
    title: str = "Drafts",
    releases: Mapping[str, Release] | None = None,
    pdf: bool = True,
    workers: int = 1,
) -> WrittenPapers:
    """Write drafts into a folder of their own under `out`; `releases` by the hash of the text they let go.

    The bytes do not depend on `workers`, the number of processes. Raises `DraftError` where there is no draft, two of
    one kind and key, or a release that does not hold; `MissingToolError` where a PDF's library is not installed.
    """
    filed = _filed(list(drafts), releases or {}, pdf)
    lines = [one.line for one in filed]
    day = max(one.draft.sheet.as_of for one in filed)
    content = canonical({"workbench": __version__, "title": title, "papers": lines})
    folder = out / f"drafts-{day}-{hashlib.sha256(content).hexdigest()[:8]}"
    if _is_whole(folder):
        return WrittenPapers(folder, folder / "index.html", len(filed), reused=True)
    aside = out / f".{folder.name}.{os.getpid()}"
    try:
        _write(aside, filed, title, workers)
        if folder.exists():
            shutil.rmtree(folder)
        aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return WrittenPapers(folder, folder / "index.html", len(filed), reused=False)


def _filed(drafts: Sequence[Draft], releases: Mapping[str, Release], pdf: bool) -> list[Filed]:
    """Drafts with the names of their files, in the order they came. Raises as `write_papers`."""
    if not drafts:
        raise DraftError("there is nothing to draft: the book, household or advisor asked for has no accounts")
    papers = Counter((draft.kind, draft.key) for draft in drafts)
    if twice := [paper for paper, count in papers.items() if count > 1]:
        raise DraftError(f"there are two drafts of {twice[0][0]} {twice[0][1]!r}; write one of them")
    seen: set[str] = set()
    filed = []
    for draft in drafts:
        release = releases.get(draft.hash)
        check(draft, release)
        plain = f"{draft.key}-{draft.kind}"
        if not _PLAIN.fullmatch(plain) or plain.lower() in {*seen, "index"}:
            letters = re.sub(r"[^A-Za-z0-9_-]+", "_", plain)[:48]
            plain = f"{letters}-{hashlib.sha256(f'{draft.kind}/{draft.key}'.encode()).hexdigest()[:12]}"
        seen.add(plain.lower())
        forms = MAILED.get(draft.kind, FORMS)
        filed.append(Filed(plain, draft, release, tuple(form for form in forms if pdf or form != "pdf")))
    return filed


def _write(folder: Path, filed: Sequence[Filed], title: str, workers: int) -> None:
    (folder / "records").mkdir(parents=True)
    fonts = write_faces(folder)
    write_in_chunks(_write_some, folder, filed, fonts, workers=workers, chunk=_CHUNK)
    page = template("paper_index.html").render(
        title=title,
        papers=[one.line for one in filed],
        style=Markup(screen_style(fonts)),
        csp=CONTENT_SECURITY_POLICY,
    )
    _put(folder / "index.html", page.encode())
    files = {str(path.relative_to(folder)): _hash(path) for path in sorted(folder.rglob("*")) if path.is_file()}
    kept = {"workbench": __version__, "title": title, "papers": [one.line for one in filed], "files": files}
    _put(folder / RECORD, (json.dumps(kept, indent=2, sort_keys=True) + "\n").encode())


def _write_some(folder: Path, filed: Sequence[Filed], fonts: str) -> None:
    """Write a worker's next papers."""
    for one in filed:
        _put(folder / "records" / f"{one.stem}.json", record(one.draft))
        for form in one.forms:
            _put(folder / f"{one.stem}.{form}", _rendered(one, form, fonts))


def _rendered(one: Filed, form: Form, fonts: str) -> bytes:
    if form == "html":
        return render_html(one.draft, release=one.release, fonts=fonts).encode()
    if form == "pdf":
        return render_pdf(one.draft, release=one.release)
    if form == "eml":
        return render_mail(one.draft, release=one.release)
    return render_markdown(one.draft, release=one.release).encode()


def _is_whole(folder: Path) -> bool:
    """Whether a folder holds exactly what its record says: anything changed, missing or broken is written again."""
    try:
        files = json.loads((folder / RECORD).read_text(encoding="utf-8"))["files"]
        return all(_hash(folder / name) == expected for name, expected in files.items())
    except (OSError, ValueError, KeyError):
        return False


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _put(path: Path, content: bytes) -> None:
    path.write_bytes(content)
