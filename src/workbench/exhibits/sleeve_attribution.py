"""The sleeve chapter's first part: the firm. Was it the models or their implementation, and which sleeve?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.attribution import SleeveReview, rows_of
from workbench.exhibits.drift_facts import absent, noun, plural
from workbench.exhibits.origin import Origin
from workbench.exhibits.sleeve_facts import (
    BRIDGE_SIDES,
    FUNCTION,
    PHRASES,
    SLIGHT,
    TABLES,
    WORDS,
    ahead,
    basis,
    by_sleeve,
    doubts,
    firm_effects,
    firm_facts,
    inside,
    measured_from,
    sleeve_name,
    span,
)
from workbench.exhibits.standing import is_level
from workbench.report import CalloutBody, Column, Exhibit, Fact, FactRef, Kpi, KpiBody, TableBody, figures
from workbench.report import format as fmt
from workbench.report.exhibit import Paragraph, Run, Tone

NONE = "No account with a model had value in the period, so nothing can be attributed."
#: Points of a line over time; more days are thinned.
_POINTS = 260


def verdict(review: SleeveReview, origin: Origin) -> Exhibit:
    """The box at the top: ahead or behind, by the models or their implementation, which sleeve helped and hurt."""
    id, facts = "sleeves-verdict", firm_facts(review, origin)
    if "excess" not in facts:
        return Exhibit(id, "Nothing was measured", CalloutBody("warning", (NONE,)), facts=tuple(facts.values()))
    many = int(facts["accounts"].value)
    alone = many == 1
    lines: list[Paragraph] = [
        (
            f"Over {span(review)}, after fees, ",
            *(("the one account",) if alone else (facts["accounts"].ref(), " accounts together")),
            " returned ",
            facts["portfolio"].ref(),
            f", {noun(many, 'its benchmark', 'their benchmarks')} ",
            facts["benchmark"].ref(),
            f": {noun(many, 'it is', 'the accounts are')} ",
            facts["excess"].ref(ahead(float(facts["excess"].value))),
            f" {noun(many, 'its benchmark', 'their benchmarks')}. ",
            *_sides(facts["model"], facts["implementation"]),
        )
    ]
    sleeves, carried = _sleeves_said(review, origin)
    lines += sleeves
    lines.append(_causes_said(review, facts))
    lines += doubts(review)
    excess = float(facts["excess"].value)
    tone: Tone = "neutral" if is_level(excess) else "good" if excess > 0 else "warning"
    body = CalloutBody(tone, tuple(lines))
    return Exhibit(id, _title(facts), body, "", None, (*facts.values(), *carried))


def summary(review: SleeveReview, origin: Origin) -> Exhibit:
    """Key figures; also on the index page."""
    id, title, facts = "sleeves-summary", "Accounts against their benchmarks", firm_facts(review, origin)
    if "excess" not in facts:
        return absent(id, title, NONE)

    def short(name: str) -> FactRef:
        return facts[name].ref(fmt.basis_points(float(facts[name].value)))

    lives = review.accounts.accounts
    part = int(((lives["start"] > measured_from(review)) | (lives["end"] < review.sessions[-1])).sum())
    lived = f"{fmt.count(part)} of them over part of the period" if part else "each over the whole period"
    items = (
        Kpi("Accounts", facts["portfolio"].ref(), "return of all together, after fees"),
        Kpi("Benchmarks", facts["benchmark"].ref(), "at the accounts' values"),
        Kpi("Difference", short("excess"), span(review)),
        Kpi("The models' part", short("model"), "model against benchmark"),
        Kpi("Implementation's part", short("implementation"), "accounts against models"),
        Kpi("Accounts measured", facts["accounts"].ref(), lived),
    )
    settings = origin.settings(basis(review), TABLES)
    return Exhibit(id, title, KpiBody(items), "", settings, tuple(facts.values()), index=True)


def firm_bridge(review: SleeveReview, origin: Origin) -> Exhibit:
    """From the benchmarks' return to the accounts', step by step."""
    id, title, facts = "sleeves-bridge", "From benchmark to accounts", firm_facts(review, origin)
    if "excess" not in facts:
        return absent(id, title, NONE)
    effects = firm_effects(review)
    columns = (Column("step", "Step"), Column("value", "Figure"))
    shown = ["benchmark", *WORDS, "portfolio"]
    names = {"benchmark": "Benchmarks", "portfolio": "Accounts"} | WORDS
    rows = tuple((names[name], facts[name].ref()) for name in shown)
    worst, best = effects.idxmin(), effects.idxmax()
    said = [
        f"{WORDS[name]} {verb} most, {fmt.basis_points(abs(effects[name]))}"
        for name, verb, counts in (
            (worst, "cost", effects[worst] <= -SLIGHT),
            (best, "brought", effects[best] >= SLIGHT),
        )
        if counts
    ]
    takeaway = f"{'; '.join([*said[:1], *(inside(text) for text in said[1:])]) or 'No step made a difference'}."
    body = figures.bridge(
        list(WORDS.values()), float(facts["benchmark"].value), [float(effects[name]) for name in WORDS],
        alt=takeaway, ends=("Benchmarks", "Accounts"), axis_title="Return over the period", digits=2,
        sides=BRIDGE_SIDES, data=TableBody(columns, rows),
    )  # fmt: skip
    return Exhibit(id, title, body, takeaway, origin.settings(basis(review), TABLES), tuple(facts.values()))


def sleeve_part(review: SleeveReview, origin: Origin) -> Exhibit:
    """What each sleeve added to the firm's difference: the model's part and that of other weights than the model's."""
    id, title = "sleeves-part", "What each sleeve brought or cost"
    if not len(review.accounts.accounts):
        return absent(id, title, NONE)
    frame = by_sleeve(review).assign(total=lambda rows: rows["model"] + rows["timing"])
    frame["name"] = [sleeve_name(review, sleeve) for sleeve in frame["sleeve_id"]]
    frame = frame.sort_values(["total", "sleeve_id"], ignore_index=True)
    columns = (
        Column("name", "Sleeve"),
        Column("model", "The model", "bp", digits=1, note="allocation, selection and interaction"),
        Column("timing", "Other weights", "bp", digits=1, note="held at other weights than the model's"),
        Column("total", "Both", "bp", digits=1),
    )
    rows, facts = origin.table("sleeves.part", frame, columns, FUNCTION, TABLES, keys=frame["sleeve_id"])
    takeaway = _part_takeaway(frame)
    body = figures.stacked_causes(
        list(frame["name"]), {"The model": list(frame["model"]), "Other weights": list(frame["timing"])},
        alt=takeaway, unit="bp", totals=list(frame["total"]), total_name="Both",
        axis_title="Part of the difference between accounts and benchmarks", data=TableBody(columns, rows),
    )  # fmt: skip
    return Exhibit(id, title, body, takeaway, origin.settings(basis(review), TABLES), facts)


def sleeve_table(review: SleeveReview, origin: Origin) -> Exhibit:
    """Each sleeve as a portfolio of its own: what it returned, and what its model and its benchmark did."""
    id, title = "sleeves-table", "The sleeves as portfolios of their own"
    frame = review.pools.to_frame()
    if frame.empty:
        return absent(id, title, NONE)
    frame["name"] = [sleeve_name(review, sleeve) for sleeve in frame["sleeve_id"]]
    frame["decided"] = frame[["allocation", "selection", "interaction"]].sum(axis=1)
    frame["done"] = frame[["timing", "cash", "trading", "fees", "residual"]].sum(axis=1)
    columns = (
        Column("name", "Sleeve", emphasis=True),
        Column("value", "Value", "usd", note="at the close before the last"),
        Column("portfolio", "Return", "percent", digits=2, note="after fees, with the sleeve's part of cash"),
        Column("model", "Model", "percent", digits=2),
        Column("benchmark", "Benchmark", "percent", digits=2),
        Column("excess", "Difference", "bp", digits=0, note="return less benchmark"),
        Column("decided", "By model", "bp", digits=0, note="allocation, selection and interaction within the sleeve"),
        Column("timing", "Weights", "bp", digits=0, note="securities at other weights than in the model's sleeve"),
        Column("cash", "Cash", "bp", digits=0),
        Column("fees", "Fees", "bp", digits=0),
        Column("rest", "Rest", "bp", digits=1, note="trading and residual"),
    )
    frame["rest"] = frame["trading"] + frame["residual"]
    rows, facts = origin.table("sleeves.pool", frame, columns, "attribution.pools", TABLES, keys=frame["sleeve_id"])
    worst, best = frame.loc[frame["excess"].idxmin()], frame.loc[frame["excess"].idxmax()]
    takeaway = f"{worst['name']} did worst, {ahead(worst['excess'])} its benchmark"
    if not is_level(worst["excess"]):
        takeaway += f", {_sides_of(worst['decided'], worst['done'], 'its model', 'how it was carried out')}"
    did = "did best" if best["excess"] >= 0 else "came closest"
    takeaway += f"; {best['name']} {did}, {ahead(best['excess'])} its own." if len(frame) > 1 else "."
    if frame["excess"].map(is_level).all():
        takeaway = f"{'Every sleeve' if len(frame) > 1 else worst['name']} is level with its benchmark."
    note = _outside(review)
    settings = origin.settings(f"{basis(review)}; cash and fees carved out by value", TABLES)
    return Exhibit(id, title, TableBody(columns, rows, note=note), takeaway, settings, facts)


def cumulative_figure(review: SleeveReview, origin: Origin) -> Exhibit:
    """How the difference came about over time: in all, by the models, by implementation, by fees."""
    id, title = "sleeves-cumulative", "How the difference came about"
    if not len(review.accounts.accounts):
        return absent(id, title, NONE)
    firm, names = review.accounts.firm, review.accounts.names
    linked = firm.cumulative(review.accounts.linking)
    parts = {"The models": "model", "Implementation": "implementation", "Of which fees": "fees"}
    series = {"In all": linked.excess[0]}
    series |= {name: linked.effects[0][:, rows_of(names, effect)].sum(axis=1) for name, effect in parts.items()}
    begun = firm.sessions.get_loc(measured_from(review))
    days = [str(day)[:10] for day in firm.sessions[begun:]]
    series = {name: values[begun:] for name, values in series.items()}
    model, done = series["The models"], series["Implementation"]
    facts = (
        origin.fact("sleeves.cumulative.model.worst", float(model.min()), "bp", FUNCTION, TABLES, digits=1),
        origin.fact("sleeves.cumulative.implementation.worst", float(done.min()), "bp", FUNCTION, TABLES, digits=1),
    )
    at = int(np.argmin(series["In all"]))
    low = float(series["In all"][at])
    takeaway = f"The accounts were furthest behind on {fmt.long_date(days[at + 1])}, by {fmt.basis_points(-low)}."
    if low > -SLIGHT:
        at = int(np.argmax(series["In all"]))
        high = fmt.basis_points(float(series["In all"][at]))
        takeaway = (
            f"The accounts were never behind; they were furthest ahead on {fmt.long_date(days[at + 1])}, by {high}."
        )
    kept = sorted({*_thinned(len(days)), at + 1})
    lines = {name: [0.0 if i == 0 else float(values[i - 1]) for i in kept] for name, values in series.items()}
    body = figures.lines(
        [days[i] for i in kept], lines, alt=takeaway, unit="bp", axis_title="Difference to the benchmarks, linked"
    )
    return Exhibit(id, title, body, takeaway, origin.settings(basis(review), TABLES), facts)


def _sides(model: Fact, implementation: Fact) -> tuple[Run, ...]:
    """Which of the two accounts for it, as a sentence."""
    m, i = float(model.value), float(implementation.value)
    if abs(m) < SLIGHT and abs(i) < SLIGHT:
        return ("Neither the models nor their implementation made a difference.",)

    def told(fact: Fact) -> tuple[Run, ...]:
        value = float(fact.value)
        if abs(value) < SLIGHT:
            return ("made no difference",)
        verb = "brought" if value >= 0 else "cost"
        return (f"{verb} ", fact.ref(fmt.basis_points(abs(value))))

    return ("The models ", *told(model), ", implementation ", *told(implementation), ".")


def _title(facts: dict[str, Fact]) -> str:
    """The answer in a few words."""
    m, i = (float(facts[name].value) for name in ("model", "implementation"))
    total = m + i
    if is_level(total):
        return "Accounts and benchmarks are level"
    side = "behind" if total < 0 else "ahead"
    sign = -1 if total < 0 else 1
    if m * sign > 0 and i * sign > 0:
        more = "the models" if abs(m) > abs(i) else "implementation"
        if min(abs(m), abs(i)) > 0.4 * abs(total):
            return f"Accounts are {side}: by the models and by implementation alike"
        return f"Accounts are {side}: mostly by {more}"
    return f"Accounts are {side}: by {'the models' if m * sign > 0 else 'implementation'}"


def _sleeves_said(review: SleeveReview, origin: Origin) -> tuple[list[Paragraph], tuple[Fact, ...]]:
    """Which sleeve's model decisions hurt and helped most."""
    frame = by_sleeve(review).sort_values(["model", "sleeve_id"], ignore_index=True)
    worst, best = frame.iloc[0], frame.iloc[-1]
    words: list[Run] = []
    facts: list[Fact] = []
    for row, verb in ((worst, "cost"), (best, "brought")):
        value = float(row["model"])
        if (value > -SLIGHT and verb == "cost") or (value < SLIGHT and verb == "brought"):
            continue
        key = f"sleeves.part.{origin.slug(row['sleeve_id'])}.model"
        fact = origin.fact(key, value, "bp", FUNCTION, TABLES, digits=1)
        facts.append(fact)
        lead = "Of the models' decisions," if not words else ", and"
        at_all = f"{lead} {sleeve_name(review, row['sleeve_id'])} {verb} most, "
        words += [at_all, fact.ref(fmt.basis_points(abs(value)))]
    return ([(*words, ".")] if words else []), tuple(facts)


def _causes_said(review: SleeveReview, facts: dict[str, Fact]) -> Paragraph:
    """What implementation mostly consists of."""
    done = firm_effects(review).drop(["allocation", "selection", "interaction"])
    ranked = done.reindex(done.abs().sort_values(ascending=False, kind="stable").index)
    named = [name for name in ranked.index if abs(ranked[name]) >= SLIGHT][:2]
    if not named:
        return "Implementation followed the models to within half a basis point in each respect."
    words: list[Run] = ["What implementation changed came mostly through "]
    for position, name in enumerate(named):
        verb = "brought" if ranked[name] > 0 else "cost"
        words += [
            f"{' and ' if position else ''}{PHRASES[name]} ({verb} ",
            facts[name].ref(fmt.basis_points(abs(float(ranked[name])))),
            ")",
        ]
    return (*words, ".")


def _part_takeaway(frame: pd.DataFrame) -> str:
    """The sleeves at both ends, and whether it was the model."""
    worst, best = frame.iloc[0], frame.iloc[-1]
    by = _sides_of(worst["model"], worst["timing"], "the model's decisions", "weights other than the model's")
    said = []
    if worst["total"] <= -SLIGHT:
        said.append(f"{worst['name']} cost most, {fmt.basis_points(-worst['total'])}, {by}")
    if best["total"] >= SLIGHT:
        said.append(f"{best['name']} brought most, {fmt.basis_points(best['total'])}")
    return ("; ".join(said) or "No sleeve made a difference of half a basis point") + "."


def _sides_of(first: float, second: float, its: str, other: str) -> str:
    """Which of two parts is the larger, as words; the smaller goes unsaid where it is nothing."""
    if abs(first) < abs(second):
        first, second, its, other = second, first, other, its
    return f"by {its}" if abs(second) < SLIGHT else f"more by {its} than by {other}"


def _outside(review: SleeveReview) -> str:
    """What lies outside every sleeve, and sleeves that nobody held."""
    said = []
    outside = float(review.pools.outside[-1])
    if outside >= 0.5:
        total = outside + sum(float(pool.begin[-1]) for pool in review.pools.pools)
        said.append(
            f"{fmt.usd(outside)} ({fmt.percent(outside / total)} of the accounts' value) lies in holdings outside "
            "their models' sleeves and is in no row."
        )
    if review.pools.unheld:
        names = ", ".join(sleeve_name(review, sleeve) for sleeve in review.pools.unheld)
        said.append(f"Held by no account: {names}.")
    return " ".join(said)


def _thinned(count: int) -> list[int]:
    """Positions of at most `_POINTS` days, the first and the last among them."""
    step = max(1, -(-count // _POINTS))
    return sorted({*range(0, count, step), count - 1})


def left_out_table(review: SleeveReview, origin: Origin, most: int) -> Exhibit:
    """Accounts without attribution, each with its reason."""
    id, title = "sleeves-left-out", "Accounts left out"
    frame = review.accounts.no_data
    if frame.empty:
        return absent(id, title, "Every account of the firm was measured.")
    facts = (origin.fact("sleeves.firm.left_out", len(frame), "count", FUNCTION, TABLES),)
    columns = (Column("account_id", "Account", emphasis=True), Column("reason", "Why"))
    rows = tuple((str(row.account_id), str(row.reason)) for row in frame.head(most).itertuples(index=False))
    takeaway = f"{plural(len(frame), 'account')} {noun(len(frame), 'is', 'are')} in no figure of this chapter."
    note = "" if len(frame) <= most else f"The first {most} of {fmt.count(len(frame))}."
    settings = origin.settings("accounts without model, or without value in the period", TABLES, simulated=False)
    return Exhibit(id, title, TableBody(columns, rows, note=note), takeaway, settings, facts)
