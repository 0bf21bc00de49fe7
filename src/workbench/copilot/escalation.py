"""Where a question goes that the copilot does not answer: to somebody who takes it, or to nobody yet."""

from __future__ import annotations

from typing import Protocol


class Escalations(Protocol):
    """Takes a question for a person; the desk keeps it with its asker and household."""

    def pass_on(self, question: str, household_id: str | None = None) -> str:
        """Keep the question and return the number it is found by."""


class Nobody:
    """No desk stands behind the copilot, as at the command line: the question is not kept."""

    def pass_on(self, question: str, household_id: str | None = None) -> str:
        """Return no number: nobody took the question."""
        return ""
