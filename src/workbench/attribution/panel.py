"""What a Brinson attribution reads, checked: both sides' weights and returns, who has which benchmark, and labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from workbench.errors import ParameterError

Floats = NDArray[np.float64]
Longs = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Panel:
    """Weights and returns of N accounts (N x T x G) and M benchmarks (M x T x G), `benchmark_of` (N) each account's."""

    accounts: pd.Index
    periods: pd.Index
    groups: pd.Index
    weights: Floats
    returns: Floats
    benchmark_weights: Floats
    benchmark_returns: Floats
    benchmark_of: Longs
    present: Flags

    @property
    def arrays(self) -> tuple[Floats, Floats, Floats, Floats, Longs]:
        """What the kernels read, in their order."""
        return self.weights, self.returns, self.benchmark_weights, self.benchmark_returns, self.benchmark_of

    def bad_number(self, side: str, row: int, period: int, group: int) -> ParameterError:
        """Say which weight or return is not a number."""
        weights, returns = (
            (self.weights, self.returns) if side == "portfolio" else (self.benchmark_weights, self.benchmark_returns)
        )
        weight, value = weights[row, period, group], returns[row, period, group]
        place = f"group {self.groups[group]!r} in period {_text(self.periods[period])} of {self._owner(side, row)}"
        if not np.isfinite(weight):
            return ParameterError(f"the {side} weight of {place} is {weight}; give 0 where none is held", side)
        return ParameterError(
            f"the {side} return of {place} is {value} at weight {weight:.6g}; a return may be missing only where the "
            "weight is zero",
            side,
        )

    def off_one(self, side: str, row: int, period: int, total: float, count: int, tolerance: float) -> ParameterError:
        """Say whose weights do not sum to 1, and how many more do not."""
        more = f" (and {count - 1:,} more)" if count > 1 else ""
        return ParameterError(
            f"the {side} weights of {self._owner(side, row)} in period {_text(self.periods[period])} sum to "
            f"{total:.8g}, not 1 to within {tolerance:g}{more}; add what is missing as a group, cash for instance",
            side,
        )

    def _owner(self, side: str, row: int) -> str:
        if side == "portfolio" or (len(self.benchmark_weights) == len(self.accounts) > 1):
            return f"account {self.accounts[row]}"
        return f"benchmark {row}" if len(self.benchmark_weights) > 1 else "the benchmark"


def labelled(
    portfolio_weights: ArrayLike | pd.DataFrame,
    portfolio_returns: ArrayLike | pd.DataFrame,
    benchmark_weights: ArrayLike | pd.DataFrame,
    benchmark_returns: ArrayLike | pd.DataFrame,
    *,
    benchmark_of: ArrayLike | None,
    present: ArrayLike | None,
    accounts: ArrayLike | None,
    periods: ArrayLike | None,
    groups: ArrayLike | None,
) -> Panel:
    """Bring every argument of `brinson` to one shape; labels come from the frames, the arguments, or are numbers."""
    sides = {
        "portfolio_weights": _one_period(portfolio_weights),
        "portfolio_returns": _one_period(portfolio_returns),
        "benchmark_weights": _one_period(benchmark_weights),
        "benchmark_returns": _one_period(benchmark_returns),
    }
    frames = {name: side for name, side in sides.items() if isinstance(side, pd.DataFrame)}
    row_labels, column_labels = _frame_labels(frames)
    weights, returns, neutral, against = (_three_axes(side, name) for name, side in sides.items())
    _same_shape(returns.shape, weights.shape, "portfolio_returns", "portfolio_weights")
    _same_shape(against.shape, neutral.shape, "benchmark_returns", "benchmark_weights")
    n, t, g = weights.shape
    if 0 in (t, g):
        raise ParameterError("there is no period or no group; give one or more of each", "portfolio_weights")
    if neutral.shape[1:] != (t, g):
        raise ParameterError(
            f"the benchmark has {neutral.shape[1]} periods x {neutral.shape[2]} groups and the portfolio {t} x {g}; "
            "give the same periods and groups for both",
            "benchmark_weights",
        )
    return Panel(
        _labels(accounts, None, n, "accounts"),
        _labels(periods, row_labels, t, "periods"),
        _labels(groups, column_labels, g, "groups"),
        weights, returns, neutral, against,
        _owners(benchmark_of, n, len(neutral)),
        _existing(present, n, t),
    )  # fmt: skip


def _one_period(side: ArrayLike | pd.DataFrame) -> ArrayLike | pd.DataFrame:
    """A series or list by group is one period."""
    if isinstance(side, pd.Series):
        return pd.DataFrame([side.to_numpy()], columns=side.index)
    return np.asarray(side)[None] if np.ndim(side) == 1 else side


def _frame_labels(frames: dict[str, pd.DataFrame]) -> tuple[pd.Index | None, pd.Index | None]:
    """Give the frames' common periods and groups, or say which differ."""
    if not frames:
        return None, None
    (first, frame), *others = frames.items()
    for name, other in others:
        for axis, mine, theirs in (("periods", frame.index, other.index), ("groups", frame.columns, other.columns)):
            if not mine.equals(theirs):
                differ = list(mine.symmetric_difference(theirs)[:3]) or "their order"
                raise ParameterError(
                    f"{name} and {first} have different {axis} ({differ}); reindex both to the same {axis}", name
                )
    return frame.index, frame.columns


def _three_axes(side: ArrayLike | pd.DataFrame, name: str) -> Floats:
    array = np.asarray(side, dtype=np.float64)
    if array.ndim not in (2, 3):
        raise ParameterError(f"{name} has {array.ndim} axes; give periods x groups, or accounts before them", name)
    return np.ascontiguousarray(array if array.ndim == 3 else array[None])


def _same_shape(shape: tuple[int, ...], other: tuple[int, ...], name: str, other_name: str) -> None:
    if shape != other:
        raise ParameterError(f"{name} has shape {shape} and {other_name} {other}; give the same for both", name)


def _labels(given: ArrayLike | None, found: pd.Index | None, count: int, name: str) -> pd.Index:
    labels = pd.Index(np.asarray(given)) if given is not None else found if found is not None else pd.RangeIndex(count)
    if len(labels) != count:
        raise ParameterError(f"{name} has {len(labels)} labels for {count}; give one each", name)
    if not labels.is_unique:
        raise ParameterError(f"{name} repeats {labels[labels.duplicated()][0]!r}; give each once", name)
    return labels


def _owners(benchmark_of: ArrayLike | None, n: int, benchmarks: int) -> Longs:
    """Which benchmark is each account's: the only one, its own, or the one named."""
    if benchmark_of is None:
        if benchmarks not in (1, n):
            raise ParameterError(
                f"there are {benchmarks} benchmarks for {n} accounts; say in benchmark_of which is whose",
                "benchmark_of",
            )
        return np.zeros(n, np.int64) if benchmarks == 1 else np.arange(n, dtype=np.int64)
    owners = np.asarray(benchmark_of)
    if owners.shape != (n,) or not np.issubdtype(owners.dtype, np.integer):
        raise ParameterError(f"benchmark_of must be {n} row numbers of the benchmarks, one an account", "benchmark_of")
    if n and not 0 <= owners.min() <= owners.max() < benchmarks:
        raise ParameterError(f"benchmark_of names row {owners.max()} of {benchmarks} benchmarks", "benchmark_of")
    return np.ascontiguousarray(owners, dtype=np.int64)


def _existing(present: ArrayLike | None, n: int, t: int) -> Flags:
    if present is None:
        return np.ones((n, t), dtype=bool)
    here = np.asarray(present, dtype=bool)
    if here.shape not in ((n, t), (t,)):
        raise ParameterError(f"present has shape {here.shape} for {n} account(s) of {t} period(s)", "present")
    return np.ascontiguousarray(np.broadcast_to(here, (n, t)))


def _text(label: object) -> str:
    """Write a date as a date and anything else as it is."""
    return f"{label:%Y-%m-%d}" if isinstance(label, pd.Timestamp) else str(label)
