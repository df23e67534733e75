"""One at a time: a lock that falls when the process that holds it dies, however it dies."""

from __future__ import annotations

import fcntl
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa

from services.errors import StateError


@contextmanager
def alone(engine: sa.Engine, name: str) -> Iterator[bool]:
    """Whether nobody else who uses this state database does what `name` says; nobody will until the end of the block.

    It never waits. With SQLite it is a lock on a file beside the database, with PostgreSQL an advisory lock of
    a connection of its own, which must reach the server itself: a pooler that changes connections between
    transactions would lose it.

    Raises:
        StateError: the file or the database cannot be reached.
    """
    lock = _beside_the_file if engine.dialect.name == "sqlite" else _in_the_database
    with lock(engine, name) as is_ours:
        yield is_ours


@contextmanager
def _beside_the_file(engine: sa.Engine, name: str) -> Iterator[bool]:
    path = Path(f"{engine.url.database}.{re.sub(r'[^A-Za-z0-9_-]', '_', name)}.lock")
    try:
        file = path.open("a")  # never removed: who waits for a removed file waits for nobody
    except OSError as error:
        raise StateError(
            f"The lock {path} cannot be made: {error.strerror}. This user must be able to write beside the state."
        ) from error
    with file:  # the lock falls with the open file, and so with the process
        yield _flock(file.fileno(), path)


def _flock(descriptor: int, path: Path) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise StateError(
            f"The disk of {path} knows no locks ({error.strerror}). Keep the state on a local disk, or in PostgreSQL."
        ) from error
    return True


@contextmanager
def _in_the_database(engine: sa.Engine, name: str) -> Iterator[bool]:
    number = int.from_bytes(hashlib.sha256(f"ronda {name}".encode()).digest()[:8], signed=True)
    try:
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        connection.detach()  # out of the pool: closing it closes the session, and the lock falls with that
        is_ours = connection.execute(sa.select(sa.func.pg_try_advisory_lock(number))).scalar()
    except sa.exc.DBAPIError as error:
        reason = str(error.orig).strip().partition("\n")[0].rstrip(".")
        raise StateError(
            f"The state cannot be locked for {name}: {reason}. Mend the database and run it again."
        ) from error
    try:
        yield bool(is_ours)
    finally:
        if is_ours:
            # the server ends a closed session a moment later; until then the next of us would find it taken
            with suppress(sa.exc.DBAPIError):  # a session that broke has lost its lock already
                connection.execute(sa.select(sa.func.pg_advisory_unlock(number)))
        connection.close()
