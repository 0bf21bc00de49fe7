"""Many processes, one database, the same keys over and over, and processes killed at random: is anything done twice?

    python -m benchmarks.governance_crash sqlite:////tmp/decisions.db

Each process brings every household's proposal in under the household's key. However often it is killed and begins
again, there is one signal, one receipt, one record and one message a key, and the chain of the trail is whole.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal as signals
import sys
import time
from dataclasses import dataclass, field
from multiprocessing.context import ForkContext, ForkProcess
from typing import Any

from sqlalchemy import func, insert, select

from workbench.errors import StoreError
from workbench.governance import Who, open_store
from workbench.governance.audit.chain import Findings, follow, rows
from workbench.governance.commands import Create, Document, Summary
from workbench.governance.states import Mode
from workbench.governance.tables import answered, audit, outbox, person, role_grant, signal

SERVICE = "nightly"


def crash(
    url: str, *, keys: int = 400, processes: int = 12, kills: int = 60, seed: int = 1, pause: float = 0.05
) -> dict[str, Any]:
    """Run it on an empty database and count what is there afterwards.

    `kills` processes are killed, one each `pause` seconds or so, and started again where they were. Raises
    `RuntimeError` where the processes do not come to an end.
    """
    _employ(url)
    began = time.perf_counter()
    fleet = _Fleet(url, keys, processes, seed)
    killed = fleet.run(kills, pause)
    seconds = time.perf_counter() - began
    return {
        "submissions": processes * keys,
        "processes": processes,
        "kills": killed,
        **_counts(url, seconds),
    }


@dataclass
class _Fleet:
    """The processes, how far each is (kept outside of them), and who has to be started again."""

    url: str
    keys: int
    processes: int
    seed: int
    context: ForkContext = field(default_factory=lambda: multiprocessing.get_context("fork"))

    def __post_init__(self) -> None:
        self.reached = self.context.Array("i", self.processes, lock=False)
        self.running = [self._start(place) for place in range(self.processes)]

    def run(self, kills: int, pause: float) -> int:
        """Kill until enough were killed or all are done; see the others through. Return how many were killed."""
        draw = random.Random(self.seed)
        killed = 0
        deadline = time.monotonic() + 600
        while any(reached < self.keys for reached in self.reached):
            if time.monotonic() > deadline:
                raise RuntimeError(f"not done within ten minutes: {list(self.reached)} of {self.keys} each")
            time.sleep(draw.uniform(0, 2 * pause))
            alive = [place for place, child in enumerate(self.running) if child.is_alive()]
            if killed < kills and alive:
                victim = self.running[draw.choice(alive)]
                os.kill(victim.pid or 0, signals.SIGKILL)
                victim.join()
                killed += 1
            for place, child in enumerate(self.running):
                if not child.is_alive() and self.reached[place] < self.keys:
                    self.running[place] = self._start(place)
        for child in self.running:
            child.join()
        return killed

    def _start(self, place: int) -> ForkProcess:
        child = self.context.Process(target=_submit, args=(self.url, self.keys, place, self.reached), daemon=True)
        child.start()
        return child


def _submit(url: str, keys: int, place: int, reached: Any) -> None:
    """Bring every proposal in, in an order of this process's own; a busy database is asked again."""
    order = list(range(keys))
    random.Random(place).shuffle(order)
    store = open_store(url, code_version="crash")
    while reached[place] < keys:
        number = order[reached[place]]
        try:
            store.perform(Who(SERVICE), _proposal(number), f"key-{number}")
        except StoreError:
            continue
        reached[place] += 1


def _proposal(number: int) -> Create:
    summary = Summary("2022-12-28", trades=3, traded=100_000_00, tax=1_000, cost=500, benefit=9_000, rank=number)
    body = json.dumps({"household": number}).encode()
    return Create(
        household_id=f"H{number}",
        household_name="A household",
        book="ADV1",
        models=("BAL",),
        accounts=(f"A{number}",),
        policy="tax_aware",
        mode=Mode.RELEASE,
        package=Document("package", "application/json", body),
        brief=None,
        inputs_hash="1" * 64,
        snapshot="2" * 64,
        summary=summary,
    )


def _employ(url: str) -> None:
    """Make the service account that submits."""
    store = open_store(url, code_version="crash")
    with store.writing() as unit:
        row = {"person_id": SERVICE, "name": "Nightly run", "kind": "service", "active": 1, "created_at": unit.now}
        unit.connection.execute(insert(person), row)
        grant = {"grant_id": "grant", "person_id": SERVICE, "role": "service", "book": "*", "granted_by": "setup"}
        unit.connection.execute(insert(role_grant), {**grant, "granted_at": unit.now})
    store.engine.dispose()


def _counts(url: str, seconds: float) -> dict[str, Any]:
    store = open_store(url, code_version="crash")
    with store.reading() as connection:
        found: dict[str, Any] = {
            "signals": connection.execute(select(func.count()).select_from(signal)).scalar_one(),
            "receipts": connection.execute(select(func.count()).select_from(answered)).scalar_one(),
            "creations_recorded": connection.execute(
                select(func.count()).select_from(audit).where(audit.c.action == "create", audit.c.outcome == "done")
            ).scalar_one(),
            "messages": connection.execute(select(func.count()).select_from(outbox)).scalar_one(),
        }
        findings = Findings([])
        found["records"] = sum(1 for _ in follow(rows(connection), findings))
    found["chain_whole"] = not findings.total
    found["seconds"] = round(seconds, 2)
    store.engine.dispose()
    return found


def main() -> None:
    """Print what `crash` found, as JSON."""
    print(json.dumps(crash(sys.argv[1]), indent=1))


if __name__ == "__main__":
    main()
