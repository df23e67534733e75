"""Nights: half-open, in UTC, of 23, 24 or 25 hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.window import night_of, nights_between, window_between


@pytest.mark.parametrize(
    ("day", "zone", "start", "hours"),
    [
        (
            date(2013, 3, 10),
            "America/New_York",
            datetime(2013, 3, 10, 5, tzinfo=UTC),
            23,
        ),  # clocks go forward
        (date(2013, 11, 3), "America/New_York", datetime(2013, 11, 3, 4, tzinfo=UTC), 25),  # clocks go back
        (date(2013, 6, 24), "America/New_York", datetime(2013, 6, 24, 4, tzinfo=UTC), 24),
        (date(2024, 6, 24), "America/Sao_Paulo", datetime(2024, 6, 24, 3, tzinfo=UTC), 24),
        # São Paulo changed its clocks at midnight: the day began at 01:00, and the day before had 25 hours
        (date(2018, 11, 4), "America/Sao_Paulo", datetime(2018, 11, 4, 3, tzinfo=UTC), 23),
        (date(2019, 2, 16), "America/Sao_Paulo", datetime(2019, 2, 16, 2, tzinfo=UTC), 25),
    ],
)
def test_length_of_a_night(day: date, zone: str, start: datetime, hours: int) -> None:
    """A night begins at the local midnight and is an hour short or long when the clocks change."""
    night = night_of(day, zone)
    assert night.start == start
    assert night.end - night.start == timedelta(hours=hours)
    assert night.name == day.isoformat()


@given(
    st.dates(date(2000, 1, 1), date(2037, 1, 1)),
    st.sampled_from(
        ["UTC", "America/Sao_Paulo", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]
    ),
)
def test_nights_join_without_gap(first: date, zone: str) -> None:
    """Each night ends where the next begins, whatever the clocks do, so no request is in two nights or none."""
    nights = list(nights_between(first, first + timedelta(days=10), zone))
    assert len(nights) == 11
    assert all(night.end == following.start for night, following in pairwise(nights))
    window = window_between(first, first + timedelta(days=10), zone)
    assert (window.start, window.end) == (nights[0].start, nights[-1].end)


def test_no_nights() -> None:
    """A span that ends before it begins has none."""
    assert list(nights_between(date(2013, 6, 2), date(2013, 6, 1), "UTC")) == []
