"""Stub."""

from numba import njit


@njit(cache=True)
def quadratic(numbers, weight, target, covariance, cost, risk_aversion, wanted, scratch):  # noqa: ANN001, ANN201
    """To come."""
    return False
