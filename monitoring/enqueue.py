"""What a night, and a morning, have to say goes into the state beside what was found: both are kept, or neither.

Nothing is sent here; `monitoring.alert` does that, and can be killed anywhere.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from monitoring import message
from monitoring.message import Payload
from monitoring.records import NightPage, Story
from monitoring.standing import LOUD
from monitoring.telling import morning_line
from services.model import Service
from store import digest, outbox
from store.canonical import canonical_json
from store.digest import LineRow
from store.ledger import NightRow
from store.outbox import MessageRow, Unknown
from store.state import Connection, State, writing


def night(
    connection: Connection, service: Service, page: NightPage, story: Story, row: NightRow, *, attach: bool
) -> None:
    """Put into the outbox what a new revision of a night has to say, or a line for the morning, or nothing.

    An alert that was told already is replaced in place, with an answer in its thread that says why; one that
    no longer holds is withdrawn the same way.

    Args:
        connection: the transaction that records the night.
        attach: the page goes along as a file, since nothing says where pages are served.
    """
    key = f"alert/{row.service}/{row.night.isoformat()}"
    path = row.page_path.removeprefix("pages/")
    told = outbox.message_of(connection, key)
    if story.state in LOUD:
        digest.remove_line(connection, row.service, row.night)
        said = _text(message.alert(page, story, service, path, told_on=row.recorded_at.date()))
        if told is None:
            outbox.put(connection, _row(key, service, row, said))
        else:
            _replace(connection, service, page, row, told, said)
        if attach and not service.page_base_url:
            outbox.put(connection, _file(f"{key}/page-{row.content_sha[:12]}", key, service, row))
        return
    if told is not None:
        calm = message.withdrawn(page, service, path, told_on=row.recorded_at.date())
        _replace(connection, service, page, row, told, _text(calm))
    line = morning_line(page, story, row.moved)
    if line:
        digest.put_line(connection, _line(service, row, line, message.page_url(service, path)))
    else:
        digest.remove_line(connection, row.service, row.night)


def mornings(state: State, now: datetime) -> list[str]:
    """Gather the lines whose morning has come into messages; returns their keys.

    Lines of the same channel and owner stand in one message, if they are of the same language and agree on what
    becomes of a message that may have arrived.
    """
    keys = []
    with writing(state) as connection:
        lines = sorted(digest.due_lines(connection, now), key=_together)  # stable: in the order they came
        for (channel, owner, language, unknown), group in groupby(lines, key=_together):
            gathered = list(group)
            due_at = max(line.due_at for line in gathered)
            key = _morning_key(connection, channel, owner, due_at)
            payload = _morning(gathered, language, due_at)
            row = MessageRow(key, "morning", "", channel, payload, due_at, recorded_at=now, unknown=unknown)
            outbox.put(connection, row)
            digest.gather(connection, gathered, key)
            keys.append(key)
    return keys


def _replace(
    connection: Connection, service: Service, page: NightPage, row: NightRow, told: MessageRow, said: str
) -> None:
    """Let a message say something else: before it was sent, or by an update of it in the channel."""
    if outbox.latest_payload(connection, told.key) == said or outbox.amend(connection, told.key, said):
        return
    stem = f"{told.key}/revision-{row.revision}"
    outbox.put(connection, _row(stem, service, row, said, action="update", about=told.key))
    if row.revision > 1:
        why = _text(message.revised(page))
        outbox.put(connection, _row(f"{stem}/why", service, row, why, action="reply", about=told.key))


def _row(
    key: str, service: Service, row: NightRow, payload: str, action: outbox.Action = "post", about: str = ""
) -> MessageRow:
    return MessageRow(
        key=key,
        kind="alert",
        service=service.service,
        channel=service.slack,
        payload=payload,
        due_at=row.recorded_at,
        recorded_at=row.recorded_at,
        night=row.night,
        action=action,
        about=about,
        unknown=service.slack_unknown,
    )


def _file(key: str, about: str, service: Service, row: NightRow) -> MessageRow:
    name = f"{row.service}-{row.night.isoformat()}-{row.content_sha[:8]}.html"
    payload = canonical_json(
        {"path": row.page_path, "name": name, "title": f"{row.service} {row.night.isoformat()}"}
    )
    return _row(key, service, row, payload.decode(), action="file", about=about)


def _line(service: Service, row: NightRow, line: str, url: str) -> LineRow:
    zone = ZoneInfo(service.time_zone)
    due = datetime.combine(row.night + timedelta(days=1), time.fromisoformat(service.morning_at), tzinfo=zone)
    said = {"line": line, "url": url, "language": service.language, "unknown": service.slack_unknown}
    return LineRow(
        service=row.service,
        night=row.night,
        channel=service.slack,
        owner=service.mention or service.owner,
        line=canonical_json(said).decode(),
        due_at=due,
        recorded_at=row.recorded_at,
    )


def _together(line: LineRow) -> tuple[str, str, str, Unknown]:
    said = json.loads(line.line)
    return line.channel, line.owner, said["language"], said["unknown"]


def _morning(lines: list[LineRow], language: str, due_at: datetime) -> str:
    said = [json.loads(line.line) for line in lines]
    rows = [
        (line.service, line.night, each["line"], each["url"]) for line, each in zip(lines, said, strict=True)
    ]
    return _text(message.morning(rows, language, due_at.date()))


def _morning_key(connection: Connection, channel: str, owner: str, due_at: datetime) -> str:
    """A key that no message has: lines that came after their morning's message make another one."""
    whose = re.sub(r"[^a-z0-9]+", "-", f"{channel} {owner}".lower()).strip("-")
    tag = hashlib.sha256(f"{channel}\x1f{owner}".encode()).hexdigest()[:8]
    stem = f"morning/{due_at.date().isoformat()}/{whose[:60]}-{tag}"
    taken = (f"{stem}/{n}" if n > 1 else stem for n in range(1, 1000))
    return next(key for key in taken if outbox.message_of(connection, key) is None)


def _text(payload: Payload) -> str:
    return canonical_json(payload).decode()
