"""The committee memo as a paper of its own: a firm measured, drafted and verified."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from workbench.drafting.draft import Draft
from workbench.drafting.sheets.committee import SUBJECTS
from workbench.exhibits import memo
from workbench.firm import Firm


def drafts(firm: Firm, reads: Collection[str] = SUBJECTS) -> Iterator[Draft]:
    """Yield the memo on a firm's quarter; `reads` are the chapters it draws on. Raises as `exhibits.memo.measure`."""
    yield memo.draft(memo.measure(firm, reads))
