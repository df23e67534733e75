"""One message on its way: claimed, sent, settled; and looked for in Slack where its answer was lost.

A page goes to the webhook instead, and is never looked for: like an update it is repeated without harm.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from monitoring import slack, webhook
from monitoring.slack import Answer, Bot, Found
from monitoring.webhook import Pager
from services.errors import StateError
from store import outbox
from store.lake import Lake
from store.outbox import MessageRow
from store.state import State, reading, writing

IN_DOUBT = {"sending", "unknown", "held"}
"""States of a message that may be in its channel."""

REPEATABLE = {"update", "page"}
"""Actions that are done once however often they are done."""

_POSTS = 3  # of one message in one run
_PAUSE = 5.0  # seconds before a call is tried again where Slack names no time
_SETTLING = timedelta(seconds=10)  # how long what Slack took may need to become visible
_SKEW = timedelta(minutes=1)  # by which our clock may be ahead of Slack's
_TRYING = timedelta(hours=1)  # after which a channel that cannot be looked at counts as unreadable
_MAYBE = "It may have arrived, and is looked for at the next run."
_STATES: Mapping[str, outbox.State] = {
    "sent": "sent",
    "again": "waiting",
    "unknown": "unknown",
    "refused": "refused",
    "stopped": "refused",
}


@dataclass
class Patience:
    """How long a run may still wait, all in all."""

    left: float
    sleep: Callable[[float], None]

    def wait(self, seconds: float) -> bool:
        """Sleep so long, or not at all if that is longer than what is left; whether it was."""
        if seconds > self.left:
            return False
        self.left -= seconds
        self.sleep(seconds)
        return True


@dataclass(frozen=True)
class Desk:
    """What sending takes: where messages are recorded, where files are, who speaks, whom pages wake, and time."""

    state: State
    lake: Lake
    bot: Bot
    pager: Pager
    clock: Callable[[], datetime]
    patience: Patience


@dataclass(frozen=True)
class Done:
    """A message after a run. `stop` is why no other message can be sent; empty if others can."""

    row: MessageRow
    stop: str = ""


def send(desk: Desk, row: MessageRow, parent: MessageRow | None) -> Done:
    """Send a message; one that may have arrived is looked for before anything is posted.

    Args:
        parent: the post that a reply, an update or a file belongs to; it has been sent.

    Raises:
        TakenBackError: it was taken back, or is not there and withdrawn by now.
        StateError: state or lake fail.
    """
    repeated = False
    for posts in range(_POSTS + 1):
        if row.state in IN_DOUBT:
            found = _look(desk, row, parent) if row.action not in REPEATABLE else Found("absent")
            if found.kind == "unreadable" and row.unknown == "repeat" and not repeated:
                repeated = True  # rather twice than never, and once a run
            elif found.kind != "absent":
                return _resolved(desk, row, found)
            elif row.action == "post":
                row = _renewed(desk, row)
        if posts == _POSTS:
            break
        row, answer = _try(desk, row, parent, in_doubt=repeated)
        if answer.kind != "unknown":
            return Done(row, answer.error if answer.kind == "stopped" else "")
        if row.action in REPEATABLE and not desk.patience.wait(_PAUSE):
            break
    return Done(row)


def content_of(row: MessageRow) -> dict[str, Any]:
    """What a message says; a payload that is no JSON object is said as it is, so that it cannot block the others."""
    try:
        content = json.loads(row.payload)
    except ValueError:
        content = None
    return content if isinstance(content, dict) else {"text": row.payload}


def _try(
    desk: Desk, row: MessageRow, parent: MessageRow | None, *, in_doubt: bool
) -> tuple[MessageRow, Answer]:
    """Call Slack, or the webhook, until it takes the message, refuses it, leaves it open or has no time for us.

    Args:
        in_doubt: an earlier copy may be there and could not be looked for; only an answer ends that.
    """
    tries = 0
    while True:
        tries += 1
        with writing(desk.state) as connection:
            row = outbox.claim(connection, row, desk.clock())
        answer = _call(desk, row, parent)
        state = "unknown" if in_doubt and answer.kind != "sent" else _STATES[answer.kind]
        if state == "unknown":
            answer = replace(answer, error=f"{_MAYBE} {answer.error}")
        row = _settle(desk, row, state, answer)
        may_retry = answer.kind == "again" and (answer.retry_after or tries < _POSTS)
        if not may_retry or not desk.patience.wait(answer.retry_after or _PAUSE):
            return row, answer


def _call(desk: Desk, row: MessageRow, parent: MessageRow | None) -> Answer:
    content = content_of(row)
    if row.action == "page":
        return webhook.trigger(desk.pager, content)
    if row.action == "post" or parent is None:
        return slack.post(desk.bot, row.key, row.channel, content)
    if row.action == "reply":
        return slack.post(desk.bot, row.key, parent.channel_id, content, parent.ts)
    if row.action == "update":
        return slack.update(desk.bot, parent.key, parent.channel_id, parent.ts, content)
    name, title = _file_name(content), str(content.get("title", ""))
    try:
        data = desk.lake.get(str(content.get("path", "")))
    except StateError as error:  # one file that is gone must not hold up the messages after it
        return Answer("refused", str(error))
    return slack.upload(desk.bot, parent.channel_id, parent.ts, name, title, data)


def _look(desk: Desk, row: MessageRow, parent: MessageRow | None) -> Found:
    """Look for a message, once what Slack took before has had the time to become visible."""
    last = max(filter(None, (row.claimed_at, row.answered_at)), default=row.recorded_at)
    rest = min(last + _SETTLING - desk.clock(), _SETTLING).total_seconds()
    if rest > 0 and not desk.patience.wait(rest):
        return Found("again", "There was no time left to look for it.")
    for tries in range(1, _POSTS + 1):
        found = _find(desk, row, parent)
        if found.kind != "again" or tries == _POSTS or not desk.patience.wait(found.retry_after or _PAUSE):
            break
    if found.kind == "again" and _claimed_at(row) + _TRYING < desk.clock():
        return Found("unreadable", found.error)
    return found


def _find(desk: Desk, row: MessageRow, parent: MessageRow | None) -> Found:
    since = _claimed_at(row) - _SKEW
    if parent is not None and row.action == "file":
        return slack.find_file(desk.bot, _file_name(content_of(row)), parent.channel_id, since, parent.ts)
    if parent is not None:
        return slack.find(desk.bot, row.key, parent.channel_id, since, parent.ts)
    with reading(desk.state) as connection:
        known = row.channel_id or outbox.channel_id_of(connection, row.channel)
    return slack.find(desk.bot, row.key, known or row.channel, since)


def _resolved(desk: Desk, row: MessageRow, found: Found) -> Done:
    """What a look came to when nothing is posted after it."""
    if found.kind == "found":
        return Done(_settle(desk, row, "sent", Answer("sent", "", found.channel_id, found.ts)))
    if found.kind == "stopped":
        return Done(
            _noted(desk, row, f"It may have arrived, and cannot be looked for. {found.error}"), found.error
        )
    if found.kind == "unreadable" and row.unknown == "hold":
        error = (
            f"It may have arrived, and the channel cannot be read. {found.error} It is looked for again at every run; "
            "`slack_unknown: repeat` in the service file would send it again instead."
        )
        return Done(_settle(desk, row, "held", Answer("unknown", error)))
    error = f"{_MAYBE} {found.error}"
    return Done(_settle(desk, row, "held" if row.state == "held" else "unknown", Answer("unknown", error)))


def _renewed(desk: Desk, row: MessageRow) -> MessageRow:
    with writing(desk.state) as connection:
        renewed = outbox.renew(connection, row)
    if renewed is None:
        raise outbox.TakenBackError(f"The message {row.key} is not there, and what it said no longer holds.")
    return renewed


def _settle(desk: Desk, row: MessageRow, state: outbox.State, answer: Answer) -> MessageRow:
    with writing(desk.state) as connection:
        return outbox.settle(
            connection,
            row,
            state,
            now=desk.clock(),
            error=answer.error,
            channel_id=answer.channel_id,
            ts=answer.ts,
        )


def _noted(desk: Desk, row: MessageRow, error: str) -> MessageRow:
    with writing(desk.state) as connection:
        return outbox.note(connection, row, error)


def _claimed_at(row: MessageRow) -> datetime:
    """The earliest time at which a copy of the message can have been sent."""
    return row.claimed_at if row.claimed_at is not None and row.attempts <= 1 else row.recorded_at


def _file_name(content: Mapping[str, Any]) -> str:
    return str(content.get("name") or "file")
