"""Notices of a model change: one for each advisor's book and one for the firm's desk, from one firm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from workbench import drift, rebalance
from workbench.drafting.draft import Draft
from workbench.drafting.facts import FactSheet
from workbench.drafting.reasons.model_change import CLAIMS
from workbench.drafting.sheets.model_change import notice_sheet
from workbench.drafting.sheets.model_change_book import ModelChange, book
from workbench.drafting.sheets.model_change_new import new_model_sheet
from workbench.drafting.sheets.model_change_record import Timetable
from workbench.drafting.writer import write
from workbench.firm import Firm, at, models_in_force
from workbench.tax import wash_state

NOTICE, DESK_NOTICE, EMPTY_NOTICE, NEW_MODEL = "notice", "notice_desk", "notice_empty", "notice_new"


def drafts(
    firm: Firm,
    *,
    advisors: Sequence[str] = (),
    versions: Mapping[str, int] | None = None,
    as_of: pd.Timestamp | str | None = None,
    timetable: Timetable | None = None,
    preview: bool = False,
    desk: bool = True,
) -> Iterator[Draft]:
    """Return the notice of each advisor named (all by default) and, with `desk`, the one for the firm's desk.

    `versions` maps a model to its new version (by default the last of each model that has a later one than the one in
    force; a model named here that has none in force is new and has one notice for all), `as_of` is the day of the
    figures. Raises `ParameterError` for an unknown advisor, model or version, or for
    a version that the committee has not approved, unless `preview` is set; and `DraftError` for a notice that its
    facts do not bear.
    """
    firm = firm if as_of is None else at(firm, as_of)
    fresh = _not_in_force(firm, versions or {})
    for model, version in fresh.items():
        yield new_model(firm, model, version, timetable=timetable, preview=preview)
    if fresh and len(fresh) == len(versions or {}):
        return
    changed = None if versions is None else {model: number for model, number in versions.items() if model not in fresh}
    change = model_change(firm, changed)
    for advisor in advisors or list(change.advisors["advisor_id"]):
        yield notice(notice_sheet(book(change, advisor), timetable or Timetable(), preview=preview))
    if desk:
        yield notice(notice_sheet(book(change), timetable or Timetable(), preview=preview))


def new_model(
    firm: Firm, model: str, version: int, *, timetable: Timetable | None = None, preview: bool = False
) -> Draft:
    """Return the one notice that a model is new. Raises as `drafts`."""
    names = ("models", "model_targets", "sleeves", "securities", "accounts")
    sheet = new_model_sheet(
        {name: firm.table(name) for name in names},
        model,
        version,
        as_of=firm.as_of.date(),
        snapshot=firm.content_hash,
        timetable=timetable or Timetable(),
        preview=preview,
    )
    return write(sheet, NEW_MODEL, CLAIMS, title="New model notice")


def _not_in_force(firm: Firm, versions: Mapping[str, int]) -> dict[str, int]:
    """Those of the versions asked for that the record holds of a model without any version in force."""
    models = firm.table("models")
    known = set(zip(models["model_id"], models["version"]))
    force = set(models_in_force(models, firm.as_of)["model_id"])
    return {model: number for model, number in versions.items() if model not in force and (model, number) in known}


def notice(sheet: FactSheet) -> Draft:
    """Return the notice that a sheet calls for: an advisor's, the desk's, or the short one for an empty book."""
    full = NOTICE if sheet.has("advisor") else DESK_NOTICE
    template = full if sheet.has("book.assets") else EMPTY_NOTICE
    title = "Model change notice" if sheet.has("advisor") else "Model change notice for the desk"
    return write(sheet, template, CLAIMS, title=title)


def model_change(
    firm: Firm, versions: Mapping[str, int] | None = None, *, as_of: pd.Timestamp | str | None = None
) -> ModelChange:
    """Return a change of models with the firm's rows that its notices need. Raises as `rebalance.model_change`."""
    firm = firm if as_of is None else at(firm, as_of)
    chosen = dict(versions) if versions is not None else None
    securities, accounts = firm.table("securities"), firm.table("accounts")
    lots = firm.table("lots")
    prices = drift.load(firm, with_lots=False).securities
    return ModelChange(
        firm=firm.name,
        as_of=firm.as_of.date(),
        snapshot=firm.content_hash,
        impact=rebalance.model_change(firm, chosen),
        alone=rebalance.model_change(firm, chosen, start="target"),
        models=firm.table("models"),
        targets=firm.table("model_targets"),
        sleeves=firm.table("sleeves"),
        securities=securities,
        accounts=accounts,
        households=firm.table("households"),
        advisors=firm.table("advisors"),
        lots=lots,
        prices=pd.Series(prices.price, index=pd.Index(prices.ids)),
        losses=wash_state(firm.table("transactions"), accounts, securities, firm.as_of, lots=lots).losses,
    )
