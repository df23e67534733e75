"""How long a run goes on: as often as Slack names a time, as long as it may, and never past what is in doubt."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from monitoring.slack_words import refusal

POST = "chat.postMessage"
KEY = "alert/flight_delay/2013-06-14"


def test_a_rate_limit_is_waited_out_as_often_as_there_is_time(office: Any) -> None:
    """Slack names a time each time, so that there is no limit but the run's own."""
    office.server.script(POST, *[("rate", 2)] * 6)
    office.put(KEY)

    assert office.deliver() == {KEY: "sent"}
    assert office.clock.slept == [2] * 6


def test_no_message_is_begun_after_the_time_is_used_up(office: Any) -> None:
    """Calls that hang use it up as waiting does; what is left is sent by the next run."""

    def slow(method: str, _: Any) -> None:
        office.clock.now += timedelta(seconds=20 if method == POST else 0)

    office.server.before_answer = slow
    for name in ("1", "2", "3"):
        office.put(name, name)

    assert office.deliver(wait_seconds=30) == {"1": "sent", "2": "sent"}
    assert office.row("3").state == "waiting"
    assert office.deliver(wait_seconds=30) == {"3": "sent"}
    assert office.texts == ["1", "2", "3"]


def test_a_held_message_stays_held_while_nobody_can_look(office: Any) -> None:
    """The channel may be read by now, only not at this moment: it is no less held for that."""
    office.server.scopes.remove("channels:history")
    office.server.script(POST, ("stored_then_drop",))
    office.put(KEY, unknown="hold")
    assert office.deliver() == {KEY: "held"}

    office.server.scopes.add("channels:history")
    office.server.script("conversations.history", *[("status", 500)] * 3)
    assert office.deliver() == {KEY: "held"}
    assert office.deliver() == {KEY: "sent"}
    assert office.texts == ["hello"]


@pytest.mark.parametrize("needed", ["", "<!channel>", "Chat:Write", "a" * 101, "files:write\nand more"])
def test_a_scope_that_is_none_is_not_repeated(needed: str) -> None:
    """What stands in its place may be anything, and is shown to people."""
    found = refusal("#eta-oncall", 200, {"ok": False, "error": "missing_scope", "needed": needed}, {})
    assert found.error == (
        "Slack says missing_scope: give the app the scope it lacks under OAuth & Permissions, then install it again."
    )
