"""The drift chapter's second part: the models."""

from __future__ import annotations

import pandas as pd

from workbench.drift import Review
from workbench.exhibits.drift_facts import (
    BASIS,
    TABLES,
    absent,
    display_names,
    no_tracking_error,
    plural,
    without_bands,
)
from workbench.exhibits.origin import Origin
from workbench.firm import Firm
from workbench.report import Column, Exhibit, TableBody, figures
from workbench.report import format as fmt

#: Keys in the grid of models.
_KEYS_IN_GRID = 8


def model_names(firm: Firm) -> pd.Series:
    """Return the name of each model, by model_id: that of its latest version."""
    models = firm.table("models").sort_values("version").drop_duplicates("model_id", keep="last")
    return models.set_index("model_id")["name"]


def models_table(review: Review, origin: Origin, names: pd.Series) -> Exhibit:
    """One row a model: how many of its accounts are out, and by how much. `names` maps model_id to its name."""
    if review.ranking.empty:
        return absent("drift-models", "Drift by model")
    frame = review.aggregate.models.copy()
    frame["name"] = frame["model_id"].map(display_names(names))
    unknown = frame["tax_unknown"]
    frame["tax_to_correct"] = frame["tax_to_correct"].mask(unknown == frame["accounts"])
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
    rows, facts = origin.table(
        "drift.model",
        frame,
        columns,
        "drift.aggregate",
        [*TABLES, "lots"],
        keys=frame["model_id"],
        missing={"tracking_error": no_tracking_error(review), "tax_to_correct": "lots do not cover the holdings"},
    )
    worst = frame.loc[frame["share_out"].idxmax()]
    takeaway = (
        f"{worst['name']} has the largest share of accounts out of tolerance: "
        f"{fmt.count(worst['out_of_band'])} of {fmt.count(worst['accounts'])}."
        if worst["out_of_band"]
        else "No model has an account out of tolerance."
        if without_bands(review) < len(review.ranking)
        else "No model has a tolerance band."
    )
    note = f"Without the tax of {plural(unknown.sum(), 'account')} that is not known." if unknown.any() else ""
    settings = origin.settings(BASIS, [*TABLES, "lots"])
    return Exhibit("drift-models", "Drift by model", TableBody(columns, rows, note=note), takeaway, settings, facts)


def models_grid(review: Review, origin: Origin, names: pd.Series, level: str) -> Exhibit:
    """Each model's value-weighted deviation at each key of a level, as a grid of dots."""
    name, title = f"drift-models-{level.replace('_', '-')}", f"Deviation of each model by {level.replace('_', ' ')}"
    if review.ranking.empty:
        return absent(name, title)
    by_key = review.aggregate.by_key
    values = by_key[by_key["level"] == level].pivot(index="model_id", columns="key", values="deviation")
    values = values.loc[:, values.abs().max().sort_values(ascending=False, kind="stable").index[:_KEYS_IN_GRID]]
    shown_as = display_names(names)
    model, key = values.abs().stack().idxmax()
    takeaway = (
        f"The widest of a model is {shown_as[model]}'s in {key}: {fmt.percentage_points(values.loc[model, key])}. "
        "What all accounts of a model share is the model's business; what only some have is theirs."
    )
    # Keys are the firm's own words: one may be called like the column of names.
    wide = values.set_axis([f"{origin.slug(key)}.deviation" for key in values.columns], axis=1)
    columns = (
        Column("model", "Model"),
        *(Column(column, str(key), "pp", digits=2) for column, key in zip(wide.columns, values.columns, strict=True)),
    )
    wide.insert(0, "model", [shown_as[model] for model in wide.index])
    missing = dict.fromkeys(wide.columns, "neither held nor in the model")
    rows, facts = origin.table(
        f"drift.model.{level}", wide, columns, "drift.aggregate", TABLES, keys=wide.index, missing=missing
    )
    body = figures.dot_table(
        list(wide["model"]),
        [str(key) for key in values.columns],
        [list(line) for line in values.to_numpy()],
        alt=takeaway,
        data=TableBody(columns, rows),
    )
    settings = origin.settings(f"{BASIS}, weighted by account value", TABLES)
    return Exhibit(name, title, body, takeaway, settings, facts)
