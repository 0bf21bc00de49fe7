"""What compliance has to look at: findings that block, that could not be assessed, or that somebody let stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select, tuple_

from workbench.errors import ParameterError
from workbench.governance.access import Actor, visible
from workbench.governance.reading.history import both, names_of
from workbench.governance.reading.queue import MOST, PAGE
from workbench.governance.reading.steps import BLOCKING
from workbench.governance.states import OPEN, State
from workbench.governance.tables import finding, signal


@dataclass(frozen=True)
class ExceptionFilters:
    """Which findings: of one rule, one verdict, one book; overridden ones only, or open ones only; closed signals too
    where `closed`.
    """

    rule_id: str | None = None
    verdict: str | None = None
    book: str | None = None
    overridden: bool | None = None
    closed: bool = False


@dataclass(frozen=True)
class RuleCount:
    """How many findings of a rule there are, by what became of them."""

    rule_id: str
    blocked: int
    not_assessable: int
    overridden: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.blocked + self.not_assessable + self.overridden


@dataclass(frozen=True)
class ExceptionRow:
    """One finding and the signal it stands on."""

    signal_id: str
    household_id: str
    household_name: str
    book: str
    state: State
    traded: int
    rule_id: str
    rule_version: int
    verdict: str
    value: str
    limit: str
    reason: str
    overridable: bool
    overridden_by: str | None
    overridden_at: datetime | None
    override_reason: str | None


@dataclass(frozen=True)
class ExceptionsPage:
    """One page of findings, the counts by rule of all that the filters leave, and where the next page starts."""

    rows: tuple[ExceptionRow, ...]
    rules: tuple[RuleCount, ...]
    total: int
    next_after: str | None


def exceptions_page(
    connection: Connection,
    actor: Actor,
    filters: ExceptionFilters = ExceptionFilters(),
    after: str | None = None,
    *,
    limit: int = PAGE,
) -> ExceptionsPage:
    """Return a page of the findings that block, are not assessable or were let stand, by rule and signal.

    `after` is what the page before gave as `next_after`. Raises `ParameterError` for a limit out of range.
    """
    if not 1 <= limit <= MOST:
        raise ParameterError(f"a page has 1 to {MOST} rows, not {limit}", "limit")
    joined = finding.join(signal, signal.c.signal_id == finding.c.signal_id)
    counted = and_(visible(actor, signal.c.book), *_conditions(filters, with_rule=False))
    wanted = and_(visible(actor, signal.c.book), *_conditions(filters, with_rule=True))
    rules = tuple(_count(row) for row in connection.execute(_by_rule().select_from(joined).where(counted)))
    total = connection.execute(select(func.count()).select_from(joined).where(wanted)).scalar_one()
    asked = (
        select(finding, *(signal.c[name] for name in ("household_id", "household_name", "book", "state", "traded")))
        .select_from(joined)
        .where(wanted)
        .order_by(finding.c.rule_id, finding.c.signal_id)
        .limit(limit + 1)
    )
    if after:
        rule_id, _, signal_id = after.rpartition(" ")
        asked = asked.where(tuple_(finding.c.rule_id, finding.c.signal_id) > tuple_(rule_id, signal_id))
    found = connection.execute(asked).all()
    shown = _rows(connection, found[:limit])
    last = f"{shown[-1].rule_id} {shown[-1].signal_id}" if len(found) > limit else None
    return ExceptionsPage(shown, rules, total, last)


def _conditions(filters: ExceptionFilters, *, with_rule: bool) -> list[ColumnElement[bool]]:
    overridden = finding.c.overridden_by.is_not(None)
    conditions = [or_(finding.c.verdict.in_(BLOCKING), overridden)]
    if with_rule and filters.rule_id is not None:
        conditions.append(finding.c.rule_id == filters.rule_id)
    if filters.verdict is not None:
        conditions.append(finding.c.verdict == filters.verdict)
    if filters.book is not None:
        conditions.append(signal.c.book == filters.book)
    if filters.overridden is not None:
        conditions.append(overridden if filters.overridden else ~overridden)
    if not filters.closed:
        conditions.append(signal.c.state.in_(sorted(state.value for state in OPEN)))
    return conditions


def _by_rule() -> Any:
    overridden = finding.c.overridden_by.is_not(None)

    def total(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.sum(case((condition, 1), else_=0))

    return (
        select(
            finding.c.rule_id,
            total(and_(finding.c.verdict == "block", ~overridden)).label("blocked"),
            total(and_(finding.c.verdict == "not_assessable", ~overridden)).label("not_assessable"),
            total(overridden).label("overridden"),
        )
        .group_by(finding.c.rule_id)
        .order_by(finding.c.rule_id)
    )


def _count(row: Any) -> RuleCount:
    return RuleCount(row.rule_id, int(row.blocked), int(row.not_assessable), int(row.overridden))


def _rows(connection: Connection, found: Sequence[Any]) -> tuple[ExceptionRow, ...]:
    names = names_of(connection, {one for row in found for one in (row.overridden_by, row.overridden_for) if one})
    fields = ExceptionRow.__dataclass_fields__
    return tuple(
        ExceptionRow(
            **{name: getattr(row, name) for name in fields}
            | {
                "state": State(row.state),
                "overridable": bool(row.overridable),
                "overridden_by": both(row.overridden_by, row.overridden_for, names),
            }
        )
        for row in found
    )
