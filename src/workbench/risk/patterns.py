"""One habit looked for in one subject's transactions, with what chance would give beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from workbench.risk.watched import Floats, Watched

Kind = Literal["sold_after_falls", "bought_after_rises", "overrides", "favourites", "no_rebalance", "idle_cash"]
SubjectLevel = Literal["advisor", "household"]
#: Whom patterns are looked for in; each is a family of tests of its own.
LEVELS: tuple[SubjectLevel, ...] = ("advisor", "household")
Decider = Literal["advisor", "client"]
#: Securities that are named.
NAMED = 3


@dataclass(frozen=True)
class Pattern:
    """One habit looked for in one subject's transactions.

    `count` of `opportunities` (days, quarters or deposits) show it, where chance would give `expected`; `dollars` are
    those of the trades, of `of_dollars` in all, where chance would give `expected_dollars`. For overrides count and
    expected are account-days and opportunities accounts; for favourites `expected` is the securities' share of the
    models. `p_value` and `q_value` are missing where nothing was tested; `episodes` counts those of the days after
    falls or rises. `days` are when it happened, `names` the securities most traded then. `followed` is what they
    returned over the quarter after, dollar-weighted over the `followed_days` whose quarter is over. `said` is whether
    it passes the minimum counts and the false discovery rate.
    """

    kind: Kind
    level: SubjectLevel
    subject: str
    decided_by: Decider
    count: int
    opportunities: int
    expected: float
    dollars: float
    of_dollars: float
    expected_dollars: float | None = None
    p_value: float | None = None
    q_value: float | None = None
    days: tuple[pd.Timestamp, ...] = ()
    names: tuple[str, ...] = ()
    followed: float | None = None
    followed_days: int = 0
    episodes: int | None = None
    said: bool = False


def most_traded(watched: Watched, dollars: Floats) -> tuple[str, ...]:
    """The securities with the most dollars (S), a few of them."""
    order = np.argsort(-dollars, kind="stable")[:NAMED]
    return tuple(str(watched.securities["security_id"].iloc[place]) for place in order if dollars[place] > 0)
