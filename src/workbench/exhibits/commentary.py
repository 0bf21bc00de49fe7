"""Performance commentary by model: the firm measured once, and a draft for each model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from workbench.attribution import review_sleeves
from workbench.drafting.draft import Draft
from workbench.drafting.reasons.performance import CLAIMS
from workbench.drafting.sheets.performance import Record, SleeveEffects, sheet
from workbench.drafting.writer import write
from workbench.errors import FirmDataError, MarketDataError
from workbench.exhibits import records
from workbench.exhibits.drafted import Drafted
from workbench.exhibits.drift_facts import absent
from workbench.exhibits.origin import Origin
from workbench.exhibits.performance_review import ALL
from workbench.exhibits.performance_review import measure as measure_performance
from workbench.firm import Firm
from workbench.report import Exhibit
from workbench.report import format as fmt


@dataclass(frozen=True)
class Measured:
    """A firm's models measured: the record of each by its key, and what sleeves did to it over quarter and year."""

    firm: str
    as_of: str
    snapshot: str
    records: Mapping[str, Record]
    effects: Mapping[str, tuple[SleeveEffects, ...]]
    benchmarks: Mapping[str, str]


def measure(firm: Firm) -> Measured:
    """Measure every model of a firm. Raises as `performance.load`; without benchmarks there are no effects."""
    origin = Origin.of(firm)
    found = {record.key: record for record in records.records(measure_performance(firm), origin) if record.key != ALL}
    models = firm.table("models").sort_values("version")
    in_force = models[models["status"] != "draft"].drop_duplicates("model_id", keep="last").set_index("model_id")
    return Measured(
        fmt.clipped(firm.name, 60),
        origin.as_of,
        origin.snapshot,
        found,
        _effects(firm, origin),
        in_force["benchmark"].fillna("").to_dict(),
    )


def _effects(firm: Firm, origin: Origin) -> dict[str, tuple[SleeveEffects, ...]]:
    """What sleeves did to each model; none where the book of record keeps no benchmarks of models or sleeves."""
    found: dict[str, tuple[SleeveEffects, ...]] = {}
    try:
        # In the year's first quarter the two are one period.
        for period in ("quarter", "year") if firm.as_of.quarter > 1 else ("quarter",):
            for model, effects in records.model_effects(review_sleeves(firm, period), origin).items():
                found[model] = (*found.get(model, ()), effects)
    except (FirmDataError, MarketDataError):
        return {}
    return found


def draft(measured: Measured, model: str) -> Draft:
    """Return one model's commentary, drafted and verified. Raises as `drafting.writer.write`."""
    record = measured.records[model]
    made = sheet(
        record,
        measured.effects.get(model, ()),
        measured.as_of,
        measured.snapshot,
        measured.firm,
        measured.benchmarks.get(model, ""),
    )
    return write(made, "commentary", CLAIMS, title=f"{record.name}: performance as of {fmt.long_date(measured.as_of)}")


def exhibits(measured: Measured, slug: Callable[[object], str]) -> Iterator[Exhibit]:
    """Yield the commentary of every model, most money first, for a book."""
    if not measured.records:
        yield absent("commentary", "Performance commentary", "No model has a record of performance to this day.")
    for model in measured.records:
        yield from Drafted(draft(measured, model), f"commentary-{slug(model)}").every()
