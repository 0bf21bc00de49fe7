"""The reference household: three accounts, fifteen assets and sixty lots, drawn from a seed.

    qp(seed)        risk as variance: 125 columns, 15 lines, 9 rows
    linear(seed)    the same household with absolute deviations: 145 columns, a linear program
    full(seed)      with wash sides, least trades and whole shares, over either form

$2m: half taxable, 35 % traditional, 15 % Roth, each with 2 % cash. Targets are Dirichlet(6) x 0.98 and holdings
drifted from them by exp(N(0, 0.3)); an asset has two taxable lots and one in each retirement account. A taxable lot's
gain is 1 - exp(N(-0.1, 0.3)) a dollar, 30 % of them short-term, taxed at 40.8 % or 23.8 %. Cash of each account stays
within 0.5 and 3 % of it, and the taxable account realises at most $20,000. All amounts are fractions of the household.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workbench.rebalance.solver.problem import BUY, DEVIATION, FACTOR, SELL, Integrality, Problem

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]

VALUE = 2_000_000.0
ACCOUNT = np.array([0.50, 0.35, 0.15])
TAXABLE, TRADITIONAL, ROTH = range(3)
ASSETS, BONDS, FACTORS = 15, 6, 5
CASH, CASH_LOW, CASH_HIGH = 0.02, 0.005, 0.03
SHORT_RATE, LONG_RATE = 0.408, 0.238
TRADING_COST = 0.0005
BOND_LOCATION = np.array([0.0040, 0.0, 0.0020])
GAIN_BUDGET = 20_000.0 / VALUE
RISK_AVERSION = 10.0
LEAST_TRADE = 2_000.0 / VALUE

#: Linear form: a unit of deviation is priced at the variance form's marginal price 2 x 10 x sd^2 x where the specific
#: risk sd x is 0.5 % of value, so 0.1 sd (0.5 to 2 % a unit), and a unit of factor exposure at 0.02 (0.3 % a unit of an
#: asset with the mean loading): above a round trip's 10 bp, below the tax saved by most losses, so wash sides bind.
DEVIATION_PRICE, FACTOR_PRICE = 0.1, 0.02

#: Assets 0 and 1, 2 and 3, 4 and 5 (all bonds), 6 and 7, 8 and 9 are substantially identical; the others stand alone.
WASH_GROUP = np.array([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 6, 7, 8, 9])


@dataclass(frozen=True, eq=False)
class Household:
    """What is drawn: targets (15), lots (60: asset, account, size, gain and tax a dollar), factor model, prices."""

    target: Floats
    lot_asset: Ints
    lot_account: Ints
    lot_size: Floats
    lot_gain: Floats
    lot_rate: Floats
    loading: Floats
    specific: Floats
    price: Floats


def household(seed: int) -> Household:
    """Draw one household."""
    rng = np.random.default_rng(seed)
    target = rng.dirichlet(np.full(ASSETS, 6.0)) * (1 - CASH)
    held = target * np.exp(rng.normal(0, 0.3, ASSETS))
    held *= (1 - CASH) / held.sum()
    lot_account = np.tile(np.array([TAXABLE, TAXABLE, TRADITIONAL, ROTH], np.int32), ASSETS)
    lot_asset = np.repeat(np.arange(ASSETS, dtype=np.int32), 4)
    size = held[lot_asset] * rng.uniform(0.5, 1.5, 4 * ASSETS)
    for account, share in enumerate(ACCOUNT):
        of = lot_account == account
        size[of] *= share * (1 - CASH) / size[of].sum()
    taxed = lot_account == TAXABLE
    gain = np.where(taxed, 1 - np.exp(rng.normal(-0.1, 0.3, 4 * ASSETS)), 0.0)
    rate = np.where(taxed, np.where(rng.random(4 * ASSETS) < 0.3, SHORT_RATE, LONG_RATE), 0.0)
    loading = rng.normal(size=(ASSETS, FACTORS)) * np.array([0.12, 0.06, 0.05, 0.03, 0.03])
    loading[:, 0] += 0.15
    specific = rng.uniform(0.05, 0.20, ASSETS)
    price = rng.uniform(20, 500, ASSETS).round(2)
    return Household(target, lot_asset, lot_account, size, gain, rate, loading, specific, price)


def qp(seed: int) -> Problem:
    """The reference household with risk as variance: buys (45), lot sales (60), deviations (15), factors (5)."""
    home = household(seed)
    return _problem(home, linear_form=False)


def linear(seed: int) -> Problem:
    """The reference household with absolute deviations: every deviation and factor is a column above and one below."""
    return _problem(household(seed), linear_form=True)


def full(seed: int, form: Literal["linear", "quadratic"] = "linear") -> tuple[Problem, Integrality]:
    """The reference household with wash sides, a $2,000 least trade and whole shares at $20 to $500.

    A purchase of any asset of a wash group in any account excludes every taxable sale at a loss of that group.
    """
    home = household(seed)
    problem = _problem(home, linear_form=form == "linear")
    columns = len(problem.linear)
    position = np.full(columns, -1, np.int32)
    wash = np.full(columns, -1, np.int32)
    buys = 3 * ASSETS
    sales = np.arange(buys, buys + len(home.lot_asset))
    position[:buys] = np.arange(buys)
    position[sales] = home.lot_asset * 3 + home.lot_account
    wash[:buys] = np.repeat(WASH_GROUP, 3)
    wash[sales] = np.where(home.lot_gain < 0, WASH_GROUP[home.lot_asset], -1)
    held = np.bincount(position[sales], home.lot_size, buys).astype(np.float64)
    share = np.repeat(home.price / VALUE, 3)
    return problem, Integrality(position, share, held, np.full(buys, LEAST_TRADE), wash)


def _problem(home: Household, *, linear_form: bool) -> Problem:
    """Columns in order: buys asset by asset (account within), lot sales, deviations, factors (above, then below)."""
    location = np.zeros((ASSETS, 3))
    location[:BONDS] = BOND_LOCATION
    buy_asset, buy_account = np.divmod(np.arange(3 * ASSETS), 3)
    held = np.bincount(home.lot_asset, home.lot_size, ASSETS)
    signs = (1.0, -1.0) if linear_form else (1.0,)
    low = 0.0 if linear_form else -np.inf

    cost: list[float] = []
    quadratic: list[float] = []
    lower: list[float] = []
    upper: list[float] = []
    line: list[int] = []
    coefficient: list[float] = []
    kind: list[int] = []
    entries: list[list[tuple[int, float]]] = []

    def column(c: float, q: float, bounds: tuple[float, float], at: tuple[int, float], what: int) -> None:
        cost.append(c)
        quadratic.append(q)
        lower.append(bounds[0])
        upper.append(bounds[1])
        line.append(at[0])
        coefficient.append(at[1])
        kind.append(what)
        entries.append([])

    cash_row, gain_row = FACTORS, FACTORS + 3
    for i, a in zip(buy_asset, buy_account, strict=True):
        column(TRADING_COST + location[i, a], 0.0, (0.0, np.inf), (int(i), 1.0), BUY)
        entries[-1].append((cash_row + int(a), -1.0))
    lots = zip(home.lot_asset, home.lot_account, home.lot_size, home.lot_gain, home.lot_rate, strict=True)
    for i, a, size, gain, rate in lots:
        column(TRADING_COST + rate * gain - location[i, a], 0.0, (0.0, float(size)), (int(i), -1.0), SELL)
        entries[-1].append((cash_row + int(a), 1.0))
        if a == TAXABLE:
            entries[-1].append((gain_row, float(gain)))
    for sign in signs:
        for i in range(ASSETS):
            sd = float(home.specific[i])
            price, curve = (DEVIATION_PRICE * sd, 0.0) if linear_form else (0.0, 2 * RISK_AVERSION * sd**2)
            column(price, curve, (low, np.inf), (i, -sign), DEVIATION)
            entries[-1].extend((k, sign * float(home.loading[i, k])) for k in range(FACTORS))
    for sign in signs:
        for k in range(FACTORS):
            price, curve = (FACTOR_PRICE, 0.0) if linear_form else (0.0, 2 * RISK_AVERSION)
            column(price, curve, (low, np.inf), (-1, 0.0), FACTOR)
            entries[-1].append((k, -sign))

    cash = ACCOUNT * CASH
    row_low = np.concatenate([np.zeros(FACTORS), ACCOUNT * CASH_LOW - cash, [-np.inf]])
    row_high = np.concatenate([np.zeros(FACTORS), ACCOUNT * CASH_HIGH - cash, [GAIN_BUDGET]])
    return Problem(
        quadratic=np.array(quadratic),
        linear=np.array(cost),
        lower=np.array(lower),
        upper=np.array(upper),
        line=np.array(line, np.int32),
        line_coefficient=np.array(coefficient),
        column_ptr=np.cumsum([0, *(len(e) for e in entries)], dtype=np.int32),
        entry_row=np.array([k for e in entries for k, _ in e], np.int32),
        entry=np.array([a for e in entries for _, a in e]),
        line_target=home.target - held,
        row_low=row_low,
        row_high=row_high,
        kind=np.array(kind, np.int32),
    )
