"""Netting of a year's gains and losses, the loss limit and what is carried forward (IRC 1211(b), 1212(b), 1222).

Gains are signed dollars of the year, before carryforwards; carryforwards are positive dollars of loss from earlier
years. Everything broadcasts, one entry a household.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from workbench.errors import ParameterError
from workbench.firm import gain_rates

Floats: TypeAlias = NDArray[np.float64]

#: Net loss that may be set against ordinary income in a year (IRC 1211(b)(1)); half for spouses filing separately.
LOSS_LIMIT = 3_000.0
LOSS_LIMIT_SEPARATE = 1_500.0


def loss_limit(filing_status: ArrayLike) -> Floats:
    """The yearly limit on net losses against ordinary income, by filing status."""
    return np.where(np.asarray(filing_status, dtype=str) == "separate", LOSS_LIMIT_SEPARATE, LOSS_LIMIT)


@dataclass(frozen=True)
class Netted:
    """A year after netting, all amounts positive: what is taxed at ordinary rates (`short_gain`) and at long-term
    rates (`long_gain`), the loss set against ordinary income (`deduction`), and the losses carried to the next year.
    """

    short_gain: Floats
    long_gain: Floats
    deduction: Floats
    carryforward_short: Floats
    carryforward_long: Floats


def net(
    short: ArrayLike,
    long: ArrayLike,
    carryforward_short: ArrayLike = 0.0,
    carryforward_long: ArrayLike = 0.0,
    *,
    limit: ArrayLike = LOSS_LIMIT,
    taxable_income: ArrayLike = np.inf,
) -> Netted:
    """Net short with short and long with long, then across; deduct up to `limit`, short-term first; carry the rest.

    Schedule D (Form 1040) and its Capital Loss Carryover Worksheet. `taxable_income` is the year's before the
    deduction: the carryforward is only used up as far as there is income to deduct from (IRC 1212(b)(2)).
    """
    earlier_short, earlier_long = np.asarray(carryforward_short, np.float64), np.asarray(carryforward_long, np.float64)
    if (earlier_short < 0).any() or (earlier_long < 0).any():
        raise ParameterError("carryforwards are positive dollars of loss; drop the sign", "carryforward")
    s = np.asarray(short, np.float64) - earlier_short
    g = np.asarray(long, np.float64) - earlier_long
    total = s + g
    deduction = np.minimum(np.maximum(-total, 0.0), limit)
    used = np.minimum(deduction, np.maximum(taxable_income, 0.0))
    loss_short, loss_long = np.maximum(-s, 0.0), np.maximum(-g, 0.0)
    gain_short, gain_long = np.maximum(s, 0.0), np.maximum(g, 0.0)
    return Netted(
        short_gain=np.maximum(gain_short - loss_long, 0.0),
        long_gain=np.maximum(gain_long - loss_short, 0.0),
        deduction=deduction,
        carryforward_short=np.maximum(loss_short - gain_long - used, 0.0),
        carryforward_long=np.maximum(loss_long - gain_short - np.maximum(used - loss_short, 0.0), 0.0),
    )


def net_years(
    short: Sequence[ArrayLike], long: Sequence[ArrayLike], *, limit: ArrayLike = LOSS_LIMIT
) -> tuple[Netted, ...]:
    """Net one year after the other, each taking over the carryforward of the last; the first starts with none."""
    years: list[Netted] = []
    carried: tuple[ArrayLike, ArrayLike] = (0.0, 0.0)
    for s, g in zip(short, long, strict=True):
        years.append(net(s, g, *carried, limit=limit))
        carried = (years[-1].carryforward_short, years[-1].carryforward_long)
    return tuple(years)


@dataclass(frozen=True)
class GainRates:
    """What a dollar costs a household: of net short-term gain, of net long-term gain, and what a deducted one saves.

    `carried` is what a dollar of loss carried forward is held to be worth today; zero counts this year's tax alone.
    """

    short: Floats
    long: Floats
    deduction: Floats
    carried: Floats


def household_rates(households: pd.DataFrame, *, carryforward_value: float = 0.0) -> GainRates:
    """The rates of the households table: federal + state, + NIIT on gains; a deducted loss saves no NIIT here.

    `carryforward_value` is the share of the long-term rate that a dollar carried forward is worth (0 to 1), for
    pricing harvests beyond what this year can use.
    """
    if not 0.0 <= carryforward_value <= 1.0:
        raise ParameterError(f"carryforward_value is {carryforward_value}; give 0 to 1", "carryforward_value")
    short, long = gain_rates(households)
    deduction = (households["ordinary_rate"] + households["state_rate"]).to_numpy(np.float64)
    return GainRates(short, long, deduction, carryforward_value * long)


@dataclass(frozen=True)
class YearTax:
    """Tax on the year's gains and losses without (`before`) and with (`after`) what is proposed; `change` is the
    difference, positive when owed, and the two nettings behind it.
    """

    before: Floats
    after: Floats
    change: Floats
    netted_before: Netted
    netted_after: Netted


def _tax(netted: Netted, rates: GainRates) -> Floats:
    carried = netted.carryforward_short + netted.carryforward_long
    due = rates.short * netted.short_gain + rates.long * netted.long_gain
    return np.asarray(due - rates.deduction * netted.deduction - rates.carried * carried)


def tax_of_year(
    proposed_short: ArrayLike,
    proposed_long: ArrayLike,
    rates: GainRates,
    *,
    realised_short: ArrayLike = 0.0,
    realised_long: ArrayLike = 0.0,
    carryforward_short: ArrayLike = 0.0,
    carryforward_long: ArrayLike = 0.0,
    limit: ArrayLike = LOSS_LIMIT,
) -> YearTax:
    """The exact change of the year's tax by gains proposed on top of those realised, netted together.

    With `rates.carried` above zero the value of losses carried forward counts as tax saved.
    """
    before = net(realised_short, realised_long, carryforward_short, carryforward_long, limit=limit)
    after = net(
        np.asarray(realised_short) + proposed_short, np.asarray(realised_long) + proposed_long,
        carryforward_short, carryforward_long, limit=limit,
    )  # fmt: skip
    old, new = _tax(before, rates), _tax(after, rates)
    return YearTax(old, new, new - old, before, after)


@dataclass(frozen=True)
class Marginal:
    """Tax of one more dollar of gain, and tax saved by one more dollar of loss, short- and long-term."""

    short_gain: Floats
    long_gain: Floats
    short_loss: Floats
    long_loss: Floats


def marginal(
    rates: GainRates,
    *,
    realised_short: ArrayLike = 0.0,
    realised_long: ArrayLike = 0.0,
    carryforward_short: ArrayLike = 0.0,
    carryforward_long: ArrayLike = 0.0,
    limit: ArrayLike = LOSS_LIMIT,
) -> Marginal:
    """What the next dollar costs or saves in the household's regime now, for pricing lots.

    A gain that carried losses absorb costs nothing this year (only what the carryforward is held to be worth); a loss
    beyond the limit saves nothing this year.
    """

    def change(short: float, long: float) -> Floats:
        return tax_of_year(
            short, long, rates, realised_short=realised_short, realised_long=realised_long,
            carryforward_short=carryforward_short, carryforward_long=carryforward_long, limit=limit,
        ).change  # fmt: skip

    return Marginal(change(1.0, 0.0), change(0.0, 1.0), -change(-1.0, 0.0), -change(0.0, -1.0))
