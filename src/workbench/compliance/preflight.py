"""The pre-flight: every proposal against every rule in force, and what was found as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.compliance.checks import CHECKS
from workbench.compliance.context import Context
from workbench.compliance.document import Finding, write_document
from workbench.compliance.firm_view import FirmView
from workbench.compliance.orders import Orders
from workbench.compliance.outcome import Outcome, Verdict
from workbench.compliance.rule import Rule
from workbench.compliance.rulebook import Rulebook
from workbench.compliance.words import one_line

#: Proposals judged at a time: large enough for arrays to pay, small enough for memory.
CHUNK = 8192


@dataclass(frozen=True, eq=False)
class Preflight:
    """n proposals x R rules: `verdict`, `value`, `limit` and `before` (n, R), and each finding in words when asked.

    `rules` are those in force on the view's day, in the rulebook's order.
    """

    rules: tuple[Rule, ...]
    rules_hash: str
    as_of: np.datetime64
    households: tuple[str, ...]
    lineage: Mapping[str, str]
    verdict: NDArray[np.int8]
    value: NDArray[np.float64]
    limit: NDArray[np.float64]
    before: NDArray[np.float64]
    _outcomes: Sequence[tuple[Outcome, ...]] = field(repr=False, default=())
    _chunk: int = CHUNK

    def __len__(self) -> int:
        return len(self.verdict)

    def worst(self, i: int) -> Verdict:
        """Return the worst verdict of proposal i."""
        return Verdict(int(self.verdict[i].max(initial=0)))

    def finding(self, i: int, r: int) -> Finding:
        """Return what rule number r says of proposal i."""
        rule, outcome, at = self.rules[r], self._outcomes[i // self._chunk][r], i % self._chunk
        verdict = Verdict(int(self.verdict[i, r]))
        missing = verdict is Verdict.NOT_ASSESSABLE
        return Finding(
            rule_id=rule.rule_id, version=rule.version, title=rule.title, citation=rule.citation,
            verdict=verdict, unit=rule.unit,
            value=_number(self.value[i, r]), limit=_number(self.limit[i, r]), before=_number(self.before[i, r]),
            subject=outcome.subject(at), reason=outcome.reason(at),
            overridable=rule.overridable and (rule.overridable_missing or not missing),
            inputs=tuple((table, self.lineage.get(table, "")) for table in sorted(CHECKS[rule.check].reads)),
        )  # fmt: skip

    def findings(self, i: int, *, passed: bool = False) -> tuple[Finding, ...]:
        """Return proposal i's findings, worst first; with `passed` also those of rules that it passes."""
        chosen = [r for r in range(len(self.rules)) if passed or self.verdict[i, r] > Verdict.PASS]
        return tuple(self.finding(i, r) for r in sorted(chosen, key=lambda r: (-int(self.verdict[i, r]), r)))

    def document(self, i: int) -> bytes:
        """Return proposal i's pre-flight, every rule of it, as canonical JSON; `read_document` reads it back."""
        findings = [self.finding(i, r) for r in range(len(self.rules))]
        return write_document(one_line(self.households[i]), str(self.as_of), self.rules_hash, findings)

    def frame(self, *, passed: bool = False) -> pd.DataFrame:
        """Return one row a proposal and rule, those passed only when asked for."""
        rows, columns = np.nonzero((self.verdict > Verdict.PASS) | passed)
        found = [self.finding(int(i), int(r)) for i, r in zip(rows, columns, strict=True)]
        return pd.DataFrame(
            {
                "proposal": rows,
                "household_id": [self.households[i] for i in rows],
                "rule_id": [f.rule_id for f in found],
                "version": [f.version for f in found],
                "verdict": [f.verdict.name.lower() for f in found],
                "subject": [f.subject for f in found],
                "value": self.value[rows, columns],
                "limit": self.limit[rows, columns],
                "before": self.before[rows, columns],
                "unit": [f.unit for f in found],
                "reason": [f.reason for f in found],
            }
        )


def preflight(
    view: FirmView,
    orders: Orders,
    rulebook: Rulebook,
    *,
    consents: Mapping[str, str] | None = None,
    chunk: int = CHUNK,
) -> Preflight:
    """Judge every proposal by every rule in force on the view's day.

    `consents` maps the accounts or households that agreed to the source of their consent.
    """
    rules = rulebook.in_force(date.fromisoformat(str(view.as_of)))
    outcomes: list[tuple[Outcome, ...]] = []
    for start in range(0, len(orders), chunk):
        context = Context(view, orders.part(start, min(start + chunk, len(orders))), dict(consents or {}))
        outcomes.append(tuple(CHECKS[rule.check].judge(context, rule) for rule in rules))

    def table(name: str, kind: type) -> NDArray[Any]:
        parts = [np.column_stack([getattr(o, name) for o in row]) for row in outcomes if row]
        return np.concatenate(parts).astype(kind) if parts else np.zeros((len(orders), len(rules)), kind)

    return Preflight(
        rules=rules, rules_hash=rulebook.hash, as_of=view.as_of,
        households=tuple(orders.household_names[orders.household]), lineage=view.lineage,
        verdict=table("verdict", np.int8), value=table("value", np.float64), limit=table("limit", np.float64),
        before=table("before", np.float64), _outcomes=outcomes, _chunk=chunk,
    )  # fmt: skip


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
