"""The implementation chapter's second half: the evidence, what it cannot tell, and which accounts to look at."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from workbench.attribution.implementation import Study, Verdict, comparisons, overlap
from workbench.exhibits.drift_facts import absent, noun, plural
from workbench.exhibits.implementation import BP, FUNCTION, NET, TABLES
from workbench.exhibits.origin import Origin
from workbench.report import Column, Exhibit, Missing, ProseBody, TableBody, figures
from workbench.report import format as fmt
from workbench.report.exhibit import Cell

#: What a verdict that names nobody reads.
NOBODY = "not distinguishable"
#: Each covariate as a reader knows it, and what one unit of its slope is.
_COVARIATES = {
    "restrictions": ("Restrictions", "per 10% of the account kept in or out", 0.1),
    "tax_locks": ("Gains locked in by tax", "per 10% of the account", 0.1),
    "trade_lag": ("Late trades", "per session late", 1.0),
    "cash_drag": ("Cash beyond the model's", "per bp that cash held back; 1 counts in full", 1.0),
}


def naive_comparison(study: Study, origin: Origin) -> Exhibit:
    """What a simple comparison of averages would have said, beside the verdict."""
    id, title = "implementation-naive", "What a simple average would have said"
    found = study.naive
    if found is None:
        return absent(id, title, "There is nothing to compare: one custodian, or one account at each.")
    p = origin.fact("implementation.naive.p", found.p, "number", FUNCTION, TABLES, digits=3)
    gap = origin.fact("implementation.naive.difference", BP * found.difference, "bp", FUNCTION, TABLES, digits=1)
    blamed = {effect.key for effect in study.total.custodians if effect.blamed}
    lead = f"Comparing the average gap of accounts by custodian alone, {found.lowest} is the lowest: "
    if found.p > study.total.alpha:
        end = ", which could be chance: a simple average would have blamed nobody."
    elif found.lowest in blamed:
        end = ". A simple average would have blamed it too; here it agrees with the tests that allow for advisors."
    else:
        end = ". A simple average would have blamed it; the tests that allow for advisors and months do not."
    text = (lead, gap.ref(), " a month against the others (p ", p.ref(), ")", end)
    why = (
        "It counts an advisor's habits as the custodian's doing. Where advisors prefer a custodian it blames innocent "
        "ones: in simulated firms more often than not."
    )
    settings = origin.settings("one-way analysis of variance of accounts' mean gaps by custodian", TABLES)
    return Exhibit(id, title, ProseBody((text, why)), "", settings, (p, gap))


def permutation_figure(study: Study, origin: Origin) -> Exhibit:
    """How large a difference chance alone makes when custodians are exchanged within advisors, and the firm's own."""
    id, title = "implementation-exchange", "If custodians made no difference"
    result = study.total.permutation
    if not result.possible or not result.seen > 0.0:
        return absent(id, title, "No advisor has accounts at two custodians: custodians cannot be exchanged.")
    widest = int(np.nanargmax(np.abs(result.difference) / result.critical))
    key = str(study.total.fit.panel.custodians[widest])
    scale = BP * abs(float(result.difference[widest])) / result.seen
    smallest = result.smallest_p or 1.0
    p = origin.fact("implementation.exchange.p", smallest, "number", FUNCTION, TABLES, digits=4)
    draws = origin.fact("implementation.exchange.draws", result.draws, "count", FUNCTION, TABLES)
    seen = scale * result.seen
    reached = int((result.drawn >= result.seen * (1.0 - 1e-12)).sum())
    takeaway = f"Exchanging custodians among each advisor's own accounts {fmt.count(result.draws)} times, "
    takeaway += f"a difference as large as {key}'s {_bp(seen)} {_times(reached)} by chance."
    columns = (Column("what", "What"), Column("value", "Figure"))
    rows: tuple[tuple[Cell, ...], ...] = (
        ("Exchanges", draws.ref()),
        ("Share as large, the firm's own counted", p.ref()),
    )
    body = figures.histogram(
        list(scale * result.drawn), alt=takeaway, unit="bp", limit=seen, limit_name=key,
        axis_title=f"Largest difference of a custodian, in {key}'s basis points", count_title="Exchanges",
        data=TableBody(columns, rows),
    )  # fmt: skip
    settings = origin.settings(
        "custodians exchanged among each advisor's accounts, compared within advisors; largest of all custodians",
        TABLES,
    )
    return Exhibit(id, title, body, takeaway, settings, (p, draws))


def overlap_table(study: Study, origin: Origin) -> Exhibit:
    """Which advisor uses which custodian, and how many accounts' worth of comparison that gives."""
    id, title = "implementation-overlap", "What the data can tell apart"
    panel = study.total.fit.panel
    table = overlap(panel)
    custodians = [str(key) for key in panel.custodians]
    frame = pd.DataFrame(table.astype(int), columns=[f"c{k}" for k in range(len(custodians))])
    frame.insert(0, "advisor_id", [str(key) for key in panel.advisors])
    frame["telling"] = comparisons(table.T)
    columns = (
        Column("advisor_id", "Advisor", emphasis=True),
        *(Column(f"c{k}", name, "count") for k, name in enumerate(custodians)),
        Column(
            "telling", "Worth, in accounts", "number", digits=1, note="accounts' worth of comparison within custodians"
        ),
    )
    rows, facts = origin.table("implementation.overlap", frame, columns, FUNCTION, ["accounts"])
    worth = comparisons(table)
    last: tuple[Cell, ...] = (
        "Worth, in accounts",
        *(round(float(value), 1) for value in worth),
        Missing("each side has its own"),
    )
    if len(custodians) == 1:
        takeaway = "There is one custodian: custodian and firm cannot be told apart."
    elif study.total.inseparable:
        takeaway = f"The data cannot tell {'; '.join(study.total.inseparable)} apart."
    else:
        weakest = int(np.argmin(worth))
        takeaway = f"Every custodian can be told from its advisors; least is known of {custodians[weakest]}, "
        takeaway += f"{worth[weakest]:.1f} accounts' worth of comparison within advisors."
    note = "Accounts by advisor and custodian. An advisor with accounts at one custodian alone says nothing about it."
    settings = origin.settings("accounts that take part", ["accounts"], simulated=False)
    body = TableBody(columns, (*rows, last), total_row=True, note=note)
    return Exhibit(id, title, body, takeaway, settings, facts)


def covariate_table(study: Study, origin: Origin) -> Exhibit:
    """What each measured cause does to a gap, and those that could not be used."""
    id, title = "implementation-causes", "What goes with the gap"
    fitted = study.remaining.fit
    many, error = fitted.moments.n_means, np.sqrt(np.diagonal(fitted.covariance))
    records = []
    for place, name in enumerate(fitted.moments.kept):
        words, per, unit = _COVARIATES[name]
        slope, reach = fitted.slope[place] * unit, 1.96 * error[many + place] * unit
        direction = f"goes with {'less' if slope < 0 else 'more'} return"
        if name == "cash_drag":
            direction = "counts in full" if abs(slope - 1.0) <= reach else "counts, not quite one for one"
        records.append({
            "name": words, "per": per, "slope": BP * slope,
            "interval": f"{_bp(BP * (slope - reach), unit=False)} to {_bp(BP * (slope + reach))}",
            "reading": "could be chance" if abs(slope) <= reach else direction,
        })  # fmt: skip
    if not records:
        why = "; ".join(f"{_COVARIATES[name][0]}: {reason}" for name, reason in fitted.moments.left_out)
        return absent(id, title, f"No cause could be measured. {why}")
    columns = (
        Column("name", "Cause", emphasis=True),
        Column("slope", "Effect a month", "bp", digits=1),
        Column("per", "Per"),
        Column("interval", "Interval"),
        Column("reading", "Reading"),
    )
    frame = pd.DataFrame(records)
    rows, facts = origin.table("implementation.cause", frame, columns, FUNCTION, TABLES)
    sure = frame.loc[frame["reading"] != "could be chance", "name"]
    takeaway = (
        f"{_joined([name.lower() for name in sure])} {noun(len(sure), 'goes', 'go')} with the gap by more than chance."
        if len(sure)
        else "None of the measured causes goes with the gap by more than chance."
    )
    takeaway = takeaway[0].upper() + takeaway[1:]
    note = "; ".join(f"{_COVARIATES[name][0]} left out: {reason}" for name, reason in fitted.moments.left_out)
    settings = origin.settings("before fees; all causes, custodians, advisors and months together", TABLES)
    return Exhibit(id, title, TableBody(columns, rows, note=note), takeaway, settings, facts)


def sleeve_table(
    verdicts: Mapping[str, Verdict], names: Mapping[str, str], origin: Origin, why_not: str = ""
) -> Exhibit:
    """Each sleeve judged alone: its gap to the model's sleeve, and whether anyone is named."""
    id, title = "implementation-sleeves", "Sleeve by sleeve"
    if not verdicts:
        return absent(id, title, why_not or "No sleeve was held for three whole months by any account.")
    records = []
    for sleeve, verdict in verdicts.items():
        records.append({
            "sleeve_id": sleeve, "name": names.get(sleeve, sleeve), "accounts": len(verdict.fit.panel.accounts),
            "gap": BP * verdict.mean.value,
            "interval": f"{_bp(BP * verdict.mean.low, unit=False)} to {_bp(BP * verdict.mean.high)}",
            "custodians_p": _chance(verdict.permutation.smallest_p), "advisors_p": _chance(verdict.advisors_p),
            "verdict": _short(verdict),
        })  # fmt: skip
    frame = pd.DataFrame(records).sort_values(["gap", "sleeve_id"], ignore_index=True)
    columns = (
        Column("sleeve_id", "Sleeve", emphasis=True),
        Column("name", "Name"),
        Column("accounts", "Accounts", "count"),
        Column("gap", "Gap", "bp", digits=1, note="mean a month, account's sleeve less model's, before fees"),
        Column("interval", "Interval"),
        Column("custodians_p", "Custodians: chance", note="p when custodians are exchanged within advisors"),
        Column("advisors_p", "Advisors: chance", note="p of the likelihood ratio of all advisors together"),
        Column("verdict", "Verdict"),
    )
    missing = {"custodians_p": "no advisor uses two", "advisors_p": "cannot be separated"}
    rows, facts = origin.table("implementation.sleeve", frame, columns, FUNCTION, TABLES, missing=missing)
    named = [f"{row['verdict']} in {row['name']}" for row in records if row["verdict"] != NOBODY]
    takeaway = (
        f"The gap can be laid at {_joined(named)}."
        if named
        else "In no single sleeve can the gap be laid at the model, a custodian or an advisor."
    )
    level = next(iter(verdicts.values())).alpha
    note = f"{plural(len(verdicts), 'sleeve')} judged, each at {fmt.percent(level, 1)}: 5% for all together. "
    note += "Less than half a basis point a month is nobody's blame, however low p."
    basis = (
        "return of what an account holds and trades in the sleeve less the model's sleeve, before fees; without cash"
    )
    return Exhibit(
        id, title, TableBody(columns, rows, note=note), takeaway, origin.settings(basis, TABLES), facts
    )  # fmt: skip


def month_figure(study: Study, origin: Origin) -> Exhibit:
    """What all accounts had in common month by month."""
    id, title = "implementation-months", "What all accounts shared, month by month"
    fitted = study.total.fit
    if not fitted.months_shared:
        return absent(id, title, "Months show no gap of their own that all accounts share.")
    level = study.total.mean.value
    value, reach = level + fitted.month, 1.96 * fitted.month_error
    days = [str(month)[:10] for month in fitted.panel.months]
    worst = int(np.argmin(value))
    takeaway = (
        f"The month furthest behind ended on {fmt.long_date(days[worst])}: {_bp(BP * value[worst])} against the models."
    )
    frame = pd.DataFrame({"month": days, "gap": BP * value})
    columns = (Column("month", "Month to", "date"), Column("gap", "Gap", "bp", digits=1))
    rows, facts = origin.table("implementation.month", frame, columns, FUNCTION, TABLES)
    body = figures.lines(
        days, {"Gap shared": list(BP * value)}, alt=takeaway, unit="bp",
        band=(list(BP * (value - reach)), list(BP * (value + reach))), band_name="95% interval",
        axis_title="Gap to the models, a month", data=TableBody(columns, rows),
    )  # fmt: skip
    return Exhibit(id, title, body, takeaway, origin.settings(NET, TABLES), facts)


def account_table(study: Study, origin: Origin, most: int) -> Exhibit:
    """The accounts whose gap is furthest below what months, custodian, advisor and measured causes explain."""
    id, title = "implementation-accounts", "Accounts with the largest unexplained gap"
    fitted = study.remaining.fit
    panel, months = fitted.panel, fitted.panel.n_months
    error = np.sqrt(fitted.point.error_variance / months)
    frame = pd.DataFrame({
        "account_id": [str(key) for key in panel.accounts], "advisor_id": panel.advisors[panel.advisor_of].astype(str),
        "custodian_id": panel.custodians[panel.custodian_of].astype(str), "months": months,
        "gap": BP * np.bincount(panel.account, weights=panel.gap) / months, "unexplained": BP * fitted.unexplained,
        "times": fitted.unexplained / error,
    })  # fmt: skip
    frame = frame.sort_values(["times", "account_id"], ignore_index=True)
    low = frame[(frame["times"] < 0.0) & (frame["unexplained"] <= -0.05 * BP)].head(most)
    if low.empty:
        return absent(id, title, "No account is below what is explained.")
    columns = (
        Column("account_id", "Account", emphasis=True),
        Column("advisor_id", "Advisor"),
        Column("custodian_id", "Custodian"),
        Column("months", "Months", "count"),
        Column("gap", "Gap", "bp", digits=1, note="a month, before fees"),
        Column("unexplained", "Not explained", "bp", digits=1, note="beyond months, custodian, advisor and causes"),
        Column("times", "Standard errors", "number", digits=1),
    )
    rows, facts = origin.table("implementation.account", low, columns, FUNCTION, TABLES)
    far = int((frame["times"] < -3.0).sum())
    first = low.iloc[0]
    takeaway = f"{first['account_id']} lags most beyond what is explained, by {_bp(-first['unexplained'])} a month; "
    takeaway += f"{plural(far, 'account') if far else 'no account'} of {fmt.count(len(frame))} "
    takeaway += f"{'lag' if far > 1 else 'lags'} by more than three standard errors."
    settings = origin.settings("mean gap before fees less months, custodian, advisor and measured causes", TABLES)
    return Exhibit(id, title, TableBody(columns, rows), takeaway, settings, facts)


def left_out_table(study: Study, origin: Origin) -> Exhibit:
    """Accounts that took no part, and why."""
    id, title = "implementation-left-out", "Accounts that take no part"
    frame = study.gaps.left_out
    if frame.empty:
        return absent(id, title, "Every account takes part.")
    grouped = frame.groupby("reason")["account_id"]
    table = pd.DataFrame({
        "reason": list(grouped.groups), "accounts": grouped.size().to_numpy(),
        "which": [", ".join(sorted(ids)[:8]) + (" and more" if len(ids) > 8 else "") for _, ids in grouped],
    })  # fmt: skip
    columns = (Column("reason", "Why"), Column("accounts", "Accounts", "count"), Column("which", "Which"))
    rows, facts = origin.table("implementation.left_out", table, columns, FUNCTION, ["accounts", "prices"])
    takeaway = f"{plural(len(frame), 'account')} {noun(len(frame), 'takes', 'take')} no part in the comparison."
    settings = origin.settings("three whole months or more with the present model", ["accounts"], simulated=False)
    return Exhibit(id, title, TableBody(columns, rows), takeaway, settings, facts)


def _bp(value: float, *, unit: bool = True) -> str:
    return fmt.basis_points(value, 1, unit=unit)


def _chance(p: float | None) -> str | None:
    return None if p is None else "below 0.001" if p < 0.001 else f"{p:.3f}"


def _short(verdict: Verdict) -> str:
    found = [f"{effect.kind} {effect.key}" for effect in verdict.blamed]
    if verdict.systemic_found:
        found.append("what all accounts share")
    return " and ".join(found) or NOBODY


def _times(count: int) -> str:
    return "never came about" if not count else f"came about {'once' if count == 1 else fmt.count(count) + ' times'}"


def _joined(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
