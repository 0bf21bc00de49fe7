"""The facts of what a model change does to one book: dollars, gains, and the accounts that need attention."""

from __future__ import annotations

import pandas as pd

from workbench.drafting.sheets.gathering import Gathering, Reading, either, worded
from workbench.drafting.sheets.model_change_book import FAR, HALF_CENT, SALE_BARS, Book
from workbench.drafting.spelling import one_line

#: Rows of each list on the page; the rest is counted.
SHOWN_HOUSEHOLDS, SHOWN_ROWS, SHOWN_SECURITIES = 5, 30, 6
IMPACT = Reading("rebalance.model_change", ("models", "model_targets", "positions", "lots", "prices", "restrictions"))
ALONE = Reading("rebalance.model_change, start target", IMPACT.tables)
BOOK = Reading("drafting.sheets.model_change_book", ("accounts", "households", *IMPACT.tables))
WASH = Reading("tax.wash_state", ("transactions", "lots", "accounts"))
HOUSEHOLDS = Reading("read", ("households",))
ACCOUNTS = Reading("read", ("accounts",))
SECURITIES = Reading("read", ("securities",))
RESTRICTIONS = Reading("read", ("restrictions",))
#: What a restriction does, before what it names.
BARS = {
    "never_buy": "no purchase of", "never_sell": "no sale of", "never_hold": "no holding of",
    "hold_lot": "lot to be kept:", "max_weight": "weight capped:", "min_cash": "cash to be kept",
    "screen": "screen:", "sleeve": "sleeve mostly barred:",
}  # fmt: skip


def add_effect(made: Gathering, book: Book) -> None:
    """Add what the change does to a book that has accounts on the models."""
    _sums(made, book)
    _gains(made, book)
    _counted(made, book)
    _conflicts(made, book)
    _listed(made, "consent", book, ~book.accounts["discretionary"].astype(bool), "change_consents")
    _listed(made, "monitor", book, book.accounts["rollout_mode"] == "monitor", "change_monitored")
    _budgets(made, book)
    _washed(made, book)
    _households(made, book)
    if book.advisor is None:
        _advisors(made, book)


def add_unmeasured(made: Gathering, book: Book) -> None:
    """Add the accounts on the models that could not be measured, each with its reason."""
    rows = book.unmeasured
    if rows.empty:
        return
    made.fact("unmeasured.accounts", "count", len(rows), "change_unmeasured", IMPACT, "unmeasured, rows")
    stated = book.change.accounts.set_index("account_id")["stated_value"].reindex(rows["account_id"]).fillna(0.0)
    made.fact("unmeasured.assets", "money", stated.sum(), "change_reach", ACCOUNTS, "stated_value of the unmeasured")
    for n, row in enumerate(rows.head(SHOWN_ROWS).itertuples(), 1):
        _account(made, f"unmeasured.{n}", row.account_id)
        made.fact(f"unmeasured.{n}.reason", "name", worded(row.reason, "reason"), "named", IMPACT, row.account_id)


def security(made: Gathering, book: Book, security_id: str) -> str:
    """Declare a security by its symbol and its name, and return its key."""
    name = book.change.security_names.get(security_id, security_id)
    return made.entity("security:" + security_id, "security", security_id, str(name))


def _sums(made: Gathering, book: Book) -> None:
    rows, cell = book.accounts, "sums over the book"
    alone = book.change.alone.accounts
    alone = alone[alone["account_id"].isin(rows["account_id"])]
    value = float(rows["value"].sum())
    made.fact("book.accounts", "count", len(rows), "change_accounts", IMPACT, cell)
    made.fact("book.households", "count", rows["household_id"].nunique(), "change_households", IMPACT, cell)
    made.fact("book.models", "count", rows["model_id"].nunique(), "change_models", IMPACT, cell)
    made.fact("book.assets", "money", value, "change_assets", IMPACT, cell)
    made.fact("book.bought", "money", rows["bought"].sum(), "change_bought", IMPACT, cell, way=("buy",))
    made.fact("book.sold", "money", rows["sold"].sum(), "change_sold", IMPACT, cell, way=("sell",))
    made.fact("book.blocked", "money", rows["blocked"].sum(), "change_blocked", IMPACT, cell)
    for id, frame, reading, metric in (
        ("book.turnover", rows, IMPACT, "change_turnover"),
        ("alone.turnover", alone, ALONE, "change_turnover_alone"),
    ):
        traded = float(frame["bought"].sum() + frame["sold"].sum())
        made.fact(id, "percent", traded / 2 / value if value else 0.0, metric, reading, cell)
    gain = float(alone["gain"].sum())
    made.fact("alone.gain", "money", gain, "change_gain_alone", ALONE, cell, way=either(gain, "gain", "loss"))


def _gains(made: Gathering, book: Book) -> None:
    rows, cell = book.accounts, "sums over the book's taxable accounts"
    gain, tax = float(rows["gain"].sum()), float(rows["tax"].sum())
    made.fact("book.gain", "money", gain, "change_gain", IMPACT, cell, way=either(gain, "gain", "loss"))
    made.fact("book.tax", "money", tax, "change_tax", IMPACT, cell, way=either(tax, "owed", "saved"))
    for term in ("long", "short"):
        part = float(rows[term].sum())
        way = (term, *either(part, "gain", "loss"))
        made.fact(f"book.{term}", "money", part, f"change_{term}", BOOK, cell, way=way)
    unknown = rows[rows["unknown_basis"] > HALF_CENT]
    if len(unknown):
        proceeds = unknown["unknown_basis"].sum()
        made.fact("unknown.proceeds", "money", proceeds, "change_unknown_basis", IMPACT, "unknown_basis")
        made.fact("unknown.accounts", "count", len(unknown), "change_unknown_accounts", IMPACT, "unknown_basis")
        made.fact("unknown.assets", "money", unknown["value"].sum(), "change_reach", IMPACT, "unknown_basis")


def _counted(made: Gathering, book: Book) -> None:
    """Accounts that have something in common, counted, with their assets."""
    rows = book.accounts
    for id, chosen, metric in (
        ("realising", rows["gain"] > HALF_CENT, "change_realising"),
        ("untaxed", ~rows["taxed"], "change_untaxed"),
        ("unplaced", rows["unplaced"], "change_unplaced"),
        ("far", rows["far"], "change_far"),
    ):
        if chosen.any():
            made.fact(f"{id}.accounts", "count", int(chosen.sum()), metric, BOOK, f"accounts, {id}")
            made.fact(f"{id}.assets", "money", rows.loc[chosen, "value"].sum(), "change_reach", BOOK, f"{id}, assets")
    made.fact("far.threshold", "percent", FAR, "change_far_threshold", BOOK, "FAR", decimals=0)


def _listed(made: Gathering, id: str, book: Book, chosen: pd.Series, metric: str) -> None:
    """Accounts counted and named one by one, largest first."""
    rows = book.accounts[chosen].sort_values(["value", "account_id"], ascending=[False, True])
    if rows.empty:
        return
    made.fact(f"{id}.accounts", "count", len(rows), metric, ACCOUNTS, id)
    made.fact(f"{id}.assets", "money", rows["value"].sum(), "change_reach", BOOK, f"{id}, assets")
    for n, row in enumerate(rows.head(SHOWN_ROWS).itertuples(), 1):
        _account(made, f"{id}.row.{n}", row.account_id)
        _household(made, f"{id}.row.{n}", book, row.household_id)
        made.named(f"{id}.row.{n}.model", "model:" + row.model_id, ACCOUNTS, row.account_id)
        of = ("account:" + row.account_id,)
        made.fact(f"{id}.row.{n}.assets", "money", row.value, "change_assets", IMPACT, row.account_id, of=of)
        made.fact(f"{id}.row.{n}.sold", "money", row.sold, "change_sold", IMPACT, row.account_id, of=of, way=("sell",))
    _rest(made, id, len(rows), metric)


def _rest(made: Gathering, id: str, count: int, metric: str) -> None:
    if count > SHOWN_ROWS:
        made.fact(f"{id}.rest", "count", count - SHOWN_ROWS, metric, BOOK, f"{id}, left out")


def _conflicts(made: Gathering, book: Book) -> None:
    """Restrictions in the way, one row a household and restriction; the accounts and securities it reaches named."""
    rows = book.conflicts
    if rows.empty:
        return
    made.fact("conflicts.accounts", "count", rows["account_id"].nunique(), "change_in_conflict", IMPACT, "conflicts")
    made.fact("conflicts.assets", "money", book.assets(rows["account_id"]), "change_reach", BOOK, "conflicts, assets")
    made.fact("conflicts.new", "count", int(rows["new"].sum()), "change_new_conflicts", IMPACT, "conflicts, new")
    stops = rows["kind"].isin(SALE_BARS)
    for id, own, metric in (
        ("kept", rows[stops], "change_bars_sale"),
        ("barred", rows[rows["kind"].isin(["never_buy", "never_hold", "screen"])], "change_bars_purchase"),
    ):
        if len(own):
            made.fact(f"{id}.accounts", "count", own["account_id"].nunique(), metric, IMPACT, f"conflicts, {id}")
            made.fact(f"{id}.assets", "money", book.assets(own["account_id"]), "change_reach", BOOK, f"{id}, assets")
    groups = rows.groupby(["household_id", "restriction_id", "kind", "key"], dropna=False)
    ordered = sorted(groups, key=lambda one: (-float(one[1]["amount"].sum()), one[0]))
    for n, ((household, restriction, kind, key), own) in enumerate(ordered[:SHOWN_ROWS], 1):
        _conflict(made, f"conflict.{n}", book, household, restriction, _bar(book, kind, key), own)
    if len(ordered) > SHOWN_ROWS:
        left = len(ordered) - SHOWN_ROWS
        made.fact("conflicts.rest", "count", left, "change_conflict_rows", BOOK, "conflicts, left out")


def _bar(book: Book, kind: str, key: str) -> str:
    """A restriction in words: what it does, and to what."""
    if kind == "min_cash":
        return BARS[kind]
    names = book.change.sleeves.set_index("sleeve_id")["name"]
    named = names.get(key, key) if kind == "sleeve" else key.replace("_", " ") if kind == "screen" else key
    return f"{BARS.get(kind, kind)} {named}"


def _conflict(
    made: Gathering, id: str, book: Book, household: str, restriction: str, bar: str, own: pd.DataFrame
) -> None:
    cell = f"{restriction or 'sleeve'} of {household}"
    home = _household(made, id, book, household)
    made.fact(f"{id}.bar", "name", one_line(bar), "named", RESTRICTIONS, cell)
    reason = own["reason"].iloc[0]
    if isinstance(reason, str) and reason.strip():
        made.fact(f"{id}.reason", "name", worded(reason, "reason"), "named", RESTRICTIONS, cell)
    for n, account in enumerate(sorted(set(own["account_id"])), 1):
        _account(made, f"{id}.account.{n}", account)
    for n, held in enumerate(sorted(set(own["security_id"].dropna()))[:SHOWN_SECURITIES], 1):
        made.named(f"{id}.security.{n}.name", security(made, book, held), SECURITIES, cell)
    amount = own["amount"].sum()
    made.fact(f"{id}.amount", "money", amount, "change_in_the_way", IMPACT, cell, of=(home,))


def _budgets(made: Gathering, book: Book) -> None:
    rows = book.budgets
    if book.budgets_unknown:
        left = book.budgets_unknown
        made.fact("budgets.unknown", "count", left, "change_budgets_unknown", HOUSEHOLDS, "realised gains missing")
    if rows.empty:
        return
    own = book.accounts[book.accounts["household_id"].isin(rows["household_id"])]
    made.fact("budgets.passed", "count", len(rows), "change_budgets_passed", BOOK, "budgets")
    made.fact("budgets.assets", "money", own["value"].sum(), "change_reach", BOOK, "budgets, assets")
    year, same_year = book.change.as_of.year, book.change.effective.year == book.change.as_of.year
    made.fact("budgets.year", "date", f"{year}-12-31", "change_budget_year", HOUSEHOLDS, "gain_budget, its year")
    for n, row in enumerate(rows.head(SHOWN_ROWS).itertuples(), 1):
        id = f"budget.{n}"
        of = (_household(made, id, book, row.household_id),)
        cell, so_far = row.household_id, either(row.realised, "gain", "loss")
        made.fact(f"{id}.budget", "money", row.budget, "change_budget", HOUSEHOLDS, cell, of=of)
        if same_year:
            made.fact(
                f"{id}.realised", "money", row.realised, "change_budget_realised", HOUSEHOLDS, cell, of=of, way=so_far
            )
        made.fact(f"{id}.expected", "money", row.expected, "change_gain", IMPACT, cell, of=of, way=("gain",))
        made.fact(f"{id}.over", "money", row.over, "change_budget_over", BOOK, cell, of=of, way=("over",))
    _rest(made, "budgets", len(rows), "change_budgets_passed")


def _washed(made: Gathering, book: Book) -> None:
    rows = book.washed
    if rows.empty:
        return
    own = book.accounts[book.accounts["household_id"].isin(rows["household_id"])]
    count = rows["household_id"].nunique()
    made.fact("wash.households", "count", count, "change_washed", WASH, "losses with an open window")
    made.fact("wash.assets", "money", own["value"].sum(), "change_reach", BOOK, "wash, assets")
    for n, row in enumerate(rows.head(SHOWN_ROWS).itertuples(), 1):
        id, cell = f"wash.row.{n}", f"{row.household_id} {row.security_id}"
        key = security(made, book, row.security_id)
        of = (_household(made, id, book, row.household_id), key)
        made.named(f"{id}.security", key, SECURITIES, cell)
        day = row.last_day.date().isoformat()
        made.fact(f"{id}.until", "date", day, "change_wash_until", WASH, cell, of=of)
        made.fact(f"{id}.bought", "money", row.amount, "change_bought", IMPACT, cell, of=of, way=("buy",))
        if pd.notna(row.loss):
            made.fact(f"{id}.loss", "money", row.loss, "change_wash_loss", WASH, cell, of=of, way=("loss",))


def _households(made: Gathering, book: Book) -> None:
    """The households with most dollars to trade."""
    for n, row in enumerate(book.households.head(SHOWN_HOUSEHOLDS).itertuples(), 1):
        id, cell = f"household.{n}", row.household_id
        of = (_household(made, id, book, row.household_id),)
        made.fact(f"{id}.assets", "money", row.value, "change_assets", IMPACT, cell, of=of)
        _trading(made, id, row, cell, of)


def _advisors(made: Gathering, book: Book) -> None:
    """For the desk: each advisor's part."""
    names = book.change.advisors.set_index("advisor_id")["name"]
    conflicted = book.accounts["account_id"].isin(book.conflicts["account_id"])
    rows = book.accounts.assign(conflicted=conflicted, consent=~book.accounts["discretionary"].astype(bool))
    sums = rows.groupby("advisor_id", as_index=False).agg(
        accounts=("account_id", "size"), households=("household_id", "nunique"), value=("value", "sum"),
        bought=("bought", "sum"), sold=("sold", "sum"), gain=("gain", "sum"), tax=("tax", "sum"),
        conflicted=("conflicted", "sum"), consent=("consent", "sum"),
    )  # fmt: skip
    for n, row in enumerate(sums.sort_values("value", ascending=False).itertuples(), 1):
        id, cell = f"advisor.{n}", row.advisor_id
        key = made.entity("advisor:" + cell, "advisor", str(names.get(cell, cell)))
        of = (key,)
        made.named(f"{id}.name", key, Reading("read", ("advisors",)), cell)
        made.fact(f"{id}.accounts", "count", row.accounts, "change_accounts", IMPACT, cell, of=of)
        made.fact(f"{id}.conflicted", "count", row.conflicted, "change_in_conflict", IMPACT, cell, of=of)
        made.fact(f"{id}.consent", "count", row.consent, "change_consents", ACCOUNTS, cell, of=of)
        made.fact(f"{id}.assets", "money", row.value, "change_assets", IMPACT, cell, of=of)
        _trading(made, id, row, cell, of)


def _trading(made: Gathering, id: str, row: object, cell: str, of: tuple[str, ...]) -> None:
    """Purchases, sales, gain and tax of a row of sums."""
    bought, sold, gain, tax = (float(getattr(row, name)) for name in ("bought", "sold", "gain", "tax"))
    made.fact(f"{id}.bought", "money", bought, "change_bought", IMPACT, cell, of=of, way=("buy",))
    made.fact(f"{id}.sold", "money", sold, "change_sold", IMPACT, cell, of=of, way=("sell",))
    made.fact(f"{id}.gain", "money", gain, "change_gain", IMPACT, cell, of=of, way=either(gain, "gain", "loss"))
    made.fact(f"{id}.tax", "money", tax, "change_tax", IMPACT, cell, of=of, way=either(tax, "owed", "saved"))


def _household(made: Gathering, id: str, book: Book, household_id: str) -> str:
    name = str(book.change.household_names.get(household_id, household_id))
    key = made.entity("household:" + household_id, "household", name)
    made.named(f"{id}.household", key, HOUSEHOLDS, household_id)
    return key


def _account(made: Gathering, id: str, account_id: str) -> str:
    key = made.entity("account:" + account_id, "account", account_id)
    made.named(f"{id}.name", key, ACCOUNTS, account_id)
    return key
