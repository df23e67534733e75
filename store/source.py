"""A service's source: a folder of Parquet, a DuckDB file or a PostgreSQL database, behind the same calls."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import sqlalchemy as sa

from store.duck import Connection, open_duckdb, open_folder
from store.postgres import open_postgres
from store.query import Query


class Source(Protocol):
    """What every source can do. `DuckSource` and `PostgresSource` are the two there are."""

    @property
    def service(self) -> str:
        """The service it belongs to, for messages."""
        ...

    @property
    def queries(self) -> Mapping[str, Query]:
        """View -> the query behind it."""
        ...

    def columns(self, view: str) -> dict[str, str]:
        """Column of a view -> `number`, `category`, `time` or `other`."""
        ...

    def fetch(self, statement: sa.Select[Any]) -> pa.Table:
        """The rows of a small result, computed where the rows live."""
        ...

    def staged(self, statement: sa.Select[Any]) -> AbstractContextManager[Connection]:
        """A DuckDB connection where the statement's rows can be read once as `ronda_staged`."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...


def open_source(service: str, url: str, queries: Mapping[str, Query]) -> Source:
    """Open the source a service file names, with its queries as views.

    Args:
        service: name of the service, for messages.
        url: `postgresql://…`, a path ending in `.duckdb`, or a folder of Parquet (a path or fsspec URL).
        queries: view -> query, filled in for the nights to be read.

    Raises:
        SourceError: it cannot be reached, or a query does not run on it.
    """
    if url.startswith(("postgres://", "postgresql://")):
        return open_postgres(service, url, queries)
    if url.endswith((".duckdb", ".db")):
        return open_duckdb(service, Path(url), queries)
    return open_folder(service, url, queries)
