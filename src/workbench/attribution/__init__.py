"""Where a return came from: Brinson effects, linking, sleeves, and what implementation changed."""

from workbench.attribution import implementation
from workbench.attribution.brinson import brinson
from workbench.attribution.brinson_chunks import brinson_chunks
from workbench.attribution.contribution import Contribution, contribution
from workbench.attribution.effects import Attribution
from workbench.attribution.factors import FactorAttribution, factor_attribution, model_factor_attribution
from workbench.attribution.linking import Linked, cumulative, link
from workbench.attribution.model_tree import ModelTree, column_levels, model_tree
from workbench.attribution.paths import ModelPaths, load_models
from workbench.attribution.pools import SleevePool, SleevePools, pools
from workbench.attribution.security_effects import security_effects
from workbench.attribution.sleeve_review import SleeveReview, review_sleeves
from workbench.attribution.sleeves import PooledAccounts, SleeveAttribution, rows_of, sleeves
from workbench.attribution.tree import Tree, TreeAttribution, brinson_tree

__all__ = [
    "Attribution",
    "Contribution",
    "FactorAttribution",
    "Linked",
    "ModelPaths",
    "ModelTree",
    "PooledAccounts",
    "SleeveAttribution",
    "SleevePool",
    "SleevePools",
    "SleeveReview",
    "Tree",
    "TreeAttribution",
    "brinson",
    "brinson_chunks",
    "brinson_tree",
    "column_levels",
    "contribution",
    "cumulative",
    "factor_attribution",
    "implementation",
    "link",
    "load_models",
    "model_factor_attribution",
    "model_tree",
    "pools",
    "review_sleeves",
    "rows_of",
    "security_effects",
    "sleeves",
]  # fmt: skip
