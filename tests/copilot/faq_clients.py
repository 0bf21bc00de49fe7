"""Right answers about clients and their accounts: restrictions, cash, holdings, notes, who and where."""

from __future__ import annotations

import pandas as pd

from tests.copilot.faq_reading import Day, Expected, Figure, Item, Way, Words, denies, must, says
from tests.copilot.faq_record import Record

_KINDS = {
    "never_sell": ("not be sold", "not sell", "never be sold", "never sell", "no sale", "cannot be sold"),
    "never_buy": ("not be bought", "not buy", "never be bought", "never buy", "no purchase", "cannot be bought"),
    "never_hold": ("not hold", "not be held", "never hold", "never be held", "cannot be held", "not own"),
    "screen": ("screen", "does not want", "not hold", "exclud", "not own", "avoid"),
    "max_weight": ("cap", "maximum", "at most", "no more than", "not exceed", "limit"),
    "min_cash": ("cash",),
    "hold_lot": ("lot", "pledged"),
    "directive": ("cash", "raise"),
}  # fmt: skip


def restriction(record: Record, restriction: str) -> Expected:
    """One restriction: what it forbids, of what, and its figure where it has one."""
    row = record.table("restrictions").set_index("restriction_id").loc[restriction]
    return must(*_of_restriction(record, row))


def _of_restriction(record: Record, row: pd.Series) -> Way:
    items: list[Item] = [says(*_KINDS[row["kind"]])]
    if row["kind"] == "screen":
        items.append(says(row["key"].replace("_", " "), row["key"], row["key"].replace("_", "-")))
    elif row["kind"] in ("never_sell", "never_buy", "never_hold", "max_weight"):
        items.append(says(row["key"], record.name(row["key"])))
    elif row["kind"] == "hold_lot":
        items.append(says(row["key"]))
    if pd.notna(row["value"]):
        items.append(Figure(row["value"], "fraction" if row["kind"] == "max_weight" else "usd"))
    return tuple(items)


def restrictions(record: Record, household: str) -> Expected:
    """Every restriction of a household and its accounts; that there is none."""
    scope = {household, *record.accounts_of(household)}
    rows = record.table("restrictions")
    rows = rows[rows["scope_id"].isin(scope)]
    if rows.empty:
        return must(denies("restriction", "screen", "restricted"))
    return must(*(item for _, row in rows.iterrows() for item in _of_restriction(record, row)))


def why_restricted(record: Record, restriction: str) -> Expected:
    """The reason a restriction was given for."""
    row = record.table("restrictions").set_index("restriction_id").loc[restriction]
    return must(says(row["reason"].replace("H00005", "").strip()))


def expired(record: Record, restriction: str) -> Expected:
    """That a restriction is no longer in force."""
    row = record.table("restrictions").set_index("restriction_id").loc[restriction]
    day = pd.Timestamp(row["expires_on"])
    if not day < record.today:
        raise AssertionError(f"{restriction} has not expired")
    return must(Words(("expired", "no longer", "lapsed", "ended", "ran out", "not in force"), ()))


def cash(record: Record, account: str = "", household: str = "") -> Expected:
    """The cash balance in dollars: of the account, or each account's or the sum of a household."""
    ids = [account] if account else record.accounts_of(household)
    held = record.holdings[(record.holdings["security_id"] == "CASH") & record.holdings["account_id"].isin(ids)]
    total = float(held["dollars"].sum())
    return Expected(((Figure(total),), tuple(Figure(one) for one in held["dollars"] if abs(one) >= 0.5)))


def value(record: Record, account: str = "", household: str = "") -> Expected:
    """What an account or household is worth at last closes."""
    ids = [account] if account else record.accounts_of(household)
    return must(Figure(sum(record.value(one) for one in ids)))


def largest(record: Record, account: str = "", household: str = "") -> Expected:
    """The largest holding but cash, by value, with its weight or its dollars."""
    ids = [account] if account else record.accounts_of(household)
    held = record.holdings[record.holdings["account_id"].isin(ids) & (record.holdings["security_id"] != "CASH")]
    by_security = held.groupby("security_id")["dollars"].sum().sort_values(ascending=False)
    top, whole = by_security.index[0], sum(record.value(one) for one in ids)
    named = says(top, record.table("securities").set_index("security_id")["name"][top])
    return Expected(
        ((named, Figure(by_security.iloc[0] / whole, "fraction")), (named, Figure(float(by_security.iloc[0]))))
    )


def position(record: Record, account: str, security: str, measure: str = "") -> Expected:
    """How much of one security an account holds: in the measure asked for, or in any of shares, dollars and weight."""
    held = record.holdings[(record.holdings["account_id"] == account) & (record.holdings["security_id"] == security)]
    if held.empty:
        return must(denies(security, record.name(security)))
    row = held.iloc[0]
    ways = {
        "shares": Figure(round(row.quantity, 4), "count", ("share",)),
        "dollars": Figure(row.dollars),
        "weight": Figure(row.weight, "fraction"),
    }
    return must(ways[measure]) if measure else Expected(tuple((one,) for one in ways.values()))


def note(record: Record, household: str, note: str) -> Expected:
    """A note on file, quoted or told with its day."""
    row = record.table("client_notes").set_index("note_id").loc[note]
    if row["household_id"] != household:
        raise AssertionError(f"{note} is of {row['household_id']}")
    return must(says(row["text"].rstrip(".").split(":")[0].split(". ")[0]), Day(row["written_on"].date()))


def last_note(record: Record, household: str) -> Expected:
    """The day of the latest note."""
    rows = record.table("client_notes")
    return must(Day(rows.loc[rows["household_id"] == household, "written_on"].max().date()))


def profile(record: Record, household: str, column: str) -> Expected:
    """One entry of a client's profile."""
    found = record.table("profiles").set_index("household_id").loc[household, column]
    if isinstance(found, pd.Timestamp):
        return must(Day(found.date()))
    return must(says(found) if isinstance(found, str) else Figure(float(found), "count", tuple(column.split("_"))))


def discretion(record: Record, account: str) -> Expected:
    """Whether an account is managed at discretion."""
    if record.accounts.loc[account, "discretionary"]:
        return must(says("discretion"), forbidden=(says("not discretionary", "non-discretionary", "must consent"),))
    return must(says("not discretionary", "non-discretionary", "consent", "agree", "no discretion", "decides"))


def custodian(record: Record, account: str) -> Expected:
    """Where an account is held."""
    names = record.table("custodians").set_index("custodian_id")["name"]
    return must(says(names[record.accounts.loc[account, "custodian_id"]]))


def accounts_of(record: Record, household: str) -> Expected:
    """Every account of a household."""
    return must(*(says(one) for one in record.accounts_of(household)))


def advisor_of(record: Record, household: str) -> Expected:
    """Who looks after a household."""
    names = record.table("advisors").set_index("advisor_id")["name"]
    return must(says(names[record.households.loc[household, "advisor_id"]]))


def book(record: Record, advisor: str, what: str = "households") -> Expected:
    """How many households or accounts are in an advisor's book."""
    rows = record.households if what == "households" else record.accounts
    mine = rows["advisor_id"] if what == "households" else rows["household_id"].map(record.households["advisor_id"])
    return must(Figure(int((mine == advisor).sum()), "count", (what.removesuffix("s"),)))
