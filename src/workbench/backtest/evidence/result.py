"""What evidence on a policy consists of: frozen results that exhibits show and the verdict judges."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

import pandas as pd

from workbench.backtest.universe import Floats

#: What a claim can be about, and the unit of its gain. Gains are always signed so that above 0 the candidate is better.
MEASURES = {"total_bp": "bp a year of trading cost and tracking loss", "sharpe": "yearly Sharpe ratio"}

#: Controls that every verdict asks for.
CONTROLS = ("leak", "noise world", "planted signal", "DP gap", "same bits")

#: Criteria of every verdict, in their order.
CRITERIA = (
    "beats the best rule",
    "deflated Sharpe",
    "overfitting",
    "timing luck",
    "windows",
    "seeds",
    "twice the cost",
    "a day later",
    "surrogate",
    "controls",
    "portfolios",
)


@dataclass(frozen=True)
class Interval:
    """An estimate with its two-sided 95 % interval, standard error, p-value against 0, and how they were found."""

    estimate: float
    low: float
    high: float
    error: float
    p_value: float
    block: int
    replications: int
    method: str


@dataclass(frozen=True)
class DeflatedSharpe:
    """Is the gain more than the best of many trials without skill shows? Sharpe ratios are a month's, not a year's.

    `threshold` is the Sharpe ratio to expect of the best of `trials` worthless trials whose ratios have the variance
    `trial_variance`; `probabilistic` is the probability that the true ratio is above 0, `deflated` above the threshold.
    """

    sharpe: float
    observations: int
    skew: float
    kurtosis: float
    trials: int
    trial_variance: float
    threshold: float
    probabilistic: float
    deflated: float


@dataclass(frozen=True, eq=False)
class Overfitting:
    """How often the best policy of one half of the history is below the median in the other half (PBO), by CSCV."""

    probability: float
    logits: Floats
    parts: int
    policies: int


@dataclass(frozen=True)
class Superiority:
    """SPA: p-values that no policy beats the opponent; StepM: those that do so with the whole search accounted for."""

    lower: float
    consistent: float
    upper: float
    superior: tuple[str, ...]
    block: int
    replications: int


@dataclass(frozen=True)
class TimingLuck:
    """The same policy started on different days: worth of the worst and the best start, their spread and deviation.

    `tranche` is the mean over starts: the worth when the money is split over all of them. `offsets` of the `schedule`'s
    start days were run.
    """

    policy: str
    offsets: int
    worst: float
    best: float
    deviation: float
    tranche: float
    schedule: int = 1

    @property
    def spread(self) -> float:
        """Best less worst start: what a lucky date alone can show."""
        return self.best - self.worst


@dataclass(frozen=True)
class Stress:
    """The gain with trading at a multiple of its cost, executed some sessions after the decision."""

    cost_multiple: float
    delay: int
    gain: float


@dataclass(frozen=True)
class Regime:
    """The gain on the sessions of one kind of market, known at the close before; `error` is its HAC standard error."""

    name: str
    sessions: int
    gain: float
    error: float


@dataclass(frozen=True)
class Seeds:
    """The gains of the policies trained from each seed alone: never the best one, their middle half and range.

    `middle` is the interquartile mean. A policy without random training is `deterministic`: one seed stands for all.
    """

    gains: tuple[float, ...]
    wins: float
    middle: float
    lower_quartile: float
    upper_quartile: float
    deterministic: bool = False


@dataclass(frozen=True)
class Surrogate:
    """A rule of one parameter that stands in for the candidate, its worth, and what the candidate adds to it.

    `advantage` is the candidate's worth less the surrogate's, as a share of the surrogate's size.
    """

    name: str
    worth: float
    advantage: float


@dataclass(frozen=True)
class Control:
    """A check of the procedure itself: its figure, what is allowed, whether it holds, in words."""

    name: str
    value: float
    threshold: float
    passed: bool
    sentence: str


@dataclass(frozen=True, eq=False)
class Case:
    """All there is on one candidate, over the test windows stitched together, against the best train-selected rule.

    `worth` and `opponent_worth` are in the claim's measure, above is better (a cost counts negative); `gain` is their
    difference with the interval that decides, `second` the same by the stationary bootstrap, `sharpe` and `cost` the
    differences in both measures whatever the claim. `windows` has a row for each test window. None is: not measured.
    """

    candidate: str
    worth: float
    opponent_worth: float
    gain: Interval
    second: Interval
    sharpe: Interval
    cost: Interval
    deflated: DeflatedSharpe | None
    windows: pd.DataFrame
    wins: float
    luck: TimingLuck
    opponent_luck: TimingLuck
    stresses: tuple[Stress, ...]
    regimes: tuple[Regime, ...]
    seeds: Seeds | None
    surrogate: Surrogate | None
    portfolios: int | None

    def stress(self, cost_multiple: float, delay: int) -> Stress | None:
        """The gain at one cost multiple and delay, or None where it was not run."""
        return next((s for s in self.stresses if (s.cost_multiple, s.delay) == (cost_multiple, delay)), None)


@dataclass(frozen=True, eq=False)
class Evidence:
    """The evidence of one comparison: rules, the windows they were chosen in, and a case for each candidate.

    - `runs`: a row for each (policy, offset, cost multiple, delay) over the test sessions.
    - `rules`: a row for each rule: worth by tranches, worst and best start, windows in which it was chosen.
    - `windows`: the dates of each window and the rule chosen on its training data (the opponent).
    - `daily`: net return and daily cost (bp a year) of the opponent and each candidate on the test sessions.
    """

    universe: str
    source: str
    survivorship: str
    measure: str
    first: pd.Timestamp
    last: pd.Timestamp
    risk_aversion: float
    runs: pd.DataFrame
    rules: pd.DataFrame
    windows: pd.DataFrame
    daily: pd.DataFrame
    superiority: Superiority | None
    overfitting: Overfitting | None
    cases: tuple[Case, ...]
    controls: tuple[Control, ...]
    trials: int
    ledger: str

    @property
    def unit(self) -> str:
        """The unit of worth and gain."""
        return MEASURES[self.measure]

    def case(self, candidate: str) -> Case:
        """The case of one candidate; `KeyError` names those there are."""
        for case in self.cases:
            if case.candidate == candidate:
                return case
        raise KeyError(f"no candidate {candidate!r}: there are {', '.join(c.candidate for c in self.cases)}")

    def to_frame(self) -> pd.DataFrame:
        """A row for each candidate with the figures that decide."""
        rows = [
            {
                "candidate": case.candidate,
                "worth": case.worth,
                "opponent": case.opponent_worth,
                "gain": case.gain.estimate,
                "low": case.gain.low,
                "high": case.gain.high,
                "p_value": case.gain.p_value,
                "deflated_sharpe": case.deflated.deflated if case.deflated else float("nan"),
                "wins": case.wins,
                "timing_luck": case.opponent_luck.spread,
            }
            for case in self.cases
        ]
        return pd.DataFrame(rows).set_index("candidate")


@dataclass(frozen=True)
class Criterion:
    """One reason to say no: its figure (None: not measured), the threshold, whether it is passed, a sentence."""

    name: str
    value: float | None
    threshold: float
    passed: bool
    sentence: str


@dataclass(frozen=True)
class Verdict:
    """What follows for one candidate: "deploy", "shadow" or "do not deploy", and the criteria that say so."""

    candidate: str
    decision: str
    sentence: str
    criteria: tuple[Criterion, ...]

    @property
    def failed(self) -> tuple[Criterion, ...]:
        """The criteria that are not passed."""
        return tuple(criterion for criterion in self.criteria if not criterion.passed)

    def to_frame(self) -> pd.DataFrame:
        """A row for each criterion."""
        columns = [field.name for field in fields(Criterion)]
        return pd.DataFrame([asdict(criterion) for criterion in self.criteria], columns=columns)
