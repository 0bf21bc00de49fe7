"""The demo firm's people: advisors, custodians, households and what each account will live through.

Every household draws from its own random stream (seed, household number), so that a larger firm begins with the
same households as a smaller one. A plan holds only what is decided beforehand; what follows from markets happens in
the simulation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

ADVISORS = (
    ("ADV1", "Margaret Osei", "Boston"),
    ("ADV2", "Daniel Whitcombe", "Boston"),
    ("ADV3", "Victor Lindqvist", "Chicago"),
    ("ADV4", "Priya Raman", "Denver"),
)
#: The advisor who trades on conviction: favourites bought, equities sold after falls.
OVERRIDING_ADVISOR = "ADV3"

CUSTODIANS = (
    ("CUS1", "Northgate Trust Company", 0.0, 0.0060),
    ("CUS2", "Ashford Custody Services", 0.0, 0.0055),
    ("CUS3", "Pinnacle Bank & Trust", 4.95, 0.0110),
)
#: The custodian whose orders are executed two to five sessions late.
SLOW_CUSTODIAN = "CUS2"
#: Dollars a ticket and annual fee rate, by custodian.
TICKET_FEES = {custodian: ticket for custodian, _, ticket, _ in CUSTODIANS}
FEE_RATES = {custodian: rate for custodian, _, _, rate in CUSTODIANS}

_SURNAMES = (
    "Abernathy", "Alvarez", "Baptiste", "Bergstrom", "Caldwell", "Castellano", "Chaudhry", "Delacroix", "Eriksen",
    "Fairbanks", "Farouk", "Gallagher", "Goldberg", "Hashimoto", "Hathaway", "Iyer", "Jankowski", "Kaplan",
    "Kowalczyk", "Langford", "Lindholm", "Marchetti", "McAllister", "Nakamura", "Novak", "O'Brien", "Okafor",
    "Pemberton", "Petrov", "Quigley", "Ramirez", "Rosenthal", "Sato", "Schreiber", "Sullivan", "Takahashi",
    "Thornton", "Ueda", "Vandermeer", "Vasquez", "Weatherby", "Winslow", "Xu", "Yamamoto", "Zimmerman",
)  # fmt: skip

#: Median opening value, in dollars, and how likely an adult household holds the registration.
_REGISTRATIONS = {
    "taxable": (380_000, 0.74), "traditional_ira": (290_000, 0.48), "roth_ira": (85_000, 0.34),
    "trust": (1_100_000, 0.16), "inherited_ira": (190_000, 0.12), "529": (40_000, 0.14),
}  # fmt: skip
SMALLEST, LARGEST = 20_000.0, 5_000_000.0
FIRST_OPENING = pd.Timestamp("2012-01-03")


@dataclass(frozen=True)
class Household:
    """One household: its row of the `households` and `profiles` tables before anything is realised."""

    household_id: str
    name: str
    advisor_id: str
    filing_status: str
    ordinary_rate: float
    long_term_rate: float
    state_rate: float
    niit: bool
    gain_budget: float | None
    carryforward_short: float
    carryforward_long: float
    birth: pd.Timestamp
    risk_tolerance: int
    risk_capacity: int
    knowledge: str
    liquidity_need: str
    sustainability: str
    reviewed_days_ago: int


@dataclass(frozen=True)
class AccountPlan:
    """One account and what is decided about it beforehand.

    `legacy_share` is the part of the opening value that arrives in kind, in `legacy` securities, with lots up to ten
    years old. `screens` are screens of the household, `keeps` securities never sold, `shuns` never bought.
    `deposits` is dollars a deposit in `deposit_months`; `withdrawal_rate` a fraction of the value a year.
    `adopts` says how a new model version reaches the account: `prompt`, `late` (a quarter or two) or `never`.
    """

    account_id: str
    household: Household
    custodian_id: str
    registration: str
    birth: pd.Timestamp | None
    discretionary: bool
    model_id: str | None
    opened_on: pd.Timestamp
    rollout_mode: str
    opening_value: float
    legacy_share: float = 0.0
    legacy: tuple[str, ...] = ()
    deposit: float = 0.0
    deposit_months: tuple[int, ...] = ()
    withdrawal_rate: float = 0.0
    reinvests: bool = False
    fractional: bool = False
    adopts: str = "prompt"
    harvests: bool = False
    screens: frozenset[str] = frozenset()
    keeps: frozenset[str] = frozenset()
    shuns: frozenset[str] = frozenset()
    held_lots: frozenset[str] = frozenset()
    min_cash: float = 0.0
    max_weights: tuple[tuple[str, float], ...] = ()
    emptied_on: pd.Timestamp | None = None
    invests: bool = True
    missed_rmd_year: int | None = None
    role: str = "ordinary"
    stream: tuple[int, ...] = field(default=())

    @property
    def taxed(self) -> bool:
        """Whether a realised gain is taxed this year."""
        return self.registration in ("taxable", "trust")


def draw_accounts(
    seed: int, count: int, first_session: pd.Timestamp, as_of: pd.Timestamp, legacy_choices: tuple[str, ...]
) -> list[AccountPlan]:
    """Draw plans of `count` accounts, household by household.

    Accounts open from 2012 (or a year after the market's first session) up to a month before `as_of`.
    """
    first = max(FIRST_OPENING, first_session + pd.Timedelta(days=365))
    first = min(first, as_of - pd.Timedelta(days=60))
    plans: list[AccountPlan] = []
    number = 0
    while len(plans) < count:
        number += 1
        rng = np.random.default_rng([seed, number])
        household = _draw_household(rng, number, as_of)
        for plan in _draw_household_accounts(rng, household, first, as_of, legacy_choices):
            index = len(plans) + 1
            plans.append(_numbered(plan, f"A{index:05d}", (seed, number, index)))
    return plans[:count]


def _numbered(plan: AccountPlan, account_id: str, stream: tuple[int, ...]) -> AccountPlan:
    return replace(plan, account_id=account_id, stream=stream)


def _draw_household(rng: np.random.Generator, number: int, as_of: pd.Timestamp) -> Household:
    age = float(np.clip(rng.normal(60, 13), 32, 92))
    birth = (as_of - pd.Timedelta(days=int(age * 365.25))).normalize()
    status = str(rng.choice(["joint", "single", "head", "separate"], p=[0.62, 0.27, 0.07, 0.04]))
    ordinary = float(rng.choice([0.22, 0.24, 0.32, 0.35, 0.37], p=[0.2, 0.3, 0.2, 0.15, 0.15]))
    tolerance = int(np.clip(round(rng.normal(3.2 - (age - 55) / 30, 0.9)), 1, 5))
    capacity = int(np.clip(tolerance + rng.integers(-1, 2), 1, 5))
    carries = rng.random() < 0.15
    return Household(
        household_id=f"H{number:05d}",
        name=f"The {_SURNAMES[int(rng.integers(len(_SURNAMES)))]} household",
        advisor_id=ADVISORS[int(rng.choice(4, p=[0.3, 0.27, 0.2, 0.23]))][0],
        filing_status=status,
        ordinary_rate=ordinary,
        long_term_rate=0.20 if ordinary >= 0.35 else 0.15,
        state_rate=float(rng.choice([0.0, 0.0307, 0.044, 0.0495, 0.05, 0.093])),
        niit=ordinary >= 0.32,
        gain_budget=float(rng.choice([0, 5_000, 10_000, 25_000, 50_000])) if rng.random() < 0.4 else None,
        carryforward_short=round(float(rng.uniform(500, 9_000)), 2) if carries else 0.0,
        carryforward_long=round(float(rng.uniform(1_000, 30_000)), 2) if carries else 0.0,
        birth=birth,
        risk_tolerance=tolerance,
        risk_capacity=capacity,
        knowledge=str(rng.choice(["low", "medium", "high"], p=[0.3, 0.5, 0.2])),
        liquidity_need=str(rng.choice(["low", "medium", "high"], p=[0.5, 0.35, 0.15])),
        sustainability=str(rng.choice(["none", "exclusions", "prefers"], p=[0.78, 0.14, 0.08])),
        reviewed_days_ago=int(rng.integers(10, 500)),
    )


def _draw_household_accounts(
    rng: np.random.Generator,
    household: Household,
    first: pd.Timestamp,
    as_of: pd.Timestamp,
    legacy_choices: tuple[str, ...],
) -> Iterator[AccountPlan]:
    age = (as_of - household.birth).days / 365.25
    chosen = [
        name
        for name, (_, chance) in _REGISTRATIONS.items()
        if rng.random() < chance * (1.0 if name != "529" else 2.0 if age < 58 else 0.3)
    ]
    joined = first + pd.Timedelta(days=int(rng.integers(0, max((as_of - first).days - 45, 1))))
    for registration in chosen or ["taxable"]:
        later = int(rng.exponential(350)) if rng.random() < 0.5 else 0
        opened = min(joined + pd.Timedelta(days=later), as_of - pd.Timedelta(days=40))
        yield _draw_account(rng, household, registration, opened, age, legacy_choices)


def _draw_account(
    rng: np.random.Generator,
    household: Household,
    registration: str,
    opened: pd.Timestamp,
    age: float,
    legacy_choices: tuple[str, ...],
) -> AccountPlan:
    median, _ = _REGISTRATIONS[registration]
    value = _bounded_lognormal(rng, median)
    legacy_share = float(rng.uniform(0.05, 0.30)) if rng.random() < _legacy_chance(registration) else 0.0
    names = min(int(rng.integers(1, 4)), len(legacy_choices)) if legacy_share else 0
    saves = registration in ("roth_ira", "529") or (registration == "traditional_ira" and age < 60)
    deposit, months = _deposits(rng, registration, value) if saves else (0.0, ())
    return AccountPlan(
        account_id="",
        household=household,
        custodian_id=CUSTODIANS[int(rng.choice(3, p=[0.5, 0.3, 0.2]))][0],
        registration=registration,
        birth=household.birth + pd.Timedelta(days=int(rng.integers(-1200, 1200)))
        if household.filing_status == "joint" and rng.random() < 0.4
        else household.birth,
        discretionary=bool(rng.random() < 0.88),
        model_id=_model_for(household, registration, rng),
        opened_on=opened,
        rollout_mode=str(rng.choice(["monitor", "draft", "release"], p=[0.15, 0.5, 0.35])),
        opening_value=round(value, 2),
        legacy_share=legacy_share,
        legacy=tuple(str(x) for x in rng.choice(legacy_choices, size=names, replace=False)),
        deposit=deposit,
        deposit_months=months,
        withdrawal_rate=float(rng.uniform(0.02, 0.05))
        if registration in ("taxable", "trust") and age > 66 and rng.random() < 0.5
        else 0.0,
        reinvests=bool(rng.random() < 0.12),
        fractional=value < 60_000,
        adopts=str(rng.choice(["prompt", "late", "never"], p=[0.82, 0.12, 0.06])),
        harvests=registration in ("taxable", "trust") and rng.random() < 0.6,
    )


def _legacy_chance(registration: str) -> float:
    return {"taxable": 0.35, "trust": 0.45, "inherited_ira": 0.4, "traditional_ira": 0.15}.get(registration, 0.0)


def _bounded_lognormal(rng: np.random.Generator, median: float) -> float:
    """Draw from a lognormal of that median (sigma 0.8), again until it lies between the bounds."""
    while True:
        value = float(median * np.exp(0.8 * rng.standard_normal()))
        if SMALLEST <= value <= LARGEST:
            return value


def _deposits(rng: np.random.Generator, registration: str, value: float) -> tuple[float, tuple[int, ...]]:
    if registration == "529":
        return float(rng.choice([250, 400, 600])), tuple(range(1, 13))
    return float(rng.choice([1_000, 1_375, 1_500])), (3, 6, 9, 12)


def _model_for(household: Household, registration: str, rng: np.random.Generator) -> str:
    ladder = ("CON", "BAL", "BAL", "GRO", "EQT")
    step = round((household.risk_tolerance + household.risk_capacity) / 2) - 1
    if registration == "roth_ira":
        step = min(step + 1, 4)
    if registration in ("taxable", "trust") and household.liquidity_need == "high" and rng.random() < 0.7:
        return "INC"
    return ladder[step]


def advisors_table() -> pd.DataFrame:
    """Return the `advisors` table."""
    return pd.DataFrame(ADVISORS, columns=["advisor_id", "name", "office"])


def custodians_table() -> pd.DataFrame:
    """Return the `custodians` table."""
    return pd.DataFrame(CUSTODIANS, columns=["custodian_id", "name", "ticket_fee", "fee_rate"])
