"""Estimates with intervals: t and F tests whose degrees of freedom follow from how well the variances are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import fdtrc, stdtr, stdtrit

from workbench.attribution.implementation.likelihood import likelihood
from workbench.attribution.implementation.panel import Floats
from workbench.attribution.implementation.reml import Fit

#: Step of the numerical derivatives, in logs of ratios.
_STEP = 1e-3


@dataclass(frozen=True)
class Estimate:
    """A figure with its uncertainty: bp a month, standard error, degrees of freedom, interval and two-sided p."""

    value: float
    error: float
    freedom: float
    low: float
    high: float
    p: float


@dataclass(frozen=True, eq=False)
class Inference:
    """Tests of linear combinations of a fit's effects.

    The degrees of freedom of a combination with variance v are 2 v^2 / var(v), var(v) by the delta method from the
    curvature of the restricted likelihood (Satterthwaite 1946; Fai and Cornelius 1996; as in lmerTest, Kuznetsova,
    Brockhoff and Christensen 2017). A combination takes weights on [months, advisors, custodians, models, covariates].
    """

    fit: Fit
    level: float = 0.95

    @cached_property
    def _spread(self) -> tuple[Floats, tuple[Floats, ...], Floats]:
        """Covariance of all effects, its derivative by each log variance, and the covariance of those logs."""
        point, sums = self.fit.point, self.fit.moments
        error = point.error_variance
        active = np.flatnonzero(point.ratios > 0.0)
        centre = self._covariance(point.ratios, error)
        derivatives, curvature = [centre], np.zeros((len(active) + 1, len(active) + 1))
        curvature[0, 0] = point.freedom
        curvature[0, 1:] = curvature[1:, 0] = point.norms[active] / error
        for row, place in enumerate(active, start=1):
            sides = []
            for step in (_STEP, -_STEP):
                ratios = point.ratios.copy()
                ratios[place] *= np.exp(step)
                near = likelihood(sums, ratios)
                sides.append((self._covariance(ratios, error), near.traces - near.norms / error))
            derivatives.append((sides[0][0] - sides[1][0]) / (2.0 * _STEP))
            curvature[row, 1:] = ((sides[0][1] - sides[1][1]) / (2.0 * _STEP))[active]
        curvature = (curvature + curvature.T) / 2.0
        values, vectors = np.linalg.eigh(curvature)
        # A direction in which the likelihood is flat or rises says nothing: its variance counts as large, not as none.
        values = np.clip(values, 1e-8 * values[-1], None)
        return centre, tuple(derivatives), 2.0 * (vectors / values) @ vectors.T

    def _covariance(self, ratios: Floats, error: float) -> Floats:
        sums = self.fit.moments
        random = np.repeat(np.sqrt(ratios[:2]), [sums.n_months, sums.n_advisors])
        scale = np.concatenate([random, np.ones(sums.n_custodians), 1.0 / sums.scale])
        inverse = likelihood(sums, ratios).inverse
        return error * inverse * scale[:, None] * scale

    @cached_property
    def effects(self) -> Floats:
        """Months, advisors (both predicted), means of custodians and models, slopes, in the order of the weights."""
        fit = self.fit
        return np.concatenate([fit.month, fit.advisor, fit.custodian_mean, fit.model_mean, fit.slope])

    def weights(
        self,
        *,
        advisors: Floats | None = None,
        custodians: Floats | None = None,
        models: Floats | None = None,
        covariates: Floats | None = None,
    ) -> Floats:
        """The weights of a combination (`models`: of those kept); what is not given is zero."""
        sums = self.fit.moments
        parts = (None, advisors, custodians, models, covariates)
        sizes = (sums.n_months, sums.n_advisors, sums.n_custodians, len(sums.kept_models), len(sums.kept))
        return np.concatenate([np.zeros(size) if part is None else part for part, size in zip(parts, sizes)])

    def freedom(self, weights: Floats) -> float:
        """Degrees of freedom of a combination's variance."""
        centre, derivatives, covariance = self._spread
        variance = float(weights @ centre @ weights)
        if variance <= 0.0:
            return float(self.fit.point.freedom)
        slope = np.array([weights @ derivative @ weights for derivative in derivatives])
        freedom = 2.0 * variance**2 / float(slope @ covariance @ slope)
        return float(np.clip(freedom, 1.0, self.fit.point.freedom))

    def estimate(self, weights: Floats) -> Estimate:
        """A combination with its standard error, interval and two-sided p."""
        value = float(weights @ self.effects)
        error = float(np.sqrt(max(0.0, float(weights @ self._spread[0] @ weights))))
        freedom = self.freedom(weights)
        reach = error * float(stdtrit(freedom, 0.5 + self.level / 2.0))
        p = float(2.0 * stdtr(freedom, -abs(value) / error)) if error > 0.0 else 1.0
        return Estimate(value, error, freedom, value - reach, value + reach, p)

    def joint_p(self, rows: Sequence[Floats]) -> float | None:
        """P of the F test that all combinations are zero (Fai and Cornelius 1996); None without a combination."""
        if not len(rows):
            return None
        matrix = np.vstack(rows)
        values, vectors = np.linalg.eigh(matrix @ self._spread[0] @ matrix.T)
        kept = values > 1e-10 * float(values[-1])
        turned = vectors.T[kept] @ matrix
        statistic = float(np.mean((turned @ self.effects) ** 2 / values[kept]))
        freedoms = np.array([self.freedom(row) for row in turned])
        bearing = freedoms[freedoms > 2.0]
        expected = float(np.sum(bearing / (bearing - 2.0)))
        size = int(kept.sum())
        below = 2.0 * expected / (expected - size) if expected > size else 2.0
        if size == 1:
            below = float(freedoms[0])
        return float(fdtrc(size, below, statistic))


def benjamini_hochberg(p: Sequence[float] | Floats) -> Floats:
    """P values adjusted so that the expected share of false findings is kept (Benjamini and Hochberg 1995)."""
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values)[::-1]
    scaled = values[order] * len(values) / np.arange(len(values), 0, -1)
    adjusted = np.empty(len(values))
    adjusted[order] = np.minimum(1.0, np.minimum.accumulate(scaled))
    return adjusted
