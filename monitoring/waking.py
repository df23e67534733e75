"""The shell of pages: critical incidents wake who is on call, once each time they open, and let them sleep when over."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

from monitoring import message, webhook
from monitoring.incident import IncidentLine
from monitoring.story import Story
from monitoring.telling import tell as tell_story
from monitoring.thread_rows import BACK, Night, free, message_row, row_of, text_of
from services.model import Service
from store import outbox
from store.incidents import IncidentRow
from store.outbox import MessageRow
from store.state import Connection


def wake(connection: Connection, night: Night, line: IncidentLine, story: Story, mine: IncidentRow) -> None:
    """Let a critical incident wake who is on call, once each time it opens."""
    if not (night.wake and night.service.webhook and night.tell and mine.severity == "critical"):
        return
    told = tell_story(night.page, story)
    key = f"page/{mine.service}/{mine.number}"
    body = webhook.event(
        "trigger",
        f"ronda/{mine.service}/{mine.number}",
        f"{mine.service}: {told.headline} ({told.change})"
        if told.change
        else f"{mine.service}: {told.headline}",
        mine.severity,
        mine.service,
        night.row.recorded_at,
        {
            "how much": f"{told.change} {told.much}".strip(),
            "where": told.where,
            "since": told.since,
            "first step": told.do,
        },
        message.page_url(night.service, night.row.page_path.removeprefix("pages/")) or night.row.page_path,
    )
    row = row_of(night, _opening(key, line.reopened), text_of(body), action="page")
    if not outbox.put(connection, row):
        outbox.amend(connection, row.key, row.payload, channel=row.channel, unknown=row.unknown)


def lie_down(
    connection: Connection, service: Service, mine: IncidentRow, night: date, at: datetime
) -> list[MessageRow]:
    """Let the webhook know that an incident it was told of is over, or was none; nothing if it was not told.

    Returns:
        The page that was taken back, since nobody was woken by it yet.
    """
    key = f"page/{mine.service}/{mine.number}"
    gone = outbox.take_back(connection, _opening(key, mine.reopened))
    woke = any(
        outbox.message_of(connection, _opening(key, times)) is not None for times in range(mine.reopened + 1)
    )
    if gone or not woke:
        return gone
    body = webhook.event(
        "resolve", f"ronda/{mine.service}/{mine.number}", f"{mine.service}: #{mine.number}", mine.severity,
        mine.service, at, {},
    )  # fmt: skip
    stem = f"{key}/gone" if mine.state == "withdrawn" else f"{key}/over-{mine.resolved}"
    last = _last_end(connection, stem)
    if last and outbox.message_of(connection, last + BACK) is not None:
        gone = outbox.take_back(connection, last + BACK)
        if gone:  # it did not ring again yet
            return gone
        last = ""
    if not last:
        end = free(connection, stem)
        outbox.put(
            connection, message_row(end, text_of(body), service=service, night=night, at=at, action="page")
        )
    return []


def wake_again(
    connection: Connection, service: Service, before: IncidentRow, mine: IncidentRow, at: datetime
) -> list[MessageRow]:
    """Let the pager ring again for a critical incident whose end was taken back, under the key that it knows.

    Args:
        before: the incident as it was, over.

    Returns:
        What would have told the pager of that end, and was taken back, since it did not hear of it.
    """
    if not service.webhook or mine.severity != "critical" or mine.state == "muted" or mine.told != "post":
        return []
    opened = _opening(f"page/{mine.service}/{mine.number}", mine.reopened)
    known = outbox.message_of(connection, opened)
    end = _last_end(connection, f"page/{mine.service}/{mine.number}/over-{before.resolved}")
    if not end and known is not None:
        return []  # it was not told of any end
    gone = outbox.take_back(connection, end) if end else []
    if gone:
        return gone
    body = _event_again(mine, known, at)
    key = end + BACK if end else opened
    outbox.put(
        connection, message_row(key, text_of(body), service=service, night=mine.last, at=at, action="page")
    )
    return []


def _event_again(mine: IncidentRow, known: MessageRow | None, at: datetime) -> dict[str, Any]:
    """What rang when the incident opened, as of now; in short, where that was taken back before it did."""
    if known is not None:
        body: dict[str, Any] = json.loads(known.payload)
        return {**body, "payload": {**body["payload"], "timestamp": at.isoformat()}}
    headline = json.loads(mine.detail or "{}").get("headline", "")
    summary = f"{mine.service}: {headline}" if headline else f"{mine.service}: #{mine.number}"
    name = f"ronda/{mine.service}/{mine.number}"
    return webhook.event("trigger", name, summary, mine.severity, mine.service, at, {})


def _last_end(connection: Connection, stem: str) -> str:
    """The key of the last event of this stem that told the pager of an end; empty if there is none."""
    last, n = "", 1
    while outbox.message_of(connection, key := f"{stem}/{n}" if n > 1 else stem) is not None:
        last, n = key, n + 1
    return last


def _opening(key: str, reopened: int) -> str:
    return f"{key}/{reopened}" if reopened else key
