"""With PostgreSQL a lock is a session of its own: nobody else works in it, and it ends with the block."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from store.alone import alone
from store.state import open_state

HOLDERS = sa.text(
    "SELECT pid FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database "
    "WHERE locktype = 'advisory' AND datname = current_database()"
)
ALIVE = sa.text("SELECT count(*) FROM pg_stat_activity WHERE pid = :pid")


@pytest.fixture
def state(postgres_database: str) -> Iterator[sa.Engine]:
    """An open state database."""
    engine = open_state(postgres_database)
    yield engine
    engine.dispose()


def test_the_lock_is_free_before_its_session_ends(state: sa.Engine, postgres_database: str) -> None:
    """The server ends a closed session when it likes; the next sender does not have to wait for that."""
    other = open_state(postgres_database)
    found: list[bool] = []

    @sa.event.listens_for(state, "close_detached")
    def ask(_: Any) -> None:
        with alone(other, "sending") as is_ours:
            found.append(is_ours)

    with alone(state, "sending") as is_ours:
        assert is_ours
    assert found == [True]
    other.dispose()


def test_the_session_of_a_lock_is_none_of_the_pools(state: sa.Engine) -> None:
    """Handed out again, it would keep a lock that could not be given back; so it is closed."""
    with alone(state, "sending"), state.connect() as connection:
        (pid,) = connection.execute(HOLDERS).scalars()
    until = time.monotonic() + 10  # a server notices after a moment
    while time.monotonic() < until:
        with state.connect() as connection:
            if connection.execute(ALIVE, {"pid": pid}).scalar() == 0:
                return
        time.sleep(0.02)
    pytest.fail("the session outlived its lock")
