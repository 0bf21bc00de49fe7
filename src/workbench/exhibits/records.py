"""Measured performance as the plain records that a draft's sheet is built from."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from workbench.attribution import SleeveReview, rows_of
from workbench.drafting.sheets.performance import EFFECTS, MODEL_EFFECTS, Held, Period, Record, SleeveEffects, Year
from workbench.exhibits.origin import Origin
from workbench.exhibits.performance_facts import DIFFERENCES, Facts
from workbench.exhibits.performance_review import ALL, PerformanceReview, Track
from workbench.exhibits.sleeve_facts import firm_linked, measured_from, sleeve_name, span
from workbench.performance import Span

#: Measures of a record, as the chapter on performance names them.
MEASURES = ("net", "gross", "benchmark", "model", *(name for name in DIFFERENCES if name != "rest"))
#: What a sleeve's part is summed from, and the name of the sum.
_SLEEVE_PARTS = {"allocation": ("allocation",), "selection": ("selection", "interaction"), "total": MODEL_EFFECTS}


def records(review: PerformanceReview, origin: Origin) -> tuple[Record, ...]:
    """Return the record of all accounts together, then of each model, most money first; none where nothing is."""
    facts = Facts(review, origin)
    return tuple(_record(facts, track, review, origin) for track in review.tracks)


def _record(facts: Facts, track: Track, review: PerformanceReview, origin: Origin) -> Record:
    spans = track.spans(review.sessions)
    # In the year's first quarter the two are one period.
    once = [span for span in spans if span.name != "year" or span.start != spans[0].start or span is spans[0]]
    periods = tuple(_period(facts, track, span) for span in once)
    mine = _members(review, track)
    days = review.sessions[1:] > spans[0].start
    return Record(
        key=track.key,
        slug=origin.slug(track.key),
        name=track.name,
        since=str(track.since.date()),
        periods=periods,
        value=float(review.net.value[mine, -1].sum()),
        accounts=int((review.net.value[mine, -1] > 0).sum()),
        flow=float(review.net.flow[mine][:, days].sum()),
        fees=-float(review.net.fee[mine][:, days].sum()),
        year=_year(track, origin),
    )


def _members(review: PerformanceReview, track: Track) -> np.ndarray:
    """The accounts of a track; of all together every account, as the chapter counts money."""
    if track.key == ALL:
        return np.ones(len(review.net.accounts), dtype=bool)
    return (review.net.accounts["model_id"] == track.key).to_numpy(bool)


def _period(facts: Facts, track: Track, span: Span) -> Period:
    values = {measure: facts.value(track, span, measure) for measure in MEASURES}
    known = {measure: value for measure, value in values.items() if value == value}
    return Period(span.name, _words(span), str(span.start.date()), span.annualised, known)


def _words(span: Span) -> str:
    """A period's name inside a sentence."""
    if span.name in ("quarter", "year"):
        return f"the {span.label.lower()}"
    return "the whole record" if span.name == "since" else span.label.removesuffix(", per year")


def _year(track: Track, origin: Origin) -> Year | None:
    """The last whole year of a composite, where it has one."""
    yearly = track.composite.yearly
    whole = yearly[yearly["complete"].astype(bool)]
    if whole.empty:
        return None
    row = whole.iloc[-1]
    year = str(whole.index[-1])
    known = {name: _known(row[name]) for name in ("dispersion", "low", "high", "risk", "benchmark_risk")}
    return Year(f"composite.{origin.slug(track.name)}.{year}", year, int(row["full_year"]), **known)


def _known(value: object) -> float | None:
    number = float(value)  # type: ignore[arg-type]
    return number if number == number else None


def firm_effects(review: SleeveReview, origin: Origin) -> SleeveEffects | None:
    """Return what sleeves and implementation did to all accounts together; None where no account was measured."""
    if not len(review.accounts.accounts):
        return None
    linked = firm_linked(review)
    return _effects(review, origin, "sleeves.firm", linked.effects[0], linked.portfolio[0], linked.benchmark[0])


def model_effects(review: SleeveReview, origin: Origin) -> dict[str, SleeveEffects]:
    """Return the same for the accounts of each model, by model_id; models without a measured account are not there."""
    pooled = review.accounts.models
    linked = pooled.linked(review.accounts.linking)
    return {
        model: _effects(
            review, origin, f"sleeves.{origin.slug(model)}.{review.period}", linked.effects[place],
            linked.portfolio[place], linked.benchmark[place], _held(review, model, origin),
        )
        for place, model in enumerate(pooled.groups)
        if (pooled.begin[place] > 0).any()
    }  # fmt: skip


def _effects(
    review: SleeveReview,
    origin: Origin,
    prefix: str,
    rows: np.ndarray,
    portfolio: float,
    benchmark: float,
    held: Mapping[str, Held] | None = None,
) -> SleeveEffects:
    names = review.accounts.names
    by_name = {name: float(rows[rows_of(names, name)].sum()) for name in EFFECTS}
    sleeves = {}
    for sleeve in review.accounts.sleeves:
        own = (names["sleeve_id"] == sleeve).to_numpy(bool)
        parts = {
            part: float(rows[own & names["effect"].isin(effects).to_numpy(bool)].sum())
            for part, effects in _SLEEVE_PARTS.items()
        }
        if any(abs(value) > 0 for value in parts.values()):
            sleeves[origin.slug(sleeve)] = (sleeve_name(review, sleeve), parts)
    ordered = dict(sorted(sleeves.items(), key=lambda item: item[1][1]["total"]))
    start = str(measured_from(review).date())
    return SleeveEffects(
        prefix, review.period, span(review), start, float(portfolio), float(benchmark), by_name, ordered,
        {slug: held[slug] for slug in ordered if held and slug in held},
    )  # fmt: skip


def _held(review: SleeveReview, model: str, origin: Origin) -> dict[str, Held]:
    """What a model and its policy held of each sleeve, over the sessions in which the model had a version in force."""
    paths = review.paths
    place = paths.models.index(model)
    there = paths.exists[place]
    weights, policy = paths.sleeve_weights[place][there], paths.benchmark_weights[place][there]
    earned, benchmark = paths.sleeve_returns[place][there], paths.sleeve_benchmark_returns[place][there]
    return {
        origin.slug(sleeve): Held(
            float(weights[:, at].mean()),
            float(policy[:, at].mean()),
            _compounded(earned[:, at]),
            _compounded(benchmark[:, at]),
        )
        for at, sleeve in enumerate(paths.sleeves)
    }


def _compounded(returns: np.ndarray) -> float | None:
    """Returns of each session as one; None where a session has none, for then nothing was held in it."""
    return None if np.isnan(returns).any() else float(np.prod(1 + returns) - 1)
