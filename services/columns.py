"""The canonical columns of the two views that a service's extraction queries yield.

Whatever else a requests query yields is a candidate feature.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from services.errors import SourceError

Kind = Literal["id", "time", "category", "number", "text"]
"""How a canonical column is read: ids are never counted, text is never counted nor stored."""

REQUEST_COLUMNS: dict[str, Kind] = {
    "request_id": "id",
    "time": "time",
    "night": "time",  # the partition a Parquet folder or a warehouse keeps its rows under
    "session_id": "id",
    "user_id": "id",
    "trace_url": "id",
    "model": "category",
    "model_version": "category",
    "prompt_name": "category",
    "prompt_version": "category",
    "adapter": "category",
    "variant": "category",
    "commit_sha": "category",
    "author": "id",
    "approved_by": "id",
    "status": "category",
    "latency_ms": "number",
    "first_token_ms": "number",
    "tokens_in": "number",
    "tokens_out": "number",
    "cost": "number",
    "prediction": "number",
    "prompt": "text",
    "answer": "text",
}
"""Column of the requests view -> how it is read. Only `request_id` and `time` are required."""

FEEDBACK_COLUMNS: dict[str, Kind] = {
    "event_id": "id",
    "request_id": "id",
    "type": "category",
    "value": "text",  # a number or a word; the outcome rule says how it is read
    "time": "time",
    "known_at": "time",
}
"""Column of the feedback view -> how it is read. All but `value` are required; `time` is when the user
acted, `known_at` when the log had it."""

REQUIRED_REQUEST_COLUMNS = ("request_id", "time")
REQUIRED_FEEDBACK_COLUMNS = ("event_id", "request_id", "type", "time", "known_at")

DEPLOYMENT_COLUMNS = ("model_version", "prompt_version", "adapter", "variant", "commit_sha")
"""What tells one deployment from another in the request log."""

OPERATION_NUMBERS = ("latency_ms", "first_token_ms", "tokens_in", "tokens_out", "cost")
"""Numeric columns about how a request went, not about what was asked."""


def require(
    service: str,
    nights: str,
    file: str,
    columns: Mapping[str, str],
    names: Iterable[str],
    times: Iterable[str] = ("time",),
) -> None:
    """Hold that a view yields the columns that are needed, and timestamps where time is meant.

    Args:
        nights: what is being read, for the message.
        file: the query behind the view, for the message.
        columns: column -> `number`, `category`, `time` or `other`, as the source describes them.

    Raises:
        SourceError: a column is missing, or one of `times` is no timestamp.
    """
    for name in names:
        if name not in columns:
            raise SourceError(
                f"{service}, {nights}: {file} yields no column `{name}`. "
                f"It yields {', '.join(columns)}. Add it to the query, or take it out of the service file."
            )
    for name in times:
        if columns[name] != "time":
            raise SourceError(
                f"{service}, {nights}: column `{name}` of {file} is no timestamp. Cast it in the query."
            )
