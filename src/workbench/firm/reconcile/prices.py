"""Are prices there, alive, and of one mind with dividends and splits?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from workbench.firm.reconcile.findings import Book, Finding, listed, plural
from workbench.firm.reconcile.mandates import versions_in_force
from workbench.firm.schema import CASH

#: A last price this many sessions old no longer values a holding.
TOO_OLD_SESSIONS = 5
#: Closes unchanged this many sessions in a row are suspect, unless the security is used to it.
STALE_SESSIONS = 5
#: The year over which a security shows what it is used to.
HABIT_SESSIONS = 252
#: Raw and adjusted returns may differ by rounding; more than this is a fault.
GAP_TOLERANCE = 0.0010
#: A gap this large makes any figure over the day wrong.
GAP_SEVERE = 0.0100


def wanted_securities(book: Book) -> pd.DataFrame:
    """What needs a price: every security held, or targeted by a version in force, with the value held of it.

    Columns security_id, held (dollars; missing where unpriced), targeted, is_held; cash is left out.
    """
    held = book.holdings()
    held = held.loc[(held["quantity"] != 0) & (held["security_id"] != CASH)]
    value = held.groupby("security_id", observed=True)["value"].sum(min_count=1).rename("held")
    targets = book.table("model_targets").merge(versions_in_force(book), on=["model_id", "version"])
    aimed = targets.loc[(targets["target"] > 0) & (targets["security_id"] != CASH), "security_id"].unique()
    frame = value.reindex(sorted(set(value.index) | set(aimed))).rename_axis("security_id").reset_index()
    return frame.assign(targeted=frame["security_id"].isin(aimed), is_held=frame["security_id"].isin(value.index))


def prices_cover_the_date(book: Book) -> Iterator[Finding]:
    """Each security held or targeted is priced on the last session; one without a recent price rejects the snapshot."""
    prices = book.table("prices")
    known = prices.loc[prices["date"] <= book.as_of]
    last = known.groupby("security_id", observed=True)["date"].max()
    rows = wanted_securities(book)
    rows["last_price_on"] = pd.to_datetime(rows["security_id"].map(last))
    at = book.sessions.searchsorted(book.last_session)
    index = book.sessions.searchsorted(rows["last_price_on"].to_numpy(), side="right") - 1
    rows["sessions_old"] = np.where(rows["last_price_on"].isna(), np.nan, at - index)
    old = rows.loc[rows["last_price_on"].isna() | (rows["sessions_old"] > 0)]
    hopeless = old["last_price_on"].isna() | (old["sessions_old"] > TOO_OLD_SESSIONS)
    for part, severity, noun in (
        (old.loc[hopeless], "reject", f"no price within {TOO_OLD_SESSIONS} sessions"),
        (old.loc[~hopeless], "severe", "a price older than the last session"),
    ):
        if part.empty:
            continue
        yield Finding(
            check="price_coverage",
            severity=severity,
            table="prices",
            title="Securities without a current price",
            detail=f"{plural(len(part), 'security', 'securities')} held or targeted with {noun} "
            f"({book.last_session:%Y-%m-%d}): {listed(part['security_id'])}.",
            remedy="load the missing closes, or take the snapshot at an earlier as-of date",
            rows=part.drop(columns="is_held").reset_index(drop=True),
            money=float(part["held"].sum()),
        )


def prices_are_alive(book: Book) -> Iterator[Finding]:
    """No close stands still for a week that never did in the year before: a feed has stopped where it does.

    A fund of T-bills whose price rounds to the same cent for weeks is used to standing still, and passes; so does one
    that has not moved for a year, as a money market fund at a dollar a share never does.
    """
    prices = book.table("prices")
    recent = book.sessions[book.sessions <= book.as_of][-(HABIT_SESSIONS + STALE_SESSIONS) :]
    if len(recent) == 0:
        return
    shown = prices.loc[(prices["date"] >= recent[0]) & (prices["date"] <= recent[-1])]
    closes = shown.pivot(index="date", columns="security_id", values="close").sort_index()
    same = (closes.diff() == 0) & closes.notna()
    # A day on which hardly anything moved is a holiday's or a file's fault, not one security's.
    same = same.loc[same.drop(columns=CASH, errors="ignore").mean(axis=1) < 0.5]
    lines = []
    for security in wanted_securities(book)["security_id"]:
        if security not in same:
            continue
        flat = same[security].to_numpy()
        run, earlier = _runs(flat)
        if STALE_SESSIONS <= run < HABIT_SESSIONS and run > earlier:
            since = same.index[len(flat) - run]
            lines.append((security, closes[security].dropna().iloc[-1], since, run, earlier))
    if not lines:
        return
    rows = pd.DataFrame(lines, columns=["security_id", "close", "unchanged_since", "sessions", "longest_before"])
    rows = rows.merge(wanted_securities(book)[["security_id", "held"]], on="security_id")
    rows = rows.sort_values("held", ascending=False, ignore_index=True)
    worst = rows.iloc[0]
    yield Finding(
        check="stale_price",
        severity="severe",
        table="prices",
        title="Prices that have stopped moving",
        detail=f"{plural(len(rows), 'security', 'securities')}: {listed(rows['security_id'])}; {worst['security_id']} "
        f"closes at {worst['close']:,.2f} for {worst['sessions']} sessions, unchanged since "
        f"{worst['unchanged_since']:%Y-%m-%d} while others moved.",
        remedy="check the price feed against another source before trading on these weights",
        rows=rows,
        money=float(rows["held"].sum()),
    )


def _runs(flat: np.ndarray) -> tuple[int, int]:
    """The length of the run of True at the end, and of the longest run before it."""
    breaks = np.flatnonzero(~flat)
    edges = np.concatenate([[-1], breaks, [len(flat)]])
    lengths = np.diff(edges) - 1
    return int(lengths[-1]), int(lengths[:-1].max(initial=0))


def sessions_are_complete(book: Book) -> Iterator[Finding]:
    """Each price history has a row on every session from its first to its last price, and none on other days."""
    prices = book.table("prices")
    prices = prices.loc[prices["date"] <= book.as_of, ["date", "security_id"]]
    on = prices["date"].isin(book.sessions)
    strangers = prices.loc[~on]
    if len(strangers):
        days = strangers["date"].drop_duplicates().sort_values()
        yield Finding(
            check="missing_sessions",
            severity="warning",
            table="prices",
            title="Prices on days without trading",
            detail=f"{plural(len(strangers), 'row')} on {plural(len(days), 'day')} that are not sessions: "
            f"{listed(days.dt.strftime('%Y-%m-%d'))}.",
            remedy="remove these rows: a return over them is split in two",
            rows=strangers.sort_values(["date", "security_id"], ignore_index=True),
        )
    rows = missing_sessions(prices.loc[on], book.sessions)
    if rows.empty:
        return
    counts = rows.groupby("security_id", observed=True).size().sort_values(ascending=False, kind="stable")
    each = [f"{security} ({count})" for security, count in counts.items()]
    yield Finding(
        check="missing_sessions",
        severity="warning",
        table="prices",
        title="Sessions missing inside price histories",
        detail=f"{plural(len(rows), 'security-day')}: {listed(each, 5)}. Nothing is filled: the next return spans the "
        "gap, and estimates leave the day out.",
        remedy="load the missing closes, or accept the gap",
        rows=rows,
    )


def missing_sessions(prices: pd.DataFrame, sessions: pd.DatetimeIndex) -> pd.DataFrame:
    """Rows (security_id, date) of each session without a price between a security's first and last one.

    `prices` has columns date and security_id, and dates that are sessions.
    """
    lines = []
    for security, dates in prices.groupby("security_id", observed=True, sort=True)["date"]:
        first, last = sessions.searchsorted([dates.min(), dates.max()])
        if last - first + 1 != len(dates):
            gap = sessions[first : last + 1].difference(pd.DatetimeIndex(dates))
            lines.append(pd.DataFrame({"security_id": security, "date": gap}))
    if not lines:
        return pd.DataFrame({"security_id": pd.Series(dtype=str), "date": pd.Series(dtype="datetime64[ns]")})
    return pd.concat(lines, ignore_index=True)


def return_gaps(prices: pd.DataFrame) -> pd.DataFrame:
    """Each security-day with its return from close, dividend and split, from adj_close, and the gap between them.

    The raw total return is (close + dividend) x split_ratio / previous close - 1: the dividend is per share
    after that morning's split. The first day of each security has no return and no row.
    """
    frame = prices.sort_values(["security_id", "date"], ignore_index=True)
    same = frame["security_id"].to_numpy()[1:] == frame["security_id"].to_numpy()[:-1]
    close, adjusted = frame["close"].to_numpy(), frame["adj_close"].to_numpy()
    now = frame.iloc[1:]
    paid = now["dividend"].to_numpy() * now["split_ratio"].to_numpy() / close[:-1]
    raw = close[1:] * now["split_ratio"].to_numpy() / close[:-1] + paid - 1.0
    result = now[["security_id", "date", "close", "dividend", "split_ratio"]].assign(
        dividend_return=paid, raw_return=raw, adjusted_return=adjusted[1:] / adjusted[:-1] - 1.0
    )
    result["gap"] = result["raw_return"] - result["adjusted_return"]
    return result.loc[same].reset_index(drop=True)


def returns_are_explained(book: Book) -> Iterator[Finding]:
    """Dividends and splits explain each difference between raw and adjusted returns, to 10 basis points."""
    prices = book.table("prices")
    gaps = return_gaps(prices.loc[(prices["date"] <= book.as_of) & (prices["security_id"] != CASH)])
    rows = gaps.loc[gaps["gap"].abs() > GAP_TOLERANCE].copy()
    if rows.empty:
        return
    rows["looks_like"] = _reading(rows)
    rows = rows.merge(wanted_securities(book)[["security_id", "held"]], on="security_id", how="left")
    rows["money"] = rows["gap"].abs() * rows["held"]
    for large, severity in ((True, "severe"), (False, "warning")):
        part = rows.loc[(rows["gap"].abs() >= GAP_SEVERE) == large]
        if part.empty:
            continue
        part = part.sort_values("gap", key=abs, ascending=False, ignore_index=True)
        each = [f"{r.security_id} {r.date:%Y-%m-%d} ({r.gap * 1e4:+.0f} bp, {r.looks_like})" for r in part.itertuples()]
        yield Finding(
            check="return_gap",
            severity=severity,
            table="prices",
            title="Dividends and splits do not explain the adjusted return",
            detail=f"{plural(len(part), 'security-day')}: {listed(each)}.",
            remedy="compare dividend, split_ratio and adj_close of that day with another source and correct one",
            rows=part,
            money=float(part["money"].sum()),
        )


def _reading(rows: pd.DataFrame) -> np.ndarray:
    """What a gap looks like, from its size against the dividend of the day."""
    gap, paid = rows["gap"].to_numpy(), rows["dividend_return"].to_numpy()
    near = np.maximum(0.1 * paid, 2e-4)
    return np.select(
        [
            np.abs(gap) > 0.15,
            (paid > 0) & (np.abs(gap - paid / 2) <= near),
            (paid > 0) & (np.abs(gap - paid) <= near),
            (paid > 0) & (gap < 0),
            (paid == 0) & (gap < 0),
        ],
        [
            "a split missing or wrong",
            "a dividend counted twice",
            "a dividend not in the adjusted close",
            "a dividend too small",
            "a dividend missing, or an adjustment without one",
        ],
        default="an adjustment without a cause",
    )
