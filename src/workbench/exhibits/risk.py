"""The risk chapter: how much risk there is, against what, and what its figures rest on."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from workbench.exhibits.drift_facts import absent, display_names, listed, plural
from workbench.exhibits.origin import Origin
from workbench.report import Column, Exhibit, Fact, FigureBody, ProseBody, TableBody, figures
from workbench.report import format as fmt
from workbench.report.exhibit import Paragraph
from workbench.risk import FIRM, Overview, RiskSplit, covered, estimated_weight

TABLES = ["positions", "prices", "securities", "models", "model_targets"]
EVERYTHING = "All assets"
#: What a chart keeps apart; the rest is joined.
_PARTS = 6
#: Parts below this share of the largest risk are not worth a colour.
_SMALL = 0.01


def group_names(ids: pd.Index, names: pd.Series) -> list[str]:
    """What the firm's portfolios are called; `names` maps model_id to its name."""
    shown = display_names(names)
    return [EVERYTHING if place == 0 and id == FIRM else str(shown.get(id, id)) for place, id in enumerate(ids)]


def share_words(share: float) -> str:
    """A part of the risk as words; parts that others take away from can be more than the whole."""
    return fmt.percent(share, 0) if round(share, 2) <= 1.0 else "more than all"


def basis(seen: Overview) -> str:
    """What every risk figure rests on, for the settings line."""
    risk = seen.risk
    span = f"{risk.first:%Y-%m-%d} to {risk.last:%Y-%m-%d}" if risk.first is not None else ""
    return (
        f"holdings at the last close; covariance of {fmt.count(risk.observations)} daily returns ({span}), "
        "correlations shrunk by Ledoit-Wolf; volatility a year"
    )


def models_table(seen: Overview, origin: Origin, names: pd.Series) -> Exhibit:
    """One row for all assets and one a model: volatility of holdings and targets, tracking error, what is specific."""
    id, title = "risk-models", "Risk by model"
    if not len(seen.total.portfolios):
        return absent(id, title, nothing(seen))
    frame = _models(seen, names)
    columns = (
        Column("name", "Portfolio", emphasis=True),
        Column("value", "Assets", "usd"),
        Column("volatility", "Volatility", "percent", note="of what is held, a year"),
        Column("target", "Of the targets", "percent", note="volatility of the model's target weights, a year"),
        Column("tracking_error", "Tracking error", "percent", digits=2, note="all its accounts together, to the model"),
        Column("median", "Median account", "percent", digits=2, note="tracking error of the median account"),
        Column("specific", "Specific", "percent", digits=2, note="part of the volatility explained by no factor"),
        Column("bets", "Separate risks", "number", digits=1, note="uncorrelated sources of risk, by entropy"),
    )
    missing = {
        "target": "no single model",
        "tracking_error": "no account has a model",
        "median": "no account has a model",
        "bets": "nothing moves",
    }
    rows, facts = origin.table(
        "risk.group", frame, columns, "risk.overview", TABLES, keys=seen.total.portfolios, missing=missing
    )
    models = frame.iloc[1:] if _has_firm(seen) else frame
    takeaway = f"{frame['name'].iloc[0]}: a volatility of {fmt.percent(frame['volatility'].iloc[0])} a year."
    if len(models) > 1 and models["volatility"].max() > models["volatility"].min():
        most, least = models.loc[models["volatility"].idxmax()], models.loc[models["volatility"].idxmin()]
        takeaway += (
            f" {most['name']} is the most volatile model ({fmt.percent(most['volatility'])}), "
            f"{least['name']} the least ({fmt.percent(least['volatility'])})."
        )
    note = (
        "Tracking error: by how much a year's return typically differs from that of the targets. "
        "Separate risks: 1.0 where all moves as one."
    )
    return Exhibit(
        id,
        title,
        TableBody(columns, rows, note=note),
        takeaway,
        origin.settings(basis(seen), TABLES),
        facts,
        index=True,
    )


def group_figure(seen: Overview, origin: Origin, names: pd.Series, level: str = "asset_class") -> Exhibit:
    """Each portfolio's volatility, split by the securities' asset class, sector or region."""
    words = level.replace("_", " ")
    id, title = f"risk-by-{level.replace('_', '-')}", f"Volatility by {words}"
    if not len(seen.total.portfolios):
        return absent(id, title, nothing(seen))
    parts = seen.total.by(seen.securities(level))
    takeaway = _largest_part(
        parts, seen.total.volatility, EVERYTHING if _has_firm(seen) else group_names(seen.total.portfolios, names)[0]
    )
    body, facts = _stack(
        parts, seen.total, group_names(seen.total.portfolios, names), origin, f"risk.{level}", takeaway
    )
    return Exhibit(id, title, body, takeaway, origin.settings(basis(seen), TABLES), facts)


def active_figure(seen: Overview, origin: Origin, names: pd.Series, level: str = "sector") -> Exhibit:
    """Each model's tracking error, all its accounts together, split by sector, asset class or region."""
    words = level.replace("_", " ")
    id, title = f"risk-active-by-{level.replace('_', '-')}", f"Tracking error by {words}"
    active = seen.active
    if not len(active.portfolios) or not (active.volatility > 0).any():
        return absent(id, title, "No model's accounts differ from its targets.")
    labels = group_names(active.portfolios, names)
    parts = active.by(seen.securities(level))
    models = active.portfolios != FIRM
    worst = int(np.argmax(np.where(models, active.volatility, -1.0)))
    key = parts.iloc[worst].idxmax()
    takeaway = (
        f"{labels[worst]} is furthest from its targets: {fmt.percent(active.volatility[worst], 2)} a year; "
        f"{share_words(parts.iloc[worst][key] / active.volatility[worst])} of it comes from {key}."
    )
    body, facts = _stack(parts, active, labels, origin, f"risk.active.{level}", takeaway, unit="bp")
    return Exhibit(id, title, body, takeaway, origin.settings(basis(seen), TABLES), facts)


def limits_of_data(seen: Overview, origin: Origin) -> Exhibit:
    """What the figures rest on and cannot say: old prices, estimates, simulated prices, survivors, what is left out."""
    watched, risk = seen.watched, seen.risk
    held = np.unique(watched.holding_security[watched.value_at(watched.last) != 0])
    age, last = watched.price_age[watched.last, held], watched.sessions[watched.last]
    cash = (watched.securities["kind"] == "cash").to_numpy()[held]
    old = int((age[~cash] > 0).sum())
    lines: list[Paragraph] = [] if last >= watched.as_of else [
        f"The last close is of {fmt.long_date(str(last.date()))}, before the day reported on."
    ]  # fmt: skip
    lines.append(
        "Every price is of the last session."
        if old == 0
        else f"{plural(old, 'security held has', 'securities held have')} an older price, the oldest of "
        f"{plural(int(age[~cash].max()), 'session')} before."
    )
    if risk.proxied:
        weight = estimated_weight(seen.groups.weights, risk)
        lines.append(
            f"{plural(len(risk.proxied), 'security has', 'securities have')} too short a history and "
            f"{'takes' if len(risk.proxied) == 1 else 'take'} the average risk of "
            f"{'its' if len(risk.proxied) == 1 else 'their'} asset class: {listed(sorted(risk.proxied))}, "
            f"{fmt.percent(weight[0] if len(weight) else 0.0)} of all assets."
        )
    left = pd.Series(dict(risk.left_out), dtype="string").rename_axis("name").reset_index(name="why")
    for why, names in left.groupby("why", sort=True)["name"]:
        lines.append(f"Left out: {listed(sorted(names))}, {why}.")
    if seen.no_risk:
        lines.append(f"No estimate of risk: {seen.no_risk}.")
    without = seen.accounts[seen.accounts["reason"].notna()]
    for reason, count in without["reason"].value_counts().items():
        lines.append(f"{plural(int(count), 'account')} without figures: {reason}.")
    if origin.simulated:
        lines.append(f"Simulated, and so no evidence of what those markets do: {origin.simulated}.")
    lines += [
        "The securities are those held today. Companies that failed are not among them, so that losses in past windows "
        "are too small where single shares are held.",
        "Volatility is that of the window named below each exhibit; the next years may be calmer or wilder.",
    ]
    return Exhibit("risk-data", "What these figures rest on", ProseBody(tuple(lines), bullets=True))


def _models(seen: Overview, names: pd.Series) -> pd.DataFrame:
    """The rows of the table of models."""
    total, ids = seen.total, seen.total.portfolios
    value = pd.Series(seen.groups.value, index=seen.groups.ids)
    frame = pd.DataFrame(
        {
            "name": group_names(seen.total.portfolios, names),
            "value": value.reindex(ids).to_numpy(),
            "volatility": total.volatility,
            "specific": total.specific,
            "bets": total.effective_bets,
        }
    )
    frame["target"] = pd.Series(seen.targets.volatility, index=seen.targets.portfolios).reindex(ids).to_numpy()
    frame["tracking_error"] = pd.Series(seen.active.volatility, index=seen.active.portfolios).reindex(ids).to_numpy()
    median = seen.accounts.groupby("model_id")["tracking_error"].median().reindex(ids).to_numpy().copy()
    if _has_firm(seen):
        frame.loc[0, "target"] = np.nan
        median[0] = seen.accounts["tracking_error"].median()
    return frame.assign(median=median)


def _stack(
    parts: pd.DataFrame,
    split: RiskSplit,
    labels: list[str],
    origin: Origin,
    prefix: str,
    alt: str,
    unit: Literal["percent", "bp"] = "percent",
) -> tuple[FigureBody, tuple[Fact, ...]]:
    """A stacked chart of contributions and the same as a table, with a fact for each figure."""
    joined = _joined(parts)
    wide = joined.set_axis([f"part{place}" for place in range(joined.shape[1])], axis=1).reset_index(drop=True)
    wide.insert(0, "name", labels)
    wide["volatility"] = split.volatility
    columns = (
        Column("name", "Portfolio"),
        *(Column(column, str(key), unit) for column, key in zip(wide.columns[1:-1], joined.columns, strict=True)),
        Column("volatility", "Total", unit),
    )
    # Facts are named by the part, not by its place in this chart.
    named = {column: f"{origin.slug(key)}.contribution" for column, key in zip(wide.columns[1:-1], joined.columns)}
    columns_named = tuple(
        Column(named.get(column.name, column.name), column.label, column.kind, column.digits) for column in columns
    )
    rows, facts = origin.table(
        prefix, wide.rename(columns=named), columns_named, "risk.split", TABLES, keys=split.portfolios
    )
    body = figures.stacked_causes(
        labels,
        {str(key): list(joined[key]) for key in joined.columns},
        alt=alt,
        unit=unit,
        totals=list(split.volatility),
        total_name="Total",
        axis_title="Contribution, a year",
        data=TableBody(columns_named, rows),
    )
    return body, facts


def _joined(parts: pd.DataFrame) -> pd.DataFrame:
    """The largest parts, and the others as one."""
    size = parts.abs().max()
    order = size.sort_values(ascending=False, kind="stable").index
    kept = [key for key in order[:_PARTS] if size[key] >= _SMALL * size.max()]
    rest = [key for key in order if key not in kept]
    result = parts[kept].copy()
    if rest:
        result["The rest"] = parts[rest].sum(axis=1)
    return result


def _largest_part(parts: pd.DataFrame, volatility: np.ndarray, name: str) -> str:
    if volatility[0] <= 0:
        return f"{name}: nothing that is held moves."
    first = parts.iloc[0]
    key = first.idxmax()
    text = f"{name}: {share_words(first[key] / volatility[0])} of the risk comes from {key}."
    lowest = first.idxmin()
    if first[lowest] < -_SMALL * volatility[0]:
        text += f" The part in {lowest} lowers it by {fmt.percent(-first[lowest] / volatility[0], 0)}."
    return text


def _has_firm(seen: Overview) -> bool:
    return len(seen.total.portfolios) > 0 and seen.total.portfolios[0] == FIRM


def nothing(seen: Overview) -> str:
    """Why no portfolio has a risk."""
    if seen.no_risk:
        return f"No risk can be shown: {seen.no_risk}."
    reasons = covered(seen.groups, seen.risk).no_data["reason"]
    return f"No risk can be shown: {reasons.iloc[0]}." if len(reasons) else "No risk can be shown: nothing is held."
