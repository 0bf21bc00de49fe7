"""From a household to its program in arrays: which columns, lines and rows there are, and what each costs.

Amounts are fractions of the managed value V. With w the share of a group of accounts in V and x a line's deviation,

    cost = risk aversion / w  x (B'x . B'x + sum d x^2)      tracking variance of each group, weighted by its value
         + tax rate x gain of each lot sold                  at the household's marginal rates
         + half-spread and impact of each trade              impact grows with the part of a day's volume
         + yearly cost of location                           what a class costs in a registration
         + prices of what is outside a limit                 bands, ceilings of cash, a priced gain budget

Owed cash and caps are elastic too, at prices above anything else, so that the program is always feasible: one of them
is missed only where nothing else is left, and by the least. A hard gain budget is no price, since a little gain may free a
large correction; it yields only to owed cash, by the least gain that raises it (`solve`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from workbench.rebalance._obstacles import Bar, Obstacles, obstacles
from workbench.rebalance._places import misplacement
from workbench.rebalance.household import TAXED, Floats, Household, Ints
from workbench.rebalance.settings import Settings
from workbench.rebalance.solver.problem import BUY, DEVIATION, EXCESS, FACTOR, SELL, Integrality, Problem

#: Half-spread taken for a security whose own is not known.
UNKNOWN_HALF_SPREAD = 0.001
#: Part of the risk price that holds inside a band where trades stop at its edge: enough to point cash to what is low.
INSIDE = 0.05
#: Prices of breaking what must hold, a unit of weight: owed cash, then caps.
CASH_PRICE, CAP_PRICE = 3.0, 2.0
#: What a unit of a holding that may not be held is worth to sell: above any tax and risk, below every hard limit.
MUST_SELL = 0.9
#: Yearly price of cash above its ceiling, and price of cash below the firm's own floor: no reason to pass a budget.
IDLE_CASH, THIN_CASH = 0.02, 0.10
#: Bands and caps nearer than this part of their room become rows.
NEAR = 0.5
#: A group smaller than this part of the household is tracked as loosely as one of this size.
LEAST_SHARE = 1e-3
#: Less than this part of the household is not worth a column.
_DUST = 1e-9
_INF = np.inf
#: No limit of a household can be missed by more than this many times its value.
_MOST = 2.0


class MarginalRates(NamedTuple):
    """Tax on the next dollar of gain, and tax saved by the next dollar of loss, by term."""

    short_gain: float
    short_loss: float
    long_gain: float
    long_loss: float


@dataclass(frozen=True)
class Row:
    """What a row stands for: its kind, what it limits, in which group, level and account."""

    kind: str
    entity: str
    group: int = -1
    level: str = ""
    account: int = -1
    source: str = ""
    bound: float = 0.0
    over: int = -1
    under: int = -1


@dataclass(frozen=True, eq=False)
class Formulation:
    """A program and what its arrays stand for.

    Columns begin with the buys (`buy_account`, `buy_security`), then the sales (`sell_holding`, `sell_lot`: -1 where
    a whole position is one column because no gain is taxed), then everything else. `line_group`, `line_security` say
    what a line is. `blocked` holds what stood against columns that were left out or fixed at zero.
    """

    problem: Problem
    integrality: Integrality
    value: float
    group: Ints
    group_value: Floats
    account_value: Floats
    buy_account: Ints
    buy_security: Ints
    buy_line: Ints
    sell_holding: Ints
    sell_lot: Ints
    sell_line: Ints
    sell_gain: Floats
    sell_long: np.ndarray
    sell_rate: Floats
    sell_washed: np.ndarray
    line_group: Ints
    line_security: Ints
    line_held: Floats
    line_target: Floats
    deviation: Ints
    rows: tuple[Row, ...]
    cash_floor: Floats
    cash_ceiling: Floats
    cash_owed: Floats
    cash_before: Floats
    obstacles: Obstacles
    blocked: dict[tuple[int, int, str], Bar] = field(default_factory=dict)

    @property
    def owes(self) -> bool:
        """Whether some account must raise cash that it does not have."""
        return bool((self.cash_owed > self.cash_before + 0.005).any())


def groups_of(household: Household, settings: Settings) -> Ints:
    """Which accounts are managed together: those of one model, unless they are kept apart; -1 for no model."""
    accounts = household.accounts
    seen: dict[tuple[int, int], int] = {}
    result = np.full(len(accounts.ids), -1, np.int32)
    for account, model in enumerate(accounts.model.tolist()):
        if model < 0:
            continue
        apart = (
            settings.view == "account"
            or accounts.registration[account] in settings.kept_apart
            or bool(accounts.kept_apart[account])
        )
        result[account] = seen.setdefault((model, account if apart else -1), len(seen))
    return result


def formulate(household: Household, settings: Settings, rates: MarginalRates) -> Formulation | None:
    """Return the program of a household at given marginal rates; None where there is nothing of value to manage."""
    return _Builder(household, settings, rates).build()


class _Builder:
    """Collects columns and rows; each method adds one family of them."""

    def __init__(self, household: Household, settings: Settings, rates: MarginalRates) -> None:
        self.household, self.settings, self.rates = household, settings, rates
        self.market = household.market
        self.obstacles = obstacles(household, settings)
        self.blocked: dict[tuple[int, int, str], Bar] = {}
        self.rows: list[Row] = []
        self.row_low: list[float] = []
        self.row_high: list[float] = []
        self.entries: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self.columns: dict[str, list[np.ndarray]] = {name: [] for name in _COLUMN_TYPES}
        self.size = 0
        self.places: Floats | None = None

    def build(self) -> Formulation | None:
        household, accounts = self.household, self.household.accounts
        n = len(accounts.ids)
        self.group = groups_of(household, self.settings)
        self.owner = np.repeat(np.arange(n), np.diff(household.account_ptr))
        price = self.market.price[household.security]
        self.price = np.where((price > 0) & (household.quantity > 0), price, 0.0)
        self.worth = self.price * household.quantity
        self.account_value = accounts.cash + np.bincount(self.owner, weights=self.worth, minlength=n)
        managed = self.group >= 0
        self.value = float(self.account_value[managed].sum()) if managed.any() else 0.0
        if self.value <= 0.01:
            return None
        n_groups = int(self.group.max()) + 1
        self.group_value = np.bincount(self.group[managed], weights=self.account_value[managed], minlength=n_groups)
        self.group_model = np.zeros(n_groups, np.int32)
        self.group_model[self.group[managed]] = accounts.model[managed]
        # A group of next to no value has nothing to track; the floor keeps its price of risk within reason.
        self.share = np.maximum(self.group_value / self.value, LEAST_SHARE)
        self._lines()
        self._buys()
        self._sales()
        self._deviations()
        self._factors()
        self._cash()
        self._gain_budget()
        self._bands()
        self._caps()
        return self._assemble()

    # -- columns ----------------------------------------------------------------------------------------------------

    def _add(self, count: int, kind: int, **values: np.ndarray | float) -> np.ndarray:
        for name, dtype in _COLUMN_TYPES.items():
            value = kind if name == "kind" else values.get(name, _COLUMN_DEFAULTS[name])
            self.columns[name].append(np.broadcast_to(np.asarray(value, dtype), (count,)))
        self.size += count
        return np.arange(self.size - count, self.size)

    def _enter(self, row: int | np.ndarray, columns: np.ndarray, values: np.ndarray | float) -> None:
        rows, columns, entries = np.broadcast_arrays(np.asarray(row), columns, np.asarray(values, np.float64))
        self.entries.append((rows.ravel(), columns.ravel(), entries.ravel()))

    def _row(self, row: Row, low: float, high: float) -> int:
        self.rows.append(row)
        self.row_low.append(low)
        self.row_high.append(high)
        return len(self.rows) - 1

    def _lines(self) -> None:
        """One line for each security of a group's model and for each one held beside it."""
        models, n_securities = self.household.models, len(self.market.ids)
        held_group = self.group[self.owner]
        self.tradable = (held_group >= 0) & (self.price > 0)
        security = self.household.security[self.tradable]
        group = held_group[self.tradable]
        held_line = group.astype(np.int64) * n_securities + models.stands_for[self.group_model[group], security]
        priced = (self.market.price > 0) & ~self.market.is_cash
        named = [np.flatnonzero((models.target[m] > 0) & priced) for m in self.group_model]
        self.named = named
        wanted = [g * n_securities + codes for g, codes in enumerate(named)]
        keys = np.unique(np.concatenate([held_line, *wanted]))
        self.line_keys = keys
        self.line_group = (keys // n_securities).astype(np.int32)
        self.line_security = (keys % n_securities).astype(np.int32)
        self.holding_line = np.full(len(self.tradable), -1, np.int32)
        self.holding_line[self.tradable] = np.searchsorted(keys, held_line)
        self.line_held = np.bincount(
            self.holding_line[self.tradable], weights=self.worth[self.tradable], minlength=len(keys)
        ) / self.value
        target = models.target[self.group_model[self.line_group], self.line_security]
        if self.settings.off_model == "keep":
            kept = np.where(target == 0, self.line_held / self.share[self.line_group], 0.0)
            off = np.bincount(self.line_group, weights=kept, minlength=len(self.share))
            target = np.where(target == 0, kept, target * np.maximum(1.0 - off[self.line_group], 0.0))
        self.line_weight = target
        self.line_target = target * self.share[self.line_group]

    def _buys(self) -> None:
        """One purchase for each account and security of its model; a substitute's where the security is barred."""
        market = self.market
        barred_groups = set(self.obstacles.no_buy_group)
        harvest = self._harvestable()
        accounts, securities, lines = [], [], []
        for account, group in enumerate(self.group.tolist()):
            if group < 0:
                continue
            codes = self.named[group]
            accounts.append(np.full(len(codes), account, np.int32))
            securities.append(codes)
            lines.append(np.searchsorted(self.line_keys, group * len(market.ids) + codes))
        account = np.concatenate(accounts)
        security = np.concatenate(securities).astype(np.int32)
        line = np.concatenate(lines).astype(np.int32)
        upper = np.full(len(account), 1.0)
        primary_cost = np.zeros(len(account))
        extra: list[tuple[int, int, int]] = []
        simple = not (self.obstacles.no_buy or barred_groups or harvest)
        if not simple:
            for i, (a, s) in enumerate(zip(account.tolist(), security.tolist())):
                bar = self._buy_bar(a, s)
                if bar is not None:
                    upper[i] = 0.0
                    self.blocked[(a, s, "buy")] = bar
                if bar is not None or int(market.wash_group[s]) in harvest:
                    substitute = self._substitute(a, s)
                    if substitute is not None:
                        extra.append((a, substitute, int(line[i])))
        if extra:
            added = np.array(sorted(set(extra)), np.int32)
            account = np.concatenate([account, added[:, 0]])
            security = np.concatenate([security, added[:, 1]])
            line = np.concatenate([line, added[:, 2]])
            upper = np.concatenate([upper, np.ones(len(added))])
            primary_cost = np.concatenate([primary_cost, np.full(len(added), self.settings.substitute_cost)])
        if self.settings.mode == "raise_cash":
            upper[:] = 0.0
        upper = np.where(self.account_value[account] > 0, upper, 0.0)
        self.buy_account, self.buy_security, self.buy_line, self.buy_upper = account, security, line, upper
        spread, curve = self._trading_cost(security)
        location = self._location(security, account)
        self.buy_spread = spread
        self.buy_columns = self._add(
            len(account), BUY, linear=spread + location + primary_cost, quadratic=curve, upper=upper, line=line,
            line_coefficient=1.0,
        )  # fmt: skip

    def _harvestable(self) -> set[int]:
        """Wash groups with a lot under water in a taxed account: their replacement may be bought elsewhere."""
        household = self.household
        taxed = self.tradable & (household.accounts.treatment[self.owner] == TAXED)
        if not taxed.any():
            return set()
        holding = np.repeat(np.arange(len(taxed)), np.diff(household.lots.holding_ptr))
        loss = taxed[holding] & (household.lots.basis > self.price[holding])
        return set(np.unique(self.market.wash_group[household.security[holding[loss]]]).tolist())

    def _buy_bar(self, account: int, security: int) -> Bar | None:
        bar = self.obstacles.no_buy.get((account, security))
        return bar or self.obstacles.no_buy_group.get(int(self.market.wash_group[security]))

    def _substitute(self, account: int, security: int) -> int | None:
        """The first substitute that may be bought in an account and is no part of its model."""
        household, market = self.household, self.market
        registration = household.accounts.registration[account]
        target = household.models.target[household.accounts.model[account]]
        for substitute, _, registrations in market.substitutes.get(security, ()):
            if (
                registration in registrations
                and not target[substitute] > 0
                and market.price[substitute] > 0
                and market.wash_group[substitute] != market.wash_group[security]
                and self._buy_bar(account, substitute) is None
                and household.models.stands_for[household.accounts.model[account], substitute] == security
                and (registration != "401k" or self._held(account, substitute))
            ):
                return substitute
        return None

    def _held(self, account: int, security: int) -> bool:
        first, last = self.household.account_ptr[account], self.household.account_ptr[account + 1]
        return bool((self.household.security[first:last] == security).any())

    def _sales(self) -> None:
        """One sale for each lot where gains are taxed, for each position where they are not."""
        household, settings = self.household, self.settings
        taxed = household.accounts.treatment[self.owner] == TAXED
        lots = household.lots
        lot_holding = np.repeat(np.arange(len(taxed)), np.diff(lots.holding_ptr))
        lot = np.flatnonzero((self.tradable & taxed)[lot_holding])
        whole = np.flatnonzero(self.tradable & ~taxed)
        holding = np.concatenate([lot_holding[lot], whole])
        order = np.argsort(holding, kind="stable")
        holding = holding[order]
        lot = np.concatenate([lot, np.full(len(whole), -1)])[order]
        of_lot = lot >= 0
        price = self.price[holding]
        shares = np.where(of_lot, lots.quantity[lot], household.quantity[holding]) if len(lot) else np.zeros(0)
        basis = np.where(of_lot, lots.basis[lot], price) if len(lot) else np.zeros(0)
        unknown = np.isnan(basis)
        gain = np.where(unknown, 1.0, (price - np.nan_to_num(basis)) / np.where(price > 0, price, 1.0))
        long = self._is_long(lot)
        upper = shares * price / self.value
        if unknown.any() and not settings.sell_unknown_basis:
            upper[unknown] = 0.0
            self._block_lots(holding[unknown], Bar("unknown_basis"))
        r = self.rates
        rate = np.where(
            gain >= 0, np.where(long, r.long_gain, r.short_gain), np.where(long, r.long_loss, r.short_loss)
        )
        upper = self._sale_obstacles(holding, lot, gain, upper)
        self.sell_washed = self._washed(holding, gain)
        rate = np.where(self.sell_washed, 0.0, rate)
        security, account = household.security[holding], self.owner[holding]
        spread, curve = self._trading_cost(security)
        linear = spread + settings.tax_weight * rate * gain - self._location(security, account)
        linear = linear - self._must_sell(account, security)
        if settings.mode == "invest_cash":
            upper[:] = 0.0
        elif settings.mode == "harvest":
            upper[gain >= 0] = 0.0
        upper = np.where(upper < _DUST, 0.0, upper)
        self.sell_holding, self.sell_lot = holding.astype(np.int32), lot.astype(np.int32)
        self.sell_gain, self.sell_long, self.sell_spread = np.where(of_lot, gain, 0.0), long, spread
        self.sell_line, self.sell_upper, self.sell_rate = self.holding_line[holding], upper, rate
        self.sell_columns = self._add(
            len(holding), SELL, linear=linear, quadratic=curve, upper=upper, line=self.sell_line, line_coefficient=-1.0
        )

    def _is_long(self, lot: np.ndarray) -> np.ndarray:
        from workbench.tax.holding import is_long_term

        if not len(lot):
            return np.zeros(0, bool)
        start = np.asarray(self.household.lots.holding_start)[np.maximum(lot, 0)]
        return np.where(lot >= 0, is_long_term(start, np.datetime64(self.household.as_of, "D")), False)

    def _block_lots(self, holdings: np.ndarray, bar: Bar) -> None:
        for holding in np.unique(holdings).tolist():
            self.blocked.setdefault((int(self.owner[holding]), int(self.household.security[holding]), "sell"), bar)

    def _sale_obstacles(
        self, holding: np.ndarray, lot: np.ndarray, gain: Floats, upper: Floats
    ) -> Floats:
        """Fix at zero what may not be sold."""
        household, market, found = self.household, self.market, self.obstacles
        if found.no_sell:
            for i, h in enumerate(holding.tolist()):
                place = (int(self.owner[h]), int(household.security[h]))
                if place in found.no_sell:
                    upper[i] = 0.0
                    self.blocked[(*place, "sell")] = found.no_sell[place]
        if found.held_lots:
            self._hold_lots(holding, lot, upper)
        if found.no_loss:
            group = market.wash_group[household.security[holding]]
            watched = np.isin(group, list(found.no_loss)) & (lot >= 0) & (gain < 0)
            for i in np.flatnonzero(watched).tolist():
                bar = found.loss_bar(int(group[i]), self._lot_id(int(lot[i])))
                if bar is not None:
                    upper[i] = 0.0
                    place = (int(self.owner[holding[i]]), int(household.security[holding[i]]))
                    self.blocked.setdefault((*place, "sell"), bar)
        return upper

    def _washed(self, holding: np.ndarray, gain: Floats) -> np.ndarray:
        """Losses that a wash sale would take away, where the settings allow one: they save no tax now."""
        if self.settings.wash != "priced" or not self.household.wash:
            return np.zeros(len(holding), bool)
        washed = [event.group for event in self.household.wash if event.kind != "loss_sale"]
        return np.isin(self.market.wash_group[self.household.security[holding]], washed) & (gain < 0)

    def _hold_lots(self, holding: np.ndarray, lot: np.ndarray, upper: Floats) -> None:
        """A lot to be kept is not sold; where a position is one column, its shares come off what may be sold."""
        lots = self.household.lots
        for h in np.unique(holding).tolist():
            for place in range(int(lots.holding_ptr[h]), int(lots.holding_ptr[h + 1])):
                bar = self.obstacles.held_lots.get(self._lot_id(place))
                if bar is None:
                    continue
                for i in np.flatnonzero(holding == h).tolist():
                    if lot[i] == place:
                        upper[i] = 0.0
                    elif lot[i] < 0:
                        upper[i] = max(upper[i] - float(lots.quantity[place]) * self.price[h] / self.value, 0.0)
                self.blocked.setdefault((int(self.owner[h]), int(self.household.security[h]), "sell"), bar)

    def _lot_id(self, lot: int) -> str:
        return str(self.household.lots.ids[lot])

    def _must_sell(self, account: np.ndarray, security: np.ndarray) -> Floats:
        reward = np.zeros(len(account))
        if self.obstacles.must_sell:
            for i, place in enumerate(zip(account.tolist(), security.tolist())):
                if place in self.obstacles.must_sell:
                    reward[i] = MUST_SELL
        return reward

    def _trading_cost(self, security: np.ndarray) -> tuple[Floats, Floats]:
        """Half-spread, and the curvature of impact: impact x (traded / a day's volume) of what is traded."""
        half = self.market.half_spread[security]
        spread = np.where(np.isnan(half), UNKNOWN_HALF_SPREAD, half)
        volume = self.market.adv[security] * self.market.price[security]
        curve = np.where(volume > 0, 2.0 * self.settings.impact * self.value / np.where(volume > 0, volume, 1.0), 0.0)
        return spread, curve

    def _location(self, security: np.ndarray, account: np.ndarray) -> Floats:
        """Yearly cost of each security's class in each account, beyond the cheapest account of its group."""
        if self.places is None:
            self.places = misplacement(self.household, self.group, self.settings)
        return self.places[account, security]

    def _deviations(self) -> None:
        """Deviation of each line, split at the edges of its band where it counts differently inside and outside."""
        models, settings = self.household.models, self.settings
        n = len(self.line_keys)
        w, model = self.share[self.line_group], self.group_model[self.line_group]
        lower = (models.lower[model, self.line_security] - models.target[model, self.line_security]) * w
        upper = (models.upper[model, self.line_security] - models.target[model, self.line_security]) * w
        curve = 2.0 * settings.risk_aversion / w * self.market.specific[self.line_security]
        # A line without specific risk would have no price of its own, and ties would be broken by rounding.
        curve = np.maximum(curve, 2.0 * settings.risk_aversion / w * 1e-4)
        low, high, inner = np.full(n, -_INF), np.full(n, _INF), 1.0
        stop = {"target": 0.0, "half": 0.5, "edge": 1.0}[settings.bands]
        off = self.line_weight == 0
        if stop > 0:
            inner = INSIDE
            low, high = np.where(off, 0.0, stop * lower), np.where(off, 0.0, stop * upper)
            split = np.isfinite(low) | np.isfinite(high)
        else:
            held = self.line_held - self.line_target
            near = (held > NEAR * upper) | (held < NEAR * lower)
            split = near & (np.isfinite(lower) | np.isfinite(upper))
            low, high = np.where(split, lower, low), np.where(split, upper, high)
        least = np.full(n, -_INF)
        if settings.mode == "transition" and settings.transition_years > 1:
            least = np.where(off, self.line_held * (1.0 - 1.0 / settings.transition_years), least)
            high = np.where(off, _INF, high)
            low = np.where(off, -_INF, low)
            split = split & ~off
        self.deviation = self._add(
            n, DEVIATION, quadratic=curve * inner, lower=np.maximum(low, least), upper=high,
            line=np.arange(n, dtype=np.int32), line_coefficient=-1.0,
        )  # fmt: skip
        self.excess: list[tuple[np.ndarray, np.ndarray, float]] = []
        self.inner = inner
        price = settings.band_price
        for sign, edge in ((1.0, high), (-1.0, low)):
            lines = np.flatnonzero(split & np.isfinite(edge))
            if not len(lines):
                continue
            beyond = price if stop in (0.0, 1.0) else 0.0
            columns = self._add(
                len(lines), EXCESS, quadratic=curve[lines],
                linear=curve[lines] * inner * np.abs(edge[lines]) + beyond, upper=_INF,
                line=lines.astype(np.int32), line_coefficient=-sign,
            )  # fmt: skip
            self.excess.append((lines, columns, sign))

    def _factors(self) -> None:
        """Exposure of each group's deviations to each factor; inside a band they count as little as the line's own."""
        exposure = self.market.exposure[self.line_security]
        n_factors = exposure.shape[1]
        damp = np.sqrt(self.inner)
        for group, w in enumerate(self.share.tolist()):
            lines = np.flatnonzero(self.line_group == group)
            if not n_factors or not len(lines):
                continue
            factor = self._add(
                n_factors, FACTOR, quadratic=2.0 * self.settings.risk_aversion / w, lower=-_INF, upper=_INF
            )
            first = len(self.rows)
            name = self.household.models.ids[self.group_model[group]]
            for k in range(n_factors):
                self._row(Row("factor", f"{name} factor {k + 1}", group), 0.0, 0.0)
            rows = np.arange(first, first + n_factors)
            self._enter(rows, factor, 1.0)
            self._enter(rows[None, :], self.deviation[lines][:, None], -damp * exposure[lines])
            for of, columns, sign in self.excess:
                mine = self.line_group[of] == group
                self._enter(rows[None, :], columns[mine][:, None], -sign * exposure[of[mine]])

    # -- rows -------------------------------------------------------------------------------------------------------

    def _cash(self) -> None:
        """Cash of each account after all trades and their costs, between what it must cover and its ceiling."""
        household, settings = self.household, self.settings
        accounts, models = household.accounts, household.models
        owed = np.zeros(len(accounts.ids))
        least = np.zeros(len(accounts.ids))
        for need in household.needs:
            if need.kind == "min_cash":
                least[need.account] = max(least[need.account], need.amount)
            elif need.kind != "rmd" or settings.raise_rmd:
                owed[need.account] += need.amount
        value = np.maximum(self.account_value, 0.0)
        policy = settings.cash_floor * value
        # A dollar or two below the policy's floor is no reason to sell: only what is owed forces a sale that small.
        small = (policy > accounts.cash) & (policy - accounts.cash < np.maximum(settings.minimum_trade, 1.0))
        policy = np.where(small, np.maximum(accounts.cash, 0.0), policy)
        floor = owed + np.maximum(least, policy)
        must = owed + least
        model_cash = np.where(accounts.model >= 0, models.target[accounts.model, self.market.cash], 0.0)
        ceiling = np.maximum(floor, owed + (model_cash + settings.cash_ceiling) * value)
        if settings.mode in ("raise_cash", "harvest"):
            floor = np.where(accounts.cash >= floor, np.minimum(accounts.cash, np.maximum(floor, accounts.cash)), floor)
            ceiling = np.maximum(floor, accounts.cash)
        if settings.mode == "harvest":
            floor = np.maximum(np.minimum(floor, accounts.cash), 0.0)
        must = np.minimum(must, floor)
        self.cash_floor, self.cash_ceiling, self.cash_owed = floor, ceiling, must
        for account in np.flatnonzero(self.group >= 0).tolist():
            name = accounts.ids[account]
            # More than the whole account cannot be raised; what is missing beyond it is told from `cash_owed`.
            low = min(float(floor[account]), float(self.account_value[account]))
            lacking = max((low - accounts.cash[account]) / self.value, 0.0)
            short = self._add(1, EXCESS, linear=CASH_PRICE, upper=_MOST + lacking)
            thin = self._add(1, EXCESS, linear=THIN_CASH, upper=(floor[account] - must[account]) / self.value)
            rich = max((accounts.cash[account] - ceiling[account]) / self.value, 0.0)
            over = self._add(1, EXCESS, linear=IDLE_CASH, upper=_MOST + rich)
            start = accounts.cash[account] / self.value
            row = self._row(
                Row("cash", name, account=account, bound=float(floor[account]), over=int(over[0]), under=int(short[0])),
                low / self.value - start,
                ceiling[account] / self.value - start,
            )
            mine = self.buy_account == account
            self._enter(row, self.buy_columns[mine], -(1.0 + self.buy_spread[mine]))
            mine = self.owner[self.sell_holding] == account
            self._enter(row, self.sell_columns[mine], 1.0 - self.sell_spread[mine])
            self._enter(row, np.concatenate([short, thin]), 1.0)
            self._enter(row, over, -1.0)

    def _gain_budget(self) -> None:
        """Net gain realised this year may not pass the budget; what was realised before counts."""
        settings, tax = self.settings, self.household.tax
        budget = gain_budget(self.household, settings, self.value)
        taxed = self.sell_lot >= 0
        if settings.gain_budget == "off" or budget is None or not taxed.any():
            return
        room = max(budget - tax.realised_short - tax.realised_long, 0.0) / self.value
        name = self.household.household_id
        if settings.gain_budget == "hard":
            row = self._row(Row("gain_budget", name, bound=budget), -_INF, room)
        else:
            over = self._add(1, EXCESS, linear=settings.gain_budget_price, upper=_MOST)
            row = self._row(Row("gain_budget", name, bound=budget, over=int(over[0])), -_INF, room)
            self._enter(row, over, -1.0)
        self._enter(row, self.sell_columns[taxed], self.sell_gain[taxed])

    def _bands(self) -> None:
        """Bands of classes, sectors, regions and sleeves that a group stands outside of, or near the edge of.

        Cash is what the lines leave: its deviation is minus the sum of theirs.
        """
        models = self.household.models
        held = self.line_held - self.line_target
        for group, w in enumerate(self.share.tolist()):
            lines = np.flatnonzero(self.line_group == group)
            model = int(self.group_model[group])
            if not len(lines) or w <= LEAST_SHARE:
                continue
            for level in models.levels:
                loading = level.loading[model if len(level.loading) > 1 else 0]
                relative = loading[self.line_security[lines]] - loading[self.market.cash]
                active = held[lines] @ relative
                low = (level.lower[model] - level.target[model]) * w
                high = (level.upper[model] - level.target[model]) * w
                watched = level.name == "asset_class"
                near = np.flatnonzero(
                    (watched & (np.isfinite(low) | np.isfinite(high))) | (active > NEAR * high) | (active < NEAR * low)
                )
                for key in near.tolist():
                    self._band_row(group, level.name, level.keys[key], lines, relative[:, key], low[key], high[key])

    def _band_row(
        self, group: int, level: str, key: str, lines: np.ndarray, relative: Floats, low: float, high: float
    ) -> None:
        low, high = float(low), float(high)
        price = self.settings.band_price
        over = int(self._add(1, EXCESS, linear=price, upper=_MOST)[0]) if np.isfinite(high) else -1
        under = int(self._add(1, EXCESS, linear=price, upper=_MOST)[0]) if np.isfinite(low) else -1
        row = self._row(Row("band", key, group, level, over=over, under=under), low, high)
        if over >= 0:
            self._enter(row, np.array([over]), -1.0)
        if under >= 0:
            self._enter(row, np.array([under]), 1.0)
        touched = relative != 0
        self._enter(row, self.deviation[lines[touched]], relative[touched])
        by_line = np.zeros(len(self.line_keys))
        by_line[lines] = relative
        for of, columns, sign in self.excess:
            mine = by_line[of] != 0
            self._enter(row, columns[mine], sign * by_line[of[mine]])

    def _caps(self) -> None:
        """Most of a security, issuer or sector in an account or the household, where it could be reached."""
        for cap in self.obstacles.caps:
            members = np.zeros(len(self.market.ids), bool)
            members[list(cap.securities)] = True
            whole = self.account_value[cap.account] if cap.account >= 0 else self.value
            if whole <= 0 or (cap.account >= 0 and self.group[cap.account] < 0):
                continue
            mine = members[self.household.security] & self.tradable
            if cap.account >= 0:
                mine &= self.owner == cap.account
            held = float(self.worth[mine].sum()) / self.value
            most = cap.weight * whole / self.value
            bought = members[self.buy_security] & (self.buy_upper > 0)
            if cap.account >= 0:
                bought &= self.buy_account == cap.account
            goal = float(self.line_target[np.unique(self.buy_line[bought])].sum())
            if held <= NEAR * most and (goal <= NEAR * most and cap.account < 0):
                continue
            over = self._add(1, EXCESS, linear=CAP_PRICE, upper=_MOST)
            entity = cap.entity if cap.account < 0 else f"{cap.entity} in {self.household.accounts.ids[cap.account]}"
            row = self._row(
                Row(cap.kind, entity, account=cap.account, source=cap.source, bound=cap.weight, over=int(over[0])),
                -_INF, most - held,
            )  # fmt: skip
            sold = mine[self.sell_holding]
            self._enter(row, self.buy_columns[bought], 1.0)
            self._enter(row, self.sell_columns[sold], -1.0)
            self._enter(row, over, -1.0)

    # -- the arrays -------------------------------------------------------------------------------------------------

    def _assemble(self) -> Formulation:
        columns = {name: np.concatenate(parts) for name, parts in self.columns.items()}
        rows, places, values = (np.concatenate(parts) for parts in zip(*self.entries))
        order = np.argsort(places, kind="stable")
        ptr = np.concatenate([[0], np.cumsum(np.bincount(places, minlength=self.size))]).astype(np.int32)
        problem = Problem(
            quadratic=columns["quadratic"],
            linear=columns["linear"],
            lower=columns["lower"],
            upper=columns["upper"],
            line=columns["line"],
            line_coefficient=columns["line_coefficient"],
            column_ptr=ptr,
            entry_row=rows[order].astype(np.int32),
            entry=values[order],
            line_target=self.line_target - self.line_held,
            row_low=np.array(self.row_low),
            row_high=np.array(self.row_high),
            kind=columns["kind"],
        )
        return Formulation(
            problem, self._integrality(), self.value, self.group, self.group_value, self.account_value,
            self.buy_account, self.buy_security, self.buy_line, self.sell_holding, self.sell_lot, self.sell_line,
            self.sell_gain, self.sell_long, self.sell_rate, self.sell_washed, self.line_group, self.line_security, self.line_held, self.line_target,
            self.deviation.astype(np.int32), tuple(self.rows), self.cash_floor, self.cash_ceiling, self.cash_owed,
            np.where(self.group >= 0, self.household.accounts.cash, np.inf), self.obstacles, self.blocked,
        )  # fmt: skip

    def _integrality(self) -> Integrality:
        household, settings, market = self.household, self.settings, self.market
        n_securities = len(market.ids)
        account = np.concatenate([self.buy_account, self.owner[self.sell_holding]])
        security = np.concatenate([self.buy_security, household.security[self.sell_holding]])
        keys, place = np.unique(account.astype(np.int64) * n_securities + security, return_inverse=True)
        position = np.full(self.size, -1, np.int32)
        position[: len(place)] = place
        of, code = keys // n_securities, keys % n_securities
        held = np.zeros(len(keys))
        at = np.searchsorted(keys, self.owner * n_securities + household.security)
        at = np.minimum(at, len(keys) - 1)
        found = keys[at] == self.owner * n_securities + household.security if len(keys) else np.zeros(0, bool)
        held[at[found]] = self.worth[found] / self.value
        least = settings.least_trade(self.account_value[of], household.accounts.fee[of])
        share = market.price[code] / self.value if settings.whole_shares else np.zeros(len(keys))
        wash = np.full(self.size, -1, np.int32)
        if settings.wash == "avoid":
            loss = (self.sell_lot >= 0) & (self.sell_gain < 0) & (self.sell_upper > _DUST)
            sold = market.wash_group[household.security[self.sell_holding]]
            bought = market.wash_group[self.buy_security]
            both = np.intersect1d(sold[loss], bought[self.buy_upper > 0])
            n_buys = len(self.buy_account)
            wash[:n_buys] = np.where(np.isin(bought, both), bought, -1)
            wash[n_buys : n_buys + len(sold)] = np.where(loss & np.isin(sold, both), sold, -1)
        return Integrality(position, share, held, least / self.value, wash)


def gain_budget(household: Household, settings: Settings, value: float) -> float | None:
    """The household's budget of net gain a year in dollars: its own, else the firm's default; None for no limit."""
    if household.tax.gain_budget is not None:
        return household.tax.gain_budget
    return None if settings.default_gain_budget is None else settings.default_gain_budget * value


_COLUMN_TYPES = {
    "quadratic": np.float64, "linear": np.float64, "lower": np.float64, "upper": np.float64, "line": np.int32,
    "line_coefficient": np.float64, "kind": np.int32,
}  # fmt: skip
_COLUMN_DEFAULTS: dict[str, float] = {
    "quadratic": 0.0, "linear": 0.0, "lower": 0.0, "upper": 0.0, "line": -1, "line_coefficient": 0.0, "kind": 0,
}  # fmt: skip
