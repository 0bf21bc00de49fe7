"""The database itself: how it is opened, locked, brought to the present schema, and what its errors mean.

SQLite in a file is the embedded default; PostgreSQL serves teams. Both are opened so that a commit that returned has
reached the disk, and so that one writer at a time extends the audit trail.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import StaticPool

from workbench.errors import ParameterError, StoreError

MIGRATIONS = Path(__file__).parent / "migrations"
#: One number for "may extend the trail", the same for every process that opens a PostgreSQL database.
TRAIL_LOCK = 0x5742_5452
#: How a transaction is begun; an execution option of the connection.
BEGIN = "workbench_begin"

_SQLITE = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;
PRAGMA recursive_triggers = ON;
PRAGMA trusted_schema = OFF;
"""


def open_engine(url: str, *, wait_seconds: float = 15.0) -> Engine:
    """Open a database by its URL: `sqlite:///path`, `sqlite://` (in memory) or `postgresql+pg8000://user@host/name`.

    `wait_seconds` is how long a writer waits for another one. Raises `ParameterError` for a URL that is none, and
    `StoreError` where its driver is missing. Nothing is connected yet.
    """
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
        if backend not in ("sqlite", "postgresql"):
            raise ParameterError(f"database {backend!r} is not served; use sqlite:/// or postgresql+pg8000://", "url")
        options: dict[str, Any] = {"pool_pre_ping": True} if backend == "postgresql" else {}
        if backend == "sqlite" and parsed.database in (None, "", ":memory:"):
            options = {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
        engine = create_engine(parsed, **options)
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        # Neither the URL nor what is said of it is repeated: it may hold a password.
        raise ParameterError(
            "this is not the URL of a database; give sqlite:///FILE or postgresql+pg8000://USER@HOST/NAME", "url"
        ) from error
    except ModuleNotFoundError as error:
        raise StoreError(f"the database's driver is missing ({error.name}); install workbench[postgres]") from error
    if backend == "sqlite":
        _for_its_owner_alone(parsed.database)
        _prepare_sqlite(engine, wait_seconds)
    else:
        _prepare_postgresql(engine, wait_seconds)
    return engine


def _for_its_owner_alone(path: str | None) -> None:
    """Make a new database's file readable by its owner only; SQLite gives the files beside it the same rights."""
    if path in (None, "", ":memory:") or str(path).startswith("file:"):
        return
    # Where it exists its rights are its owner's; where it cannot be made, opening it says why.
    with suppress(OSError):
        os.close(os.open(str(path), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _prepare_sqlite(engine: Engine, wait_seconds: float) -> None:
    @event.listens_for(engine, "connect")
    def connected(dbapi: Any, _record: Any) -> None:
        dbapi.isolation_level = None  # the driver would begin late and by itself; `begun` says when and how
        dbapi.execute(f"PRAGMA busy_timeout = {int(wait_seconds * 1000)}")
        dbapi.executescript(_SQLITE)

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        how = connection.get_execution_options().get(BEGIN, "write")
        connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if how == 'read' else 'OFF'}")
        connection.exec_driver_sql("BEGIN DEFERRED" if how == "read" else "BEGIN IMMEDIATE")


def _prepare_postgresql(engine: Engine, wait_seconds: float) -> None:
    @event.listens_for(engine, "connect")
    def connected(dbapi: Any, _record: Any) -> None:
        cursor = dbapi.cursor()
        cursor.execute(f"SET lock_timeout = {int(wait_seconds * 1000)}")
        cursor.execute("SET synchronous_commit = on")
        dbapi.commit()

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        if connection.get_execution_options().get(BEGIN, "write") == "read":
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        else:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({TRAIL_LOCK})")


@contextmanager
def transaction(engine: Engine, how: Literal["read", "write"]) -> Iterator[Connection]:
    """Open a transaction that is committed at the end and undone by any exception.

    A reader sees one consistent moment and cannot write; writers go one after the other. Raises `StoreError` for
    whatever the database itself refuses.
    """
    with faults_named(engine), engine.connect() as plain:
        connection = plain.execution_options(**{BEGIN: how})
        with connection.begin():
            yield connection


@contextmanager
def faults_named(engine: Engine) -> Iterator[None]:
    """Turn the driver's errors into `StoreError`s that say what to do."""
    try:
        yield
    except PoolTimeoutError as error:
        raise StoreError("every connection to the database is in use; try again in a moment") from error
    except DBAPIError as error:
        raise StoreError(_named(error, engine)) from error
    except SQLAlchemyError as error:
        raise StoreError(f"the database cannot be used: {_first_line(error)}; nothing was done") from error


#: What the drivers say, in lower case, and what it means to the person in front.
_FAULTS = (
    (("database is locked", "lock timeout", "55p03"), "the database is locked by another writer; try again"),
    (("disk is full", "disk full", "53100", "no space left"), "the disk is full; free some space, then try again"),
    (("readonly database", "read-only", "25006"), "the database is read-only; give this program the right to write"),
    (("unable to open", "no such file"), "the database file cannot be opened; check its path and its rights"),
    (("malformed", "not a database", "disk image"), "the file is not a sound database; restore the latest backup"),
    (
        ("no such table", "42p01"),
        "there are no tables of the workbench in it: is this the right database, and is its file still there?",
    ),
    (("append-only",), "the trail is append-only and this would have changed it"),
    (
        ("connection", "network", "can't create", "server closed", "terminat", "57p0", "does not exist"),
        "the database server cannot be reached; if this was during a commit, repeat the act with the same key",
    ),
)


def _named(error: DBAPIError, engine: Engine) -> str:
    said = str(error.orig).lower()
    for signs, meaning in _FAULTS:
        if any(sign in said for sign in signs):
            return f"{meaning}; nothing was done ({_first_line(error.orig)})"
    return f"{engine.dialect.name} refused: {_first_line(error.orig)}; nothing was done"


def _first_line(error: BaseException | None) -> str:
    lines = str(error).splitlines() or [""]
    return lines[0][:300]


def migrate(engine: Engine) -> None:
    """Bring the database to the present schema, in one transaction; an empty one is created.

    Raises `StoreError` for one of a newer version of the workbench.
    """
    with transaction(engine, "write") as connection:
        if _position(connection) == "newer":
            raise _newer()
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def require_present(engine: Engine) -> None:
    """Create the schema where the database is empty; raise `StoreError` where it is older or newer than this code."""
    with transaction(engine, "read") as connection:
        position = _position(connection)
    if position == "empty":
        migrate(engine)
    elif position == "newer":
        raise _newer()
    elif position == "older":
        raise StoreError("the database has an older schema; make a backup, then run `workbench desk migrate`")


def _newer() -> StoreError:
    return StoreError("the database has a newer schema than this version of the workbench; install the newer version")


def _position(connection: Connection) -> Literal["empty", "older", "present", "newer"]:
    script = ScriptDirectory.from_config(_config())
    revisions = {revision.revision for revision in script.walk_revisions()}
    heads = set(MigrationContext.configure(connection).get_current_heads())
    if not heads:
        return "empty"
    if heads == set(script.get_heads()):
        return "present"
    return "older" if heads <= revisions else "newer"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config
