"""The bounds of a night: time zones, changes of clocks, times of any kind, and nights without rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from services.window import Night, night_of
from store.count import CELLS, count
from store.grid import NumberGrid, Segment
from store.query import REQUESTS, filled
from store.source import Source, open_source
from store.statement import KEPT, Reading, Rule, Selection

ZONE = "America/New_York"
NIGHT = night_of(date(2013, 6, 24), ZONE)
BOUNDED = "SELECT * FROM requests WHERE time >= {start} OR time IS NULL OR time < {start}"  # yields every row
NUMBER = NumberGrid((Segment(-1.0, 0.0, 4), Segment(0.0, 1.0, 8), Segment(1.0, 100.0, 5)))
ENGINES = ("parquet", "duckdb", "postgresql")


def selection(
    readings: Mapping[str, Reading], *rules: Rule, bounded: bool = True, window: Night = NIGHT
) -> Selection:
    """What is read: the given columns beside id and time."""
    return Selection({"request_id": "id", "time": "time", **readings}, window, bounded, rules)


def at(hours: float = 1.0) -> datetime:
    """A moment so many hours into the night."""
    return NIGHT.start + timedelta(hours=hours)


def table(ids: list[Any], times: list[Any], **columns: Any) -> pa.Table:
    """Rows of a log."""
    given_ = {
        name: value if isinstance(value, pa.Array) else pa.array(value) for name, value in columns.items()
    }
    return pa.table(
        {
            "request_id": pa.array(ids, pa.string()),
            "time": pa.array(times, pa.timestamp("us", "UTC")),
            **given_,
        }
    )


@pytest.mark.parametrize("day", [date(2013, 3, 9), date(2013, 11, 2)])
@pytest.mark.parametrize(
    "sql", ["SELECT * FROM requests", "SELECT * FROM requests WHERE time >= {start} AND time < {end}"]
)
def test_no_row_is_lost_when_clocks_change(
    opened: Any, tmp_path: Path, postgres_database: str, day: date, sql: str
) -> None:
    """Over three nights around a change of clocks every minute is counted once, on every engine."""
    nights = [night_of(day + timedelta(days=n), ZONE) for n in range(3)]
    minutes = int((nights[-1].end - nights[0].start) / timedelta(minutes=1))
    assert minutes in {71 * 60, 73 * 60}
    times = [nights[0].start + timedelta(minutes=n) for n in range(-60, minutes + 60)]
    rows = table([f"r{n}" for n in range(len(times))], times)
    for engine in ENGINES:
        read = []
        for night in nights:
            with opened(engine, tmp_path, postgres_database, rows) as source:
                bounded = replace(source.queries[REQUESTS], text=filled(sql, night, "q").text)
            with _reopened(engine, tmp_path, postgres_database, bounded.text) as source:
                found = count(source, selection({}, bounded="{" in sql, window=night), {}, {})
            assert set(found.reasons) == {KEPT}
            read.append(found.rows_kept)
        assert sum(read) == minutes
        assert read == [int((night.end - night.start) / timedelta(minutes=1)) for night in nights]


@contextmanager
def _reopened(engine: str, folder: Path, postgres: str, sql: str) -> Iterator[Source]:
    url = {"parquet": str(folder), "duckdb": str(folder / "log.duckdb"), "postgresql": postgres}[engine]
    source = open_source("shop", url, {REQUESTS: filled(sql, NIGHT, "requests.sql")})
    try:
        yield source
    finally:
        source.close()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "kind", [pa.timestamp("us"), pa.timestamp("ns"), pa.timestamp("ms", "America/Sao_Paulo")]
)
def test_times_of_any_kind(
    opened: Any, tmp_path: Path, postgres_database: str, engine: str, kind: pa.DataType
) -> None:
    """A naive time is UTC; a time in any zone is the instant it names, to the night's very edges."""
    moments = [
        NIGHT.start - timedelta(milliseconds=1),
        NIGHT.start,
        NIGHT.end - timedelta(milliseconds=1),
        NIGHT.end,
    ]
    column = pa.array([m.replace(tzinfo=None) for m in moments], pa.timestamp("us")).cast(
        pa.timestamp("us", "UTC")
    )
    column = (
        column.cast(pa.timestamp(kind.unit, kind.tz))
        if kind.tz
        else column.cast(pa.timestamp("us")).cast(kind)
    )
    rows = pa.table({"request_id": ["a", "b", "c", "d"], "time": column})
    # a DuckDB file's nanoseconds cannot be compared with an aware time in the query itself
    sql = BOUNDED if engine != "duckdb" else "SELECT * FROM requests"
    with opened(engine, tmp_path, postgres_database, rows, sql) as source:
        assert source.columns(REQUESTS)["time"] == "time"
        found = count(source, selection({}), {}, {})
    assert found.reasons == {"kept": 2, "outside_night": 2}
    assert found.quarantine == {"outside_night": ("a", "d")}


@pytest.mark.parametrize("engine", ENGINES)
def test_dates_are_midnight_in_utc(opened: Any, tmp_path: Path, postgres_database: str, engine: str) -> None:
    """A column of dates counts as midnight UTC, which in New York belongs to the evening before."""
    rows = pa.table({"request_id": ["a", "b"], "time": pa.array([date(2013, 6, 24), date(2013, 6, 25)])})
    with opened(engine, tmp_path, postgres_database, rows) as source:
        found = count(source, selection({}), {}, {})
    assert found.reasons == {"kept": 1, "outside_night": 1}
    assert found.quarantine == {"outside_night": ("a",)}


@pytest.mark.parametrize("engine", ENGINES)
def test_an_empty_night_and_no_features(
    opened: Any, tmp_path: Path, postgres_database: str, engine: str
) -> None:
    """No rows give no reasons and no cells; no features still count the rows."""
    rows = table(["a"], [at()], number=[0.5])
    with opened(engine, tmp_path, postgres_database, rows.slice(0, 0)) as source:
        none = count(source, selection({"number": "number"}), {"number": NUMBER}, {})
    with opened(engine, tmp_path, postgres_database, rows) as source:
        bare = count(source, selection({}), {}, {})
    assert (none.reasons, none.cells.num_rows, none.rows_read, none.rows_kept) == ({}, 0, 0, 0)
    assert (bare.reasons, bare.cells.schema) == ({"kept": 1}, CELLS)
