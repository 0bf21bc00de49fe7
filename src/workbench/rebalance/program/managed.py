"""What of a household is managed: its groups of accounts, their value, and one line for each security of each group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.rebalance._obstacles import Obstacles, obstacles
from workbench.rebalance._places import misplacement
from workbench.rebalance.household import TAXED, Flags, Floats, Household, Ints, Market
from workbench.rebalance.program.costs import LEAST_SHARE
from workbench.rebalance.settings import Settings


@dataclass(frozen=True, eq=False)
class Managed:
    """The household at today's prices: A accounts, H holdings, G groups of accounts, R lines.

    Amounts are fractions of `value` (dollars), but `worth`, `account_value` and `group_value`. `group` (A) is -1 for an
    account of no model; `named` lists the securities that each group buys; `holding_line` (H) is -1 for what is not
    tradable; `line_weight` is a line's target within its group; `places` (A x S) the yearly cost of location.
    """

    household: Household
    settings: Settings
    obstacles: Obstacles
    group: Ints
    owner: np.ndarray
    price: Floats
    worth: Floats
    account_value: Floats
    value: float
    group_value: Floats
    group_model: Ints
    share: Floats
    tradable: Flags
    taxed: Flags
    named: list[np.ndarray]
    line_keys: np.ndarray
    line_group: Ints
    line_security: Ints
    holding_line: Ints
    line_held: Floats
    line_weight: Floats
    line_target: Floats
    places: Floats

    @property
    def market(self) -> Market:
        """The firm's securities."""
        return self.household.market


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


def managed(household: Household, settings: Settings) -> Managed | None:
    """Value a household and lay out its lines; None where there is nothing of value to manage."""
    accounts, market = household.accounts, household.market
    n = len(accounts.ids)
    group = groups_of(household, settings)
    owner = np.repeat(np.arange(n), np.diff(household.account_ptr))
    price = market.price[household.security]
    price = np.where((price > 0) & (household.quantity > 0), price, 0.0)
    worth = price * household.quantity
    account_value = accounts.cash + np.bincount(owner, weights=worth, minlength=n)
    of_group = group >= 0
    value = float(account_value[of_group].sum()) if of_group.any() else 0.0
    if value <= 0.01:
        return None
    n_groups = int(group.max()) + 1
    group_value: Floats = np.bincount(group[of_group], account_value[of_group], n_groups).astype(np.float64)
    group_model = np.zeros(n_groups, np.int32)
    group_model[group[of_group]] = accounts.model[of_group]
    tradable = (group[owner] >= 0) & (price > 0)
    # A group of next to no value has nothing to track; the floor keeps its price of risk within reason.
    share = np.maximum(group_value / value, LEAST_SHARE)
    named, keys, holding_line = _lines(household, group[owner], group_model, tradable)
    n_securities = len(market.ids)
    line_group, line_security = (keys // n_securities).astype(np.int32), (keys % n_securities).astype(np.int32)
    held = np.bincount(holding_line[tradable], weights=worth[tradable], minlength=len(keys)) / value
    target = household.models.target[group_model[line_group], line_security]
    if settings.off_model == "keep":
        target = _around_kept(target, held, line_group, share)
    return Managed(
        household, settings, obstacles(household, settings), group, owner, price, worth, account_value, value,
        group_value, group_model, share, tradable, accounts.treatment[owner] == TAXED, named, keys, line_group,
        line_security, holding_line, held, target, target * share[line_group],
        misplacement(household, group, settings),
    )  # fmt: skip


def _lines(
    household: Household, held_group: np.ndarray, group_model: Ints, tradable: Flags
) -> tuple[list[np.ndarray], np.ndarray, Ints]:
    """Securities each group buys, keys of lines (group x S + security), and the line of each holding.

    A line stands for each security of a group's model and for each one held beside it.
    """
    market, models = household.market, household.models
    n_securities = len(market.ids)
    security, group = household.security[tradable], held_group[tradable]
    held_line = group.astype(np.int64) * n_securities + models.stands_for[group_model[group], security]
    priced = (market.price > 0) & ~market.is_cash
    named = [np.flatnonzero((models.target[m] > 0) & priced) for m in group_model]
    keys = np.unique(np.concatenate([held_line, *(g * n_securities + codes for g, codes in enumerate(named))]))
    holding_line = np.full(len(tradable), -1, np.int32)
    holding_line[tradable] = np.searchsorted(keys, held_line)
    return named, keys, holding_line


def _around_kept(target: Floats, held: Floats, line_group: Ints, share: Floats) -> Floats:
    """Targets where holdings beside the model stay: they are their own target, and the model shares the rest."""
    kept = np.where(target == 0, held / share[line_group], 0.0)
    off = np.bincount(line_group, weights=kept, minlength=len(share))
    return np.where(target == 0, kept, target * np.maximum(1.0 - off[line_group], 0.0))
