"""From proposals to signals: each household's package, brief, inputs and pre-flight, brought before people.

The machine's last act: it creates and checks signals as a service account. What happens to them then, people decide.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from sqlalchemy import select

from workbench import compliance, governance, rebalance
from workbench.canonical import canonical
from workbench.compliance import Orders, Preflight, Rulebook
from workbench.compliance.household_inputs import household_inputs
from workbench.errors import DecisionError
from workbench.exhibits.brief import brief
from workbench.exhibits.household_file import household_files
from workbench.firm import Firm
from workbench.governance import Check, Create, Document, Finding, Mode, Receipt, SeeInputs, Store, Summary, Who
from workbench.governance.tables import consent, signal
from workbench.rebalance import Proposal, Settings
from workbench.report.brief import render_html

#: From the most careful to the freest.
_MODES = ("monitor", "draft", "release")


@dataclass(frozen=True)
class Brought:
    """What was brought: signals by their worst verdict, how many were there already, and households left alone."""

    receipts: tuple[Receipt, ...]
    verdicts: Mapping[str, int]
    unchanged: int
    nothing_to_trade: int


class Checker:
    """Pre-flights signals against one firm and one rule book; reads the firm once, then checks in milliseconds."""

    def __init__(self, firm: Firm, rulebook: Rulebook | None = None) -> None:
        self.firm = firm
        self.rulebook = rulebook if rulebook is not None else Rulebook.default()
        self.view = compliance.FirmView.load(firm)

    def preflight(self, proposals: Sequence[Proposal], consents: Mapping[str, str] | None = None) -> Preflight:
        """Check proposals; `consents` maps an account to the document that holds its client's consent."""
        return compliance.preflight(self.view, Orders.from_proposals(proposals), self.rulebook, consents=consents)

    def inputs(self, proposals: Sequence[Proposal]) -> dict[str, str]:
        """Return the fingerprint of what each household's proposal was made of, as the firm is now."""
        return dict(household_inputs(self.firm, [proposal.household_id for proposal in proposals]).fingerprints)

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
        made = self.preflight([proposal], consents)
        return self._command(made, 0, signal_id, row.version, self.inputs([proposal])[row.household_id])

    def _command(self, made: Preflight, place: int, signal_id: str, version: int, inputs: str) -> Check:
        return Check(
            signal_id=signal_id,
            version=version,
            preflight=Document("preflight", "application/json", made.document(place)),
            findings=tuple(_finding(found) for found in made.findings(place)),
            inputs_hash=inputs,
            rules_hash=self.rulebook.hash,
        )


def bring(
    store: Store,
    checker: Checker,
    who: Who,
    *,
    settings: Settings | None = None,
    households: Sequence[int] | None = None,
    workers: int = 1,
) -> Brought:
    """Propose for the firm's households and bring each proposal that trades before people, checked.

    `households` are positions in the book (all by default). The same firm, settings and rule book brought twice change
    nothing: keys are made of content. Signals still open that were made of other inputs are voided or superseded.
    Raises `AccessError` where `who` may not create signals, `FirmDataError` for a broken firm.
    """
    chosen = settings or Settings()
    book = rebalance.load(checker.firm, settings=chosen)
    proposals = rebalance.propose_firm(book, chosen, households=households, workers=workers)
    trading = [proposal for proposal in proposals if proposal.trades]
    inputs = checker.inputs(proposals)
    snapshot = checker.firm.content_hash
    seen = tuple(sorted(inputs.items()))
    store.perform(who, SeeInputs(snapshot, seen), f"inputs:{_hash([snapshot, seen])}")
    creates = _creations(checker.firm, proposals, trading, inputs)
    made = checker.preflight(trading)
    receipts, verdicts, unchanged = [], Counter[str](), 0
    for place, create in enumerate(creates):
        content = _hash([create.household_id, rebalance.content_hash(trading[place]), create.inputs_hash])
        receipt = store.perform(who, create, f"create:{content}")
        if receipt.first:
            command = checker._command(made, place, receipt.object_id, receipt.version, create.inputs_hash)
            receipt = store.perform(who, command, f"check:{_hash([content, checker.rulebook.hash])}")
        unchanged += not receipt.first
        verdicts[made.worst(place).name.lower()] += 1
        receipts.append(receipt)
    return Brought(tuple(receipts), dict(verdicts), unchanged, len(proposals) - len(trading))


def _creations(
    firm: Firm, proposals: Sequence[Proposal], trading: Sequence[Proposal], inputs: Mapping[str, str]
) -> list[Create]:
    queue = rebalance.queue(proposals).set_index("household_id")
    hashes = {proposal.household_id: rebalance.content_hash(proposal) for proposal in trading}
    ranks = {str(household): int(rank) for household, rank in queue["rank"].items()}
    files = household_files(firm, hashes, hashes=hashes, ranks=ranks)
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
                mode=Mode(min((modes[account] for account in accounts), key=_MODES.index)),
                package=Document("package", "application/json", rebalance.dumps(proposal)),
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


def _hash(value: object) -> str:
    import hashlib

    return hashlib.sha256(canonical(value)).hexdigest()
