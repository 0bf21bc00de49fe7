"""The models' part from the top down: asset classes, the sleeves in them, sectors in those, securities folded."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.attribution import ModelTree, SleeveReview, Tree
from workbench.exhibits.drift_facts import absent
from workbench.exhibits.origin import Origin
from workbench.exhibits.sleeve_facts import SLIGHT, TABLES, basis, brought, group_name, sleeve_name
from workbench.report import Column, Exhibit, Fact, TableBody
from workbench.report.exhibit import Cell

_FUNCTION = "attribution.model_tree"
#: Sleeves, and groups inside them, that have a row of their own; the others of each parent share one.
_SHOWN = 20
_PLURALS = {
    "asset_class": "asset classes", "sleeve": "sleeves", "sector": "sectors", "region": "regions",
    "security": "securities",
}  # fmt: skip
_COLUMNS = (
    Column("name", "Group", emphasis=True),
    Column("total", "Total", "bp", digits=1, note="its weight and what is inside it"),
    Column("own", "Weight", "bp", digits=1, note="its weight within the group above, against the benchmark's"),
    Column("below", "Inside", "bp", digits=1, note="the rows below it, and securities within the last"),
    Column("weight", "Models", "percent", note="average weight in the accounts' models"),
    Column("benchmark_weight", "Benchmarks", "percent", note="average weight in the accounts' benchmarks"),
)


def tree_table(review: SleeveReview, origin: Origin) -> Exhibit:
    """The models' part as an indented table whose rows add up to it, level by level."""
    id, title = "sleeves-tree", "What the models decided, from the top down"
    if not len(review.accounts.accounts):
        return absent(id, title, "No account with a model had value in the period, so no model decided anything.")
    tree = review.tree
    if np.abs(tree.own).max() < SLIGHT / 10:
        return absent(id, title, "The models held what their benchmarks hold, so there is nothing to break down.")
    rows: list[tuple[Cell, ...]] = []
    facts: list[Fact] = []
    depths: list[int] = []
    for key, name, depth, figures in (*_lines(review, origin), ("models", "The models' part", 0, _figures(tree, [0]))):
        made = [
            origin.fact(f"sleeves.tree.{key}.{c.name}", figures[c.name], c.kind, _FUNCTION, TABLES, digits=c.digits)
            for c in _COLUMNS[1:]
        ]
        facts += made
        rows.append((name, *(fact.value for fact in made)))
        depths.append(depth)
    levels = tree.by_level()
    facts += [
        origin.fact(f"sleeves.level.{origin.slug(level)}", value, "bp", _FUNCTION, TABLES, digits=1)
        for level, value in levels.items()
    ]
    note = (
        "Each row is its weight and what is inside it, and the rows inside a group add up to what is inside it. A "
        "sleeve is judged within its asset class here, and against the whole benchmark in the figure by sleeve: single "
        "rows differ, the sum is the same. A sleeve that the policy does not hold is all weight."
    )
    settings = origin.settings(f"{basis(review)}; each model against its own benchmark, weighted by value", TABLES)
    body = TableBody(_COLUMNS, tuple(rows), total_row=True, note=note, depths=tuple(depths))
    return Exhibit(id, title, body, _takeaway(tree, levels), settings, tuple(facts))


def _takeaway(tree: ModelTree, levels: pd.Series) -> str:
    """What the decisions at each level brought, in one sentence."""
    said = []
    for place, (level, value) in enumerate(levels.items()):
        within = f" within {_PLURALS[str(levels.index[place - 1])]}" if place else ""
        said.append(f"{'the choice of ' if not place else ''}{_PLURALS[str(level)]}{within} {brought(value)}")
    return f"The models {brought(tree.model)}: {', '.join(said[:-1])} and {said[-1]}."


def _lines(review: SleeveReview, origin: Origin, node: int = 0) -> Iterator[tuple[str, str, int, dict[str, float]]]:
    """Key, name, depth and figures of each row below a node, costliest first; securities have none."""
    tree = review.tree
    shown, folded = _children(tree, node)
    for child in shown:
        chain = _chain(tree, child)
        path = tree.tree.paths[chain[-1]]
        names = [_name(review, tree.tree, place) for place in chain]
        key = ".".join(origin.slug(part) for part in path)
        yield key, ": ".join(names), int(tree.tree.depth[child]) - 1, _figures(tree, chain)
        yield from _lines(review, origin, chain[-1])
    if folded:
        path = tree.tree.paths[node]
        key = ".".join(["folded", *(origin.slug(part) for part in path)])
        yield key, f"{len(folded)} more", int(tree.tree.depth[node]), _figures(tree, folded, together=True)


def _children(tree: ModelTree, node: int) -> tuple[list[int], list[int]]:
    """The nodes right below one that get a row, costliest first, and those that share one."""
    grown = tree.tree
    below = _groups(tree, node)
    ranked = below[np.argsort(tree.total[below], kind="stable")]
    same = np.abs(np.stack([tree.total[below], tree.own[below]])).max(initial=0) < SLIGHT / 10
    if grown.depth[node] > 1 and (len(below) == 1 or same):
        return [], []  # all of one sector, or of each as much as the benchmark: it says nothing more
    if not grown.depth[node]:
        return [int(child) for child in ranked], []
    peers = np.flatnonzero((grown.depth == grown.depth[node] + 1) & (grown.leaf_of < 0))
    largest = set(peers[np.argsort(-np.abs(tree.total[peers]), kind="stable")][:_SHOWN])
    kept = [int(child) for child in ranked if child in largest]
    rest = [int(child) for child in ranked if child not in largest]
    return ([*kept, *rest], []) if len(rest) == 1 else (kept, rest)


def _groups(tree: ModelTree, node: int) -> NDArray[np.int64]:
    """The nodes right below one that somebody held, securities apart."""
    grown = tree.tree
    held = (tree.weights != 0).any(axis=1) & (grown.leaf_of < 0)
    return np.flatnonzero((grown.parent == node) & (grown.depth == grown.depth[node] + 1) & held)


def _chain(tree: ModelTree, node: int) -> list[int]:
    """A node and the sleeve that is all of it: a group of nothing but one is told in one row."""
    grown = tree.tree
    below = _groups(tree, node)
    return [node, int(below[0])] if len(below) == 1 and grown.depth[node] == 1 else [node]


def _figures(tree: ModelTree, nodes: list[int], *, together: bool = False) -> dict[str, float]:
    """The figures of a chain of nodes, each all of the one before, or of several `together`."""
    places = np.array(nodes)
    counted = places if together else places[:1]
    total, own = float(tree.total[counted].sum()), float(tree.own[places].sum())
    weight, neutral = tree.weights[counted].sum(axis=0)
    return {
        "total": total, "own": own, "below": total - own,
        "weight": float(weight), "benchmark_weight": float(neutral),
    }  # fmt: skip


def _name(review: SleeveReview, tree: Tree, node: int) -> str:
    part = tree.paths[node][-1]
    level = tree.levels[tree.depth[node] - 1]
    return sleeve_name(review, part) if level == "sleeve" else group_name(review, level, part)
