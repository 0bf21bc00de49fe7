"""`workbench audit`: sign the trail, verify it, hand it to an examiner, keep and dispose of documents by schedule."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.decisions.place import (
    AS,
    CHECKPOINTS,
    DATABASE,
    FILE,
    FOLDER,
    KEY,
    SIGNING,
    needs_governance,
    open_decisions,
    placed,
    read_key,
    service,
    signed_in,
)  # fmt: skip
from workbench.errors import ParameterError

if TYPE_CHECKING:
    from workbench.governance.audit.checkpoint import Checkpoint
    from workbench.governance.store import Store

FOLDERS = click.option(
    "--checkpoints",
    "folders",
    type=FOLDER,
    multiple=True,
    envvar="WORKBENCH_CHECKPOINTS",
    show_envvar=True,
    help="A folder of signed checkpoints; name copies (git, mail) too, they show more than the folder alone.",
)
PUBLIC = click.option(
    "--public-key", "public_keys", multiple=True, metavar="HEX", help="A key that checkpoints are signed with."
)
RETENTION = click.option(
    "--retention",
    type=FILE,
    envvar="WORKBENCH_RETENTION",
    show_envvar=True,
    help="The firm's own years. Default: ours.",
)
PERSON = click.option("--as", "person", required=True, help="Who asks; it is recorded.")
PASSWORD = click.option("--password", prompt=True, hide_input=True, envvar="WORKBENCH_PASSWORD", help="That person's.")
REASON = click.option("--reason", required=True, help="Why, for the record.")


@click.group()
def audit() -> None:
    """The audit trail: who did what, when and why, in an order that nobody can change unseen.

    \b
    workbench audit key audit.pem                                    # once; keep it off the database's machine
    workbench audit checkpoint --checkpoints /mnt/elsewhere --key audit.pem
    workbench audit verify --checkpoints /mnt/elsewhere --public-key 3b6a...
    workbench audit export --out trail/ --as ada --reason "Examination of 2026"
    workbench audit hold household H00042 --as cora --reason "Counsel asked for it on 21 November."
    workbench audit due
    workbench audit prove 4711 --checkpoints /mnt/elsewhere --public-key 3b6a... --out proof.json
    workbench audit verifier check_trail.py                          # one file, needs nothing but Python

    Exit codes: 0 done, 2 something given is wrong or refused, 6 the trail or the tables are not what was written.
    """
    needs_governance()


@audit.command()
@click.argument("file", type=FILE)
def key(file: Path) -> None:
    """Make a signing key: the private part goes to FILE, the public part is printed. An existing FILE is read again."""
    from workbench.governance.audit import keys

    click.echo(keys.public_of(read_key(file)) if file.exists() else keys.new_key(file))


@audit.command()
@placed(DATABASE, CHECKPOINTS, KEY, SIGNING, AS)
@click.option("--reason", default="scheduled", show_default=True, help="Why, for the record.")
def checkpoint(
    database: str, checkpoints: Path | None, key: Path | None, signing: Path | None, person: str, reason: str
) -> None:
    """Sign the trail as it stands and write the checkpoint outside the database."""
    from workbench.decisions.signing import Signing
    from workbench.governance import TakeCheckpoint
    from workbench.governance.tables import written

    if checkpoints is None or key is None:
        raise ParameterError("a checkpoint needs --checkpoints and --key", "checkpoints")
    signer = (Signing() if signing is None else Signing.read(signing)).checkpoints(checkpoints, key)
    signer.last()  # a folder that is not there, or another key's, is refused before anything is recorded
    store = open_decisions(database)
    store.perform(service(store, person), TakeCheckpoint(reason), _key(store, "checkpoint"))
    taken = signer.take(store.reading, written(store.clock()))
    click.echo("another process was first" if taken is None else f"{taken.name}: {taken.size:,} records, {taken.root}")


@audit.command()
@placed(DATABASE, FOLDERS, PUBLIC)
@click.option("--export", type=FILE, help="Verify this export instead of the database.")
@click.option("--through", type=click.IntRange(1), help="The last record, where an export ends early on purpose.")
def verify(
    database: str, folders: tuple[Path, ...], public_keys: tuple[str, ...], export: Path | None, through: int | None
) -> None:
    """Say whether trail, documents and tables are what was written; exits with 6 where not, and says what is not."""
    from workbench.governance.audit import verify_store, verify_trail

    _together(folders, public_keys)
    if export is not None:
        report = verify_trail(export, folders, public_keys, through=through)
    elif through is not None:
        raise ParameterError("--through goes with --export: a database is verified to its end", "through")
    else:
        report = verify_store(open_decisions(database).reading, folders, public_keys)
    for sentence in report.sentences:
        click.echo(_plain(sentence))
    report.check()


@audit.command()
@placed(DATABASE, FOLDERS, PERSON, PASSWORD, REASON)
@click.option("--out", type=FOLDER, required=True, help="A new folder.")
@click.option("--first", type=click.IntRange(1), default=1, show_default=True, help="The first record.")
@click.option("--last", type=click.IntRange(1), help="The last record. Default: the newest.")
def export(
    database: str, folders: tuple[Path, ...], person: str, password: str, reason: str, out: Path, first: int,
    last: int | None,
) -> None:  # fmt: skip
    """Write the trail as JSON lines (its exact bytes) and as a table for a spreadsheet, with a manifest of hashes."""
    from workbench.governance import export_trail

    store = open_decisions(database)
    who = signed_in(store, person, password)
    made = export_trail(
        store, who, out, reason=reason, key=_key(store, "export"), first=first, last=last, checkpoints=folders
    )
    click.echo(f"{made.folder}: records {made.first:,} to {made.last:,}, manifest {made.sha256}")


@audit.command()
@placed(DATABASE, FOLDERS, PUBLIC)
@click.argument("record", type=click.IntRange(1))
@click.option("--out", type=FILE, required=True, help="The file of the proof.")
def prove(database: str, folders: tuple[Path, ...], public_keys: tuple[str, ...], record: int, out: Path) -> None:
    """Prove that one RECORD is in the trail that was signed, without showing the others; check it with the verifier."""
    from workbench.governance.audit import proof

    if not folders or not public_keys:
        raise ParameterError("a proof needs --checkpoints and --public-key", "checkpoints")
    _fresh(out)
    newest = _newest(folders, public_keys)
    with open_decisions(database).reading() as connection:
        made = proof.prove(connection, record, newest)
    out.write_bytes(made)
    click.echo(f"{out}: record {record:,} of the {newest.size:,} in {newest.name}")


@audit.command()
@click.argument("kind", type=click.Choice(["signal", "household", "person", "book", "everything"]))
@click.argument("name")
@placed(DATABASE, PERSON, PASSWORD, REASON)
def hold(kind: str, name: str, database: str, person: str, password: str, reason: str) -> None:
    """Keep everything about one thing, however old, until it is lifted: KIND, and its NAME (`*` for everything)."""
    from workbench.governance.audit.holds import PlaceHold

    placed_hold = _act(database, person, password, "hold", lambda: PlaceHold(kind, name, reason))  # type: ignore[arg-type]
    click.echo(f"{placed_hold.object_id}: {kind} {name} is held")


@audit.command()
@click.argument("hold_id")
@placed(DATABASE, PERSON, PASSWORD, REASON)
def lift(hold_id: str, database: str, person: str, password: str, reason: str) -> None:
    """End a hold; by another person than the one who placed it."""
    from workbench.governance.audit.holds import LiftHold

    _act(database, person, password, "lift", lambda: LiftHold(hold_id, reason))
    click.echo(f"{hold_id}: lifted")


@audit.command()
@placed(DATABASE, RETENTION)
def due(database: str, retention: Path | None) -> None:
    """List the documents past their years, oldest first, and what keeps each if something does."""
    from workbench.governance.audit import retention as rules
    from workbench.governance.audit import schedule

    store = open_decisions(database)
    with store.reading() as connection:
        found = rules.due(connection, store.clock(), schedule.read(retention))
    for one in found:
        kept = f"stays: {one.kept_by}" if one.kept_by else "may go"
        click.echo(_plain(f"{one.hash}  {one.kind}  last used {one.last_used:%Y-%m-%d}, until {one.until}  {kept}"))
    free = sum(one.kept_by is None for one in found)
    click.echo(f"{len(found):,} documents are past their years, {free:,} of them may go.", err=True)


@audit.command()
@click.argument("hashes", nargs=-1)
@placed(DATABASE, RETENTION, AS)
@click.option("--all-due", is_flag=True, help="All that may go, instead of naming them.")
def dispose(hashes: tuple[str, ...], database: str, retention: Path | None, person: str, all_due: bool) -> None:
    """Take the bytes of documents away that are due and not held: HASHES as `due` lists them. There is no way back."""
    from workbench.governance.audit import retention as rules
    from workbench.governance.audit import schedule

    if bool(hashes) == all_due:
        raise ParameterError("name the documents, or give --all-due", "hashes")
    store = open_decisions(database)
    store.retention = schedule.read(retention)
    if all_due:
        with store.reading() as connection:
            listed = rules.due(connection, store.clock(), store.retention)
        hashes = tuple(one.hash for one in listed if one.kept_by is None)
    for first in range(0, len(hashes), rules.AT_ONCE):
        some = hashes[first : first + rules.AT_ONCE]
        store.perform(service(store, person), rules.Dispose(some), _key(store, f"dispose:{first}"))
    click.echo(f"{len(hashes):,} documents were disposed of")


@audit.command()
@click.argument("file", type=FILE)
def verifier(file: Path) -> None:
    """Write the stand-alone verifier to FILE: for an examiner who has Python and nothing of ours."""
    from workbench.governance.audit import verifier as program

    _fresh(file)
    file.write_bytes(Path(program.__file__).read_bytes())
    click.echo(file)


def _act(database: str, person: str, password: str, name: str, command: Callable[[], Any]) -> Any:
    """Perform a command as somebody who gave their password."""
    store = open_decisions(database)
    return store.perform(signed_in(store, person, password), command(), _key(store, name))


def _key(store: Store, name: str) -> str:
    return f"{name}:{store.clock().isoformat()}"


def _together(folders: tuple[Path, ...], public_keys: tuple[str, ...]) -> None:
    if folders and not public_keys:
        raise ParameterError("give the public key of the checkpoints: --public-key HEX", "public_keys")


def _newest(folders: tuple[Path, ...], public_keys: tuple[str, ...]) -> Checkpoint:
    """The newest checkpoint that can be trusted. Raises `ParameterError` where there is none."""
    from workbench.governance.audit.chain import Findings
    from workbench.governance.audit.trusted import trusted

    found = trusted(folders, public_keys, Findings([]))
    if not found:
        raise ParameterError("no checkpoint that is signed by this key lies in the folder", "checkpoints")
    return found[-1]


def _fresh(file: Path) -> None:
    if file.exists():
        raise ParameterError(f"{file} exists; give another name", "file")


def _plain(text: str) -> str:
    """One line without control characters: what a changed row says must not move the cursor."""
    return "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text)
