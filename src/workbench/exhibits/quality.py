"""The data quality chapter: what the book of record holds, what was checked, and what was found."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from workbench.exhibits.drift_facts import plural
from workbench.exhibits.origin import ALL_TABLES, Origin
from workbench.firm import TABLES, Firm
from workbench.firm.reconcile import Finding, Findings
from workbench.report import Badge, CalloutBody, Column, Exhibit, Kpi, KpiBody, Missing, ProseBody, Strong, TableBody
from workbench.report.exhibit import Cell, Tone

_TONES: dict[str, Tone] = {"reject": "bad", "severe": "bad", "warning": "warning", "info": "neutral"}
_MEANING = {
    "reject": "no figure can be trusted",
    "severe": "figures of the rows named are wrong",
    "warning": "look before acting",
    "info": "good to know",
}
_ONE_WARNING = " Read the warning below before acting."
#: Rows of a finding that the chapter prints; the count is always the full one.
ROWS_SHOWN = 8
#: Columns of findings' rows that hold dollars, and whole numbers that are names rather than counts.
_DOLLARS = {
    "amount", "cash", "computed_value", "held", "money", "outstanding", "prior_balance", "required", "stated_value",
    "taken", "value",
}  # fmt: skip
_NUMBERED = {"version", "year"}
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
        origin.fact(f"quality.findings.{severity}", count, "count", "firm.reconcile", ALL_TABLES)
        for severity, count in findings.counts.items()
    ]
    checks = origin.fact("quality.checks", len(findings.checks), "count", "firm.reconcile", ALL_TABLES)
    items = [Kpi("Checks made", checks.ref(), "asked of every row")]
    for fact, (severity, count) in zip(facts, findings.counts.items(), strict=True):
        tone, note = (_TONES[severity], _MEANING[severity]) if count else ("good", "none found")
        items.append(Kpi(severity.capitalize(), fact.ref(), note, tone))
    return Exhibit("quality-summary", "Checks and findings", KpiBody(tuple(items)), facts=(checks, *facts))


def verdict(findings: Findings, origin: Origin) -> Exhibit:
    """The box at the top: whether the figures of this book can be relied on, and what stands in the way."""
    grave = [finding for finding in findings if finding.severity in {"reject", "severe"}]
    if not grave:
        text = "No finding stands in the way of this book's figures."
        if warnings := findings.counts["warning"]:
            text += f" Read the {plural(warnings, 'warning')} below before acting." if warnings > 1 else _ONE_WARNING
        return Exhibit("quality-verdict", "The figures can be relied on", CalloutBody("good", (text,)))
    paragraphs = [(Strong(f"{finding.title}. "), f"{finding.detail} To do: {finding.remedy}.") for finding in grave]
    title = "Do not use this snapshot" if findings.reject else "Mend before relying on these figures"
    return Exhibit("quality-verdict", title, CalloutBody("decision", tuple(paragraphs)))


def findings_table(findings: Findings, origin: Origin) -> Exhibit:
    """Every finding, the worst first: what, how many rows, how much money, what to do."""
    columns = (
        Column("severity", "Severity", "badge"),
        Column("finding", "Finding", emphasis=True),
        Column("rows", "Rows", "count"),
        Column("money", "In doubt", "usd"),
        Column("remedy", "What to do"),
    )
    frame = pd.DataFrame(
        {
            "severity": [Badge(finding.severity, _TONES[finding.severity]) for finding in findings],
            "finding": [f"{finding.title}. {finding.detail}" for finding in findings],
            "rows": [finding.count for finding in findings],
            "money": [finding.money for finding in findings],
            "remedy": [f"{finding.remedy[:1].upper()}{finding.remedy[1:]}." for finding in findings],
        }
    )
    rows, facts = origin.table(
        "quality.finding",
        frame,
        columns,
        "firm.reconcile",
        ALL_TABLES,
        keys=map(_name, findings),
        missing={"money": "money is not the measure"},
    )
    clean = len(findings.checks) - len({finding.check for finding in findings})
    takeaway = (
        f"{plural(len(rows), 'finding')}; {clean} of {len(findings.checks)} checks found nothing."
        if rows
        else f"All {len(findings.checks)} checks found nothing."
    )
    settings = origin.settings("every row of the snapshot", ALL_TABLES, simulated=False)
    return Exhibit("quality-findings", "Findings", TableBody(columns, rows), takeaway, settings, facts)


def _name(finding: Finding) -> str:
    """What identifies a finding among the others of its snapshot."""
    return f"{finding.severity} {finding.title}"


def rows_tables(findings: Findings, origin: Origin, most: int) -> Iterator[Exhibit]:
    """The rows behind the worst findings; those that are only good to know are left to the list."""
    grave = [finding for finding in findings if finding.severity != "info" and finding.count]
    if not grave:
        text = "No finding calls for its rows: what was found is only good to know."
        yield Exhibit("quality-rows-none", "", ProseBody((text,)))
    for position, finding in enumerate(grave[:most], start=1):
        yield rows_table(finding, origin, f"quality-rows-{position}")


def rows_table(finding: Finding, origin: Origin, name: str) -> Exhibit:
    """The first rows behind one finding, with the figures compared."""
    frame = finding.rows.head(ROWS_SHOWN)
    columns = tuple(_column(name, frame[name]) for name in frame.columns)
    frame = frame.assign(**{name: _yes_or_no(frame[name]) for name in frame.columns})
    prefix = f"quality.rows.{origin.slug(_name(finding))}"
    rows, facts = origin.table(prefix, frame, columns, "firm.reconcile", [finding.table], keys=range(1, len(frame) + 1))
    note = f"The first {len(frame)} of {plural(finding.count, 'row')}." if finding.count > len(frame) else ""
    settings = origin.settings("as recorded", [finding.table], simulated=False)
    return Exhibit(name, finding.title, TableBody(columns, rows, note=note), finding.detail, settings, facts)


def holdings_table(firm: Firm, origin: Origin) -> Exhibit:
    """What the snapshot holds: each table's rows, the period it covers, and its hash."""
    columns = (
        Column("table", "Table", emphasis=True),
        Column("rows", "Rows", "count"),
        Column("first", "From", "date"),
        Column("last", "To", "date"),
        Column("hash", "Content", note="first digits of the file's SHA-256"),
    )
    rows: list[tuple[Cell, ...]] = []
    facts = []
    for name in TABLES:
        if name not in firm.hashes:
            rows.append((name, *[Missing("table absent")] * 4))
            continue
        period = firm.table(name, [_PERIODS[name]])[_PERIODS[name]].dropna() if name in _PERIODS else pd.Series()
        span = (period.min(), period.max()) if len(period) else (Missing("no dates"), Missing("no dates"))
        count = len(firm.table(name, [TABLES[name].key[0]]))
        facts.append(origin.fact(f"quality.holds.{name}", count, "count", "firm.open", [name]))
        rows.append((name, count, *span, firm.hashes[name][:8]))
    settings = origin.settings("the files as they were read", ALL_TABLES, simulated=False)
    changed = firm.changed
    state = f"was checked again after {', '.join(changed)} changed since it was sealed" if changed else "is sealed"
    takeaway = f"The snapshot of {firm.name} {state}; its content hash is {firm.content_hash[:16]}."
    body = TableBody(columns, tuple(rows))
    return Exhibit("quality-holdings", "What the book of record holds", body, takeaway, settings, tuple(facts))


def checks_table(findings: Findings, origin: Origin) -> Exhibit:
    """Each check that was asked and what it said, so that silence can be told from not having looked."""
    found = {finding.check: finding.severity for finding in reversed(list(findings))}  # the worst is put in last
    columns = (Column("check", "Check", emphasis=True), Column("result", "Result", "badge"))
    rows = tuple(
        (_in_words(check), Badge(found[check], _TONES[found[check]]) if check in found else Badge("passed", "good"))
        for check in findings.checks
    )
    settings = origin.settings("every row of the snapshot", ALL_TABLES, simulated=False)
    clean = origin.fact(
        "quality.checks.clean", len(findings.checks) - len(found), "count", "firm.reconcile", ALL_TABLES
    )
    takeaway = f"{clean.text} of {len(findings.checks)} checks found nothing."
    return Exhibit("quality-checks", "What was checked", TableBody(columns, rows), takeaway, settings, (clean,))


def _in_words(check: str) -> str:
    return "RMD" if check == "rmd" else check.replace("_", " ").capitalize()


def _yes_or_no(values: pd.Series) -> pd.Series:
    return values.map({True: "yes", False: "no"}) if pd.api.types.is_bool_dtype(values) else values


def _column(name: str, values: pd.Series) -> Column:
    label = name.removesuffix("_ids").removesuffix("_id").replace("_", " ").capitalize()
    if pd.api.types.is_datetime64_any_dtype(values):
        return Column(name, label, "date")
    if pd.api.types.is_bool_dtype(values) or name in _NUMBERED:
        return Column(name, label)
    if name in _DOLLARS:
        return Column(name, label, "usd", digits=2)
    if pd.api.types.is_integer_dtype(values):
        return Column(name, label, "count")
    if pd.api.types.is_float_dtype(values):
        return Column(name, label, "number", digits=4 if values.abs().max() < 10 else 2)
    return Column(name, label)
