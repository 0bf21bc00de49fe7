"""The restricted likelihood of variance ratios, from moments alone.

With error variance s2 the variance of a panel is s2 V, V = I + r_m Zm Zm' + r_a Za Za' + r_c Zc Zc' + r_l Zl Zl' for
months, advisors, accounts and what the accounts of one model share in a month. Effects are written as sqrt(r) times
spherical ones, so that a ratio of zero is an ordinary point (Bates, Maechler, Bolker and Walker 2015, Fitting linear
mixed-effects models using lme4, section 3). Accounts are eliminated first, then models' months, one model at a time:
different models share none of either.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from workbench.attribution.implementation.moments import Moments
from workbench.attribution.implementation.panel import Floats
from workbench.errors import ParameterError

#: The random effects, in the order of every array of ratios.
FACTORS = ("month", "advisor", "account", "model_month")
#: A residual sum of squares below this share of y'y is rounding: the gaps are explained exactly.
_EXACT = 1e-13


@dataclass(frozen=True, eq=False)
class Point:
    """The likelihood at one set of ratios, s2 profiled out.

    - `deviance`: -2 log (restricted) likelihood, its constant included.
    - `gradient` (4): of the deviance, by the log of each ratio. `norms` (4): squared length of each spherical effect.
    - `inverse`: of the equations for [months, advisors, fixed], spherical; s2 times it is their prediction covariance.
    - `solution`: spherical effects and fixed coefficients. `rss`: y'Py; `freedom`: n - p (n for maximum likelihood).
    - `model_month` (L x M): what each model's accounts share in each month, bp; zero where left out.
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
    model_month: Floats

    @property
    def error_variance(self) -> float:
        """The estimate of s2 at these ratios."""
        return self.rss / self.freedom


@dataclass(frozen=True, eq=False)
class _Eliminated:
    """The equations for [months, advisors, fixed, y] once accounts and models' months are eliminated, not yet scaled.

    - `left` (q x q), and `account` (q x q): its derivative by the log of the accounts' ratio, sign turned.
    - `log_determinant` of what was eliminated; `own`: the derivative of that by the log of the accounts' ratio.
    - `predict` (L x M x q): models' months, given the rest; `inverse` (L x M x M): of their own equations.
    """

    left: Floats
    account: Floats
    log_determinant: float
    own: float
    predict: Floats | None
    inverse: Floats | None


def _eliminate(moments: Moments, ratio: float, of_models: float) -> _Eliminated:
    """Eliminate accounts, then models' months."""
    shrink = 1.0 + ratio * moments.counts
    log_determinant = float(moments.accounts_with @ np.log(shrink))
    own = float(moments.accounts_with @ (1.0 - 1.0 / shrink))
    factor = np.stack([ratio / shrink, ratio / shrink**2])
    if of_models == 0.0:
        taken, slope = np.tensordot(factor, moments.by_count, axes=1)
        return _Eliminated(moments.products.sum(axis=0) - taken, slope, log_determinant, own, None, None)
    size, months = moments.products.shape[-1], moments.n_months
    flat = moments.by_count.reshape(len(moments.counts), -1)
    parts = [factor[:, a:b] @ flat[a:b] for a, b in itertools.pairwise(moments.first)]
    both = np.stack(parts, axis=1).reshape(2, len(moments.products), size, size)
    rows, slope = moments.products - both[0], both[1]
    above = rows[:, :months, :]
    equations = of_models * above[:, :, :months]
    equations[:, np.arange(months), np.arange(months)] += 1.0
    inverse = np.linalg.inv(equations)
    predict = of_models * (inverse @ above)
    log_determinant += float(np.linalg.slogdet(equations)[1].sum())
    own -= of_models * float(np.sum(inverse * slope[:, :months, :months]))
    stacked = predict.reshape(-1, size)
    left = rows.sum(axis=0) - above.reshape(-1, size).T @ stacked
    crossed = slope[:, :months, :].reshape(-1, size).T @ stacked
    inside = stacked.T @ (slope[:, :months, :months] @ predict).reshape(-1, size)
    return _Eliminated(
        (left + left.T) / 2.0, slope.sum(axis=0) - crossed - crossed.T + inside, log_determinant, own, predict, inverse
    )  # fmt: skip


def likelihood(moments: Moments, ratios: Floats, *, restricted: bool = True) -> Point:
    """Evaluate at variance ratios (month, advisor, account, model's month), each at least zero.

    Raises ParameterError where the fixed effects leave nothing to explain.
    """
    random, fixed = moments.n_random, moments.n_fixed
    scale = np.concatenate([np.repeat(np.sqrt(ratios[:2]), [moments.n_months, moments.n_advisors]), np.ones(fixed + 1)])
    reduced = _eliminate(moments, float(ratios[2]), float(ratios[3]))
    equations = reduced.left * (scale[:, None] * scale)
    equations[np.arange(random), np.arange(random)] += 1.0
    root = _cholesky(equations)
    diagonal = np.diagonal(root)
    rss = float(diagonal[-1] ** 2)
    if rss <= _EXACT * moments.products[:, -1, -1].sum():
        raise ParameterError("the gaps vary no more than the fixed effects explain: there is nothing to split", "gap")
    inner = solve_triangular(root[:-1, :-1], np.eye(random + fixed), lower=True)
    inverse = inner.T @ inner
    solution = inner.T @ root[-1, :-1]
    log_determinant = 2.0 * np.log(diagonal[:random]).sum() + reduced.log_determinant
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
    left = np.append(-solution, 1.0)
    account = reduced.account * (scale[:, None] * scale)
    norms = [*(solution[part] @ solution[part] for part in ends), left @ account @ left]
    traces = [len(part) - np.trace(spread[np.ix_(part, part)]) for part in ends]
    traces.append(reduced.own - np.sum(spread * account[:-1, :-1]))
    model_month = np.zeros((moments.n_models, moments.n_months))
    if reduced.predict is None or reduced.inverse is None:
        norms.append(0.0)
        traces.append(0.0)
    else:
        model_month = reduced.predict @ (scale * left)
        given = (reduced.predict * scale)[:, :, :-1].reshape(-1, random + fixed)
        norms.append(float(np.sum(model_month**2)) / ratios[3])
        trace = float(np.trace(reduced.inverse, axis1=1, axis2=2).sum())
        traces.append(model_month.size - trace - float(np.sum((given @ spread) * given)) / ratios[3])
    deviance = log_determinant + freedom * (1.0 + np.log(2.0 * np.pi * rss / freedom))
    gradient = np.array(traces) - np.array(norms) * freedom / rss
    return Point(
        ratios, float(deviance), gradient, np.array(norms), np.array(traces), inverse, solution, rss, freedom,
        float(log_determinant), model_month,
    )  # fmt: skip


def _cholesky(equations: Floats) -> Floats:
    try:
        return np.asarray(np.linalg.cholesky(equations), dtype=np.float64)
    except np.linalg.LinAlgError:
        raise ParameterError(
            "the gaps vary no more than the fixed effects explain, or two fixed effects are one: nothing to split",
            "gap",
        ) from None
