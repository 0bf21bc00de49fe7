"""Decisions: signals and their states, who may do what, approvals, the audit trail, the outbox."""

from workbench.governance.access import Actor, Grant, Who
from workbench.governance.controls import Controls
from workbench.governance.database import migrate, open_engine
from workbench.governance.store import Checkpoints, Store, open_store
from workbench.governance.unit import Done, Unit

__all__ = [
    "Actor",
    "Checkpoints",
    "Controls",
    "Done",
    "Grant",
    "Store",
    "Unit",
    "Who",
    "migrate",
    "open_engine",
    "open_store",
]
