"""Whole nights whose messages nobody got: what is sent in the end is what holds in the end, where it should go."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from monitoring import enqueue
from monitoring.alert import deliver
from monitoring.night import run
from services.window import night_of
from shop_changes import fail_half, no_errors, warmer
from store import outbox
from store.outbox import MessageRow
from store.state import reading, writing

NOW = datetime(2026, 5, 20, tzinfo=UTC)
POST = "chat.postMessage"
Ronda = Callable[..., tuple[int, str, str]]


def due(shop: Any) -> list[MessageRow]:
    """What is not sent yet, at whatever time it was put."""
    with reading(shop.watch().state) as connection:
        return outbox.due(connection, datetime(2100, 1, 1, tzinfo=UTC))


def files(shop: Any) -> list[str]:
    """The files that stand for messages."""
    return sorted(file.name for file in (shop.root / "var/outbox").glob("*"))


def name_channel(shop: Any, channel: str) -> None:
    """Let the service file name this channel."""
    path = shop.root / "services/shop.yaml"
    text = path.read_text().replace('"#shop"', f'"{channel}"').replace('"#shpo"', f'"{channel}"')
    shop.file("services/shop.yaml", text)


@pytest.fixture
def loud(loud: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The same, and time that nobody waits for."""
    monkeypatch.setitem(deliver.__kwdefaults__, "sleep", lambda _: None)
    return loud


@pytest.fixture
def judge(loud: Any, call_ronda: Ronda) -> Callable[..., str]:
    """Run the night from the command line; what it says."""

    def call(*more: str) -> str:
        code, said, _ = call_ronda("night", "shop", "--date", loud.night.isoformat(), *more)
        assert code == 0
        return said

    return call


def places(shop: Any) -> list[tuple[str, str, str]]:
    """Action, state and channel of every message."""
    with sqlite3.connect(shop.root / "var/ronda.db") as connection:
        return connection.execute("SELECT action, state, channel FROM messages ORDER BY id").fetchall()


@pytest.mark.parametrize("how", ["the night again", "sending alone"])
def test_a_wrong_channel_is_mended_by_its_file(
    loud: Any, slack_server: Any, judge: Callable[..., str], call_ronda: Ronda, how: str
) -> None:
    """Whether the night is run again or what waits is sent."""
    name_channel(loud, "#shpo")
    assert "Message refused" in judge()
    assert {channel for _, _, channel in places(loud)} == {"#shpo"}
    name_channel(loud, "#shop")
    if how == "sending alone":
        assert call_ronda("night", "shop", "--send-only")[0] == 0
    else:
        judge()
    assert len(slack_server.said("shop")) == 1
    assert places(loud) == [(action, "sent", "#shop") for action in ("post", "file", "file")]
    assert files(loud) == []


def test_an_alert_that_nobody_got_is_not_withdrawn(
    loud: Any, slack_server: Any, judge: Callable[..., str]
) -> None:
    """The channel hears nothing of a night that is calm after all, and no file shows what was not said."""
    slack_server.script(POST, ("error", "token_revoked"))
    assert "Message refused" in judge()
    assert len(files(loud)) > 0
    loud.write_night(loud.night)
    judge()
    assert (slack_server.said("shop"), places(loud), files(loud)) == ([], [], [])
    loud.write_night(loud.night, fail_half)
    judge()
    assert [text["text"].startswith("🔴") for text in slack_server.said("shop")] == [True]


@pytest.mark.parametrize("change", [None, fail_half])
def test_a_post_that_is_not_there_is_posted_as_the_night_is_now(
    loud: Any, slack_server: Any, judge: Callable[..., str], change: Any
) -> None:
    """Not as it was when its answer was lost; calm after all, it is not posted."""
    slack_server.script(POST, *[("status", 500)] * 3)
    assert "may have arrived" in judge()
    loud.write_night(loud.night, change, rows=1400 if change else 1200)
    judge()
    texts = [call["blocks"][1]["text"]["text"] for call in slack_server.calls_of(POST)[3:]]
    assert ["of about 1,400 requests" in text for text in texts] == ([True] if change else [])
    assert slack_server.calls_of("chat.update") == []
    assert places(loud) == (
        [(action, "sent", "#shop") for action in ("post", "file", "file")] if change else []
    )


def test_filling_in_silently_leaves_no_false_word_that_waits(
    loud: Any, slack_server: Any, judge: Callable[..., str]
) -> None:
    """`--no-messages` says nothing new, and takes back what nobody got and what is not true any more."""
    slack_server.script(POST, ("error", "token_revoked"))
    judge()
    loud.write_night(loud.night, fail_half, rows=1400)
    judge("--no-messages")
    assert "of about 1,400 requests" in due(loud)[0].payload
    loud.write_night(loud.night)
    judge("--no-messages")
    assert (due(loud), files(loud), slack_server.said("shop")) == ([], [], [])


def test_a_page_that_was_not_uploaded_is_uploaded_once(
    loud: Any, slack_server: Any, judge: Callable[..., str]
) -> None:
    """As it is after the revision, under one name; and so is the picture."""
    slack_server.script(POST, ("error", "token_revoked"))
    judge()
    loud.write_night(loud.night, fail_half, rows=1210)
    judge()
    assert len(slack_server.files) == 2
    assert [row[:2] for row in places(loud)] == [("post", "sent"), ("file", "sent"), ("file", "sent")]


@pytest.mark.parametrize("change", [None, fail_half])
def test_a_morning_that_waits_says_nothing_false(nights: Any, change: Any) -> None:
    """Its night is quiet or loud since: the message that would have called it moved is gone."""
    nights.write_night(nights.night, warmer)
    nights.run()
    (key,) = enqueue.mornings(nights.watch().state, NOW)
    nights.write_night(nights.night, change)
    nights.run()
    assert key not in [row.key for row in due(nights)]
    assert enqueue.mornings(nights.watch().state, NOW) == []


def lose_page(shop: Any, *, tell: bool = True) -> str:
    """Lose the night's page, and run the night again; what it came to."""
    (shop.root / f"var/lake/pages/shop/{shop.night}.html").unlink()
    written = run(shop.watch(), night_of(shop.night, "UTC"), NOW, tell=tell)
    assert not written.recorded.is_new
    return str(written.row.standing)


def test_a_lost_page_that_tells_something_else_is_told(other_past: Any) -> None:
    """Once: what was quiet has changed, beside the nights before it as they are by now."""
    assert lose_page(other_past) == "changed"
    told, chart = due(other_past)
    assert (told.key, told.action, chart.action, chart.about) == ("incident/shop/1", "post", "file", told.key)
    for _ in range(2):
        lose_page(other_past)
    assert due(other_past) == [told, chart]


def test_a_lost_page_of_a_told_night_updates_its_message(nights: Any) -> None:
    """Where it stands, and without the answer that explains a revision: this is none."""
    nights.run()
    nights.write_night(nights.night, fail_half)
    nights.run()
    (post, chart) = due(nights)
    with writing(nights.watch().state) as connection:
        for row in (post, chart):
            claimed = outbox.claim(connection, row, NOW)
            outbox.settle(connection, claimed, "sent", now=NOW, channel_id="C1", ts="1.1")
    nights.judge_past_anew(no_errors)
    assert due(nights) == [], "no word of the nights before"
    assert lose_page(nights) == "changed"
    update, again = due(nights)
    assert (update.action, update.about, again.action) == ("update", post.key, "file")
    assert json.loads(update.payload)["text"] != json.loads(post.payload)["text"]


def test_a_lost_page_is_written_silently_if_asked(other_past: Any) -> None:
    """Whatever it tells by now."""
    assert lose_page(other_past, tell=False) == "changed"
    assert due(other_past) == []
