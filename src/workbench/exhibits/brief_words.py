"""The clauses of a brief: reasons, obstacles, limits and dates of a proposal in words, always by the same rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.firm.schema import REGISTRATION_NAMES
from workbench.rebalance.proposal import Conflict, Limit, LotSale, Obstacle, Reason, Refusal, Side, WashRow
from workbench.report import format as fmt
from workbench.report.format import clipped as clipped

#: What stood against a trade. Each reads on after "because of" or stands alone.
OBSTACLES: Mapping[Obstacle, str] = {
    "never_buy": "a never-buy restriction",
    "never_sell": "a never-sell restriction",
    "never_hold": "a never-hold restriction",
    "screen": "the client's screen",
    "hold_lot": "a lot to be held",
    "max_weight": "a cap on its weight",
    "menu": "the plan's menu",
    "wash_sale": "the wash sale rule",
    "gain_budget": "the gain budget",
    "tax": "its tax, more than it would bring",
    "cost": "its cost, more than it would bring",
    "band": "its band, which it is within",
    "minimum_trade": "the smallest trade allowed",
    "cash_floor": "the cash the account must keep",
    "unknown_basis": "a lot of unknown cost",
    "no_price": "a missing price",
    "not_discretionary": "the account's client, who must agree first",
    "mode": "the purpose of this proposal",
}  # fmt: skip

#: Tracking that a limit costs, in basis points, below which it prints as none.
LEAST_BP = 0.05
#: Changes of weight that print as none.
UNMOVED = 0.0005

#: Registrations in a table's cell.
SHORT_REGISTRATIONS: Mapping[str, str] = REGISTRATION_NAMES | {
    "taxable": "Taxable",
    "trust": "Trust",
    "traditional_ira": "IRA",
    "roth_ira": "Roth",
    "inherited_ira": "Inh. IRA",
    "529": "529",
}

MODES: Mapping[str, str] = {
    "full": "Full rebalance",
    "raise_cash": "Raise cash",
    "invest_cash": "Invest cash",
    "harvest": "Harvest losses",
    "transition": "Transition",
    "direct_index": "Direct index",
}

_LIMITS: Mapping[str, str] = {
    "gain_budget": "gain budget",
    "cash_floor": "cash floor",
    "cash_ceiling": "cash ceiling",
    "max_weight": "cap",
}


def registration(kind: str) -> str:
    """Call a kind of account as people do; one that is not of the list stays as the firm spells it."""
    return REGISTRATION_NAMES.get(kind, kind)


def dollars(amount: float) -> str:
    """Write an amount for a headline: in full below a million."""
    return fmt.usd(amount) if abs(amount) < 999_999.5 else fmt.usd_short(amount)


def joined(words: Sequence[str], most: int = 4) -> str:
    """List words: "a, b and c", "a, b and 3 more"."""
    if len(words) > most:
        return f"{', '.join(words[: most - 1])} and {len(words) - most + 1} more"
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def why(reason: Reason, side: Side) -> str:
    """Say why a trade is made, beside the columns that say which: "Brings US equity to 40.1% (target 40.0%)"."""
    moved = _moved(reason)
    if reason.cause in ("overweight", "underweight") and _against(reason, side):
        return f"Restores the mix within {moved}."
    still = abs(reason.weight_after - reason.weight_before) < UNMOVED
    words = {
        "overweight": moved if still else f"Brings {moved}",
        "underweight": moved if still else f"Brings {moved}",
        "off_model": f"Not in the model: {moved}",
        "harvest": "Harvests a loss" if still else f"Harvests a loss; {moved}",
        "replacement": f"In place of {reason.replaces}" if reason.replaces else f"Replaces what is sold; {moved}",
        "raise_cash": f"Raises cash; {moved}",
        "invest_cash": f"Invests cash; {moved}",
        "location": "Moved between accounts, to where its tax is lower",
        "restriction": f"Required by a restriction; {moved}",
        "transition": f"A step of the transition; {moved}",
    }[reason.cause]
    if reason.replaced_by:
        words += f"; replaced by {reason.replaced_by}"
        words += f" until {fmt.short_date(reason.until)}" if reason.until else ""
    if reason.turns_long is not None:
        saved, day = fmt.usd(reason.waiting_saves), fmt.short_date(reason.turns_long)
        words += f"; waiting until {day}, when it turns long-term, would save {saved} of tax"
    return words + "."


def _against(reason: Reason, side: Side) -> bool:
    """Whether all trades together move a weight the other way than this one does."""
    change = reason.weight_after - reason.weight_before
    return change < -UNMOVED if side == "buy" else change > UNMOVED


def _moved(reason: Reason) -> str:
    before, after = fmt.percent(reason.weight_before), fmt.percent(reason.weight_after)
    way = (
        f"stays at {after}"
        if abs(reason.weight_after - reason.weight_before) < UNMOVED
        else f"from {before} to {after}"
    )
    return f"{clipped(reason.key, 40)} {way} (target {fmt.percent(reason.target)})"


def lots(sales: Sequence[LotSale], most: int = 2) -> str:
    """Name the lots a sale takes, largest gain or loss first: "Lot: 15 bought 15 Mar 2021, long-term −$593."."""
    if not sales:
        return ""
    first = sorted(sales, key=lambda sale: (-abs(sale.gain or 0.0), sale.lot_id))
    words = [f"{fmt.shares(sale.shares)} bought {_bought(sale)}, {_gain(sale)}" for sale in first[:most]]
    more = f"; {len(sales) - most} more" if len(sales) > most else ""
    return f"{'Lot' if len(sales) == 1 else 'Lots'}: {'; '.join(words)}{more}."


def _bought(sale: LotSale) -> str:
    return fmt.short_date(sale.acquired_on) if sale.acquired_on is not None else "on a day not known"


def _gain(sale: LotSale) -> str:
    if sale.gain is None:
        return "cost not known"
    if sale.term == "untaxed":
        return "untaxed"
    term = {"short": "short-term ", "long": "long-term "}.get(sale.term, "")
    held_back = f", {fmt.usd(sale.disallowed)} of it disallowed" if sale.disallowed else ""
    if sale.disallowed and sale.disallowed >= -sale.gain - 0.005:
        held_back = ", all disallowed"
    return f"{term}{fmt.usd(sale.gain)}{held_back}"


def refusal(refused: Refusal, ending: str) -> str:
    """Say what stood against a trade that would have helped, and until when."""
    words = f"in ··{ending}: {OBSTACLES[refused.obstacle]}"
    words += f" ({clipped(refused.source, 24)})" if refused.source else ""
    return words + (f", until {fmt.short_date(refused.until)}" if refused.until else "") + "."


def conflict(one: Conflict) -> str:
    """Say which demands cannot all hold, what was missed by how much, and what a person can do about it."""
    if len(one.parties) < 2:
        return f"{joined(one.parties)}: {one.remedy}"
    missed = f": {one.violated} missed by {fmt.usd(one.amount)}" if one.amount >= 0.005 else ""
    return f"{joined(one.parties)} cannot all hold{missed}; {one.remedy}"


def limit(bound: Limit, ending: str | None) -> tuple[str, str]:
    """Return a binding limit's name and what it costs: "Gain budget of $5,000 costs 4 bp of tracking error"."""
    name = _LIMITS.get(bound.kind, bound.kind.replace("_", " "))
    where = f" in ··{ending}" if ending else ""
    basis_points = bound.tracking_bp or 0.0
    cost = f"costs {fmt.number(basis_points, 0 if basis_points >= 1 else 1)} bp of tracking error"
    return name[:1].upper() + name[1:], f"of {fmt.usd(bound.bound)}{where} {cost}."


def wash(rows: Sequence[WashRow]) -> tuple[str, str]:
    """Return lines of the wash calendar of one rule and the same days as one: what may not be done, when and why."""
    first = rows[0]
    names = joined(list(dict.fromkeys(name for row in rows for name in row.securities)), 5)
    days = f"{fmt.short_date(first.first_day)} to {fmt.short_date(first.last_day)}"
    source = f" ({clipped(first.source, 40)})" if len(rows) == 1 else ""
    told = f"{days}, after {'this proposal' if first.proposed else 'past trades'}{source}."
    return (f"Do not buy {names}:" if first.kind == "no_buy" else f"No sale of {names} at a loss:"), told
