"""Which custodians and advisors fall short, by which tests, and the smallest effects that would have been seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import ndtri, stdtr, stdtrit

from workbench.attribution.implementation.inference import Estimate
from workbench.attribution.implementation.likelihood import likelihood
from workbench.attribution.implementation.overlap import comparisons, overlap
from workbench.attribution.implementation.panel import Floats, Panel
from workbench.attribution.implementation.permutation import Permutation
from workbench.attribution.implementation.reml import Fit

Kind = Literal["systemic", "custodian", "advisor", "not distinguishable"]
#: The power that the smallest detectable effect is stated at.
POWER = 0.8
#: A ratio of advisor variance so large that effects are no longer drawn together.
_NO_SHRINKAGE = 1e4
#: Share of such a variance that remains in a comparison about which the data say nothing.
_UNKNOWN = 1e-2


@dataclass(frozen=True)
class Effect:
    """One custodian or advisor against the others of its kind.

    - `estimate`: bp a month; an advisor's is shrunken towards the others, `unshrunken` is not (None for a custodian and
      where the data cannot tell).
    - `q`: p of its t test adjusted for all custodians and advisors tested together (Benjamini-Hochberg). An advisor's
      is of the effect as measured: shrinking serves the size, and tests of what is shrunken find half as much.
    - `permutation_p`: custodians only, None where no advisor has accounts at two custodians.
    - `comparisons`: accounts that tell it from what it is confounded with, in equivalents of one account; 0 where none
      does. `detectable`: the smallest effect these data would have shown with 80 % power, None where none.
    - `blamed`: short of the others by every test. `better`: the same, the other way. `unconfirmed`: short by the
      model's test alone.
    """

    kind: Kind
    key: str
    accounts: int
    share: float
    estimate: Estimate
    unshrunken: Estimate | None
    q: float
    permutation_p: float | None
    comparisons: float
    detectable: float | None
    blamed: bool
    better: bool
    unconfirmed: bool


@dataclass(frozen=True)
class Rule:
    """When someone is named: the level, the least shortfall in bp a month, how many are tested together, and the p of
    the test that any of them differs (None where there is none)."""

    alpha: float
    least: float
    tests: int
    any_differs: float | None

    def by_model(self, value: float, q: float) -> bool:
        """Whether the model's tests agree on an effect worth naming."""
        return bool(max(q, self.any_differs or 0.0) <= self.alpha and abs(value) >= self.least)

    def limit(self, freedom: float) -> float:
        """Standard errors at which a single true effect passes the adjusted test: that of the smallest of all p."""
        return float(stdtrit(freedom, 1.0 - self.alpha / (2.0 * self.tests)))


def against_others(share: Floats) -> Floats:
    """Weights that set each of K against the others, these by their share (K x K); none where there is one."""
    if len(share) == 1:
        return np.empty((0, 1))
    weights = -share / (1.0 - share)[:, None]
    np.fill_diagonal(weights, 1.0)
    return np.asarray(weights)


def custodian_effects(
    panel: Panel, share: Floats, estimates: Sequence[Estimate], adjusted: Floats, exchange: Permutation, rule: Rule
) -> tuple[Effect, ...]:
    """Each custodian's effect; named where the model's tests and the exchange of labels agree."""
    telling, accounts = comparisons(overlap(panel)), np.bincount(panel.custodian_of)
    effects = []
    for k, (estimate, q) in enumerate(zip(estimates, adjusted, strict=True)):
        p = float(exchange.p[k]) if np.isfinite(exchange.p[k]) else None
        by_model, short = rule.by_model(estimate.value, q), estimate.value < 0.0
        agreed, reach = by_model and p is not None and p <= rule.alpha, None
        if p is not None:
            limit = max(float(exchange.critical[k]), rule.limit(estimate.freedom) * estimate.error)
            reach = limit + float(ndtri(POWER)) * max(float(exchange.error[k]), estimate.error)
        effects.append(
            Effect(
                "custodian", str(panel.custodians[k]), int(accounts[k]), float(share[k]), estimate, None, float(q), p,
                float(telling[k]), reach, agreed and short, agreed and not short, by_model and short and not agreed,
            )
        )  # fmt: skip
    return tuple(effects)


def advisor_effects(
    fitted: Fit, share: Floats, shrunken: Sequence[Estimate], measured: Sequence[Estimate], adjusted: Floats, rule: Rule
) -> tuple[Effect, ...]:
    """Each advisor's effect; named where its own test agrees and others share its custodians."""
    panel = fitted.panel
    telling, accounts = comparisons(overlap(panel).T), np.bincount(panel.advisor_of)
    effects = []
    for k, (estimate, raw, q) in enumerate(zip(shrunken, measured, adjusted, strict=True)):
        tells, short = bool(telling[k] > 0.0 and np.isfinite(raw.error)), estimate.value < 0.0
        by_model = rule.by_model(estimate.value, q)
        reach = raw.error * (rule.limit(raw.freedom) + float(ndtri(POWER))) if tells else None
        effects.append(
            Effect(
                "advisor", str(panel.advisors[k]), int(accounts[k]), float(share[k]), estimate, raw if tells else None,
                float(q), None, float(telling[k]) if tells else 0.0, reach, by_model and tells and short,
                by_model and tells and not short, by_model and short and not tells,
            )
        )  # fmt: skip
    return tuple(effects)


def measured_advisors(fitted: Fit, share: Floats, level: float) -> list[Estimate]:
    """Each advisor against the others with nothing known of advisors beforehand: not shrunken; p is 1 and the error
    infinite where some of them cannot be compared.

    Degrees of freedom are those of accounts within advisors and custodians, as if each account were one figure.
    """
    ratios = fitted.point.ratios.copy()
    ratios[1] = _NO_SHRINKAGE * (1.0 + ratios[2])
    point, sums = likelihood(fitted.moments, ratios), fitted.moments
    part = slice(sums.n_months, sums.n_random)
    effects = np.sqrt(ratios[1]) * point.solution[part]
    covariance = fitted.point.error_variance * ratios[1] * point.inverse[part, part]
    freedom = float(max(1, len(fitted.panel.accounts) - sums.n_advisors - sums.n_custodians + 1))
    found = []
    for row in against_others(share):
        value, error = float(row @ effects), float(np.sqrt(max(0.0, float(row @ covariance @ row))))
        if error**2 > _UNKNOWN * fitted.point.error_variance * ratios[1] * float(row @ row):
            found.append(Estimate(value, float("inf"), freedom, -float("inf"), float("inf"), 1.0))
            continue
        reach = error * float(stdtrit(freedom, 0.5 + level / 2.0))
        p = float(2.0 * stdtr(freedom, -abs(value) / error)) if error > 0.0 else 1.0
        found.append(Estimate(value, error, freedom, value - reach, value + reach, p))
    return found
