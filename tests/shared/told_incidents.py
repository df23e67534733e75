"""A state in which nights of a service moved and were told: what tests of answers begin with."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from judged_series import service as _service
from monitoring import stands
from monitoring.records import OF
from monitoring.thread_rows import key_of
from services.model import Service
from store import outbox
from store.incidents import AnswerRow, IncidentRow, MoveRow, incident_of, keep_incident
from store.ledger import NightRow, record_night
from store.outbox import MessageRow
from store.references import ReferenceRow, add_reference
from store.state import State, reading, writing

FIRST = date(2026, 5, 10)
PART = f"city{OF}Recife"


def service(**more: Any) -> Service:
    """The service whose nights they are."""
    return _service(**more)


def night_after(days: int) -> date:
    """A night so many days after the first."""
    return FIRST + timedelta(days=days)


def morning_after(days: int) -> datetime:
    """When people have read of that night."""
    return datetime.combine(night_after(days + 1), time(9), tzinfo=UTC)


def moved(measure: str = "errors", floors: float = 5.0, feature: str = "", part: str = "") -> MoveRow:
    """A finding that chance does not explain."""
    return MoveRow(
        measure, feature, part, "tonight", floors, 0.0, 0.0, 1.0 if not part else 0.3, 0.0, up=True
    )


def judge(state: State, its: Service, days: int, *rows: MoveRow) -> list[IncidentRow]:
    """Record what moved on a night, and let the incidents follow it."""
    day, at = night_after(days), morning_after(days)
    with writing(state) as connection:
        reference = ReferenceRow(its.service, "v1", "aaa", "training", at, at, 10, 10, "", "{}", at)
        known = add_reference(connection, reference).id
        row = NightRow(its.service, day, f"n{days}", at, at, known, 5, 5, at)
        record_night(connection, row, {"kept": 5}, moved=rows)
        stood = stands.read(connection, its)
        return stands.keep(connection, stood, stood.now(), at)


def tell(state: State, its: Service, number: int, *, sent: bool = True) -> MessageRow:
    """Put the first message of an incident, and let it be in its channel."""
    now = morning_after(0)
    with writing(state) as connection:
        mine = incident_of(connection, its.service, number)
        assert mine is not None
        nights = {mine.last.isoformat(): {"change": "", "more": 120, "points": None}}
        known = {
            "headline": "half of all requests failed",
            "noun": "requests",
            "measure": "errors",
            "nights": nights,
        }
        keep_incident(connection, _told(mine, json.dumps(known)))
        root = MessageRow(
            key_of(its.service, number), "incident", its.service, its.slack, '{"blocks":[],"text":"half failed"}',
            now, now, mine.last,
        )  # fmt: skip
        assert outbox.put(connection, root)
        if not sent:
            return root
        return outbox.settle(connection, root, "sent", now=now, channel_id="C0SHOP00000", ts="1.0001")


def _told(mine: IncidentRow, detail: str) -> IncidentRow:
    return IncidentRow(**(vars(mine) | {"told": "post", "detail": detail}))


def said(what: Any, days: int, by: str = "ana", **more: Any) -> AnswerRow:
    """What somebody said on the morning after a night."""
    plain = {
        "number": 1,
        "source": "command",
        "key": f"command/{what}/{by}/{days}",
        "at": morning_after(days),
    }
    return AnswerRow(service="shop", what=what, by=by, **(plain | more))


def thread(state: State, number: int = 1) -> list[tuple[str, str]]:
    """What was put below an incident's first message: action and text."""
    with reading(state) as connection:
        rows = outbox.thread_of(connection, key_of("shop", number))
    return [(row.action, json.loads(row.payload)["text"]) for row in rows[1:]]
