"""What a right answer to a question of the FAQ set must contain, worked out apart from the code that answers.

Figures come straight from the firm's tables by plain arithmetic, from the frozen `Proposal`, and from the measured
performance chapter: never from the room that is judged. `judge` reads an answer as a person would: it looks for each
figure in any usual spelling, rounded as shown, with the right side named beside it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

import numpy as np
import pandas as pd

from workbench import rebalance
from workbench.exhibits import performance_review
from workbench.firm import Firm, open_at

Verdict = Literal["right", "wrong", "escalated"]
Unit = Literal["usd", "fraction", "count"]
ANSWERED = "answered"

OVER = ("over", "above", "more than", "exceed", "too much", "heavy", "+")
UNDER = ("under", "below", "less than", "short of", "too little", "light", "-")


@dataclass(frozen=True)
class Figure:
    """A number that must be shown: dollars, a fraction (as percent, points or basis points) or a count.

    `beside` are words of which one must stand in its sentence, `never` words that may not stand in its clause. The
    value is compared without its sign, which those words carry.
    """

    value: float
    unit: Unit = "usd"
    beside: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


@dataclass(frozen=True)
class Words:
    """Words of which at least one must stand in the answer."""

    any_of: tuple[str, ...]


@dataclass(frozen=True)
class Day:
    """A day that must be named, in any usual spelling."""

    day: date


Item = Figure | Words | Day
Way = tuple[Item, ...]


@dataclass(frozen=True)
class Expected:
    """Right answers: every item of one of the `ways` is there, and nothing `forbidden` is."""

    ways: tuple[Way, ...]
    forbidden: tuple[Item, ...] = ()


def must(*items: Item, forbidden: tuple[Item, ...] = ()) -> Expected:
    """Return what is expected where there is one way to say it."""
    return Expected((items,), forbidden)


def says(*any_of: str) -> Words:
    """Return words of which one must be there."""
    return Words(any_of)


# ---------------------------------------------------------------------------------------------------------------------
# Reading an answer
# ---------------------------------------------------------------------------------------------------------------------

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_SIZES = {"k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "bn": 1e9, "billion": 1e9}
_NUMBER = r"(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
_MONEY = re.compile(
    r"(?P<sign>[+-]?)\s?\$\s?(?P<inner>[+-]?)" + _NUMBER + r"(?:\s?(?P<size>k|thousand|million|m|bn|billion)\b)?", re.I
)
_RATE = re.compile(
    r"(?P<sign>(?<![\w.])[+-]?)\s?"
    + _NUMBER
    + r"\s?(?P<unit>%|per ?cent(?:age points?)?\b|pp\b|points?\b|bps?\b|basis points?\b)",
    re.I,
)
_PLAIN = re.compile(r"(?P<sign>(?<![\w.$,-])[+-]?)" + _NUMBER + r"(?![\w%]|[.,]\d|\s?%)")
#: Ends of sentences and lines; a full stop inside a number or an abbreviation is none.
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"$])|\n+")
_CLAUSE = re.compile(r"[;:]\s|,\s|\s(?:and|but|while|which|because|whereas)\s")


@dataclass(frozen=True)
class Shown:
    """A figure as an answer shows it: its value and half the last place shown, with the text around it."""

    value: float
    half: float
    sign: str
    clause: str
    sentence: str


def plain(text: str) -> str:
    """Return text with one kind of space, hyphen and apostrophe, and without emphasis marks."""
    for fancy, simple in {
        "\u00a0": " ",
        "\u202f": " ",
        "\u2009": " ",
        "\u2212": "-",
        "\u2013": "-",
        "\u2019": "'",
    }.items():
        text = text.replace(fancy, simple)
    return text.replace("**", "").replace("`", "")


def shown(text: str, unit: Unit) -> list[Shown]:
    """Return the figures of one unit that a text shows."""
    found = []
    for sentence in _SENTENCE.split(plain(text)):
        for clause in _CLAUSE.split(sentence):
            found += [_read(match, unit, clause, sentence) for match in _PATTERNS[unit].finditer(clause)]
            if unit == "count":
                for place, word in enumerate(_COUNTS):
                    if re.search(rf"\b{word}\b", clause, re.I):
                        found.append(Shown(float(place), 0.0, "", clause, sentence))
    return found


_PATTERNS: Mapping[Unit, re.Pattern[str]] = {"usd": _MONEY, "fraction": _RATE, "count": _PLAIN}


def _read(match: re.Match[str], unit: Unit, clause: str, sentence: str) -> Shown:
    parts = match.groupdict()
    digits = parts["number"].replace(",", "")
    decimals = len(digits.partition(".")[2])
    scale = 1.0
    if unit == "usd":
        scale = _SIZES.get((parts["size"] or "").lower(), 1.0)
    elif unit == "fraction":
        scale = 0.0001 if parts["unit"].lower().startswith("b") else 0.01
    sign = parts["sign"] or parts.get("inner") or ""
    return Shown(float(digits) * scale, 0.5 * 10.0**-decimals * scale, sign, clause, sentence)


def has(text: str, item: Item) -> bool:
    """Return whether a text contains an item."""
    if isinstance(item, Words):
        return any(_stands(word, plain(text)) for word in item.any_of)
    if isinstance(item, Day):
        return any(spelling.lower() in plain(text).lower() for spelling in _spellings(item.day))
    return any(_fits(one, item) for one in shown(text, item.unit))


def _stands(word: str, text: str) -> bool:
    """Whether a word, or a longer one that begins with it, stands in a text."""
    start = r"(?<!\w)" if word[0].isalnum() else ""
    return re.search(start + re.escape(word), text, re.I) is not None


def _spellings(day: date) -> tuple[str, ...]:
    month = _MONTHS[day.month - 1]
    return (
        day.isoformat(), f"{day.day} {month} {day.year}", f"{day.day} {month[:3]} {day.year}",
        f"{month} {day.day}, {day.year}", f"{month[:3]} {day.day}, {day.year}", f"{day.month}/{day.day}/{day.year}",
    )  # fmt: skip


def _fits(one: Shown, figure: Figure) -> bool:
    value = abs(figure.value)
    if figure.unit == "count":
        near = one.value == value
    else:
        coarsest = max(0.06 * value, 0.00055 if figure.unit == "fraction" else 0.51)
        near = abs(one.value - value) <= one.half * 1.001 + 1e-9 and one.half <= coarsest
    if not near:
        return False
    if one.sign and (figure.beside or figure.never):
        if one.sign in figure.never:
            return False
        if one.sign in figure.beside:
            return True
    worded = [word for word in figure.beside if word not in "+-"]
    wrong = [word for word in figure.never if word not in "+-"]
    if any(_stands(word, one.clause) for word in wrong):
        return False
    return not worded or any(_stands(word, one.sentence) for word in worded)


def judge(entry: Mapping[str, Any], answer_text: str, status: str, record: Record | None = None) -> Verdict:
    """Judge one answer: `status` is the copilot's ("answered", or a way of not answering).

    `right`: answered with every required figure and word, or, for a passage, on its subject. `wrong`: answered with
    anything else, answered where it should have escalated, or refused with a sum or rate that nobody asked about.
    `escalated`: anything else. `record` is the demo firm's unless given.
    """
    if status != ANSWERED:
        return "wrong" if _volunteers(answer_text, str(entry["question"])) else "escalated"
    if entry["expect"] == "escalate":
        return "wrong"
    wanted = expected(entry, record)
    if any(has(answer_text, item) for item in wanted.forbidden):
        return "wrong"
    return "right" if any(all(has(answer_text, item) for item in way) for way in wanted.ways) else "wrong"


def _volunteers(text: str, question: str) -> bool:
    """Whether an answer that is none shows a sum or a rate that the question did not."""
    asked = {one.value for unit in _PATTERNS for one in shown(question, unit)}
    return any(one.value not in asked for unit in ("usd", "fraction") for one in shown(text, unit))  # type: ignore[arg-type]


def expected(entry: Mapping[str, Any], record: Record | None = None) -> Expected:
    """Return what a right answer to an entry must contain.

    Raises `KeyError` for an entry that names an oracle there is none of.
    """
    if entry["expect"] == "passage":
        return must(says(*entry["keywords"]))
    return ORACLES[entry["oracle"]](record or demo_record(), **entry.get("arguments", {}))


# ---------------------------------------------------------------------------------------------------------------------
# The firm, read plainly
# ---------------------------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class Record:
    """A firm's tables, and what several oracles take from them."""

    firm: Firm
    _tables: dict[str, pd.DataFrame] = field(default_factory=dict)

    def table(self, name: str) -> pd.DataFrame:
        if name not in self._tables:
            self._tables[name] = self.firm.table(name)
        return self._tables[name]

    @functools.cached_property
    def today(self) -> pd.Timestamp:
        return pd.Timestamp(self.firm.as_of)

    @functools.cached_property
    def close(self) -> pd.Series:
        """Last close by security; cash is 1."""
        last = self.closes(self.today)
        return last

    def closes(self, day: pd.Timestamp) -> pd.Series:
        prices = self.table("prices")
        known = prices[prices["date"] <= day].sort_values("date").groupby("security_id")["close"].last()
        known["CASH"] = 1.0
        return known

    @functools.cached_property
    def holdings(self) -> pd.DataFrame:
        """One row a position: quantity, dollars, weight in its account, and what it is."""
        held = self.table("positions").merge(self.table("securities"), on="security_id")
        held["dollars"] = held["quantity"] * held["security_id"].map(self.close)
        held["weight"] = held["dollars"] / held.groupby("account_id")["dollars"].transform("sum")
        return held

    @functools.cached_property
    def accounts(self) -> pd.DataFrame:
        return self.table("accounts").set_index("account_id", drop=False)

    @functools.cached_property
    def households(self) -> pd.DataFrame:
        return self.table("households").set_index("household_id", drop=False)

    def accounts_of(self, household: str) -> list[str]:
        return sorted(self.accounts.index[self.accounts["household_id"] == household])

    def in_force(self, model: str) -> int:
        versions = self.table("models")
        mine = versions[(versions["model_id"] == model) & (versions["status"] != "draft")]
        return int(mine[mine["effective_date"] <= self.today].sort_values("effective_date")["version"].iloc[-1])

    def draft(self, model: str) -> int:
        versions = self.table("models")
        return int(versions[(versions["model_id"] == model) & (versions["status"] == "draft")]["version"].iloc[-1])

    def targets(self, model: str, version: int, level: str) -> pd.Series:
        """Target by key of a level."""
        rows = self.table("model_targets")
        rows = rows[(rows["model_id"] == model) & (rows["version"] == version)]
        if level == "sleeve":
            names = self.table("sleeves").set_index("sleeve_id")["name"]
            return rows.groupby(rows["sleeve_id"].map(names))["target"].sum()
        return rows.merge(self.table("securities"), on="security_id").groupby(_COLUMN[level])["target"].sum()

    def weights(self, account: str, level: str) -> pd.Series:
        mine = self.holdings[self.holdings["account_id"] == account]
        return mine.groupby(_COLUMN[level])["weight"].sum()

    def deviations(self, account: str, level: str) -> pd.DataFrame:
        """Weight, target and their difference by key."""
        model = self.accounts.loc[account, "model_id"]
        frame = pd.DataFrame(
            {"weight": self.weights(account, level), "target": self.targets(model, self.in_force(model), level)}
        ).fillna(0.0)
        return frame.assign(deviation=frame["weight"] - frame["target"])

    def value(self, account: str) -> float:
        return float(self.holdings.loc[self.holdings["account_id"] == account, "dollars"].sum())

    def lots(self, account: str, security: str) -> pd.DataFrame:
        """Open lots with gain a share, and whether they are long-term on the as-of date."""
        rows = self.table("lots")
        rows = rows[(rows["account_id"] == account) & (rows["security_id"] == security)].copy()
        rows["basis"] = rows["cost_per_share"] + rows["wash_adjustment"] / rows["quantity"]
        rows["gain"] = self.close[security] - rows["basis"]
        # Long-term is more than a year: sold after the same day of the next year (IRC 1222).
        rows["long"] = rows["holding_start"] + pd.DateOffset(years=1) <= self.today
        return rows

    @functools.cached_property
    def proposals(self) -> dict[str, rebalance.Proposal]:
        made = rebalance.propose_firm(rebalance.load(self.firm), rebalance.Settings())
        return {one.household_id: one for one in made}

    @functools.cached_property
    def performance(self) -> performance_review.PerformanceReview:
        return performance_review.measure(self.firm)

    def name(self, security: str) -> str:
        """The first word of a security's name, as people say it."""
        full = self.table("securities").set_index("security_id")["name"]
        return str(full[security]).split()[0].rstrip(",.")


_COLUMN = {"security": "security_id", "sector": "sector", "asset_class": "asset_class", "region": "region"}


@functools.cache
def demo_record() -> Record:
    """The demo firm's record, opened once."""
    return Record(open_at("demo", None))


# ---------------------------------------------------------------------------------------------------------------------
# Oracles, by subject
# ---------------------------------------------------------------------------------------------------------------------


def _sided(value: float) -> Figure:
    """A deviation with its side."""
    if abs(value) < 0.0005:
        return Figure(value, "fraction")
    beside, never = (OVER, UNDER) if value > 0 else (UNDER, OVER)
    return Figure(value, "fraction", beside, never)


def _off(row: Any) -> tuple[Way, ...]:
    """A deviation as such, or as the weight and the target."""
    return (_sided(row.deviation),), (Figure(row.weight, "fraction"), Figure(row.target, "fraction"))


def deviation(record: Record, level: str, key: str, account: str = "", household: str = "") -> Expected:
    """How far a key is from its target; of a household each account, or all of them weighted by value."""
    if account:
        return Expected(_off(record.deviations(account, level).loc[key]))
    ids = [
        one
        for one in record.accounts_of(household)
        if record.value(one) and pd.notna(record.accounts.loc[one, "model_id"])
    ]
    rows = pd.DataFrame([record.deviations(one, level).loc[key] for one in ids], index=ids)
    total = rows.mul([record.value(one) for one in ids], axis=0).sum() / sum(record.value(one) for one in ids)
    each = tuple(_sided(row.deviation) for row in rows.itertuples())
    pairs = tuple(Figure(figure, "fraction") for row in rows.itertuples() for figure in (row.weight, row.target))
    return Expected((*_off(total), each, pairs))


def furthest_off(record: Record, account: str) -> Expected:
    """What is furthest from target, at any level an answer may choose, with its deviation."""
    ways = []
    for level in _COLUMN:
        frame = record.deviations(account, level)
        key = frame["deviation"].abs().idxmax()
        names = (key, record.name(key)) if level == "security" else (key,)
        ways.append((says(*names), _sided(frame.loc[key, "deviation"])))
    return Expected(tuple(ways))


def band(record: Record, account: str, level: str, key: str) -> Expected:
    """Whether a weight is inside its band: the tighter of the absolute and the relative width."""
    row = record.deviations(account, level).loc[key]
    rules = record.table("tolerances")
    rules = rules[(rules["model_id"] == record.accounts.loc[account, "model_id"]) & (rules["level"] == level)]
    mine = rules[rules["key"] == key] if (rules["key"] == key).any() else rules[rules["key"] == "*"]
    width = np.nanmin([mine["absolute"].iloc[0], mine["relative"].iloc[0] * row.target if row.target else np.nan])
    outside = abs(row.deviation) > width
    no = says("outside", "out of band", "out of its band", "breach", "beyond", "exceeds its band", "past its band")
    yes = says("inside", "within", "in band", "in its band", "not outside", "no breach")
    return (
        must(no, forbidden=(says("is inside", "is within"),))
        if outside
        else must(yes, forbidden=(says("is outside", "is out of"),))
    )


def last_rebalanced(record: Record, account: str) -> Expected:
    """The day an account last stood on its model."""
    return must(Day(record.accounts.loc[account, "last_rebalanced_on"].date()))


def trade_count(record: Record, household: str) -> Expected:
    """How many trades are proposed; none at all may be said in words."""
    made = record.proposals[household].trades
    return must(Figure(len(made), "count"))


def trade(record: Record, account: str, security: str) -> Expected:
    """A proposed trade: its side with its shares or its dollars; where there is none, that there is none."""
    household = record.accounts.loc[account, "household_id"]
    made = [
        one for one in record.proposals[household].trades if (one.account_id, one.security_id) == (account, security)
    ]
    if not made:
        return must(says("no ", "not ", "none", "nothing"), forbidden=(Figure(0.01, "usd", ("proposed",)),))
    side, other = (
        (("buy", "bought", "purchase"), ("sell", "sale of"))
        if made[0].side == "buy"
        else (("sell", "sale", "sold"), ("buy ", "purchase of"))
    )
    shares, amount = sum(one.shares for one in made), sum(one.amount for one in made)
    named = says(security, record.name(security))
    return Expected(
        (
            (named, says(*side), Figure(round(shares, 4), "count", never=other)),
            (named, says(*side), Figure(amount, "usd", never=other)),
        )
    )


_OBSTACLES = {
    "never_sell": ("not be sold", "not sell", "never be sold", "never sell", "may not be sold", "inherited", "restriction", "tax hold"),
    "never_buy": ("not be bought", "not buy", "never be bought", "never buy", "officer", "restriction"),
    "never_hold": ("not hold", "not be held", "never hold", "may not be held", "restriction"),
    "screen": ("screen", "fossil", "tobacco", "weapons"),
    "hold_lot": ("pledged", "collateral", "lot"),
    "gain_budget": ("budget",),
    "tax": ("tax",),
    "cost": ("cost",),
    "wash_sale": ("wash",),
    "cash_floor": ("cash",),
    "minimum_trade": ("minimum", "too small"),
    "not_discretionary": ("discretion", "consent"),
    "max_weight": ("cap", "maximum", "at most"),
}  # fmt: skip


def refused(record: Record, account: str, security: str) -> Expected:
    """Why something is not traded: what stood against it."""
    household = record.accounts.loc[account, "household_id"]
    against = [
        one.obstacle
        for one in record.proposals[household].refused
        if (one.account_id, one.security_id) == (account, security)
    ]
    if not against:
        raise AssertionError(f"nothing stood against {security} in {account}")
    return must(says(*(word for obstacle in against for word in _OBSTACLES[obstacle])))


_CAUSES = {
    "overweight": ("over", "above"),
    "underweight": ("under", "below"),
    "off_model": ("not in the model", "off model", "off the model", "no place in the model", "no target"),
    "harvest": ("harvest", "loss"),
    "replacement": ("replace", "place of", "stand in", "substitute"),
    "raise_cash": ("cash",),
    "invest_cash": ("cash",),
    "location": ("location", "taxed less", "better place", "tax drag", "other account", "another account"),
    "restriction": ("restriction", "may not", "screen"),
    "transition": ("transition", "model"),
}  # fmt: skip


def why_traded(record: Record, account: str, security: str) -> Expected:
    """The cause of a proposed trade, in words."""
    household = record.accounts.loc[account, "household_id"]
    causes = {
        one.reason.cause
        for one in record.proposals[household].trades
        if (one.account_id, one.security_id) == (account, security)
    }
    if not causes:
        raise AssertionError(f"{security} is not traded in {account}")
    return must(says(security, record.name(security)), says(*(word for cause in causes for word in _CAUSES[cause])))


def proposal_tax(record: Record, household: str) -> Expected:
    """The tax of a whole proposal, owed or saved."""
    tax = record.proposals[household].tax
    if abs(tax) < 0.5:
        return Expected(((says("no tax", "nothing", "tax-free", "does not change"),), (Figure(0.0),)))
    saved = ("sav", "lower", "reduc", "benefit", "less", "credit", "-")
    owed = ("cost", "owe", "adds", "raise", "tax of", "due", "increase", "more", "higher", "tax", "+")
    return must(
        Figure(tax, "usd", owed, saved[:1]) if tax > 0 else Figure(tax, "usd", saved, ("owes", "owed", "adds", "costs"))
    )


def proposal_cost(record: Record, household: str) -> Expected:
    """What the trades cost: spread, impact and tickets."""
    made = record.proposals[household]
    bare, tickets = made.cost, sum(one.fee for one in made.trades)
    return Expected(tuple((Figure(cost),) for cost in (bare, bare + tickets, bare - tickets)))


def losses_harvested(record: Record, household: str) -> Expected:
    """Losses that a proposal takes."""
    return must(Figure(record.proposals[household].tax_table.losses_harvested, "usd", ("loss", "harvest")))


def consent(record: Record, household: str) -> Expected:
    """The accounts whose client must agree first; that nobody must, where none."""
    ids = [note.account_id for note in record.proposals[household].notes if note.kind == "consent"]
    if ids:
        return must(*(says(one) for one in ids), says("consent", "agree", "discretion"))
    return must(says("no ", "none", "not "), says("consent", "agree", "discretion"))


def sale(record: Record, account: str, security: str, shares: float = 0.0) -> Expected:
    """Gain of selling a position, or part of it by any usual order of lots; in an IRA, that no gain is taxed."""
    registration = record.accounts.loc[account, "registration"]
    if registration not in ("taxable", "trust"):
        untaxed = says(
            "no tax", "not taxed", "untaxed", "no capital gain", "tax-deferred", "tax-free", "no gain", "tax-exempt"
        )
        return Expected(((untaxed,), (Figure(0.0, "usd", ("tax",)),)))
    lots = record.lots(account, security)
    orders = [lots.index] if not shares else _orders(record, account, lots)
    ways = []
    for order in orders:
        taken = lots.loc[order]
        before = taken["quantity"].cumsum().shift(fill_value=0.0)
        sold = (min(shares, float(lots["quantity"].sum())) if shares else float(lots["quantity"].sum())) - before
        gain = taken["gain"] * sold.clip(lower=0.0, upper=taken["quantity"])
        short, long = float(gain[~taken["long"]].sum()), float(gain[taken["long"]].sum())
        parts = [_gain(part) for part in (short, long) if abs(part) >= 0.5]
        ways += [(_gain(short + long),), tuple(parts)]
    return Expected(tuple(way for way in ways if way))


def _gain(amount: float) -> Figure:
    """A gain or a loss, called by its name or carried by its sign."""
    if amount < 0:
        return Figure(amount, "usd", ("loss", "-"), ("gain of", "+"))
    return Figure(amount, "usd", ("gain", "+"), ("loss of", "-"))


def _orders(record: Record, account: str, lots: pd.DataFrame) -> list[pd.Index]:
    """Lots in the orders that may be meant: least tax first, highest cost first, oldest first, youngest first."""
    home = record.households.loc[record.accounts.loc[account, "household_id"]]
    extra = home["state_rate"] + (0.038 if home["niit"] else 0.0)
    rate = np.where(lots["long"], home["long_term_rate"], home["ordinary_rate"]) + extra
    by_tax = (lots["gain"] * rate).sort_values(kind="stable").index
    by_cost = lots["basis"].sort_values(ascending=False, kind="stable").index
    by_age = lots["acquired_on"].sort_values(kind="stable").index
    return [by_tax, by_cost, by_age, by_age[::-1]]


def gain_budget(record: Record, household: str) -> Expected:
    """What is left of the year's budget of gains; by how much it is exceeded; that there is none."""
    home = record.households.loc[household]
    used = home["realised_short"] + home["realised_long"]
    if pd.isna(home["gain_budget"]):
        return must(
            says(
                "no limit",
                "no gain budget",
                "no budget",
                "not limited",
                "without a budget",
                "has no",
                "no capital gain budget",
                "unlimited",
            )
        )
    left = home["gain_budget"] - max(used, 0.0)
    if left < -0.5:
        over = says(
            "exceed",
            "over",
            "used up",
            "nothing left",
            "no gain",
            "none left",
            "above",
            "past",
            "spent",
            "nothing is left",
            "none",
        )
        return must(
            over, forbidden=(Figure(left, "usd", ("left", "remain"), ("over", "exceed", "above", "past", "-")),)
        )
    if left < 0.5:
        return must(says("nothing", "none", "no ", "zero", "$0"))
    ways: list[Way] = [(Figure(left),)]
    if used < 0:
        ways.append((Figure(home["gain_budget"] - used),))
    return Expected(tuple(ways))


def budget_total(record: Record, household: str) -> Expected:
    """The budget itself."""
    return must(Figure(record.households.loc[household, "gain_budget"]))


def realised(record: Record, household: str, term: str = "both") -> Expected:
    """Gains of the year to date: short-term, long-term, both, or their sum."""
    home = record.households.loc[household]
    short, long = home["realised_short"], home["realised_long"]
    if term == "short":
        return must(_gain(short)) if abs(short) > 0.005 else must(says("no ", "none", "nothing", "$0"))
    if term == "long":
        return must(_gain(long)) if abs(long) > 0.005 else must(says("no ", "none", "nothing", "$0"))
    if abs(short) + abs(long) < 0.005:
        return must(says("no ", "none", "nothing", "$0", "not realised"))
    parts = tuple(_gain(part) for part in (short, long) if abs(part) > 0.005)
    return Expected((parts, (_gain(short + long),)))


def carryforward(record: Record, household: str) -> Expected:
    """Losses carried in: both terms, or their sum; that there are none."""
    home = record.households.loc[household]
    short, long = home["carryforward_short"], home["carryforward_long"]
    if short + long < 0.005:
        return must(says("no ", "none", "nothing", "$0"))
    return Expected(((Figure(short), Figure(long)), (Figure(short + long),)))


def wash_until(record: Record, household: str, security: str, kind: str) -> Expected:
    """The last blocked day of a line of the wash calendar, or the first free one."""
    rows = [row for row in record.proposals[household].wash if row.kind == kind and security in row.securities]
    if not rows:
        raise AssertionError(f"no {kind} of {security} in {household}")
    last = max(row.last_day for row in rows)
    return Expected(((Day(last),), (Day((pd.Timestamp(last) + pd.DateOffset(days=1)).date()),)))


def wash_free(record: Record, household: str) -> Expected:
    """That nothing is in a wash window."""
    if record.proposals[household].wash:
        raise AssertionError(f"{household} has a wash calendar")
    return must(says("no ", "none", "nothing", "not "))


_DIVISORS = {
    72: 27.4, 73: 26.5, 74: 25.5, 75: 24.6, 76: 23.7, 77: 22.9, 78: 22.0, 79: 21.1, 80: 20.2, 81: 19.4, 82: 18.5,
    83: 17.7, 84: 16.8, 85: 16.0,
}  # fmt: skip


def _year_end_value(record: Record, account: str) -> float:
    """Value on the last 31 December, later transactions taken back."""
    eve = pd.Timestamp(record.today.year - 1, 12, 31)
    moved = record.table("transactions")
    moved = moved[(moved["account_id"] == account) & (moved["trade_date"] > eve)]
    held = record.table("positions")
    held = held[held["account_id"] == account].set_index("security_id")["quantity"]
    shares = held.drop("CASH", errors="ignore").sub(
        moved[moved["security_id"] != "CASH"].groupby("security_id")["quantity"].sum(), fill_value=0.0
    )
    cash = float(held.get("CASH", 0.0)) - float(moved["amount"].sum())
    return float((shares * record.closes(eve).reindex(shares.index)).sum()) + cash


def rmd(record: Record, account: str, ask: str = "required") -> Expected:
    """This year's required distribution of a traditional IRA: what is required, what was taken, by when it is due."""
    born, year = record.accounts.loc[account, "owner_birth_date"], record.today.year
    registration = record.accounts.loc[account, "registration"]
    if registration != "traditional_ira" or born.year > year - 72:
        return must(says("no ", "none", "not ", "nothing"), forbidden=(says("must be taken by", "is due by"),))
    owed = max(_year_end_value(record, account), 0.0) / _DIVISORS[year - born.year]
    if owed < 0.005:
        return must(says("no ", "none", "nothing", "$0"))
    if ask == "due":
        first = born.year == year - 72
        return must(Day(date(year + 1, 4, 1) if first else date(year, 12, 31)))
    paid = record.table("transactions")
    paid = paid[(paid["account_id"] == account) & (paid["kind"] == "withdrawal") & (paid["trade_date"].dt.year == year)]
    taken = -float(paid["amount"].sum())
    if ask == "taken":
        if taken >= owed - 0.01:
            done = says("taken", "satisfied", "met", "complete", "nothing", "done", "no ")
            return must(done, forbidden=(says("not been taken", "still to take", "has not taken"),))
        return Expected(((Figure(owed - taken),), (Figure(taken), Figure(owed))))
    return must(Figure(owed))


_KINDS = {
    "never_sell": ("not be sold", "not sell", "never be sold", "never sell", "never to be sold", "no sale", "cannot be sold"),
    "never_buy": ("not be bought", "not buy", "never be bought", "never buy", "no purchase", "cannot be bought"),
    "never_hold": ("not hold", "not be held", "never hold", "never be held", "cannot be held", "not own", "not be bought"),
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
    if pd.notna(row["value"]):
        items.append(Figure(row["value"], "fraction" if row["kind"] == "max_weight" else "usd"))
    return tuple(items)


def restrictions(record: Record, household: str) -> Expected:
    """Every restriction of a household and its accounts; that there is none."""
    scope = {household, *record.accounts_of(household)}
    rows = record.table("restrictions")
    rows = rows[rows["scope_id"].isin(scope)]
    if rows.empty:
        return must(says("no ", "none", "nothing"))
    return must(*(item for _, row in rows.iterrows() for item in _of_restriction(record, row)))


def why_restricted(record: Record, restriction: str) -> Expected:
    """The reason a restriction was given for."""
    row = record.table("restrictions").set_index("restriction_id").loc[restriction]
    return must(says(row["reason"].replace("H00005", "").strip()))


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


def position(record: Record, account: str, security: str) -> Expected:
    """How much of one security an account holds: shares, dollars or weight."""
    held = record.holdings[(record.holdings["account_id"] == account) & (record.holdings["security_id"] == security)]
    if held.empty:
        return must(says("no ", "none", "not hold", "does not"))
    row = held.iloc[0]
    ways: tuple[Item, ...] = (
        Figure(round(row.quantity, 4), "count"), Figure(row.dollars), Figure(row.weight, "fraction")
    )  # fmt: skip
    return Expected(tuple((one,) for one in ways))


def model_of(record: Record, account: str) -> Expected:
    """The model an account follows, by name; that it follows none."""
    model = record.accounts.loc[account, "model_id"]
    if pd.isna(model):
        return must(says("no model", "none", "not follow", "without a model", "unmanaged", "not managed"))
    names = record.table("models").drop_duplicates("model_id").set_index("model_id")["name"]
    others = tuple(f"follows {name}" for key, name in names.items() if key != model)
    return must(says(names[model]), forbidden=(Words(others),))


def target(record: Record, model: str, level: str, key: str, version: int = 0) -> Expected:
    """A model's target of a key, in the version in force unless another is named."""
    return must(Figure(record.targets(model, version or record.in_force(model), level)[key], "fraction"))


def target_change(record: Record, model: str, level: str, key: str) -> Expected:
    """What the draft version would change: the difference, or both targets."""
    old = record.targets(model, record.in_force(model), level)[key]
    new = record.targets(model, record.draft(model), level)[key]
    up = ("rise", "up", "more", "add", "increas", "from", "+", "gain", "higher")
    down = ("fall", "down", "less", "cut", "reduc", "from", "-", "trim", "lower", "decreas")
    change = Figure(new - old, "fraction", *((up, down[:3]) if new > old else (down, up[:3])))
    return Expected(((change,), (Figure(old, "fraction"), Figure(new, "fraction"))))


def largest_changes(record: Record, model: str) -> Expected:
    """What the draft moves most, by asset class or sleeve: the two largest, each with its size or both targets."""
    ways: list[Way] = []
    for level in ("asset_class", "sleeve"):
        old = record.targets(model, record.in_force(model), level)
        new = record.targets(model, record.draft(model), level)
        moved = (new - old).abs().round(10).sort_values(ascending=False, kind="stable").index[:2]
        ways.append(tuple(item for key in moved for item in (says(key), Figure(new[key] - old[key], "fraction"))))
        ways.append(
            tuple(
                item
                for key in moved
                for item in (says(key), Figure(old[key], "fraction"), Figure(new[key], "fraction"))
            )
        )
    return Expected(tuple(ways))


def effective(record: Record, model: str, version: int = 0) -> Expected:
    """The day a version took effect, or would."""
    rows = record.table("models").set_index(["model_id", "version"])
    return must(Day(rows.loc[(model, version or record.in_force(model)), "effective_date"].date()))


def history(record: Record, model: str) -> Expected:
    """The days of every version that is or was in force."""
    rows = record.table("models")
    rows = rows[(rows["model_id"] == model) & (rows["status"] != "draft")]
    return must(*(Day(day.date()) for day in rows["effective_date"]))


def version_count(record: Record, model: str) -> Expected:
    """Which version is in force."""
    return must(Figure(record.in_force(model), "count"))


def rationale(record: Record, model: str, words: list[str], version: int = 0) -> Expected:
    """The committee's words; `words` must stand in them."""
    rows = record.table("models").set_index(["model_id", "version"])
    text = rows.loc[(model, version or record.in_force(model)), "rationale"]
    missing = [word for word in words if word.lower() not in text.lower()]
    if missing:
        raise AssertionError(f"the rationale does not say {missing}")
    return must(*(says(word) for word in words))


def not_approved(record: Record, model: str) -> Expected:
    """That the draft version is a draft."""
    if record.draft(model) <= record.in_force(model):
        raise AssertionError(f"{model} has no draft")
    return must(
        says("draft", "not approved", "pending", "not in force", "proposal"),
        forbidden=(says("has been approved", "was approved on"),),
    )


def benchmark(record: Record, model: str) -> Expected:
    """What a model is measured against."""
    rows = record.table("models").set_index(["model_id", "version"])
    first, second = rows.loc[(model, record.in_force(model)), "benchmark"].replace(" %", "%").partition(",")[::2]
    words = [says(part.split("%")[1].strip()) for part in (first, second) if part]
    return must(*words, *(Figure(float(part.split("%")[0]) / 100, "fraction") for part in (first, second) if part))


def followers(record: Record, model: str, advisor: str = "") -> Expected:
    """How many accounts follow a model, of the firm or of an advisor's households; or how many households."""
    rows = record.accounts[record.accounts["model_id"] == model]
    if advisor:
        rows = rows[rows["household_id"].map(record.households["advisor_id"]) == advisor]
    return must(Figure(len(rows), "count"))


def book(record: Record, advisor: str, what: str = "households") -> Expected:
    """How many households or accounts are in an advisor's book."""
    rows = record.households if what == "households" else record.accounts
    mine = rows["advisor_id"] if what == "households" else rows["household_id"].map(record.households["advisor_id"])
    return must(Figure(int((mine == advisor).sum()), "count"))


def composite_return(record: Record, model: str, span: str, measure: str = "net") -> Expected:
    """A composite's return over a span: "quarter", "year", "years_1", "years_3", "years_5" or "since"."""
    track = next(one for one in record.performance.tracks if one.key == model)
    over = next(one for one in track.spans(record.performance.sessions) if one.name == span)
    if measure == "excess":
        net, against = over.returned(track.net), over.returned(track.benchmark)
        gross = over.returned(track.gross)
        return Expected(
            (
                (_ahead(net - against),),
                (_ahead(gross - against), says("gross", "before fees")),
                (Figure(net, "fraction"), Figure(against, "fraction")),
            )
        )
    return must(_return(over.returned(getattr(track, measure))))


def _ahead(value: float) -> Figure:
    better, worse = (
        ("ahead", "above", "beat", "outperform", "+", "better", "more"),
        ("behind", "below", "trail", "lag", "underperform", "-", "worse", "less"),
    )
    return Figure(value, "fraction", *((better, worse) if value > 0 else (worse, better)))


def _return(value: float) -> Figure:
    """A return with its sign, or a word for it."""
    lost = ("lost", "loss", "fell", "down", "-", "negative", "declin")
    made = ("gained", "earned", "rose", "up", "+", "return", "made")
    return Figure(value, "fraction", *((lost, ("gained", "rose", "+")) if value < 0 else (made, ("lost", "fell", "-"))))


def account_return(record: Record, account: str, span: str) -> Expected:
    """An account's time-weighted return over a span, after fees or before them."""
    review = record.performance
    place = review.net.account_ids.get_loc(account)
    ways = []
    for fees, words in ((review.net, ()), (review.gross, ("gross", "before fees"))):
        daily = pd.Series(fees.daily[place], index=review.sessions[1:])
        over = next(one for one in review.tracks[0].spans(review.sessions) if one.name == span)
        way: Way = (_return(over.returned(daily)),)
        ways.append((*way, says(*words)) if words else way)
    return Expected(tuple(ways))


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
    return must(says(found) if isinstance(found, str) else Figure(float(found), "count"))


def rate(record: Record, household: str, column: str) -> Expected:
    """A tax rate of a household."""
    return must(Figure(record.households.loc[household, column], "fraction"))


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


ORACLES: dict[str, Callable[..., Expected]] = {
    function.__name__: function
    for function in (
        account_return, accounts_of, advisor_of, band, benchmark, book, budget_total, carryforward, cash,
        composite_return, consent, custodian, deviation, discretion, effective, followers, furthest_off, gain_budget,
        history, largest, largest_changes, last_note, last_rebalanced, losses_harvested, model_of, not_approved, note,
        position, profile, proposal_cost, proposal_tax, rate, rationale, realised, refused, restriction, restrictions,
        rmd, sale, target, target_change, trade, trade_count, value, version_count, wash_free, wash_until,
        why_restricted, why_traded,
    )
}  # fmt: skip
