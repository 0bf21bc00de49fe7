"""The verifier's report of a text, as governance reads it: of this very text and these facts, and without a fault.

Governance does not verify; it believes a report only as far as its hashes go and its spans agree with what it says.
"""

from __future__ import annotations

import json
from typing import Any

from workbench.errors import ParameterError
from workbench.governance import documents
from workbench.governance.commands import Document

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


def _read(report: Document) -> dict[str, Any]:
    try:
        said = json.loads(report.body)
        if isinstance(said["spans"], list) and all(isinstance(span, dict) for span in said["spans"]):
            return dict(said)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ParameterError("the verifier's report cannot be read; verify the text anew", "report") from error
    raise ParameterError("the verifier's report lists no spans; verify the text anew", "report")
