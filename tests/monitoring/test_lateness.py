"""Which nights should be there: by the clock of the service, through both changes of the clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from monitoring.lateness import Late, late, schedule_of
from services import read
from services.model import Service
from services.strict_yaml import read_yaml
from services.window import night_of

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
SHIPPED = read_yaml(Path(read.__file__).parent / read.DEFAULTS)[0]


def service(**given: Any) -> Service:
    """A service with the shipped defaults and what is given."""
    least = {"service": "s", "owner": "o", "slack": "#s", "source": "x", "requests": "s.sql"}
    return Service.model_validate(SHIPPED | least | given)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]  # as datetime takes them


def told(
    at: datetime, there: set[date] | None = None, since: datetime | None = LONG_AGO, **given: Any
) -> list[str]:
    """The nights that are late, by name."""
    return [each.night.isoformat() for each in late(service(**given), at, there or set(), since)]


def test_a_night_is_late_when_its_time_has_passed() -> None:
    """The night of the 9th is due at 02:30 on the 10th and late at 03:00, not a second before."""
    there = {date(2026, 5, 6), date(2026, 5, 7), date(2026, 5, 8)}
    assert told(utc(2026, 5, 10, 2, 59, 59), there) == []
    assert told(utc(2026, 5, 10, 3), there) == ["2026-05-09"]
    assert late(service(), utc(2026, 5, 10, 3), there, LONG_AGO) == [
        Late(date(2026, 5, 9), utc(2026, 5, 10, 2, 30))
    ]
    assert told(utc(2026, 5, 10, 3), there | {date(2026, 5, 9)}) == []
    assert told(utc(2026, 5, 10, 3), there, late_after="2h") == []


def test_three_nights_are_looked_back() -> None:
    """A service that stopped months ago is told of three nights; a night before them that is missing is not."""
    now = utc(2026, 5, 10, 12)
    assert told(now) == ["2026-05-07", "2026-05-08", "2026-05-09"]
    assert told(now, {date(2026, 5, 8)}) == ["2026-05-07", "2026-05-09"]


def test_what_is_not_expected() -> None:
    """No reference, rounds from before it, and nights after `until`."""
    now = utc(2026, 5, 10, 12)
    assert told(now, since=None) == []
    assert told(now, since=utc(2026, 5, 9, 2, 31)) == ["2026-05-09"]
    assert told(now, since=utc(2026, 5, 9, 2, 30)) == ["2026-05-08", "2026-05-09"]
    assert told(now, until="2026-05-08") == ["2026-05-07", "2026-05-08"]
    assert told(now, until="2013-12-31") == []


@pytest.mark.parametrize(
    ("zone", "schedule", "night", "hours", "begins"),
    [
        # spring: 02:30 does not exist on the 10th, so that this service's rounds begin at 03:30 the whole year
        ("America/New_York", "30 2 * * *", date(2013, 3, 8), 24, utc(2013, 3, 9, 8, 30)),
        ("America/New_York", "30 2 * * *", date(2013, 3, 9), 24, utc(2013, 3, 10, 7, 30)),
        ("America/New_York", "30 2 * * *", date(2013, 3, 10), 23, utc(2013, 3, 11, 7, 30)),
        ("Europe/Berlin", "30 2 * * *", date(2013, 3, 30), 24, utc(2013, 3, 31, 1, 30)),
        ("Europe/Berlin", "30 2 * * *", date(2013, 3, 31), 23, utc(2013, 4, 1, 1, 30)),
        ("Europe/Berlin", "0 6 * * *", date(2013, 3, 30), 24, utc(2013, 3, 31, 4)),
        # autumn
        ("America/New_York", "30 2 * * *", date(2013, 11, 2), 24, utc(2013, 11, 3, 8, 30)),
        ("America/New_York", "30 2 * * *", date(2013, 11, 3), 25, utc(2013, 11, 4, 8, 30)),
        ("America/New_York", "30 1 * * *", date(2013, 11, 2), 24, utc(2013, 11, 3, 6, 30)),  # the second 01:30
        ("Europe/Berlin", "30 2 * * *", date(2013, 10, 26), 24, utc(2013, 10, 27, 2, 30)),
        ("Europe/Berlin", "30 2 * * *", date(2013, 10, 27), 25, utc(2013, 10, 28, 2, 30)),
    ],
)  # fmt: skip
def test_through_both_changes_of_the_clocks(
    zone: str, schedule: str, night: date, hours: int, begins: datetime
) -> None:
    """The night of 23 or 25 hours and the ones beside it are due at the service's own hour."""
    window = night_of(night, zone)
    assert window.end - window.start == timedelta(hours=hours)
    assert begins >= window.end
    watched = service(time_zone=zone, schedule=schedule)
    due = begins + timedelta(minutes=30)
    assert late(watched, due, set(), LONG_AGO)[-1] == Late(night, begins)
    assert late(watched, due - timedelta(seconds=1), set(), LONG_AGO)[-1].night == night - timedelta(days=1)


@pytest.mark.parametrize(
    ("zone", "schedule", "expected"),
    [
        ("UTC", "30 2 * * *", "30 2 * * *"),
        ("America/Recife", "30 2 * * *", "30 2 * * *"),
        ("America/New_York", "0 2 * * *", "0 3 * * *"),
        ("America/New_York", "0 3 * * *", "0 3 * * *"),
        ("Europe/London", "30 2 * * *", "30 2 * * *"),  # 01:00 to 02:00 is skipped there
        ("Europe/London", "59 1 * * *", "59 2 * * *"),
        ("Australia/Lord_Howe", "10 2 * * *", "40 2 * * *"),  # half an hour
        ("Antarctica/Troll", "30 2 * * *", "30 4 * * *"),  # two hours, from 01:00
        # to later would be the next day, and a round then would be another night's
        ("America/Scoresbysund", "50 23 * * *", "50 22 * * *"),
        ("America/Scoresbysund", "15 0 * * *", "15 1 * * *"),  # so it was until 2024
        # 22:00 to 23:00 was skipped until 2023, and 23:00 to 24:00 is since 2024
        ("America/Nuuk", "50 23 * * *", "50 21 * * *"),
        ("America/Nuuk", "30 22 * * *", "30 21 * * *"),
        ("America/Nuuk", "0 0 * * *", "0 0 * * *"),
        ("Pacific/Apia", "0 3 * * *", "0 4 * * *"),  # its clocks changed until 2021
        ("Africa/Casablanca", "30 2 * * *", "30 3 * * *"),  # on another day every year
    ],
)
def test_a_time_that_is_skipped_is_moved(zone: str, schedule: str, expected: str) -> None:
    """Rounds begin at a time that every day of the year has."""
    assert schedule_of(service(time_zone=zone, schedule=schedule)) == expected


@pytest.mark.parametrize("zone", ["America/Nuuk", "America/Scoresbysund", "Pacific/Apia", "Africa/Cairo"])
@pytest.mark.parametrize("year", [2013, 2026, 2037])
def test_no_round_begins_at_a_time_that_is_skipped(zone: str, year: int) -> None:
    """Whatever is written: every day of the year has the time that is made of it."""
    for written in (f"{minute} {hour} * * *" for hour in range(24) for minute in (0, 59)):
        watched = service(time_zone=zone, schedule=written)
        minute, hour, *_ = map(int, schedule_of(watched).split()[:2])
        for day in (date(year, 1, 1) + timedelta(days=n) for n in range(365)):
            local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(zone))
            assert local.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == local.replace(
                tzinfo=None
            ), (written, day)
