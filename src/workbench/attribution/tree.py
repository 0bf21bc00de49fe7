"""Attribution over a tree of groups, asset class to security: every level's decisions, adding up exactly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from workbench.attribution._kernels import tree_effects
from workbench.attribution.brinson import NAMES, WEIGHT_TOLERANCE, checked_totals
from workbench.attribution.linking import Floats, Method, checked_returns, linking_factors
from workbench.attribution.panel import labelled
from workbench.errors import ParameterError

Longs = NDArray[np.int64]
ROOT = "total"


@dataclass(frozen=True, eq=False)
class Tree:
    """P nodes, parents before children, 0 the root: each one's path from the top, parent, depth and leaf (or -1)."""

    levels: tuple[str, ...]
    paths: tuple[tuple[str, ...], ...]
    parent: Longs
    depth: Longs
    leaf_of: Longs

    def roll_up(self, own: Floats) -> Floats:
        """Sum (N x P x ...) over each node and all below it."""
        summed = own.copy()
        for node in range(len(self.parent) - 1, 0, -1):
            summed[:, self.parent[node]] += summed[:, node]
        return summed


@dataclass(frozen=True, eq=False)
class TreeAttribution:
    """Linked effects of N accounts at P nodes of a tree.

    `own` (N x P x E) are a node's own effects: the allocation to it inside its parent, and of a leaf its selection
    (and interaction). `effects` (N x P x E) are those of the node and all below it: a parent's are its own and the sum
    of its children's, and the root's add up to the excess. `residual` (N) is the compounded excess less the root's
    total.
    """

    tree: Tree
    accounts: pd.Index
    names: tuple[str, ...]
    own: Floats
    effects: Floats
    portfolio: Floats
    benchmark: Floats
    residual: Floats

    @property
    def excess(self) -> Floats:
        """Compounded portfolio return less compounded benchmark return (N)."""
        return self.portfolio - self.benchmark

    def level(self, name: str) -> pd.DataFrame:
        """The nodes of one level, one row an account and node; `ParameterError` for a level that is not there."""
        if name not in self.tree.levels:
            raise ParameterError(f"there is no level {name!r}; it has {', '.join(self.tree.levels)}", "name")
        return self._frame(np.flatnonzero(self.tree.depth == self.tree.levels.index(name) + 1))

    def node(self, path: Sequence[str]) -> pd.DataFrame:
        """One node by its path from the top, one row an account; `ParameterError` for a path that is not there."""
        if tuple(path) not in self.tree.paths:
            raise ParameterError(f"there is no node {' > '.join(path)}; paths start at {self.tree.levels[0]}", "path")
        return self._frame(np.array([self.tree.paths.index(tuple(path))]))

    def by_level(self) -> pd.DataFrame:
        """What each level's decisions added, one row an account: allocation to a level, selection, residual."""
        frame = pd.DataFrame({"account": self.accounts, "excess": self.excess})
        for depth, name in enumerate(self.tree.levels, start=1):
            frame[f"allocation: {name}"] = self.own[:, self.tree.depth == depth, 0].sum(axis=1)
        for place, name in enumerate(self.names[1:], start=1):
            frame[name] = self.own[:, :, place].sum(axis=1)
        return frame.assign(residual=self.residual)

    def to_frame(self) -> pd.DataFrame:
        """All nodes, parents first, one row an account and node."""
        return self._frame(np.arange(len(self.tree.parent)))

    def _frame(self, nodes: Longs) -> pd.DataFrame:
        """account, level, path, allocation inside the parent, allocation below, the other effects, total."""
        n = len(self.accounts)
        level = np.array([ROOT, *self.tree.levels])[self.tree.depth[nodes]]
        frame = pd.DataFrame(
            {
                "account": self.accounts.repeat(len(nodes)),
                "level": np.tile(level, n),
                "path": [" > ".join(self.tree.paths[node]) or ROOT for node in nodes] * n,
                "allocation": self.own[:, nodes, 0].ravel(),
                "allocation_below": (self.effects[:, nodes, 0] - self.own[:, nodes, 0]).ravel(),
            }
        )
        for place, name in enumerate(self.names[1:], start=1):
            frame[name] = self.effects[:, nodes, place].ravel()
        return frame.assign(total=self.effects[:, nodes].sum(axis=2).ravel())


def brinson_tree(
    portfolio_weights: ArrayLike | pd.DataFrame,
    portfolio_returns: ArrayLike | pd.DataFrame,
    benchmark_weights: ArrayLike | pd.DataFrame,
    benchmark_returns: ArrayLike | pd.DataFrame,
    levels: pd.DataFrame,
    *,
    effects: Literal[2, 3] = 3,
    linking: Method = "carino",
    benchmark_of: ArrayLike | None = None,
    present: ArrayLike | None = None,
    accounts: ArrayLike | None = None,
    periods: ArrayLike | None = None,
    tolerance: float = WEIGHT_TOLERANCE,
) -> TreeAttribution:
    """Explain each account's excess return decision by decision, from the top of a tree of groups to its leaves.

    Weights and returns are those of the L leaves, as for `brinson`. `levels` has a row a leaf, in order, and a column a
    level from the top (asset_class, sleeve, sector, security); a leaf that ends higher has missing levels at the end.
    At a node with weights w, v and returns r, b inside a parent with W, V and B,

    - neutral weight n = W v / V: the account's weight of the parent, spread as the benchmark spreads it;
    - allocation (w - n)(b - B); of a leaf also selection n (r - b) and interaction (w - n)(r - b), or of two effects
      selection w (r - b).

    The effects inside a parent sum to W (R - B), its selection seen from above, so that levels nest exactly: Brinson
    and Fachler (JPM 1985) applied anew inside each group, top down (Bacon, Practical Portfolio Performance Measurement
    and Attribution, 2008, multi-level attribution). One level is `brinson`. Sides that lack a node: a
    missing leaf return is the other side's; where the benchmark lacks the whole parent there is no neutral spread, the
    account's own counts as neutral (no allocation below) and the parent's benchmark return is that of its leaves so
    weighted; where the account lacks it, everything below is zero.

    Raises `ParameterError` as `brinson` does, for levels that do not fit the leaves, and for a node whose benchmark
    weights are not zero but cancel.
    """
    if effects not in (2, 3):
        raise ParameterError(f"effects is {effects}; use 2 or 3", "effects")
    tree = grow(levels)
    panel = labelled(
        portfolio_weights, portfolio_returns, benchmark_weights, benchmark_returns,
        benchmark_of=benchmark_of, present=present, accounts=accounts, periods=periods, groups=None,
    )  # fmt: skip
    if len(panel.groups) != len(levels):
        raise ParameterError(
            f"levels has {len(levels)} rows for {len(panel.groups)} leaves; give one row a leaf", "levels"
        )
    numbered = isinstance(levels.index, pd.RangeIndex) or isinstance(panel.groups, pd.RangeIndex)
    if not numbered and not levels.index.equals(panel.groups):
        raise ParameterError("the rows of levels are not the columns of the weights; reindex levels to them", "levels")
    portfolio, benchmark = checked_totals(panel, tolerance)
    returns = checked_returns(portfolio, benchmark, linking, panel.present, panel.accounts, panel.periods)
    own, bad = tree_effects(*panel.arrays, linking_factors(returns, linking), panel.present, tree.parent, tree.leaf_of)
    if (bad >= 0).any():
        account = int(np.flatnonzero(bad >= 0)[0])
        period, node = divmod(int(bad[account]), len(tree.parent))
        raise ParameterError(
            f"the benchmark weights inside {' > '.join(tree.paths[node])} of account {panel.accounts[account]} cancel "
            f"to zero in period {panel.periods[period]}: nothing can be neutral there; split the node into long and "
            "short",
            "benchmark_weights",
        )
    if effects == 2:
        own = np.stack([own[:, :, 0], own[:, :, 1] + own[:, :, 2]], axis=2)
    rolled = tree.roll_up(own)
    compounded, against = (np.asarray(np.prod(1 + side, axis=1) - 1) for side in (portfolio, benchmark))
    return TreeAttribution(
        tree, panel.accounts, NAMES[:effects], own, rolled, compounded, against,
        compounded - against - rolled[:, 0].sum(axis=1),
    )  # fmt: skip


def grow(levels: pd.DataFrame) -> Tree:
    """Build the tree of a frame with a row a leaf and a column a level.

    Raises `ParameterError` for no rows or columns, a gap above a level that is given, two leaves of one path, and a
    leaf that is also a parent.
    """
    if levels.empty:
        raise ParameterError("levels has no rows or no columns; give a row a leaf and a column a level", "levels")
    given = levels.notna().to_numpy()
    gaps = ~given[:, 0] | (given[:, 1:] & ~given[:, :-1]).any(axis=1)
    if gaps.any():
        raise ParameterError(
            f"levels row {int(np.flatnonzero(gaps)[0])} misses a level above one that it has; levels may be missing "
            "only at the end",
            "levels",
        )
    rows = levels.astype("str").to_numpy()
    leaves = [tuple(row[:depth]) for row, depth in zip(rows, given.sum(axis=1))]
    repeated = [leaf for leaf, count in Counter(leaves).items() if count > 1]
    prefixes = dict.fromkeys(leaf[:depth] for leaf in leaves for depth in range(len(leaf) + 1))
    parents = {path[:-1] for path in prefixes if path}
    for problem, found in (
        ("stands twice", repeated),
        ("is a leaf and also has leaves below it", [leaf for leaf in leaves if leaf in parents]),
    ):
        if found:
            raise ParameterError(f"{' > '.join(found[0])} {problem}; give each leaf a path of its own", "levels")
    order = {path: place for place, path in enumerate(sorted(prefixes, key=len))}
    row_of = {leaf: row for row, leaf in enumerate(leaves)}
    return Tree(
        tuple(str(column) for column in levels.columns),
        tuple(order),
        np.array([order[path[:-1]] if path else 0 for path in order], dtype=np.int64),
        np.array([len(path) for path in order], dtype=np.int64),
        np.array([row_of.get(path, -1) for path in order], dtype=np.int64),
    )
