"""The demo's log in other places people keep one: a DuckDB file and a PostgreSQL database.

The tables have the names, columns and rows of the Parquet folder, and the partition as a column `night`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

_TABLES = ("requests", "feedback", "training_features")


def write_duckdb(folder: Path, path: Path) -> None:
    """Copy the log of `demo.flight_delay.write_logs` into a DuckDB file, which is replaced if it exists.

    Args:
        folder: the Parquet log.
        path: the database file.
    """
    import duckdb  # noqa: PLC0415 - used only where the log is wanted in a database

    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    with duckdb.connect(str(partial)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for table in _TABLES:
            files = str(folder / table / "*" / "*.parquet")
            connection.read_parquet(files, hive_partitioning=True).create(table)
    partial.replace(path)


def write_postgres(folder: Path, url: str) -> None:
    """Copy the log of `demo.flight_delay.write_logs` into PostgreSQL, replacing its three tables.

    Args:
        folder: the Parquet log.
        url: `postgresql://user:password@host/database`, as libpq reads it.
    """
    import adbc_driver_postgresql.dbapi as adbc  # noqa: PLC0415 - see write_duckdb

    with adbc.connect(url) as connection:
        with connection.cursor() as cursor:
            for table in _TABLES:
                cursor.adbc_ingest(table, _stream(folder / table), mode="replace")
        connection.commit()


def _stream(folder: Path) -> pa.RecordBatchReader:
    import pyarrow as pa  # noqa: PLC0415 - see write_duckdb
    import pyarrow.dataset as ds  # noqa: PLC0415 - see write_duckdb

    night = ds.partitioning(pa.schema([("night", pa.date32())]), flavor="hive")
    return ds.dataset(folder, partitioning=night).scanner().to_reader()
