"""Have owners of retirement accounts taken what the law requires? A missed distribution costs a 25 % excise tax.

Traditional IRAs of one owner count together; a 401(k) stands alone; a Roth owner has none; inherited
accounts need a person (IRC 401(a)(9), see `workbench.firm.rmd`). An owner is a household and a date of
birth: the tables hold no name.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from workbench.firm import rmd
from workbench.firm.history import rewind
from workbench.firm.reconcile.findings import Book, Finding, listed, plural, whole_sums

#: Custodians round a distribution to the dollar.
TOLERANCE = 1.0
#: With so few days left, what is outstanding is urgent; with more than so many, it is only a note.
URGENT_DAYS = 10
DISTANT_DAYS = 92
OWNED = ("traditional_ira", "401k")
COLUMNS = [
    "household_id", "account_ids", "registration", "year", "age", "prior_balance", "divisor", "required",
    "taken", "outstanding", "due_by",
]  # fmt: skip


@dataclass(frozen=True)
class Owner:
    """One owner's accounts that count together: a household's traditional IRAs by birth date, or one 401(k)."""

    household_id: str
    account_ids: tuple[str, ...]
    registration: str
    born: pd.Timestamp


def required_distributions(book: Book) -> Iterator[Finding]:
    """Required distributions of the snapshot's year and the year before are taken, or will be in time."""
    accounts = book.table("accounts")
    yield from _need_a_person(accounts)
    if book.as_of.year < rmd.FIRST_YEAR or book.table("transactions").empty:
        return
    rows = outstanding_distributions(book)
    unknown = rows["outstanding"].isna()
    yield from _not_assessable(rows.loc[unknown])
    rows = rows.loc[~unknown]
    days = (rows["due_by"] - book.as_of).dt.days
    for low, high, severity, title in (
        (-math.inf, 0, "severe", "Required distributions were missed"),
        (0, URGENT_DAYS, "severe", "Required distributions are due within days"),
        (URGENT_DAYS, DISTANT_DAYS, "warning", "Required distributions are still to be taken"),
        (DISTANT_DAYS, math.inf, "info", "Required distributions due later"),
    ):
        yield from _outstanding(rows.loc[(days >= low) & (days < high)], severity, title)


def outstanding_distributions(book: Book) -> pd.DataFrame:
    """One row an owner and year with more than a dollar still to take: see `COLUMNS`; money in account currency.

    The first distribution may wait to 1 April of the next year: withdrawals up to then count for it before
    they count for the year they are made in.
    """
    year = book.as_of.year
    owners = [o for o in _owners(book.table("accounts")) if rmd.first_year(o.born) <= year]
    if not owners:
        return pd.DataFrame(columns=COLUMNS).astype({"due_by": "datetime64[ns]", "outstanding": "float64"})
    ids = [account for owner in owners for account in owner.account_ids]
    balances = {of: _balances(book, ids, of - 1) for of in (year - 1, year)}
    withdrawn = _withdrawals(book, ids)
    lines = [line for owner in owners for line in _owner_lines(owner, year, balances, withdrawn)]
    frame = pd.DataFrame(lines, columns=COLUMNS)
    open_rows = frame.loc[~(frame["outstanding"] <= TOLERANCE)]
    return open_rows.sort_values("outstanding", ascending=False, ignore_index=True)


def _owner_lines(
    owner: Owner, year: int, balances: dict[int, dict[str, float]], withdrawn: dict[tuple[str, str], float]
) -> list[tuple[object, ...]]:
    """Rows of `COLUMNS` for the snapshot's year and the year before."""
    spent_on_prior = 0.0
    lines: list[tuple[object, ...]] = []
    for of in (year - 1, year):
        if of < max(rmd.FIRST_YEAR, rmd.first_year(owner.born)):
            continue
        balance = sum(balances[of][account] for account in owner.account_ids)
        need = rmd.required(owner.born, of, balance)
        taken = sum(withdrawn.get((account, str(of)), 0.0) for account in owner.account_ids)
        due = rmd.due_by(owner.born, of)
        if of == year - 1 and due.year == year:
            early = sum(withdrawn.get((account, "to 1 April"), 0.0) for account in owner.account_ids)
            spent_on_prior = min(early, max(need - taken, 0.0))
            taken += spent_on_prior
        elif of == year:
            taken -= spent_on_prior
        lines.append(
            (
                owner.household_id, ", ".join(owner.account_ids), owner.registration, of, of - owner.born.year,
                balance, rmd.divisor(owner.born, of), need, taken, need - taken, due,
            )
        )  # fmt: skip
    return lines


def _owners(accounts: pd.DataFrame) -> list[Owner]:
    known = accounts.loc[accounts["registration"].isin(OWNED) & accounts["owner_birth_date"].notna()]
    iras = known.loc[known["registration"] == "traditional_ira"]
    grouped = iras.groupby(["household_id", "owner_birth_date"], sort=True, observed=True)["account_id"]
    owners = [Owner(str(h), tuple(sorted(ids)), "traditional_ira", pd.Timestamp(b)) for (h, b), ids in grouped]
    plans = known.loc[known["registration"] == "401k"].sort_values("account_id")
    for row in plans.itertuples():
        owners.append(Owner(str(row.household_id), (str(row.account_id),), "401k", pd.Timestamp(row.owner_birth_date)))
    return owners


def _balances(book: Book, account_ids: list[str], year: int) -> dict[str, float]:
    """Value of each account at the end of `year`, what was held then at that day's closes.

    Missing where something held then has no price; zero where nothing was held.
    """
    end = pd.Timestamp(year, 12, 31)
    positions, transactions = book.table("positions"), book.table("transactions")
    then = rewind(
        positions[positions["account_id"].isin(account_ids)],
        transactions[transactions["account_id"].isin(account_ids)],
        end,
    )
    then["value"] = then["quantity"] * then["security_id"].map(book.closes(end)).astype("float64")
    value = whole_sums(then, "account_id", "value")
    return dict.fromkeys(account_ids, 0.0) | {str(account): float(amount) for account, amount in value.items()}


def _withdrawals(book: Book, account_ids: list[str]) -> dict[tuple[str, str], float]:
    """Cash paid out, by account and year, and by account "to 1 April" of the snapshot's year; positive amounts.

    Neither a fee nor a transfer is a distribution.
    """
    trades = book.table("transactions")
    paid = trades.loc[trades["account_id"].isin(account_ids) & (trades["kind"] == "withdrawal")]
    april = pd.Timestamp(book.as_of.year, 4, 1)
    early = paid.loc[(paid["trade_date"].dt.year == book.as_of.year) & (paid["trade_date"] <= april)]
    by_year = paid["amount"].groupby([paid["account_id"], paid["trade_date"].dt.year.astype(str)]).sum()
    by_april = early.groupby("account_id", observed=True)["amount"].sum()
    yearly = {(str(account), str(year)): -float(amount) for (account, year), amount in by_year.items()}
    return yearly | {(str(account), "to 1 April"): -float(amount) for account, amount in by_april.items()}


def _need_a_person(accounts: pd.DataFrame) -> Iterator[Finding]:
    shown = ["account_id", "household_id", "registration", "owner_birth_date", "stated_value"]
    inherited = accounts.loc[accounts["registration"] == "inherited_ira", shown]
    if len(inherited):
        yield Finding(
            check="rmd",
            severity="info",
            table="accounts",
            title="Inherited IRAs need a person's look",
            detail=f"{plural(len(inherited), 'account')}: {listed(inherited['account_id'])}; what must be taken rests "
            "on the beneficiary and the year of death, which the tables do not hold.",
            remedy="work out the beneficiary's distribution (annual, or all within ten years) and note it",
            rows=inherited.reset_index(drop=True),
            money=float(inherited["stated_value"].sum()),
        )
    undated = accounts.loc[accounts["registration"].isin(OWNED) & accounts["owner_birth_date"].isna(), shown]
    if len(undated):
        yield Finding(
            check="rmd",
            severity="warning",
            table="accounts",
            title="Retirement accounts without the owner's date of birth",
            detail=f"{plural(len(undated), 'account')}: {listed(undated['account_id'])}; whether a distribution is "
            "required cannot be told.",
            remedy="add owner_birth_date",
            rows=undated.reset_index(drop=True),
            money=float(undated["stated_value"].sum()),
        )


def _not_assessable(rows: pd.DataFrame) -> Iterator[Finding]:
    if len(rows):
        yield Finding(
            check="rmd",
            severity="warning",
            table="prices",
            title="Required distributions that cannot be worked out",
            detail=f"{plural(len(rows), 'owner')}: {listed(rows['account_ids'])}; the balance at the prior year end "
            "holds a security without a price.",
            remedy="load prices back to that day, or take the balance from the custodian's Form 5498",
            rows=rows.reset_index(drop=True),
        )


def _outstanding(rows: pd.DataFrame, severity: str, title: str) -> Iterator[Finding]:
    if rows.empty:
        return
    worst = rows.iloc[0]
    yield Finding(
        check="rmd",
        severity=severity,
        table="accounts",
        title=title,
        detail=f"{plural(len(rows), 'owner')}: {listed(rows['account_ids'])}; the largest is due by "
        f"{worst['due_by']:%Y-%m-%d}: {worst['taken']:,.2f} of {worst['required']:,.2f} taken.",
        remedy="distribute what is outstanding, unless a younger spouse's joint table or another custodian's "
        "IRA covers it" + ("; then file Form 5329 to ask for relief" if title.endswith("missed") else ""),
        rows=rows.reset_index(drop=True),
        money=float(rows["outstanding"].sum()),
    )
