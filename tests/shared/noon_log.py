"""A log of one noon, in a folder or in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from services.window import night_of
from store.query import REQUESTS, filled
from store.source import Source, open_source

NIGHT = night_of(date(2013, 6, 24), "UTC")
NOON = datetime(2013, 6, 24, 12, tzinfo=UTC)


@contextmanager
def log(url: str | Path, **columns: Any) -> Iterator[Source]:
    """Requests r000, r001 and so on, with these columns; none without a column."""
    size = max([len(values) for values in columns.values()], default=0)
    rows = pa.table({"request_id": [f"r{n:03}" for n in range(size)], "time": [NOON] * size} | columns)
    if isinstance(url, Path):
        pq.write_table(rows, url / "requests.parquet")
    else:
        import adbc_driver_postgresql.dbapi as adbc

        with adbc.connect(url) as connection:
            connection.cursor().adbc_ingest("requests", rows, mode="replace")
            connection.commit()
    source = open_source("shop", str(url), {REQUESTS: filled("SELECT * FROM requests", NIGHT, "q.sql")})
    yield source
    source.close()
