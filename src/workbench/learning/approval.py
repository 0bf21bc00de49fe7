"""What an approval asks of a policy: four eyes, a card that earned it and says so, and a range for every signal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from workbench.errors import PolicyError
from workbench.learning.card import Card
from workbench.learning.folder import APPROVAL, CARD, PAGE
from workbench.learning.page import stored_page
from workbench.learning.signature import Approval, check_name, verify
from workbench.learning.spec import Spec
from workbench.names import same_person


def check_earned(spec: Spec, card: Card, page: bytes) -> None:
    """Check what a person may approve at all; a live policy must pass it too, whoever wrote its approval.

    Raises `PolicyError` where `page` is not the card's, the verdict is not deploy, or a signal that the policy reads
    has no training range: without it no guardrail sees a strange market.
    """
    if page != stored_page(card):
        raise PolicyError(f"{PAGE}: not the page of {CARD}; read what workbench policy show prints, and save it again")
    if card.verdict != "deploy":
        raise PolicyError(f"{spec.name}: its verdict is {card.verdict!r}; approve only what earned the verdict deploy")
    known = {range_.feature for range_ in card.familiar.ranges}
    for feature in (*(f"market {name}" for name in spec.market), *(f"asset {name}" for name in spec.asset)):
        if feature not in known:
            raise PolicyError(
                f"{CARD}: no training range of the signal {feature!r}; record it with familiarity.familiar, save again"
            )


def check_maker(card: Card, approver: str) -> None:
    """Four eyes: names are compared as people read them, or a maker could approve under another spelling.

    Raises `PolicyError` where the approver is the maker, or either name reads as another's.
    """
    try:
        check_name(approver)
        check_name(card.maker)
    except PolicyError as error:
        raise PolicyError(f"{APPROVAL}: {error}") from error
    if same_person(approver, card.maker):
        raise PolicyError(f"{APPROVAL}: {card.maker!r} made the policy and cannot approve it; ask somebody else")


def check_given(
    approval: Approval, content_hash: str, card: Card, keys: Mapping[str, str] | None, today: date | None
) -> None:
    """Check an approval that lies in a folder; its signature only where `keys` are given, its day against `today`.

    Raises `PolicyError` where it is of other files, by the maker, of a day outside the card's life or after `today`, or
    not signed with its approver's key.
    """
    if approval.content_hash != content_hash:
        raise PolicyError(f"{APPROVAL}: it approves other files than these; have these approved")
    check_maker(card, approval.approver)
    try:
        day = date.fromisoformat(approval.day)
    except ValueError as error:
        raise PolicyError(f"{APPROVAL}: {approval.day!r} is not a day; have the policy approved again") from error
    if not card.made_on <= day.isoformat() < card.expires or (today is not None and day > today):
        raise PolicyError(f"{APPROVAL}: given on {day}, outside the policy's life or in the future; approve it again")
    if keys is not None:
        try:
            verify(approval, keys)
        except PolicyError as error:
            raise PolicyError(f"{APPROVAL}: {error}") from error
