"""A desk with people of each role and signals in any state, for every test of its pages."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from hashlib import sha256
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import insert, select

from tests.desk import packages
from workbench.desk import Settings, create_app
from workbench.governance.access import Who
from workbench.governance.commands import (
    Approve,
    Check,
    Command,
    Create,
    Document,
    Finding,
    Receipt,
    Reject,
    Release,
    Return,
    Submit,
    Summary,
)
from workbench.governance.passwords import hash_password
from workbench.governance.states import Mode
from workbench.governance.store import Store
from workbench.governance.tables import desk_session, person, role_grant, signal

PASSWORD = "correct horse battery staple"
ORIGIN = {"origin": "http://localhost", "sec-fetch-site": "same-origin"}

#: Identifier, name, roles with their books.
PEOPLE: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = (
    ("vera", "Vera Lind", (("viewer", "*"),)),
    ("adam", "Adam Roth", (("advisor", "adv-1"),)),
    ("ana", "Ana Duarte", (("analyst", "*"),)),
    ("bea", "Bea Novak", (("analyst", "adv-2"),)),
    ("pat", "Pat Kimura", (("portfolio_manager", "*"),)),
    ("paul", "Paul Weber", (("portfolio_manager", "*"),)),
    ("tom", "Tom Okafor", (("trader", "*"),)),
    ("cora", "Cora Haines", (("compliance", "*"),)),
    ("carl", "Carl Voss", (("compliance", "*"),)),
    ("ada", "Ada Stone", (("administrator", "*"),)),
    ("alma", "Alma Reyes", (("administrator", "*"),)),
    ("otto", "Otto Brand", (("auditor", "*"),)),
)
SERVICE = "nightly"
PASSED = Finding("single_name", 1, "pass", "0.04", "0.10", "Largest single name 4.0%, limit 10.0%.", True)
WARNED = Finding("turnover", 1, "warn", "0.31", "0.25", "Turnover of twelve months 31%, limit 25%.", True)
BLOCKED = Finding("never_sell", 2, "block", "1", "0", "Sells a holding the client asked never to sell.", False)


@cache
def hashed() -> str:
    """Hash the tests' one password once."""
    return hash_password(PASSWORD)


@dataclass
class House:
    """A store with people, the desk over it, and short ways to do what tests need."""

    store: Store
    app: Any
    keys: int = field(default=0)

    @property
    def clock(self) -> Any:
        """The store's clock, which stands still until `advance` moves it."""
        return self.store.clock

    def add_people(self) -> None:
        """Put in somebody of each role, all with one password, and the service that makes signals."""
        with self.store.engine.begin() as connection:
            for person_id, name, grants in PEOPLE:
                self._add(connection, person_id, name, "person", grants)
            self._add(connection, SERVICE, "Nightly run", "service", (("service", "*"),))

    def _add(self, connection, person_id, name, kind, grants) -> None:
        row = {"person_id": person_id, "name": name, "kind": kind, "active": 1, "created_at": self.clock()}
        if kind == "person":
            row |= {"password_hash": hashed(), "email": f"{person_id}@firm.example"}
        connection.execute(insert(person), row)
        for role, book in grants:
            grant = {
                "person_id": person_id,
                "role": role,
                "book": book,
                "granted_by": "ada",
                "granted_at": self.clock(),
            }
            connection.execute(insert(role_grant), {"grant_id": f"grant-{person_id}-{role}-{book}", **grant})

    def do(self, who: str, command: Command, key: str | None = None) -> Receipt:
        """Perform a command as a person or service."""
        self.keys += 1
        return self.store.perform(Who(who), command, key or f"test-{self.keys:06d}")

    def row(self, signal_id: str) -> Any:
        """Return a signal's row."""
        with self.store.reading() as connection:
            return connection.execute(select(signal).where(signal.c.signal_id == signal_id)).one()

    def create(self, household: str = "H-0001", *, book: str = "adv-1", name: str | None = None, **more: Any) -> str:
        """Make a draft signal; `package` and `brief` are documents' bytes, `summary` changes single figures."""
        package = more.get("package") or packages.package(household)
        figures = {
            "as_of": "2022-12-28", "trades": 4, "traded": 250_000_00, "tax": 1_200_00, "cost": 90_00,
            "benefit": 3_400_00, "rank": 1, **more.get("summary", {}),
        }  # fmt: skip
        created = self.do(
            SERVICE,
            Create(
                household_id=household,
                household_name=name or f"Household {household}",
                book=book,
                models=more.get("models", ("balanced",)),
                accounts=more.get("accounts", (f"{household}-A1",)),
                policy=more.get("policy", "band_5"),
                mode=more.get("mode", Mode.RELEASE),
                package=Document("package", "application/json", package),
                brief=Document("brief", "text/html", more.get("brief", b"<!doctype html><title>Brief</title><p>Brief")),
                inputs_hash=more.get("inputs", "1" * 64),
                snapshot="2" * 64,
                summary=Summary(**figures),
            ),
        )
        return created.object_id

    def check(self, signal_id: str, *findings: Finding, preflight: bytes | None = None) -> Receipt:
        """Attach a pre-flight; without findings everything passes."""
        row = self.row(signal_id)
        preflight = preflight or packages.preflight(row.household_id)
        return self.do(
            SERVICE,
            Check(
                signal_id, row.version, Document("preflight", "application/json", preflight), findings or (PASSED,),
                row.inputs_hash, "3" * 64,
            ),
        )  # fmt: skip

    def submit(self, signal_id: str, who: str = "ana") -> Receipt:
        """Ask for approval."""
        row = self.row(signal_id)
        return self.do(who, Submit(signal_id, row.version, row.sheet_hash))

    def approve(self, signal_id: str, who: str = "pat") -> Receipt:
        """Approve as it stands."""
        row = self.row(signal_id)
        return self.do(who, Approve(signal_id, row.version, row.sheet_hash))

    def release(self, signal_id: str, who: str = "tom") -> Receipt:
        """Release as it stands."""
        row = self.row(signal_id)
        return self.do(who, Release(signal_id, row.version, row.sheet_hash))

    def signal(self, state: str = "checked", household: str = "H-0001", **more: Any) -> str:
        """Make a signal and lead it to a state by the people it takes."""
        findings = more.pop("findings", ())
        preflight = more.pop("preflight", None)
        signal_id = self.create(household, **more)
        if state == "draft":
            return signal_id
        self.check(signal_id, *findings, preflight=preflight)
        if state == "checked":
            return signal_id
        self.submit(signal_id)
        if state in ("returned", "rejected"):
            act = Return if state == "returned" else Reject
            self.do("pat", act(signal_id, self.row(signal_id).version, "timing", "not this week"))
        elif state in ("approved", "released"):
            self.approve(signal_id)
            if state == "released":
                self.release(signal_id)
        return signal_id

    def visitor(self) -> Browser:
        """Return a browser that is not signed in."""
        return Browser(TestClient(self.app, base_url="http://localhost", follow_redirects=False))

    def browser(self, who: str) -> Browser:
        """Return a browser that is signed in as a person."""
        browser = self.visitor()
        self.keys += 1
        token = f"session {self.keys} of {who}"
        now = self.clock()
        with self.store.engine.begin() as connection:
            row = {
                "token_hash": sha256(token.encode()).hexdigest(),
                "form_token": f"form-token-{self.keys}-of-{who}".ljust(43, "-"),
            }
            ends = now + timedelta(hours=10)
            connection.execute(
                insert(desk_session), {"person_id": who, "created_at": now, "seen_at": now, "ends_at": ends, **row}
            )
        browser.keep("session", token)
        return browser


@dataclass
class Browser:
    """A browser as far as forms go: it opens pages, fills in and sends the forms that are on them."""

    client: TestClient
    last: Any = None

    def keep(self, name: str, value: str) -> None:
        """Put a cookie of the desk into the browser."""
        self.client.cookies.set(f"desk-{name}", value, domain="localhost.local", path="/")

    def kept(self, name: str) -> str | None:
        """Return a cookie of the desk."""
        return self.client.cookies.get(f"desk-{name}")

    def get(self, path: str, **more: Any) -> Any:
        """Open a page."""
        self.last = self.client.get(path, **more)
        return self.last

    def sign_in(self, who: str, password: str = PASSWORD) -> Any:
        """Fill in the sign-in page."""
        self.get("/sign-in")
        return self.send("/sign-in", name=who, password=password)

    def fields(self, action: str, page: str | None = None) -> dict[str, str]:
        """Return the hidden fields of the form on the last page that is sent to `action`."""
        text = self.last.text if page is None else page
        found = re.search(rf'<form[^>]*action="{re.escape(action)}"[^>]*>(.*?)</form>', text, re.DOTALL)
        assert found, f"no form is sent to {action} on this page"
        inputs = re.findall(r'<input[^>]*type="hidden"[^>]*>', found[1])
        return dict(re.search(r'name="([^"]*)" value="([^"]*)"', one).groups() for one in inputs)

    def send(
        self, action: str, *, page: str | None = None, headers: dict[str, str] | None = None, **fields: Any
    ) -> Any:
        """Send the form of the last page as a browser does: hidden fields, what was filled in, where it comes from."""
        body = {**self.fields(action, page), **fields}
        self.last = self.client.post(action, data=body, headers=ORIGIN if headers is None else headers)
        return self.last


@pytest.fixture
def settings() -> Settings:
    """A desk on this machine, with limits no test of a page meets by accident."""
    return Settings(firm_name="Alder & Birch", hosts=("localhost",))


@pytest.fixture
def house(store: Store, settings: Settings) -> House:
    """The desk over an empty database with people in it."""
    built = House(store, create_app(store, settings))
    built.add_people()
    return built
