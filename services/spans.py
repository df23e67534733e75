"""Lengths of time as people write them in a service file."""

from __future__ import annotations

import re
from datetime import timedelta

_LONGEST = timedelta(days=36_500)  # so that no sum of dates leaves the calendar
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_span(written: object) -> timedelta:
    """Read `30m`, `24h`, `14d` or `2w`.

    >>> parse_span("36h")
    datetime.timedelta(days=1, seconds=43200)

    Raises:
        ValueError: it is not a whole number followed by one of s, m, h, d, w, or it is zero or longer than a century.
    """
    if isinstance(written, timedelta):
        return written
    match = re.fullmatch(r"([1-9][0-9]{0,5})\s*([smhdw])", str(written).strip())
    if match is None:
        raise ValueError(
            f"write a length of time as a number and s, m, h, d or w, such as 24h or 14d; found {written!r}"
        )
    span = timedelta(**{_UNITS[match[2]]: int(match[1])})
    if span > _LONGEST:
        raise ValueError(f"a length of time is at most {_LONGEST.days}d; found {written!r}")
    return span
