"""What the values in a service file must look like beyond their type; used by `services.model`.

Each function returns the value it was given, or raises a `ValueError` whose text a person can act on.
"""

from __future__ import annotations

import difflib
import re
import zoneinfo
from pathlib import PurePosixPath

from services.conditions import parse_condition

_CRON_FIELDS = (
    ("minute", 0, 59, ""),
    ("hour", 0, 23, ""),
    ("day of the month", 1, 31, ""),
    ("month", 1, 12, "jan feb mar apr may jun jul aug sep oct nov dec"),
    ("weekday", 0, 7, "sun mon tue wed thu fri sat"),
)
_CRON_PART = re.compile(r"(?:\*|(\w+)(?:-(\w+))?)(?:/([1-9][0-9]?))?")


def known_zone(name: str) -> str:
    """A time zone of the IANA database.

    >>> known_zone("America/Recife")
    'America/Recife'
    >>> known_zone("America/Recif")
    Traceback (most recent call last):
    ValueError: there is no time zone 'America/Recif'; did you mean 'America/Recife'?
    """
    try:
        zoneinfo.ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; not a relative path; a folder such as "America"
        near = difflib.get_close_matches(name, zoneinfo.available_timezones(), n=1, cutoff=0.7)
        advice = f"did you mean {near[0]!r}?" if near else "write one such as 'America/Sao_Paulo' or 'UTC'"
        raise ValueError(f"there is no time zone {name[:60]!r}; {advice}") from None
    return name


def five_field_cron(written: str) -> str:
    """A cron schedule of five fields: minute, hour, day of the month, month, weekday.

    >>> five_field_cron("30 2 * * *")
    '30 2 * * *'
    """
    fields = written.split()
    if len(fields) != len(_CRON_FIELDS):
        raise ValueError(
            f"write five fields (minute, hour, day of the month, month, weekday), such as '30 2 * * *'; found {written!r}"
        )
    for text, (name, low, high, words) in zip(fields, _CRON_FIELDS, strict=True):
        if not all(_cron_part_fits(part, low, high, words.split()) for part in text.split(",")):
            raise ValueError(
                f"the {name} of the schedule must be * or lie in {low} to {high}; found {text!r}"
            )
    return written


def _cron_part_fits(part: str, low: int, high: int, words: list[str]) -> bool:
    match = _CRON_PART.fullmatch(part)
    if match is None:
        return False
    ends = [_cron_number(end, low, words) for end in match.groups()[:2] if end is not None]
    return all(low <= end <= high for end in ends) and ends == sorted(ends)


def _cron_number(text: str, low: int, words: list[str]) -> int:
    if text.lower() in words:
        return words.index(text.lower()) + low
    return int(text) if text.isascii() and text.isdigit() else -1


def comparison(written: str) -> str:
    """A comparison that `services.conditions.parse_condition` can read."""
    parse_condition(written)
    return written


def source_reference(written: str) -> str:
    """Where the log is: `${NAME}` alone, `airflow:CONNECTION`, a URL without a password, or a folder."""
    if not written.strip():
        raise ValueError("it is empty; write a folder, a URL, ${NAME} or airflow:CONNECTION")
    if "$" in written and not re.fullmatch(r"\$\{[A-Za-z_]\w*\}", written, re.ASCII):
        raise ValueError(
            "one environment variable holds the whole URL: write ${NAME} alone, without more before or after it"
        )
    if written.startswith("airflow:") and not re.fullmatch(r"airflow:[\w.-]+", written, re.ASCII):
        raise ValueError(
            f"write the connection's id after airflow:, such as airflow:flights_db; found {written!r}"
        )
    return written


def inside_home(path: PurePosixPath) -> PurePosixPath:
    """A path below the home: relative, and never upwards."""
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(
            f"write a path below the folder that holds `services/`, such as sql/my_service/requests.sql; found {str(path)!r}"
        )
    return path


def clock_time(written: str) -> str:
    """A time of day, `HH:MM`.

    >>> clock_time("08:00")
    '08:00'
    """
    if not re.fullmatch(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]", written):
        raise ValueError(f'write hours and minutes in quotes, such as "08:00"; found {written!r}')
    return written


def slack_id(written: str) -> str:
    """The id of a person or a group in Slack, which is what a message can mention.

    >>> slack_id("S0614TZR7")
    'S0614TZR7'
    """
    if written and not re.fullmatch(r"[UWS][A-Z0-9]{5,20}", written):
        raise ValueError(
            "write the id Slack gives a person (U…) or a group (S…), such as S0614TZR7: it stands in their profile "
            f'under "Copy member ID"; found {written[:60]!r}'
        )
    return written


def web_address(written: str) -> str:
    """An address that people can open, http or https; or nothing.

    >>> web_address("https://ronda.example/pages")
    'https://ronda.example/pages'
    """
    if written and not re.fullmatch(r"https?://[^\s<>|\"'\\]+", written):
        raise ValueError(f"write an address that begins with https:// or http://; found {written[:60]!r}")
    return written


def function_name(written: str) -> str:
    """A Python function as `module:function`.

    >>> function_name("demo.flight_trainer:fit")
    'demo.flight_trainer:fit'
    """
    if not re.fullmatch(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", written, re.ASCII):
        raise ValueError(
            f"write a function as module:function, such as my_team.trainer:fit; found {written[:60]!r}"
        )
    return written
