"""What the firm's holdings returned: the table of the memo, and the figures its sentences rest on."""

from __future__ import annotations

import pandas as pd

from workbench import market
from workbench.exhibits.drift_facts import absent, noun
from workbench.exhibits.origin import Origin
from workbench.firm import CASH, Firm
from workbench.report import Column, Exhibit, TableBody
from workbench.report import format as fmt

#: Holdings in the table of returns.
HOLDINGS_SHOWN = 5
#: The function behind each return, as facts name it.
RETURNS = "market.total_returns"


def quarter_start(as_of: pd.Timestamp) -> pd.Timestamp:
    """The last day of the quarter before `as_of`: what a quarter's return starts from."""
    return pd.Timestamp((as_of.to_period("Q") - 1).end_time.date())


def holding_returns(firm: Firm) -> pd.DataFrame:
    """Total return of each security over the quarter and the year so far, and its part of the firm's assets.

    Columns security_id, name, asset_class, weight, quarter, year; a security without a price at the start of a span
    has no return for it.
    """
    prices = firm.table("prices")
    start = pd.Timestamp(firm.as_of.year - 1, 12, 31)
    recent = prices[prices["date"] >= start - pd.Timedelta(days=7)]
    history = market.price_history(recent)
    daily = market.total_returns(history)
    held = (firm.table("positions").groupby("security_id")["quantity"].sum() * history.close.iloc[-1]).dropna()
    frame = firm.table("securities", ["security_id", "name", "asset_class"]).set_index("security_id")
    frame["weight"] = held / held.sum() if held.sum() > 0 else 0.0
    for name, begin in (("quarter", quarter_start(firm.as_of)), ("year", start)):
        base, span = history.close.loc[:begin], daily.loc[daily.index > begin]
        if len(base):
            grown = (1.0 + span).prod(min_count=len(span)) - 1.0
            frame[name] = grown.where(base.iloc[-1].notna())
        else:
            frame[name] = float("nan")
    frame = frame[frame["weight"] > 0].reset_index()
    return frame.sort_values("weight", ascending=False, ignore_index=True, kind="stable")


def class_returns(frame: pd.DataFrame) -> pd.DataFrame:
    """Quarter's return of each asset class, its holdings weighted as the firm holds them now."""
    known = frame[frame["quarter"].notna() & (frame["security_id"] != CASH)]
    weighted = known.assign(part=known["weight"] * known["quarter"]).groupby("asset_class")[["part", "weight"]].sum()
    weighted["quarter"] = weighted["part"] / weighted["weight"]
    return weighted["quarter"].sort_values(ascending=False, kind="stable").reset_index()


def returns_table(frame: pd.DataFrame, origin: Origin, as_of: pd.Timestamp) -> Exhibit:
    """The firm's largest holdings but cash, and what they returned."""
    top = frame[frame["security_id"] != CASH].head(HOLDINGS_SHOWN)
    if top.empty:
        return absent("memo-returns", "Largest holdings and their returns", "The firm holds nothing but cash.")
    columns = (
        Column("security_id", "Holding", emphasis=True),
        Column("name", "Name"),
        Column("weight", "Share of assets", "percent"),
        Column("quarter", "Quarter to date", "percent"),
        Column("year", "Year to date", "percent"),
    )
    tables = ["prices", "positions"]
    missing = {"quarter": "no price at the quarter's start", "year": "no price at the year's start"}
    rows, facts = origin.table("market.holding", top, columns, RETURNS, tables, missing=missing)
    share = origin.fact("market.largest_holdings", top["weight"].sum(), "percent", RETURNS, tables, digits=0)
    largest = noun(len(top), "The largest holding is", f"The {len(top)} largest holdings are")
    takeaway = f"{largest} {share.text} of the firm's assets."
    settings = origin.settings(
        f"total return with dividends, gross of fees; quarter since {fmt.long_date(str(quarter_start(as_of).date()))}",
        tables,
    )
    return Exhibit(
        "memo-returns",
        "Largest holdings and their returns",
        TableBody(columns, rows),
        takeaway,
        settings,
        (*facts, share),
    )
