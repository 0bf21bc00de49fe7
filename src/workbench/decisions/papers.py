"""`workbench papers`: bring a folder of drafts before people, list what waits, show one paper with its verdict."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from workbench.decisions.place import (
    AS,
    AS_OF,
    DATABASE,
    FIRM,
    FOLDER,
    needs_governance,
    open_decisions,
    placed,
    service,
)
from workbench.errors import ParameterError

if TYPE_CHECKING:
    from workbench.drafting import Draft

#: Where a folder of drafts keeps what each was made of.
RECORDS = "records"
READER = click.option("--as", "person", default="scheduler", show_default=True, help="The service account that reads.")


@click.group()
def papers() -> None:
    """Papers: drafts on their way to a person's release.

    \b
    workbench draft client --firm demo --out reports
    workbench papers bring reports/drafts-2022-12-28-1a2b3c4d --firm demo
    workbench papers list --state drafted
    workbench papers show paper-4711
    """
    needs_governance()


@papers.command()
@click.argument("folder", type=FOLDER)
@placed(DATABASE, FIRM, AS_OF, AS)
def bring(folder: Path, database: str, firm: str, as_of: str | None, person: str) -> None:
    """Bring the drafts of a folder before people; each text is verified anew on the way in.

    The same folder brought twice changes nothing. An open paper of the same kind and key is superseded. The firm says
    whose book each paper lies in.
    """
    from workbench import releases
    from workbench.firm import open_at

    drafts = read_folder(folder)
    store = open_decisions(database)
    placed_in = releases.places(open_at(firm, as_of))
    brought = releases.bring(store, service(store, person), drafts, placed_in)
    found = ", ".join(f"{n:,} {kind.replace('_', ' ')}" for kind, n in sorted(brought.kinds.items()))
    click.echo(f"{len(brought.papers):,} papers ({found}), {brought.unchanged:,} were there already")
    faulty = sum(not draft.report.supported for draft in drafts)
    if faulty:
        click.echo(f"{faulty:,} are not wholly supported by their facts and cannot be released as they are", err=True)


@papers.command("list")
@placed(DATABASE, READER)
@click.option("--kind", help="Only papers of this kind, such as client_email.")
@click.option("--state", help="drafted, edited, released, withdrawn or superseded. Default: what waits for release.")
def list_papers(database: str, person: str, kind: str | None, state: str | None) -> None:
    """List papers, the oldest that wait first."""
    from workbench.governance.access import actor
    from workbench.governance.paper_kinds import kind_of
    from workbench.governance.reading import PaperFilters, papers_page
    from workbench.governance.states import PaperState

    if kind is not None:
        kind_of(kind)
    if state is not None and state not in list(PaperState):
        raise ParameterError(f"--state is {state!r}; take one of {', '.join(PaperState)}", "state")
    filters = PaperFilters(kind=kind, state=None if state is None else PaperState(state), waiting=state is None)
    store = open_decisions(database)
    who, after = service(store, person), 0
    with store.reading() as connection:
        reader = actor(connection, who, store.clock())
        while True:
            page = papers_page(connection, reader, filters, after)
            for row in page.rows:
                verdict = "supported" if row.supported else "NOT SUPPORTED"
                click.echo(f"{row.paper_id}  {row.kind:<15} {row.key:<12} {row.book:<6} {row.state:<10} {verdict}")
            if page.next_after is None:
                break
            after = page.next_after
    click.echo(f"{page.total:,} papers", err=True)


@papers.command()
@click.argument("paper_id")
@placed(DATABASE, READER)
def show(paper_id: str, database: str, person: str) -> None:
    """Show a paper: its text, what the verifier says of it now, and its history."""
    from workbench import releases
    from workbench.drafting.spelling import one_line
    from workbench.governance.access import actor
    from workbench.governance.reading import paper_document, paper_view

    store = open_decisions(database)
    with store.reading() as connection:
        reader = actor(connection, service(store, person), store.clock())
        view = paper_view(connection, reader, paper_id)
        if view is None:
            raise ParameterError(f"there is no paper {paper_id[:40]!r}; take its number from `papers list`", "paper_id")
        text = (paper_document(connection, reader, paper_id, view.current_hash) or b"").decode("utf-8", "replace")
        facts = paper_document(connection, reader, paper_id, view.facts_hash) or b""
    click.echo(f"{one_line(view.title)}  ({view.kind}, {view.key}, {view.state}, version {view.version})\n")
    for line in text.splitlines():
        click.echo(one_line(line))
    report, _ = releases.verified(text, facts)
    click.echo(f"\n{len(report.spans):,} statements checked, {len(report.faults):,} not supported")
    for fault in report.faults:
        click.echo(f"  {one_line(fault.text)}: {fault.verdict.value}: {one_line(fault.reason)}")
    for act in view.history:
        click.echo(f"{act.at[:16]}  {act.who} {act.words}")


def read_folder(folder: Path) -> list[Draft]:
    """Return the drafts of a folder that `workbench draft` wrote, each text verified anew.

    Raises `ParameterError` for a folder without records, `DraftError` for a record that is not what was written.
    """
    from workbench.errors import DraftError
    from workbench.papers.record import read_record

    found = sorted((folder / RECORDS).glob("*.json"))
    if not found:
        raise ParameterError(
            f"{folder} holds no records of drafts; give a folder that `workbench draft` wrote", "folder"
        )
    drafts = []
    for path in found:
        try:
            drafts.append(read_record(path.read_bytes()))
        except OSError as error:
            raise ParameterError(f"{path} cannot be read ({error.strerror})", "folder") from error
        except DraftError as error:
            raise DraftError(f"{path}: {error}") from error
    return drafts
