"""Habits that are no matter of timing: manual trades, favourites, quarters without a rebalance, deposits left in cash.

Manual trades and favourites are counts, without a test. The others are held against their like. Quarters: those in
which at least half of a model's discretionary accounts were rebalanced; chance is that of the clients who decide for
themselves on the same model in the same quarter, as if who of them went without had been dealt out anew each quarter (a
sum of unequal coins, exactly). Whether a trade was proposed and declined is not in the books. Deposits: those not at
work within a month, as if dealt out anew among all deposits of those who decide alike (hypergeometric).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from workbench.risk.chance import unequal_coins
from workbench.risk.patterns import NAMED, Pattern
from workbench.risk.watched import Watched


def overrides(watched: Watched, rows: pd.DataFrame, first: int, setting: Mapping[str, float]) -> Iterator[Pattern]:
    """Days with manual trades a year and account, by advisor, against the median of the other advisors."""
    manual = rows[rows["origin"].eq("manual") & rows["kind"].isin(["buy", "sell"])]
    manual = manual[manual["dollars"] >= setting["least_dollars"]]
    begin = watched.sessions[first]
    opened = pd.to_datetime(watched.accounts["opened_on"]).clip(lower=begin)
    years = ((watched.as_of - opened).dt.days / 365.25).clip(lower=0.0)
    account_years = years.groupby(watched.accounts["advisor_id"]).sum()
    events = manual.drop_duplicates(["account_id", "session"]).groupby("advisor_id").size()
    rate = (events.reindex(account_years.index).fillna(0.0) / account_years.where(account_years > 0)).dropna()
    for advisor, own in rate.items():
        trades = manual[manual["advisor_id"] == advisor]
        others = rate.drop(advisor)
        if trades.empty or others.empty:
            continue
        usual = float(others.median())
        days = np.unique(trades["session"])
        frequent = len(days) >= setting["least_count"] and own > setting["frequent"] * usual
        yield Pattern(
            kind="overrides",
            level="advisor",
            subject=str(advisor),
            decided_by="advisor",
            count=int(events[advisor]),
            opportunities=int((watched.accounts["advisor_id"] == advisor).sum()),
            expected=usual * float(account_years[advisor]),
            dollars=float(trades["dollars"].sum()),
            of_dollars=float(
                rows.loc[rows["advisor_id"].eq(advisor) & rows["kind"].isin(["buy", "sell"]), "dollars"].sum()
            ),
            days=tuple(watched.sessions[days]),
            said=bool(frequent),
        )


def favourites(watched: Watched, rows: pd.DataFrame, setting: Mapping[str, float]) -> Iterator[Pattern]:
    """The three securities an advisor bought most of by hand, where they make up most of what was bought so."""
    bought = rows[(rows["kind"] == "buy") & (rows["decided_by"] == "advisor")]
    held = np.bincount(watched.model[watched.model >= 0], minlength=len(watched.models)).astype(np.float64)
    share = held @ watched.targets / held.sum() if held.sum() else np.zeros(len(watched.securities))
    for advisor, trades in bought.groupby("subject", sort=True):
        total = trades.groupby("security")["dollars"].sum().sort_values(ascending=False, kind="stable")
        top = total.head(NAMED)
        among = trades[trades["security"].isin(top.index)]
        days = np.unique(among["session"])
        part = float(top.sum() / total.sum())
        usual = float(share[top.index.to_numpy()].sum())
        enough = len(days) >= setting["least_count"]
        yield Pattern(
            kind="favourites",
            level="advisor",
            subject=str(advisor),
            decided_by="advisor",
            count=len(days),
            opportunities=int(trades["session"].nunique()),
            expected=usual,
            dollars=float(top.sum()),
            of_dollars=float(total.sum()),
            expected_dollars=usual * float(total.sum()),
            days=tuple(watched.sessions[days]),
            names=tuple(watched.securities["security_id"].iloc[top.index]),
            said=bool(enough and part >= setting["favourite_part"] and part > usual),
        )


def no_rebalance(watched: Watched, rows: pd.DataFrame, first: int, setting: Mapping[str, float]) -> Iterator[Pattern]:
    """Quarters without a rebalance trade where the client decides, beside other clients of the model who decide."""
    every = _quarters(watched, rows, first, setting["broad_rebalance"])
    for household, mine in every.groupby("household_id", sort=True):
        if len(mine) < setting["least_count"]:
            continue
        without = mine[~mine["did"].to_numpy(bool)]
        chance = 1.0 - mine["rate"].to_numpy(np.float64)
        yield Pattern(
            kind="no_rebalance",
            level="household",
            subject=str(household),
            decided_by="client",
            count=len(without),
            opportunities=len(mine),
            expected=float(chance.sum()),
            dollars=0.0,
            of_dollars=0.0,
            p_value=unequal_coins(chance, len(without)) if len(without) else 1.0,
            days=tuple(pd.to_datetime(without["end"])),
        )


def _quarters(watched: Watched, rows: pd.DataFrame, first: int, broad: float) -> pd.DataFrame:
    """Each client who decides and each whole quarter that can be compared: household_id, model, did, rate, end.

    `rate` is the share of these clients on the model who were rebalanced, this one among them; a client who is alone on
    the model that quarter is compared with nobody.
    """
    period = watched.sessions.to_period("Q")
    quarters = period[first:].unique()[1:]
    if len(quarters) and watched.as_of.normalize() < quarters[-1].end_time.normalize():
        quarters = quarters[:-1]
    accounts = watched.accounts.assign(model=watched.model, account=np.arange(len(watched.accounts)))
    accounts = accounts[accounts["model"] >= 0]
    opened = pd.to_datetime(accounts["opened_on"])
    traded = rows[rows["origin"] == "rebalance"]
    quarter_traded = period[traded["session"].to_numpy()]
    found = []
    for quarter in quarters:
        there = accounts[opened < quarter.start_time]
        by = there.assign(did=there["account"].isin(traded["account"].to_numpy()[quarter_traded == quarter]))
        decided = by["discretionary"].to_numpy(bool)
        share = by[decided].groupby("model")["did"].mean()
        own = by[~decided].groupby(["household_id", "model"])["did"].any().reset_index()
        own = own[own["model"].map(share) >= broad]
        peers = own.groupby("model")["did"]
        own = own.assign(rate=peers.transform("mean"), end=quarter.end_time.normalize())
        found.append(own[peers.transform("size") > 1])
    columns = ["household_id", "model", "did", "rate", "end"]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=columns)


def idle_cash(watched: Watched, rows: pd.DataFrame, setting: Mapping[str, float]) -> Iterator[Pattern]:
    """Deposits of which less than half was bought with or paid out within a month, by who decides in the account."""
    from scipy.stats import hypergeom

    within = int(setting["invested_within"])
    deposits = rows[(rows["kind"] == "deposit") & (rows["dollars"] >= setting["least_dollars"])]
    deposits = deposits[deposits["session"] + within <= watched.last]
    if deposits.empty:
        return
    width = len(watched.sessions)
    used = rows[(rows["kind"] != "deposit") & (rows["origin"] != "reinvestment")]
    # A purchase and a payment use cash, a sale brings it.
    amount = np.where(used["kind"] == "sell", -used["dollars"], used["dollars"])
    key = used["account"].to_numpy(np.int64) * width + used["session"].to_numpy(np.int64)
    order = np.argsort(key, kind="stable")
    key, running = key[order], np.concatenate([[0.0], np.cumsum(amount[order])])
    place = deposits["account"].to_numpy(np.int64) * width + deposits["session"].to_numpy(np.int64)
    spent = running[np.searchsorted(key, place + within, side="right")] - running[np.searchsorted(key, place)]
    idle = spent < setting["invested_part"] * deposits["dollars"].to_numpy()
    by = np.where(deposits["discretionary"], "advisor", "client")
    subject = np.where(by == "advisor", deposits["advisor_id"], deposits["household_id"])
    frame = deposits.assign(idle=idle, by=by, who=subject)
    for (decided_by, who), mine in frame.groupby(["by", "who"], sort=True):
        if len(mine) < setting["least_count"]:
            continue
        left, alike = mine[mine["idle"]], frame.loc[frame["by"] == decided_by, "idle"]
        yield Pattern(
            kind="idle_cash",
            level="advisor" if decided_by == "advisor" else "household",
            subject=str(who),
            decided_by=decided_by,
            count=len(left),
            opportunities=len(mine),
            expected=float(alike.mean()) * len(mine),
            dollars=float(left["dollars"].sum()),
            of_dollars=float(mine["dollars"].sum()),
            p_value=float(hypergeom.sf(len(left) - 1, len(alike), int(alike.sum()), len(mine))),
            days=tuple(watched.sessions[np.unique(left["session"])]),
        )
