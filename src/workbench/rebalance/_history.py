"""The market that an after-tax study lives through: real prices and dividends by day, and nothing seen before its day.

Prices, dividends and shares are adjusted for splits, so that a lot keeps its shares. Trades are made at a session's
close; what a decision may look at ends with that close.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from workbench import market
from workbench.errors import MarketDataError, ParameterError
from workbench.firm import CASH, Firm
from workbench.firm.schema import REGISTRATIONS
from workbench.rebalance.household import Days, Floats, Market, Models
from workbench.rebalance.load import load

#: Sessions of returns behind the risk estimate, the fewest it is made from, and its number of factors.
RISK_WINDOW, LEAST_WINDOW, FACTORS = 756, 63, 5
#: Sessions behind the average volume.
VOLUME_WINDOW = 63
#: Half-spread of a broad fund; a basis point, near what such funds have been quoted at.
FUND_HALF_SPREAD = 0.0001


@dataclass(frozen=True)
class Fund:
    """A sleeve of a study's model: its weight, class, the part of its dividends that is qualified, its substitutes.

    Substitutes follow another index, best first; they are bought only where they have a price. The qualified part is
    a round figure of what funds of the kind have reported.
    """

    weight: float
    asset_class: str
    qualified: float
    substitutes: tuple[str, ...] = ()


#: A 62/37 portfolio of broad funds; each substitute follows another index than the fund whose place it takes.
#: VEA and VWO followed the indices of MSCI until 2013 and those of FTSE after, so EFA is paired with ACWX and IEFA.
FUNDS: Mapping[str, Fund] = {
    "VTI": Fund(0.36, "US equity", 0.95, ("SPY", "ITOT")),
    "EFA": Fund(0.15, "International equity", 0.70, ("IEFA", "ACWX")),
    "VWO": Fund(0.06, "Emerging equity", 0.45, ("IEMG",)),
    "VNQ": Fund(0.05, "Real estate", 0.0, ("IYR",)),
    "AGG": Fund(0.27, "Bonds", 0.0, ("BND",)),
    "LQD": Fund(0.06, "Corporate bonds", 0.0, ("VCIT",)),
    "TIP": Fund(0.04, "Treasuries", 0.0, ()),
}
#: Cash of the model.
CASH_WEIGHT = 0.01


@dataclass(frozen=True, eq=False)
class History:
    """Prices and dividends (T sessions x S securities, dollars a share, NaN before the first price) and one model.

    `target` (S) are the model's weights, cash included; `qualified` (S) the part of each dividend that is taxed as
    long-term gain where the shares were held long enough; `volume` shares a day. `market` holds what does not change:
    identifiers, classes, spreads, groups of identical securities, substitutes. `source` says where it all comes from,
    `simulated` names securities whose prices are not real. With `units` (S, shares of each security in one unit of an
    index) the weights float with prices and `target` is only where they began. `factors` is the number of risk factors.
    """

    dates: Days
    price: Floats
    dividend: Floats
    volume: Floats
    qualified: Floats
    market: Market
    target: Floats
    source: str
    simulated: tuple[str, ...] = ()
    units: Floats | None = None
    factors: int = FACTORS
    _risk: dict[int, tuple[Floats, Floats]] = field(default_factory=dict, repr=False)

    def models_at(self, session: int) -> Models:
        """The one model at the close of a session, without bands and without coarser levels."""
        free = np.full((1, len(self.target)), np.inf)
        return Models(("STUDY",), (1,), self.weights_at(session)[None], -free, free, self._stands_for()[None], ())

    def weights_at(self, session: int) -> Floats:
        """The model's weights (S) at the close of a session: constant, or those of the index units at its prices."""
        if self.units is None:
            return self.target
        cash = self.market.is_cash
        worth = np.where(cash, 0.0, self.units * np.nan_to_num(self.price[session]))
        return np.where(cash, self.target, worth / worth.sum() * (1.0 - self.target[cash].sum()))

    def model_returns(self, first: int, last: int) -> Floats:
        """Daily returns of the model from session `first` to `last`, dividends included and no cost or tax taken."""
        price, paid = self.price[first : last + 1], np.nan_to_num(self.dividend[first : last + 1])
        held = self.target > 0
        earned = (price[1:, held] + paid[1:, held]) / price[:-1, held] - 1.0
        if self.units is None:
            return np.asarray(earned @ self.target[held])
        return np.asarray([self.weights_at(first + day)[held] @ row for day, row in enumerate(earned)])

    def _stands_for(self) -> np.ndarray:
        result = np.arange(len(self.target), dtype=np.int32)
        for security in sorted(self.market.substitutes, reverse=True):
            for substitute, _, _ in self.market.substitutes[security]:
                if self.target[security] > 0 and self.target[substitute] == 0:
                    result[substitute] = security
        return result

    def session(self, day: object) -> int:
        """The first session on or after a day; raises `ParameterError` after the last one."""
        place = int(np.searchsorted(self.dates, np.datetime64(pd.Timestamp(str(day)).date(), "D")))
        if place >= len(self.dates):
            raise ParameterError(f"no session on or after {day}; the prices end on {self.dates[-1]}", "start")
        return place

    def market_at(self, session: int) -> Market:
        """The market as it is known at the close of a session: its price, volume and trailing risk."""
        exposure, specific = self._risk_at(session)
        recent = self.volume[max(0, session + 1 - VOLUME_WINDOW) : session + 1]
        known = np.isfinite(recent)
        volume = np.where(known, recent, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        return replace(
            self.market, price=self.price[session], adv=np.where(volume > 0, volume, np.nan),
            exposure=exposure, specific=specific,
        )  # fmt: skip

    def _risk_at(self, session: int) -> tuple[Floats, Floats]:
        """Risk from the window that ends with the last quarter before the session, or at the first session that can."""
        quarter = self.dates.astype("datetime64[M]").astype(np.int64) // 3
        start_of_quarter = int(np.searchsorted(quarter, quarter[session]))
        last = start_of_quarter - 1 if start_of_quarter > LEAST_WINDOW else session
        if last not in self._risk:
            self._risk[last] = self._estimate(last)
        return self._risk[last]

    def _estimate(self, last: int) -> tuple[Floats, Floats]:
        """Principal components of the returns up to a session; a young security moves as the one it stands for."""
        first = max(1, last + 1 - RISK_WINDOW)
        if last + 1 - first < LEAST_WINDOW:
            raise MarketDataError(
                f"only {last + 1 - first} returns up to {self.dates[last]}; start a study {LEAST_WINDOW} sessions later"
            )
        before = self.price[first - 1 : last]
        returns = (self.price[first : last + 1] + self.dividend[first : last + 1]) / before - 1.0
        place = self._stands_for()
        returns = np.where(np.isfinite(returns).all(axis=0), returns, returns[:, place])
        usable = np.isfinite(returns).all(axis=0) & (np.nan_to_num(returns).std(axis=0) > 0)
        wanted = (self.target > 0) & ~self.market.is_cash
        if not usable[wanted].all():
            missing = [self.market.ids[code] for code in np.flatnonzero(wanted & ~usable)]
            raise MarketDataError(f"{', '.join(missing)} lack prices before {self.dates[last]}; start the study later")
        columns = [self.market.ids[code] for code in np.flatnonzero(usable)]
        frame = pd.DataFrame(returns[:, usable], index=pd.DatetimeIndex(self.dates[first : last + 1]), columns=columns)
        model = market.factor_model(frame, min(self.factors, len(columns)))
        # components are uncorrelated: scaling makes each a factor of variance 1
        exposure = np.zeros((len(usable), len(model.factor_names)))
        exposure[usable] = model.exposures * np.sqrt(np.diag(model.factor_covariance))
        specific = np.zeros(len(usable))
        specific[usable] = model.specific_variance
        return exposure, specific


def history_of_funds(frame: pd.DataFrame, source: str, funds: Mapping[str, Fund] = FUNDS) -> History:
    """Build a history from rows of `date`, `ticker`, `close`, `dividend` and, where known, `volume`, split-adjusted.

    It begins where every fund of the model has a price; substitutes may come later. Raises `MarketDataError` for a
    fund without prices, or without a price on a session after its first.
    """
    names = list(dict.fromkeys([*funds, *(name for fund in funds.values() for name in fund.substitutes)]))
    rows = frame[frame["ticker"].isin(names)]
    price = rows.pivot(index="date", columns="ticker", values="close").sort_index()
    missing = [name for name in names if name not in price]
    if missing:
        raise MarketDataError(f"no prices of {', '.join(missing)}; add them or give other funds")
    price = price[names].loc[price[list(funds)].dropna().index[0] :]
    gaps = [name for name in names if price[name].loc[price[name].first_valid_index() :].isna().any()]
    if gaps:
        raise MarketDataError(f"{', '.join(gaps)}: sessions without a price; fill them at the source")
    wide = {
        column: rows.pivot(index="date", columns="ticker", values=column).reindex(price.index)[names].fillna(0.0)
        for column in ("dividend", "volume")
        if column in rows
    }
    classes = {name: fund.asset_class for name, fund in funds.items()}
    classes |= {other: fund.asset_class for fund in funds.values() for other in fund.substitutes}
    parts = {name: fund.qualified for name, fund in funds.items()}
    parts |= {other: fund.qualified for fund in funds.values() for other in fund.substitutes}
    invested = sum(fund.weight for fund in funds.values())
    target = [funds[name].weight / invested * (1 - CASH_WEIGHT) if name in funds else 0.0 for name in names]
    cash = np.zeros((len(price), 1))
    code = {name: place for place, name in enumerate([*names, CASH])}
    securities = _market(code, [*(classes[name] for name in names), "Cash"], funds)
    volume = wide["volume"].to_numpy(np.float64) if "volume" in wide else cash + np.full((1, len(names)), np.nan)
    return History(
        dates=price.index.to_numpy().astype("datetime64[D]"),
        price=np.hstack([price.to_numpy(np.float64), cash + 1.0]),
        dividend=np.hstack([wide["dividend"].to_numpy(np.float64), cash]),
        volume=np.hstack([volume, cash]),
        qualified=np.array([*(parts[name] for name in names), 0.0]),
        market=securities,
        target=np.array([*target, CASH_WEIGHT]),
        source=source,
    )


def _market(code: dict[str, int], classes: list[str], funds: Mapping[str, Fund]) -> Market:
    size = len(code)
    ids = tuple(code)
    everywhere = frozenset(REGISTRATIONS)
    nothing = np.full(size, np.nan)
    return Market(
        ids=ids, names=ids, kinds=("etf",) * (size - 1) + ("cash",), is_cash=np.array([name == CASH for name in ids]),
        price=nothing, adv=nothing, half_spread=np.where(np.arange(size) == size - 1, 0.0, FUND_HALF_SPREAD),
        asset_class=tuple(classes), sector=("Diversified",) * size, issuer=ids,
        exposure=np.zeros((size, 0)), specific=np.zeros(size), proxied=np.zeros(size, bool),
        wash_group=np.arange(size, dtype=np.int32), wash_group_names=ids, screens=(frozenset(),) * size,
        substitutes={
            code[name]: tuple((code[other], rank, everywhere) for rank, other in enumerate(fund.substitutes, start=1))
            for name, fund in funds.items() if fund.substitutes
        },
        cash=size - 1, code=code,
    )  # fmt: skip


def read_history(source: Path | str, firm: Firm | None = None, funds: Mapping[str, Fund] = FUNDS) -> History:
    """Read a study's market: a CSV file of daily fund prices, or "demo" for the firm's own prices and largest model.

    The file has columns date, ticker, close, dividend and volume, split-adjusted. Raises `MarketDataError` or
    `ParameterError` where it cannot serve.
    """
    if str(source) == "demo":
        if firm is None:
            raise ParameterError("a study on the firm's own prices needs the firm", "market")
        return history_of_firm(firm)
    path = Path(source)
    if not path.is_file():
        raise ParameterError(f"{path} is no file of daily prices; give one, or demo", "market")
    columns = ["date", "ticker", "close", "dividend", "volume"]
    try:
        frame = pd.read_csv(path, usecols=columns, parse_dates=["date"])
    except ValueError as error:
        raise MarketDataError(f"{path.name} needs the columns {', '.join(columns)}: {error}") from error
    return history_of_funds(frame, f"daily prices of {path.name}", funds)


def history_of_firm(firm: Firm, model: str | None = None) -> History:
    """Build a history from a firm's own prices and one of its models (by default that of most accounts).

    Holdings without a full history leave the model, and the rest is scaled up: the study is one of today's
    survivors. Dividends of shares count as qualified, those of funds of bonds, real estate and cash as ordinary.
    """
    book = load(firm, with_lineage=False, with_gains=False)
    counts = np.bincount(book.model[book.model >= 0], minlength=len(book.models.ids))
    chosen = int(np.argmax(counts)) if model is None else book.models.ids.index(model)
    prices = market.price_history(firm.table("prices"))
    ids = list(book.market.ids)
    close = prices.close.reindex(columns=ids)
    split = firm.table("prices").pivot(index="date", columns="security_id", values="split_ratio")
    later = split.reindex(index=close.index, columns=ids).fillna(1.0)[::-1].cumprod()[::-1].shift(-1).fillna(1.0)
    rows = firm.table("prices")
    wide = {
        column: rows.pivot(index="date", columns="security_id", values=column).reindex(index=close.index, columns=ids)
        for column in ("dividend", "volume")
    }
    frame = firm.table("securities", ["security_id", "simulated"])
    whole = close.notna().all().to_numpy()
    target = np.where(whole, book.models.target[chosen], 0.0)
    ordinary = ("bond", "treasur", "real estate", "cash", "yield")
    qualified = [0.0 if any(word in name.lower() for word in ordinary) else 0.95 for name in book.market.asset_class]
    return History(
        dates=close.index.to_numpy().astype("datetime64[D]"),
        price=np.where(whole, (close / later).to_numpy(np.float64), np.nan),
        dividend=(wide["dividend"].fillna(0.0) / later).to_numpy(np.float64) * ~book.market.is_cash,
        volume=(wide["volume"] * later).to_numpy(np.float64),
        qualified=np.array(qualified),
        market=book.market,
        target=target / target.sum(),
        source=f"the firm's own prices, model {book.models.ids[chosen]}",
        simulated=tuple(name for name in ids if name in set(frame.loc[frame["simulated"], "security_id"])),
    )
