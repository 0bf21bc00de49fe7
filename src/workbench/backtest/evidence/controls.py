"""Controls of the procedure itself: a leak shows, noise is not believed, a signal is found, the optimum stands."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.stats import beta

from workbench.backtest import fixed_target
from workbench.backtest.dynamic_programming import DynamicProgramming, solve
from workbench.backtest.engine import simulate
from workbench.backtest.evidence.candidate import Candidate
from workbench.backtest.evidence.comparison import pack
from workbench.backtest.evidence.result import CONTROLS, Control
from workbench.backtest.evidence.verdict import Thresholds, verdict
from workbench.backtest.evidence.windows import Window
from workbench.backtest.policy import Policy
from workbench.backtest.problems import check_whole
from workbench.backtest.runs import Runs
from workbench.backtest.signals import signals
from workbench.backtest.universe import Floats, Observation, Signals, Universe
from workbench.backtest.walk import walk
from workbench.errors import MarketDataError, ParameterError, PolicyError

#: Claims allowed in worlds without anything to find.
CLAIM_RATE = 0.05
#: An optimum that is beaten by more than this was simulated wrongly.
GRID_ERROR = 0.01


def leak(
    universe: Universe,
    policy: Policy | Callable[[Universe, Signals], Policy],
    *,
    seed: int,
    cuts: int = 4,
    make_signals: Callable[[Universe], Signals] = signals,
) -> Control:
    """Does replacing the data after a day change anything that the policy did up to that day?

    At each of `cuts` days all later days are shuffled (whole days, all assets together), signals are made anew, and
    the policy, or what a function makes of universe and signals, runs over both. Its answers up to and at that day and
    its weights up to that day must agree to the bit, in plain Python and, where it is compiled, in the kernel.
    The value is the number of cuts where they do not. A year of sessions after the warm-up is enough and fast.
    """
    if cuts < 1:
        raise ParameterError(f"{cuts} cuts check nothing: give 1 or more", "cuts")
    rng = np.random.default_rng(seed)
    before = make_signals(universe)
    start, end = before.first, len(universe.sessions) - 2
    if end - start < 2 * cuts:
        raise MarketDataError(f"{universe.name}: {end - start} sessions with signals are too few for {cuts} cuts.")
    days = np.sort(rng.choice(np.arange(start + 1, end), size=cuts, replace=False))
    broken = []
    for day in days:
        other = shuffled_after(universe, int(day), rng)
        seen = _actions(universe, before, policy, int(day))
        if not all(np.array_equal(a, b) for a, b in zip(seen, _actions(other, make_signals(other), policy, int(day)))):
            broken.append(universe.sessions[day])
    sentence = (
        f"Shuffling the future after {cuts} days changed nothing done up to them."
        if not broken
        else f"Shuffling the future after {broken[0]:%Y-%m-%d} changed what was done before: the policy sees ahead."
    )
    return Control("leak", float(len(broken)), 0.0, not broken, sentence)


def shuffled_after(universe: Universe, day: int, rng: np.random.Generator) -> Universe:
    """The same history up to session `day`, then its later days in another order and, at random, mirrored.

    Raises `MarketDataError` where an asset goes bankrupt: it has no returns to shuffle.
    """
    if (universe.price == 0.0).any():
        gone = universe.assets[int(np.argmax((universe.price == 0.0).any(axis=(0, 1))))]
        raise MarketDataError(f"{gone} of {universe.name} goes bankrupt: leave it out of the leak control.")
    count = len(universe.sessions) - day - 1
    order = day + 1 + rng.permutation(count)
    relative = universe.price[:, order] / universe.price[:, order - 1]
    mirrored = rng.random(count) < 0.5
    relative[:, mirrored] = 1.0 / relative[:, mirrored]
    price = universe.price.copy()
    price[:, day + 1 :] = price[:, day : day + 1] * np.cumprod(relative, axis=1)
    dividend, cash = universe.dividend.copy(), universe.cash_return.copy()
    dividend[:, day + 1 :] = universe.dividend[:, order]
    cash[:, day + 1 :] = universe.cash_return[:, order]
    return replace(universe, price=price, dividend=dividend, cash_return=cash)


@dataclass(frozen=True)
class _Recorder:
    """A policy that writes down each look: the session and what was wanted."""

    policy: Policy
    every: int
    looks: list[Floats] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.policy.name

    def decide(self, seen: Observation) -> Floats | None:
        wanted = self.policy.decide(seen)
        self.looks.append(np.append(seen.session, seen.weight if wanted is None else wanted))
        return wanted


def _actions(
    universe: Universe, made: Signals, policy: Policy | Callable[[Universe, Signals], Policy], day: int
) -> tuple[Floats, ...]:
    """Looks up to and at `day`, and weights up to it, by both engines; it looks at every close here."""
    chosen = policy if isinstance(policy, Policy) else policy(universe, made)
    recorder = _Recorder(chosen, every=1)
    walk(universe, made, recorder, last=day + 1)
    looks = np.array([look for look in recorder.looks if look[0] <= day])
    kernel = simulate(universe, made, Runs.product([chosen], [day % chosen.every]), keep_paths=True, last=day)
    assert kernel.weights is not None
    return looks, kernel.weights


def believes(
    universe: Universe,
    candidate: Candidate,
    rules: Sequence[Policy],
    *,
    seed: int,
    measure: str = "sharpe",
    test_windows: Sequence[Window] | None = None,
    offsets: Sequence[int] | Literal["all"] = "all",
    replications: int = 999,
) -> bool:
    """Whether the whole procedure, from signals to verdict, would deploy or shadow a candidate in a made-up world.

    The controls are taken as passed, for they are what is being made here, and one start date is enough. Errors as
    `pack`.
    """
    passed = tuple(Control(name, 0.0, 0.0, True, "Taken as passed.") for name in CONTROLS)
    made = signals(universe)
    found = pack(
        universe,
        made,
        rules,
        [candidate],
        seed=seed,
        measure=measure,
        test_windows=test_windows,
        offsets=offsets,
        cost_multiples=(1.0, 2.0),
        controls=passed,
        replications=replications,
        search=False,
    )
    return verdict(found, thresholds=Thresholds(starts=1)).decision != "do not deploy"


def noise_world(claims: Callable[[int], bool], *, worlds: int, seed: int) -> Control:
    """How often a procedure claims skill in worlds where there is none: at most 5 % is allowed.

    `claims` gets a world's seed, makes the world, runs the whole procedure to its verdict, and says whether it claims.
    It holds where the rate is at most 5 % with 95 % confidence (Clopper and Pearson, one-sided), which takes 59 worlds
    without a claim: a few worlds show nothing.
    """
    found = _counted(claims, worlds, seed)
    most = float(beta.ppf(0.95, found + 1, worlds - found)) if found < worlds else 1.0
    sentence = (
        f"In {worlds} worlds of noise it claimed skill {found} times, so with 95 % confidence in at most "
        f"{100 * most:.1f} %; 5 % are allowed."
    )
    return Control("noise world", found / worlds, CLAIM_RATE, most <= CLAIM_RATE, sentence)


def planted_signal(finds: Callable[[int], bool], *, worlds: int, seed: int, least: float = 0.8) -> Control:
    """How often a procedure finds a signal that was planted: a sceptic who never believes anything is no use either."""
    found = _counted(finds, worlds, seed)
    rate = found / worlds
    sentence = f"Of {worlds} worlds with a planted signal it found {found}; {100 * least:.0f} % are asked."
    return Control("planted signal", rate, least, rate >= least, sentence)


def _counted(says: Callable[[int], bool], worlds: int, seed: int) -> int:
    """In how many worlds, each with a seed of its own, it says so; `PolicyError` names the world where it raises."""
    check_whole("worlds", worlds)
    if worlds < 1:
        raise ParameterError(f"{worlds} worlds check nothing: give 1 or more", "worlds")
    count = 0
    for world, each in enumerate(np.random.SeedSequence(seed).generate_state(worlds)):
        try:
            count += bool(says(int(each)))
        # Whatever somebody's procedure raises, the reader must learn in which world.
        except Exception as error:
            raise PolicyError(
                f"world {world} (seed {each}) of {worlds}: {type(error).__name__}: {error}; correct the procedure, or "
                "run it alone with that seed"
            ) from error
    return count


def dp_gap(
    policy: Policy,
    problem: fixed_target.Problem | str = "n2_10",
    *,
    allowed: float = 0.10,
    paths: int = 500,
    seed: int = fixed_target.TEST_SEED,
    solution: DynamicProgramming | None = None,
) -> Control:
    """What the policy costs above the known optimum of a reference problem, as a share; beating it is an error too.

    `solution` saves solving it again. Errors as `fixed_target.evaluate` and `dynamic_programming.solve`.
    """
    best = solution or solve(problem)
    excess = fixed_target.evaluate(problem, policy, paths, seed).over(fixed_target.evaluate(problem, best, paths, seed))
    impossible = excess.interval[1] < -GRID_ERROR
    passed = excess.ratio <= allowed and not impossible
    sentence = (
        f"On a problem with a known best it costs {100 * excess.ratio:+.1f} % more than the best; "
        f"{100 * allowed:.0f} % are allowed."
        if not impossible
        else f"It seems {-100 * excess.ratio:.1f} % cheaper than the best possible: the simulation is wrong."
    )
    return Control("DP gap", excess.ratio, allowed, passed, sentence)


def same_bits(make: Callable[[], Any]) -> Control:
    """Is the same made twice the same to the last bit? `make` takes its seed from where it was written."""
    prints = fingerprint(make()), fingerprint(make())
    same = prints[0] == prints[1]
    sentence = "Made twice from the same seed, it is the same to the last bit." if same else "Made twice, it differs."
    return Control("same bits", float(not same), 0.0, same, sentence)


def fingerprint(value: Any) -> str:
    """SHA-256 of arrays, frames, dataclasses, mappings and sequences of them, of the very bits of every number."""
    digest = hashlib.sha256()
    _feed(digest, value)
    return digest.hexdigest()


def _feed(digest: Any, value: Any) -> None:
    digest.update(type(value).__name__.encode())
    if isinstance(value, np.ndarray):
        digest.update(f"{value.dtype}{value.shape}".encode())
        digest.update(repr(value.tolist()).encode() if value.dtype == object else np.ascontiguousarray(value).tobytes())
    elif isinstance(value, pd.DataFrame | pd.Series):
        digest.update(value.to_csv(float_format=float.hex).encode())
    elif is_dataclass(value) and not isinstance(value, type):
        for each in fields(value):
            _feed(digest, getattr(value, each.name))
    elif isinstance(value, Mapping):
        for key in value:
            _feed(digest, key)
            _feed(digest, value[key])
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        for each in value:
            _feed(digest, each)
    else:
        digest.update((value.hex() if isinstance(value, float) else repr(value)).encode())
