"""Reconciliation: does a snapshot agree with itself, with the custodian, and with the rules?

`validate` refuses a snapshot that cannot be a firm; `reconcile` takes one that can, and says what in it not
to trust. Each check is a function from the book to its findings; adding one is a function and a line in
`CHECKS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pandas as pd

from workbench.errors import FirmDataError
from workbench.firm.history import at
from workbench.firm.reconcile import dates, distributions, dividends, holdings, mandates, prices, replay
from workbench.firm.reconcile.findings import SEVERITIES, Book, Finding, Findings, ranked
from workbench.firm.reconcile.prices import missing_sessions
from workbench.firm.snapshot import Firm

__all__ = ["CHECKS", "SEVERITIES", "Finding", "Findings", "missing_sessions", "reconcile"]

#: Every check by its functions; a function's findings carry one of the names on its line.
CHECKS: tuple[tuple[str, Callable[[Book], Iterator[Finding]]], ...] = (
    ("future_dates", dates.nothing_from_the_future),
    ("price_coverage", prices.prices_cover_the_date),
    ("target_sum", mandates.targets_sum_to_one),
    ("lots", holdings.lots_sum_to_positions),
    ("stated_value", holdings.values_agree),
    ("rmd", distributions.required_distributions),
    ("stale_price", prices.prices_are_alive),
    ("return_gap", prices.returns_are_explained),
    ("dividend_rhythm", dividends.dividends_keep_their_rhythm),
    ("missing_sessions", prices.sessions_are_complete),
    ("replay", replay.transactions_explain_positions),
    ("lot_replay", replay.transactions_explain_lots),
    ("duplicate_transaction", replay.transactions_are_single),
    ("model_in_force", mandates.accounts_have_a_model),
    ("negative_cash", holdings.cash_is_not_negative),
    ("tolerances", mandates.models_have_tolerances),
    ("empty_account", holdings.accounts_hold_something),
    ("expired_restriction", dates.restrictions_are_current),
    ("old_profile", dates.profiles_are_recent),
)


def reconcile(
    firm: Firm | Mapping[str, pd.DataFrame],
    as_of: pd.Timestamp | str | None = None,
    *,
    sessions: pd.DatetimeIndex | None = None,
) -> Findings:
    """Run every check on a firm, or on its tables, as of a date.

    For a firm that is its own date by default, and for an earlier one the firm as it stood then; tables are taken to
    be of the date given. `sessions` are the trading days the price histories should cover (see
    `workbench.market.calendar`); without them, the days on which any security has a price.

    Raises `FirmDataError` where there is no price at all up to the date, one is given twice, or the date is outside
    the firm's data.
    """
    if isinstance(firm, Firm):
        firm = firm if as_of is None else at(firm, as_of)
        tables, day = firm.tables(), firm.as_of
    elif as_of is None:
        raise FirmDataError("tables do not say their date; give as_of")
    else:
        tables, day = dict(firm), pd.Timestamp(as_of)
    day = day.normalize()
    days = _trading_days(tables, day) if sessions is None else sessions[sessions <= day]
    if days.empty:
        raise FirmDataError(f"prices: no session up to {day:%Y-%m-%d}; load prices, or take a later as-of date")
    twice = tables["prices"].duplicated(["date", "security_id"])
    if twice.any():
        raise FirmDataError(f"prices: {int(twice.sum())} rows repeat a date and security; keep one row of each")
    book = Book(tables, day, days)
    found = [finding for _, check in CHECKS for finding in check(book)]
    return Findings(day, ranked(found), tuple(name for name, _ in CHECKS))


def _trading_days(tables: Mapping[str, pd.DataFrame], day: pd.Timestamp) -> pd.DatetimeIndex:
    days = tables["prices"]["date"].drop_duplicates().sort_values()
    return pd.DatetimeIndex(days.loc[days <= day])
