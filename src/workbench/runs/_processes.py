"""Ending processes with everything they started."""

from __future__ import annotations


def kill_descendants(pid: int) -> None:
    """Kill every process below this one, also those in sessions of their own."""
    import psutil

    try:
        descendants = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return
    for process in descendants:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
