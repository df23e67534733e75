"""One sender at a time, whatever becomes of it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from services.errors import StateError
from store.alone import alone
from store.state import open_state, writing
from store.tables import messages

ROOT = Path(__file__).parents[2]
HOLDER = """
import sys, time
from store.alone import alone
from store.state import open_state
with alone(open_state(sys.argv[1]), "sending") as is_ours:
    print(is_ours, flush=True)
    time.sleep(60)
"""


def test_one_holds_it(state: sa.Engine, state_url: str) -> None:
    """The other is told at once, from the same engine and from another; other names are other locks."""
    other = open_state(state_url)
    with alone(state, "sending") as is_ours:
        assert is_ours
        for engine in (state, other):
            with alone(engine, "sending") as second:
                assert not second
            with alone(engine, "sweeping") as third:
                assert third
        with alone(other, "sending") as still:
            assert not still
    with alone(other, "sending") as now:
        assert now
    other.dispose()


def test_an_error_gives_it_back(state: sa.Engine) -> None:
    """However the block ends."""
    with pytest.raises(RuntimeError), alone(state, "sending"):
        raise RuntimeError
    for _ in range(20):  # more than a pool has connections
        with alone(state, "sending") as is_ours:
            assert is_ours


def test_of_many_one_gets_it(
    state: sa.Engine, at_once: Callable[[Callable[[int], bool], int], list[bool]]
) -> None:
    """They begin together, and each keeps what it got until all have asked."""

    def ask(worker: int) -> bool:
        with alone(state, "sending") as is_ours:
            time.sleep(0.3)
            return is_ours

    assert sorted(at_once(ask, 5)) == [False] * 4 + [True]


def test_work_goes_on_beside_it(state: sa.Engine) -> None:
    """The lock is not the database's write lock: who holds it, and who does not, can write."""
    with alone(state, "sending"), writing(state) as connection:
        connection.execute(sa.delete(messages))


def test_it_falls_with_its_process(state: sa.Engine, state_url: str) -> None:
    """Killed, it can clean up nothing."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, state_url], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        with alone(state, "sending") as is_ours:
            assert not is_ours
        holder.kill()

    until = time.monotonic() + 10  # a server notices after a moment
    while time.monotonic() < until:
        with alone(state, "sending") as is_ours:
            if is_ours:
                return
        time.sleep(0.02)
    pytest.fail("the lock outlived its process")


def test_a_lock_that_cannot_be_made(tmp_path: Path) -> None:
    """A folder where its file would be, or a server that is gone."""
    engine = open_state(f"sqlite:///{tmp_path / 'ronda.db'}")
    (tmp_path / "ronda.db.sending.lock").mkdir()
    with (
        pytest.raises(StateError, match=r"ronda\.db\.sending\.lock cannot be made"),
        alone(engine, "sending"),
    ):
        pass
    engine.dispose()
    gone = sa.create_engine(f"postgresql+psycopg://u:hunter2@/x?host={tmp_path}")
    with pytest.raises(StateError, match="cannot be locked for sending") as caught, alone(gone, "sending"):
        pass
    assert "hunter2" not in str(caught.value)
