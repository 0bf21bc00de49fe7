"""What is proposed for a household: its trades, why one of them, why not another, and what it would cost."""

from __future__ import annotations

import re

from workbench.copilot.gather import Gathered
from workbench.copilot.topics.asked import Asked, NotInRecordError
from workbench.copilot.topics.drift import LISTED
from workbench.copilot.topics.on_file import restrictions
from workbench.drafting import FactSheet
from workbench.drafting.sheets.gathering import either
from workbench.rebalance import Proposal
from workbench.rebalance.proposal import Trade

_TABLES = ("positions", "lots", "prices", "model_targets", "restrictions")
#: Words of trades that were made, and of those that are proposed.
_MADE = re.compile(r"\b(?:sold|bought|traded|harvested|did|was|were|so far)\b")
_PLANNED = re.compile(r"\b(?:being|be|propos\w+|plan\w*|package|by the)\b")


def _about(asked: Asked, route: str) -> tuple[Gathered, str, Proposal]:
    gathered = Gathered(asked.record, route)
    key = gathered.household(str(asked.household))
    gathered.about(key)
    gathered.name("subject", key)
    gathered.day()
    gathered.read("rebalance.propose", f"proposal for {asked.household}", *_TABLES)
    return gathered, key, asked.record.proposal(str(asked.household))


def _mine(asked: Asked, proposal: Proposal) -> list[Trade]:
    found = [trade for trade in proposal.trades if asked.account in (None, trade.account_id)]
    if asked.security:
        found = [trade for trade in found if trade.security_id == asked.security]
    return sorted(found, key=lambda trade: (-trade.amount, trade.account_id, trade.security_id))


def proposed(asked: Asked) -> tuple[FactSheet, str]:
    """How many trades, what is bought and sold, the largest, the tax and the cost."""
    _of_proposed(asked)
    gathered, key, proposal = _about(asked, "trades")
    side = _side(asked.text)
    trades = [trade for trade in _mine(asked, proposal) if side in ("", trade.side)]
    of = [key]
    if asked.account:
        of = [gathered.account(asked.account)]
        gathered.about(of[0])
        gathered.name("account", of[0])
    if asked.security:
        of = [*of, gathered.security(asked.security)]
        gathered.name("security", of[-1])
    gathered.fact(f"{side}s" if side else "count", "count", len(trades), "ask_trades", of)
    for one in ("buy", "sell"):
        total = sum(trade.amount for trade in trades if trade.side == one)
        if total:
            gathered.fact(one, "money", total, "ask_traded", of, (one,))
    if trades and not side and not asked.account and not asked.security:
        _costs(gathered, key, proposal)
    for place, trade in enumerate(trades[:LISTED], start=1):
        _trade(gathered, f"trade.{place}", trade)
    return gathered.done(), "answer_trades"


def _of_proposed(asked: Asked) -> None:
    """Raise `NotInRecordError` for a question of trades that were made."""
    if _MADE.search(asked.text) and not _PLANNED.search(asked.text):
        raise NotInRecordError("I answer for trades that are proposed, not for those that were made.")


def _side(text: str) -> str:
    """The side that a question asks for alone; "" for both."""
    buys = re.search(r"\b(?:buy|buys|buying|bought|purchas\w+)\b", text) is not None
    sells = re.search(r"\b(?:sell|sells|selling|sold|sales?)\b", text) is not None
    return "" if buys == sells else "buy" if buys else "sell"


def cost(asked: Asked) -> tuple[FactSheet, str]:
    """Tax and trading cost of the proposal, gains realised, tracking error before and after."""
    gathered, key, proposal = _about(asked, "cost")
    gathered.fact("count", "count", len(proposal.trades), "ask_trades", [key])
    _costs(gathered, key, proposal)
    table = proposal.tax_table
    for term, amount in (("short", table.proposed_short), ("long", table.proposed_long)):
        if abs(amount) >= 0.5:
            side = "gain" if amount > 0 else "loss"
            gathered.fact(f"{term}.{side}", "money", amount, "ask_sale_gain", [key], (side, term))
    return gathered.done(), "answer_cost"


def harvested(asked: Asked) -> tuple[FactSheet, str]:
    """The losses that the proposal harvests."""
    _of_proposed(asked)
    gathered, key, proposal = _about(asked, "harvested")
    gathered.fact("losses", "money", proposal.tax_table.losses_harvested, "ask_harvested", [key], ("loss",))
    return gathered.done(), "answer_harvested"


def _costs(gathered: Gathered, key: str, proposal: Proposal) -> None:
    side = "owed" if proposal.tax > 0.5 else "saved" if proposal.tax < -0.5 else "none"
    gathered.fact(f"tax.{side}", "money", proposal.tax, "ask_sale_tax", [key], () if side == "none" else (side,))
    gathered.fact("cost", "money", proposal.cost, "ask_cost", [key], decimals=2)


def why(asked: Asked) -> tuple[FactSheet, str]:
    """Why a security is bought or sold; where it is not traded, what stands against it."""
    gathered, _, proposal = _about(asked, "why_trade")
    other = gathered.security(str(asked.security))
    gathered.name("security", other)
    trades = _mine(asked, proposal)
    if not trades:
        return why_not(asked)
    for place, trade in enumerate(trades[:LISTED], start=1):
        _trade(gathered, f"trade.{place}", trade)
        reason = trade.reason
        of = gathered.key(reason.level, reason.key)
        gathered.name(f"trade.{place}.{reason.cause}.key", of)
        model = gathered.model(next(one.model_id for one in proposal.groups if one.group == reason.group))
        gathered.about(model)
        id = f"trade.{place}.reason"
        gathered.fact(f"{id}.before", "percent", reason.weight_before, "ask_weight", [of], ("before",))
        gathered.fact(f"{id}.after", "percent", reason.weight_after, "ask_weight", [of], ("after",))
        gathered.fact(f"{id}.target", "percent", reason.target, "ask_target", [of])
        if reason.until:
            gathered.fact(f"{id}.until", "date", reason.until.isoformat(), "ask_until", [other])
    return gathered.done(), "answer_why_trade"


def why_not(asked: Asked) -> tuple[FactSheet, str]:
    """What stood against trading a security, or against all that was left undone."""
    if asked.security is None and not re.search(r"propos|undone|left|package|plan|trade", asked.text):
        raise NotInRecordError("Please name the security, or ask for the restrictions on file.")
    gathered, _, proposal = _about(asked, "why_not")
    refused = [one for one in proposal.refused if asked.account in (None, one.account_id)]
    if asked.security:
        gathered.name("security", gathered.security(asked.security))
        side = _side(asked.text)
        refused = [one for one in refused if one.security_id == asked.security and side in ("", one.side)]
        if any(trade.security_id == asked.security for trade in _mine(asked, proposal)):
            return why(asked)
    if not refused and asked.security and _restricted(asked):
        return restrictions(asked)
    if not refused:
        raise NotInRecordError(
            "The proposal gives no reason for that: it neither trades it nor names what stands against it."
        )
    if not asked.security:
        # Somebody who asks why nothing is traded hears first what is.
        of = [gathered.account(asked.account) if asked.account else f"household:{asked.household}"]
        gathered.about(of[0])
        gathered.name("of", of[0])
        gathered.fact("count", "count", len(_mine(asked, proposal)), "ask_trades", of)
    refused.sort(key=lambda one: (-(one.amount or 0.0), one.account_id, one.security_id))
    for place, one in enumerate(refused[:LISTED], start=1):
        account, security = gathered.account(one.account_id), gathered.security(one.security_id)
        id = f"refused.{place}.{one.obstacle}"
        gathered.name(f"{id}.account", account)
        gathered.name(f"{id}.security", security)
        if one.amount:
            gathered.fact(f"{id}.{one.side}", "money", one.amount, "ask_undone", [account, security], (one.side,))
        reason = asked.record.restrictions.set_index("restriction_id")["reason"].get(one.source or "")
        if isinstance(reason, str) and reason.strip():
            gathered.fact(f"{id}.reason", "quote", reason, "quoted", [account])
        if one.until:
            gathered.fact(f"{id}.until", "date", one.until.isoformat(), "ask_until", [security])
    return gathered.done(), "answer_why_not"


def _restricted(asked: Asked) -> bool:
    """Whether a restriction in force here names the security and can stand against the side asked about."""
    table = asked.record.restrictions
    table = table[table["scope_id"].isin({*asked.accounts, str(asked.household)}) & (table["key"] == asked.security)]
    other = {"buy": "never_sell", "sell": "never_buy"}.get(_side(asked.text), "")
    return bool((table["kind"] != other).any())


def _trade(gathered: Gathered, id: str, trade: Trade) -> None:
    account, security = gathered.account(trade.account_id), gathered.security(trade.security_id)
    gathered.name(f"{id}.account", account)
    gathered.name(f"{id}.security", security)
    of = [account, security]
    gathered.fact(f"{id}.{trade.side}", "shares", trade.shares, "ask_traded_shares", of, (trade.side,))
    gathered.fact(f"{id}.amount", "money", trade.amount, "ask_traded", of, (trade.side,))
    gain = trade.gain_short + trade.gain_long
    if trade.side == "sell" and abs(gain) >= 0.5:
        side = "gain" if gain > 0 else "loss"
        gathered.fact(f"{id}.{side}", "money", gain, "ask_sale_gain", of, either(gain, "gain", "loss"))
