"""The levels at which weights are held against targets: security, sector, asset class, region, sleeve, factor."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.drift import bands
from workbench.drift.inputs import OFF_MODEL, Floats, Level, Securities
from workbench.errors import FirmDataError
from workbench.firm import Firm
from workbench.firm.schema import LEVELS
from workbench.market import FactorModel

#: The levels whose key is a column of the securities table.
CLASSIFICATIONS = ("sector", "asset_class", "region")


def build_levels(
    firm: Firm,
    models: pd.DataFrame,
    securities: Securities,
    attributes: pd.DataFrame,
    factor_model: FactorModel | None,
) -> tuple[dict[str, Level], dict[str, str]]:
    """Return every level with its targets and bands, and which have tolerances but nothing to hold against them.

    `models` are the versions in force, `attributes` the securities' sector, asset class and region in the order of
    `securities`. The sleeve of a security is told by the model's own targets. Raises `FirmDataError` for a target or
    tolerance that names what does not exist.
    """
    model_ids = tuple(models["model_id"])
    tolerances = firm.table("tolerances")
    rows = _targets_in_force(firm, models, securities)
    n_models, n_securities = len(model_ids), len(securities.ids)
    target = np.zeros((n_models, n_securities))
    np.add.at(target, (rows["model"], rows["security"]), rows["target"])

    lower, upper = bands.resolve("security", securities.ids, target, tolerances, model_ids)
    lower, upper = bands.override(lower, upper, target, rows)
    itself = np.arange(n_securities, dtype=np.int32)
    levels = {"security": Level("security", securities.ids, target, lower, upper, member=itself)}
    for name in CLASSIFICATIONS:
        codes, keys = pd.factorize(attributes[name], sort=True)
        member = codes.astype(np.int32)
        grouped = np.zeros((n_models, len(keys)))
        np.add.at(grouped.T, member, target.T)
        limits = bands.resolve(name, list(keys), grouped, tolerances, model_ids)
        levels[name] = Level(name, tuple(str(key) for key in keys), grouped, *limits, member=member)

    sleeves = (*sorted(firm.table("sleeves", ["sleeve_id"])["sleeve_id"]), OFF_MODEL)
    loadings = sleeve_shares(rows, n_models, n_securities, sleeves)
    grouped = np.einsum("ms,msl->ml", target, loadings)
    limits = bands.resolve("sleeve", sleeves, grouped, tolerances, model_ids)
    levels["sleeve"] = Level("sleeve", sleeves, grouped, *limits, loadings=loadings)

    factors, exposures = _exposures(firm, securities, factor_model)
    if factors:
        held_out = np.where(target > 0, 1.0, 0.0) @ np.isnan(exposures) > 0
        grouped = np.where(held_out, np.nan, target @ np.nan_to_num(exposures))
        limits = bands.resolve("factor", factors, grouped, tolerances, model_ids)
        levels["factor"] = Level("factor", factors, grouped, *limits, loadings=exposures[None])
    unchecked = {
        name: f"tolerances are given, but no table says how securities fall into a {name}"
        for name in LEVELS
        if name not in levels and (tolerances["level"] == name).any()
    }
    return levels, unchecked


def _targets_in_force(firm: Firm, models: pd.DataFrame, securities: Securities) -> pd.DataFrame:
    """model_targets of the versions in force, with `model` and `security` as positions."""
    versions = models[["model_id", "version"]].assign(model=np.arange(len(models)))
    rows = firm.table("model_targets").merge(versions, on=["model_id", "version"])
    rows["security"] = pd.Index(securities.ids).get_indexer(rows["security_id"])
    unknown = rows[rows["security"] < 0]
    if not unknown.empty:
        raise FirmDataError(
            f"model_targets: {unknown['security_id'].iloc[0]!r} of model {unknown['model_id'].iloc[0]} "
            "is not in securities; add it there or correct the target"
        )
    return rows


def sleeve_shares(rows: pd.DataFrame, n_models: int, n_securities: int, sleeves: tuple[str, ...]) -> Floats:
    """Return the part of each security that each sleeve answers for (M x S x sleeves); the parts sum to 1.

    A security in several sleeves is shared in proportion to its targets there (equally where these are all zero);
    one that the model does not name falls to `OFF_MODEL`, the last sleeve.
    """
    column = pd.Index(sleeves).get_indexer(rows["sleeve_id"])
    at = (rows["model"].to_numpy(), rows["security"].to_numpy(), column)
    shape = (n_models, n_securities, len(sleeves))
    targets, named = np.zeros(shape), np.zeros(shape)
    np.add.at(targets, at, rows["target"].to_numpy(np.float64))
    named[at] = 1.0
    total = targets.sum(axis=2, keepdims=True)
    shares = np.where(total > 0, targets, named)
    size = shares.sum(axis=2, keepdims=True)
    shares = np.divide(shares, size, out=np.zeros(shape), where=size > 0)
    shares[:, :, -1] += size[:, :, 0] == 0
    return shares


def _exposures(firm: Firm, securities: Securities, factor_model: FactorModel | None) -> tuple[tuple[str, ...], Floats]:
    """Factors and exposures (S x K).

    A security with some rows has zero exposure to the factors it lacks, cash to all of them; one with no row at all
    is unknown (NaN).
    """
    table = firm.table("factor_exposures")
    if table.empty and factor_model is not None:
        table = pd.DataFrame(
            factor_model.exposures, index=list(factor_model.security_ids), columns=list(factor_model.factor_names)
        ).rename_axis(index="security_id", columns="factor").stack().rename("exposure").reset_index()  # fmt: skip
    if table.empty:
        return (), np.zeros((len(securities.ids), 0))
    wide = table.pivot(index="security_id", columns="factor", values="exposure").fillna(0.0)
    exposures = wide.reindex(list(securities.ids)).to_numpy(np.float64).copy()
    exposures[securities.is_cash & np.isnan(exposures).all(axis=1)] = 0.0
    return tuple(str(factor) for factor in wide.columns), exposures
