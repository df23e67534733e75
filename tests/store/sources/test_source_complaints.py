"""What a person is told when a query or a login fails: never a value, never a password."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from services.errors import SourceError
from services.window import night_of
from store.count import count
from store.grid import NumberGrid, Segment
from store.query import REQUESTS, filled
from store.source import Source, open_source
from store.statement import Reading, Selection, duplicated_ids, served

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


def whole_story(act: Callable[[], object]) -> str:
    """Everything a traceback would print, causes too."""
    with pytest.raises(SourceError) as caught:
        act()
    return "".join(traceback.format_exception(caught.value, limit=0))  # without lines of code


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT nope FROM requests", "nope"),
        ("SELEC * FROM requests", "SELEC"),
        ("SELECT request_id, time FROM requests; DROP TABLE requests", "syntax error"),
        ("SELECT * FROM requests, orders", "orders"),
        ("SELECT no_such_function(time) FROM requests", "no_such_function"),
    ],
)
def test_a_wrong_query_is_told_with_its_file(tmp_path: Path, sql: str, said: str) -> None:
    """The query's file and the engine's reason, and what to run next."""
    put(tmp_path / "requests" / "a.parquet", n=[1.0])
    message = told(lambda: opened(tmp_path, sql))
    assert said in message
    assert "sql/shop/requests.sql" in message
    assert "ronda check shop" in message


BAD_CASTS = (
    "SELECT request_id, time, CAST(who AS DOUBLE PRECISION) AS n FROM requests",
    "SELECT request_id, CAST(who AS TIMESTAMP) AS time, 1 AS n FROM requests",
    "SELECT request_id, time, CAST(big AS SMALLINT) AS n FROM requests",
)
WHO = "joao.silva@example.com' 'x"
BIG = 12345678909


@pytest.mark.parametrize("sql", BAD_CASTS)
@pytest.mark.parametrize("engine", ["parquet", "postgresql"])
def test_a_complaint_never_quotes_a_value(
    tmp_path: Path, postgres_database: str, sql: str, engine: str
) -> None:
    """A cast in the user's query fails on somebody's e-mail or number: neither message nor traceback holds it."""
    url: object = tmp_path
    if engine == "parquet":
        put(tmp_path / "requests" / "a.parquet", who=[WHO], big=[BIG])
    else:
        url = postgres_database
        with psycopg.connect(postgres_database) as connection:
            connection.execute(
                "CREATE TABLE requests AS SELECT 'a' AS request_id, now() AS time, %s::text AS who, %s::int8 AS big",
                (WHO, BIG),
            )
    chosen = Selection({"request_id": "id", "time": "time", "n": "number"}, NIGHT, True)
    story = whole_story(
        lambda: count(opened(url, sql), chosen, {"n": NumberGrid((Segment(0.0, 1.0, 1),))}, {})
    )
    assert "joao" not in story
    assert "example.com" not in story
    assert str(BIG) not in story
    assert "values are not shown" in story
    assert "sql/shop/requests.sql" in story


@pytest.mark.parametrize("who", ["who", "'joao@example.com'"])
def test_neither_does_one_that_comes_before_any_row(postgres_database: str, who: str) -> None:
    """The server's own errors, which hold the value and the statement, are not in the chain of causes either."""
    with psycopg.connect(postgres_database) as connection:
        connection.execute("CREATE TABLE requests AS SELECT %s::text AS who, now() AS time", (WHO,))
    sql = f"SELECT CAST(CAST({who} AS float8) AS text) AS request_id, time FROM requests"
    chosen = Selection({"request_id": "id", "time": "time"}, NIGHT, True)
    for act in (
        lambda: opened(postgres_database, sql).fetch(duplicated_ids(chosen)),
        lambda: count(opened(postgres_database, sql), chosen, {}, {}),
    ):
        story = whole_story(act)
        assert "joao" not in story
        assert "a value cannot be read as the query asks (InvalidTextRepresentation" in story


def test_the_column_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """DuckDB knows which column a bad value stands in, and the message keeps that."""
    put(tmp_path / "requests" / "a.parquet", who=[WHO], big=[BIG])
    message = told(lambda: rows(opened(tmp_path, BAD_CASTS[0]), "n"))
    assert message == (
        "shop: the source refused a query of sql/shop/requests.sql: a value of column who cannot be read as the query "
        "asks (ConversionException; values are not shown). Run `ronda check shop`."
    )


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        (ALL, 'relation "requests" does not exist'),
        ("SELECT nope FROM pg_class", 'column "nope" does not exist'),
    ],
)
def test_a_missing_table_or_column_in_postgres(postgres_database: str, sql: str, said: str) -> None:
    """What PostgreSQL misses is told with the query's file, by both ways of asking."""
    for act in (
        lambda: opened(postgres_database, sql).columns(REQUESTS),
        lambda: rows(opened(postgres_database, sql)),
    ):
        message = told(act)
        assert said in message
        assert "sql/shop/requests.sql" in message


def test_a_stream_that_breaks_off_is_told(postgres_database: str) -> None:
    """A value on the hundred-thousandth row fails while rows already flow."""
    sql = ("SELECT n::text AS request_id, '2013-06-24'::date AS time, (CASE WHEN n = 99999 THEN 'joao' ELSE '1' END)::float8 AS n "
           "FROM generate_series(1, 100000) AS g(n)")  # fmt: skip
    chosen = Selection({"request_id": "id", "time": "time", "n": "number"}, NIGHT, True)
    source = opened(postgres_database, sql)
    with source.staged(
        sa.select(sa.literal(1).label("x")).select_from(sa.table(REQUESTS)).limit(1)
    ) as connection:
        assert connection.sql("SELECT x FROM ronda_staged").fetchall() == [(1,)]
    story = whole_story(lambda: count(source, chosen, {"n": NumberGrid((Segment(0.0, 1.0, 1),))}, {}))
    assert "cannot be read to the end" in story
    assert "joao" not in story


@pytest.mark.parametrize("password", ["hunter2", "p%40ss%2Fw", "hun:ter"])
def test_a_server_that_is_not_there(password: str) -> None:
    """Nobody listens: host and reason are told, the password is not, in no link of the chain."""
    story = whole_story(lambda: opened(f"postgresql://ronda:{password}@127.0.0.1:1/log"))
    assert "PostgreSQL at postgresql://ronda:***@127.0.0.1:1/log" in story
    assert "Connection refused" in story
    assert password not in story
    assert "p@ss/w" not in story


@pytest.mark.parametrize("password", ["q7x%zz8w9", "q7x@w8e9", "q7x/w8e9", "q7x w8e9", "q7x#w8 e9r"])
def test_a_password_that_was_not_encoded(password: str) -> None:
    """libpq cuts such a URL in the wrong place and quotes a piece of the password: the advice stands there instead."""
    story = whole_story(lambda: opened(f"postgresql://ronda:{password}@localhost/log"))
    assert "must be percent-encoded" in story
    assert not [piece for piece in ("q7x", "w8", "w9", "zz8") if piece in story]


def test_a_wrong_password(postgres_database: str) -> None:
    """The server refuses the login: its reason is told without what was tried."""
    host = postgres_database.partition("host=")[2]
    story = whole_story(lambda: opened(f"postgresql://nobody:hunter2@/log?host={host}"))
    assert "hunter2" not in story
    assert "cannot be reached" in story
    assert "nobody" in story


def test_an_option_libpq_does_not_know() -> None:
    """A typo in the URL is named."""
    assert 'invalid URI query parameter: "sslmod"' in told(
        lambda: opened("postgresql://u:pw1@localhost/db?sslmod=require")
    )


def test_a_password_is_in_no_repr(postgres_database: str) -> None:
    """A source that is printed, or stands in a traceback's locals, shows no URL."""
    source = opened(postgres_database.replace("postgres:@", "postgres:hunter2@"))
    assert "hunter2" not in repr(source)
    source.close()
