"""What people did with a message: reactions, and what they said in its thread."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitoring import slack
from monitoring.slack import Answer, Bot, Reaction, Reactions, Replies, Said
from slack_reactions import react, say, unreact

CHANNEL = "C0ETAONCALL"
PAST = datetime(2013, 1, 1, tzinfo=UTC)
TOKEN = "xoxb-4242-verysecretvalue"


@pytest.fixture
def bot(slack_server: Any) -> Bot:
    """The bot of the server's workspace."""
    return Bot(slack_server.token, slack_server.url, 5.0)


@pytest.fixture
def post(bot: Bot) -> Answer:
    """A message of ours."""
    return slack.post(bot, "alert/x/2013-06-14", CHANNEL, {"text": "late flights went up"})


@contextmanager
def answering(body: object) -> Iterator[Bot]:
    """A bot whose next call is answered with this."""
    data = json.dumps(body).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:

        def answer() -> None:
            caller, _ = listening.accept()
            with caller:
                caller.recv(65536)
                caller.sendall(head.encode() + data)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield Bot("xoxb-t", f"http://127.0.0.1:{listening.getsockname()[1]}/api/", 5.0)
        thread.join(5)


def time_of(ts: str) -> datetime:
    return datetime.fromtimestamp(float(ts), UTC)


def test_who_reacted_with_what(slack_server: Any, bot: Bot, post: Answer) -> None:
    """All who did, in the order they did; what is taken back is gone."""
    assert slack.reactions(bot, CHANNEL, post.ts) == Reactions("sent")
    for user in ("U1", "U2", "U3", "U4"):
        react(slack_server, CHANNEL, post.ts, "eyes", user)
    react(slack_server, CHANNEL, post.ts, "+1", "U2")
    given = (Reaction("eyes", ("U1", "U2", "U3", "U4")), Reaction("+1", ("U2",)))
    assert slack.reactions(bot, CHANNEL, post.ts) == Reactions("sent", given=given)

    unreact(slack_server, CHANNEL, post.ts, "eyes", "U1")
    unreact(slack_server, CHANNEL, post.ts, "+1", "U2")
    assert slack.reactions(bot, CHANNEL, post.ts).given == (Reaction("eyes", ("U2", "U3", "U4")),)


def test_a_skin_tone_is_no_other_reaction(slack_server: Any, bot: Bot, post: Answer) -> None:
    """A hand is a hand; who gave two counts once."""
    for name, user in (("+1::skin-tone-2", "U1"), ("+1", "U2"), ("+1::skin-tone-6", "U1"), ("eyes", "U3")):
        react(slack_server, CHANNEL, post.ts, name, user)

    assert slack.reactions(bot, CHANNEL, post.ts).given == (
        Reaction("+1", ("U1", "U2")),
        Reaction("eyes", ("U3",)),
    )


@pytest.mark.parametrize("needed", [True, False])
def test_an_app_that_may_not_read_reactions(slack_server: Any, bot: Bot, post: Answer, needed: bool) -> None:
    """The scope is named, whether Slack names it or not."""
    slack_server.scopes.remove("reactions:read")
    if not needed:
        slack_server.script("reactions.get", ("error", "missing_scope"))

    assert slack.reactions(bot, CHANNEL, post.ts) == Reactions(
        "refused",
        "Slack says missing_scope: give the app the scope reactions:read under OAuth & Permissions, then install"
        " it again; until then no reaction is read.",
    )


FAILURES = [
    (("rate", 7), "again", "wait 7 seconds", 7.0),
    (("status", 500), "unknown", "status 500", 0.0),
    (("garbage",), "unknown", "Slack answered with", 0.0),
    (("hang", 0.0), "unknown", "broke off", 0.0),
    (("error", "token_revoked"), "stopped", "set RONDA_SLACK_TOKEN", 0.0),
    (("error", "not_in_channel"), "refused", "invite the bot to C0ETAONCALL", 0.0),
    (("error", f"no {TOKEN}"), "unknown", "Slack answered", 0.0),
]


@pytest.mark.parametrize(("step", "kind", "words", "pause"), FAILURES, ids=str)
def test_whatever_slack_does(
    slack_server: Any, bot: Bot, post: Answer, step: Any, kind: str, words: str, pause: float
) -> None:
    """A plain answer from both, never an exception, and nothing that Slack's error quotes."""
    for method, read in (
        ("reactions.get", lambda: slack.reactions(bot, CHANNEL, post.ts)),
        ("conversations.replies", lambda: slack.replies(bot, CHANNEL, post.ts, PAST)),
    ):
        slack_server.script(method, step)
        found = read()
        assert (found.kind, found.retry_after) == (kind, pause)
        assert words in found.error
        assert TOKEN not in repr(found)
        assert read().kind == "sent"


def test_a_message_that_was_deleted(bot: Bot) -> None:
    """It is said, for both."""
    gone = "1718349600.000100"
    reactions, replies = slack.reactions(bot, CHANNEL, gone), slack.replies(bot, CHANNEL, gone, PAST)

    assert (reactions.kind, replies.kind) == ("refused", "refused")
    assert "message_not_found: nothing to do" in reactions.error
    assert "thread_not_found: nothing to do" in replies.error


@pytest.mark.parametrize(
    ("message", "kind", "given"),
    [
        (None, "again", ()),
        ([], "again", ()),
        ({}, "sent", ()),
        ({"reactions": None}, "sent", ()),
        ({"reactions": [None, 7, {}, {"name": "eyes"}, {"name": "eyes", "users": "U1"}]}, "sent", ()),
        (
            {
                "reactions": [
                    {"name": "eyes", "users": [None, "", 7, ["U1"], "U1"]},
                    {"name": "", "users": ["U1"]},
                ]
            },
            "sent",
            (Reaction("eyes", ("U1",)),),
        ),
    ],
    ids=str,
)
def test_reactions_that_make_no_sense(message: object, kind: str, given: object) -> None:
    """Without the message nothing was seen; of odd reactions only what is whole counts."""
    with answering({"ok": True, "message": message}) as bot:
        found = slack.reactions(bot, CHANNEL, "1.2")

    assert (found.kind, found.given) == (kind, given)


def test_what_people_said(slack_server: Any, bot: Bot, post: Answer) -> None:
    """In order, and neither the message itself, nor our answers, nor other bots, nor what Slack notes."""
    first = say(slack_server, CHANNEL, post.ts, "U1", "I look after it")
    slack.post(bot, "alert/x/2013-06-14/why", CHANNEL, {"text": "because"}, post.ts)
    say(slack_server, CHANNEL, post.ts, "U9", "deployed", bot_id="B0OTHER")
    say(slack_server, CHANNEL, post.ts, "U9", "old bot", subtype="bot_message")
    say(slack_server, CHANNEL, post.ts, "U8", "joined", subtype="channel_join")
    say(slack_server, CHANNEL, post.ts, "USLACKBOT", "This message was deleted.")
    second = say(
        slack_server, CHANNEL, post.ts, "U2", "noise &lt;script&gt; <@U1>", subtype="thread_broadcast"
    )
    other = slack.post(bot, "other", CHANNEL, {"text": "another"})
    say(slack_server, CHANNEL, other.ts, "U3", "elsewhere")

    assert slack.replies(bot, CHANNEL, post.ts, PAST) == Replies(
        "sent", said=(Said(first, "U1", "I look after it"), Said(second, "U2", "noise &lt;script&gt; <@U1>"))
    )


def test_what_was_read_before_is_not_read_again(slack_server: Any, bot: Bot, post: Answer) -> None:
    """After a time, not at it: the time of the last one that was read says all that is new."""
    read = [say(slack_server, CHANNEL, post.ts, "U1", f"{n}") for n in range(40)]

    for at in (0, 17, 39):
        found = slack.replies(bot, CHANNEL, post.ts, time_of(read[at]))
        assert [each.ts for each in found.said] == read[at + 1 :]
    assert slack.replies(bot, CHANNEL, post.ts, datetime.now(UTC) + timedelta(days=1)) == Replies("sent")


def test_a_long_thread_comes_in_pages(slack_server: Any, bot: Bot, post: Answer) -> None:
    """All of it, or what is wrong and nothing: half a thread is no thread."""
    slack_server.page_size = 7
    for n in range(40):
        say(slack_server, CHANNEL, post.ts, "U1", f"{n}")
    found = slack.replies(bot, CHANNEL, post.ts, PAST)
    assert [each.text for each in found.said] == [f"{n}" for n in range(40)]
    assert len(slack_server.calls_of("conversations.replies")) == 6

    slack_server.script("conversations.replies", ("ok",), ("ok",), ("rate", 3))
    assert slack.replies(bot, CHANNEL, post.ts, PAST) == Replies(
        "again", "Slack asks to wait 3 seconds before the next call.", 3.0
    )


@pytest.mark.parametrize(
    ("messages", "kind"),
    [
        (None, "again"),
        ("many", "again"),
        ([None, 7, {}], "sent"),
        ([{"ts": "2.5", "text": "nobody"}, {"user": "U1", "text": "never"}], "sent"),
        (
            [{"ts": "9" * 400 + ".1", "user": "U1"}, {"ts": "nan", "user": "U1"}, {"ts": 2.5, "user": "U1"}],
            "sent",
        ),
        (
            [{"ts": "9999999999.1", "user": ["U1"]}, {"ts": "9999999999.1", "user": "U1", "subtype": []}],
            "sent",
        ),
    ],
    ids=str,
)
def test_a_thread_that_makes_no_sense(messages: object, kind: str) -> None:
    """What has no time or no user was said by nobody."""
    with answering({"ok": True, "messages": messages}) as bot:
        found = slack.replies(bot, CHANNEL, "1.2", PAST)

    assert (found.kind, found.said) == (kind, ())
    assert ("holds no messages" in found.error) == (kind == "again")


def test_only_what_is_new_in_the_thread_counts() -> None:
    """Slack names a thread's first message on every page, and may name what is older; somebody else may have begun it."""
    since = datetime(2024, 6, 14, 12, tzinfo=UTC)
    stamps = [f"{since.timestamp() + n:.6f}" for n in (9, 3, 0, -1, 0.000001, 3)]
    with answering({"ok": True, "messages": [{"ts": ts, "user": "U1", "text": "x"} for ts in stamps]}) as bot:
        found = slack.replies(bot, CHANNEL, stamps[0], since)

    assert [each.ts for each in found.said] == [stamps[4], stamps[1]]


def test_a_text_that_is_missing_is_empty() -> None:
    """A file alone says nothing, and was put there by somebody."""
    message = {"ts": "9999999999.1", "user": "U1", "text": None, "subtype": "file_share"}
    with answering({"ok": True, "messages": [message]}) as bot:
        assert slack.replies(bot, CHANNEL, "1.2", PAST).said == (Said("9999999999.1", "U1", ""),)
