"""Where a return came from: Brinson effects, linking, sleeves, and what implementation changed."""

from workbench.attribution.brinson import brinson
from workbench.attribution.effects import Attribution
from workbench.attribution.linking import Linked, cumulative, link

__all__ = ["Attribution", "Linked", "brinson", "cumulative", "link"]
