"""Composites: accounts of one mandate as one track record, with members, dispersion and risk by the rules of GIPS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from workbench.errors import ParameterError
from workbench.performance.portfolios import Flags, Portfolios
from workbench.performance.returns import Floats, annualise, compound

Weighting = Literal["begin", "begin_and_flows"]
Divisor = Literal["n", "n-1"]
Basis = Literal["gross", "net"]

#: With this many accounts for the full year, or fewer, no dispersion is shown.
TOO_FEW = 5
#: Months in the standard deviation of three years.
RISK_MONTHS = 36
TOO_FEW_REASON = "five or fewer portfolios for the full year"
_PARTIAL = "the year is not complete"


@dataclass(frozen=True)
class Rules:
    """What was chosen where the rules leave a choice; printed under the report.

    `weighting` of accounts' returns: by value at the month's beginning, or that and flows by their time. `minimum` is
    the value at the month's beginning below which an account stays out for the month. `divisor` of the equal-weighted
    dispersion; risk over three years has 35 months in its divisor. `basis`: the returns that both are measured on.
    """

    weighting: Weighting = "begin"
    minimum: float = 0.0
    divisor: Divisor = "n"
    basis: Basis = "gross"

    def __post_init__(self) -> None:
        for name, allowed in (
            ("weighting", ("begin", "begin_and_flows")),
            ("divisor", ("n", "n-1")),
            ("basis", ("gross", "net")),
        ):
            if getattr(self, name) not in allowed:
                raise ParameterError(f"{name} is {getattr(self, name)!r}: one of {', '.join(allowed)}", name)
        if not 0.0 <= self.minimum < np.inf:
            raise ParameterError(f"the minimum value is {self.minimum}: give dollars, 0 for none", "minimum")


@dataclass(frozen=True)
class Dispersion:
    """How far the returns of `n` accounts that were members for the full year lie apart; missing at five or fewer.

    `equal_weighted` has the stated divisor; `asset_weighted` is the root of sum w (r - sum w r)^2, w the shares of
    value at the beginning of the year. Quartiles lie between two accounts in proportion.
    """

    n: int
    required: bool
    equal_weighted: float
    asset_weighted: float
    high: float
    low: float
    upper_quartile: float
    lower_quartile: float

    @property
    def range(self) -> float:
        """Highest return less lowest."""
        return self.high - self.low

    @property
    def display(self) -> str:
        """What a report shows: the equal-weighted figure, or N/A and why."""
        return f"{self.equal_weighted:.2%}" if self.required else f"N/A ({TOO_FEW_REASON})"


@dataclass(frozen=True, eq=False)
class Composite:
    """A composite's record.

    `monthly`, by month's last close: gross, net, equal_weighted (gross), benchmark, members, begin, end, complete.
    `yearly`, by calendar year, is the table of the report: gross, net, benchmark, risk, benchmark_risk, portfolios,
    full_year, dispersion, asset_weighted_dispersion, high, low, upper_quartile, lower_quartile, assets, firm_share,
    and `months`. `reasons` has the same rows and columns: why a figure is missing, else "". `left_out` lists accounts
    under the mandate that were no member in a month, with the reason.
    """

    name: str
    rules: Rules
    members: pd.DataFrame
    monthly: pd.DataFrame
    yearly: pd.DataFrame
    reasons: pd.DataFrame
    left_out: pd.DataFrame

    def annualised(self, years: Sequence[int] = (1, 3, 5, 10)) -> pd.DataFrame:
        """Returns a year over the last whole months, and since the record began; one row a span, by its years.

        Columns gross, net, benchmark and `since`, the close they start from. Spans the record does not reach over are
        left out, and so are those with a month without members; a year or less is not annualised.
        """
        whole = self.monthly[self.monthly["complete"]]
        rows = {}
        for span in sorted({*(float(year) for year in years), len(whole) / 12}):
            part = whole.tail(round(12 * span))
            if len(part) < max(round(12 * span), 12) or part["gross"].isna().any():
                continue
            rows[span] = {name: float(annualise(compound(part[name]), span)) for name in ("gross", "net", "benchmark")}
            rows[span]["since"] = part["from"].iloc[0]
        table = pd.DataFrame.from_dict(rows, orient="index", columns=["gross", "net", "benchmark", "since"])
        return table.rename_axis("years")


def dispersion(returns: ArrayLike, begin: ArrayLike | None = None, divisor: Divisor = "n") -> Dispersion:
    """Spread of yearly returns of the accounts that were members for the full year (n), equal- and asset-weighted.

    `begin` are their values at the beginning of the year; without them the asset-weighted figure is missing. Nothing
    is required, and nothing shown, at five accounts or fewer. Raises `ParameterError` for missing returns and for
    values that are not positive. Source: GIPS 2020 for firms, section 4 (internal dispersion); for the asset-weighted
    formula the GIPS handbook.
    """
    rates = np.asarray(returns, dtype=np.float64)
    if rates.ndim != 1 or not np.isfinite(rates).all():
        raise ParameterError("dispersion needs a list of returns, none missing", "returns")
    Rules(divisor=divisor)
    missing, count = float("nan"), len(rates)
    if count <= TOO_FEW:
        return Dispersion(count, False, *[missing] * 6)
    asset_weighted = missing
    if begin is not None:
        value = np.asarray(begin, dtype=np.float64)
        if value.shape != rates.shape or not (np.isfinite(value) & (value > 0)).all():
            raise ParameterError("begin needs a positive value for every return", "begin")
        share = value / value.sum()
        asset_weighted = float(np.sqrt(share @ (rates - share @ rates) ** 2))
    low, lower, upper, high = np.quantile(rates, [0.0, 0.25, 0.75, 1.0])
    equal = float(np.std(rates, ddof=0 if divisor == "n" else 1))
    return Dispersion(count, True, equal, asset_weighted, float(high), float(low), float(upper), float(lower))


def composite(
    portfolios: Portfolios,
    members: Flags | None = None,
    benchmark: ArrayLike | None = None,
    firm_assets: ArrayLike | None = None,
    rules: Rules | None = None,
    name: str = "Composite",
) -> Composite:
    """One record out of many accounts: asset-weighted monthly returns, linked to years.

    `members` (N x M, or N for all months) narrows the accounts to those of the mandate; an account counts from its
    first full month under it to its last, and what it did stays in the record after it left. `benchmark` (M) are its
    returns of the same months, `firm_assets` (M) the firm's assets at each month's end.

    Years link monthly returns; nothing under a year is annualised; a month without members is a hole that no return
    is linked over. Raises `ParameterError` for shapes that do not fit and for a composite without any member.
    Source: GIPS 2020 for firms, sections 2 to 4. The record follows these rules; it claims no compliance.
    """
    rules = Rules() if rules is None else rules
    asked, weights, left_out = _membership(portfolios, members, rules)
    if not asked.any():
        raise ParameterError(f"{name} has no member in any month: widen its mandate or its minimum", "members")
    months = len(portfolios.complete)
    against = _of_months(benchmark, months, "benchmark")
    firm = _of_months(firm_assets, months, "firm_assets")
    count = asked.sum(axis=0)
    monthly = pd.DataFrame(
        {
            "from": portfolios.closes[:-1],
            "gross": _weighted(portfolios.gross, weights),
            "net": _weighted(portfolios.net, weights),
            "equal_weighted": _weighted(portfolios.gross, asked.astype(np.float64)),
            "benchmark": against,
            "members": count,
            "begin": np.where(asked, portfolios.begin, 0.0).sum(axis=0),
            "end": np.where(asked, portfolios.end, 0.0).sum(axis=0),
            "complete": portfolios.complete,
        },
        index=portfolios.closes[1:].rename("month"),
    )
    # The record begins with the first month that has a member.
    started = int(np.argmax(count > 0))
    rows, reasons = {}, {}
    for year in sorted(set(monthly.index.year[started:])):
        places = np.flatnonzero((monthly.index.year == year) & (np.arange(months) >= started))
        rows[year], reasons[year] = _year(portfolios, monthly, asked, firm, places, rules, benchmark is not None)
    return Composite(
        name=name,
        rules=rules,
        members=pd.DataFrame(asked, index=portfolios.account_ids, columns=monthly.index),
        monthly=monthly.iloc[started:],
        yearly=pd.DataFrame(list(rows.values()), index=pd.Index(list(rows), name="year")),
        reasons=pd.DataFrame(list(reasons.values()), index=pd.Index(list(reasons), name="year")),
        left_out=left_out,
    )


def _membership(portfolios: Portfolios, members: Flags | None, rules: Rules) -> tuple[Flags, Floats, pd.DataFrame]:
    """Members (N x M), their weights (0 for others), and accounts of the mandate that are none, with the reason."""
    asked = portfolios.under_mandate
    if members is not None:
        mask = np.asarray(members, dtype=np.bool_)
        mask = mask[:, None] if mask.ndim == 1 else mask
        if mask.shape[0] != asked.shape[0] or mask.shape[1] not in (1, asked.shape[1]):
            message = f"members has shape {mask.shape}, accounts and months are {asked.shape}"
            raise ParameterError(message, "members")
        asked = asked & mask
    weights = portfolios.begin + (portfolios.weighted_flow if rules.weighting == "begin_and_flows" else 0.0)
    reason = np.full(asked.shape, "", dtype=object)
    reason[~(np.isfinite(portfolios.gross) & np.isfinite(portfolios.net))] = "no return for a day of the month"
    reason[portfolios.begin < rules.minimum] = "below the minimum value"
    reason[np.minimum(weights, portfolios.begin) <= 0.0] = "no capital to weight it by"
    reason[~asked] = ""
    account, month = np.nonzero(reason != "")
    left_out = pd.DataFrame(
        {
            "month": portfolios.closes[1:][month],
            "account_id": portfolios.account_ids[account],
            "reason": reason[account, month].astype(str),
        }
    )
    kept = asked & (reason == "")
    return kept, np.where(kept, weights, 0.0), left_out.sort_values(["month", "account_id"], ignore_index=True)


def _weighted(returns: Floats, weights: Floats) -> Floats:
    total = weights.sum(axis=0)
    weighted = (np.where(weights > 0.0, returns, 0.0) * weights).sum(axis=0)
    return np.where(total > 0.0, weighted / np.where(total > 0.0, total, 1.0), np.nan)


def _of_months(values: ArrayLike | None, months: int, name: str) -> Floats:
    array = np.full(months, np.nan) if values is None else np.asarray(values, dtype=np.float64)
    if array.shape != (months,) or (values is not None and not np.isfinite(array).all()):
        raise ParameterError(f"{name} needs one figure for each of the {months} months, none missing", name)
    return array


def _year(
    portfolios: Portfolios,
    monthly: pd.DataFrame,
    members: Flags,
    firm: Floats,
    places: np.ndarray,
    rules: Rules,
    has_benchmark: bool,
) -> tuple[dict[str, object], dict[str, str]]:
    """One row of the report, and why what is missing in it is."""
    part, last = monthly.iloc[places], places[-1]
    complete = len(places) == 12 and bool(part["complete"].all())
    gap = "" if part["gross"].notna().all() else "a month has no member"
    full = members[:, places].all(axis=1) if complete else np.zeros(len(members), dtype=np.bool_)
    yearly = compound(getattr(portfolios, rules.basis)[full][:, places])
    spread = dispersion(yearly, portfolios.begin[full, places[0]], rules.divisor)
    risk, risk_reason = _risk(monthly, last, complete, rules)
    no_benchmark = "" if has_benchmark else "no benchmark given"
    few = _PARTIAL if not complete else "" if spread.required else TOO_FEW_REASON
    assets, firm_assets = float(part["end"].iloc[-1]), firm[last]
    figures: dict[str, tuple[object, str]] = {
        "gross": (float(compound(part["gross"])), gap),
        "net": (float(compound(part["net"])), gap),
        "benchmark": (float(compound(part["benchmark"])), no_benchmark),
        "risk": (risk[0], risk_reason),
        "benchmark_risk": (risk[1], no_benchmark or risk_reason),
        "portfolios": (int(part["members"].iloc[-1]), ""),
        "full_year": (spread.n, ""),
        "dispersion": (spread.equal_weighted, few),
        "asset_weighted_dispersion": (spread.asset_weighted, few),
        "high": (spread.high, few),
        "low": (spread.low, few),
        "upper_quartile": (spread.upper_quartile, few),
        "lower_quartile": (spread.lower_quartile, few),
        "assets": (assets, ""),
        "firm_share": (assets / firm_assets if firm_assets > 0.0 else np.nan, _share_reason(firm_assets)),
        "months": (len(places), ""),
        "complete": (complete, ""),
    }
    return {key: value for key, (value, _) in figures.items()}, {key: why for key, (_, why) in figures.items()}


def _share_reason(firm_assets: float) -> str:
    if np.isnan(firm_assets):
        return "the firm's assets are not given"
    return "" if firm_assets > 0.0 else "the firm's assets are not positive"


def _risk(monthly: pd.DataFrame, last: int, complete: bool, rules: Rules) -> tuple[tuple[float, float], str]:
    """Annualised standard deviation of the last 36 months, composite and benchmark, divisor 35."""
    part = monthly.iloc[max(last + 1 - RISK_MONTHS, 0) : last + 1]
    if not complete:
        return (np.nan, np.nan), _PARTIAL
    if len(part) < RISK_MONTHS or part[rules.basis].isna().any():
        return (np.nan, np.nan), "fewer than 36 months of returns"
    both = part[[rules.basis, "benchmark"]].std(ddof=1) * np.sqrt(12)
    return (float(both.iloc[0]), float(both.iloc[1])), ""
