"""Model, custodian or advisor: what is to blame, by which tests, and what the data cannot tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from workbench.attribution.implementation import words
from workbench.attribution.implementation.blame import (
    POWER,
    Effect,
    Kind,
    Rule,
    advisor_effects,
    against_others,
    custodian_effects,
    measured_advisors,
)
from workbench.attribution.implementation.inference import Estimate, Inference, benjamini_hochberg
from workbench.attribution.implementation.overlap import comparisons, overlap
from workbench.attribution.implementation.panel import Floats, Ints, Panel
from workbench.attribution.implementation.permutation import Permutation, permute
from workbench.attribution.implementation.precision import weigh
from workbench.attribution.implementation.reml import Fit, fit
from workbench.attribution.implementation.threads import one_thread
from workbench.errors import ParameterError

#: A shortfall smaller than this, bp a month, is not worth a name.
LEAST_EFFECT = 0.5


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
    """Weigh accounts (unless the panel has precisions already), fit, test and name what is to blame.

    A custodian is blamed where its accounts fall short of the other custodians' and three tests agree at `alpha`: the
    F test that any custodian differs, its own t test adjusted for everyone tested, and the exchange of labels within
    advisors. An advisor is blamed where its own adjusted t test finds it short; the likelihood ratio over all advisors
    is shown and not asked, for it is weak against one who differs from many. A shortfall below `least` bp a month, an
    advisor's after shrinking, is nobody's blame. Raises ParameterError as `fit` does.
    """
    if not 0.0 < alpha < 0.5:
        raise ParameterError(f"alpha {alpha} is not between 0 and 0.5", "alpha")
    if not least >= 0.0:
        raise ParameterError(f"least {least} must be 0 bp or more", "least")
    with one_thread():
        return _judge(panel, random, alpha, draws, least)


def _judge(panel: Panel, random: np.random.Generator, alpha: float, draws: int, least: float) -> Verdict:
    if (panel.precision == 1.0).all():
        panel = weigh(panel)
    fitted = fit(panel)
    inference = Inference(fitted, 1.0 - alpha)
    exchange = permute(fitted, random, draws, alpha)
    custodian_share, advisor_share = _shares(panel.custodian_of, panel), _shares(panel.advisor_of, panel)
    rows = [inference.weights(custodians=row) for row in against_others(custodian_share)]
    of_custodians = [inference.estimate(row) for row in rows]
    shrunken, measured = _of_advisors(inference, advisor_share)
    adjusted = benjamini_hochberg([estimate.p for estimate in (*of_custodians, *measured)])
    custodians_p, advisors_p = inference.joint_p(rows[1:]), fitted.component("advisor").p
    many, tests = len(rows), len(adjusted)
    custodians = custodian_effects(
        panel, custodian_share, of_custodians, adjusted[:many], exchange, Rule(alpha, least, tests, custodians_p)
    )
    advisors = advisor_effects(
        fitted, advisor_share, shrunken, measured, adjusted[many:], Rule(alpha, least, tests, None)
    )
    innocent = np.array([not effect.blamed for effect in custodians] or [True])
    base = custodian_share * innocent if innocent.any() else custodian_share
    systemic = inference.estimate(inference.weights(custodians=base / base.sum()))
    return Verdict(
        fitted, alpha, least, systemic,
        systemic.error * float(stdtrit(systemic.freedom, 1.0 - alpha / 2.0) + stdtrit(systemic.freedom, POWER)),
        inference.estimate(inference.weights(custodians=custodian_share)),
        custodians, advisors, custodians_p, advisors_p, exchange, tests, _inseparable(panel),
    )  # fmt: skip


def _of_advisors(inference: Inference, share: Floats) -> tuple[list[Estimate], list[Estimate]]:
    """Each advisor against the others, shrunken and as measured; none where advisors cannot be separated."""
    if not inference.fit.separable[1]:
        return [], []
    rows = [inference.weights(advisors=row) for row in against_others(share)]
    return [inference.estimate(row) for row in rows], measured_advisors(inference.fit, share, inference.level)


def _shares(owner: Ints, panel: Panel) -> Floats:
    """The share of account-months of each custodian or advisor."""
    rows = np.bincount(owner, weights=panel.n_months.astype(np.float64))
    return np.asarray(rows / rows.sum())


def _inseparable(panel: Panel) -> tuple[str, ...]:
    names, table = [], overlap(panel)
    for k in np.flatnonzero(comparisons(table) == 0.0) if len(panel.custodians) > 1 else ():
        who = [str(panel.advisors[a]) for a in np.flatnonzero(table[:, k])]
        names.append(
            f"custodian {panel.custodians[k]} and {'advisor' if len(who) == 1 else 'advisors'} {', '.join(who)}"
        )
    return tuple(names)
