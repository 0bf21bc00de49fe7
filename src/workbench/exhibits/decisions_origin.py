"""What people decided, as a chapter reads it: the folder, the rulebook in force, and the source that figures cite."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.compliance import Rulebook
from workbench.exhibits.origin import Origin
from workbench.firm import Firm
from workbench.firm.locate import project_root
from workbench.governance.lessons import rehearsal
from workbench.governance.lessons.frames import Decisions, read_decisions
from workbench.governance.lessons.proportions import Share
from workbench.governance.lessons.rulebook_text import Movable, read_movable
from workbench.governance.lessons.thresholds import RulesReview, propose_limits
from workbench.governance.lessons.wording import WordingProposal, propose_wording
from workbench.governance.measures import Measure, Reading
from workbench.report import Fact, Settings
from workbench.report import format as fmt

#: What a chapter's parameter says for the made-up history, for the demo desk's decisions, for the house's rulebook,
#: and for no file.
DEMO, DESK, HOUSE, NONE = "demo", "desk", "house", ""
#: Days of prices before the demo's history begins that it needs.
_PRICES = pd.Timedelta(days=400)
_NO_EXPORT = (
    "The demo desk's decisions were not exported yet, so that a made-up history stands here. For theirs: workbench "
    "signals decisions --demo, then run this book again."
)
_MADE_UP = "every decision; this history is made up to show the chapter"


@dataclass(frozen=True)
class Source:
    """Decisions with the prices to judge them by, the rulebook's text and which of its limits may be moved.

    Every settings line and fact of the chapter is made here, and cites the export's hash.
    """

    decisions: Decisions
    prices: pd.DataFrame
    rulebook: str
    movable: tuple[Movable, ...]
    origin: Origin

    @property
    def as_of(self) -> str:
        """The day of the export, ISO."""
        return self.decisions.until[:10]

    def settings(self, basis: str, tables: Iterable[str]) -> Settings:
        """The line under an exhibit."""
        named = ", ".join(tables)
        source = (
            f"decisions {self.decisions.hash[:8]}, {named}; audit trail up to record {self.decisions.audit_sequence:,}"
        )
        return Settings(self.as_of, basis, source, _MADE_UP if self.decisions.simulated else "")

    def fact(self, id: str, value: object, unit: str, function: str, *, digits: int | None = None) -> Fact:
        """A figure with where it comes from."""
        source = f"{function} of decisions {self.decisions.hash[:8]}"
        return Fact.of(f"decisions.{id}", value, unit, source=source, as_of=self.as_of, digits=digits)

    def slug(self, key: object) -> str:
        """A key as part of a fact's identifier."""
        return self.origin.slug(key)

    def measures(self) -> tuple[tuple[Measure, ...], tuple[Reading, ...]]:
        """The measures' latest definitions, and every figure."""
        known = [Measure(**json.loads(body)) for body in self.decisions["measures"]["definition"]]
        latest = {measure.measure_id: measure for measure in sorted(known, key=lambda measure: measure.version)}
        rows = self.decisions["readings"].astype(object).to_dict("records")
        return tuple(latest.values()), tuple(_reading(row) for row in rows)


def desk_export() -> Path:
    """Return the folder that `workbench signals decisions --demo` writes to. Raises `ParameterError` off a checkout."""
    return project_root() / "build" / "desk" / "decisions"


def read(book: Firm, decisions: str, rules: str = HOUSE, movable: str = NONE) -> Source:
    """Read an export of decisions, or make one up where `decisions` is "demo".

    "desk" reads the demo desk's decisions; where they were not exported yet it makes them up too, and a note says how.
    `rules` is a rulebook's path or "house", `movable` a file that says which limits may be moved ("" for none).
    Raises `ParameterError` where a file or folder is missing, `AuditError` where the export was changed.
    """
    origin, prices = Origin.of(book), book.table("prices", ["date", "security_id", "close", "adj_close"])
    if decisions == DESK and desk_export().exists():
        decisions = str(desk_export())
    if decisions in (DEMO, DESK):
        recent = prices[prices["date"] >= book.as_of - _PRICES]
        made_up = rehearsal.rehearse(recent, book.as_of.date())
        if decisions == DESK:
            made_up = replace(made_up, notes=(*made_up.notes, _NO_EXPORT))
        return Source(made_up, recent, rehearsal.RULEBOOK, rehearsal.MOVABLE, origin)
    found = read_decisions(Path(decisions))
    rulebook = Rulebook.default() if rules == HOUSE else Rulebook.read(rules)
    allowed = read_movable(movable) if movable else ()
    return Source(found, prices, rulebook.text, allowed, origin)


def limits(source: Source) -> RulesReview:
    """The limits tested, and those proposed to move."""
    return propose_limits(source.decisions, source.rulebook, source.movable)


def wording(source: Source) -> tuple[WordingProposal, ...]:
    """The phrases proposed to be left out."""
    return propose_wording(source.decisions)


def _reading(row: dict[str, Any]) -> Reading:
    known: dict[str, Any] = {name: None if value is pd.NA else value for name, value in row.items()}
    return Reading(**known)


def counted(part: Share) -> str:
    """A share as people say it of few and of many cases: "34 of 40", without a percentage below twenty."""
    words = f"{part.hits:,} of {part.cases:,}"
    return words if part.few else f"{fmt.percent(part.value, 0)}, {words}"


def between(part: Share) -> str:
    """A share's interval in words."""
    return "no case" if not part.cases else f"{fmt.percent(part.low, 0)} to {fmt.percent(part.high, 0)}"
