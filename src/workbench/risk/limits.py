"""The thresholds of the watch score, the early warnings and the behavioural facts: data, with their reasons.

`warnings.yml` beside this file holds each one with its meaning, value, range and source. A firm's own file changes
values and nothing else, and is read strictly: a slip of the pen must not switch a warning off unseen.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import yaml

from workbench.errors import ParameterError

#: A file of thresholds is a page.
_LARGEST_FILE = 100_000
_SECTIONS = ("warnings", "score", "behaviour")


@dataclass(frozen=True)
class Limit:
    """One threshold: what it means, its value and unit, what it may be set to, and where it comes from.

    `title`, `level` (firm, model, household, account), `side` and `action` are those of a warning, else "". A warning
    is on above or below `value`, as `side` says. Fractions are fractions.
    """

    id: str
    meaning: str
    value: float
    unit: str
    low: float
    high: float
    source: str
    title: str = ""
    level: str = ""
    side: Literal["above", "below", ""] = ""
    action: str = ""


@dataclass(frozen=True)
class Limits:
    """All thresholds, by section and id: `limits.warnings["issuer_firm"].value`."""

    warnings: Mapping[str, Limit]
    score: Mapping[str, Limit]
    behaviour: Mapping[str, Limit]

    def setting(self, section: Literal["score", "behaviour"], id: str) -> float:
        """The value of a setting of the score or the behavioural facts."""
        section_limits: Mapping[str, Limit] = getattr(self, section)
        return section_limits[id].value

    def but(self, values: Mapping[str, object]) -> Limits:
        """The same with some values changed: `{"issuer_firm": 0.08}`.

        Raises `ParameterError` for an unknown id, a value that is no number, or one out of its range.
        """
        sections = {name: dict(getattr(self, name)) for name in _SECTIONS}
        for key, value in values.items():
            section = _section(key, sections)
            limit = sections[section][key]
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise ParameterError(f"threshold {key} is {value!r}; give a number", str(key))
            if not limit.low <= value <= limit.high:
                raise ParameterError(
                    f"threshold {key} is {value:g}; give one from {limit.low:g} to {limit.high:g} ({limit.unit})", key
                )
            sections[section][key] = replace(limit, value=float(value))
        return Limits(**sections)


def load_limits(path: Path | str | None = None) -> Limits:
    """Read the packaged thresholds, with the values of a firm's own YAML file in their place where one is given.

    Raises `ParameterError` naming the line or id: a file that cannot be read, unknown or repeated ids, aliases, tags,
    values that are no numbers or out of range.
    """
    packaged = read_yaml(files("workbench.risk").joinpath("warnings.yml").read_text(encoding="utf-8"), "warnings.yml")
    limits = Limits(**{name: {id: _limit(id, entry) for id, entry in packaged[name].items()} for name in _SECTIONS})
    if path is None:
        return limits
    try:
        with Path(path).open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
        text = content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ParameterError(f"thresholds {path} cannot be read ({error}); give a UTF-8 text file", "limits") from None
    if len(content) > _LARGEST_FILE:
        raise ParameterError(f"thresholds {path} are larger than {_LARGEST_FILE:,} bytes; a page is enough", "limits")
    return limits.but(read_yaml(text, Path(path).name))


def read_yaml(text: str, name: str) -> dict[str, Any]:
    """Read one mapping of plain keys from YAML text, strictly; `name` is what messages call it.

    Raises `ParameterError` for anything else: repeated keys, aliases, tags, other than a mapping.
    """
    try:
        loaded = yaml.load(text, Loader=_StrictLoader)  # a SafeLoader made stricter
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or "not YAML"
        raise ParameterError(f"{name}{where}: {problem}; correct the line", "limits") from None
    except (RecursionError, ValueError) as error:
        raise ParameterError(f"{name} is not YAML ({type(error).__name__}); correct it", "limits") from None
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise ParameterError(f"{name} must be a mapping of ids to values", "limits")
    return loaded


class _StrictLoader(yaml.SafeLoader):
    """SafeLoader that also refuses a key given twice, keys that are no words, and aliases."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not used here", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            word = key.value if isinstance(key, yaml.ScalarNode) and key.tag == "tag:yaml.org,2002:str" else None
            problem = "a key must be a plain word" if word is None else f"key {word!r} is given twice"
            if word is None or word in seen:
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(word)
        return super().construct_mapping(node, deep)


def _limit(id: str, entry: Mapping[str, Any]) -> Limit:
    words = {name: str(value) for name, value in entry.items() if name not in ("value", "range")}
    low, high = entry["range"]
    return Limit(id, value=float(entry["value"]), low=float(low), high=float(high), **words)  # type: ignore[arg-type]


def _section(key: object, sections: Mapping[str, Mapping[str, Limit]]) -> str:
    """The section that an id is in; ids are told apart across all of them."""
    for section, limits in sections.items():
        if key in limits:
            return section
    known = ", ".join(sorted(id for each in sections.values() for id in each))
    raise ParameterError(f"there is no threshold {key!r}; known are {known}", str(key))
