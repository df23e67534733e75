"""A night's outcomes from log to lake and state, on every kind of source."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

import feedback.night
from feedback.night import cohort_of, mature
from feedback.records import EVENTS, STATES, Matured
from services.errors import NightError, SourceError, StateError
from services.window import night_of
from store.releases import outcome_counts_of
from store.tables import outcome_counts, outcomes
from store.watch import Watch

NEXT = night_of(date(2026, 5, 11), "UTC")  # the outcomes of the 10th are made with the night of the 11th


def labels(watch: Watch, made: Matured) -> list[dict[str, Any]]:
    """The labels in the lake."""
    rows: list[dict[str, Any]] = pq.read_table(BytesIO(watch.lake.get(made.row.path))).to_pylist()
    return rows


def rows_in(watch: Watch) -> list[list[Any]]:
    """All rows of the two tables of outcomes."""
    with watch.state.connect() as connection:
        return [
            [tuple(row) for row in connection.execute(sa.select(table))]
            for table in (outcomes, outcome_counts)
        ]


def told(made: Matured) -> dict[str, int]:
    """The states that are not empty."""
    return {state: count for state, count in made.counts.items() if count}


HOSTILE = ("it's", 'a"b', "çãø 🛵", "r); DROP TABLE requests; --", "\\", "%s {start} :x $1", "</script>")


def busy(world: Any) -> tuple[list[Any], list[Any]]:
    """A night with one request of each state, and events that belong to none."""
    request, event, at = world.request, world.event, world.at
    requests = [
        request("good", 8), request("bad", 9), request("edge", 10), request("late", 11), request("none", 12),
        request("empty", 13), request("word", 14), request("early", 15), request("again", 16),
        *[request(name, 17) for name in HOSTILE],
        request("twice", 18), request("twice", 19, city="Natal"), request("other day", 30), request("day before", -5),
        request(None, 20), request("", 20),
    ]  # fmt: skip
    feedback = [
        event("e1", "good", at(9), "5"), event("e2", "bad", at(9.5), "2"), event("e3", "edge", at(34), "4"),
        event("e4", "late", at(35, 1), "5"), event("e5", "empty", at(14), ""), event("e6", "word", at(15), "many"),
        event("e7", "early", at(14.9), "5"), event("e8", "again", at(17), "1"), event("e8", "again", at(17), "1"),
        event("e9", "again", at(18), "5"), event("e10", "twice", at(42), "5"), event("e11", "good", at(10), "1", type="viewed"),
        event("e12", "nobody", at(11), "5"), event("e13", "day before", at(1), "5"), event("e14", None, at(12), "5"),
        event("e15", "other day", at(31), "5"), event("e16", "other day", at(20), "5"), event("e17", "day before", at(20), "5"),
        *[event(f"h{n}", name, at(20), "5") for n, name in enumerate(HOSTILE)],
    ]  # fmt: skip
    return requests, feedback


BUSY = {
    "mature": 5 + len(HOSTILE),
    "no_feedback": 2,
    "late_feedback": 1,
    "value_missing": 1,
    "value_not_a_number": 1,
}


@pytest.mark.parametrize("kind", ["folder", "duckdb", "postgres"])
def test_a_busy_night(kind: str, postgres_world: Any) -> None:
    """Every kind of source gives the same labels, the same counts and the same content hash."""
    watch = postgres_world.watch(*busy(postgres_world), kind=kind)
    made = mature(watch, NEXT, postgres_world.later)

    assert made is not None
    assert told(made) == BUSY
    assert made.row.requests == sum(BUSY.values())
    found = {row["request_id"]: (row["state"], row["label"], row["value"]) for row in labels(watch, made)}
    assert found == {
        "good": ("mature", 1, 5.0), "bad": ("mature", 0, 2.0), "edge": ("mature", 1, 4.0), "again": ("mature", 1, 5.0),
        "late": ("late_feedback", None, None), "none": ("no_feedback", None, None), "early": ("no_feedback", None, None),
        "empty": ("value_missing", None, None), "word": ("value_not_a_number", None, None), "twice": ("mature", 1, 5.0),
        **dict.fromkeys(HOSTILE, ("mature", 1, 5.0)),
    }  # fmt: skip
    assert made.row.positive == 4 + len(HOSTILE)
    assert made.row.content_sha == "8c3f41083dc0cfb3cf2a02961194d149062057b30db2815687d92bcb64d655f4"


def test_events_of_a_night(world: Any) -> None:
    """Each event that became known during the date is counted once, under the first word that fits."""
    made = mature(world.watch(*busy(world)), NEXT, world.later)

    assert made is not None
    assert list(made.events) == list(EVENTS)
    # not among them, being of the next date: e3, e4, e10, e15
    assert made.events == {
        "other_type": 1, "request_id_missing": 1, "duplicate_event": 1, "unknown_request": 1,
        "event_before_request": 2, "event_too_late": 1, "event_in_time": 7 + len(HOSTILE),
    }  # fmt: skip


def test_the_state_has_what_the_lake_has(world: Any) -> None:
    """The recorded row and its counts say the same as the labels."""
    watch = world.watch(*busy(world))
    made = mature(watch, NEXT, world.later)

    assert made is not None
    assert (made.row.revision, made.row.window_seconds, made.row.night) == (1, 86_400, world.day)
    assert made.row.path == f"outcomes/shop/2026-05-10-{made.row.content_sha[:16]}.parquet"
    with watch.state.connect() as connection:
        counts = outcome_counts_of(connection, made.row.id)
    assert counts == dict(made.counts)
    assert set(counts) == set(STATES)


def test_twice_changes_nothing(world: Any, lake_bytes: Callable[[Watch], dict[str, bytes]]) -> None:
    """A second run writes no row and no byte, whenever it runs."""
    watch = world.watch(*busy(world))
    first = mature(watch, NEXT, world.later)
    before = lake_bytes(watch), rows_in(watch)
    second = mature(watch, NEXT, world.later + timedelta(days=1))

    assert first is not None
    assert second is not None
    assert (first.is_new, second.is_new) == (True, False)
    assert (lake_bytes(watch), rows_in(watch)) == before
    assert len(before[0]) == 1


def test_killed_between_lake_and_state(
    world: Any, lake_bytes: Callable[[Watch], dict[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that died before recording is made whole by the next one, to the same bytes."""
    watch, untouched = world.watch(*busy(world)), world.watch(*busy(world))
    mature(untouched, NEXT, world.later)

    def killed(*_: object) -> None:
        raise StateError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(feedback.night, "record_outcome", killed)
        with pytest.raises(StateError, match="killed"):
            mature(watch, NEXT, world.later)
    assert rows_in(watch) == [[], []]
    mature(watch, NEXT, world.later)

    assert lake_bytes(watch) == lake_bytes(untouched)
    assert rows_in(watch) == rows_in(untouched)


def test_late_rows_make_a_revision(world: Any, lake_bytes: Callable[[Watch], dict[str, bytes]]) -> None:
    """Feedback that the log had late changes the labels: a second revision, beside the first."""
    watch = world.watch([world.request("r", 8)], [])
    mature(watch, NEXT, world.later)
    again = world.watch(
        [world.request("r", 8)], [world.event("e", "r", world.at(9), 5.0)], home=watch.home.root
    )
    made = mature(again, NEXT, world.later)

    assert made is not None
    assert (made.row.revision, made.is_new, told(made)) == (2, True, {"mature": 1})
    assert len(lake_bytes(again)) == 2


@pytest.mark.parametrize(("requests", "expected"), [([], 0), ([8, 9], 2)])
def test_nothing_there(requests: list[float], expected: int, world: Any) -> None:
    """A night without requests, or without any feedback, is recorded with the numbers it has."""
    watch = world.watch([world.request(f"r{h}", h) for h in requests], [])
    made = mature(watch, NEXT, world.later)

    assert made is not None
    assert (made.row.requests, made.row.mature, made.row.positive) == (expected, 0, 0)
    assert told(made) == ({"no_feedback": expected} if expected else {})
    assert len(labels(watch, made)) == expected


def test_a_query_without_bounds(world: Any) -> None:
    """Queries that return the whole log give the same labels: it is cut to the windows for them."""
    bounded = mature(world.watch(*busy(world)), NEXT, world.later)
    whole = mature(
        world.watch(
            *busy(world), queries={"requests": "SELECT * FROM requests", "feedback": "SELECT * FROM feedback"}
        ),
        NEXT,
        world.later,
    )

    assert bounded is not None
    assert whole is not None
    assert (whole.row.content_sha, whole.events) == (bounded.row.content_sha, bounded.events)


def test_later_feedback_is_seen_if_the_query_yields_it(world: Any) -> None:
    """How late feedback is still called late depends on the feedback query, as is documented."""
    rows = [world.request("r", 8)], [world.event("e", "r", world.at(100), 5.0)]
    wide = "SELECT * FROM feedback WHERE known_at >= {start}"
    found = [mature(world.watch(*rows, queries=more), NEXT, world.later) for more in ({}, {"feedback": wide})]

    assert [told(made) for made in found if made] == [{"no_feedback": 1}, {"late_feedback": 1}]


def test_the_window_must_have_closed(world: Any) -> None:
    """Outcomes are not made while feedback still counts, and the message says from when on."""
    watch = world.watch(*busy(world))
    with pytest.raises(NightError, match=r"shop, 2026-05-10: .* counts until 2026-05-12 00:00 UTC"):
        mature(watch, NEXT, NEXT.end - timedelta(seconds=1))

    assert rows_in(watch) == [[], []]
    assert mature(watch, NEXT, NEXT.end) is not None


@pytest.mark.parametrize(
    ("hours", "expected"),
    [(1, date(2026, 5, 10)), (24, date(2026, 5, 10)), (25, date(2026, 5, 9)), (336, date(2026, 4, 27))],
)
def test_cohorts(hours: int, expected: date) -> None:
    """A window is rounded up to whole nights: an hour's needs the next night as much as a day's."""
    assert cohort_of(NEXT.date, timedelta(hours=hours)) == expected


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT event_id, request_id, type, time, known_at FROM feedback", r"yields no column `value`"),
        ("SELECT event_id, request_id, type, value, time FROM feedback", r"yields no column `known_at`"),
        (
            "SELECT * REPLACE (CAST(known_at AS TEXT) AS known_at) FROM feedback",
            r"`known_at` .* is no timestamp",
        ),
        ("SELECT * REPLACE ([value] AS value) FROM feedback", r"`value` .* is neither number nor text"),
    ],
)
def test_a_wrong_feedback_query(query: str, message: str, world: Any) -> None:
    """A column that outcomes need is missing or wrong: service, file and column are named, nothing is written."""
    watch = world.watch(*busy(world), queries={"feedback": query})
    with pytest.raises(
        SourceError, match=r"^shop, .*sql/shop/feedback.sql" if "yields" in message else "shop"
    ) as raised:
        mature(watch, NEXT, world.later)

    assert raised.match(message)
    assert rows_in(watch) == [[], []]


def test_no_outcome_no_labels(world: Any) -> None:
    """A service that names no outcome is passed over."""
    assert mature(world.watch([], [], outcome="null"), NEXT, world.later) is None
