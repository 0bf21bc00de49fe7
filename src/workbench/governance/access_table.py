"""The access table as a page to read: who may do what, made of the table the program asks."""

from __future__ import annotations

from workbench.governance.roles import EVERYWHERE, ON_SIGNALS, ON_THE_FIRM, Role
from workbench.governance.states import OPEN, Action, State

_NAMED = {frozenset(State): "any state", OPEN: "any open state"}


def markdown() -> str:
    """Return two tables: acts on a signal with the states in which each role may ask for them, acts on the firm."""
    acts = [action for action in Action if any(action in held for held in ON_SIGNALS.values())]
    firm = [action for action in Action if any(action in held for held in ON_THE_FIRM.values()) or action in EVERYWHERE]
    on_signals = [(_words(action), *(_states(role, action) for role in Role)) for action in acts]
    on_the_firm = [(_words(action), *(_may(role, action) for role in Role)) for action in firm]
    return f"{_table('a signal: act', on_signals)}\n\n{_table('the firm: act', on_the_firm)}"


def _table(title: str, rows: list[tuple[str, ...]]) -> str:
    heads = (title, *(_words(role) for role in Role))
    lines = (heads, ("---",) * len(heads), *rows)
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _states(role: Role, action: Action) -> str:
    states = ON_SIGNALS[role].get(action, frozenset())
    return _NAMED.get(states) or ", ".join(_words(state) for state in State if state in states)


def _may(role: Role, action: Action) -> str:
    everybody = action in EVERYWHERE and role is not Role.SERVICE
    return "yes" if action in ON_THE_FIRM[role] or everybody else ""


def _words(name: str) -> str:
    return name.replace("_", " ")
