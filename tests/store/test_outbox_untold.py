"""Messages that are surely in no channel: amended, sent elsewhere, taken back, or renewed after a look."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from services.errors import StateError
from store import outbox
from store.outbox import MessageRow
from store.state import writing

NOW = datetime(2013, 6, 15, 3, tzinfo=UTC)
ROW = MessageRow("post", "alert", "flight_delay", "#old", "old", NOW, NOW)
NOWHERE = ("waiting", "refused")
MAYBE = ("sending", "unknown", "held", "sent", "written")


def about(key: str, action: outbox.Action, post: str = "post", **given: object) -> MessageRow:
    """A message that belongs to a post."""
    return replace(ROW, key=key, action=action, about=post, **given)  # type: ignore[arg-type]  # fields of a row


def put(connection: sa.Connection, *rows: MessageRow) -> None:
    """Record messages."""
    for row in rows:
        assert outbox.put(connection, row)


def all_of(connection: sa.Connection) -> list[MessageRow]:
    """Everything of the service."""
    return outbox.messages_of(connection, "flight_delay")


def keys(rows: list[MessageRow]) -> list[str]:
    """Their keys, in any order."""
    return sorted(row.key for row in rows)


@pytest.mark.parametrize("as_", NOWHERE)
def test_what_is_amended_goes_elsewhere_with_what_belongs_to_it(state: sa.Engine, as_: outbox.State) -> None:
    """And is dealt with as is said now; what belongs to another post stays."""
    with writing(state) as connection:
        put(connection, replace(ROW, state=as_), about("1", "file"), about("2", "file", "another"))
        assert outbox.amend(connection, "post", "new", channel="#new", unknown="hold")
        assert [(row.payload, row.channel, row.unknown) for row in all_of(connection)] == [
            ("new", "#new", "hold"),
            ("old", "#new", "hold"),
            ("old", "#old", "repeat"),
        ]


def test_only_what_is_nowhere_is_held(state: sa.Engine) -> None:
    """And a message that does not exist is not."""
    with writing(state) as connection:
        put(connection, *(replace(ROW, key=each, state=each) for each in NOWHERE + MAYBE))  # type: ignore[arg-type]  # of the literals
        held = [each for each in (*NOWHERE, *MAYBE, "no such key") if outbox.hold(connection, each)]
    assert held == list(NOWHERE)


def test_the_posts_of_a_service_that_are_nowhere_are_redirected(state: sa.Engine) -> None:
    """With what belongs to them. What may be somewhere is looked for there; other services stay."""
    with writing(state) as connection:
        for each in (*NOWHERE, *MAYBE):
            put(connection, replace(ROW, key=each, state=each), about(f"{each}/file", "file", each))  # type: ignore[arg-type]  # of the literals
        put(connection, replace(ROW, key="other", service="shop"))
        assert outbox.redirect(connection, "flight_delay", "#new") == 4
        assert outbox.redirect(connection, "flight_delay", "#new") == 0
        moved = [row.key for row in all_of(connection) if row.channel == "#new"]
        other = outbox.message_of(connection, "other")
    assert moved == ["waiting", "waiting/file", "refused", "refused/file"]
    assert other is not None
    assert other.channel == "#old"


def test_what_is_nowhere_is_taken_back_whole(state: sa.Engine) -> None:
    """What may be somewhere stays whole, and so does what belongs to other posts."""
    with writing(state) as connection:
        for each in (*NOWHERE, *MAYBE):
            put(connection, replace(ROW, key=each, state=each), about(f"{each}/file", "file", each))  # type: ignore[arg-type]  # of the literals
        for each in NOWHERE:
            assert keys(outbox.take_back(connection, each)) == [each, f"{each}/file"]
        for each in MAYBE:
            assert outbox.take_back(connection, each) == []
        assert len(all_of(connection)) == 2 * len(MAYBE)


def test_only_files_that_are_not_uploaded_are_taken_back(state: sa.Engine) -> None:
    """Of one post."""
    with writing(state) as connection:
        put(connection, ROW, about("reply", "reply"), about("other", "file", "another"))
        put(connection, *(about(each, "file", state=each) for each in NOWHERE + MAYBE))
        assert keys(outbox.take_back_files(connection, "post")) == sorted(NOWHERE)
        assert keys(all_of(connection)) == sorted(["post", "reply", "other", *MAYBE])


def test_a_post_that_is_not_there_says_at_once_what_its_updates_say(state: sa.Engine) -> None:
    """They and the answers that explain them are gone; its page is not, and an answer alone stays."""
    post = replace(ROW, state="unknown")
    with writing(state) as connection:
        put(connection, post, about("file", "file"), about("came", "reply"))
        assert outbox.renew(connection, post) == post
        put(connection, about("1", "update", payload="newer", kind=outbox.WITHDRAWN), about("1/why", "reply"))
        put(connection, about("2", "update", payload="newest"), about("other", "update", "another"))
        renewed = outbox.renew(connection, post)
        assert renewed is not None
        assert (renewed.payload, renewed.state) == ("newest", "unknown")
        assert keys(all_of(connection)) == ["file", "other", "post"]
        assert outbox.latest_payload(connection, "post") == "newest"


def test_a_post_that_is_not_there_and_withdrawn_is_gone(state: sa.Engine) -> None:
    """With all that belongs to it."""
    post = replace(ROW, state="sending")
    with writing(state) as connection:
        put(connection, post, about("1", "update", payload="newer"), about("1/why", "reply"))
        put(connection, about("2", "update", kind=outbox.WITHDRAWN), about("file", "file"))
        put(connection, about("other", "file", "another"))
        assert outbox.renew(connection, post) is None
        assert keys(all_of(connection)) == ["other"]


def test_a_message_that_was_taken_back_is_no_fault(state: sa.Engine) -> None:
    """One that Slack was called for and that is lost is one: somebody replaced the database."""
    with writing(state) as connection:
        for as_ in NOWHERE:
            with pytest.raises(outbox.TakenBackError):
                outbox.claim(connection, replace(ROW, state=as_), NOW)  # type: ignore[arg-type]  # of the literals
        with pytest.raises(outbox.TakenBackError):
            outbox.note(connection, ROW, "why")
        with pytest.raises(StateError) as lost:
            outbox.settle(connection, replace(ROW, state="sending"), "sent", now=NOW)
    assert not isinstance(lost.value, outbox.TakenBackError)


def test_only_a_post_tells_the_id_of_its_channel(state: sa.Engine) -> None:
    """What belongs to one may name the channel that the service file names since."""
    with writing(state) as connection:
        put(connection, about("1", "reply", state="sent", channel_id="C9"))
        assert outbox.channel_id_of(connection, "#old") == ""
        put(connection, replace(ROW, state="sent", channel_id="C1"))
        assert outbox.channel_id_of(connection, "#old") == "C1"
