"""How two JSON documents differ, whatever they mean: what a person changed between what was drafted and what leaves.

{"from": hash, "to": hash, "changes": [{"path": "/trades", "removed": [...], "added": [...]},
                                       {"path": "/cost", "before": 12.5, "after": 9.0}]}
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from workbench.canonical import canonical
from workbench.errors import ParameterError
from workbench.governance.commands import Document

#: Deeper than any package nests; what lies below is compared as a whole.
_DEEPEST = 12


def difference(before: tuple[str, bytes], after: tuple[str, bytes]) -> Document:
    """Return the difference of two documents, each its hash and its bytes, as a document of its own.

    Lists are compared as collections: a trade that was taken out is one entry removed, not all after it changed. A
    document that is no JSON differs as a whole.
    """
    one, other = _read(before[1]), _read(after[1])
    changes = list(_changes("", one, other, 0))
    body = canonical({"from": before[0], "to": after[0], "changes": changes})
    return Document("difference", "application/json", body)


def _read(body: bytes) -> Any:
    try:
        said = json.loads(body)
        canonical(said)
    except (ValueError, RecursionError, ParameterError):
        return None
    return said


def _changes(path: str, before: Any, after: Any, depth: int) -> Iterator[dict[str, Any]]:
    if canonical(before) == canonical(after):
        return
    if isinstance(before, dict) and isinstance(after, dict) and depth < _DEEPEST:
        for name in sorted(before.keys() | after.keys()):
            place = f"{path}/{name.replace('~', '~0').replace('/', '~1')}"  # RFC 6901
            if name not in after:
                yield {"path": place, "before": before[name]}
            elif name not in before:
                yield {"path": place, "after": after[name]}
            else:
                yield from _changes(place, before[name], after[name], depth + 1)
    elif isinstance(before, list) and isinstance(after, list):
        yield {"path": path, "removed": _without(before, after), "added": _without(after, before)}
    else:
        yield {"path": path, "before": before, "after": after}


def _without(items: list[Any], others: list[Any]) -> list[Any]:
    """The items that the others do not hold, as often as they do not."""
    left = Counter(canonical(item) for item in others)
    found = []
    for item in items:
        name = canonical(item)
        left[name] -= 1
        if left[name] < 0:
            found.append(item)
    return found
