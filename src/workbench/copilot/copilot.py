"""Questions answered over one firm: read, routed, computed, written and verified; or passed on to a person."""

from __future__ import annotations

from pathlib import Path

from workbench.copilot.answer import Answer, Scope
from workbench.copilot.escalation import Escalations, Nobody
from workbench.firm import Firm, open_at


class Copilot:
    """Answers questions about one firm; reads only. Analytics run at the first question that needs them and are kept."""

    def __init__(self, firm: Firm, escalations: Escalations | None = None) -> None:
        self._firm = firm
        self._escalations = escalations or Nobody()

    @classmethod
    def of(cls, firm: str | Path, as_of: str | None = None) -> Copilot:
        """Open a firm's folder (or the word demo) and answer questions about it. Raises as `firm.open_at`."""
        return cls(open_at(firm, as_of))

    def ask(self, question: str, scope: Scope = Scope()) -> Answer:
        """Answer one question from the book that `scope` covers."""
        return Answer(question, "passed_on", "I will pass this on.", escalation=self._escalations.pass_on(question))


def ask(question: str, *, firm: str | Path = "demo", advisor: str | None = None) -> Answer:
    """Answer one question about a firm; the firm stays open for the next one."""
    return _open(str(firm)).ask(question, Scope(advisor))


_KEPT: dict[str, Copilot] = {}


def _open(firm: str) -> Copilot:
    if firm not in _KEPT:
        _KEPT[firm] = Copilot.of(firm)
    return _KEPT[firm]
