"""Messages on an ordinary day: posts, threads, updates, files, each once."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest

from store.outbox import amend, claim
from store.state import writing

KEY = "alert/flight_delay/2013-06-14"


def test_a_message_is_sent_once(office: Any) -> None:
    """With its key as metadata and nothing unfurled; a second run does nothing at all."""
    office.put(KEY, "late flights went up")
    done = office.run()

    assert [(each.key, each.kind, each.service, each.state, each.error, each.place) for each in done] == [
        (KEY, "alert", "flight_delay", "sent", "", "#eta-oncall")
    ]
    [sent] = office.server.calls_of("chat.postMessage")
    assert sent["channel"] == "#eta-oncall"
    assert sent["metadata"] == {"event_type": "ronda_message", "event_payload": {"key": KEY}}
    assert (sent["unfurl_links"], sent["unfurl_media"]) == (False, False)
    row, [said] = office.row(KEY), office.server.said()
    assert (row.channel_id, row.ts, row.attempts) == ("C0ETAONCALL", said["ts"], 1)
    assert office.deliver() == {}
    assert len(office.server.calls) == 1
    assert office.files == {}
    assert office.clock.slept == []


def test_in_the_order_they_were_recorded(office: Any) -> None:
    """Whatever they are called."""
    for name in "bca":
        office.put(name, name)

    assert list(office.deliver()) == ["b", "c", "a"]
    assert office.texts == ["b", "c", "a"]


def test_what_is_not_due_waits(office: Any) -> None:
    """A morning's message is not sent at night."""
    office.put("morning", "good morning")
    office.clock.now -= timedelta(seconds=1)
    assert office.deliver() == {}

    office.clock.now += timedelta(seconds=1)
    assert office.deliver() == {"morning": "sent"}


def test_a_thread(office: Any) -> None:
    """A reply stands below its post, an update changes it and leaves it findable, a file comes with its bytes."""
    office.lake.put("pages/night.html", b"<p>the night</p>")
    office.put(KEY, "first words")
    office.put(f"{KEY}/why", "because", action="reply", about=KEY)
    office.put(f"{KEY}/2", "better words", action="update", about=KEY)
    page = {"path": "pages/night.html", "name": "night.html", "title": "The night"}
    office.put(f"{KEY}/page", payload=page, action="file", about=KEY)

    assert office.deliver() == dict.fromkeys((KEY, f"{KEY}/why", f"{KEY}/2", f"{KEY}/page"), "sent")
    [post] = office.server.said()
    assert post["text"] == "better words"
    assert post["metadata"]["event_payload"] == {"key": KEY}
    reply, file = office.server.thread(post["ts"])
    assert (reply["text"], reply["metadata"]["event_payload"]["key"]) == ("because", f"{KEY}/why")
    assert [(each["name"], each["title"]) for each in file["files"]] == [("night.html", "The night")]
    assert [each["data"] for each in office.server.files.values()] == [b"<p>the night</p>"]
    assert {call.method for call in office.server.calls} == {
        "chat.postMessage", "chat.update", "files.getUploadURLExternal", "upload", "files.completeUploadExternal",
    }  # fmt: skip


def test_an_update_without_blocks_takes_the_old_ones_away(office: Any) -> None:
    """Left out, Slack would keep showing them."""
    office.put(KEY)
    office.put("2", payload={"text": "withdrawn"}, action="update", about=KEY)
    office.deliver()

    [post] = office.server.said()
    assert (post["text"], post["blocks"]) == ("withdrawn", [])


def test_an_older_update_never_takes_a_newer_one_back(office: Any) -> None:
    """It was refused when its turn was; the newer one was sent."""
    office.put(KEY, "1")
    office.put("2", "2", action="update", about=KEY)
    office.put("3", "3", action="update", about=KEY)
    office.server.script("chat.update", ("error", "cant_update_message"))
    assert office.deliver() == {KEY: "sent", "2": "refused", "3": "sent"}

    assert office.deliver() == {"2": "sent"}
    assert office.texts == ["3"]
    assert "a later update" in office.row("2").error
    assert office.files == {}


@pytest.mark.parametrize("action", ["reply", "update", "file"])
def test_what_belongs_to_a_message_waits_for_it(office: Any, action: str) -> None:
    """Nothing is said about a message that nobody has read."""
    office.lake.put("page.html", b"page")
    office.server.script("chat.postMessage", ("error", "is_archived"))
    office.put(KEY)
    payload = {"path": "page.html", "name": "page.html", "title": ""} if action == "file" else None
    office.put("child", payload=payload, action=action, about=KEY)
    office.put("orphan", payload=payload, action=action, about="no such key")

    assert office.deliver() == {KEY: "refused", "child": "waiting", "orphan": "waiting"}
    assert office.row("child").error == f"It waits until {KEY} is sent, which is refused."
    assert office.row("orphan").error == "It waits until no such key is sent, which is not in the state."
    assert office.row("child").attempts == 0
    assert office.deliver() == {KEY: "sent", "child": "sent", "orphan": "waiting"}


def test_what_is_sent_is_what_is_recorded(office: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that is amended while a run has read it already is sent with its last words."""
    office.put(KEY, "old")

    def late(connection: Any, row: Any, now: Any) -> Any:
        assert amend(connection, KEY, '{"text": "new"}', channel="#eta-oncall", unknown="repeat")
        return claim(connection, row, now)

    monkeypatch.setattr("store.outbox.claim", late)
    office.deliver()

    assert office.texts == ["new"]
    with writing(office.state) as connection:
        assert not amend(connection, KEY, '{"text": "too late"}', channel="#eta-oncall", unknown="repeat")


def test_a_payload_that_is_no_payload_holds_nobody_up(office: Any) -> None:
    """What was recorded is said as it is; a file that is gone is told; the others are sent."""
    office.put("odd", payload=["not", "an", "object"])
    office.put("gone", payload={"path": "no/such.html", "name": "x.html"}, action="file", about="odd")
    office.put("good", "good")

    assert office.deliver() == {"odd": "sent", "gone": "refused", "good": "sent"}
    assert office.texts == ['["not", "an", "object"]', "good"]
    assert "no file no/such.html" in office.row("gone").error


def test_the_sdk_is_loaded_only_to_send() -> None:
    """Most commands never speak to Slack, and need not pay for it."""
    code = "import sys, monitoring.alert; print([m for m in sys.modules if m.startswith('slack_sdk')])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "[]"
