"""What is written into a message for Slack, and how it is known again when it is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

EVENT_TYPE = "ronda_message"
TEXT_LENGTH = 30_000
"""Slack takes 40,000 characters; how it counts an emoji or an entity is not documented."""


def message_body(key: str, channel: str, payload: Mapping[str, Any], thread_ts: str = "") -> dict[str, Any]:
    """What `post` sends: the payload's text and blocks, and the key by which the message is found again."""
    body: dict[str, Any] = {
        "channel": channel,
        "text": str(payload.get("text", "")),
        "metadata": {"event_type": EVENT_TYPE, "event_payload": {"key": key}},
        "unfurl_links": False,
        "unfurl_media": False,
    }
    if payload.get("blocks"):
        body["blocks"] = payload["blocks"]
    return body | ({"thread_ts": thread_ts} if thread_ts else {})


def update_body(key: str, channel: str, ts: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """What `update` sends; `key` is that of the post. Blocks are always given: without, Slack may keep the old."""
    body = message_body(key, channel, payload)
    return {name: body[name] for name in ("channel", "text", "metadata")} | {
        "ts": ts,
        "blocks": body.get("blocks", []),
    }


def text_alone(body: dict[str, Any]) -> dict[str, Any]:
    """The body with its text only, cut between words to what Slack takes."""
    text = body["text"]
    if len(text) > TEXT_LENGTH:
        start = text[:TEXT_LENGTH]
        text = (start.rpartition("\n")[0] or start.rpartition(" ")[0] or start) + "…"
    plain = {name: value for name, value in body.items() if name != "blocks"} | {"text": text}
    return plain | ({"blocks": []} if "ts" in body else {})


def key_of(message: Mapping[str, Any]) -> object:
    """The key a message of ours carries; None of any other."""
    metadata = _record(message.get("metadata"))
    ours = metadata.get("event_type") == EVENT_TYPE
    return _record(metadata.get("event_payload")).get("key") if ours else None


def file_names(message: Mapping[str, Any]) -> list[object]:
    """The names of the files that came with a message."""
    return [each.get("name") for each in entries(message, "files")]


def entries(data: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The records of a list in an answer; whatever else stands there is left out.

    >>> entries({"messages": [{"ts": "1.2"}, None]}, "messages"), entries({"messages": None}, "messages")
    ([{'ts': '1.2'}], [])
    """
    found = data.get(name)
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def next_cursor(data: Mapping[str, Any]) -> str:
    """Where the next page of an answer begins; empty after the last."""
    return str(_record(data.get("response_metadata")).get("next_cursor") or "")


def _record(given: object) -> Mapping[str, Any]:
    return given if isinstance(given, Mapping) else {}
