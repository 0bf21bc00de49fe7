"""The implementation chapter's models: whether accounts of one model are further behind it than those of others."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.attribution.implementation import Inference, Study, against_others, benjamini_hochberg
from workbench.exhibits.drift_facts import absent, listed, noun
from workbench.exhibits.implementation import BP, FUNCTION, NET, TABLES
from workbench.exhibits.origin import Origin
from workbench.report import Column, Exhibit, TableBody
from workbench.report import format as fmt


def model_table(study: Study, origin: Origin) -> Exhibit:
    """Each model's accounts against those of the other models: what belongs to a model is nobody's blame."""
    id, title = "implementation-models", "Models against each other"
    fitted = study.total.fit
    panel, sums = fitted.panel, fitted.moments
    if len(panel.models) == 1:
        return absent(id, title, "All accounts follow one model, or too few follow any other: nothing to compare.")
    if len(sums.kept_models) < len(panel.models) - 1:
        return absent(id, title, "Some models are followed at one custodian alone: they cannot be compared.")
    months = np.bincount(panel.model_of, weights=panel.n_months.astype(np.float64))
    rows = against_others(months / months.sum())[:, list(sums.kept_models)]
    inference = Inference(fitted, 1.0 - study.total.alpha)
    estimates = [inference.estimate(inference.weights(models=row)) for row in rows]
    adjusted = benjamini_hochberg([estimate.p for estimate in estimates])
    sure = [
        bool(q <= study.total.alpha and abs(estimate.value) >= study.total.least)
        for q, estimate in zip(adjusted, estimates, strict=True)
    ]
    frame = pd.DataFrame({
        "model_id": [str(name) for name in panel.models],
        "accounts": np.bincount(panel.model_of), "effect": [BP * estimate.value for estimate in estimates],
        "interval": [
            f"{fmt.basis_points(BP * e.low, 1, unit=False)} to {fmt.basis_points(BP * e.high, 1)}" for e in estimates
        ],
        "chance": ["below 0.001" if q < 0.001 else f"{q:.3f}" for q in adjusted],
        "reading": [
            "no difference shown" if not known else "further behind" if e.value < 0.0 else "less behind"
            for known, e in zip(sure, estimates, strict=True)
        ],
    })  # fmt: skip
    columns = (
        Column("model_id", "Model", emphasis=True),
        Column("accounts", "Accounts", "count"),
        Column("effect", "Against the others", "bp", digits=1, note="a month; custodians and advisors held equal"),
        Column("interval", "Interval"),
        Column("chance", "Chance", note="p, adjusted for all models"),
        Column("reading", "Reading"),
    )
    cells, facts = origin.table("implementation.model", frame, columns, FUNCTION, TABLES)
    behind = [str(name) for name in frame.loc[frame["reading"] == "further behind", "model_id"]]
    takeaway = (
        f"Accounts of {listed(behind)} are further behind {noun(len(behind), 'their model', 'their models')} "
        "than other accounts are behind theirs: no custodian and no advisor is charged with it."
        if behind
        else "No model's accounts are further behind it than those of others by more than chance."
    )
    small = panel.small_models
    note = f"Models with fewer than five accounts are taken together: {listed(small)}." if small else ""
    return Exhibit(id, title, TableBody(columns, cells, note=note), takeaway, origin.settings(NET, TABLES), facts)
