"""The sleeve chapter's second part: inside the largest sleeves, securities, accounts, and that it all adds up."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from workbench.attribution import SleevePool, SleeveReview
from workbench.exhibits.drift_facts import absent
from workbench.exhibits.origin import Origin
from workbench.exhibits.sleeve_attribution import NONE
from workbench.exhibits.sleeve_facts import (
    BRIDGE_SIDES,
    FUNCTION,
    PHRASES,
    SLIGHT,
    TABLES,
    WORDS,
    basis,
    brought,
    firm_effects,
    firm_linked,
    group_name,
    inside,
    most_at_stake,
    sleeve_name,
)
from workbench.report import Column, Exhibit, TableBody, figures
from workbench.report import format as fmt

_POOL = "attribution.pools"
_POOL_WORDS = {name: WORDS[name] for name in WORDS if name != "other_holdings"}
#: What the model's effects are within a sleeve.
_WITHIN = {
    "allocation": "how much of each {level} its model holds",
    "selection": "what its model holds in each {level}",
    "interaction": "amounts and choices by {level} together",
}
_LEVEL_WORDS = {"sector": "Sector", "asset_class": "Asset class", "region": "Region", "security_id": "Security"}


def sleeve_pages(review: SleeveReview, origin: Origin, most: int) -> Iterator[Exhibit]:
    """For the sleeves with most at stake: from its benchmark to its return, and its model by group."""
    chosen = most_at_stake(review, most)
    if not chosen:
        yield absent("sleeves-inside", "Inside the sleeves", NONE)
    for sleeve in chosen:
        pool = review.pools.pool(sleeve)
        yield sleeve_bridge(review, pool, origin)
        yield group_table(review, pool, origin)


def sleeve_bridge(review: SleeveReview, pool: SleevePool, origin: Origin) -> Exhibit:
    """From the sleeve's benchmark to what the sleeve returned in all accounts together."""
    name, slug = sleeve_name(review, pool.sleeve_id), origin.slug(pool.sleeve_id)
    level = review.levels[pool.sleeve_id]
    steps = {effect: pool.effect(effect) for effect in _POOL_WORDS}
    ends = {"benchmark": float(pool.linked.benchmark), "portfolio": float(pool.linked.portfolio)}
    facts = {
        key: origin.fact(f"sleeves.pool.{slug}.{key}", value, "percent", _POOL, TABLES, digits=2)
        for key, value in ends.items()
    } | {
        key: origin.fact(f"sleeves.bridge.{slug}.{key}", value, "bp", _POOL, TABLES, digits=1)
        for key, value in steps.items()
    }
    names = {"benchmark": "Benchmark"} | _POOL_WORDS | {"portfolio": "Sleeve"}
    data = TableBody(
        (Column("step", "Step"), Column("value", "Figure")),
        tuple((words, facts[key].ref()) for key, words in names.items()),
    )
    largest = max(steps, key=lambda key: abs(steps[key]))
    ahead = ends["portfolio"] - ends["benchmark"]
    takeaway = (
        f"{name} returned {fmt.percent(ends['portfolio'], 2)} where its benchmark returned "
        f"{fmt.percent(ends['benchmark'], 2)}, {fmt.basis_points(abs(ahead))} {'more' if ahead >= 0 else 'less'}; "
        f"the largest step is {_phrase(largest, level)}, which {brought(steps[largest])}."
    )
    body = figures.bridge(
        list(_POOL_WORDS.values()), ends["benchmark"], list(steps.values()), alt=takeaway,
        ends=("Benchmark", "Sleeve"), axis_title="Return over the period", digits=2, sides=BRIDGE_SIDES, data=data,
    )  # fmt: skip
    settings = origin.settings(f"{basis(review)}; cash and fees carved out by value", TABLES)
    return Exhibit(
        f"sleeves-bridge-{slug}", f"{name}: from benchmark to sleeve", body, takeaway, settings, tuple(facts.values())
    )


def group_table(review: SleeveReview, pool: SleevePool, origin: Origin) -> Exhibit:
    """What the model decided within a sleeve, by sector or another level: weights and effects."""
    name, slug = sleeve_name(review, pool.sleeve_id), origin.slug(pool.sleeve_id)
    level = review.levels[pool.sleeve_id]
    words = _LEVEL_WORDS[level]
    frame = pool.by_group().sort_values(["total", "group"], ignore_index=True)
    id, title = f"sleeves-groups-{slug}", f"{name}: the model by {words.lower()}"
    if len(frame) < 2:
        return absent(id, title, f"{name} is all one security, so there is nothing to split.")
    if frame[["allocation", "selection", "interaction"]].abs().to_numpy().max() < SLIGHT / 10:
        return absent(id, title, f"The model of {name} held what its benchmark holds, so there is nothing to split.")
    keys = list(frame["group"])
    frame["group"] = [group_name(review, level, key) for key in keys]
    columns = (
        Column("group", words, emphasis=True),
        Column("weight", "Model", "percent", note="average weight in the accounts' models"),
        Column("benchmark_weight", "Benchmark", "percent", note="average weight in the sleeve's benchmark"),
        Column("allocation", "Allocation", "bp", digits=1),
        Column("selection", "Selection", "bp", digits=1),
        Column("interaction", "Interaction", "bp", digits=1),
        Column("total", "Total", "bp", digits=1),
    )
    rows, facts = origin.table(f"sleeves.group.{slug}", frame, columns, _POOL, TABLES, keys=keys)
    sums = [
        origin.fact(
            f"sleeves.group-sum.{slug}.{c.name}", float(frame[c.name].sum()), c.kind, _POOL, TABLES, digits=c.digits
        )
        for c in columns[1:]
    ]
    cells = (fact.ref(fact.text.removesuffix("\u00a0bp")) for fact in sums)
    body = TableBody(columns, (*rows, ("All", *cells)), total_row=True)
    worst, best = frame.iloc[0], frame.iloc[-1]
    preposition = "with" if level == "security_id" else "in"
    takeaway = f"Against its benchmark the model of {name} "
    said = [
        f"{verb} most {preposition} {row['group']}, {fmt.basis_points(abs(row['total']))}"
        for row, verb, counts in ((worst, "lost", worst["total"] <= -SLIGHT), (best, "won", best["total"] >= SLIGHT))
        if counts
    ]
    takeaway += f"{', and '.join(said)}." if said else "made no difference in any group."
    settings = origin.settings(f"{basis(review)}; the models' sleeves against the sleeve's benchmark", TABLES)
    return Exhibit(id, title, body, takeaway, settings, (*facts, *sums))


def contributors_figure(review: SleeveReview, origin: Origin, most: int) -> Exhibit:
    """The securities that brought and cost most against the benchmarks, in all accounts together."""
    id, title = "sleeves-contributors", "Securities that brought or cost most"
    if not len(review.accounts.accounts):
        return absent(id, title, NONE)
    frame = review.securities[review.securities["effect"] == "security"]
    frame = frame[frame["contribution"].abs() >= 0.5e-6].reset_index(drop=True)
    if frame.empty:
        return absent(id, title, "No security made a difference between the accounts and their benchmarks.")
    half = max(1, most // 2)
    top, bottom = frame[frame["contribution"] > 0].head(half), frame[frame["contribution"] < 0].tail(half)
    shown = pd.concat([top, bottom], ignore_index=True)
    shown = shown.assign(name=review.security_names.reindex(shown["security_id"]).to_numpy())
    labels = [group_name(review, "security_id", key) for key in shown["security_id"]]
    columns = (
        Column("security_id", "Security"),
        Column("name", "Name"),
        Column("weight", "Weight", "percent", note="average, all accounts together"),
        Column("benchmark_weight", "Benchmark", "percent", note="average"),
        Column("return", "Return", "percent", note="of the security over the period"),
        Column("contribution", "Part of the difference", "bp", digits=1),
    )
    missing = {"return": "without a price on some day"}
    rows, facts = origin.table(
        "sleeves.security", shown, columns, "attribution.security_effects", TABLES, missing=missing
    )
    said = [
        f"{row['security_id']} {verb} most, {fmt.basis_points(abs(row['contribution']))}, "
        f"held at {fmt.percent(row['weight'])} where the benchmarks hold {fmt.percent(row['benchmark_weight'])}"
        for part, verb, place in ((top, "brought", 0), (bottom, "cost", -1))
        if len(part)
        for row in [part.iloc[place]]
    ]
    takeaway = "; ".join(said) + "."
    body = figures.diverging_bars(
        labels, list(shown["contribution"]), alt=takeaway, unit="bp", sides=("cost", "brought"),
        axis_title="Part of the difference between accounts and benchmarks", data=TableBody(columns, rows),
    )  # fmt: skip
    settings = origin.settings(f"{basis(review)}; weight and return above the benchmark's, both sides", TABLES)
    return Exhibit(id, title, body, takeaway, settings, facts)


def accounts_table(review: SleeveReview, origin: Origin, most: int) -> Exhibit:
    """The accounts furthest from their models, with the row that did most."""
    id, title = "sleeves-accounts", "Accounts furthest from their models"
    if not len(review.accounts.accounts):
        return absent(id, title, NONE)
    frame = review.accounts.to_frame()
    frame["implementation"] = review.accounts.effect("implementation")
    order = frame["implementation"].abs().sort_values(ascending=False, kind="stable").index
    frame = frame.loc[order[:most]].reset_index(drop=True)
    rows = review.accounts.by_sleeve()
    rows = rows[rows["effect"].isin(list(WORDS)[3:]) & rows["account_id"].isin(frame["account_id"])]
    largest = rows.loc[rows.groupby("account_id")["contribution"].apply(lambda part: part.abs().idxmax())]
    largest = largest.set_index("account_id").loc[frame["account_id"]]
    frame["row"] = [
        WORDS[row.effect] + (f": {sleeve_name(review, row.sleeve_id)}" if isinstance(row.sleeve_id, str) else "")
        for row in largest.itertuples()
    ]
    frame["row_value"] = largest["contribution"].to_numpy()
    frame["lived"] = frame["periods"]
    columns = (
        Column("account_id", "Account", emphasis=True),
        Column("model_id", "Model"),
        Column("advisor_id", "Advisor"),
        Column("custodian_id", "Custodian"),
        Column("lived", "Days", "count", note="sessions that the account was measured over"),
        Column("portfolio", "Return", "percent", digits=2, note="after fees"),
        Column("model", "Its model", "percent", digits=2),
        Column("implementation", "Implementation", "bp", digits=0, note="account against model, linked"),
        Column("row", "Largest part"),
        Column("row_value", "Of which", "bp", digits=0),
    )
    cells, facts = origin.table("sleeves.account", frame, columns, FUNCTION, TABLES)
    first = frame.iloc[0]
    side = "behind" if first["implementation"] < 0 else "ahead of"
    distance = fmt.basis_points(abs(first["implementation"]))
    takeaway = (
        f"{first['account_id']} is furthest from its model, {distance} {side} it; "
        f"its largest part is {inside(str(first['row']))}."
    )
    total = len(review.accounts.accounts)
    note = "" if total <= most else f"The first {len(frame)} of {fmt.count(total)}, by distance."
    return Exhibit(
        id, title, TableBody(columns, cells, note=note), takeaway, origin.settings(basis(review), TABLES), facts
    )


def reconciliation_table(review: SleeveReview, origin: Origin) -> Exhibit:
    """That the rows add up: for the firm, for the account that fits worst, and for the sleeves."""
    id, title = "sleeves-reconciliation", "Does it add up?"
    if not len(review.accounts.accounts):
        return absent(id, title, NONE)
    linked, effects = firm_linked(review), firm_effects(review)
    left = float(np.abs(review.accounts.unreconciled).max())
    residual = np.abs(review.accounts.effect("residual"))
    worst = int(residual.argmax())
    facts = {
        name: origin.fact(f"sleeves.firm.{name}", float(effects[name]), "bp", FUNCTION, TABLES, digits=1)
        for name in WORDS
    } | {
        "sum": origin.fact("sleeves.check.sum", float(effects.sum()), "bp", FUNCTION, TABLES, digits=1),
        "excess": origin.fact("sleeves.firm.excess", float(linked.excess[0]), "bp", FUNCTION, TABLES, digits=1),
        "worst": origin.fact("sleeves.check.residual", float(residual[worst]), "bp", FUNCTION, TABLES, digits=3),
        "left": origin.fact("sleeves.check.left", left, "fraction", FUNCTION, TABLES, text=_tiny(left)),
    }
    rows = (
        *((WORDS[name], facts[name].ref()) for name in WORDS),
        ("Sum of the rows", facts["sum"].ref()),
        ("Accounts less benchmarks", facts["excess"].ref()),
        ("Largest residual of an account", facts["worst"].ref()),
        ("Largest part of an account's difference that no row explains", facts["left"].ref()),
    )
    account = review.accounts.accounts["account_id"].iloc[worst]
    largest = float(residual[worst])
    told = f"the largest residual is {fmt.basis_points(largest, 3)}, in {account}"
    takeaway = (
        f"The rows of {'the one account' if len(residual) == 1 else f'each of {fmt.count(len(residual))} accounts'} "
        f"sum to its difference"
        f"{'' if left < 1e-10 else f', to within {_tiny(left)}'}; "
        f"{'no account has a residual to speak of' if largest < 0.0005e-4 else told}."
    )
    columns = (Column("row", "Row"), Column("value", "All accounts"))
    note = (
        "The residual is what prices, roundings of splits and dividends and records that do not balance leave; "
        "it is shown and never spread over the other rows."
    )
    return Exhibit(
        id, title, TableBody(columns, rows, note=note), takeaway, origin.settings(basis(review), TABLES),
        tuple(facts.values()),
    )  # fmt: skip


def _phrase(effect: str, level: str) -> str:
    """An effect within a sleeve, as words."""
    return _WITHIN.get(effect, PHRASES[effect]).format(level=_LEVEL_WORDS[level].lower())


def _tiny(value: float) -> str:
    """A size too small for percentages, in words."""
    if value < 1e-10:
        return "less than 0.000001 bp"
    return fmt.basis_points(value, 6)
