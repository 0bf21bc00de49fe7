"""What is asked for about papers and about questions that were passed on.

`version` and `sheet_hash` are those of the paper as it was shown; both are compared before anything is done.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from workbench.governance.commands import Command, Document, ReasonCode
from workbench.governance.states import Action


@dataclass(frozen=True)
class BringPaper(Command):
    """A verified text before people; the same kind, key, text and facts brought again is the same paper.

    `facts` is the sheet it was made of, `report` the verifier's. How a machine made it (prompt, model, parameters,
    masked input, raw output) comes in `made` as documents, or in `record` as (name, hash or plain word).
    """

    action: ClassVar[Action] = Action.BRING_PAPER
    kind: str
    key: str
    title: str
    book: str
    as_of: str
    text: Document
    facts: Document
    report: Document
    record: tuple[tuple[str, str], ...]
    made: tuple[tuple[str, Document], ...] = ()
    household_id: str | None = None


@dataclass(frozen=True)
class PaperCommand(Command):
    """An act on one paper at the version that was shown."""

    paper_id: str
    version: int


@dataclass(frozen=True)
class EditPaper(PaperCommand):
    """A person's words in place of a paper's, with the verifier's report of them; faults are kept, not let out."""

    action: ClassVar[Action] = Action.EDIT_PAPER
    body: str
    report: Document
    reason_code: ReasonCode
    reason: str = ""


@dataclass(frozen=True)
class ReleasePaper(PaperCommand):
    """Let exactly what was shown be used; by another person than whoever edited it."""

    action: ClassVar[Action] = Action.RELEASE_PAPER
    sheet_hash: str
    note: str = ""


@dataclass(frozen=True)
class WithdrawPaper(PaperCommand):
    """Take a paper back, before or after its release."""

    action: ClassVar[Action] = Action.WITHDRAW_PAPER
    reason: str


@dataclass(frozen=True)
class Escalate(Command):
    """Pass a question on to a person. `book` is the asker's, so that nobody else's book learns of it."""

    action: ClassVar[Action] = Action.ESCALATE
    question: str
    book: str
    household_id: str | None = None


@dataclass(frozen=True)
class AnswerEscalation(Command):
    """Answer a question that was passed on, or close it without an answer for the reason that `answer` then gives."""

    action: ClassVar[Action] = Action.ANSWER_ESCALATION
    escalation_id: str
    version: int
    answer: str
    outcome: Literal["answered", "closed"] = "answered"
