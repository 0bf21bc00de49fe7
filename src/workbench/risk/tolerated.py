"""Which losses a household's profile tolerates, and who would lose more under a stress."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from workbench.risk.limits import Limits, load_limits
from workbench.risk.score import levels
from workbench.risk.stress import Stress
from workbench.risk.watched import Watched

#: What a household is under its worst stress, next to what it tolerates.
VERDICTS = ("within", "above", "not assessable")


def tolerated_losses(watched: Watched, multiple: float, limits: Limits | None = None) -> pd.DataFrame:
    """The loss that each household's profile tolerates: `multiple` times the volatility a year that its level allows.

    Indexed by household_id: level (0: none), tolerated (fraction of its assets, missing without a level), reason. The
    level and its volatility are those of the watch score.
    """
    limits = limits or load_limits()
    allowed = levels(watched.households, watched.as_of, limits)
    by_level = np.array([np.nan, *(limits.setting("score", f"tolerated_volatility_{level}") for level in range(1, 6))])
    frame = allowed.assign(tolerated=multiple * by_level[allowed["level"]])
    return frame.set_index(pd.Index(watched.households["household_id"]))


def against_tolerance(
    stress: Stress, tolerated: pd.DataFrame, kind: Literal["history", "shock"] | None = "history"
) -> pd.DataFrame:
    """Each household's worst stress beside what it tolerates, those furthest beyond it first.

    By default only what has happened counts: any profile can be broken by a shock that is large enough.
    `stress` is over households, `tolerated` as `tolerated_losses` gives it. Columns: household_id, scenario (missing
    where none reaches it), result, dollars, level, tolerated, excess (loss beyond what is tolerated), verdict, reason.
    """
    frame = (
        stress.worst(kind).set_index("portfolio").reindex(stress.portfolios).rename_axis("household_id").reset_index()
    )
    profile = tolerated.reindex(frame["household_id"])
    frame = frame.assign(level=profile["level"].to_numpy(), tolerated=profile["tolerated"].to_numpy())
    frame["excess"] = -frame["result"] - frame["tolerated"]
    unknown = frame["excess"].isna()
    frame["verdict"] = np.where(unknown, VERDICTS[2], np.where(frame["excess"] > 0, VERDICTS[1], VERDICTS[0]))
    reason = pd.Series(profile["reason"].to_numpy(), dtype="string")
    frame["reason"] = reason.mask(frame["result"].isna(), "no window of the past reaches enough of its holdings")
    return frame.sort_values(["excess", "household_id"], ascending=[False, True], ignore_index=True, na_position="last")
