"""How long the server takes for a page of a queue of 10,000 signals: `queue_page()`, and `--json` by itself.

    python benchmarks/governance_queue.py --json

The whole answer is timed: session, rights, filters, rows, template, security headers; no network. SQLite always,
PostgreSQL where it is installed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import insert, make_url, text

from benchmarks import private_postgresql
from workbench.desk import create_app
from workbench.desk.settings import Rate, Settings
from workbench.governance.database import migrate, open_engine
from workbench.governance.store import Store
from workbench.governance.tables import (
    approval,
    desk_session,
    document,
    finding,
    maker,
    person,
    role_grant,
    rollout,
    signal,
)

#: Views that people use: an approver's first one, the plain queue, what waits for me, a search, an order, a page below.
VIEWS = (
    "/queue", "/queue?state=open", "/queue?mine=1", "/queue?text=household+77", "/queue?state=open&sort=urgency",
    "/queue?mode=draft&sort=size",
)  # fmt: skip
STATES = ("draft", "checked", "submitted", "approved", "returned", "released")
NOW = datetime(2022, 12, 28, 15, tzinfo=UTC)


def queue_page(signals: int = 10_000, repeats: int = 20) -> dict[str, Any]:
    """Return the median and 95th percentile in milliseconds over all views, for each database; `queue_page_ms` is
    SQLite's median of the slowest view.
    """
    found: dict[str, Any] = {"signals": signals}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        urls = {"sqlite": f"sqlite:///{folder / 'queue.db'}"}
        if private_postgresql.programs() is not None:
            urls["postgresql"] = stack.enter_context(_postgresql())
        for name, url in urls.items():
            found[name] = _measure(url, signals, repeats)
    found["queue_page_ms"] = max(view["median_ms"] for view in found["sqlite"].values())
    return found


@contextmanager
def _postgresql() -> Iterator[str]:
    with private_postgresql.server() as url:
        engine = open_engine(url)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT", workbench_begin="none") as connection:
            connection.execute(text("CREATE DATABASE queue"))
        engine.dispose()
        yield make_url(url).set(database="queue").render_as_string(False)


def _measure(url: str, signals: int, repeats: int) -> dict[str, dict[str, float]]:
    engine = open_engine(url)
    migrate(engine)
    store = Store(engine, lambda: NOW, "benchmark")
    _fill(store, signals)
    free = Rate(burst=10**6, per_minute=10.0**6)
    settings = Settings(hosts=("localhost",), by_address=free, by_person=free, sign_ins=free)
    client = TestClient(create_app(store, settings), base_url="http://localhost", follow_redirects=False)
    client.cookies.set("desk-session", "benchmark")
    measured = {}
    for view in (*VIEWS, f"/queue?after={_id(signals // 2)}"):
        times = []
        for _ in range(repeats + 2):
            start = time.perf_counter()
            answer = client.get(view)
            times.append((time.perf_counter() - start) * 1000)
            if answer.status_code != 200:
                raise RuntimeError(f"{view} answered {answer.status_code}")
        warm = sorted(times[2:])
        measured[view] = {
            "median_ms": round(statistics.median(warm), 1),
            "p95_ms": round(warm[int(0.95 * (len(warm) - 1))], 1),
        }
    engine.dispose()
    return measured


def _id(number: int) -> str:
    return f"signal-{number:024x}"


def _fill(store: Store, signals: int) -> None:
    """Rows straight into the tables: a queue as it stands after a market move, with approvals and findings."""
    draw = Random(20221228)
    with store.engine.begin() as connection:
        people = [{"person_id": name, "name": name.title(), "kind": "person", "active": 1, "created_at": NOW}
                  for name in ("pat", "ana", "paul")]  # fmt: skip
        connection.execute(insert(person), people)
        grants = [{"grant_id": name, "person_id": name, "role": role, "book": "*", "granted_by": "ana",
                   "granted_at": NOW} for name, role in (("pat", "portfolio_manager"), ("ana", "analyst"))]  # fmt: skip
        connection.execute(insert(role_grant), grants)
        session = {"token_hash": sha256(b"benchmark").hexdigest(), "person_id": "pat", "form_token": "f" * 43,
                   "created_at": NOW, "seen_at": NOW, "ends_at": NOW + timedelta(hours=10)}  # fmt: skip
        connection.execute(insert(desk_session), session)
        stored = {"hash": "0" * 64, "kind": "package", "media_type": "application/json", "size": 2, "body": b"{}",
                  "stored_at": NOW}  # fmt: skip
        connection.execute(insert(document), stored)
        modes = [{"kind": "model", "key": f"M{k}", "mode": "draft", "reason": "pilot", "set_by": "ana", "set_at": NOW}
                 for k in range(3)]  # fmt: skip
        connection.execute(insert(rollout), modes)
        rows = [_signal(draw, number) for number in range(signals)]
        connection.execute(insert(signal), rows)
        made = [{"signal_id": row["signal_id"], "person_id": "ana", "action": "submit", "at": NOW}
                for row in rows if row["state"] not in ("draft", "checked")]  # fmt: skip
        connection.execute(insert(maker), made)
        given = [{"approval_id": row["signal_id"], "signal_id": row["signal_id"], "version": 3,
                  "sheet_hash": row["sheet_hash"], "person_id": "paul", "through": "own", "approved_at": NOW,
                  "expires_at": NOW + timedelta(hours=24)} for row in rows if row["state"] == "approved"]  # fmt: skip
        connection.execute(insert(approval), given)
        findings = [{"signal_id": row["signal_id"], "rule_id": f"rule_{k}", "rule_version": 1, "verdict": "pass",
                     "value": "0.1", "limit": "0.2", "reason": "", "overridable": 1}
                    for row in rows for k in range(10)]  # fmt: skip
        connection.execute(insert(finding), findings)


def _signal(draw: Random, number: int) -> dict[str, Any]:
    return {
        "signal_id": _id(number), "household_id": f"H{number:05d}", "household_name": f"The household {number}",
        "book": f"ADV{number % 40}", "policy": draw.choice(("full", "harvest")),
        "models": f'["M{number % 25}"]', "accounts": f'["A{number}a","A{number}b","A{number}c"]', "mode": "release",
        "state": draw.choice(STATES), "version": 3, "package_hash": "0" * 64, "inputs_hash": "1" * 64,
        "snapshot": "2" * 64, "sheet_hash": f"{number:064x}", "verdict": draw.choice(("pass", "warn", "block")),
        "as_of": "2022-12-28", "trades": draw.randrange(1, 60), "traded": draw.randrange(10**9),
        "tax": draw.randrange(-(10**6), 10**6), "cost": draw.randrange(10**5), "benefit": draw.randrange(10**6),
        "rank": number + 1, "cash_due": "2022-12-31" if number % 50 == 0 else None, "out_of_band": 1,
        "created_at": NOW - timedelta(minutes=number % 5000), "updated_at": NOW,
        "expires_at": NOW + timedelta(minutes=number % 7000 + 10),
    }  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.parse_args()
    print(json.dumps(queue_page(), indent=2))
