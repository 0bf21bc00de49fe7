"""Facts of what is on file of a household: notes in their own words, restrictions in force, recent cash."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.drafting.on_file import Extras, Restriction
from workbench.drafting.sheets.gathering import Gathering
from workbench.drafting.sheets.household_readings import ACCOUNTS, NOTES, RESTRICTIONS, TRANSACTIONS
from workbench.report.format import clipped

#: Characters of a note that are quoted.
QUOTED = 300
#: What an instruction about a security bars.
_BARS = {"never_buy": ("buy",), "never_sell": ("sell",), "never_hold": ("buy",)}


def note_facts(facts: Gathering, extras: Extras, household: str, accounts: Mapping[str, str]) -> None:
    """Add `note.1` newest first, `met` the last meeting, `restriction.1`, and `flow.1` newest first."""
    for place, note in enumerate(extras.notes, start=1):
        start, cell = f"note.{place}", f"row {note.note_id or place}"
        if not note.text.strip():
            continue
        text, day = clipped(note.text, QUOTED), note.written_on.isoformat()
        facts.fact(f"{start}.text", "quote", text, "quoted", NOTES, f"{cell}, text", of=(household,))
        facts.fact(f"{start}.day", "date", day, "note_written", NOTES, f"{cell}, written_on", of=(household,))
        if note.author.strip():
            facts.fact(f"{start}.author", "name", note.author, "named", NOTES, f"{cell}, author")
    met = next((note for note in extras.notes if note.kind == "meeting"), None)
    if met is not None:
        cell, day = f"row {met.note_id or 'newest meeting'}, written_on", met.written_on.isoformat()
        facts.fact("met", "date", day, "last_meeting", NOTES, cell, of=(household,))
    for place, one in enumerate(extras.restrictions, start=1):
        _restriction(facts, f"restriction.{place}", one, household, accounts)
    for place, flow in enumerate((flow for flow in extras.flows if flow.account_id in accounts), start=1):
        start, of = f"flow.{place}", (f"account:{flow.account_id}",)
        cell, way = f"{flow.account_id} on {flow.on.isoformat()}", ("in" if flow.amount > 0 else "out",)
        facts.fact(f"{start}.account", "name", accounts[flow.account_id], "named", ACCOUNTS, cell, of=of)
        facts.fact(f"{start}.amount", "money", flow.amount, "cash_flow", TRANSACTIONS, cell, of=of, way=way)
        facts.fact(f"{start}.day", "date", flow.on.isoformat(), "cash_flow_day", TRANSACTIONS, cell, of=of)


def _restriction(facts: Gathering, start: str, one: Restriction, household: str, accounts: Mapping[str, str]) -> None:
    """Add a restriction as it is on file, its key and its reason as quotations."""
    cell = f"row {one.restriction_id}"
    start = f"{start}.{one.kind}"
    if one.account_id in accounts:
        of: tuple[str, ...] = (f"account:{one.account_id}",)
        name = accounts[str(one.account_id)]
        facts.fact(f"{start}.account", "name", name, "named", ACCOUNTS, cell, of=of)
    else:
        of = (household,)
    if one.key.strip():
        shown = one.key.replace("_", " ") if one.kind == "screen" else one.key
        what: tuple[str, ...] = ()
        if one.kind in _BARS:
            what = (facts.entity(f"security:{one.key}", "security", one.key),)
        way = _BARS.get(one.kind, ())
        facts.fact(f"{start}.key", "name", shown, "named", RESTRICTIONS, f"{cell}, key", of=what, way=way)
    if one.reason.strip():
        facts.fact(
            f"{start}.reason",
            "quote",
            clipped(one.reason, QUOTED),
            "quoted",
            RESTRICTIONS,
            f"{cell}, reason",
            of=of,
        )
    if one.value is not None and one.kind == "min_cash":
        facts.fact(f"{start}.amount", "money", one.value, "cash_to_keep", RESTRICTIONS, f"{cell}, value", of=of)
    if one.value is not None and one.kind == "max_weight":
        facts.fact(f"{start}.cap", "percent", one.value, "weight_cap", RESTRICTIONS, f"{cell}, value", of=of)
    if one.expires_on is not None:
        day = one.expires_on.isoformat()
        facts.fact(f"{start}.until", "date", day, "restriction_ends", RESTRICTIONS, f"{cell}, expires_on", of=of)
