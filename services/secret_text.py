"""Secrets in text: noticing one in a service file, and hiding the password of a URL before it is shown."""

from __future__ import annotations

import re

_IN_URL = re.compile(r"://[^\s/@:]*:(?!\$\{)(?![0-9]{1,5}/)[^\s@]+@")
_SECRETS = (
    ("a URL with a password", _IN_URL),
    ("a password", re.compile(r"(?i)\b(?:password|passwd|pwd|secret|senha)\s*=\s*(?!\$\{)[^\s&]{3,}")),
    ("a Slack token", re.compile(r"(?i)\bxox[a-z](?:\.xox[a-z])?-[a-z0-9-]{6,}|\bxapp-[a-z0-9-]{6,}")),
    ("a Slack webhook", re.compile(r"(?i)hooks\.slack\.com/(?:services|workflows|triggers)/\w")),
    (
        "an access key",
        re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[a-z]_\w{20,}|\bsk-[\w-]{20,}|\bgithub_pat_\w{20,}"),
    ),
    ("a private key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY")),
)
# Greedy up to the last @: a password typed without percent signs may hold / ? # or @ itself.
_HIDE_USER = re.compile(r"(://[^\s/@:]*:)\S*@")
_HIDE_NAMED = re.compile(r"(?i)((?:password|passwd|pwd|secret|token|access_?key|senha)=)('[^']*'|[^\s&]+)")


def secret_in(text: str) -> str | None:
    """What kind of secret the text seems to hold, in words; None if none. The secret is never returned.

    >>> secret_in("postgresql://ronda:hunter2@db/log")
    'a URL with a password'
    >>> secret_in("${FLIGHTS_URL}") is None
    True
    """
    return next((kind for kind, pattern in _SECRETS if pattern.search(text)), None)


def hide_password(url: str) -> str:
    """The URL with its password, and whatever is named like one, replaced; to be used before any is shown.

    It rather hides too much (everything up to the last `@`) than too little.

    >>> hide_password("postgresql://ronda:p/w@d@db:5432/log?sslmode=require")
    'postgresql://ronda:***@db:5432/log?sslmode=require'
    >>> hide_password("host=db password=hunter2 dbname=log")
    'host=db password=*** dbname=log'
    """
    return _HIDE_NAMED.sub(r"\1***", _HIDE_USER.sub(r"\1***@", url))
