"""`workbench people`: the first administrator, and service accounts; everything else is done at the desk."""

from __future__ import annotations

import click

from workbench.decisions.place import DATABASE, needs_governance, open_decisions, placed, signed_in


@click.group()
def people() -> None:
    """People and service accounts.

    The first administrator is made here, in an empty database; he or she adds everybody else at the desk.

    \b
    workbench people first ada "Ada Lindqvist" ada@firm.example
    workbench people service scheduler "The nightly run" --as ada
    workbench people list
    """
    needs_governance()


@people.command()
@placed(DATABASE)
@click.argument("person")
@click.argument("name")
@click.argument("email")
@click.password_option(envvar="WORKBENCH_PASSWORD", help="Asked for where it is not given; at least 12 characters.")
def first(database: str, person: str, name: str, email: str, password: str) -> None:
    """Make PERSON the first administrator of an empty database."""
    from workbench.governance import bootstrap

    bootstrap(open_decisions(database), person, name, email, password)
    click.echo(f"{person} is the administrator; start the desk and add the others there")


@people.command()
@placed(DATABASE)
@click.argument("account")
@click.argument("name")
@click.option("--as", "person", required=True, help="The administrator who adds it.")
@click.option("--password", prompt=True, hide_input=True, envvar="WORKBENCH_PASSWORD", help="The administrator's.")
def service(database: str, account: str, name: str, person: str, password: str) -> None:
    """Add the service account ACCOUNT, for the nightly run; it brings and checks signals and decides nothing."""
    from workbench.governance import AddPerson, GrantRole, Role

    store = open_decisions(database)
    who = signed_in(store, person, password)
    store.perform(who, AddPerson(account, name, "service"), f"service:{account}")
    store.perform(who, GrantRole(account, Role.SERVICE, "*", "added by command line"), f"service:{account}:role")
    click.echo(f"{account} may bring, check, sweep and export; it may not submit, approve or release")


@people.command("list")
@placed(DATABASE)
def list_(database: str) -> None:
    """List who is there, with their roles and books."""
    from sqlalchemy import select

    from workbench.governance.access import holds
    from workbench.governance.tables import person, role_grant

    with open_decisions(database).reading() as connection:
        rows = connection.execute(
            select(
                person.c.person_id,
                person.c.name,
                person.c.active,
                role_grant.c.role,
                role_grant.c.book,
                holds(role_grant).label("holds"),
            )
            .outerjoin(role_grant, (role_grant.c.person_id == person.c.person_id) & role_grant.c.revoked_at.is_(None))
            .order_by(person.c.person_id, role_grant.c.role)
        ).all()
    for row in rows:
        waits = row.role is not None and not row.holds
        state = "  (waits for confirmation)" if waits else "" if row.active else "  (inactive)"
        click.echo(f"{row.person_id:<16} {row.role or '-':<18} {row.book or '-':<8} {row.name}{state}")
