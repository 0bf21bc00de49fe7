"""How many acts a second reach the disk, one commit each: records alone, and whole acts with rights, rows and answer.

python -m benchmarks.governance_appends
"""

from __future__ import annotations

import json
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from workbench.governance import Store, Who, open_store
from workbench.governance.audit.record import Entry
from workbench.governance.commands import Create, Document, Summary
from workbench.governance.states import Mode
from workbench.governance.tables import person, role_grant


def appends(number: int = 1_000, url: str | None = None) -> dict[str, Any]:
    """Append so many records, then do so many acts, each in a transaction of its own; return how many a second."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(url or f"sqlite:///{Path(folder) / 'decisions.db'}", code_version="benchmark")
        _employ(store)
        found = {"appends_per_s": _rate(store, number, _record), "acts_per_s": _rate(store, number, _act)}
        store.engine.dispose()
    return found


def _rate(store: Store, number: int, once: Any) -> float:
    began = time.perf_counter()
    for place in range(number):
        once(store, place)
    return round(number / (time.perf_counter() - began), 1)


def _record(store: Store, place: int) -> None:
    with store.writing() as unit:
        unit.append(Entry("view", "done", "signal", f"signal-{place}", 1, "nightly", "service", ("service",)))


def _act(store: Store, place: int) -> None:
    body = json.dumps({"household": place}).encode()
    create = Create(
        f"H{place}", "A household", "ADV1", ("BAL",), (f"A{place}",), "tax_aware", Mode.RELEASE,
        Document("package", "application/json", body), None, "1" * 64, "2" * 64,
        Summary("2022-12-28", 3, 100_000_00, 1_000, 500, 9_000, place),
    )  # fmt: skip
    store.perform(Who("nightly"), create, f"key-{place}")


def _employ(store: Store) -> None:
    with store.writing() as unit:
        now = datetime.now(UTC)
        row = {"person_id": "nightly", "name": "Nightly run", "kind": "service", "active": 1, "created_at": now}
        unit.connection.execute(insert(person), row)
        grant = {"grant_id": "grant", "person_id": "nightly", "role": "service", "book": "*", "granted_by": "setup"}
        unit.connection.execute(insert(role_grant), {**grant, "granted_at": now})


if __name__ == "__main__":
    print(json.dumps(appends(), indent=1))
