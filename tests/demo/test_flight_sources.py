"""The same log from a folder, a DuckDB file and PostgreSQL, through the service's own queries."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import adbc_driver_postgresql.dbapi as adbc
import duckdb
import pyarrow as pa
import pytest
import yaml

import services
from demo.flight_delay import write_duckdb, write_postgres
from services.columns import FEEDBACK_COLUMNS, REQUEST_COLUMNS, REQUIRED_FEEDBACK_COLUMNS
from services.model import Service
from services.window import window_between

ROOT = Path(services.__file__).parents[1]
QUERIES = ("requests", "feedback", "training")
WEEK, WEEK_LANDED = 6_647, 6_404  # of 10 to 16 June


def query(name: str, first: date, last: date, later: timedelta = timedelta(0)) -> str:
    """The service's query with typed literals in place of its placeholders."""
    window = window_between(first, last, "America/New_York")
    text = (ROOT / "sql" / "flight_delay" / f"{name}.sql").read_text()
    literals = {
        "{first_night}": f"DATE '{first}'",
        "{last_night}": f"DATE '{last}'",
        "{start}": f"TIMESTAMPTZ '{window.start.isoformat(' ')}'",
        "{end}": f"TIMESTAMPTZ '{(window.end + later).isoformat(' ')}'",
    }
    for token, literal in literals.items():
        text = text.replace(token, literal)
    return text


def from_duckdb(file: Path, sql: str) -> pa.Table:
    with duckdb.connect(str(file), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.sql(sql).to_arrow_table()


def from_postgres(url: str, sql: str) -> pa.Table:
    with adbc.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SET TIME ZONE 'UTC'")
        cursor.execute(sql)
        return cursor.fetch_arrow_table()


def in_order(table: pa.Table) -> pa.Table:
    """Rows by id, and the types that engines name differently made one."""
    schema = pa.schema(
        [
            (field.name, pa.string() if pa.types.is_string(field.type) else field.type)
            for field in table.schema
        ]
    )
    return table.cast(schema).sort_by("request_id").combine_chunks()


def test_folder_file_and_postgres_give_the_same_rows(
    june: Path, tables: duckdb.DuckDBPyConnection, tmp_path: Path, postgres_database: str
) -> None:
    """Each query runs unchanged on the three sources and gives equal rows of equal types for a week."""
    write_duckdb(june, tmp_path / "flights.duckdb")
    write_postgres(june, postgres_database)

    for name, rows in (("requests", WEEK), ("feedback", WEEK_LANDED), ("training", WEEK)):
        sql = query(name, date(2013, 6, 10), date(2013, 6, 16))
        expected = in_order(tables.sql(sql).to_arrow_table())
        assert expected.num_rows == rows
        assert in_order(from_duckdb(tmp_path / "flights.duckdb", sql)).equals(expected)
        assert in_order(from_postgres(postgres_database, sql)).equals(expected)


def test_a_second_copy_replaces_the_first(
    june: Path, tables: duckdb.DuckDBPyConnection, tmp_path: Path, postgres_database: str
) -> None:
    """No row doubles, and the tables have the types a person would declare."""
    file = tmp_path / "flights.duckdb"
    for _ in range(2):
        write_duckdb(june, file)
        write_postgres(june, postgres_database)

    count = "SELECT count(*) AS n FROM requests UNION ALL SELECT count(*) FROM training_features"
    types = """SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'requests'
               AND column_name IN ('time', 'night', 'seats', 'temp', 'carrier', 'prediction')"""
    assert from_duckdb(file, count).to_pydict() == {"n": [28_243, 28_243]}
    assert from_postgres(postgres_database, count).to_pydict() == {"n": [28_243, 28_243]}
    assert from_duckdb(file, "FROM requests LIMIT 0").schema.equals(
        tables.sql("FROM requests LIMIT 0").to_arrow_table().schema
    )
    assert {
        row["column_name"]: row["data_type"] for row in from_postgres(postgres_database, types).to_pylist()
    } == {
        "time": "timestamp with time zone",
        "night": "date",
        "seats": "bigint",
        "temp": "double precision",
        "carrier": "text",
        "prediction": "double precision",
    }


def test_the_event_window_decides_and_the_partitions_only_narrow(tables: duckdb.DuckDBPyConnection) -> None:
    """Events of a night and the day after are all there, in any session's time zone, from a few files only."""
    sql = query("feedback", date(2013, 6, 24), date(2013, 6, 24), timedelta(days=1))
    counts = set()
    for zone in ("UTC", "America/New_York", "Asia/Tokyo", "Pacific/Honolulu"):
        tables.execute(f"SET TimeZone = '{zone}'")
        counts.add(tables.execute(f"SELECT count(*) FROM ({sql})").fetchone())

    plain = "SELECT count(*) FROM feedback WHERE known_at >= '2013-06-24 04:00Z' AND known_at < '2013-06-26 04:00Z'"
    assert counts == {tables.execute(plain).fetchone()}


@pytest.mark.parametrize("name", QUERIES)
def test_only_the_files_of_the_window_are_read(tables: duckdb.DuckDBPyConnection, name: str) -> None:
    """DuckDB leaves out the other partitions, so a night costs the same whatever the length of the log."""
    plan = tables.execute(f"EXPLAIN {query(name, date(2013, 6, 24), date(2013, 6, 24))}").fetchall()[0][1]

    read = {"requests": "1/365", "feedback": "4/366", "training": "1/365"}[name]
    assert f"Scanning Files: {read}" in " ".join(plan.replace("│", " ").split())


def test_queries_yield_canonical_columns(tables: duckdb.DuckDBPyConnection) -> None:
    """Requests yield ids, times, deployment, prediction and features; feedback exactly the canonical columns."""
    columns = {
        name: tables.sql(query(name, date(2013, 6, 24), date(2013, 6, 24))).columns for name in QUERIES
    }

    assert columns["feedback"] == list(FEEDBACK_COLUMNS)
    assert set(REQUIRED_FEEDBACK_COLUMNS) <= set(columns["feedback"])
    assert [name for name in columns["requests"] if name in REQUEST_COLUMNS] == [
        *(
            "request_id",
            "time",
            "night",
            "prediction",
            "model_version",
            "commit_sha",
            "variant",
            "status",
            "latency_ms",
        )
    ]
    assert set(columns["training"]) < set(columns["requests"])


def test_the_service_file_is_short_and_valid() -> None:
    """A first service file needs at most twelve lines (more is marked as such), and every key is a known one."""
    text = (ROOT / "services" / "flight_delay.yaml").read_text()
    given = yaml.safe_load(text)
    defaults = yaml.safe_load((ROOT / "services" / "_defaults.yaml").read_text())

    service = Service.model_validate(defaults | given)

    first, marked, _ = text.partition("# What a first file need not say")
    assert marked
    assert len([line for line in first.splitlines() if line.strip() and not line.startswith("#")]) <= 12
    assert service.features.not_ == ("tailnum",)
    assert service.features.calendar == ("sched_hour", "weekday", "month")
    assert all(
        (ROOT / str(path)).is_file() for path in (service.requests, service.feedback, service.training)
    )
