"""One reading of a firm for the sleeve chapter: ledger, paths, accounts, pools and securities over one period."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import Literal, get_args

import pandas as pd

from workbench import performance
from workbench.attribution.followed import follow
from workbench.attribution.linking import METHODS, Method
from workbench.attribution.model_tree import ModelTree, column_levels, model_tree
from workbench.attribution.paths import ModelPaths, Reset, load_models
from workbench.attribution.pools import PoolSums, SleevePools
from workbench.attribution.security_effects import SecuritySums
from workbench.attribution.sleeves import AccountRows, SleeveAttribution
from workbench.errors import ParameterError
from workbench.firm import CASH, Firm, effective_versions

Period = Literal["month", "quarter", "year", "12 months", "36 months", "60 months", "inception"]
Level = Literal["sector", "asset_class", "region", "security_id"]


@dataclass(frozen=True, eq=False)
class SleeveReview:
    """What the sleeve chapter shows: `accounts`, `pools`, `securities` (see `security_effects`) and the `paths`.

    `tree` breaks the models' part down by asset class, sleeve, `level` and security. `levels` says what each sleeve's
    pool is split by: `level`, or securities where they are all of one group. `names` maps sleeve_id and
    `security_names` security_id to their names; `period` and `level` are as asked for.
    """

    period: Period
    level: Level
    levels: dict[str, Level]
    paths: ModelPaths
    accounts: SleeveAttribution
    tree: ModelTree
    pools: SleevePools
    securities: pd.DataFrame
    names: pd.Series
    security_names: pd.Series

    @property
    def sessions(self) -> pd.DatetimeIndex:
        """The closes from the eve of the period to its end."""
        return self.paths.sessions


def review_sleeves(
    firm: Firm, period: Period = "year", level: Level = "sector", linking: Method = "carino", reset: Reset = "month"
) -> SleeveReview:
    """Read a firm and attribute its accounts' excess returns up to its as-of date.

    `period` is the calendar month, quarter or year to date, the last 12, 36 or 60 months, from the close on its eve, or
    "inception", the time since the first version of a model; from the first close where that is later. `level` says
    what a sleeve's pool is split by. Raises `ParameterError` for an unknown setting, and what `performance.load` and
    `load_models` raise.
    """
    for name, given, known in (("period", period, Period), ("level", level, Level)):
        if given not in get_args(known):
            raise ParameterError(f"{name} {given!r} is unknown; use one of {', '.join(get_args(known))}", name)
    if linking not in METHODS:
        raise ParameterError(f"linking {linking!r} is unknown; use one of {', '.join(METHODS)}", "linking")
    start = _start(firm, period)
    ledgers = performance.chunks(firm, start)
    first = next(ledgers)
    paths = load_models(firm, first.sessions, first.securities, reset)
    securities = firm.table("securities").set_index("security_id", drop=False)
    levels, group_of = _split_by(paths, securities, level)
    rows, sums, parts = AccountRows(paths, linking), PoolSums(paths, group_of, linking), SecuritySums(paths, linking)
    for run in follow(chain([first], ledgers), paths):
        for gathered in (rows, sums, parts):
            gathered.add(run)
    accounts = rows.result()
    # The classes are the tree's top already, and securities its leaves.
    groups = ("asset_class", "sleeve", *({level} - {"asset_class", "security_id"}))
    return SleeveReview(
        period,
        level,
        levels,
        paths,
        accounts,
        model_tree(accounts, paths, column_levels(paths, securities, *groups)),
        sums.result(),
        parts.result(),
        firm.table("sleeves").set_index("sleeve_id")["name"],
        securities["name"],
    )


def _split_by(paths: ModelPaths, securities: pd.DataFrame, level: Level) -> tuple[dict[str, Level], pd.Series]:
    """What each sleeve is split by, and the group of each of its securities, by sleeve_id and security_id."""
    columns = column_levels(paths, securities, "sleeve", level)
    alone = columns.groupby("sleeve")[level].transform("nunique") == 1
    group = columns[level].where(~alone, columns["security"])
    levels: dict[str, Level] = dict.fromkeys(paths.sleeves, level)
    levels |= dict.fromkeys(columns.loc[alone, "sleeve"], "security_id")
    return levels, pd.Series(group.to_numpy(), pd.MultiIndex.from_frame(columns[["sleeve", "security"]]), name=level)


def _start(firm: Firm, period: Period) -> pd.Timestamp:
    """The day whose last close the period begins at: its eve, the first version of a model, or the first close."""
    dates = firm.table("prices", ["date", "security_id"])
    first = pd.Timestamp(dates.loc[dates["security_id"] != CASH, "date"].min())
    day = firm.as_of
    if period == "inception":
        versions = effective_versions(firm.table("models"), day)
        eve = versions["effective_date"].min() if len(versions) else first  # without a model, loading them says so
    elif period.endswith("months"):
        eve = day - pd.DateOffset(months=int(period.split()[0]))
    else:
        eve = day.to_period({"month": "M", "quarter": "Q", "year": "Y"}[period]).start_time - pd.Timedelta(days=1)
    return max(pd.Timestamp(eve), first)
