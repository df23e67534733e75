"""DuckDB: the one place that opens it, with nothing fetched from the internet and time in UTC."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import fsspec
import pyarrow as pa
import sqlalchemy as sa

from services.errors import SourceError
from services.secret_text import hide_password
from store.dialect import as_sql, kind_of
from store.query import STAGED, Query

Connection = duckdb.DuckDBPyConnection

_WITHOUT_VALUES = (  # complaints about a query, a file or the machine; all others may quote a value of the log
    duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException, duckdb.SyntaxException,
    duckdb.PermissionException, duckdb.IOException, duckdb.NotImplementedException, duckdb.OutOfMemoryException,
    duckdb.InterruptException, duckdb.ConnectionException,
)  # fmt: skip
_COLUMN = re.compile(r'(?:casting from source column (\w+)|failed to cast column "([^"]+)")')
_FILES_DIFFER = re.compile(
    r'schema mismatch in glob: (column "[^"]*") was read from the original (file "[^"]*"), '
    r'but could not be found in (file "[^"]*")'
)


def connect() -> Connection:
    """An empty DuckDB in memory; extensions are never installed from the internet."""
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    connection.execute("SET TimeZone = 'UTC'")
    # Parquet's minimum and maximum leave NaN out; DuckDB concludes that there is none and counts it as a number
    connection.execute("SET disabled_optimizers = 'statistics_propagation'")
    return connection


def arrow(connection: Connection, statement: sa.Select[Any]) -> pa.Table:
    """Run a statement and return its rows as an Arrow table."""
    return connection.sql(as_sql(statement)).to_arrow_table()


@dataclass(frozen=True)
class DuckSource:
    """A service's views over Parquet folders or a DuckDB file opened read-only."""

    service: str
    connection: Connection
    queries: Mapping[str, Query]

    def columns(self, view: str) -> dict[str, str]:
        """Column of a view -> `number`, `category`, `time` or `other`."""
        with self._told(view):
            rows = self.connection.sql(f"DESCRIBE {view}").fetchall()
        return {name: kind_of(str(kind)) for name, kind, *_ in rows}

    def fetch(self, statement: sa.Select[Any]) -> pa.Table:
        """The rows of a statement over the views; only for results that are small by construction."""
        with self._told():
            return arrow(self.connection, statement)

    @contextmanager
    def staged(self, statement: sa.Select[Any]) -> Iterator[Connection]:
        """A connection in which the statement's rows stand as the relation `ronda_staged`, never copied."""
        with self._told():
            self.connection.execute(f"CREATE OR REPLACE TEMP VIEW {STAGED} AS {as_sql(statement)}")
            yield self.connection

    def close(self) -> None:
        """Let go of the files."""
        self.connection.close()

    @contextmanager
    def _told(self, view: str = "") -> Iterator[None]:
        try:
            yield
        except duckdb.Error as error:
            raise refused(self.service, self.queries, view, error) from _cause(error)
        except RuntimeError as error:
            if "interrupted" in str(error):  # Ctrl-C while a query runs
                raise KeyboardInterrupt from None
            raise


def open_duckdb(service: str, path: Path, queries: Mapping[str, Query]) -> DuckSource:
    """Open a DuckDB file read-only, so that other readers are not shut out.

    Raises:
        SourceError: no such file, not a DuckDB file, held by a writer, or a query does not run on it.
    """
    if not path.is_file():
        raise SourceError(
            f"{service}: source {path} does not exist. Give the path of a DuckDB file or a folder."
        )
    connection = connect()
    try:
        connection.execute(f"ATTACH {_quoted(str(path))} AS source (READ_ONLY)")
        connection.execute("USE source")
    except duckdb.Error as error:
        raise SourceError(
            f"{service}: source {path} cannot be opened read-only: {_first_line(error)}"
        ) from error
    return _with_views(service, connection, queries)


def open_folder(service: str, url: str, queries: Mapping[str, Query]) -> DuckSource:
    """Open a folder of Parquet tables: `<table>/**/*.parquet` (Hive partitions are read) or `<table>.parquet`.

    `url` is a path or any fsspec URL. Columns are those of the first file, so the files of the queried
    nights come first: a column that appeared since is seen, and one that older files have is not missed.

    Raises:
        SourceError: no such folder, no Parquet file in it, or a query does not run on it.
    """
    shown = hide_password(url)
    try:
        filesystem, root = fsspec.core.url_to_fs(url)
    except (ImportError, ValueError, OSError) as error:
        raise SourceError(f"{service}: source {shown} cannot be opened: {error}") from error
    if not filesystem.isdir(root):
        raise SourceError(f"{service}: source folder {shown} does not exist. Check the variable in `source`.")
    tables = _tables(filesystem, root, queries)
    if not tables:
        raise SourceError(
            f"{service}: source folder {shown} holds no Parquet file of a table that "
            f"{', '.join(query.file for query in queries.values())} names. Expected <table>/*.parquet there; "
            f"it holds {', '.join(_entries(filesystem, root)) or 'nothing'}."
        )
    local = "file" in filesystem.protocol
    connection = connect()
    if not local:
        connection.register_filesystem(filesystem)
    wanted = {
        f"={day.isoformat()}/"
        for query in queries.values()
        for day in (query.window.first, query.window.last)
    }
    for table, files in tables.items():
        ordered = sorted(files, key=lambda file: (not any(mark in file for mark in wanted), file))
        paths = ordered if local else [filesystem.unstrip_protocol(file) for file in ordered]
        listed = ", ".join(_quoted(path) for path in paths)
        try:
            rows = f"SELECT * FROM read_parquet([{listed}], hive_partitioning=true)"  # noqa: S608 -- quoted names
            _create_table_view(connection, _name(table), rows)
        except duckdb.Error as error:
            raise SourceError(
                f"{service}: table {table} in {shown} cannot be read: {_first_line(error)}"
            ) from error
    return _with_views(service, connection, queries)


def _create_table_view(connection: Connection, name: str, rows: str) -> None:
    """A view of a table's files. Nanoseconds become microseconds: DuckDB compares them with no aware time."""
    connection.execute(f"CREATE VIEW {name} AS {rows}")
    kinds = connection.sql(f"DESCRIBE {name}").fetchall()
    fine = [_name(column) for column, kind, *_ in kinds if str(kind) == "TIMESTAMP_NS"]
    if fine:
        casts = ", ".join(f"CAST({column} AS TIMESTAMP) AS {column}" for column in fine)
        connection.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT * REPLACE ({casts}) FROM ({rows})")  # noqa: S608 -- quoted names


def refused(service: str, queries: Mapping[str, Query], view: str, error: duckdb.Error) -> SourceError:
    """DuckDB's complaint. Where it may quote a value of the log, only its kind and column are told."""
    found = str(error)
    differ = _FILES_DIFFER.search(found)
    if differ:
        found = f"{differ[1]} of {differ[2]} is missing in {differ[3]}; ask for nights whose files are alike"
    elif _cause(error) is None:
        column = _COLUMN.search(found)
        of = f" of column {column[1] or column[2]}" if column else ""
        found = f"a value{of} cannot be read as the query asks ({type(error).__name__}; values are not shown)"
    return source_error(service, queries, view, found)


def source_error(service: str, queries: Mapping[str, Query], view: str, found: str) -> SourceError:
    """An engine's complaint, said with the service and the query it is about. `found` must hold no value."""
    files = queries[view].file if view in queries else ", ".join(query.file for query in queries.values())
    first = found.strip().splitlines()[0] if found.strip() else "no reason given"
    return SourceError(
        f"{service}: the source refused a query of {files}: {first}. Run `ronda check {service}`."
    )


def _with_views(service: str, connection: Connection, queries: Mapping[str, Query]) -> DuckSource:
    source = DuckSource(service, connection, queries)
    for view, query in queries.items():
        try:
            connection.execute(f"CREATE TEMP VIEW {view} AS (\n{query.text}\n)")
        except duckdb.Error as error:
            connection.close()
            raise refused(service, queries, view, error) from _cause(error)
    return source


def _tables(filesystem: Any, root: str, queries: Mapping[str, Query]) -> dict[str, list[str]]:
    """Table -> its files. Only tables that a query names are listed: a log of years has many folders."""
    named = " ".join(query.text for query in queries.values()).casefold()
    tables: dict[str, list[str]] = {}
    for entry in _entries(filesystem, root):
        table = entry.removesuffix(".parquet")
        if table.casefold() in named:
            files = [
                f
                for f in filesystem.find(f"{root}/{entry}")
                if f.endswith(".parquet") and not _hidden(f[len(root) :])
            ]
            tables.setdefault(table, []).extend(files)
    return {table: files for table, files in tables.items() if files}


def _entries(filesystem: Any, root: str) -> list[str]:
    names = (str(path).rstrip("/").rsplit("/", 1)[-1] for path in filesystem.ls(root, detail=False))
    return sorted(name for name in names if not _hidden(name))


def _hidden(path: str) -> bool:
    # writers keep unfinished files and their own notes under such names
    return any(part.startswith((".", "_")) for part in path.split("/"))


def _cause(error: duckdb.Error) -> duckdb.Error | None:
    """The error, if a traceback may show it: complaints about data quote values, which may be personal."""
    return error if isinstance(error, _WITHOUT_VALUES) else None


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
