"""Attacks on a draft's figures and days: wrong values in other clothes, wrong units, fractions, multiples, ranges.

Each attack yields altered texts with whether they still state facts only; what a draft states is known from its
skeleton (`benchmarks.drafting_mutations.mark`), so this is told without the verifier.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal

from benchmarks.drafting_mutations import Marked, Place, borne, reads_as
from workbench.report.format import long_date

Made = Iterator[tuple[str, bool]]
Attack = Callable[[Marked, random.Random], Made]
_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def worded(number: int) -> str:
    """Return a whole number below a million in words."""
    if number < 20:
        return _ONES[number]
    if number < 100:
        return _TENS[number // 10 - 2] + (f"-{_ONES[number % 10]}" if number % 10 else "")
    step, name = (1000, "thousand") if number >= 1000 else (100, "hundred")
    rest = number % step
    return f"{worded(number // step)} {name}" + (f" {worded(rest)}" if rest else "")


def dollars(marked: Marked) -> list[Place]:
    """The plain dollar figures of a draft, $9,358."""
    return [one for one in marked.figures() if re.fullmatch(r"\$\d[\d,]*", marked.shown(one))]


def rates(marked: Marked) -> list[Place]:
    """The plain percentages of a draft, 3.1%."""
    return [one for one in marked.figures() if re.fullmatch(r"\d+(?:\.\d+)?%", marked.shown(one))]


def counts(marked: Marked) -> list[Place]:
    """The counts of a draft."""
    return [one for one in marked.figures() if one.fact.kind == "count" and marked.shown(one).isdigit()]


def put(marked: Marked, place: Place, shown: str) -> str:
    """Return the text with one figure replaced."""
    return marked.with_((place.start, place.end, shown))


def after(marked: Marked, place: Place, words: str) -> str:
    """Return the text with words behind a figure."""
    return marked.with_((place.end, place.end, words))


def truncated(marked: Marked, chosen: random.Random) -> Made:
    """Cut off instead of rounded, without "about": $9,358 told as $9,300."""
    for place in dollars(marked):
        value = place.fact.magnitude
        for step in (100, 1000):
            low = int(value // step) * step
            if low and value - low > step / 2:
                yield put(marked, place, f"${low:,}"), borne(marked.sheet, f"${low:,}", place.fact)


def rounded_without_about(marked: Marked, chosen: random.Random) -> Made:
    """Rounded further than shown, without "about"."""
    for place in dollars(marked):
        value = round(place.fact.magnitude)
        for step in (1000, 10_000):
            new = round(value / step) * step
            if new and abs(new - value) > step / 10:
                yield put(marked, place, f"${new:,}"), borne(marked.sheet, f"${new:,}", place.fact)


def about_something_else(marked: Marked, chosen: random.Random) -> Made:
    """ "About" with a figure that is a tenth or more off."""
    for place in dollars(marked):
        new = round(place.fact.magnitude * chosen.choice((0.7, 0.85, 1.15, 1.3)), -1)
        if new > 100:
            text = f"{chosen.choice(('about', 'roughly', 'around', 'some', 'approximately', 'close to'))} ${new:,.0f}"
            yield (
                put(marked, place, text),
                any(fact.kind == "money" and abs(fact.magnitude - new) < 0.06 * new for fact in marked.sheet.facts),
            )


def bounded(marked: Marked, chosen: random.Random) -> Made:
    """A bound that the figure does not keep: "less than" what it is, "well over", "nowhere near"."""
    for place in dollars(marked):
        low = f"${int(place.fact.magnitude):,}"
        if int(place.fact.magnitude):
            yield put(marked, place, f"{chosen.choice(('less than', 'under', 'below', 'well under'))} {low}"), False
    said = ("well over ", "far more than ", "nowhere near ", "a multiple of ", "much less than ", "close to double ")
    for place in marked.figures():
        yield marked.with_((place.start, place.start, chosen.choice(said))), False


def ranged(marked: Marked, chosen: random.Random) -> Made:
    """A range that the figure is not in, or two figures made one range."""
    for place in dollars(marked):
        value = int(place.fact.magnitude * 1.2)
        if value > 10:
            yield put(marked, place, f"between ${value:,} and ${value * 2:,}"), False
            yield put(marked, place, f"${value:,}\u2013{value * 2:,}"), False
            yield put(marked, place, f"${int(place.fact.magnitude):,} to ${value:,}"), False


def another_currency(marked: Marked, chosen: random.Random) -> Made:
    """The same digits in another currency."""
    for place in dollars(marked):
        digits = marked.shown(place)[1:]
        new = chosen.choice((f"\u20ac{digits}", f"\u00a3{digits}", f"CHF {digits}", f"{digits} euros", f"C${digits}"))
        yield put(marked, place, new), False


def another_unit(marked: Marked, chosen: random.Random) -> Made:
    """The same digits in another unit."""
    for place in dollars(marked):
        digits = marked.shown(place)[1:]
        if place.fact.magnitude < 1:
            continue
        units = ("%", " bp", " shares", " accounts", " days", " million dollars", " thousand dollars", " trades")
        unit = chosen.choice(units)
        yield put(marked, place, digits + unit), False
        yield put(marked, place, "$" + digits + chosen.choice((" million", "K", "bn", " thousand", "mm"))), False
    for place in rates(marked):
        digits = marked.shown(place)[:-1]
        if float(digits):
            yield put(marked, place, digits + chosen.choice((" bp", " basis points", "\u2030", " times", "x"))), False
            yield put(marked, place, f"${digits}"), False


def wrong_count_in_words(marked: Marked, chosen: random.Random) -> Made:
    """A wrong number in words, in place of a figure."""
    for place in counts(marked):
        number = int(place.fact.magnitude)
        if number < 900:
            wrong = chosen.choice([one for one in (number + 1, number + 2, number * 2, number - 1) if one > 0])
            if wrong != number:
                yield put(marked, place, worded(wrong)), borne(marked.sheet, str(wrong), place.fact)
        dozens = {12: "a dozen", 24: "two dozen", 6: "half a dozen", 2: "a couple of"}
        said = [words for value, words in dozens.items() if value != number]
        yield put(marked, place, chosen.choice(said)), False
    for place in dollars(marked):
        wrong = int(place.fact.magnitude * 1.3) // 100 * 100
        if 100 < wrong < 900_000:
            yield put(marked, place, worded(wrong) + " dollars"), borne(marked.sheet, f"${wrong}", place.fact)
    for place in rates(marked):
        wrong = int(place.fact.magnitude * 100) + 7
        yield put(marked, place, worded(wrong) + " percent"), False


def fraction(marked: Marked, chosen: random.Random) -> Made:
    """A fraction that no fact bears, in place of a figure or beside it."""
    said = (
        "a third",
        "two-thirds",
        "a quarter",
        "three quarters",
        "half",
        "one in four",
        "1/3",
        "\u00bd",
        "\u00be",
        "nine tenths",
        "one out of five",
        "a fifth",
    )
    for place in rates(marked):
        if not any(abs(place.fact.magnitude - part) < 0.03 for part in (0.2, 0.25, 1 / 3, 0.5, 2 / 3, 0.75, 0.9)):
            yield put(marked, place, chosen.choice(said)), False
    for place in marked.figures():
        yield marked.with_((place.start, place.start, f"{chosen.choice(said)} of ")), False


def vague_multiple(marked: Marked, chosen: random.Random) -> Made:
    """A multiple, share or comparison without a figure, behind a figure."""
    said = (
        ", twice as much as last year",
        ", double what it was",
        ", a multiple of the cost",
        ", half of it in cash",
        ", most of it in one position",
        ", several times the target",
        ", which has tripled since",
        ", a tenfold increase",
        ", the majority of your assets",
        ", a handful of them large",
        ", three times the usual",
        ", the bulk of the account",
        ", a fraction of the whole",
        ", nearly all of the portfolio",
    )
    for place in marked.figures():
        if not _cell(marked, place):
            yield after(marked, place, chosen.choice(said)), False


def comparison(marked: Marked, chosen: random.Random) -> Made:
    """A comparison without a figure that no fact bears."""
    said = (
        ", more than the target",
        ", higher than the benchmark",
        ", less than last year",
        ", the larger part of the account",
        ", the most of any household",
        ", lower than a year ago",
        ", above the average",
        ", better than the benchmark",
        ", the highest on record",
        ", below what comparable clients pay",
        ", more than any other account",
    )
    for place in marked.figures():
        if not _cell(marked, place):
            yield after(marked, place, chosen.choice(said)), False


def said_and_denied(marked: Marked, chosen: random.Random) -> Made:
    """A figure that is said and denied at once, or corrected to another."""
    for place in marked.figures():
        shown = marked.shown(place)
        digits = re.search(r"\d[\d,.]*\d|\d", shown)
        if not digits or _cell(marked, place):
            continue
        wrong = shown[: digits.start()] + str(int(re.sub(r"\D", "", digits[0]) or 0) + 37) + shown[digits.end() :]
        new = chosen.choice(
            (
                f"{shown}, not {shown},",
                f"{wrong} rather than {shown}",
                f"not {shown} but {wrong}",
                f"{shown} (or {wrong})",
                f"{wrong} instead of {shown}",
                f"{shown}, or better {wrong},",
                f"~~{shown}~~ {wrong}",
            )
        )
        yield put(marked, place, new), False


def other_notation(marked: Marked, chosen: random.Random) -> Made:
    """A wrong figure in a notation that is not of the house."""
    for place in dollars(marked):
        wrong = int(place.fact.magnitude * 1.4) + 11
        forms = (
            f"${wrong / 1000:.3f}e3",
            f"{wrong / 1000:.0f} grand",
            f"${wrong:,}".replace(",", "."),
            f"${wrong:,}".replace(",", "'"),
            f"${wrong:,}".replace(",", " "),
            f"${wrong:,}".replace(",", "\u202f"),
            f"US${wrong}",
            f"{wrong} USD",
            f"{wrong} bucks",
            f"{hex(wrong)}",
            f"${wrong / 1000:.0f}k",
            f"$ {wrong}",
            f"{wrong}$",
            f"{wrong} $",
            f"${wrong / 100000:.2f} lakh",
        )
        form = chosen.choice(forms)
        yield put(marked, place, form), False
    for place in rates(marked):
        rate = f"{place.fact.magnitude * 100 + 3.7:.1f}"
        ways = (
            f"{rate.replace('.', ',')} %",
            f"{rate} pct",
            f"{rate} per cent",
            f"0.{rate.replace('.', '')}",
            f"{rate} points",
        )
        yield put(marked, place, chosen.choice(ways)), False
    for place in counts(marked):
        yield put(marked, place, chosen.choice(("XIV", "iv", "#17", "n = 17", "17th", "x17", "17-odd"))), False


def signed(marked: Marked, chosen: random.Random) -> Made:
    """The other sign: a minus, accountants' brackets, "minus", "negative"."""
    for place in marked.figures():
        shown = marked.shown(place)
        if (shown[0].isdigit() or shown[0] == "$") and place.fact.magnitude and float(place.fact.value) > 0:
            form = chosen.choice((f"-{shown}", f"\u2013{shown}", f"minus {shown}", f"negative {shown}"))
            yield put(marked, place, form), False


def per_what(marked: Marked, chosen: random.Random) -> Made:
    """A total told as a rate: a month, each, per account."""
    said = (" a month", " per day", " each", " apiece", " per account", " every week", " a quarter", " per share")
    for place in dollars(marked):
        if not re.match(r" (?:a|per|each)\b", marked.text[place.end : place.end + 6]):
            yield after(marked, place, chosen.choice(said)), False


def per_cent_of_what(marked: Marked, chosen: random.Random) -> Made:
    """A per cent of something else."""
    said = (
        " of your income",
        " of the tax",
        " of the firm's assets",
        " of the gain",
        " of the trades",
        " of your losses",
        " of the cost",
        " of all households",
        " of the budget",
        " of last year's return",
    )
    for place in rates(marked):
        if not re.match(r" (?:of|a year)\b", marked.text[place.end :]) and not _cell(marked, place):
            yield after(marked, place, chosen.choice(said)), False


def to_told_as_by(marked: Marked, chosen: random.Random) -> Made:
    """What a weight moves to, told as what it moves by."""
    for place in rates(marked):
        if marked.text[: place.start].endswith(" to ") and "after" in place.fact.direction:
            other = any(
                "after" not in fact.direction and fact.kind == "percent" and reads_as(fact, marked.shown(place))
                for fact in marked.sheet.facts
            )
            yield marked.with_((place.start - 3, place.start, "by ")), other


def day_off(marked: Marked, chosen: random.Random) -> Made:
    """A day that is another, however it is written."""
    for place in marked.places:
        if place.fact.kind != "date" or marked.shown(place) != long_date(str(place.fact.value)):
            continue
        day = date.fromisoformat(str(place.fact.value)) + timedelta(days=chosen.choice((-365, -31, -1, 1, 2, 30, 366)))
        forms = (
            long_date(day),
            day.isoformat(),
            f"{day:%B} {day.day}, {day.year}",
            f"{day.month}/{day.day}/{day.year}",
            f"{day.day} {day:%b} {day.year}",
            f"{day.day} {day:%B}",
            f"{day:%b} {day.day}",
            f"{day.day}.{day.month}.{day.year}",
            f"the {day.day}th of {day:%B}",
            f"{day.month}/{day.day}",
        )
        form = chosen.choice(forms)
        yield put(marked, place, form), _on_record(marked, place, day, with_year=str(day.year) in form)


def _on_record(marked: Marked, place: Place, day: date, with_year: bool) -> bool:
    """Whether a fact of the same metric and entities is on this day; of any year where none is written."""
    days = [
        str(fact.value)
        for fact in marked.sheet.facts
        if fact.kind == "date" and fact.metric == place.fact.metric and set(fact.entity) == set(place.fact.entity)
    ]
    return any(one == day.isoformat() if with_year else one[5:] == day.isoformat()[5:] for one in days)


def loose_day(marked: Marked, chosen: random.Random) -> Made:
    """A weekday, a quarter, a season or a day by its distance, which no fact bears."""
    said = (
        "yesterday",
        "last Tuesday",
        "next week",
        "in two weeks",
        "this spring",
        "mid-March",
        "at the end of May",
        "three months ago",
        "in FY2019",
        "in '19",
        "the day before",
        "last month",
        "by the end of next quarter",
        "tomorrow",
        "since 2009",
        "in the nineties",
        "on 4 July",
        "in early April",
    )
    for place in marked.places:
        if place.fact.kind == "date" and not _cell(marked, place):
            form = chosen.choice(said)
            # 31 May is at the end of May.
            holds = f"{date.fromisoformat(str(place.fact.value)):%B}" in form
            yield marked.with_((place.end, place.end, f", {form},")), holds


def wrong_weekday(marked: Marked, chosen: random.Random) -> Made:
    """A day with a weekday that it was not."""
    for place in marked.places:
        if place.fact.kind == "date" and marked.shown(place) == long_date(str(place.fact.value)):
            other = date.fromisoformat(str(place.fact.value)) + timedelta(days=chosen.randrange(1, 7))
            yield put(marked, place, f"{other:%A}, {marked.shown(place)}"), False


def ordinal(marked: Marked, chosen: random.Random) -> Made:
    """A rank that no fact bears."""
    said = ("the second largest", "the third such", "the fifth", "the 3rd", "the next-to-last", "a second")
    for place in marked.figures():
        if not _cell(marked, place):
            yield after(marked, place, f", {chosen.choice(said)} this year,"), False


_COUNTED = re.compile(r" (?:accounts|households|trades|lots|restrictions|sleeves)\b")


def quantifier(marked: Marked, chosen: random.Random) -> Made:
    """All, none, both and every, where the record counts otherwise."""
    said = ("all of the", "none of the", "both", "every one of the", "no", "each of the", "neither of the")
    for place in counts(marked):
        if place.fact.magnitude > 2 and _COUNTED.match(marked.text, place.end):
            yield put(marked, place, chosen.choice(said)), False


def _cell(marked: Marked, place: Place) -> bool:
    """Whether a place stands in a row of a table or a heading."""
    line = marked.text[marked.text.rfind("\n", 0, place.start) + 1 :]
    return line[:1] in "|#"


def notional(marked: Marked, chosen: random.Random) -> Made:
    """A whole sentence with an invented figure, behind the sentence of a true one."""
    said = (
        "Inflation was 4.1% over the year.",
        "This saves you $1,212 a year.",
        "Your accounts will then yield 3.9%.",
        "Our fee for this is $47.",
        "We expect the market to return 6%.",
        "It will take 9 days.",
        "Your age is 71.",
        "The Federal Reserve raised its rate to 4.37%.",
        "You hold 1,313 shares.",
        "The dividend is $2.17 a share.",
        "Your tax bracket is 37%.",
        "That makes 19 trades since spring.",
    )
    shown = [Decimal(one) for one in re.findall(r"\d+(?:\.\d+)?", marked.text.replace(",", ""))]
    for place in marked.figures():
        sentence = chosen.choice(said)
        if not _cell(marked, place) and marked.text[place.right : place.right + 1] in " \n":
            known = all(Decimal(one) in shown for one in re.findall(r"\d+(?:\.\d+)?", sentence.replace(",", "")))
            yield marked.with_((place.right, place.right, f" {sentence}")), known


KINDS: dict[str, Attack] = {
    make.__name__: make
    for make in (
        truncated,
        rounded_without_about,
        about_something_else,
        bounded,
        ranged,
        another_currency,
        another_unit,
        wrong_count_in_words,
        fraction,
        vague_multiple,
        comparison,
        said_and_denied,
        other_notation,
        signed,
        per_what,
        per_cent_of_what,
        to_told_as_by,
        day_off,
        loose_day,
        wrong_weekday,
        ordinal,
        quantifier,
        notional,
    )
}
