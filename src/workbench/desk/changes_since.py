"""What happened to a signal since somebody looked at it: for the page that refuses a stale decision."""

from __future__ import annotations

from fastapi import Request
from sqlalchemy import select

from workbench.errors import WorkbenchError
from workbench.governance.access import visible
from workbench.governance.commands import SignalCommand
from workbench.governance.tables import audit, person, signal


def read(request: Request) -> list[dict[str, str]]:
    """Return the acts on the signal after the version that was shown, newest first, if the person may see it."""
    visit = getattr(request.state, "visit", None)
    command = getattr(request.state, "command", None)
    if visit is None or not isinstance(command, SignalCommand):
        return []
    newest_first = (
        select(audit.c.at, audit.c.action, person.c.name, audit.c.actor)
        .join(signal, signal.c.signal_id == audit.c.object_id)
        .outerjoin(person, person.c.person_id == audit.c.actor)
        .where(audit.c.object_kind == "signal", audit.c.object_id == command.signal_id, audit.c.outcome == "done")
        .where(visible(visit.actor, signal.c.book))
        .order_by(audit.c.sequence.desc())
        .limit(5)
    )
    try:
        with visit.reading() as connection:
            rows = connection.execute(newest_first).all()
    except WorkbenchError:  # the page is about the stale decision; it stands without this list
        return []
    return [{"at": row.at, "action": row.action, "who": row.name or row.actor} for row in rows]
