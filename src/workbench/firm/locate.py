"""Finds the firm that a notebook, a params file or a command names: a folder, or the word `demo`.

The demo firm is built once, on first use, under `build/` of the project; its folder is named by a hash of the
builder's source, so that it never outlives the code that made it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pandas as pd

from workbench.errors import ParameterError
from workbench.firm.history import at
from workbench.firm.snapshot import Firm, open_firm

DEMO = "demo"


def open_at(name: Path | str, as_of: pd.Timestamp | str | None = None) -> Firm:
    """Open the firm called `name` as of a day; None or "latest" is the snapshot's own day.

    Raises `NotAFirmError`, `FirmDataError` for an as-of date outside the data, `ParameterError` for text that is not
    a date.
    """
    firm = open_firm(locate(name))
    if as_of is None or as_of == "latest":
        return firm
    try:
        day = pd.Timestamp(as_of)
    except ValueError:
        day = pd.NaT
    if day is pd.NaT:
        raise ParameterError(f"as_of {as_of!r} is not a date; write it as 2022-12-28", "as_of")
    return at(firm, day)


def locate(name: Path | str) -> Path:
    """Return the folder of a firm; `demo` is built where it is not there yet."""
    if str(name) != DEMO:
        return Path(name)
    folder = project_root() / "build" / f"demo-firm-{_builder_hash()[:8]}"
    if not folder.exists():
        from workbench.firm.demo import build_firm

        build_firm(folder)
    return folder


def project_root(start: Path | None = None) -> Path:
    """Return the checkout that `start` (the current folder by default) lies in: the one with notebooks and params.

    Raises `ParameterError` outside a checkout.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "notebooks").is_dir() and (folder / "pyproject.toml").is_file():
            return folder
    raise ParameterError(f"{here} is not inside a workbench checkout; change to one, or give the firm's folder")


def _builder_hash() -> str:
    sources = sorted((Path(__file__).parent / "demo").glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
