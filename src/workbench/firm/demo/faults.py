"""Faults that can be planted in the demo firm, so that a quality report can be held to finding exactly them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from workbench.errors import ParameterError
from workbench.firm.demo import distributions
from workbench.firm.demo.market_data import Market
from workbench.firm.demo.people import AccountPlan
from workbench.firm.demo.simulate import Life

#: Every fault by name, in the order in which they are planted.
FAULTS = {
    "stale_price": "one security's close does not move for the last 12 sessions",
    "rmd": "one traditional IRA's required minimum distribution of the year was not taken",
    "lots": "one lot has lost a tenth of its shares: the lots no longer sum to the position",
    "doubled_dividend": "one dividend is twice the true one, the adjusted close unchanged",
    "targets": "the targets of one draft model version sum to 0.98",
}
STALE_SESSIONS = 12


@dataclass(frozen=True)
class Planted:
    """One planted fault: the table and the key of the row it is in, and what was changed."""

    fault: str
    table: str
    key: dict[str, str]
    detail: str


def checked(faults: Sequence[str]) -> tuple[str, ...]:
    """Return the faults in planting order; raises `ParameterError` for an unknown one. "all" is every fault."""
    if isinstance(faults, str):
        raise ParameterError("faults is one text; give a list of names", "faults")
    asked = set(FAULTS) if "all" in faults else set(faults)
    unknown = sorted(asked - set(FAULTS))
    if unknown:
        raise ParameterError(
            f"unknown fault(s) {', '.join(map(repr, unknown))}; there are {', '.join(FAULTS)}, or all", "faults"
        )
    return tuple(name for name in FAULTS if name in asked)


def _no_place(fault: str, why: str) -> ParameterError:
    return ParameterError(f"fault {fault} finds no place: {why}; take more accounts or another market", "faults")


def freeze_price(market: Market, as_of: pd.Timestamp, held: Iterable[str]) -> tuple[Market, Planted]:
    """Return the market with one security's price flat for the last sessions; trades and statements follow it.

    Takes the last security by name among `held` that is a real one and has no corporate action in those sessions.
    """
    sessions = market.sessions
    recent = sessions[sessions <= as_of][-(STALE_SESSIONS + 1) :]
    window = market.prices["date"].isin(recent)
    rows = market.prices[window]
    quiet = rows.groupby("security_id").agg(
        days=("close", "size"),
        dividend=("dividend", "sum"),
        split=("split_ratio", "max"),
        lowest=("split_ratio", "min"),
    )
    quiet = quiet[(quiet["days"] == len(recent)) & (quiet["dividend"] == 0)]
    quiet = quiet[(quiet["split"] == 1) & (quiet["lowest"] == 1)]
    real = market.securities.set_index("security_id")
    real = real[real["asset_class"].ne("Cash") & ~real["simulated"]]
    fits = sorted(set(held) & set(quiet.index) & set(real.index))
    if not fits:
        raise _no_place("stale_price", "no real security without a corporate action in the last sessions")
    security = fits[-1]
    prices = market.prices.copy()
    flat = window & (prices["security_id"] == security)
    first = prices[flat & (prices["date"] == recent[0])].iloc[0]
    prices.loc[flat, "close"] = first["close"]
    prices.loc[flat, "adj_close"] = first["adj_close"]
    key = {"security_id": security, "date": str(recent[-1].date())}
    detail = f"close is {first['close']:.4f} from {recent[0].date()} on"
    return replace(market, prices=prices), Planted("stale_price", "prices", key, detail)


def miss_distribution(plans: Sequence[AccountPlan], as_of: pd.Timestamp) -> tuple[list[AccountPlan], Planted]:
    """Let the first traditional IRA with a distribution due miss it: in the as-of year if that ends, else the year
    before.
    """
    year = as_of.year if (as_of.month, as_of.day) >= (12, 15) else as_of.year - 1
    changed = list(plans)
    for i, plan in enumerate(plans):
        due = plan.birth is not None and year >= distributions.start_year(plan.birth)
        if plan.registration == "traditional_ira" and due and plan.opened_on.year < year and not plan.emptied_on:
            changed[i] = replace(plan, missed_rmd_year=year)
            detail = f"no withdrawal for {year}"
            return changed, Planted("rmd", "accounts", {"account_id": plan.account_id}, detail)
    raise _no_place("rmd", f"no traditional IRA with a distribution due in {year}")


def lose_shares(tables: dict[str, pd.DataFrame], lives: Sequence[Life]) -> Planted:
    """Take a tenth of the shares from the largest lot of the first ordinary taxable account."""
    ordinary = [life for life in lives if life.plan.registration == "taxable" and life.plan.role == "ordinary"]
    holders = [life.plan.account_id for life in ordinary if life.ledger.holdings()]
    if not holders:
        raise _no_place("lots", "no ordinary taxable account with holdings")
    account = holders[0]
    lots = tables["lots"].copy()
    index = lots.loc[lots["account_id"] == account, "quantity"].idxmax()
    before = float(lots.loc[index, "quantity"])
    after = before - float(np.ceil(before / 10)) if before > 1 else before * 0.9
    lots.loc[index, "quantity"] = after
    tables["lots"] = lots
    row = lots.loc[index]
    key = {name: str(row[name]) for name in ("lot_id", "account_id", "security_id")}
    return Planted("lots", "lots", key, f"{before:g} shares are booked as {after:g}")


def double_dividend(tables: dict[str, pd.DataFrame]) -> Planted:
    """Double the largest dividend yield on one day of the last year among real securities, in `prices` only."""
    prices = tables["prices"].copy()
    real = tables["securities"].query("not simulated")["security_id"]
    recent = prices["date"] > prices["date"].max() - pd.Timedelta(days=365)
    size = (prices["dividend"] / prices["close"]).where(recent & prices["security_id"].isin(real), 0.0)
    if not size.max() > 0:
        raise _no_place("doubled_dividend", "no real security paid one in the last year")
    index = size.idxmax()
    true = float(prices.loc[index, "dividend"])
    prices.loc[index, "dividend"] = 2.0 * true
    tables["prices"] = prices
    key = {"security_id": str(prices.loc[index, "security_id"]), "date": str(prices.loc[index, "date"].date())}
    return Planted("doubled_dividend", "prices", key, f"{true:g} a share is booked as {2 * true:g}")


def shorten_draft(tables: dict[str, pd.DataFrame]) -> Planted:
    """Take 0.02 from the largest target of the Balanced model's draft version."""
    models, targets = tables["models"], tables["model_targets"].copy()
    draft = models[(models["model_id"] == "BAL") & (models["status"] == "draft")].iloc[0]
    rows = (targets["model_id"] == "BAL") & (targets["version"] == draft["version"])
    index = targets.loc[rows, "target"].idxmax()
    targets.loc[index, "target"] = round(float(targets.loc[index, "target"]) - 0.02, 6)
    tables["model_targets"] = targets
    key = {"model_id": "BAL", "version": str(draft["version"])}
    return Planted("targets", "model_targets", key, f"target of {targets.loc[index, 'security_id']} is 0.02 short")
