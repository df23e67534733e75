"""When the rounds of a service begin, and which nights should be there by now and are not."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import count, islice, pairwise
from zoneinfo import ZoneInfo

from services.model import Service

LOOK_BACK = 3
"""A service whose rounds stopped long ago is told of its last nights, not of all that it missed."""

_YEARS = (2013, *range(2026, 2038))
"""Years whose clocks are looked at: of the data that is shown, and all until the rules of today recur for ever."""
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Late:
    """A night that should have been judged by now.

    Attributes:
        begins_at: when its round was due to begin, in UTC.
    """

    night: date
    begins_at: datetime


def schedule_of(service: Service) -> str:
    """The cron line that rounds begin by: the service's own, moved out of an hour that its clocks skip.

    On the day the clocks go forward there is no 02:30 in New York. Airflow 3.3 begins that run at 03:30 and
    then names it after the wrong night: the day itself, which has just begun. A time that is skipped on some
    day is therefore moved by as much as the clocks are, on every day: to later, or where that would be the
    next day (Greenland skips the hour before midnight), to earlier.
    """
    return _moved(service.schedule, service.time_zone)


@cache
def _moved(schedule: str, time_zone: str) -> str:
    """The schedule, with a time of day that every day has.

    >>> _moved("30 2 * * *", "America/New_York"), _moved("30 2 * * *", "America/Recife")
    ('30 3 * * *', '30 2 * * *')
    >>> _moved("50 23 * * *", "America/Scoresbysund")
    '50 22 * * *'
    """
    written = datetime.combine(date.min + _DAY, _time(schedule))
    for sign in (1, -1):
        at = written
        while at.date() == written.date():
            gap = _gap(at.time(), time_zone)
            if not gap:
                return schedule if at == written else f"{at.minute} {at.hour} * * *"
            at += sign * gap
    return schedule  # no zone skips a whole day and all that is beside it


def _gap(at: time, time_zone: str) -> timedelta:
    """How much the clocks skip when they skip this time of day; 0 if they never do."""
    zone = ZoneInfo(time_zone)
    for day in _changes(time_zone):
        local = datetime.combine(day, at)
        shown = local.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None)
        if shown != local:
            return shown - local
    return timedelta(0)


@cache
def _changes(time_zone: str) -> tuple[date, ...]:
    """The days on which the clocks change, and those beside them: between two noons the offset is another."""
    zone, found = ZoneInfo(time_zone), set()
    for year in _YEARS:
        noons = [datetime(year, 1, 1, 12, tzinfo=zone) + days * _DAY for days in range(367)]
        for before, after in pairwise(noons):
            if before.utcoffset() != after.utcoffset():
                found |= {before.date(), after.date()}
    return tuple(sorted(found))


def _time(schedule: str) -> time:
    minute, hour, *_ = schedule.split()
    return time(int(hour), int(minute))


def late(
    service: Service, now: datetime, nights: Collection[date], watched_since: datetime | None
) -> list[Late]:
    """The nights that should be there and are not, oldest first; at most the last three that were due.

    A round is for the local date before the one it begins on, and a night is late once `late_after` has passed
    since its round should have begun. Nights after `until` are not expected.

    Args:
        now: aware.
        nights: the nights that were judged.
        watched_since: when the service's first reference was recorded; rounds before that are not expected.
            None where there is no reference: such a service is not watched yet.
    """
    if watched_since is None:
        return []
    due = (each for each in _rounds(service, now) if each.begins_at + service.late_after <= now)
    wanted = [
        each
        for each in islice(due, LOOK_BACK)
        if each.night not in nights
        and each.begins_at >= watched_since
        and (service.until is None or each.night <= service.until)
    ]
    return wanted[::-1]


def _rounds(service: Service, now: datetime) -> Iterator[Late]:
    """Every round that was due to begin by now, newest first; those before it without end."""
    zone, at = ZoneInfo(service.time_zone), _time(schedule_of(service))
    today = now.astimezone(zone).date()
    for days in count():
        day = today - timedelta(days=days)
        begins_at = _instant(datetime.combine(day, at), zone)
        if begins_at <= now:
            yield Late(day - timedelta(days=1), begins_at)


def _instant(local: datetime, zone: ZoneInfo) -> datetime:
    """When the clock shows this; the second time if it does twice, and later by the gap if it never does."""
    return max(local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
