"""What the record holds of new versions, and what it does not: approval, rationale, days, whom to ask."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd

from workbench.drafting.sheets.gathering import Gathering, Reading, worded
from workbench.errors import ParameterError

MODELS = Reading("read", ("models",))
SLEEVES = Reading("read", ("sleeves",))
ASKED = Reading("stated with the request for the notice", ("timetable",))


@dataclass(frozen=True)
class Timetable:
    """What the firm's record does not hold: ISO days and whom to ask; "" for what is not settled.

    Raises `ParameterError` for a day that is not one.
    """

    consents_due: str = ""
    proposals_from: str = ""
    ask: str = ""

    def __post_init__(self) -> None:
        for name in ("consents_due", "proposals_from"):
            try:
                date.fromisoformat(getattr(self, name) or "2000-01-01")
            except ValueError:
                raise ParameterError(
                    f"{name} is {getattr(self, name)!r}; give a day like 2023-02-01, or leave it out", name
                ) from None


def pending(versions: pd.DataFrame, preview: bool) -> int:
    """Return how many new versions wait for the committee; refuses one that does where no preview is asked for."""
    waits = versions[_waits(versions)]
    if len(waits) and not preview:
        first = waits.iloc[0]
        raise ParameterError(
            f"{first['model_id']} version {first['version_after']} is not approved (status {first['status']}, approved "
            f"by {first['approved_by']}); wait for the committee, or ask for a preview",
            "preview",
        )
    return len(waits)


def _waits(versions: pd.DataFrame) -> pd.Series:
    """Whether each new version waits for its approval."""
    return (versions["status"] == "draft") | versions["approved_by"].fillna("").str.strip().str.lower().isin(
        ["", "pending"]
    )


def add_timetable(made: Gathering, versions: pd.DataFrame, timetable: Timetable) -> None:
    """Add the effective day where it is one for all, and what was stated with the request.

    Raises `ParameterError` for a day before the day of the figures.
    """
    for name in ("consents_due", "proposals_from"):
        if (day := getattr(timetable, name)) and date.fromisoformat(day) < date.fromisoformat(made.as_of):
            raise ParameterError(f"{name} is {day}, before the notice's own day {made.as_of}; correct it", name)
    days = sorted({day.date().isoformat() for day in versions["effective_date"]})
    if len(days) == 1:
        made.fact("effective", "date", days[0], "change_effective", MODELS, "effective_date of the new versions")
    if timetable.consents_due:
        made.fact("consents_due", "date", timetable.consents_due, "change_consents_due", ASKED, "consents_due")
    if timetable.proposals_from:
        made.fact("proposals_from", "date", timetable.proposals_from, "change_proposals_from", ASKED, "proposals_from")
    if timetable.ask.strip():
        name = worded(timetable.ask, "extension")
        key = made.entity("person:" + name, "person", name)
        made.named("ask", key, ASKED, "ask")


def add_rationale(made: Gathering, versions: pd.DataFrame) -> None:
    """Add what the committee recorded, each text once with the models it is of."""
    groups = versions.groupby(["rationale", "approved_by"], sort=False, dropna=False)
    for n, ((text, committee), own) in enumerate(groups, 1):
        cell = ", ".join(f"{row.model_id} version {row.version_after}" for row in own.itertuples())
        made.fact(f"rationale.{n}.text", "quote", text, "quoted", MODELS, f"{cell}, rationale")
        if not _waits(own).any():
            name = worded(committee, "committee")
            key = made.entity("person:" + name, "person", name)
            made.named(f"rationale.{n}.committee", key, MODELS, f"{cell}, approved_by")
        for k, row in enumerate(own.itertuples(), 1):
            made.named(f"rationale.{n}.model.{k}", "model:" + row.model_id, MODELS, cell)


def sleeve(made: Gathering, sleeves: pd.DataFrame, sleeve_id: str) -> str:
    """Declare a sleeve by its name, and return its key."""
    name = sleeves.loc[sleeves["sleeve_id"] == sleeve_id, "name"]
    return made.entity("sleeve:" + sleeve_id, "sleeve", str(name.iloc[0]) if len(name) else sleeve_id)
