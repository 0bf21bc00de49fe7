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
)
from workbench.backtest.evidence import Candidate, Control, Criterion, Evidence, TrialLedger, Verdict, Window
from workbench.errors import FirmDataError, MarketDataError, ParameterError, PolicyError
from workbench.exhibits import policy_facts as words
from workbench.exhibits.origin import Origin
from workbench.exhibits.policy_folder import Shelf
from workbench.firm import CASH, Firm
from workbench.learning import universes
from workbench.learning.event import Event
from workbench.learning.registry import RegisteredPolicy
from workbench.report import Settings

#: The candidate that is always there: the one-step rule, its horizon tuned on each window's own training years.
TUNED = "tuned quadratic"
#: Fewer positions than this cannot drift against each other.
_LEAST_POSITIONS = 2
#: Sessions of the leak control: a year of signals, and one in which the future is shuffled.
_LEAK_SESSIONS = 2 * 252 + 2


@dataclass(frozen=True)
class Plan:
    """How a comparison is made: years to choose rules on, years tested one by one, costs, and the claim's measure."""

    train_years: float = 4.0
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
    """One model's comparison. `notes` are what a reader must know before the verdicts; `money` follows the model."""

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

    @property
    def first(self) -> int:
        """The session at whose close the tests begin."""
        return int(self.universe.sessions.searchsorted(self.evidence.first)) - 1

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
    found = evidence.windows(
        universe.sessions, plan.train_years, min(2.0, plan.train_years / 4), test_years=plan.test_years,
        longest_train_years=max(10.0, plan.train_years), first=signals.first + 1,
    )  # fmt: skip
    policies = tuple(rules) or backtest.rules()
    learned, notes = _fit_for(universe, signals, shelf)
    tuned = _tuned(plan)
    candidates = [Candidate(TUNED, tuned, deterministic=True, portfolios=portfolios)]
    candidates += [Candidate(policy.name, policy, surrogate=tuned, portfolios=portfolios) for policy in learned]
    result = evidence.pack(
        universe, signals, policies, candidates, seed=plan.seed, measure=plan.measure, test_windows=found,
        cost_multiples=(1.0, 2.0), costs=plan.costs, risk_aversion=plan.risk_aversion, 
        controls=_controls(universe, signals, learned, plan.seed),
        ledger=ledger, replications=plan.replications,
    )  # fmt: skip
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
    )


def _tuned(plan: Plan) -> evidence.Fit:
    """How the one-step rule's horizon is tuned: least cost and tracking loss on the training sessions it is given."""

    def fit(training: evidence.Training) -> Policy:
        return tuning.tune_universe(
            training.universe, training.signals, "quadratic", costs=plan.costs, risk_aversion=plan.risk_aversion,
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
        try:
            policy.check(signals, universe.positions)
        except PolicyError as error:
            notes.append(f"{policy.name} was not run: {error}.")
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


def trained_until(policy: RegisteredPolicy) -> pd.Timestamp:
    """The last day of any data that a policy was trained on."""
    return pd.Timestamp(max(data.last for data in policy.card.data))


def _unseen(policy: RegisteredPolicy, universe: Universe, found: Sequence[Window]) -> int:
    """How many test windows begin at least a month after the policy's training ended."""
    start = int(universe.sessions.searchsorted(trained_until(policy), side="right")) + 21
    return int(np.sum([window.test[0] >= start for window in found]))


def _seen(policy: RegisteredPolicy, universe: Universe, found: Sequence[Window]) -> str:
    return (
        f"{policy.name} was trained on days up to {trained_until(policy):%Y-%m-%d}: none of the {len(found)} test "
        "years here is new to it, so its figures here show how it behaves and prove nothing. Its card holds the years "
        "it had not seen."
    )


def _judged(policy: RegisteredPolicy | None, result: Evidence, universe: Universe, found: Sequence[Window]) -> Verdict:
    """The verdict by rule; for a learned policy also that the test years were new to it."""
    judged = evidence.verdict(result, TUNED if policy is None else policy.name)
    if policy is None:
        return judged
    new = _unseen(policy, universe, found)
    passed = new == len(found)
    sentence = (
        f"{new} of {len(found)} test years begin after its training data end ({trained_until(policy):%Y-%m-%d}); "
        "all are asked."
    )
    criteria = (Criterion("unseen years", float(new), float(len(found)), passed, sentence), *judged.criteria)
    decision = judged.decision if passed else "do not deploy"
    said = judged.sentence if passed else f"{policy.name} was tested on days it had been trained on: keep the rule."
    return replace(judged, criteria=criteria, decision=decision, sentence=said)
