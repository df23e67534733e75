"""A data set served as a log: rows in their order become nights, a service file and a reference stand before them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from feedback.night import mature
from monitoring.freeze import freeze
from monitoring.night import run
from monitoring.record import Written
from services.home import Home, home_from
from services.window import night_of, window_between
from store.incidents import IncidentRow, incidents_of
from store.ledger import FindingRow, findings_of
from store.state import reading
from store.watch import Watch, open_watch

NOW = datetime(2030, 1, 1, tzinfo=UTC)
FEEDBACK = "SELECT * FROM feedback WHERE known_at >= {start} AND known_at < {end}\n"
REQUESTS = "SELECT * FROM requests WHERE night >= {first_night} AND night <= {last_night}\n"


@dataclass(frozen=True)
class Served:
    """A service whose log is written: its nights can be judged."""

    watch: Watch

    def judge(self, nights: Sequence[date]) -> list[Written]:
        """Mature and judge nights, one after the other."""
        done = []
        for day in nights:
            night = night_of(day, "UTC")
            if self.watch.service.outcome is not None:
                mature(self.watch, night, NOW)
            done.append(run(self.watch, night, NOW, tell=False))
        return done

    def incidents(self) -> list[IncidentRow]:
        """Every incident, but those that a later night showed to be none."""
        with reading(self.watch.state) as connection:
            rows = incidents_of(connection, self.watch.service.service)
        return [row for row in rows if row.state != "withdrawn"]

    def findings(self, written: Written) -> list[FindingRow]:
        """What was found on a night."""
        with reading(self.watch.state) as connection:
            return findings_of(connection, written.recorded.id)


def nights_of(table: pa.Table, first: date, a_night: int) -> pa.Table:
    """The same rows with an id, a night for each so many of them in their order, and a time within it."""
    place = np.arange(table.num_rows)
    day = np.datetime64(first, "us") + (place // a_night).astype("timedelta64[D]")
    within = ((place % a_night) * 86_399_000_000 // a_night).astype("timedelta64[us]")
    ids = pa.array([f"r{n}" for n in place.tolist()])
    time = pa.array(day + within, pa.timestamp("us", tz="UTC"))
    return table.append_column("request_id", ids).append_column("time", time)


def serve(
    root: Path,
    requests: pa.Table,
    trained: tuple[date, date],
    *,
    file: str = "",
    feedback: pa.Table | None = None,
) -> Served:
    """Write a home and its log, and freeze the reference of some nights.

    Args:
        requests: with `request_id` and `time`.
        file: more lines of the service file.
        feedback: events; none where the service has no outcome.
    """
    (root / "services").mkdir(parents=True)
    (root / "sql").mkdir()
    lines = [
        "service: served",
        'owner: "@team"',
        'slack: "#served"',
        f"source: {root / 'log'}",
        "requests: sql/r.sql",
    ]
    (root / "sql" / "r.sql").write_text(REQUESTS)
    _write(root / "log" / "requests", requests, "time")
    if feedback is not None:
        (root / "sql" / "f.sql").write_text(FEEDBACK)
        lines.append("feedback: sql/f.sql")
        _write(root / "log" / "feedback", feedback, "known_at")
    (root / "services" / "served.yaml").write_text("\n".join([*lines, file]) + "\n")
    watch = open_watch("served", _home(root))
    freeze(watch, "v1", window_between(*trained, "UTC"), NOW)
    return Served(watch)


def _home(root: Path) -> Home:
    return home_from({"RONDA_HOME": str(root), "RONDA_HASH_KEY": "for this test alone"})


def _write(folder: Path, table: pa.Table, time: str) -> None:
    night = pa.array(table[time].to_numpy().astype("datetime64[D]"))
    pq.write_to_dataset(table.append_column("night", night), folder, partition_cols=["night"])


def days(first: date, many: int) -> list[date]:
    """So many nights in a row."""
    return [first + timedelta(days=n) for n in range(many)]
