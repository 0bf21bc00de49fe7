"""Do distributions keep their own rhythm? A fault that dividends and adjusted closes share shows nowhere else.

Price files often take both from one record: a dividend counted twice is then twice in both, and raw and adjusted
returns agree on the wrong figure. What remains is the habit of the payer, judged by the nine payments nearest to each.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from workbench.firm.reconcile.findings import Book, Finding, listed, plural

#: Payments that show a payer's habit: four before, four after and the one in question; at the ends, the nearest nine.
WINDOW = 9
#: Payments come evenly where the usual difference from the usual interval is at most this share of it.
EVEN_INTERVALS = 0.2
#: Amounts are steady where the usual difference from the usual amount is at most this share of it.
STEADY_AMOUNTS = 0.08
#: An interval this many times the usual one holds a missing payment; beyond the upper end the payer changed its ways.
MISSED = (1.75, 2.6)
#: An equal payment after less than this share of the usual interval is the same one again.
AGAIN = 0.35


def dividends_keep_their_rhythm(book: Book) -> Iterator[Finding]:
    """Dividends of regular payers are neither missing, nor paid again within days, nor of twice the usual amount."""
    prices = book.table("prices")
    rows = odd_dividends(prices.loc[(prices["date"] <= book.as_of) & (prices["dividend"] > 0)])
    if rows.empty:
        return
    each = [f"{r.security_id} {r.date:%Y-%m-%d} ({r.looks_like})" for r in rows[::-1].itertuples()]
    yield Finding(
        check="dividend_rhythm",
        severity="warning",
        table="prices",
        title="Dividends out of their payer's rhythm",
        detail=f"{plural(len(rows), 'payment')}, the latest {listed(each)}.",
        remedy="compare the payment with the fund's own record: if it is wrong, so is adj_close; specials do occur",
        rows=rows,
    )


def odd_dividends(payments: pd.DataFrame) -> pd.DataFrame:
    """Payments out of rhythm: security_id, date, dividend, usual amount, days since the last, usual days, looks_like.

    `payments` has security_id, date and dividend, and rows with a dividend only. Payers with fewer than eight
    payments, with uneven intervals, or (for amounts) with unsteady amounts are left alone.
    """
    frame = payments[["security_id", "date", "dividend"]].sort_values(["security_id", "date"], ignore_index=True)
    frame["security_id"] = frame["security_id"].astype(str)
    payer = frame["security_id"]
    frame["days"] = frame.groupby("security_id")["date"].diff().dt.days
    previous = frame.groupby("security_id")["dividend"].shift()
    amount, amount_spread = _usual(frame["dividend"], payer)
    days, days_spread = _usual(frame["days"], payer)
    frame["usual_dividend"], frame["usual_days"] = amount, days
    even, steady = days_spread <= EVEN_INTERVALS, amount_spread <= STEADY_AMOUNTS
    relative = frame["days"] / days
    again = (relative < AGAIN) & ((frame["dividend"] / previous - 1.0).abs() < 0.01)
    double = steady & ((frame["dividend"] / amount - 2.0).abs() < 0.2)
    missed = relative.between(*MISSED)
    frame["looks_like"] = np.select(
        [even & again, even & double, even & missed],
        ["paid again within days", "counted twice", "one missing before it"],
        default="",
    )
    odd = frame.loc[frame["looks_like"] != ""]
    columns = ["security_id", "date", "dividend", "usual_dividend", "days", "usual_days", "looks_like"]
    return odd[columns].sort_values(["date", "security_id"], ignore_index=True)


def _usual(values: pd.Series, payer: pd.Series) -> tuple[pd.Series, pd.Series]:
    """The median over the window around each payment, and the median distance from it as a share of it."""

    def median(series: pd.Series) -> pd.Series:
        # The first interval of each payer is missing, hence one fewer than the window is enough.
        rolling = series.groupby(payer, sort=False).rolling(WINDOW, center=True, min_periods=WINDOW - 1).median()
        return rolling.droplevel(0).sort_index().groupby(payer, sort=False).transform(lambda v: v.ffill().bfill())

    usual = median(values)
    return usual, median((values - usual).abs()) / usual
