"""The models' part of all accounts' excess return, decision by decision: asset class, sleeve, sector, security."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.attribution._paper import Floats
from workbench.attribution.linking import link
from workbench.attribution.paths import ModelPaths
from workbench.attribution.sleeves import SleeveAttribution
from workbench.attribution.tree import ROOT, Tree, brinson_tree, grow
from workbench.errors import ParameterError


@dataclass(frozen=True, eq=False)
class ModelTree:
    """Linked effects at P nodes, of all accounts together.

    `weights` (P x 2) are average weights of each node in the accounts' models and in their benchmarks. `own` (P) is
    what the node's weight inside its parent brought, a leaf's selection included; `total` (P) is the node's and all
    below it, so that the root's is the models' part of the accounts' excess.
    """

    tree: Tree
    weights: Floats
    own: Floats
    total: Floats

    @property
    def model(self) -> float:
        """The models' part of the excess return: the root's total."""
        return float(self.total[0])

    def by_level(self) -> pd.Series:
        """What the decisions at each level brought, by level's name; they sum to the models' part."""
        levels = self.tree.levels
        return pd.Series([float(self.own[self.tree.depth == depth].sum()) for depth in range(1, len(levels) + 1)],
                         index=list(levels))  # fmt: skip

    def to_frame(self) -> pd.DataFrame:
        """One row a node, parents first: level, path, weight, benchmark_weight, own, below, total."""
        names = np.array([ROOT, *self.tree.levels], dtype=object)
        return pd.DataFrame(
            {
                "level": names[self.tree.depth],
                "path": list(self.tree.paths),
                "weight": self.weights[:, 0],
                "benchmark_weight": self.weights[:, 1],
                "own": self.own,
                "below": self.total - self.own,
                "total": self.total,
            }
        )


def model_tree(accounts: SleeveAttribution, paths: ModelPaths, levels: pd.DataFrame) -> ModelTree:
    """Break the models' part of all accounts' excess return down a tree of groups.

    `levels` has a row for each of the paths' columns (a security in a sleeve), in their order, and a column a level
    from the top, such as asset_class, sleeve, sector, security. Each day each model is set against its own benchmark by
    `brinson_tree`, its effects are weighted by the values of the accounts that follow it, and the days are linked with
    the accounts' other rows: the root is what `accounts.firm` has as allocation, selection and interaction, to
    rounding. Single nodes need not be those rows, because a weight is judged inside its parent and not against the
    whole, and because a sleeve that the policy does not hold is all weight.

    Raises `ParameterError` for levels that do not fit the columns, and as `brinson_tree` does.
    """
    if len(levels) != len(paths.column_sleeve):
        raise ParameterError(
            f"levels has {len(levels)} rows for {len(paths.column_sleeve)} columns; give one a column", "levels"
        )
    firm, begin = accounts.firm, accounts.models.begin
    tree = grow(levels)
    nodes = len(tree.parent)
    dollars, held = np.zeros((begin.shape[1], nodes)), np.zeros((nodes, 2))
    share = np.divide(begin, firm.begin, out=np.zeros_like(begin), where=firm.begin > 0)
    for model in np.flatnonzero((begin > 0).any(axis=1)):
        days = np.flatnonzero(begin[model] > 0)
        sides = _leaves(paths, int(model), days)
        mine, neutral, returns = (side[:, None] for side in sides)
        # A day is an account of one period: nothing is linked yet.
        effects = brinson_tree(mine, returns, neutral, returns, levels, accounts=days)
        dollars[days] += effects.own.sum(axis=2) * share[model, days, None]
        held += np.stack([_rolled(tree, side, share[model, days]) for side in sides[:2]], axis=1)
    present = firm.begin[0] > 0
    rows = np.concatenate([dollars, np.where(present, firm.portfolio[0] - firm.model[0], 0.0)[:, None]], axis=1)
    own = link(rows, firm.portfolio[0], firm.benchmark[0], accounts.linking, present=present).effects[:-1]
    return ModelTree(tree, held / max(int(present.sum()), 1), own, tree.roll_up(own[None])[0])


def column_levels(paths: ModelPaths, securities: pd.DataFrame, *names: str) -> pd.DataFrame:
    """Give the levels of the paths' columns: `names` are columns of `securities`, or "sleeve" for the sleeve.

    `securities` is the firm's table, indexed by security_id. The last level is the security, whatever is named. Raises
    `ParameterError` for a security that it lacks.
    """
    ids = pd.Index(paths.securities)[paths.column_security]
    if len(lost := ids.difference(securities.index)):
        raise ParameterError(f"{lost[0]} is not among the securities; give every one that models hold", "securities")
    sleeve = np.array(paths.sleeves, dtype=object)[paths.column_sleeve]
    found = {name: sleeve if name == "sleeve" else securities[name].reindex(ids).to_numpy() for name in names}
    return pd.DataFrame({**found, "security": ids}).astype("str")


def _leaves(paths: ModelPaths, model: int, days: np.ndarray) -> tuple[Floats, Floats, Floats]:
    """Weights of a model and of its benchmark, and returns, by column over some days; what nobody holds returns 0."""
    mine = np.nan_to_num(paths.weights[model, days])
    policy = paths.benchmark_weights[model, days][:, paths.column_sleeve]
    neutral = np.where(policy > 0, policy * paths.sleeve_benchmark_weights[model, days], 0.0)
    returns = paths.returns[days][:, paths.column_security]
    return mine, neutral, np.where((mine == 0) & (neutral == 0), 0.0, returns)


def _rolled(tree: Tree, columns: Floats, share: Floats) -> Floats:
    """Sum columns over days, weighted by `share`, at every node (P)."""
    leaves = np.where(tree.leaf_of >= 0, (share @ columns)[tree.leaf_of], 0.0)
    return np.asarray(tree.roll_up(leaves[None])[0])
