"""A state database of each kind, empty and at the newest tables; and ways to look at it whole."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest
import sqlalchemy as sa

from store.state import open_state, reading
from store.tables import metadata

Result = TypeVar("Result")


@pytest.fixture(params=["sqlite", "postgresql"])
def state_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a fresh state database: what uses it is tested on both kinds."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state' / 'ronda.db'}"
    url: str = request.getfixturevalue("postgres_database")
    return url


@pytest.fixture
def state(state_url: str) -> Iterator[sa.Engine]:
    """An open state database."""
    engine = open_state(state_url)
    yield engine
    engine.dispose()


@pytest.fixture
def everything() -> Callable[[sa.Engine], dict[str, list[tuple[object, ...]]]]:
    """Read every row of every table, to see that nothing changed."""

    def read(engine: sa.Engine) -> dict[str, list[tuple[object, ...]]]:
        with reading(engine) as connection:
            return {
                table.name: sorted(map(tuple, connection.execute(sa.select(table))), key=repr)
                for table in metadata.sorted_tables
            }

    return read


@pytest.fixture
def at_once() -> Callable[[Callable[[int], Result], int], list[Result]]:
    """Run work in threads that all begin together; raises what they raise."""

    def run(work: Callable[[int], Result], workers: int) -> list[Result]:
        barrier = threading.Barrier(workers)

        def begin(worker: int) -> Result:
            barrier.wait()
            return work(worker)

        with ThreadPoolExecutor(workers) as pool:
            return list(pool.map(begin, range(workers)))

    return run


@pytest.fixture(params=["parquet", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str | Path:
    """Where the log is: what uses it holds on both engines."""
    return tmp_path if request.param == "parquet" else str(request.getfixturevalue("postgres_database"))
