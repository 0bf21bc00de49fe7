"""The ledger of trials: every policy ever tried is counted, and a line that is taken out shows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from workbench.backtest.chained_file import ChainedFile
from workbench.errors import ParameterError


@dataclass(frozen=True)
class Trial:
    """One look at data: a policy on a universe over a window, trained from a seed (None: no random training).

    `sharpe` is the Sharpe ratio of its gain, a month's and not a year's; `measure` what the gain was in. Two trials
    that agree in policy, universe, window, seed, measure and ratio are one trial looked at twice; the same name with
    another ratio was another policy, and is another trial.
    """

    policy: str
    universe: str
    window: str
    seed: int | None = None
    measure: str = "total_bp"
    sharpe: float | None = None

    def __post_init__(self) -> None:
        """Numbers of any library as the file holds them."""
        if self.seed is not None:
            object.__setattr__(self, "seed", int(self.seed))
        if self.sharpe is not None:
            object.__setattr__(self, "sharpe", float(self.sharpe))

    @property
    def key(self) -> tuple[str, str, str, int | None, str, float | None]:
        """What makes it distinct; ratios that agree to 1e-9 were computed twice."""
        ratio = None if self.sharpe is None else round(self.sharpe, 9)
        return self.policy, self.universe, self.window, self.seed, self.measure, ratio


class TrialLedger:
    """The trials in a `ChainedFile`: what was taken out or changed shows, and there is no way to reset it.

    Every `Evidence` keeps the head it was made with: `contains` tells whether the file still holds it.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._file = ChainedFile(
            self.path,
            "The count of trials can no longer be trusted: restore the ledger and its .head from a backup.",
        )

    def record(self, trials: Sequence[Trial]) -> str:
        """Append trials and return the hash of the last line; what was appended by others meanwhile is checked."""
        for trial in trials:
            if trial.sharpe is not None and not math.isfinite(trial.sharpe):
                raise ParameterError(f"{trial.policy}: a trial's Sharpe ratio is a number, or None", "sharpe")
        return self._file.append([asdict(trial) for trial in trials])

    def trials(self) -> tuple[Trial, ...]:
        """Every line in order, repeated trials included; raises `PolicyError` where the chain is broken."""
        found = []
        for number, record in enumerate(self._file.read(), start=1):
            try:
                found.append(Trial(**record))
            except (TypeError, ValueError) as error:
                raise self._file.broken(number, "is no trial") from error
        return tuple(found)

    def count(self) -> int:
        """Distinct trials ever recorded, on whatever universe."""
        return len({trial.key for trial in self.trials()})

    def sharpe_variance(
        self, *, universe: str | None = None, window: str | None = None, measure: str | None = None
    ) -> float | None:
        """Variance of the distinct trials' Sharpe ratios, None where fewer than 2 have one.

        Ratios compare only over windows of one length: give `window`, and `measure`, where the ledger holds several.
        """
        wanted = {"universe": universe, "window": window, "measure": measure}
        found: dict[tuple[Any, ...], float] = {}
        for trial in self.trials():
            fits = all(value is None or getattr(trial, name) == value for name, value in wanted.items())
            if fits and trial.sharpe is not None:
                found.setdefault(trial.key, trial.sharpe)
        if len(found) < 2:
            return None
        mean = sum(found.values()) / len(found)
        return sum((value - mean) ** 2 for value in found.values()) / (len(found) - 1)

    def head(self) -> str:
        """The hash of the last line: kept with evidence, it proves later that nothing before it was taken out."""
        return self._file.head()

    def contains(self, head: str) -> bool:
        """Whether a hash once returned by `head` is still in the chain."""
        return self._file.contains(head)
