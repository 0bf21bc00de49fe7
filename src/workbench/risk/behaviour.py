"""What transactions show of habits: facts with their chance, for an advisor to know. Never a diagnosis of a person.

Two kinds of decision are kept apart. An advisor's: trades booked as `manual` in discretionary accounts. A client's:
trades booked as `client`, and manual ones in accounts that are not discretionary, where the client had to agree.

Selling after falls: a day of sales counts where, at a close of the ten sessions up to it, what was sold that day stood
8 % or more below its highest close of the ten sessions before (dollar-weighted over the securities). A day counts once
however many accounts trade on it: one decision is one decision. Is the count more than chance? Days less than a month
apart are one episode; each episode is moved, whole, to every place in the period, round its end, and the counts of
independent episodes are added up exactly. So what was sold, how much, and which days belong together all stay; only the
timing is left to chance. The p-value is the chance of as many days or more. Buying after rises is the same with lowest
closes. Dollars are told, not tested.

No rebalance: quarters in which at least half of a model's discretionary accounts were rebalanced and an account whose
client decides was not; chance is the share of the discretionary accounts that were not either (a sum of unequal coins,
exactly). Whether a trade was proposed and declined is not in the books. Idle cash: deposits not at work within a month,
against the share of all deposits. Overrides and favourites are counts, without a test.

Everything tested is counted, and what is said passes Benjamini and Hochberg's false discovery rate over all tests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from workbench.firm import CASH, Firm
from workbench.risk.chance import after_moves, chance_of_days, episodes, false_discovery, unequal_coins, within
from workbench.risk.limits import Limits, load_limits
from workbench.risk.watched import Floats, Ints, Watched

Kind = Literal["sold_after_falls", "bought_after_rises", "overrides", "favourites", "no_rebalance", "idle_cash"]
Decider = Literal["advisor", "client"]
#: Securities that are called favourites.
_FAVOURITES = 3
SESSIONS_PER_YEAR = 252


@dataclass(frozen=True)
class Pattern:
    """One habit looked for in one subject's transactions.

    `count` of `opportunities` (days, quarters or deposits) show it, where chance would give `expected`; `dollars` are
    those of the trades, of `of_dollars` in all, where chance would give `expected_dollars`. For overrides count and
    expected are account-days and opportunities accounts; for favourites `expected` is the securities' share of the
    models. `p_value` and `q_value` are missing where nothing was tested; `episodes` counts those of the days after
    falls or rises. `days` are when it happened, `names` the securities most traded then. `followed` is what they
    returned over the quarter after, dollar-weighted over the `followed_days` whose quarter is over. `said` is whether
    it passes the minimum counts and the false discovery rate.
    """

    kind: Kind
    level: Literal["advisor", "household"]
    subject: str
    decided_by: Decider
    count: int
    opportunities: int
    expected: float
    dollars: float
    of_dollars: float
    expected_dollars: float | None = None
    p_value: float | None = None
    q_value: float | None = None
    days: tuple[pd.Timestamp, ...] = ()
    names: tuple[str, ...] = ()
    followed: float | None = None
    followed_days: int = 0
    episodes: int | None = None
    said: bool = False


@dataclass(frozen=True, eq=False)
class Behaviour:
    """All patterns looked for, those that are said first; `tests` counts the tests behind the false discovery rate.

    `first` and `last` bound the transactions looked at, `limits` are the thresholds used; with a `reason` nothing could
    be looked at.
    """

    patterns: tuple[Pattern, ...]
    tests: int
    first: pd.Timestamp
    last: pd.Timestamp
    limits: Limits
    reason: str = ""

    @property
    def said(self) -> tuple[Pattern, ...]:
        """Those that may be said."""
        return tuple(pattern for pattern in self.patterns if pattern.said)

    def to_frame(self) -> pd.DataFrame:
        """One row a pattern, in the fields of `Pattern`."""
        return pd.DataFrame([vars(pattern) for pattern in self.patterns], columns=list(Pattern.__dataclass_fields__))


def load_trades(firm: Firm) -> pd.DataFrame:
    """Purchases, sales, deposits and withdrawals of the firm: what `find_patterns` reads.

    Columns: account_id, security_id, trade_date, kind, amount (dollars, signed as booked), origin.
    """
    columns = ["account_id", "security_id", "trade_date", "kind", "amount", "origin"]
    rows = firm.table("transactions", columns)
    return rows[rows["kind"].isin(["buy", "sell", "deposit", "withdrawal"])].reset_index(drop=True)


def find_patterns(watched: Watched, trades: pd.DataFrame, limits: Limits | None = None) -> Behaviour:
    """Look for habits of each advisor and of each household's clients in `trades`.

    Windows, minimum sizes and counts are those of `warnings.yml`. Without transactions or prices in the period the
    result says so and holds no pattern.
    """
    limits = limits or load_limits()
    setting = {id: limit.value for id, limit in limits.behaviour.items()}
    first = int(
        watched.sessions.searchsorted(watched.as_of - pd.DateOffset(days=round(365.25 * setting["history_years"])))
    )
    first = max(first, int(setting["window"]))
    start, end = watched.sessions[min(first, watched.last)], watched.as_of
    rows = _coded(watched, trades, first)
    if first > watched.last or rows.empty:
        reason = "no transaction" if first <= watched.last else "too few sessions of prices"
        return Behaviour((), 0, start, end, limits, f"{reason} in the period looked at")
    market = _Market.of(watched, first, setting)
    found = [
        *_moved(watched, rows, market, setting, "sell", "sold_after_falls"),
        *_moved(watched, rows, market, setting, "buy", "bought_after_rises"),
        *_overrides(watched, rows, first, setting),
        *_favourites(watched, rows, setting),
        *_no_rebalance(watched, rows, first, setting),
        *_idle_cash(watched, rows, setting),
    ]
    tested, tests = _discoveries(found, setting)
    tested.sort(key=lambda pattern: (not pattern.said, pattern.level, pattern.subject, pattern.kind))
    return Behaviour(tuple(tested), tests, start, end, limits)


@dataclass(frozen=True, eq=False)
class _Market:
    """Over the period: falls and rises before each session, and returns after it (T x S), NaN where not known."""

    first: int
    fall: Floats
    rise: Floats
    after: Floats

    @classmethod
    def of(cls, watched: Watched, first: int, setting: Mapping[str, float]) -> _Market:
        window, ahead = int(setting["window"]), int(setting["after_sessions"])
        returns = watched.returns[first - window :]
        begun = ~np.isnan(returns)
        begun[0] = True
        growth = np.where(begun, 1.0 + np.nan_to_num(returns), 1.0)
        growth[0] = 1.0
        unit = np.cumprod(growth, axis=0).astype(np.float64)
        # A hole makes what is before it and what is after it not comparable.
        holes = np.cumsum(~begun, axis=0)
        fall, rise = after_moves(unit, window)
        same = np.full(unit.shape, False)
        same[window:] = holes[window:] == holes[:-window]
        later = np.full(unit.shape, np.nan)
        if len(unit) > ahead:
            later[:-ahead] = np.where(holes[ahead:] == holes[:-ahead], unit[ahead:] / unit[:-ahead] - 1.0, np.nan)
        known_fall, known_rise = np.where(same, fall, np.nan), np.where(same, rise, np.nan)
        return cls(first, known_fall[window:], known_rise[window:], later[window:])


def _coded(watched: Watched, trades: pd.DataFrame, first: int) -> pd.DataFrame:
    """Trades of the period with their account, security and session as positions, and who decided."""
    accounts = watched.accounts
    session = np.minimum(watched.sessions.searchsorted(trades["trade_date"], side="left"), watched.last)
    rows = trades.assign(
        account=pd.Index(accounts["account_id"]).get_indexer(trades["account_id"]),
        security=pd.Index(watched.securities["security_id"]).get_indexer(trades["security_id"]),
        session=session,
    )
    rows = rows[(rows["account"] >= 0) & (rows["session"] >= first) & (trades["trade_date"] <= watched.as_of)]
    account = rows["account"].to_numpy()
    discretionary = accounts["discretionary"].to_numpy(bool)[account]
    manual, client = (rows["origin"] == "manual").to_numpy(), (rows["origin"] == "client").to_numpy()
    decided = np.select([manual & discretionary, client | manual], ["advisor", "client"], default="")
    household = accounts["household_id"].to_numpy()[account]
    advisor = accounts["advisor_id"].to_numpy()[account]
    return rows.assign(
        decided_by=decided,
        subject=np.where(decided == "advisor", advisor, household),
        household_id=household,
        advisor_id=advisor,
        discretionary=discretionary,
        dollars=rows["amount"].abs(),
    )


def _moved(
    watched: Watched, rows: pd.DataFrame, market: _Market, setting: Mapping[str, float], side: str, kind: Kind
) -> Iterator[Pattern]:
    """Sales after falls or purchases after rises, by subject."""
    moves = market.fall if side == "sell" else market.rise
    chosen = rows[(rows["kind"] == side) & (rows["decided_by"] != "") & (rows["security_id"] != CASH)]
    known = ~np.isnan(moves)
    filled = np.nan_to_num(moves)
    for (decided_by, subject), trades in chosen.groupby(["decided_by", "subject"], sort=True):
        session, day = np.unique(trades["session"].to_numpy(), return_inverse=True)
        baskets = np.zeros((len(session), len(watched.securities)))
        np.add.at(baskets, (day, trades["security"].to_numpy()), trades["dollars"].to_numpy())
        large = baskets.sum(axis=1) >= setting["least_dollars"]
        baskets, session = baskets[large], session[large] - market.first
        if len(session) < setting["least_count"]:
            continue
        traded = baskets.any(axis=0)
        measured = baskets[:, traded] @ known[:, traded].T
        move = np.divide(
            baskets[:, traded] @ filled[:, traded].T, measured, out=np.zeros(measured.shape), where=measured > 0
        )
        after = within(move >= setting["move"], int(setting["window"]))
        size = baskets.sum(axis=1)
        episode = episodes(session, int(setting["episode_gap"]))
        chances = chance_of_days(after, session, episode)
        here = after[np.arange(len(session)), session]
        followed, followed_days = _followed(market.after, baskets[here], session[here])
        yield Pattern(
            kind=kind,
            level="advisor" if decided_by == "advisor" else "household",
            subject=str(subject),
            decided_by=decided_by,
            count=int(here.sum()),
            opportunities=len(session),
            expected=float(after.mean(axis=1).sum()),
            dollars=float(size[here].sum()),
            of_dollars=float(size.sum()),
            expected_dollars=float(after.mean(axis=1) @ size),
            p_value=float(min(chances[int(here.sum()) :].sum(), 1.0)),
            episodes=len(np.unique(episode[here])),
            days=tuple(watched.sessions[session[here] + market.first]),
            names=_most(watched, baskets[here].sum(axis=0)),
            followed=followed,
            followed_days=followed_days,
        )


def _followed(after: Floats, baskets: Floats, session: Ints) -> tuple[float | None, int]:
    """What the baskets returned afterwards, dollar-weighted over the days and securities for which that is known."""
    later = after[session]
    known = ~np.isnan(later) & (baskets > 0)
    weight = np.where(known, baskets, 0.0)
    if weight.sum() <= 0:
        return None, 0
    return float((weight * np.nan_to_num(later)).sum() / weight.sum()), int(known.any(axis=1).sum())


def _overrides(watched: Watched, rows: pd.DataFrame, first: int, setting: Mapping[str, float]) -> Iterator[Pattern]:
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


def _favourites(watched: Watched, rows: pd.DataFrame, setting: Mapping[str, float]) -> Iterator[Pattern]:
    """The three securities an advisor bought most of by hand, where they make up most of what was bought so."""
    bought = rows[(rows["kind"] == "buy") & (rows["decided_by"] == "advisor")]
    held = np.bincount(watched.model[watched.model >= 0], minlength=len(watched.models)).astype(np.float64)
    share = held @ watched.targets / held.sum() if held.sum() else np.zeros(len(watched.securities))
    for advisor, trades in bought.groupby("subject", sort=True):
        total = trades.groupby("security")["dollars"].sum().sort_values(ascending=False, kind="stable")
        top = total.head(_FAVOURITES)
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


def _no_rebalance(watched: Watched, rows: pd.DataFrame, first: int, setting: Mapping[str, float]) -> Iterator[Pattern]:
    """Quarters without a rebalance trade where the client decides, beside the model's discretionary accounts."""
    period = watched.sessions.to_period("Q")
    quarters = period[first:].unique()[1:]
    if len(quarters) and watched.as_of.normalize() < quarters[-1].end_time.normalize():
        quarters = quarters[:-1]
    accounts = watched.accounts.assign(model=watched.model, account=np.arange(len(watched.accounts)))
    accounts = accounts[accounts["model"] >= 0]
    traded = rows[rows["origin"] == "rebalance"]
    traded = set(zip(traded["account"], period[traded["session"].to_numpy()]))
    records = []
    for quarter in quarters:
        there = accounts[pd.to_datetime(accounts["opened_on"]) < quarter.start_time]
        did = np.array([(account, quarter) in traded for account in there["account"]], bool)
        by = there.assign(did=did)
        share = by[by["discretionary"]].groupby("model")["did"].mean()
        own = by[~by["discretionary"].to_numpy(bool)].groupby(["household_id", "model"])["did"].any().reset_index()
        own["rate"] = own["model"].map(share)
        records.append(own[own["rate"] >= setting["broad_rebalance"]].assign(end=quarter.end_time.normalize()))
    if not records:
        return
    every = pd.concat(records, ignore_index=True)
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


def _idle_cash(watched: Watched, rows: pd.DataFrame, setting: Mapping[str, float]) -> Iterator[Pattern]:
    """Deposits of which less than half was bought with or paid out within a month, by who decides in the account."""
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
    rate = float(idle.mean())
    for (decided_by, who), mine in frame.groupby(["by", "who"], sort=True):
        if len(mine) < setting["least_count"]:
            continue
        left = mine[mine["idle"]]
        yield Pattern(
            kind="idle_cash",
            level="advisor" if decided_by == "advisor" else "household",
            subject=str(who),
            decided_by=decided_by,
            count=len(left),
            opportunities=len(mine),
            expected=rate * len(mine),
            dollars=float(left["dollars"].sum()),
            of_dollars=float(mine["dollars"].sum()),
            p_value=_binomial(len(left), len(mine), rate),
            days=tuple(watched.sessions[np.unique(left["session"])]),
        )


def _binomial(count: int, trials: int, rate: float) -> float:
    from scipy.stats import binom

    return float(binom.sf(count - 1, trials, rate)) if count else 1.0


def _discoveries(found: list[Pattern], setting: Mapping[str, float]) -> tuple[list[Pattern], int]:
    """Adjust the p-values of everything tested, and say what passes with enough days behind it."""
    tested = [pattern.p_value is not None for pattern in found]
    adjusted = iter(false_discovery(np.array([p.p_value for p in found if p.p_value is not None], np.float64)))
    result = []
    for pattern, was_tested in zip(found, tested, strict=True):
        if was_tested:
            q_value = float(next(adjusted))
            enough = len(pattern.days) >= setting["least_count"]
            enough &= pattern.episodes is None or pattern.episodes >= setting["least_episodes"]
            pattern = replace(pattern, q_value=q_value, said=bool(enough and q_value <= setting["false_discovery"]))
        result.append(pattern)
    return result, sum(tested)


def _most(watched: Watched, dollars: Floats) -> tuple[str, ...]:
    order = np.argsort(-dollars, kind="stable")[:_FAVOURITES]
    return tuple(str(watched.securities["security_id"].iloc[place]) for place in order if dollars[place] > 0)
