"""What today's holdings would lose: in windows of the past, and under shocks of factors or asset classes.

- A window applies each security's own total return over it to today's weights, bought and held. Where a security has
  no data the scenarios say what stands in for it, and that part of the weight is stated as an estimate. A portfolio of
  which too little has data of its own is not reached: no figure.
- A shock set moves every security by exposure x shock at once; membership of a shocked asset class is an exposure of
  1. With propagation the factors that are not named move to their mean given those that are,
  F_us F_ss^-1 f_s (Kupiec, 1998, Journal of Derivatives 6), from the same covariance as every other figure of risk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.errors import ParameterError
from workbench.risk.model import Floats, RiskModel
from workbench.risk.shocks import Scenarios, ShockSet, Window

#: Where a security's move comes from.
OWN, ESTIMATED, MISSING = 0, 1, 2
#: Days by which a window may go beyond the prices and still count, cut there: a year's end on a report of that week.
_GRACE = pd.Timedelta(days=7)
#: Slack when a covered part is held against the least there must be.
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Moves:
    """What each of C scenarios does to each of S securities (simple returns).

    `returns` (C x S), NaN where `origin` (C x S) is MISSING; OWN is a security's own return or exposure, ESTIMATED that
    of its proxy. `scenarios` has id, name, kind (history or shock), first and last (the closes used, or asked for where
    there are none; missing for a shock), note, and reason (why there are no figures at all; missing else).
    """

    scenarios: pd.DataFrame
    securities: tuple[str, ...]
    returns: Floats
    origin: NDArray[np.int8]

    def __add__(self, other: Moves) -> Moves:
        """Both scenarios lists over the same securities."""
        if self.securities != other.securities:
            raise ParameterError("the scenarios are over different securities; make them from one universe")
        return Moves(
            pd.concat([self.scenarios, other.scenarios], ignore_index=True),
            self.securities,
            np.vstack([self.returns, other.returns]),
            np.vstack([self.origin, other.origin]),
        )


@dataclass(frozen=True, eq=False)
class Stress:
    """Return of N portfolios under C scenarios, and how much of each rests on what.

    `result` (N x C) is the return of the part with data, to the whole portfolio's value: negative is a loss, NaN where
    the scenario does not reach the portfolio. `own`, `estimated` and `missing` (N x C) are the parts of the gross
    weight and sum to 1.
    """

    portfolios: pd.Index
    moves: Moves
    weights: Floats
    value: Floats
    result: Floats
    own: Floats
    estimated: Floats
    missing: Floats
    least_covered: float

    @property
    def dollars(self) -> Floats:
        """Gain in dollars (N x C), NaN where not reached."""
        return self.result * self.value[:, None]

    def by(self, groups: pd.Series, scenario: str) -> pd.DataFrame:
        """Contribution of each group of securities to one scenario's return (portfolio x group).

        Portfolios that it does not reach are missing. Raises `ParameterError` for an unknown scenario or a held
        security without a group.
        """
        place = self._place(scenario)
        parts = self.weights * np.nan_to_num(self.moves.returns[place])
        group = groups.reindex(list(self.moves.securities))
        if (lost := group.isna().to_numpy() & (parts != 0).any(axis=0)).any():
            first = self.moves.securities[int(np.flatnonzero(lost)[0])]
            raise ParameterError(f"security {first} has no group; give one for each security held", "groups")
        frame = pd.DataFrame(parts, index=self.portfolios, columns=list(self.moves.securities))
        known = group.dropna()
        result = frame[known.index].T.groupby(known, sort=True).sum().T
        result[np.isnan(self.result[:, place])] = np.nan
        return result

    def of(self, scenario: str) -> pd.Series:
        """The return of each portfolio under one scenario. Raises `ParameterError` for an unknown one."""
        return pd.Series(self.result[:, self._place(scenario)], index=self.portfolios, name=scenario)

    def worst(self, kind: Literal["history", "shock"] | None = None) -> pd.DataFrame:
        """The scenario, of one kind or of all, that each portfolio loses most in: portfolio, scenario, result, dollars.

        Portfolios that none reaches are not there.
        """
        wanted = np.ones(len(self.moves.scenarios), bool)
        if kind is not None:
            wanted = (self.moves.scenarios["kind"] == kind).to_numpy(bool)
        open_to = ~np.isnan(self.result) & wanted
        rows = np.flatnonzero(open_to.any(axis=1))
        at = np.where(open_to, self.result, np.inf)[rows].argmin(axis=1) if wanted.any() else rows
        return pd.DataFrame(
            {
                "portfolio": self.portfolios[rows],
                "scenario": self.moves.scenarios["id"].to_numpy(object)[at],
                "result": self.result[rows, at],
                "dollars": self.dollars[rows, at],
            }
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a portfolio and scenario: portfolio, scenario, result, dollars, own, estimated, missing, reason.

        `reason` says why there is no result, and is missing where there is one.
        """
        rows, columns = self.result.shape
        why = self.moves.scenarios["reason"].to_numpy(object)[np.tile(np.arange(columns), rows)]
        result = self.result.ravel()
        thin = f"less than {self.least_covered:.0%} of it has data of its own"
        reason = pd.Series(why, dtype="string").fillna(thin).where(np.isnan(result))
        return pd.DataFrame(
            {
                "portfolio": np.repeat(self.portfolios, columns),
                "scenario": np.tile(self.moves.scenarios["id"].to_numpy(object), rows),
                "result": result,
                "dollars": self.dollars.ravel(),
                "own": self.own.ravel(),
                "estimated": self.estimated.ravel(),
                "missing": self.missing.ravel(),
                "reason": reason,
            }
        )

    def _place(self, scenario: str) -> int:
        ids = list(self.moves.scenarios["id"])
        if scenario not in ids:
            raise ParameterError(f"there is no scenario {scenario!r}; known are {', '.join(ids)}", "scenario")
        return ids.index(scenario)


def stress_test(
    weights: pd.DataFrame, moves: Moves, *, value: Floats | None = None, least_covered: float = 0.7
) -> Stress:
    """Apply scenarios to portfolios: `weights` is portfolio x security, `value` their dollars (1 where not given).

    A part without data counts for nothing, and is stated; a portfolio of which less than `least_covered` has data of
    its own is not reached. Raises `ParameterError` for weights that are no numbers, a held security that the scenarios
    do not know, values of another length, or a `least_covered` outside 0 to 1.
    """
    if not 0.0 <= least_covered <= 1.0:
        raise ParameterError(f"least_covered is {least_covered}; give a fraction from 0 to 1", "least_covered")
    held = _aligned(weights, moves.securities)
    worth = np.ones(len(held)) if value is None else np.asarray(value, np.float64)
    if worth.shape != (len(held),):
        raise ParameterError(f"{len(worth)} values for {len(held)} portfolios; give one each", "value")
    size = np.abs(held)
    gross = size.sum(axis=1, keepdims=True)
    own, estimated, missing = (_part(size, gross, moves.origin == kind) for kind in (OWN, ESTIMATED, MISSING))
    result = held @ np.nan_to_num(moves.returns).T
    reached = (own >= least_covered - _ROUNDING) & moves.scenarios["reason"].isna().to_numpy()
    return Stress(
        portfolios=weights.index,
        moves=moves,
        weights=held,
        value=worth,
        result=np.where(reached, result, np.nan),
        own=own,
        estimated=estimated,
        missing=missing,
        least_covered=least_covered,
    )


def historical_moves(
    returns: pd.DataFrame, asset_class: pd.Series, scenarios: Scenarios, windows: Sequence[Window] | None = None
) -> Moves:
    """Each security's own total return over each window, from daily simple returns (session x security).

    A security with a missing return inside the window has none: a proxy the scenarios name for it stands in, then the
    average of its class (`asset_class` by security_id) where they say so. A window that ends after the last session by
    no more than a week is cut there; one that begins before the first or ends later has no figures.
    """
    windows = scenarios.windows if windows is None else windows
    securities = tuple(map(str, returns.columns))
    values = np.full((len(windows), len(securities)), np.nan)
    origin = np.full(values.shape, MISSING, np.int8)
    rows = []
    for at, window in enumerate(windows):
        inside, reason, note = _inside(returns.index, window)
        first, last = window.first, window.last
        if reason is None:
            part = returns.to_numpy(np.float64)[inside]
            values[at] = np.prod(1.0 + part, axis=0) - 1.0
            first, last = returns.index[inside.start - 1], returns.index[inside.stop - 1]
            origin[at] = np.where(np.isnan(values[at]), MISSING, OWN)
            _fill(values[at], origin[at], securities, asset_class, scenarios)
        rows.append((window.id, window.name, "history", first, last, note or window.why, reason))
    return Moves(_scenario_frame(rows), securities, values, origin)


def shock_moves(model: RiskModel, securities: Sequence[str], asset_class: pd.Series, scenarios: Scenarios) -> Moves:
    """What each shock set does to each security: exposures x factor shocks, plus the shock of its asset class.

    A security without an estimate of exposures is reached by shocks of its class alone; under a set with factors it is
    missing. Raises `ParameterError` for a factor or asset class that there is not.
    """
    ids = tuple(map(str, securities))
    classes = [str(asset_class.get(security, "")) for security in ids]
    checked = scenarios.for_universe(model.factors, sorted(set(classes)))
    place = pd.Index(model.securities).get_indexer(pd.Index(ids))
    estimated = np.array([security in model.proxied for security in ids])
    values = np.zeros((len(checked.shocks), len(ids)))
    origin = np.full(values.shape, OWN, np.int8)
    rows = []
    for at, shock in enumerate(checked.shocks):
        values[at] += [shock.asset_classes.get(name, 0.0) for name in classes]
        if shock.factors:
            moved = factor_moves(model, shock)
            values[at] += np.where(place >= 0, model.exposures[place] @ moved, np.nan)
            origin[at] = np.where(place < 0, MISSING, np.where(estimated, ESTIMATED, OWN))
        rows.append((shock.id, shock.name, "shock", pd.NaT, pd.NaT, shock.why or shock.source, None))
    return Moves(_scenario_frame(rows), ids, values, origin)


def factor_moves(model: RiskModel, shock: ShockSet) -> Floats:
    """The move of every factor under a shock set (K): those named as given, the others 0 or, with propagation, at
    their mean given those named.

    Raises `ParameterError` for a factor the model does not have.
    """
    if unknown := sorted(set(shock.factors) - set(model.factors)):
        known = ", ".join(model.factors) or "none"
        raise ParameterError(f"shock {shock.id}: there is no factor {unknown[0]!r}; known: {known}", "scenarios")
    named = np.array([model.factors.index(name) for name in shock.factors], dtype=np.int64)
    given = np.array(list(shock.factors.values()), dtype=np.float64)
    result = np.zeros(len(model.factors))
    if shock.propagate and len(named):
        common = model.factor_covariance
        # Least squares, so that two factors that are one do no harm.
        result = common[:, named] @ np.linalg.lstsq(common[np.ix_(named, named)], given, rcond=None)[0]
    result[named] = given
    return result


def _part(size: Floats, gross: Floats, where: NDArray[np.bool_]) -> Floats:
    """The part of each portfolio's gross weight in the securities marked for each scenario (N x C)."""
    part = size @ where.T.astype(np.float64)
    return np.divide(part, gross, out=np.zeros_like(part), where=gross > 0)


def _aligned(weights: pd.DataFrame, securities: tuple[str, ...]) -> Floats:
    values = weights.to_numpy(np.float64)
    if not np.isfinite(values).all():
        raise ParameterError("a weight is no finite number; give 0 where nothing is held", "weights")
    place = pd.Index(securities).get_indexer(weights.columns)
    lost = (place < 0) & (values != 0).any(axis=0)
    if lost.any():
        raise ParameterError(
            f"the scenarios do not know {weights.columns[int(np.flatnonzero(lost)[0])]}; make them from all securities",
            "weights",
        )
    result = np.zeros((len(weights), len(securities)))
    result[:, place[place >= 0]] = values[:, place >= 0]
    return result


def _inside(sessions: pd.Index, window: Window) -> tuple[slice, str | None, str]:
    """The returns of a window as a slice, why it has none, and what must be said of it."""
    days = pd.DatetimeIndex(sessions)
    # A return belongs to the session it ends on: the first of the window is that after the close of `first`.
    start = int(days.searchsorted(window.first, side="right"))
    stop = int(days.searchsorted(window.last, side="right"))
    if not len(days) or window.last > days[-1] + _GRACE:
        return slice(0), f"ends on {window.last:%Y-%m-%d}, after the prices", ""
    if start == 0 or stop <= start:
        return slice(0), f"begins before the prices, which start on {days[0]:%Y-%m-%d}", ""
    cut = days[-1] < window.last and bool(np.busday_count(days[-1].date(), window.last.date()) > 0)
    return slice(start, stop), None, f"Up to {days[-1]:%Y-%m-%d}, where the prices end." if cut else ""


def _fill(
    values: Floats, origin: NDArray[np.int8], securities: tuple[str, ...], asset_class: pd.Series, scenarios: Scenarios
) -> None:
    """Put in what the scenarios let stand in for securities without data, from those that have their own."""
    own = origin == OWN
    classes = np.array([str(asset_class.get(security, "")) for security in securities])
    for at in np.flatnonzero(~own):
        named = scenarios.proxies.get(securities[at])
        if named is not None:
            if named not in securities:
                raise ParameterError(
                    f"proxies: {named!r}, which stands in for {securities[at]}, is unknown", "scenarios"
                )
            source = own & (np.array(securities) == named)
        elif scenarios.proxy == "asset_class":
            source = own & (classes == classes[at])
        else:
            continue
        if source.any():
            values[at], origin[at] = values[source].mean(), ESTIMATED


def _scenario_frame(rows: Sequence[tuple[object, ...]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["id", "name", "kind", "first", "last", "note", "reason"])
    return frame.astype({"first": "datetime64[ms]", "last": "datetime64[ms]", "reason": "string"})
