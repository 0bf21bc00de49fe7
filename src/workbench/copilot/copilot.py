"""Questions answered over one firm: read, routed, computed, written and verified; or passed on to a person."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Lock

from workbench.copilot import refusals
from workbench.copilot.answer import Answer, Scope
from workbench.copilot.directory import Directory
from workbench.copilot.escalation import Escalations, Nobody
from workbench.copilot.passages import quoted
from workbench.copilot.reading import LONGEST, Reading, plain, read
from workbench.copilot.record import Record
from workbench.copilot.routing import Route, route, without_context
from workbench.copilot.topics.asked import Asked, NotInRecordError
from workbench.drafting import Draft
from workbench.drafting.placeholders import mentioned
from workbench.drafting.writer import write
from workbench.errors import DraftError, ParameterError, WorkbenchError
from workbench.firm import Firm, open_at

#: The scope of somebody who may read every book.
EVERYTHING = Scope()
_ALIKE = {"ira": ("traditional_ira", "roth_ira", "inherited_ira")}
#: Households that an ambiguous name is asked back with.
_ASKED_BACK = 6


class Copilot:
    """Answers questions about one firm; reads only. Analytics run once, at the first question that needs them."""

    def __init__(self, firm: Firm, escalations: Escalations | None = None) -> None:
        self._record = Record(firm)
        #: One question at a time: the record's analytics are made once, and their kernels never run side by side.
        self._reading = Lock()
        self._escalations = escalations or Nobody()
        self._directories: dict[Scope, Directory] = {}

    @classmethod
    def of(cls, firm: str | Path, as_of: str | None = None, escalations: Escalations | None = None) -> Copilot:
        """Open a firm's folder (or the word demo) and answer questions about it. Raises as `firm.open_at`."""
        return cls(open_at(firm, as_of), escalations)

    def warm(self) -> None:
        """Run the analytics that questions need, so that the first asker does not wait for them.

        What a firm's record does not allow is left: whoever asks for it is told.
        """
        for name in ("book", "review", "performance", "change", "distributions", "lots", "holdings"):
            with self._reading, suppress(WorkbenchError):
                getattr(self._record, name)

    def known_advisor(self, advisor: str) -> str:
        """Return an advisor's identifier. Raises `ParameterError` for one whom the firm does not have."""
        known = list(map(str, self._record.advisors.index))
        if advisor not in known:
            raise ParameterError(f"there is no advisor {advisor!r}; there are {', '.join(known)}", "advisor")
        return advisor

    def ask(self, question: str, scope: Scope = EVERYTHING, escalations: Escalations | None = None) -> Answer:
        """Answer one question from the book that `scope` covers. Never raises for what a question says.

        `escalations` takes what is passed on, in place of the copilot's own.
        """
        with self._reading:
            answer = self._ask(question, scope)
        if answer.status != "passed_on":
            return answer
        number = (escalations or self._escalations).pass_on(question, answer.escalation or None)
        next_step = "I will pass this on." if number else "Please take this to your portfolio manager."
        return replace(answer, text=f"{answer.text} {next_step}", escalation=number)

    def _ask(self, question: str, scope: Scope) -> Answer:
        text = plain(question[: LONGEST * 4])
        if not any(c.isalnum() for c in text):
            return Answer(question, "not_in_record", refusals.EMPTY)
        if len(question) > LONGEST:
            return self._passed_on(question, refusals.LONG)
        if reason := refusals.refused(text):
            return self._passed_on(question, reason)
        reading = read(question, self._directory(scope))
        if reading.unknown:
            return Answer(question, "not_in_record", refusals.NOT_IN_BOOK)
        named = reading.households or reading.accounts or reading.ambiguous
        if not named and (passage := quoted(text)):
            return Answer(
                question,
                "answered",
                f"{passage.title}. {passage.text}",
                "passage",
                passages=(passage,),
                sources=(f"{passage.title}, {passage.source}",),
            )
        taken = route(reading)
        if taken.intent is None and (shorter := without_context(reading)):
            reading, taken = shorter, route(shorter)
        if reading.ambiguous and not reading.households and not reading.accounts:
            return self._which(question, reading.ambiguous)
        if taken.intent is None:
            return self._passed_on(question, refusals.NOT_UNDERSTOOD, _first(reading.households))
        if taken.missing:
            return Answer(
                question, "which", "Which household or account do you mean? Please name it.", taken.intent.name
            )
        return self._answered(question, scope, reading, taken)

    def _answered(self, question: str, scope: Scope, reading: Reading, taken: Route) -> Answer:
        assert taken.intent is not None
        route_name = taken.intent.name
        try:
            asked = self._asked(scope, reading, route_name)
            if isinstance(asked, Answer):
                return asked if asked.question else Answer(question, asked.status, asked.text, route_name)
            if asked.account is None and "account" in taken.intent.needs:
                return Answer(question, "which", "Which account do you mean? Please name it.", route_name)
            sheet, template = taken.intent.topic(asked)
            draft = write(sheet, template, {}, kind="answer", key=sheet.key)
            if not draft.text.strip():
                raise DraftError(f"the template {template} says nothing of its sheet")
        except NotInRecordError as error:
            return Answer(question, "not_in_record", str(error), route_name)
        except (DraftError, WorkbenchError):
            # Whatever cannot be computed or does not verify is a person's question, never a half answer.
            return self._passed_on(question, refusals.NOT_UNDERSTOOD, _first(reading.households))
        return Answer(
            question, "answered", draft.text.strip(), route_name, sheet, draft.report, sources=_sources(draft)
        )

    def _asked(self, scope: Scope, reading: Reading, route_name: str) -> Asked | Answer:
        """What is named, held together: an account of another household, or two of a kind, is not for one answer."""
        record, accounts = self._record, list(reading.accounts)
        amounts = [*reading.shares, *reading.money]
        if any(
            len(one) > 1
            for one in (reading.households, accounts, reading.securities, reading.models, reading.keys, amounts)
        ):
            return Answer("", "passed_on", f"{refusals.NOT_UNDERSTOOD} Please ask about each by itself.")
        household = _first(reading.households)
        if accounts:
            home = str(record.accounts.loc[accounts[0], "household_id"])
            if household not in (None, home) or (reading.ambiguous and home not in reading.ambiguous):
                return Answer("", "not_in_record", refusals.NOT_IN_BOOK)
            household = home
        if reading.registrations and household is not None:
            kinds = {one for kind in reading.registrations for one in _ALIKE.get(kind, (kind,))}
            held = [one for one in record.accounts_of(household) if record.accounts.loc[one, "registration"] in kinds]
            if accounts:
                held = [one for one in held if one in accounts]
            if not held:
                return Answer("", "not_in_record", "There is no such account in the record of this household.")
            if len(held) > 1 and route_name == "rmd":
                held = []  # The answer lists every account of the owner by itself.
            if len(held) > 1:
                return Answer("", "which", "The household has more than one such account. Please name it.")
            accounts = held
        return Asked(
            record,
            scope,
            household=household,
            account=_first(accounts),
            security=_first(reading.securities),
            key=reading.keys[0] if reading.keys else None,
            model=_first(reading.models),
            shares=reading.shares[0] if reading.shares else None,
            money=reading.money[0] if reading.money else None,
            version=reading.versions[0] if reading.versions else None,
            text=reading.text,
        )

    def _which(self, question: str, meant: list[str]) -> Answer:
        table = self._record.households
        names = [f"{table.loc[one, 'name']} ({one})" for one in sorted(set(meant))]
        listed = "; ".join(names[:_ASKED_BACK]) + ("; and others" if len(names) > _ASKED_BACK else "")
        return Answer(question, "which", f"More than one household could be meant: {listed}. Please ask by identifier.")

    def _passed_on(self, question: str, reason: str, household: str | None = None) -> Answer:
        """An answer for a person to give; until it is passed on, `escalation` holds the household it is of."""
        return Answer(question, "passed_on", reason, escalation=household or "")

    def _directory(self, scope: Scope) -> Directory:
        if scope not in self._directories:
            self._directories[scope] = Directory(self._record, scope)
        return self._directories[scope]


def ask(question: str, *, firm: str | Path = "demo", advisor: str | None = None) -> Answer:
    """Answer one question about a firm; the firm stays open for the next one."""
    return _open(str(firm)).ask(question, Scope(advisor))


def _first(names: list[str]) -> str | None:
    return names[0] if names else None


def _sources(draft: Draft) -> tuple[str, ...]:
    """Where the facts that an answer states were read, each place once."""
    return tuple(dict.fromkeys(draft.sheet.fact(id).source.line() for id in mentioned(draft.skeleton)))


_KEPT: dict[str, Copilot] = {}


def _open(firm: str) -> Copilot:
    if firm not in _KEPT:
        _KEPT[firm] = Copilot.of(firm)
    return _KEPT[firm]
