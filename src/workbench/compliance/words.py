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
    """Text from a firm or a form between quotation marks: one line, at most 120 characters, nothing invisible."""
    plain = "".join(c if c.isprintable() else " " for c in str(text))
    return f'"{plain[:117]}..."' if len(plain) > 120 else f'"{plain}"'
