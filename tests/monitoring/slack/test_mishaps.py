"""Many nights on which everything goes wrong, drawn from seeds: each message is in the channel once."""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from typing import Any

import pytest

from store import outbox

POST = "chat.postMessage"
MISHAPS = [
    ("status", 500),
    ("stored_then_status", 500),
    ("stored_then_drop",),
    ("hang", 0.0),
    ("rate", 1),
    ("rate", 400),
    ("garbage",),
    ("error", "internal_error"),
    ("error", "restricted_action"),
    ("error", "token_revoked"),
    ("ok",),
]
READS = [("status", 500), ("rate", 2), ("garbage",), ("ok",), ("ok",), ("error", "token_revoked")]


class Killed(BaseException):
    """The process dies here."""


@pytest.mark.parametrize("seed", range(15))
def test_each_message_once(office: Any, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Posts and replies, through lost answers, refusals, limits, and deaths before anything was recorded."""
    draw = random.Random(seed)  # noqa: S311 - the same mishaps in every run
    settle = outbox.settle

    def die_or_settle(*arguments: Any, **named: Any) -> Any:
        if draw.random() < 0.25:
            raise Killed
        return settle(*arguments, **named)

    for n in range(3):
        office.put(f"post/{n}", f"post {n}")
        office.put(f"reply/{n}", f"reply {n}", action="reply", about=f"post/{n}")
    monkeypatch.setattr(outbox, "settle", die_or_settle)
    for _ in range(6):
        office.server.script(POST, *draw.choices(MISHAPS, k=3))
        for method in ("conversations.history", "conversations.replies"):
            office.server.script(method, *draw.choices(READS, k=2))
        with contextlib.suppress(Killed):
            office.deliver(wait_seconds=draw.choice([0, 40, 300]))
    monkeypatch.setattr(outbox, "settle", settle)
    office.server.scripted.clear()
    for _ in range(2):
        office.deliver()

    said = Counter(each["text"] for each in office.server.messages["C0ETAONCALL"])
    assert said == Counter(f"{kind} {n}" for kind in ("post", "reply") for n in range(3))
    for n in range(3):
        post = office.row(f"post/{n}")
        assert (post.state, [each["text"] for each in office.server.thread(post.ts)]) == (
            "sent",
            [f"reply {n}"],
        )
    assert office.deliver() == {}
    assert office.files == {}
