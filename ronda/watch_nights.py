"""The watch over the rounds themselves: nights that are late are told once, and once more when they come.

It reads the service files and the state, never a log, and puts messages into the outbox; sending is another step.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, Literal

from monitoring import message
from monitoring.lateness import late
from ronda import reactions
from ronda.cli import clock
from ronda.roster import services_on_watch
from ronda.unreadable import recorded_as, stand_in
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
_Messages = Iterator[tuple[str, MessageRow]]  # a message, and what it says: `late`, `came` or `unwatched`


def watch_all() -> dict[str, list[str]]:
    """Look after every service of the home; the keys of the new messages, by what they say.

    What people answered in Slack is read after that, whatever became of it; see `reactions.read_answers`.

    Raises:
        RondaError: as `watch`, or the state cannot be opened.
    """
    home = home_from()
    state = open_state(home.state_url)
    try:
        new = watch(home, state, clock())
    finally:
        answered = reactions.read_answers(home, state, _readable(home), clock)
    return new | answered


def _readable(home: Home) -> list[Service]:
    try:
        return list(services_on_watch(home)[0].values())
    except ServiceFileError:  # `watch` tells it
        return []


def watch(home: Home, state: State, now: datetime) -> dict[str, list[str]]:
    """Put a message for each night that is late, each that came after all, and each service that nobody watches.

    Every message has a key of its own, so that none is put twice, however often this runs. Each service is looked
    after by itself: an error of one is raised after all others are told.

    Raises:
        ServiceFileError: the home has no services, or nobody can be told of a file that is broken.
        StateError: the state fails.
    """
    failed: list[Exception] = []
    try:
        services, broken = services_on_watch(home)
    except ServiceFileError as error:  # the folder is gone, and with it every service that was watched
        services, broken = {}, {}
        failed.append(error)
    with reading(state) as connection:
        gone = sorted({*services_watched(connection)} - {*services, *broken})
    looks: dict[str, Callable[[], _Messages]] = {
        **{name: partial(_watched, state, service, now) for name, service in services.items()},
        **{name: partial(_broken, home, state, name, error, now) for name, error in broken.items()},
        **{name: partial(_gone, home, state, name, now) for name in gone},
    }
    new: dict[str, list[str]] = {"late": [], "came": [], "unwatched": []}
    for name, look in looks.items():
        try:
            for what, row in look():
                if _put(state, row):
                    new[what].append(row.key)
        except Exception as error:  # noqa: BLE001 # whatever it is, it must not keep the next service from being told
            error.add_note(f"while looking after {name}")
            failed.append(error)
    _raise(failed)
    return new


def _raise(failed: Sequence[Exception]) -> None:
    """Raise what went wrong: what is wrong with the files as one error, anything else before that."""
    if not failed:
        return
    first = next((each for each in failed if not isinstance(each, ServiceFileError)), None)
    if first is None:
        raise ServiceFileError("\n".join(map(str, failed)))
    for other in failed:
        if other is not first:
            first.add_note(f"and {type(other).__name__}: {other}")
    raise first


def _watched(state: State, service: Service, now: datetime) -> _Messages:
    for row in _late(state, service, now):
        yield "late", row
    for row in (*_came(state, service, now), *_back(state, service, now)):
        yield "came", row


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


def _back(state: State, service: Service, now: datetime) -> list[MessageRow]:
    """Answers to what told a service's file to be gone, which is there again."""
    name = service.service
    with reading(state) as connection:
        told = {row.key: row for row in outbox.messages_of(connection, name)}
    return [
        _message(f"{key}/back", service, row.night or _yesterday(now), now, message.back(service), about=key)
        for key, row in told.items()
        if re.fullmatch(rf"late/{name}/[^/]+/gone(/[0-9]+)?", key) and f"{key}/back" not in told
    ]


@dataclass(frozen=True)
class _Unwatched:
    """A service that nobody watches, why, and the key of the message that says so."""

    name: str
    what: Literal["broken", "gone"]
    reason: str
    key: str


def _broken(home: Home, state: State, name: str, error: ServiceFileError, now: datetime) -> _Messages:
    """Told once a day: the night that is over was not judged, and none will be until the file is mended."""
    each = _Unwatched(name, "broken", str(error), f"late/{name}/{_yesterday(now)}/file")
    row = _row_of(home, state, each, now)
    if row is None:
        raise ServiceFileError(_untold(home, each))
    yield "unwatched", row


def _gone(home: Home, state: State, name: str, now: datetime) -> _Messages:
    """Told once after its last night, and once more after it was back: it may have been taken away on purpose."""
    with reading(state) as connection:
        last = max((row.night for row in nights_of(connection, name)), default=None)
        keys = [row.key for row in outbox.messages_of(connection, name)]
    reason = f"{home.services / name}.yaml is not there any more."
    if (home.services / f"{name}.yml").exists():
        reason += f" There is {name}.yml; rename it to {name}.yaml."
    key = f"late/{name}/{last or 'never'}/gone"
    times = sum(each.startswith(key) and each.endswith("/back") for each in keys)
    each = _Unwatched(name, "gone", reason, f"{key}/{times + 1}" if times else key)
    row = _row_of(home, state, each, now)
    if row is not None:
        yield "unwatched", row
    else:
        # No error: nothing can be mended where it was meant, and every run from now on would fail. Not on standard
        # output either, which the command line keeps for its own.
        print(_untold(home, each), file=sys.stderr)


def _row_of(home: Home, state: State, each: _Unwatched, now: datetime) -> MessageRow | None:
    """The message; None if no channel is known to tell it in."""
    # messages of a file are recorded under a name that a service can have
    names = {each.name, recorded_as(each.name)}
    with reading(state) as connection:
        rows = [row for name in names for row in outbox.messages_of(connection, name)]
    before = max(rows, key=lambda row: row.id, default=None)
    service = stand_in(each.name, home, before.channel if before else "")
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
