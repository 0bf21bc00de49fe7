"""Papers from the command line: each kind drafted, verified and written into a folder; nothing is sent or released.

workbench draft memo --firm demo
workbench draft client --firm demo --household H00003
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from workbench.drafting import Draft
    from workbench.firm import Firm

_FOLDER = click.Path(path_type=Path, file_okay=False)
_SHARED: tuple[Callable[[Any], Any], ...] = (
    click.option("--firm", required=True, help="A firm's folder, or the word demo."),
    click.option("--as-of", metavar="DATE", help="The day of the figures. Default: the snapshot's own."),
    click.option("--out", type=_FOLDER, default=Path("reports"), show_default=True, help="Where the folder goes."),
    click.option("--pdf/--no-pdf", default=True, help="Also write each paper as PDF."),
    click.option("--jobs", type=click.IntRange(1, 64), default=2, show_default=True, help="Processes at once."),
    click.option("--reword", is_flag=True, help="Have the language model of the environment reword each draft."),
)  # fmt: skip
_HOUSEHOLDS = click.option(
    "--household", "households", multiple=True, metavar="ID", help="Only this household; may be repeated."
)
_ADVISORS = click.option(
    "--advisor", "advisors", multiple=True, metavar="ID", help="Only this advisor; may be repeated."
)


@dataclass(frozen=True)
class _Asked:
    """What all kinds are asked: which firm on which day, and how its papers are written."""

    firm: str
    as_of: str | None
    out: Path
    pdf: bool
    jobs: int
    reword: bool


@click.group()
def draft() -> None:
    """Draft papers in which each figure is a traced fact.

    Every command ends by printing the path of the folder's index page. Drafts are not sent and not released.
    """


def _kind(*options: Callable[[Any], Any]) -> Callable[[Callable[..., None]], click.Command]:
    """A command of the group with the options that all kinds share; they reach it as one `_Asked`."""

    def made(function: Callable[..., None]) -> click.Command:
        def asked(firm: str, as_of: str | None, out: Path, pdf: bool, jobs: int, reword: bool, **own: Any) -> None:
            function(_Asked(firm, as_of, out, pdf, jobs, reword), **own)

        asked.__doc__ = function.__doc__
        for option in reversed((*_SHARED, *options)):
            asked = option(asked)
        return draft.command(function.__name__.replace("_", "-"))(asked)

    return made


@_kind()
def memo(asked: _Asked) -> None:
    """Draft the committee's memo of the quarter.

    \b
    workbench draft memo --firm demo
    """
    from workbench.papers import memo as kind

    _write(asked, "Committee memo", lambda firm: kind.drafts(firm))


@_kind(click.option("--model", "models", multiple=True, metavar="ID", help="Only this model; may be repeated."))
def commentary(asked: _Asked, models: Sequence[str]) -> None:
    """Draft each model's performance commentary.

    \b
    workbench draft commentary --firm demo --model BAL
    """
    from workbench.papers import commentary as kind

    _write(asked, "Performance commentary", lambda firm: kind.drafts(firm, models=models))


@_kind(_HOUSEHOLDS)
def client(asked: _Asked, households: Sequence[str]) -> None:
    """Draft each household's brief and e-mail.

    They are for its advisor to review.

    \b
    workbench draft client --firm demo
    workbench draft client --firm demo --household H00003 --no-pdf
    """
    from workbench.papers import client as kind

    _write(asked, "Client papers", lambda firm: kind.drafts(firm, households=households, workers=asked.jobs))


@_kind(_HOUSEHOLDS)
def talking_points(asked: _Asked, households: Sequence[str]) -> None:
    """Draft talking points for client reviews.

    \b
    workbench draft talking-points --firm demo --household H00003
    """
    from workbench.papers import talking_points as kind

    _write(asked, "Talking points", lambda firm: kind.drafts(firm, households=households, workers=asked.jobs))


@_kind(
    _ADVISORS,
    click.option("--version", "versions", multiple=True, metavar="MODEL=N", help="A model's new version, as BAL=5."),
    click.option("--preview", is_flag=True, help="Also of versions that the committee has not approved."),
    click.option("--consents-due", default="", metavar="DATE", help="The day by which clients' consents must be in."),
    click.option("--proposals-from", default="", metavar="DATE", help="The day from which proposals arrive."),
    click.option("--ask", default="", metavar="NAME", help="Whom advisors ask about the change."),
)
def notice(asked: _Asked, advisors: Sequence[str], versions: Sequence[str], preview: bool, **times: str) -> None:
    """Draft the notices of a model change.

    One for each advisor, about that book, and one for the firm's desk. Days and names that are not given are said to
    be missing.

    \b
    workbench draft notice --firm demo --version BAL=5 --preview
    workbench draft notice --firm demo --preview --consents-due 2023-02-07 --ask "Helen Marsh"
    """
    from workbench.drafting.sheets.model_change_record import Timetable
    from workbench.papers import notice as kind

    chosen = dict(map(_version, versions)) or None
    timetable = Timetable(**times)
    _write(
        asked,
        "Model change notices",
        lambda firm: kind.drafts(
            firm, advisors=advisors, versions=chosen, timetable=timetable, preview=preview, desk=not advisors
        ),
    )


@_kind(
    _ADVISORS,
    click.option("--since", metavar="DATE", help="The run compared with. Default: the session before."),
    click.option("--link", default="", metavar="URL", help="Where an outside channel finds the book."),
)
def alerts(asked: _Asked, advisors: Sequence[str], since: str | None, link: str) -> None:
    """Draft the nightly drift summaries.

    One for operations, one for each advisor, and counts alone for an outside channel such as Slack or Teams.

    \b
    workbench draft alerts --firm demo
    workbench draft alerts --firm demo --since 2022-12-01 --link https://desk.example.com/drift
    """
    from workbench.papers import alerts as kind

    _write(asked, "Drift alerts", lambda firm: kind.drafts(firm, since=since, advisors=advisors, link=link))


def _version(text: str) -> tuple[str, int]:
    from workbench.errors import ParameterError

    model, _, number = text.partition("=")
    if not model or not number.isdigit():
        raise ParameterError(f"--version {text!r} is not a model and its version; write it as BAL=5", "version")
    return model, int(number)


def _write(asked: _Asked, title: str, make: Callable[[Firm], Iterable[Draft]]) -> None:
    """Draft, write the folder and print where its index is."""
    from workbench.firm import open_at
    from workbench.papers.folder import write_papers

    firm = open_at(asked.firm, asked.as_of)
    drafts = _reworded(firm, make(firm)) if asked.reword else make(firm)
    written = write_papers(asked.out, drafts, title=title, pdf=asked.pdf, workers=asked.jobs)
    click.echo(
        f"{written.papers:,} {'draft' if written.papers == 1 else 'drafts'}, not released"
        + ("; already there" if written.reused else ""),
        err=True,
    )
    click.echo(written.index)


def _reworded(firm: Firm, drafts: Iterable[Draft]) -> Iterator[Draft]:
    import os

    from workbench.drafting.model.endpoint import Endpoint
    from workbench.errors import ParameterError
    from workbench.papers.rewording import in_model_words, model

    endpoint = Endpoint.from_environment(os.environ)
    if endpoint is None:
        raise ParameterError("--reword needs an endpoint; set WORKBENCH_LLM_URL and WORKBENCH_LLM_MODEL", "reword")
    return in_model_words(firm, drafts, model(endpoint), os.environ)
