"""How the numbers of a stored policy are to be read, and the checks before compiled code sees them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from pydantic import ConfigDict

from workbench.backtest import BandNetwork, CompiledPolicy, Floats, LearnedQuadratic, Quadratic, Rule
from workbench.errors import ParameterError, PolicyError
from workbench.learning.card import Card

SCHEMA = "workbench policy 1"
#: The names a folder uses for the compiled kinds, in their order.
KINDS = ("HOLD", "TARGET", "BAND", "QUADRATIC", "TILTED", "LEARNED_QUADRATIC", "BAND_NETWORK")
#: Kinds that work without a network, and so may stand in for one.
RULES = ("HOLD", "TARGET", "BAND", "QUADRATIC")
LEARNED = ("LEARNED_QUADRATIC", "BAND_NETWORK")
#: A hidden layer of this house has some units; more would be another program's file.
_MOST_HIDDEN = 512
#: A rule that looks less than once a year leaves the account to itself.
LONGEST_EVERY = 252
#: Horizons are years, bands parts of 1, weights of networks some units: a larger number is no policy's.
LARGEST_NUMBER = 1e6


@dataclass(frozen=True)
class Spec:
    """How to read the numbers: the kind of policy, the pieces of `numbers` in order, and the inputs it needs.

    `layout` names each piece and its shape; all are float64. `positions` is 0 where any number of positions is served.
    `market` and `asset` are the first signals, in their order; `members` is how many networks the numbers hold.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    schema: str
    name: str
    kind: str
    every: int
    layout: tuple[tuple[str, tuple[int, ...]], ...]
    positions: int
    market: tuple[str, ...]
    asset: tuple[str, ...]
    seeds: tuple[int, ...]
    members: int


@dataclass(frozen=True)
class StoredRule(CompiledPolicy):
    """A policy by its kind, sessions between looks and numbers, under a name: what folder and card give back."""

    name: str
    stored: Rule

    def rule(self) -> Rule:
        """Kind, sessions between looks and numbers."""
        return self.stored


def kind_name(kind: int) -> str:
    """The name of a compiled kind. Raises `ParameterError` for a number that is none."""
    if not 0 <= kind < len(KINDS):
        raise ParameterError(f"there is no compiled kind {kind}; kinds are 0 to {len(KINDS) - 1}", "kind")
    return KINDS[kind]


def stored_rule(name: str, kind: str, every: int, numbers: tuple[float, ...], file: str) -> StoredRule:
    """A policy from stored numbers, checked as its own class checks them: compiled code does not look twice.

    Raises `PolicyError` naming the file.
    """
    if kind not in (*RULES, *LEARNED):
        raise PolicyError(
            f"{file}: the kind {kind!r} is not kept in folders; there are {', '.join((*RULES, *LEARNED))}"
        )
    if not 1 <= every <= LONGEST_EVERY:
        raise PolicyError(
            f"{file}: it looks every {every:.6g} sessions; at least 1 is needed, at most {LONGEST_EVERY}, a year"
        )
    if not np.isfinite(numbers).all():
        raise PolicyError(f"{file}: number {int(np.argmin(np.isfinite(numbers)))} is not finite; train it again")
    if numbers and max(map(abs, numbers)) > LARGEST_NUMBER:
        raise PolicyError(f"{file}: {max(numbers, key=abs):g} is beyond any horizon, band or weight; train it again")
    try:
        _check_numbers(name, kind, every, numbers)
    except (ParameterError, PolicyError) as error:
        raise PolicyError(f"{file}: {error}") from error
    return StoredRule(name, Rule(KINDS.index(kind), every, numbers))


def check(spec: Spec, card: Card, numbers: Floats, file: str) -> None:
    """Check that spec, card and numbers belong together. Raises `PolicyError` naming the file."""
    if spec.schema != SCHEMA:
        raise PolicyError(f"{file}: schema {spec.schema!r} is not {SCHEMA!r}; read it with what wrote it")
    if spec.positions < 0 or spec.members < 1:
        raise PolicyError(f"{file}: members must be at least 1, positions at least 0; save it again")
    if size(spec) != len(numbers):
        raise PolicyError(f"{file}: the layout holds {size(spec)} numbers, the policy {len(numbers)}; save it again")
    if spec.name != card.name or spec.seeds != card.seeds:
        raise PolicyError(f"{file}: name and seeds are not those of the card; save both together")
    described = {(feature.of, feature.name) for feature in card.features}
    for of, names in (("market", spec.market), ("asset", spec.asset)):
        for name in names:
            if (of, name) not in described:
                raise PolicyError(f"{file}: the card does not describe the {of} feature {name!r}; add it with its lag")
    if card.fallback.kind not in RULES:
        raise PolicyError(f"{file}: the fallback {card.fallback.kind!r} is not one of {', '.join(RULES)}; take a rule")


def size(spec: Spec) -> int:
    """How many numbers the layout holds. Raises `PolicyError` for a layout that is none."""
    shapes = [shape for _, shape in spec.layout]
    names = {name for name, _ in spec.layout}
    if len(names) != len(shapes) or any(length < 0 for shape in shapes for length in shape):
        raise PolicyError("the layout names a piece twice or has a negative length; save it again")
    return sum(math.prod(shape) for shape in shapes)


def check_inputs(spec: Spec, positions: int, market: int, asset: int) -> None:
    """Check that a day's inputs are those the policy reads. Raises `PolicyError`."""
    if spec.positions and positions != spec.positions:
        raise PolicyError(f"{spec.name} serves {spec.positions} positions, not {positions}; train one for these")
    if market < len(spec.market) or asset < len(spec.asset):
        raise PolicyError(
            f"{spec.name} reads {len(spec.market)} market and {len(spec.asset)} asset signals, {market} and {asset} "
            "are given; make the signals that its card lists"
        )


def _check_numbers(name: str, kind: str, every: int, numbers: tuple[float, ...]) -> None:
    needed = {"HOLD": 0, "TARGET": 0, "BAND": 3, "QUADRATIC": 3}
    if kind in needed and len(numbers) != needed[kind]:
        raise PolicyError(f"{kind} reads {needed[kind]} numbers, {len(numbers)} are given; save it again")
    if kind == "BAND" and (min(numbers[:2]) < 0 or numbers[1] > numbers[0]):
        raise PolicyError(f"the band's trigger {numbers[0]} and destination {numbers[1]} are no band; save it again")
    if kind == "BAND" and numbers[2] == 0.0 and numbers[0] >= 1.0:
        raise PolicyError(f"a band of {numbers[0]:.0%} never trades; hold instead, and say so")
    if kind == "QUADRATIC":
        Quadratic(numbers[0], numbers[1], numbers[2], every)
    if kind == "LEARNED_QUADRATIC":
        parts, hidden = _members(numbers, 1)
        LearnedQuadratic(numbers[0], parts, hidden, every, name)
    if kind == "BAND_NETWORK":
        parts, hidden = _members(numbers, 0)
        BandNetwork(parts, hidden, every, name)


def _members(numbers: tuple[float, ...], before: int) -> tuple[tuple[tuple[float, ...], ...], int]:
    """The networks of an ensemble and their hidden units; `before` numbers stand before the two counts."""
    start = before + 2
    members, hidden = numbers[before:start] if len(numbers) > start else (0.0, 0.0)
    if not (members.is_integer() and hidden.is_integer() and members >= 1 and 1 <= hidden <= _MOST_HIDDEN):
        raise PolicyError(f"{members:g} members of {hidden:g} hidden units are no ensemble; save it again")
    length, rest = divmod(len(numbers) - start, int(members))
    if rest:
        raise PolicyError(f"{len(numbers) - start} numbers are not those of {members:g} members; save it again")
    parts = tuple(numbers[start + length * e : start + length * (e + 1)] for e in range(int(members)))
    return parts, int(hidden)
