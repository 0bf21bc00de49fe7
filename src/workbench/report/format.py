"""Numbers, money and dates as a reader of the book sees them.

Fractions come in (0.031), words go out ("3.1%"). The minus sign is the true one, a rounded zero carries no
sign, and what is missing reads "n/a", never 0.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable
from datetime import date

MINUS = "\u2212"
MISSING = "n/a"

_SPELLED_CONTROLS = {"\n", "\t"}


def number(value: float | None, digits: int = 2, *, signed: bool = False) -> str:
    """Format a plain number with thousands separators, so that columns of them align and compare."""
    if _is_missing(value):
        return MISSING
    assert value is not None
    text = f"{abs(value):,.{digits}f}"
    if not any(character in "123456789" for character in text):
        return text
    return (MINUS if value < 0 else "+" if signed else "") + text


def percent(value: float | None, digits: int = 1, *, signed: bool = False) -> str:
    """Format a fraction as a percentage: 0.031 is "3.1%"."""
    return MISSING if _is_missing(value) else number(_scaled(value, 100), digits, signed=signed) + "%"


def percentage_points(value: float | None, digits: int = 1, *, unit: bool = True) -> str:
    """Format a difference of fractions in percentage points, always signed: 0.031 is "+3.1 pp"."""
    if _is_missing(value):
        return MISSING
    return number(_scaled(value, 100), digits, signed=True) + ("\u00a0pp" if unit else "")


def basis_points(value: float | None, digits: int = 0, *, unit: bool = True) -> str:
    """Format a fraction in basis points: 0.0012 is "12 bp"."""
    if _is_missing(value):
        return MISSING
    return number(_scaled(value, 10_000), digits) + ("\u00a0bp" if unit else "")


def usd(value: float | None, digits: int = 0, *, unit: bool = True) -> str:
    """Format dollars with thousands separators: -1234 is "−$1,234" ("−1,234" without the unit)."""
    text = number(value, digits)
    if text == MISSING or not unit:
        return text
    return MINUS + "$" + text[1:] if text.startswith(MINUS) else "$" + text


def usd_short(value: float | None) -> str:
    """Format dollars for a headline: 1_234_567 is "$1.2 m"."""
    if _is_missing(value):
        return MISSING
    assert value is not None
    for size, suffix in ((1e9, "bn"), (1e6, "m"), (1e3, "k")):
        if abs(value) >= size * 0.9995:
            return usd(value / size, 1) + "\u00a0" + suffix
    return usd(value)


def count(value: float | None) -> str:
    """Format a whole number of things: 12345 is "12,345"."""
    return number(value, 0)


def shares(value: float, digits: int = 4) -> str:
    """Format a number of shares: whole where it is whole, else with as many decimals as it has, up to `digits`."""
    text = number(value, 0 if float(value).is_integer() else digits)
    return text.rstrip("0").rstrip(".") if "." in text else text


def long_date(value: str | date | None) -> str:
    """Spell a date without ambiguity between continents: "28 December 2022"."""
    if value is None:
        return MISSING
    day = date.fromisoformat(value[:10]) if isinstance(value, str) else value
    months = (
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    )  # fmt: skip
    return f"{day.day} {months[day.month - 1]} {day.year}"


def short_date(value: str | date) -> str:
    """Spell a date in little room: "28 Dec 2022"."""
    number, month, year = long_date(value).split()
    return f"{number} {month[:3]} {year}"


def iso_date(value: str | date | None) -> str:
    """Format a date for a table: "2022-12-28"."""
    if value is None:
        return MISSING
    return value[:10] if isinstance(value, str) else value.isoformat()[:10]


def by_unit(value: float | int | str | None, unit: str, digits: int | None = None) -> str:
    """Format a value by the name of its unit (those of `Fact.unit` and `Column.kind`).

    Units: fraction or percent, pp, bp, usd, count, number, date, text. An unknown unit is shown as a number
    followed by the unit's name.
    """
    if value is None:
        return MISSING
    if unit == "date" and isinstance(value, str):
        return long_date(value)
    if isinstance(value, str):
        return value
    formats: dict[str, tuple[Callable[[float, int], str], int]] = {
        "fraction": (percent, 1),
        "percent": (percent, 1),
        "pp": (percentage_points, 1),
        "bp": (basis_points, 0),
        "usd": (usd, 0),
        "count": (number, 0),
        "number": (number, 2),
    }
    if unit in formats:
        function, default = formats[unit]
        return function(value, default if digits is None else digits)
    return f"{number(value, 2 if digits is None else digits)} {unit}".rstrip()


def visible(text: str) -> str:
    """Spell out control and bidirectional characters, which could make a name or figure read as another."""
    if text.isprintable():
        return text
    return "".join(
        f"\\u{ord(character):04x}"
        if unicodedata.category(character) in {"Cc", "Cf", "Cs"}
        and character not in _SPELLED_CONTROLS
        and character != "\u00ad"
        else character
        for character in text
    )


def clipped(text: str, most: int) -> str:
    """Return text in one line of at most `most` characters, cut at a word, the cut marked by an ellipsis."""
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    cut = line[: most - 1]
    head, space, _ = cut.rpartition(" ")
    return (head if space and len(head) > most // 2 else cut).rstrip(" ,;:.") + "…"


def _is_missing(value: float | None) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _scaled(value: float | None, factor: float) -> float:
    assert value is not None
    return value * factor
