"""Federal rates by year and filing status: ordinary brackets, long-term gains, net investment income tax.

All functions take arrays or single numbers and broadcast; `status` is one status or one a household.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import ParameterError
from workbench.firm import NIIT_RATE

Floats: TypeAlias = NDArray[np.float64]
Status: TypeAlias = str | ArrayLike

STATUSES = ("single", "joint", "separate", "head")
#: IRC 1(j)(2), in force from 2018; made permanent by P.L. 119-21, section 70101.
ORDINARY_RATES = np.array([0.10, 0.12, 0.22, 0.24, 0.32, 0.35, 0.37])
#: IRC 1(h)(1)(B)-(D): long-term gain and qualified dividends.
GAIN_RATES = np.array([0.0, 0.15, 0.20])
#: Modified adjusted gross income above which the net investment income tax applies; not indexed (IRC 1411(b)).
NIIT_THRESHOLD = {"single": 200_000.0, "joint": 250_000.0, "separate": 125_000.0, "head": 200_000.0}


@dataclass(frozen=True)
class TaxYear:
    """The indexed figures of a year, by status in the order of `STATUSES`, in dollars of taxable income.

    `ordinary` holds the tops of the 10, 12, 22, 24, 32 and 35 % brackets, `gains` the tops of the 0 and 15 % rates.
    """

    year: int
    source: str
    ordinary: tuple[tuple[int, ...], ...]
    gains: tuple[tuple[int, int], ...]
    standard_deduction: tuple[int, ...]


_YEARS = [
    TaxYear(
        2018, "P.L. 115-97, section 11001; Rev. Proc. 2018-18",
        (
            (9_525, 38_700, 82_500, 157_500, 200_000, 500_000),
            (19_050, 77_400, 165_000, 315_000, 400_000, 600_000),
            (9_525, 38_700, 82_500, 157_500, 200_000, 300_000),
            (13_600, 51_800, 82_500, 157_500, 200_000, 500_000),
        ),
        ((38_600, 425_800), (77_200, 479_000), (38_600, 239_500), (51_700, 452_400)),
        (12_000, 24_000, 12_000, 18_000),
    ),
    TaxYear(
        2019, "Rev. Proc. 2018-57",
        (
            (9_700, 39_475, 84_200, 160_725, 204_100, 510_300),
            (19_400, 78_950, 168_400, 321_450, 408_200, 612_350),
            (9_700, 39_475, 84_200, 160_725, 204_100, 306_175),
            (13_850, 52_850, 84_200, 160_700, 204_100, 510_300),
        ),
        ((39_375, 434_550), (78_750, 488_850), (39_375, 244_425), (52_750, 461_700)),
        (12_200, 24_400, 12_200, 18_350),
    ),
    TaxYear(
        2020, "Rev. Proc. 2019-44",
        (
            (9_875, 40_125, 85_525, 163_300, 207_350, 518_400),
            (19_750, 80_250, 171_050, 326_600, 414_700, 622_050),
            (9_875, 40_125, 85_525, 163_300, 207_350, 311_025),
            (14_100, 53_700, 85_500, 163_300, 207_350, 518_400),
        ),
        ((40_000, 441_450), (80_000, 496_600), (40_000, 248_300), (53_600, 469_050)),
        (12_400, 24_800, 12_400, 18_650),
    ),
    TaxYear(
        2021, "Rev. Proc. 2020-45",
        (
            (9_950, 40_525, 86_375, 164_925, 209_425, 523_600),
            (19_900, 81_050, 172_750, 329_850, 418_850, 628_300),
            (9_950, 40_525, 86_375, 164_925, 209_425, 314_150),
            (14_200, 54_200, 86_350, 164_900, 209_400, 523_600),
        ),
        ((40_400, 445_850), (80_800, 501_600), (40_400, 250_800), (54_100, 473_750)),
        (12_550, 25_100, 12_550, 18_800),
    ),
    TaxYear(
        2022, "Rev. Proc. 2021-45",
        (
            (10_275, 41_775, 89_075, 170_050, 215_950, 539_900),
            (20_550, 83_550, 178_150, 340_100, 431_900, 647_850),
            (10_275, 41_775, 89_075, 170_050, 215_950, 323_925),
            (14_650, 55_900, 89_050, 170_050, 215_950, 539_900),
        ),
        ((41_675, 459_750), (83_350, 517_200), (41_675, 258_600), (55_800, 488_500)),
        (12_950, 25_900, 12_950, 19_400),
    ),
    TaxYear(
        2023, "Rev. Proc. 2022-38",
        (
            (11_000, 44_725, 95_375, 182_100, 231_250, 578_125),
            (22_000, 89_450, 190_750, 364_200, 462_500, 693_750),
            (11_000, 44_725, 95_375, 182_100, 231_250, 346_875),
            (15_700, 59_850, 95_350, 182_100, 231_250, 578_100),
        ),
        ((44_625, 492_300), (89_250, 553_850), (44_625, 276_900), (59_750, 523_050)),
        (13_850, 27_700, 13_850, 20_800),
    ),
    TaxYear(
        2024, "Rev. Proc. 2023-34",
        (
            (11_600, 47_150, 100_525, 191_950, 243_725, 609_350),
            (23_200, 94_300, 201_050, 383_900, 487_450, 731_200),
            (11_600, 47_150, 100_525, 191_950, 243_725, 365_600),
            (16_550, 63_100, 100_500, 191_950, 243_700, 609_350),
        ),
        ((47_025, 518_900), (94_050, 583_750), (47_025, 291_850), (63_000, 551_350)),
        (14_600, 29_200, 14_600, 21_900),
    ),
    TaxYear(
        2025, "Rev. Proc. 2024-40; standard deduction by P.L. 119-21, section 70102",
        (
            (11_925, 48_475, 103_350, 197_300, 250_525, 626_350),
            (23_850, 96_950, 206_700, 394_600, 501_050, 751_600),
            (11_925, 48_475, 103_350, 197_300, 250_525, 375_800),
            (17_000, 64_850, 103_350, 197_300, 250_500, 626_350),
        ),
        ((48_350, 533_400), (96_700, 600_050), (48_350, 300_000), (64_750, 566_700)),
        (15_750, 31_500, 15_750, 23_625),
    ),
    TaxYear(
        2026, "Rev. Proc. 2025-32",
        (
            (12_400, 50_400, 105_700, 201_775, 256_225, 640_600),
            (24_800, 100_800, 211_400, 403_550, 512_450, 768_700),
            (12_400, 50_400, 105_700, 201_775, 256_225, 384_350),
            (17_700, 67_450, 105_700, 201_750, 256_200, 640_600),
        ),
        ((49_450, 545_500), (98_900, 613_700), (49_450, 306_850), (66_200, 579_600)),
        (16_100, 32_200, 16_100, 24_150),
    ),
]  # fmt: skip

#: The years whose figures are on file.
YEARS = {figures.year: figures for figures in _YEARS}


def tax_year(year: int) -> TaxYear:
    """The figures of a year; raises `ParameterError` for one that is not on file, never the nearest."""
    if year not in YEARS:
        raise ParameterError(
            f"no federal tax figures for {year} on file (there are {min(YEARS)} to {max(YEARS)}); add them to rates.py",
            "year",
        )
    return YEARS[year]


def _place(status: Status) -> NDArray[np.intp]:
    names = np.asarray(status, dtype=str)
    place = np.full(names.shape, -1)
    for i, name in enumerate(STATUSES):
        place[names == name] = i
    if (place < 0).any():
        raise ParameterError(
            f"filing status {names[place < 0].flat[0]!r} is unknown; give one of {', '.join(STATUSES)}", "status"
        )
    return place


def _stacked(tops: Floats, rates: Floats, floor: ArrayLike, ceiling: ArrayLike) -> Floats:
    """Tax on the income from `floor` to `ceiling`, by brackets that end at `tops` (last axis)."""
    edges = np.concatenate([np.zeros((*tops.shape[:-1], 1)), tops, np.full((*tops.shape[:-1], 1), np.inf)], axis=-1)
    low = np.maximum(edges[..., :-1], np.asarray(floor, np.float64)[..., None])
    high = np.minimum(edges[..., 1:], np.asarray(ceiling, np.float64)[..., None])
    return np.asarray((np.maximum(high - low, 0.0) * rates).sum(axis=-1))


def standard_deduction(year: int, status: Status) -> Floats:
    """The basic standard deduction (IRC 63(c)), without the addition for age or blindness."""
    return np.asarray(tax_year(year).standard_deduction, np.float64)[_place(status)]


def ordinary_tax(year: int, status: Status, taxable_income: ArrayLike) -> Floats:
    """Tax on `taxable_income` at ordinary rates (IRC 1(j)); nothing on income below zero."""
    tops = np.asarray(tax_year(year).ordinary, np.float64)[_place(status)]
    return _stacked(tops, ORDINARY_RATES, 0.0, taxable_income)


def capital_gains_tax(
    year: int, status: Status, taxable_income: ArrayLike, net_long_gain_and_qualified_dividends: ArrayLike
) -> Floats:
    """Tax on long-term gain and qualified dividends, stacked on top of the ordinary income (IRC 1(h)).

    `taxable_income` is all of it, the gain included. What of the gain the deductions use up is not taxed.
    """
    income = np.maximum(np.asarray(taxable_income, np.float64), 0.0)
    gain = np.clip(np.asarray(net_long_gain_and_qualified_dividends, np.float64), 0.0, income)
    tops = np.asarray(tax_year(year).gains, np.float64)[_place(status)]
    return _stacked(tops, GAIN_RATES, income - gain, income)


def income_tax(
    year: int, status: Status, taxable_income: ArrayLike, net_long_gain_and_qualified_dividends: ArrayLike = 0.0
) -> Floats:
    """Federal income tax before credits, AMT and NIIT: ordinary rates below, gain rates above, never more than all
    at ordinary rates (Qualified Dividends and Capital Gain Tax Worksheet, Form 1040).
    """
    income = np.maximum(np.asarray(taxable_income, np.float64), 0.0)
    gain = np.clip(np.asarray(net_long_gain_and_qualified_dividends, np.float64), 0.0, income)
    split = ordinary_tax(year, status, income - gain) + capital_gains_tax(year, status, income, gain)
    return np.minimum(split, ordinary_tax(year, status, income))


def niit(status: Status, magi: ArrayLike, net_investment_income: ArrayLike) -> Floats:
    """Net investment income tax: 3.8 % of the lesser of that income and MAGI over the threshold (IRC 1411)."""
    over = np.asarray(magi, np.float64) - np.array([NIIT_THRESHOLD[s] for s in STATUSES])[_place(status)]
    return NIIT_RATE * np.maximum(np.minimum(np.asarray(net_investment_income, np.float64), over), 0.0)


@dataclass(frozen=True)
class MarginalRates:
    """Federal tax of the next dollar: of ordinary income, short-term gain and long-term gain (NIIT in both gains)."""

    ordinary: Floats
    short: Floats
    long: Floats


def marginal_rates(
    year: int,
    status: Status,
    taxable_income: ArrayLike,
    net_long_gain_and_qualified_dividends: ArrayLike = 0.0,
    magi: ArrayLike | None = None,
    net_investment_income: ArrayLike | None = None,
) -> MarginalRates:
    """What the next dollar costs, exactly, where a net gain is left after netting.

    A dollar of ordinary income can push a dollar of gain into a higher rate; that is counted. `magi` defaults to
    taxable income plus the standard deduction, `net_investment_income` to the gain and dividends.
    """
    income = np.asarray(taxable_income, np.float64)
    gain = np.asarray(net_long_gain_and_qualified_dividends, np.float64)
    base = income + standard_deduction(year, status) if magi is None else np.asarray(magi, np.float64)
    invested = gain if net_investment_income is None else np.asarray(net_investment_income, np.float64)
    now = income_tax(year, status, income, gain)
    extra = niit(status, base + 1.0, invested + 1.0) - niit(status, base, invested)
    ordinary = income_tax(year, status, income + 1.0, gain) - now
    return MarginalRates(
        ordinary=ordinary + niit(status, base + 1.0, invested) - niit(status, base, invested),
        short=ordinary + extra,
        long=income_tax(year, status, income + 1.0, gain + 1.0) - now + extra,
    )
