"""Whole nights told in Slack: the command line, the real slack_sdk, and a server on this machine that behaves like Slack."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from shop_changes import fail_half

HOSTILE = "<!channel> *bold* <https://evil.example|click>"
Ronda = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ronda(loud: Any, call_ronda: Ronda) -> Ronda:
    """The command line, on that shop."""
    return call_ronda


def states(shop: Any) -> list[tuple[str, str]]:
    """Action and state of every message."""
    with sqlite3.connect(shop.root / "var/ronda.db") as connection:
        return connection.execute("SELECT action, state FROM messages ORDER BY id").fetchall()


def test_a_night_is_told_once(loud: Any, slack_server: Any, ronda: Ronda) -> None:
    """One message in the channel with its picture and the page in its thread; the same night again says nothing more."""
    for _ in range(2):
        code, _, wrong = ronda("night", "shop", "--date", loud.night.isoformat())
        assert (code, wrong) == (0, "")
    (message,) = slack_server.said("shop")
    assert message["text"].startswith("🔴 shop: 9.5 times as many errors as usual, on Sun 10 May")
    assert states(loud) == [("post", "sent"), ("file", "sent"), ("file", "sent")]


@pytest.mark.parametrize(
    "step", [("status", 500), ("error", "token_revoked"), ("error", "channel_not_found")]
)
def test_what_slack_does_fails_no_night(
    loud: Any, slack_server: Any, ronda: Ronda, monkeypatch: pytest.MonkeyPatch, step: tuple[Any, ...]
) -> None:
    """The night is recorded and ends with 0; the message has a clear state, is on the index, and goes out later."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    slack_server.script("chat.postMessage", *[step] * 5)
    code, said, _ = ronda("night", "shop", "--date", loud.night.isoformat())
    assert code == 0
    assert states(loud)[0][1] in {"unknown", "refused"}
    assert "Message refused" in said or "Message may have arrived" in said
    assert "not delivered" in (loud.root / "var/lake/pages/index.html").read_text()
    slack_server.scripted.clear()
    assert ronda("night", "shop", "--send-only")[0] == 0
    assert states(loud) == [("post", "sent"), ("file", "sent"), ("file", "sent")]
    assert "not delivered" not in (loud.root / "var/lake/pages/index.html").read_text()
    assert len(slack_server.said("shop")) == 1


def test_user_text_arrives_as_text(loud: Any, slack_server: Any, ronda: Ronda) -> None:
    """An owner and a deployment's author that try to mention the channel and to link are shown as they are."""
    text = (loud.root / "services/shop.yaml").read_text()
    loud.file("services/shop.yaml", text.replace('"@shop-team"', json.dumps(HOSTILE)))

    def hostile(columns: dict[str, Any]) -> None:
        fail_half(columns)
        columns["model_version"] = [HOSTILE] * len(columns["status"])

    loud.write_night(loud.night, hostile)
    assert ronda("night", "shop", "--date", loud.night.isoformat())[0] == 0
    (message,) = slack_server.said("shop")
    body = json.dumps(message, ensure_ascii=False)
    assert "&lt;!channel&gt;" in body
    for sign in ("<!channel", "<https://evil", "*bold*", "https://evil"):
        assert sign not in body


def test_the_past_is_filled_in_silently(loud: Any, slack_server: Any, ronda: Ronda) -> None:
    """`--no-messages` puts nothing into the outbox, and no later run says it after all."""
    assert ronda("night", "shop", "--date", loud.night.isoformat(), "--no-messages")[0] == 0
    assert ronda("night", "shop", "--date", loud.night.isoformat())[0] == 0
    assert (states(loud), slack_server.said("shop")) == ([], [])


def test_send_only_stands_alone(loud: Any, ronda: Ronda) -> None:
    """It judges no night, so a date beside it is a mistake."""
    code, _, wrong = ronda("night", "shop", "--send-only", "--date", "2026-05-10")
    assert code == 2
    assert "--send-only judges no night" in wrong


def test_what_waits_is_sent_whatever_is_wrong(
    loud: Any, slack_server: Any, ronda: Ronda, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source that is not named, a file that cannot be read, and one that nobody can be told of keep no message."""
    slack_server.script("chat.postMessage", *[("error", "channel_not_found")] * 5)
    assert ronda("night", "shop", "--date", loud.night.isoformat())[0] == 0
    assert states(loud)[0][1] != "sent"
    slack_server.scripted.clear()
    monkeypatch.delenv("SHOP_URL")
    loud.file("services/shop.yaml", "slack: '#shop'\nservice: [")
    loud.file("services/torn.yaml", "service: [")
    code, said, wrong = ronda("night", "shop", "--send-only")
    assert code == 2
    assert "torn: nobody can be told" in wrong
    assert "Message sent: incident/shop/1: #shop" in said
    assert any("service file cannot be read" in each["text"] for each in slack_server.said("shop"))


def test_nothing_waits(nights: Any, call_ronda: Ronda) -> None:
    """Said in words, and as an empty list for machines."""
    code, said, _ = call_ronda("night", "shop", "--send-only", "--json")
    assert code == 0
    assert isinstance(json.loads(said), list)
