"""What each holding or group added to an account's return, linked so that the parts sum to the compounded return."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from workbench.attribution.linking import Floats, Method, link
from workbench.errors import ParameterError


@dataclass(frozen=True, eq=False)
class Contribution:
    """Contributions of G groups to N accounts' compounded returns (N x G), and what they leave (`residual`, N)."""

    accounts: pd.Index
    groups: pd.Index
    contributions: Floats
    portfolio: Floats
    residual: Floats

    def to_frame(self) -> pd.DataFrame:
        """One row an account and group: account, group, contribution."""
        return pd.DataFrame(
            {
                "account": self.accounts.repeat(len(self.groups)),
                "group": np.tile(self.groups, len(self.accounts)),
                "contribution": self.contributions.ravel(),
            }
        )

    def top(self, count: int = 5) -> pd.DataFrame:
        """The largest contributions above zero of each account, largest first: account, rank, group, contribution."""
        return self._ranked(-self.contributions, count)

    def bottom(self, count: int = 5) -> pd.DataFrame:
        """The largest detractions of each account, those below zero, worst first."""
        return self._ranked(self.contributions, count)

    def _ranked(self, keys: Floats, count: int) -> pd.DataFrame:
        """Rank by key, lowest first, equal ones in the order of the groups; only keys below zero."""
        order = np.argsort(keys, axis=1, kind="stable")[:, :count]
        taken = np.take_along_axis(keys, order, axis=1) < 0
        account, rank = np.nonzero(taken)
        group = order[account, rank]
        return pd.DataFrame(
            {
                "account": self.accounts[account],
                "rank": rank + 1,
                "group": self.groups[group],
                "contribution": self.contributions[account, group],
            }
        )


def contribution(
    rows: ArrayLike,
    portfolio: ArrayLike | None = None,
    *,
    linking: Method = "carino",
    present: ArrayLike | None = None,
    accounts: ArrayLike | None = None,
    groups: ArrayLike | None = None,
) -> Contribution:
    """Link contributions of single periods so that they sum to the compounded return.

    `rows` (N, T, G) or (T, G) are beginning weight x return, or gain over the account's beginning value; `portfolio`
    (N, T) is the account's return, the rows' sum where left out. It is `link` against a benchmark of zero:

    - "carino": period t's rows times k_t / K, k = ln(1 + R) / R (Carino 1999);
    - "frongello": the rows grow with the account before t: what it earned, in money of the start;
    - "menchero": as there.

    Raises `ParameterError` as `link` does, and for labels that do not fit.
    """
    array = np.asarray(rows, dtype=np.float64)
    if array.ndim not in (2, 3):
        raise ParameterError(f"rows has {array.ndim} axes; give periods x groups, or accounts before them", "rows")
    array = array if array.ndim == 3 else array[None]
    total = array.sum(axis=2) if portfolio is None else portfolio
    linked = link(array, total, np.zeros(array.shape[1]), linking, present=present)
    labels = [
        pd.RangeIndex(size) if given is None else pd.Index(np.asarray(given))
        for given, size in ((accounts, len(array)), (groups, array.shape[2]))
    ]
    for name, index, size in (("accounts", labels[0], len(array)), ("groups", labels[1], array.shape[2])):
        if len(index) != size:
            raise ParameterError(f"{name} has {len(index)} labels for {size}; give one each", name)
    return Contribution(labels[0], labels[1], linked.effects, linked.portfolio, linked.residual)
