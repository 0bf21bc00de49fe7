"""The question in three models: what a custodian or advisor costs, before fees, and beyond late trades and cash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import fdtrc

from workbench.attribution.implementation.blame import against_others
from workbench.attribution.implementation.gaps import CHANNELS, CLIENT, Gaps
from workbench.attribution.implementation.panel import Panel
from workbench.attribution.implementation.precision import weigh
from workbench.attribution.implementation.verdict import Verdict, judge
from workbench.errors import ParameterError


@dataclass(frozen=True)
class Naive:
    """What a simple comparison of averages says: P of a one-way analysis of variance of accounts' mean gaps by
    custodian, the custodian with the lowest average, and by how much it is below the others' (bp a month)."""

    p: float
    lowest: str
    difference: float


@dataclass(frozen=True, eq=False)
class Study:
    """Three verdicts on the same accounts and months.

    - `total`: net of fees, with what clients decide (restrictions, tax locks) held equal. The verdict of the firm: fees
      and late trades are how a custodian or advisor does harm, so that they stay in.
    - `gross`: the same before fees. A fee lowers a return one for one, so that `total` less `gross` is what fees cost.
    - `remaining`: before fees, with late trades and cash taken out as well: what no measured cause explains.
    """

    gaps: Gaps
    total: Verdict
    gross: Verdict
    remaining: Verdict
    naive: Naive | None

    def explained(self) -> pd.DataFrame:
        """How each custodian's effect comes about: one row each, bp a month.

        Columns: custodian_id, total, fees, trade_lag, cash_drag, remaining, weighting. `fees` is the total less the
        effect before fees, `remaining` what the last model leaves; late trades and cash are their slopes times how far
        they differ there, with the last model's weights (Gelbach 2016). What the parts do not add up to is in
        `weighting`: each model weighs accounts and months by its own variances.
        """
        parts, rows = _channels(self.remaining), []
        verdicts = (self.total.custodians, self.gross.custodians, self.remaining.custodians)
        for total, gross, left in zip(*verdicts, strict=True):
            channels = {name: parts.get((total.key, name), 0.0) for name in CHANNELS}
            fees = total.estimate.value - gross.estimate.value
            row = {"custodian_id": total.key, "total": total.estimate.value, "fees": fees} | channels
            rest = total.estimate.value - fees - sum(channels.values()) - left.estimate.value
            rows.append(row | {"remaining": left.estimate.value, "weighting": rest})
        columns = ["custodian_id", "total", "fees", *CHANNELS, "remaining", "weighting"]
        return pd.DataFrame(rows, columns=columns)


def study(gaps: Gaps, random: np.random.Generator | int, *, alpha: float = 0.05, draws: int = 1999) -> Study:
    """Judge the gaps of a firm: in all, before fees, and after late trades and cash.

    `random` is the generator of the exchanges, or its seed. Raises as `judge` does.
    """
    random = np.random.default_rng(random)
    # One set of precisions, so that what the three models find can be compared.
    precision = weigh(gaps.panel("gross", CLIENT + CHANNELS)).precision
    total, gross, remaining = (
        judge(replace(gaps.panel(basis, covariates), precision=precision), random, alpha=alpha, draws=draws)
        for basis, covariates in (("net", CLIENT), ("gross", CLIENT), ("gross", CLIENT + CHANNELS))
    )
    return Study(gaps, total, gross, remaining, naive(gaps.panel("net", ())))


def judge_sleeves(
    sleeves: Mapping[str, Gaps], random: np.random.Generator | int, *, alpha: float = 0.05, draws: int = 1999
) -> dict[str, Verdict]:
    """Judge each sleeve before fees, `alpha` shared out among them (Bonferroni); one without variance is left out."""
    random = np.random.default_rng(random)
    found = {}
    for sleeve, gaps in sleeves.items():
        panel = gaps.panel("gross")
        if float(panel.gap.std()) > 0.0:
            found[sleeve] = judge(panel, random, alpha=alpha / len(sleeves), draws=draws)
    return found


def naive(panel: Panel) -> Naive | None:
    """Compare accounts' mean gaps by custodian, as if advisors did not differ; None where there is no comparison."""
    means = np.bincount(panel.account, weights=panel.gap) / panel.n_months
    groups = [means[panel.custodian_of == k] for k in range(len(panel.custodians))]
    if len(groups) < 2 or sum(len(group) for group in groups) <= len(groups):
        return None
    share = np.array([len(group) for group in groups]) / len(means)
    differences = against_others(share) @ np.array([group.mean() for group in groups])
    lowest = int(np.argmin(differences))
    within = float(sum(((group - group.mean()) ** 2).sum() for group in groups))
    between = float(sum(len(group) * (group.mean() - means.mean()) ** 2 for group in groups))
    if within <= 1e-13 * float(means @ means):
        raise ParameterError("accounts' mean gaps do not vary within custodians: there is nothing to compare", "gap")
    many, rest = len(groups) - 1, len(means) - len(groups)
    p = float(fdtrc(many, rest, between / many / (within / rest)))
    return Naive(p, str(panel.custodians[lowest]), float(differences[lowest]))


def _channels(verdict: Verdict) -> dict[tuple[str, str], float]:
    """What each channel contributes to each custodian's effect: the omitted-variable formula with the fit's weights."""
    fitted, sums = verdict.fit, verdict.fit.moments
    many, before, kept = sums.n_custodians, sums.n_means, list(sums.kept)
    if many == 1:
        return {}
    of_channel = [before + place for place, name in enumerate(kept) if name in CHANNELS]
    base = [place for place in range(before + len(kept)) if place not in of_channel]
    information = np.linalg.inv(fitted.covariance)
    spread = np.linalg.solve(information[np.ix_(base, base)], information[np.ix_(base, of_channel)])
    rows = against_others(np.array([effect.share for effect in verdict.custodians]))
    amounts = rows @ spread[:many] * fitted.slope[np.array(of_channel, dtype=int) - before]
    return {
        (str(fitted.panel.custodians[k]), kept[column - before]): float(amounts[k, place])
        for k in range(many)
        for place, column in enumerate(of_channel)
    }
