"""A log of any size for the speed run: the flights of 2013, repeated and jittered, with a service that watches it.

Two nights of equally many rows: flights of January to March, which a model was trained on, and flights of July,
which are judged. Same rows asked for, same files. Neighbouring rows have nothing in common, which is the worst
case for the branches of the night's statement.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.speed_log import (
    CATEGORIES,
    COLUMNS,
    DECIMALS,
    FEATURES,
    JUDGED,
    MODEL_VERSION,
    SERVICE,
    TRAINED,
    WHOLE_NUMBERS,
    home_at,
    log_file,
)
from demo.flight_tables import flights_frame, read_sources
from monitoring.freeze import freeze
from services.window import Night
from store.watch import open_watch

_MONTHS = {TRAINED.name: (1, 2, 3), JUDGED.name: (7,)}
_JITTER = 0.02  # standard deviations: enough that values repeat no more than a real sensor's do
_ROW_GROUP = 122_880  # what DuckDB writes itself; with one group for all rows a scan has one thread
_SERVICE_FILE = f"service: {SERVICE}\nowner: '@bench'\nslack: ''\nsource: log\nrequests: sql/requests.sql\n"
_QUERY = (
    f"SELECT {', '.join(COLUMNS)} FROM requests WHERE night >= {{first_night}} AND night <= {{last_night}}\n"  # noqa: S608 - constant names
)


def measure(folder: Path, rows: int, _runs: int) -> dict[str, Any]:
    """Make all that the other parts read; not timed."""
    write_log(folder, rows)
    freeze_reference(folder, JUDGED.start)
    return {}


def write_log(root: Path, rows: int) -> None:
    """Write the service file, its query, and both nights with `rows` rows each."""
    for path, text in ((f"services/{SERVICE}.yaml", _SERVICE_FILE), ("sql/requests.sql", _QUERY)):
        (root / path).parent.mkdir(parents=True)
        (root / path).write_text(text, encoding="utf-8")
    flights = _flights()
    for night in (TRAINED, JUDGED):
        own = flights[flights["month"].isin(_MONTHS[night.name])].reset_index(drop=True)
        _write(log_file(root, night), _repeated(own, night, rows))


def freeze_reference(root: Path, recorded_at: datetime) -> None:
    """Freeze the reference from the first of the two nights."""
    freeze(open_watch(SERVICE, home_at(root)), MODEL_VERSION, TRAINED, recorded_at)


def _flights() -> pd.DataFrame:
    """Every flight of 2013 with the features of this run: the demo's, and what is known of plane and airport."""
    sources = read_sources()
    flights = flights_frame(sources)
    planes, airports = sources.planes.set_index("tailnum"), sources.airports.set_index("faa")
    return flights.assign(
        minute_of_day=flights["time"].dt.hour * 60 + flights["time"].dt.minute,
        plane_year=flights["tailnum"].map(planes["year"]),
        manufacturer=flights["tailnum"].map(planes["manufacturer"]),
        plane_model=flights["tailnum"].map(planes["model"]),
        engine=flights["tailnum"].map(planes["engine"]),
        dest_altitude=flights["dest"].map(airports["alt"]),
    )


def _repeated(flights: pd.DataFrame, night: Night, rows: int) -> pd.DataFrame:
    """Flights over and over until there are enough, in another order each time, spread evenly over the night."""
    rng = np.random.default_rng(night.date.toordinal())
    times = -(-rows // len(flights))
    chosen = np.concatenate([rng.permutation(len(flights)) for _ in range(times)])[:rows]
    copy = np.char.zfill((np.arange(rows) // len(flights)).astype(str), 5)
    frame = flights.loc[chosen, ["request_id", *FEATURES]].reset_index(drop=True)
    frame["request_id"] = frame["request_id"] + "-" + copy.astype(object)
    frame = frame.assign(**{name: _jittered(frame[name], rng) for name in DECIMALS})
    frame = frame.assign(**{name: _jittered(frame[name], rng).round() for name in WHOLE_NUMBERS})
    return frame.assign(time=_spread(night, rows), model_version=MODEL_VERSION)


def _jittered(values: pd.Series[float], rng: np.random.Generator) -> pd.Series[float]:
    return values + rng.normal(0.0, _JITTER * float(values.std()), len(values))


def _spread(night: Night, rows: int) -> pd.DatetimeIndex:
    return pd.date_range(night.start, night.end - timedelta(microseconds=1), periods=rows, unit="us")


def _write(path: Path, frame: pd.DataFrame) -> None:
    whole = dict.fromkeys(WHOLE_NUMBERS, pa.int64())
    words = dict.fromkeys(("request_id", *CATEGORIES, "model_version"), pa.string())
    types = whole | words | {"time": pa.timestamp("us", tz="UTC")}
    schema = pa.schema([(name, types.get(name, pa.float64())) for name in COLUMNS])
    path.parent.mkdir(parents=True)
    table = pa.Table.from_pandas(frame[list(COLUMNS)], schema=schema, preserve_index=False)
    pq.write_table(table.replace_schema_metadata(None), path, row_group_size=_ROW_GROUP)
