"""The drift chapter's second half: the accounts to look at, and why each stands where it stands."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from workbench.drift import CAUSES, Review, driver
from workbench.exhibits.drift_firm import TABLES, account_anchor, why
from workbench.exhibits.origin import Origin, slug
from workbench.report import Badge, Column, Exhibit, FigureBody, Link, TableBody, figures
from workbench.report import format as fmt

CAUSE_NAMES = {
    "market": "Market",
    "corporate_actions": "Dividends, corporate actions",
    "flows": "Flows and fees",
    "trades": "Rebalancing",
    "overrides": "Manual trades",
    "model_change": "Model change",
    "residual": "Left by last rebalance",
}
_HISTORY = [*TABLES, "transactions", "accounts"]
#: Keys drawn in an account's chart of causes; the table has as many.
_KEYS_DRAWN = 8


def review_table(review: Review, origin: Origin, most: int, explained: int) -> Exhibit:
    """The accounts to look at, in order; also on the index page. The first `explained` link to their causes."""
    frame = review.ranking.head(most).copy()
    frame["driver"] = [why(account) for _, account in frame.iterrows()]
    columns = (
        Column("account_id", "Account", emphasis=True),
        Column("model_id", "Model"),
        Column("value", "Value", "usd"),
        Column("score", "Score", "number", digits=0, note="0 to 100: drift, risk and tax efficiency"),
        Column("breaches", "Breaches", "count"),
        Column("tracking_error", "Tracking error", "percent", digits=1),
        Column("tax_to_correct", "Tax to correct", "usd"),
        Column("driver", "Main driver of its furthest deviation"),
    )
    rows, facts = origin.table("drift.account", frame, columns, "drift.rank", [*TABLES, "lots"])
    linked = []
    for position, row in enumerate(rows):
        account = str(row[0])
        cell = Link(account, f"drift.html#{account_anchor(account)}") if position < explained else account
        linked.append((cell, *row[1:]))
    out = len(review.out_of_tolerance)
    takeaway = (
        f"{out:,} accounts are out of tolerance; these {len(frame)} come first."
        if out
        else ("No account is out of tolerance; these stand furthest from their models.")
    )
    settings = origin.settings("score = half drift, 30 % risk, 20 % tax efficiency, on fixed scales", [*TABLES, "lots"])
    return Exhibit(
        "drift-review", "Accounts for review", TableBody(columns, tuple(linked)), takeaway, settings, facts, index=True
    )


def scatter(review: Review, origin: Origin, names: pd.Series) -> Exhibit:
    """Every account: what tracking error it carries against what correcting would cost in tax."""
    frame = review.ranking
    cost = (frame["tax_to_correct"] / frame["value"]).clip(lower=-0.02, upper=0.10)
    error = frame["tracking_error"].clip(upper=0.12)
    cheap = int(((frame["tracking_error"] > 0.02) & (cost < 0.001)).sum())
    fact = origin.fact("drift.firm.cheap_to_correct", cheap, "count", "drift.rank", [*TABLES, "lots"])
    takeaway = (
        f"Start low and to the right: {cheap:,} accounts carry more than 2 % of tracking error and would be "
        "corrected for less than 0.1 % of their value in tax. Figures past the edges are drawn at the edge."
    )
    body = figures.account_scatter(
        list(error),
        list(cost),
        list(frame["account_id"]),
        alt=takeaway,
        x_title="Tracking error to the model, a year",
        y_title="Tax of correcting, share of value",
        x_unit="percent",
        y_unit="percent",
        groups=[names[model] for model in frame["model_id"]],
        named=list(frame["account_id"].head(3)),
    )
    settings = origin.settings("least-tax lots first, before netting and budgets", [*TABLES, "lots"])
    return Exhibit("drift-scatter", "Risk carried against tax of correcting", body, takeaway, settings, (fact,))


def account_sections(review: Review, origin: Origin, most: int, level: str) -> Iterator[Exhibit]:
    """Two exhibits for each of the first accounts: causes of its deviations, and the securities behind them."""
    known = set(review.drift.inputs.account_ids.take(review.causes.account))
    for row in review.ranking.head(most).itertuples():
        if row.account_id in known:
            yield causes_figure(review, origin, row.account_id, level)
        yield securities_table(review, origin, row.account_id)


def causes_figure(review: Review, origin: Origin, account: str, level: str) -> Exhibit:
    """An account's deviations at one level, each split into its causes since it last stood on its model."""
    frame = review.causes.level(level, [account])
    start = frame["start"].iloc[0]
    frame = frame.reindex(frame["deviation"].abs().sort_values(ascending=False, kind="stable").index).head(_KEYS_DRAWN)
    columns = (
        Column("key", level.replace("_", " ").capitalize()),
        *(Column(cause, CAUSE_NAMES[cause], "pp", digits=2) for cause in CAUSES),
        Column("deviation", "Deviation", "pp", digits=2, emphasis=True),
    )
    prefix = f"drift.account.{slug(account)}.{level}"
    rows, facts = origin.table(prefix, frame, columns, "drift.explain", _HISTORY)
    words = " ".join(driver(review.causes, account, level, key).text for key in frame["key"].head(2))
    body: FigureBody = figures.stacked_causes(
        list(frame["key"]),
        {CAUSE_NAMES[cause]: list(frame[cause]) for cause in CAUSES},
        alt=words,
        totals=list(frame["deviation"]),
        total_name="Deviation",
        axis_title="Deviation from target",
        data=TableBody(columns, rows),
    )
    began = fmt.long_date(str(start.date()))
    settings = origin.settings(
        f"causes since {began}, when the account last stood on its model; their sum is exact", _HISTORY
    )
    name = f"{account_anchor(account)}"
    return Exhibit(name, f"Account {account}: why it drifted", body, words, settings, facts)


def securities_table(review: Review, origin: Origin, account: str, most: int = 10) -> Exhibit:
    """The securities of an account that stand furthest from target, and what correcting each would take."""
    frame = review.drift.level("security", [account])
    frame = frame.reindex(frame["deviation"].abs().sort_values(ascending=False, kind="stable").index).head(most)
    frame = frame.assign(state=[Badge("out", "warning") if out else Badge("within", "good") for out in frame["breach"]])
    columns = (
        Column("key", "Security", emphasis=True),
        Column("weight", "Weight", "percent", digits=2),
        Column("target", "Target", "percent", digits=2),
        Column("deviation", "Deviation", "pp", digits=2),
        Column("state", "Band", "badge"),
        Column("te_contribution", "Tracking error", "bp", digits=0, note="its part of the account's, a year"),
        Column("value", "To trade", "usd", note="over target positive"),
        Column("tax_to_correct", "Tax", "usd"),
    )
    tables = [*TABLES, "lots"]
    rows, facts = origin.table(f"drift.account.{slug(account)}.security", frame, columns, "drift.measure", tables)
    ranked = review.ranking.set_index("account_id").loc[account]
    settings = origin.settings("market value at the close; least-tax lots first", tables)
    name = f"{account_anchor(account)}-securities"
    return Exhibit(
        name,
        f"Account {account}: furthest securities",
        TableBody(columns, rows),
        str(ranked["reason"]),
        settings,
        facts,
    )
