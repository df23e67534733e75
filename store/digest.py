"""What waits for the morning: one line for each service and night, until a message gathers it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from store import rows
from store.outbox import NOT_THERE
from store.tables import digest_lines, messages


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


def line_of(connection: sa.Connection, service: str, night: date) -> LineRow | None:
    """The line of a night, told or not, if there is one."""
    return next(iter(_lines(connection, _is(service, night))), None)


def lines_of(connection: sa.Connection, message_key: str) -> list[LineRow]:
    """The lines that a message tells, in the order it tells them."""
    return _lines(connection, digest_lines.c.message_key == message_key)


def lines_untold(connection: sa.Connection, service: str) -> list[LineRow]:
    """The lines of a service that nobody got: they wait, or stand in a message that is in no channel."""
    nowhere = sa.select(messages.c.key).where(messages.c.state.in_(NOT_THERE))
    waits = (digest_lines.c.message_key == "") | digest_lines.c.message_key.in_(nowhere)
    return _lines(connection, digest_lines.c.service == service, waits)


def release(connection: sa.Connection, row: LineRow, channel: str) -> None:
    """Let a line wait again, for a message in this channel; the caller makes anew the message that told it."""
    statement = sa.update(digest_lines).where(_is(row.service, row.night))
    connection.execute(statement.values(channel=channel, message_key=""))


def due_lines(connection: sa.Connection, now: datetime) -> list[LineRow]:
    """The lines whose morning has come, those of one message side by side."""
    return _lines(connection, digest_lines.c.message_key == "", digest_lines.c.due_at <= now)


def gather(connection: sa.Connection, lines: Iterable[LineRow], message_key: str) -> int:
    """Mark lines as told by a message; returns how many were.

    A line that was replaced since it was read is not marked: its new words are told the next time.
    """
    return sum(_mark(connection, row, message_key) for row in lines)


def _is(service: str, night: date) -> sa.ColumnElement[bool]:
    return (digest_lines.c.service == service) & (digest_lines.c.night == night)


def _lines(connection: sa.Connection, *which: sa.ColumnElement[bool]) -> list[LineRow]:
    columns = digest_lines.c
    order = (columns.channel, columns.owner, columns.due_at, columns.service, columns.night)
    return rows.fetch(
        connection, rows.select_as(digest_lines, LineRow).where(*which).order_by(*order), LineRow
    )


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
