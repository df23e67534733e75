"""Bring the state database to the newest tables, once, however many processes ask at the same time."""

from __future__ import annotations

import threading
from pathlib import Path

import sqlalchemy as sa

from services.errors import StateError
from store.tables import HEAD

_LOCK = 0x726F6E6461  # "ronda"; names our advisory lock in PostgreSQL
_ONE_AT_A_TIME = threading.Lock()  # Alembic keeps what it works on in a global
_VERSION = sa.table("alembic_version", sa.column("version_num", sa.String))


def migrate(engine: sa.Engine) -> None:
    """Create or upgrade the tables; does nothing, and loads nothing, when they are at `HEAD` already.

    Raises:
        StateError: the database is newer than this code, or belongs to another program.
    """
    with engine.connect() as connection:
        if _version(connection.execution_options(ronda_reading=True)) == HEAD:
            return
    with engine.begin() as connection:
        _lock(connection)
        version = _version(connection)
        if version == HEAD:  # another process was quicker
            return
        _refuse_others(connection, version)
        _upgrade(connection)


def migrations_folder() -> Path:
    """Where the migrations are: inside the package when installed, beside it in a checkout."""
    # The installed place first: beside an installed package, `sql` may be some other program's folder.
    package = Path(__file__).resolve().parent
    for folder in (package / "_sql" / "migrations", package.parent / "sql" / "migrations"):
        if (folder / "env.py").is_file():
            return folder
    raise StateError(f"The migrations are missing beside {package}. Install ronda again.")


def _version(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table(_VERSION.name):
        return None
    return connection.execute(sa.select(_VERSION.c.version_num)).scalar()


def _lock(connection: sa.Connection) -> None:
    # SQLite's transaction holds the write lock already.
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def _refuse_others(connection: sa.Connection, version: str | None) -> None:
    if version is None:
        tables = sorted(set(sa.inspect(connection).get_table_names()) - {_VERSION.name})
        if tables:
            raise StateError(f"it holds tables that are not ronda's ({', '.join(tables[:5])}). {_OF_ITS_OWN}")
    elif not version.isdecimal():
        raise StateError(f"it is another program's database (its version is {version}). {_OF_ITS_OWN}")
    elif version > HEAD:
        raise StateError(
            f"it was written by a newer ronda (tables {version}, this one knows up to {HEAD}). Upgrade ronda."
        )


_OF_ITS_OWN = "Give ronda a database of its own, or in PostgreSQL a schema of its own (…?options=-csearch_path%3Dronda)."


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command  # noqa: PLC0415 - takes 0.7 s, and is needed once in a database's life
    from alembic.config import Config  # noqa: PLC0415 - same

    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    with _ONE_AT_A_TIME:
        command.upgrade(config, "head")
