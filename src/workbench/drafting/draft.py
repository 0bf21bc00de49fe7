"""A draft: a text, the sheet it was made of, who wrote it how, and what the verifier says of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Literal

from workbench.drafting.blocks import escaped
from workbench.drafting.facts import FactSheet
from workbench.drafting.spelling import one_line
from workbench.drafting.verifying.verdicts import Span, Verification
from workbench.errors import DraftError


@dataclass(frozen=True)
class Writing:
    """How a text came about: by a template or by a model, under which prompt or template (name and hash).

    A model's draft also holds its name, parameters, the masked input it was sent and its raw reply; `fallback` says
    why a template serves although a model was asked.
    """

    writer: Literal["template", "model"]
    name: str
    name_hash: str
    model: str = ""
    parameters: str = ""
    masked_input: str = ""
    raw_reply: str = ""
    fallback: str = ""


def title_faults(title: str, sheet: FactSheet) -> tuple[Span, ...]:
    """Return what a title states that the facts do not support."""
    from workbench.drafting.verifying.verify import verify

    return verify(escaped(one_line(title), at_start=True), sheet).faults


@dataclass(frozen=True)
class Draft:
    """One drafted text of a kind ("client_email") and key ("H00003"), complete and verified.

    `title` heads its page where the text has no heading of its own. It is held to the facts like the text: raises
    `DraftError` for one that states anything which they do not support.
    """

    kind: str
    key: str
    title: str
    skeleton: str
    text: str
    sheet: FactSheet = field(repr=False)
    made: Writing
    report: Verification = field(repr=False)

    def __post_init__(self) -> None:
        if faults := title_faults(self.title, self.sheet):
            raise DraftError(
                f"the title of {self.kind} {self.key} says {faults[0].text!r}: {faults[0].reason}; "
                "a title states what the facts support, or nothing"
            )

    @property
    def hash(self) -> str:
        """SHA-256 of the text: what a person approves."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def edited(self, text: str) -> Draft:
        """Return the draft with a person's words in place of its own, verified anew (it may then have faults)."""
        from workbench.drafting.verifying.verify import verify

        return replace(self, text=text, report=verify(text, self.sheet, self.skeleton))
