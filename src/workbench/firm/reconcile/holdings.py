"""Do lots, positions, prices and the custodian's stated values tell one story?"""

from __future__ import annotations

from collections.abc import Iterator

from workbench.firm.reconcile.findings import Book, Finding, listed, plural, whole_sums
from workbench.firm.schema import CASH

#: Custodians round fractional shares at the sixth decimal.
SHARE_TOLERANCE = 1e-6
#: A stated value may be off by a dollar or a basis point, whichever is more: rounding per position adds up.
VALUE_TOLERANCE = 1.0
VALUE_TOLERANCE_FRACTION = 1e-4
CENT = 0.01


def lots_sum_to_positions(book: Book) -> Iterator[Finding]:
    """The open lots of each account and security sum to its position."""
    key = ["account_id", "security_id"]
    lots = book.table("lots").groupby(key, sort=False, observed=True)["quantity"].sum().rename("lots")
    held = book.holdings()
    held = held.loc[held["security_id"] != CASH]
    both = held.merge(lots.reset_index(), on=key, how="outer")
    both[["quantity", "lots"]] = both[["quantity", "lots"]].fillna(0.0).astype("float64")
    both["difference"] = both["lots"] - both["quantity"]
    rows = both.loc[both["difference"].abs() > SHARE_TOLERANCE].copy()
    if rows.empty:
        return
    rows["close"] = rows["close"].fillna(rows["security_id"].map(book.closes(book.as_of)))
    rows["money"] = (rows["difference"] * rows["close"]).abs()
    rows = rows.rename(columns={"quantity": "position"}).sort_values("money", ascending=False)
    worst = rows.iloc[0]
    yield Finding(
        check="lots",
        severity="severe",
        table="lots",
        title="Lots do not sum to the position",
        detail=f"{plural(len(rows), 'position')} in {listed(rows['account_id'])}; the largest is "
        f"{worst['account_id']} {worst['security_id']}: lots hold {worst['lots']:,.6g} shares, "
        f"the custodian {worst['position']:,.6g}.",
        remedy="ask the custodian for the lot file of that position; gains and holding periods are unsure until then",
        rows=rows[[*key, "position", "lots", "difference", "close", "money"]].reset_index(drop=True),
        money=float(rows["money"].sum()),
    )


def values_agree(book: Book) -> Iterator[Finding]:
    """Positions times closes agree with the custodian's stated value, to a dollar or a basis point."""
    held = book.holdings()
    # One unpriced position leaves the account's value unknown; that it is unpriced is another check's finding.
    value = whole_sums(held, "account_id", "value")
    accounts = book.table("accounts")[["account_id", "stated_value"]].copy()
    accounts["computed_value"] = accounts["account_id"].map(value).astype("float64")
    without = ~accounts["account_id"].isin(held["account_id"].unique())
    accounts.loc[without, "computed_value"] = 0.0
    accounts["difference"] = accounts["computed_value"] - accounts["stated_value"]
    limit = (accounts["stated_value"].abs() * VALUE_TOLERANCE_FRACTION).clip(lower=VALUE_TOLERANCE)
    rows = accounts.loc[accounts["difference"].abs() > limit].copy()
    if rows.empty:
        return
    rows["money"] = rows["difference"].abs()
    rows = rows.sort_values("money", ascending=False).reset_index(drop=True)
    worst = rows.iloc[0]
    yield Finding(
        check="stated_value",
        severity="severe",
        table="accounts",
        title="Holdings do not add up to the custodian's value",
        detail=f"{plural(len(rows), 'account')}: {listed(rows['account_id'])}; the largest gap is "
        f"{worst['account_id']}: computed {worst['computed_value']:,.2f}, stated {worst['stated_value']:,.2f}.",
        remedy="compare the custodian's statement position by position; look for a missing trade or another price",
        rows=rows,
        money=float(rows["money"].sum()),
    )


def cash_is_not_negative(book: Book) -> Iterator[Finding]:
    """No account is overdrawn by more than a cent."""
    held = book.holdings()
    rows = held.loc[(held["security_id"] == CASH) & (held["quantity"] < -CENT), ["account_id", "quantity"]]
    if rows.empty:
        return
    rows = rows.rename(columns={"quantity": "cash"}).sort_values("cash").reset_index(drop=True)
    yield Finding(
        check="negative_cash",
        severity="warning",
        table="positions",
        title="Accounts are overdrawn",
        detail=f"{plural(len(rows), 'account')}: {listed(rows['account_id'])}; "
        f"together {-rows['cash'].sum():,.2f} short.",
        remedy="raise cash in the next rebalance, or ask the custodian for a trade not yet booked",
        rows=rows,
        money=float(-rows["cash"].sum()),
    )


def accounts_hold_something(book: Book) -> Iterator[Finding]:
    """Accounts without positions, and accounts whose holdings are worth nothing."""
    held = book.holdings()
    accounts = book.table("accounts")[["account_id", "registration", "opened_on", "stated_value"]]
    bare = accounts.loc[~accounts["account_id"].isin(held["account_id"].unique())]
    if len(bare):
        yield Finding(
            check="empty_account",
            severity="info",
            table="positions",
            title="Accounts without positions",
            detail=f"{plural(len(bare), 'account')}: {listed(bare['account_id'])}.",
            remedy="close the account, or fund it; it is left out of drift",
            rows=bare.reset_index(drop=True),
        )
    gross = whole_sums(held.assign(gross=held["value"].abs()), "account_id", "gross")
    worthless = accounts.loc[accounts["account_id"].map(gross) < CENT]
    if len(worthless):
        yield Finding(
            check="empty_account",
            severity="info",
            table="positions",
            title="Accounts worth nothing",
            detail=f"{plural(len(worthless), 'account')} with positions of no value: "
            f"{listed(worthless['account_id'])}.",
            remedy="close the account, or fund it; it is left out of drift",
            rows=worthless.reset_index(drop=True),
        )
