"""The fact sheet of a notice that a model is new: its targets and reasons, and nothing of accounts, for it has none."""

from __future__ import annotations

from datetime import date

import pandas as pd

from workbench.drafting.facts import FactSheet
from workbench.drafting.sheets.gathering import Gathering, Reading, worded
from workbench.drafting.sheets.model_change_effect import ACCOUNTS, SECURITIES
from workbench.drafting.sheets.model_change_record import (
    MODELS,
    SLEEVES,
    Timetable,
    add_rationale,
    add_timetable,
    pending,
    sleeve,
)

TARGETS = Reading("read", ("model_targets",))


def new_model_sheet(
    tables: dict[str, pd.DataFrame],
    model_id: str,
    version: int,
    *,
    as_of: date,
    snapshot: str,
    timetable: Timetable,
    preview: bool = False,
) -> FactSheet:
    """Return the facts of a model that is not in force yet; `tables` are the firm's own.

    Raises `ParameterError` for a version that the committee has not approved, unless `preview` is set.
    """
    rows = tables["models"].rename(columns={"version": "version_after"})
    rows = rows[(rows["model_id"] == model_id) & (rows["version_after"] == version)]
    row, cell = rows.iloc[0], f"{model_id}, version {version}"
    waiting = pending(rows, preview)
    made = Gathering("new_model", f"new-{model_id}", as_of.isoformat(), snapshot)
    key = made.entity("model:" + model_id, "model", str(row["name"]))
    made.fact("as_of", "date", made.as_of, "as_of", Reading("opened", ("snapshot",)), "as of")
    if waiting:
        made.fact("pending", "count", waiting, "change_pending", MODELS, "versions that wait for the committee")
    made.named("model.1.name", key, MODELS, cell)
    made.fact("model.1.benchmark", "name", worded(row["benchmark"], "benchmark"), "named", MODELS, cell)
    on_it = int((tables["accounts"]["model_id"] == model_id).sum())
    made.fact("accounts", "count", on_it, "change_on_it", ACCOUNTS, f"model_id {model_id}", of=(key,))
    add_timetable(made, rows, timetable)
    add_rationale(made, rows)
    _targets(made, tables, key, model_id, version)
    return made.sheet((key,))


def _targets(made: Gathering, tables: dict[str, pd.DataFrame], key: str, model_id: str, version: int) -> None:
    """Targets by sleeve and by security, largest first."""
    rows = tables["model_targets"]
    rows = rows[(rows["model_id"] == model_id) & (rows["version"] == version)]
    sums = rows.groupby("sleeve_id")["target"].sum().sort_values(ascending=False, kind="stable")
    for n, (sleeve_id, target) in enumerate(sums.items(), 1):
        part = sleeve(made, tables["sleeves"], str(sleeve_id))
        made.named(f"sleeve.{n}.name", part, SLEEVES, str(sleeve_id))
        made.fact(f"sleeve.{n}.target", "percent", target, "change_target", TARGETS, str(sleeve_id), of=(key, part))
    names = dict(zip(tables["securities"]["security_id"], tables["securities"]["name"]))
    listed = rows.sort_values(["target", "security_id"], ascending=[False, True])
    for n, held in enumerate(listed.itertuples(), 1):
        symbol, cell = held.security_id, f"{held.sleeve_id} {held.security_id}"
        part = made.entity("security:" + symbol, "security", symbol, str(names[symbol]))
        inside = sleeve(made, tables["sleeves"], held.sleeve_id)
        made.named(f"security.{n}.name", part, SECURITIES, cell)
        made.named(f"security.{n}.sleeve", inside, SLEEVES, cell)
        of = (key, part, inside)
        made.fact(f"security.{n}.target", "percent", held.target, "change_target", TARGETS, cell, of=of, decimals=2)
