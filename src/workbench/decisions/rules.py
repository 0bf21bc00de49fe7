"""`workbench rules`: read a rulebook, and see what a change of it would have judged differently."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.decisions.place import AS_OF, FILE, FIRM, placed


@click.group()
def rules() -> None:
    """The rules that proposals are checked against before a person sees them.

    \b
    workbench rules show
    workbench rules check data/rulebook.yml
    workbench rules change data/rulebook.yml --firm data/firm --reason "Single names: 8 %" --out change.md
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
    from workbench import compliance, rebalance
    from workbench.compliance import changes
    from workbench.firm import open_at

    opened = open_at(firm, as_of)
    before = compliance.Rulebook.default() if old is None else compliance.Rulebook.read(old)
    book = rebalance.load(opened, settings=rebalance.Settings())
    proposals = [made for made in rebalance.propose_firm(book, rebalance.Settings()) if made.trades]
    past = changes.Past(compliance.FirmView.load(opened), compliance.Orders.from_proposals(proposals))
    report = changes.change_report(before, compliance.Rulebook.read(new), [past], reason=reason)
    if out is None:
        click.echo(report.markdown())
    else:
        out.write_text(report.markdown(), encoding="utf-8")
        click.echo(out)
