"""What chance would give: days after a move, episodes placed anew, sums of unequal coins, many tests at once.

Everything here is exact; nothing is drawn at random.
"""

from __future__ import annotations

import numpy as np

from workbench.risk.watched import Flags, Floats, Ints


def after_moves(unit: Floats, window: int) -> tuple[Floats, Floats]:
    """How far each value stands below the highest, and above the lowest, of the `window` rows before it (T x S).

    Fractions of that extreme; missing in the first `window` rows and wherever one of the values is missing.
    """
    windows = np.lib.stride_tricks.sliding_window_view(unit[:-1], window, axis=0)
    fall = np.full(unit.shape, np.nan)
    rise = np.full(unit.shape, np.nan)
    fall[window:] = 1.0 - unit[window:] / windows.max(axis=2)
    rise[window:] = unit[window:] / windows.min(axis=2) - 1.0
    return fall, rise


def episodes(session: Ints, gap: int) -> Ints:
    """The episode of each of some sorted sessions: a new one begins where more than `gap` sessions have passed."""
    return np.cumsum(np.diff(session, prepend=session[:1]) > gap)


def chance_of_days(after: Flags, session: Ints, episode: Ints) -> Floats:
    """Chances that 0, 1, ... U of U days stand after a move, if each episode had come at any time of the period.

    `after` (U x T) says whether what was traded on each day stood after a move at each session, `session` (U) where the
    days are and `episode` (U) which belong together. Exact: the counts of one episode over all T places, one episode's
    distribution convolved with the next.
    """
    total = np.ones(1)
    for one in np.unique(episode):
        mine = np.flatnonzero(episode == one)
        days = np.sum([np.roll(after[day], -session[day]) for day in mine], axis=0)
        total = np.convolve(total, np.bincount(days, minlength=len(mine) + 1) / after.shape[1])
    return total


def unequal_coins(chances: Floats, least: int) -> float:
    """The chance that `least` or more of independent coins of these chances show heads: exact, by adding one coin
    after another.
    """
    heads = np.zeros(len(chances) + 1)
    heads[0] = 1.0
    for chance in chances:
        heads[1:] = heads[1:] * (1.0 - chance) + heads[:-1] * chance
        heads[0] *= 1.0 - chance
    return float(min(heads[least:].sum(), 1.0))


def false_discovery(p_values: Floats) -> Floats:
    """Benjamini and Hochberg's adjusted p-values, in the given order (1995, J. R. Statist. Soc. B 57)."""
    count = len(p_values)
    order = np.argsort(p_values)
    scaled = p_values[order] * count / np.arange(1, count + 1)
    adjusted = np.minimum.accumulate(scaled[::-1])[::-1]
    result = np.empty(count)
    result[order] = np.minimum(adjusted, 1.0)
    return result


def within(moved: Flags, window: int) -> Flags:
    """Whether a move was seen at any of the `window` sessions before, or the session itself (U x T)."""
    seen = np.concatenate([np.zeros((len(moved), 1)), np.cumsum(moved, axis=1)], axis=1)
    before = np.maximum(np.arange(moved.shape[1]) - window, 0)
    return seen[:, 1:] > seen[:, before]
