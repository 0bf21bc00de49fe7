"""The risk chapter, second part: what today's holdings would lose, and which households more than they tolerate."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.exhibits.drift_facts import absent, noun, plural
from workbench.exhibits.origin import Origin
from workbench.exhibits.risk import TABLES as RISK_TABLES
from workbench.exhibits.risk import group_names
from workbench.report import Badge, CalloutBody, Column, Exhibit, Fact, TableBody, Tone, figures
from workbench.report import format as fmt
from workbench.report.exhibit import Paragraph, Run
from workbench.risk import FIRM, Overview

TABLES = [*RISK_TABLES, "profiles"]
#: A longer label would run into the next one.
_LONGEST_LABEL = 48
_TONES: dict[str, Tone] = {"within": "good", "above": "bad", "not assessable": "neutral"}


def basis(seen: Overview) -> str:
    """What every stress rests on, for the settings line."""
    return (
        "holdings at the last close, bought and held; windows: each security's own return; shocks: exposure times "
        f"shock; shown where at least {fmt.percent(seen.scenarios.least_covered, 0)} has data of its own"
    )


def verdict(seen: Overview, origin: Origin) -> Exhibit:
    """The box at the top: how much risk, the worst of the past, and how many households tolerate less than that."""
    id, title = "risk-verdict", "Risk in one paragraph"
    facts = firm_facts(seen, origin)
    above = int(facts["above"].value)
    lines = (_volatility(seen, facts), _worst(facts), _households(facts))
    return Exhibit(id, title, CalloutBody("warning" if above else "neutral", lines), "", None, tuple(facts.values()))


def firm_facts(seen: Overview, origin: Origin) -> dict[str, Fact]:
    """Figures of the firm as a whole by short name; what is not known is not there."""
    values: dict[str, tuple[object, str]] = {}
    if FIRM in seen.groups.ids[:1]:
        values["value"] = (seen.groups.value[0], "usd")
    if FIRM in seen.total.portfolios[:1]:
        values["volatility"] = (seen.total.volatility[0], "percent")
    if FIRM in seen.active.portfolios[:1]:
        values["tracking_error"] = (seen.active.volatility[0], "percent")
    worst = seen.stress.worst("history")
    if FIRM in worst["portfolio"].to_list()[:1]:
        row = worst.iloc[0]
        name = seen.stress.moves.scenarios.set_index("id").loc[row["scenario"], "name"]
        values["worst_name"] = (str(name), "text")
        values["worst"] = (row["result"], "percent")
        values["worst_dollars"] = (row["dollars"], "usd")
    values["above"] = (int((seen.losses["verdict"] == "above").sum()), "count")
    values["assessed"] = (int((seen.losses["verdict"] != "not assessable").sum()), "count")
    digits = {"tracking_error": 2}
    return {
        name: origin.fact(f"stress.firm.{name}", value, unit, "risk.overview", TABLES, digits=digits.get(name))
        for name, (value, unit) in values.items()
    }


def _volatility(seen: Overview, facts: dict[str, Fact]) -> Paragraph:
    if "volatility" not in facts:
        return "No volatility can be shown for all assets together; the last section says why."
    worth = facts["value"].ref(fmt.usd_short(float(facts["value"].value)))
    line: list[Run] = ["All assets, ", worth, ", have a volatility of ", facts["volatility"].ref(), " a year"]
    if "tracking_error" in facts:
        line += [" and a tracking error of ", facts["tracking_error"].ref(), " to the models"]
    return (*line, ".")


def _worst(facts: dict[str, Fact]) -> Paragraph:
    if "worst" not in facts:
        return "The data reach no window of the past."
    loss, dollars = (float(facts[name].value) for name in ("worst", "worst_dollars"))
    name = facts["worst_name"].ref()
    if loss == 0:
        return "In no window of the past that the data reach would today's holdings have lost anything."
    if loss > 0:
        return (
            "In no window of the past that the data reach would today's holdings have lost; the least was ",
            name,
            ".",
        )
    return (
        "The worst window of the past that the data reach is ",
        name,
        ": today's holdings would lose ",
        facts["worst"].ref(fmt.percent(-loss)),
        ", ",
        facts["worst_dollars"].ref(fmt.usd_short(-dollars)),
        ".",
    )


def _households(facts: dict[str, Fact]) -> Paragraph:
    assessed = int(facts["assessed"].value)
    if not assessed:
        return "No household has a valid profile and enough data to say whether it would tolerate its worst window."
    words = f" {noun(assessed, 'household')} with a valid profile would lose more in their worst window than the "
    return (facts["above"].ref(), " of ", facts["assessed"].ref(), f"{words}profile tolerates.")


def firm_figure(seen: Overview, origin: Origin) -> Exhibit:
    """What all assets would gain or lose under each window and each shock."""
    id, title = "stress-firm", "All assets under stress"
    frame = _scenarios(seen)
    if frame.empty or frame["result"].isna().all() or FIRM not in seen.groups.ids[:1]:
        return absent(id, title, "No window or shock reaches enough of the holdings.")
    reached = frame[frame["result"].notna()].sort_values(["kind", "result"], kind="stable")
    worst = reached.loc[reached["result"].idxmin()]
    takeaway = "No stress would cost anything."
    if worst["result"] < 0:
        takeaway = (
            f"Worst of all is {_moved(worst['result'])}, {fmt.usd_short(abs(worst['dollars']))}: {worst['name']}."
        )
    past = reached[reached["kind"] == "history"]
    if len(past) and worst["kind"] != "history" and past["result"].min() < 0:
        of_past = past.loc[past["result"].idxmin()]
        takeaway += f" Of what has happened it is {_moved(of_past['result'])}: {of_past['name']}."
    labels = [_label(row.name, row.kind) for row in reached[["name", "kind"]].itertuples(index=False)]
    columns = (
        Column("name", "Stress"),
        Column("result", "Gain or loss", "percent"),
        Column("dollars", "Dollars", "usd"),
    )
    rows, facts = origin.table("stress.all", reached, columns, "risk.stress_test", TABLES, keys=reached["id"])
    body = figures.diverging_bars(
        labels,
        list(reached["result"]),
        alt=takeaway,
        unit="percent",
        axis_title="Gain or loss of all assets",
        sides=("loss", "gain"),
        data=TableBody(columns, rows),
    )
    return Exhibit(id, title, body, takeaway, origin.settings(basis(seen), TABLES), facts)


def models_figure(seen: Overview, origin: Origin, names: pd.Series) -> Exhibit:
    """Gain or loss of the accounts of each model under each window and shock."""
    id, title = "stress-models", "Models under stress"
    stress = seen.stress
    if not len(stress.portfolios) or np.isnan(stress.result).all():
        return absent(id, title, "No window or shock reaches enough of the holdings.")
    labels, scenarios = group_names(stress.portfolios, names), stress.moves.scenarios
    models = np.where((stress.portfolios != FIRM)[:, None] & ~np.isnan(stress.result), stress.result, np.inf)
    at = np.unravel_index(np.argmin(models), models.shape)
    takeaway = (
        f"Of the models {labels[at[0]]} would lose most, {fmt.percent(-models[at])}: {scenarios['name'][at[1]]}."
        if models[at] < 0
        else "No stress would cost any model anything."
        if (stress.portfolios != FIRM).any()
        else "No account is on a model; all assets are shown alone."
    )
    columns = (
        Column("name", "Stress", emphasis=True),
        *(Column(f"group{place}", label, "percent") for place, label in enumerate(labels)),
    )
    frame = pd.DataFrame(stress.result.T, columns=[column.name for column in columns[1:]])
    frame.insert(0, "name", [_label(row.name, row.kind) for row in scenarios[["name", "kind"]].itertuples(index=False)])
    named = {f"group{place}": f"{origin.slug(id)}.result" for place, id in enumerate(stress.portfolios)}
    columns = tuple(
        Column(named.get(column.name, column.name), column.label, column.kind, emphasis=column.emphasis)
        for column in columns
    )
    why = "too little of it has data of its own, or the prices do not reach"
    rows, facts = origin.table(
        "stress.group", frame.rename(columns=named), columns, "risk.stress_test", TABLES,
        keys=scenarios["id"], missing=dict.fromkeys(named.values(), why),
    )  # fmt: skip
    note = "A shock changes what is named and what moves with it, at once; a window is what did happen, day by day."
    return Exhibit(
        id,
        title,
        TableBody(columns, rows, note=note),
        takeaway,
        origin.settings(basis(seen), TABLES),
        facts,
        index=True,
    )


def coverage_table(seen: Overview, origin: Origin) -> Exhibit:
    """What each stress is, why it is looked at, and how much of all assets has data of its own in it."""
    id, title = "stress-coverage", "What each stress rests on"
    frame = _scenarios(seen)
    if frame.empty:
        return absent(id, title, "There is no stress to look at.")
    columns: tuple[Column, ...] = (
        Column("name", "Stress", emphasis=True),
        Column("begin", "From", note="close of the day"),
        Column("end", "To", note="close of the day"),
        Column("own", "Own data", "percent", digits=0, note="part of all assets"),
        Column("estimated", "Estimated", "percent", digits=0, note="by the average of the asset class, or a proxy"),
        Column("missing", "No data", "percent", digits=0, note="counted as unchanged"),
        Column("said", "Why"),
    )
    frame = frame.assign(
        begin=frame["first"].dt.strftime("%Y-%m-%d").fillna("at once"),
        end=frame["last"].dt.strftime("%Y-%m-%d").fillna(""),
        said=np.where(frame["reason"].notna(), "Does not reach: " + frame["reason"].fillna("") + ".", frame["note"]),
    )
    for name in ("own", "estimated", "missing"):
        frame[name] = frame[name].where(frame["unreached"].isna())
    if not (frame["missing"] > 0).any():
        columns = tuple(column for column in columns if column.name != "missing")
    why = "does not reach"
    rows, facts = origin.table(
        "stress.coverage", frame, columns, "risk.stress_test", TABLES, keys=frame["id"],
        missing={"own": why, "estimated": why, "missing": why},
    )  # fmt: skip
    whole = int((frame["own"] >= 1.0 - 1e-9).sum())
    lost = int(frame["reason"].notna().sum())
    takeaway = f"{plural(whole, 'stress rests', 'stresses rest')} on the securities' own data alone"
    partly = len(frame) - whole - lost
    takeaway += f", {partly} in part on estimates" if partly else ""
    takeaway += f"; {lost} {'does' if lost == 1 else 'do'} not reach." if lost else "."
    dropped, unanswered = seen.scenarios.left_out, seen.scenarios.unanswered
    note = (
        f"Shocks of {', '.join(dropped)} meet nothing: the firm has no such asset class or factor." if dropped else ""
    )
    note += f" Without an estimate of risk there is no answer to: {'; '.join(unanswered)}." if unanswered else ""
    settings = origin.settings(basis(seen), TABLES)
    return Exhibit(id, title, TableBody(columns, rows, note=note.strip()), takeaway, settings, facts)


def households_table(seen: Overview, origin: Origin, most: int) -> Exhibit:
    """The households furthest beyond what their profile tolerates in the worst window of the past."""
    id, title = "stress-households", "Losses against what the profile tolerates"
    losses = seen.losses
    known = losses[losses["result"].notna()]
    if known.empty:
        return absent(id, title, "No window of the past reaches enough of any household's holdings.")
    names = seen.stress.moves.scenarios.set_index("id")["name"]
    people = seen.watched.households.set_index("household_id")
    frame = known.head(most).assign(
        name=lambda rows: [fmt.clipped(str(people["name"][id]), 40) for id in rows["household_id"]],
        advisor_id=lambda rows: rows["household_id"].map(people["advisor_id"]),
        stress=lambda rows: rows["scenario"].map(names),
        state=lambda rows: [str(word) for word in rows["verdict"]],
        allowed=lambda rows: -rows["tolerated"],
    )
    columns = (
        Column("household_id", "Household", emphasis=True),
        Column("name", "Name"),
        Column("advisor_id", "Advisor"),
        Column("result", "Gain or loss", "percent"),
        Column("allowed", "Tolerated", "percent", note="the loss that the profile allows"),
        Column("dollars", "Dollars", "usd"),
        Column("stress", "Worst window"),
        Column("state", "State", "badge"),
    )
    plain = {"allowed": "no valid profile"}
    figures_only = tuple(column for column in columns if column.kind != "badge")
    rows, facts = origin.table("stress.household", frame, figures_only, "risk.against_tolerance", TABLES, missing=plain)
    rows = tuple((*row, Badge(state, _TONES[state])) for row, state in zip(rows, frame["state"], strict=True))
    assessed, above = losses[losses["verdict"] != "not assessable"], losses[losses["verdict"] == "above"]
    takeaway = "No household shown has a valid profile to compare with."
    if len(assessed):
        takeaway = f"{len(above)} of {plural(len(assessed), 'household')} would lose more than their profile tolerates"
    if len(above):
        first = above.iloc[0]
        takeaway += f"; {first['household_id']} by {fmt.percentage_points(first['excess']).lstrip('+')} more"
    takeaway += "." if len(assessed) else ""
    multiple = f"{seen.scenarios.tolerated_volatilities:g}"
    note = (
        f"Tolerated: {multiple} times the volatility a year that the profile allows, a house rule. "
        "What the client can bear is a conversation, not a formula."
    )
    unknown = losses[losses["verdict"] == "not assessable"]
    if len(unknown):
        note += f" {plural(len(unknown), 'household')} cannot be assessed: {_reasons(unknown)}."
    if len(known) > most:
        note = f"The first {len(frame)} of {plural(len(known), 'household')}. {note}"
    settings = origin.settings(basis(seen), TABLES)
    return Exhibit(id, title, TableBody(columns, rows, note=note), takeaway, settings, facts, index=True)


def _scenarios(seen: Overview) -> pd.DataFrame:
    """Each scenario with its result for all assets; `unreached` says why there is none."""
    stress = seen.stress
    if not len(stress.portfolios):
        return pd.DataFrame()
    firm = stress.to_frame().iloc[: len(stress.moves.scenarios)].rename(columns={"reason": "unreached"})
    scenarios = stress.moves.scenarios.drop(columns="reason").reset_index(drop=True)
    frame = scenarios.join(
        firm[["result", "dollars", "own", "estimated", "missing", "unreached"]].reset_index(drop=True)
    )
    return frame.assign(reason=frame["unreached"])


def _label(name: str, kind: str) -> str:
    """A scenario's name as a row's label; shocks say that they are."""
    return fmt.clipped(f"Shock: {name}" if kind == "shock" else name, _LONGEST_LABEL)


def _moved(result: float) -> str:
    return f"a {'loss' if result < 0 else 'gain'} of {fmt.percent(abs(result))}"


def _reasons(losses: pd.DataFrame) -> str:
    # The day of a review differs from household to household; what it means does not.
    reasons = losses["reason"].fillna("not known").str.replace(r"reviewed on \S+,", "reviewed", regex=True)
    counts = reasons.value_counts()
    return "; ".join(
        f"{reason} ({count})" if len(counts) > 1 else str(reason) for reason, count in counts.head(3).items()
    )
