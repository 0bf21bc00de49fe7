"""Shows a run as it goes: bars on a terminal, one line a step in a log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from workbench.runs import RunEvent


@contextmanager
def bars(console: Console) -> Iterator[Callable[[RunEvent], None]]:
    """Draw one bar a notebook, its cells as steps."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description:<12}"),
        BarColumn(),
        TextColumn("{task.fields[state]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        tasks = {}

        def show(event: RunEvent) -> None:
            if event.notebook not in tasks:
                tasks[event.notebook] = progress.add_task(event.notebook, total=None, state="starting")
            if event.kind == "cell":
                progress.update(
                    tasks[event.notebook], total=event.cells, completed=event.cell - 1, state=f"cell {event.cell}"
                )
            if event.kind == "finished":
                progress.update(tasks[event.notebook], total=1, completed=1, state=_outcome(event))

        yield show


@contextmanager
def log_lines(write: Callable[[str], None]) -> Iterator[Callable[[RunEvent], None]]:
    """Write one line as each notebook ends."""

    def show(event: RunEvent) -> None:
        if event.kind == "finished":
            write(f"{event.notebook}: {_outcome(event)} ({event.seconds:.1f} s)")

    yield show


def _outcome(event: RunEvent) -> str:
    return "done" if event.verdict is None or event.verdict.succeeded else "failed"
