"""`workbench measures`: what the workbench is judged by, defined before, read on set days, compared."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workbench.decisions.place import (
    AS,
    DATABASE,
    FILE,
    FOLDER,
    needs_governance,
    open_decisions,
    placed,
    service,
    signed_in,
)
from workbench.errors import FirmDataError, ParameterError

if TYPE_CHECKING:
    from workbench.governance import Store
    from workbench.governance.measures import Due, Measure, Reading

_PERSON = click.option("--as", "person", required=True, help="Who answers for it.")
_PASSWORD = click.option("--password", prompt=True, hide_input=True, envvar="WORKBENCH_PASSWORD", help="That person's.")


@click.group()
def measures() -> None:
    """Outcome measures: hours of preparation, turnaround, errors caught, growth, clients leaving.

    \b
    workbench measures define --start 2026-01-05 --as cora            # on or before the first day of use
    workbench measures record hours_of_preparation --value 3.6 --spread 1.1 --observations 40 \\
        --source "Time sheets, week 40 to 52" --as petra              # the baseline, while it is due
    workbench measures due
    workbench measures compute --decisions build/decisions            # turnaround, errors caught
    workbench measures compute --firm data/2026-01-05 --firm data/2026-02-04 --record
    """
    needs_governance()


@measures.command()
@placed(DATABASE)
@click.option("--start", required=True, metavar="DATE", help="The first day of use; today or later.")
@click.option("--file", "file", type=FILE, help="The firm's measures. Default: the five that come along.")
@_PERSON
@_PASSWORD
def define(database: str, start: str, file: Path | None, person: str, password: str) -> None:
    """Define what the workbench will be judged by, on or before the first day of use. A definition never changes."""
    from workbench.governance.measures import DefineMeasure, load, read_measures

    wanted = read_measures(_day(start, "start"), file)
    store = open_decisions(database)
    who = signed_in(store, person, password)
    with store.reading() as connection:
        there = {measure for measure in load(connection)[0]}
    for measure in wanted:
        if measure in there:
            click.echo(f"{measure.measure_id}: defined already")
            continue
        key = f"define:{measure.measure_id}:{store.clock().isoformat()}"
        store.perform(who, DefineMeasure(measure), key)
        click.echo(f"{measure.measure_id}: {measure.title}; baseline {measure.baseline_start} to {measure.start}")


@measures.command()
@placed(DATABASE)
@click.argument("measure")
@click.option("--value", required=True, metavar="NUMBER", help="The figure in the measure's unit; a share as 0.25.")
@click.option("--spread", metavar="NUMBER", help="The standard deviation of the cases, for a mean.")
@click.option("--observations", required=True, type=click.IntRange(1), help="Cases; for a rate household-days.")
@click.option("--source", required=True, help="Where the figure can be looked up.")
@click.option("--until", metavar="DATE", help="The end of its period. Default: the first that is due.")
@_PERSON
@_PASSWORD
def record(
    database: str,
    measure: str,
    value: str,
    spread: str | None,
    observations: int,
    source: str,
    until: str | None,
    person: str,
    password: str,
) -> None:
    """Record a figure of MEASURE: the baseline before the first day of use, or a reading that is due. It stays."""
    from workbench.governance.measures import Reading, RecordReading

    store = open_decisions(database)
    known, missing = _standing(store, store.clock().date())
    one = _wanted(known, missing, measure, until)
    version = known[measure].version
    said = Reading(measure, version, one.kind, one.period_start, one.period_end, value, spread, observations, source)
    who = signed_in(store, person, password)
    store.perform(who, RecordReading(said), f"record:{measure}:{store.clock().isoformat()}")
    click.echo(f"{known[measure].title}: {one.kind} of {one.period_start} to {one.period_end} recorded")


@measures.command()
@placed(DATABASE)
@click.option("--on", "day", metavar="DATE", help="As of this day. Default: today.")
def due(database: str, day: str | None) -> None:
    """Say which baselines and readings are missing, and which come next."""
    store = open_decisions(database)
    known, missing = _standing(store, store.clock().date() if day is None else _day(day, "on"))
    if not known:
        click.echo("no measure is defined; compliance defines them: workbench measures define --start DATE --as PERSON")
    for one in missing:
        click.echo(f"{one.standing:<8} {known[one.measure_id].title}: {one.words}")


@measures.command()
@placed(DATABASE, AS)
@click.option("--decisions", type=FOLDER, help="An export of decisions: turnaround, errors caught.")
@click.option("--firm", "firms", multiple=True, help="Twice: the snapshots of a period's two days: growth, leaving.")
@click.option("--record", "keep", is_flag=True, help="Record them. Without it they are only shown.")
def compute(database: str, person: str, decisions: Path | None, firms: tuple[str, ...], keep: bool) -> None:
    """Compute the figures that are missing and that decisions or the book of record give; hours are declared."""
    from workbench.governance.measures import RecordReading

    if decisions is None and not firms:
        raise ParameterError("give --decisions FOLDER, or --firm twice", "decisions")
    store = open_decisions(database)
    known, missing = _standing(store, store.clock().date())
    open_now = [one for one in missing if one.standing in ("due", "overdue")]
    found = [*_of_decisions(decisions, known, open_now), *_of_snapshots(firms, known, open_now)]
    for reading in found:
        click.echo(
            f"{known[reading.measure_id].title}, {reading.kind} of {reading.period_start} to {reading.period_end}: "
            f"{reading.value} {known[reading.measure_id].unit}, {reading.observations:,} cases"
        )
        if keep:
            key = f"compute:{reading.measure_id}:{reading.kind}:{reading.period_end}:{store.clock().isoformat()}"
            store.perform(service(store, person), RecordReading(reading), key)
    if not found:
        click.echo("none of the figures that are missing can be computed from this; see workbench measures due")
    elif not keep:
        click.echo("note: nothing was recorded; add --record", err=True)


def _of_decisions(folder: Path | None, known: dict[str, Measure], missing: list[Due]) -> list[Reading]:
    from workbench.governance.lessons.computed import from_decisions
    from workbench.governance.lessons.frames import read_decisions

    if folder is None:
        return []
    decisions = read_decisions(folder)
    found = []
    for one in missing:
        made = from_decisions(
            decisions,
            known[one.measure_id],
            date.fromisoformat(one.period_start),
            date.fromisoformat(one.period_end),
        )
        found += [] if made is None else [replace(made, kind=one.kind)]
    return found


def _of_snapshots(firms: tuple[str, ...], known: dict[str, Measure], missing: list[Due]) -> list[Reading]:
    from workbench.exhibits.client_growth import firm_growth
    from workbench.firm import open_at
    from workbench.governance.lessons.computed import FROM_GROWTH, from_growth

    if not firms:
        return []
    if len(firms) != 2:
        raise ParameterError("growth needs --firm twice: the snapshots of the period's first and last day", "firm")
    opening, closing = (open_at(firm) for firm in firms)
    start, end = (opening.as_of.date(), closing.as_of.date())
    periods = [one for one in missing if one.measure_id in FROM_GROWTH]
    mine = [one for one in periods if (one.period_start, one.period_end) == (start.isoformat(), end.isoformat())]
    if not mine:
        wanted = ", ".join(sorted({f"{one.period_start} to {one.period_end}" for one in periods})) or "none"
        raise FirmDataError(f"the snapshots are of {start} and {end}; periods of growth that are missing: {wanted}")
    growth = firm_growth(opening, closing)
    source = f"books of record {opening.content_hash[:16]} and {closing.content_hash[:16]}"
    return [from_growth(growth, known[one.measure_id], start, end, source, one.kind) for one in mine]


def _standing(store: Store, today: date) -> tuple[dict[str, Measure], tuple[Due, ...]]:
    """The latest definitions by name, and what is missing."""
    from workbench.governance.measures import due as what_is_due
    from workbench.governance.measures import load

    with store.reading() as connection:
        known, figures = load(connection)
    latest = {measure.measure_id: measure for measure in known}
    return latest, what_is_due(tuple(latest.values()), figures, today)


def _wanted(known: dict[str, Measure], missing: tuple[Due, ...], measure: str, until: str | None) -> Due:
    if measure not in known:
        names = ", ".join(known) or "none"
        raise ParameterError(f"no measure {measure!r} is defined; defined: {names}", "measure")
    mine = [one for one in missing if one.measure_id == measure and one.standing in ("due", "overdue")]
    if until is not None:
        mine = [one for one in mine if one.period_end == _day(until, "until").isoformat()]
    if not mine:
        raise ParameterError(f"{known[measure].title}: no such figure is due; see workbench measures due", "until")
    return mine[0]


def _day(text: str, name: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ParameterError(f"--{name} {text!r} is not a day; write it as 2026-01-05", name) from error
