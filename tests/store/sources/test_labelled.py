"""Outcomes counted by slice: the same on every engine, and what a count by hand says."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from services.window import night_of
from store.grid import CategoryGrid
from store.labelled import LabelCount, label_counts
from store.query import REQUESTS
from store.statement import Selection

NIGHT = night_of(date(2013, 6, 24), "America/New_York")
SLICES = {"city": CategoryGrid(("Recife", "Natal")), "app": CategoryGrid(("ios",), complete=False)}
READINGS: Any = {"request_id": "id", "time": "time", "city": "category", "app": "category"}
ROWS = 900


def log() -> tuple[pa.Table, pa.Table]:
    """Requests (some with a repeated id, some outside the night) and the labels of most of them."""
    rng = np.random.default_rng(5)
    ids = [f"r{n}" for n in range(ROWS)]
    times = [NIGHT.start + timedelta(minutes=n) for n in range(ROWS)]
    cities = rng.choice(["Recife", "Natal", "Olinda", "null"], ROWS).tolist()
    requests = {
        "request_id": [*ids, "r1", "outside", None],
        "time": [*times, NIGHT.start + timedelta(hours=23), NIGHT.end, times[0]],
        "city": [*(None if city == "null" else city for city in cities), "Recife", "Recife", "Recife"],
        "app": [*rng.choice(["ios", "android"], ROWS).tolist(), "ios", "ios", "ios"],
    }
    labels = {
        "request_id": [*ids, "outside", "gone"],
        "label": pa.array([*(None if n % 3 == 0 else n % 2 for n in range(ROWS)), 1, 1], pa.int8()),
    }
    return pa.table(requests), pa.table(labels)


def by_hand(requests: pa.Table, labels: pa.Table) -> list[LabelCount]:
    """The same counts in plain Python."""
    label_of = dict(zip(labels["request_id"].to_pylist(), labels["label"].to_pylist(), strict=True))
    mature, positive = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for row in requests.to_pylist()[:ROWS]:
        if (label := label_of[row["request_id"]]) is None:
            continue
        for name, grid in SLICES.items():
            found = row[name]
            value = grid.labels[grid.null if found is None else grid.codes.get(found, grid.other)]
            mature[name, value] += 1
            positive[name, value] += label
    return [LabelCount(*key, mature[key], positive[key]) for key in sorted(mature)]


def test_the_same_on_every_engine(opened: Any, tmp_path: Path, postgres_database: str) -> None:
    """Each request once, in its own slices; copies of an id, other nights and rows without a label do not count."""
    requests, labels = log()
    file = tmp_path / "it's labels.parquet"
    pq.write_table(labels, file)
    expected = by_hand(requests, labels)
    assert sum(each.mature for each in expected) == 2 * 600
    for engine in ("parquet", "duckdb", "postgresql"):
        with opened(engine, tmp_path, postgres_database, requests) as source:
            selection = Selection(READINGS, NIGHT, source.queries[REQUESTS].bounded)
            assert label_counts(source, selection, file, SLICES) == expected
