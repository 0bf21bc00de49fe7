"""The shadow log: at each look what was done beside what the policy would have done, in a file of chained lines."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workbench.backtest import ChainedFile, Observation
from workbench.errors import ParameterError, PolicyError
from workbench.learning.explain import SESSIONS, cost_and_loss
from workbench.learning.guardrails import Judgement

FORMAT = "workbench shadow log 1"
_REMEDY = "The log can no longer be trusted: take it and its .head from a copy, or start a new one."


@dataclass(frozen=True)
class ShadowEntry:
    """One look of one portfolio: weights before, done and that would have been, with cost (bp) and loss (bp a year).

    `would` is None where guardrails kept the policy from answering; `years` is the time to the next look.
    """

    portfolio: str
    day: str
    session: int
    wealth: float
    years: float
    before: tuple[float, ...]
    done: tuple[float, ...]
    would: tuple[float, ...] | None
    done_cost_bp: float
    would_cost_bp: float | None
    done_loss_bp: float
    would_loss_bp: float | None
    events: tuple[str, ...] = ()

    @property
    def gain_bp(self) -> float | None:
        """What the policy would have saved until the next look, trading cost and tracking loss, in bp."""
        if self.would_cost_bp is None or self.would_loss_bp is None:
            return None
        return self.done_cost_bp - self.would_cost_bp + self.years * (self.done_loss_bp - self.would_loss_bp)


@dataclass(frozen=True)
class ShadowSummary:
    """A shadow log in figures: looks, those where the policy would have acted differently, and the difference.

    `rule_bp` and `policy_bp` are cost and tracking loss, bp a year, weighted by wealth; `gain_money` is what the policy
    would have saved in all. Each look of the policy starts from the weights that the rule left, so a policy that waits
    long is judged on single steps; a backtest judges its path.
    """

    looks: int
    answered: int
    differing: int
    first: str
    last: str
    rule_bp: float
    policy_bp: float
    gain_bp: float
    gain_money: float
    events: tuple[tuple[str, int], ...]

    @property
    def intervened(self) -> float:
        """The part of looks at which guardrails kept the policy from answering, as `rolling.review` asks for it."""
        return 1.0 - self.answered / self.looks

    @property
    def sentence(self) -> str:
        """The summary for a reader without a glossary."""
        if not self.answered:
            return f"In {self.looks:,} looks the policy was never fit to answer."
        saved = "saved" if self.gain_money >= 0 else "lost"
        return (
            f"From {self.first} to {self.last} the policy would have acted differently at {self.differing:,} of "
            f"{self.looks:,} looks and {saved} {abs(self.gain_bp):.2f} bp a year, {abs(self.gain_money):,.0f} in all."
        )


def entry(seen: Observation, judged: Judgement, *, portfolio: str, wealth: float, every: int) -> ShadowEntry:
    """The entry of one look in shadow mode; `every` in sessions. Raises `ParameterError` for a wealth that is none."""
    if not (math.isfinite(wealth) and wealth > 0):
        raise ParameterError(f"portfolio {portfolio!r} is worth {wealth}; give its value", "wealth")
    done = seen.weight if judged.weights is None else judged.weights
    would = None if not judged.asked else seen.weight if judged.proposed is None else judged.proposed
    done_cost, done_loss = cost_and_loss(seen, done)
    would_cost, would_loss = cost_and_loss(seen, would) if would is not None else (None, None)
    return ShadowEntry(
        portfolio=portfolio,
        day="" if seen.day is None or pd.isna(seen.day) else seen.day.date().isoformat(),
        session=seen.session,
        wealth=wealth,
        years=every / SESSIONS,
        before=tuple(seen.weight.tolist()),
        done=tuple(done.tolist()),
        would=None if would is None else tuple(would.tolist()),
        done_cost_bp=done_cost,
        would_cost_bp=would_cost,
        done_loss_bp=done_loss,
        would_loss_bp=would_loss,
        events=tuple(event.kind for event in judged.events),
    )


class ShadowLog:
    """An append-only file of entries, chained by SHA-256 (see `ChainedFile`); many processes may append at once.

    A changed, removed or inserted line is found on reading, a cut-off end too. `policy` is the content hash of what is
    watched, `head` the hash of the last line that this object wrote or read: keep it elsewhere, and whoever writes the
    whole log anew is found out. Raises `PolicyError` where the file is broken or another policy's.
    """

    def __init__(self, path: Path, policy: str) -> None:
        self.path, self.policy = path, policy
        self._file = ChainedFile(path, _REMEDY)
        self.head = self._file.append((), first={"format": FORMAT, "policy": policy})
        found = _policy_of(self._file, self._file.read())
        if found != policy:
            raise PolicyError(f"{path.name}: it watches the policy {found[:8]}, not {policy[:8]}; name a new file")

    def append(self, *entries: ShadowEntry) -> str:
        """Add entries, all or none, and return the new head. Raises `ParameterError` for a figure that is not finite.

        Every call waits until its lines are on the disk, so hand over a day's entries at once.
        """
        try:
            self.head = self._file.append([asdict(entry) for entry in entries])
        except ValueError as error:
            looks = ", ".join(f"{entry.portfolio!r} on {entry.day}" for entry in entries[:3])
            raise ParameterError(f"a look of {looks} has a figure that is none", "entry") from error
        return self.head

    def entries(self) -> tuple[ShadowEntry, ...]:
        """All entries, the chain checked. Raises `PolicyError` naming the first line that is broken."""
        return _entries(self._file, kept=self.head)


def read(path: Path, *, head: str | None = None) -> tuple[ShadowEntry, ...]:
    """Entries of a log; `head` is a hash of it that was kept elsewhere, which must still be in the chain.

    Without `head` the file of that name beside the log is needed. Raises `PolicyError` naming the line that is broken.
    """
    return _entries(ChainedFile(path, _REMEDY), kept=head)


def summary(entries: Sequence[ShadowEntry]) -> ShadowSummary:
    """Figures over all entries. Raises `ParameterError` for an empty log."""
    if not entries:
        raise ParameterError("the shadow log is empty; there is nothing to sum up", "entries")
    answered = [entry for entry in entries if entry.would is not None]
    time = sum(entry.wealth * entry.years for entry in answered)
    rule = sum(entry.wealth * (entry.done_cost_bp + entry.years * entry.done_loss_bp) for entry in answered)
    gain = sum(entry.wealth * (entry.gain_bp or 0.0) for entry in answered)
    differing = sum(not np.allclose(entry.done, entry.would or (), atol=1e-9) for entry in answered)
    days = sorted(entry.day for entry in entries)
    counted = Counter(kind for entry in entries for kind in entry.events)
    return ShadowSummary(
        looks=len(entries),
        answered=len(answered),
        differing=differing,
        first=days[0],
        last=days[-1],
        rule_bp=rule / time if answered else math.nan,
        policy_bp=(rule - gain) / time if answered else math.nan,
        gain_bp=gain / time if answered else math.nan,
        gain_money=gain * 1e-4,
        events=tuple(sorted(counted.items())),
    )


def to_frame(entries: Iterable[ShadowEntry]) -> pd.DataFrame:
    """A row a look: portfolio, day, wealth, costs and losses of both, gain in bp and money, events."""
    rows = [
        {
            "portfolio": entry.portfolio,
            "day": entry.day,
            "wealth": entry.wealth,
            "done_cost_bp": entry.done_cost_bp,
            "would_cost_bp": entry.would_cost_bp,
            "done_loss_bp": entry.done_loss_bp,
            "would_loss_bp": entry.would_loss_bp,
            "gain_bp": entry.gain_bp,
            "gain_money": None if entry.gain_bp is None else entry.gain_bp * 1e-4 * entry.wealth,
            "events": ", ".join(entry.events),
        }
        for entry in entries
    ]
    return pd.DataFrame(rows)


def windows(entries: Sequence[ShadowEntry], every_months: int = 3) -> pd.DataFrame:
    """Looks by calendar periods, for the rolling validation: first, last, policy_bp and rule_bp (bp a year).

    Raises `ParameterError` for a look without a day, which belongs to no period.
    """
    answered = [entry for entry in entries if entry.would is not None]
    undated = [entry for entry in answered if not entry.day]
    if undated:
        raise ParameterError(
            f"a look of {undated[0].portfolio!r} at session {undated[0].session} has no day; give the prices days",
            "entries",
        )
    frame = pd.DataFrame(
        {
            "day": pd.to_datetime([entry.day for entry in answered]),
            "time": [entry.wealth * entry.years for entry in answered],
            "rule": [entry.wealth * (entry.done_cost_bp + entry.years * entry.done_loss_bp) for entry in answered],
            "gain": [entry.wealth * (entry.gain_bp or 0.0) for entry in answered],
        }
    )
    months = frame["day"].dt.year * 12 + frame["day"].dt.month - 1
    sums = frame.groupby(months // every_months)
    total = sums[["time", "rule", "gain"]].sum()
    return pd.DataFrame(
        {
            "first": sums["day"].min(),
            "last": sums["day"].max(),
            "policy_bp": (total["rule"] - total["gain"]) / total["time"],
            "rule_bp": total["rule"] / total["time"],
        }
    ).reset_index(drop=True)


def _entries(file: ChainedFile, kept: str | None) -> tuple[ShadowEntry, ...]:
    records = file.read(kept=kept)
    _policy_of(file, records)
    entries = []
    for number, record in enumerate(records[1:], start=2):
        try:
            entries.append(ShadowEntry(**{name: _tuple(value) for name, value in record.items()}))
        except (TypeError, AttributeError) as error:
            raise file.broken(number, "is no look") from error
    return tuple(entries)


def _policy_of(file: ChainedFile, records: Sequence[Any]) -> str:
    first = records[0] if records else {}
    if not isinstance(first, dict) or first.get("format") != FORMAT or not isinstance(first.get("policy"), str):
        raise file.broken(1, f"is not the first of a {FORMAT}")
    policy: str = first["policy"]
    return policy


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
