"""Policy folders: the same bytes from the same inputs, the same decisions back, and a refusal of everything else."""

import hashlib
import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save as pack

from workbench.backtest import (
    Band,
    BandNetwork,
    BuyAndHold,
    Calendar,
    LearnedQuadratic,
    Observation,
    Quadratic,
    Rule,
    _decide,
)
from workbench.errors import ParameterError, PolicyError
from workbench.learning import card as cards
from workbench.learning import folder as files
from workbench.learning import registry, spec
from workbench.learning.guardrails import Guarded, Limits
from workbench.learning.signature import new_key

TODAY = date(2026, 6, 1)


@pytest.fixture
def approver(tmp_path):
    """A key file and the firm's list with it."""
    path = tmp_path / "ben.pem"
    return path, {"Ben Okafor": new_key(path)}


def approve(folder, approver, name="Ben Okafor", day=date(2026, 2, 1)):
    return registry.approve(folder, name, day, approver[0].read_bytes())


def seal(folder, name, body):
    """Replace a file and hash everything anew, as a forger without a key can."""
    (folder / name).write_bytes(body)
    bodies = {each: (folder / each).read_bytes() for each in files.HASHED}
    (folder / files.MANIFEST).write_bytes(cards.dumps(files.manifest(bodies)))


def edit(folder, name, /, **changes):
    """Change fields of a JSON file and hash everything anew."""
    content = json.loads((folder / name).read_bytes()) | changes
    seal(folder, name, (json.dumps(content, sort_keys=True, indent=1) + "\n").encode())


def look(n=3, weight=(0.5, 0.2, 0.3)):
    sd = np.array([0.17, 0.20, 0.06])
    return Observation(
        session=0,
        weight=np.array(weight),
        target=np.array([0.4, 0.2, 0.4]),
        covariance=np.outer(sd, sd) * np.array([[1, 0.7, 0.1], [0.7, 1, 0], [0.1, 0, 1]]),
        cost=np.full(n, 0.001),
        market=np.array([1.1]),
        asset=np.full((1, n), 1.2),
    )


def test_kinds_are_the_compiled_ones():
    assert {name: number for number, name in enumerate(spec.KINDS)} == {
        name: getattr(_decide, name) for name in spec.KINDS
    }


def test_what_is_read_decides_as_what_was_written(folder, learned):
    policy = registry.load(folder)
    assert policy.rule() == learned.rule()
    assert policy.status == "draft"
    np.testing.assert_array_equal(policy.decide(look()), learned.decide(look()))
    assert {name: piece.shape for name, piece in policy.tensors.items()} == {
        "header": (3,),
        "members": (2, len(learned.members[0])),
    }
    np.testing.assert_array_equal(policy.tensors["members"], np.array(learned.members))


def test_the_same_inputs_give_the_same_bytes(write, tmp_path):
    hashes = [write(tmp_path / name) for name in ("one", "two")]
    assert hashes[0] == hashes[1]
    for path in sorted((tmp_path / "one").iterdir()):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


def test_another_process_writes_the_same_bytes(folder, tmp_path, learned, card):
    code = f"""
from workbench.backtest import LearnedQuadratic
from workbench.learning import card as cards, registry
made = cards.loads(cards.Card, open({str(folder / "card.json")!r}, "rb").read())
policy = registry.load({str(folder)!r})
print(registry.save({str(tmp_path / "again")!r}, policy, made, market=policy.spec.market, asset=policy.spec.asset,
                    members=2, layout=policy.spec.layout))
"""
    again = subprocess.check_output([sys.executable, "-c", code], text=True).strip()
    assert again == registry.load(folder).content_hash
    assert (tmp_path / "again" / files.WEIGHTS).read_bytes() == (folder / files.WEIGHTS).read_bytes()


def test_reading_needs_neither_torch_nor_pickle(folder):
    code = f"""
import sys
from workbench.learning import registry
registry.load({str(folder)!r})
print([name for name in ("torch", "gymnasium", "stable_baselines3") if name in sys.modules])
"""
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_the_manifest_is_plain_sha256(folder):
    listed = json.loads((folder / files.MANIFEST).read_text())
    for name, digest in listed["files"]:
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    lines = "workbench policy 1\n" + "".join(f"{name} {digest}\n" for name, digest in listed["files"])
    assert hashlib.sha256(lines.encode()).hexdigest() == listed["content_hash"]


@pytest.mark.parametrize("name", [*files.HASHED, files.MANIFEST])
def test_a_changed_byte_is_found(folder, name):
    body = bytearray((folder / name).read_bytes())
    for place in (0, len(body) // 2, len(body) - 1):
        changed = bytearray(body)
        changed[place] ^= 1
        (folder / name).write_bytes(changed)
        with pytest.raises(PolicyError, match=name):
            registry.load(folder)


@pytest.mark.parametrize("name", [*files.HASHED, files.MANIFEST])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(PolicyError, match=f"{name}: missing"):
        registry.load(folder)


@pytest.mark.parametrize("name", ["policy.zip", "model.pt", "evil.pkl", "weights.npz", ".hidden", "notes.txt"])
def test_a_foreign_file_is_refused(folder, name):
    (folder / name).write_bytes(b"anything")
    with pytest.raises(PolicyError, match="foreign file"):
        registry.load(folder)


def test_a_folder_inside_is_refused(folder):
    (folder / "more").mkdir()
    with pytest.raises(PolicyError, match="foreign file"):
        registry.load(folder)


def test_links_are_not_followed(folder, tmp_path):
    outside = tmp_path / "outside"
    os.rename(folder / files.WEIGHTS, outside)
    os.symlink(outside, folder / files.WEIGHTS)
    with pytest.raises(PolicyError, match=f"{files.WEIGHTS}: a link"):
        registry.load(folder)
    os.symlink(folder, tmp_path / "link")
    with pytest.raises(PolicyError, match="link"):
        registry.load(tmp_path / "link")


def test_a_foreign_sb3_zip_is_refused_unopened(tmp_path):
    class Bomb:
        def __reduce__(self):
            return os.system, ("touch bomb",)

    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("data", pickle.dumps(Bomb()))
        archive.writestr("policy.pth", pickle.dumps(Bomb()))
    path = tmp_path / "ppo.zip"
    path.write_bytes(body.getvalue())
    with pytest.raises(PolicyError, match="stable-baselines3"):
        registry.load(path)
    assert not (tmp_path / "bomb").exists()


@pytest.mark.parametrize("body", [pickle.dumps({"w": [1.0]}), b"", b"\xff" * 64, (2**62).to_bytes(8, "little") + b"{}"])
def test_weights_that_are_no_safetensors_are_refused(folder, body):
    seal(folder, files.WEIGHTS, body)
    with pytest.raises(PolicyError, match="not a safetensors file"):
        registry.load(folder)


def tampered(folder, learned, **pieces):
    given = {"header": np.array(learned.rule().numbers[:3]), "members": np.array(learned.members)} | pieces
    seal(folder, files.WEIGHTS, pack({name: piece for name, piece in given.items() if piece is not None}))


def test_tensors_of_another_type_shape_or_name_are_refused(folder, learned):
    members = np.array(learned.members)
    for piece, message in (
        (members.astype(np.float32), "float32"),
        (np.ascontiguousarray(members.T), "not float64"),
        (None, "holds"),
    ):
        tampered(folder, learned, members=piece)
        with pytest.raises(PolicyError, match=message):
            registry.load(folder)
    tampered(folder, learned, extra=np.zeros(1))
    with pytest.raises(PolicyError, match="holds"):
        registry.load(folder)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_are_refused(folder, learned, bad):
    members = np.array(learned.members)
    members[1, 3] = bad
    tampered(folder, learned, members=members)
    with pytest.raises(PolicyError, match="not finite"):
        registry.load(folder)


@pytest.mark.parametrize(
    "header",
    [(-1.0, 2, 8), (0.5, 1e9, 8), (0.5, 2, 1e6), (0.5, 2, 7), (0.5, 3, 8), (0.5, 2.5, 8), (0.5, 0, 8), (0.5, -2, 8)],
)
def test_a_header_that_would_read_beyond_the_numbers_is_refused(folder, learned, header):
    tampered(folder, learned, header=np.array(header, float))
    with pytest.raises(PolicyError, match=files.WEIGHTS):
        registry.load(folder)


def test_a_huge_file_is_refused_before_it_is_parsed(folder):
    with (folder / files.WEIGHTS).open("wb") as file:
        file.truncate(20_000_000_000)  # sparse: takes no room
    with pytest.raises(PolicyError, match="larger than"):
        registry.load(folder)


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        (files.SPEC, {"schema": "workbench policy 2"}, "schema"),
        (files.SPEC, {"kind": "PYTHON"}, "PYTHON"),
        (files.SPEC, {"every": 0}, "at least 1"),
        (files.SPEC, {"every": 21.5}, "every"),
        (files.SPEC, {"layout": [["numbers", [-1]]]}, "layout"),
        (files.SPEC, {"layout": [["header", [3]], ["members", [99999999999]]]}, "not float64"),
        (files.SPEC, {"more": 1}, "more"),
        (files.SPEC, {"market": ["secret"]}, "secret"),
        (files.SPEC, {"name": "another"}, "name"),
        (files.CARD, {"trials": 0}, "trials"),
        (files.CARD, {"expires": "soon"}, "expires"),
        (files.CARD, {"purpose": ""}, "purpose"),
        (files.CARD, {"verdict": "surely"}, "verdict"),
        (files.CARD, {"known_failures": []}, "known_failures"),
        (files.CARD, {"fallback": {"name": "x", "kind": "LEARNED_QUADRATIC", "every": 21, "numbers": []}}, "fallback"),
        (files.CARD, {"fallback": {"name": "x", "kind": "BAND", "every": 21, "numbers": [0.05]}}, "BAND"),
    ],
)
def test_what_does_not_make_sense_is_refused_although_it_hashes(folder, name, changes, message):
    edit(folder, name, **changes)
    with pytest.raises(PolicyError, match=message):
        registry.load(folder)


def test_json_that_is_not_canonical_is_refused(folder):
    body = (folder / files.CARD).read_bytes()
    for other in (body + b" ", body.replace(b'"trials": 37', b'"trials": 37, "trials": 37'), b"[" * 100_000):
        seal(folder, files.CARD, other)
        with pytest.raises(PolicyError, match=files.CARD):
            registry.load(folder)


def test_no_such_folder(tmp_path):
    with pytest.raises(PolicyError, match="no such policy folder"):
        registry.load(tmp_path / "nothing")
    with pytest.raises(PolicyError, match="no such folder"):
        registry.found(tmp_path / "nothing")


def test_a_draft_does_not_go_live(folder, approver):
    with pytest.raises(PolicyError, match="draft"):
        registry.load(folder, today=TODAY, keys=approver[1], live=True)
    with pytest.raises(ParameterError, match="today"):
        registry.load(folder, live=True)


def test_an_approved_policy_goes_live(folder, approver, learned):
    approve(folder, approver)
    policy = registry.load(folder, today=TODAY, keys=approver[1], live=True)
    assert (policy.status, policy.approval.approver) == ("approved", "Ben Okafor")
    assert policy.rule() == learned.rule()
    assert registry.load(folder).status == "unchecked"


def test_a_key_that_is_not_the_firms_is_refused(folder, approver, tmp_path):
    approve(folder, approver)
    with pytest.raises(PolicyError, match="not in the firm's list"):
        registry.load(folder, keys={"Cleo": approver[1]["Ben Okafor"]})
    with pytest.raises(PolicyError, match="signature is not that"):
        registry.load(folder, keys={"Ben Okafor": new_key(tmp_path / "other.pem")})


def test_the_maker_cannot_approve(folder, approver):
    for name in ("Ana Ruiz", "ana  ruiz", " "):
        with pytest.raises(PolicyError, match=r"approve it|nobody"):
            approve(folder, approver, name)
    assert not (folder / files.APPROVAL).exists()


def test_a_signature_over_other_files_or_another_day_is_refused(write, tmp_path, approver):
    write(tmp_path / "a")
    write(tmp_path / "b", trials=38)
    approval = approve(tmp_path / "a", approver)
    (tmp_path / "b" / files.APPROVAL).write_bytes(cards.dumps(approval))
    with pytest.raises(PolicyError, match="other files"):
        registry.load(tmp_path / "b", keys=approver[1])
    forged = replace(approval, day="2026-03-01")
    (tmp_path / "a" / files.APPROVAL).write_bytes(cards.dumps(forged))
    with pytest.raises(PolicyError, match="signature is not that"):
        registry.load(tmp_path / "a", keys=approver[1])


def test_a_page_that_is_not_the_cards_is_not_approved(folder, approver):
    page = (folder / files.PAGE).read_bytes()
    seal(folder, files.PAGE, page.replace(b"Loses to the rule", b"Beats the rule"))
    with pytest.raises(PolicyError, match=r"not the page of card\.json"):
        approve(folder, approver)


def test_an_approval_from_the_future_is_refused(folder, approver):
    approve(folder, approver)
    with pytest.raises(PolicyError, match="future"):
        registry.load(folder, today=date(2026, 1, 20), keys=approver[1])


def test_approved_once_and_only_what_earned_it(write, folder, tmp_path, approver):
    approve(folder, approver)
    with pytest.raises(PolicyError, match="already"):
        approve(folder, approver)
    write(tmp_path / "weak", verdict="shadow")
    with pytest.raises(PolicyError, match="verdict"):
        approve(tmp_path / "weak", approver)
    write(tmp_path / "late")
    with pytest.raises(PolicyError, match="outside its life"):
        approve(tmp_path / "late", approver, day=date(2027, 1, 5))


def test_past_its_expiry_the_rule_acts_and_it_is_said(folder, approver):
    approve(folder, approver)
    last, first = (
        registry.load(folder, today=day, keys=approver[1], live=True) for day in (date(2027, 1, 4), date(2027, 1, 5))
    )
    assert not last.expired
    assert not last.events
    assert first.status == "expired"
    assert first.rule() == Quadratic(0.45).rule()
    np.testing.assert_array_equal(first.decide(look()), Quadratic(0.45).decide(look()))
    (event,) = first.events
    assert (event.kind, event.day) == ("expired", "2027-01-05")
    assert "quadratic, 0.45 y acts in its place" in event.sentence


def test_inputs_it_was_not_trained_on_are_refused(folder):
    policy = registry.load(folder)
    with pytest.raises(PolicyError, match="reads 1 market"):
        policy.decide(replace(look(), market=np.empty(0)))
    policy = replace(policy, spec=replace(policy.spec, positions=5))
    with pytest.raises(PolicyError, match="serves 5 positions"):
        policy.decide(look())


def test_signals_by_another_name_are_refused(folder):
    from workbench.backtest import gbm, signals

    universe = gbm(np.full(2, 0.05), np.eye(2) * 0.02, np.full(2, 0.5), paths=1, sessions=400, seed=1)
    given = signals(universe)
    policy = registry.load(folder)
    policy.check(given, universe.positions)
    with pytest.raises(PolicyError, match="reads the signals"):
        policy.check(replace(given, market_names=("other", *given.market_names[1:])), universe.positions)


def test_a_rule_is_a_fallback_and_a_network_is_not(learned):
    for rule in (Band(0.05), BuyAndHold(), Calendar(63), Quadratic(0.3, every=5)):
        assert registry.fallback_of(rule).every == rule.rule().every
    with pytest.raises(ParameterError, match="cannot be a fallback"):
        registry.fallback_of(learned)


def test_nothing_is_overwritten_and_nothing_wrong_is_written(write, folder, card, tmp_path):
    with pytest.raises(ParameterError, match="never overwritten"):
        write(folder)

    class Odd(Quadratic):
        def rule(self):
            return Rule(_decide.LEARNED_QUADRATIC, 21, (0.5, 1.0, 8.0, 1.0))

    with pytest.raises(ParameterError, match="member"):
        registry.save(tmp_path / "odd", Odd(0.5), card)
    with pytest.raises(ParameterError, match="expires"):
        write(tmp_path / "odd", expires="2020-01-01")
    assert not (tmp_path / "odd").exists()


def test_a_policy_of_any_size_passes_through(card, tmp_path):
    size = 3 * 16 + 3 + 4 * 3 + 4 * 16 + 4
    policy = LearnedQuadratic(0.2, (tuple(np.linspace(-1, 1, size).tolist()),), hidden=3, every=5)
    registry.save(tmp_path / "small", policy, card)
    assert registry.load(tmp_path / "small").rule() == policy.rule()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_forged_folder_is_refused_or_harmless(write, tmp_path_factory, data):
    """Bytes are changed and everything is hashed anew: a typed error, or a policy that answers with a portfolio."""
    folder = tmp_path_factory.mktemp("forged") / "policy"
    write(folder)
    name = data.draw(st.sampled_from(files.HASHED))
    body = bytearray((folder / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(body) - 1))
        body[place] = data.draw(st.integers(0, 255))
    seal(folder, name, bytes(body))
    try:
        policy = registry.load(folder, today=TODAY)
    except PolicyError:
        return
    guarded = Guarded(policy.learned, Calendar(21), Limits(turnover=1.0))
    wanted = guarded.decide(look())
    assert wanted is None or (wanted.min() >= 0 and abs(wanted.sum() - 1.0) < 1e-8)


def test_a_band_network_is_kept_too(card, tmp_path):
    hidden = 4
    size = next(n for n in range(1, 2000) if _is_band_network(n, hidden))
    policy = BandNetwork((tuple(np.linspace(-0.1, 0.1, size).tolist()),) * 3, hidden)
    registry.save(tmp_path / "band", policy, card, members=3)
    read = registry.load(tmp_path / "band")
    assert read.rule() == policy.rule()
    np.testing.assert_array_equal(read.decide(look()), policy.decide(look()))
    for header in ((2.0, 4.0), (3.0, 5.0), (1e6, 4.0)):
        numbers = np.array(policy.rule().numbers)
        numbers[:2] = header
        seal(tmp_path / "band", files.WEIGHTS, pack({"numbers": numbers}))
        with pytest.raises(PolicyError, match=files.WEIGHTS):
            registry.load(tmp_path / "band")


def _is_band_network(size, hidden):
    try:
        BandNetwork((tuple(np.zeros(size).tolist()),), hidden)
    except PolicyError:
        return False
    return True
