"""Definitions and figures into the database: each once, each with its record in the trail."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from sqlalchemy import insert

from workbench.errors import AccessError
from workbench.governance.access import Actor
from workbench.governance.measures.admission import admit_definition, admit_reading
from workbench.governance.measures.commands import DefineMeasure, RecordReading
from workbench.governance.measures.stored import load, written
from workbench.governance.tables import measure as measures
from workbench.governance.tables import reading as readings
from workbench.governance.unit import Done, Unit


def define(unit: Unit, actor: Actor, command: DefineMeasure) -> Done:
    """Keep a definition. Raises `DecisionError` as `admit_definition` does."""
    said = command.measure
    known, figures = load(unit.connection)
    admit_definition(said, known, figures, unit.now.date())
    body = written(said)
    unit.examine("measure", said.measure_id)
    unit.connection.execute(
        insert(measures),
        {
            "measure_id": said.measure_id,
            "version": said.version,
            "definition": body,
            "defined_by": actor.person_id,
            "defined_at": unit.now,
        },
    )
    before = next((written(item) for item in reversed(known) if item.measure_id == said.measure_id), None)
    return Done(
        "measure",
        said.measure_id,
        said.version,
        "defined",
        before=None if before is None else _hash(before),
        after=_hash(body),
        messages=(("measure.defined", {"measure_id": said.measure_id, "version": said.version}),),
    )


def record(unit: Unit, actor: Actor, command: RecordReading) -> Done:
    """Keep a figure. Raises `DecisionError` as `admit_reading` does, `AccessError` where a service declares one.

    A service may only bring what is computed: hours of work are declared by a person, who answers for them.
    """
    said = command.reading
    known, figures = load(unit.connection)
    measure = admit_reading(said, known, figures, unit.now.date())
    if actor.kind != "person" and not measure.computed:
        raise AccessError(f"{measure.title} is declared by a person, with a source; no service account may", "service")
    unit.examine("measure", said.measure_id)
    unit.connection.execute(
        insert(readings),
        {
            "reading_id": unit.new_id("reading"),
            "measure_id": said.measure_id,
            "version": said.version,
            "kind": said.kind,
            "period_start": said.period_start,
            "period_end": said.period_end,
            "value": said.value,
            "spread": said.spread,
            "observations": said.observations,
            "source": said.source,
            "recorded_by": actor.person_id,
            "recorded_at": unit.now,
        },
    )
    period = {"period_start": said.period_start, "period_end": said.period_end}
    return Done(
        "measure",
        said.measure_id,
        said.version,
        said.kind,
        details={**period, "value": said.value, "observations": said.observations},
        messages=((f"measure.{said.kind}", {"measure_id": said.measure_id, **period}),),
    )


def _hash(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


HANDLERS: dict[type, Callable[[Unit, Actor, Any], Done]] = {DefineMeasure: define, RecordReading: record}
