"""The performance chapter's head: what accounts returned after fees, over which spans, and against which benchmarks."""

from __future__ import annotations

from collections.abc import Sequence

from workbench import performance
from workbench.exhibits.drift_facts import absent, listed, noun, plural
from workbench.exhibits.origin import Origin
from workbench.exhibits.performance_facts import BASIS, NO_RECORD, TABLES, Facts, side
from workbench.exhibits.performance_review import PerformanceReview, Track
from workbench.performance import Span
from workbench.report import CalloutBody, Column, Exhibit, Kpi, KpiBody, TableBody
from workbench.report import format as fmt
from workbench.report.exhibit import Cell, FactRef, Paragraph

#: Rows of a track in the table of returns: what is measured, its words, how it is shown.
_MEASURES = (
    ("net", "After fees", "percent"),
    ("gross", "Before fees", "percent"),
    ("model", "Model on paper", "percent"),
    ("benchmark", "Benchmark", "percent"),
    ("excess", "After fees, less benchmark", "pp"),
)


def verdict(review: PerformanceReview, origin: Origin) -> Exhibit:
    """The box at the top: what was earned after fees, who is behind the benchmark, what fees took."""
    id, title = "performance-verdict", "What accounts earned"
    if not review.tracks:
        return Exhibit(id, title, CalloutBody("warning", (NO_RECORD, *review.without.values())))
    track, facts = review.tracks[0], Facts(review, origin)
    span = facts.headline(track)
    net = facts.returned(track, span, "net")
    lines: list[Paragraph] = [
        (
            f"{_when(span)} to {fmt.long_date(origin.as_of)}, accounts that follow a model returned ",
            net.ref(),
            f" after fees{' a year' if span.annualised else ''}",
            *_against(facts, track, span),
            ".",
        )
    ]
    if "excess" in facts.known_of(track, span):
        lines.append(_split(facts, track, span))
    if ranked := facts.ranked(span):
        lines.append(_behind(facts, ranked, span))
    if review.no_benchmark:
        lines.append(f"There is no benchmark to compare with: {review.no_benchmark}")
    return Exhibit(id, title, CalloutBody("neutral", tuple(lines)), "", None, facts.carried)


def summary(review: PerformanceReview, origin: Origin) -> Exhibit:
    """Key figures of all accounts together; also on the index page."""
    id, title = "performance-summary", "Accounts together"
    if not review.tracks:
        return absent(id, title, NO_RECORD)
    track, facts = review.tracks[0], Facts(review, origin)
    span = facts.headline(track)
    days = review.sessions[1:] > span.start
    money = {
        "value": review.net.value[:, -1].sum(),
        "flow": review.net.flow[:, days].sum(),
        "fees": -review.net.fee[:, days].sum(),
    }
    amount = {
        name: facts.add(f"performance.firm.{name}.{span.name}", value, "usd", "performance.load")
        for name, value in money.items()
    }

    def short(name: str) -> FactRef:
        return amount[name].ref(fmt.usd_short(money[name]))

    paid = "paid in, net" if money["flow"] >= 0 else "taken out, net"
    items = [
        Kpi(span.label, facts.returned(track, span, "net").ref(), "after fees, all models together"),
        _excess_kpi(facts, track, span),
        Kpi("Assets", short("value"), f"{plural(int((review.net.value[:, -1] > 0).sum()), 'account')} with a value"),
        Kpi("Clients' flows", amount["flow"].ref(fmt.usd_short(abs(money["flow"]))), paid),
        Kpi("Fees charged", short("fees"), _since(span)),
    ]
    settings = origin.settings(f"{BASIS}; money of all accounts", TABLES)
    return Exhibit(id, title, KpiBody(tuple(items)), "", settings, facts.carried, index=True)


def returns_table(review: PerformanceReview, origin: Origin) -> Exhibit:
    """Every model over the usual spans, after and before fees, against its benchmark."""
    id, title = "performance-returns", "Returns by model"
    if not review.tracks:
        return absent(id, title, NO_RECORD)
    facts = Facts(review, origin)
    shown = performance.spans(review.sessions)[:-1]
    columns = (
        Column("model", "Model", emphasis=True),
        Column("measure", "Return"),
        *(Column(span.name, span.label, "percent") for span in shown),
        Column("since", "Since the record began", "percent", note="a year, where longer than a year"),
        Column("from", "Record from", "date"),
    )
    rows: list[tuple[Cell, ...]] = []
    measures = [m for m in _MEASURES if m[0] in ("net", "gross") or not review.no_benchmark]
    for track in review.tracks:
        own = track.spans(review.sessions)[-1]
        for name, words, _ in measures:
            cells = [facts.cell(track, span, name) for span in (*shown, own)]
            first = name == "net"
            rows.append((track.name if first else "", words, *cells, f"{track.since:%Y-%m-%d}" if first else ""))
    note = "Years are to the same day; returns over more than a year are annualised, nothing of a year or less is."
    if review.own_policy:
        names = listed([str(review.names[key]) for key in sorted(review.own_policy)])
        note += f" Measured against their own sleeve weights, for want of a policy: {names}."
    for name, reason in review.without.items():
        note += f" {name} is not shown: {reason}."
    settings = origin.settings(f"{BASIS}; benchmarks reset monthly, without fees and costs", TABLES)
    takeaway = _returns_takeaway(facts, review)
    return Exhibit(id, title, TableBody(columns, tuple(rows), note=note), takeaway, settings, facts.carried)


def _when(span: Span) -> str:
    return {"year": "In the year"}.get(span.name, f"From {fmt.long_date(str(span.start.date()))}")


def _since(span: Span) -> str:
    return f"since {fmt.long_date(str(span.start.date()))}"


def _against(facts: Facts, track: Track, span: Span) -> tuple[str | FactRef, ...]:
    against, excess = facts.known(track, span, "benchmark"), facts.known(track, span, "excess")
    if against is None or excess is None:
        return ()
    gap = float(excess.value)
    side = "ahead of" if gap >= 0 else "behind"
    plain = excess.text.lstrip("+" + fmt.MINUS)
    return (", ", excess.ref(plain), f" {side} their benchmarks at ", against.ref())


def _split(facts: Facts, track: Track, span: Span) -> Paragraph:
    """The excess as the models' choices and their implementation, and what fees are in it."""
    choice, implementation = (facts.returned(track, span, name) for name in ("choice", "implementation"))
    fees = facts.returned(track, span, "fees")
    return (
        "Of this difference, ",
        choice.ref(),
        " is the models' own, as they stand on paper, and ",
        implementation.ref(),
        " came from carrying them out: fees took ",
        fees.ref(fees.text.lstrip("+")),
        ", the rest is cash, late trades, other holdings and trading costs. No benchmark pays fees or costs.",
    )


def _behind(facts: Facts, ranked: Sequence[tuple[float, Track]], span: Span) -> Paragraph:
    """How many models are behind, and the two ends."""
    count = sum(value < 0 for value, _ in ranked)
    (low, worst), (high, best) = ranked[0], ranked[-1]
    low_fact, high_fact = facts.returned(worst, span, "excess"), facts.returned(best, span, "excess")
    verb = noun(count, "model is", "models are")
    head = f"{count} of {len(ranked)} {verb} behind {noun(count, 'its', 'their')} benchmark after fees; "
    if len(ranked) == 1:
        return (f"{worst.name} is ", low_fact.ref(), " from its benchmark after fees.")
    lead = "furthest ahead" if high >= 0 else "closest"
    first = f"{worst.name} is {'furthest behind' if low < 0 else 'least ahead'} with "
    return (
        head if count else "No model is behind its benchmark; ",
        first,
        low_fact.ref(),
        f", {best.name} {lead} with ",
        high_fact.ref(),
        ".",
    )


def _excess_kpi(facts: Facts, track: Track, span: Span) -> Kpi:
    excess = facts.known(track, span, "excess")
    if excess is None:
        return Kpi("Against benchmarks", fmt.MISSING, "no benchmark over the whole time")
    return Kpi("Against benchmarks", excess.ref(), "after fees, all models together")


def _returns_takeaway(facts: Facts, review: PerformanceReview) -> str:
    track = review.tracks[0]
    span = track.spans(review.sessions)[-1]
    net, excess = facts.known(track, span, "net"), facts.known(track, span, "excess")
    if net is None:
        return ""
    yearly = " a year" if span.annualised else ""
    text = f"Since {fmt.long_date(str(track.since.date()))} all models together returned {net.text}{yearly} after fees"
    return f"{text}, {side(float(excess.value), excess.text)} their benchmarks." if excess else f"{text}."
