"""The learned policies a chapter is given: a folder of them is read, and whatever is refused is said, never skipped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from workbench import learning
from workbench.errors import ParameterError, PolicyError
from workbench.exhibits.drift_facts import absent, plural
from workbench.exhibits.policy_facts import house, upper
from workbench.learning import registry
from workbench.learning.event import Event
from workbench.learning.registry import RegisteredPolicy
from workbench.report import Column, Exhibit, Missing, Settings, TableBody
from workbench.report.exhibit import Cell

#: Figures in a sentence, by which two events of one kind may differ.
_FIGURES = re.compile(r"\d[\d.,%]*")
#: What a chapter's parameter says for the set that comes with the package, and for none.
SHIPPED, NONE = "shipped", "none"


@dataclass(frozen=True)
class Shelf:
    """Policies that were read, and a sentence for each folder that was refused."""

    folder: str
    policies: tuple[RegisteredPolicy, ...]
    refused: tuple[str, ...]

    @property
    def events(self) -> tuple[Event, ...]:
        """What the policies that were read have to report, such as an expiry."""
        return tuple(event for policy in self.policies for event in policy.events)

    def named(self, name: str = "") -> RegisteredPolicy | None:
        """The policy of this name, or the first; None where there is none at all.

        Raises `ParameterError` for a name that is not there, naming those that are.
        """
        found = next((policy for policy in self.policies if name in ("", policy.name)), None)
        if found is None and name:
            known = ", ".join(policy.name for policy in self.policies) or "none"
            raise ParameterError(f"there is no policy {name!r} in {self.folder}; there are: {known}", "policy")
        return found


def read(folder: str, today: date) -> Shelf:
    """Read every policy under `folder`, one policy's own folder, "shipped", or "none".

    A policy past its expiry on `today` is its fallback rule, with an event. A folder that is changed, foreign or broken
    is refused: its sentence is in `refused`. Raises `ParameterError` where there is no such folder.
    """
    if folder in ("", NONE):
        return Shelf(NONE, (), ())
    place = Path(learning.__file__).parent / "shipped" if folder == SHIPPED else Path(folder)
    if not place.is_dir():
        if folder == SHIPPED:
            return Shelf(SHIPPED, (), ("No learned policy comes with this installation; install the package anew.",))
        raise ParameterError(f"{folder}: no such folder of policies; name one, or {SHIPPED}, or {NONE}", "policies")
    places = (place,) if (place / registry.MANIFEST).exists() else registry.found(place)
    policies: list[RegisteredPolicy] = []
    refused: list[str] = [] if places else [f"There is no policy in {place.name}."]
    for each in places:
        try:
            policies.append(registry.load(each, today=today))
        except PolicyError as error:
            refused.append(f"The policy folder {each.name} was refused: {error}.".replace("..", "."))
    names = [policy.name for policy in policies]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ParameterError(f"two policies in {folder} are called {twice[0]!r}; leave one out", "policies")
    return Shelf(folder, tuple(policies), tuple(refused))


def events_table(
    events: Sequence[Event], refused: Sequence[str], settings: Settings, stopped: Sequence[str] = ()
) -> Exhibit:
    """Every kind of event in which something other than the learned policy acted, and every folder that was refused.

    Events that differ in day and figures alone share a row. `stopped` are sentences on how often guardrails acted.
    """
    id, title = "policy-events", "When the rule acts instead"
    alike: dict[tuple[str, str], list[Event]] = {}
    for event in events:
        alike.setdefault((event.kind, _FIGURES.sub("#", event.sentence)), []).append(event)
    rows: list[tuple[Cell, ...]] = [
        (upper(same[0].kind), len(same), same[0].day, same[-1].day, house(_worst(same).sentence.replace("_", " ")))
        for same in sorted(alike.values(), key=len, reverse=True)
    ]
    unread = Missing("when it was read")
    rows += [("Refused", 1, unread, unread, sentence) for sentence in refused]
    if not rows:
        return absent(id, title, "No policy was refused, had expired, or met inputs unlike those of its training.")
    columns = (
        Column("kind", "What", emphasis=True), Column("times", "Times", "count"), Column("first", "First", "date"),
        Column("last", "Last", "date"), Column("sentence", "In words, the one furthest off"),
    )  # fmt: skip
    takeaway = " ".join(stopped) or f"{plural(len(events) + len(refused), 'event')} to know of."
    return Exhibit(id, title, TableBody(columns, tuple(rows)), takeaway, settings)


def _worst(events: Sequence[Event]) -> Event:
    """The event whose figure is furthest beyond its limit."""
    return max(events, key=lambda event: abs((event.value or 0.0) - (event.limit or 0.0)))
