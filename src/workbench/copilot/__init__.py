"""Questions of advisors, answered from the record or passed on; reads only, and never a figure outside the facts.

answer = ask("why is household H00042 overweight technology?", firm="demo")

Its names are loaded when they are asked for: the command line names the room without paying for the analytics.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.copilot.answer import Answer, Passage, Scope
    from workbench.copilot.copilot import Copilot, ask
    from workbench.copilot.escalation import Escalations

__all__ = ["Answer", "Copilot", "Escalations", "Passage", "Scope", "ask"]
_HOMES = {
    "Answer": "answer",
    "Passage": "answer",
    "Scope": "answer",
    "Copilot": "copilot",
    "ask": "copilot",
    "Escalations": "escalation",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
