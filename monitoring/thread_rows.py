"""The messages of a thread as rows of the outbox: how they are named, when they are due, what ends them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from monitoring import thread_words
from monitoring.incident import ROWS
from monitoring.records import NightPage
from monitoring.standing import is_measured
from monitoring.stands import keys_of
from services.model import Service
from store import outbox
from store.canonical import canonical_json
from store.incidents import IncidentRow
from store.ledger import NightRow
from store.outbox import MessageRow
from store.state import Connection

KIND = "incident"
BACK = "/back"
"""The key of what takes an end back ends so."""


@dataclass(frozen=True)
class Night:
    """What a night hands to its threads.

    Attributes:
        rows: all incidents of the service as they stand after its last night.
        charts: number -> place in the lake of a picture of the incident's number.
        judged: how many nights were judged before this one; `backtested` whether a backtest was recorded.
        tell: whether anything new is said. If not, only what may not have reached anybody is made true.
        revised: whether this is a new revision; if not, its page was lost and tells something else since.
        attach: the page goes along as a file, since nothing says where pages are served.
        wake: whether there is a webhook that critical incidents go to as well.
    """

    service: Service
    page: NightPage
    row: NightRow
    rows: Mapping[int, IncidentRow]
    charts: Mapping[int, str]
    judged: int
    backtested: bool
    tell: bool = True
    revised: bool = True
    attach: bool = False
    wake: bool = False


def key_of(service: str, number: int) -> str:
    """The key of an incident's first message."""
    return f"incident/{service}/{number}"


def close(
    connection: Connection,
    service: Service,
    mine: IncidentRow,
    night: date,
    at: datetime,
    end: thread_words.End | None = None,
    page: NightPage | None = None,
) -> bool:
    """Let the thread of an incident that is over say so, and what it cost; once for each end.

    Args:
        end: who said that it is over; None if it was not seen for some nights.
        page: the night on which that was found.

    Returns:
        Whether its thread was told; if not, it knows, or has no message that anybody can have got.
    """
    key = key_of(mine.service, mine.number)
    thread = outbox.thread_of(connection, key)
    stem = f"{key}/over-{mine.resolved}"
    said = [each.key for each in thread if each.action in {"post", "update"}]
    if not said or (said[-1].startswith(stem) and not said[-1].endswith(BACK)):
        return False
    known = json.loads(mine.detail or "{}")
    root, cost = thread_words.resolved(
        service, mine.number, mine.last, known, end, nights=mine.seen, over=_over(mine, page)
    )
    if json.loads(outbox.latest_payload(connection, key)).get("text") == root["text"]:
        return False  # it was put like this before anybody got it
    if outbox.amend(connection, key, text_of(root), channel=service.slack, unknown=service.slack_unknown):
        return False  # nobody got it: they hear of it once, with its end
    update = message_row(
        free(connection, stem),
        text_of(root),
        service=service,
        night=night,
        at=at,
        action="update",
        about=thread[0],
    )
    outbox.put(connection, update)
    outbox.put(connection, replace(update, key=f"{update.key}/cost", payload=text_of(cost), action="reply"))
    return True


def _over(mine: IncidentRow, page: NightPage | None) -> thread_words.Over:
    """What ended by itself: a column that was gone is there again, or it is not looked for any more."""
    columns = {key.feature for key in keys_of(mine) if key.measure == "schema"} - {ROWS}
    if mine.measure != "schema" or not columns or page is None:
        return "unseen"
    return "measured" if all(is_measured(page, name) for name in columns) else "usual"


def open_again(connection: Connection, service: Service, before: IncidentRow, at: datetime) -> None:
    """Let the message of an incident whose end was taken back say again what it said before that end.

    Args:
        before: the incident as it was, resolved.
    """
    key = key_of(before.service, before.number)
    thread = outbox.thread_of(connection, key)
    stem = f"{key}/over-{before.resolved}"
    said = [each for each in thread if each.action in {"post", "update"}]
    if said and said[-1].key.startswith(stem) and not said[-1].key.endswith(BACK):
        held = [each for each in said if not each.key.startswith(stem)][-1]
        row = message_row(
            f"{said[-1].key}{BACK}",
            held.payload,
            service=service,
            night=before.last,
            at=at,
            action="update",
            about=thread[0],
        )
        outbox.put(connection, row)


def replace_root(
    connection: Connection,
    service: Service,
    row: NightRow,
    key: str,
    said: str,
    stem: str,
    *,
    withdrawn: bool = False,
) -> bool:
    """Let an incident's message say something else; False if it says that already, or is not there."""
    about = outbox.message_of(connection, key)
    if about is None or outbox.latest_payload(connection, key) == said:
        return False
    update = message_row(
        free(connection, stem),
        said,
        service=service,
        night=row.night,
        at=row.recorded_at,
        kind=outbox.WITHDRAWN if withdrawn else KIND,
        action="update",
        about=about,
    )
    return outbox.put(connection, update)


def row_of(
    night: Night, key: str, payload: str, *, due_at: datetime | None = None, **given: Any
) -> MessageRow:
    made = message_row(
        key, payload, service=night.service, night=night.row.night, at=night.row.recorded_at, **given
    )
    return replace(made, due_at=due_at) if due_at is not None else made


def message_row(
    key: str,
    payload: str,
    *,
    service: Service,
    night: date,
    at: datetime,
    kind: str = KIND,
    action: outbox.Action = "post",
    about: MessageRow | None = None,
) -> MessageRow:
    """A message; one that belongs to a post is where the post is and due with it, whatever the service file says since."""
    return MessageRow(
        key=key,
        kind=kind if action != "page" else "page",
        service=service.service,
        channel=about.channel if about is not None else service.slack,
        payload=payload,
        due_at=max(at, about.due_at) if about is not None else at,
        recorded_at=at,
        night=night,
        action=action,
        about=about.key if about is not None else "",
        unknown=service.slack_unknown,
    )


def free(connection: Connection, stem: str) -> str:
    """The first key of this stem that no message has."""
    keys = (f"{stem}/{n}" if n > 1 else stem for n in range(1, 1000))
    return next(key for key in keys if outbox.message_of(connection, key) is None)


def text_of(payload: Mapping[str, Any]) -> str:
    return canonical_json(payload).decode()
