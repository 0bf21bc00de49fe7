"""Stub."""

from numba import njit


@njit(cache=True)
def tilted(numbers, weight, target, asset, wanted, scratch):  # noqa: ANN001, ANN201
    """To come."""
    return False
