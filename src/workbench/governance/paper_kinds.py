"""Kinds of papers: who reads each, who may put it into other words, and who has to let it go.

Which role releases follows from who reads. What reaches clients is approved by compliance before its first use: FINRA
Rule 2210(b)(1)(A) asks it of a principal for retail communications; the house asks it of a single client's letter too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from workbench.errors import ParameterError
from workbench.governance.roles import Role

Reader = Literal["committee", "client", "advisor", "desk"]
_MAKERS = frozenset({Role.ANALYST, Role.PORTFOLIO_MANAGER})


@dataclass(frozen=True)
class PaperKind:
    """One kind of paper; `edited_by` and `released_by` narrow what the access table allows these roles."""

    name: str
    reader: Reader
    edited_by: frozenset[Role]
    released_by: frozenset[Role]


_MANAGERS, _COMPLIANCE = frozenset({Role.PORTFOLIO_MANAGER}), frozenset({Role.COMPLIANCE})
KINDS: dict[str, PaperKind] = {
    kind.name: kind
    for kind in (
        PaperKind("memo", "committee", _MAKERS, _MANAGERS),
        PaperKind("commentary", "committee", _MAKERS, _MANAGERS),
        PaperKind("client_brief", "client", _MAKERS | {Role.ADVISOR}, _COMPLIANCE),
        PaperKind("client_email", "client", _MAKERS | {Role.ADVISOR}, _COMPLIANCE),
        PaperKind("talking_points", "client", _MAKERS | {Role.ADVISOR}, _COMPLIANCE),
        PaperKind("notice", "advisor", _MAKERS, _COMPLIANCE),
        PaperKind("alert", "desk", _MAKERS, _MANAGERS),
    )
}


def kind_of(name: str) -> PaperKind:
    """Return a kind by its name. Raises `ParameterError` for one that nobody is named to release."""
    if name not in KINDS:
        raise ParameterError(f"{name[:40]!r} is no kind of paper; take one of {', '.join(KINDS)}", "kind")
    return KINDS[name]
