"""One proposal's pre-flight as a document: every rule, what was found, in canonical JSON that reads back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from workbench.canonical import canonical
from workbench.compliance.outcome import Verdict
from workbench.errors import PackageError

FORMAT = "workbench-preflight-1"


@dataclass(frozen=True)
class Finding:
    """What one rule says of one proposal.

    `value`, `limit` and `before` are in `unit`, None where there is none; `inputs` are the tables read with their
    SHA-256; `override` is the reason that compliance gave to let it stand ("" where nobody did).
    """

    rule_id: str
    version: int
    title: str
    citation: str
    verdict: Verdict
    unit: str
    value: float | None
    limit: float | None
    before: float | None
    subject: str
    reason: str
    overridable: bool
    inputs: tuple[tuple[str, str], ...]
    override: str = ""


@dataclass(frozen=True)
class Document:
    """A pre-flight as read back: whose, of which day, by which rulebook, and every finding."""

    household_id: str
    as_of: str
    rules_hash: str
    findings: tuple[Finding, ...]

    @property
    def worst(self) -> Verdict:
        """The worst verdict of all rules."""
        return max((finding.verdict for finding in self.findings), default=Verdict.PASS)

    def with_override(self, rule_id: str, reason: str) -> Document:
        """Return the document with a finding let stand by compliance; the verdict stays what it was."""
        found = tuple(replace(f, override=reason) if f.rule_id == rule_id else f for f in self.findings)
        return replace(self, findings=found)


def write_document(household_id: str, as_of: str, rules_hash: str, findings: Sequence[Finding]) -> bytes:
    """Return the document as canonical JSON."""
    rows = [
        {
            "rule_id": f.rule_id, "version": f.version, "title": f.title, "citation": f.citation,
            "verdict": f.verdict.name.lower(), "unit": f.unit, "value": f.value, "limit": f.limit, "before": f.before,
            "subject": f.subject, "reason": f.reason, "overridable": f.overridable, "inputs": dict(f.inputs),
            "override": f.override,
        }
        for f in findings
    ]  # fmt: skip
    return canonical(
        {"format": FORMAT, "household_id": household_id, "as_of": as_of, "rules_hash": rules_hash, "findings": rows}
    )


def read_document(content: bytes) -> Document:
    """Read a pre-flight document; raises `PackageError` where it is not one."""
    try:
        data: dict[str, Any] = json.loads(content)
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']!r}")
        findings = tuple(
            Finding(
                **{name: row[name] for name in _PLAIN},
                verdict=Verdict[row["verdict"].upper()],
                inputs=tuple(sorted(row["inputs"].items())),
            )
            for row in data["findings"]
        )
        return Document(data["household_id"], data["as_of"], data["rules_hash"], findings)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PackageError(f"not a pre-flight document ({error}); run the pre-flight again") from error


_PLAIN = (
    "rule_id", "version", "title", "citation", "unit", "value", "limit", "before", "subject", "reason", "overridable",
    "override",
)  # fmt: skip
