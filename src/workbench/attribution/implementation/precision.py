"""How much each account counts: one that strays far from its model for reasons of its own says less about others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import digamma, polygamma

from workbench.attribution.implementation.panel import Floats, Panel
from workbench.attribution.implementation.reml import fit

#: No account counts more than this many times the typical one: a quiet one may still lag for good.
MOST = 4.0
#: Months times precision are rounded to powers of this, so that accounts fall into few groups of one count.
_STEP = np.sqrt(2.0)
#: A variance below this share of the median is taken as that: gaps may be exactly equal.
_LEAST = 1e-5
#: Degrees of freedom beyond which variances are taken as one.
_ALIKE = 1e6


def weigh(panel: Panel) -> Panel:
    """The panel with each account's precision: the typical variance of a month's error over the account's own.

    Variances are those of the account's gaps about its mean, months, models' months and covariates taken out, drawn
    towards each other as far as chance explains their spread (Smyth 2004, Linear models and empirical Bayes methods,
    section 4): with errors alike all count one. Custodians and advisors do not enter, so that exchanging them changes
    nothing. Raises as `fit` does.
    """
    plain = replace(panel, precision=np.ones(len(panel.accounts)))
    fitted = fit(plain, tests=False)
    covariates = [panel.names.index(name) for name in fitted.moments.kept]
    rest: Floats = (
        panel.gap - fitted.month[panel.month] - fitted.model_month[panel.model_of[panel.account], panel.month]
    )
    rest = rest - panel.covariates[:, covariates] @ fitted.slope
    months = panel.n_months
    rest = rest - (np.bincount(panel.account, weights=rest) / months)[panel.account]
    squares = np.asarray(np.bincount(panel.account, weights=rest**2), dtype=np.float64)
    variance = moderated(squares, months.astype(np.float64) - 1.0)
    if variance.min() == variance.max():
        return plain
    counts = months * np.minimum(np.median(variance) / variance, MOST)
    return replace(panel, precision=_STEP ** np.round(np.log(counts) / np.log(_STEP)) / months)


def moderated(squares: Floats, freedom: Floats) -> Floats:
    """Variances from sums of squares and their degrees of freedom, each drawn towards the others.

    The prior is an inverse chi-square, by the moments of the logs; all are one where the logs spread no more than
    chance has them do. One without a degree of freedom takes the prior.
    """
    known = freedom > 0.0
    if known.sum() < 2 or not squares[known].any():
        return np.ones(len(squares))
    raw, degrees = squares[known] / freedom[known], freedom[known]
    typical = np.median(raw) if np.median(raw) > 0.0 else raw.mean()
    logs = np.log(np.maximum(raw, _LEAST * typical)) - digamma(degrees / 2.0) + np.log(degrees / 2.0)
    beyond = float(logs.var(ddof=1) - polygamma(1, degrees / 2.0).mean())
    prior = 2.0 * _inverse_trigamma(beyond) if beyond > 0.0 else _ALIKE
    if prior >= _ALIKE:
        return np.full(len(squares), float(np.exp(logs.mean())))
    centre = float(np.exp(logs.mean() + digamma(prior / 2.0) - np.log(prior / 2.0)))
    return np.asarray((prior * centre + squares) / (prior + freedom))


def _inverse_trigamma(value: float) -> float:
    """Newton's method on the reciprocal, which is nearly straight (Smyth 2004, appendix)."""
    at = 0.5 + 1.0 / value
    for _ in range(50):
        trigamma = float(polygamma(1, at))
        step = trigamma * (1.0 - trigamma / value) / float(polygamma(2, at))
        at += step
        if abs(step) < 1e-10 * at:
            break
    return at
