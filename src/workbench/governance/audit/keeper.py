"""The keeper takes a checkpoint when one is due, and raises the alarm where it cannot; it never undoes an act.

store = open_store(url)
keep(store, Checkpoints(folder, key))
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from workbench.errors import StoreError, WorkbenchError
from workbench.governance.audit.checkpoint import Checkpoint, Checkpoints
from workbench.governance.audit.record import Entry, Record
from workbench.governance.commands import Command
from workbench.governance.states import Action
from workbench.governance.unit import Done, Unit

if TYPE_CHECKING:
    from workbench.governance.access import Actor
    from workbench.governance.handlers_of import Handlers
    from workbench.governance.store import Store

#: Acts after which a checkpoint is taken at once.
AT_ONCE = frozenset({Action.RELEASE, Action.RELEASE_PAPER, Action.CHECKPOINT, Action.EXPORT_AUDIT})
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TakeCheckpoint(Command):
    """Sign the trail as it stands; the record of this act is the last one that is signed."""

    action: ClassVar[Action] = Action.CHECKPOINT
    reason: str


class Keeper:
    """Told of every committed record: after a release, after a command, and at the latest every n records it signs.

    Several processes may each have one; whichever is first signs for all.
    """

    def __init__(self, store: Store, checkpoints: Checkpoints) -> None:
        self.store = store
        self.checkpoints = checkpoints
        self._reached = 0

    def after(self, record: Record) -> None:
        """Take a checkpoint where one is due. What goes wrong is recorded and said, never raised: the act stands."""
        said = json.loads(record.body)
        if said["action"] not in AT_ONCE and record.sequence - self._reached < self.checkpoints.every:
            return
        self._reached = record.sequence  # also where it fails: the next try is at the next release, or n records on
        try:
            self.take(said["at"])
        except (WorkbenchError, OSError) as error:
            self._alarm(error)

    def take(self, at: str) -> Checkpoint | None:
        """Take a checkpoint now. Raises `AuditError` and `StoreError` as `Checkpoints.take` does."""
        return self.checkpoints.take(self.store.reading, at)

    def _alarm(self, error: Exception) -> None:
        """Leave a record and a message. The text of the error stays in the log: it may name paths of the machine."""
        _log.error("no checkpoint was taken: %s", error)
        kind = type(error).__name__
        try:
            with self.store.writing() as unit:
                unit.append(failure(kind))
                unit.say("audit.checkpoint_failed", {"error": kind})
        except StoreError as worse:
            _log.error("the failed checkpoint was not recorded either: %s", worse)


def keep(store: Store, checkpoints: Checkpoints) -> Keeper:
    """Have a store's records signed outside its database from now on."""
    keeper = Keeper(store, checkpoints)
    store.checkpoints = keeper
    return keeper


def failure(kind: str) -> Entry:
    """Return the record of a checkpoint that could not be taken."""
    return Entry(
        action=Action.CHECKPOINT,
        outcome="refused",
        object_kind="trail",
        object_id="checkpoint",
        object_version=0,
        actor="keeper",
        actor_kind="service",
        roles=(),
        details={"error": kind},
    )


def _take(unit: Unit, actor: Actor, command: TakeCheckpoint) -> Done:
    return Done("trail", "checkpoint", reason=command.reason, details={"records_before": unit.head.sequence})


HANDLERS: Handlers = {TakeCheckpoint: _take}
