"""Paper portfolios: each model, each of its sleeves and its benchmark, over the sessions that accounts are measured on.

A model's paper portfolio holds the targets in force. It is set to them at the close of every version's effective date
and at the first close of every month, drifts with the market in between, and pays neither costs nor fees. What an
account did differently is then its implementation, and what the model did differently is the committee's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.attribution._paper import Floats, Ints, carried_returns, drift, grouped, held_sum
from workbench.errors import FirmDataError, MarketDataError, ParameterError
from workbench.firm import CASH, Firm, effective_versions
from workbench.market import PriceHistory, price_history

Flags = NDArray[np.bool_]
Reset = Literal["month", "quarter", "version"]

#: A security's last close stands in for a missing one this many sessions long, as on a holiday of its own market.
MAX_PRICE_AGE = 5
#: Security-days named in an error; more are counted.
_NAMED = 3


@dataclass(frozen=True, eq=False)
class ModelPaths:
    """M models over T periods, from `sessions[t]` to `sessions[t + 1]`; fractions, simple returns.

    A column is a security in a sleeve (C of them, `column_sleeve` and `column_security` point into `sleeves` and
    `securities`): a security in two sleeves has two columns. All weights are those at the beginning of the period.

    - `returns` (T x S): total return of each security, NaN where it has no price.
    - `weights` (M x T x C): the model's weights, which sum to 1.
    - `sleeve_weights`, `sleeve_returns` (M x T x L): of the model's sleeves; a return is NaN where the weight is zero.
    - `benchmark_weights` (M x T x L): policy weights, and `sleeve_benchmark_returns` (M x T x L): those of the sleeves'
      benchmarks, NaN where neither model nor policy holds the sleeve.
    - `sleeve_benchmark_weights` (M x T x C): weights within each sleeve's benchmark, which sum to 1 in each sleeve.
    - `model_returns`, `benchmark_returns` (M x T).

    Before a model's first version its weights and returns are NaN and `exists` (M x T) is false. A sleeve without
    benchmark (`sleeve_has_benchmark`, L) is measured against the model's own sleeve, a model without policy weights
    (`model_has_benchmark`, M) against its own sleeve weights: selection or allocation is then zero by construction.
    `carried` lists the security-days whose last close stood in for a missing one: security_id, date, price_age.
    """

    sessions: pd.DatetimeIndex
    securities: tuple[str, ...]
    models: tuple[str, ...]
    sleeves: tuple[str, ...]
    column_sleeve: Ints
    column_security: Ints
    returns: Floats
    weights: Floats
    sleeve_weights: Floats
    sleeve_returns: Floats
    benchmark_weights: Floats
    sleeve_benchmark_weights: Floats
    sleeve_benchmark_returns: Floats
    model_returns: Floats
    benchmark_returns: Floats
    model_has_benchmark: Flags
    sleeve_has_benchmark: Flags
    carried: pd.DataFrame

    @property
    def exists(self) -> Flags:
        """Whether a model had a version in force at the beginning of each period (M x T)."""
        return np.asarray(~np.isnan(self.model_returns))

    @property
    def security_weights(self) -> Floats:
        """The models' weights by security, whatever the sleeve (M x T x S)."""
        return self.by_security(self.weights)

    def by_security(self, columns: Floats) -> Floats:
        """Sum an array over columns (... x C) to one over securities (... x S)."""
        return grouped(columns, self.column_security, len(self.securities))

    def by_sleeve(self, columns: Floats) -> Floats:
        """Sum an array over columns (... x C) to one over sleeves (... x L)."""
        return grouped(columns, self.column_sleeve, len(self.sleeves))

    def model_rows(self, model_ids: pd.Series | Sequence[str | None]) -> Ints:
        """Give the row of each model by its identifier; -1 for none and for one without a version in force."""
        return np.asarray(pd.Index(self.models).get_indexer(pd.Index(model_ids, dtype=object)), dtype=np.int64)

    def to_frame(self) -> pd.DataFrame:
        """One row a model and period it existed in: model_id, date (its end), model, benchmark, excess."""
        m, t = np.nonzero(self.exists)
        frame = pd.DataFrame({"model_id": np.array(self.models, dtype=object)[m], "date": self.sessions[t + 1]})
        model, benchmark = self.model_returns[m, t], self.benchmark_returns[m, t]
        return frame.assign(model=model, benchmark=benchmark, excess=model - benchmark)


def load_models(
    firm: Firm,
    sessions: pd.DatetimeIndex,
    securities: Sequence[str] = (),
    reset: Reset = "month",
    *,
    max_price_age: int = MAX_PRICE_AGE,
) -> ModelPaths:
    """Read the models' targets, benchmarks and prices, and walk their paper portfolios over `sessions`.

    `securities` come first, in their order, so that positions in a ledger of holdings stay valid; what only models and
    benchmarks hold follows. A path begins at its last reset on or before the first session, so that the figures of a
    period do not depend on where the report starts. A version takes effect at the close of its effective date, or of
    the next session. Benchmarks are set to their weights on the models' schedule, but not by a new version.

    `reset` is "month" or "quarter" (their first close), or "version": set to the targets by a new version alone.
    Cash returns zero. A missing close is the last known one for up to `max_price_age` sessions, listed in `carried`.

    Raises `MarketDataError` for a security that a model or a needed benchmark holds without a return, naming it and the
    days, and for a session without any price; `FirmDataError` where no model is in force, or a policy holds a sleeve
    that nothing describes; `ParameterError` for fewer than two sessions, sessions that leave one out, or an unknown
    `reset`.
    """
    if reset not in get_args(Reset):
        raise ParameterError(f"reset {reset!r} is unknown; use one of {', '.join(get_args(Reset))}", "reset")
    if len(sessions) < 2 or not sessions.is_monotonic_increasing or not sessions.is_unique:
        raise ParameterError("give two sessions or more, in order and each once: a period runs between two", "sessions")
    versions = effective_versions(firm.table("models"), sessions[-1])
    if versions.empty:
        raise FirmDataError(
            f"no model has a version in force by {sessions[-1]:%Y-%m-%d}; approve one, or report on later days"
        )
    targets = firm.table("model_targets").merge(versions[["model_id", "version", "effective_date"]])
    benchmarks = firm.table("sleeve_benchmarks")
    held = [*securities, *sorted({*targets["security_id"], *benchmarks["security_id"]} - set(securities))]
    start = _first_day(versions, sessions[0], reset)
    days, returns, age = _market(firm, held, sessions, start, max_price_age)
    sleeves = tuple(firm.table("sleeves")["sleeve_id"])
    walk = _Walk(days, returns, tuple(held), sleeves, _columns(targets, benchmarks, sleeves, held), reset)
    models, weights = _model_weights(walk, targets)
    within, has_benchmark = _sleeve_benchmarks(walk, benchmarks, weights)
    against = walk.by_sleeve(held_sum(within, walk.column_returns))
    against[walk.by_sleeve(np.where(np.isnan(within), 0.0, within)) == 0] = np.nan
    policy, has_policy = _policy_weights(walk, firm.table("model_benchmarks"), models, weights, against)
    paths = _assembled(walk, sessions, models, weights, within, against, policy, (has_policy, has_benchmark), age)
    _check_benchmarks(paths, benchmarks)
    return paths


@dataclass(frozen=True, eq=False)
class _Walk:
    """What every paper portfolio is walked over: days (from the first reset needed), returns between them, columns."""

    days: pd.DatetimeIndex
    returns: Floats
    securities: tuple[str, ...]
    sleeves: tuple[str, ...]
    columns: pd.DataFrame
    reset: Reset

    @property
    def scheduled(self) -> Flags:
        """Which days' closes set the portfolios to their targets, new versions apart."""
        if self.reset == "version":
            return np.arange(len(self.days)) == 0
        period = self.days.to_period("M" if self.reset == "month" else "Q")
        return np.asarray(np.append(True, period[1:] != period[:-1]))

    @property
    def column_returns(self) -> Floats:
        return np.asarray(self.returns[:, self.columns["security"]])

    def by_sleeve(self, columns: Floats) -> Floats:
        return grouped(columns, self.columns["sleeve"].to_numpy(np.int64), len(self.sleeves))

    def wide(self, rows: pd.DataFrame, values: str, line: Ints | int, lines: int) -> Floats:
        """Spread a table with sleeve_id and security_id over lines x columns, and scale each line's sum to 1.

        A snapshot's weights sum to 1 within a rounding, which would otherwise show as a residual.
        """
        keys = pd.MultiIndex.from_frame(self.columns[["sleeve_id", "security_id"]])
        place = keys.get_indexer(pd.MultiIndex.from_frame(rows[["sleeve_id", "security_id"]]))
        spread = np.zeros((lines, len(self.columns)))
        np.add.at(spread, (np.broadcast_to(line, len(rows)), place), rows[values].to_numpy(np.float64))
        return np.asarray(spread / spread.sum(axis=1, keepdims=True))


def _first_day(versions: pd.DataFrame, start: pd.Timestamp, reset: Reset) -> pd.Timestamp:
    """Give the day on which, or soon after, the last reset on or before `start` lies."""
    if reset != "version":
        return pd.Timestamp(start.to_period("M" if reset == "month" else "Q").start_time)
    begun = versions[versions["effective_date"] <= start]
    return pd.Timestamp(begun.groupby("model_id")["effective_date"].max().min()) if len(begun) else start


def _market(
    firm: Firm, held: Sequence[str], sessions: pd.DatetimeIndex, start: pd.Timestamp, max_age: int
) -> tuple[pd.DatetimeIndex, Floats, pd.DataFrame]:
    """Give the days from `start` on, total returns between them (NaN without price), and the closes' ages."""
    prices = firm.table("prices", ["date", "security_id", "close", "adj_close", "dividend", "split_ratio"])
    # A close may be carried into the first day: look that far back, holidays included.
    early = start - pd.Timedelta(days=2 * max_age + 7)
    prices = prices[(prices["date"] >= early) & (prices["date"] <= sessions[-1])]
    everything = pd.DatetimeIndex(prices.loc[prices["security_id"] != CASH, "date"].unique()).sort_values()
    if len(absent := sessions.difference(everything)):
        raise MarketDataError(f"there is no price on {absent[0]:%Y-%m-%d}, a session asked for; load its prices")
    if len(left_out := everything[everything >= sessions[0]].difference(sessions)):
        raise ParameterError(
            f"sessions leave out {left_out[0]:%Y-%m-%d}, on which there are prices; give every session", "sessions"
        )
    prices = prices[prices["security_id"].isin(held) & prices["date"].isin(everything)]
    history = price_history(prices)
    history = PriceHistory(*(
        frame.reindex(index=everything, columns=list(held))
        for frame in (history.close, history.adj_close, history.dividend, history.split_ratio)
    ))  # fmt: skip
    returns, age = carried_returns(history, max_age)
    days = everything[everything >= start]
    return days, returns.loc[days].to_numpy(np.float64)[1:], age.loc[sessions]


def _columns(
    targets: pd.DataFrame, benchmarks: pd.DataFrame, sleeves: Sequence[str], held: Sequence[str]
) -> pd.DataFrame:
    """Every security in a sleeve that a model or a sleeve's benchmark holds, by sleeve and security."""
    pairs = pd.concat([targets[["sleeve_id", "security_id"]], benchmarks[["sleeve_id", "security_id"]]])
    pairs = pairs.drop_duplicates()
    pairs["sleeve"] = pd.Index(sleeves).get_indexer(pd.Index(pairs["sleeve_id"]))
    pairs["security"] = pd.Index(held).get_indexer(pd.Index(pairs["security_id"]))
    return pairs.sort_values(["sleeve", "security_id"], ignore_index=True)


def _model_weights(walk: _Walk, targets: pd.DataFrame) -> tuple[tuple[str, ...], Floats]:
    """Walk each model from version to version (M x days - 1 x C)."""
    weights, models = [], []
    for model, rows in targets.groupby("model_id", sort=True):
        versions = rows[["version", "effective_date"]].drop_duplicates().sort_values(["effective_date", "version"])
        line = pd.Index(versions["version"]).get_indexer(pd.Index(rows["version"]))
        wide = walk.wide(rows, "target", line, len(versions))
        in_force = np.asarray(pd.DatetimeIndex(versions["effective_date"]).searchsorted(walk.days, side="right")) - 1
        changed = np.append(True, in_force[1:] != in_force[:-1])
        drifted, held = drift(wide, in_force, walk.scheduled | changed, walk.column_returns)
        missing = np.argwhere(held & np.isnan(walk.column_returns))
        if len(missing):
            names = [f"{walk.columns['security_id'][c]} on {walk.days[t + 1]:%Y-%m-%d}" for t, c in missing[:_NAMED]]
            more = f" and {len(missing) - _NAMED:,} more" if len(missing) > _NAMED else ""
            raise MarketDataError(
                f"model {model} holds {', '.join(names)}{more} without a return; load the missing prices, or report "
                "on days that have them"
            )
        weights.append(drifted)
        models.append(str(model))
    return tuple(models), np.stack(weights)


def _sleeve_benchmarks(walk: _Walk, benchmarks: pd.DataFrame, weights: Floats) -> tuple[Floats, Flags]:
    """Weights within each sleeve's benchmark (M x days - 1 x C), and which sleeves (L) have a benchmark of their own.

    A benchmark that is not priced throughout has NaN weights until it is set anew with all its prices.
    """
    sleeve = walk.columns["sleeve"].to_numpy(np.int64)
    with np.errstate(invalid="ignore", divide="ignore"):
        within = np.asarray(weights / walk.by_sleeve(weights)[..., sleeve])
    own = np.zeros(len(walk.sleeves), dtype=bool)
    always = np.zeros(len(walk.days), dtype=np.int64)
    for name, rows in benchmarks.groupby("sleeve_id", sort=True):
        mine = (walk.columns["sleeve_id"] == name).to_numpy()
        drifted, _ = drift(walk.wide(rows, "weight", 0, 1), always, walk.scheduled, walk.column_returns)
        within[..., mine] = drifted[:, mine]
        own[walk.sleeves.index(str(name))] = True
    return within, own


def _policy_weights(
    walk: _Walk, policy: pd.DataFrame, models: Sequence[str], weights: Floats, against: Floats
) -> tuple[Floats, Flags]:
    """Weights of the sleeves in each model's benchmark (M x days - 1 x L), and which models (M) have policy weights."""
    drifted = walk.by_sleeve(weights)
    own = np.zeros(len(models), dtype=bool)
    always = np.zeros(len(walk.days), dtype=np.int64)
    for row, model in enumerate(models):
        rows = policy[policy["model_id"] == model]
        if rows.empty:
            continue
        target = np.zeros((1, len(walk.sleeves)))
        target[0, pd.Index(walk.sleeves).get_indexer(pd.Index(rows["sleeve_id"]))] = rows["weight"]
        drifted[row] = drift(target / target.sum(), always, walk.scheduled, against[row])[0]
        own[row] = True
    return drifted, own


def _assembled(
    walk: _Walk,
    sessions: pd.DatetimeIndex,
    models: tuple[str, ...],
    weights: Floats,
    within: Floats,
    against: Floats,
    policy: Floats,
    has_benchmark: tuple[Flags, Flags],
    age: pd.DataFrame,
) -> ModelPaths:
    """Cut everything to the sessions asked for, and sum models and benchmarks up."""
    first = int(walk.days.get_loc(sessions[0]))
    weights, within, against, policy = (side[:, first:] for side in (weights, within, against, policy))
    column_returns = walk.column_returns[first:]
    sleeve_weights = walk.by_sleeve(weights)
    gains = held_sum(weights, column_returns)
    with np.errstate(invalid="ignore", divide="ignore"):
        sleeve_returns = np.where(sleeve_weights > 0, walk.by_sleeve(gains) / sleeve_weights, np.nan)
    model_returns = gains.sum(axis=2)
    benchmark_returns = np.where(np.isnan(model_returns), np.nan, held_sum(policy, against).sum(axis=2))
    carried = age.melt(ignore_index=False, var_name="security_id", value_name="price_age").rename_axis("date")
    carried = carried[carried["price_age"] > 0].reset_index()[["security_id", "date", "price_age"]]
    return ModelPaths(
        sessions, walk.securities, models, walk.sleeves,
        walk.columns["sleeve"].to_numpy(np.int64), walk.columns["security"].to_numpy(np.int64), walk.returns[first:],
        weights, sleeve_weights, sleeve_returns, policy, within, against, model_returns, benchmark_returns,
        *has_benchmark, carried,
    )  # fmt: skip


def _check_benchmarks(paths: ModelPaths, benchmarks: pd.DataFrame) -> None:
    """Refuse a benchmark without a return where the model holds the sleeve or the policy does."""
    needed = (paths.sleeve_weights > 0) | (paths.benchmark_weights > 0) | np.isnan(paths.benchmark_weights)
    missing = np.argwhere(needed & np.isnan(paths.sleeve_benchmark_returns) & paths.exists[..., None])
    if not len(missing):
        return
    m, t, s = missing[0]
    sleeve, day = paths.sleeves[s], paths.sessions[t + 1]
    if not paths.sleeve_has_benchmark[s]:
        raise FirmDataError(
            f"the benchmark of model {paths.models[m]} holds sleeve {sleeve}, which the model does not hold on "
            f"{day:%Y-%m-%d} and sleeve_benchmarks does not describe; add its benchmark, or correct model_benchmarks"
        )
    held = set(benchmarks.loc[(benchmarks["sleeve_id"] == sleeve) & (benchmarks["weight"] > 0), "security_id"])
    unpriced = np.flatnonzero(np.isnan(paths.returns[: t + 1]).any(axis=0))
    lost = sorted(held & {paths.securities[position] for position in unpriced}) or sorted(held)
    raise MarketDataError(
        f"the benchmark of sleeve {sleeve}, which model {paths.models[m]} is measured against, has no return on "
        f"{day:%Y-%m-%d}: {', '.join(lost)} without a price then or since the last reset; load the missing prices, or "
        "report on days that have them"
    )
