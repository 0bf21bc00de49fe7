"""The committee memo: sentences worded by template from the figures of the other chapters, each with its source."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from workbench.drift import Review, cause_shares
from workbench.exhibits.drift_accounts import CAUSE_NAMES
from workbench.exhibits.drift_facts import (
    TABLES,
    firm_facts,
    firm_wide,
    no_tracking_error,
    noun,
    plural,
    tax_to_correct,
    why,
    without_bands,
)
from workbench.exhibits.origin import ALL_TABLES, Origin
from workbench.exhibits.returns import RETURNS, class_returns, quarter_start
from workbench.firm.reconcile import Findings
from workbench.report import CalloutBody, Exhibit, Fact, FactRef, Link, ProseBody, Strong
from workbench.report import format as fmt
from workbench.report.exhibit import Paragraph, Run, Tone


@dataclass(frozen=True)
class Facts:
    """The facts that a memo's sentences may mention, by id; a sentence can only show what is here."""

    by_id: dict[str, Fact]
    origin: Origin

    @property
    def firm(self) -> dict[str, Fact]:
        """The firm-wide drift figures by their short name, as `firm_facts` gives them."""
        prefix = "drift.firm."
        return {id.removeprefix(prefix): fact for id, fact in self.by_id.items() if id.startswith(prefix)}

    def count(self, id: str, one: str, several: str | None = None) -> tuple[Run, ...]:
        """Return a mention of a count with its noun: "1 warning", "4 warnings"."""
        return self(id), f" {noun(int(self.by_id[id].value), one, several)}"

    def __call__(self, id: str, text: str | None = None) -> FactRef:
        """Return a mention of a fact; raises `KeyError` for one that does not exist."""
        return self.by_id[id].ref(text)

    def prose(self, id: str, paragraphs: list[Paragraph], *, bullets: bool = False) -> Exhibit:
        """Make an exhibit of paragraphs with the facts they mention; the heading is the notebook's own."""
        mentioned = {run.fact for paragraph in paragraphs for run in paragraph if isinstance(run, FactRef)}
        facts = tuple(self.by_id[name] for name in sorted(mentioned))
        return Exhibit(id, "", ProseBody(tuple(paragraphs), bullets=bullets), facts=facts)


def collect(review: Review, findings: Findings, frame: pd.DataFrame, origin: Origin) -> Facts:
    """Every fact that the memo may mention."""
    facts = list(firm_facts(review, origin).values())
    for row in class_returns(frame).itertuples():
        id = f"market.quarter.{origin.slug(row.asset_class)}"
        facts.append(
            origin.fact(id, row.quarter, "percent", RETURNS, ["prices", "positions"], text=_signed(row.quarter))
        )
    for cause, share in cause_shares(review).items():
        facts.append(
            origin.fact(
                f"drift.cause.{cause}", share, "percent", "drift.cause_shares", [*TABLES, "transactions"], digits=0
            )
        )
    for severity, count in findings.counts.items():
        facts.append(origin.fact(f"quality.findings.{severity}", count, "count", "firm.reconcile", ALL_TABLES))
    classes = firm_wide(review, "asset_class")
    for row in classes.itertuples():
        id = f"drift.firm.asset_class.{origin.slug(row.key)}.deviation"
        facts.append(origin.fact(id, row.deviation, "pp", "drift.aggregate", TABLES, digits=2))
    for row in review.ranking.head(3).itertuples():
        id = f"drift.account.{origin.slug(row.account_id)}.score"
        facts.append(origin.fact(id, row.score, "number", "drift.rank", [*TABLES, "lots"], digits=0))
    return Facts({fact.id: fact for fact in facts}, origin)


def _signed(value: float) -> str:
    return fmt.percent(value, 1, signed=True)


def asked(review: Review, findings: Findings, facts: Facts) -> Exhibit:
    """What the committee is asked, why now, and what could be wrong with the answer."""
    measured, out = len(review.ranking), len(review.out_of_tolerance)
    request: list[Run] = [Strong("Decision asked. ")]
    if out:
        order = f" out of tolerance, {noun(out, 'as a proposal', 'in the order of the drift chapter, as proposals')}"
        request += [
            "Release the review of ",
            *facts.count("drift.firm.out_of_band", "account"),
            f"{order} to rebalance.",
        ]
    elif measured and without_bands(review) == measured:
        request.append("None on drift, for no model in use has a tolerance band.")
    elif measured:
        request.append("None on drift: no account measured stands outside its tolerances.")
    else:
        request.append("None on drift, for no account could be measured.")
    paragraphs: list[Paragraph] = [request]
    if measured:
        paragraphs.append((Strong("Why now. " if out else "Where it stands. "), *_how_far(review, facts)))
    paragraphs.append((Strong("What could be wrong. "), *_doubts(findings, facts)))
    mentioned = {run.fact for paragraph in paragraphs for run in paragraph if isinstance(run, FactRef)}
    known = tuple(facts.by_id[name] for name in sorted(mentioned))
    tone: Tone = "decision" if out else "neutral" if measured else "warning"
    return Exhibit("memo-asked", "For decision", CalloutBody(tone, tuple(paragraphs)), facts=known)


def _how_far(review: Review, facts: Facts) -> tuple[Run, ...]:
    """How much of the assets is out, and the tracking error where it is known."""
    error: tuple[Run, ...] = (
        ("the value-weighted tracking error to the models is ", facts("drift.firm.tracking_error"), " a year.")
        if "tracking_error" in facts.firm
        else (f"the tracking error to the models is not known: {no_tracking_error(review)}.",)
    )
    if without_bands(review) == len(review.ranking):
        return ("No band says what is too far; ", *error)
    return (facts("drift.firm.value_share_out"), " of the assets measured stand outside a band; ", *error)


def _doubts(findings: Findings, facts: Facts) -> tuple[Run, ...]:
    """What is open on the data, what is not measured, and what the tax figures leave out."""
    runs: list[Run] = []
    if findings.reject:
        runs += ["The snapshot should not be used: ", *facts.count("quality.findings.reject", "finding")]
        runs.append(f" {noun(findings.counts['reject'], 'rejects', 'reject')} it. ")
    nouns = {"severe": ("severe finding", "severe findings"), "warning": ("warning", "warnings")}
    parts = [(*facts.count(f"quality.findings.{kind}", *nouns[kind]),) for kind in nouns if findings.counts[kind]]
    if parts:
        open_ = sum(findings.counts[kind] for kind in nouns)
        runs += [*parts[0], *((" and ", *parts[1]) if len(parts) > 1 else ())]
        runs += [f" on the data {noun(open_, 'is', 'are')} open (", Link("data quality", "quality.html"), "). "]
    elif not findings.reject:
        runs += ["Nothing urgent was found in the data (", Link("data quality", "quality.html"), "). "]
    if int(facts.firm["not_measured"].value):
        runs += [*facts.count("drift.firm.not_measured", "account"), " could not be measured ("]
        runs += [Link("why", "drift.html#drift-unmeasured"), "). "]
    return (*runs, "Tax is before netting, gain budgets and wash sales.")


def happened(frame: pd.DataFrame, review: Review, facts: Facts, as_of: pd.Timestamp) -> Exhibit:
    """What markets did over the quarter and what that did to the accounts."""
    classes = class_returns(frame)
    since = fmt.long_date(str(quarter_start(as_of).date()))
    paragraphs: list[Paragraph] = []
    if len(classes):
        best, worst = classes.iloc[0], classes.iloc[-1]
        first: Paragraph = (
            f"Since {since}, {best['asset_class']} returned ",
            facts(f"market.quarter.{facts.origin.slug(best['asset_class'])}"),
            ", weighted as the firm holds it" if len(classes) == 1 else f" and {worst['asset_class']} ",
            *(
                ()
                if len(classes) == 1
                else (
                    facts(f"market.quarter.{facts.origin.slug(worst['asset_class'])}"),
                    ", each weighted as the firm holds it now",
                )
            ),
            ".",
        )
        paragraphs.append(first)
    else:
        paragraphs.append(f"Returns since {since} are not known: the prices do not reach back to it.")
    if told := _causes_told(review, facts):
        paragraphs.append(told)
    return facts.prose("memo-happened", paragraphs)


def _causes_told(review: Review, facts: Facts) -> tuple[Run, ...]:
    """The largest causes of drift, and what manual trades made up; nothing where no account has causes."""
    shares = cause_shares(review).sort_values(ascending=False, kind="stable")
    large = [cause for cause in shares.index[:2] if shares[cause] >= 0.005]
    if not large:
        return ()
    runs: list[Run] = ["Of all the movement away from the models since accounts last stood on them, "]
    for position, cause in enumerate(large):
        runs += [" and " if position else "", facts(f"drift.cause.{cause}")]
        runs.append(f"{'' if position else ' came'} from {_cause(cause)}")
    if "overrides" not in large:
        runs += ["; manual trades made up ", facts("drift.cause.overrides")]
    return (*runs, ".")


def _cause(cause: object) -> str:
    words = {
        "market": "market prices",
        "corporate_actions": "dividends and corporate actions",
        "flows": "flows and fees",
        "trades": "rebalancing trades",
        "overrides": "manual trades",
        "model_change": "changes of the models",
        "residual": "deviations that were there at the start",
    }
    return words.get(str(cause), CAUSE_NAMES[str(cause)].lower())


def stands(review: Review, facts: Facts) -> Exhibit:
    """Where the accounts stand: how many are out, where, and who comes first."""
    if review.ranking.empty:
        return facts.prose("memo-stands", ["No account could be measured, so where they stand is not known."])
    out = len(review.out_of_tolerance)
    runs: list[Run] = [
        facts("drift.firm.out_of_band"),
        " of ",
        *facts.count("drift.firm.accounts", "account"),
        " (",
        facts("drift.firm.share_out"),
        f") {noun(out, 'has', 'have')} at least one weight outside its band",
    ]
    if out:
        runs += [", with ", *facts.count("drift.firm.breaches", "breach", "breaches"), " in all"]
    classes = firm_wide(review, "asset_class")
    widest = classes.loc[classes["deviation"].abs().idxmax()]
    runs += [
        f". Over the whole firm the widest deviation of an asset class is {widest['key']} at ",
        facts(f"drift.firm.asset_class.{facts.origin.slug(widest['key'])}.deviation"),
        ".",
    ]
    first = review.ranking.iloc[0]
    paragraphs: list[Paragraph] = [
        runs,
        (
            f"The first account for review is {first['account_id']} with a score of ",
            facts(f"drift.account.{facts.origin.slug(first['account_id'])}.score"),
            f" of 100. {why(first)}",
        ),
        (
            "Correcting everything would turn over ",
            facts("drift.firm.turnover_to_correct"),
            ", pay ",
            facts("drift.firm.cost_to_correct"),
            " in half spreads and, with the least-taxed lots sold first, ",
            *tax_to_correct(facts.firm),
            " (",
            Link("drift", "drift.html"),
            ").",
        ),
    ]
    return facts.prose("memo-stands", paragraphs)


def actions(review: Review, findings: Findings, facts: Facts) -> Exhibit:
    """What should be done, by whom; each line follows from a figure above."""
    lines: list[Paragraph] = []
    if len(review.out_of_tolerance):
        lines.append(
            (
                "Portfolio managers: prepare proposals in the order of the ",
                Link("review list", "drift.html#drift-review"),
                ", cheapest tax first.",
            )
        )
    if bare := without_bands(review):
        lines.append(f"Committee: set tolerance bands for the models of {plural(bare, 'account')} without any.")
    by_key = review.aggregate.by_key
    systemic = by_key[by_key["systemic"] & (by_key["level"] == "asset_class") & (by_key["share_out"] > 0.5)]
    for model, rows in systemic.sort_values("share_out", ascending=False, kind="stable").groupby(
        "model_id", sort=False
    ):
        lines.append(
            f"Committee: most accounts of model {model} are out in {' and '.join(rows['key'])}; ask whether the model "
            "or its bands should move rather than every account."
        )
    for finding in findings:
        if finding.severity in {"reject", "severe"}:
            lines.append(f"Operations: {finding.remedy}. Why: {finding.detail}")
    unmeasured = len(review.drift.no_data)
    if unmeasured:
        lines.append(
            (
                "Advisors: ",
                *facts.count("drift.firm.not_measured", "account"),
                f" {noun(unmeasured, 'has', 'have')} no figures; the reasons are in the ",
                Link("drift chapter", "drift.html#drift-unmeasured"),
                ".",
            )
        )
    return facts.prose("memo-actions", lines or ["Nothing beyond the usual review."], bullets=True)
