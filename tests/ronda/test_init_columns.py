"""`ronda init` on columns as people have them: other names, awkward names, partitions, half a feedback table."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from services.home import Home

Write = Callable[[Any], str]


def query(home: Home, name: str = "requests") -> str:
    return (home.root / "sql" / "eta" / f"{name}.sql").read_text(encoding="utf-8")


def test_names_are_understood(in_source: Write, good: Any, home: Home, begun: Any) -> None:
    """Other people's names become ours, with units; ids, free text and personal data are left out with a reason."""
    old = good["requests"]
    rows = old.num_rows
    log = pa.table({
        "inferenceId": old["request_id"],
        "createdAt": old["time"],
        "latency_seconds": [n / 100 for n in range(rows)],
        "prompt_tokens": [n % 9 for n in range(rows)],
        "statusCode": [200] * rows,
        "customer_id": [f"c{n}" for n in range(rows)],
        "contact": ["a@example.com"] * rows,
        "order_id": list(range(rows)),
        "note": [f"{n} is what they wrote" for n in range(rows)],
        "order": ["pizza", "sushi"] * (rows // 2),
        "Delivery Time (min)": [float(n) for n in range(rows)],
    })  # fmt: skip
    started, checked = begun(in_source({"calls": log}))
    sql = query(home)

    assert '"inferenceId" AS request_id,' in sql
    assert '"createdAt" AS time,' in sql
    assert "latency_seconds * 1000 AS latency_ms," in sql
    assert "prompt_tokens AS tokens_in," in sql
    assert '"Delivery Time (min)" AS delivery_time_min' in sql
    assert '    "order",\n' in sql
    assert "-- left out, looks like e-mail (in its values): contact" in sql
    assert "-- left out, looks like an id: order_id" in sql
    assert "-- left out, too many different values: note" in sql
    assert "customer_id AS user_id," in sql
    assert not checked.failed
    assert "columns: inferenceId is request_id, createdAt is time" in started.assumed[0]


AWKWARD = [
    "select",
    'say "hi"',
    "it's",
    "two\nlines -- x",
    "per cent %",
    "a;b",
    "Zé",
    "{not} braces",
    "colon: #x",
    "qualify",
]


def test_awkward_names_are_quoted(
    in_source: Write, good: Any, with_column: Any, home: Home, begun: Any
) -> None:
    """Quotes, new lines, reserved words and signs in names neither break the query nor the service file."""
    tables = {"requests": good["requests"]}
    for name in AWKWARD:
        tables = with_column(tables, name, ["a", "b"] * 60)
    _, checked = begun(in_source(tables))

    assert not checked.failed
    features = [column.name for column in checked.columns if column.taken_for == "category feature"]
    assert features == [
        "city",
        "select",
        "say_hi",
        "it_s",
        "two_lines_x",
        "per_cent",
        "a_b",
        "Zé",
        "not_braces",
        "colon_x",
        "qualify",
    ]


def test_a_placeholder_in_a_name_is_left_out(
    in_parquet: Write, good: Any, with_column: Any, home: Home, begun: Any
) -> None:
    """A column called {start} would be filled in; it is left out, and not even its comment holds the braces."""
    tables = with_column({"requests": good["requests"]}, "the {start}", "a")
    _, checked = begun(in_parquet(tables))

    assert "-- left out, its name holds a placeholder; rename it in a view: the (start)" in query(home)
    assert "{start}" not in query(home)
    assert not checked.failed
    assert any(row.what == "rows without a time" for row in checked.rows), (
        "the query must not count as bounded"
    )


def test_names_that_differ_in_case_alone(
    postgres_database: str, good: Any, with_column: Any, begun: Any
) -> None:
    """PostgreSQL tells them apart and DuckDB does not, so one gets a number."""
    import adbc_driver_postgresql.dbapi as adbc

    tables = with_column(with_column({"requests": good["requests"]}, "Amount", 1.0), "amount", 2.0)
    with adbc.connect(postgres_database) as connection, connection.cursor() as cursor:
        cursor.adbc_ingest("requests", tables["requests"], mode="create")
        connection.commit()
    _, checked = begun(postgres_database)

    assert {"Amount", "amount_2"} <= {column.name for column in checked.columns}
    assert not checked.failed


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (lambda moment: moment.isoformat(), 'CAST("time" AS TIMESTAMPTZ) AS time'),
        (lambda moment: int(moment.timestamp()), "to_timestamp(time / 1.0) AS time"),
        (lambda moment: int(moment.timestamp() * 1000), "to_timestamp(time / 1000.0) AS time"),
    ],
)
def test_times_that_are_no_timestamps(
    in_source: Write, good: Any, with_column: Any, home: Home, begun: Any, made: Any, expected: str
) -> None:
    """Times as text, or as seconds or milliseconds since 1970, are cast; the night is the same."""
    values = [made(moment) for moment in good["requests"]["time"].to_pylist()]
    _, checked = begun(in_source(with_column({"requests": good["requests"]}, "time", values)))

    assert expected.replace('"time"', "time") in query(home)
    assert (checked.night, checked.failed) == (date(2024, 5, 6), False)


def test_partitions_are_used(tmp_path: Path, good: Any, home: Home, begun: Any) -> None:
    """A folder divided by nights is read by them; if they are another zone's days, a day more on both sides."""
    table = good["requests"]
    for offset in (0, 1):
        folder = tmp_path / "divided" / f"night={date(2024, 5, 5) + timedelta(days=offset)}"
        folder.mkdir(parents=True)
        pq.write_table(table.slice(offset * 60, 60), folder / "part-0.parquet")
    _, checked = begun(str(tmp_path / "divided"))
    utc = query(home)
    for path in (home.services / "eta.yaml", home.root / "sql" / "eta" / "requests.sql"):
        path.unlink()
    _, elsewhere = begun(str(tmp_path / "divided"), time_zone="America/Recife")

    assert utc.endswith("FROM divided\nWHERE night >= {first_night} AND night <= {last_night}\n")
    assert "WHERE night >= {first_night} - 1 AND night <= {last_night} + 1" in query(home)
    assert "AND time >= {start} AND time < {end}" in query(home)
    assert (checked.failed, elsewhere.failed) == (False, False)
    # 00:00 UTC is the evening before in Recife: the whole of 6 May (UTC) lies in its night of 5 May
    assert elsewhere.night == date(2024, 5, 5)


def test_one_parquet_file(tmp_path: Path, good: Any, begun: Any) -> None:
    """A single file is a table of its folder; what else lies there is not touched."""
    pq.write_table(good["requests"], tmp_path / "calls of may.parquet")
    (tmp_path / "broken.parquet").write_bytes(b"no Parquet")
    _, checked = begun(str(tmp_path / "calls of may.parquet"))

    assert not checked.failed


def test_feedback_without_ids_or_arrival(in_source: Write, good: Any, home: Home, begun: Any) -> None:
    """What a feedback table lacks is made of what it has, and said."""
    old = good["feedback"]
    ratings = pa.table({"request_id": old["request_id"], "rating": [1, 5] * 30, "created_at": old["time"]})
    started, checked = begun(in_source({"requests": good["requests"], "ratings": ratings}))

    assert "'feedback' AS type" in query(home, "feedback")
    assert sum(line.startswith("feedback: ") for line in started.assumed) == 3
    assert not checked.failed
    assert {row.what: row.found for row in checked.rows}["feedback events"].endswith("`feedback` 30")
