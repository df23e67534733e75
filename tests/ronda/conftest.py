"""Small logs of a delivery service in each kind of source, and a home that watches one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ronda.check import check_live
from ronda.check_row import Check
from ronda.init import Started, init
from services.home import Home
from services.window import Night, night_of
from store.watch import Watch, open_watch

NIGHT = datetime(2024, 5, 6, tzinfo=UTC)
Tables = Mapping[str, pa.Table]
SERVICE = """\
service: eta
owner: "@eta-team"
slack: "#eta"
source: ${ETA_URL}
requests: sql/eta/requests.sql
feedback: sql/eta/feedback.sql
outcome: {event: thumb, positive: "value == down", window: 1d}
slices: [city]
"""


def _requests(rows: int, night: datetime) -> pa.Table:
    numbers = range(rows)
    return pa.table({
        "request_id": [f"r-{night:%m%d}-{n:04}" for n in numbers],
        "time": pa.array([night + timedelta(minutes=n) for n in numbers], pa.timestamp("us", "UTC")),
        "city": [("Recife", "Olinda", "Natal")[n % 3] for n in numbers],
        "minutes": [float(n % 50) for n in numbers],
        "prediction": [n / rows for n in numbers],
        "model_version": ["v1"] * rows,
        "status": ["ok"] * rows,
    })  # fmt: skip


def _feedback(rows: int, night: datetime) -> pa.Table:
    numbers = range(0, rows, 2)  # every second request
    times = [night + timedelta(minutes=n + 30) for n in numbers]
    return pa.table({
        "event_id": [f"e-{night:%m%d}-{n}" for n in numbers],
        "request_id": [f"r-{night:%m%d}-{n:04}" for n in numbers],
        "type": ["thumb"] * len(times),
        "value": [("up", "down")[n % 4 // 2] for n in numbers],
        "time": pa.array(times, pa.timestamp("us", "UTC")),
        "known_at": pa.array(times, pa.timestamp("us", "UTC")),
    })  # fmt: skip


@pytest.fixture
def night() -> Night:
    """The night the logs hold; feedback is of the one before, which is then old enough."""
    return night_of(NIGHT.date(), "UTC")


@pytest.fixture
def good() -> dict[str, pa.Table]:
    """Two nights of 60 requests, and a thumb for every second one."""
    nights = (NIGHT - timedelta(days=1), NIGHT)
    return {
        "requests": pa.concat_tables([_requests(60, night) for night in nights]),
        "feedback": pa.concat_tables([_feedback(60, night) for night in nights]),
    }


@pytest.fixture
def with_column() -> Callable[..., dict[str, pa.Table]]:
    """Tables with a column added to one of them, or put in its place; one value is repeated down it."""

    def put(tables: Tables, name: str, values: Any, table: str = "requests") -> dict[str, pa.Table]:
        old = tables[table]
        column = values if isinstance(values, list | pa.Array) else [values] * old.num_rows
        kept = old.drop_columns([name]) if name in old.column_names else old
        return {**tables, table: kept.append_column(name, pa.array(column))}

    return put


def _to_parquet(folder: Path, tables: Tables) -> str:
    import pyarrow.parquet as pq

    for name, table in tables.items():
        (folder / "log" / name).mkdir(parents=True)
        pq.write_table(table, folder / "log" / name / "part-0.parquet")
    return str(folder / "log")


def _to_duckdb(folder: Path, tables: Tables) -> str:
    import duckdb

    with duckdb.connect(str(folder / "log.duckdb")) as connection:
        for name, table in tables.items():
            connection.register("incoming", table)
            connection.execute(f'CREATE TABLE "{name}" AS SELECT * FROM incoming')
            connection.unregister("incoming")
    return str(folder / "log.duckdb")


def _to_postgres(url: str, tables: Tables) -> str:
    import adbc_driver_postgresql.dbapi as adbc

    with adbc.connect(url) as connection, connection.cursor() as cursor:
        for name, table in tables.items():
            cursor.adbc_ingest(name, table, mode="create")
        connection.commit()
    return url


@pytest.fixture
def in_parquet(tmp_path: Path) -> Callable[[Tables], str]:
    """Write tables as a folder of Parquet; returns the source."""
    return lambda tables: _to_parquet(tmp_path, tables)


@pytest.fixture(params=["parquet", "duckdb", "postgresql"])
def in_source(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Tables], str]:
    """Write tables into each kind of source; returns the source."""
    if request.param == "parquet":
        return lambda tables: _to_parquet(tmp_path, tables)
    if request.param == "duckdb":
        return lambda tables: _to_duckdb(tmp_path, tables)
    url = request.getfixturevalue("postgres_database")
    return lambda tables: _to_postgres(url, tables)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home."""
    root = tmp_path / "home"
    (root / "services").mkdir(parents=True)
    return Home(root, f"sqlite:///{tmp_path / 'state.db'}", str(tmp_path / "lake"), b"0123456789abcdef")


@pytest.fixture
def watched(home: Home, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Watch]:
    """A watch over a source, with a service file and queries that can be changed."""

    def watch(
        source: str,
        service: str = SERVICE,
        requests: str = "SELECT * FROM requests",
        feedback: str = "SELECT * FROM feedback",
        training: str = "",
    ) -> Watch:
        monkeypatch.setenv("ETA_URL", source)
        (home.root / "sql" / "eta").mkdir(parents=True, exist_ok=True)
        texts = {"requests": requests, "feedback": feedback, "training": training}
        for name, text in texts.items():
            (home.root / "sql" / "eta" / f"{name}.sql").write_text(text, encoding="utf-8")
        line = "training: sql/eta/training.sql\n" if training else ""
        (home.services / "eta.yaml").write_text(service + line, encoding="utf-8")
        return open_watch("eta", home)

    return watch


@pytest.fixture
def begun(home: Home, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Started, Check]]:
    """Run `init` on a source, then `check` on what it wrote."""

    def begin(source: str, **named: Any) -> tuple[Started, Check]:
        monkeypatch.setenv("ETA_URL", source)
        started = init("eta", source, home, **named)
        return started, check_live(open_watch("eta", home), NIGHT + timedelta(hours=33))

    return begin
