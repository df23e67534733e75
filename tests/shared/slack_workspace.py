"""What a Slack workspace keeps, shows and refuses; `slack_server.py` puts HTTP in front of it."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from slack_reactions import shown

Json = dict[str, Any]
Step = tuple[Any, ...]
SCOPES = {
    "chat:write",
    "channels:read",
    "groups:read",
    "channels:history",
    "files:write",
    "reactions:read",
}
NEEDED = {
    "chat.postMessage": "chat:write",
    "chat.update": "chat:write",
    "conversations.list": "channels:read",
    "conversations.history": "channels:history",
    "conversations.replies": "channels:history",
    "files.getUploadURLExternal": "files:write",
    "files.completeUploadExternal": "files:write",
    "reactions.get": "reactions:read",
}
UPLOAD = "upload"


class RefusedError(Exception):
    """ok: false."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.answer = {"ok": False, "error": error, **more}


@dataclass(frozen=True)
class Call:
    """A call that came in, whatever became of it."""

    method: str
    arguments: Json
    authorization: str


@dataclass
class Workspace:
    """One workspace. `channels` maps names to ids; the bot is in those of `member_of`."""

    url: str = ""
    token: str = "xoxb-made-up-for-tests"
    channels: dict[str, str] = field(
        default_factory=lambda: {"eta-oncall": "C0ETAONCALL", "shop": "C0SHOP00000", "general": "C0GENERAL00"}
    )
    member_of: set[str] = field(default_factory=lambda: {"C0ETAONCALL", "C0SHOP00000", "C0GENERAL00"})
    archived: set[str] = field(default_factory=set)
    scopes: set[str] = field(default_factory=lambda: set(SCOPES))
    page_size: int = 100
    calls: list[Call] = field(default_factory=list)
    messages: dict[str, list[Json]] = field(default_factory=lambda: defaultdict(list))
    files: dict[str, Json] = field(default_factory=dict)
    before_answer: Callable[[str, Json], None] | None = None
    clock: Callable[[], float] = time.time
    scripted: dict[str, deque[Step]] = field(default_factory=lambda: defaultdict(deque))
    closing: threading.Event = field(default_factory=threading.Event)
    lock: threading.RLock = field(default_factory=threading.RLock)
    last_ts: float = 0.0

    def script(self, method: str, *steps: Step) -> None:
        """Say how the next calls of a method go; after them it works again."""
        self.scripted[method].extend(steps)

    def said(self, channel: str = "eta-oncall") -> list[Json]:
        """What stands in a channel, oldest first, without what is in threads."""
        return [each for each in self.messages[self.channels[channel]] if not _in_thread(each)]

    def thread(self, ts: str, channel: str = "eta-oncall") -> list[Json]:
        """The answers to a message."""
        return [
            each
            for each in self.messages[self.channels[channel]]
            if _in_thread(each) and each["thread_ts"] == ts
        ]

    def calls_of(self, method: str) -> list[Json]:
        """The arguments of each call of a method."""
        return [each.arguments for each in self.calls if each.method == method]

    # what the handler asks

    def take(self, method: str, arguments: Json, authorization: str) -> Step:
        """Note a call, and say how it goes."""
        with self.lock:
            self.calls.append(Call(method, arguments, authorization))
            return self.scripted[method].popleft() if self.scripted[method] else ("ok",)

    def carry_out(self, method: str, given: Json, authorization: str) -> Json:
        """What the method answers."""
        try:
            with self.lock:
                self._admit(method, given, authorization)
                answer: Json = getattr(self, "_" + method.replace(".", "_"))(given)
            answer = {"ok": True, **answer}
        except RefusedError as refused:
            answer = refused.answer
        if self.before_answer is not None:
            self.before_answer(method, answer)
        return answer

    def keep_upload(self, file_id: str, data: bytes) -> int:
        """The status that uploading bytes has."""
        if file_id not in self.files or self.files[file_id]["length"] != len(data):
            return 400
        self.files[file_id]["data"] = data
        return 200

    def _admit(self, method: str, given: Json, authorization: str) -> None:
        if not authorization:
            raise RefusedError("not_authed")
        if authorization != f"Bearer {self.token}":
            raise RefusedError("invalid_auth")
        needed = [NEEDED[method]] if method in NEEDED else []
        if method == "conversations.list" and "private_channel" in str(given.get("types", "")):
            needed.append("groups:read")
        for scope in needed:
            if scope not in self.scopes:
                raise RefusedError("missing_scope", needed=scope, provided=",".join(sorted(self.scopes)))
        if method != "auth.test" and f"_{method.replace('.', '_')}" not in dir(self):
            raise RefusedError("unknown_method")

    def _auth_test(self, given: Json) -> Json:  # noqa: ARG002 - called like the others
        return {
            "url": self.url,
            "team": "made up",
            "user": "ronda",
            "user_id": "U0RONDA0000",
            "bot_id": "B0RONDA0000",
        }

    def _chat_postMessage(self, given: Json) -> Json:  # noqa: N802 - the method's name
        channel = self._channel(given.get("channel"), names=True)
        _check_size(given)
        message = self._add(
            channel, given.get("text", ""), blocks=given.get("blocks"), metadata=_metadata(given)
        )
        if given.get("thread_ts"):
            message["thread_ts"] = given["thread_ts"]
        return {"channel": channel, "ts": message["ts"], "message": message}

    def _chat_update(self, given: Json) -> Json:
        channel = self._channel(given.get("channel"))
        message = next((each for each in self.messages[channel] if each["ts"] == given.get("ts")), None)
        if message is None:
            raise RefusedError("message_not_found")
        _check_size(given)
        message["text"] = given.get("text", "")
        message["edited"] = {"user": "U0RONDA0000"}
        for name, value in (("blocks", given.get("blocks")), ("metadata", _metadata(given))):
            if value is not None:  # without the argument the old is kept
                message[name] = value
        return {"channel": channel, "ts": message["ts"], "text": message["text"]}

    def _conversations_list(self, given: Json) -> Json:
        listed = [
            {"id": id_, "name": name, "is_archived": id_ in self.archived}
            for name, id_ in sorted(self.channels.items())
            if not (given.get("exclude_archived") in {"1", "true", True} and id_ in self.archived)
        ]
        return self._page("channels", listed, given)

    def _conversations_history(self, given: Json) -> Json:
        channel = self._channel(given.get("channel"))
        found = [each for each in reversed(self.messages[channel]) if not _in_thread(each)]
        return self._page("messages", _seen(found, given), given)

    def _conversations_replies(self, given: Json) -> Json:
        channel = self._channel(given.get("channel"))
        parent = [each for each in self.messages[channel] if each["ts"] == given.get("ts")]
        if not parent:
            raise RefusedError("thread_not_found")
        replies = [
            each for each in self.messages[channel] if _in_thread(each) and each["thread_ts"] == given["ts"]
        ]
        return self._page("messages", _seen(parent, given | {"oldest": 0}) + _seen(replies, given), given)

    def _reactions_get(self, given: Json) -> Json:
        channel = self._channel(given.get("channel"))
        message = next(
            (each for each in self.messages[channel] if each["ts"] == given.get("timestamp")), None
        )
        if message is None:
            raise RefusedError("message_not_found")
        return {"type": "message", "channel": channel, "message": shown(message, given.get("full"))}

    def _files_getUploadURLExternal(self, given: Json) -> Json:  # noqa: N802 - the method's name
        if not given.get("filename") or not int(given.get("length", 0)):
            raise RefusedError("invalid_arguments")
        file_id = f"F{len(self.files):010d}"
        self.files[file_id] = {"id": file_id, "name": given["filename"], "length": int(given["length"])}
        return {"file_id": file_id, "upload_url": f"{self.url.removesuffix('api/')}{UPLOAD}/{file_id}"}

    def _files_completeUploadExternal(self, given: Json) -> Json:  # noqa: N802 - the method's name
        channel = self._channel(given.get("channel_id"))
        done = []
        for each in json.loads(given["files"]):
            file = self.files.get(each["id"], {})
            if "data" not in file:
                raise RefusedError("file_not_found")
            done.append({"id": file["id"], "name": file["name"], "title": each.get("title", "")})
        message = self._add(channel, given.get("initial_comment", ""), files=done)
        if given.get("thread_ts"):
            message["thread_ts"] = given["thread_ts"]
        return {"files": done}  # and no ts: Slack shares files later

    def _channel(self, given: object, *, names: bool = False) -> str:
        found = self.channels.get(str(given).removeprefix("#")) if names else None
        channel = found or str(given)
        if channel not in self.channels.values():
            raise RefusedError("channel_not_found")
        if channel in self.archived:
            raise RefusedError("is_archived")
        if channel not in self.member_of:
            raise RefusedError("not_in_channel")
        return channel

    def _add(self, channel: str, text: str, **more: Any) -> Json:
        self.last_ts = max(self.clock(), self.last_ts + 0.0001)
        kept = {name: value for name, value in more.items() if value}
        message = {
            "type": "message",
            "ts": f"{self.last_ts:.6f}",
            "bot_id": "B0RONDA0000",
            "text": text,
            **kept,
        }
        self.messages[channel].append(message)
        return message

    def _page(self, name: str, found: list[Json], given: Json) -> Json:
        start = int(given.get("cursor") or 0)
        end = start + min(int(given.get("limit") or 100), self.page_size)
        more = str(end) if end < len(found) else ""
        return {name: found[start:end], "has_more": bool(more), "response_metadata": {"next_cursor": more}}


def _in_thread(message: Json) -> bool:
    return message.get("thread_ts", message["ts"]) != message["ts"]


def _seen(found: list[Json], given: Json) -> list[Json]:
    """What a reader gets: from `oldest` on, and of metadata the payload only if it is asked for."""
    after = [each for each in found if float(each["ts"]) > float(given.get("oldest") or 0)]
    if given.get("include_all_metadata") in {"1", "true", True}:
        return after
    return [
        each | ({"metadata": {"event_type": each["metadata"]["event_type"]}} if "metadata" in each else {})
        for each in after
    ]


def _metadata(given: Json) -> Json | None:
    """Metadata that Slack keeps; what is malformed is dropped, and the message posted without."""
    metadata = given.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_payload"), dict):
        return None
    return metadata if metadata.get("event_type") and metadata["event_payload"] else None


def _check_size(given: Json) -> None:
    blocks = given.get("blocks") or []
    if not given.get("text") and not blocks:
        raise RefusedError("no_text")
    if len(given.get("text") or "") > 40_000:
        raise RefusedError("msg_too_long")
    if len(blocks) > 50 or not all(map(_is_valid, blocks)):
        raise RefusedError("invalid_blocks")
    if len(json.dumps(blocks, ensure_ascii=False)) >= 13_000:
        raise RefusedError("msg_blocks_too_long")


def _is_valid(block: Json) -> bool:
    if not isinstance(block.get("type"), str):
        return False
    limit = {"header": 150, "section": 3000}.get(block["type"])
    return limit is None or len((block.get("text") or {}).get("text", "")) <= limit
