"""Returns of an account, or of a model's composite, beside model and benchmark, over the spans of the report."""

from __future__ import annotations

import math
import re

import numpy as np
import pandas as pd

from workbench.copilot.gather import Gathered
from workbench.copilot.topics.asked import Asked, NotInRecordError
from workbench.drafting import FactSheet
from workbench.performance import Span

_TABLES = ("transactions", "positions", "prices")
#: Words that name a span; the quarter and the year are those that are running.
SPANS = (
    ("quarter", r"quarter|qtd|q4"),
    ("year", r"ytd|year to date|this year|2022"),
    ("years_1", r"(?:last|past) (?:year|12 months)|1y|one[ -]year|1[ -]year|12 months|trailing year"),
    ("years_3", r"three[ -]years?|3[ -]years?|3y"),
    ("years_5", r"five[ -]years?|5[ -]years?|5y"),
    ("since", r"since inception|inception|itd"),
)
_EVERY_YEAR = re.compile(r"\b(?:per|a|each|every) year\b|\u00a7\w+")


def performance(asked: Asked) -> tuple[FactSheet, str]:
    """Net return of an account, or of a model's accounts together, over the span named or all of them."""
    review = asked.record.performance
    gross = re.search(r"\bgross\b|before fees", asked.text) is not None
    if asked.model is None and asked.account is None:
        accounts = asked.accounts
        if len(accounts) != 1:
            raise NotInRecordError(
                "Returns are in the record by account and by model, not by household; please name an account."
            )
        account: str | None = accounts[0]
    else:
        account = asked.account
    gathered = Gathered(asked.record, "performance")
    if account is not None:
        key = gathered.account(account)
        row = list(review.net.account_ids).index(account)
        series = [
            pd.Series(values[row], index=review.sessions[1:])
            for values in ((review.gross if gross else review.net).daily, review.model, review.benchmark)
        ]
        spans = performance_spans(review.sessions)
    else:
        track = next((one for one in review.models if one.key == asked.model), None)
        if track is None:
            raise NotInRecordError("This model has no composite in the record.")
        key = gathered.model(track.key)
        series = [track.gross if gross else track.net, track.model, track.benchmark]
        spans = track.spans(review.sessions)
    gathered.about(key)
    gathered.name("subject" if account is not None else "composite", key)
    gathered.day()
    gathered.read("performance.account_returns", f"returns of {account or asked.model}", *_TABLES)
    wanted = _named(asked.text)
    if not wanted and re.search(r"\d|\b(?:days?|weeks?|months?|years?)\b", _EVERY_YEAR.sub(" ", asked.text)):
        raise NotInRecordError("That span is not one of those that the record gives.")
    shown = 0
    for span in spans:
        if (wanted and span.name not in wanted) or (account is not None and span.name == "since"):
            continue
        values = [_over(span, one) for one in series]
        if math.isnan(values[0]):
            continue
        shown += 1
        if span.name not in ("quarter", "year"):
            gathered.fact(f"{span.name}.start", "date", str(span.start.date()), "ask_since", [key])
        for name, value in zip(("own", "model", "benchmark"), values):
            if not math.isnan(value):
                gathered.fact(f"{span.name}.{name}", "percent", value, f"ask_return_{name}", [key], decimals=2)
        if not math.isnan(values[2]):
            gap = values[0] - values[2]
            side = "ahead" if gap > 0 else "behind"
            gathered.fact(f"{span.name}.{side}", "percent", gap, "ask_excess", [key], (side,), decimals=2)
    if not shown:
        raise NotInRecordError("Its record does not cover that time without a gap, so there is no return to give.")
    return gathered.done(), "answer_performance_gross" if gross else "answer_performance"


def performance_spans(sessions: pd.DatetimeIndex) -> tuple[Span, ...]:
    """The spans of a report over these sessions."""
    from workbench.performance import spans

    return spans(sessions)


def _over(span: Span, daily: pd.Series) -> float:
    value = span.returned(daily)
    return value if np.isfinite(value) else math.nan


def _named(text: str) -> set[str]:
    return {name for name, words in SPANS if re.search(rf"\b(?:{words})\b", text)}
