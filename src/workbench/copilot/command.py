"""`workbench ask`: one question at the command line, answered with its sources."""

from __future__ import annotations

import click


@click.command()
@click.argument("question")
@click.option("--firm", default="demo", show_default=True, help="A firm's folder, or the word demo.")
@click.option("--as-of", metavar="DATE", help="The day of the record. Default: the snapshot's own.")
@click.option("--advisor", metavar="ID", help="Answer from this advisor's book only. Default: the whole firm's.")
def ask(question: str, firm: str, as_of: str | None, advisor: str | None) -> None:
    """Answer a question from the record, with sources; or say that it is not answered.

    Reads only: nothing is traded, approved or changed, and no figure comes from anywhere but the record.

    \b
    workbench ask "why is H00042 overweight technology?" --firm demo
    workbench ask "what would selling 100 AAPL in A00155 cost in tax?" --firm demo
    workbench ask "gain budget left for the Langfords" --firm demo --advisor ADV4
    """
    from workbench.copilot.answer import Scope
    from workbench.copilot.copilot import Copilot

    opened = Copilot.of(firm, as_of)
    click.echo(opened.ask(question, Scope(advisor if advisor is None else opened.known_advisor(advisor))))
