"""The shell of pages: critical incidents wake who is on call, once each time they open, and let them sleep when over."""

from __future__ import annotations

from datetime import date, datetime

from monitoring import message, webhook
from monitoring.incident import IncidentLine
from monitoring.story import Story
from monitoring.telling import tell as tell_story
from monitoring.thread_rows import Night, message_row, row_of, text_of
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
    end = f"{key}/gone" if mine.state == "withdrawn" else f"{key}/over-{mine.resolved}"
    outbox.put(
        connection, message_row(end, text_of(body), service=service, night=night, at=at, action="page")
    )
    return []


def _opening(key: str, reopened: int) -> str:
    return f"{key}/{reopened}" if reopened else key
