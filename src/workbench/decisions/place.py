"""Where decisions are kept, and how a command reaches them: database, checkpoints, signing key, who acts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.errors import AccessError, MissingToolError, ParameterError

if TYPE_CHECKING:
    from workbench.governance.access import Who
    from workbench.governance.store import Store

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)
#: A URL may hold a password: an environment variable keeps it out of the list of processes.
DATABASE = click.option(
    "--database",
    envvar="WORKBENCH_DATABASE",
    default="sqlite:///build/decisions.db",
    show_default=True,
    show_envvar=True,
    metavar="URL",
    help="sqlite:///FILE, or postgresql+pg8000://USER@HOST/NAME.",
)
CHECKPOINTS = click.option(
    "--checkpoints",
    type=FOLDER,
    envvar="WORKBENCH_CHECKPOINTS",
    show_envvar=True,
    help="The folder of signed checkpoints, on another machine's disk.",
)
KEY = click.option(
    "--key", type=FILE, envvar="WORKBENCH_AUDIT_KEY", show_envvar=True, help="The private key that signs checkpoints."
)
SIGNING = click.option(
    "--signing",
    type=FILE,
    envvar="WORKBENCH_SIGNING",
    show_envvar=True,
    help="YAML: where else checkpoints go (git, mail, time stamp), former keys.",
)
AS = click.option("--as", "person", default="scheduler", show_default=True, help="The service account that acts.")
FIRM = click.option("--firm", required=True, help="A firm's folder, or the word demo.")
AS_OF = click.option("--as-of", metavar="DATE", help="The day. Default: the snapshot's own.")


def placed(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Put several options on one command."""

    def put(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return put


def open_decisions(
    database: str, checkpoints: Path | None = None, key: Path | None = None, signing: Path | None = None
) -> Store:
    """Open the store; with both `checkpoints` and `key`, releases and every thousandth record are signed outside it.

    Raises `StoreError` where it cannot be opened, `ParameterError` for a key without a folder or the reverse,
    `AuditError` where the trail is not what was signed last: nothing is added to a database that was set back.
    """
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    from workbench.decisions.signing import Signing
    from workbench.governance import keep, open_store

    try:
        url = make_url(database)
    except (ArgumentError, ValueError) as error:  # of a port that is no number
        raise ParameterError(
            "--database is not the URL of a database; give sqlite:///FILE or postgresql+pg8000://USER@HOST/NAME",
            "database",
        ) from error
    if url.get_backend_name() == "sqlite" and url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    if (checkpoints is None) != (key is None):
        raise ParameterError(
            "checkpoints need a folder and a key: give --checkpoints and --key, or neither", "checkpoints"
        )
    store = open_store(database, verifier=_unsupported)
    if checkpoints is not None and key is not None:
        signer = (Signing() if signing is None else Signing.read(signing)).checkpoints(checkpoints, key)
        signer.check(store.reading)
        keep(store, signer)
    return store


def _unsupported(text: bytes, facts: bytes, title: str) -> str:
    """The verifier, loaded where a text is about to leave."""
    from workbench.releases import unsupported

    return unsupported(text, facts, title)


def read_key(path: Path) -> bytes:
    """Return a private key's file. Raises `ParameterError` where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(10_000)
    except OSError as error:
        raise ParameterError(
            f"{path}: cannot be read ({error.strerror}); make one with: workbench audit key {path}", "key"
        ) from error


def signed_in(store: Store, typed: str, password: str) -> Who:
    """Return who knows the password, as the desk would ask; the session ends at once.

    Raises `AccessError` as `sign_in` does, and `password` where an administrator set it.
    """
    from workbench.governance.access import Who
    from workbench.governance.sessions import sign_in, sign_out

    session = sign_in(store, typed, password, "command line")
    sign_out(store, session.token)
    if session.must_change:
        raise AccessError(
            "an administrator set this password; sign in at the desk and take one of your own", "password"
        )
    return Who(session.person_id)


def service(store: Store, account: str) -> Who:
    """Return the service account that acts without a password. Raises `AccessError` for a person, or nobody."""
    from workbench.governance.access import Who, actor

    with store.reading() as connection:
        if actor(connection, Who(account), store.clock()).kind != "service":
            raise AccessError(
                f"{account} is a person; --as takes a service account here, people act at the desk", "role"
            )
    return Who(account)


def needs_governance() -> None:
    """Raise `MissingToolError` where the packages of decisions are not installed."""
    try:
        import alembic  # noqa: F401
        import argon2  # noqa: F401
        import sqlalchemy  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingToolError(
            f"decisions need the package {error.name}; install them with: pip install -e '.[governance,desk]'"
        ) from error
