"""`workbench signals`: bring proposals before people, close what has expired, list, hand decisions to the chapter."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.decisions.place import AS, AS_OF, DATABASE, FILE, FIRM, FOLDER, needs_governance, open_decisions, placed

from workbench.decisions.place import service  # isort: skip

_STATES = (
    "draft", "checked", "submitted", "approved", "rejected", "returned", "released", "exported", "acknowledged",
    "partly_filled", "filled", "expired", "superseded",
)  # fmt: skip


@click.group()
def signals() -> None:
    """Signals: proposals on their way to a decision.

    \b
    workbench signals bring --firm data/firm
    workbench signals check --firm data/firm
    workbench signals list --state submitted --as petra
    workbench signals sweep
    workbench signals decisions --out data/decisions
    """
    needs_governance()


@signals.command()
@placed(DATABASE, FIRM, AS_OF, AS)
@click.option("--settings", type=FILE, help="The firm's choices for rebalancing, as params/rebalancing.yml.")
@click.option("--rules", type=FILE, help="The firm's rulebook. Default: the one that comes with the workbench.")
@click.option("--household", "households", multiple=True, metavar="ID", help="Only this household; may be repeated.")
@click.option("--jobs", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes that share the work.")
def bring(
    database: str,
    firm: str,
    as_of: str | None,
    person: str,
    settings: Path | None,
    rules: Path | None,
    households: tuple[str, ...],
    jobs: int,
) -> None:
    """Propose for every household, check each proposal against every rule, and put it into the queue.

    The same firm brought twice changes nothing. Signals still open that were made of data that have changed since are
    superseded, or lose their checks and approvals.
    """
    from workbench import rebalance
    from workbench.compliance import Rulebook
    from workbench.firm import open_at
    from workbench.governance import Who
    from workbench.signals import Checker
    from workbench.signals import bring as bring_all

    store = open_decisions(database)
    checker = Checker(open_at(firm, as_of), None if rules is None else Rulebook.read(rules))
    chosen = rebalance.Settings() if settings is None else rebalance.Settings.read(settings)
    brought = bring_all(store, checker, service(store, person), settings=chosen, households=households, workers=jobs)
    found = ", ".join(f"{n:,} {verdict.replace('_', ' ')}" for verdict, n in sorted(brought.verdicts.items()))
    click.echo(f"{len(brought.signals):,} signals ({found or 'none'}), {brought.unchanged:,} were there already")
    click.echo(f"{brought.nothing_to_trade:,} households have nothing to trade", err=True)


@signals.command()
@placed(DATABASE, FIRM, AS)
@click.option("--rules", type=FILE, help="The firm's rulebook. Default: the one that comes with the workbench.")
def check(database: str, firm: str, person: str, rules: Path | None) -> None:
    """Check every signal that waits for it: after a revision, a consent, changed data, or a change of rules."""
    from workbench.compliance import Rulebook
    from workbench.firm import open_at
    from workbench.signals import Checker, check_again

    store = open_decisions(database)
    checker = Checker(open_at(firm), None if rules is None else Rulebook.read(rules))
    checked = check_again(store, checker, service(store, person))
    click.echo(f"{len(checked):,} signals were checked again")


@signals.command()
@placed(DATABASE, AS)
def sweep(database: str, person: str) -> None:
    """Close signals that are past their day and take approvals back that are past their hour."""
    from workbench.governance import Sweep

    store = open_decisions(database)
    receipt = store.perform(service(store, person), Sweep(), f"sweep:{store.clock().isoformat()}")
    click.echo(f"{len(receipt.also):,} signals were closed or sent back")


@signals.command("list")
@placed(DATABASE)
@click.option("--as", "person", required=True, help="Whose books are shown.")
@click.option("--state", type=click.Choice(_STATES), help="Only this state. Default: all that are open.")
def list_(database: str, person: str, state: str | None) -> None:
    """List the queue as one person sees it, best first."""
    from workbench.governance import State, Who, actor, reading

    store = open_decisions(database)
    with store.reading() as connection:
        reader = actor(connection, Who(person), store.clock())
        wanted = reading.Filters() if state is None else reading.Filters(states=frozenset({State(state)}))
        page = reading.queue_page(connection, reader, wanted, now=store.clock(), limit=200)
        for row in page.rows:
            click.echo(f"{row.signal_id}  {row.state:<13} {row.verdict or '-':<14} {row.rank:>5}  {row.household_id}")


@signals.command()
@placed(DATABASE)
@click.option("--out", type=FOLDER, required=True, help="The folder that the monthly chapter reads.")
@click.option("--until", metavar="DATE", help="Decisions up to this day. Default: now.")
def decisions(database: str, out: Path, until: str | None) -> None:
    """Write what people decided as tables without clients' names, each with its hash, for the monthly chapter."""
    from datetime import UTC, datetime

    from workbench.exhibits.decisions_readers import read_findings, read_trades
    from workbench.governance import export_decisions

    store = open_decisions(database)
    moment = store.clock() if until is None else datetime.fromisoformat(until).replace(tzinfo=UTC)
    with store.reading() as connection:
        export_decisions(connection, out, moment, read_trades, read_findings)
    click.echo(out)
