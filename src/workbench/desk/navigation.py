"""The pages of the header, shown to those who may open them; each page asks again for itself."""

from __future__ import annotations

from collections.abc import Callable

from workbench.governance.states import Action

#: Key, path, label, and the act on the firm that opens the page (None: everybody who is signed in).
PAGES: tuple[tuple[str, str, str, Action | None], ...] = (
    ("queue", "/queue", "Queue", Action.VIEW),
    ("papers", "/papers", "Papers", Action.READ_PAPERS),
    ("ask", "/ask", "Ask", Action.READ_ESCALATIONS),
    ("escalations", "/escalations", "Questions", Action.READ_ESCALATIONS),
    ("exceptions", "/exceptions", "Exceptions", Action.VIEW),
    ("library", "/library", "Library", Action.READ_LIBRARY),
    ("measures", "/measures", "Measures", Action.READ_MEASURES),
    ("audit", "/audit", "Audit trail", Action.READ_AUDIT),
    ("people", "/people", "People", Action.READ_PEOPLE),
    ("controls", "/controls", "Controls", None),
)


def entries(may: Callable[[Action], bool]) -> list[tuple[str, str, str]]:
    """Return key, path and label of the pages a person may open, in the header's order."""
    return [(key, path, label) for key, path, label, action in PAGES if action is None or may(action)]
