"""Where a return came from: Brinson effects, linking, sleeves, and what implementation changed."""

from workbench.attribution import implementation
from workbench.attribution.brinson import brinson
from workbench.attribution.chunks import brinson_chunks
from workbench.attribution.contribution import Contribution, contribution
from workbench.attribution.effects import Attribution
from workbench.attribution.linking import Linked, cumulative, link
from workbench.attribution.paths import ModelPaths, load_models
from workbench.attribution.tree import TreeAttribution, brinson_tree

__all__ = [
    "Attribution", "Contribution", "Linked", "ModelPaths", "TreeAttribution", "brinson", "brinson_chunks",
    "brinson_tree", "contribution", "cumulative", "implementation", "link", "load_models",
]  # fmt: skip
