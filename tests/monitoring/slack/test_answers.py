"""One call to Slack, one plain answer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitoring import slack
from monitoring.slack import Bot
from monitoring.slack_body import TEXT_LENGTH

PAST = datetime(2013, 1, 1, tzinfo=UTC)
POST = "chat.postMessage"


@pytest.fixture
def bot(slack_server: Any) -> Bot:
    """The bot of the server's workspace."""
    return Bot(slack_server.token, slack_server.url, 5.0)


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


@contextmanager
def answering(raw: bytes) -> Iterator[str]:
    """The address of a server that answers the first call with these bytes and closes."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:

        def answer() -> None:
            caller, _ = listening.accept()
            with caller:
                caller.recv(65536)
                caller.sendall(raw)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/api/"
        thread.join(5)


@pytest.mark.parametrize(
    "blocks",
    [
        [section("x")] * 51,
        [section("x" * 3001)],
        [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}],
        [section("x" * 2900)] * 5,
        [{"text": "no type"}],
    ],
    ids=["too many", "long section", "long header", "too much", "invalid"],
)
def test_blocks_that_slack_refuses(slack_server: Any, bot: Bot, blocks: list[dict[str, Any]]) -> None:
    """The text is posted alone, once, and the answer says so."""
    answer = slack.post(bot, "key", "#eta-oncall", {"text": "the short of it", "blocks": blocks})

    assert answer.kind == "sent"
    assert "it was sent as text alone" in answer.error
    [said] = slack_server.said()
    assert (said["text"], "blocks" in said) == ("the short of it", False)
    assert said["metadata"]["event_payload"] == {"key": "key"}
    assert len(slack_server.calls) == 2


def test_an_update_whose_blocks_slack_refuses(slack_server: Any, bot: Bot) -> None:
    """The old blocks do not stay beside the new text."""
    first = slack.post(bot, "key", "#eta-oncall", {"text": "old", "blocks": [section("old")]})
    answer = slack.update(
        bot, "key", first.channel_id, first.ts, {"text": "new", "blocks": [section("x")] * 51}
    )

    assert (answer.kind, "as text alone" in answer.error) == ("sent", True)
    [said] = slack_server.said()
    assert (said["text"], said["blocks"]) == ("new", [])


def test_a_text_that_is_too_long_is_cut(slack_server: Any, bot: Bot) -> None:
    """Between lines, and with a sign that there was more."""
    lines = "\n".join(f"line {n}" for n in range(6000))
    answer = slack.post(bot, "key", "#eta-oncall", {"text": lines})

    assert (answer.kind, "msg_too_long" in answer.error) == ("sent", True)
    [said] = slack_server.said()
    assert TEXT_LENGTH - 20 < len(said["text"]) <= TEXT_LENGTH
    assert lines.startswith(said["text"].removesuffix("…") + "\n")


def test_text_that_is_refused_as_well(slack_server: Any, bot: Bot) -> None:
    """The second answer counts, and there is no third call."""
    slack_server.script(POST, ("error", "invalid_blocks"), ("error", "not_in_channel"))
    answer = slack.post(bot, "key", "#eta-oncall", {"text": "t", "blocks": [section("x")]})

    assert (answer.kind, len(slack_server.calls)) == ("refused", 2)
    assert "invite the bot to #eta-oncall" in answer.error
    slack_server.script(POST, ("error", "msg_too_long"))
    assert (
        slack.post(bot, "key", "#eta-oncall", {"text": "t"}).kind == "refused"
    )  # there is nothing to leave out
    assert len(slack_server.calls) == 3


@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        "[]",
        "7",
        '"ok"',
        "{",
        '{"ok": true}',
        '{"ok": true, "ts": "1.2"}',
        "\xff\xfe",
        '{"ok": "yes"',
    ],
)
@pytest.mark.parametrize("kind", ["application/json", "application/gzip", "text/html; charset=none"])
def test_an_answer_that_says_nothing(body: str, kind: str) -> None:
    """Slack may have taken the message: that is what is said, whatever stands in the answer."""
    data = body.encode("latin-1")
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n\r\n"
    with answering(head.encode() + data) as url:
        answer = slack.post(Bot("xoxb-t", url, 5.0), "k", "#c", {"text": "t"})

    assert answer.kind == "unknown"
    assert answer.error.startswith("Slack answered") or "broke off" in answer.error


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 500 No\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_an_answer_that_breaks_off(raw: bytes) -> None:
    """A connection that ends anywhere."""
    with answering(raw) as url:
        answer = slack.post(Bot("xoxb-t", url, 5.0), "k", "#c", {"text": "t"})

    assert (answer.kind, "broke off" in answer.error) == ("unknown", True)


@pytest.mark.parametrize("channel", ["#eta-oncall", "eta-oncall", "C0ETAONCALL"])
def test_only_our_own_key_is_found(slack_server: Any, bot: Bot, channel: str) -> None:
    """By name or id, since a time; text and other people's metadata do not count."""
    slack_server._add(
        "C0ETAONCALL", "key", metadata={"event_type": "deploy", "event_payload": {"key": "key"}}
    )
    slack_server._add("C0ETAONCALL", "key", metadata={"event_type": "ronda_message"})
    assert slack.find(bot, "key", channel, PAST).kind == "absent"

    sent = slack.post(bot, "key", channel, {"text": "t"})
    found = slack.find(bot, "key", channel, PAST)
    assert (found.kind, found.ts, found.channel_id) == ("found", sent.ts, "C0ETAONCALL")
    assert slack.find(bot, "other", channel, PAST).kind == "absent"
    assert slack.find(bot, "key", channel, datetime.now(UTC) + timedelta(minutes=1)).kind == "absent"


def test_a_channel_that_cannot_be_seen(bot: Bot) -> None:
    """It may be private."""
    found = slack.find(bot, "key", "#no-such", PAST)

    assert (found.kind, "#no-such" in found.error, "invite" in found.error) == ("unreadable", True, True)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('{"ok": true}', "again"),
        ('{"ok": true, "messages": null, "response_metadata": null}', "again"),
        ('{"ok": true, "messages": "many", "response_metadata": ["next"]}', "again"),
        ('{"ok": true, "messages": [], "response_metadata": ["next"]}', "absent"),
        (
            '{"ok": true, "messages": [null, 7, {}, {"metadata": 3}, {"metadata": {"event_type": "x"}}]}',
            "absent",
        ),
    ],
)
def test_a_history_that_makes_no_sense(body: str, kind: str) -> None:
    """Without messages nothing was seen; with odd ones, ours is not among them."""
    with answering(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()) as url:
        assert slack.find(Bot("xoxb-t", url, 5.0), "key", "C0ETAONCALL", PAST).kind == kind


def test_a_thread_that_was_deleted(slack_server: Any, bot: Bot) -> None:
    """What was in it is gone with it."""
    assert slack.find(bot, "key", "C0ETAONCALL", PAST, "1718349600.000100").kind == "absent"
    assert slack.find_file(bot, "page.html", "C0ETAONCALL", PAST, "1718349600.000100").kind == "absent"


def test_metadata_goes_over_the_wire_as_slack_wants_it(slack_server: Any, bot: Bot) -> None:
    """Keys of all shapes come back as they were."""
    keys = ["alert/x/2013-06-14", "morning/2013-06-14/#eta & co", "x" * 217, "ção"]
    for key in keys:
        slack.post(bot, key, "#eta-oncall", {"text": "t"})

    assert [each["metadata"]["event_payload"]["key"] for each in slack_server.said()] == keys
    assert all(slack.find(bot, key, "C0ETAONCALL", PAST).kind == "found" for key in keys)
