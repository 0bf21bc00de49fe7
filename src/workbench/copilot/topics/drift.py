"""Drift: how far a household or account stands from its model, where, since when and why."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd

from workbench.copilot.gather import Gathered
from workbench.copilot.topics.asked import Asked, NotInRecordError
from workbench.drafting import FactSheet
from workbench.drafting.sheets.gathering import either
from workbench.drift import CAUSES, drivers

_TABLES = ("positions", "prices", "model_targets", "tolerances")
#: Deviations that print as none.
ON_TARGET = 0.0005
#: Levels other than the asset class, by the words that ask for them; and the words that ask for one side alone.
_LEVELS = (
    ("sector", re.compile(r"\bsectors?\b")),
    ("sleeve", re.compile(r"\bsleeves?\b")),
    ("security", re.compile(r"\b(?:securit\w+|stocks?|names?|positions?|holdings?)\b")),
)
_OVER = re.compile(r"\b(?:over|over[ -]?weight\w*|above|heavy|too (?:much|high)|long on|exceed\w*)\b")
_UNDER = re.compile(r"\b(?:under|under[ -]?weight\w*|below|light|too (?:little|low)|short on|shortfall)\b")
#: How many keys, accounts or securities an answer lists.
LISTED = 5


def subject(gathered: Gathered, asked: Asked) -> str:
    """Declare what the answer is about: the account, or the household."""
    key = gathered.account(asked.account) if asked.account else gathered.household(str(asked.household))
    gathered.about(key)
    gathered.name("subject", key)
    return key


def measured(asked: Asked) -> list[str]:
    """Return the accounts asked about whose drift is known. Raises `NotInRecordError` where none is."""
    accounts = set(map(str, asked.record.review.drift.inputs.account_ids))
    found = [one for one in asked.accounts if one in accounts]
    if not found:
        raise NotInRecordError("Its drift is not in the record: there are no holdings, or no model is assigned.")
    return found


def combined(asked: Asked, level: str) -> pd.DataFrame:
    """Weight, target and deviation of each key, of the accounts together (by value); largest deviation first."""
    accounts = measured(asked)
    drift = asked.record.review.drift
    frame = drift.level(level, accounts)
    worth = drift.accounts.set_index("account_id")["value"].loc[accounts]
    part = frame["account_id"].astype(str).map(worth / worth.sum()).astype(float)
    columns = ["weight", "target", "deviation"]
    whole = frame[columns].mul(part, axis=0).groupby(frame["key"].astype(str)).sum()
    return whole.reindex(whole["deviation"].abs().sort_values(ascending=False, kind="stable").index)


def drift_overall(asked: Asked) -> tuple[FactSheet, str]:
    """Tracking error, breaches and the largest deviations by asset class."""
    gathered = Gathered(asked.record, "drift")
    key = subject(gathered, asked)
    gathered.day()
    level = level_named(asked.text)
    gathered.read("drift.review", f"deviation by {level} of {asked.account or asked.household}", *_TABLES)
    frame = combined(asked, level)
    frame = frame[frame["deviation"].abs() >= ON_TARGET]
    over, under = (words.search(asked.text) is not None for words in (_OVER, _UNDER))
    if over != under:
        frame = frame[frame["deviation"] > 0] if over else frame[frame["deviation"] < 0]
    for place, (name, row) in enumerate(frame.head(LISTED).iterrows(), start=1):
        _place(gathered, f"off_{level}.{place}", key, level, str(name), row)
    gathered.read("drift.measure", f"breaches of {asked.account or asked.household}", *_TABLES)
    accounts = asked.record.review.drift.accounts.set_index("account_id").loc[measured(asked)]
    gathered.fact("out", "count", int((accounts["breaches"] > 0).sum()), "ask_accounts_out", [key])
    gathered.fact("of", "count", len(accounts), "ask_accounts", [key])
    if level == "asset_class" and over == under:
        _furthest(gathered, asked, key)
    if asked.account:
        gathered.fact("breaches", "count", int(accounts["breaches"].iloc[0]), "ask_breaches", [key])
        gathered.fact(
            "error", "percent", float(accounts["tracking_error"].iloc[0]), "ask_tracking_error", [key], decimals=2
        )
    return gathered.done(), "answer_drift"


def allocation(asked: Asked) -> tuple[FactSheet, str]:
    """Weight and target of every asset class, or of the level named, largest weight first."""
    gathered = Gathered(asked.record, "allocation")
    key = subject(gathered, asked)
    gathered.day()
    level = level_named(asked.text)
    gathered.read("drift.review", f"weights by {level} of {asked.account or asked.household}", *_TABLES)
    frame = combined(asked, level)
    frame = frame[(frame["weight"].abs() >= ON_TARGET) | (frame["target"].abs() >= ON_TARGET)]
    for place, (name, row) in enumerate(
        frame.sort_values("weight", ascending=False, kind="stable").iterrows(), start=1
    ):
        other = gathered.key(level, str(name))
        gathered.name(f"part_{level}.{place}.name", other)
        gathered.fact(f"part_{level}.{place}.weight", "percent", float(row["weight"]), "ask_weight", [key, other])
        gathered.fact(f"part_{level}.{place}.target", "percent", float(row["target"]), "ask_target", [key, other])
    return gathered.done(), "answer_allocation"


def level_named(text: str) -> str:
    """The level that a question names; the asset class where it names none."""
    return next((level for level, words in _LEVELS if words.search(text)), "asset_class")


def drift_of_key(asked: Asked) -> tuple[FactSheet, str]:
    """Weight against target of one asset class, sector, sleeve or security, and in each account."""
    gathered = Gathered(asked.record, "drift_key")
    _of_key(gathered, asked)
    return gathered.done(), "answer_drift_key"


def _of_key(gathered: Gathered, asked: Asked) -> tuple[str, str, str]:
    level, name = ("security", asked.security) if asked.security else asked.key or ("", "")
    assert name is not None
    key = subject(gathered, asked)
    gathered.day()
    gathered.read("drift.review", f"{level} {name} of {asked.account or asked.household}", *_TABLES)
    frame = combined(asked, level)
    other = gathered.key(level, name)
    gathered.about(other)
    gathered.name("key", other)
    row = frame.loc[name] if name in frame.index else pd.Series({"weight": 0.0, "target": 0.0, "deviation": 0.0})
    if asked.account is not None and name in frame.index:
        single = asked.record.review.drift.level(level, [asked.account])
        row = single[single["key"].astype(str) == name].iloc[0]
    _figures(gathered, "here", [key, other], row)
    if asked.account is None and len(measured(asked)) > 1:
        single = asked.record.review.drift.level(level, measured(asked))
        single = single[single["key"].astype(str) == name]
        single = single.reindex(single["deviation"].abs().sort_values(ascending=False, kind="stable").index)
        for place, row in enumerate(single.head(LISTED).to_dict("records"), start=1):
            account = gathered.account(str(row["account_id"]))
            gathered.read("drift.measure", f"{level} {name} of {row['account_id']}", *_TABLES)
            gathered.name(f"account.{place}.name", account)
            _figures(gathered, f"account.{place}", [account, other], pd.Series(row))
    return key, other, name


def drift_why(asked: Asked) -> tuple[FactSheet, str]:
    """The causes behind one deviation, or behind the largest one where none is named."""
    if asked.key is None and asked.security is None:
        frame = combined(asked, "asset_class")
        if frame.empty or abs(frame["deviation"].iloc[0]) < ON_TARGET:
            raise NotInRecordError("By asset class it stands on its target; there is nothing to explain.")
        asked = _with_key(asked, ("asset_class", str(frame.index[0])))
    gathered = Gathered(asked.record, "drift_why")
    key, other, name = _of_key(gathered, asked)
    level = "security" if asked.security else (asked.key or ("", ""))[0]
    effects, first, rebalanced = _effects(asked, level, name)
    gathered.read("drift.explain", f"causes of {name}", *_TABLES, "transactions")
    for place, (cause, effect) in enumerate(effects, start=1):
        direction = either(effect, "up", "down")
        gathered.fact(f"cause.{place}.{cause}", "percent", effect, f"ask_cause_{cause}", [key, other], direction)
    if first is not None:
        gathered.fact("since.rebalanced" if rebalanced else "since.begun", "date", first, "ask_since", [key])
    return gathered.done(), "answer_drift_why"


def drift_of_cash(asked: Asked) -> tuple[FactSheet, str]:
    """Cash against its target."""
    return drift_of_key(_with_key(asked, ("asset_class", "Cash")))


def drift_why_cash(asked: Asked) -> tuple[FactSheet, str]:
    """The causes behind a deviation of cash."""
    return drift_why(_with_key(asked, ("asset_class", "Cash")))


def drift_since(asked: Asked) -> tuple[FactSheet, str]:
    """The day an account, or each of a household, last stood on its model."""
    gathered = Gathered(asked.record, "drift_since")
    subject(gathered, asked)
    gathered.read("firm.open_at", "last_rebalanced_on", "accounts")
    for place, account in enumerate(asked.accounts, start=1):
        row = asked.record.accounts.loc[account]
        key = gathered.account(account)
        gathered.name(f"account.{place}.name", key)
        if pd.notna(row["last_rebalanced_on"]):
            gathered.fact(
                f"account.{place}.day", "date", str(row["last_rebalanced_on"].date()), "ask_rebalanced", [key]
            )
    return gathered.done(), "answer_drift_since"


def out_of_band(asked: Asked) -> tuple[FactSheet, str]:
    """Which accounts of the book are outside their bands, furthest first."""
    record = asked.record
    gathered = Gathered(record, "out_of_band")
    ranking = record.review.ranking
    if asked.household:
        ranking = ranking[ranking["household_id"] == asked.household]
        gathered.about(gathered.household(asked.household))
    elif asked.scope.advisor_id:
        ranking = ranking[ranking["household_id"].map(record.households["advisor_id"]) == asked.scope.advisor_id]
    out = ranking[ranking["breaches"] > 0].sort_values(["band_use", "account_id"], ascending=[False, True])
    gathered.day()
    gathered.read("drift.review", "accounts out of tolerance", *_TABLES)
    gathered.fact("out", "count", len(out), "ask_accounts_out")
    gathered.fact("of", "count", len(ranking), "ask_accounts")
    gathered.fact("households", "count", out["household_id"].nunique(), "ask_households_out")
    for place, row in enumerate(out.head(LISTED).itertuples(), start=1):
        key = gathered.account(str(row.account_id))
        home = gathered.household(str(row.household_id))
        gathered.name(f"account.{place}.name", key)
        gathered.name(f"account.{place}.household", home)
        gathered.fact(f"account.{place}.breaches", "count", int(row.breaches), "ask_breaches", [key])
        if np.isfinite(row.band_use):
            gathered.fact(f"account.{place}.use", "number", float(row.band_use), "ask_band_use", [key], decimals=1)
    return gathered.done(), "answer_out_of_band"


def tracking_error(asked: Asked) -> tuple[FactSheet, str]:
    """Tracking error of an account, or of each account of a household."""
    gathered = Gathered(asked.record, "tracking_error")
    subject(gathered, asked)
    gathered.day()
    gathered.read("drift.measure", f"tracking error of {asked.account or asked.household}", *_TABLES)
    frame = asked.record.review.drift.accounts.set_index("account_id").loc[measured(asked)]
    for place, (account, row) in enumerate(frame.iterrows(), start=1):
        if np.isfinite(row["tracking_error"]):
            key = gathered.account(str(account))
            gathered.name(f"account.{place}.name", key)
            gathered.fact(
                f"account.{place}.error",
                "percent",
                float(row["tracking_error"]),
                "ask_tracking_error",
                [key],
                decimals=2,
            )
    return gathered.done(), "answer_tracking_error"


def _furthest(gathered: Gathered, asked: Asked, key: str) -> None:
    """The key that uses most of its band in the account asked about."""
    ranking = asked.record.review
    if asked.account is None:
        return
    found = drivers(ranking.drift, ranking.causes)
    found = found[found["account_id"] == asked.account]
    if found.empty or abs(found["deviation"].iloc[0]) < ON_TARGET:
        return
    level, name = str(found["level"].iloc[0]), str(found["key"].iloc[0])
    frame = ranking.drift.level(level, [asked.account])
    _place(gathered, "furthest", key, level, name, frame[frame["key"].astype(str) == name].iloc[0])


def active_share(asked: Asked) -> tuple[FactSheet, str]:
    """Active share of an account, or of each account of a household."""
    gathered = Gathered(asked.record, "active_share")
    subject(gathered, asked)
    gathered.day()
    gathered.read("drift.measure", f"active share of {asked.account or asked.household}", *_TABLES)
    frame = asked.record.review.drift.accounts.set_index("account_id").loc[measured(asked)]
    for place, (account, row) in enumerate(frame.iterrows(), start=1):
        key = gathered.account(str(account))
        gathered.name(f"account.{place}.name", key)
        gathered.fact(f"account.{place}.share", "percent", float(row["active_share"]), "ask_active_share", [key])
    return gathered.done(), "answer_active_share"


def _place(gathered: Gathered, id: str, key: str, level: str, name: str, row: pd.Series) -> None:
    other = gathered.key(level, name)
    gathered.name(f"{id}.name", other)
    _figures(gathered, id, [key, other], row)


def _figures(gathered: Gathered, id: str, of: list[str], row: pd.Series) -> None:
    gathered.fact(f"{id}.weight", "percent", float(row["weight"]), "ask_weight", of)
    gathered.fact(f"{id}.target", "percent", float(row["target"]), "ask_target", of)
    off = float(row["deviation"])
    if abs(off) >= ON_TARGET:
        side = "over" if off > 0 else "under"
        gathered.fact(f"{id}.{side}", "percent", off, "ask_deviation", of, (side,))
    if row.get("breach") is not None and bool(row["breach"]):
        gathered.fact(f"{id}.limit", "percent", float(row["upper" if off > 0 else "lower"]), "ask_band", of)
    elif row.get("upper") is not None and np.isfinite(row["upper"]):
        gathered.fact(f"{id}.upper", "percent", float(row["upper"]), "ask_band", of)


def _effects(asked: Asked, level: str, name: str) -> tuple[list[tuple[str, float]], str | None, bool]:
    """Each cause's effect on a key of the accounts together, largest first, and the first day they are counted from."""
    review = asked.record.review
    explained = set(map(str, review.causes.inputs.account_ids.take(review.causes.account)))
    accounts = measured(asked)
    if not set(accounts) <= explained:
        raise NotInRecordError("Why it stands there is not in the record: part of its history is missing.")
    frame = review.causes.level(level, accounts)
    worth = review.drift.accounts.set_index("account_id")["value"].loc[accounts]
    frame = frame[frame["key"].astype(str) == name]
    part = frame["account_id"].astype(str).map(worth / worth.sum()).astype(float)
    total = frame[list(CAUSES)].mul(part, axis=0).sum()
    kept = [(cause, float(total[cause])) for cause in CAUSES if abs(total[cause]) >= ON_TARGET]
    kept.sort(key=lambda one: -abs(one[1]))
    days = frame["start"].unique()
    rebalanced = bool(asked.record.accounts.loc[accounts, "last_rebalanced_on"].notna().all())
    return kept, str(pd.Timestamp(days[0]).date()) if len(days) == 1 else None, rebalanced


def _with_key(asked: Asked, key: tuple[str, str]) -> Asked:
    return replace(asked, key=key)
