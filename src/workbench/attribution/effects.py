"""The result of a Brinson attribution: effects by account and group, their totals, and what is left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.errors import ParameterError

Floats = NDArray[np.float64]
Excess = Literal["arithmetic", "geometric"]


@dataclass(frozen=True, eq=False)
class Attribution:
    """Linked effects of N accounts and G groups over T periods; fractions.

    - `effects` (N x G x E), E named by `names`: allocation, selection and, of three, interaction.
    - `portfolio`, `benchmark` (N): compounded returns; `period_portfolio`, `period_benchmark` (N x T) the periods'.
    - `residual` (N): arithmetic, the excess less the sum of all effects; geometric, the excess less
      (1 + allocation)(1 + selection) - 1. Rounding only, where weights sum to 1.
    - `by_period` (N x T x G x E): the unlinked effects, where they were asked for.
    """

    accounts: pd.Index
    periods: pd.Index
    groups: pd.Index
    names: tuple[str, ...]
    excess_as: Excess
    effects: Floats
    portfolio: Floats
    benchmark: Floats
    residual: Floats
    period_portfolio: Floats
    period_benchmark: Floats
    by_period: Floats | None = None

    @property
    def excess(self) -> Floats:
        """Compounded excess return (N): a difference, or (1 + R) / (1 + B) - 1 where geometric."""
        return excess_return(self.portfolio, self.benchmark, self.excess_as)

    def effect(self, name: str) -> Floats:
        """One effect by account and group (N x G); `ParameterError` for one that this attribution does not have."""
        if name not in self.names:
            raise ParameterError(f"there is no effect {name!r}; it has {', '.join(self.names)}", "name")
        return np.asarray(self.effects[:, :, self.names.index(name)])

    def to_frame(self) -> pd.DataFrame:
        """One row an account and group: account, group, each effect and, where effects add up, their total."""
        frame = pd.DataFrame(
            {"account": self.accounts.repeat(len(self.groups)), "group": np.tile(self.groups, len(self.accounts))}
        )
        flat = self.effects.reshape(len(frame), len(self.names))
        frame[list(self.names)] = flat
        return frame.assign(total=flat.sum(axis=1)) if self.excess_as == "arithmetic" else frame

    def totals(self) -> pd.DataFrame:
        """One row an account: portfolio, benchmark, excess, each effect over all groups, residual."""
        frame = pd.DataFrame({"account": self.accounts, "portfolio": self.portfolio, "benchmark": self.benchmark})
        frame["excess"] = self.excess
        frame[list(self.names)] = self.effects.sum(axis=1)
        return frame.assign(residual=self.residual)


def excess_return(portfolio: Floats, benchmark: Floats, excess_as: Excess) -> Floats:
    """Give the excess return, as a difference or as a ratio less one."""
    if excess_as == "geometric":
        return np.asarray((1 + portfolio) / (1 + benchmark) - 1)
    return portfolio - benchmark
