"""What may not be bought or sold in a household, where, until when, and because of which record."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np

from workbench.rebalance.household import Household, Market, Restriction
from workbench.rebalance.proposal import Conflict, Obstacle
from workbench.rebalance.settings import Settings


@dataclass(frozen=True)
class Bar:
    """One obstacle: its kind, the record it comes from, the first day it is gone (None: not known)."""

    obstacle: Obstacle
    source: str | None = None
    until: date | None = None


@dataclass(frozen=True)
class Cap:
    """The most of some securities, as a fraction of an account's value, or of the household's (`account` -1)."""

    account: int
    securities: tuple[int, ...]
    weight: float
    kind: str
    entity: str
    source: str


@dataclass
class Obstacles:
    """What stands in the way, by (account, security), by lot and by wash group.

    `no_loss` holds for each wash group the recent purchases: (lot or record, bar). A lot that is itself the only recent
    purchase may be sold at a loss, for nothing replaces it.
    """

    no_buy: dict[tuple[int, int], Bar] = field(default_factory=dict)
    no_sell: dict[tuple[int, int], Bar] = field(default_factory=dict)
    held_lots: dict[str, Bar] = field(default_factory=dict)
    must_sell: dict[tuple[int, int], Bar] = field(default_factory=dict)
    no_buy_group: dict[int, Bar] = field(default_factory=dict)
    no_loss: dict[int, list[tuple[str, Bar]]] = field(default_factory=dict)
    caps: list[Cap] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)

    def loss_bar(self, group: int, lot_id: str) -> Bar | None:
        """Return what forbids to realise a loss on a lot of a wash group, if anything does."""
        for source, bar in self.no_loss.get(group, ()):
            if source != lot_id:
                return bar
        return None


def securities_named(market: Market, key: str) -> tuple[int, ...]:
    """Securities that a restriction's key names: one security or, failing that, an issuer, sector or asset class."""
    if key in market.code:
        return (market.code[key],)
    for names in (market.issuer, market.sector, market.asset_class):
        found = tuple(place for place, name in enumerate(names) if name == key)
        if found:
            return found
    return ()


def obstacles(household: Household, settings: Settings) -> Obstacles:
    """Collect every obstacle of a household.

    A security that may not be held (`never_hold`, `screen`) may not be bought either and is sold where it is held;
    `never_sell` and `hold_lot` are stronger, and the contradiction is reported as a conflict.
    """
    result = Obstacles()
    if not household.restrictions and not household.wash and settings.issuer_cap is settings.sector_cap is None:
        return result
    for restriction in household.restrictions:
        _add(result, household, restriction)
    _firm_caps(result, household, settings)
    _wash(result, household, settings)
    _contradictions(result, household)
    return result


def _add(result: Obstacles, household: Household, restriction: Restriction) -> None:
    market, kind = household.market, restriction.kind
    wrong = _wrong_value(restriction)
    if wrong is not None:
        result.conflicts.append(_to_correct(restriction, wrong))
        return
    if kind == "hold_lot":
        if restriction.key not in set(map(str, household.lots.ids)):
            result.conflicts.append(
                _to_correct(restriction, f"correct or end it: {restriction.key!r} names no lot that is held")
            )
        result.held_lots[restriction.key] = Bar("hold_lot", restriction.restriction_id, restriction.expires_on)
        return
    if kind == "screen":
        named = tuple(place for place, screens in enumerate(market.screens) if restriction.key in screens)
    elif kind in ("never_buy", "never_sell", "never_hold", "max_weight"):
        named = securities_named(market, restriction.key)
    else:
        return
    if not named:
        named_by = "screen of a security" if kind == "screen" else "security, issuer, sector or asset class"
        remedy = f"correct the key {restriction.key!r}: it names no {named_by}"
        result.conflicts.append(_to_correct(restriction, remedy))
        return
    if kind == "max_weight" and restriction.value is not None:
        source = restriction.restriction_id
        result.caps.append(Cap(restriction.account, named, restriction.value, "max_weight", restriction.key, source))
        return
    bar = Bar(kind, restriction.restriction_id, restriction.expires_on)  # type: ignore[arg-type]
    where = [restriction.account] if restriction.account >= 0 else range(len(household.accounts.ids))
    for account in where:
        for security in named:
            if kind == "never_sell":
                result.no_sell.setdefault((account, security), bar)
            else:
                result.no_buy.setdefault((account, security), bar)
                if kind != "never_buy":
                    result.must_sell.setdefault((account, security), bar)


def _wrong_value(restriction: Restriction) -> str | None:
    """What is wrong with a value that a restriction's kind needs; a directive may be words alone."""
    kind, value = restriction.kind, restriction.value
    if kind == "max_weight" and not (value is not None and 0.0 <= value <= 1.0):
        return f"correct the value {value}: the most that may be held, as a fraction from 0 to 1"
    if kind == "min_cash" and not (value is not None and value >= 0.0):
        return f"correct the value {value}: the cash to keep, in dollars from 0 on"
    if kind == "directive" and value is not None and value < 0.0:
        return f"correct the value {value}: the cash to raise, in dollars from 0 on"
    return None


def _to_correct(restriction: Restriction, remedy: str) -> Conflict:
    """A record that cannot be obeyed as it stands: nothing is done because of it, and it is named."""
    name = f"{restriction.kind} {restriction.restriction_id}"
    return Conflict((name,), remedy, name, 0.0)


def _firm_caps(result: Obstacles, household: Household, settings: Settings) -> None:
    """The firm's own limits on one issuer and one sector, funds excepted, where the household comes near them."""
    market = household.market
    for cap, names, kind in (
        (settings.issuer_cap, market.issuer, "issuer_cap"),
        (settings.sector_cap, market.sector, "sector_cap"),
    ):
        if cap is None:
            continue
        members: dict[str, list[int]] = {}
        for place, name in enumerate(names):
            if market.kinds[place] in ("stock", "bond"):
                members.setdefault(name, []).append(place)
        for name, listed in members.items():
            result.caps.append(Cap(-1, tuple(listed), cap, kind, name, kind))


def _wash(result: Obstacles, household: Household, settings: Settings) -> None:
    """26 CFR 1.1091-1: purchases and sales at a loss of the same thing may not lie within 30 days of each other."""
    if settings.wash == "priced":
        return
    for event in household.wash:
        until = event.last_day + timedelta(days=1)
        if event.kind == "loss_sale":
            known = result.no_buy_group.get(event.group)
            if known is None or known.until is None or known.until < until:
                result.no_buy_group[event.group] = Bar("wash_sale", event.source, until)
        elif event.kind == "purchase" or settings.expect_reinvestment:
            result.no_loss.setdefault(event.group, []).append((event.source, Bar("wash_sale", event.source, until)))


def _contradictions(result: Obstacles, household: Household) -> None:
    """A holding that must go and may not be sold: the seller's prohibition rules, and the pair is named."""
    rows = range(len(household.security))
    owner = np.repeat(np.arange(len(household.accounts.ids)), np.diff(household.account_ptr))
    worth = household.quantity * np.nan_to_num(household.market.price[household.security])
    held = {(int(owner[h]), int(household.security[h])): float(worth[h]) for h in rows}
    for place in sorted(set(result.must_sell) & set(result.no_sell)):
        stays, goes = result.no_sell[place], result.must_sell.pop(place)
        if place not in held:
            continue
        name = f"{household.market.ids[place[1]]} in {household.accounts.ids[place[0]]}"
        result.conflicts.append(
            Conflict(
                (f"{goes.obstacle} {goes.source}", f"{stays.obstacle} {stays.source}"),
                f"lift one of the two; until then {name} is neither sold nor bought",
                f"{goes.obstacle} {goes.source}",
                round(held[place], 2),
            )
        )
