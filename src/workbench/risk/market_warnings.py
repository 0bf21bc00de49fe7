"""Warnings on the market as the models meet it: volatility, falls, sleeves and bonds that move with shares.

Robust against a single day: correlations are Spearman's, of ranks, and a volatility leaves out its wildest day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from workbench.risk._readings import PERSISTENCE, Reading
from workbench.risk.concentration_warnings import Exposures
from workbench.risk.limits import Limit
from workbench.risk.watched import Flags, Floats, Watched, added_up

RECENT, HALF_YEAR, YEAR, LONG, PAST = 63, 126, 252, 756, 1260
#: Values of its own past that a percentile needs.
_LEAST_PAST = 252
#: A sleeve of bills has no co-movement worth a warning: less volatility a year than this.
_STILL = 0.01
BOND_CLASSES = ("Treasuries", "Bonds", "Corporate bonds", "Municipal bonds", "High yield")


def rank_correlation(returns: Floats, window: int) -> Floats:
    """Spearman's correlation matrix over each window of so many rows: (T - window + 1) x L x L.

    Average ranks for ties; a series that does not move in a window has no correlation there (missing).
    """
    from scipy.stats import rankdata

    windows = np.lib.stride_tricks.sliding_window_view(returns, window, axis=0)
    ranks = rankdata(windows, axis=2) - (window + 1) / 2
    products = np.einsum("tiw,tjw->tij", ranks, ranks)
    scale = np.sqrt(np.einsum("tii->ti", products))
    outer = scale[:, :, None] * scale[:, None, :]
    return np.divide(products, outer, out=np.full(products.shape, np.nan), where=outer > 0)


def steady_volatility(returns: Floats, window: int) -> Floats:
    """Volatility a year over each window of so many rows without its wildest day: (T - window + 1) x L."""
    squares = np.lib.stride_tricks.sliding_window_view(returns**2, window, axis=0)
    return np.sqrt((squares.sum(axis=2) - squares.max(axis=2)) / (window - 1) * YEAR)


def _volatility_regime(watched: Watched, limit: Limit, found: Exposures) -> Reading:
    paths, models, unknown = _model_paths(watched, LONG)
    if paths is None:
        return Reading.unmeasured(models or f"fewer than {LONG} sessions of prices of the models' securities", unknown)
    recent = steady_volatility(paths, RECENT)
    usual = pd.DataFrame(paths**2).rolling(LONG, min_periods=LONG).mean().to_numpy()[RECENT - 1 :]
    usual = np.sqrt(usual * YEAR)
    ratio = np.divide(recent, usual, out=np.full(recent.shape, np.nan), where=usual > 0)[-YEAR:]
    return _of_worst_model(watched, limit, ratio, unknown)


def _model_drawdown(watched: Watched, limit: Limit, found: Exposures) -> Reading:
    paths, models, unknown = _model_paths(watched, YEAR)
    if paths is None:
        return Reading.unmeasured(models or f"fewer than {YEAR} sessions of prices of the models' securities", unknown)
    unit = pd.DataFrame(np.cumprod(1.0 + paths, axis=0))
    highest = unit.rolling(YEAR + 1, min_periods=1).max()
    return _of_worst_model(watched, limit, (1.0 - unit / highest).to_numpy()[-YEAR:], unknown)


def _of_worst_model(watched: Watched, limit: Limit, values: Floats, unknown: tuple[str, ...]) -> Reading:
    """The model with the largest value today among those with accounts, and the accounts of every model beyond."""
    used = np.bincount(watched.model[watched.model >= 0], minlength=len(watched.models)) > 0
    today = np.where(used & np.isfinite(values[-1]), values[-1], -np.inf)
    if not np.isfinite(today).any():
        return Reading.unmeasured("no account is on a model whose securities have prices for long enough", unknown)
    beyond = np.nan_to_num(values[-PERSISTENCE:], nan=-np.inf).min(axis=0) > limit.value
    worst = int(np.where(beyond & used, today + 1e6, today).argmax())
    series = pd.Series(values[:, worst], index=watched.sessions[-len(values) :]).dropna()
    touched = (watched.model >= 0) & beyond[watched.model]
    return Reading(series, watched.models[worst], touched, watched.account_value, unknown=unknown)


def _model_paths(watched: Watched, least: int) -> tuple[Floats | None, str, tuple[str, ...]]:
    """Daily returns of today's targets (T x M) over the sessions all their securities have; models without are NaN.

    Also why there are none, and the securities that have too few.
    """
    if not len(watched.models):
        return None, "no model is in force", ()
    span = min(LONG + YEAR + 5, len(watched.sessions) - 1)
    if span < least:
        return None, "", ()
    window = watched.returns[-span:]
    whole = ~np.isnan(window).any(axis=0)
    used = (watched.targets != 0).any(axis=0)
    lost = tuple(watched.securities["security_id"][used & ~whole])
    paths = np.nan_to_num(window) @ watched.targets.T
    paths[:, ((watched.targets != 0) & ~whole).any(axis=1)] = np.nan
    return paths, "", lost


def _correlation_jump(watched: Watched, limit: Limit, found: Exposures) -> Reading:
    """Average correlation of sleeves; the threshold is a percentile of its own past, up to a quarter before."""
    window = watched.sleeve_returns[-(PAST + RECENT) :]
    window = window[1:] if len(window) == len(watched.sessions) else window
    whole = ~np.isnan(window).any(axis=0)
    unknown = tuple(np.array(watched.sleeves)[~whole])
    if len(window) < 2 * RECENT + _LEAST_PAST:
        return Reading.unmeasured(f"fewer than {2 * RECENT + _LEAST_PAST:,} sessions of prices", unknown)
    moving = whole & (np.nan_to_num(window).std(axis=0) * np.sqrt(YEAR) > _STILL)
    if moving.sum() < 2:
        return Reading.unmeasured("fewer than two sleeves move and have prices for long enough", unknown)
    matrices = rank_correlation(window[:, moving], RECENT)
    above = np.triu_indices(int(moving.sum()), 1)
    average = np.nanmean(matrices[:, above[0], above[1]], axis=1)
    count = min(YEAR, len(average) - RECENT - _LEAST_PAST + 1)
    bars = np.array([np.quantile(average[: end - RECENT], limit.value) for end in _ends(average, count)])
    index = watched.sessions[-count:]
    series = pd.Series(average[-count:], index=index)
    touched = np.ones(len(watched.accounts), bool)
    return Reading(
        series,
        f"{int(moving.sum())} sleeves",
        touched,
        watched.account_value,
        unknown=unknown,
        threshold=float(bars[-1]),
        beyond=pd.Series(average[-count:] > bars, index=index),
    )


def _ends(values: Floats, count: int) -> range:
    """The last `count` positions of values, as ends."""
    return range(len(values) - count, len(values))


def _stock_bond_sign(watched: Watched, limit: Limit, found: Exposures) -> Reading:
    """Correlation of stocks and bonds as the firm holds them now, where the three years before it were negative."""
    worth = np.nan_to_num(watched.value_at(watched.last))
    held = added_up(np.maximum(worth, 0.0), watched.holding_security, len(watched.securities))
    asset_class = watched.securities["asset_class"].astype(str)
    stocks = asset_class.str.endswith("equity").to_numpy(bool) & (held > 0)
    bonds = asset_class.isin(BOND_CLASSES).to_numpy(bool) & (held > 0)
    if not stocks.any() or not bonds.any():
        return Reading.unmeasured(f"the firm holds no {'bonds' if stocks.any() else 'stocks'}")
    span = LONG + HALF_YEAR + YEAR
    window = watched.returns[-span:]
    lost = np.isnan(window).any(axis=0)
    unknown = tuple(watched.securities["security_id"][(stocks | bonds) & lost])
    if len(window) < span or not (stocks & ~lost).any() or not (bonds & ~lost).any():
        return Reading.unmeasured(f"fewer than {span:,} sessions of prices of both", unknown)
    pair = np.column_stack([_mixed(window, held, stocks & ~lost), _mixed(window, held, bonds & ~lost)])
    recent = rank_correlation(pair, HALF_YEAR)[-YEAR:, 0, 1]
    before = rank_correlation(pair[:-HALF_YEAR], LONG)[-YEAR:, 0, 1]
    index = watched.sessions[-YEAR:]
    beyond = (recent > limit.value) & (before < 0)
    touched_bonds = bonds[watched.holding_security] & (watched.quantity_at(watched.last) != 0.0)
    touched = np.bincount(watched.holding_account[touched_bonds], minlength=len(watched.accounts)) > 0
    dollars = added_up(np.where(touched_bonds, worth, 0.0), watched.holding_account, len(watched.accounts))
    subject = f"{before[-1]:.2f} over the three years before".replace("-", "\u2212")
    subject += "" if before[-1] < 0 else ", so no change of sign"
    return Reading(
        pd.Series(recent, index=index),
        subject,
        touched,
        dollars,
        unknown=unknown,
        beyond=pd.Series(beyond, index=index),
    )


def _mixed(window: Floats, held: Floats, which: Flags) -> Floats:
    return window[:, which] @ (held[which] / held[which].sum())


MARKET: Mapping[str, Callable[[Watched, Limit, Exposures], Reading]] = {
    "volatility_regime": _volatility_regime,
    "model_drawdown": _model_drawdown,
    "correlation_jump": _correlation_jump,
    "stock_bond_sign": _stock_bond_sign,
}
