"""What a topic is asked, and what it may say instead of an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from workbench.copilot.answer import Scope
from workbench.copilot.record import Record
from workbench.drafting import FactSheet

#: Months as questions write them.
MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """One question understood: the record, the book, and what was named, each known to be of that book."""

    record: Record
    scope: Scope
    household: str | None = None
    account: str | None = None
    security: str | None = None
    key: tuple[str, str] | None = None
    model: str | None = None
    shares: float | None = None
    money: float | None = None
    version: int | None = None
    text: str = ""

    @property
    def accounts(self) -> list[str]:
        """The account named, or all of the household."""
        if self.account is not None:
            return [self.account]
        return [] if self.household is None else self.record.accounts_of(self.household)


class NotInRecordError(Exception):
    """The record does not hold what is asked; the message says what is missing, without a figure."""


Topic = Callable[[Asked], tuple[FactSheet, str]]
