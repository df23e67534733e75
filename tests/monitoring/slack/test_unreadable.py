"""What is promised where the app lacks a permission."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

POST = "chat.postMessage"
KEY = "alert/flight_delay/2013-06-14"


@pytest.mark.parametrize("scope", ["channels:history", "channels:read"])
def test_repeat_sends_rather_twice_than_never(office: Any, scope: str) -> None:
    """Once more in a run, and no more: two copies when the first had arrived."""
    office.server.scopes -= {scope, "groups:read"} if scope == "channels:read" else {scope}
    office.server.script(POST, ("stored_then_drop",))
    office.put(KEY)

    assert office.deliver() == {KEY: "sent"}
    assert office.texts == ["hello", "hello"]


def test_repeat_does_so_once_a_run(office: Any) -> None:
    """A channel that takes everything and answers nothing does not fill up in one night."""
    office.server.scopes.remove("channels:history")
    office.server.script(POST, *[("stored_then_drop",)] * 3)
    office.put(KEY)

    assert office.deliver() == {KEY: "unknown"}
    assert "channels:history" in office.row(KEY).error
    assert len(office.texts) == 2
    assert office.deliver() == {KEY: "unknown"}
    assert len(office.texts) == 3
    office.server.scopes.add("channels:history")
    assert office.deliver() == {KEY: "sent"}  # found: any of the three will do
    assert len(office.texts) == 3


@pytest.mark.parametrize("stored", [True, False])
def test_hold_waits_for_somebody_to_look(office: Any, stored: bool) -> None:
    """It is looked for at every run; with the permission it is found, or sent at last."""
    office.server.scopes.remove("channels:history")
    office.server.script(POST, ("stored_then_drop",) if stored else ("status", 500))
    office.put(KEY, unknown="hold")

    for _ in range(2):
        assert office.deliver() == {KEY: "held"}
    error = office.row(KEY).error
    assert error.startswith("It may have arrived, and the channel cannot be read. Slack says missing_scope: ")
    assert "give the app the scope channels:history under OAuth & Permissions" in error
    assert len(office.server.calls_of(POST)) == 1
    office.server.scopes.add("channels:history")
    assert office.deliver() == {KEY: "sent"}
    assert office.texts == ["hello"]


def test_a_refusal_after_doubt_leaves_the_doubt(office: Any) -> None:
    """The repetition was refused; whether the first arrived is still to be found out."""
    office.server.scopes.remove("channels:history")
    office.server.script(POST, ("stored_then_drop",), ("error", "restricted_action"))
    office.put(KEY)

    assert office.deliver() == {KEY: "unknown"}
    office.server.scopes.add("channels:history")
    assert office.deliver() == {KEY: "sent"}
    assert office.texts == ["hello"]


def test_public_channels_are_found_without_seeing_private_ones(office: Any) -> None:
    """An app that lacks groups:read may list public channels all the same."""
    office.server.scopes.remove("groups:read")
    office.server.script(POST, ("stored_then_drop",))
    office.put(KEY)

    assert office.deliver() == {KEY: "sent"}
    assert office.texts == ["hello"]


def test_a_channel_that_answered_before_needs_no_list(office: Any) -> None:
    """Its id is known from then."""
    office.put("first", "first")
    office.deliver()
    office.server.scopes -= {"channels:read", "groups:read"}
    office.server.script(POST, ("stored_then_drop",))
    office.put(KEY)

    assert office.deliver() == {KEY: "sent"}
    assert office.texts == ["first", "hello"]
    assert office.server.calls_of("conversations.list") == []


def test_a_history_that_fails_for_long_counts_as_unreadable(office: Any) -> None:
    """A message is not kept back for ever by a proxy that lets nobody read."""
    office.server.script(POST, ("status", 500))
    office.server.script("conversations.history", *[("status", 502)] * 6)
    office.put(KEY)
    assert office.deliver() == {KEY: "unknown"}

    office.clock.now += timedelta(hours=2)
    assert office.deliver() == {KEY: "sent"}
    assert office.texts == ["hello"]


def test_a_channel_the_bot_is_not_in_cannot_be_read(office: Any) -> None:
    """With chat:write.public an app may post where it may not read."""
    office.server.script(POST, ("stored_then_drop",))
    office.server.script("conversations.history", ("error", "not_in_channel"))
    office.put(KEY, unknown="hold")

    assert office.deliver() == {KEY: "held"}
    assert "invite the bot to #eta-oncall: /invite @ronda" in office.row(KEY).error


def test_no_permission_for_files(office: Any) -> None:
    """The post is there, the file is refused and says which scope it takes."""
    office.server.scopes.remove("files:write")
    office.lake.put("page.html", b"page")
    office.put(KEY)
    office.put(
        "page", payload={"path": "page.html", "name": "page.html", "title": ""}, action="file", about=KEY
    )

    assert office.deliver() == {KEY: "sent", "page": "refused"}
    assert "give the app the scope files:write under OAuth & Permissions" in office.row("page").error
    assert sorted(office.files) == ["page.html", "page.json"]
    office.server.scopes.add("files:write")
    assert office.deliver() == {"page": "sent"}


@pytest.mark.parametrize(
    ("method", "step", "uploads"),
    [
        ("files.getUploadURLExternal", ("status", 500), 1),
        ("upload", ("status", 503), 2),
        ("files.completeUploadExternal", ("status", 500), 2),
        ("files.completeUploadExternal", ("stored_then_status", 500), 1),
        ("files.completeUploadExternal", ("stored_then_drop",), 1),
        ("files.completeUploadExternal", ("stored_then_hang", 2.0), 1),
        ("files.completeUploadExternal", ("rate", 2), 2),
    ],
    ids=str,
)
def test_a_file_is_put_into_its_thread_once(
    office: Any, method: str, step: tuple[Any, ...], uploads: int
) -> None:
    """A lost answer is made up for by looking for a file of that name in the thread."""
    office.lake.put("page.html", b"page")
    office.put(KEY)
    office.put(
        "page", payload={"path": "page.html", "name": "page.html", "title": ""}, action="file", about=KEY
    )
    office.server.script(method, step)

    assert office.deliver(timeout=0.8) == {KEY: "sent", "page": "sent"}
    [reply] = office.server.thread(office.row(KEY).ts)
    assert [each["name"] for each in reply["files"]] == ["page.html"]
    assert len(office.server.calls_of("upload")) == uploads


def test_the_first_copy_is_found_as_well(office: Any) -> None:
    """A look goes back to when any copy can have been sent, not to the last attempt."""
    office.server.scopes.remove("channels:history")
    office.server.script(POST, ("stored_then_drop",), ("status", 500))
    office.put(KEY)
    assert office.deliver(wait_seconds=0) == {KEY: "unknown"}
    office.clock.now += timedelta(minutes=10)
    assert office.deliver(wait_seconds=0) == {KEY: "unknown"}
    assert office.row(KEY).attempts == 2

    office.server.scopes.add("channels:history")
    assert office.deliver() == {KEY: "sent"}
    assert office.texts == ["hello"]
