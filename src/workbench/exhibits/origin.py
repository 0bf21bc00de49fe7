"""Where the figures of an exhibit come from: the snapshot, its day, and what in it is simulated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.firm import Firm
from workbench.report import Fact, Settings

#: Simulated securities named in a settings line; more are counted.
_NAMED = 4


@dataclass(frozen=True)
class Origin:
    """The book of record behind a chapter; every settings line and every fact is made here, so that none lacks it.

    `as_of` is an ISO date, `snapshot` the first digits of the content hash, `simulated` names the securities whose
    price path is simulated ("" where none is).
    """

    as_of: str
    snapshot: str
    simulated: str

    @classmethod
    def of(cls, firm: Firm) -> Origin:
        """Describe a firm."""
        securities = firm.table("securities", ["security_id", "simulated"])
        names = sorted(securities.loc[securities["simulated"], "security_id"])
        return cls(str(firm.as_of.date()), firm.content_hash[:8], _prices_of(names))

    def settings(self, basis: str, tables: Sequence[str], *, simulated: bool = True) -> Settings:
        """The line under an exhibit; `simulated=False` where no price enters the exhibit."""
        source = f"book of record {self.snapshot}, tables {', '.join(tables)}"
        return Settings(self.as_of, basis, source, self.simulated if simulated else "")

    def fact(
        self,
        id: str,
        value: object,
        unit: str,
        function: str,
        tables: Sequence[str],
        *,
        digits: int | None = None,
        text: str | None = None,
    ) -> Fact:
        """A figure with its source: the function that computed it, the tables it read and the snapshot."""
        source = f"{function} of {', '.join(tables)}; book of record {self.snapshot}"
        return Fact.of(id, value, unit, source=source, as_of=self.as_of, digits=digits, text=text)


def _prices_of(names: Sequence[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"prices of {', '.join(names[:_NAMED])}{more}"
