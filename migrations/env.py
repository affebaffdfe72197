"""What Alembic runs around migrations; leadvibe.lib.migrate calls it with an open connection."""

from __future__ import annotations

from alembic import context

from leadvibe.schema import metadata

connection = context.config.attributes["connection"]

context.configure(
    connection=connection,
    target_metadata=metadata,
    # Each migration commits by itself, so that one may leave the transaction for an index that is
    # built concurrently, and a failure keeps what was done before it.
    transaction_per_migration=True,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
