"""Whom to tell that a service file cannot be read, or is gone: what can still be made out of it."""

from __future__ import annotations

import re
from pathlib import Path

from services import read
from services.home import Home
from services.model import Service
from services.secret_text import secret_in
from services.strict_yaml import read_yaml

_SHIPPED = Path(read.__file__).parent / read.DEFAULTS


def stand_in(name: str, home: Home, channel: str = "") -> Service | None:
    """A service that has the file's name, owner and channel, and nothing else of it.

    The lines are looked for one by one, since the file may not even be YAML.

    Args:
        channel: where messages of the service went before; used when the file itself names none.

    Returns:
        None if there is no channel to tell it in.
    """
    files = (home.services / f"{name}.yaml", home.services / read.DEFAULTS)
    texts = [_text(path) for path in files]
    slack = _said(texts[:1], "slack") or channel or _said(texts[1:], "slack")
    if not slack:
        return None
    return Service.model_validate({
        **read_yaml(_SHIPPED)[0],
        "service": _name(name),
        "owner": _said(texts, "owner")[:200] or "ronda",
        "slack": slack[:200],
        "source": "unknown",
        "requests": "unknown.sql",
    })  # fmt: skip


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:  # why it cannot be read is what is told
        return ""


def _said(texts: list[str], key: str) -> str:
    """What the first line of this key gives; nothing that looks like a secret."""
    for text in texts:
        found = re.search(rf"^{key}:[ \t]*(.+)$", text, re.MULTILINE)
        said = re.sub(r"\s+#.*$", "", found[1]).strip().strip("\"'") if found else ""
        if said and not secret_in(said):
            return said
    return ""


def _name(name: str) -> str:
    if re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
        return name
    return "file_" + re.sub(r"[^a-z0-9_]", "_", name.lower())[:50]
