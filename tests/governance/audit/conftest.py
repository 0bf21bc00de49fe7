"""A trail of two hundred records with four checkpoints, on each database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.governance_attacks import fill
from tests.conftest import Clock
from workbench.governance.audit import Checkpoints, keys
from workbench.governance.database import open_engine
from workbench.governance.store import Store

AT = "2026-11-21T20:00:00.000000Z"


@dataclass(frozen=True)
class Trail:
    store: Store
    folder: Path
    public: str
    checkpoints: Checkpoints

    @property
    def database(self) -> Path:
        return Path(str(self.store.engine.url.database))


@pytest.fixture(scope="session")
def key(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "audit.pem"
    keys.new_key(path)
    return path


def signed_trail(store, folder, key, parts=4, records=200):
    """Fill a store's trail, with a checkpoint after each part."""
    folder.mkdir()
    checkpoints = Checkpoints(folder, key.read_bytes())
    for _ in range(parts):
        fill(store, records // parts)
        checkpoints.take(store.reading, AT)
    return Trail(store, folder, keys.public_of(key.read_bytes()), checkpoints)


@pytest.fixture
def trail(store, tmp_path, key) -> Trail:
    return signed_trail(store, tmp_path / "checkpoints", key)


@pytest.fixture
def sqlite_store(sqlite_url):
    """A store on SQLite alone, for what does not depend on the database."""
    engine = open_engine(sqlite_url)
    yield Store(engine, Clock(), "tested")
    engine.dispose()


@pytest.fixture
def on_sqlite(sqlite_store, tmp_path, key) -> Trail:
    return signed_trail(sqlite_store, tmp_path / "checkpoints", key)
