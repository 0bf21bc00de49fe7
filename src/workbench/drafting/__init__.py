"""Drafts that cannot state what is not a fact: fact sheets, writers, the verifier, masking.

sheet = FactSheet(...)                                the only input
draft = writer.write(sheet, "client_email", CLAIMS)   a template over fact identifiers, verified
verify(text, sheet)                                   a verdict a span, of human edits too
"""

from workbench.drafting.claims import Claim, collected
from workbench.drafting.draft import Draft, Writing
from workbench.drafting.facts import Entity, Fact, FactSheet, Source
from workbench.drafting.verifying.verdicts import Span, Verdict, Verification
from workbench.drafting.verifying.verify import verify

__all__ = [
    "Claim",
    "Draft",
    "Entity",
    "Fact",
    "FactSheet",
    "Source",
    "Span",
    "Verdict",
    "Verification",
    "Writing",
    "collected",
    "verify",
]
