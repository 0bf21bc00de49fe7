"""A letter with one trade in it, as a service brings it: real facts, the real verifier."""

from __future__ import annotations

from workbench.drafting import Draft, Entity, Fact, FactSheet, Source, Writing, verify
from workbench.releases import Place

GOOD = "We propose to sell $9,358 of VTI.\n"
WRONG = "We propose to sell $9,999 of VTI.\n"
FLIPPED = "We propose to buy $9,358 of VTI.\n"
HERE = Place("adv-1", "H-0001")


def sheet(key="H-0001"):
    source = Source("rebalance.propose", ("positions",), "A-1/VTI amount", "ab" * 32)
    entities = (
        Entity(f"household:{key}", "household", ("Alder <b>household</b>",)),
        Entity("security:VTI", "security", ("VTI",)),
    )
    sold = Fact("trade.1.amount", "money", 9358.0, "traded_dollars", ("security:VTI",), source, ("sell",))
    return FactSheet("household", key, "2022-12-28", "ab" * 32, (f"household:{key}",), entities, (sold,))


def letter(text=GOOD, *, kind="client_email", key="H-0001", title="Your accounts: what we propose"):
    facts = sheet(key)
    made = Writing("template", "client_email", "c" * 64)
    return Draft(kind, key, title, "", text, facts, made, verify(text, facts))
