"""What people do in a made-up Slack workspace: they react to messages, and answer in threads.

To see what an app without the scope gets, take `reactions:read` out of `workspace.scopes`.
"""

from __future__ import annotations

from typing import Any

_SHOWN = 2  # users that Slack names of a reaction unless all are asked for


def react(workspace: Any, channel_id: str, ts: str, name: str, user: str) -> None:
    """Let a user give an emoji to a message; `name` may have a skin tone, as in `eyes::skin-tone-2`."""
    with workspace.lock:
        given = _message(workspace, channel_id, ts).setdefault("reactions", [])
        found = next((each for each in given if each["name"] == name), None)
        if found is None:
            found = {"name": name, "users": [], "count": 0}
            given.append(found)
        if user not in found["users"]:
            found["users"].append(user)
            found["count"] += 1


def unreact(workspace: Any, channel_id: str, ts: str, name: str, user: str) -> None:
    """Let a user take an emoji back."""
    with workspace.lock:
        message = _message(workspace, channel_id, ts)
        for each in message["reactions"]:
            if each["name"] == name:
                each["users"].remove(user)
                each["count"] -= 1
        message["reactions"] = [each for each in message["reactions"] if each["users"]]


def say(workspace: Any, channel_id: str, thread_ts: str, user: str, text: str, **more: Any) -> str:
    """Let a user answer in a thread; the `ts` of what was said. `more` are further fields, as `subtype`."""
    with workspace.lock:
        message = workspace._add(channel_id, text)
        del message["bot_id"]
        message |= {"user": user, "thread_ts": thread_ts, **more}
        return str(message["ts"])


def shown(message: dict[str, Any], full: object) -> dict[str, Any]:
    """A message as `reactions.get` shows it: of each reaction some users, or all if they are asked for."""
    number = None if full in {"1", "true", True} else _SHOWN
    reactions = [each | {"users": each["users"][:number]} for each in message.get("reactions", [])]
    plain = {name: value for name, value in message.items() if name != "reactions"}
    return plain | ({"reactions": reactions} if reactions else {})


def _message(workspace: Any, channel_id: str, ts: str) -> dict[str, Any]:
    return next(each for each in workspace.messages[channel_id] if each["ts"] == ts)  # type: ignore[no-any-return]  # of anything
