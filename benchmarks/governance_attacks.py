"""Attacks on the audit trail by somebody who may do everything in the database: which are caught, and by what.

    python -m benchmarks.governance_attacks [postgresql+pg8000://...]

Each attack is made in a transaction that is undone afterwards, with the triggers dropped first.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, func, select, text, update

from workbench.canonical import canonical
from workbench.governance.audit import Checkpoints, TrailReport, keys, verify_trail
from workbench.governance.audit.record import START, Entry
from workbench.governance.database import BEGIN
from workbench.governance.store import Store, open_store
from workbench.governance.tables import audit

RECORDS = 200
#: Where an attack happens: between two checkpoints, some way before the end.
PLACE = 77


def edit(connection: Connection) -> None:
    """Change one record: another person approved."""
    row = connection.execute(select(audit).where(audit.c.sequence == PLACE)).one()
    changed = {**json.loads(row.body), "actor": "mallory"}
    _put(connection, PLACE, canonical(changed), row.hash, actor="mallory")


def delete_one(connection: Connection) -> None:
    """Take one record out."""
    connection.execute(delete(audit).where(audit.c.sequence == PLACE))


def swap(connection: Connection) -> None:
    """Let two records change places."""
    first, second, aside = PLACE, PLACE + 1, 10**9
    for before, after in ((first, aside), (second, first), (aside, second)):
        connection.execute(update(audit).where(audit.c.sequence == before).values(sequence=after))


def cut(connection: Connection) -> None:
    """Cut the last records off."""
    connection.execute(delete(audit).where(audit.c.sequence > RECORDS - 5))


def rewrite(connection: Connection) -> None:
    """Change one record and make every hash from there on anew."""
    previous = connection.execute(select(audit.c.hash).where(audit.c.sequence == PLACE - 1)).scalar() or START
    for row in connection.execute(select(audit).where(audit.c.sequence >= PLACE).order_by(audit.c.sequence)).all():
        said = {**json.loads(row.body), "previous": previous}
        if row.sequence == PLACE:
            said["actor"] = "mallory"
        previous = keys.sha256(body := canonical(said))
        _put(connection, row.sequence, body, previous, actor=said["actor"])


ATTACKS: dict[str, Callable[[Connection], None]] = {
    "edit": edit,
    "delete": delete_one,
    "swap": swap,
    "cut": cut,
    "rewrite": rewrite,
}


def attacks(urls: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Make every attack on SQLite, and on the empty databases of `urls` (name to URL); say what was caught.

    `caught` counts the attacks caught with checkpoints on every database; `chain_alone_misses` names the others.
    """
    with tempfile.TemporaryDirectory() as folder:
        places = {"sqlite": f"sqlite:///{folder}/decisions.db", **(urls or {})}
        found = {name: _on(url, Path(folder) / name) for name, url in places.items()}
    everywhere = [name for name in ATTACKS if all(one[name]["with_checkpoints"] for one in found.values())]
    missed = [name for name in ATTACKS if not any(one[name]["chain_alone"] for one in found.values())]
    return {"caught": len(everywhere), "of": len(ATTACKS), "chain_alone_misses": missed, "databases": found}


def fill(store: Store, records: int = RECORDS) -> None:
    """Put some records into an empty trail."""
    with store.writing() as unit:
        for number in range(records):
            unit.append(
                Entry(
                    action="approve",
                    outcome="done",
                    object_kind="signal",
                    object_id=f"signal-{number % 40:04d}",
                    object_version=1 + number // 40,
                    actor=f"person-{number % 7}",
                    actor_kind="person",
                    roles=("portfolio_manager",),
                    book=f"ADV{number % 3}",
                    reason="looked at the sheet; é fine",
                    details={"traded": 1_234_500 + number, "share": number / 7},
                )
            )


def attacked(store: Store, attack: Callable[[Connection], None], verify: Callable[[Connection], Any]) -> Any:
    """Attack with every right, return what a verification says of it, and undo the attack."""
    with store.engine.connect() as plain:
        connection = plain.execution_options(**{BEGIN: "write"})
        with connection.begin() as transaction:
            drop_triggers(connection)
            attack(connection)
            answer = verify(connection)
            transaction.rollback()
    return answer


def drop_triggers(connection: Connection) -> None:
    """Take away what keeps the trail append-only, as an administrator of the database can."""
    if connection.dialect.name == "sqlite":
        found = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'"))
        for (name,) in found.all():
            connection.execute(text(f'DROP TRIGGER "{name}"'))
    else:
        connection.execute(text("ALTER TABLE audit DISABLE TRIGGER USER"))


def _on(url: str, folder: Path) -> dict[str, Any]:
    store = open_store(url, code_version="benchmark")
    public = keys.new_key(folder.with_suffix(".pem"))
    folder.mkdir()
    checkpoints = Checkpoints(folder, folder.with_suffix(".pem").read_bytes())
    with store.reading() as connection:
        if connection.execute(select(func.count()).select_from(audit)).scalar():
            raise SystemExit(f"{url} holds a trail already; give an empty database")
    for _ in range(4):
        fill(store, RECORDS // 4)
        checkpoints.take(store.reading, "2026-11-21T20:00:00.000000Z")

    def judged(folders: tuple[Path, ...]) -> Callable[[Connection], TrailReport]:
        return lambda connection: verify_trail(connection, folders, [public])

    with store.reading() as connection:
        verify_trail(connection, (folder,), [public]).check()
    answers = {}
    for name, attack in ATTACKS.items():
        alone, both = attacked(store, attack, judged(())), attacked(store, attack, judged((folder,)))
        answers[name] = {
            "chain_alone": not alone.whole,
            "with_checkpoints": not both.whole,
            "looks_like": both.findings[0].attack if both.findings else "",
            "said": both.findings[0].problem if both.findings else "",
        }
    store.engine.dispose()
    return answers


def _put(connection: Connection, sequence: int, body: bytes, written: str, actor: str) -> None:
    values = {"body": body.decode(), "hash": written, "actor": actor}
    connection.execute(update(audit).where(audit.c.sequence == sequence).values(values))


if __name__ == "__main__":
    print(json.dumps(attacks(dict(zip(("postgresql",), sys.argv[1:], strict=False))), indent=1))
