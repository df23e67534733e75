"""What the values in a service file must look like beyond their type; used by `services.model`.

Each function returns the value it was given, or raises a `ValueError` whose text a person can act on.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
import zoneinfo
from collections.abc import Iterable
from datetime import date
from pathlib import PurePosixPath

from holidays import country_holidays

from services.conditions import parse_condition
from services.window import FIRST_YEAR, LAST_YEAR

SLACK_ID = r"[UWS][A-Z0-9]{5,20}"
"""What Slack calls a person or a group by."""

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # categories of Unicode
_CRON_FIELDS = ("minute", "hour", "day of the month", "month", "weekday")
_CRON_TIMES = (("minute", 59), ("hour", 23))


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


def daily_cron(written: str) -> str:
    """A cron schedule of five fields that comes once on each day, since every night has a round of its own.

    >>> daily_cron("30 2 * * *")
    '30 2 * * *'
    >>> daily_cron("30 2 * * 1")
    Traceback (most recent call last):
    ValueError: the weekday of the schedule must be *, since each night is judged on the day after it; found '1'
    """
    fields = written.split()
    if len(fields) != len(_CRON_FIELDS):
        raise ValueError(
            f"write five fields ({', '.join(_CRON_FIELDS)}), such as '30 2 * * *'; found {written[:60]!r}"
        )
    for text, (name, last) in zip(fields, _CRON_TIMES, strict=False):
        if not re.fullmatch(r"[0-9]{1,2}", text) or int(text) > last:
            raise ValueError(
                f"the {name} of the schedule must be one number from 0 to {last}, since a night is judged once; "
                f"found {text[:60]!r}"
            )
    for text, name in zip(fields[2:], _CRON_FIELDS[2:], strict=True):
        if text != "*":
            raise ValueError(
                f"the {name} of the schedule must be *, since each night is judged on the day after it; found {text[:60]!r}"
            )
    return " ".join(fields)


def near_date(day: date) -> date:
    """A day in the years that nights lie in.

    >>> near_date(date(9999, 12, 31))
    Traceback (most recent call last):
    ValueError: nights lie between 1970 and 2200; found 9999-12-31
    """
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"nights lie between {FIRST_YEAR} and {LAST_YEAR}; found {day}")
    return day


def written_day(written: object) -> object:
    """A day as it is written, so that a number is not taken for seconds since 1970.

    >>> written_day("2026-11-27")
    '2026-11-27'
    >>> written_day(20261127)
    Traceback (most recent call last):
    ValueError: write a day as year-month-day, such as 2026-11-27; found 20261127
    """
    text = str(written)
    if isinstance(written, str | int | float) and not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        raise ValueError(f"write a day as year-month-day, such as 2026-11-27; found {text[:60]}")
    return written


def plain_name(written: str) -> str:
    """A name that may stand in a message, a path and a table: the rule of a service's own.

    >>> plain_name("checkout_conversion")
    'checkout_conversion'
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", written):
        raise ValueError(
            f"use a to z, 0 to 9 and _, beginning with a letter, 63 characters at most; found {written[:70]!r}"
        )
    return written


def one_line(written: str) -> str:
    r"""Words on one line, without signs that cannot be seen or turn the line around.

    >>> one_line("São João")
    'São João'
    >>> one_line("sale\nmute all")
    Traceback (most recent call last):
    ValueError: write words on one line, without control characters; found 'sale\nmute all'
    """
    if not written.strip() or any(map(_is_unseen, written)):
        raise ValueError(f"write words on one line, without control characters; found {written[:60]!r}")
    return written


def _is_unseen(sign: str) -> bool:
    return unicodedata.category(sign) in _UNSEEN and sign != "\u200d"  # which joins what one emoji is made of


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
    if written and not re.fullmatch(SLACK_ID, written):
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


def known_country(text: str) -> str:
    """A country whose public holidays are known, with a subdivision if need be: `BR`, `BR-SP`; empty for none.

    Raises:
        ValueError: there is no such country or subdivision.
    """
    if text:
        holidays_of(text, (2026,))
    return text


def holidays_of(country: str, years: Iterable[int]) -> frozenset[date]:
    """The public holidays of a country in some years; none without a country.

    Raises:
        ValueError: there is no such country or subdivision.

    >>> sorted(holidays_of("BR", (2026,)))[:2]
    [datetime.date(2026, 1, 1), datetime.date(2026, 4, 3)]
    """
    if not country:
        return frozenset()
    name, _, part = country.partition("-")
    try:
        return frozenset(country_holidays(name, subdiv=part or None, years=list(years)))
    except NotImplementedError as error:
        raise ValueError(
            f"no holidays are known of {country!r}: give a country such as BR, or BR-SP"
        ) from error
