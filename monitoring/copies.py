"""Messages as files: what would be sent, and how it would look, for what is not in its channel."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from pathlib import Path
from typing import Any

from monitoring.preview import preview
from monitoring.sending import content_of
from monitoring.slack import message_body, update_body
from services.home import Home
from store.outbox import MessageRow


def put(home: Home, row: MessageRow) -> None:
    """Write the request and the preview of a message into the home's outbox; the same content is not touched.

    Raises:
        OSError: the folder cannot be written.
    """
    content = content_of(row)
    home.outbox.mkdir(parents=True, exist_ok=True)
    _put(_path(home, row, ".json"), _request(row, content))
    channel = "the webhook" if row.action == "page" else row.channel
    _put(_path(home, row, ".html"), preview(_shown(row, content), channel, row.due_at))


def remove(home: Home, row: MessageRow) -> None:
    """Remove the files of a message that was sent after all, or taken back: the folder shows what is to be said."""
    for ending in (".json", ".html"):
        try:
            _path(home, row, ending).unlink(missing_ok=True)
        except OSError:  # the message is settled; a file too many is no reason to say otherwise
            return


def place(home: Home, row: MessageRow) -> str:
    """The file that shows a message; empty if there is none."""
    path = _path(home, row, ".html")
    return str(path) if path.is_file() else ""


def _request(row: MessageRow, content: dict[str, Any]) -> str:
    if row.action == "page":
        body = content
    elif row.action == "file":
        body = {"channel": row.channel, **content}
    elif row.action == "update":
        body = update_body(row.about, row.channel, "", content)
    else:
        body = message_body(row.key, row.channel, content)
    shown = body | {"action": row.action, "about": row.about}
    return json.dumps(shown, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def _shown(row: MessageRow, content: dict[str, Any]) -> dict[str, Any]:
    """What the preview draws: of a page the line that is on a phone's screen, and what it asks for."""
    payload = content.get("payload")
    if row.action != "page" or not isinstance(payload, dict):
        return content
    asked = " · ".join(str(each) for each in (content.get("event_action"), payload.get("severity")) if each)
    return {
        "blocks": [
            {"type": "section", "text": str(payload.get("summary", ""))},
            {"type": "context", "elements": [asked]},
        ]
    }


def _put(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    data = text.encode(errors="replace")
    if path.is_file() and path.read_bytes() == data:
        return
    unfinished = path.with_name(f".{path.name[:100]}.{secrets.token_hex(8)}")
    try:
        unfinished.write_bytes(data)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _path(home: Home, row: MessageRow, ending: str) -> Path:
    """The file named after a message's key; a key that is no plain file name is told apart by its hash."""
    name = row.key.replace("/", "-")
    if not re.fullmatch(r"[\w@#=+-][\w.@#=+-]{0,149}", name, re.ASCII):
        digest = hashlib.sha256(row.key.encode(errors="replace")).hexdigest()[:12]
        name = re.sub(r"[^\w@#=+-]", "_", name, flags=re.ASCII)[:100] + f"-{digest}"
    return home.outbox / f"{name}{ending}"
