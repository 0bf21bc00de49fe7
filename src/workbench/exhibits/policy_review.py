"""What the policy chapter is made of, measured once: the model's universe, rules, candidates, evidence and verdicts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from workbench import backtest
from workbench.backtest import (
    Costs,
    Policy,
    Runs,
    Signals,
    Universe,
    dynamic_programming,
    evidence,
    simulate,
    tuning,
    walk,
)
from workbench.backtest.evidence import Candidate, Control, Criterion, Evidence, TrialLedger, Verdict, Window
from workbench.errors import FirmDataError, MarketDataError, ParameterError, PolicyError
from workbench.exhibits import policy_facts as words
from workbench.exhibits.origin import Origin
from workbench.exhibits.policy_folder import Shelf
from workbench.firm import CASH, Firm
from workbench.learning import ship, spec, universes
from workbench.learning.event import Event
from workbench.learning.guardrails import Guarded
from workbench.learning.registry import RegisteredPolicy
from workbench.report import Settings

#: The candidate that is always there: the one-step rule, its horizon tuned on each window's own training years.
TUNED = "tuned quadratic"
#: Fewer positions than this cannot drift against each other.
_LEAST_POSITIONS = 2
#: Years that choose the rule where the history allows, the test years it must leave, and the years taken otherwise.
STANDARD_YEARS, LEAST_TESTS, SHORT_YEARS = 8.0, 3, 4.0
#: Longest training before its first years are left behind.
LONGEST_YEARS = 10.0
#: What the name of a data set ends with on a card where it served to judge alone.
_JUDGED = "(to judge, not to train)"
#: Sessions of the leak control: a year of signals, and one in which the future is shuffled.
_LEAK_SESSIONS = 2 * 252 + 2


@dataclass(frozen=True)
class Plan:
    """How a comparison is made: years to choose rules on, years tested one by one, costs, and the claim's measure.

    `train_years` of 0 takes the standard 8 years, growing to 10, where they leave three test years, and 4 otherwise.
    """

    train_years: float = 0.0
    test_years: float = 1.0
    commission: float = 0.0
    risk_aversion: float = 5.0
    measure: str = "total_bp"
    seed: int = 11
    replications: int = 1999

    @property
    def costs(self) -> Costs:
        """What trading costs beside half spreads."""
        return Costs(commission=self.commission)


@dataclass(frozen=True, eq=False)
class Review:
    """One model's comparison. `notes` are what a reader must know before the verdicts; `money` follows the model.

    `elsewhere` are policies made for another number of positions: they are shown on the reference problems alone.
    """

    universe: Universe
    signals: Signals
    plan: Plan
    policies: tuple[Policy, ...]
    learned: tuple[RegisteredPolicy, ...]
    evidence: Evidence
    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...]
    events: tuple[Event, ...]
    refused: tuple[str, ...]
    money: float
    portfolios: int
    train_years: float = SHORT_YEARS
    watched: tuple[Watched, ...] = ()
    elsewhere: tuple[RegisteredPolicy, ...] = ()

    @property
    def first(self) -> int:
        """The session at whose close the tests begin."""
        return int(self.universe.sessions.searchsorted(self.evidence.first)) - 1

    @property
    def told(self) -> int:
        """Variants tried before this comparison, as the cards of the learned policies tell."""
        return sum(policy.card.trials for policy in self.learned)

    @property
    def opponent(self) -> Policy:
        """The rule chosen last: what the book would follow today."""
        name = str(self.evidence.windows.iloc[-1]["opponent"])
        return next(policy for policy in self.policies if policy.name == name)

    def settings(self, origin: Origin) -> Settings:
        """The line under an exhibit of this comparison."""
        return words.settings(self.evidence, origin)


@dataclass(frozen=True)
class NotCompared:
    """Why nothing could be compared, with what to do, for a chapter that says so and goes on."""

    reason: str


def most_followed(firm: Firm, model: str = "") -> str:
    """The model asked for, or the one that most accounts follow.

    Raises `ParameterError` for a model that the firm does not have, or a firm without models.
    """
    known = sorted(set(firm.table("models", ["model_id"])["model_id"]))
    if model:
        if model not in known:
            raise ParameterError(f"model {model!r} is unknown; there are: {', '.join(known) or 'none'}", "model")
        return model
    if not known:
        raise ParameterError("the firm has no models; add one to its tables models and model_targets", "model")
    counts = firm.table("accounts", ["model_id"])["model_id"].dropna().value_counts()
    return str(sorted(counts.index[counts == counts.max()])[0]) if len(counts) else known[0]


def money_following(firm: Firm, model: str) -> float:
    """Dollars that follow a model at the last closes: market values of its accounts' positions."""
    accounts = firm.table("accounts", ["account_id", "model_id"])
    mine = accounts.loc[accounts["model_id"] == model, "account_id"]
    held = firm.table("positions", ["account_id", "security_id", "quantity"])
    held = held[held["account_id"].isin(mine)]
    prices = firm.table("prices", ["date", "security_id", "close"]).dropna()
    last = prices.sort_values("date").groupby("security_id")["close"].last()
    values = held["quantity"] * held["security_id"].map(last).where(held["security_id"] != CASH, 1.0)
    return float(values.sum())


def review(
    firm: Firm, shelf: Shelf, model: str = "", plan: Plan | None = None, ledger: str = ""
) -> Review | NotCompared:
    """Compare the rules, the tuned one-step rule and the learned policies on a model's own securities and prices.

    A history too short for one test year, or a model of one asset, is `NotCompared` with the reason. Raises
    `ParameterError` for an unknown model and as `evidence.pack` does.
    """
    chosen = most_followed(firm, model)
    try:
        universe = backtest.load_universe(firm, chosen)
        if universe.positions < _LEAST_POSITIONS:
            return NotCompared(f"The model {chosen} holds one asset alone: its weight cannot drift from a target.")
        return _of_firm(firm, universe, chosen, shelf, plan or Plan(), ledger)
    except (FirmDataError, MarketDataError) as error:
        return NotCompared(f"The policies could not be compared: {error}")


def _of_firm(firm: Firm, universe: Universe, chosen: str, shelf: Shelf, plan: Plan, ledger: str) -> Review:
    accounts = firm.table("accounts", ["model_id"])["model_id"]
    portfolios = int(accounts.notna().sum())
    return compare(
        universe, shelf, plan, money=money_following(firm, chosen), portfolios=portfolios,
        ledger=TrialLedger(ledger) if ledger else None,
    )  # fmt: skip


def compare(
    universe: Universe, shelf: Shelf, plan: Plan, *, money: float = 0.0, portfolios: int | None = None,
    ledger: TrialLedger | None = None, rules: Sequence[Policy] = (),
) -> Review:  # fmt: skip
    """`review` on any universe."""
    signals = backtest.signals(universe)
    years = plan.train_years or fitting_years(universe, signals, plan.test_years)
    found = _windows(universe, signals, years, plan.test_years)
    policies = tuple(rules) or backtest.rules()
    learned, notes = _fit_for(universe, signals, shelf)
    tuned = _tuned(plan)
    edge = _tuned(plan, "band to edge")
    candidates = [Candidate(TUNED, tuned, deterministic=True, surrogate=edge, portfolios=portfolios)]
    candidates += [
        Candidate(policy.name, policy, seeds=members(policy), surrogate=tuned, portfolios=portfolios)
        for policy in learned
    ]
    result = evidence.pack(
        universe, signals, policies, candidates, seed=plan.seed, measure=plan.measure, test_windows=found,
        cost_multiples=(1.0, 2.0), costs=plan.costs, risk_aversion=plan.risk_aversion,
        controls=_controls(universe, signals, learned, plan.seed),
        ledger=ledger, replications=plan.replications,
    )  # fmt: skip
    result = _trials_of_cards(result, learned)
    verdicts = tuple(_judged(policy, result, universe, found) for policy in [*learned, None])
    notes += tuple(_seen(policy, universe, found) for policy in learned if _unseen(policy, universe, found) == 0)
    return Review(
        universe,
        signals,
        plan,
        (*policies, *learned),
        learned,
        result,
        verdicts,
        notes,
        shelf.events,
        shelf.refused,
        money,
        portfolios or 0,
        years,
        tuple(watched(universe, signals, policy, found) for policy in learned),
        tuple(p for p in shelf.policies if not p.expired and p.spec.positions not in (0, universe.positions)),
    )


def fitting_years(universe: Universe, signals: Signals, test_years: float = 1.0) -> float:
    """Years that choose the rule: the standard where the history leaves enough test years after them."""
    try:
        found = _windows(universe, signals, STANDARD_YEARS, test_years)
    except MarketDataError:
        return SHORT_YEARS
    return STANDARD_YEARS if len(found) >= LEAST_TESTS else SHORT_YEARS


def fitting_windows(universe: Universe, signals: Signals) -> tuple[Window, ...]:
    """One window a test year, trained on as many years as fit. Raises `MarketDataError` for too short a history."""
    return _windows(universe, signals, fitting_years(universe, signals), 1.0)


def _windows(universe: Universe, signals: Signals, years: float, test_years: float) -> tuple[Window, ...]:
    return evidence.windows(
        universe.sessions, years, min(2.0, years / 4), test_years=test_years,
        longest_train_years=max(LONGEST_YEARS, years), first=signals.first + 1,
    )  # fmt: skip


def members(policy: RegisteredPolicy) -> dict[int, Policy]:
    """The policy that each seed of an ensemble is alone, by seed; none where its kind has no members."""
    if spec.kind_name(policy.learned.rule().kind) != "LEARNED_QUADRATIC":
        return {}
    joined = ship.learned_of(policy)
    seeds = policy.card.seeds if len(policy.card.seeds) == len(joined.members) else range(len(joined.members))
    return {
        seed: replace(joined, members=(member,), name=f"{policy.name}, seed {seed}")
        for seed, member in zip(seeds, joined.members, strict=True)
    }


@dataclass(frozen=True)
class Watched:
    """What a policy's guardrails would have done on the test days, had it run in the shadow of its fallback rule."""

    name: str
    fallback: str
    looks: int
    events: tuple[Event, ...]

    @property
    def stopped(self) -> int:
        """Looks at which the rule would have acted in its place."""
        return len({event.day for event in self.events if event.kind != "turnover"})

    @property
    def sentence(self) -> str:
        """How often it would have been stopped."""
        often = "never" if not self.stopped else f"at {self.stopped} of {self.looks} looks"
        then = f"; the rule {self.fallback} would have acted then" if self.stopped else ""
        return (
            f"{words.upper(self.name)} would have been stopped by its guardrails {often} in the test years{then}. "
            "Its figures here are without guardrails."
        )


def watched(universe: Universe, signals: Signals, policy: RegisteredPolicy, found: Sequence[Window]) -> Watched:
    """Run a policy in the shadow of its fallback rule over the test days and note every event."""
    looks: list[int] = []
    guarded = Guarded.registered(policy, mode="shadow", listen=lambda seen, _: looks.append(seen.session))
    before = len(guarded.events)
    walk(universe, signals, guarded, first=found[0].test[0] - 1, keep_returns=False, keep_paths=False)
    return Watched(policy.name, policy.fallback.name, len(looks), tuple(guarded.events[before:]))


def _trials_of_cards(result: Evidence, learned: Sequence[RegisteredPolicy]) -> Evidence:
    """The evidence with the trials that cards tell of counted too: they were made before this comparison."""
    more = sum(policy.card.trials for policy in learned)
    if not more:
        return result
    cases = []
    for case in result.cases:
        found = case.deflated
        if found is not None:
            trials = found.trials + more
            threshold = evidence.expected_maximum(trials, found.trial_variance)
            deflated = evidence.probabilistic_sharpe(
                found.sharpe, found.observations, found.skew, found.kurtosis, threshold
            )
            found = replace(found, trials=trials, threshold=threshold, deflated=deflated)
        cases.append(replace(case, deflated=found))
    return replace(result, cases=tuple(cases), trials=result.trials + more)


def _tuned(plan: Plan, family: str = "quadratic") -> evidence.Fit:
    """How a rule's one number is tuned: least cost and tracking loss on the training sessions it is given."""

    def fit(training: evidence.Training) -> Policy:
        return tuning.tune_universe(
            training.universe, training.signals, family, costs=plan.costs, risk_aversion=plan.risk_aversion,
            offsets=(0, 7, 14),
        ).policy  # fmt: skip

    return fit


def _fit_for(
    universe: Universe, signals: Signals, shelf: Shelf
) -> tuple[tuple[RegisteredPolicy, ...], tuple[str, ...]]:
    """The policies that can run on this universe; a sentence for each that cannot, has expired or was refused."""
    fit, notes = [], list(shelf.refused)
    for policy in shelf.policies:
        notes += [event.sentence for event in policy.events]
        if policy.expired:
            continue
        if policy.spec.positions not in (0, universe.positions):
            continue  # made for a portfolio of another size, such as a reference problem, where it is shown
        try:
            policy.check(signals, universe.positions)
        except PolicyError as error:
            notes.append(f"{words.upper(policy.name)} was not run: {error}.")
        else:
            fit.append(policy)
    return tuple(fit), tuple(notes)


def _controls(
    universe: Universe, signals: Signals, learned: Sequence[RegisteredPolicy], seed: int
) -> tuple[Control, ...]:
    """Controls made here, on the first learned policy or the one-step rule; the others as its card tells them."""
    policy: Policy = learned[0] if learned else tuning.tune_problem("n2_10", "quadratic", paths=300).policy
    told = learned[0].card.controls if learned else ()
    found = {
        check.name: Control(check.name, check.value, check.threshold, check.passed, check.sentence) for check in told
    }
    made: list[Callable[[], Control]] = [
        lambda: evidence.dp_gap(policy, solution=dynamic_programming.solve("n2_10", 41, 5)),
        lambda: evidence.same_bits(lambda: simulate(universe, signals, Runs.product([policy])).statistics),
    ]
    start = max(signals.first - 252, 0)
    part = universes.until(universe, min(start + _LEAK_SESSIONS, len(universe.sessions)), start)
    made.append(lambda: evidence.leak(part, policy, seed=seed))
    for make in made:
        try:
            control = make()
        except (MarketDataError, ParameterError, PolicyError):
            continue  # a bankrupt asset, too short a history: not measured, which the verdict counts as not passed
        found[control.name] = control
    return tuple(found.values())


def trained_until(policy: RegisteredPolicy) -> pd.Timestamp | None:
    """The last day of any market's prices that a policy was trained on; None where all were made up.

    A data set without sessions is made up; one whose name says so served to judge alone.
    """
    days = [data.last for data in policy.card.data if data.sessions and not data.name.endswith(_JUDGED)]
    return pd.Timestamp(max(days)) if days else None


def _unseen(policy: RegisteredPolicy, universe: Universe, found: Sequence[Window]) -> int:
    """How many test windows begin at least a month after the policy's training ended."""
    until = trained_until(policy)
    if until is None:
        return len(found)
    start = int(universe.sessions.searchsorted(until, side="right")) + 21
    return int(np.sum([window.test[0] >= start for window in found]))


def _seen(policy: RegisteredPolicy, universe: Universe, found: Sequence[Window]) -> str:
    return (
        f"{words.upper(policy.name)} was trained on days up to {trained_until(policy):%Y-%m-%d}: none of the "
        f"{len(found)} test years here is new to it, so its figures here show how it behaves and prove nothing. Its "
        "card holds the years it had not seen."
    )


def _judged(policy: RegisteredPolicy | None, result: Evidence, universe: Universe, found: Sequence[Window]) -> Verdict:
    """The verdict by rule; for a learned policy also that the test years were new to it."""
    judged = evidence.verdict(result, TUNED if policy is None else policy.name)
    if policy is None:
        return judged
    new, until = _unseen(policy, universe, found), trained_until(policy)
    passed = new == len(found)
    sentence = (
        "As its card says it was trained on made-up prices alone, so every test year is new to it."
        if until is None
        else f"{new} of {len(found)} test years begin after its training data end ({until:%Y-%m-%d}); all are asked."
    )
    criteria = (Criterion("unseen years", float(new), float(len(found)), passed, sentence), *judged.criteria)
    decision = judged.decision if passed else "do not deploy"
    said = judged.sentence if passed else f"{policy.name} was tested on days it had been trained on: keep the rule."
    return replace(judged, criteria=criteria, decision=decision, sentence=said)
