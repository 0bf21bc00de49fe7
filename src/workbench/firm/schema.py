"""The firm's book of record: every table, its key, its columns, their units and their checks.

Conventions. Weights and rates are fractions (0.05, never 5). Returns are simple. Money is in account currency.
Quantities are shares. Dates are whole days (`datetime64`, no time zone). Identifiers are strings. Missing is
missing: a nullable column may be null, every other may not, and no column holds an empty string for "unknown".

Cash is the security `CASH` (kind `cash`, price 1.0): an account's cash is its position in it. Cash has no lots.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
import pandera.pandas as pa

#: The security that stands for an account's cash.
CASH = "CASH"

#: Kinds of account, each as a person calls it.
REGISTRATION_NAMES = {
    "taxable": "taxable",
    "trust": "trust",
    "traditional_ira": "traditional IRA",
    "roth_ira": "Roth IRA",
    "inherited_ira": "inherited IRA",
    "529": "529 plan",
    "401k": "401(k)",
}
REGISTRATIONS = tuple(REGISTRATION_NAMES)
#: Registrations in which a realised gain is taxed this year.
TAXED_REGISTRATIONS = ("taxable", "trust")
LEVELS = ("security", "sector", "asset_class", "region", "sleeve", "factor")
KINDS = ("stock", "etf", "fund", "bond", "cash")
TRANSACTION_KINDS = (
    "buy", "sell", "dividend", "deposit", "withdrawal", "transfer", "split", "spin_off", "fee",
)  # fmt: skip
ORIGINS = ("rebalance", "manual", "reinvestment", "corporate_action", "client", "fee")
RESTRICTION_KINDS = (
    "never_buy", "never_sell", "never_hold", "screen", "max_weight", "min_cash", "hold_lot", "directive",
)  # fmt: skip


@dataclass(frozen=True)
class Reference:
    """`column` of this table must be found in column `key` of `table`; null passes where the column is nullable."""

    column: str
    table: str
    key: str


@dataclass(frozen=True)
class Table:
    """One table: its name, key columns, pandera columns, references to other tables, and whether it may be absent.

    All columns named are required; further ones are the firm's own and pass.
    """

    name: str
    key: tuple[str, ...]
    columns: dict[str, pa.Column]
    references: tuple[Reference, ...] = ()
    optional: bool = False


def _is_text(values: pd.Series) -> bool:
    return bool(pd.api.types.is_string_dtype(values) or isinstance(values.dtype, pd.CategoricalDtype))


def _filled(values: pd.Series) -> pd.Series:
    return values.astype("string").str.strip().str.len() > 0


def _is_date(values: pd.Series) -> bool:
    return bool(pd.api.types.is_datetime64_dtype(values))


def _is_number(values: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values))


def _is_whole(values: pd.Series) -> bool:
    return bool(pd.api.types.is_integer_dtype(values))


def _is_flag(values: pd.Series) -> bool:
    return bool(pd.api.types.is_bool_dtype(values))


def _column(kind: Any, kind_name: str, nullable: bool, *checks: pa.Check) -> pa.Column:
    return pa.Column(
        checks=[pa.Check(kind, name=kind_name, element_wise=False), *checks], nullable=nullable, required=True
    )


def text(*allowed: str, nullable: bool = False) -> pa.Column:
    """Text that is not blank; one of `allowed` where any are given."""
    checks = [pa.Check(_filled, error="filled, not blank")]
    if allowed:
        checks = [pa.Check.isin(allowed, error=f"one of {', '.join(allowed)}")]
    return _column(_is_text, "text", nullable, *checks)


def date(nullable: bool = False) -> pa.Column:
    """A whole day."""
    return _column(_is_date, "date", nullable)


def number(low: float | None = None, high: float | None = None, nullable: bool = False) -> pa.Column:
    """A finite number between `low` and `high`, both included."""
    checks = [pa.Check(lambda v: v.abs() != float("inf"), error="finite")]
    if low is not None:
        checks.append(pa.Check.ge(low, error=f"at least {low:g}"))
    if high is not None:
        checks.append(pa.Check.le(high, error=f"at most {high:g}"))
    return _column(_is_number, "number", nullable, *checks)


def positive(nullable: bool = False) -> pa.Column:
    """A finite number above zero."""
    checks = (pa.Check(lambda v: v.abs() != float("inf"), error="finite"), pa.Check.gt(0, error="above 0"))
    return _column(_is_number, "number", nullable, *checks)


def fraction(nullable: bool = False) -> pa.Column:
    """A weight or rate from 0 to 1."""
    return number(0.0, 1.0, nullable)


def whole(low: int | None = None, high: int | None = None) -> pa.Column:
    """A whole number between `low` and `high`, both included."""
    checks = []
    if low is not None:
        checks.append(pa.Check.ge(low, error=f"at least {low}"))
    if high is not None:
        checks.append(pa.Check.le(high, error=f"at most {high}"))
    return _column(_is_whole, "whole number", False, *checks)


def flag() -> pa.Column:
    """True or false."""
    return _column(_is_flag, "true or false", False)


def texts() -> pa.Column:
    """A list of texts, possibly empty."""
    return pa.Column(nullable=False, required=True)


_TABLES = [
    Table(
        "securities",
        ("security_id",),
        {
            "security_id": text(),
            "name": text(),
            "kind": text(*KINDS),
            "asset_class": text(),
            "sector": text(),
            "region": text(),
            "issuer_id": text(),
            "currency": text(),
            "expense_ratio": fraction(),
            "half_spread": fraction(),
            "adv": positive(nullable=True),
            "screens": texts(),
            "identical_group": text(nullable=True),
            "identical_confidence": text("high", "medium", "low", nullable=True),
            "simulated": flag(),
        },
    ),
    Table(
        "factor_exposures",
        ("security_id", "factor"),
        {"security_id": text(), "factor": text(), "exposure": number()},
        (Reference("security_id", "securities", "security_id"),),
        optional=True,
    ),
    Table(
        "substitutes",
        ("security_id", "substitute_id"),
        {"security_id": text(), "substitute_id": text(), "rank": whole(1), "registrations": texts()},
        (
            Reference("security_id", "securities", "security_id"),
            Reference("substitute_id", "securities", "security_id"),
        ),
        optional=True,
    ),
    Table(
        "prices",
        ("date", "security_id"),
        {
            "date": date(),
            "security_id": text(),
            "close": positive(),
            "adj_close": positive(),
            "dividend": number(0.0),
            "split_ratio": positive(),
            "volume": number(0.0, nullable=True),
        },
        (Reference("security_id", "securities", "security_id"),),
    ),
    Table("rates", ("date",), {"date": date(), "t_bill": number(-0.05, 0.5)}, optional=True),
    Table("sleeves", ("sleeve_id",), {"sleeve_id": text(), "name": text(), "manager": text()}),
    Table(
        "sleeve_benchmarks",
        ("sleeve_id", "security_id"),
        {"sleeve_id": text(), "security_id": text(), "weight": fraction()},
        (
            Reference("sleeve_id", "sleeves", "sleeve_id"),
            Reference("security_id", "securities", "security_id"),
        ),
        optional=True,
    ),
    Table(
        "models",
        ("model_id", "version"),
        {
            "model_id": text(),
            "version": whole(1),
            "name": text(),
            "effective_date": date(),
            "status": text("draft", "active", "retired"),
            "benchmark": text(),
            "approved_by": text(),
            "rationale": text(),
        },
    ),
    Table(
        "model_targets",
        ("model_id", "version", "sleeve_id", "security_id"),
        {
            "model_id": text(),
            "version": whole(1),
            "sleeve_id": text(),
            "security_id": text(),
            "target": fraction(),
            "lower": fraction(nullable=True),
            "upper": fraction(nullable=True),
        },
        (
            Reference("sleeve_id", "sleeves", "sleeve_id"),
            Reference("security_id", "securities", "security_id"),
        ),
    ),
    Table(
        "model_benchmarks",
        ("model_id", "sleeve_id"),
        {"model_id": text(), "sleeve_id": text(), "weight": fraction()},
        (Reference("model_id", "models", "model_id"), Reference("sleeve_id", "sleeves", "sleeve_id")),
        optional=True,
    ),
    Table(
        "tolerances",
        ("model_id", "level", "key"),
        {
            "model_id": text(),
            "level": text(*LEVELS),
            "key": text(),
            "absolute": fraction(nullable=True),
            "relative": number(0.0, nullable=True),
        },
        (Reference("model_id", "models", "model_id"),),
    ),
    Table(
        "households",
        ("household_id",),
        {
            "household_id": text(),
            "name": text(),
            "advisor_id": text(),
            "filing_status": text("single", "joint", "separate", "head"),
            "ordinary_rate": fraction(),
            "long_term_rate": fraction(),
            "state_rate": fraction(),
            "niit": flag(),
            "gain_budget": number(0.0, nullable=True),
            "realised_short": number(),
            "realised_long": number(),
            "carryforward_short": number(0.0),
            "carryforward_long": number(0.0),
        },
        (Reference("advisor_id", "advisors", "advisor_id"),),
    ),
    Table(
        "profiles",
        ("household_id",),
        {
            "household_id": text(),
            "risk_tolerance": whole(1, 5),
            "risk_capacity": whole(1, 5),
            "horizon_years": number(0.0, 100.0),
            "objective": text(),
            "liquidity_need": text("low", "medium", "high"),
            "knowledge": text("low", "medium", "high"),
            "sustainability": text(),
            "reviewed_on": date(),
        },
        (Reference("household_id", "households", "household_id"),),
        optional=True,
    ),
    Table(
        "accounts",
        ("account_id",),
        {
            "account_id": text(),
            "household_id": text(),
            "advisor_id": text(),
            "custodian_id": text(),
            "registration": text(*REGISTRATIONS),
            "owner_birth_date": date(nullable=True),
            "discretionary": flag(),
            "model_id": text(nullable=True),
            "opened_on": date(),
            "last_rebalanced_on": date(nullable=True),
            "rollout_mode": text("monitor", "draft", "release"),
            "stated_value": number(),
        },
        (
            Reference("household_id", "households", "household_id"),
            Reference("advisor_id", "advisors", "advisor_id"),
            Reference("custodian_id", "custodians", "custodian_id"),
            Reference("model_id", "models", "model_id"),
        ),
    ),
    Table(
        "positions",
        ("account_id", "security_id"),
        {"account_id": text(), "security_id": text(), "quantity": number()},
        (
            Reference("account_id", "accounts", "account_id"),
            Reference("security_id", "securities", "security_id"),
        ),
    ),
    Table(
        "lots",
        ("lot_id",),
        {
            "lot_id": text(),
            "account_id": text(),
            "security_id": text(),
            "quantity": positive(),
            "cost_per_share": number(0.0),
            "acquired_on": date(),
            "holding_start": date(),
            "wash_adjustment": number(0.0),
            "covered": flag(),
        },
        (
            Reference("account_id", "accounts", "account_id"),
            Reference("security_id", "securities", "security_id"),
        ),
    ),
    Table(
        "transactions",
        ("transaction_id",),
        {
            "transaction_id": text(),
            "account_id": text(),
            "security_id": text(),
            "trade_date": date(),
            "settle_date": date(),
            "kind": text(*TRANSACTION_KINDS),
            "quantity": number(),
            "price": number(0.0, nullable=True),
            "amount": number(),
            "origin": text(*ORIGINS),
            "lot_id": text(nullable=True),
        },
        (
            Reference("account_id", "accounts", "account_id"),
            Reference("security_id", "securities", "security_id"),
        ),
        optional=True,
    ),
    Table(
        "restrictions",
        ("restriction_id",),
        {
            "restriction_id": text(),
            "scope": text("account", "household"),
            "scope_id": text(),
            "kind": text(*RESTRICTION_KINDS),
            "key": text(),
            "value": number(nullable=True),
            "reason": text(),
            "source_document": text(),
            "expires_on": date(nullable=True),
        },
        optional=True,
    ),
    Table(
        "client_notes",
        ("note_id",),
        {
            "note_id": text(),
            "household_id": text(),
            "written_on": date(),
            "author": text(),
            "kind": text("meeting", "instruction", "life_event", "preference"),
            "text": text(),
        },
        (Reference("household_id", "households", "household_id"),),
        optional=True,
    ),
    Table(
        "advisors", ("advisor_id",), {"advisor_id": text(), "name": text(), "office": text()}
    ),
    Table(
        "custodians",
        ("custodian_id",),
        {"custodian_id": text(), "name": text(), "ticket_fee": number(0.0), "fee_rate": fraction()},
    ),
]  # fmt: skip

#: Every table of a firm by name.
TABLES: dict[str, Table] = {table.name: table for table in _TABLES}
