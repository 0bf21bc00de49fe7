"""Blocks, orders and allocations as files for a trader: CSV that a spreadsheet cannot be tricked by, and Parquet.

A cell that starts with = + - @ (or a tab or line break before it) is a formula to a spreadsheet; text that comes from
outside is therefore written with an apostrophe before it (OWASP, CSV injection). Numbers are written as numbers: a
negative amount is no text and stays as it is. Parquet holds types and text as they are.
"""

from __future__ import annotations

import csv
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

import pandas as pd

from workbench.canonical import plain
from workbench.errors import ParameterError

#: What makes a spreadsheet compute, first in a cell: the ASCII signs, their full-width forms, and control characters.
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
#: Marks, embeddings, overrides and isolates of writing direction (Unicode bidirectional algorithm, UAX 9).
TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
#: Columns of money, written in cents.
MONEY = frozenset(
    {"amount", "cost", "fee", "tax", "benefit", "spend", "traded", "cash_short", "gain", "bought", "sold"}
)


def safe_cell(text: str) -> str:
    """Return the text so that a spreadsheet shows it and never computes it; harmless text comes back unchanged.

    Characters that turn the direction of the text are written out, for they make a line read as another one.
    """
    text = "".join(f"\\u{ord(sign):04x}" if sign in TURNING else sign for sign in text)
    return f"'{text}" if text.lstrip(" \u00a0").startswith(DANGEROUS) else text


def cents(amount: float) -> Decimal:
    """Return dollars to the cent, half to even, from the number's shortest decimal form.

    Raises `ParameterError` for a number that is not finite.
    """
    return Decimal(plain(amount)).quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN) + 0  # + 0: no "-0.00"


def write_csv(frame: pd.DataFrame, path: Path | str) -> None:
    """Write a frame for a trader's spreadsheet: UTF-8, CRLF (RFC 4180), money in cents, dates as 2022-12-28.

    Missing values are empty cells. Raises `ParameterError` for a number that is not finite.
    """
    columns = [[_cell(value, str(name) in MONEY) for value in frame[name]] for name in frame.columns]
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([safe_cell(str(name)) for name in frame.columns])
        writer.writerows(zip(*columns))


def write_parquet(frame: pd.DataFrame, path: Path | str) -> None:
    """Write a frame with its types, for a machine: text is data there, and is left as it is."""
    frame.to_parquet(path, index=False)


def _cell(value: object, money: bool) -> str:
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return ""
    if isinstance(value, str):
        return safe_cell(value)
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat() if value == value.normalize() else value.isoformat()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(cents(float(value))) if money else plain(float(value))
    if hasattr(value, "__index__"):
        return str(value)
    raise ParameterError(f"{type(value).__name__} has no form in a CSV file; give text, numbers or dates")
