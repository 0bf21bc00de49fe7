"""Do the transactions explain what is held? They are replayed from an empty account.

Quantities are signed, and splits carry their extra shares, so that sums are the replay: of quantity by
account and security for positions, of quantity by lot for lots, of amount by account for cash.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from workbench.firm.reconcile.findings import Book, Finding, listed, plural
from workbench.firm.reconcile.holdings import CENT, SHARE_TOLERANCE
from workbench.firm.schema import CASH


def transactions_explain_positions(book: Book) -> Iterator[Finding]:
    """Replayed from empty, the transactions give each position, and each account's cash to the cent."""
    trades = book.table("transactions")
    if trades.empty:
        yield Finding(
            check="replay",
            severity="info",
            table="transactions",
            title="There are no transactions",
            detail="Positions cannot be replayed, and causes of drift before the snapshot are unknown.",
            remedy="add the transactions table to the firm",
            rows=pd.DataFrame(),
        )
        return
    key = ["account_id", "security_id"]
    shares = trades.loc[trades["security_id"] != CASH].groupby(key, sort=False, observed=True)["quantity"].sum()
    cash = trades.groupby("account_id", sort=False, observed=True)["amount"].sum()
    replayed = pd.concat(
        [
            shares.rename("replayed").reset_index(),
            cash.rename("replayed").reset_index().assign(security_id=CASH),
        ]
    )
    both = book.holdings()[[*key, "quantity", "close"]].merge(replayed, on=key, how="outer")
    both[["quantity", "replayed"]] = both[["quantity", "replayed"]].fillna(0.0).astype("float64")
    both["difference"] = both["replayed"] - both["quantity"]
    limit = (both["security_id"] == CASH).map({True: CENT, False: SHARE_TOLERANCE})
    rows = both.loc[both["difference"].abs() > limit].rename(columns={"quantity": "position"})
    if rows.empty:
        return
    rows["close"] = rows["close"].fillna(rows["security_id"].map(book.closes(book.as_of)))
    rows["money"] = (rows["difference"] * rows["close"]).abs()
    rows = rows.sort_values("money", ascending=False).reset_index(drop=True)
    worst = rows.iloc[0]
    yield Finding(
        check="replay",
        severity="warning",
        table="transactions",
        title="Transactions do not explain the position",
        detail=f"{plural(len(rows), 'position')} in {listed(rows['account_id'])}; the largest is "
        f"{worst['account_id']} {worst['security_id']}: replay gives {worst['replayed']:,.6g}, "
        f"the custodian holds {worst['position']:,.6g}.",
        remedy="look for a missing, doubled or wrongly signed transaction; causes of drift are unsure until then",
        rows=rows[[*key, "position", "replayed", "difference", "money"]],
        money=float(rows["money"].sum()),
    )


def transactions_explain_lots(book: Book) -> Iterator[Finding]:
    """Replayed from empty, the transactions give the open quantity of each lot."""
    trades = book.table("transactions")
    named = trades.loc[trades["lot_id"].notna()]
    if named.empty:
        return
    replayed = named.groupby("lot_id", sort=False, observed=True)["quantity"].sum().rename("replayed")
    lots = book.table("lots")[["lot_id", "account_id", "security_id", "quantity", "cost_per_share"]]
    both = lots.merge(replayed.reset_index(), on="lot_id", how="outer")
    both[["quantity", "replayed"]] = both[["quantity", "replayed"]].fillna(0.0).astype("float64")
    both["difference"] = both["replayed"] - both["quantity"]
    rows = both.loc[both["difference"].abs() > SHARE_TOLERANCE].copy()
    if rows.empty:
        return
    # A lot that only the transactions know takes its account and security from them.
    known = named.drop_duplicates("lot_id").set_index("lot_id")
    for column in ("account_id", "security_id"):
        rows[column] = rows[column].fillna(rows["lot_id"].map(known[column]))
    rows["money"] = (rows["difference"] * rows["security_id"].map(book.closes(book.as_of))).abs()
    rows = rows.sort_values("money", ascending=False).reset_index(drop=True)
    worst = rows.iloc[0]
    yield Finding(
        check="lot_replay",
        severity="warning",
        table="lots",
        title="Transactions do not explain the lot",
        detail=f"{plural(len(rows), 'lot')} in {listed(rows['account_id'])}; the largest is {worst['lot_id']} "
        f"({worst['account_id']} {worst['security_id']}): replay gives {worst['replayed']:,.6g} shares, "
        f"the lot file {worst['quantity']:,.6g}.",
        remedy="ask the custodian which lots were relieved, and correct lot_id on the transactions or the lot",
        rows=rows,
        money=float(rows["money"].sum()),
    )


def transactions_are_single(book: Book) -> Iterator[Finding]:
    """No two rows have the same account, day, security, kind, amounts, origin and lot: one may be a double.

    Ticket fees are left out: a custodian takes the same one for each order of a day.
    """
    trades = book.table("transactions")
    if trades.empty:
        return
    trades = trades.loc[~_ticket_fees(book, trades)]
    alike = ["account_id", "trade_date", "security_id", "kind", "quantity", "amount", "origin", "lot_id"]
    rows = trades.loc[trades.duplicated(alike, keep=False)]
    if rows.empty:
        return
    rows = rows.sort_values([*alike, "transaction_id"])[["transaction_id", *alike]].reset_index(drop=True)
    extra = rows.duplicated(alike)
    yield Finding(
        check="duplicate_transaction",
        severity="warning",
        table="transactions",
        title="Transactions that look booked twice",
        detail=f"{plural(int(extra.sum()), 'row')} equal to an earlier one but for its id, in "
        f"{listed(rows['account_id'])}.",
        remedy="confirm with the custodian, and remove the double",
        rows=rows,
        money=float(rows.loc[extra, "amount"].abs().sum()),
    )


def _ticket_fees(book: Book, trades: pd.DataFrame) -> pd.Series:
    """Which transactions are a fee of just what the account's custodian charges for an order."""
    custodian = book.table("accounts").set_index("account_id")["custodian_id"]
    ticket = book.table("custodians").set_index("custodian_id")["ticket_fee"]
    fees = trades["kind"] == "fee"
    charged = trades["account_id"].where(fees).map(custodian).map(ticket)
    return fees & ((trades["amount"].abs() - charged).abs() < CENT)
