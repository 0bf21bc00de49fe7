"""Wording that people take out again and again: listed for a person, with how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.governance.lessons.frames import Decisions
from workbench.governance.lessons.proportions import above, holm, lowest

#: Taken out for more than this share of the households it was written for.
BASE = 0.5
ALPHA = 0.05


@dataclass(frozen=True)
class WordingProposal:
    """A phrase to leave out: households it was taken out for, of those it was drafted for; `p` is adjusted."""

    phrase: str
    deleted_in: int
    offered_in: int
    lowest: float
    p: float


def propose_wording(decisions: Decisions, base: float = BASE, alpha: float = ALPHA) -> tuple[WordingProposal, ...]:
    """Return phrases that are taken out for more than a share `base` of households, beyond chance among all phrases.

    Exact binomial test a phrase, Holm's adjustment for every phrase that could have been listed. Phrases overlap and so
    do their tests, which Holm's method allows.
    """
    rows = list(decisions["phrases"].itertuples(index=False))
    found = holm(
        [above(row.deleted_in, row.offered_in, base) for row in rows], max(len(rows), decisions.phrases_tested)
    )
    return tuple(
        WordingProposal(row.phrase, row.deleted_in, row.offered_in, lowest(row.deleted_in, row.offered_in), p)
        for row, p in zip(rows, found, strict=True)
        if p < alpha
    )


def wording_page(proposals: Sequence[WordingProposal], decisions: Decisions) -> str:
    """Return the proposals as a page of Markdown to be decided on; phrases are quoted as code, never as markup."""
    lines = [
        "# Proposed wording",
        "",
        f"From decisions up to {decisions.until[:10]}, content {decisions.hash[:12]}. Nothing is changed by this page.",
        "",
    ]
    if not proposals:
        return "\n".join([*lines, "No phrase was taken out often enough to propose anything.", ""])
    lines += ["| leave out | taken out for | of households | at least |", "|---|---|---|---|"]
    for row in proposals:
        phrase = row.phrase.replace("`", "'").replace("|", "/")
        lines.append(f"| `{phrase}` | {row.deleted_in} | {row.offered_in} | {row.lowest:.0%} |")
    return "\n".join([*lines, ""])
