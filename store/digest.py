"""What waits for the morning: one line for each service and night, until a message gathers it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from store import rows
from store.tables import digest_lines


@dataclass(frozen=True)
class LineRow:
    """One line of a morning's message.

    Attributes:
        channel: where it will be told.
        owner: whose services stand together.
        line: what it says.
        due_at: the morning it is for.
        message_key: the message that tells it; empty while it waits.
    """

    service: str
    night: date
    channel: str
    owner: str
    line: str
    due_at: datetime
    recorded_at: datetime
    message_key: str = ""


def put_line(connection: sa.Connection, row: LineRow) -> bool:
    """Record the line of a night, in place of one that still waits; False if a message tells it already."""
    statement = rows.insert(connection, digest_lines).values(**rows.values_of(row))
    changed = ("channel", "owner", "line", "due_at", "recorded_at", "message_key")
    put = statement.on_conflict_do_update(
        index_elements=["service", "night"],
        set_={name: statement.excluded[name] for name in changed},
        where=digest_lines.c.message_key == "",
    )
    return connection.execute(put.returning(digest_lines.c.service)).first() is not None


def remove_line(connection: sa.Connection, service: str, night: date) -> bool:
    """Take a line back that still waits; False if there is none."""
    statement = sa.delete(digest_lines).where(
        digest_lines.c.service == service, digest_lines.c.night == night, digest_lines.c.message_key == ""
    )
    return connection.execute(statement).rowcount > 0


def due_lines(connection: sa.Connection, now: datetime) -> list[LineRow]:
    """The lines whose morning has come, those of one message side by side."""
    columns = digest_lines.c
    statement = (
        rows.select_as(digest_lines, LineRow)
        .where(columns.message_key == "", columns.due_at <= now)
        .order_by(columns.channel, columns.owner, columns.due_at, columns.service, columns.night)
    )
    return rows.fetch(connection, statement, LineRow)


def gather(connection: sa.Connection, lines: Iterable[LineRow], message_key: str) -> int:
    """Mark lines as told by a message; returns how many were.

    A line that was replaced since it was read is not marked: its new words are told the next time.
    """
    return sum(_mark(connection, row, message_key) for row in lines)


def _mark(connection: sa.Connection, row: LineRow, message_key: str) -> int:
    columns = digest_lines.c
    statement = (
        sa.update(digest_lines)
        .where(
            columns.service == row.service,
            columns.night == row.night,
            columns.line == row.line,
            columns.message_key == "",
        )
        .values(message_key=message_key)
    )
    return connection.execute(statement).rowcount
