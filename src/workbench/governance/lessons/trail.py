"""What the audit trail says about signals: when each was submitted, approved and ended; and who acted in which role."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime

from sqlalchemy import Connection, select

from workbench.governance.tables import audit
from workbench.governance.tables import read as moment

#: How a signal may have ended by the day of the export.
ENDS = {"release": "released", "reject": "rejected", "expire": "expired", "supersede": "superseded"}
#: The roles by which an act was done, by signal or paper, act, person and moment.
Roles = dict[tuple[str, str, str, str], str]
_ACTS = ("submit", "approve", *ENDS)


def read_trail(
    connection: Connection, stamp: str
) -> tuple[dict[str, dict[str, list[datetime]]], Roles, dict[str, list[str]]]:
    """Return when each signal was submitted, approved and ended up to a moment; by which roles; its pre-flights."""
    times: dict[str, dict[str, list[datetime]]] = defaultdict(lambda: defaultdict(list))
    roles: Roles = {}
    checks: dict[str, list[str]] = defaultdict(list)
    query = select(audit.c.object_id, audit.c.actor, audit.c.action, audit.c.at, audit.c.body).where(
        audit.c.object_kind.in_(("signal", "paper")), audit.c.outcome == "done", audit.c.at <= stamp
    )
    for row in connection.execute(query.order_by(audit.c.sequence)):
        if row.action in _ACTS:
            times[row.object_id][row.action].append(moment(row.at))
        body = json.loads(row.body)
        roles[row.object_id, row.action, row.actor, row.at] = "+".join(body["roles"])
        if row.action == "check" and "preflight" in body["documents"]:
            checks[row.object_id].append(body["documents"]["preflight"])
    return times, roles, checks
