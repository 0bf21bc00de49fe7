"""Walk-forward: train on some years, wait, test on the next, move on; what is trained sees its own years only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from workbench.backtest.policy import Policy
from workbench.backtest.universe import Signals, Universe
from workbench.errors import MarketDataError, ParameterError, PolicyError, WorkbenchError

#: Sessions of a year, and the least that must lie between training and test.
YEAR = 252
LEAST_EMBARGO = 21


@dataclass(frozen=True)
class Window:
    """Positions of sessions: parameters are fitted on `fit`, chosen on `validation`, judged on `test`; end excluded."""

    fit: tuple[int, int]
    validation: tuple[int, int]
    test: tuple[int, int]

    @property
    def train(self) -> tuple[int, int]:
        """Everything that may be learned from: fit, the embargo after it, and validation."""
        return self.fit[0], self.validation[1]


@dataclass(frozen=True, eq=False)
class Training:
    """What a fit gets: universe and signals cut to the training years, and where in them validation starts.

    The arrays are copies that end with training, so that nothing after it can be read. Sessions from `fit_end` to
    `validation_start` are an embargo: fit before it, choose after it.
    """

    universe: Universe
    signals: Signals
    fit_end: int
    validation_start: int


#: Makes a policy from training data; it is called once a window.
Fit = Callable[[Training], Policy]


def windows(
    sessions: pd.DatetimeIndex | int,
    train_years: float = 8,
    validation_years: float = 2,
    embargo: int = LEAST_EMBARGO,
    test_years: float = 1,
    *,
    longest_train_years: float = 10,
    first: int = 0,
) -> tuple[Window, ...]:
    """Windows of training, embargo and test over a history, one for each `test_years`, the last ending with it.

    Training is at least `train_years`, grows to `longest_train_years`, then moves along; its last `validation_years`
    are validation, with an embargo before them too. Sessions before `first` have no signals and are not used.
    A year is 252 sessions. Raises `ParameterError` for an embargo under 21 sessions or years that do not fit together,
    `MarketDataError`, with the sessions needed, where the history is too short for one window.
    """
    count = sessions if isinstance(sessions, int) else len(sessions)
    numbers = (train_years, validation_years, test_years, longest_train_years, embargo, first)
    if not np.isfinite(numbers).all() or embargo != int(embargo) or first != int(first) or first < 0:
        raise ParameterError(f"years, embargo and first must be finite, the latter two whole; are {numbers}", "embargo")
    train, validation, test = (round(YEAR * years) for years in (train_years, validation_years, test_years))
    longest = round(YEAR * longest_train_years)
    if embargo < LEAST_EMBARGO:
        raise ParameterError(f"embargo is {embargo} sessions: at least {LEAST_EMBARGO}, a month, are needed", "embargo")
    if test < 1 or validation < 1 or train <= validation + embargo or longest < train:
        raise ParameterError(
            f"{train_years} years of training (at most {longest_train_years}) cannot hold {validation_years} of "
            f"validation and an embargo of {embargo} sessions, or leave no test",
            "train_years",
        )
    least = train + embargo + test
    if count - first < least:
        raise MarketDataError(
            f"{count - first} sessions with signals are too few for one window: {least} are needed "
            f"({train} training, {embargo} embargo, {test} test). Take a longer history or shorter windows."
        )
    found = []
    for k in reversed(range((count - first - train - embargo) // test)):
        test_start = count - (k + 1) * test
        stop = test_start - embargo
        start = max(first, stop - longest)
        found.append(
            Window((start, stop - validation - embargo), (stop - validation, stop), (test_start, test_start + test))
        )
    return tuple(found)


def check_windows(found: Sequence[Window], sessions: int) -> None:
    """Raise `ParameterError` for windows written by hand whose parts touch or overlap, or whose tests do not follow one
    another: what is judged there may have been learned from."""
    if not found:
        raise ParameterError("there is no test window", "test_windows")
    for number, window in enumerate(found, start=1):
        (fit, validation), (start, stop) = (window.fit, window.validation), window.test
        if not (0 <= fit[0] < fit[1] <= validation[0] < validation[1] and start < stop <= sessions):
            raise ParameterError(f"window {number} is out of order or outside {sessions} sessions: {window}", "windows")
        if start - validation[1] < LEAST_EMBARGO:
            raise ParameterError(
                f"the test of window {number} begins {start - validation[1]} sessions after its training ends: "
                f"at least {LEAST_EMBARGO} are needed",
                "windows",
            )
        if number > 1 and start != found[number - 2].test[1]:
            raise ParameterError(f"the test of window {number} does not follow that of the one before", "windows")


def training(universe: Universe, signals: Signals, window: Window) -> Training:
    """Copies of universe and signals from the start of a window's training to its end."""
    start, stop = window.train
    return Training(
        cut(universe, start, stop),
        cut_signals(signals, start, stop),
        fit_end=window.fit[1] - start,
        validation_start=window.validation[0] - start,
    )


def cut(universe: Universe, start: int, stop: int) -> Universe:
    """A copy of the sessions from `start` up to and without `stop`; cash of the first, with no close before, is 0."""
    cash = universe.cash_return[:, start:stop].copy()
    cash[:, 0] = 0.0
    return replace(
        universe,
        sessions=universe.sessions[start:stop],
        price=universe.price[:, start:stop].copy(),
        dividend=universe.dividend[:, start:stop].copy(),
        cash_return=cash,
        target=universe.target.copy(),
        half_spread=universe.half_spread.copy(),
        daily_value=universe.daily_value.copy(),
    )


def cut_signals(signals: Signals, start: int, stop: int) -> Signals:
    """The signals of these sessions, without any estimate made after them."""
    at = signals.covariance_at[start:stop]
    used = at[at >= 0]
    low, high = (int(used.min()), int(used.max()) + 1) if used.size else (0, 0)
    return replace(
        signals,
        covariance=signals.covariance[:, low:high].copy(),
        covariance_at=np.where(at >= 0, at - low, at),
        market=signals.market[:, start:stop].copy(),
        asset=signals.asset[:, start:stop].copy(),
        first=max(signals.first - start, 0),
    )


def fit_all(universe: Universe, signals: Signals, fit: Fit, found: tuple[Window, ...]) -> tuple[Policy, ...]:
    """The policy that `fit` makes for each window, each from its own training data only."""
    made = []
    for number, window in enumerate(found, start=1):
        try:
            made.append(fit(training(universe, signals, window)))
        except WorkbenchError:
            raise
        # Whatever somebody's fit raises, the reader must learn in which window.
        except Exception as error:
            raise PolicyError(
                f"the fit of window {number} (training to {universe.sessions[window.train[1] - 1]:%Y-%m-%d}) raised "
                f"{type(error).__name__}: {error}; correct it"
            ) from error
    return tuple(made)
