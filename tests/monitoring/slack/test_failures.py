"""Whatever Slack or the network does: one message in the channel, or a clear state, and never an exception."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import Any

import pytest

POST = "chat.postMessage"
SHORT = 0.8  # seconds: worth waiting for, and longer than a busy machine takes to answer
KEY = "alert/flight_delay/2013-06-14"


def test_a_rate_limit_is_waited_out(office: Any) -> None:
    """As long as Slack asks, within what a run may wait."""
    office.server.script(POST, ("rate", 7), ("rate", 3))
    office.put(KEY)

    assert office.deliver() == {KEY: "sent"}
    assert office.clock.slept == [7, 3]
    assert office.texts == ["hello"]


def test_a_rate_limit_that_is_too_long_waits_for_the_next_run(office: Any) -> None:
    """What was waited before counts; the next message is tried all the same."""
    office.server.script(POST, ("rate", 7), ("rate", 30))
    office.put(KEY, "first")
    office.put("next", "second", channel="#shop")

    assert office.deliver(wait_seconds=30) == {KEY: "waiting", "next": "sent"}
    assert office.clock.slept == [7]
    assert "30 seconds" in office.row(KEY).error
    assert office.deliver() == {KEY: "sent"}
    assert office.row(KEY).error == ""


@pytest.mark.parametrize(
    ("step", "copies"),
    [
        (("status", 500), 0),
        (("status", 503), 0),
        (("stored_then_status", 500), 1),
        (("hang", 2.0), 0),
        (("stored_then_hang", 2.0), 1),
        (("hang", 0.0), 0),  # the connection is closed at once, without an answer
        (("stored_then_drop",), 1),
        (("garbage",), 0),
        (("error", "internal_error"), 0),
        (("error", "fatal_error"), 0),
        (("error", "service_unavailable"), 0),
        (("error", "request_timeout"), 0),
    ],
    ids=str,
)
def test_a_lost_answer(office: Any, step: tuple[Any, ...], copies: int) -> None:
    """The channel is looked at before anything is posted again: one message, in the same run."""
    office.server.script(POST, step)
    office.put(KEY)

    assert office.deliver(timeout=SHORT) == {KEY: "sent"}
    assert office.texts == ["hello"]
    assert len(office.server.calls_of(POST)) == (1 if copies else 2)
    assert office.clock.slept == [10]  # what Slack took shows in the channel by then
    row = office.row(KEY)
    assert (row.ts, row.channel_id, row.error) == (office.server.said()[0]["ts"], "C0ETAONCALL", "")
    assert office.deliver() == {}


def test_at_most_three_posts_in_a_run(office: Any) -> None:
    """Then it stays unknown, and the next run goes on, beginning with a look."""
    office.server.script(POST, *[("status", 500)] * 3)
    office.put(KEY)

    assert office.deliver() == {KEY: "unknown"}
    assert len(office.server.calls_of(POST)) == 3
    assert office.row(KEY).error == (
        "It may have arrived, and is looked for at the next run. Slack answered with status 500."
    )
    before = len(office.server.calls)
    assert office.deliver() == {KEY: "sent"}
    assert [call.method for call in office.server.calls[before:]][-2:] == ["conversations.history", POST]
    assert office.texts == ["hello"]


def test_a_look_that_fails_posts_nothing(office: Any) -> None:
    """The channel can be read, only not now: the message stays unknown, and is found the next time."""
    office.server.script(POST, ("stored_then_status", 500))
    office.server.script("conversations.history", *[("status", 500)] * 3)
    office.put(KEY)

    assert office.deliver() == {KEY: "unknown"}
    assert office.deliver() == {KEY: "sent"}
    assert office.texts == ["hello"]
    assert len(office.server.calls_of(POST)) == 1


def test_a_look_is_waited_for_too(office: Any) -> None:
    """Reading has a rate limit of its own."""
    office.server.script(POST, ("stored_then_drop",))
    office.server.script("conversations.history", ("rate", 20))
    office.put(KEY)

    assert office.deliver() == {KEY: "sent"}
    assert office.clock.slept == [10, 20]
    assert office.texts == ["hello"]


def test_without_time_to_look_nothing_is_posted(office: Any) -> None:
    """A run that may not wait leaves the question to the next one."""
    office.server.script(POST, ("stored_then_drop",))
    office.put(KEY)

    assert office.deliver(wait_seconds=5) == {KEY: "unknown"}
    assert office.deliver() == {KEY: "sent"}
    assert office.texts == ["hello"]


def test_a_message_is_found_behind_many_others(office: Any) -> None:
    """The history comes in pages."""
    office.server.page_size = 7
    office.server.script(POST, ("stored_then_drop",))
    office.put(KEY)

    def chat(method: str, answer: Any) -> None:
        if method == POST:
            office.server.before_answer = None
            for n in range(40):
                office.server._add("C0ETAONCALL", f"chatter {n}")

    office.server.before_answer = chat
    assert office.deliver() == {KEY: "sent"}
    assert len(office.server.calls_of(POST)) == 1
    assert len(office.server.calls_of("conversations.history")) > 5


def test_a_refused_connection_is_tried_again(office: Any) -> None:
    """Nothing was sent, so nothing is looked for."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets this port
        closed = replace(office.home, slack_url=f"http://127.0.0.1:{taken.getsockname()[1]}/api/")
        office.put(KEY)

        assert office.deliver(home=closed) == {KEY: "waiting"}
    assert office.clock.slept == [5, 5]
    assert office.row(KEY).error == "Slack cannot be reached: check the network and RONDA_SLACK_URL."
    assert office.deliver() == {KEY: "sent"}
    assert office.texts == ["hello"]


def test_a_name_that_nobody_knows(office: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for a name server that is down."""

    def fail(*_: Any, **__: Any) -> None:
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    office.put(KEY)

    assert office.deliver() == {KEY: "waiting"}
    assert "not known here" in office.row(KEY).error


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("not_in_channel", "invite the bot to #eta-oncall: /invite @ronda"),
        ("channel_not_found", "correct `slack` in the service file"),
        ("is_archived", "unarchive #eta-oncall"),
        ("restricted_action", "ask a workspace admin"),
        ("something_new", "Slack's documentation"),
    ],
)
def test_a_refusal_says_what_to_do(office: Any, code: str, advice: str) -> None:
    """It can be read in the outbox, holds nobody up, and is tried once in every run."""
    office.server.script(POST, ("error", code))
    office.put(KEY, "first")
    office.put("next", "second")
    done = office.run()

    assert [(each.key, each.state) for each in done] == [(KEY, "refused"), ("next", "sent")]
    assert code in done[0].error
    assert advice in done[0].error
    stem = "alert-flight_delay-2013-06-14"
    assert sorted(office.files) == [f"{stem}.html", f"{stem}.json"]
    assert done[0].place == str(office.home.outbox / f"{stem}.html")
    office.server.script(POST, ("error", code))
    assert office.deliver() == {KEY: "refused"}
    assert len(office.server.calls_of(POST)) == 3
    assert office.deliver() == {KEY: "sent"}
    assert office.files == {}


def test_a_token_that_is_revoked_between_messages(office: Any) -> None:
    """One is refused, the rest wait without a call; all can be read, and all are sent once there is a token."""
    office.server.script(POST, ("ok",), ("error", "token_revoked"))
    for name in ("1", "2", "3"):
        office.put(name, name)

    assert office.deliver() == {"1": "sent", "2": "refused", "3": "waiting"}
    assert len(office.server.calls) == 2
    for name in ("2", "3"):
        assert office.row(name).error == (
            "Slack says token_revoked: make a new token for the app and set RONDA_SLACK_TOKEN to it."
        )
    assert sorted(office.files) == ["2.html", "2.json", "3.html", "3.json"]
    assert office.row("3").attempts == 0
    assert office.deliver() == {"2": "sent", "3": "sent"}
    assert office.texts == ["1", "2", "3"]
    assert office.files == {}


def test_a_revoked_token_leaves_doubt_as_it_is(office: Any) -> None:
    """A message that may have arrived is still looked for once there is a token again."""
    office.server.script(POST, ("stored_then_drop",))
    office.server.script("conversations.history", ("error", "token_revoked"))
    office.put("1", "1")
    office.put("2", "2")

    assert office.deliver() == {"1": "unknown", "2": "waiting"}
    assert office.deliver() == {"1": "sent", "2": "sent"}
    assert office.texts == ["1", "2"]


def test_an_update_is_done_again(office: Any) -> None:
    """Doing it twice is doing it once, so nothing is looked for."""
    office.put(KEY, "old")
    office.put("2", "new", action="update", about=KEY)
    office.server.script("chat.update", ("stored_then_status", 500), ("hang", 2.0))

    assert office.deliver(timeout=SHORT) == {KEY: "sent", "2": "sent"}
    assert len(office.server.calls_of("chat.update")) == 3
    assert office.server.calls_of("conversations.history") == []
    assert office.texts == ["new"]


def test_a_reply_is_looked_for_in_its_thread(office: Any) -> None:
    """Its channel's history does not show it."""
    office.put(KEY)
    office.put("2", "because", action="reply", about=KEY)
    office.server.script(POST, ("ok",), ("stored_then_drop",))

    assert office.deliver() == {KEY: "sent", "2": "sent"}
    assert [each["text"] for each in office.server.thread(office.row(KEY).ts)] == ["because"]
    assert len(office.server.calls_of("conversations.replies")) == 1
