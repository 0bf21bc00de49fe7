"""Which restrictions and sleeves stand against new targets, found for all accounts at once."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.drift import DriftInputs
from workbench.rebalance.version_change.target_change import TargetChange

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
#: Less than half a cent is rounding.
HALF_CENT = 0.005
#: A sleeve is in conflict when more than this part of its target may not be bought in an account.
SLEEVE_PART = 0.5
COLUMNS = [
    "account_id", "household_id", "model_id", "restriction_id", "kind", "key", "security_id", "target_before",
    "target_after", "amount", "new", "reason",
]  # fmt: skip


@dataclass(eq=False)
class Desk:
    """What the accounts of changed models hold and want: R rows, one an account and security, sorted by `key`.

    `accounts` (N) are the affected accounts' places in `inputs`, `model` and `value` theirs; `row_account` counts
    within these N. Dollars: `held`, `wanted` (purchases above zero) and `wanted_before`, what the old targets would
    want; `allowed` starts as `wanted` and is cut by what restrictions forbid. `before` and `after` are targets.
    """

    inputs: DriftInputs
    change: TargetChange
    accounts: Ints
    model: Ints
    value: Floats
    key: Ints
    row_account: Ints
    row_security: Ints
    holding: Ints
    held: Floats
    before: Floats
    after: Floats
    wanted: Floats
    wanted_before: Floats
    is_cash: Flags
    allowed: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.allowed = self.wanted.copy()

    def by_account(self, values: Floats) -> Floats:
        """Sums of a row's values by account."""
        sums = np.bincount(self.row_account, weights=values, minlength=len(self.accounts)).astype(np.float64)
        return sums

    def row(self, account: Ints, security: Ints) -> Ints:
        """The row of each account and security; -1 where it is neither held nor a target."""
        wanted = account * len(self.inputs.securities.ids) + security
        if not len(self.key):
            return np.full(len(wanted), -1, np.int64)
        found = np.minimum(np.searchsorted(self.key, wanted), len(self.key) - 1)
        return np.where(self.key[found] == wanted, found, -1)


def find_conflicts(
    desk: Desk, restrictions: pd.DataFrame, securities: pd.DataFrame, held_lots: pd.DataFrame, as_of: pd.Timestamp
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the conflicts (`ModelChangeImpact.conflicts`) and the restrictions whose key nothing answers to.

    Cuts `desk.allowed` by what the restrictions forbid. Expired restrictions are none; directives are for a person.
    """
    live = restrictions[restrictions["expires_on"].isna() | (restrictions["expires_on"] >= as_of)]
    live = live[live["kind"] != "directive"].sort_values("restriction_id", ignore_index=True)
    pairs = _by_account(desk, live)
    classes = securities.set_index("security_id").reindex(list(desk.inputs.securities.ids))
    named, unread = _by_security(desk, pairs, classes, held_lots)
    barred = _on_trades(desk, named)
    parts = [barred, _caps(desk, pairs, classes), _cash(desk, pairs), _sleeves(desk, barred)]
    found = pd.concat([part for part in parts if len(part)] or [barred], ignore_index=True)
    ids = np.array(desk.inputs.securities.ids, dtype=object)
    code = found["security"].to_numpy(np.int64)
    account = desk.inputs.accounts.iloc[desk.accounts[found["account"].to_numpy(np.int64)]].reset_index(drop=True)
    found = found.assign(
        account_id=account["account_id"],
        household_id=account["household_id"],
        model_id=account["model_id"],
        security_id=pd.Series(np.where(code >= 0, ids[code], None), dtype="str"),
    )
    order = ["amount", "account_id", "restriction_id", "security_id"]
    return found.sort_values(order, ascending=[False, True, True, True], ignore_index=True)[COLUMNS], unread


def _by_account(desk: Desk, live: pd.DataFrame) -> pd.DataFrame:
    """Each restriction once an account it reaches, among those affected; `account` is the place."""
    own = desk.inputs.accounts.iloc[desk.accounts][["account_id", "household_id"]].assign(
        account=np.arange(len(desk.accounts))
    )
    parts = [
        live[live["scope"] == scope].merge(
            own[[key, "account"]].rename(columns={key: "scope_id"}).astype({"scope_id": "str"}), on="scope_id"
        )
        for scope, key in (("account", "account_id"), ("household", "household_id"))
    ]
    return pd.concat(parts, ignore_index=True).sort_values(["restriction_id", "account"], ignore_index=True)


def _by_security(
    desk: Desk, pairs: pd.DataFrame, classes: pd.DataFrame, held_lots: pd.DataFrame
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The restrictions that speak of securities, one row a `security` they mean, and those that mean none."""
    kind = pairs["kind"]
    plain = pairs[kind.isin(["never_buy", "never_sell", "never_hold", "max_weight"])]
    plain = plain.merge(_meanings(classes, plain["key"]), on="key", how="left")
    hit = classes["screens"].reset_index(drop=True).explode().dropna()
    screens = pairs[kind == "screen"].merge(
        pd.DataFrame({"key": hit.astype("str"), "security": hit.index.astype(np.int64)}), on="key", how="left"
    )
    lots = held_lots[["lot_id", "security_id", "account_id", "quantity"]].astype({"lot_id": "str"})
    locked = pairs[kind == "hold_lot"].merge(lots, left_on="key", right_on="lot_id", how="left")
    owner = desk.inputs.accounts["account_id"].to_numpy()[desk.accounts[locked["account"].to_numpy(np.int64)]]
    locked = locked[locked["account_id"].isna().to_numpy() | (locked["account_id"].to_numpy() == owner)]
    locked = locked.assign(security=classes.index.get_indexer(locked["security_id"]))
    every = pd.concat([plain, screens, locked.drop(columns=["lot_id", "security_id", "account_id"])], ignore_index=True)
    every["security"] = every["security"].fillna(-1).astype(np.int64)
    lost = every[every["security"] < 0].drop_duplicates("restriction_id").sort_values("restriction_id")
    unread = tuple(f"{row.restriction_id}: {row.kind} {row.key}" for row in lost.itertuples())
    known = every[(every["security"] >= 0) & (every["kind"] != "max_weight")]
    return known.reset_index(drop=True), unread


def _meanings(classes: pd.DataFrame, keys: pd.Series) -> pd.DataFrame:
    """What each key names, one row a `security`: that one, or failing it those of an issuer, sector or asset class."""
    rows = []
    for key in sorted(set(keys)):
        named = np.flatnonzero(classes.index == key)
        for column in ("issuer_id", "sector", "asset_class"):
            named = named if len(named) else np.flatnonzero(classes[column] == key)
        rows += [(key, int(place)) for place in named]
    return pd.DataFrame(rows, columns=["key", "security"]).astype({"key": "str", "security": "int64"})


def _on_trades(desk: Desk, named: pd.DataFrame) -> pd.DataFrame:
    """Conflicts of what may not be bought, sold or held; the trades they forbid are cut."""
    account, security = named["account"].to_numpy(np.int64), named["security"].to_numpy(np.int64)
    row = desk.row(account, security)
    named, row = named[row >= 0].reset_index(drop=True), row[row >= 0]
    kind, value = named["kind"].to_numpy(), desk.value[desk.row_account[row]]
    price = desk.inputs.securities.price[desk.row_security[row]]
    quantity = named["quantity"].to_numpy(np.float64) if "quantity" in named else np.full(len(named), np.nan)
    locked = np.bincount(row, weights=np.nan_to_num(quantity * price), minlength=len(desk.key))
    free = np.maximum(desk.held[row] - locked[row], 0.0)

    def in_the_way(wanted: Floats, target: Floats) -> Floats:
        choices = [kind == "never_buy", kind == "never_sell", kind == "hold_lot"]
        return np.select(choices, [wanted, -wanted, -wanted - free], target * value)

    amount = in_the_way(desk.wanted[row], desk.after[row])
    was = in_the_way(desk.wanted_before[row], desk.before[row])
    no_buy = np.isin(kind, ["never_buy", "never_hold", "screen"])
    np.minimum.at(desk.allowed, row[no_buy], np.minimum(desk.wanted[row[no_buy]], 0.0))
    no_sale = np.isin(kind, ["never_sell", "hold_lot"])
    floor = np.where(kind == "hold_lot", -free, 0.0)
    np.maximum.at(desk.allowed, row[no_sale], np.minimum(floor[no_sale], 0.0))
    made = named.assign(
        target_before=desk.before[row], target_after=desk.after[row], amount=amount, new=was <= HALF_CENT
    )
    return made[amount > HALF_CENT].reset_index(drop=True)


def _caps(desk: Desk, pairs: pd.DataFrame, classes: pd.DataFrame) -> pd.DataFrame:
    """Targets above a cap on a security, an issuer, a sector or an asset class; a household's cap is on all it has."""
    caps = pairs[(pairs["kind"] == "max_weight") & pairs["value"].notna()]
    made = [pairs.iloc[:0].assign(security=-1)]
    for key, named in _meanings(classes, caps["key"]).groupby("key")["security"]:
        own = caps[caps["key"] == key]
        account, limit = own["account"].to_numpy(np.int64), own["value"].to_numpy(np.float64)
        of_household = (own["scope"] == "household").to_numpy(bool)
        before, after = (
            _weights(desk, account, targets[:, named].sum(axis=1), of_household)
            for targets in (desk.change.before, desk.change.after)
        )
        single = int(named.iloc[0]) if len(named) == 1 else -1
        excess = (after - limit) * desk.value[account]
        new = (before - limit) * desk.value[account] <= HALF_CENT
        found = own.assign(security=single, target_before=before, target_after=after, amount=excess, new=new)
        made.append(found[excess > HALF_CENT])
        row = desk.row(account, np.full(len(account), single)) if single >= 0 else np.full(len(account), -1)
        cut = (row >= 0) & ~of_household
        room = np.maximum(limit * desk.value[account] - desk.held[row], 0.0)
        np.minimum.at(desk.allowed, row[cut], room[cut])
    return pd.concat(made, ignore_index=True)


def _weights(desk: Desk, account: Ints, per_model: Floats, of_household: Flags) -> Floats:
    """Target weight in each account, or in all measured accounts of its household; `per_model` is each model's."""
    inputs, place = desk.inputs, desk.accounts[account]
    weight, value = per_model[inputs.model], inputs.values
    household, _ = pd.factorize(inputs.accounts["household_id"])
    whole = np.bincount(household, weights=weight * value) / np.bincount(household, weights=value)
    chosen: Floats = np.where(of_household, whole[household[place]], weight[place])
    return chosen


def _cash(desk: Desk, pairs: pd.DataFrame) -> pd.DataFrame:
    """Cash targets below what an account must keep."""
    rows = pairs[(pairs["kind"] == "min_cash") & (pairs["scope"] == "account") & pairs["value"].notna()]
    account = rows["account"].to_numpy(np.int64)
    cash = desk.inputs.securities.is_cash
    weights = [targets[desk.model[account]][:, cash].sum(axis=1) for targets in (desk.change.before, desk.change.after)]
    short = [rows["value"].to_numpy(np.float64) - weight * desk.value[account] for weight in weights]
    made = rows.assign(
        security=-1, target_before=weights[0], target_after=weights[1], amount=short[1], new=short[0] <= HALF_CENT
    )
    return made[short[1] > HALF_CENT]


def _sleeves(desk: Desk, barred: pd.DataFrame) -> pd.DataFrame:
    """Sleeves of the new version of which an account may not buy more than half."""
    stops = barred[barred["kind"].isin(["never_buy", "never_hold", "screen"])]
    stops = stops.drop_duplicates(["account", "security"])[["account", "security"]]
    models = np.array(desk.inputs.model_ids, dtype=object)
    stops = stops.assign(model_id=models[desk.model[stops["account"].to_numpy(np.int64)]]).astype({"model_id": "str"})
    sleeves = desk.change.sleeves.astype({"model_id": "str"})
    whole = sleeves.groupby(["model_id", "sleeve_id"], as_index=False)[["before", "after"]].sum()
    lost = stops.merge(sleeves, on=["model_id", "security"])
    lost = lost.groupby(["account", "model_id", "sleeve_id"], as_index=False)[["before", "after"]].sum()
    lost = lost.merge(whole, on=["model_id", "sleeve_id"], suffixes=("_lost", ""))
    hit = lost[(lost["after"] > 0) & (lost["after_lost"] > SLEEVE_PART * lost["after"])]
    return pd.DataFrame(
        {
            "account": hit["account"],
            "security": -1,
            "restriction_id": "",
            "kind": "sleeve",
            "key": hit["sleeve_id"],
            "target_before": hit["before"],
            "target_after": hit["after"],
            "amount": hit["after_lost"] * desk.value[hit["account"].to_numpy(np.int64)],
            "new": hit["before_lost"] <= SLEEVE_PART * hit["before"],
            "reason": "restrictions bar more than half of the sleeve",
        }
    )
