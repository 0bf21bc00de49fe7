"""Learned policies as engines run them: features of each asset, a small network, and the one-step rule they steer.

The features are free of units and of the order of assets, so one network serves any universe, cost and client:

    0 volatility, 1 cost, 2 target weight      (logs, against the mean of the universe)
    3 correlation with the target, 4 mean correlation with the rest
    5 drift in natural band widths, 6 its square, 7 marginal tracking risk in natural band widths, 8 mean of 6
    9 mean cost, 10 risk aversion, 11 mean volatility, 12 number of assets  (logs)
    13 volatility ratio of the market, 14 of the asset (logs), 15 mean of 4

The natural band is the half width that is best for one asset alone and a small cost c, (3 c Q / 2 g s^2)^(1/3), where
Q is the yearly variance of its weight, g the risk aversion and s^2 its variance (Rogers 2004; Martin and Schoeneborn
2011).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from workbench.backtest import _one_step
from workbench.backtest.universe import Floats

INPUTS = 16  # features an asset
OUTPUTS = 4  # horizon, risk scale, band scale, aim
BAND_OUTPUTS = 2  # of a band network: half width, aim
HEADER = 3  # horizon, members, hidden units
BAND_HEADER = 2  # members, hidden units
#: Largest log multiples a network may ask for: of horizon, risk and band; and the furthest aim in natural bands.
HORIZON_LIMIT, SCALE_LIMIT, AIM_LIMIT, BAND_AIM_LIMIT = 4.0, 1.5, 1.0, 3.0
SMALL_COST, SMALL_WEIGHT, SMALL_VARIANCE = 1e-6, 0.01, 1e-8


@njit(cache=True)
def member_size(hidden: int, outputs: int) -> int:
    """Numbers of one network: input and output layers, biases, and the linear path around the hidden layer."""
    return hidden * INPUTS + hidden + outputs * hidden + outputs * INPUTS + outputs


@njit(cache=True)
def squash(x: float) -> float:
    """A smooth odd map to (-1, 1), with slope 1/3 at zero."""
    return x / np.sqrt(9.0 + x * x)


@njit(cache=True)
def log_ratio(ratio: float) -> float:
    """The log of a volatility ratio, not below that of a tenth; 0 where there is none to see."""
    return np.log(max(ratio, 0.1)) if ratio > 0 else 0.0


@njit(cache=True)
def features(
    weight: Floats,
    target: Floats,
    covariance: Floats,
    cost: Floats,
    market: Floats,
    asset: Floats,
    risk_aversion: float,
    found: Floats,
    band: Floats,
) -> None:
    """Write the features (m x INPUTS) and natural bands (m); cash, whose variance is zero, has neither."""
    m = len(weight)
    live = 0
    log_sd = log_cost = log_target = variance = 0.0
    for i in range(m):
        for j in range(m):
            variance += target[i] * covariance[i, j] * target[j]
        if covariance[i, i] > 0:
            live += 1
            log_sd += 0.5 * np.log(covariance[i, i])
            log_cost += np.log(max(cost[i], SMALL_COST))
            log_target += np.log(max(target[i], SMALL_WEIGHT))
    found[:] = 0.0
    band[:] = 0.0
    if live == 0:
        return
    variance = max(variance, SMALL_VARIANCE)
    log_sd, log_cost, log_target = log_sd / live, log_cost / live, log_target / live
    volatility_ratio = log_ratio(market[0]) if len(market) else 0.0
    mean_square = mean_correlation = 0.0
    for i in range(m):
        own = covariance[i, i]
        if own <= 0:
            continue
        sd = np.sqrt(own)
        with_target = marginal = correlation = 0.0
        for j in range(m):
            with_target += covariance[i, j] * target[j]
            marginal += covariance[i, j] * (weight[j] - target[j])
            if j != i and covariance[j, j] > 0:
                correlation += covariance[i, j] / (sd * np.sqrt(covariance[j, j]))
        spread = max(own - 2 * with_target + variance, SMALL_VARIANCE) * max(target[i], SMALL_WEIGHT) ** 2
        band[i] = np.cbrt(1.5 * max(cost[i], SMALL_COST) * spread / (risk_aversion * own))
        found[i, 0] = np.log(sd) - log_sd
        found[i, 1] = np.log(max(cost[i], SMALL_COST)) - log_cost
        found[i, 2] = np.log(max(target[i], SMALL_WEIGHT)) - log_target
        found[i, 3] = with_target / (sd * np.sqrt(variance))
        found[i, 4] = correlation / max(live - 1, 1)
        found[i, 5] = squash((weight[i] - target[i]) / band[i])
        found[i, 6] = found[i, 5] ** 2
        found[i, 7] = squash(marginal / (own * band[i]))
        found[i, 9] = log_cost - np.log(1e-3)
        found[i, 10] = np.log(risk_aversion / 5.0)
        found[i, 11] = log_sd - np.log(0.15)
        found[i, 12] = np.log(live / 5.0)
        found[i, 13] = volatility_ratio
        found[i, 14] = log_ratio(asset[0, i]) if len(asset) else 0.0
        mean_square += found[i, 6] / live
        mean_correlation += found[i, 4] / live
    for i in range(m):
        if covariance[i, i] > 0:
            found[i, 8] = mean_square
            found[i, 15] = mean_correlation


@njit(cache=True)
def network(numbers: Floats, start: int, hidden: int, seen: Floats, answer: Floats, outputs: int) -> None:
    """Add one member's raw outputs for one asset's features `seen` to `answer`."""
    first_bias = start + hidden * INPUTS
    second = first_bias + hidden
    linear = second + outputs * hidden
    bias = linear + outputs * INPUTS
    for o in range(outputs):
        total = numbers[bias + o]
        for f in range(INPUTS):
            total += numbers[linear + o * INPUTS + f] * seen[f]
        answer[o] = total
    for k in range(hidden):
        total = numbers[first_bias + k]
        for f in range(INPUTS):
            total += numbers[start + k * INPUTS + f] * seen[f]
        unit = np.tanh(total)
        for o in range(outputs):
            answer[o] += numbers[second + o * hidden + k] * unit


@njit(cache=True)
def learned_quadratic(
    numbers: Floats,
    weight: Floats,
    target: Floats,
    covariance: Floats,
    cost: Floats,
    market: Floats,
    asset: Floats,
    risk_aversion: float,
    wanted: Floats,
    scratch: Floats,
) -> bool:
    """Steer the one-step rule: horizon, risk scale, band and aim by the mean answer of the ensemble."""
    m = len(weight)
    end = m * m + m * INPUTS + 4 * m + 2 * OUTPUTS
    risk = scratch[: m * m].reshape(m, m)
    found = scratch[m * m : m * m + m * INPUTS].reshape(m, INPUTS)
    at = m * m + m * INPUTS
    band, scale, perceived, aim = (
        scratch[at : at + m],
        scratch[at + m : at + 2 * m],
        scratch[at + 2 * m : at + 3 * m],
        scratch[at + 3 * m : at + 4 * m],
    )
    answer = scratch[at + 4 * m : at + 4 * m + OUTPUTS]
    one_step = scratch[at + 4 * m + OUTPUTS : at + 4 * m + 2 * OUTPUTS]
    features(weight, target, covariance, cost, market, asset, risk_aversion, found, band)
    horizon = steer(numbers, target, covariance, cost, found, band, answer, scale, perceived, aim)
    for i in range(m):
        for j in range(m):
            risk[i, j] = covariance[i, j] * (scale[i] * scale[j])
    one_step[:] = 0.0
    one_step[0] = horizon
    one_step[1] = 1.0
    return _one_step.quadratic(one_step[:3], weight, aim, risk, perceived, risk_aversion, wanted, scratch[end:])


@njit(cache=True)
def steer(
    numbers: Floats,
    target: Floats,
    covariance: Floats,
    cost: Floats,
    found: Floats,
    band: Floats,
    answer: Floats,
    scale: Floats,
    perceived: Floats,
    aim: Floats,
) -> float:
    """Write risk scales, perceived costs and aims, and return the horizon; logs are averaged over the ensemble."""
    m = len(target)
    members, hidden = int(numbers[1]), int(numbers[2])
    size = member_size(hidden, OUTPUTS)
    live = 0
    scale[:] = 0.0
    perceived[:] = 0.0
    aim[:] = 0.0
    for i in range(m):
        live += covariance[i, i] > 0
    log_horizon = 0.0
    for e in range(members):
        pooled = 0.0
        for i in range(m):
            if covariance[i, i] <= 0:
                continue
            network(numbers, HEADER + e * size, hidden, found[i], answer, OUTPUTS)
            pooled += answer[0] / live
            scale[i] += SCALE_LIMIT * np.tanh(answer[1] / SCALE_LIMIT) / members
            perceived[i] += SCALE_LIMIT * np.tanh(answer[2] / SCALE_LIMIT) / members
            aim[i] += AIM_LIMIT * np.tanh(answer[3] / AIM_LIMIT) / members
        log_horizon += HORIZON_LIMIT * np.tanh(pooled / HORIZON_LIMIT) / members
    shift = 0.0
    for i in range(m):
        aim[i] *= band[i]
        shift += aim[i]
    for i in range(m):
        aim[i] = target[i] + (aim[i] - target[i] * shift)
        scale[i] = np.exp(scale[i])
        perceived[i] = cost[i] * np.exp(perceived[i])
    return float(numbers[0] * np.exp(log_horizon))


@njit(cache=True)
def band_network(
    numbers: Floats,
    weight: Floats,
    target: Floats,
    covariance: Floats,
    cost: Floats,
    market: Floats,
    asset: Floats,
    risk_aversion: float,
    wanted: Floats,
    scratch: Floats,
) -> bool:
    """A band for each asset, its width and middle from the network; weights go to the edge at least cost.

    Without a budget each weight would be clipped to its band. With one, the trades are those of a one-step rule whose
    risk is diagonal, cost over half width, so that all edges move by one common price.
    """
    m = len(weight)
    end = m * m + m * INPUTS + 4 * m + OUTPUTS
    risk = scratch[: m * m].reshape(m, m)
    found = scratch[m * m : m * m + m * INPUTS].reshape(m, INPUTS)
    at = m * m + m * INPUTS
    band, width, aim = scratch[at : at + m], scratch[at + m : at + 2 * m], scratch[at + 2 * m : at + 3 * m]
    answer, one_step = scratch[at + 3 * m : at + 3 * m + OUTPUTS], scratch[end - 3 : end]
    features(weight, target, covariance, cost, market, asset, risk_aversion, found, band)
    members, hidden = int(numbers[0]), int(numbers[1])
    size = member_size(hidden, BAND_OUTPUTS)
    width[:] = 0.0
    aim[:] = 0.0
    risk[:] = 0.0
    shift = 0.0
    for i in range(m):
        if covariance[i, i] <= 0:
            continue
        for e in range(members):
            network(numbers, BAND_HEADER + e * size, hidden, found[i], answer, BAND_OUTPUTS)
            width[i] += SCALE_LIMIT * np.tanh(answer[0] / SCALE_LIMIT) / members
            aim[i] += BAND_AIM_LIMIT * np.tanh(answer[1] / BAND_AIM_LIMIT) / members
        aim[i] *= band[i]
        shift += aim[i]
        risk[i, i] = max(cost[i], SMALL_COST) / (band[i] * np.exp(width[i]))
    for i in range(m):
        aim[i] = target[i] + (aim[i] - target[i] * shift)
    one_step[0] = 1.0
    one_step[1] = 1.0
    one_step[2] = 0.0
    return _one_step.quadratic(one_step, weight, aim, risk, cost, 1.0, wanted, scratch[end:])
