"""The restricted likelihood of variance ratios, from moments alone.

With error variance s2 the variance of a panel is s2 V, V = I + r_m Zm Zm' + r_a Za Za' + r_c Zc Zc' for months,
advisors and accounts. Effects are written as sqrt(r) times spherical ones, so that a ratio of zero is an ordinary point
(Bates, Maechler, Bolker and Walker 2015, Fitting linear mixed-effects models using lme4, section 3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from workbench.attribution.implementation.moments import Moments
from workbench.attribution.implementation.panel import Floats
from workbench.errors import ParameterError

#: The random effects, in the order of every array of ratios.
FACTORS = ("month", "advisor", "account")
#: A residual sum of squares below this share of y'y is rounding: the gaps are explained exactly.
_EXACT = 1e-13


@dataclass(frozen=True, eq=False)
class Point:
    """The likelihood at one set of ratios, s2 profiled out.

    - `deviance`: -2 log (restricted) likelihood, its constant included.
    - `gradient` (3): of the deviance, by the log of each ratio. `norms` (3): squared length of each spherical effect.
    - `inverse`: of the equations for [months, advisors, fixed], spherical; s2 times it is their prediction covariance.
    - `solution`: spherical effects and fixed coefficients. `rss`: y'Py; `freedom`: n - p (n for maximum likelihood).
    """

    ratios: Floats
    deviance: float
    gradient: Floats
    norms: Floats
    traces: Floats
    inverse: Floats
    solution: Floats
    rss: float
    freedom: int
    log_determinant: float

    @property
    def error_variance(self) -> float:
        """The estimate of s2 at these ratios."""
        return self.rss / self.freedom


def likelihood(moments: Moments, ratios: Floats, *, restricted: bool = True) -> Point:
    """Evaluate at variance ratios (month, advisor, account), each at least zero.

    Raises ParameterError where the fixed effects leave nothing to explain.
    """
    random, fixed = moments.n_random, moments.n_fixed
    scale = np.concatenate([np.repeat(np.sqrt(ratios[:2]), [moments.n_months, moments.n_advisors]), np.ones(fixed + 1)])
    shrink = 1.0 + ratios[2] * moments.counts
    equations = moments.products - np.tensordot(ratios[2] / shrink, moments.by_count, axes=1)
    equations *= scale[:, None] * scale
    equations[np.arange(random), np.arange(random)] += 1.0
    root = _cholesky(equations)
    diagonal = np.diagonal(root)
    rss = float(diagonal[-1] ** 2)
    if rss <= _EXACT * moments.products[-1, -1]:
        raise ParameterError("the gaps vary no more than the fixed effects explain: there is nothing to split", "gap")
    inner = solve_triangular(root[:-1, :-1], np.eye(random + fixed), lower=True)
    inverse = inner.T @ inner
    solution = inner.T @ root[-1, :-1]
    log_determinant = 2.0 * np.log(diagonal[:random]).sum() + moments.accounts_with @ np.log(shrink)
    freedom = moments.n_rows
    # What restricting takes in is the uncertainty of the fixed effects: in the determinant, the traces and n - p.
    spread = inverse
    if restricted:
        freedom -= fixed
        log_determinant += 2.0 * np.log(diagonal[random:-1]).sum()
    else:
        spread = np.zeros_like(inverse)
        spread[:random, :random] = inner[:random, :random].T @ inner[:random, :random]
    ends = np.split(np.arange(random), [moments.n_months])
    account = np.tensordot(ratios[2] / shrink**2, moments.by_count, axes=1) * (scale[:, None] * scale)
    left = np.append(-solution, 1.0)
    norms = np.array([*(solution[part] @ solution[part] for part in ends), left @ account @ left])
    own = moments.accounts_with @ (1.0 - 1.0 / shrink)
    traces = np.array(
        [*(len(part) - np.trace(spread[np.ix_(part, part)]) for part in ends), own - np.sum(spread * account[:-1, :-1])]
    )
    deviance = log_determinant + freedom * (1.0 + np.log(2.0 * np.pi * rss / freedom))
    gradient = traces - norms * freedom / rss
    return Point(
        ratios, float(deviance), gradient, norms, traces, inverse, solution, rss, freedom, float(log_determinant)
    )


def _cholesky(equations: Floats) -> Floats:
    try:
        return np.asarray(np.linalg.cholesky(equations), dtype=np.float64)
    except np.linalg.LinAlgError:
        raise ParameterError(
            "the gaps vary no more than the fixed effects explain, or two fixed effects are one: nothing to split",
            "gap",
        ) from None
