"""The support assistant and one of its nights, whose page is a fixture: `changed` or `quiet`."""

from __future__ import annotations

from datetime import UTC, date, datetime

from monitoring import enqueue
from monitoring.explain import explain
from monitoring.message import Payload
from monitoring.records import NightPage
from services.model import Service
from store import outbox
from store.ledger import NightRow
from store.outbox import MessageRow
from store.state import State, reading, writing

NIGHT = date(2026, 5, 12)
NOW = datetime(2026, 5, 13, 5, 30, tzinfo=UTC)
MORNING = datetime(2026, 5, 13, 11, tzinfo=UTC)  # 08:00 in São Paulo
SERVICE = Service.model_construct(
    service="support_assistant", owner="@assist-team", mention="", runbook="", page_base_url="", language="en",
    time_zone="America/Sao_Paulo", slack="#assist", slack_unknown="hold", morning_at="08:00",
)  # fmt: skip
ROW = NightRow(
    "support_assistant", NIGHT, "c0ffee" * 5, NOW, NOW, 1, 18_166, 18_120, NOW, moved=4, revision=1,
    page_path="pages/support_assistant/2026-05-12.html",
)  # fmt: skip
KEY = "alert/support_assistant/2026-05-12"


def tell(
    state: State,
    page: NightPage,
    row: NightRow = ROW,
    *,
    tell: bool = True,
    attach: bool = False,
    **given: str,
) -> list[str]:
    """Put what a night has to say; the keys of what was taken back."""
    service = SERVICE.model_copy(update=given)
    with writing(state) as connection:
        gone = enqueue.night(connection, service, page, explain(page), row, attach=attach, tell=tell)
    return [each.key for each in gone]


def messages(state: State, service: str = "support_assistant") -> list[MessageRow]:
    """Everything in the outbox that is of a service; `''` for what is of several."""
    with reading(state) as connection:
        return outbox.messages_of(connection, service)


def texts(payload: Payload) -> list[str]:
    """The blocks' texts."""
    return [block["text"]["text"] for block in payload["blocks"]]
