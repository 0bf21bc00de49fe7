"""How often one address and one person may ask: token buckets in this process's memory, of bounded number.

They keep a page from being hammered. What guards passwords across processes and restarts is kept in the database
(see `governance.sessions`).
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from workbench.desk.settings import Rate, Settings
from workbench.errors import WorkbenchError


class TooManyError(WorkbenchError):
    """Asked too often; `seconds` says when to try again."""

    def __init__(self, seconds: float) -> None:
        super().__init__("too many requests; wait a little and try again")
        self.seconds = max(1, int(seconds + 0.999))


class Buckets:
    """Token buckets by name; the one unused for longest is forgotten first, when it would be full again anyway."""

    def __init__(self, rate: Rate, *, most: int = 20_000, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._most, self._clock = rate, most, clock
        self._held: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, name: str) -> None:
        """Take one token of `name`. Raises `TooManyError` where none is left."""
        with self._lock:
            now = self._clock()
            tokens, at = self._held.pop(name, (float(self._rate.burst), now))
            tokens = min(float(self._rate.burst), tokens + (now - at) * self._rate.per_minute / 60)
            self._held[name] = (tokens - 1 if tokens >= 1 else tokens, now)
            if len(self._held) > self._most:
                self._held.popitem(last=False)
        if tokens < 1:
            raise TooManyError((1 - tokens) * 60 / self._rate.per_minute)


class RateLimits:
    """The desk's three limits: requests by address, acts by person, sign-ins by address."""

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._addresses = Buckets(settings.by_address, clock=clock)
        self._persons = Buckets(settings.by_person, clock=clock)
        self._sign_ins = Buckets(settings.sign_ins, clock=clock)

    def address(self, address: str) -> None:
        """Count a request. Raises `TooManyError`."""
        self._addresses.take(address)

    def person(self, person_id: str, method: str) -> None:
        """Count an act (a POST); reading is limited by address alone. Raises `TooManyError`."""
        if method == "POST":
            self._persons.take(person_id)

    def sign_in(self, address: str) -> None:
        """Count an attempt to sign in. Raises `TooManyError`."""
        self._sign_ins.take(address)
