"""Walk-forward training as a chapter: a policy for each test year from the years before it, then a draft folder."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from workbench import backtest
from workbench.backtest import LearnedQuadratic, Quadratic, Universe, evidence
from workbench.backtest.evidence import Window
from workbench.errors import FirmDataError, MarketDataError, MissingToolError, ParameterError
from workbench.exhibits import policy_facts as words
from workbench.exhibits.drift_facts import absent, plural
from workbench.exhibits.origin import Origin
from workbench.exhibits.policy_review import most_followed
from workbench.firm import Firm
from workbench.learning import registry, universes
from workbench.learning.card import Card, Data, Feature
from workbench.learning.card import Window as CardWindow
from workbench.report import CalloutBody, Column, Exhibit, Missing, Settings, TableBody, figures
from workbench.report.exhibit import Paragraph

if TYPE_CHECKING:
    from workbench.learning.pathwise import Scene

_FUNCTION = "learning.walk_forward"
#: The firm's own model as the universe.
FIRM = "firm"
#: Paths, years of a bootstrapped world, steps between checks, and units of a network: small, for a chapter.
_PATHS, _YEARS, _CHECKS, _HIDDEN = 32, 4, 10, 8
#: Life of a draft: it must be trained again within a year.
_LIFE = timedelta(days=365)
_NAME = "learned quadratic, draft"


@dataclass(frozen=True)
class Job:
    """What to train: on which prices, from how many seeds, for how many test years, how long, and where to."""

    universe: str = "sectors"
    model: str = ""
    seeds: int = 2
    windows: int = 2
    steps: int = 20
    out: str = ""


@dataclass(frozen=True, eq=False)
class Trained:
    """What came of a job. `table` is `learning.walk_forward`'s, a row a test year; `why`: nothing was trained."""

    job: Job
    name: str
    table: pd.DataFrame
    folder: str = ""
    content_hash: str = ""
    why: str = ""


def train(firm: Firm, job: Job) -> Trained:
    """Train a policy for each of the last test years on what was known before it, judge it there, write the last one.

    The draft is the policy of the last window with its card; nobody has approved it and its verdict is "do not deploy"
    until evidence says otherwise. Without torch, or with too short a history, `why` says so. Raises `ParameterError`
    for an unknown universe or a folder that is there already.
    """
    if job.out and Path(job.out).exists():
        raise ParameterError(f"{job.out} is there already; name a new folder, for a draft is never overwritten", "out")
    try:
        import torch
    except ImportError:
        return Trained(job, job.universe, pd.DataFrame(), why=str(_no_torch()))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # one thread gives the same bits everywhere it is run again
    try:
        return _train(firm, job)
    except (FirmDataError, MarketDataError) as error:
        return Trained(job, job.universe, pd.DataFrame(), why=str(error))
    finally:
        torch.set_num_threads(threads)


def exhibits(trained: Trained, origin: Origin) -> list[Exhibit]:
    """The outcome, each test year, and where the draft lies."""
    if trained.why:
        return [absent("policy-training", "Nothing was trained", trained.why)]
    return [_outcome(trained, origin), _windows(trained, origin)]


def universe_of(firm: Firm, job: Job) -> Universe:
    """The prices that a job names. Raises `ParameterError` for a name that is none."""
    if job.universe == FIRM:
        return backtest.load_universe(firm, most_followed(firm, job.model))
    if job.universe in universes.EMBEDDED:
        return universes.embedded(job.universe)
    if Path(job.universe).is_file():
        return universes.etf_core(job.universe)
    known = ", ".join((*universes.EMBEDDED, FIRM))
    raise ParameterError(f"universe {job.universe!r} is neither a file nor one of {known}", "universe")


def _no_torch() -> MissingToolError:
    return MissingToolError("Training needs torch, which is not installed: run `make lab` and open this chapter again.")


def _train(firm: Firm, job: Job) -> Trained:
    from workbench.learning.walk_forward import walk_forward

    universe = universe_of(firm, job)
    known = backtest.signals(universe)
    cut = evidence.windows(universe.sessions, first=known.first)[-job.windows :]
    tables, policy = [], None
    for window in cut:
        policy = _policy(evidence.training(universe, known, window), job)
        tables.append(walk_forward(universe, policy, [window]).table)
    table = pd.concat(tables, ignore_index=True)
    assert policy is not None
    if not job.out:
        return Trained(job, universe.name, table)
    card = _card(universe, table, cut[-1], job)
    digest = registry.save(job.out, policy, card, market=_MARKET, asset=_ASSET, members=job.seeds)
    return Trained(job, universe.name, table, job.out, digest)


#: The first signals, those that the learned quadratic rule reads.
_MARKET, _ASSET = ("volatility_ratio",), ("volatility_ratio",)


def _policy(training: evidence.Training, job: Job) -> LearnedQuadratic:
    """One window's ensemble: the tuned rule, steered by a network a seed, on worlds drawn from training days."""
    from workbench.learning.learned_quadratic import Training, ensemble, train_learned_quadratic
    from workbench.learning.scenes import bootstrap_scene

    rule = backtest.tune_universe(training.universe, training.signals, "quadratic", offsets=(0, 10)).policy
    assert isinstance(rule, Quadratic)
    history = training.universe
    checked = (bootstrap_scene(history, _PATHS, _YEARS, 7),)
    settings = Training(steps=job.steps, hidden=_HIDDEN, check_every=max(1, min(_CHECKS, job.steps)))
    members = [
        train_learned_quadratic(
            partial(_scene, history, seed), checked, rule.horizon, seed, settings
        )
        for seed in range(job.seeds)
    ]  # fmt: skip
    return ensemble(members, rule.horizon, _HIDDEN, name=_NAME)


def _scene(history: Universe, seed: int, step: int) -> Scene:
    from workbench.learning.scenes import bootstrap_scene

    return bootstrap_scene(history, _PATHS, _YEARS, 1_000_003 * (seed + 1) + step)


def _card(universe: Universe, table: pd.DataFrame, last: Window, job: Job) -> Card:
    start, stop = last.train
    trained = universe.sessions[start:stop]
    made = universe.sessions[-1].date()
    rule = Quadratic(float(table["rule_horizon"].iloc[-1]))
    return Card(
        name=_NAME,
        purpose=f"Keeps the target of {universe.name} at less cost than the tuned one-step rule.",
        maker="workbench policy_training",
        made_on=made.isoformat(),
        expires=(made + _LIFE).isoformat(),
        data=(
            Data(
                universe.name, universe.source or "not said", f"{trained[0]:%Y-%m-%d}", f"{trained[-1]:%Y-%m-%d}",
                len(trained), universe.survivorship or "not said", price_hash(universe, start, stop),
            ),
        ),
        features=(
            Feature("volatility_ratio", "market", 1, "volatility of a month over that of a year, of the target"),
            Feature("volatility_ratio", "asset", 1, "the same of each asset"),
        ),
        costs="half spreads of the universe alone",
        seeds=tuple(range(job.seeds)),
        trials=job.seeds * len(table),
        windows=tuple(_card_window(universe.name, row) for row in table.to_dict("records")),
        tests=(),
        controls=(),
        verdict="do not deploy",
        known_failures=("A short training for a chapter: no test of the evidence has been run on it.",),
        fallback=registry.fallback_of(rule),
        command=(
            f"workbench run with chapter policy_training: universe {job.universe}, seeds {job.seeds}, windows "
            f"{job.windows}, steps {job.steps}"
        ),
    )  # fmt: skip


def _card_window(universe: str, row: dict[str, object]) -> CardWindow:
    first, last = (f"{pd.Timestamp(str(row[name])):%Y-%m-%d}" for name in ("test_start", "test_end"))
    rule = Quadratic(float(str(row["rule_horizon"]))).name
    return CardWindow(universe, first, last, float(str(row["learned_bp"])), rule, float(str(row["rule_bp"])))


def price_hash(universe: Universe, start: int, stop: int) -> str:
    """SHA-256 of the prices of some sessions, as they lie in memory: it says whether data are the same, bit for bit."""
    return hashlib.sha256(np.ascontiguousarray(universe.price[:, start:stop]).tobytes()).hexdigest()


def _settings(trained: Trained, origin: Origin) -> Settings:
    job = trained.job
    basis = (
        f"{trained.name}, {job.seeds} seeds, {job.steps} steps, each year by a policy trained on earlier years alone"
    )
    return Settings(origin.as_of, basis, f"universe {job.universe}")


def _outcome(trained: Trained, origin: Origin) -> Exhibit:
    rule, learned = (float(trained.table[name].mean()) for name in ("rule_bp", "learned_bp"))
    facts = [
        words.bp(f"policy-training.{name}", value, origin, _FUNCTION)
        for name, value in (("rule", rule), ("learned", learned))
    ]
    lines: list[Paragraph] = [
        (
            "Over ", plural(len(trained.table), "test year"), " the learned policy costs ", facts[1].ref(),
            " a year and the tuned rule ", facts[0].ref(), ". A few years and seeds prove nothing either way.",
        ),
    ]  # fmt: skip
    if trained.folder:
        lines.append((f"The draft lies in {trained.folder}, content {trained.content_hash[:16]}. ",
                      "Nobody has approved it: it may run in shadow mode only."))  # fmt: skip
    else:
        lines.append(("Nothing was written: name a folder with the parameter out to keep the draft.",))
    return Exhibit(
        "policy-training", "A draft, not a decision", CalloutBody("neutral", tuple(lines)), "", None, tuple(facts)
    )


def _windows(trained: Trained, origin: Origin) -> Exhibit:
    table = trained.table
    labels = [f"{row.test_start:%b %Y} to {row.test_end:%b %Y}" for row in table.itertuples()]
    gains = (table["rule_bp"] - table["unchecked_bp"]).to_numpy(float)
    rows, facts = [], []
    for position, row in enumerate(table.to_dict("records")):
        made = [
            words.bp(f"policy-training.{position + 1}.{name}", float(row[f"{name}_bp"]), origin, _FUNCTION)
            for name in ("rule", "learned", "unchecked")
        ]
        facts += made
        kept = "learned" if row["kept"] else Missing("validation kept the rule")
        rows.append((labels[position], *(fact.ref() for fact in made), kept))
    columns = (
        Column("window", "Test year", emphasis=True), Column("rule", "Tuned rule", "bp", digits=2),
        Column("learned", "As kept", "bp", digits=2), Column("unchecked", "Learned", "bp", digits=2),
        Column("kept", "Acts"),
    )  # fmt: skip
    won = int((gains > 0).sum())
    takeaway = f"The learned policy is cheaper than the tuned rule in {won} of {plural(len(gains), 'test year')}."
    nothing: Sequence[None] = [None] * len(gains)
    body = figures.intervals(
        labels, {"Saved": figures.Interval((words.BP * gains).tolist(), nothing, nothing)}, alt=takeaway, digits=2,
        axis_title="Saved against the tuned rule, a year", data=TableBody(columns, tuple(rows)),
    )  # fmt: skip
    return Exhibit(
        "policy-training-windows", "Each test year", body, takeaway, _settings(trained, origin), tuple(facts)
    )
