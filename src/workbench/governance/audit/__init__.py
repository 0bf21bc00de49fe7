"""The audit trail: records in a chain, checkpoints outside the database, their verification.

Holds, retention, export and the keeper that takes checkpoints act through the store; they are imported by their own
names (`audit.retention`, ...), because the store itself needs this room.
"""

from workbench.governance.audit.chain import TrailFinding
from workbench.governance.audit.checkpoint import Checkpoint, Checkpoints
from workbench.governance.audit.keys import new_key, public_of
from workbench.governance.audit.verify import TrailReport, verify_store, verify_trail

__all__ = [
    "Checkpoint",
    "Checkpoints",
    "TrailFinding",
    "TrailReport",
    "new_key",
    "public_of",
    "verify_store",
    "verify_trail",
]
