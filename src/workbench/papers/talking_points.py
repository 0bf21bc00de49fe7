"""Talking points for a household's review: drift first, why its model moved, what it means, tax, notes, questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workbench.drafting.draft import Draft
from workbench.drafting.facts import FactSheet
from workbench.drafting.reasons.household import CLAIMS
from workbench.drafting.writer import write
from workbench.firm import Firm
from workbench.papers.client import sheets

KIND = "talking_points"


def drafts(firm: Firm, *, households: Sequence[str] = (), workers: int = 1) -> Iterator[Draft]:
    """Return the talking points of each household named (all of the firm's by default).

    Raises `ParameterError` for an unknown household, `FirmDataError` for a broken firm, `DraftError` or `FactError`
    for a household whose record cannot be told.
    """
    for sheet in sheets(firm, households=households, workers=workers):
        yield talking_points(sheet)


def talking_points(sheet: FactSheet) -> Draft:
    """Return the talking points of a household's sheet. Raises as `drafting.writer.write`."""
    return write(sheet, KIND, CLAIMS, kind=KIND, title="Talking points for the review")
