"""Two versions of models side by side: targets before and after, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.drift import DriftInputs
from workbench.errors import FirmDataError, ParameterError
from workbench.firm import models_in_force

#: Targets of a version sum to 1 within this.
SUM_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class TargetChange:
    """Targets before and after by model (M x S, in the order of `DriftInputs`), and by sleeve.

    `changed` (M) says which models get a new version, `version_after` (M) which. `sleeves` has model_id, sleeve_id,
    security (its code), before and after.
    """

    before: NDArray[np.float64]
    after: NDArray[np.float64]
    changed: NDArray[np.bool_]
    version_after: NDArray[np.int64]
    sleeves: pd.DataFrame
    left_out: tuple[str, ...] = ()


def target_change(
    inputs: DriftInputs, models: pd.DataFrame, targets: pd.DataFrame, versions: dict[str, int] | None = None
) -> TargetChange:
    """Set the versions in force beside those asked for (by default each model's last, where it is later) as arrays."""
    force = models_in_force(models, inputs.as_of).set_index("model_id")["version"].reindex(inputs.model_ids)
    after = _versions_after(models, force, versions)
    left_out: list[str] = []
    sums = targets.groupby(["model_id", "version"], observed=True)["target"].sum()
    for model, version in list(after.items()):
        total = float(sums.get((model, version), 0.0))
        if abs(total - 1.0) > SUM_TOLERANCE:
            text = f"{model} version {version}: its targets sum to {total:.6f}, not 1; have the committee correct them"
            if versions is not None:
                raise FirmDataError(f"model_targets: {text}")
            left_out.append(text)
            del after[model]
    if not after:
        raise ParameterError(
            "; ".join(left_out) or "models: no version later than the one in force; name one in versions"
        )
    wanted = force.astype(np.int64).copy()
    wanted.update(pd.Series(after, dtype=np.int64))
    security = pd.Index(inputs.securities.ids)
    code = pd.Index(inputs.model_ids)
    dense, parts = [], []
    for name, chosen in (("before", force), ("after", wanted)):
        rows = targets[targets["version"].to_numpy() == chosen.reindex(targets["model_id"]).to_numpy()]
        places = security.get_indexer(rows["security_id"])
        matrix = np.zeros((len(code), len(security)))
        np.add.at(matrix, (code.get_indexer(rows["model_id"]), places), rows["target"].to_numpy(np.float64))
        dense.append(matrix)
        parts.append(rows[["model_id", "sleeve_id"]].assign(security=places, **{name: rows["target"]}))
    keys = ["model_id", "sleeve_id", "security"]
    sleeves = parts[0].merge(parts[1], on=keys, how="outer").fillna({"before": 0.0, "after": 0.0})
    return TargetChange(
        dense[0], dense[1], code.isin(list(after)), wanted.to_numpy(np.int64),
        sleeves[sleeves["model_id"].isin(list(after))].reset_index(drop=True), tuple(left_out),
    )  # fmt: skip


def _versions_after(models: pd.DataFrame, force: pd.Series, versions: dict[str, int] | None) -> dict[str, int]:
    if versions is None:
        last = models.groupby("model_id", observed=True)["version"].max()
        return {model: int(last[model]) for model in force.index if last[model] > force[model]}
    known = set(zip(models["model_id"], models["version"]))
    for model, version in versions.items():
        if model not in force.index or (model, version) not in known:
            raise ParameterError(
                f"versions: {model} version {version} does not exist, or the model has no version in force; "
                f"models in force are {', '.join(force.index)}",
                "versions",
            )
    return {model: int(version) for model, version in versions.items()}
