"""From proposals to signals: each household's package, brief, inputs and pre-flight, brought before people.

The machine's last act: it creates and checks signals as a service account. What happens to them then, people decide.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd
from sqlalchemy import ColumnElement, exists, or_, select

from workbench import compliance, governance, rebalance, releases
from workbench.compliance import Orders, Preflight, Rulebook
from workbench.compliance.household_inputs import household_inputs
from workbench.drafting.on_file import Directory, Extras
from workbench.errors import DecisionError, DraftError
from workbench.exhibits.brief import brief
from workbench.exhibits.household_file import household_files
from workbench.firm import Firm
from workbench.governance import (
    Check,
    Create,
    Document,
    Finding,
    Mode,
    Receipt,
    SeeInputs,
    State,
    Store,
    Summary,
    Who,
)
from workbench.governance.commands import AddDraft
from workbench.governance.states import STRICTNESS
from workbench.governance.tables import consent, draft, signal
from workbench.papers import client
from workbench.rebalance import Proposal, Settings, SignalPackage
from workbench.report.brief import render_html

#: Signals that may be checked: before anybody asked for approval.
_WAITS = signal.c.state.in_([State.DRAFT, State.CHECKED, State.RETURNED])


@dataclass(frozen=True)
class Brought:
    """What was brought: signals (identifiers), how many there are of each worst verdict, how many were there already
    as they are, how many households have nothing to trade; and of whom no letter could be drafted: household -> why.
    """

    signals: tuple[str, ...]
    verdicts: Mapping[str, int]
    unchanged: int
    nothing_to_trade: int
    undrafted: Mapping[str, str] = field(default_factory=dict)


def rulebook_in_force(store: Store) -> Rulebook:
    """Return the rulebook that two people of compliance adopted; where none was, the one that ships.

    Raises `DecisionError` where its text is no longer what was adopted, `ParameterError` where this version of the
    program has no check that it names.
    """
    with store.reading() as connection:
        kept = governance.adopted_rules(connection)
        if kept is None:
            return Rulebook.default()
        body = governance.fetch(connection, kept.document).body
    found = Rulebook.parse(body.decode(), f"the rulebook adopted on {kept.at:%Y-%m-%d}")
    if found.hash != kept.rules_hash:
        raise DecisionError(
            f"the rulebook adopted on {kept.at:%Y-%m-%d} reads as {found.hash[:12]} in this version of the program and "
            f"was adopted as {kept.rules_hash[:12]}; propose and adopt it again"
        )
    return found


class Checker:
    """Pre-flights signals against one firm; reads the firm once, then checks in milliseconds.

    Without a rulebook of its own it uses the one in force in the store it checks for, looked up at every check.
    """

    def __init__(self, firm: Firm, rulebook: Rulebook | None = None) -> None:
        self.firm = firm
        self.rulebook = rulebook
        self.view = compliance.FirmView.load(firm)

    def rules(self, store: Store) -> Rulebook:
        """Return the rulebook to check a store's signals by. Raises as `rulebook_in_force`."""
        return rulebook_in_force(store) if self.rulebook is None else self.rulebook

    def preflight(
        self, proposals: Sequence[Proposal], rules: Rulebook, consents: Mapping[str, str] | None = None
    ) -> Preflight:
        """Check proposals; `consents` maps an account to the document that holds its client's consent."""
        return compliance.preflight(self.view, Orders.from_proposals(proposals), rules, consents=consents)

    def inputs(self, proposals: Sequence[Proposal]) -> dict[str, str]:
        """Return the fingerprint of what each household's proposal was made of, as the firm is now.

        Raises `ParameterError` for a household that the firm does not have.
        """
        wanted = {proposal.household_id for proposal in proposals}
        if wanted - self._fingerprints.keys():
            household_inputs(self.firm, sorted(wanted))  # names the household that is unknown
        return {household: self._fingerprints[household] for household in wanted}

    @cached_property
    def _fingerprints(self) -> Mapping[str, str]:
        """Of every household: hashing one reads as many files as hashing all, and a firm does not change."""
        return household_inputs(self.firm).fingerprints

    def check(self, store: Store, signal_id: str) -> Check:
        """Return the pre-flight of a signal as it stands now, with the consents that were recorded for it.

        Raises `DecisionError` where there is no such signal, `PackageError` where its package is not whole.
        """
        with store.reading() as connection:
            row = connection.execute(select(signal).where(signal.c.signal_id == signal_id)).one_or_none()
            if row is None:
                raise DecisionError(f"there is no signal {signal_id}; take its number from the queue")
            body = governance.fetch(connection, row.package_hash).body
            given = connection.execute(select(consent).where(consent.c.signal_id == signal_id)).all()
        proposal = rebalance.loads(body)
        consents = {one.account_id: one.source_document for one in given if one.package_hash == row.package_hash}
        made = self.preflight([proposal], self.rules(store), consents)
        return self.command(made, 0, signal_id, row.version, self.inputs([proposal])[row.household_id])

    def command(self, made: Preflight, place: int, signal_id: str, version: int, inputs: str) -> Check:
        """Return what attaches a pre-flight's proposal number `place` to a signal at `version`, made of `inputs`."""
        return Check(
            signal_id=signal_id,
            version=version,
            preflight=Document("preflight", "application/json", made.document(place)),
            findings=tuple(_finding(found) for found in made.findings(place)),
            inputs_hash=inputs,
            rules_hash=made.rules_hash,
        )


def bring(
    store: Store,
    checker: Checker,
    who: Who,
    *,
    settings: Settings | None = None,
    households: Sequence[str] = (),
    workers: int = 1,
) -> Brought:
    """Propose for households (all of the firm's by default) and bring each proposal that trades before people, checked.

    The same firm, settings and rulebook brought twice change nothing: signals are named by content. Open signals made
    of other inputs are voided or superseded; those checked under another rulebook are checked again. Raises
    `AccessError` where `who` may not create signals, `FirmDataError` for a broken firm, `ParameterError` for a
    household that it does not have.
    """
    chosen = settings or Settings()
    book = rebalance.load(checker.firm, settings=chosen)
    wanted = book.positions(households) if households else None
    proposals = rebalance.propose_firm(book, chosen, households=wanted, workers=workers)
    trading = [proposal for proposal in proposals if proposal.trades]
    inputs = checker.inputs(proposals)
    see = SeeInputs(checker.firm.content_hash, tuple(sorted(inputs.items())))
    store.perform(who, see, f"inputs:{store.clock().isoformat()}")
    made = checker.preflight(trading, checker.rules(store))
    found, verdicts, changed = [], Counter[str](), 0
    queue = rebalance.queue(proposals).set_index("household_id")
    sealed = {proposal.household_id: rebalance.package(proposal) for proposal in trading}
    files = _files(checker.firm, queue, sealed)
    letters = Letters(checker.firm, files)
    for place, create in enumerate(_creations(checker.firm, trading, inputs, queue, sealed, files)):
        signal_id = _named(store, who, create)
        stands = _unchecked(store, signal_id, made.rules_hash)
        if stands is not None:
            # What clients consented to counts for the signal it was recorded for, so that one is checked by itself.
            if _consented(store, signal_id):
                command = checker.check(store, signal_id)
            else:
                command = checker.command(made, place, signal_id, stands, create.inputs_hash)
            store.perform(who, command, f"check:{signal_id}:{stands}")
            changed += 1
        if create.mode is not Mode.MONITOR:
            letters.add(store, who, signal_id, trading[place])
        verdicts[made.worst(place).name.lower()] += 1
        found.append(signal_id)
    unchanged, idle = len(found) - changed, len(proposals) - len(trading)
    return Brought(tuple(found), dict(verdicts), unchanged, idle, letters.undrafted)


def check_again(store: Store, checker: Checker, who: Who) -> tuple[Receipt, ...]:
    """Check every signal that waits for it: revised, consented to, voided, or checked under another rulebook.

    Raises `AccessError` where `who` may not check.
    """
    with store.reading() as connection:
        waiting = connection.execute(
            select(signal.c.signal_id, signal.c.version).where(_WAITS, _other_rules(checker.rules(store).hash))
        ).all()
    return tuple(
        store.perform(who, checker.check(store, row.signal_id), f"check:{row.signal_id}:{row.version}")
        for row in waiting
    )


def _named(store: Store, who: Who, create: Create) -> str:
    """The signal of this very package on these very inputs, created where there is none or it ran out.

    What people rejected or released stays so: it is not brought again until package or inputs change.
    """
    content = hashlib.sha256(create.package.body + create.inputs_hash.encode()).hexdigest()
    with store.reading() as connection:
        same = connection.execute(
            select(signal.c.signal_id, signal.c.state).where(
                signal.c.household_id == create.household_id,
                signal.c.package_hash == hashlib.sha256(create.package.body).hexdigest(),
                signal.c.inputs_hash == create.inputs_hash,
            )
        ).all()
    for row in same:
        if row.state not in (State.SUPERSEDED, State.EXPIRED):
            return str(row.signal_id)
    return store.perform(who, create, f"create:{content}:{len(same)}").object_id


def _unchecked(store: Store, signal_id: str, rules_hash: str) -> int | None:
    """The version of a signal that waits for a check; None for one that has it, or is past it."""
    with store.reading() as connection:
        return connection.execute(
            select(signal.c.version).where(signal.c.signal_id == signal_id, _WAITS, _other_rules(rules_hash))
        ).scalar_one_or_none()


def _consented(store: Store, signal_id: str) -> bool:
    with store.reading() as connection:
        return (
            connection.execute(select(consent.c.account_id).where(consent.c.signal_id == signal_id)).first() is not None
        )


class Letters:
    """The clients' e-mails that go with signals: drafted of the proposals, verified, kept with their facts.

    `undrafted` says of whose proposal no letter can be told rightly, and why; its signal goes on without one.
    """

    def __init__(self, firm: Firm, files: Mapping[str, Extras]) -> None:
        self.undrafted: dict[str, str] = {}
        self._firm = firm
        self._files = files

    def add(self, store: Store, who: Who, signal_id: str, proposal: Proposal) -> None:
        """Draft the letter of a signal that has no text yet and that nobody has asked approval for."""
        silent = ~exists().where(draft.c.signal_id == signal.c.signal_id)
        with store.reading() as connection:
            stands = select(signal.c.version).where(signal.c.signal_id == signal_id, _WAITS, silent)
            version = connection.execute(stands).scalar_one_or_none()
        if version is None:
            return
        try:
            letter = client.client_email(proposal, self._files[proposal.household_id], self._named)
        except DraftError as error:
            self.undrafted[proposal.household_id] = str(error)
            return
        text, facts, report = releases.documents_of(letter)
        record, made = releases.how_made(letter)
        command = AddDraft(signal_id, version, client.EMAIL, text, record, made, facts, report)
        store.perform(who, command, f"letter:{signal_id}")

    @cached_property
    def _named(self) -> Directory:
        return client.directory(self._firm)


def _other_rules(rules_hash: str) -> ColumnElement[bool]:
    """Signals without a pre-flight under this rulebook."""
    return or_(signal.c.state == State.DRAFT, signal.c.rules_hash.is_distinct_from(rules_hash))


def _files(firm: Firm, queue: pd.DataFrame, sealed: Mapping[str, SignalPackage]) -> Mapping[str, Extras]:
    """What is on file of each household that trades, with its package's hash and its place in the queue."""
    hashes = {household: package.content_hash for household, package in sealed.items()}
    ranks = {str(household): int(rank) for household, rank in queue["rank"].items()}
    return household_files(firm, hashes, hashes=hashes, ranks=ranks)


def _creations(
    firm: Firm,
    trading: Sequence[Proposal],
    inputs: Mapping[str, str],
    queue: pd.DataFrame,
    sealed: Mapping[str, SignalPackage],
    files: Mapping[str, Extras],
) -> list[Create]:
    modes = firm.table("accounts").set_index("account_id")["rollout_mode"].to_dict()
    made = []
    for proposal in trading:
        page = render_html(brief(proposal, files[proposal.household_id]))
        accounts = tuple(sorted({trade.account_id for trade in proposal.trades}))
        made.append(
            Create(
                household_id=proposal.household_id,
                household_name=proposal.household_name,
                book=proposal.advisor_id,
                models=tuple(sorted({group.model_id for group in proposal.groups})),
                accounts=accounts,
                policy=proposal.mode,
                mode=min((Mode(modes[account]) for account in accounts), key=STRICTNESS.index),
                package=Document("package", "application/json", sealed[proposal.household_id].body),
                brief=Document("brief", "text/html", page.encode()),
                inputs_hash=inputs[proposal.household_id],
                snapshot=firm.content_hash,
                summary=summary(proposal, queue.loc[proposal.household_id]),
            )
        )
    return made


def summary(proposal: Proposal, line: pd.Series) -> Summary:
    """Return what the queue of signals shows of a proposal; `line` is its row of `rebalance.queue`. Money in cents."""
    due = line["cash_due"]
    return Summary(
        as_of=proposal.as_of.isoformat(),
        trades=len(proposal.trades),
        traded=_cents(line["traded"]),
        tax=_cents(proposal.tax),
        cost=_cents(proposal.cost),
        benefit=_cents(proposal.benefit),
        rank=int(line["rank"]),
        cash_due=None if pd.isna(due) else due.date().isoformat(),
        out_of_band=int(line["out_of_band"]),
    )


def _finding(found: compliance.Finding) -> Finding:
    return Finding(
        rule_id=found.rule_id,
        rule_version=found.version,
        verdict=found.verdict.name.lower(),  # type: ignore[arg-type]
        value=_figure(found.value, found.unit),
        limit=_figure(found.limit, found.unit),
        reason=found.reason,
        overridable=found.overridable,
    )


def _figure(value: float | None, unit: str) -> str:
    """A finding's figure as the exceptions page shows it; "" where there is none."""
    if value is None:
        return ""
    if unit == "fraction":
        return f"{value:.1%}".replace("%", " %")
    return f"${value:,.0f}" if unit == "dollars" else f"{value:,.4g} {unit}"


def _cents(amount: float) -> int:
    return round(float(amount) * 100)
