"""The drift chapter's first half: the firm and its models."""

from __future__ import annotations

import pandas as pd

from workbench.drift import Review
from workbench.exhibits.origin import Origin, slug
from workbench.report import (
    CalloutBody,
    Column,
    Exhibit,
    Fact,
    FactRef,
    Kpi,
    KpiBody,
    Link,
    Missing,
    TableBody,
    figures,
)
from workbench.report import format as fmt
from workbench.report.exhibit import Paragraph

TABLES = ["positions", "prices", "model_targets", "tolerances"]
_BASIS = "market value at the close, targets of the versions in force"
#: Model-wide deviations smaller than this are not worth a sentence.
NOTABLE = 0.005


def summary(review: Review, origin: Origin) -> Exhibit:
    """Key figures of the firm's drift; also on the index page."""
    facts = {fact.id: fact for fact in firm_facts(review, origin)}

    def ref(name: str, text: str | None = None) -> FactRef:
        return facts[f"drift.firm.{name}"].ref(text)

    firm = review.aggregate.firm
    items = (
        Kpi(
            "Out of tolerance",
            ref("out_of_band"),
            f"of {len(review.ranking):,} accounts measured",
            "warning" if firm["out_of_band"] else "good",
        ),
        Kpi("Assets measured", ref("value", fmt.usd_short(firm["value"])), _not_measured(review)),
        Kpi("Tracking error", ref("tracking_error"), "to model, value-weighted, a year"),
        Kpi(
            "To correct it all",
            ref("turnover_to_correct", fmt.usd_short(firm["turnover_to_correct"])),
            "one-way turnover",
        ),
        Kpi(
            "Tax to correct",
            ref("tax_to_correct", fmt.usd_short(firm["tax_to_correct"])),
            "least-tax lots, before netting",
        ),
    )
    settings = origin.settings(_BASIS, [*TABLES, "lots"])
    return Exhibit(
        "drift-summary", "The firm at a glance", KpiBody(items), "", settings, tuple(facts.values()), index=True
    )


def firm_facts(review: Review, origin: Origin) -> tuple[Fact, ...]:
    """The firm-wide figures that chapter, memo and index share."""
    firm = review.aggregate.firm
    kinds = {
        "accounts": "count",
        "value": "usd",
        "out_of_band": "count",
        "share_out": "percent",
        "value_share_out": "percent",
        "active_share": "percent",
        "tracking_error": "percent",
        "breaches": "count",
        "turnover_to_correct": "usd",
        "cost_to_correct": "usd",
        "tax_to_correct": "usd",
    }
    facts = [
        origin.fact(f"drift.firm.{name}", firm[name], kind, "drift.aggregate", [*TABLES, "lots"])
        for name, kind in kinds.items()
        if firm[name] == firm[name]
    ]
    unmeasured = origin.fact(
        "drift.firm.not_measured", len(review.drift.no_data), "count", "drift.load", ["accounts", "positions"]
    )
    return (*facts, unmeasured)


def verdict(review: Review, origin: Origin) -> Exhibit:
    """The box at the top: how many accounts are out, what correcting them would take, and which comes first."""
    facts = {fact.id: fact for fact in firm_facts(review, origin)}
    if review.out_of_tolerance.empty:
        text = "Every account measured stands within its tolerances. No decision is needed on drift."
        return Exhibit("drift-verdict", "Nothing is out of tolerance", CalloutBody("good", (text,)))
    first = review.out_of_tolerance.iloc[0]
    lines: list[Paragraph] = [
        (
            facts["drift.firm.out_of_band"].ref(),
            " of ",
            facts["drift.firm.accounts"].ref(),
            " accounts are out of tolerance, ",
            facts["drift.firm.value_share_out"].ref(),
            " of the assets measured. Bringing all accounts to target would turn over ",
            facts["drift.firm.turnover_to_correct"].ref(),
            " and cost ",
            facts["drift.firm.tax_to_correct"].ref(),
            " of tax. The review list below is the suggested order.",
        ),
        (
            "First for review: ",
            Link(str(first["account_id"]), f"drift.html#{account_anchor(first['account_id'])}"),
            f". {why(first)}",
        ),
    ]
    return Exhibit(
        "drift-verdict", "Out of tolerance", CalloutBody("warning", tuple(lines)), facts=tuple(facts.values())
    )


def why(account: pd.Series) -> str:
    """The driver of a ranked account's furthest deviation; what its score rests on where causes are not known."""
    return str(account["driver"] if isinstance(account["driver"], str) else account["reason"])


def account_anchor(account: object) -> str:
    """Where the drift chapter explains an account."""
    return f"drift-account-{slug(account)}"


def level_figure(review: Review, origin: Origin, level: str) -> Exhibit:
    """The whole firm's weights against its targets at one level, value-weighted over all accounts."""
    frame = firm_wide(review, level)
    noun = level.replace("_", " ")
    columns = (
        Column("key", noun.capitalize()),
        Column("weight", "Weight", "percent"),
        Column("target", "Target", "percent"),
        Column("deviation", "Deviation", "pp", digits=2),
    )
    rows, facts = origin.table(f"drift.firm.{level}", frame, columns, "drift.aggregate", TABLES)
    widest = frame.loc[frame["deviation"].abs().idxmax()]
    side = "above" if widest["deviation"] > 0 else "below"
    distance = fmt.percentage_points(abs(widest["deviation"])).lstrip("+")
    takeaway = f"Over all accounts {widest['key']} stands {distance} {side} its target, the widest of the {len(frame)}."
    body = figures.bars_against_target(
        list(frame["key"]),
        list(frame["weight"]),
        list(frame["target"]),
        alt=takeaway,
        axis_title="Share of assets",
        data=TableBody(columns, rows),
    )
    settings = origin.settings(f"{_BASIS}, weighted by account value", TABLES)
    return Exhibit(
        f"drift-firm-{level.replace('_', '-')}", f"Weights against targets by {noun}", body, takeaway, settings, facts
    )


def firm_wide(review: Review, level: str) -> pd.DataFrame:
    """Value-weighted weight, target and deviation of each key over all models, the largest target first."""
    by_key = review.aggregate.by_key
    rows = by_key[by_key["level"] == level]
    value = rows["model_id"].map(review.aggregate.models.set_index("model_id")["value"])
    share = value / review.aggregate.firm["value"]
    shares = pd.DataFrame({"key": rows["key"], "weight": rows["weight"] * share, "target": rows["target"] * share})
    frame = shares.groupby("key", sort=False).sum().reset_index()
    frame["deviation"] = frame["weight"] - frame["target"]
    return frame.sort_values(["target", "key"], ascending=[False, True], ignore_index=True)


def models_table(review: Review, origin: Origin, names: pd.Series) -> Exhibit:
    """One row a model: how many of its accounts are out, and by how much. `names` maps model_id to its name."""
    frame = review.aggregate.models.copy()
    frame["name"] = frame["model_id"].map(names)
    columns = (
        Column("name", "Model", emphasis=True),
        Column("accounts", "Accounts", "count"),
        Column("value", "Assets", "usd"),
        Column("out_of_band", "Out", "count", note="accounts with any weight outside its band"),
        Column("share_out", "Share out", "percent"),
        Column("active_share", "Active share", "percent", note="half the sum of absolute deviations, value-weighted"),
        Column("tracking_error", "Tracking error", "percent", digits=2, note="to the model, a year, value-weighted"),
        Column("tax_to_correct", "Tax to correct", "usd"),
    )
    rows, facts = origin.table("drift.model", frame, columns, "drift.aggregate", [*TABLES, "lots"])
    worst = frame.loc[frame["share_out"].idxmax()]
    takeaway = (
        f"{worst['name']} has the largest share of accounts out of tolerance: "
        f"{fmt.count(worst['out_of_band'])} of {fmt.count(worst['accounts'])}."
    )
    settings = origin.settings(_BASIS, [*TABLES, "lots"])
    return Exhibit("drift-models", "Drift by model", TableBody(columns, rows), takeaway, settings, facts)


def models_grid(review: Review, origin: Origin, names: pd.Series, level: str) -> Exhibit:
    """Each model's value-weighted deviation at each key of a level, as a grid of dots."""
    by_key = review.aggregate.by_key
    wide = by_key[by_key["level"] == level].pivot(index="model_id", columns="key", values="deviation")
    wide = wide.loc[:, wide.abs().max().sort_values(ascending=False, kind="stable").index[:8]]
    wide.insert(0, "name", [names[model] for model in wide.index])
    columns = (Column("name", "Model"), *(Column(str(key), str(key), "pp", digits=2) for key in wide.columns[1:]))
    rows, facts = origin.table(f"drift.model.{level}", wide, columns, "drift.aggregate", TABLES)
    values = wide.drop(columns="name")
    model, key = values.abs().stack().idxmax()
    takeaway = (
        f"The widest of a model is {names[model]}'s in {key}: {fmt.percentage_points(values.loc[model, key])}. "
        "What all accounts of a model share is the model's business; what only some have is theirs."
    )
    body = figures.dot_table(
        list(wide["name"]),
        [str(name) for name in values.columns],
        [list(line) for line in values.to_numpy()],
        alt=takeaway,
        data=TableBody(columns, rows),
    )
    settings = origin.settings(f"{_BASIS}, weighted by account value", TABLES)
    return Exhibit(
        f"drift-models-{level.replace('_', '-')}",
        f"Deviation of each model by {level.replace('_', ' ')}",
        body,
        takeaway,
        settings,
        facts,
    )


def band_use_figure(review: Review, origin: Origin) -> Exhibit:
    """How the accounts spread: the furthest deviation of each in units of its band."""
    use = review.drift.accounts["band_use"].clip(upper=5.0)
    inside = int((use <= 1).sum())
    beyond = int((review.drift.accounts["band_use"] > 5.0).sum())
    facts = (
        origin.fact("drift.firm.within_bands", inside, "count", "drift.measure", TABLES),
        origin.fact("drift.firm.beyond_five_bands", beyond, "count", "drift.measure", TABLES),
    )
    takeaway = (
        f"{inside:,} of {len(use):,} accounts stand within all bands; {beyond:,} stand beyond five times a band "
        "and are drawn at five."
    )
    body = figures.histogram(
        list(use),
        alt=takeaway,
        unit="number",
        limit=1.0,
        bins=25,
        axis_title="Furthest deviation, in units of its band",
    )
    settings = origin.settings("the furthest deviation over all levels", TABLES)
    return Exhibit("drift-band-use", "How far accounts stand from their models", body, takeaway, settings, facts)


def trades_table(review: Review, origin: Origin, most: int = 12) -> Exhibit:
    """What correcting everything would trade, security by security, netted over the firm, with its liquidity."""
    frame = netted(review).head(most)
    columns = (
        Column("security", "Security", emphasis=True),
        Column("buy", "Buy", "usd"),
        Column("sell", "Sell", "usd"),
        Column("net", "Net", "usd"),
        Column("days", "Days to trade", "number", digits=2, note="net shares over 10 % of the daily volume"),
        Column("tax", "Tax", "usd"),
    )
    rows, facts = origin.table("drift.security", frame, columns, "drift.measure", [*TABLES, "lots", "securities"])
    first = frame.iloc[0]
    side = "sold" if first["net"] < 0 else "bought"
    takeaway = f"The largest net trade would be {first['security']}: {fmt.usd(abs(first['net']))} {side}."
    settings = origin.settings("every deviation corrected to target, netted over accounts", [*TABLES, "lots"])
    note = "" if len(netted(review)) <= most else f"The {most} largest of {len(netted(review))} securities."
    return Exhibit(
        "drift-trades",
        "What correcting everything would trade",
        TableBody(columns, rows, note=note),
        takeaway,
        settings,
        facts,
    )


def netted(review: Review) -> pd.DataFrame:
    """Dollars to buy and sell of each security over all accounts, days to trade the net, tax of the sales."""
    rows, securities = review.drift.rows, review.drift.inputs.securities
    frame = pd.DataFrame(
        {"security": rows.security, "amount": -rows.deviation * review.drift.value[rows.account], "tax": rows.tax}
    )
    frame = frame[~securities.is_cash[frame["security"]]]
    grouped = frame.assign(buy=frame["amount"].clip(lower=0), sell=-frame["amount"].clip(upper=0)).groupby("security")
    total = grouped[["buy", "sell", "tax"]].sum()
    total["net"] = total["buy"] - total["sell"]
    shares = total["net"].abs() / securities.price[total.index]
    total["days"] = shares / (review.drift.participation * securities.adv[total.index])
    total.insert(0, "name", [securities.ids[position] for position in total.index])
    total = total.reset_index(drop=True).rename(columns={"name": "security"})
    return total.sort_values(["net"], key=lambda net: -net.abs(), ignore_index=True, kind="stable")


def _not_measured(review: Review) -> str:
    count = len(review.drift.no_data)
    return f"{count} not measured, listed below" if count else "every account measured"


def unmeasured_table(review: Review, origin: Origin) -> Exhibit:
    """Every account that was not measured, and why."""
    columns = (Column("account_id", "Account", emphasis=True), Column("model_id", "Model"), Column("reason", "Reason"))
    frame = review.drift.no_data
    rows = tuple(
        (row.account_id, row.model_id if isinstance(row.model_id, str) else Missing("none assigned"), row.reason)
        for row in frame.itertuples()
    )
    takeaway = f"{len(frame)} accounts could not be measured." if rows else "Every account could be measured."
    settings = origin.settings("accounts open on the day", ["accounts", "positions", "prices"], simulated=False)
    return Exhibit("drift-unmeasured", "Not measured", TableBody(columns, rows), takeaway, settings)
