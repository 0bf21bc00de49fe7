"""Notices of a model change: one for each advisor's book and one for the firm's desk, from one firm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from workbench import drift, rebalance
from workbench.drafting.claims_model_change import CLAIMS
from workbench.drafting.draft import Draft
from workbench.drafting.facts import FactSheet
from workbench.drafting.sheets.model_change import Timetable, notice_sheet
from workbench.drafting.sheets.model_change_book import ModelChange, book
from workbench.drafting.writer import write
from workbench.firm import Firm, at
from workbench.tax import wash_state

NOTICE, DESK_NOTICE, EMPTY_NOTICE = "notice", "notice_desk", "notice_empty"


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
    force), `as_of` is the day of the figures. Raises `ParameterError` for an unknown advisor, model or version, or for
    a version that the committee has not approved, unless `preview` is set; and `DraftError` for a notice that its
    facts do not bear.
    """
    change = model_change(firm, versions, as_of=as_of)
    for advisor in advisors or list(change.advisors["advisor_id"]):
        yield notice(notice_sheet(book(change, advisor), timetable or Timetable(), preview=preview))
    if desk:
        yield notice(notice_sheet(book(change), timetable or Timetable(), preview=preview))


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
