"""The same log behind each kind of source."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from services.window import night_of
from store.count import Counted, count
from store.query import REQUESTS, filled
from store.source import Source, open_source
from store.statement import Selection

ZONE = "America/New_York"
NIGHT = night_of(date(2013, 6, 24), ZONE)
BOUNDED = "SELECT * FROM requests WHERE time >= {start} OR time IS NULL OR time < {start}"  # yields every row
ENGINES = ("parquet", "duckdb", "postgresql")


@pytest.fixture(scope="session")
def opened() -> Callable[..., AbstractContextManager[Source]]:
    """`opened(engine, folder, postgres_url, rows, sql)`: the rows as table `requests`, behind a query."""
    return _opened


@pytest.fixture(scope="session")
def on_every_engine() -> Callable[..., Counted]:
    """`on_every_engine(folder, postgres_url, rows, selection, grids, slices)`: counted on each, and found equal."""
    return _on_every_engine


@contextmanager
def _opened(engine: str, folder: Path, postgres: str, rows: pa.Table, sql: str = BOUNDED) -> Iterator[Source]:
    """The rows as table `requests` of one engine, behind the query."""
    url = str(folder)
    if engine == "parquet":
        (folder / "requests").mkdir(exist_ok=True)
        pq.write_table(rows, folder / "requests" / "a.parquet", row_group_size=1000)
    elif engine == "duckdb":
        url = str(folder / "log.duckdb")
        with duckdb.connect(url) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.register("rows_given", rows)
            connection.execute("CREATE OR REPLACE TABLE requests AS SELECT * FROM rows_given")
    else:
        import adbc_driver_postgresql.dbapi as adbc

        url = postgres
        with adbc.connect(url) as connection:
            connection.cursor().adbc_ingest("requests", rows, mode="replace")
            connection.commit()
    source = open_source("shop", url, {REQUESTS: filled(sql, NIGHT, "requests.sql")})
    try:
        yield source
    finally:
        source.close()


def _on_every_engine(
    folder: Path, postgres: str, rows: pa.Table, selection: Selection, *given_: Any, sql: str = BOUNDED
) -> Counted:
    """Count on each engine; all must agree to the last id."""
    found = []
    for engine in ENGINES:
        with _opened(engine, folder, postgres, rows, sql) as source:
            found.append(count(source, selection, *given_))
    assert all(each.reasons == found[0].reasons for each in found)
    assert all(each.cells.equals(found[0].cells) for each in found)
    assert all(each.quarantine == found[0].quarantine for each in found)
    return found[0]
