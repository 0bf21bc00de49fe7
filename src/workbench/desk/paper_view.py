"""A kept text on a page: verified anew, each figure with its source and each fault with its reason."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from workbench.drafting import FactSheet, Verification, verify
from workbench.drafting.draft import title_faults
from workbench.errors import FactError
from workbench.papers.marked import marked_html
from workbench.papers.sources import Endnotes, endnotes


@dataclass(frozen=True)
class Shown:
    """A text as a page shows it: marked, with its endnotes; `problem` says why it cannot be.

    `title_says` is what its title states without a fact.
    """

    words: str
    marked: Markup | None = None
    notes: Endnotes | None = None
    report: Verification | None = None
    problem: str = ""
    title_says: str = ""

    @property
    def supported(self) -> bool:
        """Whether the verifier supports all of it now, the title too."""
        return self.report is not None and self.report.supported and not self.title_says

    @property
    def faults(self) -> int:
        """How many spans of the text it does not support."""
        return len(self.report.faults) if self.report else 0


def shown(text: bytes | None, facts: bytes | None, title: str = "") -> Shown | None:
    """Return a text marked by its facts; None where the text itself is gone.

    Without facts, or with bytes that are no sheet, the words stand plainly and `problem` says why.
    """
    if text is None:
        return None
    words = text.decode("utf-8", "replace")
    if facts is None:
        return Shown(words, problem="Nobody verified this text: no facts are kept with it.")
    try:
        sheet = FactSheet.read(facts)
        report = verify(words, sheet)
        notes = endnotes(report, sheet)
        said = next((fault.text for fault in title_faults(title, sheet)), "")
        return Shown(words, marked_html(words, report, sheet, notes, top=3), notes, report, title_says=said)
    except FactError as error:
        return Shown(words, problem=f"The text cannot be verified: {error}.")
