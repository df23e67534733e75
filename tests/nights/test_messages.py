"""What a night puts into the outbox: an alert, a line for the morning, or nothing; in the night's own transaction."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

import feedback.night
from monitoring import enqueue
from services.window import night_of
from shop_changes import fail_half, warmer
from store import outbox
from store.digest import LineRow, due_lines, put_line
from store.outbox import MessageRow
from store.state import reading, writing

NOW = datetime(2026, 5, 20, tzinfo=UTC)


def messages(shop: Any) -> list[MessageRow]:
    """Everything in the outbox."""
    with reading(shop.watch().state) as connection:
        return outbox.messages_of(connection, "shop")


def lines(shop: Any, at: datetime = NOW) -> list[tuple[date, str]]:
    """What waits for the morning."""
    with reading(shop.watch().state) as connection:
        return [(row.night, json.loads(row.line)["line"]) for row in due_lines(connection, at)]


def test_a_calm_night_says_nothing(nights: Any) -> None:
    """No message and no line."""
    assert nights.run().row.standing == "quiet"
    assert (messages(nights), lines(nights)) == ([], [])


def test_an_alert_is_put_once(nights: Any) -> None:
    """Half of the requests failing is one message, however often the night is run."""
    nights.write_night(nights.night, fail_half)
    for _ in range(2):
        assert nights.run().row.standing == "changed"
    message, chart = messages(nights)
    assert (message.key, message.action, message.channel) == ("incident/shop/1", "post", "#shop")
    assert (message.due_at, chart.action, chart.about) == (NOW, "file", message.key)
    said = json.loads(message.payload)
    assert said["text"].startswith("🔴 shop: 9.5 times as many errors as usual")
    assert "*Can it wait?*  No: critical for this service (errors)." in said["blocks"][1]["text"]["text"]


def test_inputs_that_moved_alone_wait_for_the_morning(nights: Any) -> None:
    """A line, due at eight in the morning after the night, in the service's time zone."""
    nights.write_night(nights.night, warmer)
    assert nights.run().row.standing == "quiet"
    assert messages(nights) == []
    eight = datetime(2026, 5, 11, 8, tzinfo=UTC)
    assert lines(nights, eight - timedelta(seconds=1)) == []
    assert lines(nights, eight) == [(nights.night, "incident 1, inputs alone: “price” moved")]


def test_a_morning_is_one_message(nights: Any) -> None:
    """Lines of one owner, channel and morning stand together; a second gathering finds none left."""
    nights.write_night(nights.night, warmer)
    nights.run()
    state = nights.watch().state
    keys = enqueue.mornings(state, NOW)
    assert keys == [f"morning/2026-05-11/{keys[0].rpartition('/')[2]}"]
    assert enqueue.mornings(state, NOW) == []
    with reading(state) as connection:
        message = outbox.message_of(connection, keys[0])
    assert message is not None
    assert (message.kind, message.channel, message.about) == ("morning", "#shop", "")
    assert (
        "shop, night of Sun 10 May: incident 1, inputs alone: “price” moved"
        in json.loads(message.payload)["blocks"][1]["text"]["text"]
    )


def test_a_morning_is_in_one_language(nights: Any) -> None:
    """Services of one owner that speak differently, or are sent differently, have a message each."""
    state = nights.watch().state
    for service, language, unknown in (
        ("a", "en", "repeat"),
        ("b", "pt", "repeat"),
        ("c", "pt", "hold"),
        ("d", "en", "repeat"),
    ):
        said = {"line": "1 input", "url": "", "language": language, "unknown": unknown}
        row = LineRow(service, nights.night, "#all", "@us", json.dumps(said), NOW, NOW)
        with writing(state) as connection:
            put_line(connection, row)
    keys = enqueue.mornings(state, NOW)
    with reading(state) as connection:
        found = [outbox.message_of(connection, key) for key in keys]
    rows = [row for row in found if row is not None]
    titles = [json.loads(row.payload)["text"] for row in rows]
    assert [row.unknown for row in rows] == ["repeat", "hold", "repeat"]
    assert ["Good morning" in title for title in titles] == [True, False, False]
    assert [row.payload.count("1 input") for row in rows] == [2, 1, 1]
    assert len(set(keys)) == 3


def test_late_lines_make_another_message(nights: Any) -> None:
    """A night that is run after its morning's message was gathered is not lost."""
    state = nights.watch().state
    nights.write_night(nights.night, warmer)
    nights.run()
    first = enqueue.mornings(state, NOW)
    with reading(state) as connection:
        assert due_lines(connection, NOW) == []
    nights.write_night(nights.night - timedelta(days=1), warmer)
    nights.run(nights.night - timedelta(days=1))
    second = enqueue.mornings(state, NOW)
    assert len(first) == len(second) == 1
    assert set(first) & set(second) == set()


def revised(shop: Any, change: Callable[[dict[str, Any]], None] | None, rows: int) -> None:
    """Run the night again on another log."""
    shop.write_night(shop.night, change, rows=rows)
    assert shop.run().recorded.is_new


def test_a_message_that_still_waits_is_mended_in_place(nights: Any) -> None:
    """Nobody has read it yet, so it simply says what is true now."""
    revised(nights, fail_half, 1200)
    before = messages(nights)[0].payload
    revised(nights, fail_half, 1220)
    after, chart = messages(nights)
    assert (chart.action, after.payload != before) == ("file", True)
    assert "1,200 requests" in after.payload


def sent(shop: Any) -> None:
    """As if Slack had taken every message."""
    with writing(shop.watch().state) as connection:
        for row in outbox.due(connection, NOW):
            outbox.settle(
                connection, outbox.claim(connection, row, NOW), "sent", now=NOW, channel_id="C1", ts="1.1"
            )


def test_a_told_night_that_changes_is_updated_in_its_thread(nights: Any) -> None:
    """The message is replaced where it stands, and an answer under it says why."""
    revised(nights, fail_half, 1200)
    sent(nights)
    revised(nights, fail_half, 1220)
    post, _, update, reply = messages(nights)
    assert (update.action, update.about, reply.action, reply.about) == ("update", post.key, "reply", post.key)
    assert "Told anew, revision 2 of the night: kept and judged: 1,200 → 1,220 rows" in reply.payload


def test_a_told_night_that_turns_out_well_is_withdrawn(nights: Any) -> None:
    """The first message no longer holds, and says so; the other way round it is told again."""
    revised(nights, fail_half, 1200)
    sent(nights)
    revised(nights, None, 1210)
    assert "as usual after all" in messages(nights)[2].payload
    revised(nights, fail_half, 1200)
    said = [row for row in messages(nights) if row.action != "file"]
    assert [row.action for row in said] == ["post", "update", "reply", "update", "reply"]
    assert "times as many errors" in said[3].payload
    assert [row.key for row in said if row.action == "post"] == ["incident/shop/1"]


def test_a_revision_that_says_the_same_says_nothing(nights: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Late rows that change no sentence change no message: nobody is told anew."""
    monkeypatch.setattr("monitoring.message.alert", lambda *_, **__: {"text": "the same", "blocks": []})
    revised(nights, fail_half, 1200)
    sent(nights)
    revised(nights, fail_half, 1220)
    assert {row.action for row in messages(nights)} == {"post", "file"}


def test_a_line_that_turns_into_an_alert_is_not_told_twice(nights: Any) -> None:
    """What waited for the morning goes, once the night itself speaks."""
    revised(nights, warmer, 1200)
    assert len(lines(nights)) == 1
    revised(nights, fail_half, 1200)
    assert ([row.action for row in messages(nights)], lines(nights)) == (["post", "file"], [])


def test_the_page_goes_along_where_nothing_serves_it(nights: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a token and no address of pages, the page is a file in the message's thread."""
    monkeypatch.setenv("RONDA_SLACK_TOKEN", "xoxb-made-up")
    revised(nights, fail_half, 1200)
    post, _, file = messages(nights)
    said = json.loads(file.payload)
    assert (file.action, file.about, said["path"]) == ("file", post.key, f"pages/shop/{nights.night}.html")


def test_nothing_is_said_of_a_night_that_was_not_recorded(
    nights: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Night and message are one transaction: if the message cannot be put, the night is not there either."""
    nights.write_night(nights.night, fail_half)

    def broken(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(outbox, "put", broken)
        with pytest.raises(KeyboardInterrupt):
            nights.run()
    assert messages(nights) == []
    assert nights.run().recorded.is_new
    assert [row.action for row in messages(nights)] == ["post", "file"]


def test_an_outcome_that_leaves_is_told_by_slice(nights: Any) -> None:
    """Every order in Recife goes bad: the message of the next night names the city and its share."""
    for day in nights.past:
        feedback.night.mature(nights.watch(), night_of(day, "UTC"), NOW)
        nights.run(day)
    told = nights.past[-1]
    nights.write_night(told)
    requests = nights.tables["requests"][told]
    bad = {
        request_id
        for request_id, city in zip(
            requests["request_id"].to_pylist(), requests["city"].to_pylist(), strict=True
        )
        if city == "Recife"
    }
    events = nights.tables["feedback"][told]
    values = [
        "bad" if request_id in bad else value
        for request_id, value in zip(
            events["request_id"].to_pylist(), events["value"].to_pylist(), strict=True
        )
    ]
    nights.write(
        "feedback", told, events.set_column(events.column_names.index("value"), "value", pa.array(values))
    )
    feedback.night.mature(nights.watch(), night_of(nights.night, "UTC"), NOW)
    written = nights.run()
    assert written.row.standing == "changed"
    told = [row for row in messages(nights) if row.action == "post"][-1]
    where = next(
        line for line in json.loads(told.payload)["blocks"][1]["text"]["text"].split("\n")
        if line.startswith("*Where*")
    )  # fmt: skip
    assert where.startswith("*Where*  city = Recife (2")
    assert where.endswith("The rest is about as usual.")
    assert "Natal" not in where
