"""What the performance chapter is made of, measured once: accounts' returns, composites by model, benchmarks, gains."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench import performance
from workbench.attribution import ModelPaths, load_models
from workbench.errors import FirmDataError, MarketDataError, ParameterError
from workbench.exhibits.drift_facts import display_names
from workbench.firm import Firm
from workbench.performance import AccountReturns, Composite, DailyHoldings, Portfolios, Span
from workbench.report.format import clipped

Floats = NDArray[np.float64]
#: The composite of all accounts that follow a model.
ALL = "all"
#: Letters of a model's name that sentences and columns have room for.
_LONGEST = 44


@dataclass(frozen=True, eq=False)
class Track:
    """One composite with its daily record after and before fees; missing days are missing.

    `model` and `benchmark` are those of its accounts, weighted alike: what the same money would have earned in the
    models' paper portfolios, and in their benchmarks. `key` is the model's identifier or `ALL`; `since` the close from
    which the record runs without a hole.
    """

    key: str
    name: str
    composite: Composite
    net: pd.Series
    gross: pd.Series
    model: pd.Series
    benchmark: pd.Series
    since: pd.Timestamp

    def spans(self, sessions: pd.DatetimeIndex) -> tuple[Span, ...]:
        """The spans of a report, the last of them since this record began."""
        return performance.spans(sessions, since=self.since)


@dataclass(frozen=True, eq=False)
class PerformanceReview:
    """The measured firm. `tracks` holds all accounts together first, then the models with most money first.

    `model` (N x T) is the return of each account's model, `benchmark` (N x T) that of its benchmark; missing without
    one. `gains` (S x days) is what the accounts with a model gained by security since `year_start`, `rates` the daily
    return of bills.
    `no_benchmark` is why there is none ("" where there is), `own_policy` the models without policy weights, `without`
    says by name why a model has no record to this day; `ended` are the composites that had one earlier.
    """

    sessions: pd.DatetimeIndex
    securities: tuple[str, ...]
    net: AccountReturns
    gross: AccountReturns
    tracks: tuple[Track, ...]
    model: Floats
    benchmark: Floats
    gains: Floats
    names: pd.Series
    rates: pd.Series | None
    no_benchmark: str
    own_policy: frozenset[str]
    without: dict[str, str]
    ended: tuple[Composite, ...]

    @property
    def models(self) -> tuple[Track, ...]:
        """The tracks of single models."""
        return tuple(track for track in self.tracks if track.key != ALL)

    @property
    def composites(self) -> tuple[Composite, ...]:
        """The models' composites, those that have ended last: what they did stays on record."""
        return (*(track.composite for track in self.models), *self.ended)


def measure(firm: Firm, since: str = "inception") -> PerformanceReview:
    """Measure the firm from a day on ("inception": the month's end before the first account opened).

    Accounts are taken in chunks, so that only returns and values of all of them are held at once. Raises
    `ParameterError` for a text that is no day, and as `performance.load` does.
    """
    start = _start(firm, since)
    gains: list[Floats] = []
    securities: list[tuple[str, ...]] = []

    def tapped() -> Iterator[DailyHoldings]:
        for part in performance.chunks(firm, start):
            followed = part.accounts["model_id"].notna().to_numpy(bool)[part.slot_account]
            first = int(part.sessions.get_loc(year_start(part.sessions)))
            gained = part.holding[:, first:] + part.trading[:, first:]
            gains.append(part.by_security(np.where(followed[:, None], gained, 0.0)))
            securities.append(part.securities)
            yield part

    net = performance.account_returns(tapped())
    gross = net.before_fees()
    paths, no_benchmark = _paths(firm, net.sessions, securities[0])
    model, benchmark = _of_accounts(net, paths)
    names = firm.table("models").drop_duplicates("model_id", keep="last").set_index("model_id")["name"]
    # Clipped first, so that two long names that begin alike are told apart by their ids.
    names = display_names(names.map(lambda name: clipped(str(name), _LONGEST)))
    tracks, without, ended = _tracks(net, gross, (model, benchmark), names)
    policy = () if paths is None else np.array(paths.models)[~paths.model_has_benchmark]
    return PerformanceReview(
        sessions=net.sessions,
        securities=securities[0],
        net=net,
        gross=gross,
        tracks=tracks,
        model=model,
        benchmark=benchmark,
        gains=np.sum(gains, axis=0),
        names=names,
        rates=_rates(firm, net.sessions),
        no_benchmark=no_benchmark,
        own_policy=frozenset(map(str, policy)),
        without=without,
        ended=ended,
    )


def year_start(sessions: pd.DatetimeIndex) -> pd.Timestamp:
    """The close that figures of the year start from: that of the year's eve, or the first there is."""
    return next((span.start for span in performance.spans(sessions) if span.name == "year"), sessions[0])


def _start(firm: Firm, since: str) -> pd.Timestamp:
    first = firm.table("prices", ["date"])["date"].min()
    if since == "inception":
        opened = firm.table("accounts", ["opened_on"])["opened_on"].min()
        return max(first, opened.to_period("M").start_time - pd.Timedelta(days=1))
    try:
        return pd.Timestamp(since)
    except ValueError as error:
        raise ParameterError(f"since {since!r} is neither a day such as 2019-12-31 nor inception", "since") from error


def _paths(firm: Firm, sessions: pd.DatetimeIndex, securities: tuple[str, ...]) -> tuple[ModelPaths | None, str]:
    """The models' paper portfolios, or why there are none."""
    try:
        return load_models(firm, sessions, securities), ""
    except (FirmDataError, MarketDataError) as error:
        return None, str(error)


def _of_accounts(net: AccountReturns, paths: ModelPaths | None) -> tuple[Floats, Floats]:
    """Returns of each account's model and of its benchmark (N x T)."""
    shape = net.daily.shape
    if paths is None:
        return np.full(shape, np.nan), np.full(shape, np.nan)
    row = paths.model_rows(net.accounts["model_id"])
    has = (row >= 0)[:, None]
    return np.where(has, paths.model_returns[row], np.nan), np.where(has, paths.benchmark_returns[row], np.nan)


def _tracks(
    net: AccountReturns, gross: AccountReturns, against: tuple[Floats, Floats], names: pd.Series
) -> tuple[tuple[Track, ...], dict[str, str], tuple[Composite, ...]]:
    try:
        months = performance.portfolios(net, gross)
    except ParameterError:
        first, last = (f"{day:%Y-%m-%d}" for day in (net.sessions[0], net.sessions[-1]))
        return (), {"All accounts": f"from {first} to {last} there is no month's end to begin a record at"}, ()
    model = net.accounts["model_id"]
    together = model.notna().to_numpy(bool)
    tracks, without, ended = [], {}, []
    groups = {ALL: ("All models together", together)} | {
        str(key): (str(name), (model == key).to_numpy(bool)) for key, name in names.items() if (model == key).any()
    }
    for key, (name, members) in groups.items():
        try:
            track = _track(key, name, members, months, net, gross, against)
        except ParameterError:
            if key != ALL:
                without[name] = "no account lived a whole month under it"
            continue
        if track.since < net.sessions[-1]:
            tracks.append(track)
        elif key != ALL:
            without[name] = "no account has followed it to this day for a whole month"
            ended.append(track.composite)
    tracks.sort(key=lambda track: (track.key != ALL, -track.composite.monthly["end"].iloc[-1], track.key))
    return tuple(tracks), without, tuple(ended)


def _track(
    key: str, name: str, members: np.ndarray, months: Portfolios, net: AccountReturns, gross: AccountReturns,
    against: tuple[Floats, Floats],
) -> Track:  # fmt: skip
    bare = performance.composite(months, members, name=name)
    model, benchmark = (performance.composite_days(bare, net, daily) for daily in against)
    monthly = _by_month(benchmark, months)
    known = np.isfinite(monthly[-len(bare.monthly) :]).all()
    # Months before the record began have no benchmark and are not in it.
    record = performance.composite(
        months, members, np.nan_to_num(monthly) if known else None, months.end.sum(axis=0), name=name
    )
    net_days, gross_days = performance.composite_days(record, net), performance.composite_days(record, gross)
    holes = net_days.index[net_days.isna()]
    since = net.sessions[0] if holes.empty else holes[-1]
    return Track(key, name, record, net_days, gross_days, model, benchmark, since)


def _by_month(daily: pd.Series, months: Portfolios) -> Floats:
    """Daily returns compounded over each month; missing where any day is."""
    month = pd.Series(months.closes[1:].searchsorted(daily.index, side="left"), index=daily.index)
    growth = (1.0 + daily).groupby(month).prod(skipna=False)
    return (growth - 1.0).reindex(range(len(months.closes) - 1)).to_numpy(np.float64)


def _rates(firm: Firm, sessions: pd.DatetimeIndex) -> pd.Series | None:
    """Daily return of bills: the yearly rate last known at the close before; None where the firm keeps none."""
    rates = firm.table("rates")
    if rates.empty:
        return None
    known = rates.sort_values("date").set_index("date")["t_bill"]
    yearly = known.reindex(known.index.union(sessions)).ffill().reindex(sessions)[:-1]
    if yearly.isna().any():
        return None
    return pd.Series((1.0 + yearly.to_numpy()) ** (1.0 / 252.0) - 1.0, index=pd.DatetimeIndex(sessions[1:]))
