"""The model card: what a learned policy is for, what it was made from, how it was tested and where it fails."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields, is_dataclass
from datetime import date
from functools import cache
from typing import Any, ClassVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from workbench.backtest.evidence import CONTROLS, CRITERIA
from workbench.errors import ParameterError

_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


@dataclass(frozen=True)
class Data:
    """One set of prices the policy was trained on: where from, which days, and which losers it leaves out."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    name: str
    source: str
    first: str
    last: str
    sessions: int
    survivorship: str
    sha256: str


@dataclass(frozen=True)
class Feature:
    """One input: a signal of the `market` or of each `asset`, and how many sessions old it is when acted upon."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    name: str
    of: str
    lag: int
    meaning: str = ""


@dataclass(frozen=True)
class Window:
    """One year out of sample: total cost (trading and tracking loss, bp a year) of the policy and of the best rule that
    the training years chose."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    universe: str
    first: str
    last: str
    policy_bp: float
    rule: str
    rule_bp: float

    @property
    def gain_bp(self) -> float:
        """What the policy saves against the rule, in bp a year."""
        return self.rule_bp - self.policy_bp


@dataclass(frozen=True)
class Check:
    """One test or control: its figure, what it is held against, whether it passed, and a sentence for a reader."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    name: str
    value: float
    threshold: float
    passed: bool
    sentence: str


@dataclass(frozen=True)
class Fallback:
    """The rule that acts where the policy may not: kind, sessions between looks and numbers as in `backtest.Rule`."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    name: str
    kind: str
    every: int
    numbers: tuple[float, ...]


@dataclass(frozen=True)
class Range:
    """The middle of a feature's values in training: it was seen between `low` and `high`."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    feature: str
    low: float
    high: float


@dataclass(frozen=True)
class Familiar:
    """What the policy saw in training: a range a feature, and the Mahalanobis distance that covers its market days."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    ranges: tuple[Range, ...] = ()
    mean: tuple[float, ...] = ()
    precision: tuple[tuple[float, ...], ...] = ()
    distance: float = 0.0


@dataclass(frozen=True)
class Card:
    """Everything a person must know to approve a learned policy; each field is required unless it has a default.

    Days are ISO dates. `costs` says in words which costs it was trained and tested under. `trials` counts every variant
    ever tried, failed ones too. `windows` are out of sample. The approver is not here: the card is what they sign.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    name: str
    purpose: str
    maker: str
    made_on: str
    expires: str
    data: tuple[Data, ...]
    features: tuple[Feature, ...]
    costs: str
    seeds: tuple[int, ...]
    trials: int
    windows: tuple[Window, ...]
    tests: tuple[Check, ...]
    controls: tuple[Check, ...]
    verdict: str
    known_failures: tuple[str, ...]
    fallback: Fallback
    command: str
    familiar: Familiar = Familiar()
    notes: tuple[str, ...] = ()

    def to_markdown(self, approval: str = "") -> str:
        """The card as a page of Markdown, text of others escaped; `approval` is the line of who approved it."""
        from workbench.learning.page import page

        return page(self, approval)


#: What a card may conclude, and what it may not leave empty.
VERDICTS = ("deploy", "shadow", "do not deploy")
_NEEDED = ("name", "purpose", "maker", "costs", "command", "data", "seeds", "known_failures")
_SHA256 = 64
_LARGEST = 2**63 - 1


def dumps(record: Any) -> bytes:
    """Write a dataclass of this room as canonical JSON: sorted keys, ASCII, one spelling for one content.

    Raises `ParameterError` for what JSON cannot hold, such as a number of numpy's.
    """
    try:
        body = json.dumps(asdict(record), sort_keys=True, indent=1, ensure_ascii=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"{error}; give plain numbers and text, as float(value) or bool(value)", "card") from error
    return f"{body}\n".encode()


def loads(kind: type, body: bytes) -> Any:
    """Read what `dumps` wrote into `kind`. Raises `ParameterError` naming a field missing, unknown or wrong."""
    try:
        record = _adapter(kind).validate_json(body, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the text"
        raise ParameterError(f"{where}: {first['msg']}; write it with the workbench that reads it", where) from None
    if dumps(record) != body:
        raise ParameterError("the JSON is not in canonical form, as after an edit by hand; write it again")
    return record


def check(card: Card) -> None:
    """Check what types cannot: nothing needed is empty, days and numbers make sense.

    Raises `ParameterError` naming the field.
    """
    for name in _NEEDED:
        value = getattr(card, name)
        if not value or (isinstance(value, str) and not value.strip()):
            raise ParameterError(f"the card's {name} is empty; a card without it cannot be judged", name)
    made, expires = _day(card.made_on, "made_on"), _day(card.expires, "expires")
    if expires <= made:
        raise ParameterError(
            f"the card expires on {expires}, not after it was made on {made}; give a later day", "expires"
        )
    if card.trials < 1:
        raise ParameterError(f"the card counts {card.trials} trials; the policy itself is one", "trials")
    if card.verdict not in VERDICTS:
        raise ParameterError(f"the verdict {card.verdict!r} is not one of {', '.join(VERDICTS)}", "verdict")
    if card.verdict == "deploy":
        _check_earned(card)
    if abs(card.trials) > _LARGEST or any(abs(seed) > _LARGEST for seed in card.seeds):
        raise ParameterError("trials and seeds are whole numbers below 2^63; correct the card", "seeds")
    for data in card.data:
        _ordered(data.first, data.last, f"data.{data.name}")
        if not data.survivorship.strip():
            raise ParameterError(f"data {data.name!r} does not say what it leaves out; fill survivorship", "data")
        if len(data.sha256) != _SHA256:
            raise ParameterError(f"data {data.name!r} has no SHA-256 of its prices; 64 hex digits are needed", "data")
    for window in card.windows:
        _ordered(window.first, window.last, "windows")
    for feature in card.features:
        if feature.of not in ("market", "asset") or feature.lag < 0:
            raise ParameterError(
                f"feature {feature.name!r}: `of` is market or asset and its lag at least 0", "features"
            )
    if card.fallback.every < 1:
        raise ParameterError(
            f"the fallback looks every {card.fallback.every} sessions; at least 1 is needed", "fallback"
        )
    _check_familiar(card.familiar)
    _check_finite(card, "card")


def _check_earned(card: Card) -> None:
    """A verdict of deploy follows from criteria and controls that are all on the card, and all passed."""
    if not card.windows:
        raise ParameterError("the card says deploy and shows no windows; record the evidence with judge", "windows")
    for where, needed, checks in (("tests", CRITERIA, card.tests), ("controls", CONTROLS, card.controls)):
        passed = {check.name for check in checks if check.passed} - {c.name for c in checks if not c.passed}
        missing = [name for name in needed if name not in passed]
        if missing:
            raise ParameterError(
                f"the card says deploy, and {missing[0]!r} is not among its {where} that are passed; record the "
                "evidence with judge, which reaches the verdict too",
                "verdict",
            )


def _check_familiar(familiar: Familiar) -> None:
    for range_ in familiar.ranges:
        if range_.low > range_.high:
            raise ParameterError(
                f"the training range of {range_.feature!r} is upside down; write low, high", "familiar"
            )
    size = len(familiar.mean)
    if len(familiar.precision) != size or any(len(row) != size for row in familiar.precision):
        raise ParameterError(f"the precision is not {size} x {size}, the size of the mean; write both anew", "familiar")


def _check_finite(record: Any, where: str) -> None:
    for field in fields(record):
        value = getattr(record, field.name)
        for item in value if isinstance(value, tuple) else (value,):
            if is_dataclass(item):
                _check_finite(item, f"{where}.{field.name}")
            elif isinstance(item, float) and not math.isfinite(item):
                raise ParameterError(f"{where}.{field.name} is {item}; measure it or leave the row out", field.name)


def _ordered(first: str, last: str, where: str) -> None:
    if _day(first, where) > _day(last, where):
        raise ParameterError(f"{where} runs from {first} back to {last}; swap the days", where)


def _day(text: str, name: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ParameterError(f"the card's {name} {text!r} is not a day; write it as 2022-12-28", name) from None


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
