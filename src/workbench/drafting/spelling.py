"""Facts as a text shows them: one spelling a kind and format, and so every way that a figure may read."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from workbench.drafting.facts import Fact
from workbench.errors import FactError
from workbench.report import format as fmt

#: Counts that may be written as words.
WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

_NUMBER: Mapping[str, Callable[[Fact], str]] = {
    "": lambda fact: fmt.number(fact.magnitude, fact.decimals),
    "signed": lambda fact: fmt.number(float(fact.value), fact.decimals, signed=True),
}
_PERCENT: Mapping[str, Callable[[Fact], str]] = {
    "": lambda fact: fmt.percent(fact.magnitude, fact.decimals),
    "signed": lambda fact: fmt.percent(float(fact.value), fact.decimals, signed=True),
    "whole": lambda fact: fmt.percent(fact.magnitude, 0),
    "pp": lambda fact: f"{fmt.number(fact.magnitude * 100, fact.decimals)} percentage points",
    "points": lambda fact: f"{fmt.number(float(fact.value) * 100, fact.decimals, signed=True)} pp",
}
_BPS: Mapping[str, Callable[[Fact], str]] = {
    "": lambda fact: f"{fmt.number(fact.magnitude * 10_000, fact.decimals)} bp",
    "signed": lambda fact: f"{fmt.number(float(fact.value) * 10_000, fact.decimals, signed=True)} bp",
    "words": lambda fact: f"{fmt.number(fact.magnitude * 10_000, fact.decimals)} basis points",
}
_MONEY: Mapping[str, Callable[[Fact], str]] = {
    "": lambda fact: fmt.usd(fact.magnitude, fact.decimals),
    "signed": lambda fact: ("+" if float(fact.value) > 0 else "") + fmt.usd(float(fact.value), fact.decimals),
    "cents": lambda fact: fmt.usd(fact.magnitude, 2),
    "short": lambda fact: fmt.usd_short(fact.magnitude).replace("\u00a0", " "),
}
_SHARES: Mapping[str, Callable[[Fact], str]] = {"": lambda fact: fmt.shares(fact.magnitude, fact.decimals)}
_COUNT: Mapping[str, Callable[[Fact], str]] = {
    "": lambda fact: fmt.count(fact.magnitude),
    "word": lambda fact: WORDS[int(fact.value)] if 0 <= int(fact.value) < len(WORDS) else fmt.count(fact.magnitude),
}
_DATE: Mapping[str, Callable[[Fact], str]] = {
    "": lambda fact: fmt.long_date(str(fact.value)),
    "short": lambda fact: fmt.short_date(str(fact.value)),
    "iso": lambda fact: str(fact.value),
    "month": lambda fact: fmt.long_date(str(fact.value)).split(maxsplit=1)[1],
    "year": lambda fact: str(fact.value)[:4],
}
_TEXT: Mapping[str, Callable[[Fact], str]] = {"": lambda fact: one_line(str(fact.value))}
FORMATS: Mapping[str, Mapping[str, Callable[[Fact], str]]] = {
    "percent": _PERCENT, "bps": _BPS, "money": _MONEY, "shares": _SHARES, "count": _COUNT, "number": _NUMBER,
    "date": _DATE, "symbol": _TEXT, "name": _TEXT, "quote": _TEXT,
}  # fmt: skip


def spelled(fact: Fact, format: str = "") -> str:
    """Return a fact as shown, nothing escaped yet. Raises `FactError` for a format its kind does not have."""
    formats = FORMATS[fact.kind]
    if format not in formats:
        known = ", ".join(name for name in formats if name) or "no format"
        raise FactError(f"fact {fact.id!r} cannot be shown as {format!r}; a {fact.kind} knows {known}", fact.id)
    return formats[format](fact)


def one_line(text: str) -> str:
    """Return somebody else's words in one line, control and direction characters spelt out."""
    return fmt.visible(" ".join(text.split()))
