"""The tables of the demo's log in memory: what the server logged, what came back, what training has.

What is real: every flight, delay, aeroplane and weather report, and each prediction. What is made up, because
no server was ever there to log it: `status` and `latency_ms` (drawn from a hash of the request id, the same
on every machine), `commit_sha` and the single `variant`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from demo import flight_model, flight_tables

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_COMMIT_SHA = hashlib.sha256(b"flight_delay 2013-03-31").hexdigest()[:40]
_ERRORS_PER_MILLION = 2_000
_FASTEST_MS, _USUAL_EXTRA_MS = 8.0, 14.0


@dataclass(frozen=True)
class Tables:
    """The three tables of the log, each with its partition column `night`, in the order they are written."""

    requests: pa.Table
    feedback: pa.Table
    training_features: pa.Table
    cancelled: int
    diverted: int


def build_tables(sources: flight_tables.Sources, progress: Callable[[str], None] = lambda _: None) -> Tables:
    """Make the three tables in memory (about 100 MB): join, train the model, score every flight."""
    progress("joining flights, aeroplanes and weather")
    flights = flight_tables.flights_frame(sources)
    progress("training the model on January to March and scoring every flight")
    served = _served(flights, flight_model.predictions(flights))
    left = flights["dep_delay"].notna()
    return Tables(
        requests=_arrow(served, _request_columns()),
        feedback=_arrow(flight_tables.feedback_frame(flights), _feedback_columns()),
        training_features=_arrow(flights, _training_columns()),
        cancelled=int((~left).sum()),
        diverted=int((left & flights["arr_delay"].isna()).sum()),
    )


def _served(flights: pd.DataFrame, predictions: Any) -> pd.DataFrame:
    """Add what the server would have logged beside the features; a request in error has no prediction."""
    import numpy as np  # noqa: PLC0415 - the demo's loader alone needs it here
    import pandas as pd  # noqa: PLC0415 - takes half a second

    drawn = pd.util.hash_array(flights["request_id"].to_numpy(dtype=object))
    failed = drawn % 1_000_000 < _ERRORS_PER_MILLION
    uniform = ((drawn >> np.uint64(32)) + 1) / 2**32  # the upper half of the hash, in (0, 1]
    return flights.assign(
        prediction=np.where(failed, np.nan, predictions),
        model_version=flight_model.MODEL_VERSION,
        commit_sha=_COMMIT_SHA,
        variant="blue",
        status=np.where(failed, "error", "ok"),
        latency_ms=(_FASTEST_MS - _USUAL_EXTRA_MS * np.log(uniform)).round(2),
    )


def _feature_columns() -> dict[str, pa.DataType]:
    import pyarrow as pa  # noqa: PLC0415 - the demo's loader alone needs it

    texts = dict.fromkeys(("carrier", "origin", "dest", "tailnum"), pa.string())
    whole = dict.fromkeys(("distance", "sched_hour", "weekday", "month", "seats"), pa.int64())
    types = texts | whole | dict.fromkeys(flight_tables.WEATHER, pa.float64())
    return {name: types[name] for name in flight_tables.FEATURES}


def _training_columns() -> dict[str, pa.DataType]:
    import pyarrow as pa  # noqa: PLC0415 - see _feature_columns

    ids = {"request_id": pa.string(), "time": pa.timestamp("us", tz="UTC")}
    return ids | _feature_columns() | {"night": pa.date32()}


def _request_columns() -> dict[str, pa.DataType]:
    import pyarrow as pa  # noqa: PLC0415 - see _feature_columns

    words = dict.fromkeys(("model_version", "commit_sha", "variant", "status"), pa.string())
    return _training_columns() | {"prediction": pa.float64()} | words | {"latency_ms": pa.float64()}


def _feedback_columns() -> dict[str, pa.DataType]:
    import pyarrow as pa  # noqa: PLC0415 - see _feature_columns

    instant = pa.timestamp("us", tz="UTC")
    words = dict.fromkeys(("event_id", "request_id", "type"), pa.string())
    return words | {"value": pa.float64(), "time": instant, "known_at": instant, "night": pa.date32()}


def _arrow(frame: pd.DataFrame, columns: dict[str, pa.DataType]) -> pa.Table:
    import pyarrow as pa  # noqa: PLC0415 - see _feature_columns

    schema = pa.schema(list(columns.items()))
    table = pa.Table.from_pandas(frame[list(columns)], schema=schema, preserve_index=False)
    return table.replace_schema_metadata(None)  # it names the pandas version
