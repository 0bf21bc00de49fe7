"""A sleeve over all accounts that implement it, as one pool: from its benchmark's return to its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.attribution._paper import Flags, Floats, grouped, held_sum
from workbench.attribution.daily_effects import MODEL_EFFECTS
from workbench.attribution.followed import Followed, follow
from workbench.attribution.linking import Linked, Method, cumulative, link
from workbench.attribution.paths import ModelPaths
from workbench.errors import ParameterError
from workbench.performance import DailyHoldings

#: What implementing a sleeve changed, in the order it is shown.
POOL_EFFECTS = ("timing", "cash", "trading", "fees", "residual")


@dataclass(frozen=True, eq=False)
class SleevePool:
    """One sleeve over T periods; fractions of the pool's beginning value.

    `rows` (T x K) sum over K to `portfolio` - `benchmark` where `begin` (T, dollars) is above zero, and are zero
    elsewhere. `names` has the effect of each row and its group, which implementation has none of. `linked` holds the
    rows over the whole period; `model` (T) is what the accounts' models earned on the sleeve. `weights` (G x 2) are the
    average weights of each group in the models' sleeve and in its benchmark. `accounts` had value in it at some time.
    """

    sleeve_id: str
    accounts: int
    sessions: pd.DatetimeIndex
    names: pd.DataFrame
    begin: Floats
    portfolio: Floats
    model: Floats
    benchmark: Floats
    rows: Floats
    weights: Floats
    linked: Linked

    @property
    def model_return(self) -> float:
        """Compounded return of the models' sleeve."""
        return float(np.prod(1 + self.model) - 1)

    @property
    def present(self) -> Flags:
        """Periods in which anybody held the sleeve (T)."""
        return np.asarray(self.begin > 0)

    def effect(self, name: str) -> float:
        """One linked effect over all groups."""
        return float(self.linked.effects[(self.names["effect"] == name).to_numpy()].sum())

    def by_group(self) -> pd.DataFrame:
        """One row a group: group, weight, benchmark_weight, then linked allocation, selection, interaction, total."""
        rows = self.names.assign(value=self.linked.effects).dropna(subset="group")
        frame = rows.pivot(index="group", columns="effect", values="value")[list(MODEL_EFFECTS)]
        frame = frame.loc[rows["group"].unique()].assign(total=frame.sum(axis=1)).rename_axis(columns=None)
        frame.insert(0, "benchmark_weight", self.weights[:, 1])
        frame.insert(0, "weight", self.weights[:, 0])
        return frame.reset_index()

    def cumulative(self, method: Method = "carino") -> Linked:
        """Link the rows up to each period (T x K)."""
        return cumulative(self.rows, self.portfolio, self.benchmark, method, present=self.present)


@dataclass(frozen=True, eq=False)
class SleevePools:
    """The sleeves that any account held, and what lies outside every sleeve.

    `outside` (T) is the beginning value in dollars of what no model of its account holds, its part of cash included,
    `outside_gain` (T) what that earned, with what was traded in a sleeve before anybody held it. Over all pools and
    outside, gains are those of all accounts. `unheld` are the sleeves that no account held.
    """

    sessions: pd.DatetimeIndex
    level: str
    pools: tuple[SleevePool, ...]
    outside: Floats
    outside_gain: Floats
    unheld: tuple[str, ...]

    def pool(self, sleeve_id: str) -> SleevePool:
        """One sleeve's pool; `ParameterError` for a sleeve that no account held."""
        for pool in self.pools:
            if pool.sleeve_id == sleeve_id:
                return pool
        raise ParameterError(f"no account held sleeve {sleeve_id!r} in the period", "sleeve_id")

    def to_frame(self) -> pd.DataFrame:
        """One row a sleeve: accounts, ending-period value, returns, excess, effects over all groups."""
        rows = []
        for pool in self.pools:
            row = {
                "sleeve_id": pool.sleeve_id,
                "accounts": pool.accounts,
                "value": pool.begin[-1],
                "portfolio": float(pool.linked.portfolio),
                "model": pool.model_return,
                "benchmark": float(pool.linked.benchmark),
                "excess": float(pool.linked.excess),
            }
            rows.append(row | {name: pool.effect(name) for name in (*MODEL_EFFECTS, *POOL_EFFECTS)})
        return pd.DataFrame(rows)


def pools(
    daily: DailyHoldings | Iterable[DailyHoldings],
    paths: ModelPaths,
    group_of: pd.Series,
    linking: Method = "carino",
) -> SleevePools:
    """Carve each sleeve out of all accounts and attribute its excess return over its benchmark.

    An account's cash is first the sleeve's whose model holds cash, up to the model's weight; what is beyond goes to
    the sleeves in proportion to their beginning values, and so do fees: a carve-out with allocated cash (GIPS standards
    2020, section 3). An account that is nothing but cash is spread by the model's weights.
    The pool's return is the gains of the parts over their beginning values.

    Rows of each day, in this order: by group, allocation, selection and interaction of the model's sleeve against the
    sleeve's benchmark (Brinson-Fachler; a group that one side does not hold takes the other's return, so that it is
    allocation alone); timing (securities of the sleeve at other weights than within the model's sleeve), cash beyond
    the model's, trading, fees, residual. Models that hold the sleeve differently are averaged by the accounts' values.

    `group_of` gives each security's group, by security_id, or by sleeve_id and security_id, and is named for its
    level. Raises `ParameterError` for a security without group.
    """
    gathered = PoolSums(paths, group_of, linking)
    for run in follow(daily, paths):
        gathered.add(run)
    return gathered.result()


class PoolSums:
    """Gathers, run by run, what accounts had and gained in each sleeve."""

    def __init__(self, paths: ModelPaths, group_of: pd.Series, linking: Method) -> None:
        self._paths, self._linking, self._level = paths, linking, str(group_of.name)
        self._pairs = _pairs(paths, group_of)
        models, periods, sleeves = len(paths.models), len(paths.sessions) - 1, len(paths.sleeves)
        self._accounts = np.zeros(sleeves, dtype=np.int64)
        self._begin, self._gains = np.zeros((models, periods, sleeves)), np.zeros((periods, sleeves, len(POOL_EFFECTS)))
        self._outside, self._outside_gain = np.zeros(periods), np.zeros(periods)

    def add(self, run: Followed) -> None:
        """Carve the sleeves out of a run of accounts."""
        begin, rows, outside = _carved_out(run)
        self._accounts += (begin > 0).any(axis=1).sum(axis=0)
        self._begin += run.by_model(begin)
        self._gains += rows.sum(axis=0)
        self._outside += (outside * run.present).sum(axis=0)
        gain = run.holding + run.trading + run.daily.fee + run.daily.unexplained
        modelled = (begin * run.sides.sleeve_returns[run.model]).sum(axis=2)
        self._outside_gain += (gain * run.present - rows.sum(axis=(2, 3)) - modelled).sum(axis=0)

    def result(self) -> SleevePools:
        """The pools of all accounts gathered, linked."""
        paths, begin, gains = self._paths, self._begin, self._gains
        decided, weights = _group_effects(paths, self._pairs)
        held = np.flatnonzero((begin > 0).any(axis=(0, 1)))
        made = []
        for sleeve in held:
            mine = (self._pairs["sleeve"] == sleeve).to_numpy()
            rows = decided[:, :, mine], weights[:, :, mine], gains[:, sleeve]
            groups, accounts = self._pairs["group"][mine], int(self._accounts[sleeve])
            made.append(_pool(paths, int(sleeve), accounts, begin[..., sleeve], rows, groups, self._linking))
        # What was traded in a sleeve before anybody held it is no return on it.
        early = np.where(begin.sum(axis=0) > 0, 0.0, gains.sum(axis=2)).sum(axis=1)
        unheld = tuple(name for s, name in enumerate(paths.sleeves) if s not in held)
        return SleevePools(paths.sessions, self._level, tuple(made), self._outside, self._outside_gain + early, unheld)


def _pool(
    paths: ModelPaths,
    sleeve: int,
    accounts: int,
    by_model: Floats,
    rows: tuple[Floats, Floats, Floats],
    groups: pd.Series,
    linking: Method,
) -> SleevePool:
    """Put one sleeve together; `rows` are the models' effects and weights and the accounts' gains."""
    begin = by_model.sum(axis=0)
    scale = _inverse(begin)
    model, benchmark = (
        (by_model * np.nan_to_num(side[..., sleeve])).sum(axis=0) * scale
        for side in (paths.sleeve_returns, paths.sleeve_benchmark_returns)
    )
    decided = np.einsum("mt,mtpe->tpe", by_model, rows[0]) * scale[:, None, None]
    weights = np.einsum("mt,mtpw->tpw", by_model, rows[1])[begin > 0] * scale[begin > 0, None, None]
    done = rows[2] * scale[:, None]
    together = np.concatenate([decided.reshape(len(begin), -1), done], axis=1)
    portfolio = model + done.sum(axis=1)
    return SleevePool(
        paths.sleeves[sleeve], accounts, paths.sessions, _names(groups), begin, portfolio, model, benchmark, together,
        weights.mean(axis=0), link(together, portfolio, benchmark, linking, present=begin > 0),
    )  # fmt: skip


def _carved_out(run: Followed) -> tuple[Floats, Floats, Floats]:
    """Dollars of one run of accounts: begin (N x T x L), gains by row (N x T x L x 5), value outside (N x T)."""
    value, cash, sides, model = run.value[:, :-1], run.cash, run.sides, run.model
    held, gained, expected, traded = run.inside
    own_cash, begin, outside = _carved(value, cash, held, sides.cash_weights[model], sides.sleeve_weights[model])
    share = begin * _inverse(value)[..., None]
    idle = begin - held - own_cash
    earned = (
        np.where((cash != 0)[..., None], (own_cash + idle) * _inverse(cash)[..., None], share) * run.interest[..., None]
    )
    sleeve_return = sides.sleeve_returns[model]
    timing = expected - (held + own_cash) * sleeve_return
    fees, unexplained = (side[..., None] * share for side in (run.daily.fee, run.daily.unexplained))
    rows = np.stack([timing, earned - idle * sleeve_return, traded, fees, gained - expected + unexplained], axis=3)
    rows[~run.present] = 0.0
    return begin * run.present[..., None], rows, outside


def _carved(
    value: Floats, cash: Floats, held: Floats, cash_weights: Floats, sleeve_weights: Floats
) -> tuple[Floats, Floats, Floats]:
    """Give each sleeve's own cash and beginning value (N x T x L), and the value outside every sleeve (N x T).

    A sleeve's own cash is what the model holds in it, less where the account has less. The rest of the cash, which is
    negative where the account owes some, goes to all parts in proportion to their values.
    """
    wanted = cash_weights.sum(axis=2) * value
    own_cash = cash_weights * (value * np.clip(cash * _inverse(wanted), 0.0, 1.0))[..., None]
    outside = value - cash - held.sum(axis=2)
    invested = held.sum(axis=2) + outside > 0
    parts = held + own_cash
    total = parts.sum(axis=2) + outside
    spread = np.where(invested, value * _inverse(np.where(invested, total, 0.0)), 0.0)
    begin = np.where(invested[..., None], parts * spread[..., None], sleeve_weights * value[..., None])
    return own_cash, begin, outside * spread


def _inverse(values: Floats) -> Floats:
    return np.divide(1.0, values, out=np.zeros_like(values), where=values != 0)


def _pairs(paths: ModelPaths, group_of: pd.Series) -> pd.DataFrame:
    """Every group in a sleeve, by sleeve and group; `column` has the columns of each."""
    securities = pd.Index(paths.securities)[paths.column_security]
    both = pd.MultiIndex.from_arrays([np.array(paths.sleeves, dtype=object)[paths.column_sleeve], securities])
    groups = group_of.reindex(both if group_of.index.nlevels == 2 else securities)
    if groups.isna().any():
        raise ParameterError(
            f"{securities[groups.isna()][0]} has no {group_of.name}; give one to every security that models and "
            "benchmarks hold",
            "group_of",
        )
    columns = pd.DataFrame({"sleeve": paths.column_sleeve, "group": groups.astype(str).to_numpy()})
    return columns.assign(column=range(len(columns))).groupby(["sleeve", "group"], as_index=False).agg({"column": list})


def _group_effects(paths: ModelPaths, pairs: pd.DataFrame) -> tuple[Floats, Floats]:
    """Brinson-Fachler effects within each model's sleeve against its benchmark (M x T x P x 3), and both weights."""
    sleeve = pairs["sleeve"].to_numpy(np.int64)
    pair_of = np.empty(len(paths.column_sleeve), dtype=np.int64)
    for pair, columns in enumerate(pairs["column"]):
        pair_of[columns] = pair
    returns = paths.returns[:, paths.column_security]
    with np.errstate(invalid="ignore", divide="ignore"):
        inside = paths.weights / paths.sleeve_weights[..., paths.column_sleeve]
        weight, neutral = (grouped(side, pair_of, len(pairs)) for side in (inside, paths.sleeve_benchmark_weights))
        mine, theirs = (
            np.where(total > 0, grouped(held_sum(side, returns), pair_of, len(pairs)) / total, np.nan)
            for side, total in ((inside, weight), (paths.sleeve_benchmark_weights, neutral))
        )
    mine, theirs = np.where(np.isnan(mine), theirs, mine), np.where(np.isnan(theirs), mine, theirs)
    active, selected = weight - neutral, mine - theirs
    total = paths.sleeve_benchmark_returns[..., sleeve]
    effects = np.stack([held_sum(active, theirs - total), neutral * selected, active * selected], axis=3)
    return np.asarray(np.nan_to_num(effects)), np.nan_to_num(np.stack([weight, neutral], axis=3))


def _names(groups: pd.Series) -> pd.DataFrame:
    """The rows of a pool, in order: effect, and group where the effect has one."""
    rows = [(effect, group) for group in groups for effect in MODEL_EFFECTS]
    return pd.DataFrame([*rows, *((effect, None) for effect in POOL_EFFECTS)], columns=["effect", "group"])
