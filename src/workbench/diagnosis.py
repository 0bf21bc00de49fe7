"""What is installed, what a firm's folder holds, and what is wrong with either: the text of `workbench doctor`."""

from __future__ import annotations

import csv
import ctypes.util
import os
import platform
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from workbench import __version__, market
from workbench.errors import BadRow, ParameterError
from workbench.firm import Firm, open_at

#: What each optional part needs, and what it is for.
_PARTS = {
    "report": ("the book", ("papermill", "ipykernel", "plotly", "jinja2", "weasyprint", "kaleido")),
    "demo": ("the demo firm's prices", ("skfolio",)),
    "copilot": ("advisors' questions", ("bm25s", "jinja2")),
    "llm": ("drafts in a language model's words", ("httpx",)),
    "compare": ("comparison tearsheets", ("quantstats",)),
    "rl": ("learned policies", ("gymnasium", "stable-baselines3", "torch")),
    "lab": ("JupyterLab", ("jupyterlab",)),
    "test": ("the tests", ("pytest", "nbval", "playwright")),
}
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
#: Findings listed by name; the data quality chapter lists all.
_SHOWN_FINDINGS = 20


@dataclass(frozen=True)
class Check:
    """One line of the diagnosis: what was looked for, what was found, and the command that mends it."""

    name: str
    found: str
    remedy: str = ""

    def __str__(self) -> str:
        line = f"  {'ok' if not self.remedy else '--':<3} {self.name:<12} {self.found}"
        return f"{line}: {self.remedy}" if self.remedy else line


def installed() -> str:
    """What this machine has of what the workbench can use, and how to install the rest."""
    checks = [Check("python", platform.python_version()), *map(_part, _PARTS), _pango(), _browser(), _uv()]
    return "\n".join([f"workbench {__version__}", *map(str, checks)])


def firm_report(name: str) -> str:
    """What a firm holds and what is wrong with it; raises `FirmDataError` where it would be rejected.

    Control characters in the firm's names are spelled out, for they could rewrite what a terminal shows.
    """
    from workbench.firm.reconcile import reconcile

    firm = open_at(name)
    changed = firm.verify()
    findings = reconcile(firm, sessions=market.sessions_of(firm.table("prices")))
    lines = ["", _holds(firm)]
    if changed:
        lines.append(f"  changed since it was sealed: {', '.join(changed)} (sound; seal it again to record them)")
    counts = ", ".join(f"{count} {severity}" for severity, count in findings.counts.items())
    lines += ["", f"Findings: {counts}"]
    for finding in list(findings)[:_SHOWN_FINDINGS]:
        lines.append(f"  {finding.severity:<8} {finding.title}. {finding.detail} To do: {finding.remedy}.")
    if len(findings) > _SHOWN_FINDINGS:
        lines.append(f"  ... and {len(findings) - _SHOWN_FINDINGS} more; the data quality chapter lists all")
    return _printable("\n".join(lines))


def write_rows(rows: Sequence[BadRow], path: Path) -> None:
    """Write failing rows as CSV; text a spreadsheet would run as a formula is quoted with an apostrophe.

    Raises `ParameterError` where there is no folder for the file.
    """
    if not path.resolve().parent.is_dir():
        raise ParameterError(f"--rows {path}: there is no folder {path.parent}; create it first", "rows")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["table", "row", "key", "column", "value", "problem", "remedy"])
        for row in rows:
            texts = (row.table, row.row, row.key, row.column, row.value, row.problem, row.remedy)
            writer.writerow([_inert(str("" if text is None else text)) for text in texts])


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def _inert(text: str) -> str:
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def _holds(firm: Firm) -> str:
    rows = "\n".join(f"    {name:<18} {count:>12,}" for name, count in firm.rows.items())
    return f"{firm.name} ({firm.folder})\n  as of {firm.as_of.date()}, content {firm.content_hash[:12]}\n{rows}"


def _part(extra: str) -> Check:
    purpose, packages = _PARTS[extra]
    found, missing = [], []
    for package in packages:
        try:
            found.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            missing.append(package)
    if missing:
        install = f"pip install -c requirements.lock -e '.[{extra}]'"
        return Check(extra, f"{purpose}: {', '.join(missing)} not installed", install)
    return Check(extra, ", ".join(found))


def _pango() -> Check:
    library = ctypes.util.find_library("pango-1.0") or ctypes.util.find_library("libpango-1.0-0")
    remedy = "apt install libpango-1.0-0 libpangoft2-1.0-0, or brew install pango"
    return Check("pango", library) if library else Check("pango", "not found, so there is no PDF", remedy)


def _browser() -> Check:
    path = os.environ.get("BROWSER_PATH") or next(filter(None, map(shutil.which, _BROWSERS)), None)
    remedy = "apt install chromium, or set BROWSER_PATH"
    return (
        Check("browser", str(path)) if path else Check("browser", "no Chrome or Chromium, so there is no PDF", remedy)
    )


def _uv() -> Check:
    path = shutil.which("uv")
    return Check("uv", str(path) if path else "not found; pip does the same, more slowly")
