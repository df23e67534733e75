"""The state database: opened from a URL, brought up to date, written and read in whole transactions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from services.errors import StateError
from store.migrate import migrate

_READING = {"ronda_reading": True}
_WAIT_SECONDS = 30.0


State = sa.Engine
"""The state database, as other packages name it without importing SQLAlchemy."""


Connection = sa.Connection
"""A transaction in the state database, as other packages name it."""


def open_state(url: str) -> sa.Engine:
    """Open the state database and bring its tables up to date.

    Several processes may open it at once; one of them migrates, the others wait for it.

    Args:
        url: `sqlite:///var/ronda.db` (its folder is made), or `postgresql://user@host/database`.

    Raises:
        StateError: the URL is not one of these, the database cannot be reached or written, it was
            written by a newer ronda, or it belongs to another program. No message holds a password.
    """
    parsed = _parse(url)
    engine = _sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _postgresql(parsed)
    try:
        migrate(engine)
    except StateError as error:
        engine.dispose()
        raise StateError(f"The state at {_shown(parsed)}: {error}") from error
    except sa.exc.DBAPIError as error:
        engine.dispose()
        raise StateError(
            f"The state at {_shown(parsed)} cannot be opened: {_first_line(error)}. "
            "Check RONDA_STATE, and that this user may write there."
        ) from error
    return engine


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that may write: all of it is kept, or none.

    On SQLite it takes the write lock at its start and waits up to 30 seconds for it, so what it reads
    cannot change before it writes.

    Raises:
        StateError: the database is locked, full, gone or damaged.
    """
    with _named_errors(engine), engine.begin() as connection:
        yield connection


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that sees one moment of the database, blocks nobody, and cannot write.

    Raises:
        StateError: the database is gone or damaged, or the body tried to write.
    """
    options = dict(_READING)
    if engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}  # type: ignore[dict-item]  # option values are of several types
    with (
        _named_errors(engine),
        engine.connect().execution_options(**options) as connection,
        connection.begin(),
    ):
        yield connection


@contextmanager
def _named_errors(engine: sa.Engine) -> Iterator[None]:
    try:
        yield
    except (sa.exc.IntegrityError, sa.exc.ProgrammingError):
        raise  # a mistake of ours, not of the user's database
    except sa.exc.DBAPIError as error:
        raise StateError(
            f"The state at {_shown(engine.url)} failed: {_first_line(error)}. "
            "Nothing of this step was recorded; mend the database and run it again."
        ) from error


def _parse(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        # Neither the URL nor the parser's own words are shown: both may hold the password.
        raise StateError(
            "RONDA_STATE is not a database URL. Write sqlite:///var/ronda.db or postgresql://user@host/database "
            "(in a password, write % and / @ : as %25 %2F %40 %3A)."
        ) from None
    if parsed.drivername in {"postgres", "postgresql"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in {"sqlite", "sqlite+pysqlite", "postgresql+psycopg"}:
        raise StateError(
            f"RONDA_STATE names a {parsed.drivername} database. State is kept in SQLite (sqlite:///…) or "
            "PostgreSQL (postgresql://…)."
        )
    return _password_in_its_place(parsed)


def _password_in_its_place(url: sa.URL) -> sa.URL:
    """Move `?password=` to where SQLAlchemy hides it when an engine is printed."""
    given = url.query.get("password")
    if not isinstance(given, str):
        return url
    return url.difference_update_query(["password"]).set(password=given)


def _shown(url: sa.URL) -> str:
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    host = url.host or url.query.get("host", "localhost")
    return f"{host}, database {url.database}"


def _sqlite(url: sa.URL) -> sa.Engine:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise StateError(
            f"RONDA_STATE is a SQLite URL without a plain file ({url.database or 'none'}), and state must outlive "
            "the process. Write sqlite:///var/ronda.db, or with four slashes a path from the root."
        )
    folder = Path(url.database).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StateError(f"The folder {folder} of the state cannot be made: {error.strerror}.") from error
    engine = sa.create_engine(
        url,
        hide_parameters=True,  # what users typed stays out of error messages
        connect_args={
            "isolation_level": None,
            "timeout": _WAIT_SECONDS,
        },  # we begin transactions, not the driver
    )
    sa.event.listen(engine, "connect", _set_pragmas)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _set_pragmas(connection: sa.engine.interfaces.DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    # A transaction that reads first and locks later fails, or overwrites what another wrote in between.
    is_reading = connection.get_execution_options().get("ronda_reading", False)
    connection.exec_driver_sql(f"PRAGMA query_only = {int(is_reading)}")
    connection.exec_driver_sql("BEGIN" if is_reading else "BEGIN IMMEDIATE")


def _postgresql(url: sa.URL) -> sa.Engine:
    timeout = {} if "connect_timeout" in url.query else {"connect_timeout": 10}
    return sa.create_engine(url, hide_parameters=True, pool_pre_ping=True, connect_args=timeout)


def _first_line(error: sa.exc.DBAPIError) -> str:
    return str(error.orig).strip().partition("\n")[0].rstrip(".")
