"""The house's limits on itself: who must approve what, for how long an approval or a session holds. Versioned."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import Connection, select

from workbench.canonical import canonical
from workbench.errors import ParameterError, StoreError
from workbench.governance.tables import controls


@dataclass(frozen=True)
class Controls:
    """One version of the limits; `second_approver_above` is in cents traded, the other units are in the names.

    Version 0 is what holds until compliance sets another. Raises `ParameterError` for a limit that is none.
    """

    version: int = 0
    second_approver_above: int = 1_000_000_00
    approval_hours: int = 24
    signal_days: int = 5
    break_glass_minutes: int = 60
    idle_minutes: int = 30
    session_hours: int = 10
    clock_tolerance_seconds: int = 5
    sign_in_attempts: int = 5
    sign_in_window_minutes: int = 15

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            lowest, highest = _RANGES.get(item.name, (0, 2**31 - 1))
            if type(value) is not int or not lowest <= value <= highest:
                raise ParameterError(
                    f"{item.name} is {value!r}; give a whole number from {lowest} to {highest}", item.name
                )


NAMES = tuple(item.name for item in fields(Controls) if item.name != "version")

#: From the strictest that still works to the loosest that is still a control.
_RANGES = {
    "second_approver_above": (0, 10**15),
    "approval_hours": (1, 24 * 14),
    "signal_days": (1, 60),
    "break_glass_minutes": (1, 8 * 60),
    "idle_minutes": (1, 8 * 60),
    "session_hours": (1, 24),
    "clock_tolerance_seconds": (0, 300),
    "sign_in_attempts": (1, 100),
    "sign_in_window_minutes": (1, 24 * 60),
}

#: A longer window counts more attempts together; of every other control less is stricter.
_MORE_IS_STRICTER = frozenset({"sign_in_window_minutes"})

_LATEST = select(controls.c.version, controls.c.body).order_by(controls.c.version.desc()).limit(1)


def in_force(connection: Connection) -> Controls:
    """Read the controls of this moment. Raises `StoreError` where the stored ones are not of this program's version."""
    row = connection.execute(_LATEST).first()
    return Controls() if row is None else read(row.version, row.body)


def read(version: int, body: str) -> Controls:
    """Make controls of their stored text; a limit it does not name is the default."""
    try:
        said: dict[str, Any] = json.loads(body)
        return Controls(**{**said, "version": version})
    except (TypeError, ValueError, ParameterError) as error:
        raise StoreError(
            f"controls version {version} cannot be read: {error}; compliance has to set them anew"
        ) from error


def loosened(present: Mapping[str, int], new: Mapping[str, int]) -> tuple[str, ...]:
    """Return the names of the controls that are less strict in `new` than at present, in the order of `new`."""
    less = {name for name, value in new.items() if value < present[name]}
    more = {name for name, value in new.items() if value > present[name]}
    return tuple(name for name in new if name in (less if name in _MORE_IS_STRICTER else more))


def body(limits: Controls) -> str:
    """Write controls as they are stored."""
    return canonical({name: value for name, value in asdict(limits).items() if name != "version"}).decode()
