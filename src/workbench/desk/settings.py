"""What a desk is started with: its names, its limits, the folders it may read."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from workbench.copilot.answer import Answer, Scope
from workbench.copilot.escalation import Escalations
from workbench.errors import ParameterError
from workbench.governance.commands import Check
from workbench.governance.store import Store


class Checker(Protocol):
    """Makes a signal's pre-flight anew, against the firm as it is; `signals.Checker` is one."""

    def check(self, store: Store, signal_id: str) -> Check:
        """Return the command that attaches it."""


class Copilot(Protocol):
    """Answers questions from the record; `copilot.Copilot` is one."""

    def ask(self, question: str, scope: Scope, escalations: Escalations | None = None) -> Answer:
        """Return the answer, from the book that the scope covers."""


@dataclass(frozen=True)
class Rate:
    """A token bucket: `burst` requests at once, then `per_minute`."""

    burst: int
    per_minute: float


@dataclass(frozen=True)
class Settings:
    """How one desk runs; nothing here gives anybody a right.

    `hosts` are the names the desk answers to. `https` says that browsers reach it encrypted (by its own certificate or
    a proxy's): cookies are then Secure and bound to the host, and HSTS is sent. Without it only addresses of this
    machine are accepted as hosts. `secret` signs short-lived tickets; several processes of one desk need the same.
    `proxies` counts the proxies in front that append to X-Forwarded-For; 0 ignores that header.
    """

    firm_name: str = "The firm"
    hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")
    https: bool = False
    proxies: int = 0
    reports: Path | None = None
    checkpoints: Path | None = None
    public_keys: tuple[str, ...] = ()
    identity_provider: Any = None
    checker: Checker | None = None
    copilot: Copilot | None = None
    body_limit: int = 1_000_000
    body_seconds: float = 20.0
    header_limit: int = 64
    header_bytes: int = 32_768
    field_limit: int = 500
    by_address: Rate = Rate(burst=240, per_minute=600)
    by_person: Rate = Rate(burst=60, per_minute=60)
    sign_ins: Rate = Rate(burst=10, per_minute=10)
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def __post_init__(self) -> None:
        """Refuse what would weaken the desk. Raises `ParameterError` naming the setting."""
        if not self.hosts:
            raise ParameterError("hosts is empty; name at least one host the desk answers to", "hosts")
        foreign = [host for host in self.hosts if host not in ("127.0.0.1", "localhost", "[::1]")]
        if foreign and not self.https:
            raise ParameterError(
                f"host {foreign[0]} needs https: without it passwords and sessions could be read on the way; "
                "set https, or keep to localhost",
                "https",
            )
        if "*" in "".join(self.hosts):
            raise ParameterError("hosts are written out; a wildcard lets any name in", "hosts")
        if len(self.secret) < 32:
            raise ParameterError("secret needs 32 bytes or more", "secret")
