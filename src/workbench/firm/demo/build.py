"""Builds the demo firm: people drawn, histories lived, tables written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from workbench.errors import MarketDataError, ParameterError
from workbench.firm.demo import clients, people, simulate, tables
from workbench.firm.demo.account import World
from workbench.firm.demo.classification import SUBSTITUTES
from workbench.firm.demo.faults import (
    Planted,
    checked,
    double_dividend,
    freeze_price,
    lose_shares,
    miss_distribution,
    shorten_draft,
)
from workbench.firm.demo.market_data import Market, embedded_market
from workbench.firm.demo.models import model_tables
from workbench.firm.demo.panel import Panel, panel
from workbench.firm.demo.trading import versions_by_model
from workbench.firm.snapshot import Firm, write_firm

#: Fewer accounts could not hold every special case.
FEWEST_ACCOUNTS = 24
#: The market must reach this far back from the as-of date.
FEWEST_DAYS = pd.Timedelta(days=500)
DEFAULT_AS_OF = "2022-12-28"


@dataclass(frozen=True)
class Built:
    """A built demo firm: its tables and the faults planted in them."""

    tables: dict[str, pd.DataFrame]
    planted: tuple[Planted, ...]


def build(
    *, seed: int = 7, as_of: str | pd.Timestamp = DEFAULT_AS_OF, accounts: int = 300, market: Market | None = None,
    faults: Sequence[str] = (),
) -> dict[str, pd.DataFrame]:  # fmt: skip
    """Return the demo firm's tables; the same arguments give the same bits.

    Raises `ParameterError` for a bad argument, `MarketDataError` when `as_of` is no session of the market.
    """
    return build_with_faults(seed=seed, as_of=as_of, accounts=accounts, market=market, faults=faults).tables


def build_with_faults(
    *, seed: int = 7, as_of: str | pd.Timestamp = DEFAULT_AS_OF, accounts: int = 300, market: Market | None = None,
    faults: Sequence[str] = (),
) -> Built:  # fmt: skip
    """Return the tables as `build` does, and where each fault was planted."""
    day, asked = _checked(seed, as_of, accounts), checked(faults)
    market = embedded_market() if market is None else market
    _require_session(market, day)
    models = model_tables(market, day)
    planted: list[Planted] = []
    if "stale_price" in asked:
        market, stale = freeze_price(market, day, models.model_targets["security_id"])
        planted.append(stale)
    arrays = panel(market, day)
    world = _world(market, arrays, models.models, models.model_targets)
    drawn = people.draw_accounts(seed, accounts, arrays.sessions[0], day, _legacy(market, arrays))
    wishes = clients.settle(drawn, arrays.sessions, _relative_growth(arrays, world))
    plans: Sequence[people.AccountPlan] = wishes.plans
    if "rmd" in asked:
        plans, missed = miss_distribution(plans, day)
        planted.append(missed)
    lives = [simulate.live(plan, world) for plan in plans]
    built = tables.assemble(market, models, arrays, lives, wishes, day)
    if "lots" in asked:
        planted.append(lose_shares(built, lives))
    if "doubled_dividend" in asked:
        planted.append(double_dividend(built))
    if "targets" in asked:
        planted.append(shorten_draft(built))
    return Built(built, tuple(planted))


def build_firm(
    folder: Path | str, *, seed: int = 7, as_of: str | pd.Timestamp = DEFAULT_AS_OF, accounts: int = 300,
    market: Market | None = None, faults: Sequence[str] = (), name: str = "Harrow Wealth (demo)",
) -> Firm:  # fmt: skip
    """Build the demo firm and write it as a snapshot in `folder`; raises as `build` and `write_firm` do."""
    built = build(seed=seed, as_of=as_of, accounts=accounts, market=market, faults=faults)
    return write_firm(folder, built, as_of, name=name)


def _checked(seed: int, as_of: str | pd.Timestamp, accounts: int) -> pd.Timestamp:
    if accounts < FEWEST_ACCOUNTS:
        raise ParameterError(f"accounts is {accounts}; the demo firm needs {FEWEST_ACCOUNTS} or more", "accounts")
    if seed < 0:
        raise ParameterError(f"seed is {seed}; give a whole number from 0", "seed")
    try:
        return pd.Timestamp(as_of).normalize()
    except ValueError as error:
        raise ParameterError(f"as_of {as_of!r} is not a date; write YYYY-MM-DD", "as_of") from error


def _require_session(market: Market, day: pd.Timestamp) -> None:
    sessions = market.sessions
    if day not in sessions:
        near = sessions[sessions <= day]
        hint = f"; the last session before it is {near[-1].date()}" if len(near) else ""
        raise MarketDataError(
            f"as_of {day.date()} is no session of {market.name} "
            f"({sessions[0].date()} to {sessions[-1].date()}){hint}; take a session"
        )
    if day < sessions[0] + FEWEST_DAYS:
        raise MarketDataError(
            f"as_of {day.date()} is less than {FEWEST_DAYS.days} days after the first price of {market.name}, "
            f"{sessions[0].date()}; the accounts need a past: take a later session"
        )


def _relative_growth(arrays: Panel, world: World) -> Callable[[str, pd.Timestamp], float]:
    """Return price growth of a security since a day, over the median growth of the equities."""

    def growth(security: str, since: pd.Timestamp) -> float:
        t = arrays.session_on_or_after(since)
        shares = np.prod(arrays.split[t + 1 :], axis=0)
        grown = arrays.mark[-1] * shares / arrays.mark[t]
        return float(grown[arrays.index(security)] / np.nanmedian(grown[world.equity]))

    return growth


def _world(market: Market, arrays: Panel, models: pd.DataFrame, targets: pd.DataFrame) -> World:
    facts = market.securities.set_index("security_id").loc[list(arrays.security_ids)]
    column = {security: i for i, security in enumerate(arrays.security_ids)}
    classes = pd.Categorical(facts["asset_class"])
    actions: dict[int, list[tuple[int, float, float]]] = {}
    for t, security in zip(*np.nonzero((arrays.dividend != 0) | (arrays.split != 1.0))):
        action = (int(security), float(arrays.dividend[t, security]), float(arrays.split[t, security]))
        actions.setdefault(int(t), []).append(action)
    substitutes = {
        column[security]: tuple(column[x] for x in others if x in column)
        for security, others in SUBSTITUTES.items()
        if security in column
    }
    return World(
        panel=arrays,
        actions={t: tuple(rows) for t, rows in actions.items()},
        versions=versions_by_model(models, targets, arrays),
        asset_class=classes.codes.astype(np.int64),
        equity=facts["asset_class"].str.endswith("equity").to_numpy(),
        screens=tuple(frozenset(tags) for tags in facts["screens"]),
        substitutes=substitutes,
        favourites=tuple(column[x] for x in _favourites(market, arrays)),
    )


def _legacy(market: Market, arrays: Panel) -> tuple[str, ...]:
    """Securities clients bring with them: single names and sector funds, equities in any case."""
    facts = market.securities.set_index("security_id").loc[list(arrays.security_ids)]
    early = ~np.isnan(arrays.close[min(252, len(arrays.sessions) - 1)])
    equities = facts[facts["asset_class"].str.endswith("equity").to_numpy() & early & ~facts["simulated"]]
    single = equities[equities["sector"] != "Diversified"]
    return tuple(single.index if len(single) >= 4 else equities.index if len(equities) >= 4 else facts.index)


def _favourites(market: Market, arrays: Panel) -> tuple[str, ...]:
    known = [x for x in ("AAPL", "AMD", "LLY", "XLK", "QQQ", "XLE") if x in arrays.security_ids]
    return tuple(known[:4]) or _legacy(market, arrays)[:3]
