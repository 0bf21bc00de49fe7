"""Limits in a rulebook's own text: which may be moved, what they are now, and the text with some of them moved."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from workbench.errors import ParameterError

_LARGEST_FILE = 1_000_000


@dataclass(frozen=True)
class Movable:
    """A limit that may be proposed to move: the rule, its parameter, and how far.

    Dots go into nested parameters, and into lists by position from 1: `limits.3` is the third of `limits`.
    """

    rule_id: str
    parameter: str
    to: float


@dataclass(frozen=True)
class Present:
    """A limit as it stands: its number, its rule's version, and whether another limit of the rule is the same."""

    limit: float
    version: int
    shared: bool


def read_movable(path: Path | str) -> tuple[Movable, ...]:
    """Read which limits may be proposed to move: YAML, `movable: {rule: {parameter: bound}}`.

    Raises `ParameterError` for a file that is none.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        said: Any = yaml.safe_load(text) if len(text) <= _LARGEST_FILE and "*" not in text else None
        return tuple(
            Movable(_text(rule), _text(parameter), _number(bound))
            for rule, row in said["movable"].items()
            for parameter, bound in row.items()
        )
    except (OSError, UnicodeDecodeError, yaml.YAMLError, TypeError, KeyError, AttributeError, ValueError) as error:
        raise ParameterError(
            f"{path}: cannot be read as movable limits ({error!r}); write movable: {{rule: {{parameter: bound}}}}",
            "movable",
        ) from error


def read_rules(text: str) -> Mapping[str, Mapping[str, Any]]:
    """Return a rulebook's rules by identifier. Raises `ParameterError` for a text that is none."""
    try:
        said = yaml.safe_load(text)
        int(said["version"])
        return {row["id"]: row for row in said["rules"]}
    except (yaml.YAMLError, TypeError, ValueError, KeyError) as error:
        raise ParameterError(
            f"the rulebook cannot be read ({error!r}); give the text it was read from", "rulebook"
        ) from error


def present_limit(rules: Mapping[str, Mapping[str, Any]], item: Movable) -> Present:
    """Return a movable limit as it stands. Raises `ParameterError` where it is not there or may not be moved."""
    rule = rules.get(item.rule_id)
    if rule is None:
        raise ParameterError(f"movable: the rulebook has no rule {item.rule_id!r}; correct its name", "movable")
    if not rule.get("overridable", False):
        raise ParameterError(f"movable: {item.rule_id} cannot be overridden, so its limit cannot be moved", "movable")
    value: Any = rule.get("parameters", {})
    for name in item.parameter.split("."):
        value = _inside(value, name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ParameterError(f"movable: {item.rule_id} has no number {item.parameter!r}; name another", "movable")
    if float(value) == item.to:
        raise ParameterError(f"movable: {item.rule_id} stands at its bound already; take it off the list", "movable")
    same = sum(number == value for number in _numbers(rule["parameters"]))
    return Present(float(value), int(rule["version"]), same > 1)


def _inside(value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(name)
    if isinstance(value, list) and name.isdecimal() and 1 <= int(name) <= len(value):
        return value[int(name) - 1]
    return None


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, Mapping | list):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _numbers(part)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value


def rewritten(text: str, moves: Sequence[tuple[Movable, float]]) -> str:
    """Return the rulebook with numbers exchanged in place and versions raised, comments and spacing as they were."""
    if not moves:
        return text
    root: Any = yaml.compose(text)
    rules = {_child(node, "id").value: node for node in _child(root, "rules").value}
    put: dict[tuple[int, int], str] = {}
    for item, new in moves:
        number = _child(rules[item.rule_id], "parameters")
        for name in item.parameter.split("."):
            number = _child(number, name)
        put[number.start_mark.index, number.end_mark.index] = f"{new:.12g}"
    for node in (root, *(rules[item.rule_id] for item, _ in moves)):
        version = _child(node, "version")
        put[version.start_mark.index, version.end_mark.index] = str(int(version.value) + 1)
    for (start, end), words in sorted(put.items(), reverse=True):
        text = text[:start] + words + text[end:]
    return text


def _child(node: Any, name: str) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return node.value[int(name) - 1]
    return next(value for key, value in node.value if key.value == name)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value or len(value) > 200:
        raise ValueError(f"{value!r} is no name")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no number")
    return float(value)
