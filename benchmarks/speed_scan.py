"""The part of the speed run that is a bare scan: what reading the night's file costs at least."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.speed_log import JUDGED, log_file
from benchmarks.speed_part import usual
from store.dialect import kind_of
from store.duck import connect


def measure(folder: Path, _rows: int, runs: int) -> dict[str, Any]:
    """Least, largest, mean (of numbers) and count of every column of the night's file."""
    rows = connect().read_parquet(str(log_file(folder, JUDGED)))
    asked = [f"min({name}), max({name}), count({name})" for name in rows.columns]
    numbers = [
        name for name, kind in zip(rows.columns, rows.types, strict=True) if kind_of(str(kind)) == "number"
    ]
    statement = ", ".join([*asked, *(f"avg({name})" for name in numbers)])
    return {"seconds": usual(lambda: rows.aggregate(statement).to_arrow_table(), runs)}
