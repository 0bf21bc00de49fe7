"""The committee memo: sentences worded by template from the figures of the other chapters, each with its source."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from workbench import market
from workbench.drift import Review, cause_shares
from workbench.exhibits.drift_accounts import CAUSE_NAMES
from workbench.exhibits.drift_firm import TABLES, firm_facts, firm_wide, why
from workbench.exhibits.origin import Origin, slug
from workbench.firm import CASH, Firm
from workbench.firm.reconcile import Findings
from workbench.report import CalloutBody, Column, Exhibit, Fact, FactRef, Link, ProseBody, Strong, TableBody
from workbench.report import format as fmt
from workbench.report.exhibit import Paragraph

#: Holdings in the table of returns.
HOLDINGS_SHOWN = 8
_RETURNS = "market.total_returns"


@dataclass(frozen=True)
class Facts:
    """The facts that a memo's sentences may mention, by id; a sentence can only show what is here."""

    by_id: dict[str, Fact]

    def __call__(self, id: str, text: str | None = None) -> FactRef:
        """Return a mention of a fact; raises `KeyError` for one that does not exist."""
        return self.by_id[id].ref(text)

    def prose(self, id: str, paragraphs: list[Paragraph], *, bullets: bool = False) -> Exhibit:
        """Make an exhibit of paragraphs with the facts they mention; the heading is the notebook's own."""
        mentioned = {run.fact for paragraph in paragraphs for run in paragraph if isinstance(run, FactRef)}
        facts = tuple(self.by_id[name] for name in sorted(mentioned))
        return Exhibit(id, "", ProseBody(tuple(paragraphs), bullets=bullets), facts=facts)


def quarter_start(as_of: pd.Timestamp) -> pd.Timestamp:
    """The last day of the quarter before `as_of`: what a quarter's return starts from."""
    return pd.Timestamp((as_of.to_period("Q") - 1).end_time.date())


def returns(firm: Firm) -> pd.DataFrame:
    """Total return of each security over the quarter and the year so far, and its part of the firm's assets.

    Columns security_id, name, asset_class, weight, quarter, year; a security without a price at the start of a span
    has no return for it.
    """
    prices = firm.table("prices")
    start = pd.Timestamp(firm.as_of.year - 1, 12, 31)
    recent = prices[prices["date"] >= start - pd.Timedelta(days=7)]
    history = market.price_history(recent)
    daily = market.total_returns(history)
    held = firm.table("positions").groupby("security_id")["quantity"].sum() * history.close.iloc[-1]
    frame = firm.table("securities", ["security_id", "name", "asset_class"]).set_index("security_id")
    frame["weight"] = held / held.sum()
    for name, begin in (("quarter", quarter_start(firm.as_of)), ("year", start)):
        base = history.close.loc[:begin]
        span = daily.loc[daily.index > begin]
        grown = (1.0 + span).prod(min_count=len(span)) - 1.0
        frame[name] = grown.where(base.iloc[-1].notna() if len(base) else False)
    frame = frame[frame["weight"] > 0].reset_index()
    return frame.sort_values("weight", ascending=False, ignore_index=True, kind="stable")


def class_returns(frame: pd.DataFrame) -> pd.DataFrame:
    """Quarter's return of each asset class, its holdings weighted as the firm holds them now."""
    known = frame[frame["quarter"].notna() & (frame["security_id"] != CASH)]
    weighted = known.assign(part=known["weight"] * known["quarter"]).groupby("asset_class")[["part", "weight"]].sum()
    weighted["quarter"] = weighted["part"] / weighted["weight"]
    return weighted["quarter"].sort_values(ascending=False, kind="stable").reset_index()


def collect(review: Review, findings: Findings, frame: pd.DataFrame, origin: Origin) -> Facts:
    """Every fact that the memo may mention."""
    facts = list(firm_facts(review, origin))
    for row in class_returns(frame).itertuples():
        id = f"market.quarter.{slug(row.asset_class)}"
        facts.append(
            origin.fact(id, row.quarter, "percent", _RETURNS, ["prices", "positions"], text=_signed(row.quarter))
        )
    for cause, share in cause_shares(review).items():
        facts.append(
            origin.fact(
                f"drift.cause.{cause}", share, "percent", "drift.cause_shares", [*TABLES, "transactions"], digits=0
            )
        )
    for severity, count in findings.counts.items():
        facts.append(origin.fact(f"quality.findings.{severity}", count, "count", "firm.reconcile", ["all tables"]))
    classes = firm_wide(review, "asset_class")
    for row in classes.itertuples():
        id = f"drift.firm.asset_class.{slug(row.key)}.deviation"
        facts.append(origin.fact(id, row.deviation, "pp", "drift.aggregate", TABLES, digits=2))
    for row in review.ranking.head(3).itertuples():
        id = f"drift.account.{slug(row.account_id)}.score"
        facts.append(origin.fact(id, row.score, "number", "drift.rank", [*TABLES, "lots"], digits=0))
    return Facts({fact.id: fact for fact in facts})


def _signed(value: float) -> str:
    return fmt.percent(value, 1, signed=True)


def asked(review: Review, findings: Findings, facts: Facts) -> Exhibit:
    """What the committee is asked, why now, and what could be wrong with the answer."""
    out = int(review.aggregate.firm["out_of_band"])
    request: Paragraph = (
        (
            Strong("Decision asked. "),
            "Release the review of ",
            facts("drift.firm.out_of_band"),
            " accounts that are out of tolerance, in the order of the drift chapter, as proposals for rebalancing.",
        )
        if out
        else (Strong("Decision asked. "), "None on drift: every account measured stands within its tolerances.")
    )
    why: Paragraph = (
        Strong("Why now. "),
        facts("drift.firm.value_share_out"),
        " of the assets measured stand outside a band; the value-weighted tracking error to the models is ",
        facts("drift.firm.tracking_error"),
        " a year.",
    )
    doubt: Paragraph = (
        Strong("What could be wrong. "),
        facts("quality.findings.severe"),
        " severe findings and ",
        facts("quality.findings.warning"),
        " warnings on the data are open, and ",
        facts("drift.firm.not_measured"),
        " accounts could not be measured (",
        Link("data quality", "quality.html"),
        "). Tax is before netting, gain budgets and wash sales.",
    )
    mentioned = {run.fact for paragraph in (request, why, doubt) for run in paragraph if isinstance(run, FactRef)}
    known = tuple(facts.by_id[name] for name in sorted(mentioned))
    return Exhibit(
        "memo-asked", "For decision", CalloutBody("decision" if out else "neutral", (request, why, doubt)), facts=known
    )


def happened(frame: pd.DataFrame, review: Review, facts: Facts, as_of: pd.Timestamp) -> Exhibit:
    """What markets did over the quarter and what that did to the accounts."""
    classes = class_returns(frame)
    since = fmt.long_date(str(quarter_start(as_of).date()))
    paragraphs: list[Paragraph] = []
    if len(classes):
        best, worst = classes.iloc[0], classes.iloc[-1]
        first: Paragraph = (
            f"Since {since} {best['asset_class']} returned ",
            facts(f"market.quarter.{slug(best['asset_class'])}"),
            ", weighted as the firm holds it" if len(classes) == 1 else f" and {worst['asset_class']} ",
            *(
                ()
                if len(classes) == 1
                else (facts(f"market.quarter.{slug(worst['asset_class'])}"), ", each weighted as the firm holds it now")
            ),
            ".",
        )
        paragraphs.append(first)
    shares = cause_shares(review).sort_values(ascending=False, kind="stable")
    if len(shares):
        main, second = shares.index[0], shares.index[1]
        paragraphs.append(
            (
                "Of all the movement away from the models since accounts last stood on them, ",
                facts(f"drift.cause.{main}"),
                f" came from {_cause(main)} and ",
                facts(f"drift.cause.{second}"),
                f" from {_cause(second)}; manual trades made up ",
                facts("drift.cause.overrides"),
                ".",
            )
            if "overrides" not in {main, second}
            else (
                "Of all the movement away from the models since accounts last stood on them, ",
                facts(f"drift.cause.{main}"),
                f" came from {_cause(main)} and ",
                facts(f"drift.cause.{second}"),
                f" from {_cause(second)}.",
            )
        )
    return facts.prose("memo-happened", paragraphs)


def _cause(cause: object) -> str:
    words = {
        "market": "market prices",
        "corporate_actions": "dividends and corporate actions",
        "flows": "flows and fees",
        "trades": "rebalancing trades",
        "overrides": "manual trades",
        "model_change": "changes of the models",
        "residual": "what the last rebalance left",
    }
    return words.get(str(cause), CAUSE_NAMES[str(cause)].lower())


def stands(review: Review, facts: Facts) -> Exhibit:
    """Where the accounts stand: how many are out, where, and who comes first."""
    classes = firm_wide(review, "asset_class")
    widest = classes.loc[classes["deviation"].abs().idxmax()]
    first = review.ranking.iloc[0]
    paragraphs: list[Paragraph] = [
        (
            facts("drift.firm.out_of_band"),
            " of ",
            facts("drift.firm.accounts"),
            " accounts (",
            facts("drift.firm.share_out"),
            ") have at least one weight outside its band, with ",
            facts("drift.firm.breaches"),
            " breaches in all. Over the whole firm the widest deviation of an asset class is ",
            f"{widest['key']} at ",
            facts(f"drift.firm.asset_class.{slug(widest['key'])}.deviation"),
            ".",
        ),
        (
            f"The first account for review is {first['account_id']} with a score of ",
            facts(f"drift.account.{slug(first['account_id'])}.score"),
            f" of 100. {why(first)}",
        ),
        (
            "Correcting everything would turn over ",
            facts("drift.firm.turnover_to_correct"),
            ", cost ",
            facts("drift.firm.cost_to_correct"),
            " in half spreads and ",
            facts("drift.firm.tax_to_correct"),
            " in tax with the least-taxed lots sold first (",
            Link("drift", "drift.html"),
            ").",
        ),
    ]
    return facts.prose("memo-stands", paragraphs)


def actions(review: Review, findings: Findings, facts: Facts) -> Exhibit:
    """What should be done, by whom; each line follows from a figure above."""
    lines: list[Paragraph] = []
    if int(review.aggregate.firm["out_of_band"]):
        lines.append(
            (
                "Portfolio managers: prepare proposals for the accounts in the order of the ",
                Link("review list", "drift.html#drift-review"),
                ", cheapest tax first where scores are close.",
            )
        )
    by_key = review.aggregate.by_key
    systemic = by_key[by_key["systemic"] & (by_key["level"] == "asset_class") & (by_key["share_out"] >= 0.5)]
    for row in systemic.sort_values("share_out", ascending=False, kind="stable").head(2).itertuples():
        lines.append(
            f"Committee: most accounts of model {row.model_id} are out in {row.key}; ask whether the model or "
            "its bands should move rather than every account."
        )
    for finding in findings:
        if finding.severity in {"reject", "severe"}:
            lines.append(f"Operations: {finding.title.lower()}; {finding.remedy}.")
    if len(review.drift.no_data):
        lines.append(
            (
                "Advisors: ",
                facts("drift.firm.not_measured"),
                " accounts have no figures; reasons are in the ",
                Link("drift chapter", "drift.html#drift-unmeasured"),
                ".",
            )
        )
    return facts.prose("memo-actions", lines or ["Nothing beyond the usual review."], bullets=True)


def returns_table(frame: pd.DataFrame, origin: Origin, as_of: pd.Timestamp) -> Exhibit:
    """The firm's largest holdings and what they returned."""
    top = frame.head(HOLDINGS_SHOWN)
    columns = (
        Column("security_id", "Holding", emphasis=True),
        Column("name", "Name"),
        Column("weight", "Share of assets", "percent"),
        Column("quarter", "Quarter to date", "percent"),
        Column("year", "Year to date", "percent"),
    )
    rows, facts = origin.table("market.holding", top, columns, _RETURNS, ["prices", "positions"])
    share = float(top["weight"].sum())
    takeaway = f"The {len(top)} largest holdings are {fmt.percent(share, 0)} of the firm's assets."
    settings = origin.settings(
        f"total return with dividends, gross of fees; quarter since {quarter_start(as_of).date()}",
        ["prices", "positions"],
    )
    return Exhibit(
        "memo-returns", "Largest holdings and their returns", TableBody(columns, rows), takeaway, settings, facts
    )
