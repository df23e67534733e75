"""Outcomes, joins and training data that `ronda check` holds against the log."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest

from ronda.check import check
from ronda.check_row import Check, Row
from services.window import Night
from store.watch import Watch, open_watch

Watched = Callable[..., Watch]
Write = Callable[[Any], str]


def found(checked: Check, what: str) -> list[Row]:
    return [row for row in checked.rows if row.what == what]


def one(checked: Check, what: str) -> Row:
    rows = found(checked, what)
    assert len(rows) == 1, rows
    return rows[0]


@pytest.mark.parametrize(
    ("event", "positive", "verdict", "told"),
    [
        ("thumbs", "value == down", "failed", "no event is of type `thumbs`"),
        ("thumb", "value > 3", "failed", "`value > 3` can be asked of no value"),
        ("thumb", "value == bad", "warning", "no value is `bad`"),
    ],
)
def test_an_outcome_that_cannot_be_made_is_told(
    in_source: Write,
    good: Any,
    watched: Watched,
    night: Night,
    event: str,
    positive: str,
    verdict: str,
    told: str,
) -> None:
    """A type that never occurs, a number asked of words, a word that nobody says."""
    watch = watched(in_source(good))
    file = watch.home.services / "eta.yaml"
    file.write_text(
        file.read_text().replace("event: thumb", f"event: {event}").replace("value == down", positive)
    )
    row = found(check(open_watch("eta", watch.home), night), "outcome")[0]

    assert (row.verdict, row.found) == (verdict, told)
    if event == "thumbs":
        assert row.to_do.startswith("Did you mean `thumb`?")
        assert row.to_do.endswith("Types seen: `thumb` 60.")


def test_some_values_that_are_no_numbers(
    in_parquet: Write, good: Any, with_column: Any, watched: Watched, night: Night
) -> None:
    """Part of the values cannot be compared: a warning with their share."""
    tables = with_column(good, "value", ["5", "?"] * 30, table="feedback")
    watch = watched(in_parquet(tables))
    file = watch.home.services / "eta.yaml"
    file.write_text(file.read_text().replace("value == down", "value > 3"))
    row = one(check(open_watch("eta", watch.home), night), "outcome")

    assert (row.verdict, row.found) == ("warning", "`value > 3` cannot be asked of 50.0\xa0% of 60 values")


def test_feedback_that_joins_nothing_fails(
    in_source: Write, good: Any, with_column: Any, watched: Watched, night: Night
) -> None:
    """Events are there, and none of their ids is a request's."""
    tables = with_column(good, "request_id", "other", table="feedback")
    row = one(check(watched(in_source(tables)), night), "feedback join")

    assert row.verdict == "failed"
    assert row.found == "2024-05-05: 0.0\xa0% of 60 requests have a `thumb` in time"


def test_late_events_are_no_answers(
    in_parquet: Write, good: Any, with_column: Any, watched: Watched, night: Night
) -> None:
    """An event known a second after the window does not count; one known exactly at its end does."""
    times = good["feedback"]["time"].to_pylist()
    asked = [time - timedelta(minutes=30) for time in times]
    edge = [time + timedelta(days=1, seconds=n % 2) for n, time in enumerate(asked)]
    tables = with_column(good, "known_at", pa.array(edge, pa.timestamp("us", "UTC")), table="feedback")
    row = one(check(watched(in_parquet(tables)), night), "feedback join")

    assert row.found == "2024-05-05: 25.0\xa0% of 60 requests have a `thumb` in time"


def test_training_that_lacks_rows_features_or_types(
    in_source: Write, good: Any, watched: Watched, night: Night
) -> None:
    """What skew could not be seen in is told, column by column."""
    training = "SELECT 'x' AS request_id, time, CAST(minutes AS TEXT) AS minutes FROM requests"
    checked = check(watched(in_source(good), training=training), night)

    assert one(checked, "training features").found == "not there: `city`"
    assert one(checked, "training types").found == "not the log's: `minutes`"
    assert one(checked, "training join").verdict == "warning"
    assert [column.name for column in checked.columns if column.view == "training"] == ["minutes"]
    assert not checked.failed
