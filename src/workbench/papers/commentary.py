"""Performance commentary, a page a model: the firm measured once, every model drafted and verified."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from workbench.drafting.draft import Draft
from workbench.errors import ParameterError
from workbench.exhibits import commentary
from workbench.firm import Firm


def drafts(firm: Firm, models: Collection[str] = ()) -> Iterator[Draft]:
    """Yield the commentary of each model asked for, of all with a record where none is named, most money first.

    Raises `ParameterError` for a model without a record, and as `exhibits.commentary.measure`.
    """
    measured = commentary.measure(firm)
    asked = tuple(models) or tuple(measured.records)
    if unknown := [key for key in asked if key not in measured.records]:
        known = ", ".join(measured.records) or "none"
        raise ParameterError(f"model {unknown[0]!r} has no record of performance; there are: {known}", "models")
    for key in asked:
        yield commentary.draft(measured, key)
