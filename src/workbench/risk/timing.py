"""Sales after falls and purchases after rises: is their timing more than chance?

A day of sales counts where, at a close of the ten sessions up to it, what was sold that day stood 8 % or more below its
highest close of the ten sessions before (dollar-weighted over the securities). A day counts once however many accounts
trade on it: one decision is one decision. Is the count more than chance? Days less than a month apart are one episode;
each episode is moved, whole, to every place in the period, round its end, and the counts of independent episodes are
added up exactly. So what was sold, how much, and which days belong together all stay; only the timing is left to
chance. The p-value is the chance of as many days or more. Buying after rises is the same with lowest closes. Dollars
are told, not tested.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.firm import CASH
from workbench.risk.chance import after_moves, chance_of_days, episodes, within
from workbench.risk.patterns import Kind, Pattern, most_traded
from workbench.risk.watched import Floats, Ints, Watched


@dataclass(frozen=True, eq=False)
class Market:
    """Over the period: falls and rises before each session, and returns after it (T x S), NaN where not known."""

    first: int
    fall: Floats
    rise: Floats
    after: Floats

    @classmethod
    def of(cls, watched: Watched, first: int, setting: Mapping[str, float]) -> Market:
        """Falls, rises and later returns from session `first` on."""
        window, ahead = int(setting["window"]), int(setting["after_sessions"])
        returns = watched.returns[first - window :]
        begun = ~np.isnan(returns)
        begun[0] = True
        growth = np.where(begun, 1.0 + np.nan_to_num(returns), 1.0)
        growth[0] = 1.0
        unit = np.cumprod(growth, axis=0).astype(np.float64)
        # A hole makes what is before it and what is after it not comparable.
        holes = np.cumsum(~begun, axis=0)
        fall, rise = after_moves(unit, window)
        same = np.full(unit.shape, False)
        same[window:] = holes[window:] == holes[:-window]
        later = np.full(unit.shape, np.nan)
        if len(unit) > ahead:
            later[:-ahead] = np.where(holes[ahead:] == holes[:-ahead], unit[ahead:] / unit[:-ahead] - 1.0, np.nan)
        known_fall, known_rise = np.where(same, fall, np.nan), np.where(same, rise, np.nan)
        return cls(first, known_fall[window:], known_rise[window:], later[window:])


def timed(
    watched: Watched, rows: pd.DataFrame, market: Market, setting: Mapping[str, float], side: str, kind: Kind
) -> Iterator[Pattern]:
    """Sales after falls or purchases after rises, by subject."""
    moves = market.fall if side == "sell" else market.rise
    chosen = rows[(rows["kind"] == side) & (rows["decided_by"] != "") & (rows["security_id"] != CASH)]
    known = ~np.isnan(moves)
    filled = np.nan_to_num(moves)
    for (decided_by, subject), trades in chosen.groupby(["decided_by", "subject"], sort=True):
        session, day = np.unique(trades["session"].to_numpy(), return_inverse=True)
        baskets = np.zeros((len(session), len(watched.securities)))
        np.add.at(baskets, (day, trades["security"].to_numpy()), trades["dollars"].to_numpy())
        large = baskets.sum(axis=1) >= setting["least_dollars"]
        baskets, session = baskets[large], session[large] - market.first
        if len(session) < setting["least_count"]:
            continue
        traded = baskets.any(axis=0)
        whole = known[:, traded].all()
        measured = baskets.sum(axis=1)[:, None] if whole else baskets[:, traded] @ known[:, traded].T
        moved = baskets[:, traded] @ filled[:, traded].T
        move = np.divide(moved, measured, out=np.zeros(moved.shape), where=np.broadcast_to(measured > 0, moved.shape))
        after = within(move >= setting["move"], int(setting["window"]))
        size = baskets.sum(axis=1)
        episode = episodes(session, int(setting["episode_gap"]))
        chances = chance_of_days(after, session, episode)
        here = after[np.arange(len(session)), session]
        followed, followed_days = _followed(market.after, baskets[here], session[here])
        yield Pattern(
            kind=kind,
            level="advisor" if decided_by == "advisor" else "household",
            subject=str(subject),
            decided_by=decided_by,
            count=int(here.sum()),
            opportunities=len(session),
            expected=float(after.mean(axis=1).sum()),
            dollars=float(size[here].sum()),
            of_dollars=float(size.sum()),
            expected_dollars=float(after.mean(axis=1) @ size),
            p_value=float(min(chances[int(here.sum()) :].sum(), 1.0)),
            episodes=len(np.unique(episode[here])),
            days=tuple(watched.sessions[session[here] + market.first]),
            names=most_traded(watched, baskets[here].sum(axis=0)),
            followed=followed,
            followed_days=followed_days,
        )


def _followed(after: Floats, baskets: Floats, session: Ints) -> tuple[float | None, int]:
    """What the baskets returned afterwards, dollar-weighted over the days and securities for which that is known."""
    later = after[session]
    known = ~np.isnan(later) & (baskets > 0)
    weight = np.where(known, baskets, 0.0)
    if weight.sum() <= 0:
        return None, 0
    return float((weight * np.nan_to_num(later)).sum() / weight.sum()), int(known.any(axis=1).sum())
