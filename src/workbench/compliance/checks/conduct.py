"""Checks on conduct, one line each: directives, mandate, consent, suitability, best interest, series of trades."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.compliance.check import AMOUNT, COUNT, FLAG, FRACTION, TEXTS, Check, by_level, by_name
from workbench.compliance.checks import (
    best_interest,
    churn,
    consent,
    directives,
    eligibility,
    profile,
    suitability,
    switch,
)

#: From a name to a list of names, possibly of none.
_LISTS: Mapping[str, Any] = {"type": "object", "additionalProperties": TEXTS}
_DAYS: Mapping[str, Any] = {"type": "integer", "minimum": 1, "maximum": 3660}
#: Past trades are known for a year.
_WINDOW: Mapping[str, Any] = {"type": "integer", "minimum": 1, "maximum": 365}
_YEARS: Mapping[str, Any] = {"type": "number", "exclusiveMinimum": 0, "maximum": 100}
_STEPS: Mapping[str, Any] = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["below_years", "most"],
        "properties": {"below_years": _YEARS, "most": FRACTION},
    },
}
_CLASSES = by_name(FRACTION)
_HOLDINGS = ("accounts", "positions", "prices", "profiles", "securities")
_SERIES = ("accounts", "custodians", "positions", "prices", "securities", "transactions")
_DIRECTIVES = ("accounts", "positions", "prices", "restrictions", "securities")

CONDUCT: dict[str, Check] = {
    "directive_readable": Check(directives.readable, ("restrictions", "securities")),
    "directive_minimum": Check(directives.minimum, _DIRECTIVES),
    "directive_maximum": Check(directives.maximum, _DIRECTIVES),
    "directive_income": Check(directives.income, _DIRECTIVES),
    "directive_liquidity": Check(directives.liquidity, _DIRECTIVES, {"days": _DAYS, "participation": FRACTION}),
    "directive_cash": Check(directives.cash, _DIRECTIVES, {"days": COUNT}),
    "model_eligible": Check(eligibility.model_eligible, ("accounts", "models"), {"not_for": _LISTS}),
    "registration_menu": Check(eligibility.registration_menu, ("accounts", "securities"), {"not_for": _LISTS}),
    "in_mandate": Check(eligibility.in_mandate, ("accounts", "model_targets", "models", "securities", "substitutes")),
    "investment_changes": Check(
        eligibility.investment_changes, ("accounts", "transactions"), {"registrations": TEXTS, "most": COUNT}
    ),
    "consent": Check(consent.consent, ("accounts",)),
    "risk_level": Check(
        suitability.risk_level, _HOLDINGS, {"growth_share": _CLASSES, "most_by_level": by_level(FRACTION)}
    ),
    "objective": Check(suitability.objective, _HOLDINGS, {"growth_share": _CLASSES, "most_by_objective": _CLASSES}),
    "horizon": Check(suitability.horizon, _HOLDINGS, {"growth_share": _CLASSES, "steps": _STEPS}),
    "illiquid_share": Check(
        suitability.illiquid_share, _HOLDINGS, {"days": _DAYS, "participation": FRACTION, "most_by_need": _CLASSES}
    ),
    "reserve": Check(suitability.reserve, _HOLDINGS, {"classes": TEXTS, "least_by_need": _CLASSES}),
    "profile_age": Check(profile.profile_age, ("profiles",), {"warn_days": _DAYS, "most_days": _DAYS}),
    "knowledge": Check(profile.knowledge, ("profiles", "securities"), {"not_for": _LISTS}),
    "sustainability": Check(profile.sustainability, ("profiles", "restrictions"), {"needs_screens": by_name(FLAG)}),
    "cheaper_alternative": Check(
        best_interest.cheaper_alternative, ("prices", "securities"), {"confidences": TEXTS, "most": FRACTION}
    ),
    "expense_ratio": Check(best_interest.expense_ratio, ("securities",), {"most": FRACTION}),
    "data_age": Check(best_interest.data_age, ("prices",), {"most_days": COUNT}),
    "series_turnover": Check(churn.turnover, _SERIES, {"warn": AMOUNT, "most": AMOUNT}),
    "series_cost": Check(churn.cost_to_equity, _SERIES, {"warn": FRACTION, "most": FRACTION}),
    "series_occasions": Check(churn.occasions, _SERIES, {"days": _WINDOW, "most": COUNT}),
    "in_and_out": Check(churn.in_and_out, _SERIES, {"days": _WINDOW, "most": FRACTION, "without": TEXTS}),
    "switch_cost": Check(switch.switch_cost, ("accounts", "custodians", "profiles"), {"years": _YEARS}),
}
