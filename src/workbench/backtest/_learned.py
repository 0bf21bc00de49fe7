"""Stub."""

from numba import njit


@njit(cache=True)
def learned_quadratic(numbers, weight, target, covariance, cost, market, asset, risk_aversion, wanted, scratch):  # noqa: ANN001, ANN201
    """To come."""
    return False


@njit(cache=True)
def band_network(numbers, weight, target, covariance, cost, market, asset, risk_aversion, wanted, scratch):  # noqa: ANN001, ANN201
    """To come."""
    return False
