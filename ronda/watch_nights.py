"""The watch over the rounds themselves: nights that are late are told once, and once more when they come.

It reads the service files and the state, never a log, and puts messages into the outbox; sending is another step.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from monitoring import message
from monitoring.lateness import late
from ronda.cli import clock
from ronda.roster import services_on_watch
from ronda.unreadable import stand_in
from services.errors import ServiceFileError
from services.home import Home, home_from
from services.model import Service
from services.read import DEFAULTS
from store import outbox
from store.canonical import canonical_json
from store.ledger import latest_night, nights_of
from store.outbox import MessageRow
from store.state import State, open_state, reading, writing
from store.troubles import trouble_of
from store.watched import services_watched, watched_since

KIND = "late"


def watch_all() -> dict[str, list[str]]:
    """Look after every service of the home; the keys of the new messages, by what they say.

    Raises:
        RondaError: as `watch`, or the state cannot be opened.
    """
    home = home_from()
    return watch(home, open_state(home.state_url), clock())


def watch(home: Home, state: State, now: datetime) -> dict[str, list[str]]:
    """Put a message for each night that is late, each that came after all, and each service that nobody watches.

    Every message has a key of its own, so that none is put twice, however often this runs.

    Raises:
        ServiceFileError: the home has no services, or nobody can be told of a file that is broken or gone. What
            can be told is told before.
    """
    try:
        services, broken = services_on_watch(home)
        nowhere = []
    except ServiceFileError as error:  # the folder is gone, and with it every service that was watched
        services, broken, nowhere = {}, {}, [str(error)]
    with reading(state) as connection:
        gone = sorted({*services_watched(connection)} - {*services, *broken})
    left = [_broken(name, error, now) for name, error in broken.items()]
    left += [_gone(home, state, name) for name in gone]
    messages = [(each, _told(home, state, each, now)) for each in left]
    told = {
        "late": [row for service in services.values() for row in _late(state, service, now)],
        "came": [row for service in services.values() for row in _came(state, service, now)],
        "unwatched": [row for _, row in messages if row is not None],
    }
    new = {what: [row.key for row in rows if _put(state, row)] for what, rows in told.items()}
    nowhere += [_untold(home, each) for each, row in messages if row is None]
    if nowhere:
        raise ServiceFileError("\n".join(nowhere))
    return new


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


@dataclass(frozen=True)
class _Unwatched:
    """A service that nobody watches, why, and the key of the message that says so."""

    name: str
    what: Literal["broken", "gone"]
    reason: str
    key: str


def _broken(name: str, error: ServiceFileError, now: datetime) -> _Unwatched:
    """Told once a day: the night that is over was not judged, and none will be until the file is mended."""
    return _Unwatched(name, "broken", str(error), f"late/{name}/{_yesterday(now)}/file")


def _gone(home: Home, state: State, name: str) -> _Unwatched:
    """Told once after its last night: it may have been taken away on purpose, and once is enough then."""
    with reading(state) as connection:
        last = max((row.night for row in nights_of(connection, name)), default=None)
    reason = f"{home.services / name}.yaml is not there any more."
    if (home.services / f"{name}.yml").exists():
        reason += f" There is {name}.yml; rename it to {name}.yaml."
    return _Unwatched(name, "gone", reason, f"late/{name}/{last or 'never'}/gone")


def _told(home: Home, state: State, each: _Unwatched, now: datetime) -> MessageRow | None:
    """The message; None if no channel is known to tell it in."""
    with reading(state) as connection:
        before = [row.channel for row in outbox.messages_of(connection, each.name)]
    service = stand_in(each.name, home, before[-1] if before else "")
    if service is None:
        return None
    return _message(
        each.key, service, _yesterday(now), now, message.unwatched(service, each.what, each.reason)
    )


def _untold(home: Home, each: _Unwatched) -> str:
    return (
        f"{each.name}: nobody can be told, since no channel is known. {each.reason} A line `slack:` in "
        f"{home.services / DEFAULTS} is the channel of all services that name none."
    )


def _yesterday(now: datetime) -> date:
    return now.astimezone(UTC).date() - timedelta(days=1)


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
