"""The rebalance chapter's second half: blocks for the market, what stays undone, the wash calendar, a model change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pandas as pd

from workbench import rebalance
from workbench.errors import ParameterError
from workbench.exhibits import brief_words as words
from workbench.exhibits.drift_facts import absent, listed, noun, plural
from workbench.exhibits.origin import Origin
from workbench.exhibits.rebalance_facts import FUNCTION, TABLES, basis
from workbench.firm import Firm
from workbench.rebalance import ModelChangeImpact
from workbench.rebalance.proposal import Proposal
from workbench.report import Column, Exhibit, TableBody
from workbench.report import format as fmt


def blocks_table(proposals: Sequence[Proposal], adv: pd.Series, origin: Origin, most: int) -> Exhibit:
    """The largest blocks, one a security and side; `adv` is the average daily volume in shares by security."""
    id, title = "rebalance-blocks", "Largest blocks"
    if not any(proposal.trades for proposal in proposals):
        return absent(id, title, "No proposal has a trade.")
    blocks = rebalance.blocks(proposals, adv=adv)
    blocks = blocks.sort_values(["amount", "security_id", "side"], ascending=[False, True, True], ignore_index=True)
    frame = blocks.head(most)
    columns = (
        Column("security_id", "Security", emphasis=True),
        Column("side", "Side"),
        Column("shares", "Shares", "number", digits=0),
        Column("amount", "Dollars", "usd"),
        Column("accounts", "Accounts", "count"),
        Column("adv_share", "Of a day's volume", "percent", digits=2),
        Column("days_to_trade", "Days to trade", "count", note="at a tenth of the daily volume"),
    )
    keys = frame["security_id"] + " " + frame["side"]
    missing = {"adv_share": "no trading volume given", "days_to_trade": "no trading volume given"}
    tables = [*TABLES, "securities"]
    rows, facts = origin.table(
        "rebalance.block", frame, columns, "rebalance.blocks", tables, keys=keys, missing=missing
    )
    first, slow = frame.iloc[0], blocks[blocks["days_to_trade"] > 1]
    takeaway = (
        f"The largest block {'sells' if first['side'] == 'sell' else 'buys'} {fmt.usd(first['amount'])} of "
        f"{first['security_id']} for {plural(first['accounts'], 'account')}; "
    )
    takeaway += (
        f"{plural(len(slow), 'block')} would take more than a day." if len(slow) else "none would take more than a day."
    )
    note = "" if len(blocks) <= most else f"The {len(frame)} largest of {fmt.count(len(blocks))}."
    settings = origin.settings(
        "purchases and sales of one security are separate blocks; clients are never crossed", tables
    )
    return Exhibit(id, title, TableBody(columns, rows, note=note), takeaway, settings, facts)


def undone_table(proposals: Sequence[Proposal], origin: Origin) -> Exhibit:
    """What would have helped and was not done, counted by what stood against it."""
    id, title = "rebalance-undone", "What stays undone, and why"
    found = [
        (refused.obstacle, proposal.household_id, refused.amount or 0.0)
        for proposal in proposals
        for refused in proposal.refused
    ]
    if not found:
        return absent(id, title, "Nothing was left undone.")
    frame = pd.DataFrame(found, columns=["obstacle", "household_id", "amount"])
    frame = frame.groupby("obstacle", sort=True).agg(
        trades=("amount", "size"), households=("household_id", "nunique"), amount=("amount", "sum")
    )
    frame = frame.reset_index().sort_values(["amount", "obstacle"], ascending=[False, True], ignore_index=True)
    frame["reason"] = [words.OBSTACLES[obstacle] for obstacle in frame["obstacle"]]
    frame["reason"] = frame["reason"].str[:1].str.upper() + frame["reason"].str[1:]
    columns = (
        Column("reason", "What stood against it", emphasis=True),
        Column("trades", "Trades", "count"),
        Column("households", "Households", "count"),
        Column("amount", "Dollars", "usd"),
    )
    rows, facts = origin.table("rebalance.undone", frame, columns, FUNCTION, TABLES, keys=frame["obstacle"])
    first = frame.iloc[0]
    takeaway = (
        f"Most is left undone because of {words.OBSTACLES[first['obstacle']]}: {fmt.usd(first['amount'])} in "
        f"{plural(first['households'], 'household')}."
    )
    settings = origin.settings(basis(proposals), TABLES)
    return Exhibit(id, title, TableBody(columns, rows), takeaway, settings, facts)


def limits_table(proposals: Sequence[Proposal], origin: Origin, most: int) -> Exhibit:
    """Limits that bind, dearest first: what each costs its household in tracking error."""
    id, title = "rebalance-limits", "What binding limits cost"
    found = [
        {
            "household_id": proposal.household_id,
            "limit": limit.kind.replace("_", " "),
            "entity": limit.entity,
            "bound": limit.bound,
            "price": limit.price,
            "tracking": None if limit.tracking_bp is None else limit.tracking_bp / 10_000,
        }
        for proposal in proposals
        for limit in proposal.limits
    ]
    if not found:
        return absent(id, title, "No limit binds.")
    whole = pd.DataFrame(found).sort_values(
        ["tracking", "price", "household_id", "limit", "entity"],
        ascending=[False, False, True, True, True], na_position="last", ignore_index=True,
    )  # fmt: skip
    frame = whole.head(most).astype({"tracking": "float64"})
    columns = (
        Column("household_id", "Household", emphasis=True),
        Column("limit", "Limit"),
        Column("entity", "On"),
        Column("bound", "Bound", "usd"),
        Column("tracking", "Tracking it costs", "bp", digits=1),
    )
    keys = [f"{row.household_id} {row.limit} {row.entity}" for row in frame.itertuples(index=False)]
    missing = {"tracking": "not solved without this limit"}
    rows, facts = origin.table("rebalance.limit", frame, columns, FUNCTION, TABLES, keys=keys, missing=missing)
    kinds = Counter(row["limit"] for row in found)
    kind, count = sorted(kinds.items(), key=lambda item: (-item[1], item[0]))[0]
    takeaway = (
        f"{plural(len(found), 'limit')} {noun(len(found), 'binds', 'bind')}, most often the {kind} ({fmt.count(count)})"
    )
    dearest = frame.iloc[0]
    if dearest["tracking"] == dearest["tracking"]:
        cost = fmt.basis_points(dearest["tracking"], 1)
        takeaway += f"; dearest is that of {dearest['household_id']}, which costs {cost} of tracking"
    note = "" if len(whole) <= most else f"The {len(frame)} dearest of {fmt.count(len(whole))}."
    settings = origin.settings("limits with a dual price; tracking by solving again without the limit", TABLES)
    return Exhibit(id, title, TableBody(columns, rows, note=note), f"{takeaway}.", settings, facts)


def wash_table(proposals: Sequence[Proposal], origin: Origin, most: int) -> Exhibit:
    """The wash calendar of the firm: what may not be bought, or not sold at a loss, and until when."""
    id, title = "rebalance-wash", "Wash calendar"
    found = [
        (", ".join(row.securities), row.kind, proposal.household_id, row.first_day, row.last_day, row.proposed)
        for proposal in proposals
        for row in proposal.wash
    ]
    if not found:
        return absent(id, title, "No window is open: nothing was sold at a loss or bought that could wash a sale.")
    frame = pd.DataFrame(found, columns=["securities", "kind", "household_id", "first_day", "last_day", "proposed"])
    whole = frame.groupby(["securities", "kind"], sort=True).agg(
        households=("household_id", "nunique"), first_day=("first_day", "min"), last_day=("last_day", "max"),
        proposed=("proposed", "sum"),
    )  # fmt: skip
    whole = whole.reset_index().sort_values(
        ["households", "last_day", "securities", "kind"], ascending=[False, False, True, True], ignore_index=True
    )
    shown = whole.head(most).copy()
    shown["rule"] = shown["kind"].map({"no_buy": "do not buy", "no_loss_sale": "no sale at a loss"})
    for name in ("first_day", "last_day"):
        shown[name] = [day.isoformat() for day in shown[name]]
    shown["securities"] = [words.clipped(names, 60) for names in shown["securities"]]
    columns = (
        Column("securities", "Securities", emphasis=True),
        Column("rule", "Rule"),
        Column("households", "Households", "count"),
        Column("first_day", "First day", "date"),
        Column("last_day", "Last day", "date"),
        Column("proposed", "From these proposals", "count", note="windows that the proposals themselves would open"),
    )
    keys = [f"{row.securities} {row.kind}" for row in shown.itertuples(index=False)]
    rows, facts = origin.table("rebalance.wash", shown, columns, "tax.wash", TABLES, keys=keys)
    new = int(frame["proposed"].sum())
    households = frame["household_id"].nunique()
    takeaway = (
        f"{plural(len(frame), 'window')} {noun(len(frame), 'is', 'are')} open in {plural(households, 'household')}; "
        f"{fmt.count(new)} would be opened by the proposals."
    )
    note = "" if len(whole) <= most else f"The {len(shown)} of most households, of {fmt.count(len(whole))}."
    settings = origin.settings(
        "30 days before and after a sale at a loss, all accounts of a household together", TABLES
    )
    return Exhibit(id, title, TableBody(columns, rows, note=note), takeaway, settings, facts)


def next_versions(firm: Firm) -> ModelChangeImpact | None:
    """Return what the models' next versions would do to the firm; None where no model has one."""
    try:
        return rebalance.model_change(firm)
    except ParameterError:
        return None


def impact_table(impact: ModelChangeImpact | None, origin: Origin) -> Exhibit:
    """What the models' next versions would do to the accounts on them; None where there is no later version."""
    id, title = "rebalance-impact", "If the next model versions came into force"
    if impact is None or impact.accounts.empty:
        return absent(id, title, "No model that an account is on has a version after the one in force.")
    by_model = impact.accounts.groupby("model_id", sort=True)
    frame = by_model.agg(
        accounts=("account_id", "size"), value=("value", "sum"), bought=("bought", "sum"), sold=("sold", "sum"),
        blocked=("blocked", "sum"), gain=("gain", "sum"), tax=("tax", "sum"),
    )  # fmt: skip
    frame["in_conflict"] = by_model["conflicts"].agg(lambda counts: int((counts > 0).sum()))
    versions = by_model[["version_before", "version_after"]].first()
    frame["versions"] = [f"{row.version_before} → {row.version_after}" for row in versions.itertuples(index=False)]
    frame = frame.reset_index()
    columns = (
        Column("model_id", "Model", emphasis=True),
        Column("versions", "Versions"),
        Column("accounts", "Accounts", "count"),
        Column("value", "Assets", "usd"),
        Column("bought", "To buy", "usd"),
        Column("sold", "To sell", "usd"),
        Column("blocked", "Blocked", "usd", note="wanted, and stopped by a restriction"),
        Column("gain", "Gain", "usd", note="realised in taxed accounts, least-taxed lots first"),
        Column("tax", "Tax", "usd"),
        Column("in_conflict", "Accounts in conflict", "count"),
    )
    rows, facts = origin.table("rebalance.impact", frame, columns, "rebalance.model_change", [*TABLES, "models"])
    total = impact.summary
    takeaway = (
        f"{plural(total.accounts, 'account')} would turn over {fmt.percent(total.turnover)} of their value and realise "
        f"{fmt.usd(total.gain)} of net gains; {plural(total.accounts_in_conflict, 'account')} "
        f"{noun(total.accounts_in_conflict, 'has', 'have')} a restriction in the way."
    )
    note = f"Left out: {words.clipped(listed(list(total.left_out)), 200)}." if total.left_out else ""
    settings = origin.settings(
        "every account moved straight to the new targets as far as its restrictions let it; a screening, no proposal",
        [*TABLES, "models"],
    )
    return Exhibit(id, title, TableBody(columns, rows, note=note), takeaway, settings, facts)
