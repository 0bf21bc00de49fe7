"""`workbench audit`: sign the trail, verify it, hand it to an examiner."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.decisions.place import AS, CHECKPOINTS, DATABASE, FILE, FOLDER, KEY, needs_governance, open_decisions

from workbench.decisions.place import placed, read_key, service, signed_in  # isort: skip
from workbench.errors import ParameterError


@click.group()
def audit() -> None:
    """The audit trail: who did what, when and why, in an order that nobody can change unseen.

    \b
    workbench audit key audit.pem                                    # once; keep it off the database's machine
    workbench audit checkpoint --checkpoints /mnt/elsewhere --key audit.pem
    workbench audit verify --checkpoints /mnt/elsewhere --public-key 3b6a...
    workbench audit export --out trail/
    workbench audit verifier check_trail.py                          # one file, needs nothing but Python
    """
    needs_governance()


@audit.command()
@click.argument("file", type=FILE)
def key(file: Path) -> None:
    """Make a signing key: the private part goes to FILE, the public part is printed. An existing FILE is read again."""
    from workbench.governance.audit import keys

    click.echo(keys.public_of(read_key(file)) if file.exists() else keys.new_key(file))


@audit.command()
@placed(DATABASE, CHECKPOINTS, KEY, AS)
@click.option("--reason", default="scheduled", show_default=True, help="Why, for the record.")
def checkpoint(database: str, checkpoints: Path | None, key: Path | None, person: str, reason: str) -> None:
    """Sign the trail as it stands and write the checkpoint outside the database."""
    from workbench.governance import Checkpoints, TakeCheckpoint

    if checkpoints is None or key is None:
        raise ParameterError("a checkpoint needs --checkpoints and --key", "checkpoints")
    store = open_decisions(database)
    store.perform(service(store, person), TakeCheckpoint(reason), f"checkpoint:{store.clock().isoformat()}")
    taken = Checkpoints(checkpoints, read_key(key)).take(store.reading, store.clock().isoformat())
    click.echo("another process was first" if taken is None else f"{taken.name}: {taken.size:,} records, {taken.root}")


@audit.command()
@placed(DATABASE, CHECKPOINTS)
@click.option(
    "--public-key", "public_keys", multiple=True, metavar="HEX", help="Keys that checkpoints are signed with."
)
@click.option("--export", type=FILE, help="Verify this export instead of the database.")
def verify(database: str, checkpoints: Path | None, public_keys: tuple[str, ...], export: Path | None) -> None:
    """Say whether the trail is what was written; exits with 6 where it is not, and names the first record."""
    from workbench.governance.audit import verify_trail

    folders = () if checkpoints is None else (checkpoints,)
    if checkpoints is not None and not public_keys:
        raise ParameterError("give the public key of the checkpoints: --public-key HEX", "public_keys")
    if export is not None:
        report = verify_trail(export, folders, public_keys)
    else:
        with open_decisions(database).reading() as connection:
            report = verify_trail(connection, folders, public_keys)
    for sentence in report.sentences:
        click.echo(sentence)
    report.check()


@audit.command()
@placed(DATABASE)
@click.option("--out", type=FOLDER, required=True, help="A new folder.")
@click.option("--as", "person", required=True, help="Who asks for it; the export is a record of the trail itself.")
@click.option("--password", prompt=True, hide_input=True, envvar="WORKBENCH_PASSWORD", help="That person's.")
@click.option("--reason", required=True, help="Why, for the record.")
@click.option("--first", type=click.IntRange(1), default=1, show_default=True, help="The first record.")
@click.option("--last", type=click.IntRange(1), help="The last record. Default: the newest.")
def export(database: str, out: Path, person: str, password: str, reason: str, first: int, last: int | None) -> None:
    """Write the trail as JSON lines (its exact bytes) and as a table for a spreadsheet, with a manifest of hashes."""
    from workbench.governance import export_trail

    store = open_decisions(database)
    who = signed_in(store, person, password)
    key = f"export:{store.clock().isoformat()}"
    made = export_trail(store, who, out, reason=reason, key=key, first=first, last=last)
    click.echo(f"{made.folder}: records {made.first:,} to {made.last:,}, manifest {made.sha256}")


@audit.command()
@click.argument("file", type=FILE)
def verifier(file: Path) -> None:
    """Write the stand-alone verifier to FILE: for an examiner who has Python and nothing of ours."""
    from workbench.governance.audit import verifier as program

    if file.exists():
        raise ParameterError(f"{file} exists; give another name", "file")
    file.write_bytes(Path(program.__file__).read_bytes())
    click.echo(file)
