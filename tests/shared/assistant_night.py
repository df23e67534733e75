"""The support assistant and its nights, whose pages are fixtures: `changed` or `quiet`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from monitoring import enqueue, speaking, stands
from monitoring.explain import explain
from monitoring.incident import Answer
from monitoring.message import Payload
from monitoring.records import NightPage, NumberLine
from monitoring.stands import Stands
from monitoring.thread_rows import Night
from monitoring.verdicts.incidents import Key, Moved
from services.model import Service
from store import outbox
from store.incidents import IncidentRow, incidents_of
from store.ledger import NightRow
from store.outbox import MessageRow
from store.state import State, reading, writing

NIGHT = date(2026, 5, 12)
NOW = datetime(2026, 5, 13, 5, 30, tzinfo=UTC)
MORNING = datetime(2026, 5, 13, 11, tzinfo=UTC)  # 08:00 in São Paulo
SERVICE = Service.model_construct(
    service="support_assistant", owner="@assist-team", mention="", runbook="", page_base_url="", language="en",
    time_zone="America/Sao_Paulo", slack="#assist", slack_unknown="hold", morning_at="08:00",
    critical=("errors",), planned=(), budget=3, webhook=True,
)  # fmt: skip
ROW = NightRow(
    "support_assistant", NIGHT, "c0ffee" * 5, NOW, NOW, 1, 18_166, 18_120, NOW, moved=4, revision=1,
    page_path="pages/support_assistant/2026-05-12.html",
)  # fmt: skip
KEY = "incident/support_assistant/1"

Moves = dict[date, Sequence[Moved]]
"""What moved on each night that was told so far."""


def tell(
    state: State,
    page: NightPage,
    row: NightRow = ROW,
    *,
    moves: Moves | None = None,
    also: Sequence[Moved] = (),
    answers: Sequence[Answer] = (),
    night: Mapping[str, Any] | None = None,
    tell: bool = True,
    attach: bool = False,
    **given: Any,
) -> list[str]:
    """Put what a night has to say; the keys of what was taken back.

    Args:
        moves: what moved on the service's nights, in which this one is put; without it the night is its only one.
        also: what moved beside what the page shows.
        night: whatever else of `Night` is not as usual.
        given: what of the service is not as usual.
    """
    service = SERVICE.model_copy(update=given)
    nights = {} if moves is None else moves
    nights[row.night] = (*speaking.moves(page), *also)
    with writing(state) as connection:
        known = Stands(service, nights, tuple(answers), tuple(incidents_of(connection, service.service)))
        shown = replace(page, incidents=known.after(row.night, nights[row.night]).tonight)
        rows = stands.keep(connection, known, known.now(), row.recorded_at)
        plain: dict[str, Any] = {"charts": {}, "judged": 28, "backtested": False}
        its = Night(
            service=service,
            page=shown,
            row=row,
            rows={each.number: each for each in rows},
            tell=tell,
            attach=attach,
            **(plain | dict(night or {})),
        )
        gone = enqueue.night(connection, its, explain(shown))
    return [each.key for each in gone]


def page_on(page: NightPage, days: int, **given: Any) -> NightPage:
    """A page as it is so many days after its night."""
    later = timedelta(days=days)

    def moved(line: NumberLine) -> NumberLine:
        history = tuple((day + later, value) for day, value in line.history)
        return replace(line, of_night=line.of_night + later, history=history)

    return replace(page, night=page.night + later, numbers=tuple(map(moved, page.numbers)), **given)


def row_on(days: int, **given: Any) -> NightRow:
    """The night's row so many days later."""
    night = NIGHT + timedelta(days=days)
    page_path = f"pages/support_assistant/{night}.html"
    return replace(ROW, night=night, recorded_at=NOW + timedelta(days=days), page_path=page_path, **given)


def settle(state: State, as_: outbox.State = "sent") -> None:
    """As if Slack, and the webhook, had answered so to every message that waits."""
    with writing(state) as connection:
        for row in outbox.due(connection, NOW + timedelta(days=999)):
            claimed = outbox.claim(connection, row, NOW)
            outbox.settle(connection, claimed, as_, now=NOW, channel_id="C1", ts="1.1")


def messages(state: State, service: str = "support_assistant") -> list[MessageRow]:
    """Everything in the outbox that is of a service; `''` for what is of several."""
    with reading(state) as connection:
        return outbox.messages_of(connection, service)


def incidents(state: State) -> list[IncidentRow]:
    """The service's incidents as they are recorded."""
    with reading(state) as connection:
        return incidents_of(connection, "support_assistant")


def said(row: MessageRow) -> str:
    """What a notification of a message shows."""
    return str(json.loads(row.payload)["text"])


def texts(payload: Payload) -> list[str]:
    """The blocks' texts."""
    return [block["text"]["text"] for block in payload["blocks"]]


def moved(measure: str, feature: str = "", floors: float = 4.0) -> Moved:
    """A finding that needs no second night."""
    return Moved(Key(measure, feature, ""), "tonight", floors, 0.0, 0.0, 1.0, 0.0, up=True)


def only(page: NightPage, *names: str) -> NightPage:
    """A page without numbers that left their range but these."""
    kept = [line for line in page.numbers if line.name in names or line.name in {"prediction", "volume"}]
    return replace(page, numbers=tuple(kept))


def short(rows: Sequence[MessageRow], key: str = KEY) -> list[tuple[str, str]]:
    """Action of every message, and its key without the thread's."""
    return [(row.action, row.key.removeprefix(key)) for row in rows]


class Told:
    """Nights that are told one after another, each of them sent before the next."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.moves: Moves = {}

    def night(self, page: NightPage, days: int, *, revision: int = 1, **given: Any) -> list[MessageRow]:
        """Tell a night, again, and again after it was sent; what is new in the outbox."""
        before = {row.id for row in messages(self.state)}
        shown = page_on(page, days, revision=revision, changed="kept 9 → 12")
        for _ in range(2):
            tell(self.state, shown, row_on(days, revision=revision), moves=self.moves, **given)
        new = [row for row in messages(self.state) if row.id not in before]
        settle(self.state)
        tell(self.state, shown, row_on(days, revision=revision), moves=self.moves, **given)
        again = [row for row in messages(self.state) if row.id not in before]
        assert short(again) == short(new), "nothing twice"
        return new
