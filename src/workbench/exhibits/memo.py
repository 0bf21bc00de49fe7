"""The committee memo: the quarter measured from the chapters' own results, drafted, and shown section by section."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar

import pandas as pd

from workbench import drift, market, risk
from workbench.attribution import implementation, review_sleeves
from workbench.attribution.sleeve_review import Period
from workbench.drafting.draft import Draft
from workbench.drafting.reasons.committee import CLAIMS
from workbench.drafting.sheets.committee import SUBJECTS, Policies, Quarter, sheet
from workbench.drafting.sheets.performance import Record, SleeveEffects
from workbench.drafting.writer import write
from workbench.errors import FirmDataError, MarketDataError, ParameterError
from workbench.exhibits import drift_models, policy_folder, policy_review, records, returns
from workbench.exhibits.drafted import Drafted
from workbench.exhibits.origin import Origin
from workbench.exhibits.performance_review import measure as measure_performance
from workbench.firm import Firm
from workbench.firm.reconcile import reconcile
from workbench.report import Exhibit
from workbench.report import format as fmt

Result = TypeVar("Result")
#: Where the memo's phrases lead in the book.
LINKS = {
    "the drift chapter": "drift.html",
    "data quality": "quality.html",
    "accounts without figures": "drift.html#drift-unmeasured",
    "account without figures": "drift.html#drift-unmeasured",
    "the review list": "drift.html#drift-review",
}
#: Everything that a memo can read.
ALL = ", ".join(SUBJECTS)
#: Sessions of returns behind risk, as the chapters have them.
RISK_WINDOW = 756
#: Whole months that accounts are compared with their models over, as the chapter on implementation has them.
MONTHS = 36
#: Seed of the exchanges of custodians, the chapter's own.
SEED = 11


def chapters(text: str) -> frozenset[str]:
    """Return the chapters named in a parameter. Raises `ParameterError` for one that a memo does not read."""
    asked = frozenset(name.strip() for name in text.split(",") if name.strip())
    if unknown := sorted(asked - set(SUBJECTS)):
        raise ParameterError(f"a memo does not read the chapter {unknown[0]!r}; it reads {ALL}", "reads")
    return asked


def measure(
    firm: Firm, reads: Collection[str] = SUBJECTS, window: int = RISK_WINDOW, period: Period = "year"
) -> Quarter:
    """Measure what a memo on a firm's quarter states; `reads` are the chapters it draws on beside drift and quality,
    `period` that of the attribution: the chapter's own, for both show the same facts.

    Raises `FirmDataError` where the firm cannot be read.
    """
    origin = Origin.of(firm)
    earned = returns.class_returns(returns.holding_returns(firm))
    seen = risk.watch(firm) if "risk_and_stress" in reads else None
    limits = risk.load_limits(None)
    scores = None if seen is None else risk.score_households(seen, limits, value_drawdown=risk.load_drawdown(firm))
    return Quarter(
        firm=fmt.clipped(firm.name, 60),
        as_of=origin.as_of,
        snapshot=origin.snapshot,
        slug=origin.slug,
        review=drift.review(firm, window=window),
        findings=reconcile(firm, sessions=market.sessions_of(firm.table("prices"))),
        classes=earned,
        since=str(returns.quarter_start(firm.as_of).date()),
        models=drift_models.model_names(firm),
        records=_records(firm, origin) if "performance" in reads else None,
        sleeves=_sleeves(firm, origin, period) if "sleeve_attribution" in reads else None,
        study=_study(firm) if "implementation_variance" in reads else None,
        people=_people(firm),
        risk=None if seen is None else risk.overview(seen, window=window, limits=limits),
        warnings=None if seen is None else risk.find_warnings(seen, limits, scores=scores),
        policies=_policies(firm) if "policy_backtest" in reads else None,
        reads=frozenset(reads),
    )


def draft(quarter: Quarter) -> Draft:
    """Return the memo on a quarter, drafted and verified. Raises as `drafting.writer.write`."""
    return write(sheet(quarter), "memo", CLAIMS, title="Memo to the investment committee")


def _measured(measure: Callable[[], Result]) -> Result | None:
    """A result, or None where the book of record does not hold what it needs: the memo then says that it has none."""
    try:
        return measure()
    except (FirmDataError, MarketDataError):
        return None


def _records(firm: Firm, origin: Origin) -> tuple[Record, ...] | None:
    return _measured(lambda: records.records(measure_performance(firm), origin))


def _sleeves(firm: Firm, origin: Origin, period: Period) -> SleeveEffects | None:
    return _measured(lambda: records.firm_effects(review_sleeves(firm, period), origin))


def _study(firm: Firm) -> implementation.Study | None:
    try:
        return implementation.study(implementation.load(firm, MONTHS), SEED)
    except (FirmDataError, MarketDataError, ParameterError):  # too few whole months to compare
        return None


def _policies(firm: Firm) -> Policies | None:
    shelf = policy_folder.read(policy_folder.SHIPPED, firm.as_of.date())
    found = policy_review.review(firm, shelf)
    if isinstance(found, policy_review.NotCompared):
        return None
    return Policies(found.evidence, found.verdicts, found.opponent.name)


def _people(firm: Firm) -> pd.Series:
    """Names of custodians and advisors, by their keys."""
    custodians = firm.table("custodians").set_index("custodian_id")["name"]
    return pd.concat([custodians, firm.table("advisors").set_index("advisor_id")["name"]])


def sections(quarter: Quarter) -> Drafted:
    """Return the memo ready to be shown in the book: its decision box and its sections."""
    return Drafted(draft(quarter), "memo", LINKS)


def asked(memo: Drafted) -> Exhibit:
    """Return the box with the decision asked, in the tone of what is asked; also on the index page."""
    sheet = memo.draft.sheet
    out = sheet.has("drift.firm.out_of_band") and int(sheet.fact("drift.firm.out_of_band").value) > 0
    measured = int(sheet.fact("drift.firm.accounts").value) > 0
    return memo.box("For decision", "memo-asked", "decision" if out else "neutral" if measured else "warning")
