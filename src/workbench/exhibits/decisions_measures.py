"""What the workbench was said to be judged by: readings against their baseline, and which are missing."""

from __future__ import annotations

from datetime import date

from workbench.exhibits.decisions_origin import Source
from workbench.exhibits.drift_facts import absent, plural
from workbench.governance.measures import CALLED, Comparison, Due, Measure, Reading, compare, due, figure, interval
from workbench.report import Badge, Column, Exhibit, Missing, TableBody
from workbench.report import format as fmt
from workbench.report.exhibit import Cell, Tone

_TONES: dict[str, Tone] = {"better": "good", "worse": "bad", "no_difference": "neutral", "too_early": "neutral"}


def standing_of(source: Source) -> tuple[Due, ...]:
    """What is missing on the day of the export, and what comes next."""
    measures, readings = source.measures()
    return due(measures, readings, date.fromisoformat(source.as_of))


def measures_table(source: Source) -> Exhibit:
    """Each measure's latest reading against its baseline, with the difference, its interval and what may be said."""
    id, title = "decisions-measures", "What the workbench is judged by"
    measures, readings = source.measures()
    if not measures:
        return absent(id, title, "No measure was defined; compliance defines them before the first day of use.")
    columns = (
        Column("title", "Measure", emphasis=True), Column("unit", "Unit"), Column("baseline", "Before", "number"),
        Column("value", "Latest reading", "number"), Column("period", "Period"),
        Column("difference", "Difference", "number"), Column("interval", "Interval"),
        Column("finding", "Finding", "badge"), Column("words", "In words"),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    facts = []
    for measure in measures:
        found = _latest(measure, readings)
        if found is None:
            none = Missing("no baseline or no reading yet")
            rows.append(
                (measure.title, measure.unit, *[none] * 5, Badge("Not read", "neutral"), _next(source, measure))
            )
            continue
        made = [
            source.fact(f"measure.{measure.measure_id}.{name}", value, "number", "measures.compare", digits=3)
            for name, value in (
                ("baseline", found.baseline), ("value", found.value), ("difference", found.difference)
            )
        ]  # fmt: skip
        facts += made
        badge = Badge(CALLED[found.finding], _TONES[found.finding])
        rows.append((
            measure.title, measure.unit, made[0].ref(figure(measure, found.baseline)),
            made[1].ref(figure(measure, found.value)), f"{found.period_start} to {found.period_end}",
            made[2].ref(figure(measure, found.difference, signed=True)), interval(measure, found), badge, found.words,
        ))  # fmt: skip
    note = (
        "Before and after differ in more than the workbench: markets, seasons, people. A difference beyond chance is "
        "not yet the workbench's doing. Each interval stands alone: of twenty that nothing moved, one looks moved."
    )
    told = [row for row in rows if isinstance(row[-2], Badge) and row[-2].badge in (CALLED["better"], CALLED["worse"])]
    takeaway = f"{plural(len(told), 'measure')} of {len(measures)} moved by more than chance explains."
    basis = "defined before the first day of use; read after thirty days, then every quarter; intervals 95 %"
    settings = source.settings(basis, ("measures", "readings"))
    return Exhibit(id, title, TableBody(columns, tuple(rows), note=note), takeaway, settings, tuple(facts))


def definitions_table(source: Source) -> Exhibit:
    """What each measure means, as it was written down before."""
    id, title = "decisions-definitions", "What the measures mean"
    measures, _ = source.measures()
    if not measures:
        return absent(id, title, "No measure was defined.")
    columns = (
        Column("title", "Measure", emphasis=True), Column("definition", "Definition"),
        Column("effect", "Worth acting on from"), Column("source", "Source"),
    )  # fmt: skip
    aim = {"up": "more is better", "down": "less is better"}
    rows = tuple(
        (fmt.visible(m.title), fmt.visible(f"{m.definition} Formula: {m.formula}."),
         fmt.visible(f"{m.minimum_effect} {m.unit}, {aim[m.direction]}"), fmt.visible(m.source))
        for m in measures
    )  # fmt: skip
    settings = source.settings(f"first day of use {measures[0].start}", ("measures",))
    return Exhibit(id, title, TableBody(columns, rows), "", settings)


def due_table(source: Source) -> Exhibit:
    """Baselines and readings that are missing, and those that come next."""
    id, title = "decisions-due", "What is to be read"
    found = standing_of(source)
    if not found:
        return absent(id, title, "No measure was defined, so that nothing is to be read.")
    tones: dict[str, Tone] = {"coming": "neutral", "due": "warning", "overdue": "bad", "lost": "bad"}
    titles = {measure.measure_id: measure.title for measure in source.measures()[0]}
    columns = (
        Column("measure", "Measure", emphasis=True),
        Column("standing", "Standing", "badge"),
        Column("words", "In words"),
    )
    rows = tuple((titles[row.measure_id], Badge(row.standing, tones[row.standing]), row.words) for row in found)
    late = sum(row.standing in ("due", "overdue", "lost") for row in found)
    takeaway = f"{plural(late, 'figure')} missing." if late else "Nothing is missing."
    return Exhibit(
        id, title, TableBody(columns, rows), takeaway, source.settings("today against the set periods", ("readings",))
    )


def _latest(measure: Measure, readings: tuple[Reading, ...]) -> Comparison | None:
    mine = [r for r in readings if (r.measure_id, r.version) == (measure.measure_id, measure.version)]
    baseline = next((reading for reading in mine if reading.kind == "baseline"), None)
    later = [reading for reading in mine if reading.kind == "reading"]
    if baseline is None or not later:
        return None
    return compare(measure, baseline, max(later, key=lambda reading: reading.period_end))


def _next(source: Source, measure: Measure) -> str:
    return next((row.words for row in standing_of(source) if row.measure_id == measure.measure_id), "")
