"""Outcome measures: what was defined before, the baseline, each reading beside it, and what is due."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from workbench.desk.forms import FormError
from workbench.desk.rendering import sentence
from workbench.desk.visit import SignedIn, Visit
from workbench.errors import DecisionError, ParameterError, RepeatError
from workbench.governance.measures import (
    CALLED,
    Comparison,
    Due,
    Measure,
    Reading,
    RecordReading,
    compare,
    due,
    figure,
    interval,
    load,
)
from workbench.governance.states import Action

router = APIRouter()

TONES = {"better": "good", "worse": "bad", "no_difference": "", "too_early": "warning"}


@router.get("/measures")
def measures(visit: SignedIn) -> Response:
    """Show every measure with its readings."""
    return _page(visit)


@router.post("/measures/{measure_id}/readings")
def record(visit: SignedIn, measure_id: str) -> Response:
    """Record a baseline or a reading of one of the periods that were set."""
    form = visit.form
    try:
        kind, start, end = [*form.text("period", "Period").split(" "), "", ""][:3]
        said = Reading(
            measure_id,
            form.whole("measure_version", "Version shown"),
            "baseline" if kind == "baseline" else "reading",
            start,
            end,
            form.text("value", "Figure", most=40),
            form.optional("spread", "Standard deviation", most=40) or None,
            form.whole("observations", "Cases"),
            form.text("source", "Where it can be looked up"),
        )
        visit.perform(RecordReading(said), back="/measures")
    except (FormError, DecisionError, ParameterError) as error:
        return _page(visit, measure_id, error)
    return visit.go("/measures", "The figure is recorded. It cannot be changed.")


def _page(visit: Visit, which: str = "", error: Exception | None = None) -> Response:
    if isinstance(error, RepeatError):
        raise error
    visit.require(Action.READ_MEASURES)
    with visit.reading() as connection:
        known, figures = load(connection)
    latest = {item.measure_id: item for item in known}
    missing = due(tuple(latest.values()), figures, visit.now.date())
    return visit.page(
        "measures.html",
        status=422 if error else 200,
        title="Measures",
        here="measures",
        measures=[_shown(item, figures, missing) for item in latest.values()],
        which=which,
        error=sentence(error),
        form=visit.form,
        may_record=visit.may(Action.RECORD_MEASURES),
    )


def _shown(measure: Measure, figures: tuple[Reading, ...], missing: tuple[Due, ...]) -> dict[str, Any]:
    """Return what a page shows of a measure: its text, its figures with their comparison, what is missing."""
    mine = [one for one in figures if (one.measure_id, one.version) == (measure.measure_id, measure.version)]
    baseline = next((one for one in mine if one.kind == "baseline"), None)
    readings = [one for one in mine if one.kind == "reading"]
    largest = max((abs(float(one.value)) for one in mine), default=0.0)
    return {
        "measure": measure,
        "baseline": baseline,
        "baseline_shown": baseline and figure(measure, float(baseline.value)),
        "readings": [_compared(measure, baseline, one, largest) for one in readings],
        "share": baseline and largest and abs(float(baseline.value)) / largest,
        "missing": [one for one in missing if one.measure_id == measure.measure_id],
        "open": [
            one
            for one in missing
            if one.measure_id == measure.measure_id and one.standing in ("due", "overdue")
        ],
    }  # fmt: skip


def _compared(measure: Measure, baseline: Reading | None, reading: Reading, largest: float) -> dict[str, Any]:
    found: Comparison | None = compare(measure, baseline, reading) if baseline is not None else None
    return {
        "reading": reading,
        "shown": figure(measure, float(reading.value)),
        "share": abs(float(reading.value)) / largest if largest else 0.0,
        "words": found.words if found else "There is no baseline to compare with.",
        "called": CALLED[found.finding] if found else "",
        "tone": TONES[found.finding] if found else "",
        "difference": _difference(measure, found) if found else "",
    }


def _difference(measure: Measure, found: Comparison) -> str:
    said = figure(measure, found.difference, signed=True)
    return f"{said} (95 %: {interval(measure, found)})"
