"""What the demo's log holds: counts, times, features and predictions, against known flights and days."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import duckdb
import pytest

from demo.flight_delay import LogSummary
from demo.flight_tables import FEATURES
from services.window import nights_between

Connection = duckdb.DuckDBPyConnection


def rows(tables: Connection, sql: str) -> list[tuple[Any, ...]]:
    """The rows by way of Arrow, because DuckDB's own timestamps want pytz."""
    return [tuple(row.values()) for row in tables.sql(sql).to_arrow_table().to_pylist()]


def one(tables: Connection, sql: str) -> tuple[Any, ...]:
    (row,) = rows(tables, sql)
    return row


def test_summary_counts_every_flight_once(summary: LogSummary) -> None:
    """Every flight of 2013 is a request, and either landed, was cancelled or was diverted."""
    expected = LogSummary(
        requests=336_776,
        errors=637,
        landed=327_346,
        cancelled=8_255,
        diverted=1_175,
        training_features=336_776,
        files=365 + 366 + 365,
        first_night="2013-01-01",
        last_night="2013-12-31",
    )

    assert summary == expected
    assert summary.landed + summary.cancelled + summary.diverted == summary.requests


def test_ids_are_unique_and_every_event_has_its_request(tables: Connection) -> None:
    """No request or event id occurs twice, and no event is about a request that is not there."""
    assert one(tables, "SELECT count(DISTINCT request_id), count(*) FROM requests") == (336_776, 336_776)
    assert one(tables, "SELECT count(DISTINCT event_id), count(*) FROM feedback") == (327_346, 327_346)
    assert rows(tables, "FROM feedback ANTI JOIN requests USING (request_id)") == []


def test_a_known_flight_has_its_features(tables: Connection) -> None:
    """United 1545 left Newark for Houston at 05:15 on New Year's Day, in the weather of 4 o'clock."""
    row = (
        tables.sql("FROM requests WHERE request_id = '20130101-0515-UA1545-EWR'")
        .to_arrow_table()
        .to_pylist()[0]
    )

    features = {name: row[name] for name in FEATURES}
    assert row["time"] == datetime(2013, 1, 1, 10, 15, tzinfo=UTC)
    assert features == {
        "carrier": "UA",
        "origin": "EWR",
        "dest": "IAH",
        "distance": 1400,
        "sched_hour": 5,
        "weekday": 2,  # Tuesday
        "month": 1,
        "tailnum": "N14228",
        "seats": 149,
        "temp": 39.92,
        "dewp": 28.04,
        "humid": 62.21,
        "wind_dir": 250.0,
        "wind_speed": 12.65858,
        "wind_gust": None,
        "precip": 0.0,
        "visib": 10.0,
        "pressure": 1012.2,
    }


@pytest.mark.parametrize(
    ("request_id", "arrived", "minutes"),
    [
        ("20130101-0515-UA1545-EWR", datetime(2013, 1, 1, 14, 30, tzinfo=UTC), 11.0),  # 08:30 in Houston
        ("20130101-0545-B6725-JFK", datetime(2013, 1, 1, 14, 4, tzinfo=UTC), -18.0),  # 10:04 in Aguadilla
    ],
)
def test_an_arrival_is_the_instant_of_its_local_clock(
    tables: Connection, request_id: str, arrived: datetime, minutes: float
) -> None:
    """An event stands at the arrival in UTC, whatever the destination's time zone, and its value is the delay."""
    sql = f"SELECT time, known_at, value, type FROM feedback WHERE request_id = '{request_id}'"

    assert one(tables, sql) == (arrived, arrived, minutes, "landed")


def test_planned_length_of_a_flight_is_plausible_everywhere(tables: Connection) -> None:
    """Arrival minus delay minus scheduled departure is the planned length: minutes in the air, never a zone off."""
    longest_error = """
        SELECT min(planned - distance / 9.0), max(planned - distance / 6.0), count(*) FROM (
            SELECT distance, date_diff('minute', r.time, f.time) - f.value AS planned
            FROM requests r JOIN feedback f USING (request_id))"""

    least, most, flights = one(tables, longest_error)
    assert flights == 327_346
    assert least > 10
    assert most < 120


def test_every_request_lies_in_its_night(tables: Connection) -> None:
    """The partition is the New York date of the request, also on the days of 23 and 25 hours."""
    spans = {
        night: (first, last)
        for night, first, last in rows(
            tables, "SELECT night, min(time), max(time) FROM requests GROUP BY night"
        )
    }

    nights = list(nights_between(date(2013, 1, 1), date(2013, 12, 31), "America/New_York"))
    assert sorted(spans) == [night.date for night in nights]
    assert all(night.start <= spans[night.date][0] <= spans[night.date][1] < night.end for night in nights)


def test_events_are_filed_under_the_new_york_date_of_their_arrival(tables: Connection) -> None:
    """A flight that lands after midnight stands in the next night's folder, the last ones in next year's."""
    tables.execute("SET TimeZone = 'America/New_York'")

    assert one(tables, "SELECT count(*) FROM feedback WHERE CAST(known_at AS DATE) <> night") == (0,)
    assert one(tables, "SELECT count(*) FROM feedback WHERE night = DATE '2014-01-01'")[0] > 0


def test_events_known_later_than_a_day_after_the_request(tables: Connection) -> None:
    """The service file's window of a day leaves out one flight of the year."""
    late = "FROM feedback f JOIN requests r USING (request_id) SELECT count(*) WHERE f.known_at > r.time + INTERVAL 1 DAY"

    assert one(tables, late) == (1,)


def test_a_bad_day_is_in_the_log(tables: Connection) -> None:
    """Thursday 13 June 2013: 989 flights, 108 never arrived as planned, 70 % of the rest over 15 minutes late."""
    sql = """
        SELECT count(*), min(weekday), max(weekday), count(value), count(*) FILTER (value > 15)
        FROM requests LEFT JOIN feedback USING (request_id) WHERE requests.night = DATE '2013-06-13'"""

    assert one(tables, sql) == (989, 4, 4, 881, 612)


def test_missing_stays_missing(tables: Connection) -> None:
    """Weather that was not reported and aeroplanes that are not registered are null, never filled in."""
    counts = one(
        tables,
        "SELECT count(*) - count(wind_gust), count(*) - count(temp), count(*) - count(seats) FROM requests",
    )

    assert counts == (256_908, 1_364, 52_606)


def test_an_error_has_no_prediction_and_an_answer_has_one(tables: Connection) -> None:
    """Predictions are probabilities, null exactly where the request failed."""
    sql = "SELECT status, count(*), count(prediction), min(prediction) > 0, max(prediction) < 1 FROM requests GROUP BY status"

    assert sorted(rows(tables, sql)) == [
        ("error", 637, 0, None, None),
        ("ok", 336_139, 336_139, True, True),
    ]


def test_the_model_is_calibrated_on_the_training_quarter(tables: Connection) -> None:
    """Scored on days it has not seen, the model says late as often as flights are, and knows more than the rate."""
    predicted, late, brier, spread = one(
        tables,
        """SELECT avg(prediction), avg(late), avg((prediction - late) ** 2), avg(late) * (1 - avg(late)) FROM (
               SELECT prediction, CAST(value > 15 AS INTEGER) AS late
               FROM requests JOIN feedback USING (request_id)
               WHERE requests.night < DATE '2013-04-01' AND prediction IS NOT NULL)""",
    )

    assert late == pytest.approx(0.2284, abs=0.0005)
    assert predicted == pytest.approx(late, abs=0.005)
    assert brier == pytest.approx(0.1588, abs=0.0005)
    assert brier < 0.92 * spread


def test_training_has_the_same_values_as_serving(tables: Connection) -> None:
    """The log holds no skew: every feature of every request is the same in both tables."""
    columns = ", ".join(("request_id", "time", "night", *FEATURES))

    assert one(
        tables,
        f"SELECT count(*) FROM (SELECT {columns} FROM requests EXCEPT SELECT {columns} FROM training_features)",
    ) == (0,)
    assert one(tables, "SELECT count(*) FROM training_features") == (336_776,)
