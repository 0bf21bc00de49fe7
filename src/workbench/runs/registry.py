"""The chapters a book may hold: one line a chapter; adding one touches this table and adds one notebook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from workbench.errors import ParameterError


@dataclass(frozen=True)
class Chapter:
    """One chapter of a book: the key a params file names it by, its notebook's file name and its title."""

    key: str
    notebook: str
    title: str


CHAPTERS: Mapping[str, Chapter] = {
    chapter.key: chapter
    for chapter in (
        Chapter("memo", "memo.ipynb", "Memo to the committee"),
        Chapter("quality", "quality.ipynb", "Data quality"),
        Chapter("drift", "drift.ipynb", "Drift"),
        Chapter("rebalance", "rebalance.ipynb", "Rebalance"),
        Chapter("performance", "performance.ipynb", "Performance"),
        Chapter("sleeve_attribution", "sleeve_attribution.ipynb", "Sleeve attribution"),
        Chapter("commentary", "commentary.ipynb", "Performance commentary"),
        Chapter("implementation_variance", "implementation_variance.ipynb", "Implementation variance"),
        Chapter("risk_and_stress", "risk_and_stress.ipynb", "Risk and stress"),
        Chapter("household_brief", "household_brief.ipynb", "Household brief"),
        Chapter("after_tax", "after_tax.ipynb", "After tax"),
        Chapter("policy_backtest", "policy_backtest.ipynb", "Rebalancing policies"),
        Chapter("policy_lab", "policy_lab.ipynb", "Policy laboratory"),
        Chapter("policy_training", "policy_training.ipynb", "Policy training"),
        Chapter("policy_card", "policy_card.ipynb", "Policy card"),
        Chapter("decisions_monthly", "decisions_monthly.ipynb", "Decisions of the month"),
    )
}

#: Chapters that compute longest: a run starts them ahead of the others, or the last would hold up a whole book.
LONGEST = frozenset({"memo", "policy_backtest", "policy_lab", "policy_training"})
#: Notebooks for one's own work, of which no book makes a chapter: what they show depends on who asks.
WORKSHEETS = ("ask.ipynb",)


def chapter(key: str, chapters: Mapping[str, Chapter] = CHAPTERS) -> Chapter:
    """The chapter of this key, so that a params file can name notebooks but never a path.

    Raises ParameterError for an unknown key, with the nearest known one.
    """
    if key in chapters:
        return chapters[key]
    raise ParameterError(unknown("chapter", key, chapters), parameter="chapter")


def unknown(what: str, given: str, known: Mapping[str, object] | list[str]) -> str:
    """The message for a name that is not on a list, with a suggestion where one is near.

    Shown with repr, so that a hostile name cannot break the line it is printed on.
    """
    near = get_close_matches(given, list(known), n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known)) or 'none'}."
    return f"unknown {what} {given!r}; {hint}"
