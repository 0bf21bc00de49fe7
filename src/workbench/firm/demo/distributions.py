"""Required minimum distributions the demo's clients take, so that the clean firm has none missed.

Sources: IRC 401(a)(9); IRS Pub. 590-B, Uniform Lifetime Table (in force from 2022, and the table before it); CARES
Act s. 2203 (no distribution for 2020). Inherited accounts follow the ten-year rule in equal parts, a simplification.
"""

from __future__ import annotations

import pandas as pd

from workbench.firm.demo.people import AccountPlan

#: Uniform Lifetime Table divisors in force from 2022, from age 70.
DIVISORS = (
    29.1, 28.2, 27.4, 26.5, 25.5, 24.6, 23.7, 22.9, 22.0, 21.1, 20.2, 19.4, 18.5, 17.7, 16.8, 16.0, 15.2, 14.4, 13.7,
    12.9, 12.2, 11.5, 10.8, 10.1, 9.5, 8.9,
)  # fmt: skip
#: The table in force to 2021, from age 70.
DIVISORS_BEFORE_2022 = (
    27.4, 26.5, 25.6, 24.7, 23.8, 22.9, 22.0, 21.2, 20.3, 19.5, 18.7, 17.9, 17.1, 16.3, 15.5, 14.8, 14.1, 13.4, 12.7,
    12.0, 11.4, 10.8, 10.2, 9.6, 9.1, 8.6,
)  # fmt: skip
WAIVED_YEARS = (2020,)


def start_year(birth: pd.Timestamp) -> int:
    """Return the year of the first distribution of an owner born on `birth`: at 70 1/2, 72, 73 or 75."""
    if birth < pd.Timestamp(1949, 7, 1):
        return int((birth + pd.DateOffset(years=70, months=6)).year)
    if birth.year <= 1950:
        return int(birth.year) + 72
    return int(birth.year) + (73 if birth.year <= 1959 else 75)


def required(plan: AccountPlan, december_value: float, year: int) -> float:
    """Return the dollars to take from the account in `year`, given its value on 31 December before."""
    if year in WAIVED_YEARS or plan.birth is None or december_value <= 0:
        return 0.0
    if plan.registration == "inherited_ira":
        return december_value / max(plan.opened_on.year + 10 - year + 1, 1)
    if plan.registration != "traditional_ira" or year < start_year(plan.birth):
        return 0.0
    table = DIVISORS if year >= 2022 else DIVISORS_BEFORE_2022
    age = year - int(plan.birth.year)
    return december_value / table[min(max(age - 70, 0), len(table) - 1)]
