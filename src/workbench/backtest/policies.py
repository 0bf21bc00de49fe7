"""The static rules: leave alone, trade by the calendar, trade when a weight leaves its band."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.backtest import _decide
from workbench.backtest.policy import EVERY, CompiledPolicy, Policy, Rule
from workbench.errors import ParameterError

_NAMES = {sessions: name for name, sessions in EVERY.items()}


def schedule(every: int) -> str:
    """Sessions between looks in words: "month", or "10 sessions" where there is no name."""
    return _NAMES.get(every, f"{every} sessions")


@dataclass(frozen=True)
class BuyAndHold(CompiledPolicy):
    """Bought once at the target and never traded."""

    @property
    def name(self) -> str:
        """How exhibits call it."""
        return "buy and hold"

    def rule(self) -> Rule:
        """Never trades; its looks are a formality."""
        return Rule(_decide.HOLD, EVERY["year"])


@dataclass(frozen=True)
class Calendar(CompiledPolicy):
    """Back to the target every so many sessions, whatever the weights; `every` is a number or a name of `EVERY`.

    Raises `ParameterError` for an unknown name or less than 1 session.
    """

    every: int = EVERY["month"]

    def __post_init__(self) -> None:
        object.__setattr__(self, "every", whole_sessions(self.every))

    @property
    def name(self) -> str:
        """How exhibits call it."""
        return f"every {schedule(self.every)}"

    def rule(self) -> Rule:
        """To the target at every look."""
        return Rule(_decide.TARGET, self.every)


@dataclass(frozen=True)
class Band(CompiledPolicy):
    """Trade when a weight is further than `trigger` from its target, back to `destination` from it.

    Distances are fractions of the portfolio, or of the position's target where `relative`. A destination of 0 is the
    target, of the trigger the edge of the band; Vanguard's "200/175" is `Band(.02, .0175)` (Zhang and Ahluwalia 2024,
    "The rebalancing edge"). `every` is the number of sessions between looks, or its name (`EVERY`).
    Raises `ParameterError` for a trigger that is not above 0, or a destination below 0 or beyond the trigger.
    """

    trigger: float
    destination: float = 0.0
    relative: bool = False
    every: int = 1

    def __post_init__(self) -> None:
        if not 0.0 < self.trigger < 10.0:
            raise ParameterError(f"a band's trigger must be above 0 and below 10, is {self.trigger}", "trigger")
        if not 0.0 <= self.destination <= self.trigger:
            raise ParameterError(
                f"a band's destination must be from 0 (target) to its trigger {self.trigger} (edge), is "
                f"{self.destination}",
                "destination",
            )
        object.__setattr__(self, "every", whole_sessions(self.every))

    @property
    def name(self) -> str:
        """How exhibits call it."""
        looks = "" if self.every == 1 else f", looked at every {schedule(self.every)}"
        if (self.trigger, self.destination, self.relative) == (0.02, 0.0175, False):
            return f"200/175 band{looks}"
        if self.destination == 0.0:
            to = "to target"
        elif self.destination == self.trigger:
            to = "to edge"
        elif abs(self.destination - self.trigger / 2) < 1e-12:
            to = "half way"
        else:
            to = f"to {100 * self.destination:.4g} %"
        return f"{100 * self.trigger:.4g} % {'relative ' if self.relative else ''}band {to}{looks}"

    def rule(self) -> Rule:
        """Trigger, destination, relative or not."""
        return Rule(_decide.BAND, self.every, (self.trigger, self.destination, float(self.relative)))


def rules() -> tuple[Policy, ...]:
    """The 31 rules that the laboratory compares: every one a person could follow with a spreadsheet or an optimiser.

    Buy and hold; four calendars; bands of 1, 2, 3, 5 and 10 percentage points and of 10 and 25 % of the target, each
    back to target, half way and edge; 200/175; a band looked at monthly; one quadratic; tilts by volatility and trend.
    """
    from workbench.backtest.quadratic import Quadratic
    from workbench.backtest.tilts import Tilted

    bands = [(0.01, False), (0.02, False), (0.03, False), (0.05, False), (0.10, False), (0.10, True), (0.25, True)]
    return (
        BuyAndHold(),
        *(Calendar(EVERY[name]) for name in ("month", "quarter", "half year", "year")),
        *(Band(trigger, part * trigger, relative) for trigger, relative in bands for part in (0.0, 0.5, 1.0)),
        Band(0.02, 0.0175),
        Band(0.05, 0.0, every=EVERY["month"]),
        Quadratic(1.0),
        Tilted("volatility"),
        Tilted("trend"),
    )


def whole_sessions(every: int | str) -> int:
    """Sessions between looks as a number, from a number or a name of `EVERY`; raises `ParameterError`."""
    if isinstance(every, str):
        if every not in EVERY:
            raise ParameterError(f"schedule {every!r} is unknown; use one of {', '.join(EVERY)}, or sessions", "every")
        return EVERY[every]
    if not every >= 1 or every == float("inf") or int(every) != every:
        raise ParameterError(f"every is {every}; sessions between looks are a whole number of at least 1", "every")
    return int(every)
