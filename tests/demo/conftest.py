"""The demo's log, made once for all its tests: it takes about ten seconds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from demo.flight_delay import LogSummary, write_logs
from demo.flight_tables import Sources, read_sources


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole log of 2013 as the loader writes it."""
    folder = tmp_path_factory.mktemp("flights") / "log"
    write_logs(folder)
    return folder


@pytest.fixture(scope="session")
def summary(folder: Path) -> LogSummary:
    """What the loader says of the log."""
    return write_logs(folder)


@pytest.fixture(scope="session")
def june(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The nights of June alone, as a folder of the same form: a twelfth of the rows to copy into databases."""
    part = tmp_path_factory.mktemp("june")
    for night in folder.glob("*/night=2013-06-*"):
        shutil.copytree(night, part / night.parent.name / night.name)
    return part


@pytest.fixture(scope="session")
def sources() -> Sources:
    """The package's own tables, for tests that change them on a copy."""
    return read_sources()


@pytest.fixture
def tables(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB in which `requests`, `feedback` and `training_features` are the log's Parquet files."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name in ("requests", "feedback", "training_features"):
            files = str(folder / name / "*" / "*.parquet")
            connection.read_parquet(files, hive_partitioning=True).create_view(name)
        yield connection
