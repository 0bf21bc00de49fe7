"""The rulebook: rules as versioned YAML, checked against a JSON schema, with one hash for what they say."""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from workbench.canonical import canonical
from workbench.compliance.checks import CHECKS
from workbench.compliance.rule import Rule
from workbench.errors import ParameterError

#: A rulebook larger than this is not one.
MAX_BYTES = 1_000_000
#: Nesting deeper than this is not a rulebook.
MAX_DEPTH = 12


@dataclass(frozen=True)
class Rulebook:
    """Rules in force, by identifier in the order written; `hash` is SHA-256 of their canonical content, comments left
    out. `text` is the source as read, comments and all, which is what is kept.
    """

    name: str
    version: int
    rules: tuple[Rule, ...]
    hash: str
    text: str = ""

    @classmethod
    def default(cls) -> Rulebook:
        """Return the house rulebook that comes with the workbench."""
        return cls.parse(_package_text("rulebook.yml"), "the house rulebook")

    @classmethod
    def read(cls, path: Path | str) -> Rulebook:
        """Read a rulebook; raises `ParameterError` naming the rule and the field that is wrong."""
        try:
            if Path(path).stat().st_size > MAX_BYTES:
                raise ParameterError(f"{path} is larger than {MAX_BYTES:,} bytes; a rulebook is not", "rulebook")
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ParameterError(
                f"{path} cannot be read as text ({error}); give a YAML rulebook", "rulebook"
            ) from error
        return cls.parse(text, str(path))

    @classmethod
    def parse(cls, text: str, source: str = "the rulebook") -> Rulebook:
        """Read a rulebook from its text; raises `ParameterError` as `read` does."""
        content = _validated(_loaded(text, source), source)
        rules = tuple(_rule(row, source) for row in content["rules"])
        seen: set[str] = set()
        for rule in rules:
            if rule.rule_id in seen:
                raise ParameterError(f"{source}: rule {rule.rule_id} is there twice; keep one", "id")
            seen.add(rule.rule_id)
        return cls(
            content["rulebook"], content["version"], rules, _hash(content["rulebook"], content["version"], rules), text
        )

    def __getitem__(self, rule_id: str) -> Rule:
        for rule in self.rules:
            if rule.rule_id == rule_id:
                return rule
        raise ParameterError(f"no rule {rule_id!r}; the rulebook has {', '.join(r.rule_id for r in self.rules)}", "id")

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules)

    def __len__(self) -> int:
        return len(self.rules)

    def in_force(self, day: date) -> tuple[Rule, ...]:
        """Return the rules that count on a day."""
        return tuple(rule for rule in self.rules if rule.since <= day)


def _hash(name: str, version: int, rules: tuple[Rule, ...]) -> str:
    rows = [{**asdict(rule), "since": rule.since.isoformat(), "parameters": dict(rule.parameters)} for rule in rules]
    return hashlib.sha256(canonical({"rulebook": name, "version": version, "rules": rows})).hexdigest()


class _Loader(yaml.SafeLoader):
    """Plain data only: no tags of Python's, no anchors (which can blow up), no key given twice."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.constructor.ConstructorError(None, None, "anchors and aliases are not allowed", event.start_mark)
        self.depth = getattr(self, "depth", 0) + 1
        if self.depth > MAX_DEPTH:
            raise yaml.constructor.ConstructorError(None, None, "nested too deeply", event.start_mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen = set()
        for key, _ in node.value:
            name = self.construct_object(key, deep=True)
            if not isinstance(name, str):
                raise yaml.constructor.ConstructorError(None, None, f"the name {name!r} is not text", key.start_mark)
            if name in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{name!r} is given twice", key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep=deep)


def _loaded(text: str, source: str) -> Any:
    try:
        return _plain(yaml.load(text, Loader=_Loader), source)  # a SafeLoader, made stricter
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ParameterError(f"{source} is not a rulebook in YAML: {error}", "rulebook") from error


def _plain(value: Any, where: str) -> Any:
    """Dates as text, and no number that is not finite."""
    if isinstance(value, Mapping):
        return {name: _plain(item, f"{where}, {name}") for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, f"{where}, {_called(item, place)}") for place, item in enumerate(value, start=1)]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        raise ParameterError(f"{where}: {value} is not a number that can be a limit", where.rpartition(", ")[2])
    return value


def _called(item: Any, place: int) -> str:
    name = item.get("id") if isinstance(item, Mapping) else None
    return name if isinstance(name, str) else str(place)


@functools.cache
def _validator() -> Any:
    import jsonschema

    return jsonschema.Draft202012Validator(json.loads(_package_text("rulebook.schema.json")))


def _validated(content: Any, source: str) -> dict[str, Any]:
    for error in sorted(_validator().iter_errors(content), key=lambda e: [str(part) for part in e.absolute_path]):
        raise _refused(error, source, content)
    checked: dict[str, Any] = content
    return checked


def _refused(error: Any, source: str, content: Any) -> ParameterError:
    path = list(error.absolute_path)
    where, field = source, str(path[-1]) if path else "rulebook"
    if len(path) > 1 and path[0] == "rules":
        row = content["rules"][path[1]]
        name = row.get("id") if isinstance(row, Mapping) else None
        where = f"{source}: rule {name if isinstance(name, str) else f'number {path[1] + 1}'}"
        field = ".".join(str(part) for part in path[2:]) or "rule"
    return ParameterError(f"{where}, {field}: {error.message[:300]}", field)


def _rule(row: Mapping[str, Any], source: str) -> Rule:
    where = f"{source}: rule {row['id']}"
    check = CHECKS.get(row["check"])
    if check is None:
        raise ParameterError(
            f"{where}, check: no check is called {row['check']!r}; use {', '.join(sorted(CHECKS))}", "check"
        )
    if row.get("overridable_missing") and not row["overridable"]:
        raise ParameterError(
            f"{where}, overridable_missing: a rule that nobody may override is none where data are missing either; "
            "leave it out",
            "overridable_missing",
        )
    parameters = dict(row.get("parameters", {}))
    _check_parameters(parameters, check.parameters, where)
    try:
        since = date.fromisoformat(row["since"])
    except ValueError as error:
        raise ParameterError(
            f"{where}, since: {row['since']!r} is not a date; write it as 2022-12-28", "since"
        ) from error
    return Rule(
        rule_id=row["id"], version=row["version"], title=row["title"], citation=row["citation"], check=row["check"],
        parameters=parameters, failing=row["failing"], overridable=row["overridable"], unit=row["unit"], since=since,
        worsening_only=row.get("worsening_only", False), overridable_missing=row.get("overridable_missing", False),
        wording=row.get("wording", ""),
    )  # fmt: skip


def _check_parameters(given: Mapping[str, Any], wanted: Mapping[str, Mapping[str, Any]], where: str) -> None:
    import jsonschema

    unknown, missing = sorted(set(given) - set(wanted)), sorted(set(wanted) - set(given))
    if unknown:
        takes = ", ".join(sorted(wanted)) or "none"
        raise ParameterError(f"{where}, parameters: {unknown[0]!r} is not one; the check takes {takes}", unknown[0])
    if missing:
        raise ParameterError(f"{where}, parameters: {missing[0]} is missing; give it a value", missing[0])
    for name, schema in wanted.items():
        for error in jsonschema.Draft202012Validator(schema).iter_errors(given[name]):
            raise ParameterError(f"{where}, parameters.{name}: {error.message[:300]}", name)


@functools.cache
def _package_text(name: str) -> str:
    return resources.files("workbench.compliance").joinpath("rules", name).read_text(encoding="utf-8")
