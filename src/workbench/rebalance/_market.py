"""The firm's securities, the risk between them, and its models, as the arrays that every household shares."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench import market
from workbench.drift import DriftInputs
from workbench.firm import CASH, Firm
from workbench.rebalance.household import Banded, Floats, Ints, Market, Models
from workbench.rebalance.settings import Settings

#: Sessions of returns behind the factor model (three years), and its number of factors.
RISK_WINDOW, FACTORS = 756, 5
#: Volatility a year of a security where no security of the firm has enough prices to estimate any risk.
DEFAULT_VOLATILITY = 0.20
#: A security without estimate of its own takes its class's, with this much of specific variance on top.
PROXY_PENALTY = 1.5
_CONFIDENCE = {"low": 0, "medium": 1, "high": 2}
#: Levels whose bands are priced; the security level has its own place in `Models`.
BANDED_LEVELS = ("asset_class", "sector", "region", "sleeve")


def read_market(firm: Firm, drift: DriftInputs, settings: Settings, risk: market.FactorModel | None) -> Market:
    """Return the firm's securities; `risk` comes before the estimate from the firm's own prices."""
    frame = firm.table("securities").set_index("security_id").reindex(list(drift.securities.ids))
    exposure, specific, proxied = _risk(firm, frame, risk)
    group, names = _wash_groups(frame, settings.wash_confidence)
    ids = drift.securities.ids
    code = {security: position for position, security in enumerate(ids)}
    return Market(
        ids=ids,
        names=drift.securities.names,
        kinds=tuple(frame["kind"].astype(str)),
        is_cash=np.array([security == CASH for security in ids]),
        price=drift.securities.price,
        adv=drift.securities.adv,
        half_spread=drift.securities.half_spread,
        asset_class=tuple(frame["asset_class"].astype(str)),
        sector=tuple(frame["sector"].astype(str)),
        issuer=tuple(frame["issuer_id"].astype(str)),
        exposure=exposure,
        specific=specific,
        proxied=proxied,
        wash_group=group,
        wash_group_names=names,
        screens=tuple(frozenset(str(screen) for screen in screens) for screens in frame["screens"]),
        substitutes=_substitutes(firm, code),
        cash=code.get(CASH, -1),
        code=code,
    )


def read_models(drift: DriftInputs, securities: Market) -> Models:
    """Return the models in force, from the levels that drift resolved."""
    own = drift.levels["security"]
    levels = []
    for name in BANDED_LEVELS:
        level = drift.levels[name]
        if np.isinf(level.lower).all() and np.isinf(level.upper).all():
            continue
        loading = np.eye(len(level.keys))[level.member][None] if level.member is not None else level.loadings
        assert loading is not None
        levels.append(Banded(name, level.keys, loading, level.target, level.lower, level.upper))
    return Models(
        ids=drift.model_ids,
        versions=drift.model_versions,
        target=own.target,
        lower=own.lower,
        upper=own.upper,
        stands_for=_stands_for(own.target, securities),
        levels=tuple(levels),
    )


def _stands_for(target: Floats, securities: Market) -> Ints:
    """The security whose line each holding fills, by model: the best-ranked one it may substitute, else itself."""
    result = np.tile(np.arange(target.shape[1], dtype=np.int32), (len(target), 1))
    offers: dict[int, list[tuple[int, int]]] = {}
    for security, choices in securities.substitutes.items():
        for substitute, rank, _ in choices:
            offers.setdefault(substitute, []).append((rank, security))
    for model, weights in enumerate(target):
        for substitute, places in offers.items():
            if weights[substitute] > 0:
                continue
            named = [place for place in sorted(places) if weights[place[1]] > 0]
            if named:
                result[model, substitute] = named[0][1]
    return result


def _risk(firm: Firm, frame: pd.DataFrame, risk: market.FactorModel | None) -> tuple[Floats, Floats, np.ndarray]:
    """Exposures to independent factors of variance 1, specific variances, and whose were taken from others."""
    risk = _estimate(firm) if risk is None else risk
    n_factors = len(risk.factor_names) if risk is not None else 0
    exposure = np.full((len(frame), n_factors), np.nan)
    specific = np.full(len(frame), np.nan)
    if risk is not None:
        values, vectors = np.linalg.eigh(risk.factor_covariance)
        rotated = risk.exposures @ (vectors * np.sqrt(np.maximum(values, 0.0)))
        place = frame.index.get_indexer(pd.Index(risk.security_ids))
        exposure[place[place >= 0]] = rotated[place >= 0]
        specific[place[place >= 0]] = risk.specific_variance[place >= 0]
    cash = (frame["kind"] == "cash").to_numpy(bool)
    exposure[cash], specific[cash] = 0.0, 0.0
    proxied = np.isnan(specific)
    if proxied.any():
        known = pd.DataFrame(np.column_stack([exposure, specific]), index=frame.index)[~proxied & ~cash]
        by_class = known.groupby(frame["asset_class"].astype(str)).mean()
        own = by_class.reindex(frame["asset_class"].astype(str)).to_numpy()
        default = known.mean().to_numpy() if len(known) else np.array([*np.zeros(n_factors), DEFAULT_VOLATILITY**2])
        own = np.where(np.isnan(own), default, own)
        exposure[proxied] = own[proxied, :-1]
        specific[proxied] = own[proxied, -1] * PROXY_PENALTY
    return exposure, specific, proxied


def _estimate(firm: Firm) -> market.FactorModel | None:
    """Principal components of the last three years' returns; None where the prices are too short for any."""
    prices = firm.table("prices", ["date", "security_id", "close", "adj_close", "dividend", "split_ratio"])
    days = prices["date"].drop_duplicates().nlargest(RISK_WINDOW + 1)
    recent = prices[(prices["date"] >= days.min()) & (prices["security_id"] != CASH)]
    if recent.empty:
        return None
    returns = market.total_returns(market.price_history(recent))
    whole = returns.notna().all()
    moving = int((returns.loc[:, whole].std() > 0).sum())
    if len(returns) < 63 or moving == 0:
        return None
    return market.factor_model(returns.loc[:, whole], min(FACTORS, moving))


def _wash_groups(frame: pd.DataFrame, confidence: str) -> tuple[Ints, tuple[str, ...]]:
    """Code and name of each security's group of identicals: itself where none is named with enough confidence."""
    sure = frame["identical_confidence"].map(_CONFIDENCE).fillna(-1).astype(int) >= _CONFIDENCE[confidence]
    named = frame["identical_group"].notna() & sure
    name = frame["identical_group"].where(named, frame.index.to_series()).astype(str)
    label = np.where(named, "group " + name, name)
    codes, keys = pd.factorize(label, sort=True)
    return codes.astype(np.int32), tuple(str(key).removeprefix("group ") for key in keys)


def _substitutes(firm: Firm, code: dict[str, int]) -> dict[int, tuple[tuple[int, int, frozenset[str]], ...]]:
    rows = firm.table("substitutes")
    result: dict[int, list[tuple[int, int, frozenset[str]]]] = {}
    for row in rows.sort_values(["security_id", "rank", "substitute_id"]).itertuples():
        if row.security_id in code and row.substitute_id in code:
            registrations = frozenset(str(name) for name in row.registrations)
            result.setdefault(code[row.security_id], []).append((code[row.substitute_id], int(row.rank), registrations))
    return {security: tuple(choices) for security, choices in result.items()}
