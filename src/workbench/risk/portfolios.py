"""Whose risk: the weights of accounts, households, models and the firm on one day, and the risk estimate they share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import pandas as pd

from workbench.errors import ParameterError
from workbench.market import style_factors
from workbench.risk.ex_ante import split
from workbench.risk.model import RISK_WINDOW, Floats, RiskModel, estimate
from workbench.risk.own_exposures import factor_weights, with_exposures
from workbench.risk.shocks import Scenarios
from workbench.risk.stress import Moves, historical_moves, shock_moves
from workbench.risk.watched import Watched

Level = Literal["account", "household", "model", "firm"]

#: Accounts whose weights are held in memory at once.
CHUNK = 8_192
#: The class whose average is the market of the style factors, and the sector of a fund that holds all sectors.
MARKET_CLASS, BROAD = "US equity", "Diversified"
#: Classes that are no source of risk of their own, and the style that another class's average stands for.
_CASH_CLASS = "Cash"
_RATES_CLASS, _RATES_STYLE = "Treasuries", "term"


@dataclass(frozen=True, eq=False)
class Portfolios:
    """N portfolios of one level: `ids`, `value` in dollars (N), `weights` and `target` (portfolio x security).

    `target` is the value-weighted target of the models in force. An account without a model counts as on target there;
    a portfolio of such accounts alone has no target (missing). `no_data` lists what is left out: portfolio, reason.
    """

    level: Level
    ids: pd.Index
    value: Floats
    weights: pd.DataFrame
    target: pd.DataFrame
    no_data: pd.DataFrame

    @property
    def active(self) -> pd.DataFrame:
        """Weights less target, of the portfolios that have one."""
        whole = self.target.notna().all(axis=1)
        return (self.weights - self.target)[whole]

    def only(self, keep: np.ndarray, reason: str) -> Portfolios:
        """The portfolios to keep (N flags); the others move to `no_data` with a reason."""
        if keep.all():
            return self
        lost = pd.DataFrame({"portfolio": self.ids[~keep], "reason": reason})
        return Portfolios(
            self.level, self.ids[keep], self.value[keep], self.weights[keep], self.target[keep],
            pd.concat([self.no_data, lost], ignore_index=True),
        )  # fmt: skip


def portfolios(watched: Watched, level: Level = "account") -> Portfolios:
    """Weights at the last close: of each account, household, model (all its accounts together) or the firm as one.

    An account or household worth nothing, or with a holding that has no price, is left out with its reason; from a
    model and the firm only such accounts are. Raises
    `ParameterError` for another level.
    """
    owner, ids = _owners(watched, level)
    return _weights(watched, level, owner, ids)


def portfolio_chunks(watched: Watched, size: int = CHUNK) -> Iterator[Portfolios]:
    """The weights of all accounts, `size` of them after another, so that memory does not grow with the firm."""
    if size < 1:
        raise ParameterError(f"size is {size}; give 1 account or more", "size")
    ids = pd.Index(watched.accounts["account_id"])
    for start in range(0, len(ids), size):
        owner = np.full(len(ids), -1, np.int64)
        stop = min(start + size, len(ids))
        owner[start:stop] = np.arange(stop - start)
        yield _weights(watched, "account", owner, ids[start:stop])


def model_targets(watched: Watched) -> pd.DataFrame:
    """Target weights of the models in force (model x security)."""
    return pd.DataFrame(
        watched.targets, index=pd.Index(watched.models), columns=list(watched.securities["security_id"])
    )


def estimate_risk(watched: Watched, window: int = RISK_WINDOW, *, own: bool = True) -> RiskModel:
    """Estimate risk from the last `window` sessions.

    Factors are those of the exposures that the firm keeps; without any, or with `own` false, there is one for each
    asset class and each style. Raises `MarketDataError` where prices are too few (see `estimate`), `ParameterError`
    for a window below 2.
    """
    if window < 2:
        raise ParameterError(f"window is {window} sessions; give 2 or more", "window")
    ids = list(watched.securities["security_id"])
    begin = max(watched.last - window, 0) + 1  # the first session has no return
    returns = pd.DataFrame(watched.returns[begin:], index=watched.sessions[begin:], columns=ids)
    whole = returns.columns[returns.notna().all()]
    securities = watched.securities.set_index("security_id")
    if own and len(watched.exposures.columns):
        return with_exposures(estimate(returns, securities["asset_class"]), watched.exposures)
    return estimate(returns, securities["asset_class"], factor_portfolios(securities.loc[whole]))


def factor_portfolios(securities: pd.DataFrame) -> pd.DataFrame:
    """Portfolio weights of the factors that a universe gives (security x factor).

    One factor a class, named after it, the class of cash apart: the average of its shares, of its broad funds where it
    has no shares, of all where it has neither. Then the styles of `market.style_factors`, each a fund less the market.
    `securities` is indexed by security_id, with kind, asset_class and sector.
    """
    ids = list(securities.index)
    frame = pd.DataFrame(index=ids)
    for name, members in securities.groupby("asset_class", sort=True):
        if name != _CASH_CLASS:
            average = _representatives(members)
            frame[str(name)] = np.where(securities.index.isin(average), 1.0 / len(average), 0.0)
    if MARKET_CLASS not in frame:
        return frame
    # Style factors are linear in the returns, so that applied to unit vectors they are portfolio weights.
    units = pd.DataFrame(np.eye(len(ids)), index=ids, columns=ids)
    market = list(securities.index[frame[MARKET_CLASS] > 0])
    styles = style_factors(units, market).drop(columns="market")
    if _RATES_CLASS in frame:
        styles = styles.drop(columns=_RATES_STYLE, errors="ignore")
    return frame.join(styles[[name for name in styles.columns if name not in frame.columns]])


def account_risk(watched: Watched, model: RiskModel, size: int = CHUNK) -> pd.DataFrame:
    """Risk of every account in one table, `size` of them in memory at once.

    Columns: account_id, household_id, model_id, value, volatility, tracking_error (to the model's targets, missing
    without a model), specific, active_specific, estimated (weight of securities without a full history of their own),
    reason (why there is no figure).
    """
    parts = [_chunk_risk(chunk, model) for chunk in portfolio_chunks(watched, size)]
    frame = pd.concat(parts).reindex(watched.accounts["account_id"])
    known = watched.accounts.set_index("account_id")[["household_id", "model_id"]]
    return known.join(frame).rename_axis("account_id").reset_index()


def factor_returns(watched: Watched, model: RiskModel, periods: int) -> pd.DataFrame:
    """Simple returns of the model's factors over the last `periods` sessions (session x factor).

    A factor's portfolio is set to its weights every session, and holds securities with a return on every one of them;
    factors are the firm's own where it keeps exposures.
    Raises `ParameterError` for more periods than there are.
    """
    if not 1 <= periods <= watched.last:
        raise ParameterError(f"periods is {periods}; give 1 to {watched.last}, as far as prices reach back", "periods")
    securities = watched.securities.set_index("security_id")
    values = watched.returns[watched.last + 1 - periods :]
    whole = ~np.isnan(values).any(axis=0)
    weights = factor_portfolios(securities[whole])
    if len(watched.exposures.columns):
        there = securities.index[whole]
        weights = factor_weights(watched.exposures.reindex(there).fillna(0.0))
    names = [name for name in model.factors if name in weights]
    days = watched.sessions[watched.last + 1 - periods :]
    return pd.DataFrame(values[:, whole] @ weights[names].to_numpy(np.float64), index=days, columns=names)


def scenario_moves(watched: Watched, models: Sequence[RiskModel], scenarios: Scenarios) -> Moves:
    """What each window and each shock does to every security of the firm; raises as `shock_moves`.

    A shock moves the factors of the first of the models that has all it names.
    """
    asset_class = watched.securities.set_index("security_id")["asset_class"]
    returns = pd.DataFrame(watched.returns, index=watched.sessions, columns=list(asset_class.index))
    moves = historical_moves(returns, asset_class, scenarios)
    for shock in scenarios.shocks:
        model = next((one for one in models if set(shock.factors) <= set(one.factors)), models[0])
        alone = replace(scenarios, shocks=(shock,))
        moves += shock_moves(model, list(asset_class.index), asset_class, alone)
    return moves


def covered(held: Portfolios, model: RiskModel) -> Portfolios:
    """The portfolios whose every holding has a risk estimate; the others are left out with the reason."""
    missing = ~held.weights.columns.isin(model.securities)
    wanting = (held.weights.loc[:, missing] != 0).any(axis=1).to_numpy()
    if not model.securities:
        return held.only(np.zeros(len(held.ids), bool), "there is no estimate of risk")
    names = ", ".join(held.weights.columns[missing][:3])
    return held.only(~wanting, f"a holding has no estimate of risk ({names})")


def estimated_weight(weights: pd.DataFrame, model: RiskModel) -> Floats:
    """The part of each portfolio in securities whose risk is their class's average (N)."""
    size = weights.abs()
    total = size.sum(axis=1).to_numpy()
    part = size.loc[:, size.columns.isin(list(model.proxied))].sum(axis=1).to_numpy()
    return np.divide(part, total, out=np.zeros(len(total)), where=total > 0)


def _representatives(members: pd.DataFrame) -> list[str]:
    """The securities of a class whose average stands for it: its shares, else its broad funds, else all."""
    shares, broad = members[members["kind"] == "stock"], members[members["sector"] == BROAD]
    chosen = shares if len(shares) else broad if len(broad) else members
    return list(chosen.index)


def _chunk_risk(chunk: Portfolios, model: RiskModel) -> pd.DataFrame:
    held = covered(chunk, model)
    total = split(held.weights, model)
    frame = pd.DataFrame(
        {"value": held.value, "volatility": total.volatility, "specific": total.specific}, index=held.ids
    )
    active = held.active
    fit = active.loc[:, active.columns.isin(model.securities)]
    # A target in a security without an estimate leaves the tracking error unknown.
    known = (active.loc[:, ~active.columns.isin(model.securities)] == 0).all(axis=1)
    against = split(fit[known], model)
    frame["tracking_error"] = pd.Series(against.volatility, index=against.portfolios)
    frame["active_specific"] = pd.Series(against.specific, index=against.portfolios)
    frame["estimated"] = estimated_weight(held.weights, model)
    reasons = held.no_data.set_index("portfolio")["reason"]
    return frame.reindex(frame.index.append(pd.Index(reasons.index))).assign(reason=reasons)


def _owners(watched: Watched, level: str) -> tuple[np.ndarray, pd.Index]:
    """The portfolio of each account (-1: none), and the portfolios' names."""
    count = len(watched.accounts)
    if level == "account":
        return np.arange(count), pd.Index(watched.accounts["account_id"])
    if level == "household":
        return watched.household, pd.Index(watched.households["household_id"])
    if level == "model":
        return watched.model, pd.Index(watched.models)
    if level == "firm":
        return np.zeros(count, np.int64), pd.Index(["firm"])
    raise ParameterError(f"level {level!r} is unknown; use one of {', '.join(get_args(Level))}", "level")


def _weights(watched: Watched, level: Level, owner: np.ndarray, ids: pd.Index) -> Portfolios:
    """Dollars by portfolio and security, and targets weighted by the accounts' value."""
    securities = list(watched.securities["security_id"])
    holding = owner[watched.holding_account]
    mine = holding >= 0
    worth = watched.value_at(watched.last)
    if level in ("model", "firm"):
        # One holding that never had a price would leave all of the firm without a figure: its account is left out.
        unpriced = np.bincount(watched.holding_account, weights=worth, minlength=len(owner))
        owner = np.where(np.isnan(unpriced), -1, owner)
        holding = owner[watched.holding_account]
        mine = holding >= 0
    held = worth[mine] != 0  # a holding without price is NaN, which is not 0
    place = holding[mine][held] * len(securities) + watched.holding_security[mine][held]
    dollars = np.bincount(place, weights=worth[mine][held], minlength=len(ids) * len(securities))
    dollars = dollars.reshape(len(ids), len(securities))
    value = dollars.sum(axis=1)
    by_account = np.bincount(watched.holding_account, weights=worth, minlength=len(watched.accounts)).astype(np.float64)
    target = _targets(watched, owner, by_account, worth, len(ids))
    with np.errstate(invalid="ignore"):
        good = value > 0
    scale = np.where(good, value, 1.0)[:, None]
    reason = np.where(np.isnan(value), "a holding has no price", "worth nothing")
    return Portfolios(
        level, ids[good], value[good],
        pd.DataFrame(dollars[good] / scale[good], index=ids[good], columns=securities),
        pd.DataFrame(target[good] / scale[good], index=ids[good], columns=securities),
        pd.DataFrame({"portfolio": ids[~good], "reason": reason[~good]}),
    )  # fmt: skip


def _targets(watched: Watched, owner: np.ndarray, value: Floats, worth: Floats, count: int) -> Floats:
    """Target dollars by portfolio (count x S); NaN where none of its accounts has a model in force."""
    result = np.zeros((count, len(watched.securities)))
    guided = (owner >= 0) & (watched.model >= 0)
    np.add.at(result, owner[guided], watched.targets[watched.model[guided]] * value[guided, None])
    free = (owner >= 0)[watched.holding_account] & (watched.model < 0)[watched.holding_account]
    np.add.at(result, (owner[watched.holding_account[free]], watched.holding_security[free]), worth[free])
    without = np.bincount(owner[guided], minlength=count) == 0
    result[without] = np.nan
    return result
