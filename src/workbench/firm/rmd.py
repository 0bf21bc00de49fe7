"""Required minimum distributions of a living owner: who must take one, how much, and by when.

Sources: IRC 401(a)(9); 26 CFR 1.401(a)(9)-9(c) (Uniform Lifetime Table, for years from 2022; IRS Pub.
590-B, Table III); start ages by SECURE Act section 114 and SECURE 2.0 section 107.

Not here: the joint table (sole beneficiary spouse more than ten years younger, which asks for less) and
beneficiaries' rules for inherited accounts. Both need facts that the firm's tables do not hold, hence a
person.
"""

from __future__ import annotations

import pandas as pd

from workbench.errors import ParameterError

#: The first calendar year that the table below is in force for.
FIRST_YEAR = 2022

#: Distribution period in years, by the age reached in the calendar year; the last holds for every later age.
UNIFORM_LIFETIME = {
    72: 27.4, 73: 26.5, 74: 25.5, 75: 24.6, 76: 23.7, 77: 22.9, 78: 22.0, 79: 21.1, 80: 20.2, 81: 19.4,
    82: 18.5, 83: 17.7, 84: 16.8, 85: 16.0, 86: 15.2, 87: 14.4, 88: 13.7, 89: 12.9, 90: 12.2, 91: 11.5,
    92: 10.8, 93: 10.1, 94: 9.5, 95: 8.9, 96: 8.4, 97: 7.8, 98: 7.3, 99: 6.8, 100: 6.4, 101: 6.0,
    102: 5.6, 103: 5.2, 104: 4.9, 105: 4.6, 106: 4.3, 107: 4.1, 108: 3.9, 109: 3.7, 110: 3.5, 111: 3.4,
    112: 3.3, 113: 3.1, 114: 3.0, 115: 2.9, 116: 2.8, 117: 2.7, 118: 2.5, 119: 2.3, 120: 2.0,
}  # fmt: skip
LAST_AGE = max(UNIFORM_LIFETIME)


def first_year(born: pd.Timestamp) -> int:
    """The first calendar year with a required distribution: the year the owner reaches the start age.

    That is 70 1/2 for those born before 1 July 1949, 72 to the end of 1950, 73 to the end of 1959, and 75
    from 1960 on.
    """
    if born < pd.Timestamp(1949, 7, 1):
        return (born + pd.DateOffset(years=70, months=6)).year
    if born.year <= 1950:
        return born.year + 72
    return born.year + (73 if born.year <= 1959 else 75)


def due_by(born: pd.Timestamp, year: int) -> pd.Timestamp:
    """The last day to take the distribution of `year`: its end, or 1 April of the next year for the first one."""
    if year == first_year(born):
        return pd.Timestamp(year + 1, 4, 1)
    return pd.Timestamp(year, 12, 31)


def divisor(born: pd.Timestamp, year: int) -> float:
    """The Uniform Lifetime distribution period in years, by the age the owner reaches in `year`.

    Raises `ParameterError` for a year before the table was in force, or before the owner's first required
    one.
    """
    if year < FIRST_YEAR:
        raise ParameterError(f"the Uniform Lifetime Table here holds from {FIRST_YEAR}, not for {year}", "year")
    if year < first_year(born):
        raise ParameterError(
            f"an owner born {born:%Y-%m-%d} has no required distribution before {first_year(born)}", "year"
        )
    return UNIFORM_LIFETIME[min(year - born.year, LAST_AGE)]


def required(born: pd.Timestamp, year: int, prior_year_end: float) -> float:
    """The distribution required for `year` from a balance at the prior 31 December, to the cent.

    Zero before the first required year. Raises `ParameterError` as `divisor` does for a year before the
    table.
    """
    if year < first_year(born):
        return 0.0
    return round(max(prior_year_end, 0.0) / divisor(born, year), 2)
