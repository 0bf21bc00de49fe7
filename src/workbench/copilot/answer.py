"""An answer: what was asked, how it was understood, what the record says, and where that was read."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import Literal

from workbench.drafting import FactSheet, Verification
from workbench.drafting.blocks import unescaped
from workbench.report.format import visible

#: Answered from facts or a passage; not in the record of this book; handed to a person; more than one thing is meant.
Status = Literal["answered", "not_in_record", "passed_on", "which"]


@dataclass(frozen=True)
class Scope:
    """Whose book may be read: one advisor's, or (None) all of the firm's."""

    advisor_id: str | None = None

    def covers(self, advisor_id: str) -> bool:
        """Say whether a household of this advisor is in the book."""
        return self.advisor_id in (None, advisor_id)


@dataclass(frozen=True)
class Passage:
    """Approved words that answer a question as they stand: quoted with their title and source, never reworded."""

    title: str
    text: str
    source: str


@dataclass(frozen=True)
class Answer:
    """What the copilot says to one question.

    `route` names the topic that was understood ("" where none was). `sheet` holds the facts and `report` the
    verifier's verdicts of an answer that was computed; both are None where nothing was. `sources` end the answer.
    `escalation` is the number of what was passed on, where somebody takes it.
    """

    question: str
    status: Status
    text: str
    route: str = ""
    sheet: FactSheet | None = field(default=None, repr=False)
    report: Verification | None = field(default=None, repr=False)
    passages: tuple[Passage, ...] = ()
    sources: tuple[str, ...] = ()
    escalation: str = ""

    @property
    def shown(self) -> str:
        """The text as a person reads it, without the signs that took others literally."""
        return unescaped(self.text.strip())

    def __str__(self) -> str:
        parts = [self.shown]
        if self.sources:
            parts.append("\n".join(f"[{number}] {line}" for number, line in enumerate(self.sources, start=1)))
        return "\n\n".join(parts)

    def _repr_html_(self) -> str:
        """Show the answer in a notebook; everything in it is escaped."""
        text = "".join(f'<p style="white-space: pre-line">{html.escape(part)}</p>' for part in self.shown.split("\n\n"))
        sources = "".join(f"<li>{html.escape(line)}</li>" for line in self.sources)
        listed = f"<ol>{sources}</ol>" if sources else ""
        return f"<article><p><em>{html.escape(visible(self.question[:300]))}</em></p>{text}{listed}</article>"
