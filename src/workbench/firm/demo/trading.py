"""How the firm trades an account: the model as the account may hold it, the review, the orders and the lots sold.

Rules, all the firm's: at the review a security outside its band or an asset class outside its own triggers a full
rebalance; in taxed accounts gains held a year or less are not taken, losses and the highest cost go first, and the
year's long-term gains stay within the household's budget; other accounts sell first in, first out. Whole shares,
except in small accounts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from workbench.firm.demo.ledger import UNITS, Ledger, Lot, is_long_term
from workbench.firm.demo.models import TOLERANCES
from workbench.firm.demo.panel import Panel
from workbench.firm.demo.people import AccountPlan
from workbench.firm.schema import CASH

#: Orders below this part of the account's value are not worth a ticket.
SMALLEST_ORDER = 0.0015
#: Weight below which a class has nothing left to take over what is banned.
_NOTHING = 1e-9
_BAND = {level: (absolute, relative) for level, key, absolute, relative in TOLERANCES if key == "*"}


@dataclass(frozen=True)
class Version:
    """A model version as arrays over the panel's securities; `cash` is the target of CASH."""

    number: int
    effective: pd.Timestamp
    weights: np.ndarray
    cash: float


@dataclass(frozen=True)
class Order:
    """Units to sell (negative) or buy, decided on one day and executed on that or a later one.

    A sale takes the `lots` it names whole; else those the firm's rule chooses, or, where it is `forced`, whatever it
    takes. Sales that raise a client's cash are of origin `client`.
    """

    security: int
    units: int
    origin: str = "rebalance"
    lots: tuple[Lot, ...] | None = None
    forced: bool = False


def after_split(order: Order, security: int, ratio: float) -> Order:
    """Return the order in new shares where its security has split."""
    if order.security != security:
        return order
    return replace(order, units=round(order.units * ratio / UNITS) * UNITS)


def versions_by_model(tables: pd.DataFrame, targets: pd.DataFrame, panel: Panel) -> dict[str, list[Version]]:
    """Return every version that is not a draft, by model, in order of effective date."""
    column = {security: i for i, security in enumerate(panel.security_ids)}
    summed = targets.groupby(["model_id", "version", "security_id"])["target"].sum()
    result: dict[str, list[Version]] = {}
    for row in tables[tables["status"] != "draft"].itertuples():
        weights, cash = np.zeros(len(column)), 0.0
        for security, target in summed[row.model_id, row.version].items():
            if security == CASH:
                cash = float(target)
            else:
                weights[column[security]] = target
        result.setdefault(row.model_id, []).append(Version(row.version, row.effective_date, weights, cash))
    return result


def allowed_weights(weights: np.ndarray, banned: np.ndarray, caps: np.ndarray, asset_class: np.ndarray) -> np.ndarray:
    """Return a version's weights as the account may hold them, all arrays over the panel's securities.

    What it may not hold, or not so much of, goes to the uncapped rest of the asset class, pro rata; with
    nothing left there, to cash.
    """
    allowed = np.minimum(np.where(banned, 0.0, weights), caps)
    for code in np.unique(asset_class[allowed < weights]):
        inside = asset_class == code
        free = inside & ~banned & (caps >= 1.0)
        if allowed[free].sum() > _NOTHING:
            allowed[free] *= 1.0 + (weights[inside].sum() - allowed[inside].sum()) / allowed[free].sum()
    return np.minimum(allowed, caps)


def outside_bands(weights: np.ndarray, target: np.ndarray, asset_class: np.ndarray) -> bool:
    """Tell whether a security or an asset class is outside its band: the tighter of absolute and relative."""
    if _outside("security", weights, target):
        return True
    size = int(asset_class.max()) + 1
    return _outside("asset_class", np.bincount(asset_class, weights, size), np.bincount(asset_class, target, size))


def _outside(level: str, weights: np.ndarray, target: np.ndarray) -> bool:
    absolute, relative = _BAND[level]
    band = np.full(len(target), np.inf if absolute is None else absolute)
    if relative is not None:
        band = np.where(target > 0, np.minimum(band, relative * target), band)
    return bool((np.abs(weights - target) > band).any())


def rebalance_orders(
    plan: AccountPlan, held: np.ndarray, cash: float, weights: np.ndarray, mark: np.ndarray, blocked: set[int]
) -> list[Order]:
    """Return the orders that bring the account to `weights`; `held` in units, `mark` in dollars a share.

    `blocked` securities are not bought: a loss was just taken in them. Never-sold securities are not sold.
    """
    priced = np.nan_to_num(mark)
    values = held / UNITS * priced
    total = values.sum() + cash
    step = 1 if plan.fractional else UNITS
    orders = []
    gaps = weights * total - values
    for security in np.nonzero(np.abs(gaps) > SMALLEST_ORDER * total)[0]:
        if not priced[security]:
            continue
        wanted = gaps[security] / priced[security] * UNITS
        units = int(np.trunc(wanted / step)) * step if weights[security] else -int(held[security])
        if units and not (units > 0 and int(security) in blocked):
            orders.append(Order(int(security), units))
    return orders


def raising_orders(
    plan: AccountPlan, values: np.ndarray, held: np.ndarray, dollars: float, weights: np.ndarray, mark: np.ndarray,
    keeps: frozenset[int],
) -> list[Order]:  # fmt: skip
    """Return sales that raise at least `dollars`, from the most overweight security down."""
    total = max(float(values.sum()), 1e-9)
    over = values / total - weights
    step = 1 if plan.fractional else UNITS
    orders, missing = [], dollars
    for security in np.argsort(-over, kind="stable").tolist():
        if missing <= 0:
            break
        if security in keeps or values[security] <= 0:
            continue
        room = max(over[security] * total, 0.25 * values[security])
        wanted = min(missing * 1.002, room, values[security]) / mark[security] * UNITS
        units = min(int(np.ceil(wanted / step)) * step, int(held[security]))
        orders.append(Order(security, -units, "client"))
        missing -= units / UNITS * mark[security]
    return orders


def all_lots(ledger: Ledger, security: int, units: int) -> list[tuple[Lot, int]]:
    """Return lots for a sale the client orders whatever the tax: highest cost first."""
    parts = []
    for lot in sorted(ledger.lots.get(security, ()), key=lambda x: (-x.cost, x.lot_id)):
        take = min(lot.units, units)
        if take > 0:
            parts.append((lot, take))
            units -= take
    return parts


def lots_to_sell(
    plan: AccountPlan, ledger: Ledger, security: int, units: int, price: float, day: int, gain_room: float
) -> list[tuple[Lot, int]]:
    """Choose the lots for a sale; in taxed accounts no short-term gain, and long-term gain up to `gain_room`.

    May return fewer units than asked: the rest stays overweight.
    """
    lots = [lot for lot in ledger.lots.get(security, ()) if lot.lot_id not in plan.held_lots]
    if plan.taxed:
        lots = [lot for lot in lots if price <= lot.cost or is_long_term(lot.acquired, day)]
        lots.sort(key=lambda lot: (-lot.cost, lot.lot_id))
    else:
        lots.sort(key=lambda lot: (lot.acquired, lot.lot_id))
    parts = []
    step = 1 if plan.fractional else UNITS
    for lot in lots:
        take = min(lot.units, units)
        gain = price - lot.cost
        if plan.taxed and gain > 0 and take / UNITS * gain > gain_room:
            take = int(gain_room / gain * UNITS / step) * step
        if take <= 0:
            continue
        parts.append((lot, take))
        gain_room -= max(take / UNITS * gain, 0.0)
        units -= take
        if units <= 0:
            break
    return parts
