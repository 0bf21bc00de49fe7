"""The drift chapter's first part: the whole firm."""

from __future__ import annotations

from workbench.drift import Review
from workbench.exhibits.drift_facts import (
    BASIS,
    TABLES,
    absent,
    check_level,
    firm_facts,
    firm_wide,
    listed,
    netted,
    no_tracking_error,
    noun,
    plural,
    tax_to_correct,
    why,
    without_bands,
)
from workbench.exhibits.origin import Origin
from workbench.report import (
    CalloutBody,
    Column,
    Exhibit,
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

#: Accounts without figures that are listed by name; the count is always the full one.
UNMEASURED_SHOWN = 50
#: Where the axis of band use ends.
_BANDS_DRAWN = 5.0


def summary(review: Review, origin: Origin) -> Exhibit:
    """Key figures of the firm's drift; also on the index page."""
    facts = firm_facts(review, origin)

    def ref(name: str, text: str | None = None) -> FactRef | str:
        return facts[name].ref(text) if name in facts else fmt.MISSING

    def money(name: str) -> FactRef | str:
        return ref(name, fmt.usd_short(float(facts[name].value))) if name in facts else fmt.MISSING

    firm, measured = review.aggregate.firm, len(review.ranking)
    banded = measured > without_bands(review)
    out = (
        Kpi(
            "Out of tolerance",
            ref("out_of_band"),
            f"of {plural(measured, 'account')} measured",
            "warning" if firm["out_of_band"] else "good",
        )
        if banded
        else Kpi("Out of tolerance", fmt.MISSING, "no model has a band" if measured else "no account measured")
    )
    items: tuple[Kpi, ...] = (out, Kpi("Assets measured", money("value"), _not_measured(review)))
    if measured:
        error = "to model, value-weighted, a year" if "tracking_error" in facts else no_tracking_error(review)
        unknown = int(firm["tax_unknown"])
        tax = f"without {plural(unknown, 'account')} of unknown tax" if unknown else "least-tax lots, before netting"
        items += (
            Kpi("Tracking error", ref("tracking_error"), error),
            Kpi("To correct it all", money("turnover_to_correct"), "one-way turnover"),
            Kpi("Tax to correct", money("tax_to_correct"), tax),
        )
    settings = origin.settings(BASIS, [*TABLES, "lots"])
    return Exhibit(
        "drift-summary", "The firm at a glance", KpiBody(items), "", settings, tuple(facts.values()), index=True
    )


def verdict(review: Review, origin: Origin) -> Exhibit:
    """The box at the top: how many accounts are out, what correcting them would take, and which comes first."""
    facts = firm_facts(review, origin)
    carried = tuple(facts.values())
    if review.ranking.empty:
        text: Paragraph = (
            "No account could be measured, so nothing can be said about drift. The reasons are ",
            Link("listed below", "drift.html#drift-unmeasured"),
            ".",
        )
        return Exhibit("drift-verdict", "Nothing was measured", CalloutBody("warning", (text,)), facts=carried)
    bare = without_bands(review)
    if bare == len(review.ranking):
        text = (
            "No model in use has a tolerance band, so no account can be out of tolerance. The accounts below are "
            "ordered by how far they stand from their models."
        )
        return Exhibit("drift-verdict", "No tolerances to hold against", CalloutBody("warning", (text,)), facts=carried)
    doubt: list[Paragraph] = []
    if bare:
        doubt.append(f"{plural(bare, 'account')} on models without any band cannot be out of tolerance.")
    doubt += [f"Not checked, level {level}: {reason}." for level, reason in review.drift.inputs.unchecked.items()]
    if review.out_of_tolerance.empty:
        text = "Every account measured stands within its tolerances. No decision is needed on drift."
        body = CalloutBody("good", (text, *doubt))
        return Exhibit("drift-verdict", "Nothing is out of tolerance", body, facts=carried)
    first, out = review.out_of_tolerance.iloc[0], len(review.out_of_tolerance)
    lines: tuple[Paragraph, ...] = (
        (
            facts["out_of_band"].ref(),
            " of ",
            facts["accounts"].ref(),
            f" {noun(len(review.ranking), 'account')} {noun(out, 'is', 'are')} out of tolerance, ",
            facts["value_share_out"].ref(),
            " of the assets measured. Bringing all accounts to target would turn over ",
            facts["turnover_to_correct"].ref(),
            " and ",
            *tax_to_correct(facts),
            ". The review list below is the suggested order.",
        ),
        (
            "First for review: ",
            Link(str(first["account_id"]), "drift.html#drift-review"),
            f". {why(first)}",
        ),
    )
    return Exhibit("drift-verdict", "Out of tolerance", CalloutBody("warning", (*lines, *doubt)), facts=carried)


def level_figure(review: Review, origin: Origin, level: str) -> Exhibit:
    """The whole firm's weights against its targets at one level, value-weighted over all accounts.

    Raises `ParameterError` for a level that is not shown.
    """
    check_level(level)
    name, words = f"drift-firm-{level.replace('_', '-')}", level.replace("_", " ")
    title = f"Weights against targets by {words}"
    if review.ranking.empty:
        return absent(name, title)
    frame = firm_wide(review, level)
    columns = (
        Column("key", words.capitalize()),
        Column("weight", "Weight", "percent"),
        Column("target", "Target", "percent"),
        Column("deviation", "Deviation", "pp", digits=2),
    )
    rows, facts = origin.table(f"drift.firm.{level}", frame, columns, "drift.aggregate", TABLES)
    widest = frame.loc[frame["deviation"].abs().idxmax()]
    distance = fmt.percentage_points(abs(widest["deviation"])).lstrip("+")
    takeaway = (
        f"Over all accounts {widest['key']} stands {distance} {'above' if widest['deviation'] > 0 else 'below'} its "
        f"target, the widest of {len(frame)}."
        if abs(widest["deviation"]) >= 0.0005
        else f"Over all accounts each {words} stands on its target."
    )
    body = figures.bars_against_target(
        list(frame["key"]),
        list(frame["weight"]),
        list(frame["target"]),
        alt=takeaway,
        axis_title="Share of assets",
        data=TableBody(columns, rows),
    )
    settings = origin.settings(f"{BASIS}, weighted by account value", TABLES)
    return Exhibit(name, title, body, takeaway, settings, facts)


def factor_figure(review: Review, origin: Origin) -> Exhibit:
    """The whole firm's exposures to style factors against those of its targets, value-weighted over all accounts."""
    name, title = "drift-firm-factor", "Factor exposures against targets"
    if review.ranking.empty:
        return absent(name, title)
    if "factor" not in review.drift.levels:
        return absent(
            name, title, "The firm's prices are too short for a regression, or nothing stands for the market."
        )
    regressed = review.styles is not None
    frame = firm_wide(review, "factor").dropna(ignore_index=True)
    if frame.empty:
        young = f"Exposures are not known of {listed(review.not_covered)}, too young for the window."
        return absent(name, title, young if regressed else "The firm's exposures leave out something held or targeted.")
    columns = (
        Column("key", "Factor"),
        Column("weight", "Exposure", "number"),
        Column("target", "Target", "number"),
        Column("deviation", "Deviation", "number"),
    )
    tables = [*TABLES, "securities" if regressed else "factor_exposures"]
    rows, facts = origin.table("drift.firm.factor", frame, columns, "drift.aggregate", tables)
    widest = frame.loc[frame["deviation"].abs().idxmax()]
    takeaway = (
        f"Against its targets the firm's exposure to {widest['key']} is the furthest off: "
        f"{fmt.number(widest['weight'])} where the models ask for {fmt.number(widest['target'])}."
    )
    body = figures.bars_against_target(
        list(frame["key"]),
        list(frame["weight"]),
        list(frame["target"]),
        unit="number",
        alt=takeaway,
        axis_title="Exposure",
        data=TableBody(columns, rows),
    )
    slopes = "least-squares slopes of daily total returns on factor funds less the market"
    basis = f"{slopes if regressed else 'the exposures the firm keeps'}, weighted by account value"
    return Exhibit(name, title, body, takeaway, origin.settings(basis, tables), facts)


def band_use_figure(review: Review, origin: Origin) -> Exhibit:
    """How the accounts spread: the furthest deviation of each in units of its band."""
    id, title = "drift-band-use", "How far accounts stand from their models"
    if review.ranking.empty:
        return absent(id, title)
    if without_bands(review) == len(review.ranking):
        return absent(id, title, "No model in use has a tolerance band, so there is no band to measure by.")
    furthest = review.drift.accounts["band_use"]
    inside, beyond = len(furthest) - len(review.out_of_tolerance), int((furthest > _BANDS_DRAWN).sum())
    facts = (
        origin.fact("drift.firm.within_bands", inside, "count", "drift.measure", TABLES),
        origin.fact("drift.firm.beyond_five_bands", beyond, "count", "drift.measure", TABLES),
    )
    stand = "stands" if 1 in {inside, len(furthest)} else "stand"
    takeaway = f"{inside:,} of {plural(len(furthest), 'account')} {stand} within all bands"
    if beyond:
        takeaway += f"; {beyond:,} {noun(beyond, 'stands', 'stand')} beyond five times a band, drawn at five"
    body = figures.histogram(
        list(furthest.clip(upper=_BANDS_DRAWN)),
        alt=f"{takeaway}.",
        unit="number",
        limit=1.0,
        bins=25,
        axis_title="Furthest deviation, in units of its band",
    )
    settings = origin.settings("the furthest deviation over all levels", TABLES)
    return Exhibit(id, title, body, f"{takeaway}.", settings, facts)


def trades_table(review: Review, origin: Origin, most: int = 12) -> Exhibit:
    """What correcting everything would trade, security by security, netted over the firm, with its liquidity."""
    id, title = "drift-trades", "What correcting everything would trade"
    if review.ranking.empty:
        return absent(id, title)
    whole = netted(review)
    if whole.empty:
        return absent(id, title, "Nothing: every holding but cash stands on its target.")
    frame = whole.head(most)
    columns = (
        Column("security", "Security", emphasis=True),
        Column("buy", "Buy", "usd"),
        Column("sell", "Sell", "usd"),
        Column("net", "Net", "usd"),
        Column("days", "Days to trade", "number", digits=2, note="net shares over 10% of the daily volume"),
        Column("tax", "Tax", "usd"),
    )
    tables = [*TABLES, "lots", "securities"]
    missing = {"days": "no trading volume given", "tax": "lots do not cover the holdings"}
    rows, facts = origin.table("drift.security", frame, columns, "drift.measure", tables, missing=missing)
    first = frame.iloc[0]
    side = "sold" if first["net"] < 0 else "bought"
    takeaway = f"The largest net trade would be {first['security']}: {fmt.usd(abs(first['net']))} {side}."
    settings = origin.settings("every deviation corrected to target, netted over accounts", tables)
    note = "" if len(whole) <= most else f"The {most} largest of {len(whole)} securities."
    return Exhibit(id, title, TableBody(columns, rows, note=note), takeaway, settings, facts)


def _not_measured(review: Review) -> str:
    count = len(review.drift.no_data)
    return f"{fmt.count(count)} more not measured" if count else "every account measured"


def unmeasured_table(review: Review, origin: Origin) -> Exhibit:
    """Every account that was not measured, and why."""
    frame = review.drift.no_data
    if frame.empty:
        return absent("drift-unmeasured", "Not measured", "Every account could be measured.")
    columns = (Column("account_id", "Account", emphasis=True), Column("model_id", "Model"), Column("reason", "Reason"))
    rows = tuple(
        (row.account_id, row.model_id if isinstance(row.model_id, str) else Missing("none assigned"), row.reason)
        for row in frame.head(UNMEASURED_SHOWN).itertuples()
    )
    kinds = frame["reason"].value_counts()
    takeaway = f"{plural(len(frame), 'account')} could not be measured"
    takeaway += f", most often for: {kinds.index[0]}." if len(frame) > len(kinds) > 1 else "."
    note = f"The first {len(rows)} of {fmt.count(len(frame))}." if len(frame) > len(rows) else ""
    facts = (firm_facts(review, origin)["not_measured"],)
    settings = origin.settings("accounts open on the day", ["accounts", "positions", "prices"], simulated=False)
    body = TableBody(columns, rows, note=note)
    return Exhibit("drift-unmeasured", "Not measured", body, takeaway, settings, facts)
