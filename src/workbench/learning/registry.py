"""A learned policy as a folder of plain files: the same from the same inputs, and read only when nothing is amiss.

The folder holds numbers (`weights.safetensors`), how to read them (`policy.json`), the card (`card.json`, `card.md`),
the hash of each (`manifest.json`) and, once a person other than its maker approved it, their signature
(`approval.json`). Nothing in it is code: no pickle, no torch. Without an approval it is a draft, for shadow mode only.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from workbench.backtest import CompiledPolicy, Floats, Observation, Policy, Rule, Signals, Universe
from workbench.backtest.evidence import Evidence
from workbench.errors import ParameterError, PolicyError
from workbench.learning import card as cards
from workbench.learning import folder as files
from workbench.learning import spec as specs
from workbench.learning.approval import check_earned, check_given, check_maker
from workbench.learning.card import Card, Fallback
from workbench.learning.event import Event
from workbench.learning.folder import APPROVAL, CARD, MANIFEST, PAGE, SPEC, WEIGHTS, Manifest
from workbench.learning.judged import judged
from workbench.learning.page import stored_page
from workbench.learning.signature import Approval, sign
from workbench.learning.spec import Spec, StoredRule
from workbench.learning.tensors import pack, pieces, unpack


@dataclass(frozen=True, eq=False)
class RegisteredPolicy(CompiledPolicy):
    """A policy read from its folder: `rule` and `decide` are its own, or its fallback's once it has expired.

    `approval` is None for a draft; `approved` says that the signature was checked against the firm's keys. `events`
    are to be shown in the report, an expiry among them.
    """

    name: str
    learned: StoredRule
    fallback: StoredRule
    spec: Spec
    card: Card
    content_hash: str
    approval: Approval | None = None
    approved: bool = False
    expired: bool = False
    events: tuple[Event, ...] = ()

    @property
    def status(self) -> str:
        """`expired`, `approved`, `unchecked` (signed, but no keys were given to check with) or `draft`."""
        if self.expired:
            return "expired"
        return "approved" if self.approved else "unchecked" if self.approval else "draft"

    def is_expired(self, today: date | None) -> bool:
        """Whether it was expired when it was loaded, or is on `today` (None: not asked)."""
        return self.expired or (today is not None and today.isoformat() >= self.card.expires)

    @property
    def tensors(self) -> dict[str, Floats]:
        """The numbers by name and shape, as in `weights.safetensors`."""
        return pieces(self.spec.layout, np.array(self.learned.stored.numbers))

    def rule(self) -> Rule:
        """What acts: the learned policy, or the fallback once it has expired."""
        return (self.fallback if self.expired else self.learned).rule()

    def decide(self, seen: Observation) -> Floats | None:
        """Weights wanted. Raises `PolicyError` where the inputs are not those it reads."""
        if not self.expired:
            specs.check_inputs(self.spec, len(seen.weight), len(seen.market), len(seen.asset))
        return super().decide(seen)

    def check(self, signals: Signals, positions: int) -> None:
        """Check before a backtest that it gets the signals it was trained on. Raises `PolicyError`."""
        specs.check_inputs(self.spec, positions, len(signals.market_names), len(signals.asset_names))
        for read, given in ((self.spec.market, signals.market_names), (self.spec.asset, signals.asset_names)):
            if tuple(given[: len(read)]) != read:
                raise PolicyError(f"{self.name} reads the signals {read}, not {tuple(given)}; make those of its card")


def save(
    folder: Path | str,
    policy: CompiledPolicy,
    card: Card,
    *,
    market: Sequence[str] = (),
    asset: Sequence[str] = (),
    positions: int = 0,
    members: int = 1,
    layout: Sequence[tuple[str, tuple[int, ...]]] = (),
) -> str:
    """Write a draft of a policy to `folder`, which must not exist, and return its content hash.

    `market` and `asset` name the first signals, those that the policy reads; `positions` is how many it serves (0:
    any); `layout` names the pieces of its numbers (none: one piece). The same inputs give the same bytes. Raises
    `ParameterError` naming what is wrong with card, numbers or layout.
    """
    rule = policy.rule()
    numbers = np.array(rule.numbers, float)
    spec = Spec(
        schema=specs.SCHEMA,
        name=card.name,
        kind=specs.kind_name(rule.kind),
        every=rule.every,
        layout=tuple((name, tuple(shape)) for name, shape in layout) or (("numbers", (len(numbers),)),),
        positions=positions,
        market=tuple(market),
        asset=tuple(asset),
        seeds=card.seeds,
        members=members,
    )
    cards.check(card)
    try:
        specs.check(spec, card, numbers, SPEC)
        specs.stored_rule(spec.name, spec.kind, spec.every, tuple(numbers.tolist()), WEIGHTS)
        _fallback(card)
    except PolicyError as error:
        raise ParameterError(str(error), "policy") from error
    bodies = {
        WEIGHTS: pack(pieces(spec.layout, numbers)),
        SPEC: cards.dumps(spec),
        CARD: cards.dumps(card),
        PAGE: stored_page(card),
    }
    cards.loads(Card, bodies[CARD])
    made = files.manifest(bodies)
    files.write(Path(folder), {**bodies, MANIFEST: cards.dumps(made)})
    return made.content_hash


def load(
    folder: Path | str,
    *,
    today: date | None = None,
    keys: Mapping[str, str] | None = None,
    live: bool = False,
    content_hash: str | None = None,
) -> RegisteredPolicy:
    """Read a policy, or refuse it.

    `today` decides whether it has expired (None: not asked, as in a backtest); `keys` (approver to public key in hex)
    check its signature; `live` demands both, and an approval of what may be approved. An expired policy is its fallback
    rule, with an event.
    `content_hash` is that of the version expected: an older one, although it was approved once, is then refused.

    Raises `PolicyError` naming file and remedy where anything is missing, changed, foreign, or signed by its maker or a
    key that is not in `keys`, and with `live` where it is not approved or had not earned it; `ParameterError` for
    `live` without day or keys.
    """
    if live and (keys is None or today is None):
        raise ParameterError("a live policy needs today's date and the approvers' keys; give both", "live")
    folder = Path(folder)
    bodies = files.read(folder)
    policy = _load(folder.name, bodies, today, keys, content_hash)
    if live:
        if policy.approval is None:
            raise PolicyError(f"{folder.name}: no {APPROVAL}: a draft runs in shadow mode only; have it approved")
        check_earned(policy.spec, policy.card, bodies[PAGE])
    return policy if today is None else _expire(policy, today)


def _load(
    name: str,
    bodies: Mapping[str, bytes],
    today: date | None,
    keys: Mapping[str, str] | None,
    expected: str | None,
) -> RegisteredPolicy:
    """The policy in the files of a folder, read once: what is checked is what acts or is signed."""
    listed: Manifest = _parse(Manifest, bodies, MANIFEST)
    files.check(listed, bodies)
    if expected is not None and listed.content_hash != expected:
        raise PolicyError(
            f"{name}: holds the version {listed.content_hash[:12]}..., not {expected[:12]}... as expected; take the "
            "folder that was reviewed, or expect this one after a review"
        )
    spec: Spec = _parse(Spec, bodies, SPEC)
    card: Card = _parse(Card, bodies, CARD)
    try:
        cards.check(card)
    except ParameterError as error:
        raise PolicyError(f"{CARD}: {error}") from error
    if spec.schema == specs.SCHEMA:
        specs.size(spec)
    numbers = unpack(spec.layout, bodies[WEIGHTS], WEIGHTS)
    specs.check(spec, card, numbers, SPEC)
    approval: Approval | None = _parse(Approval, bodies, APPROVAL) if APPROVAL in bodies else None
    if approval is not None:
        check_given(approval, listed.content_hash, card, keys, today)
    return RegisteredPolicy(
        name=spec.name,
        learned=specs.stored_rule(spec.name, spec.kind, spec.every, tuple(numbers.tolist()), WEIGHTS),
        fallback=_fallback(card),
        spec=spec,
        card=card,
        content_hash=listed.content_hash,
        approval=approval,
        approved=approval is not None and keys is not None,
    )


def judge(draft: Path | str, folder: Path | str, found: Evidence, universe: Universe) -> str:
    """Write a draft again to the new `folder`, its card now with evidence and verdict, and return the content hash.

    The numbers stay as they are. Raises `ParameterError` as `judged` and `save` do, `PolicyError` as `load` does.
    """
    read = load(draft)
    return save(
        folder,
        read.learned,
        judged(read.card, found, universe),
        market=read.spec.market,
        asset=read.spec.asset,
        positions=read.spec.positions,
        members=read.spec.members,
        layout=read.spec.layout,
    )


def approve(folder: Path | str, approver: str, day: date, key: bytes, *, content_hash: str | None = None) -> Approval:
    """Sign a draft with an approver's private key (PEM) and write the signature beside it.

    Everything is verified first. `content_hash` is that of the version the approver read; another is refused.

    Raises `PolicyError` where the approver made the policy, its verdict is not deploy, it is expired on `day` or
    approved already; otherwise as `load` and `signature.sign` do.
    """
    folder = Path(folder)
    bodies = files.read(folder)
    policy = _load(folder.name, bodies, None, None, content_hash)
    if policy.approval is not None:
        raise PolicyError(f"{folder.name}: {policy.approval.approver!r} approved it on {policy.approval.day} already")
    check_maker(policy.card, approver)
    check_earned(policy.spec, policy.card, bodies[PAGE])
    if not policy.card.made_on <= day.isoformat() < policy.card.expires:
        raise PolicyError(
            f"{folder.name}: {day} is outside its life, {policy.card.made_on} to {policy.card.expires}; train it anew"
        )
    approval = sign(policy.content_hash, approver, day, key)
    files.write_file(folder / APPROVAL, cards.dumps(approval))
    return approval


def found(folder: Path | str) -> tuple[Path, ...]:
    """The folders under `folder` that look like policies, in the order of their names; none of their files is opened.

    One with any file of a policy does, so that one that lost some is listed and refused; so does one that nobody may
    look into. Raises `PolicyError` where there is no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise PolicyError(f"{folder}: no such folder; name the one that holds the policies")
    return tuple(sorted(path for path in folder.iterdir() if path.is_dir() and _looks_like_one(path)))


def fallback_of(policy: Policy) -> Fallback:
    """A rule as a card's fallback. Raises `ParameterError` for one that needs a network or plain Python to run."""
    if not isinstance(policy, CompiledPolicy) or specs.kind_name(policy.rule().kind) not in specs.RULES:
        raise ParameterError(
            f"{policy.name!r} cannot be a fallback; take a rule: {', '.join(specs.RULES).lower()}", "fallback"
        )
    rule = policy.rule()
    return Fallback(policy.name, specs.kind_name(rule.kind), rule.every, tuple(map(float, rule.numbers)))


def _looks_like_one(folder: Path) -> bool:
    if not os.access(folder, os.R_OK | os.X_OK):
        return True
    return any(os.path.lexists(folder / name) for name in (*files.HASHED, MANIFEST, APPROVAL))


def _fallback(card: Card) -> StoredRule:
    rule = card.fallback
    return specs.stored_rule(rule.name, rule.kind, rule.every, rule.numbers, CARD)


def _parse(kind: type, bodies: Mapping[str, bytes], name: str) -> Any:
    try:
        return cards.loads(kind, bodies[name])
    except ParameterError as error:
        raise PolicyError(f"{name}: {error}") from error


def _expire(policy: RegisteredPolicy, today: date) -> RegisteredPolicy:
    if not policy.is_expired(today):
        return policy
    name, acts = policy.name, policy.fallback.name
    sentence = f"{name} expired on {policy.card.expires}; {acts} acts in its place until it is tested anew."
    return replace(policy, expired=True, events=(*policy.events, Event(today.isoformat(), "expired", sentence)))
