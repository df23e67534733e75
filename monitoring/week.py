"""The shell of weeks: on Monday morning each owner is told once what the last week of their services came to.

Nothing is sent here, and nothing is told of a week that is longer ago: who fills in old nights hears nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from monitoring import week_words
from monitoring.incident import Severity, rank
from monitoring.stands import keys_of
from monitoring.thread_rows import text_of
from monitoring.thread_words import cost
from monitoring.verdicts.incidents import Key
from monitoring.week_words import NIGHTS, Told, Week
from services.model import Service
from store import outbox
from store.incidents import AnswerRow, IncidentRow, answers_of, incidents_of
from store.ledger import NightRow, nights_since
from store.outbox import MessageRow, Unknown
from store.state import Connection, State, writing

KIND = "week"

_WEEK = timedelta(days=NIGHTS)
_UNSURE = ("data", "no_verdict", "early")  # what a night came to that is no verdict
_SEVERITIES: tuple[Severity, ...] = ("critical", "major", "minor")


class Whose(NamedTuple):
    """What services must agree on to stand in one message."""

    channel: str
    owner: str
    language: str
    unknown: Unknown


@dataclass(frozen=True)
class Put:
    """Keys of the messages that are new, and the messages that were taken back, as others tell what they told."""

    keys: tuple[str, ...] = ()
    gone: tuple[MessageRow, ...] = ()


def weeks(state: State, services: Iterable[Service], now: datetime) -> Put:
    """Put a message for each channel and owner whose Monday morning has come, about the last ISO week that is over.

    A week of a service is told once, whatever is run again. If its channel or owner is another one since, a message
    that nobody got is taken back, and the week is told there; one that may have arrived holds.

    Args:
        services: those whose files can be read. One without a judged night in that week is left out.
        now: decides which week is over, and whether its Monday morning has come.
    """
    ready = _ready(services, now)
    keys, gone = [], []
    with writing(state) as connection:
        new = {
            key: weeks
            for key, (monday, _, own) in ready.items()
            if outbox.message_of(connection, key) is None and (weeks := _weeks(connection, own, monday))
        }
        if new:
            gone = _take_back_moved(connection, ready)
            told = _told(connection, {monday for monday, _, _ in ready.values()})
        for key, found in new.items():
            monday, whose, own = ready[key]
            left = [each for each in found if (monday, each.service) not in told]
            if left:
                due_at = max(_morning(each, monday) for each in own)
                outbox.put(connection, _message(key, whose, left, monday, due_at, now))
                keys.append(key)
    return Put(tuple(keys), tuple(gone))


def _ready(services: Iterable[Service], now: datetime) -> dict[str, tuple[date, Whose, list[Service]]]:
    """The key of each message whose morning has come in the time zones of all its services -> week, whose, services."""
    groups: dict[Whose, list[Service]] = {}
    for each in sorted(services, key=lambda each: each.service):
        owner = each.mention or each.owner
        groups.setdefault(Whose(each.slack, owner, each.language, each.slack_unknown), []).append(each)
    ready = {}
    for whose, own in sorted(groups.items()):
        monday = max(week_words.week_before(_today(each, now)) for each in own)
        if all(now >= _morning(each, monday) for each in own):
            ready[_key(monday, whose)] = monday, whose, own
    return ready


def _today(service: Service, now: datetime) -> date:
    return now.astimezone(ZoneInfo(service.time_zone)).date()


def _morning(service: Service, monday: date) -> datetime:
    """When a week that began on a Monday is told: on the Monday after it."""
    zone = ZoneInfo(service.time_zone)
    return datetime.combine(monday + _WEEK, time.fromisoformat(service.morning_at), tzinfo=zone)


def _key(monday: date, whose: Whose) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", f"{whose.channel} {whose.owner}".lower()).strip("-")
    tag = hashlib.sha256("\x1f".join(whose).encode()).hexdigest()[:8]
    return f"{_stem(monday)}/{name[:60]}-{tag}"


def _stem(monday: date) -> str:
    return f"week/{monday:%G-W%V}"


def _take_back_moved(connection: Connection, ready: Mapping[str, object]) -> list[MessageRow]:
    """Take back what nobody got and what is of no channel and owner any more."""
    stems = {key.rpartition("/")[0] for key in ready}
    return [
        gone
        for row in outbox.messages_of(connection, "")
        if row.kind == KIND and row.key.rpartition("/")[0] in stems and row.key not in ready
        for gone in outbox.take_back(connection, row.key)
    ]


def _told(connection: Connection, mondays: Iterable[date]) -> set[tuple[date, str]]:
    """The weeks and services that messages tell already, sent or not."""
    stems = {_stem(monday): monday for monday in mondays}
    return {
        (stems[row.key.rpartition("/")[0]], service)
        for row in outbox.messages_of(connection, "")
        if row.kind == KIND and row.key.rpartition("/")[0] in stems
        for service in json.loads(row.payload)["services"]
    }


def _message(
    key: str, whose: Whose, found: Sequence[Week], monday: date, due_at: datetime, now: datetime
) -> MessageRow:
    said = week_words.week(found, monday, whose.language)
    payload = text_of(said | {"services": [each.service for each in found]})
    return MessageRow(key, KIND, "", whose.channel, payload, due_at, recorded_at=now, unknown=whose.unknown)


def _weeks(connection: Connection, services: Iterable[Service], monday: date) -> list[Week]:
    """What the week came to for each service that has a judged night in it."""
    found = []
    for service in services:
        name = service.service
        nights = nights_since(connection, name, monday, monday + _WEEK)
        if nights:
            rows, answers = incidents_of(connection, name), answers_of(connection, name)
            found.append(count(service, monday, nights, rows, answers))
    return found


def count(
    service: Service,
    monday: date,
    nights: Sequence[NightRow],
    rows: Sequence[IncidentRow],
    answers: Sequence[AnswerRow],
) -> Week:
    """What a week came to.

    Args:
        nights: those of the week.
        rows: all incidents of the service as they stand; what they became after the week does not count, but for
            who looks after them.
        answers: what people said of them until now, oldest first.
    """
    end = monday + _WEEK
    opened = [row for row in rows if monday <= row.opened < end]
    posted = [
        row.severity for row in opened if row.told == "post"
    ]  # one that is withdrawn was sent all the same
    held = sorted((row for row in rows if row.opened < end and row.state != "withdrawn"), key=_rank)
    left = [row for row in held if row.resolved is None or row.resolved >= end]
    over = [row for row in held if row.resolved is not None and monday <= row.resolved < end]
    verdicts = {each.number: each.what for each in answers if each.what in {"real", "noise", "expected"}}
    quarter = [row for row in held if row.opened >= week_words.quarter_of(monday)]
    said = [verdicts.get(row.number) for row in quarter]
    taken = {each.number for each in answers if each.what == "taken"}
    critical = posted.count("critical")
    return Week(
        service=service.service,
        nights=len(nights),
        unsure=sum(row.standing in _UNSURE for row in nights),
        opened=sum(row.state != "withdrawn" for row in opened),
        withdrawn=sum(row.state == "withdrawn" and bool(row.told) for row in opened),
        over=tuple(_incident(service, row, is_over=True) for row in over),
        left=tuple(_incident(service, row, is_taken=row.number in taken) for row in left),
        critical=critical,
        sent=len(posted) - critical,
        budget=service.budget,
        real=said.count("real"),
        noise=said.count("noise"),
        unanswered=tuple(sorted(row.number for row in quarter if row.told and row.number not in verdicts)),
    )


def _rank(row: IncidentRow) -> tuple[int, int, int]:
    """The worst first: what cannot wait, then what users feel most."""
    return _SEVERITIES.index(row.severity), rank(Key(row.measure, row.feature, row.slice)), row.number


def _incident(service: Service, row: IncidentRow, *, is_over: bool = False, is_taken: bool = False) -> Told:
    known = json.loads(row.detail or "{}")
    return Told(
        number=row.number,
        severity=row.severity,
        headline=known.get("headline", ""),
        features=tuple(sorted({key.feature for key in keys_of(row) if key.feature})),
        measure=row.measure,
        cost=cost(service, known, row.seen) if is_over else "",
        is_taken=is_taken and row.state == "acknowledged",
        is_quiet=row.state == "muted",
    )
