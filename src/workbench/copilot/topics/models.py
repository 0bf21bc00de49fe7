"""Models: targets, versions, the committee's reasons, and what the coming version would do to a household."""

from __future__ import annotations

import re

import pandas as pd

from workbench.copilot.gather import Gathered
from workbench.copilot.topics.asked import MONTHS, Asked, NotInRecordError
from workbench.copilot.topics.drift import LISTED, ON_TARGET, level_named
from workbench.drafting import FactSheet


def model_asked(asked: Asked, route: str) -> tuple[Gathered, str, str]:
    """The model asked about, or the only one that the accounts asked about follow."""
    record = asked.record
    id = asked.model
    if id is None:
        followed = {str(one) for one in record.accounts.loc[asked.accounts, "model_id"].dropna()}
        if len(followed) != 1:
            raise NotInRecordError("Its accounts follow more than one model, or none; please name the model.")
        id = followed.pop()
    gathered = Gathered(record, route)
    key = gathered.model(id)
    gathered.about(key)
    gathered.name("model", key)
    return gathered, key, id


def version_asked(asked: Asked, id: str) -> int:
    """The version asked about, or that in force. Raises `NotInRecordError` for one that is not there."""
    version = asked.version if asked.version is not None else asked.record.in_force.get(id)
    if version is None or version not in set(asked.record.models.loc[asked.record.models["model_id"] == id, "version"]):
        raise NotInRecordError("There is no such version of this model in the record.")
    return version


def _row(asked: Asked, id: str, version: int) -> pd.Series:
    table = asked.record.models
    return table[(table["model_id"] == id) & (table["version"] == version)].iloc[0]


def sums(asked: Asked, id: str, version: int, level: str) -> pd.Series:
    """Targets of a version summed by the keys of a level."""
    table = asked.record.targets
    table = table[(table["model_id"] == id) & (table["version"] == version)]
    if level in ("security", "sleeve"):
        by = table[f"{level}_id"]
    else:
        by = table["security_id"].map(asked.record.securities[level])
    return table.groupby(by.astype(str))["target"].sum()


def targets(asked: Asked) -> tuple[FactSheet, str]:
    """Target weights of the version in force, by asset class, or of one key or security."""
    gathered, key, id = model_asked(asked, "targets")
    version = version_asked(asked, id)
    if _row(asked, id, version)["status"] == "draft":
        return upcoming(asked)
    gathered.read("firm.models_in_force", f"{id} version {version}", "model_targets", "models")
    gathered.fact("version", "number", version, "ask_version", [key], decimals=0)
    level = "security" if asked.security else asked.key[0] if asked.key else level_named(asked.text)
    whole = sums(asked, id, version, level).sort_values(ascending=False, kind="stable")
    wanted = asked.security or (asked.key[1] if asked.key else None)
    if wanted is not None:
        whole = pd.Series({wanted: float(whole.get(wanted, 0.0))})
    for place, (name, target) in enumerate(whole.items(), start=1):
        other = gathered.key(level, str(name))
        gathered.name(f"target.{place}.name", other)
        gathered.fact(f"target.{place}.weight", "percent", float(target), "ask_target", [key, other])
    return gathered.done(), "answer_targets"


def history(asked: Asked) -> tuple[FactSheet, str]:
    """Every version of a model with the day it came, or comes, into force."""
    gathered, key, id = model_asked(asked, "history")
    table = asked.record.models
    for row in table[table["model_id"] == id].sort_values("version", ascending=False).to_dict("records"):
        gathered.read("firm.models", f"{id} version {row['version']}", "models")
        state = f"version.{row['version']}.{row['status']}"
        gathered.fact(f"{state}.number", "number", int(row["version"]), "ask_version", [key], decimals=0)
        gathered.fact(f"{state}.day", "date", str(row["effective_date"].date()), "ask_effective", [key])
    return gathered.done(), "answer_history"


def rationale(asked: Asked) -> tuple[FactSheet, str]:
    """Why the committee decided a version, in its own words; the version in force where none is named or dated."""
    gathered, key, id = model_asked(asked, "rationale")
    row = _row(asked, id, _version_dated(asked, id))
    gathered.read("firm.models", f"{id} version {row['version']}", "models")
    state = "draft" if row["status"] == "draft" else "decided"
    gathered.fact(f"{state}.version", "number", int(row["version"]), "ask_version", [key], decimals=0)
    gathered.fact(f"{state}.day", "date", str(row["effective_date"].date()), "ask_effective", [key])
    gathered.fact("words", "quote", str(row["rationale"]), "quoted", [key])
    return gathered.done(), "answer_rationale"


def approval(asked: Asked) -> tuple[FactSheet, str]:
    """That a draft is not approved, with its reasons. Raises `NotInRecordError` for a version that is no draft."""
    _, _, id = model_asked(asked, "rationale")
    if asked.version is None or _row(asked, id, version_asked(asked, id))["status"] != "draft":
        raise NotInRecordError("Who approved a version of a model is not in the record.")
    return rationale(asked)


def _version_dated(asked: Asked, id: str) -> int:
    """The version named, or the only one that came in the month or year that is named; without either, that in force.

    Raises `NotInRecordError` where no version, or more than one, came then, or where it is not the version named.
    """
    dated = re.search(rf"(?:\b({'|'.join(MONTHS)}) )?\b((?:19|20)\d\d)\b", asked.text)
    if dated is None:
        return version_asked(asked, id)
    table = asked.record.models[asked.record.models["model_id"] == id]
    came = table[table["effective_date"].dt.year == int(dated[2])]
    if dated[1]:
        came = came[came["effective_date"].dt.month == 1 + MONTHS.index(dated[1])]
    if len(came) != 1 or asked.version not in (None, int(came["version"].iloc[0])):
        raise NotInRecordError("No one version of this model came into force then; please name the version.")
    return int(came["version"].iloc[0])


def upcoming(asked: Asked) -> tuple[FactSheet, str]:
    """The largest changes of target that a draft version would bring, by asset class."""
    gathered, key, id = model_asked(asked, "upcoming")
    record = asked.record
    drafts = record.models[(record.models["model_id"] == id) & (record.models["status"] == "draft")]
    if drafts.empty:
        raise NotInRecordError("No draft version of this model is in the record.")
    row = drafts.sort_values("version").iloc[-1]
    if asked.version not in (None, int(row["version"])):
        raise NotInRecordError(
            "That version is no draft; ask for its targets, its reasons or the versions of the model."
        )
    gathered.read("firm.models", f"{id} version {row['version']}", "models", "model_targets")
    gathered.fact("version", "number", int(row["version"]), "ask_version", [key], decimals=0)
    gathered.fact("day", "date", str(row["effective_date"].date()), "ask_effective", [key])
    level, wanted = ("security", asked.security) if asked.security else asked.key or ("sleeve", None)
    old, new = (sums(asked, id, version, level) for version in (record.in_force[id], int(row["version"])))
    change = new.sub(old, fill_value=0.0)
    change = change.reindex(change.abs().sort_values(ascending=False, kind="stable").index)
    moved = list(change[change.abs() >= ON_TARGET].head(LISTED).index) if wanted is None else [wanted]
    for place, name in enumerate(moved, start=1):
        other = gathered.key(level, str(name))
        gathered.name(f"change.{place}.name", other)
        of = [key, other]
        gathered.fact(f"change.{place}.before", "percent", float(old.get(name, 0.0)), "ask_target", of, ("before",))
        gathered.fact(f"change.{place}.after", "percent", float(new.get(name, 0.0)), "ask_target", of, ("after",))
    gathered.fact("words", "quote", str(row["rationale"]), "quoted", [key])
    return gathered.done(), "answer_upcoming"


def effect(asked: Asked) -> tuple[FactSheet, str]:
    """What the coming versions would buy, sell and realise in a household or account, straight to the new targets."""
    record = asked.record
    gathered = Gathered(record, "effect")
    key = gathered.account(asked.account) if asked.account else gathered.household(str(asked.household))
    gathered.about(key)
    gathered.name("subject", key)
    gathered.day()
    frame = record.change.accounts
    frame = frame[frame["account_id"].isin(asked.accounts)]
    if asked.model is not None:
        frame = frame[frame["account_id"].map(record.accounts["model_id"]) == asked.model]
    drafts = record.models[record.models["status"] == "draft"]
    if asked.version is not None and asked.version not in set(drafts["version"]):
        raise NotInRecordError("That version is no draft, so nothing is coming of it.")
    if frame.empty:
        raise NotInRecordError("No coming version of a model touches this.")
    gathered.read(
        "rebalance.model_change",
        f"impact on {asked.account or asked.household}",
        "models",
        "model_targets",
        "positions",
        "lots",
    )
    gathered.fact("bought", "money", float(frame["bought"].sum()), "ask_traded", [key], ("buy",))
    gathered.fact("sold", "money", float(frame["sold"].sum()), "ask_traded", [key], ("sell",))
    for place, account in enumerate(sorted(map(str, frame["account_id"])), start=1):
        gathered.name(f"account.{place}", gathered.account(account))
    gain = float(frame["gain"].sum())
    side = "gain" if gain >= 0.5 else "loss" if gain <= -0.5 else "none"
    gathered.fact(f"realised.{side}", "money", gain, "ask_sale_gain", [key], () if side == "none" else (side,))
    gathered.fact("conflicts", "count", int(frame["conflicts"].sum()), "ask_conflicts", [key])
    return gathered.done(), "answer_effect"


def benchmark(asked: Asked) -> tuple[FactSheet, str]:
    """What a model is measured against, in the words of the record."""
    gathered, key, id = model_asked(asked, "benchmark")
    row = _row(asked, id, version_asked(asked, id))
    gathered.read("firm.models_in_force", f"{id} version {row['version']}", "models")
    gathered.fact("benchmark", "quote", str(row["benchmark"]), "quoted", [key])
    return gathered.done(), "answer_benchmark"


def following(asked: Asked) -> tuple[FactSheet, str]:
    """How many accounts of the book follow a model, in how many households."""
    gathered, key, id = model_asked(asked, "following")
    record = asked.record
    table = record.accounts[record.accounts["model_id"] == id]
    if asked.scope.advisor_id is not None:
        table = table[table["household_id"].map(record.households["advisor_id"]) == asked.scope.advisor_id]
    gathered.read("firm.open_at", f"accounts of {id}", "accounts", "households")
    gathered.fact("accounts", "count", len(table), "ask_following", [key])
    gathered.fact("households", "count", table["household_id"].nunique(), "ask_households", [key])
    return gathered.done(), "answer_following"
