"""What a notebook must be before it may run: plain Python, no shell, no cells that hide their own failure.

A cell that does not parse as Python is refused here, before a kernel starts. That covers `!command`, `%%bash` and
every other magic at one stroke: `!false` counts as success in a notebook, so a shell line can never be verified.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from workbench.errors import EXIT_BAD_INPUT, RunError
from workbench.runs.parameters import source_of

#: Tags that make an execution skip a cell or forgive its error.
_HIDING_TAGS = frozenset({"raises-exception", "skip-execution"})
#: Tags by which the execution itself adds cells; a source notebook that has them was saved after a run.
_INJECTED_TAGS = frozenset({"injected-parameters"})


def check_policy(notebook: Mapping[str, Any], name: str) -> None:
    """Raise RunError where a code cell of the notebook could fail without anyone seeing it.

    `notebook` is nbformat 4 JSON; cells are counted from 1, over all cells, as a reader counts them.
    """
    if notebook.get("nbformat") != 4 or not isinstance(notebook.get("cells"), list):
        raise _refused(name, 0, "is not a notebook of format 4", "save it with a current Jupyter")
    for number, cell in enumerate(notebook["cells"], start=1):
        tags = set(cell.get("metadata", {}).get("tags", []))
        if tags & _HIDING_TAGS:
            tag = min(tags & _HIDING_TAGS)
            raise _refused(name, number, f"is tagged {tag!r}, which hides a failure", "drop the tag")
        if tags & _INJECTED_TAGS:
            raise _refused(name, number, "was injected by an earlier run", "delete the cell")
        if cell["cell_type"] == "code":
            for problem in _problems(source_of(cell)):
                raise _refused(name, number, problem, "call a function of the package instead")


def _problems(source: str) -> Iterator[str]:
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    try:
        tree = compile(source, "<cell>", "exec", flags)
    except (SyntaxError, ValueError) as error:
        line = source.splitlines()[(getattr(error, "lineno", 1) or 1) - 1 :][:1] or [""]
        yield f"is not plain Python (no shell lines, no magics): {line[0].strip()[:60]!r}"
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == "get_ipython":
            yield "calls get_ipython(), which can run shell lines"
        if isinstance(node, ast.Name) and node.id in ("exit", "quit"):
            yield f"uses {node.id}, which ends a notebook early without an error"
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.system", "os.popen"):
            yield f"calls {ast.unparse(node)}, whose failure nobody sees"


def _refused(name: str, number: int, problem: str, remedy: str) -> RunError:
    where = f"cell {number} of notebook {name}" if number else f"notebook {name}"
    return RunError(f"{where} {problem}; {remedy}.", EXIT_BAD_INPUT)
