"""How Alembic reaches the state database: over the connection, and inside the transaction, it is given.

There is no `alembic.ini`: `store/migrate.py` upgrades, and a new migration is written by hand from the last.
"""

from alembic import context

from store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
