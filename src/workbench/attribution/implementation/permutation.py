"""Custodians exchanged among an advisor's own accounts: a check that needs no distribution and no model of advisors."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import gammaln

from workbench.attribution.implementation.moments import moments
from workbench.attribution.implementation.panel import Floats, Ints
from workbench.attribution.implementation.reml import Fit, maximise
from workbench.errors import ParameterError

#: Permutations of one block of work, so that memory does not grow with their number.
_BLOCK = 1 << 21


@dataclass(frozen=True, eq=False)
class Permutation:
    """What would be seen if custodians made no difference.

    - `difference`, `error` (K): each custodian against the others within the same advisors, bp a month, and its
      standard deviation over the permutations; NaN where no advisor has both.
    - `p` (K): share of permutations whose largest standardised difference of any custodian is at least this one's,
      (1 + k) / (1 + B); NaN where there is no comparison. `smallest_p` is that of all custodians together.
    - `critical` (K): the difference at which p falls to 5 %, bp a month.
    - `drawn` (B): the largest standardised difference of each permutation; `seen`: that of the firm.
    - `arrangements`: log10 of how many ways there are to exchange the labels.
    """

    difference: Floats
    error: Floats
    p: Floats
    critical: Floats
    drawn: Floats
    seen: float
    arrangements: float
    draws: int

    @property
    def possible(self) -> bool:
        """Whether any advisor has accounts at two custodians."""
        return bool(np.isfinite(self.p).any())

    @property
    def smallest_p(self) -> float | None:
        """P of the most different custodian, the search among all of them counted; None without a comparison."""
        return float(np.nanmin(self.p)) if self.possible else None


def permute(fit: Fit, random: np.random.Generator, draws: int = 1999, alpha: float = 0.05) -> Permutation:
    """Exchange custodians among each advisor's accounts `draws` times.

    Months' effects and slopes are those of the model without custodians, so that nothing taken off an account's gaps
    depends on the labels exchanged; an account's mean counts by its precision. Accounts of one advisor are exchangeable
    where no custodian matters: then p is exact whatever the distribution of the gaps.
    """
    if draws < 1:
        raise ParameterError(f"permutations need at least one draw, not {draws}", "draws")
    panel, n_custodians = fit.panel, len(fit.panel.custodians)
    mean, weight = _account_means(fit)
    advisor_of = panel.advisor_of
    total = np.bincount(advisor_of, weights=weight)
    mean = mean - (np.bincount(advisor_of, weights=weight * mean) / total)[advisor_of]
    # Only advisors with two custodians can tell; the others' accounts would be exchanged for nothing.
    members = np.zeros((len(panel.advisors), n_custodians))
    np.add.at(members, (advisor_of, panel.custodian_of), 1.0)
    telling = (members > 0).sum(axis=1)[advisor_of] > 1
    order = np.flatnonzero(telling)[np.argsort(advisor_of[telling], kind="stable")]
    absent = np.full(n_custodians, np.nan)
    if not len(order):
        return Permutation(absent, absent, absent, absent, np.empty(0), float("nan"), 0.0, draws)
    advisor, custodian, weight, mean = advisor_of[order], panel.custodian_of[order], weight[order], mean[order]
    starts = np.flatnonzero(np.diff(advisor, prepend=-1))

    seen, seen_by = _standardised(custodian[None, :], weight, mean, starts, n_custodians)
    comparable = np.isfinite(seen[0])
    drawn = np.empty((draws, n_custodians))
    scale = np.empty((draws, n_custodians))
    block = max(1, _BLOCK // len(order))
    for first in range(0, draws, block):
        size = min(block, draws - first)
        keys = random.random((size, len(order)))
        keys += advisor
        labels = custodian[np.argsort(keys, axis=1)]
        drawn[first : first + size], scale[first : first + size] = _standardised(
            labels, weight, mean, starts, n_custodians
        )
    largest = np.max(np.abs(drawn[:, comparable]), axis=1)
    as_large = (largest[:, None] >= np.abs(seen[0])[None, :] * (1.0 - 1e-12)).sum(axis=0)
    p = np.where(comparable, (1.0 + as_large) / (1.0 + draws), np.nan)
    differences = drawn / np.sqrt(scale)
    edge = float(np.sort(largest)[::-1][max(0, int(np.floor(alpha * (draws + 1))) - 1)])
    information = np.sqrt(seen_by[0])
    ways = gammaln(members.sum(axis=1) + 1.0).sum() - gammaln(members + 1.0).sum()
    with np.errstate(invalid="ignore", divide="ignore"):
        return Permutation(
            seen[0] / information, np.where(comparable, differences.std(axis=0), np.nan), p,
            np.where(comparable, edge / information, np.nan), largest,
            float(np.nanmax(np.abs(seen[0]))), float(ways / np.log(10.0)), draws,
        )  # fmt: skip


def _account_means(fit: Fit) -> tuple[Floats, Floats]:
    """Each account's mean gap without months, models and covariates, were no custodian to differ; its weight."""
    panel = fit.panel
    one = replace(panel, custodian_of=np.zeros_like(panel.custodian_of), custodians=panel.custodians[:1])
    sums = moments(one.with_covariates(fit.moments.kept))
    null = maximise(sums, fit.separable, start=fit.point.ratios)
    random = sums.n_random
    month = np.sqrt(null.ratios[0]) * null.solution[: sums.n_months]
    left = -np.concatenate([month, np.zeros(sums.n_advisors + 1), null.solution[random + 1 :], [-1.0]])
    rest = sums.sums @ left - np.sum(sums.sums[:, : sums.n_months] * null.model_month[panel.model_of], axis=1)
    return rest / sums.count_of, 1.0 / (null.ratios[2] + 1.0 / sums.count_of)


def _standardised(labels: Ints, weight: Floats, mean: Floats, starts: Ints, n_custodians: int) -> tuple[Floats, Floats]:
    """For each row of labels (B x C): the custodians' scores within advisors over their root information, and that."""
    total = np.add.reduceat(weight, starts)
    score = np.empty((len(labels), n_custodians))
    information = np.empty_like(score)
    for custodian in range(n_custodians):
        here = np.where(labels == custodian, weight, 0.0)
        score[:, custodian] = here @ mean
        by_advisor = np.add.reduceat(here, starts, axis=1)
        information[:, custodian] = by_advisor.sum(axis=1) - (by_advisor**2 / total).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(information > 1e-9 * weight.max(), score / np.sqrt(information), np.nan), information
