"""The demo's papers and questions: a few of each kind, in every state a visitor may want to see. All made up."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Row, select

from workbench import releases
from workbench.drafting import Draft
from workbench.firm import Firm
from workbench.governance import (
    AnswerEscalation,
    Command,
    EditPaper,
    Escalate,
    Receipt,
    ReleasePaper,
    Store,
    Who,
    WithdrawPaper,
    fetch,
)
from workbench.governance.tables import paper
from workbench.papers import alerts, client, commentary, memo, notice, talking_points

#: Households of two advisors who sign in at the demo desk.
HOUSEHOLDS = 2
#: Households with a review ahead.
TALKS = 2
MODEL = "BAL"
Act = Callable[[str, Command], Receipt]


def bring_papers(store: Store, act: Act, service: Who, firm: Firm) -> None:
    """Bring papers of each kind, and let the team edit, release and withdraw some of them; ask two questions."""
    brought = releases.bring(store, service, _drafts(firm), releases.places(firm)).papers
    with store.reading() as connection:
        rows = connection.execute(select(paper).where(paper.c.paper_id.in_(brought)).order_by(paper.c.paper_id)).all()
    of_kind = {kind: [row for row in rows if row.kind == kind] for kind in {row.kind for row in rows}}
    mails = of_kind["client_email"]
    act("cora", ReleasePaper(mails[0].paper_id, 1, mails[0].sheet_hash, "Read in full."))
    _edit(store, act, mails[1], lambda text: text.replace("Kind regards,", "With best wishes,"))
    _edit(store, act, mails[2], lambda text: re.sub(r"\$[\d,]+", "about $250,000", text, count=1))
    points = of_kind["talking_points"][0]
    act("ana", WithdrawPaper(points.paper_id, 1, "The meeting was called off."))
    firms = next(row for row in of_kind["alert"] if row.book == releases.EVERY_BOOK)
    act("petra", ReleasePaper(firms.paper_id, 1, firms.sheet_hash))
    asked = act("alice", Escalate("May a client's trust hold covered calls under our mandate?", "ADV1"))
    act("cora", AnswerEscalation(asked.object_id, 1, "Not under the standard mandate; an amendment is needed first."))
    act("adam", Escalate("Who tells the custodian that the Novaks have moved?", "ADV2"))


def _drafts(firm: Firm) -> Iterator[Draft]:
    households = _households(firm)
    for place, sheet in enumerate(client.sheets(firm, households=households)):
        yield client.brief(sheet)
        yield client.email(sheet)
        if place < TALKS:
            yield talking_points.talking_points(sheet)
    yield from notice.drafts(firm, preview=True)
    yield from alerts.drafts(firm)
    yield from commentary.drafts(firm, models=(MODEL,))
    yield from memo.drafts(firm, reads=())


def _households(firm: Firm) -> list[str]:
    rows = firm.table("households", ["household_id", "advisor_id"]).sort_values("household_id")
    some = [rows.loc[rows["advisor_id"] == advisor, "household_id"].head(HOUSEHOLDS) for advisor in ("ADV1", "ADV2")]
    return [str(household) for found in some for household in found]


def _edit(store: Store, act: Act, row: Row[Any], change: Callable[[str], str]) -> None:
    """Let an analyst change a paper's words, whatever the verifier says of them then."""
    with store.reading() as connection:
        text = fetch(connection, row.current_hash).body.decode()
        facts = fetch(connection, row.facts_hash).body
    words = change(text)
    if words != text:
        _, report = releases.verified(words, facts)
        act("ben", EditPaper(row.paper_id, row.version, words, report, "wording"))
