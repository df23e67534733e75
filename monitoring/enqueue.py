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
    connection: Connection,
    service: Service,
    page: NightPage,
    story: Story,
    row: NightRow,
    *,
    attach: bool,
    tell: bool = True,
    revised: bool = True,
) -> list[MessageRow]:
    """Put into the outbox what a night has to say now, or a line for the morning, or nothing.

    An alert that was told already is replaced in place, with an answer in its thread that says why; one that
    no longer holds is withdrawn the same way. One that nobody got is amended, or taken back: to withdraw what
    was never said would be the first that people hear of it.

    Args:
        connection: the transaction that records the night.
        attach: the page goes along as a file, since nothing says where pages are served.
        tell: whether anything new is said. If not, only what may not have reached anybody is made true.
        revised: whether this is a new revision; if not, its page was lost and tells something else since.

    Returns:
        The messages that were taken back.
    """
    path = row.page_path.removeprefix("pages/")
    line = "" if story.state in LOUD else morning_line(page, story, row.moved)
    url = message.page_url(service, path)
    return _in_the_morning(connection, service, row, line, url, tell=tell) + _alert(
        connection, service, page, story, row, attach=attach, tell=tell, revised=revised
    )


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


def _alert(
    connection: Connection,
    service: Service,
    page: NightPage,
    story: Story,
    row: NightRow,
    *,
    attach: bool,
    tell: bool,
    revised: bool,
) -> list[MessageRow]:
    key = f"alert/{row.service}/{row.night.isoformat()}"
    loud = story.state in LOUD
    told = outbox.message_of(connection, key)
    if told is None:
        if not (loud and tell):
            return []
        outbox.put(connection, _row(key, service, row, _said(service, page, story, row, row.recorded_at)))
    elif (nobody_got_it := outbox.hold(connection, key)) and not loud:
        return outbox.take_back(connection, key)
    elif not tell and told.state in {"sent", "written"}:
        return []
    else:
        heard_at = row.recorded_at if nobody_got_it else told.recorded_at
        why = _text(message.revised(page)) if tell and revised and row.revision > 1 else ""
        said = _said(service, page, story, row, heard_at)
        _replace(connection, service, row, told, said, why, kind="alert" if loud else outbox.WITHDRAWN)
    if not loud or not attach or service.page_base_url:
        return []
    # the page's place holds its newest content: a file that waits would be the same under an older name
    older = outbox.take_back_files(connection, key)
    post = outbox.message_of(connection, key)
    if post is not None:
        outbox.put(connection, _file(post, service, row))
    return older


def _said(service: Service, page: NightPage, story: Story, row: NightRow, heard_at: datetime) -> str:
    """The alert of a loud night, or what takes it back; `heard_at` is when people hear, or heard, of it first."""
    path, told_on = row.page_path.removeprefix("pages/"), heard_at.date()
    if story.state in LOUD:
        return _text(message.alert(page, story, service, path, told_on=told_on))
    return _text(message.withdrawn(page, service, path, told_on=told_on))


def _replace(
    connection: Connection,
    service: Service,
    row: NightRow,
    told: MessageRow,
    said: str,
    why: str,
    *,
    kind: str,
) -> None:
    """Let a message say something else: before it was sent, or by an update of it in the channel."""
    if outbox.amend(connection, told.key, said, channel=service.slack, unknown=service.slack_unknown):
        return
    if outbox.latest_payload(connection, told.key) == said:
        return
    stem = _free(connection, f"{told.key}/revision-{row.revision}")
    outbox.put(connection, _row(stem, service, row, said, kind=kind, action="update", about=told))
    if why:
        outbox.put(connection, _row(f"{stem}/why", service, row, why, action="reply", about=told))


def _row(
    key: str,
    service: Service,
    row: NightRow,
    payload: str,
    *,
    kind: str = "alert",
    action: outbox.Action = "post",
    about: MessageRow | None = None,
) -> MessageRow:
    """A message; one that belongs to a post is where the post is, whatever the service file says since."""
    return MessageRow(
        key=key,
        kind=kind,
        service=service.service,
        channel=about.channel if about is not None else service.slack,
        payload=payload,
        due_at=row.recorded_at,
        recorded_at=row.recorded_at,
        night=row.night,
        action=action,
        about=about.key if about is not None else "",
        unknown=service.slack_unknown,
    )


def _file(about: MessageRow, service: Service, row: NightRow) -> MessageRow:
    sha = row.page_sha or row.content_sha
    name = f"{row.service}-{row.night.isoformat()}-{sha[:8]}.html"
    payload = canonical_json(
        {"path": row.page_path, "name": name, "title": f"{row.service} {row.night.isoformat()}"}
    )
    key = f"{about.key}/page-{sha[:12]}"
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


def _morning(lines: list[LineRow], language: str, now: datetime) -> str:
    said = [json.loads(line.line) for line in lines]
    rows = [
        (line.service, line.night, each["line"], each["url"]) for line, each in zip(lines, said, strict=True)
    ]
    return _text(message.morning(rows, language, now.date()))


def _morning_key(connection: Connection, channel: str, owner: str, due_at: datetime) -> str:
    """A key that no message has: lines that came after their morning's message make another one."""
    whose = re.sub(r"[^a-z0-9]+", "-", f"{channel} {owner}".lower()).strip("-")
    tag = hashlib.sha256(f"{channel}\x1f{owner}".encode()).hexdigest()[:8]
    stem = f"morning/{due_at.date().isoformat()}/{whose[:60]}-{tag}"
    return _free(connection, stem)


def _free(connection: Connection, stem: str) -> str:
    """The first key of this stem that no message has."""
    keys = (f"{stem}/{n}" if n > 1 else stem for n in range(1, 1000))
    return next(key for key in keys if outbox.message_of(connection, key) is None)


def _text(payload: Payload) -> str:
    return canonical_json(payload).decode()
