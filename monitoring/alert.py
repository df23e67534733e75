"""The shell that tells people: what is due goes to Slack, each message once, or into files where there is no token.

Killed anywhere, it is simply run again. What is promised: a message that was put into the outbox is sent, or is
listed with a reason, for as long as what it says holds. It is sent once where the app may read the channel (`channels:history`, and
`groups:history` for private ones; for a channel that was never written to before also `channels:read`). Where it may
not, a message whose answer was lost is sent again, or held, as `slack_unknown` in the service file says.

Pages wake people through the webhook. They come first, with a short time of their own, so that neither they nor
Slack's messages wait for the other's trouble; those of one alarm stay in order.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from monitoring import copies
from monitoring.sending import IN_DOUBT, Desk, Done, Patience, content_of, send
from monitoring.slack import Bot
from monitoring.webhook import Pager
from services.home import Home
from store import outbox
from store.alone import alone
from store.lake import Lake
from store.outbox import MessageRow
from store.state import State, reading, writing

_ALONE = ("post", "page")  # actions that belong to no other message
_PAGES_WAIT = 60.0  # seconds at most that pages keep Slack's messages waiting, and a call under way


@dataclass(frozen=True)
class Delivery:
    """What became of one message.

    Attributes:
        state: `sent`, `written`, or why it is neither: `waiting`, `unknown`, `held`, `refused`, `sending`.
        error: what is wrong and what to do; empty if nothing is.
        place: the channel it is in, `webhook` for a page, or the file that shows it.
    """

    key: str
    kind: str
    service: str
    state: str
    error: str
    place: str


class Deliveries(list[Delivery]):
    """What became of each message that was due.

    `busy` says that another process was sending, so that nothing was done here: it takes what is due.
    """

    busy: bool = False


def deliver(
    state: State,
    lake: Lake,
    home: Home,
    clock: Callable[[], datetime],
    *,
    sleep: Callable[[float], None] = time.sleep,
    wait_seconds: float = 300.0,
    timeout: float = 10.0,
) -> Deliveries:
    """Send every message that is due, in the order they were recorded, and pages before all others.

    What Slack and the webhook do is told, and never raised.

    Args:
        sleep: how to wait.
        wait_seconds: for how long at most, all in all; what is left then waits for the next run. A call that
            hangs ends after `timeout`, and no other message is begun once the time is used up.
        timeout: seconds after which one call is given up.

    Raises:
        StateError: the state fails.
    """
    done = Deliveries()
    with alone(state, "messages") as is_ours:
        done.busy = not is_ours
        if not is_ours:
            return done
        bot = Bot(home.slack_token, home.slack_url, timeout)
        pager = Pager(home.webhook_url, home.webhook_key, timeout)
        desk = Desk(state, lake, bot, pager, clock, Patience(wait_seconds, sleep))
        with reading(state) as connection:
            due = outbox.due(connection, clock())
        pages = [row for row in due if row.action == "page"]
        rest = [row for row in due if row.action != "page"]
        for rows, seconds in ((pages, min(_PAGES_WAIT, wait_seconds)), (rest, wait_seconds)):
            own = replace(desk, patience=Patience(seconds, sleep))
            done.extend(_delivery(home, row) for row in _round(own, home, rows))
    return done


def _round(desk: Desk, home: Home, due: Sequence[MessageRow]) -> Iterator[MessageRow]:
    """Each message after it was tried, for as long as the desk's patience was at the beginning."""
    stop, began, seconds = "", desk.clock(), desk.patience.left
    behind: dict[str, MessageRow] = {}
    for row in due:
        if (desk.clock() - began).total_seconds() > seconds:
            return  # what is left waits for the next run, as does whoever started this one
        alarm = _alarm(row)
        try:
            each = _after(desk, row, behind[alarm]) if alarm in behind else _deliver(desk, home, row, stop)
        except outbox.TakenBackError:  # since the list was made; a revision of its night says why
            copies.remove(home, row)
            continue
        stop = each.stop or stop
        if alarm and each.row.state not in {"sent", "written"}:
            behind.setdefault(alarm, each.row)
        yield each.row


def _alarm(row: MessageRow) -> str:
    """What a page is about; empty for other messages. A page that is late must not open again what a later one closed."""
    return str(content_of(row).get("dedup_key") or "") if row.action == "page" else ""


def _after(desk: Desk, row: MessageRow, first: MessageRow) -> Done:
    return Done(_note(desk, row, f"It waits until {first.key} is sent, which is {first.state}."))


def _deliver(desk: Desk, home: Home, row: MessageRow, stop: str) -> Done:
    parent = _parent(desk.state, row)
    secret = home.webhook_key if row.action == "page" else home.slack_token
    if not secret or (parent is not None and parent.state == "written"):
        return Done(_write(desk, home, row))
    if stop:
        return Done(_put_aside(desk, home, row, stop))
    if row.action not in _ALONE and (parent is None or parent.state != "sent" or not parent.ts):
        stands = f"is {parent.state}" if parent is not None else "is not in the state"
        return Done(_note(desk, row, f"It waits until {row.about} is sent, which {stands}."))
    if row.action == "update" and _is_outdated(desk.state, row):
        error = "It was not sent: a later update of the same message was."
        sent = Done(_settle(desk, row, "sent", error))
    else:
        sent = send(desk, row, parent)
    if sent.row.state == "sent":
        copies.remove(home, row)
    elif sent.row.state == "refused" or sent.stop:
        return Done(_put_aside(desk, home, sent.row, sent.row.error), sent.stop)
    return sent


def _parent(state: State, row: MessageRow) -> MessageRow | None:
    if row.action in _ALONE:
        return None
    with reading(state) as connection:
        return outbox.message_of(connection, row.about)


def _is_outdated(state: State, row: MessageRow) -> bool:
    with reading(state) as connection:
        return outbox.is_outdated(connection, row)


def _write(desk: Desk, home: Home, row: MessageRow) -> MessageRow:
    """Let files stand for the message. One that may be in its channel stays in doubt: a token may come yet."""
    if row.state in IN_DOUBT and row.action != "page":
        error = "It may have arrived, and cannot be looked for: set RONDA_SLACK_TOKEN."
        return _put_aside(desk, home, row, error)
    try:
        with writing(
            desk.state
        ) as connection:  # settled first: what is written is what can no longer be amended
            written = outbox.settle(connection, row, "written", now=desk.clock())
            copies.put(home, written)
    except OSError as error:
        return _note(desk, row, _not_written(home, error))
    return written


def _put_aside(desk: Desk, home: Home, row: MessageRow, error: str) -> MessageRow:
    """Leave the message as it is, with the reason, and let files show what it says."""
    try:
        copies.put(home, row)
    except OSError as failed:
        error = f"{error} {_not_written(home, failed)}"
    return _note(desk, row, error)


def _not_written(home: Home, error: OSError) -> str:
    return (
        f"It cannot be written to {home.outbox}: {error.strerror or type(error).__name__}. Mend the folder."
    )


def _note(desk: Desk, row: MessageRow, error: str) -> MessageRow:
    with writing(desk.state) as connection:
        return outbox.note(connection, row, error)


def _settle(desk: Desk, row: MessageRow, state: outbox.State, error: str) -> MessageRow:
    with writing(desk.state) as connection:
        return outbox.settle(connection, row, state, now=desk.clock(), error=error)


def _delivery(home: Home, row: MessageRow) -> Delivery:
    sent = "webhook" if row.action == "page" else row.channel
    place = sent if row.state == "sent" else copies.place(home, row)
    return Delivery(row.key, row.kind, row.service, row.state, row.error, place)
