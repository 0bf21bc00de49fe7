"""`workbench desk`: start the release desk; with --demo, on the demo firm with a team and a queue."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workbench.decisions.place import (
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
)  # fmt: skip
from workbench.errors import MissingToolError, ParameterError

if TYPE_CHECKING:
    from workbench.governance.store import Store
    from workbench.signals import Checker

#: Where `--demo` keeps everything; `make clean` removes it.
DEMO = Path("build/desk")


@click.group(invoke_without_command=True)
@placed(DATABASE, CHECKPOINTS, KEY, SIGNING)
@click.option("--firm", help="The firm that signals are checked against. Without it the desk checks nothing anew.")
@click.option("--rules", type=FILE, help="A rulebook. Default: the one adopted, or else the one that ships.")
@click.option("--reports", type=FOLDER, default=Path("reports"), show_default=True, help="The committee's library.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=8400, show_default=True, help="The port to listen on.")
@click.option("--name", "names", multiple=True, metavar="HOST", help="Names the desk answers to behind a proxy.")
@click.option("--https", is_flag=True, help="Browsers reach it encrypted, through a proxy: cookies are bound to that.")
@click.option("--proxies", type=click.IntRange(0, 5), default=0, help="How many proxies stand in front.")
@click.option(
    "--identity-provider",
    "provider",
    type=FILE,
    help="YAML of issuer, client_id and desk; the secret is read from WORKBENCH_PROVIDER_SECRET.",
)
@click.option("--demo", is_flag=True, help="The demo firm, made-up people and a queue, on this machine only.")
@click.pass_context
def desk(
    context: click.Context,
    database: str,
    checkpoints: Path | None,
    key: Path | None,
    signing: Path | None,
    firm: str | None,
    rules: Path | None,
    reports: Path,
    host: str,
    port: int,
    names: tuple[str, ...],
    https: bool,
    proxies: int,
    provider: Path | None,
    demo: bool,
) -> None:
    """Start the release desk, where people see, approve, return and release signals.

    \b
    workbench desk --demo
    workbench desk --firm data/firm --checkpoints /mnt/elsewhere --key audit.pem
    workbench desk --firm data/firm --https --name desk.firm.example --proxies 1
    workbench desk --firm data/firm --https --name desk.firm.example --identity-provider provider.yml
    """
    needs_governance()
    if context.invoked_subcommand is not None:
        return
    checker: Checker | None
    if demo:
        if host not in ("127.0.0.1", "localhost", "::1"):
            raise ParameterError("the demo's passwords are known to everybody; it listens on 127.0.0.1 only", "host")
        store, checker, checkpoints, key = _demo()
    else:
        store = open_decisions(database, checkpoints, key, signing)
        checker = None if firm is None else _checker(firm, rules)
    _serve(store, checker, reports, checkpoints, key, host, port, names, https, proxies, provider)


@desk.command()
@placed(DATABASE)
def migrate(database: str) -> None:
    """Bring the database to this version's schema; make a backup first."""
    from workbench.governance.database import migrate as upgrade
    from workbench.governance.database import open_engine

    upgrade(open_engine(database))
    click.echo("the database has the present schema")


@desk.command()
@click.option("--role", required=True, help="The PostgreSQL role that the desk signs in as; it owns no table.")
def grants(role: str) -> None:
    """Print the SQL that gives a PostgreSQL role what the desk needs and no right to undo what was recorded.

    \b
    workbench desk grants --role desk | psql --dbname decisions      # as the tables' owner, after each migration
    """
    from workbench.governance.privileges import statements

    for statement in statements(role):
        click.echo(f"{statement};")


def _checker(firm: str, rules: Path | None) -> Checker:
    from workbench.compliance import Rulebook
    from workbench.firm import open_at
    from workbench.signals import Checker

    return Checker(open_at(firm), None if rules is None else Rulebook.read(rules))


def _demo() -> tuple[Store, Checker, Path, Path]:
    from workbench.decisions import demo
    from workbench.governance.audit import keys
    from workbench.governance.database import migrate as upgrade
    from workbench.governance.database import open_engine

    database, checkpoints, key = DEMO / "decisions.db", DEMO / "checkpoints", DEMO / "audit.pem"
    done = DEMO / "complete"
    if not done.exists():
        import shutil

        shutil.rmtree(DEMO, ignore_errors=True)
        checkpoints.mkdir(parents=True)
        keys.new_key(key)
        click.echo("Building the demo desk: the firm, its team, three months of decisions (about a minute)", err=True)
        store = open_decisions(f"sqlite:///{database}", checkpoints, key)
        checker = demo.build(store, DEMO)
        done.write_text("built\n", encoding="utf-8")
    else:
        upgrade(open_engine(f"sqlite:///{database}"))
        store = open_decisions(f"sqlite:///{database}", checkpoints, key)
        checker = _checker("demo", None)
    click.echo("Sign in as ana or ben (analysts), petra or paul (portfolio managers), tom (trader), cora or colin")
    click.echo("(compliance), alice or adam (advisors, each of one book), vera (viewer), otto (auditor) or ada")
    click.echo(f"(administrator); password: {demo.PASSWORD}")
    return store, checker, checkpoints, key


def _serve(
    store: Store,
    checker: Checker | None,
    reports: Path,
    checkpoints: Path | None,
    key: Path | None,
    host: str,
    port: int,
    names: tuple[str, ...],
    https: bool,
    proxies: int,
    provider: Path | None,
) -> None:
    from workbench.decisions.provider import read_provider

    try:
        import uvicorn

        from workbench.desk import Settings, create_app
        from workbench.governance.audit import public_of
    except ModuleNotFoundError as error:
        raise MissingToolError(
            f"the desk needs the package {error.name}; install it with: pip install -e '.[governance,desk]'"
        ) from error
    local = ("127.0.0.1", "localhost", "[::1]")
    from workbench.copilot import Copilot

    copilot = None if checker is None else Copilot(checker.firm)
    settings = Settings(
        firm_name="The firm" if checker is None else checker.firm.name,
        hosts=(*local, *names),
        https=https,
        proxies=proxies,
        reports=reports,
        checkpoints=checkpoints,
        public_keys=() if key is None else (public_of(read_key(key)),),
        identity_provider=None if provider is None else read_provider(provider, os.environ),
        checker=checker,
        copilot=copilot,
    )
    if copilot is not None:
        # The desk opens at once; whoever asks before this is done waits for it instead of starting it.
        threading.Thread(target=copilot.warm, name="copilot-warm", daemon=True).start()
    click.echo(f"The desk is at http://{host}:{port}", err=True)
    uvicorn.run(
        create_app(store, settings),
        host=host,
        port=port,
        http="h11",  # it bounds the size of headers; others read them however long they are
        ws="none",
        log_level="warning",
        server_header=False,
        proxy_headers=False,
    )
