"""The implementation chapter's verdict: model, custodian or advisor, how large, and how sure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.attribution.implementation import (
    Component,
    Effect,
    Estimate,
    Figure,
    Sentence,
    Study,
    Verdict,
    sentences,
)
from workbench.exhibits.drift_facts import absent, listed, noun
from workbench.exhibits.origin import Origin
from workbench.report import CalloutBody, Column, Exhibit, Fact, Kpi, KpiBody, Link, Missing, TableBody, figures
from workbench.report import format as fmt
from workbench.report.exhibit import Paragraph, Run, Tone

TABLES = ["accounts", "lots", "model_targets", "models", "positions", "prices", "restrictions", "transactions"]
FUNCTION = "attribution.implementation.study"
#: What every figure rests on, for its settings line.
NET = "monthly account return after fees less its model's; mixed model (REML)"
#: Basis points as the fraction that exhibits format.
BP = 1e-4
#: A part that is not worth a word.
_SLIGHT = 0.05
_CHANNEL_WORDS = {"trade_lag": "late trades", "cash_drag": "cash beyond the model's"}
_COMPONENT_WORDS = {
    "month": "Months: all accounts alike",
    "model_month": "Months: accounts of one model",
    "advisor": "Advisors",
    "account": "Accounts: lasting",
    "error": "Accounts: from month to month",
}
_SERIES = ("In all", "Before fees", "Not explained")


def verdict(study: Study, origin: Origin) -> Exhibit:
    """The box at the top: what is to blame, how it comes about, what was tested and what cannot be told."""
    facts: dict[str, Fact] = {}
    lines = [_paragraph(line, origin, facts) for line in sentences(study.total)]
    for row in study.explained().to_dict("records"):
        lead = f"Custodian {row['custodian_id']}: "
        places = [n for n, line in enumerate(lines) if str(line[0]).startswith(lead)]
        if places and any(e.blamed and e.key == row["custodian_id"] for e in study.total.custodians):
            lines.insert(places[0] + 1, _causes(row, study, origin, facts))
    fees = float(study.gaps.frame["fees"].mean())
    if fees <= -_SLIGHT:
        facts["fees"] = _bp("implementation.mean.fees", fees, origin)
        lines.append(("Fees alone take ", facts["fees"].ref(_size(-fees)), " a month on average; that is not chance."))
    lines += [(note,) for note in study.total.fit.notes]
    question = Link("sleeve attribution", "sleeve_attribution.html")
    lines.append(("How the models themselves did against their benchmarks is the question of ", question, "."))
    tone: Tone = "decision" if study.total.blamed else "neutral"
    return Exhibit(
        "implementation-verdict", _title(study.total), CalloutBody(tone, tuple(lines)), "", None, tuple(facts.values())
    )


def summary(study: Study, origin: Origin) -> Exhibit:
    """Key figures; also on the index page."""
    total, gross = study.total, study.gross
    panel = total.fit.panel
    facts = {
        "net": _bp("implementation.mean.net", total.mean.value, origin),
        "gross": _bp("implementation.mean.gross", gross.mean.value, origin),
        "accounts": _count("implementation.accounts", len(panel.accounts), origin),
        "months": _count("implementation.months", len(panel.months), origin),
        "systemic": _bp("implementation.systemic.detectable", total.systemic_detectable, origin),
    }
    items = [
        Kpi("Gap to the models", facts["net"].ref(), f"a month after fees, {_between(total.mean)}"),
        Kpi("Before fees", facts["gross"].ref(), f"a month, {_between(gross.mean)}"),
        Kpi("Accounts compared", facts["accounts"].ref(), f"{len(study.gaps.left_out):,} left out"),
        Kpi("Whole months", facts["months"].ref(), f"to {fmt.long_date(str(panel.months[-1])[:10])}"),
    ]
    for kind, effects in (("custodian", total.custodians), ("advisor", total.advisors)):
        sizes = [effect.detectable for effect in effects if effect.detectable is not None]
        if sizes:
            fact = _bp(f"implementation.detectable.{kind}", max(sizes), origin)
            facts[kind] = fact
            items.append(Kpi(f"{kind.capitalize()}: seen from", fact.ref(), "a month on, four times in five"))
    return Exhibit(
        "implementation-summary",
        "The gap between accounts and models",
        KpiBody(tuple(items)),
        "",
        origin.settings(NET, TABLES),
        tuple(facts.values()),
        index=True,
    )


def variance_figure(study: Study, origin: Origin) -> Exhibit:
    """How much of the gaps' variance lies with months, advisors, accounts and chance."""
    id, title = "implementation-variance", "Where the differences lie"
    fitted = study.total.fit
    parts = [fitted.component(name) for name in _COMPONENT_WORDS]
    parts = [part for part in parts if part.name != "model_month" or len(fitted.panel.models) > 1]
    rows, facts = [], []
    for part in parts:
        share = origin.fact(f"implementation.variance.{part.name}.share", part.share, "percent", FUNCTION, TABLES)
        spread = _bp(f"implementation.variance.{part.name}.sd", float(np.sqrt(part.variance)), origin)
        facts += [share, spread]
        rows.append((_COMPONENT_WORDS[part.name], share.ref(), spread.ref(), _test_of(part)))
    columns = (
        Column("name", "Where"),
        Column("share", "Share of variance", "percent"),
        Column("sd", "Typical size a month", "bp", digits=1, note="standard deviation"),
        Column("p", "Could be chance", note="p of the likelihood ratio against none of it"),
    )
    advisor, month = fitted.component("advisor"), fitted.component("month")
    takeaway = f"Of the ups and downs of gaps, {_part(month.share)} is shared by all accounts in a month"
    if len(fitted.panel.models) > 1:
        takeaway += f" and {_part(fitted.component('model_month').share)} by the accounts of one model"
    named = [effect.key for effect in study.total.advisors if effect.blamed or effect.better]
    takeaway += f"; {_of_advisors(advisor, named)}."
    body = figures.shares(
        [_COMPONENT_WORDS[part.name] for part in parts],
        [part.share for part in parts],
        alt=takeaway,
        axis_title="Share of the variance of monthly gaps",
        data=TableBody(columns, tuple(rows)),
    )
    return Exhibit(id, title, body, takeaway, origin.settings(NET, TABLES), tuple(facts))


def custodian_figure(study: Study, origin: Origin) -> Exhibit:
    """Each custodian against the others: in all, before fees, and beyond late trades and cash, with intervals."""
    id, title = "implementation-custodians", "Custodians against each other"
    if not study.total.custodians:
        return absent(id, title, "There is one custodian: nothing to compare it with.")
    verdicts = dict(zip(_SERIES, (study.total, study.gross, study.remaining), strict=True))
    keys = [effect.key for effect in study.total.custodians]
    series = {name: _interval([e.estimate for e in v.custodians]) for name, v in verdicts.items()}
    columns = (
        Column("custodian_id", "Custodian", emphasis=True),
        Column("accounts", "Accounts", "count"),
        *(Column(f"{name}", label, "bp", digits=1) for name, label in zip(("all", "gross", "left"), _SERIES)),
        Column("interval", "In all, interval"),
        Column("q", "Chance", note="p of the model's test, adjusted for all that were tested"),
        Column("permutation", "Chance, exchanged", note="p when custodians are exchanged within advisors"),
        Column("reading", "Reading"),
    )
    rows, facts = [], []
    for position, effect in enumerate(study.total.custodians):
        sizes = [
            _bp(
                f"implementation.custodian.{origin.slug(effect.key)}.{name}",
                v.custodians[position].estimate.value,
                origin,
            )
            for name, v in zip(("effect", "gross", "remaining"), verdicts.values(), strict=True)
        ]
        facts += sizes
        exchange = Missing("no advisor uses two") if effect.permutation_p is None else _p(effect.permutation_p)
        rows.append((
            effect.key, effect.accounts, *(size.ref() for size in sizes), _between(effect.estimate), _p(effect.q),
            exchange, _reading(effect),
        ))  # fmt: skip
    takeaway = _custodian_takeaway(study)
    body = figures.intervals(
        keys, series, alt=takeaway, digits=1, axis_title="Against the other custodians",
        data=TableBody(columns, tuple(rows)),
    )  # fmt: skip
    basis = "each against the others, by their share of account-months; before fees and beyond late trades and cash too"
    return Exhibit(id, title, body, takeaway, origin.settings(f"{NET}; {basis}", TABLES), tuple(facts))


def explained_table(study: Study, origin: Origin) -> Exhibit:
    """How each custodian's effect comes about: fees, late trades, cash, and what is left."""
    id, title = "implementation-explained", "How a custodian's effect comes about"
    frame = study.explained()
    if frame.empty:
        return absent(id, title, "There is one custodian: nothing to compare it with.")
    parts = [name for name in frame.columns if name not in ("custodian_id", "weighting")]
    shown = frame.assign(**{name: BP * frame[name] for name in parts})
    columns = (
        Column("custodian_id", "Custodian", emphasis=True),
        Column("total", "In all", "bp", digits=1),
        Column("fees", "Fees", "bp", digits=1),
        Column("trade_lag", "Late trades", "bp", digits=1),
        Column("cash_drag", "Cash", "bp", digits=1),
        Column("remaining", "Not explained", "bp", digits=1),
    )
    rows, facts = origin.table("implementation.explained", shown, columns, FUNCTION, TABLES)
    worst = frame.loc[frame["total"].idxmin()]
    causes = {"fees": "fees", **_CHANNEL_WORDS, "remaining": "what no measured cause explains"}
    largest = min(causes, key=lambda name: worst[name])
    takeaway = f"The furthest behind is {worst['custodian_id']}, by {_size(-worst['total'])} a month; "
    takeaway += f"the largest part is {causes[largest]}, {_size(-worst[largest])}."
    if worst["total"] >= 0.0 or worst[largest] >= 0.0:
        takeaway = "No custodian's accounts are behind the others'."
    rest = float(frame["weighting"].abs().max())
    note = f"The parts add up to the total within {_size(max(rest, _SLIGHT))}."
    settings = origin.settings(f"{NET}; fees count one for one, the others by their estimated slopes", TABLES)
    return Exhibit(id, title, TableBody(columns, rows, note=note), takeaway, settings, facts)


def advisor_figure(study: Study, origin: Origin) -> Exhibit:
    """Each advisor against the others, as measured and as expected to last, with intervals."""
    id, title = "implementation-advisors", "Advisors against each other"
    effects = study.total.advisors
    if not effects:
        return absent(id, title, "Advisors cannot be compared: " + " ".join(study.total.fit.notes))
    columns = (
        Column("advisor_id", "Advisor", emphasis=True),
        Column("accounts", "Accounts", "count"),
        Column("measured", "As measured", "bp", digits=1, note="custodians, restrictions and tax locks held equal"),
        Column("interval", "As measured, interval"),
        Column("lasting", "Expected to last", "bp", digits=1, note="less what chance among so many would explain"),
        Column("q", "Chance", note="p of the effect as measured, adjusted for all that were tested"),
        Column("detectable", "Seen from", "bp", digits=1, note="effect that these data would show four times in five"),
        Column("reading", "Reading"),
    )
    rows, facts = [], []
    for effect in effects:
        slug = f"implementation.advisor.{origin.slug(effect.key)}"
        cells = []
        for name, value in (
            ("measured", None if effect.unshrunken is None else effect.unshrunken.value),
            ("effect", effect.estimate.value),
            ("detectable", effect.detectable),
        ):
            if value is not None:
                facts.append(_bp(f"{slug}.{name}", value, origin))
            cells.append(Missing("cannot be told from a custodian") if value is None else facts[-1].ref())
        reach = cells[0] if effect.unshrunken is None else _between(effect.unshrunken)
        rows.append((
            effect.key, effect.accounts, cells[0], reach, cells[1], _p(effect.q), cells[2], _reading(effect)
        ))  # fmt: skip
    takeaway = _advisor_takeaway(study.total)
    body = figures.intervals(
        [effect.key for effect in effects],
        {
            "As measured": _interval([effect.unshrunken for effect in effects]),
            "Expected to last": _interval([effect.estimate for effect in effects]),
        },
        alt=takeaway, digits=1, axis_title="Against the other advisors",
        data=TableBody(columns, tuple(rows)),
    )  # fmt: skip
    return Exhibit(id, title, body, takeaway, origin.settings(NET, TABLES), tuple(facts))


def _paragraph(line: Sentence, origin: Origin, facts: dict[str, Fact]) -> Paragraph:
    """A sentence with its figures as facts."""
    out: list[Run] = []
    for part in line:
        if isinstance(part, Figure):
            value = BP * part.value if part.unit == "bp" else part.value
            id = "implementation." + ".".join(origin.slug(word) for word in part.name.split("."))
            facts[id] = origin.fact(id, value, part.unit, FUNCTION, TABLES, digits=1 if part.unit == "bp" else None)
            out.append(facts[id].ref(part.text))
        else:
            out.append(part)
    return tuple(out)


def _causes(row: dict[str, Any], study: Study, origin: Origin, facts: dict[str, Fact]) -> Paragraph:
    """The sentence on what a blamed custodian's effect consists of."""
    words = {"fees": "fees", **_CHANNEL_WORDS}
    parts: list[Fact | str] = []
    for name, text in words.items():
        if -row[name] >= _SLIGHT:
            id = f"implementation.explained.{origin.slug(row['custodian_id'])}.{name}"
            facts[id] = _bp(id, row[name], origin)
            parts += [", " if parts else "", f"{text} ", facts[id]]
    id = f"implementation.explained.{origin.slug(row['custodian_id'])}.remaining"
    facts[id] = _bp(id, row["remaining"], origin)
    mention = [part.ref(_size(-float(part.value) / BP)) if isinstance(part, Fact) else part for part in parts]
    if not mention:
        return (f"None of {row['custodian_id']}'s shortfall is fees, late trades or cash.",)
    rest = facts[id].ref(_size(abs(row["remaining"])))
    lead = f"What {row['custodian_id']}'s shortfall consists of, a month: "
    if row["remaining"] >= 0.0:
        return (lead, *mention, "; without these its accounts would be ", rest, " ahead.")
    left = next(e for e in study.remaining.custodians if e.key == row["custodian_id"])
    chance = ", which could be chance" if max(left.q, left.permutation_p or 0.0) > study.remaining.alpha else ""
    return (lead, *mention, "; ", rest, f" is not explained{chance}.")


def _title(verdict: Verdict) -> str:
    found = [f"{effect.kind} {effect.key}" for effect in verdict.blamed]
    if verdict.systemic_found:
        found.append("systemic")
    return "Verdict: " + (listed(found) if found else "not distinguishable")


def _custodian_takeaway(study: Study) -> str:
    blamed = [effect for effect in study.total.custodians if effect.blamed]
    if not blamed:
        return "No custodian's accounts fall short of the others' by every test."
    parts = []
    for effect in blamed:
        before = next(e for e in study.gross.custodians if e.key == effect.key)
        part = f"{effect.key}'s accounts earn {_size(-effect.estimate.value)} a month less than the others'"
        part += (
            f", before fees {_size(-before.estimate.value)} less"
            if before.estimate.value < 0.0
            else ", before fees no less"
        )
        if before.estimate.value < 0.0 and max(before.q, before.permutation_p or 0.0) > study.gross.alpha:
            part += ", which could be chance"
        parts.append(part)
    return "; ".join(parts) + "."


def _advisor_takeaway(verdict: Verdict) -> str:
    blamed = [effect.key for effect in verdict.advisors if effect.blamed]
    better = [effect.key for effect in verdict.advisors if effect.better]
    if blamed:
        return f"{listed(blamed)} {noun(len(blamed), 'falls', 'fall')} short of the other advisors by more than chance."
    if better:
        return f"No advisor falls short by more than chance; {listed(better)} {noun(len(better), 'is', 'are')} ahead."
    sizes = [effect.detectable for effect in verdict.advisors if effect.detectable is not None]
    if not sizes:
        return "The data cannot tell advisors from their custodians."
    reach = f"; an effect of {_size(max(sizes))} a month would probably have been seen"
    return f"No advisor stands out from the others{reach}."


def _reading(effect: Effect) -> str:
    if effect.blamed:
        return "falls short"
    if effect.better:
        return "ahead"
    if effect.unconfirmed:
        return "short, not confirmed"
    return "no difference shown" if effect.comparisons else "cannot be told apart"


def _test_of(part: Component) -> str | float | Missing:
    if part.name == "error":
        return Missing("not tested: it is what is left")
    return Missing("cannot be separated") if part.p is None else _p(part.p)


def _of_advisors(part: Component, named: list[str]) -> str:
    if part.p is None:
        return "how much advisors differ cannot be told from these data"
    lead = f"lasting differences between advisors make {_part(part.share)}"
    if part.p <= 0.05 or named:
        return lead + f", and {listed(named)} {noun(len(named), 'stands', 'stand')} out" if named else lead
    return lead + ", which could be chance"


def _part(share: float) -> str:
    """A share of variance in words."""
    return "nothing" if share <= 0.0 else "less than 1%" if share < 0.01 else fmt.percent(share, 0)


def _p(p: float) -> str:
    return "below 0.001" if p < 0.001 else f"{p:.3f}"


def _interval(estimates: Sequence[Estimate | None]) -> figures.Interval:
    def take(name: str) -> list[float | None]:
        return [None if estimate is None else BP * getattr(estimate, name) for estimate in estimates]

    return figures.Interval(take("value"), take("low"), take("high"))


def _between(estimate: Estimate) -> str:
    return f"{fmt.basis_points(BP * estimate.low, 1, unit=False)} to {fmt.basis_points(BP * estimate.high, 1)}"


def _size(value: float) -> str:
    return fmt.basis_points(BP * value, 1)


def _bp(id: str, value: float, origin: Origin) -> Fact:
    return origin.fact(id, BP * value, "bp", FUNCTION, TABLES, digits=1)


def _count(id: str, value: int, origin: Origin) -> Fact:
    return origin.fact(id, value, "count", FUNCTION, TABLES)
