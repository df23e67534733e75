"""A tiny service of its own kind, with a log in a folder, a DuckDB file or PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from services.home import Home
from store.watch import Watch, open_watch

DAY = date(2026, 5, 10)
LATER = datetime(2026, 6, 1, tzinfo=UTC)
INSTANT = pa.timestamp("us", "UTC")
REQUESTS = pa.schema([
    ("request_id", pa.string()), ("time", INSTANT), ("night", pa.date32()), ("user_id", pa.string()),
    ("model_version", pa.string()), ("prediction", pa.float64()), ("size", pa.float64()), ("city", pa.string()),
])  # fmt: skip
FEEDBACK = {
    "event_id": pa.string(),
    "request_id": pa.string(),
    "type": pa.string(),
    "time": INSTANT,
    "known_at": INSTANT,
}

SERVICE = """
service: shop
owner: "@<b>shop</b>"
slack: "#shop"
source: {source}
requests: sql/shop/requests.sql
feedback: sql/shop/feedback.sql
outcome: {outcome}
features: {{rules: {{size: {{max: 100}}}}}}
"""
QUERIES = {
    "requests": "SELECT * FROM requests WHERE night >= {first_night} AND night <= {last_night}",
    "feedback": "SELECT * FROM feedback WHERE known_at >= {start} AND known_at < {end}",
}
Rows = Sequence[Mapping[str, Any]]


def at(hours: float, microseconds: int = 0) -> datetime:
    """So many hours after the start of the first day."""
    start = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC)
    return start + timedelta(hours=hours, microseconds=microseconds)


def request(request_id: str | None, hours: float, **more: Any) -> dict[str, Any]:
    """A logged request; its partition is the date of its time."""
    time = at(hours)
    plain = {
        "night": time.date(), "user_id": f"user of {request_id}", "model_version": "m1", "prediction": 0.5,
        "size": 1.0, "city": "Recife",
    }  # fmt: skip
    return {"request_id": request_id, "time": time, **plain, **more}


def event(
    event_id: str | None, request_id: str | None, known: datetime, value: Any, **more: Any
) -> dict[str, Any]:
    """A feedback event; the user acted a minute before it was known."""
    plain = {"type": "rated", "time": known - timedelta(minutes=1)}
    return {
        "event_id": event_id,
        "request_id": request_id,
        "known_at": known,
        "value": value,
        **plain,
        **more,
    }


@dataclass(frozen=True)
class World:
    """Makes services whose logs hold what a test says."""

    new_folder: Callable[[], Path]
    new_database: Callable[[], str]

    at = staticmethod(at)
    request = staticmethod(request)
    event = staticmethod(event)
    day = DAY
    later = LATER

    def watch(
        self,
        requests: Rows,
        feedback: Rows,
        outcome: str = "{event: rated, positive: stars > 3, window: 1d}",
        kind: str = "folder",
        home: Path | None = None,
        queries: Mapping[str, str] | None = None,
    ) -> Watch:
        """The service over such a log; numbers as values make a number column, texts a text one."""
        home = home or self.new_folder()
        texts = any(isinstance(row["value"], str) for row in feedback)
        schema = pa.schema({**FEEDBACK, "value": pa.string() if texts else pa.float64()})
        tables = {
            "requests": pa.Table.from_pylist(list(requests), REQUESTS),
            "feedback": pa.Table.from_pylist(list(feedback), schema),
        }
        source = self._written(tables, kind)
        for name, text in {**QUERIES, **(queries or {})}.items():
            path = home / "sql" / "shop" / f"{name}.sql"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (home / "services").mkdir(exist_ok=True)
        (home / "services" / "shop.yaml").write_text(SERVICE.format(source=source, outcome=outcome))
        place = Home(home, f"sqlite:///{home / 'ronda.db'}", str(home / "lake"), b"k" * 16)
        return open_watch("shop", place)

    def _written(self, tables: dict[str, pa.Table], kind: str) -> str:
        if kind == "postgres":
            return _into_postgres(self.new_database(), tables)
        folder = self.new_folder()
        if kind == "folder":
            for name, table in tables.items():
                pq.write_table(table, folder / f"{name}.parquet")
            return str(folder)
        with duckdb.connect(str(folder / "log.duckdb")) as connection:
            for name, table in tables.items():
                connection.register("given", table)
                connection.execute(f"CREATE TABLE {name} AS FROM given")
        return str(folder / "log.duckdb")


def _into_postgres(url: str, tables: dict[str, pa.Table]) -> str:
    types = {"string": "text", "double": "double precision", "date32[day]": "date"}
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        for name, table in tables.items():
            columns = ", ".join(f"{f.name} {types.get(str(f.type), 'timestamptz')}" for f in table.schema)
            cursor.execute(f"CREATE TABLE {name} ({columns})".encode())
            marks = ", ".join(["%s"] * table.num_columns)
            rows = [list(row.values()) for row in table.to_pylist()]
            cursor.executemany(f"INSERT INTO {name} VALUES ({marks})".encode(), rows)
    return url


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture(scope="session")
def lake_bytes() -> Callable[[Watch], dict[str, bytes]]:
    """All that a service's lake holds."""
    return lambda watch: bytes_of(watch.home.root / "lake")


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Worlds without a database server."""

    def none() -> str:
        raise AssertionError("ask for the fixture postgres_world")

    return World(lambda: tmp_path_factory.mktemp("world"), none)


@pytest.fixture
def postgres_world(tmp_path_factory: pytest.TempPathFactory, postgres_database: str) -> World:
    """Worlds of which one may be in PostgreSQL."""
    return World(lambda: tmp_path_factory.mktemp("world"), lambda: postgres_database)
