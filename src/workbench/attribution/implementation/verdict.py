"""Model, custodian or advisor: what is to blame, by which tests, and what the data cannot tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import norm, t

from workbench.attribution.implementation import words
from workbench.attribution.implementation.inference import Estimate, Inference, benjamini_hochberg
from workbench.attribution.implementation.likelihood import likelihood
from workbench.attribution.implementation.overlap import comparisons, overlap
from workbench.attribution.implementation.panel import Floats, Ints, Panel
from workbench.attribution.implementation.permutation import Permutation, permute
from workbench.attribution.implementation.reml import Fit, fit
from workbench.errors import ParameterError

Kind = Literal["systemic", "custodian", "advisor", "not distinguishable"]
#: The power that the smallest detectable effect is stated at.
POWER = 0.8
#: A shortfall smaller than this, bp a month, is not worth a name.
LEAST_EFFECT = 0.5
#: A ratio of advisor variance so large that effects are no longer drawn together.
_NO_SHRINKAGE = 1e4


@dataclass(frozen=True)
class Effect:
    """One custodian or advisor against the others of its kind.

    - `estimate`: bp a month; an advisor's is shrunken towards the others, `unshrunken` is not (None for a custodian and
      where the data cannot tell).
    - `q`: its p adjusted for all custodians and advisors tested together (Benjamini-Hochberg).
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


@dataclass(frozen=True, eq=False)
class Verdict:
    """What the gaps of accounts to their models come from.

    - `systemic`: the mean gap that all accounts share, bp a month, of the custodians that are not blamed.
    - `mean`: the mean gap of all account-months.
    - `custodians_p`: F test that no custodian differs; `advisors_p`: likelihood ratio that no advisor does; None where
      there is nothing to compare.
    - `tests`: how many custodians and advisors were tested together.
    - `inseparable`: custodians and advisors that no account can tell apart.
    """

    fit: Fit
    alpha: float
    least: float
    systemic: Estimate
    systemic_detectable: float
    mean: Estimate
    custodians: tuple[Effect, ...]
    advisors: tuple[Effect, ...]
    custodians_p: float | None
    advisors_p: float | None
    permutation: Permutation
    tests: int
    inseparable: tuple[str, ...]

    @property
    def blamed(self) -> tuple[Effect, ...]:
        """Custodians and advisors that are blamed, the costliest to the firm first."""
        found = [effect for effect in (*self.custodians, *self.advisors) if effect.blamed]
        return tuple(sorted(found, key=lambda effect: effect.estimate.value * effect.share))

    @property
    def systemic_found(self) -> bool:
        """Whether what all accounts share falls short of the models."""
        return self.systemic.p <= self.alpha and self.systemic.value <= -self.least

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """What the verdict finds, the costliest to the firm first."""
        found: list[tuple[float, Kind]] = [(e.estimate.value * e.share, e.kind) for e in self.blamed]
        if self.systemic_found:
            found.append((self.systemic.value, "systemic"))
        kinds = tuple(dict.fromkeys(kind for _, kind in sorted(found)))
        return kinds or ("not distinguishable",)

    def sentence(self) -> str:
        """The verdict as one or more plain sentences, with interval, tests and what cannot be told."""
        return words.sentence(self)


def judge(
    panel: Panel, random: np.random.Generator, *, alpha: float = 0.05, draws: int = 1999, least: float = LEAST_EFFECT
) -> Verdict:
    """Fit, test and name what is to blame.

    A custodian is blamed where its accounts fall short of the other custodians' and three tests agree at `alpha`: the
    F test that any custodian differs, its own t test adjusted for everyone tested, and the exchange of labels within
    advisors. An advisor is blamed where the likelihood ratio finds that advisors differ and the adjusted test of its
    shrunken effect agrees. A shortfall below `least` bp a month is nobody's blame, however sure.
    Raises ParameterError as `fit` does.
    """
    if not 0.0 < alpha < 0.5:
        raise ParameterError(f"alpha {alpha} is not between 0 and 0.5", "alpha")
    if not least >= 0.0:
        raise ParameterError(f"least {least} must be 0 bp or more", "least")
    fitted = fit(panel)
    inference = Inference(fitted, 1.0 - alpha)
    exchange = permute(fitted, random, draws, alpha)
    custodian_share, advisor_share = _shares(panel.custodian_of, panel), _shares(panel.advisor_of, panel)
    custodian_rows = [inference.weights(custodians=row) for row in against_others(custodian_share)]
    advisor_rows = [inference.weights(advisors=row) for row in against_others(advisor_share) if fitted.separable[1]]
    estimates = [inference.estimate(row) for row in (*custodian_rows, *advisor_rows)]
    adjusted = benjamini_hochberg([estimate.p for estimate in estimates])
    many = len(custodian_rows)
    custodians_p, advisors_p = inference.joint_p(custodian_rows[1:]), fitted.component("advisor").p
    custodians = _custodians(
        panel, custodian_share, estimates[:many], adjusted[:many], exchange, custodians_p, alpha, least
    )
    advisors = _advisors(fitted, advisor_share, estimates[many:], adjusted[many:], advisors_p, alpha, least)
    innocent = np.array([not effect.blamed for effect in custodians] or [True])
    base = custodian_share * innocent if innocent.any() else custodian_share
    systemic = inference.estimate(inference.weights(custodians=base / base.sum()))
    return Verdict(
        fitted, alpha, least, systemic,
        systemic.error * float(t.ppf(1.0 - alpha / 2.0, systemic.freedom) + t.ppf(POWER, systemic.freedom)),
        inference.estimate(inference.weights(custodians=custodian_share)),
        custodians, advisors, custodians_p, advisors_p, exchange, len(estimates), _inseparable(panel),
    )  # fmt: skip


def against_others(share: Floats) -> Floats:
    """Weights that set each of K against the others, these by their share (K x K); none where there is one."""
    if len(share) == 1:
        return np.empty((0, 1))
    weights = -share / (1.0 - share)[:, None]
    np.fill_diagonal(weights, 1.0)
    return np.asarray(weights)


def _shares(owner: Ints, panel: Panel) -> Floats:
    """The share of account-months of each custodian or advisor."""
    rows = np.bincount(owner, weights=panel.n_months.astype(np.float64))
    return np.asarray(rows / rows.sum())


def _custodians(
    panel: Panel, share: Floats, estimates: Sequence[Estimate], adjusted: Floats, exchange: Permutation,
    joint_p: float | None, alpha: float, least: float,
) -> tuple[Effect, ...]:  # fmt: skip
    telling, accounts = comparisons(overlap(panel)), np.bincount(panel.custodian_of)
    effects = []
    for k, (estimate, q) in enumerate(zip(estimates, adjusted, strict=True)):
        p = float(exchange.p[k]) if np.isfinite(exchange.p[k]) else None
        by_model = bool(max(q, joint_p or 0.0) <= alpha and abs(estimate.value) >= least)
        agreed, short = by_model and p is not None and p <= alpha, estimate.value < 0.0
        reach = None if p is None else float(exchange.critical[k] + norm.ppf(POWER) * exchange.error[k])
        effects.append(
            Effect(
                "custodian", str(panel.custodians[k]), int(accounts[k]), float(share[k]), estimate, None, float(q), p,
                float(telling[k]), reach, agreed and short, agreed and not short, by_model and short and not agreed,
            )
        )  # fmt: skip
    return tuple(effects)


def _advisors(
    fitted: Fit,
    share: Floats,
    estimates: Sequence[Estimate],
    adjusted: Floats,
    ratio_p: float | None,
    alpha: float,
    least: float,
) -> tuple[Effect, ...]:
    panel = fitted.panel
    telling, accounts = comparisons(overlap(panel).T), np.bincount(panel.advisor_of)
    differ = fitted.point.ratios[1] > 0.0 and (ratio_p is None or ratio_p <= alpha)
    unshrunken = _unshrunken(fitted, share, alpha) if estimates else []
    effects = []
    for k, (estimate, q) in enumerate(zip(estimates, adjusted, strict=True)):
        by_model, short = bool(differ and q <= alpha and abs(estimate.value) >= least), estimate.value < 0.0
        tells = telling[k] > 0.0
        reach = unshrunken[k].error * float(norm.ppf(1.0 - alpha / 2.0) + norm.ppf(POWER)) if tells else None
        effects.append(
            Effect(
                "advisor", str(panel.advisors[k]), int(accounts[k]), float(share[k]), estimate,
                unshrunken[k] if tells else None, float(q), None, float(telling[k]), reach,
                bool(by_model and tells and short), bool(by_model and tells and not short),
                bool(by_model and short and not tells),
            )
        )  # fmt: skip
    return tuple(effects)


def _unshrunken(fitted: Fit, share: Floats, alpha: float) -> list[Estimate]:
    """Each advisor against the others with nothing known of advisors beforehand."""
    ratios = fitted.point.ratios.copy()
    ratios[1] = _NO_SHRINKAGE * (1.0 + ratios[2])
    point = likelihood(fitted.moments, ratios)
    part = slice(fitted.moments.n_months, fitted.moments.n_random)
    effects = np.sqrt(ratios[1]) * point.solution[part]
    covariance = fitted.point.error_variance * ratios[1] * point.inverse[part, part]
    freedom, found = float(fitted.point.freedom), []
    for row in against_others(share):
        value, error = float(row @ effects), float(np.sqrt(max(0.0, float(row @ covariance @ row))))
        reach = error * float(norm.ppf(1.0 - alpha / 2.0))
        p = float(2.0 * norm.sf(abs(value) / error)) if error > 0.0 else 1.0
        found.append(Estimate(value, error, freedom, value - reach, value + reach, p))
    return found


def _inseparable(panel: Panel) -> tuple[str, ...]:
    names, table = [], overlap(panel)
    for k in np.flatnonzero(comparisons(table) == 0.0) if len(panel.custodians) > 1 else ():
        who = [str(panel.advisors[a]) for a in np.flatnonzero(table[:, k])]
        names.append(
            f"custodian {panel.custodians[k]} and {'advisor' if len(who) == 1 else 'advisors'} {', '.join(who)}"
        )
    return tuple(names)
