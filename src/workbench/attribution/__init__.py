"""Where a return came from: Brinson effects, linking, sleeves, and what implementation changed."""

from workbench.attribution.linking import Linked, cumulative, link

__all__ = ["Linked", "cumulative", "link"]
