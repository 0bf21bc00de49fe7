"""Facts of how far a household is from its models: each model's weights before and after, and its versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.drafting.facts import EntityKind
from workbench.drafting.on_file import Directory, ModelVersion
from workbench.drafting.sheets.collecting import Collection
from workbench.rebalance.proposal import GroupState, LevelRow, Proposal

#: The levels that weights may be told by, the first one that the proposal has.
LEVELS: tuple[EntityKind, ...] = ("asset_class", "sector", "region", "sleeve", "security")
#: Changes of weight that print as none.
UNMOVED = 0.0005
#: Changes of tracking error that print as none.
LEAST_DISTANCE = 0.0001
#: A version in force for fewer days than this is told as news.
NEWS_DAYS = 92
_TABLES = ("positions", "prices", "model_targets")


def drift_facts(
    facts: Collection,
    proposal: Proposal,
    sleeves: Mapping[str, str],
    named: Directory,
    accounts: Mapping[str, str],
) -> None:
    """Add the facts of each group of accounts managed to one model, largest first, as `model.1`, `model.2`."""
    level = next((one for one in LEVELS if any(row.level == one for row in proposal.levels)), None)
    groups = sorted(proposal.groups, key=lambda group: (-group.value, group.group))
    for place, group in enumerate(groups, start=1):
        versions = [one for one in named.versions.get(group.model_id, ()) if one.version <= group.model_version]
        key = _model(facts, group, versions)
        start = f"model.{place}"
        alone = _alone(facts, start, group, proposal, accounts) if len(groups) > 1 else ()
        _about(facts, start, group, key, proposal, alone)
        _versions(facts, start, versions, key, proposal)
        rows = [row for row in proposal.levels if row.group == group.group and row.level == level]
        _weights(facts, start, _furthest_first(rows), key, alone, sleeves)


def _model(facts: Collection, group: GroupState, versions: Sequence[ModelVersion]) -> str:
    name = versions[-1].name if versions else group.model_id
    return facts.name(f"model:{group.model_id}", "model", name, group.model_id)


def _alone(
    facts: Collection, start: str, group: GroupState, proposal: Proposal, accounts: Mapping[str, str]
) -> tuple[str, ...]:
    """Name the account of a group of one among several, which its figures are of; return its entity."""
    if len(group.accounts) != 1 or group.accounts[0] not in accounts:
        return ()
    id = group.accounts[0]
    account, cell = f"account:{id}", f"row {id}, registration"
    facts.add(f"{start}.account", "name", accounts[id], "named", ("accounts",), cell, of=(account,))
    return (account,)


def _about(
    facts: Collection, start: str, group: GroupState, key: str, proposal: Proposal, alone: tuple[str, ...]
) -> None:
    cell = f"group {group.group} of {proposal.household_id}"
    facts.add(
        f"{start}.name", "name", facts.entities[key].names[0], "named", ("models",), f"row {group.model_id}, name",
        of=(key,),
    )  # fmt: skip
    before, after = group.tracking_error_before, group.tracking_error_after
    if abs(before - after) >= LEAST_DISTANCE:
        for way, value in (("before", before), ("after", after)):
            facts.add(
                f"{start}.distance.{way}", "percent", value, "model_distance", _TABLES, f"{cell}, tracking error {way}",
                of=(key, *alone), way=(way,), rounding=2,
            )  # fmt: skip


def _versions(facts: Collection, start: str, versions: Sequence[ModelVersion], key: str, proposal: Proposal) -> None:
    """Add the versions in force so far, newest first, as `version.1`, `version.2`; one that is news as `news` too."""
    for place, one in enumerate(reversed(versions), start=1):
        cell, prefix = f"row {one.model_id} version {one.version}", f"{start}.version.{place}"
        facts.add(f"{prefix}.number", "count", one.version, "model_version", ("models",), cell, of=(key,))
        facts.add(
            f"{prefix}.effective", "date", one.effective.isoformat(), "model_effective", ("models",),
            f"{cell}, effective_date", of=(key,),
        )  # fmt: skip
        name = facts.entities[key].names[0]
        facts.add(f"{prefix}.model", "name", name, "named", ("models",), f"{cell}, name", of=(key,))
        if one.rationale.strip():
            facts.add(
                f"{prefix}.rationale", "quote", one.rationale, "quoted", ("models",), f"{cell}, rationale", of=(key,)
            )
        if place == 1 and 0 <= (proposal.as_of - one.effective).days < NEWS_DAYS:
            facts.add(
                f"{start}.news", "date", one.effective.isoformat(), "model_effective", ("models",),
                f"{cell}, effective_date", of=(key,),
            )  # fmt: skip


def _furthest_first(rows: Sequence[LevelRow]) -> Sequence[LevelRow]:
    return sorted(rows, key=lambda row: (-abs(row.before - row.target), row.key))


def _weights(
    facts: Collection,
    start: str,
    rows: Sequence[LevelRow],
    model: str,
    alone: tuple[str, ...],
    sleeves: Mapping[str, str],
) -> None:
    for place, row in enumerate(rows, start=1):
        prefix, cell = f"{start}.drift.{place}", f"{row.level} {row.key} in group {row.group}"
        name = sleeves.get(row.key, row.key) if row.level == "sleeve" else row.key
        key = facts.name(f"{row.level}:{row.key}", _kind(row.level), name)
        of = (key, model, *alone)

        def weight(id: str, value: float, metric: str, way: tuple[str, ...] = (), column: str = "") -> None:
            facts.add(f"{prefix}.{id}", "percent", value, metric, _TABLES, f"{cell}, {column}", of=of, way=way)  # noqa: B023

        facts.add(f"{prefix}.name", "name", facts.entities[key].names[0], "named", _TABLES, cell, of=(key,))
        facts.add(f"{prefix}.model", "name", facts.entities[model].names[0], "named", ("models",), cell, of=(model,))
        for account in alone:
            name = facts.entities[account].names[0]
            facts.add(f"{prefix}.account", "name", name, "named", ("accounts",), f"row of {name}", of=alone)
        weight("target", row.target, "class_target", column="target")
        weight("now", row.before, "class_weight", column="weight before")
        if abs(row.after - row.before) >= UNMOVED:
            weight("before", row.before, "class_weight", ("before",), "weight before")
            weight("after", row.after, "class_weight", ("after",), "weight after")
        off = row.before - row.target
        if abs(off) >= UNMOVED:
            weight("off", off, "class_drift", ("over" if off > 0 else "under",), "weight less target")


def _kind(level: str) -> EntityKind:
    return next((one for one in LEVELS if one == level), "asset_class")
