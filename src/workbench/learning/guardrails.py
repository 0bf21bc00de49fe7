"""A learned policy between guardrails: where an input, a day or an answer is not what it should be, the rule acts."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from workbench.backtest import Floats, Observation, Policy
from workbench.errors import ParameterError, PolicyError
from workbench.learning.card import Familiar
from workbench.learning.event import Event
from workbench.learning.familiarity import check_names, missing_input, unfamiliar
from workbench.learning.registry import RegisteredPolicy

Mode = Literal["live", "shadow"]


@dataclass(frozen=True)
class Limits:
    """What is still acceptable.

    `turnover`: largest one-way turnover of a look (0.2: a fifth of the account changes hands). `stale_days`: calendar
    days between the prices' day and today. `distance`: multiple of the Mahalanobis distance that covers the training
    days. `outside`: signals that may lie outside their training range. `simplex`: how far weights may be off.
    Raises `ParameterError` naming the field.
    """

    turnover: float = 0.20
    stale_days: int = 4
    distance: float = 1.0
    outside: int = 0
    simplex: float = 1e-8

    def __post_init__(self) -> None:
        for name in ("turnover", "distance", "simplex"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ParameterError(f"the limit {name} is {value}; give a number above 0", name)
        for name in ("stale_days", "outside"):
            if getattr(self, name) < 0:
                raise ParameterError(f"the limit {name} is {getattr(self, name)}; give 0 or more", name)


@dataclass(frozen=True, eq=False)
class Judgement:
    """One look: the weights to trade to (None: leave alone), who decided (`policy`, `rule` or `nobody`), and why.

    `proposed` are the policy's weights within the turnover cap, `by_rule` the rule's; None where they leave alone, were
    not asked or failed. `asked` says whether the policy was good for an answer at all.
    """

    weights: Floats | None
    acted: str
    events: tuple[Event, ...]
    proposed: Floats | None
    by_rule: Floats | None
    asked: bool


class Guarded:
    """A policy that acts only within its limits, and a rule that acts otherwise; itself a `Policy`.

    In order: a kill switch that is on, an expiry that is past, stale prices, inputs that are missing or unlike the
    training years, a policy that raises or answers off the simplex: the fallback rule acts. Where the weights held are
    not known, nobody does. Turnover above the cap is scaled towards the weights held, whoever proposed it. In `shadow`
    mode the rule acts always, and `listen` hears what the policy would have done; what `listen` raises is not caught,
    for a look that cannot be recorded must not pass in silence. `events` grows by every intervention, in order, to be
    shown in the report.

    `clock` gives today where the prices' days are counted (None in a backtest: prices are never stale and a policy does
    not expire in use); `killed` is a switch (`switch_file`). A clock or switch that cannot be read stops the policy.
    `market_names` and `asset_names` are those of the signals, needed with `familiar`. Raises `PolicyError` for a draft
    or an unchecked signature in `live` mode, `ParameterError` where a training range is of a signal that is not named.
    """

    def __init__(
        self,
        policy: Policy,
        fallback: Policy,
        limits: Limits = Limits(),
        *,
        mode: Mode = "live",
        familiar: Familiar | None = None,
        market_names: Sequence[str] = (),
        asset_names: Sequence[str] = (),
        clock: Callable[[], pd.Timestamp] | None = None,
        killed: Callable[[], bool] | None = None,
        listen: Callable[[Observation, Judgement], None] | None = None,
    ) -> None:
        if mode not in ("live", "shadow"):
            raise ParameterError(f"the mode {mode!r} is not live or shadow", "mode")
        if isinstance(policy, RegisteredPolicy) and mode == "live" and policy.status in ("draft", "unchecked"):
            raise PolicyError(
                f"{policy.name} is {policy.status}: it runs in shadow mode only; have it approved and load it with the "
                "approvers' keys"
            )
        if familiar is not None:
            check_names(familiar, market_names, asset_names)
        self.policy, self.fallback, self.limits, self.mode = policy, fallback, limits, mode
        self.familiar, self.market_names, self.asset_names = familiar, tuple(market_names), tuple(asset_names)
        self.clock, self.killed, self.listen = clock, killed, listen
        self.events: list[Event] = list(getattr(policy, "events", ()))

    @classmethod
    def registered(
        cls,
        policy: RegisteredPolicy,
        limits: Limits = Limits(),
        *,
        mode: Mode = "live",
        clock: Callable[[], pd.Timestamp] | None = None,
        killed: Callable[[], bool] | None = None,
        listen: Callable[[Observation, Judgement], None] | None = None,
    ) -> Guarded:
        """A policy of the registry with the fallback and the training ranges of its own card."""
        return cls(
            policy,
            policy.fallback,
            limits,
            mode=mode,
            familiar=policy.card.familiar,
            market_names=policy.spec.market,
            asset_names=policy.spec.asset,
            clock=clock,
            killed=killed,
            listen=listen,
        )

    @property
    def name(self) -> str:
        """How exhibits call it."""
        return f"{self.policy.name}, {'guarded' if self.mode == 'live' else 'in shadow'}"

    @property
    def every(self) -> int:
        """Sessions between looks: the policy's where it acts, the rule's in shadow mode."""
        return self.policy.every if self.mode == "live" else self.fallback.every

    def decide(self, seen: Observation) -> Floats | None:
        """Weights wanted, by the policy or by the rule; what happened is added to `events`. Never raises for either."""
        judged = self.judge(seen)
        self.events.extend(judged.events)
        if self.listen is not None:
            self.listen(seen, judged)
        return judged.weights

    def judge(self, seen: Observation) -> Judgement:
        """What would be done at this look, and why; keeps no record."""
        if not np.isfinite(seen.weight).all():
            sentence = "A weight held is missing or not a number; nothing can be traded."
            return Judgement(None, "nobody", (Event(_day(seen), "missing", sentence),), None, None, False)
        found = self._unfit(seen)
        asked, proposed = not found, None
        if asked:
            proposed, wrong = self._answer(self.policy, seen)
            found, asked = wrong, not wrong
        if self.mode == "shadow" or not asked:
            by_rule, wrong = self._answer(self.fallback, seen)
            acted = "nobody" if wrong else "rule"
            found = (*found, *wrong)
            weights = by_rule
        else:
            by_rule, acted, weights = None, "policy", proposed
        weights, capped = self._cap(seen, weights)
        if proposed is not None:
            proposed = weights if acted == "policy" else self._cap(seen, proposed)[0]
        return Judgement(weights, acted, (*found, *capped), proposed, weights if acted == "rule" else by_rule, asked)

    def _unfit(self, seen: Observation) -> tuple[Event, ...]:
        """Why the policy may not even be asked; the first reason found stands for all."""
        day, then = _day(seen), f"{self.fallback.name} acts."
        if self._is_killed():
            return (Event(day, "kill switch", f"The kill switch is on; {then}"),)
        overdue = self._overdue(seen)
        if overdue:
            return overdue
        missing = missing_input(seen)
        if missing:
            return (Event(day, "missing", f"{missing} is missing or not a number; {then}"),)
        if self.familiar is None:
            return ()
        return tuple(
            Event(day, "outside training", f"{odd.sentence} {then}", odd.value, odd.limit)
            for odd in unfamiliar(
                self.familiar,
                seen,
                self.market_names,
                self.asset_names,
                multiple=self.limits.distance,
                allowed=self.limits.outside,
            )
        )

    def _is_killed(self) -> bool:
        if self.killed is None:
            return False
        try:
            return bool(self.killed())
        except Exception:  # noqa: BLE001 - a switch that cannot be asked must stop the policy, whatever is wrong with it
            return True

    def _overdue(self, seen: Observation) -> tuple[Event, ...]:
        """A policy past its expiry, or prices that are too old, of tomorrow, or of an age that cannot be told."""
        day, then, limit = _day(seen), f"{self.fallback.name} acts.", float(self.limits.stale_days)
        today = self._today()
        if isinstance(self.policy, RegisteredPolicy) and self.policy.is_expired(today):
            expires = self.policy.card.expires
            return (Event(day, "expired", f"{self.policy.name} expired on {expires}; {then}"),)
        if self.clock is None:
            return ()
        if today is None:
            return (Event(day, "stale", f"The clock cannot be read, so the prices may be old; {then}", None, limit),)
        if seen.day is None or pd.isna(seen.day):
            sentence = f"The prices have no day, so their age is not known; {then}"
            return (Event(day, "stale", sentence, None, limit),)
        age = float((today - seen.day.date()).days)
        if 0 <= age <= limit:
            return ()
        how = f"{age:.0f} days old" if age > 0 else f"dated {-age:.0f} days after today"
        sentence = f"The prices are {how}, at most {limit:.0f} days are allowed; {then}"
        return (Event(day, "stale", sentence, age, limit),)

    def _today(self) -> date | None:
        """The day of the calendar that the clock shows in its own time zone; None without a clock that can be read."""
        if self.clock is None:
            return None
        try:
            now = self.clock()
            return None if pd.isna(now) else now.date()
        except Exception:  # noqa: BLE001 - as with the switch: whatever is wrong with the clock, the policy must not act
            return None

    def _answer(self, policy: Policy, seen: Observation) -> tuple[Floats | None, tuple[Event, ...]]:
        """A policy's weights, or the event of its failure."""
        then = f"{self.fallback.name} acts" if policy is self.policy else "nothing is traded"
        try:
            wanted = policy.decide(seen)
        except Exception as error:  # noqa: BLE001 - whatever a policy raises, the account must not wait for it
            sentence = f"{policy.name} failed ({type(error).__name__}: {error}); {then}."
            return None, (Event(_day(seen), "failed", sentence),)
        if wanted is None:
            return None, ()
        off = _off_simplex(wanted, seen)
        if off <= self.limits.simplex:
            return np.array(wanted, float), ()
        sentence = f"{policy.name} asked for weights that are no portfolio; {then}."
        return None, (Event(_day(seen), "off simplex", sentence, off, self.limits.simplex),)

    def _cap(self, seen: Observation, wanted: Floats | None) -> tuple[Floats | None, tuple[Event, ...]]:
        """Scale a trade towards the weights held where it turns over more than the cap."""
        if wanted is None:
            return None, ()
        turnover = 0.5 * float(np.abs(wanted - seen.weight).sum())
        limit = self.limits.turnover
        if turnover <= limit:
            return wanted, ()
        sentence = (
            f"The trade would turn over {turnover:.1%} of the account, more than {limit:.1%}; {limit / turnover:.0%} "
            "of it is done."
        )
        part = seen.weight + (limit / turnover) * (wanted - seen.weight)
        return part, (Event(_day(seen), "turnover", sentence, turnover, limit),)


def switch_file(path: Path) -> Callable[[], bool]:
    """A kill switch that is on while a file is there, whatever it holds; on too where that cannot be told.

    It cannot be told where the file's folder is not there either, as when a network drive is not mounted. The path is
    taken from where the process stands now, so that moving on does not lose the switch.
    """
    place = path.absolute()

    def is_on() -> bool:
        try:
            os.lstat(place)
        except FileNotFoundError:
            return not place.parent.is_dir()
        except OSError:
            return True
        return True

    return is_on


def _day(seen: Observation) -> str:
    return f"session {seen.session}" if seen.day is None or pd.isna(seen.day) else seen.day.date().isoformat()


def _off_simplex(wanted: object, seen: Observation) -> float:
    """How far weights are from a portfolio of these positions; infinite where they are no such weights at all."""
    try:
        weights = np.asarray(wanted, float)
    except (TypeError, ValueError):
        return math.inf
    if weights.shape != seen.weight.shape or not np.isfinite(weights).all():
        return math.inf
    return max(abs(float(weights.sum()) - 1.0), -float(weights.min()), 0.0)
