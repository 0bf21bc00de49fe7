"""What tests share: examples that repeat, a firm small enough to read, and real market data where it is present."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from argon2 import PasswordHasher
from hypothesis import HealthCheck
from hypothesis import settings as effort
from sqlalchemy import Engine, make_url, text
from sqlalchemy.exc import DBAPIError

from benchmarks import private_postgresql
from workbench.governance import passwords
from workbench.governance.database import migrate, open_engine
from workbench.governance.store import Store

ROOT = Path(__file__).parents[1]


def drop_stale_kernels(source: Path) -> None:
    """Delete compiled kernels older than any kernel beside them: numba looks only at a function's own file."""
    for index in source.rglob("__pycache__/*.nbi"):
        kernels = [path for path in index.parents[1].glob("*.py") if "numba" in path.read_text(encoding="utf-8")]
        if kernels and index.stat().st_mtime < max(path.stat().st_mtime for path in kernels):
            index.unlink()


drop_stale_kernels(ROOT / "src" / "workbench")
# Examples are the same in every run, so that a red suite can be repeated anywhere; WORKBENCH_FUZZ=N draws others, N for
# each test that does not say how many. Neither fails because the machine is busy.
UNHURRIED = {"deadline": None, "print_blob": True, "suppress_health_check": [HealthCheck.too_slow]}
effort.register_profile("same", derandomize=True, **UNHURRIED)
effort.register_profile("fuzz", max_examples=int(os.environ.get("WORKBENCH_FUZZ") or 100), **UNHURRIED)
effort.load_profile("fuzz" if os.environ.get("WORKBENCH_FUZZ") else "same")

AS_OF = pd.Timestamp("2022-12-28")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real market data; the test is skipped, with the reason printed, where it is absent."""
    folder = Path(os.environ.get("WORKBENCH_SHARED", ROOT.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip(f"no real market data at {folder} (set WORKBENCH_SHARED to its folder)")
    return folder


#: A folder in memory, where the system has one.
MEMORY = Path("/dev/shm")
#: A test's own connections to a database are ended before the next one's.
ALONE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
#: One text for everything of a PostgreSQL schema that a test may change: tables, columns, triggers, functions, version.
SCHEMA = """
SELECT md5(string_agg(part, chr(10) ORDER BY part)) FROM (
    SELECT concat_ws(' ', 'column', attrelid::regclass, attname, atttypid, attnotnull) AS part
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
    UNION ALL SELECT concat_ws(' ', 'trigger', pg_get_triggerdef(oid), tgenabled) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT concat_ws(' ', 'constraint', conrelid::regclass, pg_get_constraintdef(oid))
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(' ', 'function', proname, prosrc) FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(' ', 'version', version_num) FROM alembic_version
) AS parts
"""
EMPTY = """
DO $$ DECLARE one regclass; BEGIN
    FOR one IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
        AND relname <> 'alembic_version' LOOP EXECUTE 'DELETE FROM ' || one; END LOOP;
END $$
"""


def _roomy(folder: Path) -> bool:
    """Whether a folder is there, may be written to, and has room for any test's database."""
    return os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > 2**30


AS_IN_USE = passwords._HASHER


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Argon2id with a thousandth of the work, except where a test asks for `full_passwords`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1))
        passwords._nobodys.cache_clear()
        yield


@pytest.fixture
def full_passwords(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Argon2id as in use."""
    monkeypatch.setattr(passwords, "_HASHER", AS_IN_USE)
    passwords._nobodys.cache_clear()
    yield
    passwords._nobodys.cache_clear()


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2022, 12, 28, 15, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        """Go on (or, with negative numbers, back) by days, hours, minutes, seconds."""
        self.now += timedelta(**by)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A private PostgreSQL server's URL; the test is skipped, with the reason printed, where there is none."""
    if private_postgresql.programs() is None:
        pytest.skip("PostgreSQL is not installed (on Debian: apt-get install postgresql)")
    with private_postgresql.server() as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the present schema and no rows, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres: str) -> str:
    """The name of a PostgreSQL database with the present schema and no rows, to be copied."""
    _run(postgres, "CREATE DATABASE template_of_decisions")
    engine = open_engine(make_url(postgres).set(database="template_of_decisions").render_as_string(False))
    migrate(engine)
    engine.dispose()
    return "template_of_decisions"


@pytest.fixture(scope="session")
def sqlite_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where SQLite databases lie: in memory where there is room, for on a disk every act waits for it."""
    with tempfile.TemporaryDirectory(
        dir=MEMORY if _roomy(MEMORY) else tmp_path_factory.mktemp("sqlite"), prefix="decisions-"
    ) as folder:
        yield Path(folder)


@pytest.fixture
def sqlite_url(sqlite_template: Path, sqlite_folder: Path) -> str:
    """A fresh SQLite database with the present schema, always in the same place."""
    for left in sqlite_folder.iterdir():
        left.unlink()
    shutil.copy(sqlite_template, sqlite_folder / "decisions.db")
    return f"sqlite:///{sqlite_folder / 'decisions.db'}"


class Recycled:
    """One PostgreSQL database for test after test: to make one takes a hundred times as long as to empty one.

    One whose schema a test changed, or that cannot be asked, is dropped and made anew.
    """

    def __init__(self, server: str, template: str) -> None:
        self.server, self.template, self.name = server, template, ""
        self.url, self.engine, self.schema = "", open_engine(server), ""

    def fresh(self) -> str:
        """Return the URL of the database, without rows and with the present schema."""
        if not self.name or not self._emptied():
            self.drop()
            self.name = f"decisions_{os.urandom(6).hex()}"
            _run(self.server, f"CREATE DATABASE {self.name} TEMPLATE {self.template}")
            self.url = make_url(self.server).set(database=self.name).render_as_string(False)
            self.engine = open_engine(self.url)
            with self.engine.connect() as connection:
                self.schema = connection.execute(text(SCHEMA)).scalar_one()
        return self.url

    def drop(self) -> None:
        """Take the database away, whoever is connected to it."""
        self.engine.dispose()
        if self.name:
            _run(self.server, f"DROP DATABASE {self.name} WITH (FORCE)")
            self.name = ""

    def _emptied(self) -> bool:
        """End what a test left connected and delete its rows; say whether the schema is still what it was."""
        try:
            with self.engine.connect().execution_options(workbench_begin="emptying") as connection:
                connection.execute(text(ALONE))
                if connection.execute(text(SCHEMA)).scalar_one() != self.schema:
                    return False
                connection.execute(text("SET LOCAL session_replication_role = replica"))  # triggers keep rows otherwise
                connection.execute(text(EMPTY))
                connection.commit()
        except DBAPIError:
            return False
        return True


@pytest.fixture(scope="session")
def recycled_postgres(postgres: str, postgres_template: str) -> Iterator[Recycled]:
    """The PostgreSQL database that tests use one after another."""
    recycled = Recycled(postgres, postgres_template)
    yield recycled
    recycled.drop()


@pytest.fixture
def postgres_url(recycled_postgres: Recycled) -> str:
    """A PostgreSQL database with the present schema and no rows."""
    return recycled_postgres.fresh()


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """A fresh database of decisions, once of each kind."""
    return str(request.getfixturevalue({"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]))


@pytest.fixture(scope="session")
def engines() -> dict[str, Engine]:
    """Engines that tests share, by URL: each keeps the statements it has compiled, and no connection."""
    return {}


@pytest.fixture
def store(store_url: str, engines: dict[str, Engine]) -> Iterator[Store]:
    """A fresh store of decisions, once on each database, with a clock that stands still until it is moved."""
    engine = engines[store_url] = engines.get(store_url) or open_engine(store_url)
    yield Store(engine, Clock(), "tested")
    engine.dispose()


def _run(url: str, statement: str) -> None:
    """Run one statement outside any transaction, on the server itself."""
    engine = open_engine(url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT", workbench_begin="none") as connection:
        connection.execute(text(statement))
    engine.dispose()


@pytest.fixture
def small() -> dict[str, pd.DataFrame]:
    """Two accounts of one household, two securities and cash, one model with two sleeves, three sessions of prices."""
    days = pd.to_datetime(["2022-12-23", "2022-12-27", "2022-12-28"])
    securities = ["AAA", "BBB", "CASH"]
    tables: dict[str, dict[str, object]] = {
        "securities": {
            "security_id": securities,
            "name": ["Alpha", "Beta", "Cash"],
            "kind": ["stock", "etf", "cash"],
            "asset_class": ["US equity", "Treasuries", "Cash"],
            "sector": ["Information Technology", "Fixed income", "Cash"],
            "region": ["US", "US", "US"],
            "issuer_id": ["alpha", "beta", "cash"],
            "currency": "USD",
            "expense_ratio": 0.0,
            "half_spread": 0.0002,
            "adv": [1e6, 2e6, None],
            "screens": [["tobacco"], [], []],
            "identical_group": [None, "treasuries", None],
            "identical_confidence": [None, "high", None],
            "simulated": False,
        },
        "prices": {
            "date": list(days.repeat(3)),
            "security_id": securities * 3,
            "close": [10.0, 50.0, 1.0, 11.0, 50.0, 1.0, 12.0, 49.0, 1.0],
            "adj_close": [10.0, 50.0, 1.0, 11.0, 50.0, 1.0, 12.0, 49.0, 1.0],
            "dividend": 0.0,
            "split_ratio": 1.0,
            "volume": float("nan"),
        },
        "sleeves": {"sleeve_id": ["EQ", "FI"], "name": ["Equity", "Bonds"], "manager": "House"},
        "models": {
            "model_id": ["BAL"],
            "version": [1],
            "name": "Balanced",
            "effective_date": [pd.Timestamp("2022-01-03")],
            "status": "active",
            "benchmark": "60/40",
            "approved_by": "Investment committee",
            "rationale": "The first version.",
        },
        "model_targets": {
            "model_id": "BAL",
            "version": 1,
            "sleeve_id": ["EQ", "FI", "FI"],
            "security_id": ["AAA", "BBB", "CASH"],
            "target": [0.6, 0.38, 0.02],
            "lower": float("nan"),
            "upper": float("nan"),
        },
        "tolerances": {
            "model_id": "BAL",
            "level": ["security", "asset_class"],
            "key": "*",
            "absolute": [0.05, 0.05],
            "relative": [float("nan"), 0.25],
        },
        "advisors": {"advisor_id": ["ADV1"], "name": "Ann Advisor", "office": "Boston"},
        "custodians": {"custodian_id": ["CUS1"], "name": "First Custody", "ticket_fee": 0.0, "fee_rate": 0.0},
        "households": {
            "household_id": ["H1"],
            "name": "The Smith household",
            "advisor_id": "ADV1",
            "filing_status": "joint",
            "ordinary_rate": 0.32,
            "long_term_rate": 0.15,
            "state_rate": 0.05,
            "niit": True,
            "gain_budget": [10_000.0],
            "realised_short": 0.0,
            "realised_long": 0.0,
            "carryforward_short": 0.0,
            "carryforward_long": 0.0,
        },
        "accounts": {
            "account_id": ["A1", "A2"],
            "household_id": "H1",
            "advisor_id": "ADV1",
            "custodian_id": "CUS1",
            "registration": ["taxable", "roth_ira"],
            "owner_birth_date": pd.to_datetime(["1970-05-01", None]),
            "discretionary": True,
            "model_id": "BAL",
            "opened_on": pd.Timestamp("2022-12-23"),
            "last_rebalanced_on": pd.to_datetime(["2022-12-23", None]),
            "rollout_mode": "draft",
            "stated_value": [1_270.0, 100.0],
        },
        "positions": {
            "account_id": ["A1", "A1", "A1", "A2"],
            "security_id": ["AAA", "BBB", "CASH", "CASH"],
            "quantity": [60.0, 10.0, 60.0, 100.0],
        },
        "lots": {
            "lot_id": ["L1", "L2"],
            "account_id": "A1",
            "security_id": ["AAA", "BBB"],
            "quantity": [60.0, 10.0],
            "cost_per_share": [10.0, 50.0],
            "acquired_on": pd.Timestamp("2022-12-23"),
            "holding_start": pd.Timestamp("2022-12-24"),
            "wash_adjustment": 0.0,
            "covered": True,
        },
        "transactions": {
            "transaction_id": ["T1", "T2", "T3", "T4", "T5", "T6"],
            "account_id": ["A1", "A1", "A1", "A2", "A1", "A1"],
            "security_id": ["CASH", "AAA", "BBB", "CASH", "AAA", "CASH"],
            "trade_date": pd.to_datetime(
                ["2022-12-23", "2022-12-23", "2022-12-23", "2022-12-23", "2022-12-28", "2022-12-28"]
            ),
            "settle_date": pd.to_datetime(
                ["2022-12-23", "2022-12-28", "2022-12-28", "2022-12-23", "2022-12-30", "2022-12-28"]
            ),
            "kind": ["deposit", "buy", "buy", "deposit", "sell", "fee"],
            "quantity": [0.0, 70.0, 10.0, 0.0, -10.0, 0.0],
            "price": [None, 10.0, 50.0, None, 12.0, None],
            "amount": [1_150.0, -700.0, -500.0, 100.0, 120.0, -10.0],
            "origin": ["client", "rebalance", "rebalance", "client", "manual", "fee"],
            "lot_id": [None, "L1", "L2", None, "L1", None],
        },
    }
    frames = {name: pd.DataFrame(columns) for name, columns in tables.items()}
    frames["prices"]["date"] = frames["prices"]["date"].astype("datetime64[ms]")
    return frames
