"""Nothing from the future, nothing out of date: lots, transactions, restrictions and client profiles."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from workbench.firm.reconcile.findings import Book, Finding, listed, plural


def nothing_from_the_future(book: Book) -> Iterator[Finding]:
    """No lot is acquired and no trade made after the as-of date; either rejects the snapshot."""
    columns = {
        "lots": ("acquired_on", ["lot_id", "account_id", "security_id", "quantity", "acquired_on"]),
        "transactions": (
            "trade_date",
            ["transaction_id", "account_id", "security_id", "kind", "trade_date", "quantity", "amount"],
        ),
    }
    for table, (day, shown) in columns.items():
        frame = book.table(table)
        rows = frame.loc[frame[day] > book.as_of, shown].reset_index(drop=True)
        if rows.empty:
            continue
        yield Finding(
            check="future_dates",
            severity="reject",
            table=table,
            title=f"{'Lots' if table == 'lots' else 'Transactions'} dated after the snapshot",
            detail=f"{plural(len(rows), 'row')} after {book.as_of:%Y-%m-%d}: {listed(rows[shown[0]])}, "
            f"up to {rows[day].max():%Y-%m-%d}.",
            remedy="correct the dates, or take the snapshot at a later as-of date",
            rows=rows,
        )


def restrictions_are_current(book: Book) -> Iterator[Finding]:
    """Restrictions past their expiry are listed: they no longer bind."""
    frame = book.table("restrictions")
    shown = ["restriction_id", "scope", "scope_id", "kind", "key", "reason", "expires_on"]
    rows = frame.loc[frame["expires_on"] < book.as_of, shown].reset_index(drop=True)
    if len(rows):
        yield Finding(
            check="expired_restriction",
            severity="info",
            table="restrictions",
            title="Restrictions that have expired",
            detail=f"{plural(len(rows), 'restriction')} no longer in force: {listed(rows['restriction_id'])}.",
            remedy="ask the advisor whether the client wants it renewed, or remove it",
            rows=rows,
        )


def profiles_are_recent(book: Book) -> Iterator[Finding]:
    """Client profiles are reviewed at least once a year."""
    frame = book.table("profiles")
    # By the calendar, not 365 days: a review on 29 February is a year old on 28 February.
    rows = frame.loc[frame["reviewed_on"] < book.as_of - pd.DateOffset(years=1)]
    if len(rows):
        rows = rows[["household_id", "reviewed_on"]].sort_values("reviewed_on").reset_index(drop=True)
        yield Finding(
            check="old_profile",
            severity="info",
            table="profiles",
            title="Client profiles older than a year",
            detail=f"{plural(len(rows), 'household')}, the oldest {rows['household_id'].iloc[0]} "
            f"of {rows['reviewed_on'].iloc[0]:%Y-%m-%d}.",
            remedy="review the profile with the client before a recommendation rests on it",
            rows=rows,
        )
