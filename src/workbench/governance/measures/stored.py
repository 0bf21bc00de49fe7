"""Definitions and figures as they lie in the database."""

from __future__ import annotations

import json
from dataclasses import asdict, fields

from sqlalchemy import Connection, select

from workbench.canonical import canonical
from workbench.governance.measures.definition import Measure
from workbench.governance.measures.reading import Reading
from workbench.governance.tables import measure as measures
from workbench.governance.tables import reading as readings


def load(connection: Connection) -> tuple[tuple[Measure, ...], tuple[Reading, ...]]:
    """Return every definition, by name and version, and every figure in the order of its period."""
    defined = connection.execute(select(measures.c.definition).order_by(measures.c.measure_id, measures.c.version))
    columns = [readings.c[field.name] for field in fields(Reading)]
    order = (readings.c.measure_id, readings.c.version, readings.c.period_start, readings.c.period_end)
    found = connection.execute(select(*columns).order_by(*order))
    return (
        tuple(Measure(**json.loads(body)) for body in defined.scalars()),
        tuple(Reading(**row._mapping) for row in found),
    )


def written(measure: Measure) -> str:
    """Return a definition as it is stored."""
    return canonical(asdict(measure)).decode()
