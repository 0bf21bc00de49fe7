"""A check: the function that judges many proposals at once, the tables it reads, and the parameters it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.compliance.context import Context
from workbench.compliance.outcome import Outcome
from workbench.compliance.rule import Rule

#: JSON-schema fragments for parameters.
FRACTION: Mapping[str, Any] = {"type": "number", "minimum": 0, "maximum": 1}
AMOUNT: Mapping[str, Any] = {"type": "number", "minimum": 0}
COUNT: Mapping[str, Any] = {"type": "integer", "minimum": 0}
TEXT: Mapping[str, Any] = {"type": "string", "minLength": 1}
TEXTS: Mapping[str, Any] = {"type": "array", "items": TEXT, "uniqueItems": True}
FLAG: Mapping[str, Any] = {"type": "boolean"}


def by_name(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """A mapping from names (a registration, an asset class) to values of one kind."""
    return {"type": "object", "additionalProperties": value, "minProperties": 1}


def one_of(names: Iterable[str]) -> Mapping[str, Any]:
    """One of some names."""
    return {"enum": sorted(names)}


def by_level(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """A list of five, for risk levels 1 to 5."""
    return {"type": "array", "items": value, "minItems": 5, "maxItems": 5}


@dataclass(frozen=True)
class Check:
    """`judge` says what a rule finds; `reads` names the firm's tables it looks at, `parameters` what a rule must give.

    Every parameter is required: a limit that nobody wrote down is not a limit.
    """

    judge: Callable[[Context, Rule], Outcome]
    reads: tuple[str, ...]
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
