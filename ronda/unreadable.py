"""Whom to tell that a service file cannot be read, or is gone: what can still be made out of it."""

from __future__ import annotations

import re
from pathlib import Path

from services import read
from services.errors import ServiceFileError
from services.field_rules import SLACK_ID
from services.home import Home
from services.model import Service
from services.secret_text import secret_in
from services.strict_yaml import file_bytes, read_yaml

_SHIPPED = Path(read.__file__).parent / read.DEFAULTS
# What a line must give to be taken. A channel is a name or an id, but no word that means something else to YAML.
_FORMS = {
    "slack": r"(?!(?i:null|true|false|yes|no|on|off)$)(?:#?[\w.-]{1,80}|[CGD][A-Z0-9]{8,})",
    "owner": r"[^\x00-\x1f\x7f]+",
    "mention": SLACK_ID,
    "language": r"en|pt",
}


def stand_in(name: str, home: Home, channel: str = "") -> Service | None:
    """A service that has the file's name, owner, channel, mention and language, and nothing else of it.

    The lines are looked for one by one, since the file may not even be YAML.

    Args:
        name: the file's, as `ronda.roster.services_on_watch` gives it.
        channel: where messages of the service went before; used when the file itself names none.

    Returns:
        None if there is no channel to tell it in.
    """
    texts = [_text(path) for path in (_file(name, home), home.services / read.DEFAULTS)]
    slack = _said(texts[:1], "slack") or channel or _said(texts[1:], "slack")
    if not slack:
        return None
    return Service.model_validate({
        **read_yaml(_SHIPPED)[0],
        "service": recorded_as(name),
        "owner": _said(texts, "owner")[:200] or "ronda",
        "slack": slack,
        "mention": _said(texts, "mention"),
        "language": _said(texts, "language") or "en",
        "source": "unknown",
        "requests": "unknown.sql",
    })  # fmt: skip


def recorded_as(name: str) -> str:
    """The name that messages about a file are recorded under: the file's, if it can be a service's."""
    if re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
        return name
    return "file_" + re.sub(r"[^a-z0-9_]", "_", name.lower())[:50]


def _file(name: str, home: Home) -> Path:
    files = {read.as_text(path.stem): path for path in home.services.glob("*.yaml")}
    return files.get(name, home.services / f"{name}.yaml")


def _text(path: Path) -> str:
    try:
        return file_bytes(path).decode("utf-8", errors="replace")
    except ServiceFileError:  # why it cannot be read is what is told
        return ""


def _said(texts: list[str], key: str) -> str:
    """What the first line of this key gives, if it has the key's form; nothing that looks like a secret."""
    for text in texts:
        found = re.search(rf"^{key}:[ \t]*(.+)$", text, re.MULTILINE)
        said = re.sub(r"\s+#.*$", "", found[1]).strip().strip("\"'").strip() if found else ""
        if re.fullmatch(_FORMS[key], said) and not secret_in(said):
            return said
    return ""
