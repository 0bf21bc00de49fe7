"""From the evidence of a comparison to the card that a person approves: windows, criteria, controls and verdict."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from workbench.backtest import Universe
from workbench.backtest.evidence import Case, Control, Criterion, Evidence, Verdict, verdict
from workbench.errors import ParameterError
from workbench.learning.card import Card, Check, Data, Window


def judged(card: Card, found: Evidence, universe: Universe) -> Card:
    """The card with the evidence on its policy, and the verdict that follows from it by the house's thresholds.

    The verdict is reached here, so that no card carries another than its evidence gives. Windows and checks that the
    card has of other universes or names stay. What was not measured is said in the notes, and is not passed.
    Raises `ParameterError` where the evidence has no candidate of the card's name, is of another universe, or is about
    Sharpe ratios: a card counts costs.
    """
    if universe.name != found.universe:
        raise ParameterError(f"the evidence is of {found.universe!r}, not {universe.name!r}; hand in both", "universe")
    if found.measure != "total_bp":
        raise ParameterError(f"the evidence is about {found.measure!r}; pack it with measure='total_bp'", "measure")
    reached = verdict(found, card.name)
    measured = tuple(_check(one, one.value) for one in reached.criteria if one.value is not None)
    controls = tuple(_check(one, one.value) for one in found.controls)
    data = data_of(universe, "to judge")
    return replace(
        card,
        data=(*(one for one in card.data if one.name != data.name), data),
        trials=max(card.trials, found.trials),
        windows=(
            *(window for window in card.windows if window.universe != universe.name),
            *_windows(found.case(card.name), universe.name),
        ),
        tests=(*_others(card.tests, measured), *measured),
        controls=(*_others(card.controls, controls), *controls),
        verdict=reached.decision,
        notes=(*card.notes, *_notes(found, reached)),
    )


def data_of(universe: Universe, use: str) -> Data:
    """A universe as a card's data set, with what it is used for and the SHA-256 of its prices as they lie in memory."""
    return Data(
        f"{universe.name} ({use})",
        universe.source or "not said",
        str(universe.sessions[0].date()),
        str(universe.sessions[-1].date()),
        len(universe.sessions),
        universe.survivorship or "not said",
        hashlib.sha256(np.ascontiguousarray(universe.price).tobytes()).hexdigest(),
    )


def _check(one: Control | Criterion, value: float) -> Check:
    """Plain numbers: numpy's are no JSON."""
    return Check(one.name, float(value), float(one.threshold), bool(one.passed), one.sentence)


def _windows(case: Case, universe: str) -> tuple[Window, ...]:
    """Costs count negative as worth; a card shows them as costs."""
    return tuple(
        Window(
            universe,
            str(row["first"].date()),
            str(row["last"].date()),
            round(-float(row["worth"]), 4),
            str(row["opponent"]),
            round(-float(row["opponent_worth"]), 4),
        )
        for row in case.windows.to_dict("records")
    )


def _others(had: tuple[Check, ...], new: tuple[Check, ...]) -> tuple[Check, ...]:
    names = {check.name for check in new}
    return tuple(check for check in had if check.name not in names)


def _notes(found: Evidence, reached: Verdict) -> tuple[str, ...]:
    missing = tuple(f"Not measured: {one.sentence}" for one in reached.criteria if one.value is None)
    ledger = (f"The ledger of trials ended at {found.ledger} when this was judged.",) if found.ledger else ()
    days = f"{found.first:%Y-%m-%d} to {found.last:%Y-%m-%d}"
    return (f"Judged on {found.universe}, {days}: {reached.sentence}", *missing, *ledger)
