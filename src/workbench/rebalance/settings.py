"""The firm's choices for rebalancing: one frozen record, each field one decision with its unit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ParameterError
from workbench.firm.schema import REGISTRATIONS

Floats = NDArray[np.float64]
Mode = Literal["full", "raise_cash", "invest_cash", "harvest", "transition", "direct_index"]

#: Expected yearly tax drag of holding an asset class, as a fraction of the amount, by tax treatment of the account:
#: taxed now, taxed at withdrawal, never taxed. What a class costs beyond its cheapest place decides where it belongs:
#: interest is ordinary income (a 4 % yield at 40 % is 1.6 %, of which 40 bp are charged so that location never
#: outweighs tracking), and untaxed growth belongs in the Roth.
LOCATION_COSTS: tuple[tuple[str, float, float, float], ...] = (
    ("Cash", 0.0040, 0.0, 0.0020),
    ("Treasuries", 0.0040, 0.0, 0.0020),
    ("Corporate bonds", 0.0050, 0.0, 0.0020),
    ("Bonds", 0.0045, 0.0, 0.0020),
    ("High yield", 0.0060, 0.0, 0.0010),
    ("Real estate", 0.0050, 0.0, 0.0005),
    ("Commodities", 0.0020, 0.0, 0.0005),
    ("US equity", 0.0008, 0.0010, 0.0),
    ("International equity", 0.0008, 0.0015, 0.0005),
    ("Emerging equity", 0.0010, 0.0010, 0.0),
)


@dataclass(frozen=True)
class Settings:
    """How a firm rebalances. Fractions are of what is named; money is in account currency.

    Build one from a params file with `Settings.of`. Raises `ParameterError` naming the field that is out of range.
    """

    #: What may be done: `full` both sides; `raise_cash` sales only; `invest_cash` purchases only; `harvest` sales at a
    #: loss and their replacements; `transition` full, with off-model holdings sold down over `transition_years`;
    #: `direct_index` full and harvesting, with tracking of the model's own securities.
    mode: Mode = "full"
    #: Price of a unit of tracking variance a year: 10 makes 2 % of tracking error worth 40 bp a year.
    risk_aversion: float = 10.0
    #: How far back a deviation is brought: to the `target`, to `half` of the band, or to its `edge`.
    bands: Literal["target", "half", "edge"] = "target"
    #: Leave a household alone whose accounts stand inside every band and need no cash (`full` and `direct_index`
    #: with bands only); False lets benefit against tax and cost decide alone.
    only_outside_bands: bool = False
    #: What a unit of weight outside a band is worth a year (0.05: one percentage point too much costs 5 bp).
    band_price: float = 0.05
    #: Gain budget: never exceeded (`hard`), or exceeded at `gain_budget_price` a dollar of gain (`priced`), or `off`.
    gain_budget: Literal["hard", "priced", "off"] = "hard"
    gain_budget_price: float = 0.10
    #: Budget where the household states none: a fraction of its value (None: no limit).
    default_gain_budget: float | None = None
    #: Weight of tax against tracking; 1 counts a dollar of tax as a dollar.
    tax_weight: float = 1.0
    #: Value today of a dollar of loss beyond what this year can use, as a fraction of its tax.
    carryforward_value: float = 0.5
    #: Whether a wash sale is never made (`avoid`), or made where worth it and declared (`priced`).
    wash: Literal["avoid", "priced"] = "avoid"
    #: Identical groups count from this confidence on; below it only the very security is identical to itself.
    wash_confidence: Literal["high", "medium", "low"] = "medium"
    #: Treat securities whose dividends were reinvested lately as purchased within the next 30 days.
    expect_reinvestment: bool = True
    #: Whether lots of unknown basis may be sold; they are then taxed as if they had cost nothing.
    sell_unknown_basis: bool = False
    #: Least trade in dollars, whole positions excepted.
    minimum_trade: float = 500.0
    #: Least trade as a fraction of its account's value, whole positions excepted: no confetti in a large account. Does
    #: not count in `direct_index`, where hundreds of small positions are the purpose.
    minimum_weight: float = 0.005
    #: A ticket fee may be at most this fraction of its trade; dearer tickets raise the least trade.
    fee_hurdle: float = 0.005
    #: Trade whole shares only; False allows fractions to six decimals.
    whole_shares: bool = True
    #: Price impact of trading a whole day's volume, as a fraction of the price; grows with the part traded.
    impact: float = 0.10
    #: Yearly price of holding a substitute instead of the security itself, a unit of weight.
    substitute_cost: float = 0.0002
    #: Accounts of one household and model are managed to one target (`household`), or each on its own (`account`).
    view: Literal["household", "account"] = "household"
    #: Registrations always managed on their own: their money is for someone or something else.
    kept_apart: tuple[str, ...] = ("529",)
    #: Whether asset location counts, and the yearly cost of each class where gains are taxed, deferred, free.
    location: bool = True
    location_costs: tuple[tuple[str, float, float, float], ...] = LOCATION_COSTS
    #: Yearly saving below which no position is moved only for its place.
    location_hurdle: float = 0.0010
    #: Least cash of an account as a fraction of its value, and the most above its model's cash target.
    cash_floor: float = 0.005
    cash_ceiling: float = 0.02
    #: Holdings the model does not name: `sell` towards zero, or `keep` what they are and work around them.
    off_model: Literal["sell", "keep"] = "sell"
    #: Years over which `transition` sells what the model does not name: at most 1/years of it in this one.
    transition_years: int = 3
    #: Most of a household's value in one issuer and in one sector, funds excepted (None: no limit of the firm's).
    issuer_cap: float | None = None
    sector_cap: float | None = None
    #: Raise the required distributions still due this year.
    raise_rmd: bool = True
    #: A solver's answer is compared to leaving the household alone: less benefit than this a year, net of tax and
    #: cost, as a fraction of its value, is not worth a trade.
    least_benefit: float = 0.0

    def __post_init__(self) -> None:
        for field, low, high in _RANGES:
            value = getattr(self, field)
            if value is not None and not (_is_number(value) and low <= value <= high):
                raise ParameterError(f"{field} must be a number from {low:g} to {high:g}, is {value!r}", field)
        hints = get_type_hints(type(self))
        for field, hint in hints.items():
            if get_origin(hint) is Literal and getattr(self, field) not in get_args(hint):
                allowed = ", ".join(get_args(hint))
                raise ParameterError(f"{field} must be one of {allowed}, is {getattr(self, field)!r}", field)
            if hint is bool and not isinstance(getattr(self, field), bool):
                raise ParameterError(f"{field} must be true or false, is {getattr(self, field)!r}", field)
        for field in ("kept_apart", "location_costs"):
            if not isinstance(getattr(self, field), tuple):
                raise ParameterError(f"{field} must be a list, is {getattr(self, field)!r}", field)
        if self.transition_years != int(self.transition_years):
            raise ParameterError(f"transition_years must be whole, is {self.transition_years!r}", "transition_years")
        unknown = [name for name in self.kept_apart if name not in REGISTRATIONS]
        if unknown:
            raise ParameterError(f"kept_apart names {unknown[0]!r}; use {', '.join(REGISTRATIONS)}", "kept_apart")
        for row in self.location_costs:
            sound = isinstance(row, tuple) and len(row) == 4 and isinstance(row[0], str)
            if not sound or not all(_is_number(cost) and 0.0 <= cost <= 1.0 for cost in row[1:]):
                raise ParameterError(
                    f"location_costs: {row!r} must be an asset class and three yearly costs from 0 to 1 "
                    "(taxed, deferred, free)",
                    "location_costs",
                )

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Settings:
        """Build settings from the names and values of a params file; lists become tuples.

        Raises `ParameterError` for a name that is no setting or a value that is out of range.
        """
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ParameterError(f"no setting is called {unknown[0]!r}; use {', '.join(sorted(known))}", unknown[0])
        return cls(**{name: _tuples(value) for name, value in values.items()})

    @classmethod
    def read(cls, path: Path | str) -> Settings:
        """Read settings from a YAML file of names and values; raises `ParameterError` as `of` does."""
        import yaml

        try:
            values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise ParameterError(f"{path} cannot be read as YAML settings: {error}", "settings") from error
        if not isinstance(values, Mapping):
            raise ParameterError(f"{path} must hold names and values of settings", "settings")
        return cls.of(values)

    def least_trade(self, value: Floats, fee: Floats) -> Floats:
        """The least trade in dollars of accounts of a value with a ticket fee (same shape); a dear ticket raises it."""
        weight = 0.0 if self.mode == "direct_index" else self.minimum_weight
        return np.maximum(np.maximum(self.minimum_trade, weight * value), fee / self.fee_hurdle)

    def named(self) -> tuple[tuple[str, str], ...]:
        """Every setting by name, as text: what a proposal records."""
        return tuple((field.name, str(getattr(self, field.name))) for field in fields(self))


_RANGES: tuple[tuple[str, float, float], ...] = (
    ("risk_aversion", 0.0, 1e4),
    ("band_price", 0.0, 10.0),
    ("gain_budget_price", 0.0, 10.0),
    ("default_gain_budget", 0.0, 1.0),
    ("tax_weight", 0.0, 100.0),
    ("carryforward_value", 0.0, 1.0),
    ("minimum_trade", 0.0, 1e9),
    ("minimum_weight", 0.0, 1.0),
    ("fee_hurdle", 1e-6, 1.0),
    ("impact", 0.0, 10.0),
    ("substitute_cost", 0.0, 1.0),
    ("location_hurdle", 0.0, 1.0),
    ("cash_floor", 0.0, 1.0),
    ("cash_ceiling", 0.0, 1.0),
    ("transition_years", 1, 50),
    ("issuer_cap", 0.0, 1.0),
    ("sector_cap", 0.0, 1.0),
    ("least_benefit", 0.0, 1.0),
)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list | tuple) else value
