"""`ronda check`: a service file held against its live source, row by row; nothing is written."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from ronda.check_feedback import feedback_rows, training_rows
from ronda.check_guards import guard_rows
from ronda.check_requests import request_rows
from ronda.check_row import Check, Column, Row, refusal
from services.errors import SourceError
from services.secret_text import hide_password
from services.window import Night, night_of, window_between
from store.inspect import latest
from store.query import REQUESTS
from store.watch import Watch

_RECENT = timedelta(days=14)
_FIRST_DAY = date(1990, 1, 1)  # no request log is older


def newest_night(watch: Watch, now: datetime) -> Night | None:
    """The newest night that is over and has rows; None if there is none.

    The last two weeks are asked first, so that a log kept in partitions is not read whole.

    Raises:
        SourceError: the source cannot be reached, refuses the query, or yields no column `time`.
    """
    zone = watch.service.time_zone
    today = now.astimezone(ZoneInfo(zone)).date()
    for first in (today - _RECENT, _FIRST_DAY):
        window = window_between(first, today - timedelta(days=1), zone)
        with watch.source({REQUESTS: window}) as source:
            if source.columns(REQUESTS).get("time") != "time":
                raise SourceError(
                    f"{watch.service.service}: {watch.service.requests} yields no timestamp `time`. Name the column "
                    "that says when a request came, and cast it: CAST(… AS TIMESTAMPTZ) AS time."
                )
            found = source.fetch(latest(REQUESTS, window.end))["latest"][0].as_py()
        if found is not None and found >= window.start:
            return night_of(found.astimezone(ZoneInfo(zone)).date(), zone)
    return None


def check(watch: Watch, night: Night | None) -> Check:
    """Hold a service file against its source, for one night.

    What the source refuses becomes a failed row. Without a night (see `newest_night`) only the source and
    the columns are looked at, on an empty day.

    Raises:
        StateError: the state cannot be read.
    """
    looked = night or night_of(datetime(2000, 1, 1, tzinfo=UTC).date(), watch.service.time_zone)
    found: list[Row | Column] = [_source_row(watch)]
    found += _told("requests query", request_rows(watch, looked))
    if night is None:
        found.append(
            Row(
                "log",
                "no night that is over has rows",
                "warning",
                "Is the log empty, or its time in the future?",
            )
        )
    if not _failed_before_join(found):
        found += (
            _told("feedback query", feedback_rows(watch, looked))
            if watch.service.feedback
            else [_NO_FEEDBACK]
        )
        found += _told("training query", training_rows(watch, looked)) if watch.service.training else []
        found += guard_rows(watch, night) if night else []
    rows = tuple(each for each in found if isinstance(each, Row))
    columns = tuple(each for each in found if isinstance(each, Column))
    return Check(watch.service.service, night.date if night else None, rows, columns)


def check_live(watch: Watch, now: datetime, day: date | None = None) -> Check:
    """`check` of the night that is named, or else of the newest one that is over and has rows.

    A source that cannot be reached or asked for its newest night is a failed row, not an error.
    """
    if day is not None:
        return check(watch, night_of(day, watch.service.time_zone))
    try:
        return check(watch, newest_night(watch, now))
    except SourceError:
        return check(watch, None)  # the same complaint, as a row in its place


_NO_FEEDBACK = Row(
    "feedback",
    "not watched",
    "ok",
    "Name a query in `feedback` and an `outcome` to see what users made of the answers.",
)


def _source_row(watch: Watch) -> Row:
    if watch.url.startswith(("postgres://", "postgresql://")):
        kind = "PostgreSQL"
    else:
        kind = "DuckDB file" if Path(watch.url).suffix in {".duckdb", ".db"} else "folder of Parquet"
    return Row("source", f"{kind}, {hide_password(watch.url)}")


def _told(what: str, looked: Iterator[Row | Column]) -> list[Row | Column]:
    """What was found before the source refused, and then its refusal."""
    found: list[Row | Column] = []
    try:
        found.extend(looked)
    except SourceError as error:
        found.append(refusal(what, error))
    return found


def _failed_before_join(found: list[Row | Column]) -> bool:
    """Whether the requests cannot be read at all: what is joined with them would only fail again."""
    return any(
        isinstance(row, Row)
        and row.what in {"requests query", "columns, requests"}
        and row.verdict == "failed"
        for row in found
    )
