"""The performance chapter's head: what accounts returned after fees, over which spans, and against which benchmarks."""

from __future__ import annotations

from collections.abc import Sequence

from workbench import performance
from workbench.exhibits.drift_facts import absent, listed, noun, plural
from workbench.exhibits.origin import Origin
from workbench.exhibits.performance_facts import BASIS, NO_RECORD, TABLES, Facts, side, unsigned
from workbench.exhibits.performance_review import ALL, PerformanceReview, Track
from workbench.exhibits.standing import is_level, standing
from workbench.performance import Span
from workbench.report import CalloutBody, Column, Exhibit, Kpi, KpiBody, TableBody
from workbench.report import format as fmt
from workbench.report.exhibit import Cell, FactRef, Paragraph

#: Groups of the table behind the returns: what is measured and its words.
_BEHIND = (("benchmark", "Benchmarks"), ("gross", "Before fees"))
#: Differences smaller than this show as zero.
_SLIGHT = 0.00005


def verdict(review: PerformanceReview, origin: Origin) -> Exhibit:
    """The box at the top: what was earned after fees, who is behind the benchmark, what fees took."""
    id, title = "performance-verdict", "What accounts earned"
    if not review.tracks:
        why = tuple(f"{name}: {reason}." for name, reason in review.without.items())
        return Exhibit(id, title, CalloutBody("warning", (NO_RECORD, *why)))
    track, facts = review.tracks[0], Facts(review, origin)
    span = facts.headline(track)
    net = facts.returned(track, span, "net")
    lines: list[Paragraph] = [
        (
            f"{_when(span, origin)}, accounts that follow a model returned ",
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
    if missing := _not_whole(review):
        lines.append(missing)
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

    paid = "paid in, net" if money["flow"] > 0 else "taken out, net" if money["flow"] < 0 else "none, net"
    items = [
        Kpi(span.label, facts.returned(track, span, "net").ref(), "after fees, all models together"),
        _excess_kpi(facts, track, span),
        Kpi("Assets", short("value"), _owners(review)),
        Kpi("Clients' flows", amount["flow"].ref(fmt.usd_short(abs(money["flow"]))), paid),
        Kpi("Fees charged", short("fees"), _since(span)),
    ]
    settings = origin.settings(f"{BASIS}; money of all accounts", TABLES)
    return Exhibit(id, title, KpiBody(tuple(items)), "", settings, facts.carried, index=True)


def returns_table(review: PerformanceReview, origin: Origin) -> Exhibit:
    """Every model over the usual spans after fees, one line each."""
    id, title = "performance-returns", "Returns after fees"
    if not review.tracks:
        return absent(id, title, NO_RECORD)
    facts = Facts(review, origin)
    rows = [(track.name, *_cells(facts, track, "net"), f"{track.since:%Y-%m-%d}") for track in review.tracks]
    columns = (*_span_columns(review), Column("from", "Record from", "date"))
    note = "Years reach back to the same day. A return over more than a year is given per year, any other as it is."
    for name, reason in review.without.items():
        note += f" {name} is not shown: {reason}."
    settings = origin.settings(BASIS, TABLES)
    takeaway = _returns_takeaway(facts, review)
    return Exhibit(id, title, TableBody(columns, tuple(rows), note=note), takeaway, settings, facts.carried)


def excess_table(review: PerformanceReview, origin: Origin) -> Exhibit:
    """How far every model is ahead of or behind its benchmark after fees, over the same spans."""
    id, title = "performance-against", "After fees, ahead of or behind the benchmark"
    if not review.tracks or review.no_benchmark:
        return absent(id, title, review.no_benchmark or NO_RECORD)
    facts = Facts(review, origin)
    rows = [(track.name, *_cells(facts, track, "excess")) for track in review.tracks]
    note = "Differences are taken before rounding."
    if review.own_policy:
        names = listed([str(review.names[key]) for key in sorted(review.own_policy)])
        note += f" Measured against their own sleeve weights, for want of a policy: {names}."
    settings = origin.settings(f"{BASIS}; benchmarks reset monthly, without fees and costs", TABLES)
    takeaway = _excess_takeaway(facts, review)
    body = TableBody(_span_columns(review), tuple(rows), note=note)
    return Exhibit(id, title, body, takeaway, settings, facts.carried)


def behind_table(review: PerformanceReview, origin: Origin) -> Exhibit:
    """What stands beside the returns after fees: the benchmarks', and those before fees."""
    id, title = "performance-behind", "Benchmarks, and returns before fees"
    if not review.tracks:
        return absent(id, title, NO_RECORD)
    facts = Facts(review, origin)
    rows: list[tuple[Cell, ...]] = []
    depths: list[int] = []
    for measure, words in _BEHIND:
        if measure != "gross" and review.no_benchmark:
            continue
        for track in review.tracks:
            first = track is review.tracks[0]
            name = track.name.lower() if track.key == ALL else track.name
            name = f"{words}: {name}" if first else track.name
            rows.append((name, *_cells(facts, track, measure)))
            depths.append(0 if first else 1)
    settings = origin.settings(f"{BASIS}; benchmarks reset monthly, without fees and costs", TABLES)
    body = TableBody(_span_columns(review), tuple(rows), depths=tuple(depths))
    return Exhibit(id, title, body, "", settings, facts.carried)


def _span_columns(review: PerformanceReview) -> tuple[Column, ...]:
    return (
        Column("model", "Model", emphasis=True),
        *(Column(span.name, span.label, "percent") for span in performance.spans(review.sessions)[:-1]),
        Column("since", "Since the record began", "percent", note="per year, where longer than a year"),
    )


def _cells(facts: Facts, track: Track, measure: str) -> list[Cell]:
    """A track's cells of one measure over all spans, the last since its own record began."""
    sessions = facts.review.sessions
    shown = (*performance.spans(sessions)[:-1], track.spans(sessions)[-1])
    return [facts.cell(track, span, measure) for span in shown]


def _when(span: Span, origin: Origin) -> str:
    last = fmt.long_date(origin.as_of)
    if span.name != "year":
        return f"From {fmt.long_date(str(span.start.date()))} to {last}"
    day, year = last.rsplit(" ", 1)
    return f"In {year}" if span.label == "Year" else f"In {year} up to {day}"


def _since(span: Span) -> str:
    return f"since {fmt.long_date(str(span.start.date()))}"


def _begun(span: Span) -> str:
    return f"S{_since(span)[1:]}"


def _against(facts: Facts, track: Track, span: Span) -> tuple[str | FactRef, ...]:
    against, excess = facts.known(track, span, "benchmark"), facts.known(track, span, "excess")
    if against is None or excess is None:
        return ()
    return (", ", excess.ref(side(excess)), " their benchmarks at ", against.ref())


def _split(facts: Facts, track: Track, span: Span) -> Paragraph:
    """The excess as the models' choices and their implementation, and what fees are in it."""
    choice, implementation = (facts.returned(track, span, name) for name in ("choice", "implementation"))
    fees, rest = (facts.returned(track, span, name) for name in ("fees", "rest"))
    paid: tuple[str | FactRef, ...] = ("fees took ", fees.ref(unsigned(fees)))
    if float(fees.value) < -_SLIGHT:
        paid = ("fees paid back brought ", fees.ref(unsigned(fees)))
    verb = "brought" if float(rest.value) > 0 else "cost"
    excess = facts.returned(track, span, "excess")
    return (
        *(("The difference is ", excess.ref(), ": ") if is_level(float(excess.value)) else ("Of this difference ",)),
        choice.ref(),
        " is the models' own: their portfolios on paper against the benchmarks. ",
        implementation.ref(),
        " came from carrying them out: ",
        *paid,
        f"; cash, late trades, holdings outside the model and trading costs together {verb} ",
        rest.ref(unsigned(rest)),
        ". Benchmarks pay neither fees nor costs.",
    )


def _behind(facts: Facts, ranked: Sequence[tuple[float, Track]], span: Span) -> Paragraph:
    """How many models are behind, and the two ends."""
    count = sum(value < 0 and not is_level(value) for value, _ in ranked)
    worst, best = (facts.returned(track, span, "excess") for _, track in (ranked[0], ranked[-1]))
    if len(ranked) == 1:
        return (f"{ranked[0][1].name} is ", worst.ref(side(worst)), " its benchmark after fees.")
    verb = noun(count, "model is", "models are")
    head = f"{count} of {len(ranked)} {verb} behind {noun(count, 'its', 'their')} benchmark after fees; "
    return (
        head if count else "No model is behind its benchmark after fees; ",
        f"{ranked[0][1].name} did worst, ",
        worst.ref(side(worst)),
        f" its benchmark, {ranked[-1][1].name} best, ",
        best.ref(side(best)),
        " its own.",
    )


def _owners(review: PerformanceReview) -> str:
    """How many accounts the assets are in, and how many owe."""
    last = review.net.value[:, -1]
    owing = int((last < 0).sum())
    words = f"{plural(int((last > 0).sum()), 'account')} with a value"
    return f"{words}, {plural(owing, 'account')} below zero" if owing else words


def _not_whole(review: PerformanceReview) -> str:
    """Which accounts are missing from the figures, wholly or on some days; "" where none is."""
    problems = review.net.problems
    some = problems.loc[~problems["in_return"].astype(bool), "account_id"].nunique()
    parts = [
        f"{plural(count, 'account')} {noun(count, 'is', 'are')} {words}"
        for count, words in (
            (len(review.net.no_data), "in no figure"),
            (some, "left out of months in which a day has no return"),
        )
        if count
    ]
    return f"{' and '.join(parts)}: see what is left out, and why." if parts else ""


def _excess_kpi(facts: Facts, track: Track, span: Span) -> Kpi:
    excess = facts.known(track, span, "excess")
    if excess is None:
        return Kpi("Against benchmarks", fmt.MISSING, "no benchmark over the whole time")
    return Kpi("Against benchmarks", excess.ref(), "after fees, all models together")


def _returns_takeaway(facts: Facts, review: PerformanceReview) -> str:
    track = review.tracks[0]
    span = track.spans(review.sessions)[-1]
    net = facts.known(track, span, "net")
    if net is None:
        return ""
    yearly = " a year" if span.annualised else ""
    return f"{_begun(span)} all models together returned {net.text}{yearly} after fees."


def _excess_takeaway(facts: Facts, review: PerformanceReview) -> str:
    """All together over all time, and how many models are ahead over the last years."""
    track = review.tracks[0]
    span = track.spans(review.sessions)[-1]
    excess = facts.known(track, span, "excess")
    if excess is None:
        return "No benchmark reaches over the whole record of all models together."
    yearly = " a year" if span.annualised else ""
    text = f"{_begun(span)} all models together are {standing(float(excess.value), unsigned(excess) + yearly)} "
    text += "their benchmarks"
    years = [one for one in performance.spans(review.sessions)[:-1] if one.name.startswith("years_")]
    if not years or not (ranked := facts.ranked(years[-1])):
        return f"{text}."
    over, ahead = years[-1].label.split(",")[0], sum(value > 0 and not is_level(value) for value, _ in ranked)
    which = f"{fmt.count(ahead)} of {len(ranked)} models {noun(ahead, 'is', 'are')}"
    if ahead in (0, len(ranked)):
        which = f"{'every' if ahead else 'no'} model is"
    return f"{text}; over {over} {which} ahead."
