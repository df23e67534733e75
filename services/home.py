"""Where a company keeps its service files, its state and its lake; read once from the environment."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from services.errors import UsageError
from services.secret_file import secret_in

SHORTEST_KEY = 16
WEBHOOK_URL = "https://events.pagerduty.com/v2/enqueue"


@dataclass(frozen=True)
class Home:
    """The places ronda reads and writes.

    Attributes:
        root: folder holding `services/` and `sql/` (`RONDA_HOME`, default: the working folder).
        state_url: SQLAlchemy URL of the state database (`RONDA_STATE`, default SQLite in `var/`).
        lake_url: fsspec URL of the lake (`RONDA_LAKE`, default the folder `var/lake`).
        hash_key: secret that user ids are hashed with (`RONDA_HASH_KEY`, default: made once and kept in
            `var/hash.key`, readable by its owner only). Never shown.
        slack_token: of the bot that speaks (`RONDA_SLACK_TOKEN`); without one, messages are written to
            `outbox`. Never shown.
        slack_url: where Slack's Web API answers (`RONDA_SLACK_URL`), ending in `/api/`.
        outbox_folder: where messages are written that are not sent: no token, no key, or a refusal
            (`RONDA_OUTBOX`, default the folder `var/outbox`).
        webhook_url: where pages that wake people are sent, as events of PagerDuty's Events API v2
            (`RONDA_WEBHOOK_URL`, default PagerDuty's own address).
        webhook_key: the integration key of whom they wake (`RONDA_WEBHOOK_KEY`); without one, pages are written
            to `outbox`. Never shown.
    """

    root: Path
    state_url: str = field(repr=False)  # may hold a password
    lake_url: str = field(repr=False)
    hash_key: bytes = field(repr=False)
    slack_token: str = field(default="", repr=False)
    slack_url: str = field(default="https://slack.com/api/", repr=False)
    outbox_folder: Path | None = field(default=None, repr=False)
    webhook_url: str = field(default=WEBHOOK_URL, repr=False)  # some receivers have a secret in it
    webhook_key: str = field(default="", repr=False)

    @property
    def services(self) -> Path:
        """The folder of the service files."""
        return self.root / "services"

    @property
    def outbox(self) -> Path:
        """Where messages are written that are not sent."""
        return self.outbox_folder or self.root / "var" / "outbox"


def home_from(environment: Mapping[str, str] | None = None) -> Home:
    """Read the home from environment variables, with embedded defaults below `var/`.

    Raises:
        UsageError: `RONDA_HOME` names no folder, or the hash key is shorter than 16 characters or cannot be read.
    """
    env = os.environ if environment is None else environment
    root = Path(env.get("RONDA_HOME", ".")).expanduser().resolve()
    if not root.is_dir():
        raise UsageError(
            f"RONDA_HOME is {root}, which is not a folder. Create it or point it at your service files."
        )
    var = root / "var"
    return Home(
        root=root,
        state_url=env.get("RONDA_STATE") or f"sqlite:///{var / 'ronda.db'}",
        lake_url=env.get("RONDA_LAKE") or str(var / "lake"),
        hash_key=_hash_key(env.get("RONDA_HASH_KEY"), var / "hash.key"),
        slack_token=env.get("RONDA_SLACK_TOKEN", "").strip(),
        slack_url=(env.get("RONDA_SLACK_URL") or "https://slack.com/api").rstrip("/") + "/",
        outbox_folder=root / Path(given).expanduser() if (given := env.get("RONDA_OUTBOX")) else None,
        webhook_url=env.get("RONDA_WEBHOOK_URL", "").strip() or WEBHOOK_URL,
        webhook_key=env.get("RONDA_WEBHOOK_KEY", "").strip(),
    )


def _hash_key(given: str | None, path: Path) -> bytes:
    if given is not None:
        if len(given) < SHORTEST_KEY:
            raise UsageError(
                f"RONDA_HASH_KEY is shorter than {SHORTEST_KEY} characters. Give a longer random one."
            )
        return given.encode()
    try:
        key = secret_in(path, lambda: secrets.token_hex(32).encode())
    except OSError as error:
        raise UsageError(
            f"{path} can be neither read nor made: {error.strerror}. It holds the key user ids are hashed with."
            " Mend the folder, or give RONDA_HASH_KEY."
        ) from error
    if len(key) < SHORTEST_KEY:
        raise UsageError(
            f"{path} holds {len(key)} bytes, too few for the key user ids are hashed with."
            " Put the key back from a copy; or delete the file and a new key is made,"
            " but then no id hashed until now matches one hashed later."
        )
    return key
