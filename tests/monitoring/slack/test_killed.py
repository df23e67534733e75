"""Processes that die while they send, and two that send at once: exactly one message."""

from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest

POST = "chat.postMessage"
KEY = "alert/flight_delay/2013-06-14"


@pytest.mark.parametrize("action", ["post", "reply", "file"])
def test_killed_between_slacks_answer_and_our_record(office: Any, action: str) -> None:
    """The next run finds it `sending`, looks, and sees that it is there."""
    method = "files.completeUploadExternal" if action == "file" else POST
    office.lake.put("page.html", b"page")
    if action != "post":
        office.put("parent", "parent")
        office.deliver()
    payload = {"path": "page.html", "name": "page.html", "title": ""} if action == "file" else None
    office.put(KEY, payload=payload, action=action, about="" if action == "post" else "parent")
    running: list[subprocess.Popen[str]] = []
    started = threading.Event()

    def kill(called: str, answer: Any) -> None:
        if called == method:
            assert started.wait(60)
            running[0].kill()
            running[0].wait()

    office.server.before_answer = kill
    running.append(office.start())
    started.set()
    assert running[0].communicate(timeout=60) == ("", "")
    assert running[0].returncode == -9
    office.server.before_answer = None
    assert (office.row(KEY).state, office.row(KEY).ts) == ("sending", "")

    calls = len(office.server.calls_of(method))
    assert office.deliver() == {KEY: "sent"}
    assert len(office.server.calls_of(method)) == calls
    assert len(office.server.messages["C0ETAONCALL"]) == (1 if action == "post" else 2)
    assert office.row(KEY).ts == office.server.messages["C0ETAONCALL"][-1]["ts"]
    assert office.deliver() == {}


def test_killed_before_slack_took_it(office: Any) -> None:
    """The next run waits until it would be visible, sees that it is not there, and sends it."""
    office.server.script(POST, ("hang", 60))
    office.put(KEY)
    process = office.start()
    until = time.monotonic() + 60
    while not office.server.calls and time.monotonic() < until:
        time.sleep(0.01)
    process.kill()
    process.communicate()
    office.clock.now = office.row(KEY).claimed_at

    assert office.row(KEY).state == "sending"
    assert office.deliver() == {KEY: "sent"}
    assert office.clock.slept == [10]
    assert office.texts == ["hello"]


class TestTwoAtOnce:
    """On either kind of state."""

    @pytest.fixture(params=["sqlite", "postgresql"])
    def state_url(self, request: pytest.FixtureRequest, tmp_path: Path) -> str:
        """Both kinds of state."""
        if request.param == "sqlite":
            return f"sqlite:///{tmp_path / 'var' / 'ronda.db'}"
        url: str = request.getfixturevalue("postgres_database")
        return url

    def test_two_processes(self, office: Any) -> None:
        """The second leaves everything to the first, and says so."""
        office.put(KEY)
        office.put("next", "second")
        asked, may_answer = threading.Event(), threading.Event()

        def hold(called: str, answer: Any) -> None:
            asked.set()
            assert may_answer.wait(60)

        office.server.before_answer = hold
        first = office.start()
        assert asked.wait(60)
        second = office.start()
        assert second.communicate(timeout=60) == ("True []\n", "")
        here = office.run()
        assert (here, here.busy) == ([], True)
        may_answer.set()

        assert first.communicate(timeout=60) == ("False ['sent', 'sent']\n", "")
        assert office.texts == ["hello", "second"]
        assert office.deliver() == {}
