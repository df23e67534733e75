"""The token is sent to Slack and is nowhere else: not in errors, rows, files, logs or what is printed."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from monitoring import slack
from monitoring.slack import Bot

TOKEN = "xoxb-4242-verysecretvalue"
POST = "chat.postMessage"


def everything(office: Any) -> str:
    """All that is on disk below the home, whatever it is."""
    files = [file for file in Path(office.home.root).rglob("*") if file.is_file()]
    assert files
    return "".join(file.read_bytes().decode("latin-1") for file in files)


@pytest.mark.parametrize(
    "step",
    [
        ("error", "token_revoked"),
        ("error", f"no {TOKEN} here"),
        ("error", TOKEN),
        ("status", 500),
        ("status", 403),
        ("status", 429),
        ("garbage",),
        ("stored_then_drop",),
        ("rate", 100000),
    ],
    ids=str,
)
def test_no_failure_tells_it(
    office: Any, step: tuple[Any, ...], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever goes wrong, also where the server quotes it back, and however much is logged."""
    caplog.set_level(logging.DEBUG)
    office.server.token = TOKEN
    office.home = replace(office.home, slack_token=TOKEN)
    office.server.script(POST, *[step] * 3)
    office.put("key")
    done = office.run()

    assert office.server.calls[0].authorization == f"Bearer {TOKEN}"
    printed = "".join(capfd.readouterr())
    for told in (repr(done), everything(office), caplog.text, printed, repr(office.row("key"))):
        assert TOKEN not in told
    assert printed == ""


@pytest.mark.parametrize("token", [f"{TOKEN}\nX-Evil: 1", f"{TOKEN} x", f"{TOKEN}é", f"{TOKEN}\x7f"])
def test_a_token_that_cannot_be_sent(office: Any, token: str) -> None:
    """The standard library would quote it in its complaint; nothing is called."""
    office.home = replace(office.home, slack_token=token)
    office.put("1")
    office.put("2")
    done = office.run()

    assert [each.state for each in done] == ["refused", "waiting"]
    assert done[0].error == "RONDA_SLACK_TOKEN holds a character that no token has: set it anew."
    assert TOKEN not in repr(done) + everything(office)
    assert office.server.calls == []


@pytest.mark.parametrize(
    "url", ["slack.com/api/", "http://127.0.0.1:none/api/", "file:///etc/passwd", "http:///"]
)
def test_an_address_that_is_none(office: Any, url: str) -> None:
    """A clear state, whatever the address is."""
    office.home = replace(office.home, slack_url=url, slack_token=TOKEN)
    office.put("1")
    done = office.run()

    assert [each.state for each in done] == ["waiting"]
    assert "RONDA_SLACK_URL" in done[0].error
    assert TOKEN not in repr(done) + everything(office)


def test_records_do_not_show_it() -> None:
    """Nor does anything that is printed while debugging."""
    bot = Bot(TOKEN, "http://127.0.0.1:1/api/", 0.5)

    assert TOKEN not in repr(bot)
    assert TOKEN not in repr(slack.post(bot, "k", "#c", {"text": "t"}))
