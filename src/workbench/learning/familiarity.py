"""Whether a look is fit to be shown to a policy: nothing missing, and signals like those of its training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.backtest import Floats, Observation, Signals
from workbench.errors import ParameterError
from workbench.learning.card import Familiar, Range


@dataclass(frozen=True)
class Odd:
    """One thing about today that the training years did not show: a sentence, the value and the limit it passes."""

    sentence: str
    value: float
    limit: float


def familiar(
    signals: Signals,
    first: int,
    last: int,
    *,
    market: Sequence[str],
    asset: Sequence[str],
    coverage: float = 0.998,
) -> Familiar:
    """What sessions `first` to `last` (exclusive) of the training data show of the signals a policy reads.

    Each range covers the middle `coverage` of a signal's values, over paths and assets; the Mahalanobis distance of the
    market signals covers the same part of the days. Raises `ParameterError` for days without signals, or a coverage
    that is none.
    """
    if not signals.first <= first < last <= signals.market.shape[1]:
        raise ParameterError(
            f"sessions {first} to {last} have no signals; they run from {signals.first} to {signals.market.shape[1]}",
            "first",
        )
    if not 0.5 <= coverage <= 1.0:
        raise ParameterError(f"a coverage of {coverage} is no middle; give 0.5 to 1", "coverage")
    tails = [(1 - coverage) / 2, (1 + coverage) / 2]
    days = signals.market[:, first:last, : len(market)].reshape(-1, len(market))
    ranges = [Range(f"market {name}", *np.quantile(days[:, k], tails).tolist()) for k, name in enumerate(market)]
    for k, name in enumerate(asset):
        values = signals.asset[:, first:last, k]
        ranges.append(Range(f"asset {name}", *np.quantile(values, tails).tolist()))
    if not market:
        return Familiar(tuple(ranges))
    mean = days.mean(axis=0)
    # The pseudo-inverse: a signal that never moved in training has a range, and no say in the distance.
    precision = np.linalg.pinv(np.atleast_2d(np.cov(days.T)), hermitian=True)
    distance = float(np.quantile(_distance(days, mean, precision), coverage))
    rows = tuple(tuple(row) for row in precision.tolist())
    return Familiar(tuple(ranges), tuple(mean.tolist()), rows, distance)


def missing_input(seen: Observation) -> str:
    """The first input besides the weights held that is not finite numbers, as a sentence begins; empty where none."""
    parts = {
        "A target": seen.target,
        "The covariance": seen.covariance,
        "A cost": seen.cost,
        "A market signal": seen.market,
        "A signal of an asset": seen.asset,
        "The risk aversion": np.array([seen.risk_aversion]),
    }
    return next((name for name, values in parts.items() if not np.isfinite(values).all()), "")


def check_names(seen_in_training: Familiar, market: Sequence[str], asset: Sequence[str]) -> None:
    """Check that every training range has its signal. Raises `ParameterError` naming the one without."""
    known = {*(f"market {name}" for name in market), *(f"asset {name}" for name in asset)}
    for range_ in seen_in_training.ranges:
        if range_.feature not in known:
            raise ParameterError(f"there is no signal {range_.feature!r} to hold against its training range", "signals")
    if len(seen_in_training.mean) > len(market):
        raise ParameterError(
            f"the training distance is of {len(seen_in_training.mean)} market signals, {len(market)} are named",
            "signals",
        )


def unfamiliar(
    seen_in_training: Familiar,
    seen: Observation,
    market: Sequence[str],
    asset: Sequence[str],
    *,
    multiple: float = 1.0,
    allowed: int = 0,
) -> tuple[Odd, ...]:
    """What about today lies outside the training years: nothing where at most `allowed` signals do.

    `multiple` widens the distance. Positions of cash (no variance) have no signals. Raises as `check_names` does.
    """
    check_names(seen_in_training, market, asset)
    live = np.diag(seen.covariance) > 0
    values: dict[str, Floats] = {f"market {name}": seen.market[k : k + 1] for k, name in enumerate(market)}
    values |= {f"asset {name}": seen.asset[k][live] for k, name in enumerate(asset)}
    odd = []
    for range_ in seen_in_training.ranges:
        for value in values[range_.feature]:
            limit = range_.low if value < range_.low else range_.high
            if not range_.low <= value <= range_.high:
                sentence = (
                    f"The signal {range_.feature} is {value:.3g}; in training it lay between {range_.low:.3g} and "
                    f"{range_.high:.3g}."
                )
                odd.append(Odd(sentence, float(value), limit))
                break
    odd = odd if len(odd) > allowed else []
    if seen_in_training.mean:
        mean, precision = np.array(seen_in_training.mean), np.array(seen_in_training.precision)
        distance = float(_distance(seen.market[None, : len(mean)], mean, precision)[0])
        limit = multiple * seen_in_training.distance
        if distance > limit:
            sentence = (
                f"The market signals together lie {distance:.1f} from their training mean, more than {limit:.1f}."
            )
            odd.append(Odd(sentence, distance, limit))
    return tuple(odd)


def _distance(days: Floats, mean: Floats, precision: Floats) -> Floats:
    """Mahalanobis distance of each day (rows)."""
    off = days - mean
    squared: Floats = np.einsum("ij,jk,ik->i", off, precision, off)
    return np.sqrt(np.maximum(squared, 0.0))
