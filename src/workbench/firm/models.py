"""Which version of a model counts: the one home of the rule that drift, reconciliation and history share."""

from __future__ import annotations

import pandas as pd


def effective_versions(models: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return the versions that are or were in force by `as_of`: not drafts, effective on or before the day.

    `models` is the firm's table; the rows are sorted by model, effective date and version.
    """
    rows = models[(models["status"] != "draft") & (models["effective_date"] <= as_of)]
    return rows.sort_values(["model_id", "effective_date", "version"], ignore_index=True)


def models_in_force(models: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return the version of each model in force on a day: of those not draft, the last to have become effective."""
    return effective_versions(models, as_of).drop_duplicates("model_id", keep="last", ignore_index=True)
