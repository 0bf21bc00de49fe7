"""Shapes that are personal wherever they stand: tax numbers, cards, accounts, telephones, mails, addresses, births."""

from __future__ import annotations

import re

_GAP = r"[\s.\-\u2010-\u2015]?"
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DAY = "|".join(
    (
        r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}",
        r"\d{4}-\d{2}-\d{2}",
        rf"\d{{1,2}} {_MONTH},? \d{{4}}",
        rf"{_MONTH} \d{{1,2}},? \d{{4}}",
    )
)
_STREET = (
    "street|st|avenue|ave|road|rd|lane|ln|drive|dr|boulevard|blvd|court|ct|place|pl|way|terrace|square|sq|parkway|pkwy"
    "|circle|highway|hwy"
)

_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("MAIL", r"(?<![\w.+%'-])[\w.+%'-]++@[\w-]+(?:\.[\w-]+)+"),
        ("LINK", r"\b(?:https?|ftp)://[^\s<>\"]+|\bwww\.[^\s<>\"]+"),
        ("BIRTH", rf"\b(?:born|birth(?:day| ?date)?|date of birth|dob|b\.)\s*(?:on|in|:|is|was)?\s*(?:{_DAY})"),
        ("IBAN", r"\b[a-z]{2}\d{2}(?:\s?[a-z0-9]{4}){2,7}(?:\s?[a-z0-9]{1,3})?\b"),
        ("TAXID", rf"(?<!\d)\d{{3}}{_GAP}\d{{2}}{_GAP}\d{{4}}(?!\d)"),
        ("TAXID", r"(?<!\d)\d{2}-\d{7}(?!\d)"),
        ("PHONE", rf"(?<![\w$.,])(?:\+?\d{{1,3}}{_GAP})?\(?\d{{3}}\)?\s?{_GAP}\d{{3}}{_GAP}\d{{4}}(?![\d%]|[.,]\d)"),
        ("PHONE", r"(?<!\w)\+\d{1,3}(?:[\s.\-]?\d){6,14}(?!\d)"),
        (
            "ACCOUNT",
            r"(?:(?<![\u00b7\u2022.*xX])[\u00b7\u2022.*xX]{2,}+|#|ending(?: in)?:?|last four:?)\s?\d{3,6}(?!\d)",
        ),
        (
            "ADDRESS",
            rf"(?<![\w$])\d{{1,6}}[a-z]?(?:\s+[\w.'-]+){{1,4}}\s+(?:{_STREET})\b\.?(?:,?\s+(?:apt|suite|unit|#)\.?\s*\w+)?",
        ),
        ("ADDRESS", r"\bp\.?\s?o\.?\s?box\s+\d+"),
        ("ZIP", r"(?<![\d$.,])\d{5}-\d{4}(?!\d)"),
    )
)
#: A run of digits as long as an account's, a policy's or a card's, in any grouping.
_RUN = re.compile(r"(?<![\d$.,])\d(?:[ \-\u2010-\u2015]?\d){7,22}(?![\d%]|[.,]\d)")


def shapes(text: str) -> list[tuple[int, int, str, str]]:
    """Return each personal shape of a text as (start, end, kind, what it says in digits and letters)."""
    plain = "".join(_plain_digit(character) for character in text)
    found = []
    for kind, pattern in _PATTERNS:
        found += [(one.start(), one.end(), kind, one[0]) for one in pattern.finditer(plain)]
    for one in _RUN.finditer(plain):
        digits = re.sub(r"\D", "", one[0])
        found.append((one.start(), one.end(), "CARD" if _luhn(digits) and len(digits) >= 13 else "NUMBER", digits))
    return found


def _plain_digit(character: str) -> str:
    """Digits of every alphabet as ASCII, one character for one, so that places stay."""
    return str(int(character)) if character.isdecimal() and not character.isascii() else character


def _luhn(digits: str) -> bool:
    """Whether digits pass the check of payment cards (ISO/IEC 7812-1, annex B)."""
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
