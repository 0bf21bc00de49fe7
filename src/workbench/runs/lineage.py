"""The lineage of a run: every input by its hash, and what it ran on, so that a figure can be walked back."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import workbench
from workbench.runs.plan import RunPlan

#: The packages that make the numbers and the pages.
_PACKAGES = (
    "duckdb", "ipykernel", "kaleido", "nbclient", "numba", "numpy", "pandas", "papermill", "plotly", "pyarrow",
    "scikit-learn", "scipy", "skfolio", "weasyprint",
)  # fmt: skip


def lineage(
    plan: RunPlan, notebook_hashes: Mapping[str, str], seconds: Mapping[str, float], commit: str | None
) -> dict[str, Any]:
    """The lineage as plain data. Hashes are sha256; `seconds` is each notebook's duration, `commit` the code's."""
    return {
        "book": plan.book.book,
        "as_of": plan.as_of,
        "run_key": plan.run_key,
        "inputs": {
            "firm": plan.firm_hash,
            "firm_tables": dict(sorted(plan.firm_tables.items())),
            "params": plan.book.file_hash,
            "lock": plan.lock_hash,
            "package": plan.package_hash,
        },
        "notebooks": [
            {
                "key": notebook.key,
                "source": notebook.source_hash,
                "parameters": dict(notebook.parameters),
                "run_key": notebook.run_key,
                "executed": notebook_hashes.get(notebook.key),
                "seconds": round(seconds.get(notebook.key, 0.0), 3),
            }
            for notebook in plan.notebooks
        ],
        "seeds": {"PYTHONHASHSEED": 0, **_seeds(plan)},
        "software": {
            "workbench": workbench.__version__,
            "commit": commit,
            "python": platform.python_version(),
            "packages": {name: version for name in _PACKAGES if (version := _version(name)) is not None},
        },
    }


def _seeds(plan: RunPlan) -> dict[str, Any]:
    """Every parameter named as a seed, by notebook."""
    return {
        f"{notebook.key}.{name}": value
        for notebook in plan.notebooks
        for name, value in notebook.parameters.items()
        if name.endswith("seed")
    }


def git_commit(folder: Path) -> str | None:
    """The commit a checkout stands on, with "+changes" where files differ from it; None outside a checkout."""
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return None
    return f"{commit}+changes" if changed else commit


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=10).stdout.strip()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
