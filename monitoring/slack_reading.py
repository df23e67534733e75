"""What people did with a message, read out of Slack's answers: the reactions to it, and what they said in its thread."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitoring.slack_body import entries, key_of
from monitoring.slack_words import Kind

_TS = re.compile(r"\d{1,12}\.\d{1,9}")
_SPOKEN = {None, "thread_broadcast", "file_share", "me_message"}  # the rest is Slack's own record of events
_SLACKBOT = "USLACKBOT"


@dataclass(frozen=True)
class Reaction:
    """An emoji below a message, by its name without a skin tone, and the ids of the users who gave it."""

    name: str
    users: tuple[str, ...]


@dataclass(frozen=True)
class Reactions:
    """The reactions to a message, if `kind` is `sent`; else in `error` what is wrong and what to do.

    Reading changes nothing: `again` and `unknown` both say that it may be tried again. `retry_after` is in seconds,
    0 where Slack names no time.
    """

    kind: Kind
    error: str = ""
    retry_after: float = 0.0
    given: tuple[Reaction, ...] = ()


@dataclass(frozen=True)
class Said:
    """What a person wrote in a thread: Slack's name of the message, the user's id, and the text as Slack keeps it.

    The text is anybody's, and `&`, `<` and `>` in it are entities.
    """

    ts: str
    user: str
    text: str


@dataclass(frozen=True)
class Replies:
    """What people wrote in a thread, oldest first, if `kind` is `sent`; the rest is as in `Reactions`."""

    kind: Kind
    error: str = ""
    retry_after: float = 0.0
    said: tuple[Said, ...] = ()


def reactions_in(message: Mapping[str, Any]) -> tuple[Reaction, ...]:
    """The reactions a message carries. One emoji in several skin tones is one reaction, each user once.

    >>> tones = [{"name": "eyes", "users": ["U1"]}, {"name": "eyes::skin-tone-2", "users": ["U2", "U1"]}]
    >>> reactions_in({"reactions": tones})
    (Reaction(name='eyes', users=('U1', 'U2')),)
    """
    users: dict[str, dict[str, None]] = {}
    for each in entries(message, "reactions"):
        name = str(each.get("name") or "").partition("::")[0]
        given = each.get("users")
        if name and isinstance(given, list):
            users.setdefault(name, {}).update(dict.fromkeys(user for user in given if _is_word(user)))
    return tuple(Reaction(name, tuple(by)) for name, by in users.items() if by)


def said_in(messages: Iterable[Mapping[str, Any]], parent_ts: str, since: datetime) -> list[Said]:
    """What people wrote after a time, of all that stands in a thread: not its first message, and nothing of bots."""
    after = float(f"{since.timestamp():.6f}")
    return [
        Said(each["ts"], each["user"], str(each.get("text") or ""))
        for each in messages
        if _is_of_a_person(each) and each["ts"] != parent_ts and float(each["ts"]) > after
    ]


def _is_of_a_person(message: Mapping[str, Any]) -> bool:
    ts, user = message.get("ts"), message.get("user")
    if not (isinstance(ts, str) and _TS.fullmatch(ts) and _is_word(user)) or user == _SLACKBOT:
        return False
    subtype = message.get("subtype")
    spoken = isinstance(subtype, str | None) and subtype in _SPOKEN
    return spoken and not message.get("bot_id") and key_of(message) is None


def _is_word(given: object) -> bool:
    return isinstance(given, str) and given != ""
