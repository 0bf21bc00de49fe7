"""A measurement in a process of its own, so that its peak memory and its imports are its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def run_child(module: str, *arguments: str) -> dict[str, float]:
    """Run `python -m benchmarks.MODULE ARGUMENTS` and return the JSON object it prints.

    Raises `CalledProcessError` where it fails; what it says on its error stream is shown.
    """
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1])
    result: dict[str, float] = json.loads(done.stdout)
    return result
