"""Messages whose words no longer hold by the time they are sent: the last words are said, or nothing is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from store import outbox
from store.state import writing

POST = "chat.postMessage"
KEY = "alert/flight_delay/2013-06-14"
LOST = [("status", 500)] * 3  # nothing is kept: the post is not there


def lost(office: Any) -> None:
    """A post whose answers were lost, and that is in no channel; it has a page."""
    office.lake.put("page.html", b"page")
    office.put(KEY, "the old alarm")
    office.put(f"{KEY}/page", payload={"path": "page.html", "name": "p.html"}, action="file", about=KEY)
    office.server.script(POST, *LOST)
    assert office.deliver() == {KEY: "unknown", f"{KEY}/page": "waiting"}
    assert office.texts == []


def test_a_post_that_is_not_there_is_posted_in_its_last_words(office: Any) -> None:
    """Nobody sees the old ones, not for a second, and nothing explains what nobody saw."""
    lost(office)
    for n, words in enumerate(("as usual after all", "the new alarm")):
        kind = "alert" if n else outbox.WITHDRAWN
        office.put(f"{KEY}/{n}", words, action="update", about=KEY, kind=kind)
        office.put(f"{KEY}/{n}/why", "because", action="reply", about=KEY)

    assert office.deliver() == {KEY: "sent", f"{KEY}/page": "sent"}
    assert [call["text"] for call in office.server.calls_of(POST)][len(LOST) :] == ["the new alarm"]
    assert office.server.calls_of("chat.update") == []
    assert [len(each.get("files", [])) for each in office.server.thread(office.row(KEY).ts)] == [1]
    assert office.deliver() == {}


def test_a_post_that_is_not_there_and_is_withdrawn_is_not_posted(office: Any) -> None:
    """Nor is its page, and no file stands for either; the messages after it are sent."""
    lost(office)
    office.put(f"{KEY}/1", "as usual after all", action="update", about=KEY, kind=outbox.WITHDRAWN)
    office.server.script("conversations.list", ("error", "token_revoked"))
    office.run()
    office.put("other", "hello")
    assert any(KEY.replace("/", "-") in name for name in office.files)

    assert office.deliver() == {"other": "sent"}
    assert office.texts == ["hello"]
    assert not any(KEY.replace("/", "-") in name for name in office.files)
    assert office.deliver() == {}


def test_a_post_that_is_there_is_updated(office: Any) -> None:
    """It was read, and is told anew."""
    office.put(KEY, "the old alarm")
    office.server.script(POST, ("stored_then_status", 500))
    office.server.script("conversations.list", *[("error", "fatal_error")] * 5)
    office.server.script("conversations.history", *[("error", "fatal_error")] * 5)
    assert office.deliver() == {KEY: "unknown"}
    office.server.scripted.clear()
    office.put(f"{KEY}/1", "as usual after all", action="update", about=KEY, kind=outbox.WITHDRAWN)

    assert office.deliver() == {KEY: "sent", f"{KEY}/1": "sent"}
    assert office.texts == ["as usual after all"]
    assert len(office.server.calls_of(POST)) == 1


@pytest.mark.parametrize("token", [True, False])
def test_what_is_taken_back_while_a_run_goes_on_is_not_sent(
    office: Any, monkeypatch: pytest.MonkeyPatch, *, token: bool
) -> None:
    """A night ended meanwhile, and the alert no longer holds: the run goes on, and leaves no file of it."""
    office.put("first", "first")
    office.put(KEY, "the alarm")
    office.put(f"{KEY}/page", payload={"path": "page.html", "name": "p.html"}, action="file", about=KEY)
    office.put("last", "last")
    name = "claim" if token else "settle"
    real = getattr(outbox, name)

    def meanwhile(connection: Any, row: Any, *given: Any, **named: Any) -> Any:
        if row.key == "first":
            outbox.take_back(connection, KEY)
        return real(connection, row, *given, **named)

    monkeypatch.setattr(outbox, name, meanwhile)
    home = office.home if token else replace(office.home, slack_token="")
    done = "sent" if token else "written"

    assert office.deliver(home=home) == {"first": done, "last": done}
    assert office.texts == (["first", "last"] if token else [])
    assert not any(KEY.replace("/", "-") in file for file in office.files)


def test_no_file_is_left_of_what_was_taken_back_while_sending_stopped(
    office: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files are written before it is seen to be gone."""
    office.put("first", "first")
    office.put(KEY, "the alarm")
    office.server.script(POST, ("error", "token_revoked"))
    real = outbox.settle

    def meanwhile(connection: Any, row: Any, *given: Any, **named: Any) -> Any:
        outbox.take_back(connection, KEY)
        return real(connection, row, *given, **named)

    monkeypatch.setattr(outbox, "settle", meanwhile)
    assert office.deliver() == {"first": "refused"}
    assert sorted(office.files) == ["first.html", "first.json"]


def test_a_message_that_is_lost_after_it_was_sent_is_a_fault(
    office: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in its channel, and the state no longer knows: somebody must hear of that."""
    office.put(KEY, "the alarm")
    real = outbox.settle

    def meanwhile(connection: Any, row: Any, *given: Any, **named: Any) -> Any:
        with monkeypatch.context() as patched:
            patched.setattr(outbox, "NOT_THERE", (*outbox.NOT_THERE, "sending"))
            outbox.take_back(connection, KEY)
        return real(connection, row, *given, **named)

    monkeypatch.setattr(outbox, "settle", meanwhile)
    with pytest.raises(outbox.StateError, match="no longer in the state"):
        office.run()


def test_a_taken_back_key_can_speak_again(office: Any) -> None:
    """A night that is loud, calm and loud again is told once, in its last words."""
    office.put(KEY, "the first alarm")
    with writing(office.state) as connection:
        assert len(outbox.take_back(connection, KEY)) == 1
    office.put(KEY, "the second alarm")

    assert office.deliver() == {KEY: "sent"}
    assert office.texts == ["the second alarm"]
