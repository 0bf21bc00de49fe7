"""Facts of how far a household is from its models: each model's weights before and after, and its versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.drafting.facts import EntityKind
from workbench.drafting.on_file import Directory, ModelVersion
from workbench.drafting.sheets.gathering import Gathering
from workbench.drafting.sheets.household_readings import ACCOUNTS, MODELS, WEIGHTS
from workbench.drafting.spelling import one_line
from workbench.rebalance.proposal import GroupState, LevelRow, Proposal

#: The levels that weights may be told by, the first one that the proposal has.
LEVELS: tuple[EntityKind, ...] = ("asset_class", "sector", "region", "sleeve", "security")
#: Changes of weight that print as none.
UNMOVED = 0.0005
#: Changes of tracking error that print as none.
LEAST_DISTANCE = 0.0001
#: A version in force for fewer days than this is told as news.
NEWS_DAYS = 92


def drift_facts(
    facts: Gathering,
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
        alone = _alone(facts, start, group, accounts) if len(groups) > 1 else ()
        _about(facts, start, group, key, proposal, alone)
        _versions(facts, start, versions, key, proposal)
        rows = [row for row in proposal.levels if row.group == group.group and row.level == level]
        _weights(facts, start, _furthest_first(rows), key, alone, sleeves)


def _model(facts: Gathering, group: GroupState, versions: Sequence[ModelVersion]) -> str:
    name = versions[-1].name if versions else group.model_id
    return facts.entity(f"model:{group.model_id}", "model", one_line(name), group.model_id)


def _alone(facts: Gathering, start: str, group: GroupState, accounts: Mapping[str, str]) -> tuple[str, ...]:
    """Name the account of a group of one among several, which its figures are of; return its entity."""
    if len(group.accounts) != 1 or group.accounts[0] not in accounts:
        return ()
    id = group.accounts[0]
    account, cell = f"account:{id}", f"row {id}, registration"
    facts.fact(f"{start}.account", "name", accounts[id], "named", ACCOUNTS, cell, of=(account,))
    return (account,)


def _about(
    facts: Gathering, start: str, group: GroupState, key: str, proposal: Proposal, alone: tuple[str, ...]
) -> None:
    cell = f"group {group.group} of {proposal.household_id}"
    facts.named(f"{start}.name", key, MODELS, f"row {group.model_id}, name")
    before, after = group.tracking_error_before, group.tracking_error_after
    if abs(before - after) >= LEAST_DISTANCE:
        for way, value in (("before", before), ("after", after)):
            facts.fact(
                f"{start}.distance.{way}", "percent", value, "model_distance", WEIGHTS, f"{cell}, tracking error {way}",
                of=(key, *alone), way=(way,), decimals=2,
            )  # fmt: skip


def _versions(facts: Gathering, start: str, versions: Sequence[ModelVersion], key: str, proposal: Proposal) -> None:
    """Add the versions in force so far, newest first, as `version.1`, `version.2`; one that is news as `news` too."""
    for place, one in enumerate(reversed(versions), start=1):
        cell, prefix = f"row {one.model_id} version {one.version}", f"{start}.version.{place}"
        facts.fact(f"{prefix}.number", "count", one.version, "model_version", MODELS, cell, of=(key,))
        facts.fact(
            f"{prefix}.effective", "date", one.effective.isoformat(), "model_effective", MODELS,
            f"{cell}, effective_date", of=(key,),
        )  # fmt: skip
        facts.named(f"{prefix}.model", key, MODELS, f"{cell}, name")
        if one.rationale.strip():
            facts.fact(f"{prefix}.rationale", "quote", one.rationale, "quoted", MODELS, f"{cell}, rationale", of=(key,))
        if place == 1 and 0 <= (proposal.as_of - one.effective).days < NEWS_DAYS:
            facts.fact(
                f"{start}.news", "date", one.effective.isoformat(), "model_effective", MODELS,
                f"{cell}, effective_date", of=(key,),
            )  # fmt: skip


def _furthest_first(rows: Sequence[LevelRow]) -> Sequence[LevelRow]:
    return sorted(rows, key=lambda row: (-abs(row.before - row.target), row.key))


def _weights(
    facts: Gathering,
    start: str,
    rows: Sequence[LevelRow],
    model: str,
    alone: tuple[str, ...],
    sleeves: Mapping[str, str],
) -> None:
    for place, row in enumerate(rows, start=1):
        prefix, cell = f"{start}.drift.{place}", f"{row.level} {row.key} in group {row.group}"
        name = sleeves.get(row.key, row.key) if row.level == "sleeve" else row.key
        key = facts.entity(f"{row.level}:{row.key}", _kind(row.level), one_line(name))
        of = (key, model, *alone)

        def weight(id: str, value: float, metric: str, way: tuple[str, ...] = (), column: str = "") -> None:
            facts.fact(f"{prefix}.{id}", "percent", value, metric, WEIGHTS, f"{cell}, {column}", of=of, way=way)  # noqa: B023

        facts.named(f"{prefix}.name", key, WEIGHTS, cell)
        facts.named(f"{prefix}.model", model, MODELS, cell)
        for account in alone:
            facts.named(f"{prefix}.account", account, ACCOUNTS, f"row {account.removeprefix('account:')}")
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
