"""The command line of policy folders: list, show, verify and approve them, make a signing key, train a policy."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import click

from workbench.errors import MissingToolError, ParameterError, PolicyError

if TYPE_CHECKING:
    from workbench.learning.registry import RegisteredPolicy

_FOLDER = click.Path(path_type=Path)
_FILE = click.Path(path_type=Path, dir_okay=False)
_KEYS = click.option("--keys", type=_FILE, help="The firm's approvers, YAML: name: public key.")
_TODAY = click.option("--today", metavar="DATE", help="The day that expiry is judged on. Default: today.")
_HASH = click.option("--hash", "content_hash", metavar="HEX", help="The content hash expected; another is refused.")
_KEY_FILE_LIMIT = 10_000


@click.group()
def policy() -> None:
    """Learned rebalancing policies: what is in their folders, whether it may act, who approved it.

    \b
    workbench policy list policies/
    workbench policy verify policies/learned --keys approvers.yml
    workbench policy key ben.pem
    workbench policy approve policies/learned --key ben.pem --name "Ben Okafor" --keys approvers.yml
    """


@policy.command("list")
@click.argument("folder", type=_FOLDER)
@_KEYS
@_TODAY
def list_(folder: Path, keys: Path | None, today: str | None) -> None:
    """List the policies under FOLDER; one that is refused is listed with the reason, and the exit code is 6."""
    from workbench.learning import registry

    places = registry.found(folder)
    known, day = _keys(keys), _day(today)
    refused = 0
    for place in places:
        try:
            click.echo(_line(place, registry.load(place, today=day, keys=known)))
        except PolicyError as error:
            refused += 1
            click.echo(f"{_plain(place.name)}  REFUSED: {_plain(str(error))}")
    if not places:
        click.echo(f"no policies in {folder}", err=True)
    if refused:
        raise PolicyError(f"{refused} of {len(places)} folders are refused; see the reasons above")


@policy.command()
@click.argument("folder", type=_FOLDER)
@_KEYS
@_TODAY
def show(folder: Path, keys: Path | None, today: str | None) -> None:
    """Print the card of the policy in FOLDER as Markdown, after checking its files; its content hash as a note."""
    from workbench.learning import registry

    found = registry.load(folder, today=_day(today), keys=_keys(keys))
    for event in found.events:
        click.echo(f"note: {_plain(event.sentence)}", err=True)
    click.echo(f"note: content hash: {found.content_hash}", err=True)
    click.echo(found.card.to_markdown(_approved(found)), nl=False)


@policy.command()
@click.argument("folder", type=_FOLDER)
@_KEYS
@_TODAY
@click.option("--live", is_flag=True, help="Also demand an approval by somebody in --keys: may it act today?")
@_HASH
def verify(folder: Path, keys: Path | None, today: str | None, live: bool, content_hash: str | None) -> None:
    """Check every file of the policy in FOLDER against its manifest, and its approval against the firm's keys.

    Exits with 0 where nothing is amiss, with 6 where a file was changed, is missing or foreign, where the signature is
    not that of an approver, where it is another version than --hash, or where the policy has expired.
    """
    from workbench.learning import registry

    found = registry.load(folder, today=_day(today), keys=_keys(keys), live=live, content_hash=content_hash)
    if found.expired:
        raise PolicyError(f"{folder.name}: {' '.join(event.sentence for event in found.events)}")
    click.echo(_line(folder, found))


@policy.command()
@click.argument("folder", type=_FOLDER)
@click.option("--key", type=_FILE, required=True, help="The approver's private key (PEM, Ed25519).")
@click.option("--name", required=True, help="The approver's name as in the firm's keys.")
@click.option("--keys", type=_FILE, help="The firm's approvers; also check that the key is this person's.")
@click.option("--today", metavar="DATE", help="The day of the approval. Default: today.")
@_HASH
def approve(folder: Path, key: Path, name: str, keys: Path | None, today: str | None, content_hash: str | None) -> None:
    """Sign the policy in FOLDER: its card was read, its verdict is deploy, and the approver did not make it.

    Give --hash as `workbench policy show` noted it, so that what is signed is what was read.
    """
    from workbench.learning import registry, signature

    known, body = _keys(keys), _read(key, "key")
    if known is not None and known.get(name) != signature.public_key(body):
        raise PolicyError(f"the key is not that of {name!r} in the firm's keys; sign with the right one, or add it")
    approval = registry.approve(folder, name, _day(today), body, content_hash=content_hash)
    click.echo(f"{_plain(folder.name)}: approved by {_plain(name)} on {approval.day}, {approval.content_hash[:8]}")


@policy.command()
@click.argument("file", type=_FILE)
def key(file: Path) -> None:
    """Make a signing key: the private part goes to FILE, the public part is printed for the firm's keys.

    Keep FILE where nobody but the approver can read it. Where FILE exists, its public part is printed again.
    """
    from workbench.learning import signature

    click.echo(signature.public_key(_read(file, "key")) if file.exists() else signature.new_key(file))


@policy.command()
@click.argument("names", nargs=-1)
@click.option("--out", type=_FOLDER, default=Path("policies"), show_default=True, help="Where the folders go.")
@click.option("--seeds", type=click.IntRange(1, 1000), help="How many seeds. Default: all that the shipped ones have.")
@click.option("--maker", help="Who answers for it on the card, and so cannot approve it. Default: the project.")
@click.option("--today", metavar="DATE", help="The day on the card. Default: that of the shipped set.")
def train(names: tuple[str, ...], out: Path, seeds: int | None, maker: str | None, today: str | None) -> None:
    """Train the policies that are shipped, or those NAMES, and leave a draft of each in a folder under --out.

    Its card holds what the reference problems and the embedded universes say of it; its verdict is shadow at best,
    until evidence on a firm's own prices is recorded (registry.judge). The same seeds give the same bits. A member a
    seed is kept in OUT/members, so that a training that was stopped goes on where it was. Takes minutes a member, and
    some to judge them. Needs torch: make lab.
    """
    training = _training()
    known = training.courses()
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise ParameterError(f"there is no policy {unknown[0]!r} to train; there are {', '.join(known)}", "names")
    day = training.MADE_ON if today is None else _day(today)
    for name in names or known:
        content = training.make(known[name], out, seeds=seeds, maker=maker or training.MAKER, made_on=day)
        click.echo(f"{name}: a draft in {out / name}, content {content[:8]}")


def _training() -> ModuleType:
    from importlib import import_module

    try:
        return import_module("workbench.learning.train")
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingToolError("training policies needs torch; install it with: make lab") from error


def _line(place: Path, found: RegisteredPolicy) -> str:
    return (
        f"{_plain(place.name)}  {found.status}  verdict {found.card.verdict}, expires {found.card.expires}, "
        f"{found.spec.kind.lower().replace('_', ' ')}, {found.content_hash[:8]}  {_plain(found.name)}"
    )


def _approved(found: RegisteredPolicy) -> str:
    if found.approval is None:
        return ""
    checked = "signature checked" if found.approved else "signature NOT checked: give the firm's keys"
    return f"{found.approval.day} by {found.approval.approver}, {checked}"


def _keys(path: Path | None) -> Mapping[str, str] | None:
    from workbench.learning import signature

    return None if path is None else signature.read_keys(path)


def _read(path: Path, parameter: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_KEY_FILE_LIMIT)
    except OSError as error:
        raise ParameterError(
            f"{path}: cannot be read ({error.strerror}); name the file of the key", parameter
        ) from error


def _day(text: str | None) -> date:
    if text is None:
        return date.today()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ParameterError(f"--today {text!r} is not a date; write it as 2022-12-28", "today") from error


def _plain(text: str) -> str:
    """Text of a folder as it may go to a terminal: on one line, no control characters."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
