"""Papers as a service brings them: text, facts and the verifier's report by hand, without the verifier."""

from __future__ import annotations

import hashlib
import json

from workbench.governance.access import Who
from workbench.governance.commands import Document
from workbench.governance.paper_commands import BringPaper, EditPaper

FACTS = Document("fact_sheet", "application/json", b'{"facts":[]}')
TEMPLATE = (("writer", "template"), ("template", "client_email"))
WORDS = "We propose to sell $9,358 of VTI."


def sha(body):
    return hashlib.sha256(body).hexdigest()


def text(words=WORDS):
    return Document("draft", "text/markdown", words.encode())


def report(words=WORDS, *, verdict="supported", facts=FACTS, **changed):
    """The verifier's report of a text with one span."""
    span = {"start": 0, "end": 2, "text": "We", "looks_like": "number", "verdict": verdict, "facts": [], "reason": ""}
    said = {
        "version": 1,
        "text_hash": sha(words.encode()),
        "sheet_hash": sha(facts.body),
        "supported": verdict == "supported",
        "spans": [span],
        **changed,
    }
    return Document("verifier_report", "application/json", json.dumps(said).encode())


def brought(kind="client_email", key="H1", words=WORDS, **changed):
    """The command that brings a paper of household `key` in."""
    given = {
        "kind": kind,
        "key": key,
        "title": f"{kind} of {key}",
        "book": "ADV1",
        "as_of": "2022-12-28",
        "text": text(words),
        "facts": FACTS,
        "report": report(words),
        "record": TEMPLATE,
        "household_id": key,
    }
    return BringPaper(**{**given, **changed})


def bring(store, kind="client_email", key="H1", words=WORDS, by="nightly", **changed):
    command = brought(kind, key, words, **changed)
    name = sha(f"{kind}/{key}/{words}/{changed}".encode())[:40]
    return store.perform(Who(by), command, f"paper-{name}")


def edited(receipt, words, *, verdict="supported", **changed):
    """The command that puts other words in a paper's place."""
    given = {"body": words, "report": report(words, verdict=verdict), "reason_code": "wording", **changed}
    return EditPaper(receipt.object_id, receipt.version, **given)
