"""The door to Slack: one call, and a plain answer. Nothing is raised for what Slack or the network does.

Slack has no idempotency key. What ronda posts carries its key as message metadata, so that a message whose
answer was lost can be looked for in the channel. The SDK is given no retry handlers: its default sends a message
again when a connection drops after Slack took it. The SDK is imported in functions only, and only in this file.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from monitoring.slack_body import (
    TEXT_LENGTH,
    entries,
    file_names,
    key_of,
    message_body,
    next_cursor,
    text_alone,
    update_body,
)
from monitoring.slack_reading import Reaction, Reactions, Replies, Said, reactions_in, said_in
from monitoring.slack_words import TOO_MUCH, Answer, Found, Kind, Reply, failure, refusal

if TYPE_CHECKING:
    from slack_sdk import WebClient
    from slack_sdk.web import SlackResponse

    _Read = Callable[[WebClient, str], SlackResponse]  # one page, from a cursor on

__all__ = [
    "Answer",
    "Bot",
    "Found",
    "Kind",
    "Reaction",
    "Reactions",
    "Replies",
    "Said",
    "find",
    "find_file",
    "message_body",
    "post",
    "reactions",
    "replies",
    "update",
    "update_body",
    "upload",
]

_PAGES, _PER_PAGE = 500, 200
_CHANNEL_ID = re.compile(r"[CDG][A-Z0-9]{6,}")
_ADDRESS = re.compile(r"https?://[^/\s]")
_TOKEN = re.compile(r"[\x21-\x7e]+")  # what may stand in a header

_NO_REACTIONS = (
    "Slack says missing_scope: give the app the scope reactions:read under OAuth & Permissions, then install it again;"
    " until then no reaction is read."
)


@dataclass(frozen=True)
class Bot:
    """Who speaks, and where Slack's Web API answers. `timeout` is in seconds, for each call."""

    token: str = field(repr=False)
    url: str
    timeout: float = 10.0


def post(bot: Bot, key: str, channel: str, payload: Mapping[str, Any], thread_ts: str = "") -> Answer:
    """Post a message, into a thread if one is named. If its blocks are refused, its text is posted alone."""
    body = message_body(key, channel, payload, thread_ts)
    return _said(bot, channel, body, lambda client, given: client.chat_postMessage(**given))


def update(bot: Bot, key: str, channel_id: str, ts: str, payload: Mapping[str, Any]) -> Answer:
    """Replace what a post says; `key` is that of the post. Doing it twice is doing it once."""
    body = update_body(key, channel_id, ts, payload)
    return _said(bot, channel_id, body, lambda client, given: client.chat_update(**given))


def upload(bot: Bot, channel_id: str, thread_ts: str, name: str, title: str, content: bytes) -> Answer:
    """Put a file into a thread. Slack shows it some time after it has answered."""
    reply = _call(
        bot,
        channel_id,
        lambda client: client.files_upload_v2(
            filename=name, title=title or name, content=content, channel=channel_id, thread_ts=thread_ts
        ),
    )
    return Answer(reply.kind, reply.error, channel_id, "", reply.retry_after)


def find(bot: Bot, key: str, channel: str, since: datetime, thread_ts: str = "") -> Found:
    """Look for the message that `post` sent with this key, since then, in the channel or in one of its threads."""
    return _find(bot, channel, since, thread_ts, lambda message: key_of(message) == key)


def find_file(bot: Bot, name: str, channel: str, since: datetime, thread_ts: str) -> Found:
    """Look for a file of this name that was put into a thread since then."""
    return _find(bot, channel, since, thread_ts, lambda message: name in file_names(message))


def reactions(bot: Bot, channel_id: str, ts: str) -> Reactions:
    """Who reacted to a message, and with what."""
    reply = _call(
        bot,
        channel_id,
        lambda client: client.reactions_get(channel=channel_id, timestamp=ts, full=True),
    )
    if reply.code == "missing_scope":
        return Reactions(reply.kind, _NO_REACTIONS)
    if reply.kind != "sent":
        return Reactions(reply.kind, reply.error, reply.retry_after)
    message = reply.data.get("message")
    if not isinstance(message, dict):
        return Reactions("again", "Slack's answer holds no message.")
    return Reactions("sent", given=reactions_in(message))


def replies(bot: Bot, channel_id: str, ts: str, since: datetime) -> Replies:
    """What people wrote in the thread of a message after a time; nothing of bots, ours included."""
    said: dict[str, Said] = {}
    for reply in _pages(bot, channel_id, _thread(channel_id, ts, since)):
        if reply.kind != "sent":
            return Replies(reply.kind, reply.error, reply.retry_after)
        if not isinstance(reply.data.get("messages"), list):
            return Replies("again", "Slack's answer holds no messages.")
        said.update((each.ts, each) for each in said_in(entries(reply.data, "messages"), ts, since))
    return Replies("sent", said=tuple(sorted(said.values(), key=lambda each: float(each.ts))))


def _said(
    bot: Bot, channel: str, body: dict[str, Any], send: Callable[[WebClient, dict[str, Any]], SlackResponse]
) -> Answer:
    reply = _call(bot, channel, lambda client: send(client, body))
    plain = text_alone(body)
    if reply.code not in TOO_MUCH or plain == body:
        return _answer(reply)
    second = _answer(_call(bot, channel, lambda client: send(client, plain)))  # the first was never accepted
    if second.kind != "sent":
        return second
    error = (
        f"Slack says {reply.code}: it was sent as text alone, up to {TEXT_LENGTH:,} characters. Shorten it."
    )
    return Answer("sent", error, second.channel_id, second.ts)


def _answer(reply: Reply) -> Answer:
    channel_id, ts = str(reply.data.get("channel", "")), str(reply.data.get("ts", ""))
    if reply.kind == "sent" and not (channel_id and ts):
        return Answer("unknown", "Slack answered without saying where the message is.")
    return Answer(reply.kind, reply.error, channel_id, ts, reply.retry_after)


def _find(
    bot: Bot, channel: str, since: datetime, thread_ts: str, is_it: Callable[[Mapping[str, Any]], bool]
) -> Found:
    where = _channel(bot, channel)
    if where.kind != "found":
        return where
    read = _thread if thread_ts else _history
    for reply in _pages(bot, channel, read(where.channel_id, thread_ts, since)):
        if reply.code == "thread_not_found":
            return Found("absent", "", where.channel_id)
        if reply.kind != "sent":
            return _not_read(reply)
        if not isinstance(reply.data.get("messages"), list):
            return Found("again", "Slack's answer holds no messages.")
        for message in entries(reply.data, "messages"):
            if is_it(message):
                return Found("found", "", where.channel_id, str(message.get("ts", "")))
    return Found("absent", "", where.channel_id)


def _thread(channel_id: str, ts: str, since: datetime) -> _Read:
    return lambda client, cursor: client.conversations_replies(
        channel=channel_id,
        ts=ts,
        oldest=f"{since.timestamp():.6f}",
        include_all_metadata=True,
        limit=_PER_PAGE,
        cursor=cursor or None,
    )


def _history(channel_id: str, _: str, since: datetime) -> _Read:
    return lambda client, cursor: client.conversations_history(
        channel=channel_id,
        oldest=f"{since.timestamp():.6f}",
        include_all_metadata=True,
        limit=_PER_PAGE,
        cursor=cursor or None,
    )


def _channel(bot: Bot, channel: str) -> Found:
    """The id of a channel: only posting takes a name."""
    if _CHANNEL_ID.fullmatch(channel):
        return Found("found", "", channel)
    found = _listed(bot, channel, "public_channel,private_channel")
    # an app that may not see private channels may still see the public ones
    return _listed(bot, channel, "public_channel") if found.kind == "unreadable" else found


def _listed(bot: Bot, channel: str, types: str) -> Found:
    def read(client: WebClient, cursor: str) -> SlackResponse:
        return client.conversations_list(
            types=types, exclude_archived=True, limit=_PER_PAGE, cursor=cursor or None
        )

    for reply in _pages(bot, channel, read):
        if reply.kind != "sent":
            return _not_read(reply)
        for each in entries(reply.data, "channels"):
            if each.get("name") == channel.removeprefix("#").lower():
                return Found("found", "", str(each.get("id", "")))
    return Found(
        "unreadable", f"There is no channel {channel} that the bot can see: invite it there, /invite @ronda."
    )


def _not_read(reply: Reply) -> Found:
    if reply.kind == "stopped":
        return Found("stopped", reply.error)
    return Found("unreadable" if reply.kind == "refused" else "again", reply.error, "", "", reply.retry_after)


def _pages(bot: Bot, channel: str, read: _Read) -> Iterator[Reply]:
    cursor = ""
    for _ in range(_PAGES):
        reply = _call(bot, channel, lambda client, at=cursor: read(client, at))  # type: ignore[misc]  # a default binds the page
        yield reply
        cursor = next_cursor(reply.data)
        if reply.kind != "sent" or not cursor:
            return
    yield Reply("again", "", f"There is more than {_PAGES * _PER_PAGE:,} entries to read in {channel}.")


def _call(bot: Bot, channel: str, run: Callable[[WebClient], SlackResponse]) -> Reply:
    if not _TOKEN.fullmatch(bot.token):  # the standard library would quote it in its complaint
        return Reply("stopped", "", "RONDA_SLACK_TOKEN holds a character that no token has: set it anew.")
    if not _ADDRESS.match(bot.url):
        return Reply(
            "again", "", "RONDA_SLACK_URL is no web address: leave it out, or begin it with https://."
        )
    from slack_sdk import WebClient  # noqa: PLC0415 - a fifth of a second that most commands need not pay
    from slack_sdk.errors import SlackApiError  # noqa: PLC0415 - same

    client = WebClient(
        bot.token,
        bot.url,
        timeout=bot.timeout,  # type: ignore[arg-type]  # urllib takes parts of seconds too
        retry_handlers=[],
        logger=_silent(),
    )
    try:
        response = run(client)
        if isinstance(response.data, dict):
            return Reply("sent", data=response.data)
    except SlackApiError as error:
        return _refusal(channel, error.response)
    except Exception as error:  # noqa: BLE001 - whatever it is, the message may have arrived
        return failure(error)
    return Reply("unknown", "", "Slack answered with something that is no JSON.")


def _refusal(channel: str, response: SlackResponse) -> Reply:
    reply = refusal(channel, response.status_code, response.data, response.headers)
    if reply.kind == "unknown" and response.api_url.endswith("/files.getUploadURLExternal"):
        return Reply("again", reply.code, reply.error)  # nobody sees a file before its upload is completed
    return reply


def _silent() -> logging.Logger:
    """The SDK's own log quotes what was sent; our answers say what is to be said."""
    logger = logging.getLogger(f"{__name__}.sdk")
    logger.setLevel(logging.CRITICAL)
    return logger
