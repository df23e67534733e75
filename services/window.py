"""A night: one half-open day `[start, end)` in a service's time zone, named by its date."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)

FIRST_YEAR, LAST_YEAR = 1970, 2200
"""Of nights: what lies outside is a slip of the pen, and calendars end at 9999."""


@dataclass(frozen=True)
class Window:
    """Some nights in a row: a half-open span `[start, end)` and the local dates it covers.

    Attributes:
        start, end: aware and in UTC.
        first, last: the dates of the first and the last night, both included.
    """

    start: datetime
    end: datetime
    first: date
    last: date


@dataclass(frozen=True)
class Night(Window):
    """The window of one local day, named by its date."""

    @property
    def date(self) -> date:
        """The local date."""
        return self.first

    @property
    def name(self) -> str:
        """The date in ISO form, as it stands in paths, tables and partition keys."""
        return self.date.isoformat()


def night_of(day: date, time_zone: str) -> Night:
    """The night of a local date. It has 23 or 25 hours when the clocks change.

    >>> night_of(date(2013, 3, 10), "America/New_York").start.isoformat()
    '2013-03-10T05:00:00+00:00'
    >>> spring = night_of(date(2013, 3, 10), "America/New_York")
    >>> (spring.end - spring.start).total_seconds() / 3600
    23.0
    """
    zone = ZoneInfo(time_zone)
    return Night(_midnight(day, zone), _midnight(day + timedelta(days=1), zone), first=day, last=day)


def nights_between(first: date, last: date, time_zone: str) -> Iterator[Night]:
    """Every night from `first` to `last`, both included, in order.

    >>> [night.name for night in nights_between(date(2013, 6, 1), date(2013, 6, 3), "UTC")]
    ['2013-06-01', '2013-06-02', '2013-06-03']
    """
    for offset in range((last - first).days + 1):
        yield night_of(first + timedelta(days=offset), time_zone)


def window_between(first: date, last: date, time_zone: str) -> Window:
    """The window from the start of `first` to the end of `last`, both days included."""
    return Window(night_of(first, time_zone).start, night_of(last, time_zone).end, first, last)


def dates_of(start: datetime, end: datetime, time_zone: str) -> tuple[date, date]:
    """The first and last local date of a half-open span.

    >>> [day.isoformat() for day in dates_of(*(night_of(date(2013, 6, d), "UTC").start for d in (1, 3)), "UTC")]
    ['2013-06-01', '2013-06-02']
    """
    zone = ZoneInfo(time_zone)
    return start.astimezone(zone).date(), (end - timedelta(microseconds=1)).astimezone(zone).date()


def longer(window: Window, by: timedelta) -> Window:
    """The window with its end moved later, for events that follow its requests."""
    return Window(window.start, window.end + by, window.first, window.last + timedelta(days=-(-by // _DAY)))


def cohort_of(night: date, window: timedelta) -> date:
    """The night whose requests become old enough to have an outcome once `night` is over.

    >>> cohort_of(date(2013, 6, 24), timedelta(hours=24)).isoformat()
    '2013-06-23'
    """
    return night - timedelta(days=-(-window // _DAY))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)
