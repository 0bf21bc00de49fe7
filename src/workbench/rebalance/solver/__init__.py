"""The array core of the rebalancer: convex programs of one household, solved to the last share."""

__all__: list[str] = []
