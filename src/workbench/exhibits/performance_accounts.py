"""Account by account: who is far off the model, what timing did, which securities earned it, who is left out."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench import performance
from workbench.attribution import contribution
from workbench.exhibits.drift_facts import absent, noun, plural
from workbench.exhibits.origin import Origin
from workbench.exhibits.performance_facts import TABLES
from workbench.exhibits.performance_review import Floats, PerformanceReview, year_start
from workbench.report import Column, Exhibit, TableBody, figures
from workbench.report import format as fmt

#: A gap between a client's dollars and a dollar left alone that is worth naming, a year.
_GAP = 0.001
#: Dollars that are no flow.
_CENT = 0.005
#: With fewer accounts a middle half says nothing.
_FEW = 4
_BASIS = "time-weighted daily, flows at the close, after fees"


def dispersion_strip(review: PerformanceReview, origin: Origin, listed: int) -> Exhibit:
    """Each account's return of the year less that of its model's paper portfolio; who is far off."""
    id, title = "performance-dispersion", "Accounts against their model"
    frame, start = _gaps(review)
    if frame.empty:
        return absent(id, title, review.no_benchmark or "No account with a model lived the whole of the year.")
    far = frame.reindex(frame["gap"].abs().sort_values(ascending=False, kind="stable").index).head(listed)
    columns = (
        Column("account_id", "Account", emphasis=True),
        Column("name", "Model"),
        Column("net", "After fees", "percent", digits=2),
        Column("model", "Model's paper portfolio", "percent", digits=2),
        Column("gap", "Difference", "pp", digits=2),
        Column("advisor_id", "Advisor"),
        Column("custodian_id", "Custodian"),
    )
    rows, facts = origin.table("performance.gap", far, columns, "performance.account_returns", TABLES)
    groups = {name: part for name, part in frame.groupby("name", sort=False)}
    takeaway = _gap_words(frame, start)
    others = len(review.net.account_ids) - len(frame)
    note = f"The {fmt.count(len(far))} furthest off." if len(far) < len(frame) else ""
    if others:
        verb = noun(others, "is not shown: it", "are not shown: they")
        note = f"{note} {plural(others, 'account')} {verb} did not live the whole time under a model.".lstrip()
    body = figures.strip(
        {str(name): list(part["gap"]) for name, part in groups.items()},
        alt=takeaway,
        labels={str(name): list(part["account_id"]) for name, part in groups.items()},
        named=list(far["account_id"].head(3)),
        axis_title="Account after fees, less its model's paper portfolio",
        data=TableBody(columns, rows, note=note),
    )
    basis = f"{_BASIS}; since {fmt.long_date(str(start.date()))}; models on paper, without fees and costs"
    return Exhibit(id, title, body, takeaway, origin.settings(basis, TABLES), facts)


def timing_table(review: PerformanceReview, origin: Origin) -> Exhibit:
    """What clients' own dollars earned against a dollar left alone: the effect of when they paid in and took out."""
    id, title = "performance-timing", "What clients' timing did"
    frame, several = _timing(review)
    if frame.empty:
        return absent(id, title, "No account has a year of returns, and nothing shorter is annualised.")
    frame = frame.assign(name=frame["model_id"].map(review.names).fillna("Without a model"))
    order = [track.name for track in review.models]
    by_model = frame.groupby("name", sort=False)
    moved = frame[frame["moved"]].groupby("name", sort=False)["gap"]
    table = pd.DataFrame(
        {
            "accounts": by_model.size(),
            "moved": by_model["moved"].sum().astype(int),
            "behind": by_model["gap"].agg(lambda gap: int((gap < -_GAP).sum())),
            "ahead": by_model["gap"].agg(lambda gap: int((gap > _GAP).sum())),
            "middle": moved.median(),
            "worst": moved.min(),
            "best": moved.max(),
        }
    )
    table = table.reindex([*(name for name in order if name in table.index), *table.index.difference(order)])
    table = table.reset_index(names="name")
    columns = (
        Column("name", "Model", emphasis=True),
        Column("accounts", "Accounts", "count", note="with a year of returns or more"),
        Column("moved", "With flows", "count", note="money came or went while the account was invested"),
        Column("behind", "Lost by it", "count", note="more than 0.1 pp a year"),
        Column("ahead", "Gained by it", "count", note="more than 0.1 pp a year"),
        Column("middle", "Median", "pp", digits=2, note="effect of timing a year, accounts with flows"),
        Column("worst", "Lowest", "pp", digits=2, note="effect of timing a year"),
        Column("best", "Highest", "pp", digits=2, note="effect of timing a year"),
    )
    keys = [_key(review, name) for name in table["name"]]
    none = dict.fromkeys(("middle", "worst", "best"), "no account with flows")
    rows, facts = origin.table(
        "performance.timing", table, columns, "performance.account_money_weighted", TABLES, keys=keys, missing=none
    )
    note = "Timing: what a client's own dollars earned a year (money-weighted) less what a dollar left alone in the "
    note += "account did (time-weighted), each account over its own life. It says when money came and went, not who "
    note += "decided it or why."
    if unfit := len(review.net.account_ids) - len(frame) - several:
        verb = noun(unfit, "is not shown: its record is", "are not shown: their records are")
        note += f" {plural(unfit, 'account')} {verb} shorter than a year, broken, or ended by a total loss."
    if several:
        verb = noun(several, "has no single rate and is", "have no single rate and are")
        note += f" {plural(several, 'account')} {verb} left out."
    basis = f"{_BASIS}; internal rate of return at actual dates, days / 365; accounts of a year or more"
    body = TableBody(columns, rows, note=note)
    return Exhibit(id, title, body, _timing_words(frame), origin.settings(basis, TABLES), facts)


def contributors(review: PerformanceReview, origin: Origin, most: int) -> Exhibit:
    """Which securities earned and lost the year's money, in dollars and as parts of all accounts' return."""
    id, title = "performance-contributors", "What earned it, and what lost it"
    frame, start = _contributions(review)
    if frame.empty:
        return absent(id, title, "Accounts that follow a model had no capital to earn on.")
    frame = frame.sort_values("contribution", ascending=False, kind="stable", ignore_index=True)
    shown = pd.concat([frame[frame["contribution"] > 0].head(most), frame[frame["contribution"] < 0].tail(most)])
    columns = (
        Column("security_id", "Security", emphasis=True),
        Column("contribution", "Part of the return", "pp", digits=2),
        Column("gain", "Gain", "usd"),
    )
    rows, facts = origin.table("performance.contribution", shown, columns, "attribution.contribution", TABLES)
    best, worst = frame.iloc[0], frame.iloc[-1]
    total = fmt.percent(frame["contribution"].sum(), 2)
    since = f"Since {fmt.long_date(str(start.date()))}"
    takeaway = f"{since} accounts that follow a model, taken as one account, returned {total} before fees: "
    takeaway += _ends(best, worst if len(frame) > 1 else None)
    body = figures.diverging_bars(
        list(shown["security_id"]), list(shown["contribution"]), alt=takeaway, axis_title="Part of the return",
        sides=("lost", "earned"), data=TableBody(columns, rows),
    )  # fmt: skip
    basis = "gains and trading costs of accounts with a model as one, from each account's first day, before fees; "
    basis += f"days linked by Carino's method since {fmt.long_date(str(start.date()))}"
    settings = origin.settings(basis, TABLES)
    return Exhibit(id, title, body, takeaway, settings, facts)


def left_out_table(review: PerformanceReview, origin: Origin, most: int) -> Exhibit:
    """Accounts and days without a return, and returns to be read with care, each with its reason."""
    id, title = "performance-left-out", "What is left out, and why"
    frame = _left_out(review)
    settings = origin.settings("the ledger of daily holdings: every holding at every close", TABLES)
    if frame.empty:
        measured = plural(len(review.net.account_ids), "account")
        takeaway = f"Nothing: {measured} measured, and no day lacks a return for want of capital, prices or records."
        return Exhibit(id, title, absent(id, title, takeaway).body, "", settings)
    columns = (
        Column("account_id", "Account", emphasis=True),
        Column("reason", "Why"),
        Column("effect", "What follows"),
        Column("days", "Days", "count"),
        Column("first", "First", "date"),
        Column("gain", "Gain on these days", "usd"),
    )
    shown = frame.head(most)
    keys = [f"{account}-{number}" for number, account in enumerate(shown["account_id"])]
    missing = {"first": "the whole time", "gain": "not known", "days": "the whole time"}
    rows, facts = origin.table(
        "performance.left_out", shown, columns, "performance.account_returns", TABLES, keys=keys, missing=missing
    )
    accounts = frame["account_id"].nunique()
    takeaway = f"{plural(accounts, 'account')} {noun(accounts, 'has', 'have')} no return on some days, "
    takeaway += "or one to be read with care."
    note = "" if len(frame) <= most else f"The first {len(shown)} of {fmt.count(len(frame))}."
    return Exhibit(id, title, TableBody(columns, rows, note=note), takeaway, settings, facts)


def _gaps(review: PerformanceReview) -> tuple[pd.DataFrame, pd.Timestamp]:
    """Accounts that lived the whole year under a model: their return, the model's, and the difference."""
    start = year_start(review.sessions)
    first = int(review.sessions.get_loc(start))
    net, model = (performance.compound(array[:, first:]) for array in (review.net.daily, review.model))
    accounts = review.net.accounts[["account_id", "model_id", "advisor_id", "custodian_id"]]
    frame = accounts.assign(net=net, model=model, gap=net - model, name=accounts["model_id"].map(review.names))
    order = {track.key: float(place) for place, track in enumerate(review.models)}
    frame = frame.assign(order=frame["model_id"].map(order))
    return frame[frame["gap"].notna()].sort_values(["order", "account_id"], ignore_index=True), start


def _timing(review: PerformanceReview) -> tuple[pd.DataFrame, int]:
    """Money- and time-weighted returns a year of accounts with a year or more, and how many have no single rate."""
    lives = review.net.lives()
    lived = (lives["end"] - lives["start"] >= pd.Timedelta(days=365)) & (lives["holes"] == 0) & (lives["return"] > -1.0)
    rows = np.flatnonzero(lived)
    net = review.net
    rates = performance.account_money_weighted(net.value[rows], net.flow[rows], net.sessions, net.timing)
    chosen = lives.iloc[rows]
    # Years as the internal rate counts them, so that an account without flows shows no difference.
    years = (chosen["end"] - chosen["start"]).dt.days / 365.0
    alone = [float(performance.annualise(total, length)) for total, length in zip(chosen["return"], years)]
    frame = pd.DataFrame(
        {
            "account_id": chosen["account_id"].to_numpy(),
            "model_id": net.accounts["model_id"].to_numpy()[rows],
            "time_weighted": alone,
            "money_weighted": rates["annual"].to_numpy(np.float64),
            "moved": _moved(net.daily[rows], net.flow[rows]),
        }
    )
    frame["gap"] = frame["money_weighted"] - frame["time_weighted"]
    single = frame["gap"].notna()
    return frame[single].reset_index(drop=True), int((~single).sum())


def _moved(daily: Floats, flow: Floats) -> np.ndarray:
    """Whether money came or went between two days of an account's life; its first and last flows have no timing."""
    there = ~np.isnan(daily)
    inside = there[:, :-1] & there[:, 1:]
    return np.asarray(((np.abs(flow[:, :-1]) > _CENT) & inside).any(axis=1))


def _ends(best: pd.Series, worst: pd.Series | None) -> str:
    """The security that brought most and the one that brought least or lost most."""

    def said(one: pd.Series, verb: str) -> str:
        return f"{one['security_id']} {verb} ({fmt.percentage_points(one['contribution'], 2)})"

    if worst is None:
        return f"all of it from {best['security_id']}."
    first = said(best, "lost least" if best["contribution"] < 0 else "brought most")
    return f"{first}, {said(worst, 'lost most' if worst['contribution'] < 0 else 'brought least')}."


def _gap_words(frame: pd.DataFrame, start: pd.Timestamp) -> str:
    """Where the middle half of the accounts ended, and who is furthest off."""
    first = frame.loc[frame["gap"].abs().idxmax()]
    far, since = fmt.percentage_points(first["gap"], 2), f"Since {fmt.long_date(str(start.date()))}"
    if len(frame) < _FEW:
        return f"{since} {first['account_id']} is furthest from its model's paper portfolio: {far} after fees."
    low, high = (fmt.percentage_points(value, 2) for value in frame["gap"].quantile([0.25, 0.75]))
    return (
        f"{since} the middle half of {plural(len(frame), 'account')} ended between {low} and {high} from their model's "
        f"paper portfolio, after fees; {first['account_id']} is furthest off with {far}."
    )


def _timing_words(frame: pd.DataFrame) -> str:
    """How many accounts lost and gained by timing, and the one that lost most."""
    lost, gained = (int((side * frame["gap"] > _GAP).sum()) for side in (-1, 1))
    moved = int(frame["moved"].sum())
    if not moved:
        return "No money came or went while an account was invested, so timing made no difference."
    text = f"Of {plural(moved, 'account')} with flows, {fmt.count(lost)} lost more than 0.1 pp a year through timing "
    text += f"and {fmt.count(gained)} gained more than that"
    worst = frame.loc[frame["gap"].idxmin()]
    if not lost:
        return f"{text}."
    own, alone = (fmt.percent(worst[name], 2) for name in ("money_weighted", "time_weighted"))
    return f"{text}; in {worst['account_id']} the client's dollars earned {own} a year, a dollar left alone {alone}."


def _contributions(review: PerformanceReview) -> tuple[pd.DataFrame, pd.Timestamp]:
    """Gain of each security this year and its linked part of all accounts' return."""
    followed = review.net.accounts["model_id"].notna().to_numpy(bool)
    capital = review.net.value[followed, :-1].sum(axis=0)
    # From the year's eve, or the last close since then at which there was no capital.
    year = first = int(review.sessions.get_loc(year_start(review.sessions)))
    first = max(first, int(np.flatnonzero(capital <= 0.0)[-1]) + 1 if (capital <= 0.0).any() else first)
    start = review.sessions[first]
    if first == len(capital):
        return pd.DataFrame(columns=["security_id", "contribution", "gain"]), start
    gains = review.gains[:, first - year :]
    linked = contribution((gains / capital[first:]).T, groups=np.array(review.securities, dtype=object))
    frame = pd.DataFrame(
        {"security_id": review.securities, "contribution": linked.contributions[0], "gain": gains.sum(axis=1)}
    )
    return frame[gains.any(axis=1)].reset_index(drop=True), start


def _left_out(review: PerformanceReview) -> pd.DataFrame:
    """One row an account and reason, accounts without any ledger first."""
    problems = review.net.problems
    found = problems.groupby(["account_id", "reason", "in_return"], as_index=False, sort=False).agg(
        days=("session", "size"), first=("session", "min"), gain=("gain", "sum")
    )
    effect = np.where(found["in_return"], "in the return", "no return on these days, nor over longer spans")
    found = found.assign(effect=effect).sort_values(["in_return", "account_id", "first"], kind="stable")
    unknown = review.net.no_data.assign(effect="in no figure")
    columns = ["account_id", "reason", "effect", "days", "first", "gain"]
    return pd.concat([unknown, found], ignore_index=True).reindex(columns=columns)


def _key(review: PerformanceReview, name: str) -> str:
    """The identifier of a model by its name; its name where it has none."""
    known = review.names[review.names == name]
    return str(known.index[0]) if len(known) else name
