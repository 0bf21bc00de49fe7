"""A household's papers: the letter its advisor sends, the text of its brief, from a firm or from one proposal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from multiprocessing import get_context

from workbench import rebalance
from workbench.drafting.draft import Draft
from workbench.drafting.facts import FactSheet
from workbench.drafting.on_file import Directory, Extras, ModelVersion
from workbench.drafting.reasons.household import CLAIMS
from workbench.drafting.sheets.household import household_sheet
from workbench.drafting.writer import write
from workbench.exhibits.household_file import household_files
from workbench.firm import Firm, effective_versions
from workbench.rebalance.proposal import Proposal

#: Subject lines, the first one whose claim holds.
_SUBJECTS: tuple[tuple[str | None, str], ...] = (
    ("opening.nothing", "Your accounts: no change proposed"),
    ("consent", "Your accounts: changes that need your consent"),
    ("conflict", "Your accounts: instructions to talk through"),
    ("opening.distribution", "Your accounts: your required distribution, and what we propose"),
    ("opening.withdrawal", "Your accounts: your withdrawal, and what we propose"),
    ("opening.harvest", "Your accounts: losses to use for your taxes"),
    ("opening.model", "Your accounts: a new version of your model"),
    ("opening.raise", "Your accounts: raising the cash you need"),
    ("opening.invest", "Your accounts: putting cash to work"),
    ("opening.location", "Your accounts: a better place for some holdings"),
    ("opening.drift", "Your accounts: back in line with your model"),
    ("opening.models", "Your accounts: back in line with your models"),
    (None, "Your accounts: what we propose"),
)
EMAIL, BRIEF = "client_email", "client_brief"
#: Households that a worker takes at a time.
_CHUNK = 16


def drafts(firm: Firm, *, households: Sequence[str] = (), workers: int = 1) -> Iterator[Draft]:
    """Return the brief and the e-mail of each household named (all of the firm's by default), analytics run once.

    Raises `ParameterError` for an unknown household, `FirmDataError` for a broken firm, `DraftError` or `FactError`
    for a household whose record cannot be told.
    """
    return papers(_on_file(firm, households, workers), directory(firm), workers=workers)


def papers(filed: Sequence[tuple[Proposal, Extras]], named: Directory, *, workers: int = 1) -> Iterator[Draft]:
    """Return the brief and the e-mail of each proposal, in their order, written by so many processes at once.

    Raises `DraftError` or `FactError` as `drafts`.
    """
    chunks = [filed[start : start + _CHUNK] for start in range(0, len(filed), _CHUNK)]
    if workers > 1 and len(chunks) > 1:
        # Fresh processes: a fork of one that has threads may hang.
        with get_context("spawn").Pool(workers) as pool:
            for written in pool.imap(partial(_written, named=named), chunks):
                yield from written
    else:
        for chunk in chunks:
            yield from _written(chunk, named)


def sheets(firm: Firm, *, households: Sequence[str] = (), workers: int = 1) -> Iterator[FactSheet]:
    """Return the fact sheet of each household named (all of the firm's by default). Raises as `drafts`."""
    named = directory(firm)
    for proposal, extras in _on_file(firm, households, workers):
        yield household_sheet(proposal, extras, named)


def client_email(proposal: Proposal, extras: Extras, named: Directory) -> Draft:
    """Return the e-mail of one proposal; `named` is the firm's `directory`. Raises as `drafts`."""
    return email(household_sheet(proposal, extras, named))


def client_brief(proposal: Proposal, extras: Extras, named: Directory) -> Draft:
    """Return the brief's text of one proposal; `named` is the firm's `directory`. Raises as `drafts`."""
    return brief(household_sheet(proposal, extras, named))


def email(sheet: FactSheet) -> Draft:
    """Return the e-mail of a household's sheet. Raises as `drafting.writer.write`."""
    return write(sheet, EMAIL, CLAIMS, kind=EMAIL, title=subject(sheet))


def subject(sheet: FactSheet) -> str:
    """Return the subject line of a household's e-mail, by what the client must know first."""
    return next(line for claim, line in _SUBJECTS if claim is None or CLAIMS[claim].holds(sheet, ""))


def brief(sheet: FactSheet) -> Draft:
    """Return the brief's text of a household's sheet. Raises as `drafting.writer.write`."""
    return write(sheet, BRIEF, CLAIMS, kind=BRIEF, title="Household brief")


def directory(firm: Firm) -> Directory:
    """Return how a firm calls its advisors, securities and models."""
    advisors = firm.table("advisors", ["advisor_id", "name"])
    securities = firm.table("securities", ["security_id", "name"])
    return Directory(
        dict(zip(advisors["advisor_id"].astype(str), advisors["name"].astype(str))),
        dict(zip(securities["security_id"].astype(str), securities["name"].astype(str))),
        _versions(firm),
    )


def _on_file(firm: Firm, households: Sequence[str], workers: int) -> list[tuple[Proposal, Extras]]:
    """Each household's proposal with what is on file of it."""
    settings = rebalance.Settings()
    book = rebalance.load(firm, settings=settings)
    wanted = book.positions(households) if households else None
    proposals = rebalance.propose_firm(book, settings, households=wanted, workers=workers)
    files = household_files(firm, [proposal.household_id for proposal in proposals])
    return [(proposal, files[proposal.household_id]) for proposal in proposals]


def _written(filed: Sequence[tuple[Proposal, Extras]], named: Directory) -> list[Draft]:
    """A worker's next papers."""
    made = [household_sheet(proposal, extras, named) for proposal, extras in filed]
    return [paper for sheet in made for paper in (brief(sheet), email(sheet))]


def _versions(firm: Firm) -> dict[str, tuple[ModelVersion, ...]]:
    found: dict[str, tuple[ModelVersion, ...]] = {}
    for row in effective_versions(firm.table("models"), firm.as_of).itertuples(index=False):
        one = ModelVersion(
            row.model_id, int(row.version), row.name, row.effective_date.date(), row.rationale, row.approved_by
        )
        found[row.model_id] = (*found.get(row.model_id, ()), one)
    return found
