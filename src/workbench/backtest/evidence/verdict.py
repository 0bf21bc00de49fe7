"""The verdict by rule: every reason to say no, with its figure, and what follows when one holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from workbench.backtest.evidence.result import CONTROLS, Case, Criterion, Evidence, Verdict
from workbench.errors import ParameterError


@dataclass(frozen=True)
class Thresholds:
    """What a candidate must reach. Defaults are the house's; looser ones are shown with the verdict they gave.

    `trainings` is how many seeds a policy with random training must have been trained from.
    `starts` is how many start dates of a schedule must have been run, where it has as many, for a spread over them.
    """

    deflated_sharpe: float = 0.95
    overfitting: float = 0.20
    windows: float = 0.60
    seeds: float = 0.80
    trainings: int = 10
    surrogate: float = 0.01
    portfolios: int = 500
    starts: int = 2


#: Criteria that fail for want of data rather than because the data contradict the claim.
SAMPLE = {"deflated Sharpe", "windows", "portfolios"}


def verdict(evidence: Evidence, candidate: str | None = None, *, thresholds: Thresholds | None = None) -> Verdict:
    """Judge one candidate (the only one where None is named) by every criterion.

    - "deploy": all criteria are passed.
    - "shadow", to run beside the rule without trading: only criteria of the sample's size fail (deflated Sharpe,
      windows, portfolios), and the first two still point the candidate's way (at least .5).
    - "do not deploy": everything else. What was not measured is not passed.

    Raises `ParameterError` where a candidate must be named or is not in the evidence.
    """
    limits = thresholds or Thresholds()
    case = _case(evidence, candidate)
    criteria = tuple(_a_number(criterion) for criterion in _criteria(evidence, case, limits))
    failed = {criterion.name for criterion in criteria if not criterion.passed}
    decision, sentence = _decision(case, failed, len(criteria))
    return Verdict(case.candidate, decision, sentence, criteria)


def _case(evidence: Evidence, candidate: str | None) -> Case:
    names = [case.candidate for case in evidence.cases]
    if candidate is None and len(names) == 1:
        return evidence.cases[0]
    if candidate not in names:
        raise ParameterError(f"candidate is {candidate!r}: name one of {', '.join(names)}", "candidate")
    return evidence.case(candidate)


def _decision(case: Case, failed: set[str], count: int) -> tuple[str, str]:
    if not failed:
        return "deploy", f"{case.candidate} passes all {count} criteria."
    supports = case.wins >= 0.5 and case.deflated is not None and case.deflated.deflated >= 0.5
    if failed <= SAMPLE and supports:
        return (
            "shadow",
            f"{case.candidate} is better than the rule, but on too small a sample ({_listed(failed)}): "
            "run it beside the rule, without trading.",
        )
    return (
        "do not deploy",
        f"{case.candidate} fails {len(failed)} of {count} criteria ({_listed(failed)}): keep the rule.",
    )


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))


def _criteria(evidence: Evidence, case: Case, limits: Thresholds) -> Iterator[Criterion]:
    amount = _Amount(evidence.measure)
    yield _interval(case, amount)
    yield _deflated(case, limits, counted=bool(evidence.ledger))
    yield _overfitting(evidence, limits)
    yield _luck(case, amount, limits)
    yield _windows(case, limits)
    yield _seeds(case, limits)
    yield _stress(case, amount, "twice the cost", 2.0, 1, "At twice the cost of trading")
    yield _stress(case, amount, "a day later", 1.0, 2, "Traded one day later")
    yield _surrogate(case, limits)
    yield _controls(evidence)
    yield _portfolios(case, limits)


@dataclass(frozen=True)
class _Amount:
    """Amounts in the claim's unit, as a committee reads them."""

    measure: str

    def __call__(self, value: float) -> str:
        return f"{value:.2f} bp a year" if self.measure == "total_bp" else f"{value:.3f} of Sharpe ratio"

    def short(self, value: float) -> str:
        return f"{value:.2f}" if self.measure == "total_bp" else f"{value:.3f}"

    def gain(self, value: float) -> str:
        return f"it gains {self(value)}" if value > 0 else f"it loses {self(-value)}"


def _not_measured(name: str, threshold: float, what: str) -> Criterion:
    return Criterion(name, None, threshold, False, f"Not measured: {what}.")


def _a_number(criterion: Criterion) -> Criterion:
    """The criterion, or that it was not measured where its figure or threshold is no number."""
    if criterion.value is None or np.isfinite([criterion.value, criterion.threshold]).all():
        return criterion
    return _not_measured(criterion.name, criterion.threshold, "it came out as no number")


def _interval(case: Case, amount: _Amount) -> Criterion:
    gain = case.gain
    low, high = amount.short(gain.low), amount.short(gain.high)
    passed = gain.low > 0
    said = "is above zero" if passed else "includes zero" if gain.high >= 0 else "is below zero"
    sentence = (
        f"Against the best rule chosen beforehand {amount.gain(gain.estimate)}; "
        f"the 95 % interval, {low} to {high}, {said}."
    )
    return Criterion("beats the best rule", gain.low, 0.0, passed, sentence)


def _deflated(case: Case, limits: Thresholds, counted: bool) -> Criterion:
    name = "deflated Sharpe"
    if case.deflated is None:
        return _not_measured(name, limits.deflated_sharpe, "the gain has no Sharpe ratio to deflate")
    value, trials = case.deflated.deflated, case.deflated.trials
    tried = "1 trial" if trials == 1 else f"{trials:,} trials"
    tried += "" if counted else " of this comparison"
    sentence = (
        f"With {tried} counted, the gain is real with probability {value:.2f}; {limits.deflated_sharpe:.2f} is asked."
    )
    return Criterion(name, value, limits.deflated_sharpe, value >= limits.deflated_sharpe, sentence)


def _overfitting(evidence: Evidence, limits: Thresholds) -> Criterion:
    name = "overfitting"
    if evidence.overfitting is None:
        return _not_measured(name, limits.overfitting, "there were too few policies or sessions to choose from")
    value = evidence.overfitting.probability
    sentence = (
        f"The best policy of one half of the history was below the middle in the other half in {100 * value:.0f} % of "
        f"splits; {100 * limits.overfitting:.0f} % is allowed."
    )
    return Criterion(name, value, limits.overfitting, value <= limits.overfitting, sentence)


def _luck(case: Case, amount: _Amount, limits: Thresholds) -> Criterion:
    spread = float(np.max([case.luck.spread, case.opponent_luck.spread]))
    for luck in (case.luck, case.opponent_luck):
        if luck.offsets < min(limits.starts, luck.schedule):
            return _not_measured("timing luck", spread, f"{luck.policy} was run from {luck.offsets} of its start dates")
    gain = case.gain.estimate
    passed = gain > spread
    sentence = (
        f"Moving the start date alone changes the result by up to {amount(spread)}; the gain is "
        f"{'larger' if passed else 'not larger'} ({amount.short(gain)})."
    )
    return Criterion("timing luck", gain, spread, passed, sentence)


def _windows(case: Case, limits: Thresholds) -> Criterion:
    count = len(case.windows)
    sentence = (
        f"It was better in {case.wins * count:.0f} of {count} test windows; {100 * limits.windows:.0f} % are asked."
    )
    return Criterion("windows", case.wins, limits.windows, case.wins >= limits.windows, sentence)


def _seeds(case: Case, limits: Thresholds) -> Criterion:
    if case.seeds is None:
        return _not_measured("seeds", limits.seeds, "no policies trained from other seeds were handed in")
    value, count = case.seeds.wins, len(case.seeds.gains)
    if case.seeds.deterministic:
        sentence = f"Nothing in it is random; it {'was' if value >= limits.seeds else 'was not'} better than the rule."
    else:
        won = f"{value * count:.0f}"
        sentence = f"Trained from {count} seeds, {won} were better than the rule; {100 * limits.seeds:.0f} % are asked."
        if count < limits.trainings:
            sentence += f" At least {limits.trainings} seeds are asked."
            return Criterion("seeds", value, limits.seeds, False, sentence)
    return Criterion("seeds", value, limits.seeds, value >= limits.seeds, sentence)


def _stress(case: Case, amount: _Amount, name: str, multiple: float, delay: int, when: str) -> Criterion:
    stress = case.stress(multiple, delay)
    if stress is None:
        return _not_measured(name, 0.0, f"no runs at {multiple:g} times the cost and a delay of {delay}")
    return Criterion(name, stress.gain, 0.0, stress.gain > 0, f"{when} {amount.gain(stress.gain)}.")


def _surrogate(case: Case, limits: Thresholds) -> Criterion:
    if case.surrogate is None:
        return _not_measured("surrogate", limits.surrogate, "no rule of one parameter was put in its place")
    value = case.surrogate.advantage
    passed = value > limits.surrogate
    then = "it earns its complexity" if passed else "the simple rule does as well"
    sentence = f"Beside {case.surrogate.name}, a rule of one parameter, it is {100 * value:+.1f} % better: {then}."
    return Criterion("surrogate", value, limits.surrogate, passed, sentence)


def _controls(evidence: Evidence) -> Criterion:
    found = {control.name: control for control in evidence.controls}
    missing = [name for name in CONTROLS if name not in found]
    broken = [control.name for control in evidence.controls if not control.passed]
    passed = not missing and not broken
    parts = [f"failed: {', '.join(broken)}"] if broken else []
    parts += [f"not measured: {', '.join(missing)}"] if missing else []
    sentence = f"Controls of the procedure {'; '.join(parts)}." if parts else f"All {len(found)} controls hold."
    held = sum(control.passed for control in evidence.controls)
    return Criterion(
        "controls", float(held) if found else None, float(len(set(CONTROLS) | set(found))), passed, sentence
    )


def _portfolios(case: Case, limits: Thresholds) -> Criterion:
    if case.portfolios is None:
        return _not_measured("portfolios", limits.portfolios, "how many portfolios it would serve was not said")
    passed = case.portfolios >= limits.portfolios
    sentence = f"It would serve {case.portfolios:,} portfolios; its upkeep pays from {limits.portfolios:,}."
    return Criterion("portfolios", float(case.portfolios), float(limits.portfolios), passed, sentence)
