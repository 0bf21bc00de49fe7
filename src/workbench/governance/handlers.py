"""Which function carries out which command: one dictionary, put together from each room's own."""

from __future__ import annotations

from importlib import import_module

from workbench.errors import DecisionError
from workbench.governance.commands import Command
from workbench.governance.handlers_of import Handler, Handlers

#: Modules with a HANDLERS of their own.
MODULES = (
    "approvals", "audit.export", "audit.holds", "audit.keeper", "audit.retention", "break_glass", "control_changes",
    "delegations", "drafts", "expiry", "inputs", "measures.handlers", "people", "release", "rollout", "submission",
)  # fmt: skip

_known: Handlers = {}


def handler(kind: type[Command]) -> Handler:
    """Return what carries out a kind of command. Raises `DecisionError` for one that nothing does."""
    if not _known:
        for name in MODULES:  # imported when first asked for: most of these modules import the store
            _known.update(import_module(f"workbench.governance.{name}").HANDLERS)
    if kind not in _known:
        raise DecisionError(f"nothing here carries out {kind.__name__}; it is not a command of this version")
    return _known[kind]
