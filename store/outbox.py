"""Messages to people: each is recorded before it is sent, under a key of its own, and never forgotten.

A message waits, is claimed (`sending`) before Slack is called, and settled after: `sent`, `refused`, or `unknown`
when no answer came. One that is found `sending` at the start of a run lost its sender. `held` may have arrived,
could not be looked for and must not be repeated; `written` went to a file, since there is no token.

What is surely in no channel can still say something else, go elsewhere, or be taken back: its row is deleted then.
The revisions of the night it told are the record of that: they say what the night was, and what it is since.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

import sqlalchemy as sa

from services.errors import StateError
from store import rows
from store.tables import messages

Action = Literal["post", "reply", "update", "file", "page"]
Unknown = Literal["repeat", "hold"]
State = Literal["waiting", "sending", "unknown", "held", "refused", "sent", "written"]

_NOT_SETTLED = ("waiting", "sending", "unknown", "held", "refused")
NOT_THERE = ("waiting", "refused")
"""States of a message that is surely in no channel and no file."""

WITHDRAWN = "withdrawn"
"""Kind of the update that takes an incident back."""

_UNDELIVERED = ("refused", "held", "unknown", "waiting")


@dataclass(frozen=True)
class MessageRow:
    """One message.

    Attributes:
        key: what it is, once and for all, such as `incident/flight_delay/7`. Nothing is put twice.
        kind: which sort of message, for lists.
        action: a `page` goes to the webhook that wakes people; it belongs to no post, and no post's channel is its.
        channel: where it goes, as the service file names it.
        payload: what it says, as canonical JSON: `text` and `blocks`, or of a file `path`, `name` and `title`.
        due_at: not sent before.
        about: key of the post that a reply, an update or a file belongs to.
        unknown: what becomes of it when it may have arrived and the channel cannot be read.
        error: what was wrong the last time, and what to do; empty if nothing was.
        channel_id: Slack's id of the channel, once it answered.
        ts: Slack's name of the message in its channel, once it answered.
        attempts: how often Slack was called.
        claimed_at: when it was last called.
        answered_at: when that call was over.
        id: 0 until it is recorded.
    """

    key: str
    kind: str
    service: str
    channel: str
    payload: str
    due_at: datetime
    recorded_at: datetime
    night: date | None = None
    action: Action = "post"
    about: str = ""
    unknown: Unknown = "repeat"
    state: State = "waiting"
    error: str = ""
    channel_id: str = ""
    ts: str = ""
    attempts: int = 0
    claimed_at: datetime | None = None
    answered_at: datetime | None = None
    id: int = 0


class TakenBackError(StateError):
    """The message was taken back since it was read: nobody got it, and what it said no longer holds."""


def put(connection: sa.Connection, row: MessageRow) -> bool:
    """Record a message to be sent; False if its key is taken, and then nothing is changed."""
    return rows.insert_unless_taken(connection, messages, rows.values_of(row), unique=("key",)) is not None


def amend(connection: sa.Connection, key: str, payload: str, *, channel: str, unknown: Unknown) -> bool:
    """Replace what a post says, and where it goes, if it is in no channel and no file yet; False if it may be.

    What Slack refused, or had no time for, is not there: people are told once, in the words that hold now, where
    the service file says now. What belongs to the post goes with it.
    """
    manner = {"channel": channel, "unknown": unknown}
    statement = sa.update(messages).where(messages.c.key == key, messages.c.state.in_(NOT_THERE))
    if not connection.execute(statement.values(payload=payload, **manner)).rowcount:
        return False
    connection.execute(sa.update(messages).where(messages.c.about == key).values(manner))
    return True


def hold(connection: sa.Connection, key: str) -> bool:
    """Whether a message is surely in no channel and no file; if so, nobody claims it before the transaction ends."""
    statement = sa.select(messages.c.id).where(messages.c.key == key, messages.c.state.in_(NOT_THERE))
    return connection.execute(statement.with_for_update()).first() is not None


def redirect(connection: sa.Connection, service: str, channel: str) -> int:
    """Let a service's posts that are in no channel go to this one, with what belongs to them; how many rows change."""
    post = messages.alias()
    posts = sa.select(post.c.key).where(
        post.c.service == service, post.c.action == "post", post.c.state.in_(NOT_THERE)
    )
    statement = sa.update(messages).where(
        messages.c.channel != channel, messages.c.key.in_(posts) | messages.c.about.in_(posts)
    )
    return connection.execute(statement.values(channel=channel)).rowcount


def take_back(connection: sa.Connection, key: str) -> list[MessageRow]:
    """Delete a post that nobody got, with all that belongs to it; returns what is gone: nothing if it may be there."""
    post = _delete(connection, messages.c.key == key, messages.c.state.in_(NOT_THERE))
    return post + (_delete(connection, messages.c.about == key) if post else [])


def take_back_files(connection: sa.Connection, key: str) -> list[MessageRow]:
    """Delete the files of a post that are not uploaded yet; returns them."""
    which = (messages.c.about == key, messages.c.action == "file", messages.c.state.in_(NOT_THERE))
    return _delete(connection, *which)


def renew(connection: sa.Connection, row: MessageRow) -> MessageRow | None:
    """Let a post that was looked for and is not in its channel say at once what its updates would make of it.

    Nobody saw the words before, so that neither the updates nor the answers that explain them are needed.

    Returns:
        The post; None if the last update withdraws it: then it is gone, with all that belongs to it.
    """
    about = messages.c.about == row.key
    updates = rows.fetch(
        connection, _select().where(about, messages.c.action == "update").order_by(messages.c.id), MessageRow
    )
    if not updates:
        return row
    _delete(connection, about, messages.c.action.in_(("update", "reply")))
    if updates[-1].kind == WITHDRAWN:
        _delete(connection, about | (messages.c.key == row.key))
        return None
    connection.execute(_update(row).values(payload=updates[-1].payload))
    return _again(connection, row)


def hasten(connection: sa.Connection, key: str, due_at: datetime) -> None:
    """Let a post that nobody got, with all that belongs to it, be due by this time at the latest."""
    if hold(connection, key):
        which = (messages.c.key == key) | (messages.c.about == key)
        statement = sa.update(messages).where(which, messages.c.due_at > due_at)
        connection.execute(statement.values(due_at=due_at))


def thread_of(connection: sa.Connection, key: str) -> list[MessageRow]:
    """A post and all that belongs to it, in the order they were recorded; nothing if there is no such post."""
    which = (messages.c.key == key) | (messages.c.about == key)
    return rows.fetch(connection, _select().where(which).order_by(messages.c.id), MessageRow)


def message_of(connection: sa.Connection, key: str) -> MessageRow | None:
    """The message of a key, if there is one."""
    found = rows.fetch(connection, _select().where(messages.c.key == key), MessageRow)
    return next(iter(found), None)


def latest_payload(connection: sa.Connection, key: str) -> str:
    """What a post says after all its updates, whether they were sent or wait; empty if there is no such post."""
    is_it = sa.or_(messages.c.key == key, sa.and_(messages.c.about == key, messages.c.action == "update"))
    statement = sa.select(messages.c.payload).where(is_it).order_by(messages.c.id.desc()).limit(1)
    return connection.execute(statement).scalar() or ""


def due(connection: sa.Connection, now: datetime) -> list[MessageRow]:
    """What is to be sent, or looked for, or tried again at this time, in the order it was recorded."""
    return rows.fetch(
        connection,
        _select().where(messages.c.state.in_(_NOT_SETTLED), messages.c.due_at <= now).order_by(messages.c.id),
        MessageRow,
    )


def claim(connection: sa.Connection, row: MessageRow, now: datetime) -> MessageRow:
    """Say that Slack is about to be called; returns the message as it is sent.

    Its payload is read here and not before: from now on `amend` is too late.

    Raises:
        TakenBackError: it was taken back.
        StateError: the message is lost.
    """
    claimed = {"state": "sending", "attempts": messages.c.attempts + 1, "claimed_at": now}
    connection.execute(_update(row).values(claimed))
    return _again(connection, row)


def settle(
    connection: sa.Connection,
    row: MessageRow,
    state: State,
    *,
    now: datetime,
    error: str = "",
    channel_id: str = "",
    ts: str = "",
) -> MessageRow:
    """Record what became of a message; a channel or ts that is known stays. Returns the row as it is now.

    Raises:
        TakenBackError: it was taken back before Slack was called.
        StateError: the message is lost.
    """
    known = {name: value for name, value in (("channel_id", channel_id), ("ts", ts)) if value}
    connection.execute(_update(row).values(state=state, error=error, answered_at=now, **known))
    return _again(connection, row)


def note(connection: sa.Connection, row: MessageRow, error: str) -> MessageRow:
    """Record why nothing was done with a message, which keeps its state. Returns the row as it is now.

    Raises:
        TakenBackError: it was taken back.
        StateError: the message is lost.
    """
    connection.execute(_update(row).values(error=error))
    return _again(connection, row)


def undelivered(connection: sa.Connection, service: str | None = None) -> list[MessageRow]:
    """The messages that nobody can have read for sure, of one service or of all."""
    statement = _select().where(messages.c.state.in_(_UNDELIVERED))
    if service is not None:
        statement = statement.where(messages.c.service == service)
    return rows.fetch(connection, statement.order_by(messages.c.id), MessageRow)


def messages_of(connection: sa.Connection, service: str) -> list[MessageRow]:
    """All messages of a service, in the order they were recorded."""
    return rows.fetch(
        connection, _select().where(messages.c.service == service).order_by(messages.c.id), MessageRow
    )


def channel_id_of(connection: sa.Connection, channel: str) -> str:
    """The id that Slack last gave for this channel's name; empty if it never did.

    Only a post asks by that name: what belongs to one is sent to the id of the post's channel.
    """
    statement = (
        sa.select(messages.c.channel_id)
        .where(messages.c.channel == channel, messages.c.action == "post")
        .where(messages.c.channel_id != "", messages.c.state == "sent")
        .order_by(messages.c.answered_at.desc(), messages.c.id.desc())
        .limit(1)
    )
    return connection.execute(statement).scalar() or ""


def is_outdated(connection: sa.Connection, row: MessageRow) -> bool:
    """Whether a later update of the same post was sent already: this one would take it back."""
    statement = sa.select(messages.c.id).where(
        messages.c.about == row.about,
        messages.c.action == "update",
        messages.c.state == "sent",
        messages.c.id > row.id,
    )
    return connection.execute(statement.limit(1)).first() is not None


def _select() -> sa.Select[tuple[object, ...]]:
    return rows.select_as(messages, MessageRow)


def _update(row: MessageRow) -> sa.Update:
    return sa.update(messages).where(messages.c.key == row.key)


def _delete(connection: sa.Connection, *which: sa.ColumnElement[bool]) -> list[MessageRow]:
    statement = sa.delete(messages).where(*which).returning(*_select().selected_columns)
    return [MessageRow(*row) for row in connection.execute(statement)]


def _again(connection: sa.Connection, row: MessageRow) -> MessageRow:
    found = message_of(connection, row.key)
    if found is None and row.state in NOT_THERE:
        raise TakenBackError(f"The message {row.key} is no longer in the state: it was taken back.")
    if found is None:
        raise StateError(
            f"The message {row.key} is no longer in the state. Was the database replaced while ronda was sending?"
        )
    return found
