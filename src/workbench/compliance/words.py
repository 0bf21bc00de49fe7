"""Figures as a finding says them."""

from __future__ import annotations

import math


def dollars(value: float) -> str:
    """An amount of money to the cent; "an unknown amount" where it is missing."""
    if math.isnan(value):
        return "an unknown amount"
    return f"-${-value:,.2f}" if round(value, 2) < 0 else f"${abs(value):,.2f}"


def percent(value: float) -> str:
    """A fraction as a percentage with one decimal; "an unknown share" where it is missing."""
    return "an unknown share" if math.isnan(value) else f"{value * 100:.1f} %"


def shares(value: float) -> str:
    """A number of shares, without needless decimals."""
    if math.isnan(value):
        return "an unknown number of shares"
    text = f"{value:,.6f}".rstrip("0").rstrip(".")
    return f"{text} share" if text == "1" else f"{text} shares"


def quoted(text: object) -> str:
    """Text from a firm or a form between quotation marks, as `one_line` has it."""
    return f'"{one_line(text)}"'


def one_line(text: object, most: int = 120) -> str:
    """Text from a firm or a form on one line: nothing invisible, at most so many characters."""
    given = str(text)
    visible = given if given.isprintable() else "".join(c if c.isprintable() else " " for c in given)
    plain = " ".join(visible.split())
    return f"{plain[: most - 3]}..." if len(plain) > most else plain
