"""The watch over the rounds themselves: nights that are late are told once, and once more when they come.

It reads the service files and the state, never a log, and puts messages into the outbox; sending is another step.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from monitoring import message
from monitoring.lateness import late
from ronda.cli import clock
from ronda.roster import services_on_watch
from ronda.unreadable import stand_in
from services.errors import ServiceFileError
from services.home import Home, home_from
from services.model import Service
from store import outbox
from store.canonical import canonical_json
from store.ledger import latest_night, nights_of
from store.outbox import MessageRow
from store.state import State, open_state, reading, writing
from store.troubles import trouble_of
from store.watched import watched_since

KIND = "late"


def watch_all() -> dict[str, list[str]]:
    """Look after every service of the home; the keys of the new messages, by what they say.

    Raises:
        RondaError: the home has no services, or the state cannot be opened.
    """
    home = home_from()
    return watch(home, open_state(home.state_url), clock())


def watch(home: Home, state: State, now: datetime) -> dict[str, list[str]]:
    """Put a message for each night that is late, each that came after all, and each file that cannot be read.

    Every message has a key of its own, so that none is put twice, however often this runs.
    """
    services, broken = services_on_watch(home)
    told: dict[str, list[MessageRow]] = {"late": [], "came": [], "broken": []}
    for service in services.values():
        told["late"] += _late(state, service, now)
        told["came"] += _came(state, service, now)
    for name, error in broken.items():
        told["broken"] += _broken(home, state, name, error, now)
    return {what: [row.key for row in rows if _put(state, row)] for what, rows in told.items()}


def _put(state: State, row: MessageRow) -> bool:
    with writing(state) as connection:
        return outbox.put(connection, row)


def _late(state: State, service: Service, now: datetime) -> list[MessageRow]:
    name = service.service
    with reading(state) as connection:
        judged = {row.night for row in nights_of(connection, name)}
        missing = late(service, now, judged, watched_since(connection, name))
        troubles = {each.night: trouble_of(connection, name, each.night) for each in missing}
    return [
        _message(
            f"late/{name}/{each.night}",
            service,
            each.night,
            now,
            message.late(service, each.night, each.begins_at, trouble.message if trouble else ""),
        )
        for each in missing
        for trouble in [troubles[each.night]]
    ]


def _came(state: State, service: Service, now: datetime) -> list[MessageRow]:
    """Answers to what told a night to be late that is there by now."""
    name = service.service
    with reading(state) as connection:
        told = {row.key: row for row in outbox.messages_of(connection, name) if row.kind == KIND}
        open_ones = [
            row
            for row in told.values()
            if row.night is not None
            and row.key == f"late/{name}/{row.night}"
            and f"{row.key}/came" not in told
        ]
        found = [(row, latest_night(connection, name, row.night)) for row in open_ones if row.night]
    return [
        _message(
            f"{row.key}/came",
            service,
            night.night,
            now,
            message.came(service, night.night, night.standing),
            about=row.key,
        )
        for row, night in found
        if night is not None
    ]


def _broken(home: Home, state: State, name: str, error: ServiceFileError, now: datetime) -> list[MessageRow]:
    """Once a day: the night that is over was not judged, and none will be until the file is mended."""
    with reading(state) as connection:
        before = [row.channel for row in outbox.messages_of(connection, name)]
    service = stand_in(name, home, before[-1] if before else "")
    if service is None:
        print(f"{name}: its file cannot be read and names no channel, so nobody is told. {error}")
        return []
    night = now.astimezone(UTC).date() - timedelta(days=1)
    said = message.late(service, night, now, str(error))
    return [_message(f"late/{name}/{night}/file", service, night, now, said)]


def _message(
    key: str, service: Service, night: date, now: datetime, payload: dict[str, Any], *, about: str = ""
) -> MessageRow:
    return MessageRow(
        key=key,
        kind=KIND,
        service=service.service,
        channel=service.slack,
        payload=canonical_json(payload).decode(),
        due_at=now,
        recorded_at=now,
        night=night,
        action="reply" if about else "post",
        about=about,
        unknown=service.slack_unknown,
    )
