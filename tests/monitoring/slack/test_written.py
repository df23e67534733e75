"""Without a token messages are files; with one, files show what could not be sent."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from monitoring import copies

KEY = "alert/flight_delay/2013-06-14"
STEM = "alert-flight_delay-2013-06-14"


@pytest.fixture
def silent(office: Any) -> Any:
    """The office without a token."""
    office.home = replace(office.home, slack_token="")
    return office


def test_exactly_what_would_be_sent(silent: Any) -> None:
    """The request as JSON, and a page that shows it."""
    silent.put(KEY, "late flights & more")
    [done] = silent.run()

    assert (done.state, done.error) == ("written", "")
    assert done.place == str(silent.home.outbox / f"{STEM}.html")
    assert sorted(silent.files) == [f"{STEM}.html", f"{STEM}.json"]
    assert json.loads(silent.files[f"{STEM}.json"]) == {
        "action": "post",
        "about": "",
        "channel": "#eta-oncall",
        "text": "late flights & more",
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "*late flights* went up"}}],
        "metadata": {"event_type": "ronda_message", "event_payload": {"key": KEY}},
        "unfurl_links": False,
        "unfurl_media": False,
    }
    assert "<b>late flights</b> went up" in silent.files[f"{STEM}.html"].decode()
    assert silent.server.calls == []
    assert silent.deliver() == {}
    row = silent.row(KEY)
    assert (row.state, row.attempts, row.claimed_at) == ("written", 0, None)


def test_the_same_message_is_the_same_bytes(silent: Any) -> None:
    """Written anew by another state at another time; and what is there already is not touched."""
    due = datetime(2013, 6, 15, 12, tzinfo=UTC)
    silent.put(KEY, due_at=due)
    silent.deliver()
    before = silent.files
    assert len(before) == 2
    for name in before:
        os.utime(silent.home.outbox / name, ns=(1, 1))

    copies.put(silent.home, replace(silent.row(KEY), recorded_at=datetime.now(UTC), id=99))
    assert silent.files == before
    assert {(silent.home.outbox / name).stat().st_mtime_ns for name in before} == {1}
    elsewhere = replace(silent.home, root=silent.home.root / "elsewhere")
    copies.put(elsewhere, replace(silent.row(KEY), recorded_at=datetime.now(UTC), id=99))
    assert {name: (elsewhere.outbox / name).read_bytes() for name in before} == before


def test_what_belongs_to_a_written_message_is_written(office: Any) -> None:
    """Also when there is a token by now: nobody in the channel knows what it is about."""
    token = office.home.slack_token
    office.home = replace(office.home, slack_token="")
    office.put(KEY)
    assert office.deliver() == {KEY: "written"}
    office.home = replace(office.home, slack_token=token)
    office.put(f"{KEY}/why", "because", action="reply", about=KEY)
    office.put(f"{KEY}/2", "new words", action="update", about=KEY)
    page = {"path": "pages/night.html", "name": "night.html", "title": "The <night>"}
    office.put(f"{KEY}/page", payload=page, action="file", about=KEY)

    assert set(office.deliver().values()) == {"written"}
    assert office.server.calls == []
    written = {name: json.loads(data) for name, data in office.files.items() if name.endswith(".json")}
    assert {name: (each["action"], each["about"]) for name, each in written.items()} == {
        f"{STEM}.json": ("post", ""),
        f"{STEM}-why.json": ("reply", KEY),
        f"{STEM}-2.json": ("update", KEY),
        f"{STEM}-page.json": ("file", KEY),
    }
    assert written[f"{STEM}-2.json"]["metadata"]["event_payload"] == {"key": KEY}
    assert written[f"{STEM}-page.json"]["path"] == "pages/night.html"
    assert "The &lt;night&gt;" in office.files[f"{STEM}-page.html"].decode()


def test_doubt_outlives_a_missing_token(office: Any) -> None:
    """What may have arrived is shown as a file, and still looked for once there is a token."""
    office.server.script("chat.postMessage", ("stored_then_drop",))
    office.put(KEY)
    assert office.deliver(wait_seconds=0) == {KEY: "unknown"}

    assert office.deliver(home=replace(office.home, slack_token="")) == {KEY: "unknown"}
    assert office.row(KEY).error == "It may have arrived, and cannot be looked for: set RONDA_SLACK_TOKEN."
    assert len(office.files) == 2
    assert office.deliver() == {KEY: "sent"}
    assert office.texts == ["hello"]
    assert office.files == {}


@pytest.mark.parametrize(
    "key",
    ["../../etc/passwd", "a/../b", ".hidden", "é/ü", "a\nb", "x" * 290, "morning/2013-06-14/#eta <b>"],
)
def test_no_key_leaves_the_folder(silent: Any, key: str) -> None:
    """Odd keys are told apart by a hash; plain ones are written as they are."""
    silent.put(key)
    assert silent.deliver() == {key: "written"}

    assert len(silent.files) == 2
    for name in silent.files:
        assert Path(name).stem.rpartition("-")[2].isalnum()
        assert not name.startswith(".")
    assert [each for each in silent.home.root.rglob("*.html") if each.parent != silent.home.outbox] == []


def test_a_folder_that_cannot_be_written(silent: Any) -> None:
    """The message waits, and says why; nothing is half done."""
    silent.home.outbox.parent.mkdir(exist_ok=True)
    silent.home.outbox.write_text("a file where the folder should be")
    silent.put(KEY)

    assert silent.deliver() == {KEY: "waiting"}
    assert "cannot be written to" in silent.row(KEY).error
    silent.home.outbox.unlink()
    assert silent.deliver() == {KEY: "written"}
    assert silent.row(KEY).error == ""


def test_a_refusal_is_told_even_if_it_cannot_be_written(office: Any) -> None:
    """And it holds up nobody."""
    office.home.outbox.parent.mkdir(exist_ok=True)
    office.home.outbox.write_text("in the way")
    office.server.script("chat.postMessage", ("error", "is_archived"))
    office.put(KEY)
    office.put("next", "second")

    assert office.deliver() == {KEY: "refused", "next": "sent"}
    assert "is_archived" in office.row(KEY).error
    assert "cannot be written to" in office.row(KEY).error
