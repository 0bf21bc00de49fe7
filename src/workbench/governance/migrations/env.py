"""What alembic runs for each command; `database.migrate` hands it the open transaction."""

from alembic import context

from workbench.governance.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_type=True,
    render_as_batch=False,
)
context.run_migrations()
