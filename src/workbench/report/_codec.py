"""Exhibits to JSON and back; reading is strict, for what is read may have been tampered with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar, cast

from workbench.report.exhibit import (
    VERSION,
    Badge,
    Body,
    CalloutBody,
    Cell,
    Column,
    Exhibit,
    ExhibitError,
    Fact,
    FactRef,
    FigureBody,
    Kpi,
    KpiBody,
    Link,
    Missing,
    ProseBody,
    Run,
    Settings,
    Strong,
    TableBody,
)

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_SCALARS = (str, int, float, bool, type(None))
#: Value objects told apart by their keys.
_BY_KEYS: dict[frozenset[str], type] = {
    frozenset(field.name for field in fields(kind)): kind for kind in (FactRef, Link, Strong, Badge, Missing)
}
_Record = TypeVar("_Record")


def encode(exhibit: Exhibit) -> dict[str, Any]:
    """Return the exhibit as JSON data."""
    return {
        "version": VERSION,
        "id": exhibit.id,
        "kind": exhibit.kind,
        "title": exhibit.title,
        "takeaway": exhibit.takeaway,
        "settings": None if exhibit.settings is None else _flat(exhibit.settings),
        "facts": [_flat(fact) for fact in exhibit.facts],
        "index": exhibit.index,
        "body": _encode_body(exhibit.body),
    }


def decode(data: Mapping[str, Any]) -> Exhibit:
    """Read an exhibit from JSON data; raises `ExhibitError` on anything unexpected."""
    if data.get("version") != VERSION:
        raise ExhibitError(f"exhibit format {data.get('version')!r} is not {VERSION}; run the notebook again")
    try:
        settings = data["settings"]
        return Exhibit(
            id=_text(data["id"]),
            title=_text(data["title"]),
            body=_decode_body(data["kind"], data["body"]),
            takeaway=_text(data["takeaway"]),
            settings=None if settings is None else _record(Settings, settings),
            facts=tuple(_record(Fact, fact) for fact in data["facts"]),
            index=bool(data["index"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ExhibitError(f"exhibit {data.get('id')!r} cannot be read: {error!r}") from error


def _encode_body(body: Body) -> dict[str, Any]:
    if isinstance(body, TableBody):
        return {
            "columns": [_flat(column) for column in body.columns],
            "rows": [[_encode_value(cell) for cell in row] for row in body.rows],
            "total_row": body.total_row,
            "note": body.note,
            "depths": list(body.depths),
        }
    if isinstance(body, FigureBody):
        data = None if body.data is None else _encode_body(body.data)
        return {"figure": body.figure, "alt": body.alt, "height": body.height, "data": data}
    if isinstance(body, KpiBody):
        return {"items": [_flat(item) | {"value": _encode_value(item.value)} for item in body.items]}
    paragraphs = [[_encode_value(run) for run in paragraph] for paragraph in body.paragraphs]
    if isinstance(body, CalloutBody):
        return {"tone": body.tone, "paragraphs": paragraphs}
    return {"paragraphs": paragraphs, "bullets": body.bullets}


def _decode_body(kind: str, data: Mapping[str, Any]) -> Body:
    if kind == "table":
        return _table(data)
    if kind == "figure":
        table = None if data["data"] is None else _table(data["data"])
        return FigureBody(dict(data["figure"]), _text(data["alt"]), int(data["height"]), table)
    if kind == "kpis":
        items = [dict(item) | {"value": _decode_value(item["value"])} for item in data["items"]]
        return KpiBody(tuple(_record(Kpi, item) for item in items))
    if kind in ("callout", "prose"):
        paragraphs = tuple(
            tuple(cast(Run, _decode_value(run)) for run in paragraph) for paragraph in data["paragraphs"]
        )
        if kind == "callout":
            return CalloutBody(data["tone"], paragraphs)
        return ProseBody(paragraphs, bool(data["bullets"]))
    raise ExhibitError(f"exhibit kind {kind!r} is not known")


def _table(data: Mapping[str, Any]) -> TableBody:
    return TableBody(
        columns=tuple(_record(Column, column) for column in data["columns"]),
        rows=tuple(tuple(_decode_value(cell) for cell in row) for row in data["rows"]),
        total_row=bool(data["total_row"]),
        note=_text(data["note"]),
        depths=tuple(int(depth) for depth in data.get("depths", ())),
    )


def _flat(record: DataclassInstance) -> dict[str, Any]:
    return {field.name: getattr(record, field.name) for field in fields(record)}


def _encode_value(value: Cell | Run) -> object:
    return value if isinstance(value, _SCALARS) else _flat(value)


def _decode_value(value: object) -> Any:
    if isinstance(value, _SCALARS):
        return value
    kind = _BY_KEYS.get(frozenset(value)) if isinstance(value, Mapping) else None
    if kind is None or not isinstance(value, Mapping):
        raise ExhibitError(f"{str(value)[:80]!r} is not a value an exhibit may hold")
    return _record(kind, value)


def _record(kind: type[_Record], data: Mapping[str, Any]) -> _Record:
    for name, value in data.items():
        if not isinstance(value, _SCALARS) and name != "value":
            raise ExhibitError(f"{kind.__name__}.{name} must be plain, not {type(value).__name__}")
    return kind(**data)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ExhibitError(f"expected text, not {type(value).__name__}")
    return value
