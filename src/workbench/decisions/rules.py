"""`workbench rules`: read a rulebook, and see what a change of it would have judged differently."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import click

from workbench.decisions.place import (
    AS_OF,
    CHECKPOINTS,
    DATABASE,
    FILE,
    FIRM,
    KEY,
    needs_governance,
    open_decisions,
    placed,
    signed_in,
)
from workbench.errors import ParameterError

if TYPE_CHECKING:
    from workbench.compliance import Rulebook
    from workbench.governance import Store, Who

AS_COMPLIANCE = (
    click.option("--as", "person", required=True, help="The person of compliance who acts."),
    click.option(
        "--password", prompt=True, hide_input=True, envvar="WORKBENCH_PASSWORD", help="That person's own; asked for."
    ),
)


@click.group()
def rules() -> None:
    """The rules that proposals are checked against before a person sees them.

    \b
    workbench rules show
    workbench rules check data/rulebook.yml
    workbench rules change data/rulebook.yml --firm data/firm --reason "Single names: 8 %" --out change.md
    workbench rules propose data/rulebook.yml --firm data/firm --reason "Single names: 8 %" --as cora
    workbench rules waiting --page
    workbench rules adopt 3f9a1c --as colin
    """


@rules.command()
@click.argument("file", type=FILE, required=False)
def show(file: Path | None) -> None:
    """List the rules of FILE (the ones that come with the workbench by default): version, limit, source."""
    from workbench.compliance import Rulebook

    book = Rulebook.default() if file is None else Rulebook.read(file)
    for rule in book:
        click.echo(f"{rule.rule_id} v{rule.version}  {rule.failing}  {rule.title}  [{rule.citation}]")
    click.echo(f"note: content hash: {book.hash}", err=True)


@rules.command()
@click.argument("file", type=FILE)
def check(file: Path) -> None:
    """Check that FILE is a rulebook: every rule known, every limit in range; exits with 2 and the place where not."""
    from workbench.compliance import Rulebook

    book = Rulebook.read(file)
    click.echo(f"{file}: {len(book)} rules, {book.hash[:8]}")


@rules.command()
@click.argument("new", type=FILE)
@placed(FIRM, AS_OF)
@click.option("--old", type=FILE, help="The rulebook in force. Default: the one that comes with the workbench.")
@click.option("--reason", required=True, help="Why the change is proposed, in a sentence; it stands on the page.")
@click.option("--out", type=FILE, help="Write the page here instead of printing it.")
def change(new: Path, firm: str, as_of: str | None, old: Path | None, reason: str, out: Path | None) -> None:
    """Say what differs in NEW, and which of the firm's proposals it would have judged differently. Adopts nothing."""
    from workbench import compliance

    before = compliance.Rulebook.default() if old is None else compliance.Rulebook.read(old)
    page = _page(before, compliance.Rulebook.read(new), firm, as_of, reason)
    if out is None:
        click.echo(page)
    else:
        out.write_text(page, encoding="utf-8")
        click.echo(out)


@rules.command()
@click.argument("new", type=FILE)
@placed(DATABASE, CHECKPOINTS, KEY, FIRM, AS_OF, *AS_COMPLIANCE)
@click.option("--reason", required=True, help="Why the change is proposed, in a sentence; it stands on the page.")
def propose(
    new: Path, database: str, checkpoints: Path | None, key: Path | None, firm: str, as_of: str | None, person: str,
    password: str, reason: str,
) -> None:  # fmt: skip
    """Propose NEW, with the page that says what it would have judged differently. Somebody else adopts it."""
    from workbench import compliance
    from workbench.governance import Document, ProposeRules, adopted_rules
    from workbench.signals import rulebook_in_force

    store, who = _signed_in(database, checkpoints, key, person, password)
    before, after = rulebook_in_force(store), compliance.Rulebook.read(new)
    with store.reading() as connection:
        first = adopted_rules(connection) is None and before.hash == after.hash
    page = _listed(after, reason) if first else _page(before, after, firm, as_of, reason)
    command = ProposeRules(
        Document("rulebook", "application/yaml", after.text.encode()),
        Document("rulebook", "text/markdown", page.encode()),
        after.hash,
        after.version,
        before.hash,
        reason,
    )
    receipt = store.perform(who, command, f"propose:{uuid4()}")
    click.echo(f"{receipt.object_id[:12]} waits; another person of compliance reads the page and adopts it:")
    click.echo(f"workbench rules waiting --page && workbench rules adopt {receipt.object_id[:12]} --as ...")


@rules.command()
@placed(DATABASE)
@click.option("--page", is_flag=True, help="Print the page of each: what it changes, and which proposals it touches.")
def waiting(database: str, page: bool) -> None:
    """List the rulebook in force and those that wait for adoption."""
    needs_governance()
    from workbench.governance import adopted_rules, fetch, proposed_rules

    with open_decisions(database).reading() as connection:
        now, listed = adopted_rules(connection), proposed_rules(connection)
        pages = [fetch(connection, one.page).body.decode() for one in listed] if page else []
    said = "none was adopted; the one that ships is used" if now is None else f"{now.rules_hash[:12]} v{now.version}"
    click.echo(f"note: in force: {said}", err=True)
    for one in listed:
        by = ", ".join(sorted(one.persons))
        click.echo(f"{one.rules_hash[:12]} v{one.version}  {one.at:%Y-%m-%d}  by {by}: {one.reason}")
    for text in pages:
        click.echo(text)


@rules.command()
@click.argument("which")
@placed(DATABASE, CHECKPOINTS, KEY, *AS_COMPLIANCE)
@click.option("--note", default="", help="What the adopter wants to have on record.")
def adopt(
    which: str, database: str, checkpoints: Path | None, key: Path | None, person: str, password: str, note: str
) -> None:
    """Put the proposed rulebook WHICH (the first six characters of its hash, or more) in force.

    Signals that were checked by another one lose their pre-flight and their approvals, and are checked anew.
    """
    store, who = _signed_in(database, checkpoints, key, person, password)
    from workbench.governance import AdoptRules, proposed_rules

    with store.reading() as connection:
        found = [one for one in proposed_rules(connection) if len(which) >= 6 and one.rules_hash.startswith(which)]
    if len(found) != 1:
        raise ParameterError(f"{which!r} is not one proposed rulebook; list them: workbench rules waiting", "which")
    receipt = store.perform(who, AdoptRules(found[0].rules_hash, found[0].page, note), f"adopt:{uuid4()}")
    click.echo(f"{receipt.object_id[:12]} v{receipt.version} is in force; signals that start anew: {len(receipt.also)}")


def _signed_in(
    database: str, checkpoints: Path | None, key: Path | None, person: str, password: str
) -> tuple[Store, Who]:
    """Open the store for a person who knows their own password: a change of rules is not made in another's name."""
    needs_governance()
    store = open_decisions(database, checkpoints, key)
    return store, signed_in(store, person, password)


def _page(before: Rulebook, after: Rulebook, firm: str, as_of: str | None, reason: str) -> str:
    from workbench import compliance, rebalance
    from workbench.compliance import changes
    from workbench.firm import open_at

    opened = open_at(firm, as_of)
    book = rebalance.load(opened, settings=rebalance.Settings())
    proposals = [made for made in rebalance.propose_firm(book, rebalance.Settings()) if made.trades]
    past = changes.Past(compliance.FirmView.load(opened), compliance.Orders.from_proposals(proposals))
    return changes.change_report(before, after, [past], reason=reason).markdown()


def _listed(book: Rulebook, reason: str) -> str:
    """The page of a first adoption: nothing is in force that it could be compared to."""
    from workbench.compliance.rules_page import rules_page

    return f"# Rules to be adopted first\n\nReason: {' '.join(reason.split())}\n\n{rules_page(book)}"
