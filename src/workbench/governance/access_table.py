"""The access table as a page to read: who may do what, made of the table the program asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.governance.paper_kinds import KINDS
from workbench.governance.roles import EVERYWHERE, ON_PAPERS, ON_SIGNALS, ON_THE_FIRM, Role
from workbench.governance.states import OPEN, OPEN_PAPERS, Action, PaperState, State

_NAMED: dict[frozenset[State] | frozenset[PaperState], str] = {
    frozenset(State): "any state",
    OPEN: "any open state",
    frozenset(PaperState): "any state",
    OPEN_PAPERS: "any open state",
}


def markdown() -> str:
    """Return the tables: acts on a signal and on a paper with the states in which each role may ask, on the firm."""
    firm = [action for action in Action if any(action in held for held in ON_THE_FIRM.values()) or action in EVERYWHERE]
    tables = (
        _table("a signal: act", _acts(ON_SIGNALS)),
        _table("a paper: act", _acts(ON_PAPERS)),
        _kinds(),
        _table("the firm: act", [(_words(action), *(_may(role, action) for role in Role)) for action in firm]),
    )
    return "\n\n".join(tables)


def _acts(table: Mapping[Role, Mapping[Action, frozenset[Any]]]) -> list[tuple[str, ...]]:
    acts = [action for action in Action if any(action in held for held in table.values())]
    return [(_words(action), *(_states(table[role].get(action, frozenset())) for role in Role)) for action in acts]


def _kinds() -> str:
    """Which of these roles edits and releases a paper of each kind."""
    lines = ["| a paper: kind | read by | edited by | released by |", "| --- | --- | --- | --- |"]
    for kind in KINDS.values():
        roles = (
            ", ".join(_words(role) for role in Role if role in held) for held in (kind.edited_by, kind.released_by)
        )
        lines.append(f"| {_words(kind.name)} | {kind.reader} | {' | '.join(roles)} |")
    return "\n".join(lines)


def _table(title: str, rows: list[tuple[str, ...]]) -> str:
    heads = (title, *(_words(role) for role in Role))
    lines = (heads, ("---",) * len(heads), *rows)
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _states(states: frozenset[Any]) -> str:
    every = PaperState if states & frozenset(PaperState) else State
    return _NAMED.get(states) or ", ".join(_words(state) for state in every if state in states)


def _may(role: Role, action: Action) -> str:
    everybody = action in EVERYWHERE and role is not Role.SERVICE
    return "yes" if action in ON_THE_FIRM[role] or everybody else ""


def _words(name: str) -> str:
    return name.replace("_", " ")
