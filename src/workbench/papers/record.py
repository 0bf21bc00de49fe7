"""What is kept of a draft: facts, skeleton, text, how it was made and the verifier's report, so that it can be judged
again without the firm.
"""

from __future__ import annotations

import json
from dataclasses import asdict

from workbench.canonical import canonical
from workbench.drafting import Draft, FactSheet, Writing, verify
from workbench.errors import DraftError, FactError

VERSION = 1


def record(draft: Draft) -> bytes:
    """Return all there is to a draft as canonical JSON."""
    return canonical(
        {
            "version": VERSION,
            **{name: getattr(draft, name) for name in ("kind", "key", "title", "skeleton", "text")},
            "made": asdict(draft.made),
            "sheet": json.loads(draft.sheet.document()),
            "report": json.loads(draft.report.document()),
            "text_hash": draft.hash,
            "sheet_hash": draft.sheet.hash,
        }
    )


def read_record(document: bytes) -> Draft:
    """Return a kept draft, its text verified anew: the report kept beside it is evidence, not a verdict.

    Raises `DraftError` for what is no record, or one whose text or facts are not those it was kept with.
    """
    try:
        kept = json.loads(document)
        if kept["version"] != VERSION:
            raise DraftError(f"the record is of version {kept['version']}, not {VERSION}; draft the text anew")
        sheet = FactSheet.read(canonical(kept["sheet"]))
        words = {name: str(kept[name]) for name in ("kind", "key", "title", "skeleton", "text")}
        made = Writing(**kept["made"])
        hashes = kept["text_hash"], kept["sheet_hash"]
    except FactError:
        raise
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DraftError(f"the document is no record of a draft ({error!r}); draft the text anew") from error
    draft = Draft(**words, sheet=sheet, made=made, report=verify(words["text"], sheet, words["skeleton"]))
    if hashes != (draft.hash, sheet.hash):
        raise DraftError(f"{draft.kind} {draft.key} is not what its record was written of; draft the text anew")
    return draft
