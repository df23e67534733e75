"""What waits for the morning: one line a night, told once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa

from store import digest, outbox
from store.digest import LineRow, due_lines, gather, put_line, remove_line
from store.outbox import MessageRow
from store.state import reading, writing

NOW = datetime(2013, 6, 15, 12, tzinfo=UTC)
NIGHT = date(2013, 6, 14)
LINE = LineRow(
    "flight_delay", NIGHT, "#eta-oncall", "@eta-team", "10 features moved", NOW, NOW - timedelta(hours=9)
)


def test_a_line_is_replaced_until_it_is_told(state: sa.Engine) -> None:
    """A revision of the night says it anew; after the message it is too late."""
    better = replace(LINE, line="9 features moved", owner="@other", due_at=NOW - timedelta(minutes=1))
    with writing(state) as connection:
        assert put_line(connection, LINE)
        assert put_line(connection, better)
        assert due_lines(connection, NOW) == [better]
        assert gather(connection, [better], "morning/1") == 1
        assert not put_line(connection, LINE)
        assert due_lines(connection, NOW) == []


def test_a_line_is_taken_back_until_it_is_told(state: sa.Engine) -> None:
    """The night turned out to be loud, or quiet."""
    with writing(state) as connection:
        assert not remove_line(connection, "flight_delay", NIGHT)
        put_line(connection, LINE)
        put_line(connection, replace(LINE, service="shop"))
        assert remove_line(connection, "flight_delay", NIGHT)
        rest = due_lines(connection, NOW)
        assert [line.service for line in rest] == ["shop"]
        gather(connection, rest, "morning/1")
        assert not remove_line(connection, "shop", NIGHT)
        assert not put_line(connection, replace(LINE, service="shop", line="again"))


def test_lines_of_one_message_stand_side_by_side(state: sa.Engine) -> None:
    """By channel, owner and morning, then service and night; what is not due is not there."""
    order = [
        replace(LINE, channel="#a", owner="@a", service="b", night=NIGHT),
        replace(LINE, channel="#a", owner="@a", service="b", night=NIGHT + timedelta(days=1)),
        replace(LINE, channel="#a", owner="@b", service="a", due_at=NOW - timedelta(days=1)),
        replace(LINE, channel="#a", owner="@b", service="c"),
        replace(LINE, channel="#b", owner="@a", service="d"),
    ]
    with writing(state) as connection:
        for line in reversed(order):
            put_line(connection, line)
        put_line(connection, replace(LINE, service="later", due_at=NOW + timedelta(seconds=1)))

        assert due_lines(connection, NOW) == order
        assert due_lines(connection, NOW - timedelta(seconds=1)) == [order[2]]


def test_a_line_that_changed_meanwhile_is_not_marked(state: sa.Engine) -> None:
    """Its old words are in the message; its new ones are told the next time."""
    changed = replace(LINE, line="everything moved")
    with writing(state) as connection:
        put_line(connection, LINE)
        put_line(connection, replace(LINE, service="shop"))
        read = due_lines(connection, NOW)
        put_line(connection, changed)

        assert gather(connection, read, "morning/1") == 1
        assert due_lines(connection, NOW) == [changed]
        assert gather(connection, read, "morning/2") == 0
    with reading(state) as connection:
        assert due_lines(connection, NOW) == [changed]


def test_a_line_is_free_while_nobody_got_it(state: sa.Engine) -> None:
    """It waits, or stands in a message that is surely in no channel; then it can wait for another message."""
    states: tuple[outbox.State, ...] = ("waiting", "refused", "sending", "unknown", "held", "sent", "written")
    with writing(state) as connection:
        for days, each in enumerate(states):
            line = replace(LINE, night=NIGHT + timedelta(days=days))
            put_line(connection, line)
            gather(connection, [line], each)
            outbox.put(connection, MessageRow(each, "morning", "", "#a", "{}", NOW, NOW, state=each))
        put_line(connection, replace(LINE, night=NIGHT - timedelta(days=1)))
        put_line(connection, replace(LINE, service="shop"))
        untold = digest.lines_untold(connection, "flight_delay")
        assert [line.message_key for line in untold] == ["", "waiting", "refused"]
        assert digest.lines_of(connection, "waiting") == [untold[1]]
        digest.release(connection, untold[1], "#new")
        assert digest.lines_of(connection, "waiting") == []
        assert digest.line_of(connection, "flight_delay", NIGHT) == replace(LINE, channel="#new")
        assert digest.line_of(connection, "flight_delay", NIGHT - timedelta(days=9)) is None
