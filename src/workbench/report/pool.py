"""Pages of a batch written by several processes: the same bytes from any number of them."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

Page = TypeVar("Page")


def write_in_chunks(
    write: Callable[[Path, Sequence[Page], str], None],
    folder: Path,
    pages: Sequence[Page],
    fonts: str,
    *,
    workers: int,
    chunk: int,
) -> None:
    """Call `write(folder, pages, fonts)` for each `chunk` of the pages; more than one worker means processes.

    `write` and pages must be picklable. Garbage is collected once a chunk, not while each page is laid out.
    """
    jobs = [(write, folder, pages[start : start + chunk], fonts) for start in range(0, len(pages), chunk)]
    if workers > 1 and len(jobs) > 1:
        # Fresh processes: a fork of one that has threads (numba, a notebook's kernel) may hang.
        with get_context("spawn").Pool(workers, initializer=gc.disable) as pool:
            pool.starmap(_write, jobs, chunksize=1)
    else:
        for job in jobs:
            _write(*job)


def _write(write: Callable[[Path, Sequence[Page], str], None], folder: Path, pages: Sequence[Page], fonts: str) -> None:
    write(folder, pages, fonts)
    gc.collect()
