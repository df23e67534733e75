"""Messages that wake people: recorded, sent and listed as posts are, and no part of what happens in Slack."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from store import outbox
from store.outbox import MessageRow
from store.state import writing

NOW = datetime(2026, 6, 15, 3, tzinfo=UTC)
POST = MessageRow("post", "incident", "eta", "#old", "old", NOW, NOW)
PAGE = replace(
    POST,
    key="page",
    action="page",
)
STATES = ("waiting", "sending", "unknown", "held", "refused", "sent", "written")


def put(connection: sa.Connection, *rows: MessageRow) -> None:
    """Record messages."""
    for row in rows:
        assert outbox.put(connection, row)


def test_a_page_is_put_claimed_and_settled_like_a_post(state: sa.Engine) -> None:
    """It is due, listed while nobody can have read it, and no longer once it was taken."""
    with writing(state) as connection:
        put(connection, PAGE)
        assert not outbox.put(connection, PAGE)
        assert outbox.due(connection, NOW) == [replace(PAGE, id=1)]
        assert outbox.undelivered(connection, "eta") == [replace(PAGE, id=1)]
        claimed = outbox.claim(connection, PAGE, NOW)
        outbox.settle(connection, claimed, "refused", now=NOW, error="The pager answered 500.")
        assert [row.error for row in outbox.undelivered(connection)] == ["The pager answered 500."]
        outbox.settle(connection, claimed, "sent", now=NOW)
        assert outbox.undelivered(connection) == []
        assert outbox.due(connection, NOW) == []


def test_a_page_goes_to_no_channel(state: sa.Engine) -> None:
    """Where posts go is not where it goes, and it tells no channel's id."""
    with writing(state) as connection:
        put(connection, POST, PAGE)
        assert outbox.redirect(connection, "eta", "#new") == 1
        assert outbox.amend(connection, "post", "new", channel="#newer", unknown="hold")
        rows = {row.key: (row.channel, row.unknown) for row in outbox.messages_of(connection, "eta")}
        put(connection, replace(PAGE, key="sent", state="sent", channel_id="C1"))
        assert outbox.channel_id_of(connection, "#old") == ""
    assert rows == {"post": ("#newer", "hold"), "page": ("#old", "repeat")}


@pytest.mark.parametrize("as_", STATES)
def test_a_page_is_taken_back_while_nobody_was_woken(state: sa.Engine, as_: outbox.State) -> None:
    """After that its key stays taken, so that nobody is woken twice; a post that is taken back leaves it alone."""
    page = replace(PAGE, state=as_)
    nowhere = as_ in outbox.NOT_THERE
    with writing(state) as connection:
        put(connection, POST, page)
        assert [row.key for row in outbox.take_back(connection, "post")] == ["post"]
        assert [row.key for row in outbox.take_back(connection, "page")] == (["page"] if nowhere else [])
        assert outbox.put(connection, page) == nowhere
