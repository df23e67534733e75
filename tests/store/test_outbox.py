"""Messages: recorded once, claimed, settled, and never lost from sight."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from services.errors import StateError
from store import outbox
from store.outbox import MessageRow
from store.state import reading, writing
from store.tables import messages
from store.troubles import TroubleRow, note_trouble, trouble_of

NOW = datetime(2013, 6, 15, 3, tzinfo=UTC)
ROW = MessageRow(
    key="alert/flight_delay/2013-06-14",
    kind="alert",
    service="flight_delay",
    channel="#eta-oncall",
    payload='{"text":"late"}',
    due_at=NOW,
    recorded_at=NOW,
    night=date(2013, 6, 14),
)
STATES = ("waiting", "sending", "unknown", "held", "refused", "sent", "written")


def keys(rows: list[MessageRow]) -> list[str]:
    return [row.key for row in rows]


def test_every_column_has_a_field() -> None:
    """A column that no field knows would be lost on the way."""
    assert {field.name for field in fields(MessageRow)} == set(messages.columns.keys())


def test_a_key_is_put_once(state: sa.Engine) -> None:
    """What is there stays as it is, whatever comes under its key."""
    with writing(state) as connection:
        assert outbox.put(connection, ROW)
        assert not outbox.put(connection, replace(ROW, payload="{}", channel="#elsewhere"))
        assert outbox.message_of(connection, ROW.key) == replace(ROW, id=1)
        assert outbox.message_of(connection, "no such key") is None


def test_of_many_writers_one_puts(
    state: sa.Engine, at_once: Callable[[Callable[[int], bool], int], list[bool]]
) -> None:
    """Airflow may run a night twice at once."""

    def put(worker: int) -> bool:
        with writing(state) as connection:
            return outbox.put(connection, replace(ROW, payload=f'{{"text":"{worker}"}}'))

    assert sorted(at_once(put, 6)) == [False] * 5 + [True]


def test_amending_ends_once_it_may_have_arrived(state: sa.Engine) -> None:
    """Later words would stand in the state and not in the channel; what Slack refused or put off is not there."""
    with writing(state) as connection:
        outbox.put(connection, ROW)
        assert outbox.amend(connection, ROW.key, '{"text":"new"}', channel="#eta-oncall", unknown="repeat")
        claimed = outbox.claim(connection, ROW, NOW)
        assert claimed.payload == '{"text":"new"}'
        assert not outbox.amend(connection, ROW.key, "{}", channel="#eta-oncall", unknown="repeat")
        outbox.settle(connection, claimed, "waiting", now=NOW, error="Slack asks to wait.")
        assert outbox.amend(connection, ROW.key, '{"text":"newer"}', channel="#eta-oncall", unknown="repeat")
        outbox.settle(connection, claimed, "refused", now=NOW, error="no such channel")
        assert outbox.amend(connection, ROW.key, '{"text":"newest"}', channel="#eta-oncall", unknown="repeat")
        for there in ("unknown", "held", "sent", "written"):
            outbox.settle(connection, claimed, there, now=NOW)  # type: ignore[arg-type]  # a literal of these
            assert not outbox.amend(connection, ROW.key, "{}", channel="#eta-oncall", unknown="repeat")
        assert not outbox.amend(connection, "no such key", "{}", channel="#eta-oncall", unknown="repeat")
        found = outbox.message_of(connection, ROW.key)

    assert found is not None
    assert (found.payload, found.attempts) == ('{"text":"newest"}', 1)


def test_the_life_of_a_message(state: sa.Engine) -> None:
    """Each step is a row that says what was done when; what Slack said stays."""
    later = NOW + timedelta(seconds=7)
    with writing(state) as connection:
        outbox.put(connection, ROW)
        claimed = outbox.claim(connection, ROW, NOW)
        assert claimed == replace(ROW, id=1, state="sending", attempts=1, claimed_at=NOW)
        unknown = outbox.settle(connection, claimed, "unknown", now=later, error="no answer")
        assert unknown == replace(claimed, state="unknown", error="no answer", answered_at=later)
        noted = outbox.note(connection, unknown, "still none")
        assert noted == replace(unknown, error="still none")
        sent = outbox.settle(
            connection, outbox.claim(connection, noted, later), "sent", now=later, channel_id="C1", ts="1.2"
        )
        assert (sent.state, sent.error, sent.attempts, sent.ts) == ("sent", "", 2, "1.2")
        again = outbox.settle(connection, sent, "refused", now=later, error="gone")
        assert (again.channel_id, again.ts) == ("C1", "1.2")
        with pytest.raises(StateError, match="no such key is no longer in the state"):
            outbox.claim(connection, replace(ROW, key="no such key"), NOW)


def test_what_is_due(state: sa.Engine) -> None:
    """All that is not settled and whose time has come, in the order it was recorded."""
    with writing(state) as connection:
        for name in reversed(STATES):
            outbox.put(connection, replace(ROW, key=name, state=name))  # type: ignore[arg-type]  # one of the literals
        outbox.put(connection, replace(ROW, key="later", due_at=NOW + timedelta(seconds=1)))

        assert keys(outbox.due(connection, NOW)) == ["refused", "held", "unknown", "sending", "waiting"]
        assert keys(outbox.due(connection, NOW - timedelta(seconds=1))) == []
        assert keys(outbox.due(connection, NOW + timedelta(seconds=1)))[-1] == "later"


def test_what_is_undelivered(state: sa.Engine) -> None:
    """Of one service or of all; and all that a service ever had to say."""
    with writing(state) as connection:
        for name in STATES:
            outbox.put(connection, replace(ROW, key=name, state=name))  # type: ignore[arg-type]  # one of the literals
        outbox.put(connection, replace(ROW, key="other", service="shop", state="held"))

        assert keys(outbox.undelivered(connection)) == ["waiting", "unknown", "held", "refused", "other"]
        assert keys(outbox.undelivered(connection, "shop")) == ["other"]
        assert keys(outbox.messages_of(connection, "flight_delay")) == list(STATES)


def test_the_id_of_a_channel_is_what_slack_last_said(state: sa.Engine) -> None:
    """Names can be given to another channel."""
    with writing(state) as connection:
        assert outbox.channel_id_of(connection, "#eta-oncall") == ""
        for name, seconds in (("C2", 2), ("C1", 1)):
            row = replace(ROW, key=name)
            outbox.put(connection, row)
            now = NOW + timedelta(seconds=seconds)
            outbox.settle(connection, row, "sent", now=now, channel_id=name, ts="1.2")
        outbox.put(connection, replace(ROW, key="elsewhere", channel="#x", channel_id="C9", state="sent"))

        assert outbox.channel_id_of(connection, "#eta-oncall") == "C2"


def test_an_update_is_outdated_by_a_later_one_that_was_sent(state: sa.Engine) -> None:
    """Of the same post; one that was refused or waits outdates nothing."""
    first, second = (replace(ROW, key=key, action="update", about="post") for key in ("1", "2"))
    with writing(state) as connection:
        outbox.put(connection, first)
        outbox.put(connection, second)
        outbox.put(connection, replace(ROW, key="3", action="update", about="another post", state="sent"))
        outbox.put(connection, replace(ROW, key="4", action="reply", about="post", state="sent"))
        one, two = outbox.message_of(connection, "1"), outbox.message_of(connection, "2")
        assert one is not None
        assert two is not None
        assert not outbox.is_outdated(connection, one)
        outbox.settle(connection, two, "sent", now=NOW)

        assert outbox.is_outdated(connection, one)
        assert not outbox.is_outdated(connection, two)


@pytest.mark.parametrize("wrong", [{"state": "lost"}, {"action": "shout"}])
def test_words_that_are_not_ours_are_refused(state: sa.Engine, wrong: dict[str, str]) -> None:
    """By the database itself."""
    with pytest.raises(sa.exc.IntegrityError), writing(state) as connection:
        outbox.put(connection, replace(ROW, **wrong))  # type: ignore[arg-type]  # that is the point


def test_the_last_trouble_of_a_night(state: sa.Engine) -> None:
    """One for each service and night; the newest stays."""
    first = TroubleRow("flight_delay", date(2013, 6, 14), "SourceError", "no such table", NOW)
    last = replace(first, kind="NightError", message="empty", recorded_at=NOW + timedelta(hours=1))
    with writing(state) as connection:
        note_trouble(connection, first)
        note_trouble(connection, replace(first, service="shop"))
        note_trouble(connection, last)
        note_trouble(connection, last)
    with reading(state) as connection:
        assert trouble_of(connection, "flight_delay", date(2013, 6, 14)) == last
        assert trouble_of(connection, "shop", date(2013, 6, 14)) == replace(first, service="shop")
        assert trouble_of(connection, "flight_delay", date(2013, 6, 15)) is None
