"""Records over time: growth, the gap to the benchmark, the deepest falls, and the statistics of it all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from workbench import performance
from workbench.exhibits.drift_facts import absent, listed, noun, plural
from workbench.exhibits.origin import Origin
from workbench.exhibits.performance_facts import BASIS, DIGITS, NO_RECORD, TABLES, Facts, side
from workbench.exhibits.performance_review import ALL, PerformanceReview, Track
from workbench.performance import CONVENTIONS, Span, Statistics
from workbench.report import Column, Exhibit, Fact, Missing, TableBody, figures
from workbench.report import format as fmt
from workbench.report.exhibit import Cell

#: Statistics of the table, of all that `performance.statistics` knows.
_STATISTICS = (
    "volatility", "max_drawdown", "sharpe", "sortino", "tracking_error", "information_ratio", "beta",
    "alpha", "up_capture", "down_capture", "value_at_risk",
)  # fmt: skip
_LABELS = {"after fees": "After fees", "before fees": "Before fees", "in the benchmark": "Benchmark"}
#: Columns of models that a table of statistics has room for.
_COLUMNS = 8
#: Lines that can be told apart in one figure.
_LINES = 5


def growth_figure(review: PerformanceReview, origin: Origin, years: int) -> Exhibit:
    """What a dollar became in all accounts together, after and before fees, and in the benchmark."""
    id, title = "performance-growth", "Growth of $100"
    if not review.tracks:
        return absent(id, title, NO_RECORD)
    track = review.tracks[0]
    start = _window(review, (track,), years)
    wealth = {
        name: path
        for name, daily in zip(_LABELS, (track.net, track.gross, track.benchmark))
        if (path := _wealth(daily, start)) is not None
    }
    facts = Facts(review, origin)
    ends = []
    for name, path in wealth.items():
        fact = f"performance.growth.{origin.slug(name)}.{years}y"
        ends.append(facts.add(fact, path.iloc[-1], "usd", "performance.composite_days").text)
    words = ", ".join(f"{end} {name}" for name, end in zip(wealth, ends))
    takeaway = f"$100 on {fmt.long_date(str(start.date()))} became {words}."
    shown = {_LABELS[name]: _thinned(path) for name, path in wealth.items()}
    dates = [f"{day:%Y-%m-%d}" for day in next(iter(shown.values())).index]
    whole = {_LABELS[name]: path for name, path in wealth.items()}
    data, more = _at_year_ends("performance.growth", whole, "usd", origin)
    body = figures.lines(dates, {name: list(path) for name, path in shown.items()}, alt=takeaway, unit="usd", data=data)
    basis = f"{BASIS}; all models together, week by week"
    if len(wealth) < len(_LABELS):
        basis += "; without the benchmark, which is not known over the whole time"
    return Exhibit(id, title, body, takeaway, origin.settings(basis, TABLES), (*facts.carried, *more))


def excess_figure(review: PerformanceReview, origin: Origin, years: int) -> Exhibit:
    """Each model after fees against its benchmark over time: when it was won or lost."""
    id, title = "performance-excess", "Ahead of and behind the benchmark"
    if not review.models or review.no_benchmark:
        return absent(id, title, review.no_benchmark or NO_RECORD)
    start, tracks = _old_enough(review, years)
    shown = tracks[:_LINES]
    paths = {}
    for track in shown:
        net, against = _wealth(track.net, start), _wealth(track.benchmark, start)
        if net is not None and against is not None:
            paths[track.name] = net / against - 1.0
    if not paths:
        return absent(id, title, "No model has a benchmark over the whole time.")
    last = pd.Series({name: float(path.iloc[-1]) for name, path in paths.items()})
    facts = Facts(review, origin)
    fact = {
        name: facts.add(f"performance.ahead.{origin.slug(name)}.{years}y", value, "pp", "performance.composite_days")
        for name, value in last.items()
    }
    worst, best = str(last.idxmin()), str(last.idxmax())
    takeaway = f"Since {fmt.long_date(str(start.date()))} {best} is {side(fact[best])} its benchmark"
    takeaway += f", {worst} {side(fact[worst])} its own." if worst != best else "."
    weekly = {name: _thinned(path) for name, path in paths.items()}
    dates = [f"{day:%Y-%m-%d}" for day in next(iter(weekly.values())).index]
    data, more = _at_year_ends("performance.excess", paths, "pp", origin)
    body = figures.lines(
        dates, {name: list(path) for name, path in weekly.items()}, alt=takeaway, unit="pp",
        axis_title="After fees, relative to the benchmark", data=data,
    )  # fmt: skip
    basis = f"{BASIS}; value relative to one in the benchmark"
    if len(tracks) > _LINES:
        basis += f"; the {_LINES} models with most money"
    if unknown := [track.name for track in shown if track.name not in paths]:
        basis += f"; without {listed(unknown)}, whose benchmark is not known over the whole time"
    if younger := [track.name for track in review.models if track not in tracks]:
        basis += f"; without {listed(younger)}, whose record is younger"
    return Exhibit(id, title, body, takeaway, origin.settings(basis, TABLES), (*facts.carried, *more))


def drawdown_table(review: PerformanceReview, origin: Origin, years: int) -> Exhibit:
    """Each model's deepest fall, how long it lasted, and how far the benchmark fell in the same days."""
    id, title = "performance-drawdowns", "Deepest falls"
    found = {track.name: _deepest(track, _window(review, (track,), years)) for track in review.tracks}
    rows = [row for row in found.values() if row is not None]
    if not rows:
        return absent(id, title, "No model fell below an earlier high." if review.tracks else NO_RECORD)
    frame = pd.DataFrame(rows)
    columns = (
        Column("name", "Model", emphasis=True),
        Column("depth", "Fall", "percent", digits=DIGITS),
        Column("benchmark", "Benchmark", "percent", digits=DIGITS, note="over the same days"),
        Column("peak", "High on", "date"),
        Column("trough", "Low on", "date"),
        Column("recovered", "Back on", "date"),
        Column("down", "Sessions down", "count"),
        Column("back", "Sessions back up", "count"),
    )
    missing = {"recovered": "not back yet", "back": "not back yet", "benchmark": "no benchmark over these days"}
    keys = frame["key"]
    table, facts = origin.table(
        "performance.drawdown", frame, columns, "performance.drawdowns", TABLES, keys=keys, missing=missing
    )
    takeaway = _fall_words(frame[frame["key"] != ALL] if len(frame) > 1 else frame)
    settings = origin.settings(f"{BASIS}; after fees, closes of the last {plural(years, 'year')}", TABLES)
    never = [name for name, row in found.items() if row is None]
    note = f"Never below an earlier high: {listed(never)}." if never else ""
    return Exhibit(id, title, TableBody(columns, table, note=note), takeaway, settings, facts)


def _fall_words(frame: pd.DataFrame) -> str:
    """Which model fell furthest, and how many are not back at their highs."""
    first = frame.sort_values("depth", kind="stable").iloc[0]
    down = int(frame["recovered"].isna().sum())
    depth, low = fmt.percent(-first["depth"], DIGITS), fmt.long_date(str(first["trough"].date()))
    if len(frame) == 1:
        back = "not back" if down else "back"
        return f"{first['name']} fell by {depth} to its low of {low} and is {back} at its high."
    text = f"{first['name']} fell furthest, by {depth} to its low of {low}; "
    if not down:
        return f"{text}every model is back at its high."
    of = f"{fmt.count(down)} of {len(frame)} models {noun(down, 'is', 'are')}"
    return f"{text}{of} not back at {noun(down, 'its', 'their')} high."


def statistics_table(review: PerformanceReview, origin: Origin, years: int) -> Exhibit:
    """The usual statistics of each model, each with the words of its formula."""
    id, title = "performance-statistics", "Statistics and how they are measured"
    tracks = review.tracks[:_COLUMNS]
    found = {track: result for track in tracks if (result := _statistics(review, track, years)) is not None}
    if not found:
        return absent(id, title, NO_RECORD)
    facts = Facts(review, origin)
    columns = (
        Column("statistic", "Statistic", emphasis=True),
        *(Column(track.key, track.name, "number") for track in found),
        Column("words", "How it is measured"),
    )
    spans = {track: _span(review, track, years) for track in found}
    returns = [facts.cell(track, span, "net") for track, span in spans.items()]
    words = "(1 + return)^(1 / years) - 1, years by the calendar; of a year or less, as it is"
    rows: list[tuple[Cell, ...]] = [("Return a year", *returns, words)]
    for name in _STATISTICS:
        convention = CONVENTIONS[name]
        cells = [_figure(facts, track, result, name) for track, result in found.items()]
        rows.append((convention.title, *cells, convention.words))
    free = "zero, for the firm keeps no rates" if review.rates is None else "the bill rate known at the close before"
    note = f"r: daily return after fees. rate: {free}. 252 sessions a year. Per year: {_yearly_words()}."
    if len(review.tracks) > len(tracks):
        note += f" The {_COLUMNS - 1} models with most money, and all together."
    basis = f"{BASIS}; daily, after fees, the last {plural(years, 'year')} or since the record began"
    body, takeaway = TableBody(columns, tuple(rows), note=note), _risk_words(found, spans)
    return Exhibit(id, title, body, takeaway, origin.settings(basis, (*TABLES, "rates")), facts.carried)


def _yearly_words() -> str:
    """How statistics of days become those of a year, each way once."""
    ways: dict[str, list[str]] = {}
    for name in _STATISTICS:
        convention = CONVENTIONS[name]
        if convention.annualised:
            way = convention.annualised.replace("periods a year", "252")
            ways.setdefault(way, []).append(convention.title)
    return "; ".join(f"{', '.join(titles)} {way}" for way, titles in ways.items())


def _statistics(review: PerformanceReview, track: Track, years: int) -> Statistics | None:
    """The statistics of a track after fees; None where a day is missing."""
    start = _window(review, (track,), years)
    net, against = (daily.loc[daily.index > start] for daily in (track.net, track.benchmark))
    if net.empty or net.isna().any():
        return None
    rate = 0.0 if review.rates is None else review.rates.loc[net.index]
    known = None if against.isna().any() else against
    return performance.statistics(net.rename(track.key), known, rate)


def _figure(facts: Facts, track: Track, result: Statistics, name: str) -> Cell:
    if name not in result.values.index:
        return Missing("no benchmark over the whole time")
    if reason := str(result.reasons.loc[name].iloc[0]):
        return Missing(reason)
    id = f"performance.statistics.{facts.origin.slug(track.key)}.{name}"
    return facts.add(id, result.value(name), CONVENTIONS[name].unit, "performance.statistics").ref()


def _span(review: PerformanceReview, track: Track, years: int) -> Span:
    """The stretch that figures and statistics look back: one of the table of returns where it is the same."""
    start, last = _window(review, (track,), years), review.sessions[-1]
    same = (span for span in track.spans(review.sessions) if span.start == start)
    return next(same, Span("window", "", start, performance.years_between(start, last)))


def _window(review: PerformanceReview, tracks: Sequence[Track], years: int) -> pd.Timestamp:
    """The close `years` before the last, or where the youngest of the records begins."""
    days = review.sessions
    at = max(int(days.searchsorted(days[-1] - pd.DateOffset(years=years), side="right")) - 1, 0)
    return max([days[at], *(track.since for track in tracks)])


def _old_enough(review: PerformanceReview, years: int) -> tuple[pd.Timestamp, tuple[Track, ...]]:
    """The close `years` before the last and the models with a record since; of none, all since the youngest's."""
    start = _window(review, (), years)
    old = tuple(track for track in review.models if track.since <= start)
    return (start, old) if old else (_window(review, review.models, years), review.models)


def _wealth(daily: pd.Series, start: pd.Timestamp) -> pd.Series | None:
    """What $100 at a close became; None where a day is missing."""
    inside = daily.loc[daily.index > start]
    if inside.empty or inside.isna().any():
        return None
    grown = 100.0 * (1.0 + performance.cumulative(inside.to_numpy()))
    return pd.Series([100.0, *grown], index=pd.DatetimeIndex([start, *inside.index]))


def _at_year_ends(
    prefix: str, paths: dict[str, pd.Series], unit: Literal["usd", "pp"], origin: Origin
) -> tuple[TableBody, tuple[Fact, ...]]:
    """The data of lines at the last close of each year, with their facts."""
    frame = pd.DataFrame({origin.slug(name): path for name, path in paths.items()})
    frame = frame.groupby(frame.index.year).tail(1).rename_axis("date").reset_index()
    columns = (
        Column("date", "Close of", "date"),
        *(Column(origin.slug(name), name, unit, digits=2) for name in paths),
    )
    keys = [f"{day:%Y-%m-%d}" for day in frame["date"]]
    rows, facts = origin.table(prefix, frame, columns, "performance.composite_days", TABLES, keys=keys)
    return TableBody(columns, rows), facts


def _thinned(path: pd.Series) -> pd.Series:
    """The first close and the last of each week."""
    last = path.groupby(pd.DatetimeIndex(path.index).to_period("W")).tail(1)
    return last if last.index[0] == path.index[0] else pd.concat([path.iloc[:1], last])


def _deepest(track: Track, start: pd.Timestamp) -> dict[str, object] | None:
    """The deepest fall of a track after a close, and its benchmark over the same days; None where it never fell."""
    daily = track.net.loc[track.net.index > start]
    if daily.empty or daily.isna().any():
        return None
    falls = performance.drawdowns(daily, start, most=1)
    if falls.empty:
        return None
    fall = falls.iloc[0]
    against = track.benchmark.loc[(track.benchmark.index > fall["peak"]) & (track.benchmark.index <= fall["trough"])]
    return {
        "key": track.key,
        "name": track.name,
        "depth": fall["depth"],
        "benchmark": float(performance.compound(against.to_numpy())),
        "peak": fall["peak"],
        "trough": fall["trough"],
        "recovered": fall["recovered"],
        "down": int(fall["periods_down"]),
        "back": fall["periods_to_recover"],
    }


def _risk_words(found: dict[Track, Statistics], spans: dict[Track, Span]) -> str:
    """Which model moved most, and what it returned for it."""
    known = {
        track: float(result.values.loc["volatility"].iloc[0]) for track, result in found.items() if track.key != ALL
    }
    known = {track: value for track, value in known.items() if not np.isnan(value)}
    if not known:
        return "The records are shorter than a year, so nothing is annualised."
    track = max(known, key=lambda one: known[one])
    earned = fmt.percent(spans[track].returned(track.net), DIGITS)
    yearly = " a year" if spans[track].annualised else ""
    moved = fmt.percent(known[track], DIGITS)
    head = f"{track.name} moved most: volatility" if len(known) > 1 else f"{track.name} had a volatility"
    return f"{head} of {moved} a year for a return of {earned}{yearly}."
