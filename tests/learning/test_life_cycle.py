"""A policy's life, end to end: trained, judged, approved by another person, let act between guardrails, reviewed."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from workbench.backtest import Calendar, Quadratic, Runs, evidence, gbm, signals, simulate
from workbench.backtest.evidence import Candidate, Control
from workbench.cli import main
from workbench.errors import ParameterError, PolicyError
from workbench.learning import events_frame, registry, rolling, shadow
from workbench.learning.card import Card, Feature
from workbench.learning.familiarity import familiar
from workbench.learning.guardrails import Guarded, Limits, switch_file
from workbench.learning.judged import data_of

NAME, READS, SEEDS = "tiny", ("volatility_ratio",), tuple(range(1, 11))
TARGET, COVARIANCE = np.array([0.5, 0.3, 0.2]), np.diag([0.18, 0.22, 0.07]) ** 2


def market(sessions, seed, name="made-up market"):
    made = gbm([0.07, 0.08, 0.03], COVARIANCE, TARGET, paths=1, sessions=sessions, seed=seed, half_spread=0.002)
    return replace(made, name=name, source="drawn from a seed", survivorship="nothing dies in it")


@pytest.fixture(scope="module")
def trained():
    """Ten seeds, two steps each: an ensemble, and each of its members alone."""
    torch = pytest.importorskip("torch", reason="training policies needs torch: make lab")
    from workbench.learning.brownian import brownian_scene
    from workbench.learning.learned_quadratic import Training, ensemble, train_learned_quadratic

    def scene(*seed):
        many = (np.tile(values, (4, 1)) for values in ([0.07, 0.08, 0.03], TARGET, np.full(3, 0.002)))
        mean, target, cost = many
        covariance = np.tile(COVARIANCE, (4, 1, 1))
        return brownian_scene(mean, covariance, target, cost, np.full(4, 5.0), 8, np.random.default_rng(seed))

    settings = Training(steps=2, hidden=2, burn_in=3, check_every=1)
    torch.set_num_threads(1)
    members = [
        train_learned_quadratic(lambda step, seed=seed: scene(seed, step), (scene(9, 9),), 0.8, seed, settings)
        for seed in SEEDS
    ]
    return ensemble(members, 0.8, 2, NAME), {m.seed: ensemble([m], 0.8, 2, f"seed {m.seed}") for m in members}


@pytest.fixture(scope="module")
def history():
    return market(252 * 9, seed=4)


@pytest.fixture(scope="module")
def known(history):
    return signals(history)


@pytest.fixture(scope="module")
def draft(trained, history, known, tmp_path_factory):
    """What a training leaves: a folder whose verdict is shadow, for nothing was tested yet."""
    folder = tmp_path_factory.mktemp("policies") / "draft"
    card = Card(
        name=NAME,
        purpose="Keeps the target at little cost.",
        maker="Ana Ruiz",
        made_on="2026-01-05",
        expires="2027-01-05",
        data=(data_of(history, "to train"),),
        features=tuple(Feature("volatility_ratio", of, 1) for of in ("market", "asset")),
        costs="half spreads of 20 bp",
        seeds=SEEDS,
        trials=len(SEEDS),
        windows=(),
        tests=(),
        controls=(),
        verdict="shadow",
        known_failures=("Two steps of training.",),
        fallback=registry.fallback_of(Quadratic(0.8)),
        command="pytest",
        familiar=familiar(known, known.first, known.first + 3 * 252, market=READS, asset=READS),
    )
    registry.save(folder, trained[0], card, market=READS, asset=READS, positions=3, members=len(SEEDS))
    return folder


@pytest.fixture(scope="module")
def judged(trained, history, known, draft, tmp_path_factory):
    """Evidence against monthly and weekly calendars, recorded on two cards: with all controls, and with one short."""
    ensemble, seeds = trained
    controls = [evidence.leak(market(600, 5), ensemble, seed=1), evidence.same_bits(lambda: ensemble.rule().numbers)]
    done = {control.name for control in controls}
    # Experiments of minutes, done elsewhere: their figures are handed in.
    controls += [Control(name, 0.0, 0.1, True, "Done.") for name in evidence.CONTROLS if name not in done]
    cut = evidence.windows(history.sessions, 3, 1, first=known.first + 1, longest_train_years=3)

    found = evidence.pack(
        history,
        known,
        [Calendar(21), Calendar(5)],
        [Candidate(NAME, ensemble, seeds=seeds, surrogate=Calendar(63), portfolios=800)],
        seed=3,
        test_windows=cut,
        offsets=(0, 3),
        cost_multiples=(1.0, 2.0),
        controls=controls,
        ledger=evidence.TrialLedger(draft.parent / "trials.jsonl"),
        replications=199,
        search=False,
    )
    shelf = tmp_path_factory.mktemp("judged")
    registry.judge(draft, shelf / "complete", found, history)
    registry.judge(draft, shelf / "one_control_short", replace(found, controls=found.controls[1:]), history)
    return shelf


def command(*arguments, code=0):
    result = CliRunner().invoke(main, ["policy", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture(scope="module")
def approved(judged, tmp_path_factory):
    """Ben, who did not make it, reads the card and signs what he read; the firm's list holds his public key."""
    desk = tmp_path_factory.mktemp("desk")
    key, keys = desk / "ben.pem", desk / "approvers.yml"
    keys.write_text(f"Ben Okafor: '{command('key', key).strip()}'\n")
    folder = judged / "complete"
    said = command("show", folder, "--today", "2026-02-01")
    digest = said.partition("content hash: ")[2].split()[0]
    command(
        *("approve", folder, "--key", key, "--name", "Ben Okafor", "--keys", keys),
        *("--hash", digest, "--today", "2026-02-01"),
    )
    command("verify", folder, "--keys", keys, "--live", "--hash", digest, "--today", "2026-03-01")
    return folder, key, keys, digest


def live(approved, today=date(2026, 3, 1)):
    from workbench.learning.signature import read_keys

    folder, _, keys, digest = approved
    return registry.load(folder, today=today, keys=read_keys(keys), live=True, content_hash=digest)


def test_the_card_carries_the_evidence(judged, draft, history):
    card, before = (registry.load(place).card for place in (judged / "complete", draft))
    assert card.verdict == "deploy"
    assert all(check.passed for check in (*card.tests, *card.controls))
    assert [check.name for check in card.tests] == list(evidence.CRITERIA)
    assert {check.name for check in card.controls} == set(evidence.CONTROLS)
    assert len(card.windows) == 4
    assert all(window.gain_bp > 0 for window in card.windows)
    assert card.trials >= before.trials + 2
    prices = hashlib.sha256(np.ascontiguousarray(history.price).tobytes()).hexdigest()
    assert [data.sha256 for data in card.data] == [prices, prices]
    assert "ledger" in card.notes[-1]
    assert registry.load(judged / "complete").rule() == registry.load(draft).rule()


def test_what_did_not_earn_deploy_is_not_approved(judged, draft, approved):
    _, key, keys, _ = approved
    weak = judged / "one_control_short"
    assert registry.load(weak).card.verdict == "do not deploy"
    for place in (weak, draft):
        by_ben = ("--key", key, "--name", "Ben Okafor", "--keys", keys, "--today", "2026-02-01")
        assert "its verdict is" in command("approve", place, *by_ben, code=6)
        with pytest.raises(PolicyError, match="draft runs in shadow mode only"):
            registry.load(place, today=date(2026, 3, 1), keys={"Ben Okafor": "00" * 32}, live=True)


def test_the_maker_does_not_approve(judged, approved, tmp_path):
    """Ana is an approver too, of what others make."""
    _, key, _, _ = approved
    by_ana = ("--key", key, "--name", "Ana Ruiz", "--today", "2026-02-01")
    assert "cannot approve it" in command("approve", judged / "one_control_short", *by_ana, code=6)


@dataclass(eq=False)
class Desk:
    """The day's feed before a guarded policy: on some looks something goes wrong with it."""

    guarded: Guarded
    switch: object
    today: pd.Timestamp | None = None
    looks: int = 0
    asked: list = field(default_factory=list)

    @property
    def name(self):
        return self.guarded.name

    @property
    def every(self):
        return self.guarded.every

    def decide(self, seen):
        self.looks += 1
        self.today = seen.day + pd.Timedelta(days=9 if self.looks == 3 else 0)
        if self.looks == 5:
            seen = replace(seen, covariance=np.full_like(seen.covariance, np.nan))
        if self.looks == 7:
            self.switch.touch()
        wanted = self.guarded.decide(seen)
        self.switch.unlink(missing_ok=True)
        return wanted


@pytest.fixture(scope="module")
def stormy():
    """Two quiet years, then one in which everything moves four times as much."""
    quiet = market(252 * 4, seed=6)
    returns = np.diff(np.log(quiet.price), axis=1)
    returns[:, 252 * 3 :] *= 4.0
    logs = np.concatenate([np.zeros((1, 1, 3)), np.cumsum(returns, axis=1)], axis=1)
    return replace(quiet, price=100.0 * np.exp(logs))


def test_between_guardrails_everything_that_goes_wrong_is_an_event(approved, stormy, tmp_path):
    switch = tmp_path / "stop"
    guarded = Guarded.registered(
        live(approved), Limits(turnover=0.01), clock=lambda: desk.today, killed=switch_file(switch)
    )
    desk = Desk(guarded, switch)
    ran = simulate(stormy, signals(stormy), Runs.product([desk]), keep_paths=True)
    found = events_frame(guarded.events)
    assert {"stale", "missing", "kill switch", "outside training", "turnover"} <= set(found["kind"])
    assert [len(found[found["kind"] == kind]) for kind in ("stale", "missing", "kill switch")] == [1, 1, 1]
    stale = found[found["kind"] == "stale"].iloc[0]
    assert (stale["value"], stale["limit"]) == (9.0, 4.0)
    storm = pd.to_datetime(found.loc[found["kind"] == "outside training", "day"])
    assert (storm >= stormy.sessions[252 * 3]).mean() > 0.8
    assert np.isfinite(ran.statistics[["total_bp", "final_wealth"]].to_numpy()).all()
    np.testing.assert_allclose(ran.weights.sum(axis=-1)[np.isfinite(ran.weights).all(axis=-1)], 1.0, atol=1e-9)


def test_after_its_expiry_the_rule_acts(approved, stormy):
    expired = live(approved, date(2027, 1, 5))
    guarded = Guarded.registered(expired)
    alone = Runs.product([guarded, expired.fallback])
    ran = simulate(stormy, signals(stormy), alone, last=500).statistics["total_bp"]
    assert ran.iloc[0] == pytest.approx(ran.iloc[1], rel=1e-12)
    assert guarded.events[0].kind == "expired"


def test_a_draft_is_watched_in_shadow_and_reviewed(draft, history, known, tmp_path):
    read = registry.load(draft, today=date(2026, 3, 1))
    log = shadow.ShadowLog(tmp_path / "shadow.jsonl", read.content_hash)
    seen_looks = []
    guarded = Guarded.registered(
        read,
        mode="shadow",
        listen=lambda seen, judged: seen_looks.append(
            shadow.entry(seen, judged, portfolio="BAL", wealth=2e6, every=guarded.every)
        ),
    )
    watched = simulate(history, known, Runs.product([guarded, read.fallback])).statistics["total_bp"]
    assert watched.iloc[0] == pytest.approx(watched.iloc[1], rel=1e-12)  # the rule acted, and only the rule
    log.append(*seen_looks)
    entries = shadow.read(tmp_path / "shadow.jsonl", head=log.head)
    decided = rolling.review(
        shadow.windows(entries),
        policy=read.name,
        content_hash=read.content_hash,
        state="shadow",
        intervened=shadow.summary(entries).intervened,
    )
    assert decided.windows >= 4
    assert decided.decision in ("promote", "keep", "retire")
    assert "Nothing was changed" in decided.sentence
    assert list(decided.to_frame()["name"]) == ["windows", "gain", "wins", "guardrails"]


def test_a_training_leaves_a_draft_and_goes_on_where_it_was(tmp_path, monkeypatch):
    pytest.importorskip("torch", reason="training policies needs torch: make lab")
    from workbench.learning import ship, train
    from workbench.learning.learned_quadratic import Trained

    asked = []
    network = tuple(np.linspace(-0.01, 0.01, 3 * 16 + 3 + 4 * 3 + 4 * 16 + 4).tolist())
    monkeypatch.setattr(
        train.Course, "train", lambda self, seed: asked.append(seed) or Trained(seed, network, (1.0,), 0)
    )
    monkeypatch.setattr(ship, "write", lambda policy, place, seeds, *more: f"{place.name} {seeds} {more[-1]}")
    known = train.courses()["reference_n3_20"]
    course = replace(known, training=replace(known.training, hidden=3))
    assert train.make(course, tmp_path, seeds=2, maker="Ana Ruiz") == "reference_n3_20 (0, 1) Ana Ruiz"
    train.make(course, tmp_path, seeds=3)
    assert asked == [0, 1, 2]
    (tmp_path / "members" / "reference_n3_20-1.json").write_text('{"seed"')
    with pytest.raises(ParameterError, match="not a trained member"):
        train.make(course, tmp_path, seeds=3)
    (tmp_path / "reference_n3_20").mkdir()
    with pytest.raises(ParameterError, match="never overwritten"):
        train.make(course, tmp_path)
