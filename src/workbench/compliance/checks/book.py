"""Whether a package is what the book of record says: accounts, holdings, lots, prices, and its own arithmetic."""

from __future__ import annotations

import numpy as np

from workbench.compliance.context import Context
from workbench.compliance.exposures import sums
from workbench.compliance.judgement import judge
from workbench.compliance.outcome import Outcome
from workbench.compliance.rule import Rule
from workbench.compliance.words import dollars, percent, quoted, shares

#: Shares fewer than this are rounding.
DUST = 1e-6


def known_entities(context: Context, rule: Rule) -> Outcome:
    """Trades of a household, account or security that the book does not have, or of another household's account."""
    orders = context.orders
    stranger = np.flatnonzero(context.household < 0)
    bad = np.flatnonzero(
        (context.household[orders.proposal] >= 0) & ((context.account < 0) | (context.security < 0) | ~_own(context))
    )
    proposal = np.concatenate([stranger, orders.proposal[bad]])

    def reason(i: int) -> str:
        if i < len(stranger):
            name = orders.household_names[orders.household[stranger[i]]]
            return f"The book of record has no household {quoted(name)}."
        trade = int(bad[i - len(stranger)])
        if context.security[trade] < 0:
            return f"The book of record has no security {quoted(context.security_name(trade))}."
        if context.account[trade] < 0:
            return f"The book of record has no account {quoted(context.account_name(trade))}."
        return f"Account {context.account_name(trade)} is not one of this household."

    return judge(
        rule, len(context), proposal, value=1.0, limit=0.0,
        subject=lambda i: "" if i < len(stranger) else context.trade_name(int(bad[i - len(stranger)])),
        reason=reason, otherwise="Every account and security is in the book of record and the household's own.",
    )  # fmt: skip


def _own(context: Context) -> np.ndarray:
    household = np.append(context.view.account_household, -2)[context.account]
    return household == context.household[context.orders.proposal]


def agrees_with_book(context: Context, rule: Rule) -> Outcome:
    """The proposal's accounts against the book's: value and cash before, cash after, and none missing or too many.

    `tolerance` is in dollars. Holdings without a price count as nothing on both sides; another rule speaks of them.
    """
    view, orders, rows, cash = context.view, context.orders, context.positions, context.cash
    n_accounts = len(view.account_ids)
    owner, which = context.account_rows
    known = context.state_account >= 0
    said_key = orders.state_proposal[known] * n_accounts + context.state_account[known]
    book_key = owner * n_accounts + which
    key = np.union1d(said_key, book_key)

    def said(column: np.ndarray) -> np.ndarray:
        result = np.full(len(key), np.nan)
        result[np.searchsorted(key, said_key)] = column[known]
        return result

    def book(place: np.ndarray, column: np.ndarray) -> np.ndarray:
        return sums(np.searchsorted(key, place), column, len(key))

    held = book(rows.proposal * n_accounts + rows.account, np.nan_to_num(rows.before))
    cash_key = cash.proposal * n_accounts + cash.account
    pairs = [
        ("is worth", said(orders.state_value), held),
        ("has cash of", said(orders.state_cash_before), book(cash_key, cash.before)),
        ("will have cash of", said(orders.state_cash_after), book(cash_key, cash.after)),
    ]
    in_book = np.isin(key, book_key)
    off = np.column_stack([np.where(np.isnan(one) | ~in_book, np.inf, np.abs(one - other)) for _, one, other in pairs])
    worst = off.argmax(axis=1)
    difference = off.max(axis=1, initial=0.0)
    strangers = orders.state_proposal[~known]
    proposal = np.concatenate([key // n_accounts, strangers])
    value = np.concatenate([difference, np.full(len(strangers), np.inf)])
    limit = float(rule.parameters["tolerance"])

    def name(i: int) -> str:
        if i < len(key):
            return str(view.account_ids[key[i] % n_accounts])
        row = np.flatnonzero(~known)[i - len(key)]
        return str(orders.account_names[orders.state_account[row]])

    def reason(i: int) -> str:
        if i >= len(key) or not in_book[i]:
            return f"The proposal speaks of account {quoted(name(i))}, which is not one of this household in the book."
        if np.isinf(value[i]):
            return f"The household owns account {name(i)}, and the proposal does not say what it holds."
        verb, one, other = pairs[worst[i]]
        return f"{name(i)} {verb} {dollars(one[i])} by the proposal and {dollars(other[i])} by the book of record."

    return judge(
        rule, len(context), proposal, value=np.where(np.isinf(value), np.nan, value), limit=limit, fails=value > limit,
        unknown=np.isnan(value), subject=name, reason=reason, otherwise="The household has no account.",
    )  # fmt: skip


def prices_agree(context: Context, rule: Rule) -> Outcome:
    """Each trade's price against the last close of the book, as a fraction of it."""
    view, orders = context.view, context.orders
    rows = np.flatnonzero(context.security >= 0)
    close = context.price[context.security[rows]]
    off = np.abs(orders.price[rows] / close - 1.0)
    limit = float(rule.parameters["tolerance"])

    def reason(i: int) -> str:
        trade = int(rows[i])
        if np.isnan(orders.price[trade]):
            return f"The proposal gives no price of {context.security_name(trade)}."
        if np.isnan(close[i]):
            return f"The book of record has no price of {context.security_name(trade)}."
        return (
            f"{context.security_name(trade)} is priced at {orders.price[trade]:,.4f} by the proposal and at "
            f"{close[i]:,.4f} by the book of record on {view.priced_on[context.security[trade]]}, "
            f"{percent(off[i])} apart."
        )

    return judge(
        rule, len(context), orders.proposal[rows], value=off, limit=limit,
        subject=lambda i: context.security_name(int(rows[i])), reason=reason, otherwise="Nothing is traded.",
    )  # fmt: skip


def price_age(context: Context, rule: Rule) -> Outcome:
    """Days since the last price of everything the household holds or trades, where it trades at all."""
    view, rows = context.view, context.positions
    there = (rows.quantity_before != 0.0) | (rows.quantity_after != 0.0)
    there &= (context.trades_of[rows.proposal] > 0) & (rows.security != view.cash)
    proposal, security = rows.proposal[there], rows.security[there]
    age = (view.as_of - view.priced_on[security]).astype("timedelta64[D]").astype(np.float64)
    age[np.isnat(view.priced_on[security]) | np.isnan(view.price[security])] = np.nan
    limit = float(rule.parameters["days"])

    def reason(i: int) -> str:
        name = view.security_ids[security[i]]
        if np.isnan(age[i]):
            return f"{name} has no price, so what the household holds of it cannot be valued."
        return f"The last price of {name} is {age[i]:.0f} days old; {limit:.0f} are allowed."

    return judge(
        rule, len(context), proposal, value=age, limit=limit, order=security,
        subject=lambda i: str(view.security_ids[security[i]]), reason=reason, otherwise="Nothing is traded.",
    )  # fmt: skip


def no_short_sale(context: Context, rule: Rule) -> Outcome:
    """Shares of every holding after the trades: none below zero (a long-only account sells what it has)."""
    view, rows = context.view, context.positions
    moved = (rows.security != view.cash) & (rows.quantity_after < np.minimum(rows.quantity_before, -DUST))
    at = np.flatnonzero(moved)

    def reason(i: int) -> str:
        row = at[i]
        return (
            f"{view.account_ids[rows.account[row]]} holds {shares(rows.quantity_before[row])} of "
            f"{view.security_ids[rows.security[row]]} and would sell "
            f"{shares(rows.quantity_before[row] - rows.quantity_after[row])}."
        )

    return judge(
        rule, len(context), rows.proposal[at], value=rows.quantity_after[at], limit=0.0,
        before=rows.quantity_before[at], at_least=True,
        subject=lambda i: f"{view.account_ids[rows.account[at[i]]]} {view.security_ids[rows.security[at[i]]]}",
        reason=reason, otherwise="Nothing is sold that is not held.",
    )  # fmt: skip


def sold_lots(context: Context, rule: Rule) -> Outcome:
    """Lots sold against the lots of the book: shares of each beyond what it has, and shares of no lot at all."""
    view, orders, sales = context.view, context.orders, context.sales
    n_lots = len(view.lot_id)
    real = sales.lot >= 0
    key, whose = np.unique(sales.proposal[real] * n_lots + sales.lot[real], return_inverse=True)
    sold = sums(whose, sales.shares[real], len(key))
    has = view.lot_quantity[key % n_lots] if n_lots else np.zeros(0)
    lost = np.flatnonzero(~real)
    sells = np.flatnonzero(orders.sell)
    named = sums(sales.trade, sales.shares, len(orders.sell))[sells]
    gap = np.abs(named - orders.shares[sells])
    # Shares of a lot below zero would let gains of another be sold without their tax.
    odd = np.flatnonzero(~(sales.shares > 0.0))
    proposal = np.concatenate(
        [key // max(n_lots, 1), sales.proposal[lost], orders.proposal[sells], sales.proposal[odd]]
    )
    value = np.concatenate([sold - has, sales.shares[lost], gap, sales.shares[odd]])
    first, second = len(key), len(key) + len(lost)
    third = second + len(sells)
    fails = (value > DUST) | (np.arange(len(value)) >= third) | np.isnan(value)

    def subject(i: int) -> str:
        if i >= third:
            return f"lot {orders.lot_id[odd[i - third]]}"
        if i < first:
            return f"lot {view.lot_id[key[i] % n_lots]}"
        if i < second:
            return f"lot {orders.lot_id[lost[i - first]]}"
        return context.trade_name(int(sells[i - second]))

    def reason(i: int) -> str:
        if i >= third:
            return f"L{subject(i)[1:]} is sold by {shares(value[i])}; that must be a number above zero."
        if i < first:
            return f"{shares(sold[i])} of lot {view.lot_id[key[i] % n_lots]} would be sold, which has {shares(has[i])}."
        if i < second:
            row = lost[i - first]
            return (
                f"{context.trade_name(int(sales.trade[row]))} sells lot {quoted(orders.lot_id[row])}, which that "
                "account does not hold in the book of record."
            )
        at = i - second
        return f"{subject(i)}: {shares(orders.shares[sells[at]])} are sold and lots of {shares(named[at])} named."

    return judge(
        rule, len(context), proposal, value=value, limit=0.0, fails=fails, subject=subject, reason=reason,
        otherwise="Nothing is sold.",
    )  # fmt: skip


def _fraction(quantity: np.ndarray) -> np.ndarray:
    finite = np.where(np.isfinite(quantity), quantity, 0.0)
    parts: np.ndarray = np.abs(finite - np.round(finite)) > DUST
    return parts


def trade_arithmetic(context: Context, rule: Rule) -> Outcome:
    """Each trade's own arithmetic: shares and price above zero, whole where settings say so, amount their product.

    What trading costs is a number from zero on: below zero it would be cash out of nothing. `tolerance` is in dollars a
    trade. A fraction of a share may be sold where that leaves whole shares or none.
    """
    orders = context.orders
    limit = float(rule.parameters["tolerance"])
    sound = np.isfinite(orders.shares) & np.isfinite(orders.price) & (orders.shares > 0) & (orders.price > 0)
    sound &= np.isfinite(orders.amount)
    amount, size, price = (np.where(sound, column, 0.0) for column in (orders.amount, orders.shares, orders.price))
    off = np.abs(amount - size * price)
    free = ~((orders.trade_cost >= 0.0) & np.isfinite(orders.trade_cost))
    broken = ~sound | free
    whole = np.array([dict(settings).get("whole_shares") == "True" for settings in orders.settings], bool)
    split = whole[orders.proposal] & _fraction(orders.shares) & sound & _fraction(context.left)

    def reason(i: int) -> str:
        if not sound[i]:
            return f"{context.trade_name(i)}: shares, price and amount of a trade must be numbers above zero."
        if free[i]:
            return f"{context.trade_name(i)}: what a trade costs must be a number, and not below zero."
        what = f"{context.trade_name(i)}: {shares(orders.shares[i])} at {orders.price[i]:,.4f}"
        if split[i]:
            return f"{what} leave a fraction of a share, and the proposal's settings say whole shares."
        product, said = dollars(orders.shares[i] * orders.price[i]), dollars(orders.amount[i])
        return f"{what} are {product}, and the proposal says {said}."

    return judge(
        rule, len(context), orders.proposal, value=np.where(broken, np.nan, off), limit=limit,
        fails=broken | split | (off > limit + 1e-9), subject=context.trade_name, reason=reason,
        otherwise="Nothing is traded.",
    )  # fmt: skip
