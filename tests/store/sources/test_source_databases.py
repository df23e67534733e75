"""A DuckDB file and a PostgreSQL database as sources: types, locks, and one view of the rows."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from services.errors import SourceError
from services.window import night_of
from store.count import count
from store.dialect import kind_of
from store.grid import CategoryGrid, Grid, NumberGrid, Segment
from store.query import REQUESTS, filled
from store.source import Source, open_source
from store.statement import Reading, Selection, served, total

NIGHT = night_of(date(2013, 6, 24), "UTC")
NOON = datetime(2013, 6, 24, 12, tzinfo=UTC)
ALL = "SELECT * FROM requests"


def opened(url: object, sql: str = ALL) -> Source:
    """A source with one query."""
    return open_source("shop", str(url), {REQUESTS: filled(sql, NIGHT, "sql/shop/requests.sql")})


def put(path: Path, **columns: Any) -> None:
    """A Parquet file of a few requests at noon."""
    path.parent.mkdir(parents=True, exist_ok=True)
    size = len(next(iter(columns.values()), [1]))
    ids = columns.pop("request_id", [f"{path.parent.name}-{n}" for n in range(size)])
    pq.write_table(pa.table({"request_id": ids, "time": [NOON] * size, **columns}), path)


def rows(source: Source, *columns: str, bounded: bool = True) -> int:
    """How many rows the view has, the named columns counted as numbers."""
    readings: dict[str, Reading] = {"request_id": "id", "time": "time", **dict.fromkeys(columns, "number")}
    grid = NumberGrid((Segment(0.0, 10.0, 10),))
    try:
        return count(source, Selection(readings, NIGHT, bounded), dict.fromkeys(columns, grid), {}).rows_kept
    finally:
        source.close()


def values(source: Source, column: str) -> list[str]:
    """The different values of a column, as text."""
    readings: dict[str, Reading] = {"request_id": "id", "time": "time", column: "category"}
    found = source.fetch(served(Selection(readings, NIGHT, True), (column,)))[column].to_pylist()
    source.close()
    return sorted(found)


def told(act: Callable[[], object]) -> str:
    """What a person reads when it fails: one line, with the service, and the same in the traceback."""
    with pytest.raises(SourceError) as caught:
        act()
    message = str(caught.value)
    assert message.startswith("shop: ")
    assert "\n" not in message
    return message


def duckdb_file(path: Path, sql: str) -> Path:
    """A DuckDB file with a table `requests`."""
    with duckdb.connect(str(path)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"CREATE TABLE requests AS {sql}")
    return path


ONE = "SELECT 'a' AS request_id, TIMESTAMPTZ '2013-06-24 12:00:00+00' AS time"


def test_a_duckdb_file_is_opened_read_only(tmp_path: Path) -> None:
    """Two readers at once, and no way to write through the source."""
    path = duckdb_file(tmp_path / "log.duckdb", ONE)
    one, other = opened(path), opened(path)
    assert rows(one) == rows(other) == 1
    source: Any = opened(path)
    with pytest.raises(duckdb.InvalidInputException, match="read-only"):
        source.connection.execute("CREATE TABLE source.more AS SELECT 1")
    source.close()


def test_a_missing_duckdb_file(tmp_path: Path) -> None:
    """The path is named."""
    assert "log.duckdb does not exist" in told(lambda: opened(tmp_path / "log.duckdb"))


def test_a_file_that_is_no_duckdb(tmp_path: Path) -> None:
    """Another format under that name is said to be none of DuckDB's."""
    (tmp_path / "log.duckdb").write_text("request_id,time\n" * 2000)
    message = told(lambda: opened(tmp_path / "log.duckdb"))
    assert "cannot be opened read-only" in message
    assert "not a valid DuckDB database file" in message


def test_a_file_held_by_a_writer(tmp_path: Path) -> None:
    """Another process that writes shuts everyone out; the message says who holds the lock."""
    path = duckdb_file(tmp_path / "log.duckdb", ONE)
    code = f"import duckdb; c = duckdb.connect({str(path)!r}); print('open', flush=True); input()"
    writer = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"open\n"
        message = told(lambda: opened(path))
    finally:
        writer.communicate(b"\n")
    assert str(path) in message
    assert "lock" in message
    assert rows(opened(path)) == 1


def test_types_of_duckdb(tmp_path: Path) -> None:
    """Every number and every kind of word is counted; what is neither is named `other` and kills no night."""
    path = duckdb_file(
        tmp_path / "log.duckdb",
        f"""SELECT *, 1.5::DECIMAL(18,2) AS dec, 3::HUGEINT AS huge, 4::UTINYINT AS tiny, 2::FLOAT AS real, true AS flag,
        'b'::ENUM('a', 'b') AS kind, '6e7a2f3c-0000-4000-8000-000000000001'::UUID AS uid, DATE '2013-01-01' AS day,
        TIME '10:00' AS clock, INTERVAL 1 DAY AS span, [1, 2] AS list, {{'a': 1}} AS struct, 'x'::BLOB AS blob,
        MAP {{'a': 1}} AS map, '101'::BIT AS bits, ['a']::VARCHAR[1] AS fixed FROM ({ONE})""",
    )
    source = opened(path)
    found = source.columns(REQUESTS)
    numbers, words = ("dec", "huge", "tiny", "real"), ("flag", "kind", "uid")
    assert {name: found[name] for name in (*numbers, *words, "day")} == {
        **dict.fromkeys(numbers, "number"), **dict.fromkeys(words, "category"), "day": "time",
    }  # fmt: skip
    assert {name for name, kind in found.items() if kind == "other"} == {
        "clock", "span", "list", "struct", "blob", "map", "bits", "fixed",
    }  # fmt: skip
    assert counted_cells(source, numbers, words) == {
        "dec": "[1, 2)", "huge": "[3, 4)", "tiny": "[4, 5)", "real": "[2, 3)", "flag": "true", "kind": "b",
        "uid": "6e7a2f3c-0000-4000-8000-000000000001",
    }  # fmt: skip


def counted_cells(source: Source, numbers: tuple[str, ...], words: tuple[str, ...]) -> Mapping[str, str]:
    """Column -> the label of the one cell that has rows."""
    grids: dict[str, Grid] = dict.fromkeys(numbers, NumberGrid((Segment(0.0, 10.0, 10),)))
    texts = ("true", "b", "ab", "6e7a2f3c-0000-4000-8000-000000000001")
    grids |= dict.fromkeys(words, CategoryGrid(texts))
    readings: dict[str, Reading] = {"request_id": "id", "time": "time"}
    readings |= dict.fromkeys(numbers, "number")
    readings |= dict.fromkeys(words, "category")
    found = count(source, Selection(readings, NIGHT, True), grids, {}).cells.to_pylist()
    source.close()
    return {cell["column"]: grids[cell["column"]].labels[cell["cell"]] for cell in found}


def test_types_of_postgres(postgres_database: str) -> None:
    """NUMERIC, real, padded text, enums and text of an extension are counted; money, ranges and JSON are `other`."""
    with psycopg.connect(postgres_database) as connection:
        connection.execute("CREATE TYPE kind AS ENUM ('a', 'b')")
        connection.execute("CREATE DOMAIN amount AS numeric(10, 2) CHECK (value > 0)")
        connection.execute(
            """CREATE TABLE requests AS SELECT 'a'::text AS request_id, '2013-06-24 12:00'::timestamp AS time,
            1.5::numeric AS dec, 2.5::numeric(8,2) AS exact, 3::smallint AS small, 4.25::real AS real, 5::amount AS amount,
            true AS flag, 'ab'::char(5) AS padded, 'b'::kind AS kind, 'ab'::varchar(9) AS word, 'ab'::name AS name,
            '6e7a2f3c-0000-4000-8000-000000000001'::uuid AS uid, '2013-01-01'::date AS day, 1::money AS money,
            '10.0.0.1'::inet AS ip, '{}'::json AS doc, '{}'::jsonb AS docb, '{1,2}'::int[] AS list, '[1,3)'::int4range AS span,
            '[2013-01-01,2013-02-01)'::daterange AS days, '1 day'::interval AS gap, '10:00'::time AS clock, 'x'::bytea AS raw,
            '(1,2)'::point AS place"""
        )
    source = opened(postgres_database)
    found = source.columns(REQUESTS)
    numbers = ("dec", "exact", "small", "real", "amount")
    words = ("flag", "padded", "kind", "word", "name", "uid")
    assert {name for name, kind in found.items() if kind == "number"} == set(numbers)
    assert {name for name, kind in found.items() if kind == "category"} == {"request_id", *words}
    assert {name for name, kind in found.items() if kind == "time"} == {"time", "day"}
    assert counted_cells(source, numbers, words) == {
        "dec": "[1, 2)", "exact": "[2, 3)", "small": "[3, 4)", "real": "[4, 5)", "amount": "[5, 6)", "flag": "true",
        "padded": "ab", "kind": "b", "word": "ab", "name": "ab", "uid": "6e7a2f3c-0000-4000-8000-000000000001",
    }  # fmt: skip


def test_the_servers_time_zone_moves_nothing(postgres_database: str) -> None:
    """A database that lives in São Paulo: naive times are still UTC, aware ones the instant they name."""
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {connection.info.dbname} SET timezone = 'America/Sao_Paulo'")
        connection.execute(
            "CREATE TABLE naive AS SELECT 'a' AS request_id, '2013-06-24 23:59'::timestamp AS time"
        )
        connection.execute(
            "CREATE TABLE aware AS SELECT 'a' AS request_id, '2013-06-24 23:59+00'::timestamptz AS time"
        )
    for table in ("naive", "aware"):
        assert (
            rows(opened(postgres_database, f"SELECT * FROM {table} WHERE time < {{end}}"), bounded=False) == 1
        )


def test_all_statements_of_a_night_see_the_same_rows(postgres_database: str) -> None:
    """Rows written while a night is read change none of its counts."""
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE requests AS SELECT 'a' AS request_id, '2013-06-24 12:00+00'::timestamptz AS time"
        )
        source = opened(postgres_database)
        chosen = Selection({"request_id": "id", "time": "time"}, NIGHT, True)
        before = source.fetch(total(chosen))["rows"].to_pylist()
        connection.execute("INSERT INTO requests SELECT 'b', time FROM requests")
        assert source.fetch(total(chosen))["rows"].to_pylist() == before == [1]
        assert count(source, chosen, {}, {}).rows_read == 1
        source.close()


def test_postgres_is_only_read(postgres_database: str) -> None:
    """A query that would write is refused by the server itself."""
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        connection.execute("CREATE TABLE log (x int)")
        connection.execute(
            "CREATE FUNCTION put() RETURNS int LANGUAGE sql AS 'INSERT INTO log VALUES (1) RETURNING x'"
        )
    sql = "SELECT put()::text AS request_id, now() AS time"
    assert "read-only" in told(lambda: rows(opened(postgres_database, sql)))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("int4range", "other"), ("INTERVAL", "other"), ("daterange", "other"), ("TIME", "other"), ("timetz", "other"),
        ("numeric(10,2)", "number"), ("UHUGEINT", "number"), ("FLOAT", "number"), ("double precision", "number"),
        ("bpchar(5)", "category"), ("ENUM('a]', 'b')", "category"), ("character varying(3)", "category"),
        ("TIMESTAMP_NS", "time"), ("timestamp(3) without time zone", "time"), ("STRUCT(a INTEGER)", "other"),
        ("INTEGER[]", "other"), ("MAP(VARCHAR, INTEGER)", "other"), ("UNION(a INTEGER)", "other"), ("BLOB", "other"),
        ("16403", "other"),
    ],
)  # fmt: skip
def test_kinds_of_types(name: str, kind: str) -> None:
    """Whole names decide: what only begins like a number or a date is none."""
    assert kind_of(name) == kind
