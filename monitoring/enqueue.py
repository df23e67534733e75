"""What a night, and a morning, have to say goes into the state beside what was found: both are kept, or neither.

Nothing is sent here; `monitoring.alert` does that, and can be killed anywhere.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from monitoring import message, thread_words, threads
from monitoring.morning import morning_line
from monitoring.standing import LOUD
from monitoring.story import Story
from monitoring.thread_rows import Night, free, text_of
from services.model import Service
from store import digest, outbox
from store.canonical import canonical_json
from store.digest import LineRow
from store.ledger import NightRow
from store.outbox import MessageRow, Unknown
from store.state import Connection, State, writing


def night(connection: Connection, night: Night, story: Story) -> list[MessageRow]:
    """Put into the outbox what a night has to say now: its incidents' messages, and a line for the morning.

    A message that was told already is replaced in place, with an answer in its thread that says why; one that
    no longer holds is withdrawn the same way. One that nobody got is amended, or taken back: to withdraw what
    was never said would be the first that people hear of it.

    Args:
        connection: the transaction that records the night.

    Returns:
        The messages that were taken back.
    """
    said = threads.follow(connection, night)
    words = thread_words.morning_words(night.page, said.waits)
    # inputs are told by their incidents where these are known: once, and not each morning that they stay moved
    inputs = night.row.moved if night.page.incidents is None else 0
    moved = "" if story.state in LOUD or words else morning_line(night.page, story, inputs)
    url = message.page_url(night.service, night.row.page_path.removeprefix("pages/"))
    waits = _in_the_morning(connection, night.service, night.row, words or moved, url, tell=night.tell)
    return waits + list(said.gone)


def follow(state: State, services: Iterable[Service], now: datetime) -> list[MessageRow]:
    """Let what nobody got yet go to the channel that each service file names today.

    Returns:
        The messages that were taken back, since their lines are gathered anew for another channel.
    """
    gone: list[MessageRow] = []
    with writing(state) as connection:
        for service in services:
            outbox.redirect(connection, service.service, service.slack)
            for line in digest.lines_untold(connection, service.service):
                key = line.message_key
                if line.channel != service.slack and (not key or outbox.hold(connection, key)):
                    digest.release(connection, line, service.slack)
                    gone += _make_anew(connection, key, now)
    return gone


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
            payload = _morning(gathered, language, now)
            row = MessageRow(key, "morning", "", channel, payload, due_at, recorded_at=now, unknown=unknown)
            outbox.put(connection, row)
            digest.gather(connection, gathered, key)
            keys.append(key)
    return keys


def _in_the_morning(
    connection: Connection, service: Service, row: NightRow, what: str, url: str, *, tell: bool
) -> list[MessageRow]:
    """Put a night's line for the morning in place of the one it had, in a message too that nobody got yet."""
    before = digest.line_of(connection, row.service, row.night)
    key = before.message_key if before is not None else ""
    if (before is None and not tell) or (key and not outbox.hold(connection, key)):
        return []
    if before is not None:
        digest.release(connection, before, before.channel)
    if what:
        line = _line(service, row, what, url)
        digest.put_line(connection, line)
        if before is not None and _together(before) == _together(line):
            digest.gather(connection, [line], key)
    else:
        digest.remove_line(connection, row.service, row.night)
    return _make_anew(connection, key, row.recorded_at)


def _make_anew(connection: Connection, key: str, now: datetime) -> list[MessageRow]:
    """Let a morning's message that nobody got say the lines it has now; it is taken back if none is left."""
    if not key:
        return []
    lines = digest.lines_of(connection, key)
    if not lines:
        return outbox.take_back(connection, key)
    channel, _, language, unknown = _together(lines[0])
    outbox.amend(connection, key, _morning(lines, language, now), channel=channel, unknown=unknown)
    return []


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


def _morning(lines: list[LineRow], language: str, now: datetime) -> str:
    said = [json.loads(line.line) for line in lines]
    rows = [
        (line.service, line.night, each["line"], each["url"]) for line, each in zip(lines, said, strict=True)
    ]
    return text_of(message.morning(rows, language, now.date()))


def _morning_key(connection: Connection, channel: str, owner: str, due_at: datetime) -> str:
    """A key that no message has: lines that came after their morning's message make another one."""
    whose = re.sub(r"[^a-z0-9]+", "-", f"{channel} {owner}".lower()).strip("-")
    tag = hashlib.sha256(f"{channel}\x1f{owner}".encode()).hexdigest()[:8]
    stem = f"morning/{due_at.date().isoformat()}/{whose[:60]}-{tag}"
    return free(connection, stem)
