"""The book as web pages: one folder that opens from disk and asks no other host for anything."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import resources
from pathlib import Path

from jinja2 import Environment

from workbench.report import format as fmt
from workbench.report import theme, view
from workbench.report._preview import cell_text, heading_text
from workbench.report.book import Book, RenderedPages
from workbench.report.environment import escaping_environment
from workbench.report.exhibit import Badge, FactRef, Link, Missing, Strong
from workbench.report.fonts import FACES

#: Styles may be inline because plotly sets them on what it draws; scripts may not, and nothing may be fetched.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'"
)


@dataclass(frozen=True)
class Assets:
    """The files beside the pages, by their names relative to the book's folder."""

    style: str
    script: str
    plotly: str


def render_html(book: Book, folder: Path) -> RenderedPages:
    """Write the book's pages and assets into `folder` (made if need be) and return where they lie.

    Raises `ExhibitError` where two exhibits disagree about a fact, before anything is written.
    """
    book.facts()
    chapters = view.view_book(book)
    places = view.known_places(chapters)
    folder.mkdir(parents=True, exist_ok=True)
    assets, files = _write_assets(folder)
    common = {"book": book, "chapters": chapters, "assets": assets, "csp": CONTENT_SECURITY_POLICY}
    common |= {"anchor": str, "dark_by_light": view.script_json(theme.dark_by_light())}

    environment = make_environment()
    pages = [folder / "index.html"]
    index = environment.get_template("index.html")
    _write(pages[0], index.render(**common, page="index.html", href=partial(_href, places, "index.html")))
    template = environment.get_template("chapter.html")
    for chapter in chapters:
        page = f"{chapter.chapter.key}.html"
        pages.append(folder / page)
        _write(pages[-1], template.render(**common, current=chapter, page=page, href=partial(_href, places, page)))
    return RenderedPages(pages[0], tuple(pages), tuple(files))


def make_environment() -> Environment:
    """Return the template environment: everything escaped, an unknown name an error, control characters spelt out."""
    environment = escaping_environment("workbench.report")
    kinds = {"FactRef": FactRef, "Link": Link, "Badge": Badge, "Missing": Missing, "Strong": Strong}
    for name, kind in kinds.items():
        environment.tests[f"a_{name.lower()}"] = _test_of(kind)
    environment.globals |= {
        "cell_text": cell_text,
        "heading_text": heading_text,
        "sort_value": view.sort_value,
        "table_fit": view.table_fit,
        "table_keeps": view.table_keeps,
        "column_fits": view.column_fits,
        "markdown_html": view.markdown_html,
        "figure_json": lambda body: view.script_json(view.figure_payload(body)),
        "facts_of": lambda exhibit: {fact.id: fact for fact in exhibit.facts},
        "has_figures": lambda chapter: any(block.kind == "figure" for block in chapter.blocks),
        "long_date": fmt.long_date,
        "MISSING": fmt.MISSING,
    }
    return environment


def stylesheet(fonts: str, *, names: tuple[str, ...] = ("house.css",)) -> str:
    """Return the CSS of the given asset files, after the font rules and the colour tokens."""
    light, dark = theme.css_tokens(dark=False), theme.css_tokens(dark=True)
    tokens = (
        f":root{{color-scheme:light;{light}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root:not([data-theme=light]){{color-scheme:dark;{dark}}}}}\n"
        f"@media screen{{:root[data-theme=dark]{{color-scheme:dark;{dark}}}}}\n"
    )
    return fonts + tokens + "".join(asset(name) for name in names)


def _write_assets(folder: Path) -> tuple[Assets, list[Path]]:
    from plotly.offline import get_plotlyjs

    (folder / "assets").mkdir(exist_ok=True)
    files: list[Path] = []

    def put(stem: str, suffix: str, content: bytes) -> str:
        name = f"assets/{stem}-{hashlib.sha256(content).hexdigest()[:12]}.{suffix}"
        files.append(folder / name)
        files[-1].write_bytes(content)
        return name

    fonts = ""
    for face in FACES:
        path = face.path()
        name = put(path.stem.lower(), "otf", path.read_bytes())
        fonts += face.css(name.removeprefix("assets/"))
    style = put("house", "css", stylesheet(fonts, names=("house.css", "print.css")).encode())
    script = put("book", "js", asset("book.js").encode())
    plotly = put("plotly", "min.js", get_plotlyjs().encode())
    return Assets(style, script, plotly), files


def asset(name: str) -> str:
    """Return the text of a style or script file of the room."""
    return resources.files("workbench.report").joinpath("assets", name).read_text(encoding="utf-8")


def _href(places: dict[str, frozenset[str]], page: str, link: str) -> str | None:
    """Return the link where its target exists in the book, else None."""
    target, _, anchor = link.partition("#")
    known = places.get(target or page)
    return link if known is not None and (not anchor or anchor in known) else None


def _test_of(kind: type) -> Callable[[object], bool]:
    return lambda value: isinstance(value, kind)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
