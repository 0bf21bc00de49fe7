"""Variance components by restricted maximum likelihood: months, models' months, advisors, accounts and error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import chdtrc

from workbench.attribution.implementation.likelihood import FACTORS, Point, likelihood
from workbench.attribution.implementation.moments import Moments, moments
from workbench.attribution.implementation.panel import Floats, Panel
from workbench.attribution.implementation.threads import one_thread
from workbench.errors import ParameterError

#: Where the search starts and how far it goes, in logs of variance ratios.
_START = np.log([0.05, 0.02, 0.05, 0.05])
_BOUNDS = (-16.0, 10.0)
#: A ratio at which the effect uses less than this many degrees of freedom is tried as zero.
_NEARLY_ZERO = 1e-2
_SMALL_RATIO = 1e-6
#: Deviances, and slopes a row, that differ by less are the same.
_SAME = 1e-7


@dataclass(frozen=True, eq=False)
class Component:
    """One variance component: `variance` (bp^2), its `share` of all, and the test of it against none.

    `ratio_statistic` is twice the gain in restricted log likelihood; under no variance it is an equal mixture of zero
    and chi-square with one degree (Self and Liang 1987; Stram and Lee 1994), and `p` its tail. Both None for the error
    and for a component that cannot be estimated.
    """

    name: str
    variance: float
    share: float
    ratio_statistic: float | None
    p: float | None


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted model.

    - `custodian_mean` (K): each custodian's mean gap, bp a month, at average models and covariates; `model_mean`: of
      each model that is kept, against the largest; `slope` of each kept covariate, bp a unit. `covariance` is that of
      the three together, the common month's shock included.
    - `month`, `advisor`, `account`, `model_month` (L x M): predicted effects, bp (shrunken towards zero), with their
      prediction errors' standard deviations for months and advisors.
    - `unexplained` (C): each account's mean gap less all of these but its own, not shrunken, bp.
    - `separable` (4): whether months, advisors, accounts and models' months could be told from the rest.
    - `notes`: what could not be estimated, and why, in sentences.
    """

    panel: Panel
    moments: Moments
    point: Point
    components: tuple[Component, ...]
    custodian_mean: Floats
    model_mean: Floats
    slope: Floats
    covariance: Floats
    month: Floats
    month_error: Floats
    advisor: Floats
    advisor_error: Floats
    account: Floats
    model_month: Floats
    unexplained: Floats
    separable: NDArray[np.bool_]
    notes: tuple[str, ...]

    def component(self, name: str) -> Component:
        """The component of this name: month, model_month, advisor, account or error."""
        return next(part for part in self.components if part.name == name)

    @property
    def months_shared(self) -> bool:
        """Whether the common month's shock is in the model."""
        return self.point.ratios[0] > 0.0


def fit(panel: Panel, *, tests: bool = True) -> Fit:
    """Fit custodians, models and covariates as fixed, months, models' months, advisors and accounts as random effects.

    `tests=False` leaves out the likelihood ratios. A random effect that the panel cannot separate is left out and
    noted. Raises ParameterError where there are not more rows than fixed effects, or nothing varies.
    """
    with one_thread():
        return _fit(panel, tests)


def _fit(panel: Panel, tests: bool) -> Fit:
    sums = moments(panel)
    if sums.n_rows <= sums.n_fixed:
        raise ParameterError(
            f"{sums.n_rows} account-months cannot bear {sums.n_fixed} fixed effects: "
            "take more months or fewer covariates",
            "panel",
        )
    free, notes = _separable(panel)
    best = maximise(sums, free)
    reduced: dict[str, Point] = {}
    if tests:
        for place, name in enumerate(FACTORS):
            if free[place]:
                without = free.copy()
                without[place] = False
                reduced[name] = maximise(sums, without, start=best.ratios)
                # A reduced model that is no worse is the better one: the full search stopped short of zero.
                best = min(best, reduced[name], key=lambda point: point.deviance)
    return _describe(panel, sums, best, reduced, free, tuple(notes))


def maximise(sums: Moments, free: Sequence[bool] | np.ndarray, *, start: Floats | None = None) -> Point:
    """The best restricted likelihood over the free ratios, zero included for each.

    A quasi-Newton search over logs of ratios. Those that go to minus infinity are set to zero and the rest is fitted
    again; a zero is left again where the likelihood rises from it. Every round is better than the one before.
    """
    free = np.asarray(free, dtype=bool)
    logs = _START if start is None else np.where(start > 0.0, np.log(np.where(start > 0.0, start, 1.0)), _START)
    point = _search(sums, free, logs)
    for _ in range(2 * len(FACTORS)):
        positive = point.ratios > 0.0
        small = positive & (point.traces < _NEARLY_ZERO)
        if small.any():
            without = _search(sums, positive & ~small, np.log(np.where(positive, point.ratios, 1.0)))
            if without.deviance <= point.deviance + _SAME:
                point = without
        positive = point.ratios > 0.0
        rising = free & ~positive & (_slope_at_zero(sums, point) < -_SAME * sums.n_rows)
        if not rising.any():
            return point
        logs = np.where(positive, np.log(np.where(positive, point.ratios, 1.0)), _START)
        further = _search(sums, positive | rising, logs)
        if further.deviance > point.deviance - _SAME:
            return point
        point = further
    return point


def _search(sums: Moments, active: np.ndarray, logs: Floats) -> Point:
    def ratios(free_logs: Floats) -> Floats:
        full = np.zeros(len(FACTORS))
        full[active] = np.exp(free_logs)
        return full

    def objective(free_logs: Floats) -> tuple[float, Floats]:
        point = likelihood(sums, ratios(free_logs))
        return point.deviance, point.gradient[active]

    where = logs[active]
    if active.any():
        found = minimize(
            objective, np.clip(where, *_BOUNDS), jac=True, method="L-BFGS-B", bounds=[_BOUNDS] * int(active.sum()),
            options={"ftol": 1e-14, "gtol": 1e-7, "maxiter": 200},
        )  # fmt: skip
        where = found.x
    return likelihood(sums, ratios(where))


def _slope_at_zero(sums: Moments, point: Point) -> Floats:
    """The deviance's slope in each zero ratio: negative where leaving zero would raise the likelihood."""
    slopes = np.zeros(len(FACTORS))
    for place in np.flatnonzero(point.ratios == 0.0):
        near = point.ratios.copy()
        near[place] = _SMALL_RATIO
        slopes[place] = likelihood(sums, near).gradient[place] / near[place]
    return slopes


def _separable(panel: Panel) -> tuple[np.ndarray, list[str]]:
    """Which random effects the panel can tell from the others, and a sentence for each that it cannot."""
    n_rows, n_accounts, n_months = len(panel.gap), len(panel.accounts), len(panel.months)
    n_advisors, n_custodians = len(panel.advisors), len(panel.custodians)
    pairs = len(np.unique(panel.advisor_of * n_custodians + panel.custodian_of))
    free, notes = np.ones(len(FACTORS), dtype=bool), []
    if n_months == 1:
        free[0] = False
        notes.append(
            "There is one month: what it did to all accounts cannot be told from what lasts, so that the interval of "
            "the mean leaves it out and is too narrow."
        )
    elif n_months == n_rows:
        free[0] = False
        notes.append("Every month has one account: what the month did to all cannot be told from chance.")
    if n_advisors == 1:
        free[1] = False
        notes.append("There is one advisor: what is that advisor's cannot be told from what all accounts share.")
    elif n_advisors == n_accounts:
        free[1] = False
        notes.append("Every advisor has one account: advisor and account cannot be told apart; both show as account.")
    elif pairs == n_custodians:
        free[1] = False
        notes.append("Every custodian has one advisor: custodian and advisor cannot be told apart at all.")
    if n_accounts == 1:
        free[2] = False
        notes.append("There is one account: what is its own cannot be told from what accounts share.")
    elif panel.n_months.max() == 1:
        free[2] = False
        notes.append("Every account has one month: what lasts cannot be told from chance; both show as chance.")
    elif n_custodians == n_accounts:
        free[2] = False
        notes.append("Every custodian has one account: custodian and account cannot be told apart.")
    model = panel.model_of[panel.account]
    shared = len(np.unique(model * n_months + panel.month))
    # With a model each month, or an account each model and month, that effect is the month's or the error.
    free[3] = len(panel.models) > 1 and n_months < shared < n_rows
    if n_custodians == 1:
        notes.append("There is one custodian: what is that custodian's cannot be told from what all accounts share.")
    return free, notes


def _describe(
    panel: Panel,
    sums: Moments,
    point: Point,
    reduced: dict[str, Point],
    free: NDArray[np.bool_],
    notes: tuple[str, ...],
) -> Fit:
    """Back from spherical effects and scaled columns to basis points."""
    error = point.error_variance
    variances = np.append(point.ratios, 1.0) * error
    components = []
    for place, name in enumerate((*FACTORS, "error")):
        statistic = p = None
        if name in reduced:
            gain = reduced[name].deviance - point.deviance
            statistic = gain if gain > _SAME else 0.0
            p = 0.5 * float(chdtrc(1.0, statistic)) if statistic > 0.0 else 1.0
        share = float(variances[place] / variances.sum())
        components.append(Component(name, float(variances[place]), share, statistic, p))
    random, many = sums.n_random, sums.n_custodians
    unscale = np.append(np.ones(many), 1.0 / sums.scale)
    fixed = point.solution[random:] * unscale
    covariance = error * point.inverse[random:, random:] * unscale[:, None] * unscale
    root = np.repeat(np.sqrt(point.ratios[:2]), [sums.n_months, sums.n_advisors])
    effects = root * point.solution[:random]
    errors = np.sqrt(error * np.diagonal(point.inverse)[:random]) * root
    left = np.append(-point.solution * np.append(root, np.ones(sums.n_fixed)), 1.0)
    rest = sums.sums @ left - np.sum(sums.sums[:, : sums.n_months] * point.model_month[panel.model_of], axis=1)
    account = point.ratios[2] / (1.0 + point.ratios[2] * sums.count_of) * rest
    split, means = sums.n_months, sums.n_means
    if len(sums.kept_models) < sums.n_models - 1:
        notes += (
            "Some models are followed at one custodian alone: what is theirs cannot be told from the custodian's.",
        )
    return Fit(
        panel, sums, point, tuple(components), fixed[:many], fixed[many:means], fixed[means:], covariance,
        effects[:split], errors[:split], effects[split:], errors[split:], account, point.model_month,
        rest / sums.count_of, free, notes,
    )  # fmt: skip
