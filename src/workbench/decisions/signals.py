"""`workbench signals`: bring proposals before people, close what has expired, list, hand decisions to the chapter."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from pathlib import Path

import click

from workbench.decisions.place import AS, AS_OF, DATABASE, FILE, FIRM, FOLDER, needs_governance, open_decisions, placed

from workbench.decisions.place import service, signed_in  # isort: skip
from workbench.errors import ParameterError

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
    workbench signals decisions --as otto --out data/decisions
    workbench signals lessons --decisions data/decisions --out data/lessons
    """
    needs_governance()


@signals.command()
@placed(DATABASE, FIRM, AS_OF, AS)
@click.option("--settings", type=FILE, help="The firm's choices for rebalancing, as params/rebalancing.yml.")
@click.option("--rules", type=FILE, help="A rulebook. Default: the one adopted, or else the one that ships.")
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
    from workbench.signals import Checker
    from workbench.signals import bring as bring_all

    store = open_decisions(database)
    checker = Checker(open_at(firm, as_of), None if rules is None else Rulebook.read(rules))
    chosen = rebalance.Settings() if settings is None else rebalance.Settings.read(settings)
    brought = bring_all(store, checker, service(store, person), settings=chosen, households=households, workers=jobs)
    found = ", ".join(f"{n:,} {verdict.replace('_', ' ')}" for verdict, n in sorted(brought.verdicts.items()))
    click.echo(f"{len(brought.signals):,} signals ({found or 'none'}), {brought.unchanged:,} were there already")
    click.echo(f"{brought.nothing_to_trade:,} households have nothing to trade", err=True)
    for household, why in brought.undrafted.items():
        click.echo(f"{household}: no letter was drafted: {why}", err=True)


@signals.command()
@placed(DATABASE, FIRM, AS)
@click.option("--rules", type=FILE, help="A rulebook. Default: the one adopted, or else the one that ships.")
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
@click.option("--out", type=FOLDER, help="A new folder, which the monthly chapter reads.")
@click.option("--until", metavar="DATE", help="Decisions up to and including this day, in UTC. Default: now.")
@click.option("--as", "person", help="Who exports: a person who may read measures in all books; asked for a password.")
@click.option("--password", envvar="WORKBENCH_PASSWORD", help="Asked for where it is not given.")
@click.option("--demo", is_flag=True, help="The demo desk's decisions, to where the monthly chapter looks for them.")
def decisions(
    database: str, out: Path | None, until: str | None, person: str | None, password: str | None, demo: bool
) -> None:
    """Write what people decided as tables without clients' names, each with its hash, for the monthly chapter.

    \b
    workbench signals decisions --as otto --until 2026-10-31 --out data/decisions/2026-10
    workbench signals decisions --demo && workbench run params/decisions_monthly.yml
    """
    import shutil

    from workbench.exhibits.decisions_origin import desk_export
    from workbench.exhibits.decisions_readers import read_findings, read_names, read_trades
    from workbench.governance import Who, actor, export_decisions, migrate, open_engine

    if demo:
        folder = desk_export()
        if not (folder.parent / "complete").exists():
            raise ParameterError("there is no demo desk yet; start it once: workbench desk --demo", "demo")
        database, out = f"sqlite:///{folder.parent / 'decisions.db'}", folder
        migrate(open_engine(database))  # as the demo desk does when it starts
    if out is None:
        raise ParameterError("give the folder to write to: --out FOLDER", "out")
    if person is None and not demo:
        raise ParameterError("say who exports: --as PERSON, who may read measures in all books", "as")
    store = open_decisions(database)
    who = Who("otto")  # the demo's auditor
    if not demo:
        typed = click.prompt("Password", hide_input=True, err=True) if password is None else password
        who = signed_in(store, str(person), typed)
    moment = _end_of(until, store.clock())
    with store.reading() as connection:
        reader = actor(connection, who, store.clock())
        if demo:
            shutil.rmtree(out, ignore_errors=True)
        export_decisions(connection, reader, out, moment, read_trades, read_findings, read_names)
    click.echo(out)


@signals.command()
@placed(DATABASE)
@click.option("--decisions", type=FOLDER, required=True, help="The export that the monthly chapter read.")
@click.option("--out", type=FOLDER, required=True, help="Where the files for review go.")
@click.option("--movable", type=FILE, help="Which limits may be moved, and how far, as params/movable_limits.yml.")
@click.option("--rules", type=FILE, help="The rulebook. Default: the one that ships; with --firm, the one in force.")
@click.option(
    "--firm", "firms", multiple=True, help="A snapshot that signals were brought from, to judge them anew; repeatable."
)
def lessons(
    database: str, decisions: Path, out: Path, movable: Path | None, rules: Path | None, firms: tuple[str, ...]
) -> None:
    """Write what the month's decisions suggest to change, as a diff of the rulebook and two pages. Adopts nothing.

    \b
    workbench signals lessons --decisions data/decisions/2026-10 --out data/lessons/2026-10 \\
        --movable params/movable_limits.yml --firm data/2026-10-30 --firm data/2026-10-31
    """
    from workbench.compliance import Rulebook
    from workbench.decisions.lessons import past_proposals, write_lessons
    from workbench.firm import open_at
    from workbench.signals import rulebook_in_force

    judged = None
    book = None if rules is None else Rulebook.read(rules)
    if firms:
        store = open_decisions(database)
        book = book or rulebook_in_force(store)
        with store.reading() as connection:
            judged = past_proposals(connection, [open_at(firm) for firm in firms])
    made = write_lessons(decisions, out, movable, book, judged)
    click.echo(
        f"{len(made.rules.proposals):,} of {len(made.rules.tested):,} limits and {len(made.wording):,} phrases are "
        "proposed to change; a person decides"
    )
    for path in made.files:
        click.echo(path)


def _end_of(day: str | None, now: datetime) -> datetime:
    """The last moment of a day in UTC, or now for none and for today. Raises `ParameterError` for a day to come."""
    if day is None:
        return now
    try:
        end = datetime.combine(date.fromisoformat(day), time.max, UTC)
    except ValueError as error:
        raise ParameterError(f"--until {day!r} is not a day; write it as 2026-10-31", "until") from error
    if end.date() > now.date():
        raise ParameterError(f"--until {day} is still to come; what is decided until then is not known", "until")
    return min(end, now)
