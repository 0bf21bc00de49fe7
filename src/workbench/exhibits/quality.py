"""The data quality chapter: what the book of record holds, what was checked, and what was found."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from workbench.exhibits.origin import Origin, shown
from workbench.firm import TABLES, Firm
from workbench.firm.reconcile import Finding, Findings
from workbench.report import Badge, CalloutBody, Column, Exhibit, Kpi, KpiBody, Missing, TableBody
from workbench.report.exhibit import Tone

_TONES: dict[str, Tone] = {"reject": "bad", "severe": "bad", "warning": "warning", "info": "neutral"}
_MEANING = {
    "reject": "no figure can be trusted",
    "severe": "figures of the rows named are wrong",
    "warning": "look before acting",
    "info": "good to know",
}
#: Rows of a finding that the chapter prints; the count is always the full one.
ROWS_SHOWN = 8
#: The column of each table that says what period it covers.
_PERIODS = {
    "prices": "date",
    "rates": "date",
    "models": "effective_date",
    "accounts": "opened_on",
    "lots": "acquired_on",
    "transactions": "trade_date",
    "client_notes": "written_on",
    "profiles": "reviewed_on",
}


def summary(findings: Findings, origin: Origin) -> Exhibit:
    """Key figures: how many checks were made and how many findings there are of each severity."""
    facts = [
        origin.fact(f"quality.findings.{severity}", count, "count", "firm.reconcile", ["all tables"])
        for severity, count in findings.counts.items()
    ]
    checks = origin.fact("quality.checks", len(findings.checks), "count", "firm.reconcile", ["all tables"])
    items = [Kpi("Checks made", checks.ref(), "asked of every row")]
    for fact, (severity, count) in zip(facts, findings.counts.items(), strict=True):
        items.append(Kpi(severity.capitalize(), fact.ref(), _MEANING[severity], _TONES[severity] if count else "good"))
    return Exhibit("quality-summary", "Checks and findings", KpiBody(tuple(items)), facts=(checks, *facts))


def verdict(findings: Findings, origin: Origin) -> Exhibit:
    """The box at the top: whether the figures of this book can be relied on, and what stands in the way."""
    grave = [finding for finding in findings if finding.severity in {"reject", "severe"}]
    if not grave:
        text = "No finding stands in the way of this book's figures. Warnings below should be read before acting."
        return Exhibit("quality-verdict", "Can the figures be relied on?", CalloutBody("good", (text,)))
    paragraphs = [f"{finding.title}. {finding.detail} To do: {finding.remedy}" for finding in grave]
    return Exhibit(
        "quality-verdict", "Mend before relying on these figures", CalloutBody("decision", tuple(paragraphs))
    )


def findings_table(findings: Findings, origin: Origin) -> Exhibit:
    """Every finding, the worst first: what, how many rows, how much money, what to do."""
    columns = (
        Column("severity", "Severity", "badge"),
        Column("finding", "Finding", emphasis=True),
        Column("rows", "Rows", "count"),
        Column("money", "In doubt", "usd"),
        Column("remedy", "What to do"),
    )
    rows = [
        (
            Badge(finding.severity, _TONES[finding.severity]),
            f"{finding.title}. {finding.detail}",
            finding.count,
            finding.money if finding.money is not None else Missing("money is not the measure"),
            finding.remedy,
        )
        for finding in findings
    ]
    clean = len(findings.checks) - len({finding.check for finding in findings})
    takeaway = (
        f"{len(findings)} findings; {clean} of {len(findings.checks)} checks found nothing."
        if rows
        else f"All {len(findings.checks)} checks found nothing."
    )
    settings = origin.settings("every row of the snapshot", ["all tables"], simulated=False)
    return Exhibit("quality-findings", "Findings", TableBody(columns, tuple(rows)), takeaway, settings)


def rows_tables(findings: Findings, origin: Origin, most: int) -> Iterator[Exhibit]:
    """The rows behind the worst findings; those that are only good to know are left to the list."""
    grave = [finding for finding in findings if finding.severity != "info" and finding.count]
    for position, finding in enumerate(grave[:most], start=1):
        yield rows_table(finding, origin, f"quality-rows-{position}")


def rows_table(finding: Finding, origin: Origin, name: str) -> Exhibit:
    """The first rows behind one finding, with the figures compared."""
    frame = finding.rows.head(ROWS_SHOWN)
    columns = tuple(_column(name, frame[name]) for name in frame.columns)
    rows = tuple(tuple(shown(value) for value in row) for row in frame.itertuples(index=False))
    note = f"{len(frame)} of {finding.count:,} rows." if finding.count > len(frame) else ""
    settings = origin.settings("as recorded", [finding.table], simulated=False)
    return Exhibit(name, finding.title, TableBody(columns, rows, note=note), finding.detail, settings)


def holdings_table(firm: Firm, origin: Origin) -> Exhibit:
    """What the snapshot holds: each table's rows, the period it covers, and its hash."""
    columns = (
        Column("table", "Table", emphasis=True),
        Column("rows", "Rows", "count"),
        Column("first", "From", "date"),
        Column("last", "To", "date"),
        Column("hash", "Content", note="first digits of the file's SHA-256"),
    )
    rows = []
    for name in TABLES:
        if name not in firm.hashes:
            rows.append((name, Missing("table absent"), None, None, Missing("table absent")))
            continue
        period = firm.table(name, [_PERIODS[name]])[_PERIODS[name]].dropna() if name in _PERIODS else pd.Series()
        span = (period.min(), period.max()) if len(period) else (Missing("no dates"), Missing("no dates"))
        count = len(firm.table(name, [TABLES[name].key[0]]))
        rows.append((name, count, *span, firm.hashes[name][:8]))
    settings = origin.settings("as sealed", ["all tables"], simulated=False)
    takeaway = f"The snapshot of {firm.name} is sealed; its content hash is {firm.content_hash[:16]}."
    return Exhibit(
        "quality-holdings", "What the book of record holds", TableBody(columns, tuple(rows)), takeaway, settings
    )


def checks_table(findings: Findings, origin: Origin) -> Exhibit:
    """Each check that was asked and what it said, so that silence can be told from not having looked."""
    found = {finding.check: finding.severity for finding in reversed(list(findings))}
    columns = (Column("check", "Check", emphasis=True), Column("result", "Result", "badge"))
    rows = tuple(
        (check.replace("_", " ").replace(".", ": "), Badge(found[check], _TONES[found[check]]))
        if check in found
        else (check.replace("_", " ").replace(".", ": "), Badge("passed", "good"))
        for check in findings.checks
    )
    settings = origin.settings("every row of the snapshot", ["all tables"], simulated=False)
    passed = len(findings.checks) - len(found)
    takeaway = f"{passed} of {len(findings.checks)} checks passed."
    return Exhibit("quality-checks", "What was checked", TableBody(columns, rows), takeaway, settings)


def _column(name: str, values: pd.Series) -> Column:
    label = name.removesuffix("_id").replace("_", " ").capitalize()
    if pd.api.types.is_datetime64_any_dtype(values):
        return Column(name, label, "date")
    if pd.api.types.is_integer_dtype(values):
        return Column(name, label, "count")
    if pd.api.types.is_float_dtype(values):
        return Column(name, label, "number", digits=4 if values.abs().max() < 10 else 2)
    return Column(name, label)
