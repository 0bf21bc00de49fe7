"""Intervals for the difference of two policies from resampled blocks of days: Sharpe ratios, and means as of costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from workbench.backtest.evidence.result import Interval
from workbench.backtest.universe import Floats
from workbench.errors import MarketDataError, ParameterError

#: Fewer blocks than this say nothing about how much they differ.
LEAST_BLOCKS = 6
#: Fewer sessions than this have no block length; fewer replications no 95 % quantile.
LEAST_SESSIONS, LEAST_REPLICATIONS = 12, 19
#: Replications that are held in memory at once.
AT_ONCE = 250


@dataclass(frozen=True)
class Statistic:
    """A smooth function of column means: its value and gradient at means (... x k), which both take many at once."""

    value: Callable[[Floats], Floats]
    gradient: Callable[[Floats], Floats]


def _sharpe_gap(means: Floats) -> Floats:
    first, second, first_square, second_square = np.moveaxis(means, -1, 0)
    return first / np.sqrt(first_square - first**2) - second / np.sqrt(second_square - second**2)


def _sharpe_gap_gradient(means: Floats) -> Floats:
    first, second, first_square, second_square = np.moveaxis(means, -1, 0)
    a, b = (first_square - first**2) ** 1.5, (second_square - second**2) ** 1.5
    return np.stack([first_square / a, -second_square / b, -0.5 * first / a, 0.5 * second / b], axis=-1)


#: Of the columns (r1, r2, r1^2, r2^2): the difference of their Sharpe ratios (Ledoit and Wolf 2008, eq. 3-4).
SHARPE_GAP = Statistic(_sharpe_gap, _sharpe_gap_gradient)
MEAN = Statistic(lambda means: means[..., 0], np.ones_like)


def sharpe_difference(
    first: Floats,
    second: Floats,
    *,
    seed: int | np.random.Generator,
    block: int | None = None,
    replications: int = 4_999,
    periods: int = 252,
) -> Interval:
    """Yearly Sharpe ratio of `first` less that of `second`, by the studentised circular block bootstrap.

    Both are returns in excess of cash (T), the same days. Without `block` it is `block_length` of their difference.
    The interval is symmetric; p-value and interval agree (one excludes 0 where the other is below 5 %).
    Raises `MarketDataError` for series of unlike length, with gaps, too short for their blocks, or that never change.
    Source: Ledoit and Wolf, Robust performance hypothesis testing with the Sharpe ratio, J. Empirical Fin. 15 (2008).
    """
    first, second = _paired(first, second)
    for values in (first, second):
        if np.ptp(values) == 0:
            raise MarketDataError("a policy's excess return never changes: it has no Sharpe ratio.")
    columns = np.column_stack([first, second, first**2, second**2])
    return studentised(
        columns,
        SHARPE_GAP,
        seed=seed,
        block=block_length(first - second) if block is None else block,
        replications=replications,
        scale=float(np.sqrt(periods)),
        same=bool((first == second).all()),
    )


def mean_interval(
    gain: Floats, *, seed: int | np.random.Generator, block: int | None = None, replications: int = 4_999
) -> Interval:
    """The mean of a daily gain (T), as of one policy's cost less another's, by the same bootstrap; errors as there."""
    (gain,) = _paired(gain)
    if np.ptp(gain) == 0 and gain[0] != 0:
        raise MarketDataError(f"the gain is {gain[0]:g} on every session: what never changes has no interval.")
    return studentised(
        gain[:, None],
        MEAN,
        seed=seed,
        block=block_length(gain) if block is None else block,
        replications=replications,
        same=bool((gain == 0).all()),
    )


def studentised(
    columns: Floats,
    statistic: Statistic,
    *,
    seed: int | np.random.Generator,
    block: int,
    replications: int,
    scale: float = 1.0,
    same: bool = False,
) -> Interval:
    """A statistic of column means (T x k) with a symmetric interval from studentised circular blocks.

    The data's own standard error is a prewhitened Parzen HAC, that of each replication comes from its blocks (Goetze
    and Kuensch 1996). `scale` multiplies the result; `same` says that both sides are one and nothing is to be tested.
    """
    sessions = len(columns)
    _check_draws(block, replications)
    blocks = sessions // block
    if blocks < LEAST_BLOCKS:
        raise MarketDataError(
            f"{sessions} sessions make {blocks} blocks of {block}: at least {LEAST_BLOCKS * block} sessions are needed."
        )
    method = "studentised circular block bootstrap (Ledoit and Wolf 2008)"
    if same:
        return Interval(0.0, 0.0, 0.0, 0.0, 1.0, block, replications, method)
    means = columns.mean(axis=0)
    estimate = float(statistic.value(means))
    error = hac_error(columns - means, statistic.gradient(means))
    distances = _distances(columns, statistic, estimate, block, replications, np.random.default_rng(seed))
    exceeding = int((distances >= abs(estimate) / error).sum())
    # the k-th largest distance such that the interval excludes 0 exactly where the p-value is below 5 %
    reach = np.sort(distances)[int(np.ceil(0.95 * (replications + 1))) - 1] * error
    low, high = estimate - reach, estimate + reach
    return Interval(
        scale * estimate,
        scale * low,
        scale * high,
        scale * error,
        (exceeding + 1) / (replications + 1),
        block,
        replications,
        method,
    )


def _distances(
    columns: Floats, statistic: Statistic, estimate: float, block: int, replications: int, rng: np.random.Generator
) -> Floats:
    """How far each replication lies from the estimate, in its own standard errors (R)."""
    sessions, blocks = len(columns), len(columns) // block
    block_means = _circular_block_means(columns, block)
    distances = np.empty(replications)
    for start in range(0, replications, AT_ONCE):
        stop = min(start + AT_ONCE, replications)
        drawn = block_means[rng.integers(sessions, size=(stop - start, blocks))]
        star = drawn.mean(axis=1)
        influence = np.einsum("rbk,rk->rb", drawn - star[:, None], statistic.gradient(star))
        star_error = np.sqrt((influence**2).mean(axis=1) / blocks)
        distances[start:stop] = np.abs(statistic.value(star) - estimate) / np.maximum(star_error, 1e-300)
    return distances


def stationary_interval(
    gain: Floats, *, seed: int | np.random.Generator, block: float | None = None, replications: int = 1_000
) -> Interval:
    """The mean of a daily gain (T) by the stationary bootstrap, percentile interval: a second opinion.

    Without `block` its mean length is Politis and White's (2004, corrected 2009), at least the cube root of T.
    Source: Politis and Romano, The stationary bootstrap, JASA 89 (1994); arch's implementation.
    """
    from arch.bootstrap import StationaryBootstrap

    (gain,) = _paired(gain)
    length = round(block_length(gain, "stationary") if block is None else block)
    _check_draws(length, replications)
    drawn = StationaryBootstrap(length, gain, seed=np.random.default_rng(seed)).apply(np.mean, replications)[:, 0]
    estimate = float(gain.mean())
    low, high = np.quantile(drawn, [0.025, 0.975])
    exceeding = int((np.abs(drawn - estimate) >= abs(estimate)).sum())
    return Interval(
        estimate,
        float(low),
        float(high),
        float(drawn.std()),
        (exceeding + 1) / (replications + 1),
        length,
        replications,
        "stationary bootstrap (Politis and Romano 1994)",
    )


def block_length(series: Floats, kind: str = "circular") -> int:
    """Sessions a block should have for this series: Politis and White's choice, between T^(1/3) and T / 8."""
    from arch.bootstrap import optimal_block_length

    if len(series) < LEAST_SESSIONS:
        raise MarketDataError(f"{len(series)} sessions are too few to resample: at least {LEAST_SESSIONS} are needed.")
    least, most = int(np.ceil(len(series) ** (1 / 3))), max(len(series) // 8, 1)
    if np.ptp(series) == 0:
        return min(least, most)
    chosen = float(optimal_block_length(series)[kind].iloc[0])
    return min(max(least, int(np.ceil(chosen)) if np.isfinite(chosen) else least), most)


def hac_error(centred: Floats, gradient: Floats) -> float:
    """Standard error of `gradient` x the means of `centred` columns (T x k): Parzen kernel, prewhitened by a VAR(1).

    Source: Andrews and Monahan (1992); bandwidth by Andrews (1991) from AR(1) fits.
    """
    sessions, k = centred.shape
    before, after = centred[:-1], centred[1:]
    coefficients = np.linalg.lstsq(before, after, rcond=None)[0].T
    left, size, right = np.linalg.svd(coefficients)
    coefficients = (left * np.clip(size, -0.97, 0.97)) @ right
    white = after - before @ coefficients.T
    colour = np.linalg.inv(np.eye(k) - coefficients)
    influence = white @ colour.T @ gradient
    bandwidth = 2.6614 * (_persistence(white) * len(white)) ** 0.2
    variance = influence @ influence / len(white)
    for lag in range(1, min(int(np.ceil(bandwidth)), len(white))):
        variance += 2 * _parzen(lag / bandwidth) * (influence[lag:] @ influence[:-lag]) / len(white)
    # k means and k x k coefficients come from the same days
    return float(np.sqrt(variance * len(white) / (len(white) - k) / sessions))


def _persistence(columns: Floats) -> float:
    """Andrews' alpha(2): how slowly columns forget, from an AR(1) fitted to each."""
    before, after = columns[:-1], columns[1:]
    rho = (before * after).sum(axis=0) / (before**2).sum(axis=0)
    rho = np.clip(rho, -0.97, 0.97)
    size = ((after - rho * before) ** 2).mean(axis=0) ** 2
    return float((4 * rho**2 * size / (1 - rho) ** 8).sum() / (size / (1 - rho) ** 4).sum())


def _parzen(x: float) -> float:
    return 1 - 6 * x**2 + 6 * x**3 if x <= 0.5 else 2 * (1 - x) ** 3


def _circular_block_means(columns: Floats, block: int) -> Floats:
    """Means (T x k) of the `block` days from each day on, around the end of the history."""
    centre = columns.mean(axis=0)
    around = np.vstack([columns, columns[: block - 1]]) - centre
    sums = np.vstack([np.zeros(columns.shape[1]), np.cumsum(around, axis=0)])
    return (sums[block:] - sums[:-block]) / block + centre


def _check_draws(block: int, replications: int) -> None:
    if block < 1 or int(block) != block:
        raise ParameterError(f"block is {block}: a whole number of 1 session or more is needed", "block")
    if replications < LEAST_REPLICATIONS:
        raise ParameterError(f"{replications} replications: at least {LEAST_REPLICATIONS} are needed", "replications")


def _paired(*series: Floats) -> list[Floats]:
    """Series as float arrays of one length without gaps."""
    arrays = [np.ascontiguousarray(values, dtype=float) for values in series]
    if any(values.ndim != 1 for values in arrays):
        raise ParameterError("a series is one number a session (T)", "series")
    if len({len(values) for values in arrays}) > 1:
        raise MarketDataError(f"series of {' and '.join(str(len(v)) for v in arrays)} sessions cannot be compared.")
    for values in arrays:
        if not len(values):
            raise MarketDataError("a series has no session at all.")
        if not np.isfinite(values).all():
            raise MarketDataError(f"session {int(np.argmin(np.isfinite(values)))} has no return: leave no gaps.")
    return arrays
