"""The proposals of a month as files for a person to review: a diff of the rulebook, a page, and a page of wording."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from workbench.governance.lessons.frames import Decisions
from workbench.governance.lessons.thresholds import RulesReview
from workbench.governance.lessons.wording import WordingProposal, wording_page

#: Judges past proposals under two rulebooks' texts: one row a finding that would differ.
Rejudge = Callable[[str, str], pd.DataFrame]
DIFF, PAGE, WORDING = "proposed_rules.diff", "proposed_rules.md", "proposed_wording.md"
#: Rows of findings judged differently that are written on the page.
_ROWS = 50


def write_proposals(
    folder: Path | str,
    decisions: Decisions,
    rules: RulesReview,
    wording: Sequence[WordingProposal],
    rulebook: str,
    rejudge: Rejudge | None = None,
    judged: str = "",
) -> tuple[Path, ...]:
    """Write `proposed_rules.diff`, `proposed_rules.md` and `proposed_wording.md`; return their paths.

    Nothing is applied: `rulebook` is the present one's text, and what it becomes is for a person to adopt. `rejudge`
    says which past proposals would be judged differently, `judged` in a sentence which ones it looked at; without it
    the page counts recorded blocks only and says so.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    differ = rejudge(rulebook, rules.text) if rejudge is not None and rules.proposals else None
    texts = {DIFF: rules.diff, PAGE: _page(decisions, rules, differ, judged), WORDING: wording_page(wording, decisions)}
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return tuple(folder / name for name in texts)


def _page(decisions: Decisions, rules: RulesReview, differ: pd.DataFrame | None, judged: str) -> str:
    lines = [
        "# Proposed limits",
        "",
        f"From decisions up to {decisions.until[:10]}, content {decisions.hash[:12]}. Nothing is changed by this page.",
        "",
        "| rule | limit | blocks | overridden | people | at least | what came of it |",
        "|---|---|---|---|---|---|---|",
    ]
    if not rules.tested:
        lines[4:] = ["No limit was declared as one that may be moved, so that none was tested."]
    for row in rules.tested:
        least = "" if row.lowest != row.lowest else f"{row.lowest:.0%}"
        lines.append(
            f"| {_cell(row.rule_id)} | {_cell(row.parameter)} | {row.cases} | {row.overridden} | {row.people} "
            f"| {least} | {_cell(row.why)} |"
        )
    for proposal in rules.proposals:
        lines += [
            "",
            f"{_cell(proposal.rule_id)}, {_cell(proposal.parameter)}: {proposal.old:.6g} to {proposal.new:.6g}. "
            f"It would have spared {proposal.spared} recorded blocks, of which {proposal.upheld} had been upheld.",
        ]
    if rules.proposals:
        lines += ["", "```diff", rules.diff.replace("```", "'''").rstrip(), "```", "", *_differ(differ, judged)]
    return "\n".join([*lines, ""])


def _differ(differ: pd.DataFrame | None, judged: str) -> list[str]:
    if differ is None:
        return ["Past proposals were not judged anew; recorded blocks were counted."]
    lines = [f"{judged} {len(differ):,} past findings would be judged differently.".strip(), ""]
    if differ.empty:
        return lines
    lines += ["| " + " | ".join(map(_cell, differ.columns)) + " |", "|" + "---|" * len(differ.columns)]
    lines += [
        "| " + " | ".join(map(_cell, row)) + " |" for row in differ.head(_ROWS).itertuples(index=False, name=None)
    ]
    return lines if len(differ) <= _ROWS else [*lines, "", f"{len(differ) - _ROWS:,} more are not shown."]


def _cell(value: object) -> str:
    """A value in one cell of a Markdown table, markup and line breaks taken out of it."""
    return " ".join(str(value).replace("|", "/").replace("`", "'").replace("<", "‹").split())
