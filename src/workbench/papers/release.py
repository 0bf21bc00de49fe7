"""Whether a paper may leave: a draft until a person releases exactly its text, and then by whom and when."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.drafting import Draft
from workbench.errors import DraftError
from workbench.report import format as fmt

NOT_RELEASED = "Draft, not released"


@dataclass(frozen=True)
class Release:
    """A person's release of one text: its hash, who approved it, who released it, and the day (ISO)."""

    text_hash: str
    approved_by: tuple[str, ...]
    released_by: str
    released_on: str


def check(draft: Draft, release: Release | None) -> None:
    """Raise `DraftError` where a release is of another text than the draft's, or the text has faults."""
    if release is None:
        return
    if release.text_hash != draft.hash:
        raise DraftError(
            f"the release of {release.text_hash[:8]} is not of the text of {draft.kind} {draft.key} "
            f"({draft.hash[:8]}); have the text as it stands approved and released"
        )
    if draft.report.faults:
        raise DraftError(
            f"{draft.kind} {draft.key} says {draft.report.faults[0].text!r}, which its facts do not support; "
            "correct it before it is released"
        )


def state(release: Release | None) -> str:
    """Return the state as every paper shows it."""
    if release is None:
        return NOT_RELEASED
    return f"Released by {fmt.visible(release.released_by)} on {fmt.long_date(release.released_on)}"


def approval(release: Release | None) -> str:
    """Return who approved the text, as a paper's foot says it; "" for a draft."""
    if release is None or not release.approved_by:
        return ""
    return f"Approved by {fmt.visible(', '.join(release.approved_by))}"
