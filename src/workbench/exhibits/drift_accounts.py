"""The drift chapter's second half: the accounts to look at, and why each stands where it stands."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from workbench.drift import CAUSES, Review, driver
from workbench.exhibits.drift_facts import (
    TABLES,
    absent,
    account_anchor,
    check_level,
    display_names,
    no_tracking_error,
    noun,
    plural,
    why,
)
from workbench.exhibits.origin import Origin
from workbench.report import Badge, Column, Exhibit, FigureBody, Link, TableBody, figures
from workbench.report import format as fmt

CAUSE_NAMES = {
    "market": "Market",
    "corporate_actions": "Dividends, corporate actions",
    "flows": "Flows and fees",
    "trades": "Rebalancing",
    "overrides": "Manual trades",
    "model_change": "Model change",
    "residual": "There at the start",
}
_HISTORY = [*TABLES, "transactions", "accounts"]
#: Keys drawn in an account's chart of causes; the table has as many.
_KEYS_DRAWN = 8
#: Colours and marks that can be told apart; further models share the last one.
_MODELS_DRAWN = 7
#: Where the axes of the scatter end.
_COST_DRAWN, _ERROR_DRAWN = (-0.02, 0.10), 0.12
#: The figures in the sentence on why an account stands where it does.
_REASON = {"breaches": "count", "band_use": "number", "tracking_error": "percent", "tax_to_correct": "usd"}
_NO_TAX = "lots do not cover the holdings"


def review_table(review: Review, origin: Origin, most: int, explained: int) -> Exhibit:
    """The accounts to look at, in order; also on the index page. The first `explained` link to their causes."""
    if review.ranking.empty:
        return absent("drift-review", "Accounts for review")
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
    missing = {"tracking_error": no_tracking_error(review), "tax_to_correct": _NO_TAX}
    tables = [*TABLES, "lots"]
    rows, facts = origin.table("drift.account", frame, columns, "drift.rank", tables, missing=missing)
    linked = []
    for position, (row, account) in enumerate(zip(rows, frame["account_id"], strict=True)):
        cell = Link(account, f"drift.html#{account_anchor(account, origin)}") if position < explained else account
        linked.append((cell, *row[1:]))
    settings = origin.settings("score = half drift, 30% risk, 20% tax efficiency, on fixed scales", tables)
    body = TableBody(columns, tuple(linked))
    takeaway = _order(len(review.out_of_tolerance), len(frame))
    return Exhibit("drift-review", "Accounts for review", body, takeaway, settings, facts, index=True)


def _order(out: int, listed: int) -> str:
    """How many accounts are out, and which of them the table holds."""
    if not out:
        return "No account is out of tolerance; these stand furthest from their models."
    told = f"{plural(out, 'account')} {noun(out, 'is', 'are')} out of tolerance"
    if not listed:
        return f"{told}."
    if out <= listed:
        return f"{told} and {noun(out, 'comes', 'come')} first."
    return f"{told}; {'this one comes' if listed == 1 else f'these {listed} come'} first."


def scatter(review: Review, origin: Origin, names: pd.Series) -> Exhibit:
    """Every account: what tracking error it carries against what correcting would cost in tax."""
    id, title = "drift-scatter", "Risk carried against tax of correcting"
    frame = review.ranking
    frame = frame[frame["tracking_error"].notna() & frame["tax_to_correct"].notna()]
    if frame.empty:
        return absent(id, title, "No account has both a tracking error and a tax of correcting that are known.")
    cost = frame["tax_to_correct"] / frame["value"]
    cheap = int(((frame["tracking_error"] > 0.02) & (cost < 0.001)).sum())
    fact = origin.fact("drift.firm.cheap_to_correct", cheap, "count", "drift.rank", [*TABLES, "lots"])
    drawn_cost, drawn_error = cost.clip(*_COST_DRAWN), frame["tracking_error"].clip(upper=_ERROR_DRAWN)
    takeaway = (
        f"Start low and to the right: {plural(cheap, 'account')} {noun(cheap, 'carries', 'carry')} more than 2% of "
        "tracking error and would be corrected for less than 0.1% of value in tax."
    )
    if ((drawn_cost != cost) | (drawn_error != frame["tracking_error"])).any():
        takeaway += " Figures past the edges are drawn at the edge."
    if left := len(review.ranking) - len(frame):
        takeaway += f" {plural(left, 'account')} without one of the two figures {noun(left, 'is', 'are')} not drawn."
    body = figures.account_scatter(
        list(drawn_error),
        list(drawn_cost),
        list(frame["account_id"]),
        alt=takeaway,
        x_title="Tracking error to the model, a year",
        y_title="Tax of correcting, share of value",
        x_unit="percent",
        y_unit="percent",
        groups=_groups(frame["model_id"], display_names(names)),
        named=list(frame["account_id"].head(3)),
    )
    settings = origin.settings("least-tax lots first, before netting and budgets", [*TABLES, "lots"])
    return Exhibit(id, title, body, takeaway, settings, (fact,))


def _groups(models: pd.Series, names: pd.Series) -> list[str]:
    """Each account's model by name; where there are too many to tell apart, the smaller ones together."""
    largest = models.value_counts().index
    if len(largest) > _MODELS_DRAWN:
        largest = largest[: _MODELS_DRAWN - 1]
    return [names[model] if model in largest else "Other models" for model in models]


def account_sections(review: Review, origin: Origin, most: int, level: str) -> Iterator[Exhibit]:
    """Two exhibits for each of the first accounts: causes of its deviations, and the securities behind them.

    Raises `ParameterError` for a level that is not shown.
    """
    check_level(level)
    for account in review.ranking["account_id"].head(most):
        unknown = _without_causes(review, account, level)
        if not unknown:
            yield causes_figure(review, origin, account, level)
        yield securities_table(review, origin, account, unknown=unknown)


def _without_causes(review: Review, account: str, level: str) -> str:
    """Why an account's causes are not shown; empty where they are."""
    causes = review.causes
    if account not in set(causes.inputs.account_ids.take(causes.account)):
        reasons = causes.no_data.set_index("account_id")["reason"]
        return f"Its causes are not known: {reasons.get(account, 'it has no history')}."
    if causes.level(level, [account]).empty:
        return f"By {level.replace('_', ' ')} it stands on its model, and nothing has moved it."
    return ""


def causes_figure(review: Review, origin: Origin, account: str, level: str) -> Exhibit:
    """An account's deviations at one level, each split into its causes since it last stood on its model."""
    whole = review.causes.level(level, [account])
    start = whole["start"].iloc[0]
    order = whole["deviation"].abs().sort_values(ascending=False, kind="stable").index
    frame = whole.reindex(order).head(_KEYS_DRAWN)
    columns = (
        Column("key", level.replace("_", " ").capitalize()),
        *(Column(cause, CAUSE_NAMES[cause], "pp", digits=2) for cause in CAUSES),
        Column("deviation", "Deviation", "pp", digits=2, emphasis=True),
    )
    prefix = f"drift.account.{origin.slug(account)}.{level}"
    rows, facts = origin.table(prefix, frame, columns, "drift.explain", _HISTORY)
    words = " ".join(driver(review.causes, account, level, key).text for key in frame["key"].head(2))
    note = f"The {_KEYS_DRAWN} furthest of {len(whole)}." if len(whole) > _KEYS_DRAWN else ""
    body: FigureBody = figures.stacked_causes(
        list(frame["key"]),
        {CAUSE_NAMES[cause]: list(frame[cause]) for cause in CAUSES},
        alt=words,
        totals=list(frame["deviation"]),
        total_name="Deviation",
        axis_title="Deviation from target",
        data=TableBody(columns, rows, note=note),
    )
    began = fmt.long_date(str(start.date()))
    accounts = review.drift.inputs.accounts.set_index("account_id")
    rebalanced = pd.notna(accounts.loc[account, "last_rebalanced_on"])
    since = "when the account last stood on its model" if rebalanced else "where its history begins (never rebalanced)"
    settings = origin.settings(f"causes since {began}, {since}; their sum is exact", _HISTORY)
    anchor = account_anchor(account, origin)
    return Exhibit(anchor, f"Account {account}: why it drifted", body, words, settings, facts)


def securities_table(review: Review, origin: Origin, account: str, most: int = 10, unknown: str = "") -> Exhibit:
    """The securities of an account that stand furthest from target, and what correcting each would take.

    `unknown` says why the account's causes are not shown, where they are not.
    """
    frame = review.drift.level("security", [account])
    frame = frame.reindex(frame["deviation"].abs().sort_values(ascending=False, kind="stable").index)
    held = len(frame)
    frame = frame.head(most)
    frame["state"] = [_state(row.breach, row.band) for row in frame.itertuples()]
    columns = (
        Column("key", "Security", emphasis=True),
        Column("weight", "Weight", "percent", digits=2),
        Column("target", "Target", "percent", digits=2),
        Column("deviation", "Deviation", "pp", digits=2),
        Column("state", "Band", "badge"),
        Column("te_contribution", "Tracking error", "bp", digits=0, note="its part of the account's, a year"),
        Column("value", "Off target", "usd", note="dollars above target; below it negative"),
        Column("tax_to_correct", "Tax", "usd"),
    )
    tables = [*TABLES, "lots"]
    rows, facts = origin.table(
        f"drift.account.{origin.slug(account)}.security",
        frame,
        columns,
        "drift.measure",
        tables,
        missing={"te_contribution": no_tracking_error(review), "tax_to_correct": _NO_TAX},
    )
    ranked = review.ranking.set_index("account_id").loc[account]
    told = tuple(
        origin.fact(f"drift.account.{origin.slug(account)}.{name}", ranked[name], kind, "drift.rank", tables)
        for name, kind in _REASON.items()
        if np.isfinite(ranked[name])
    )
    settings = origin.settings("market value at the close; least-tax lots first", tables)
    anchor = account_anchor(account, origin)
    note = f"The {most} furthest of {held}." if held > most else ""
    return Exhibit(
        anchor if unknown else f"{anchor}-securities",
        f"Account {account}: furthest securities",
        TableBody(columns, rows, note=note),
        f"{ranked['reason']} {unknown}".strip(),
        settings,
        (*facts, *told),
    )


def _state(breach: bool, band: float) -> Badge:
    if breach:
        return Badge("out", "warning")
    return Badge("within", "good") if band == band else Badge("no band")
