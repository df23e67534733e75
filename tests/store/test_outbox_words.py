"""Messages: what a post says by now, and which channel's id counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from store import outbox
from store.outbox import MessageRow
from store.state import writing

NOW = datetime(2013, 6, 15, 3, tzinfo=UTC)
ROW = MessageRow("post", "alert", "flight_delay", "#eta-oncall", "old", NOW, NOW)


def test_a_post_says_what_its_last_update_says(state: sa.Engine) -> None:
    """Sent or waiting; an answer in its thread, a file and the updates of another post are not its words."""
    with writing(state) as connection:
        assert outbox.latest_payload(connection, "post") == ""
        outbox.put(connection, ROW)
        assert outbox.latest_payload(connection, "post") == "old"
        for key, about, action in (
            ("1", "post", "update"),
            ("2", "post", "update"),
            ("3", "another", "update"),
        ):
            outbox.put(connection, replace(ROW, key=key, about=about, action=action, payload=f"update {key}"))  # type: ignore[arg-type]  # one of the literals
        outbox.put(connection, replace(ROW, key="4", about="post", action="reply", payload="why"))
        outbox.put(connection, replace(ROW, key="5", about="post", action="file", payload="page"))
        assert outbox.latest_payload(connection, "post") == "update 2"


def test_only_a_message_that_was_sent_tells_the_id_of_its_channel(state: sa.Engine) -> None:
    """One that was refused later may have been refused because its channel is gone."""
    with writing(state) as connection:
        for key, channel_id, status in (("1", "C1", "sent"), ("2", "C2", "refused")):
            outbox.put(connection, replace(ROW, key=key))
            later = NOW + timedelta(seconds=int(key))
            outbox.settle(connection, replace(ROW, key=key), status, now=later, channel_id=channel_id)  # type: ignore[arg-type]  # one of the literals
        assert outbox.channel_id_of(connection, "#eta-oncall") == "C1"
