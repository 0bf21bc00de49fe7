"""The demo's people at their desks: notes they put into their own words, and the measures they keep. All made up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

from numpy.random import Generator
from sqlalchemy import select

from workbench import releases
from workbench.governance import Command, Store, fetch
from workbench.governance.commands import EditDraft
from workbench.governance.measures import DefineMeasure, Measure, Reading, RecordReading, periods, read_measures
from workbench.governance.tables import draft, signal

#: Days before today from which the demo's desk is in use: its first thirty days are over.
DAYS_IN_USE = 45
SOURCE = "Made up for the demo desk"
#: Value, spread and cases of the baseline and of the first thirty days.
FIGURES: dict[str, tuple[tuple[str, str | None, int], tuple[str, str | None, int]]] = {
    "hours_of_preparation": (("3.6", "1.2", 48), ("2.7", "1.0", 40)),
    "turnaround": (("11.5", "6.0", 60), ("7.8", "4.5", 34)),
    "errors_caught": (("0.06", None, 150), ("0.11", None, 120)),
    "aum_growth": (("0.012", "0.09", 138), ("0.030", "0.21", 138)),
    "clients_leaving": (("0.035", None, 12_558), ("0.026", None, 4_140)),
}
_CHANGES: tuple[Callable[[str], str], ...] = (
    lambda text: text.replace("We propose", "I suggest").replace("We reviewed", "I went through"),
    lambda text: text.replace("By our estimate the trades", "I expect that the trades"),
    lambda text: text.replace("You do not need to do anything now.", "Call me if you would rather wait.", 1),
    lambda text: text.replace("Kind regards,", "With best wishes,"),
)
_ADVISORS = {"ADV1": "alice", "ADV2": "adam"}


def edit_note(store: Store, act: Callable[[str, Command], object], draws: Generator, signal_id: str) -> None:
    """Let the household's advisor, or an analyst, put a letter into words of their own that the facts support."""
    row_of = (
        select(draft.c.draft_id, draft.c.current_hash, draft.c.facts_hash, signal.c.version, signal.c.book)
        .join(signal, signal.c.signal_id == draft.c.signal_id)
        .where(draft.c.signal_id == signal_id)
    )
    with store.reading() as connection:
        row = connection.execute(row_of).first()
        if row is None:
            return
        text = fetch(connection, row.current_hash).body.decode()
        facts = fetch(connection, row.facts_hash).body
    words = _CHANGES[int(draws.integers(len(_CHANGES)))](text)
    report, kept = releases.verified(words, facts)
    if words != text and report.supported:
        command = EditDraft(signal_id, row.version, row.draft_id, words, "wording", report=kept)
        act(_ADVISORS.get(row.book, "ben"), command)


def keep_measures(act: Callable[[datetime, str, Command], object], today: datetime) -> None:
    """Define the five measures, record their baselines on the first day of use and the reading of thirty days."""
    start = (today - timedelta(days=DAYS_IN_USE)).date()
    first_day = today - timedelta(days=DAYS_IN_USE)
    measures = read_measures(start)
    for measure in measures:
        act(first_day, "cora", DefineMeasure(measure))
    for measure in measures:
        baseline = date.fromisoformat(measure.baseline_start), start
        act(first_day, "petra", RecordReading(_reading(measure, baseline, first=True)))
    for measure in measures:
        period = next(periods(measure))
        after = first_day + (period[1] - period[0]) + timedelta(days=1)
        act(after, "petra", RecordReading(_reading(measure, period, first=False)))


def _reading(measure: Measure, period: tuple[date, date], *, first: bool) -> Reading:
    value, spread, cases = FIGURES[measure.measure_id][0 if first else 1]
    return Reading(
        measure_id=measure.measure_id,
        version=measure.version,
        kind="baseline" if first else "reading",
        period_start=period[0].isoformat(),
        period_end=period[1].isoformat(),
        value=value,
        spread=spread,
        observations=cases,
        source=SOURCE,
    )
