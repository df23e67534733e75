"""A home whose messages go to a server on this machine, and a clock that sleeping moves."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitoring.alert import Deliveries, deliver
from services.home import Home
from store import outbox
from store.lake import Lake, open_lake
from store.outbox import MessageRow
from store.state import State, open_state, reading, writing

ROOT = Path(__file__).parents[3]
SENDER = """
from datetime import UTC, datetime
from monitoring.alert import deliver
from services.home import home_from
from store.lake import open_lake
from store.state import open_state

home = home_from()
done = deliver(open_state(home.state_url), open_lake(home.lake_url), home, lambda: datetime.now(UTC))
print(done.busy, [each.state for each in done])
"""
BLOCKS = [{"type": "section", "text": {"type": "mrkdwn", "text": "*late flights* went up"}}]


@dataclass
class Clock:
    """The time it is; it passes only while somebody sleeps."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> datetime:
        return self.now

    def timestamp(self) -> float:
        """The time it is, as Slack's server writes it."""
        return self.now.timestamp()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


@dataclass
class Office:
    """What a test needs to put messages and to see what became of them."""

    server: Any
    home: Home
    state: State
    lake: Lake
    clock: Clock
    webhook: Any = None

    def put(self, key: str, text: str = "hello", *, payload: Any = None, **given: Any) -> MessageRow:
        """Record a message that is due now."""
        content = {"text": text, "blocks": BLOCKS} if payload is None else payload
        now = self.clock()
        plain: dict[str, Any] = {
            "kind": "alert",
            "service": "flight_delay",
            "channel": "#eta-oncall",
            "due_at": now,
            "recorded_at": now,
        }
        row = MessageRow(key=key, payload=json.dumps(content), **(plain | given))
        with writing(self.state) as connection:
            assert outbox.put(connection, row)
        return row

    def deliver(self, **given: Any) -> dict[str, str]:
        """Run once; the state of each message that was due."""
        return {each.key: each.state for each in self.run(**given)}

    def run(self, **given: Any) -> Deliveries:
        """Run once."""
        home = given.pop("home", self.home)
        return deliver(
            self.state, self.lake, home, self.clock, sleep=self.clock.sleep, **({"timeout": 5.0} | given)
        )

    def row(self, key: str) -> MessageRow:
        """A message as it is recorded."""
        with reading(self.state) as connection:
            found = outbox.message_of(connection, key)
        assert found is not None
        return found

    @property
    def texts(self) -> list[str]:
        """What the channel says, oldest first."""
        return [each["text"] for each in self.server.said()]

    @property
    def files(self) -> dict[str, bytes]:
        """The files that stand for messages."""
        return {file.name: file.read_bytes() for file in sorted(self.home.outbox.glob("*"))}

    def variables(self) -> dict[str, str]:
        """The environment of another process that works for the same home."""
        return {
            "RONDA_HOME": str(self.home.root),
            "RONDA_STATE": self.home.state_url,
            "RONDA_LAKE": self.home.lake_url,
            "RONDA_SLACK_URL": self.home.slack_url,
            "RONDA_SLACK_TOKEN": self.home.slack_token,
            "RONDA_WEBHOOK_URL": self.home.webhook_url,
            "RONDA_WEBHOOK_KEY": self.home.webhook_key,
        }

    def start(self) -> subprocess.Popen[str]:
        """Another process that sends what is due."""
        return subprocess.Popen(
            [sys.executable, "-c", SENDER],
            cwd=ROOT,
            env={"PATH": "/usr/bin:/bin", **self.variables()},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def home_in(root: Path, server: Any, state_url: str) -> Home:
    """A home with a token."""
    return Home(root, state_url, str(root / "var" / "lake"), b"k" * 16, server.token, server.url)


@pytest.fixture
def state_url(tmp_path: Path) -> str:
    """Where the office's state is."""
    return f"sqlite:///{tmp_path / 'var' / 'ronda.db'}"


@pytest.fixture
def office(tmp_path: Path, slack_server: Any, state_url: str) -> Iterator[Office]:
    """Everything sending takes, and nothing to send."""
    home = home_in(tmp_path, slack_server, state_url)
    state, clock = open_state(home.state_url), Clock()
    slack_server.clock = clock.timestamp
    yield Office(slack_server, home, state, open_lake(home.lake_url), clock)
    state.dispose()
