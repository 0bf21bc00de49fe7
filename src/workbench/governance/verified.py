"""The verifier's report of a text, as governance reads it: of this very text and these facts, and without a fault.

Governance does not verify; it believes a report only as far as its hashes go and its spans agree with what it says.
Before a text leaves, the verifier that the store was opened with reads the text itself, so that no report is believed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from workbench.errors import DecisionError, ParameterError
from workbench.governance import documents
from workbench.governance.commands import Document

if TYPE_CHECKING:
    from workbench.governance.unit import Unit

#: Verifies a text by its facts and title: why they do not support it, "" where they do.
Verifier = Callable[[bytes, bytes, str], str]

#: The one verdict that lets a span leave.
SUPPORTED = "supported"


def supported(report: Document, text: Document, facts_hash: str) -> bool:
    """Say whether a report finds every span of a text supported by the facts of this hash.

    Raises `ParameterError` for a report that cannot be read, that is of another text or sheet, or that says
    something else of the whole than of its spans.
    """
    said = _read(report)
    if said.get("text_hash") != documents.hash_of(text):
        raise ParameterError("the verifier's report is of another text; verify this one, then keep both", "report")
    if said.get("sheet_hash") != facts_hash:
        raise ParameterError("the verifier's report is against other facts; verify against those kept here", "report")
    verdicts = [span.get("verdict") for span in said["spans"]]
    whole = all(verdict == SUPPORTED for verdict in verdicts)
    if said.get("supported") is not whole:
        raise ParameterError("the verifier's report says of the whole what its spans do not; verify anew", "report")
    return whole


def require(unit: Unit, text_hash: str, facts_hash: str, title: str = "") -> None:
    """Raise `DecisionError` where the store's verifier does not support a kept text by its kept facts."""
    if unit.verifier is None:
        return
    text, facts = documents.fetch(unit.connection, text_hash), documents.fetch(unit.connection, facts_hash)
    if why := unit.verifier(text.body, facts.body, title):
        raise DecisionError(f"the verifier does not support the text, whatever its report says: {why}")


def _read(report: Document) -> dict[str, Any]:
    try:
        said = json.loads(report.body)
        if isinstance(said["spans"], list) and all(isinstance(span, dict) for span in said["spans"]):
            return dict(said)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ParameterError("the verifier's report cannot be read; verify the text anew", "report") from error
    raise ParameterError("the verifier's report lists no spans; verify the text anew", "report")
