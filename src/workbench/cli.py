"""The command line: build or seal a firm, run a book, and say what is installed and what is wrong.

Every failure ends in one line (or, for bad data, one report) that says what to do, and an exit code by its cause:
2 bad input, 3 a notebook failed, 4 a kernel died, 5 a time-out, 6 a run that cannot be verified, 7 something is not
installed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from workbench import __version__
from workbench.copilot.command import ask
from workbench.decisions import audit, desk, measures, papers, people, rules, signals
from workbench.errors import FirmDataError, WorkbenchError
from workbench.papers.commands import draft
from workbench.policies import policy


class _Command(click.Group):
    """A group that turns the workbench's errors into a message and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except WorkbenchError as error:
            click.echo(f"workbench: {error}", err=True)
            ctx.exit(error.exit_code)


_FOLDER = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group(cls=_Command, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="workbench")
def main() -> None:
    """From a firm's book of record to the committee's quarterly book.

    \b
    A first report:    workbench run params/quarterly.yml --firm demo
    Your own firm:     workbench seal FOLDER --as-of 2022-12-28
                       workbench run params/quarterly.yml --firm FOLDER
    What to trade?     workbench propose --firm FOLDER
    What is wrong?     workbench doctor --firm FOLDER
    """


@main.command()
@click.argument("params", type=_FILE)
@click.option("--firm", help="A firm's folder, or the word demo. Default: the params file's.")
@click.option(
    "--as-of", metavar="DATE", help="The day reported on (2022-12-28), or latest. Default: the params file's."
)
@click.option("--out", type=_FOLDER, default=Path("reports"), show_default=True, help="Where run folders go.")
@click.option("--jobs", type=click.IntRange(1, 64), help="Notebooks at once. Default: one a core.")
@click.option("--resume", is_flag=True, help="Keep what an earlier run of the same inputs has finished.")
@click.option("--pdf/--no-pdf", default=None, help="Also make the PDF. Default: the params file's.")
def run(
    params: Path, firm: str | None, as_of: str | None, out: Path, jobs: int | None, resume: bool, pdf: bool | None
) -> None:
    """Run the notebooks of a params file and render the book.

    Ends by printing the path of the book's index.html and of its PDF. A failed notebook does not stop the others:
    the book is still rendered, says what failed, and the exit code is not 0.

    \b
    workbench run params/quarterly.yml --firm demo
    workbench run params/quarterly.yml --firm data/firm --as-of 2022-12-28 --out reports/
    workbench run params/daily_drift.yml --firm data/firm --as-of latest
    """
    from workbench.publish import publish

    with _progress() as on_event:
        published = publish(
            params, firm=firm, as_of=as_of, out=out, jobs=jobs, resume=resume, pdf=pdf, on_event=on_event
        )
    for note in published.notes:
        click.echo(f"note: {note}", err=True)
    click.echo(published.index)
    if published.pdf is not None:
        click.echo(published.pdf)
    published.raise_if_failed()


@main.command()
@click.option("--firm", required=True, help="A firm's folder, or the word demo.")
@click.option("--as-of", metavar="DATE", help="The day proposed for. Default: the snapshot's own.")
@click.option("--settings", type=_FILE, help="The firm's choices for rebalancing, as params/rebalancing.yml.")
@click.option("--household", "households", multiple=True, metavar="ID", help="Only this household; may be repeated.")
@click.option("--out", type=_FOLDER, default=Path("reports"), show_default=True, help="Where the folder goes.")
@click.option("--briefs/--no-briefs", default=True, help="Also write the one-page briefs, HTML and PDF.")
@click.option("--jobs", type=click.IntRange(1, 64), default=2, show_default=True, help="Processes that share the work.")
def propose(
    firm: str,
    as_of: str | None,
    settings: Path | None,
    households: tuple[str, ...],
    out: Path,
    briefs: bool,
    jobs: int,
) -> None:
    """Propose trades for every household: packages, one-page briefs, the queue, blocks and orders.

    Nothing is sent anywhere. The folder is named by its content; the same inputs give the same folder again.

    \b
    workbench propose --firm demo
    workbench propose --firm data/firm --settings params/rebalancing.yml --household H00003
    workbench propose --firm data/firm --as-of 2022-12-28 --no-briefs
    """
    from workbench.proposals import propose as propose_households

    with _status("Proposing"):
        made = propose_households(
            firm, as_of=as_of, settings=settings, households=households, out=out, briefs=briefs, workers=jobs
        )
    click.echo(
        f"{made.with_trades:,} of {made.households:,} households have trades, {made.orders:,} orders"
        + ("; already there" if made.reused else ""),
        err=True,
    )
    click.echo(made.index or made.folder)


@main.command()
@click.option("--firm", required=True, help="A firm's folder, or the word demo.")
@click.option("--model", default="all", show_default=True, metavar="ID", help="A model, or all of them together.")
@click.option("--as-of", metavar="DATE", help="The last day of the record. Default: the snapshot's own.")
@click.option("--out", type=_FOLDER, default=Path("reports"), show_default=True, help="Where the page goes.")
def tearsheet(firm: str, model: str, as_of: str | None, out: Path) -> None:
    """Write QuantStats' tearsheet of a composite against its benchmark, and say where its figures are not ours.

    For comparison only; the committee's figures are those of the chapter performance.

    \b
    workbench tearsheet --firm demo
    workbench tearsheet --firm data/firm --model BAL --as-of 2022-12-28
    """
    from workbench.tearsheets import tearsheet as write

    with _status("Measuring"):
        made = write(firm, model, as_of=as_of, out=out)
    for name, row in made.comparison[~made.comparison["same"]].iterrows():
        click.echo(f"{name}: ours {row['ours']:.4f}, QuantStats {row['quantstats']:.4f}: {row['why']}", err=True)
    click.echo(made.path)


@main.command()
@click.argument("folder", type=_FOLDER)
@click.option("--seed", default=7, show_default=True, help="Same seed, same firm, to the bit.")
@click.option("--as-of", default="2022-12-28", show_default=True, metavar="DATE", help="The day of the snapshot.")
@click.option("--accounts", type=click.IntRange(1, 200_000), default=300, show_default=True, help="How many accounts.")
@click.option(
    "--market", type=_FILE, help="Your own prices: CSV or Parquet with date, ticker, close, adj_close, dividend."
)
@click.option("--securities", type=_FILE, help="Classes of tickers in --market that the workbench does not know.")
@click.option("--faults", default="", metavar="LIST", help="Plant known faults, comma separated, or all.")
def demo(
    folder: Path, seed: int, as_of: str, accounts: int, market: Path | None, securities: Path | None, faults: str
) -> None:
    """Build a demo firm: lived account histories over real prices.

    \b
    workbench demo build/firm
    workbench demo build/firm --accounts 1000 --seed 11
    workbench demo build/firm --market etf_daily.csv.gz --as-of 2026-04-30
    workbench demo build/faulty --faults lots,rmd,stale_price
    """
    from workbench.firm.demo import build_firm, market_from_file

    with _status("Building the demo firm"):
        prices = market_from_file(market, securities=securities) if market is not None else None
        planted = tuple(part.strip() for part in faults.split(",") if part.strip())
        firm = build_firm(folder, seed=seed, as_of=as_of, accounts=accounts, market=prices, faults=planted)
    if prices is not None and len(prices.gaps):
        click.echo(f"note: security-days without a price in {market}: {len(prices.gaps):,}; none was filled", err=True)
    click.echo(f"{firm.folder}: {firm.rows['accounts']:,} accounts as of {firm.as_of.date()}, {firm.content_hash[:8]}")


@main.command()
@click.argument("folder", type=_FOLDER)
@click.option("--as-of", required=True, metavar="DATE", help="The day the tables describe.")
@click.option("--name", default="", help="The firm's name as shown in reports.")
def seal(folder: Path, as_of: str, name: str) -> None:
    """Check a folder of Parquet files, one a table, and seal it as a firm.

    A folder that fails is left as it was, and every failing row is named.
    """
    from workbench.firm import seal as seal_folder

    firm = seal_folder(folder, _day(as_of), name=name)
    click.echo(f"{firm.folder}: sealed, {firm.rows['accounts']:,} accounts as of {firm.as_of.date()}")


@main.command()
@click.option("--firm", help="A firm's folder, or demo: also say what it holds and what is wrong with it.")
@click.option("--rows", type=_FILE, help="Write every failing row to this CSV file.")
def doctor(firm: str | None, rows: Path | None) -> None:
    """Say what is installed, what the firm folder holds, and what is wrong with it.

    Exits with 0 when nothing stands in the way of a report, with 2 when the firm would be rejected.
    """
    from workbench import diagnosis

    click.echo(diagnosis.installed())
    if firm is None:
        return
    try:
        click.echo(diagnosis.firm_report(firm))
    except FirmDataError as error:
        if rows is not None:
            diagnosis.write_rows(error.rows, rows)
        raise


def _day(text: str) -> Any:
    import pandas as pd

    from workbench.errors import ParameterError

    try:
        return pd.Timestamp(text)
    except ValueError as error:
        raise ParameterError(f"--as-of {text!r} is not a date; write it as 2022-12-28", "as_of") from error


for group in (policy, ask, draft, signals, papers, rules, measures, people, audit, desk):
    main.add_command(group)


def _console() -> Any:
    from rich.console import Console

    return Console(stderr=True)


def _status(text: str) -> Any:
    from contextlib import nullcontext

    console = _console()
    return console.status(text) if console.is_terminal else nullcontext()


def _progress() -> Any:
    """A progress bar a notebook on a terminal, one line a notebook elsewhere (logs of scheduled runs)."""
    from workbench.progress import bars, log_lines

    return bars(_console()) if sys.stderr.isatty() else log_lines(lambda line: click.echo(line, err=True))


if __name__ == "__main__":
    main()
