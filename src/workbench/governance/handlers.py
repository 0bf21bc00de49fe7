"""Which function carries out which command: one dictionary, put together from each room's own."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from workbench.errors import DecisionError
from workbench.governance.commands import Command
from workbench.governance.handlers_of import Handler, Handlers

#: Modules with a HANDLERS of their own.
MODULES = (
    "approvals", "audit.export", "audit.holds", "audit.keeper", "audit.retention", "break_glass", "confirmation",
    "control_changes", "delegations", "drafts", "escalations", "expiry", "inputs", "measures.handlers", "papers",
    "people", "release", "rollout", "rule_changes", "submission",
)  # fmt: skip


@cache
def _every() -> Handlers:
    """Return all handlers; made when first asked for, because most of these modules import the store."""
    found: Handlers = {}
    for name in MODULES:
        found.update(import_module(f"workbench.governance.{name}").HANDLERS)
    return found


def handler(kind: type[Command]) -> Handler:
    """Return what carries out a kind of command. Raises `DecisionError` for one that nothing does."""
    if kind not in _every():
        raise DecisionError(f"nothing here carries out {kind.__name__}; it is not a command of this version")
    return _every()[kind]
