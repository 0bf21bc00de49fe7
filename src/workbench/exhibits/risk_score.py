"""Exhibits of the watch score: households above what they tolerate, how all of them stand, and how it came about.

In a notebook, with `book` a firm and `origin = Origin.of(book)`:

    watched = risk.watch(book)
    scores = risk.score_households(watched, value_drawdown=risk.load_drawdown(book))
    risk_score.score_table(scores, origin, households_listed)
    risk_score.score_figure(scores, origin)
    risk_score.score_history(scores, origin)
"""

from __future__ import annotations

import pandas as pd

from workbench.exhibits.drift_facts import absent, noun, plural
from workbench.exhibits.origin import Origin
from workbench.report import Badge, Column, Exhibit, Settings, TableBody, Tone, figures
from workbench.report import format as fmt
from workbench.risk import HouseholdScores

TABLES = ("positions", "transactions", "prices", "profiles")
FUNCTION = "risk.score_households"
_TONES: dict[str, Tone] = {"within": "good", "above": "warning", "well above": "bad", "not assessable": "neutral"}


def settings(scores: HouseholdScores, origin: Origin) -> Settings:
    """The settings line of every exhibit on the score."""
    recent, long = (scores.limits.setting("score", name) for name in ("recent_sessions", "long_sessions"))
    basis = (
        f"{fmt.count(recent)} sessions against {fmt.count(long)}, what is held now; a watch score of what has been, "
    )
    return origin.settings(f"{basis}not a forecast; funds are not looked through", TABLES)


def score_table(scores: HouseholdScores, origin: Origin, most: int) -> Exhibit:
    """The households furthest above what they tolerate, with the five components of their score."""
    id, title = "risk-score", "Watch score of households above what they tolerate"
    table = scores.table
    assessed = table[table["verdict"] != "not assessable"]
    if assessed.empty:
        return absent(id, title, f"No household can be assessed: {_reasons(table)}.")
    above = assessed[assessed["excess"] > 0]
    if above.empty:
        return absent(id, title, f"None of {_households(len(assessed))} scores above what it tolerates.{_left(table)}")
    frame = above.head(most).assign(badge=lambda rows: rows["verdict"])
    halves = [fmt.percent(scores.limits.setting("score", name), 0) for name in ("volatility_half", "drawdown_half")]
    columns = (
        Column("household_id", "Household", emphasis=True),
        Column("advisor_id", "Advisor"),
        Column("value", "Assets", "usd"),
        Column("score", "Score", "number", digits=0, note="0 to 100"),
        Column("tolerated", "Tolerated", "number", digits=0, note="the score that its level of tolerance allows"),
        Column("verdict", "State", "badge"),
        Column("volatility", "Volatility", "number", digits=0, note=f"50 at {halves[0]} a year"),
        Column("regime", "Its change", "number", digits=0, note="50 where recent volatility is that of the long run"),
        Column("drawdown", "Fall", "number", digits=0, note=f"50 at {halves[1]} below the highest value of a year"),
        Column("correlation", "Correlation", "number", digits=0, note="50 where it is that of the long run"),
        Column("concentration", "Companies", "number", digits=0, note="how much is in few companies, 50 at 10% in one"),
        Column("change", "In a year", "number", digits=0, note="change of the score over four quarters"),
    )
    missing = {
        "correlation": "practically one holding moves",
        "regime": "nothing held moves",
        "change": "no score a year before",
    }
    rows, facts = origin.table("risk.score", frame, columns, FUNCTION, TABLES, missing=missing)
    place = [column.name for column in columns].index("verdict")
    badged = [(*row[:place], Badge(str(row[place]), _TONES[str(row[place])]), *row[place + 1 :]) for row in rows]
    first, well = above.iloc[0], int((above["verdict"] == "well above").sum())
    takeaway = f"{_households(len(above))} of {fmt.count(len(assessed))} {noun(len(above), 'is', 'are')} above what "
    takeaway += f"{noun(len(above), 'it tolerates', 'they tolerate')}"
    takeaway += ", well above" if well == len(above) else f", {fmt.count(well)} of them well above" if well else ""
    takeaway += f"; first {first['household_id']}, {fmt.number(first['score'], 0)} against "
    takeaway += f"{fmt.number(first['tolerated'], 0)}, mostly for its {_strongest(first)}."
    note = "" if len(above) <= most else f"The first {len(frame)} of {fmt.count(len(above))}."
    note += " Volatility to Companies are the parts of the score, each from 0 to 100. It looks back and is no forecast."
    body = TableBody(columns, tuple(badged), note=f"{note}{_left(table)}".strip())
    return Exhibit(id, title, body, takeaway, settings(scores, origin), facts, index=True)


def score_figure(scores: HouseholdScores, origin: Origin) -> Exhibit:
    """How many points each assessable household stands above or below what it tolerates."""
    id, title = "risk-score-spread", "Watch score less what is tolerated"
    excess = scores.table["excess"].dropna()
    if len(excess) < 2:
        return absent(id, title, "Fewer than two households can be assessed.")
    middle, above = float(excess.median()), int((excess > 0).sum())
    takeaway = f"The middle household is {_points(middle)} what it tolerates; "
    takeaway += f"{fmt.count(above)} of {fmt.count(len(excess))} {noun(above, 'is', 'are')} above."
    facts = (
        origin.fact("risk.score.above", above, "count", FUNCTION, TABLES),
        origin.fact("risk.score.assessed", len(excess), "count", FUNCTION, TABLES),
        origin.fact("risk.score.middle", middle, "number", FUNCTION, TABLES, digits=0),
    )
    body = figures.histogram(
        list(map(float, excess)),
        alt=takeaway,
        unit="number",
        limit=0.0,
        axis_title="Points above (right) or below (left) what is tolerated",
        count_title="Households",
    )
    return Exhibit(id, title, body, takeaway, settings(scores, origin), facts)


def score_history(scores: HouseholdScores, origin: Origin) -> Exhibit:
    """The middle score and that of the household nine tenths up, at quarter-ends; each with data up to its day."""
    id, title = "risk-score-history", "Watch scores over time"
    history = scores.history.dropna(how="all")
    if len(history) < 2:
        return absent(id, title, "Fewer than two quarter-ends can be scored.")
    middle, high = history.median(axis=1), history.quantile(0.9, axis=1)
    days = [f"{day:%Y-%m-%d}" for day in history.index]
    way = "stands where it stood" if abs(middle.iloc[-1] - middle.iloc[0]) < 0.5 else None
    way = way or ("has risen" if middle.iloc[-1] > middle.iloc[0] else "has fallen")
    takeaway = f"The middle household's score {way}: {fmt.number(middle.iloc[0], 0)} on {fmt.long_date(days[0])}, "
    takeaway += f"{fmt.number(middle.iloc[-1], 0)} on {fmt.long_date(days[-1])}; "
    takeaway += f"highest {fmt.number(middle.max(), 0)} on {fmt.long_date(f'{middle.idxmax():%Y-%m-%d}')}."
    frame = pd.DataFrame({"date": days, "middle": middle.to_numpy(), "high": high.to_numpy()})
    columns = (
        Column("date", "Day", "date"),
        Column("middle", "Middle household", "number", digits=0),
        Column("high", "Nine tenths up", "number", digits=0),
    )
    rows, facts = origin.table("risk.score.history", frame, columns, FUNCTION, TABLES)
    body = figures.lines(
        days,
        {"Middle household": list(map(float, middle)), "Nine tenths up": list(map(float, high))},
        alt=takeaway,
        axis_title="Score",
        data=TableBody(columns, rows),
    )
    return Exhibit(id, title, body, takeaway, settings(scores, origin), facts)


def _strongest(row: pd.Series) -> str:
    """The component that is highest."""
    names = {
        "volatility": "volatility", "regime": "change of volatility", "drawdown": "fall",
        "correlation": "correlation", "concentration": "share in few companies",
    }  # fmt: skip
    return names[str(row[list(names)].astype(float).idxmax())]


def _households(count: int) -> str:
    return plural(count, "household")


def _points(value: float) -> str:
    size = abs(round(value))
    if not size:
        return "just at"
    return f"{plural(size, 'point')} {'above' if value > 0 else 'below'}"


def _left(table: pd.DataFrame) -> str:
    """The households that could not be assessed, and why."""
    left = table[table["verdict"] == "not assessable"]
    if left.empty:
        return ""
    return f" {_households(len(left))} could not be assessed: {_reasons(left)}."


def _reasons(table: pd.DataFrame) -> str:
    reasons = table.loc[table["verdict"] == "not assessable", "reason"].fillna("not known")
    # The day of a review differs from household to household; what it means does not.
    counts = reasons.str.replace(r"reviewed on \S+,", "reviewed", regex=True).value_counts()
    told = [f"{reason} ({fmt.count(count)})" for reason, count in counts.items()]
    return "; ".join(told) if told else "there is none"
