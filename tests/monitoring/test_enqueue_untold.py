"""What nobody got yet: it is amended, taken back or sent elsewhere, and says no word that is false by then."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from assistant_night import KEY, MORNING, NIGHT, ROW, SERVICE, Moves, messages, moved, settle, tell
from monitoring import enqueue
from monitoring.records import NightPage
from store import digest, outbox
from store.outbox import MessageRow
from store.state import State, reading

AGAIN = replace(ROW, revision=2, content_sha="decade" * 5)
WEATHER, CITY = (moved("distribution", "weather"),), (moved("distribution", "city"),)


def lines(state: State) -> list[tuple[str, str]]:
    """Service and channel of what waits for the morning."""
    with reading(state) as connection:
        return [(row.service, row.channel) for row in digest.due_lines(connection, MORNING)]


@pytest.mark.parametrize("as_", ["waiting", "refused"])
@pytest.mark.parametrize("is_told", [True, False])
def test_an_alert_that_nobody_got_is_taken_back(
    state: State, changed: NightPage, quiet: NightPage, as_: outbox.State, *, is_told: bool
) -> None:
    """With its page, whether or not messages are put; a night that is loud again speaks anew."""
    tell(state, changed, attach=True)
    settle(state, as_)
    assert tell(state, quiet, AGAIN, tell=is_told) == [KEY, f"{KEY}/page-c0ffeec0ffee"]
    assert messages(state) == []
    tell(state, changed, replace(AGAIN, revision=3))
    assert [(row.key, row.state) for row in messages(state)] == [(KEY, "waiting")]


@pytest.mark.parametrize("as_", ["sending", "unknown", "held", "sent", "written"])
def test_an_alert_that_may_be_there_is_withdrawn(
    state: State, changed: NightPage, quiet: NightPage, as_: outbox.State
) -> None:
    """Somebody may have read it."""
    tell(state, changed)
    settle(state, as_)
    assert tell(state, quiet, AGAIN) == []
    post, update, _ = messages(state)
    assert (post.state, update.action, update.kind) == (as_, "update", outbox.WITHDRAWN)


def test_without_messages_only_what_nobody_has_read_is_mended(
    state: State, changed: NightPage, quiet: NightPage
) -> None:
    """A first word is not said, and no word of it is left that waits and is false; what was read stays as it is."""
    tell(state, changed, tell=False)
    tell(state, quiet, tell=False)
    assert (messages(state), lines(state)) == ([], [])
    tell(state, changed)
    before = messages(state)[0].payload
    tell(state, replace(changed, owner="@others"), AGAIN, tell=False)
    (row,) = messages(state)
    assert row.payload != before
    settle(state, "sent")
    tell(state, quiet, replace(AGAIN, revision=3), tell=False)
    assert messages(state) == [row_of(state)]


def row_of(state: State) -> MessageRow:
    """The alert as it is now."""
    with reading(state) as connection:
        found = outbox.message_of(connection, KEY)
    assert found is not None
    return found


def test_without_messages_a_line_that_waits_is_made_true(
    state: State, changed: NightPage, quiet: NightPage
) -> None:
    """That inputs moved and nothing else is not true any more."""
    tell(state, quiet, also=WEATHER)
    assert lines(state) == [("support_assistant", "#assist")]
    tell(state, changed, AGAIN, tell=False)
    assert (messages(state), lines(state)) == ([], [])


def test_without_messages_an_alert_in_doubt_is_made_true(
    state: State, changed: NightPage, quiet: NightPage
) -> None:
    """It may have to be posted again: then in the words that hold, and without an answer that explains them."""
    tell(state, changed)
    settle(state, "unknown")
    tell(state, quiet, AGAIN, tell=False)
    assert [row.action for row in messages(state)] == ["post", "update"]


def test_an_amended_alert_goes_where_the_service_file_says(state: State, changed: NightPage) -> None:
    """Even in the same words; what belongs to it goes with it."""
    tell(state, changed, attach=True)
    settle(state, "refused")
    tell(state, changed, AGAIN, slack="#right", slack_unknown="repeat", attach=True)
    assert [(row.action, row.channel, row.unknown) for row in messages(state)] == [
        ("post", "#right", "repeat"),
        ("file", "#right", "repeat"),
    ]


def test_what_belongs_to_a_told_alert_stays_in_its_channel(
    state: State, changed: NightPage, quiet: NightPage
) -> None:
    """The service file may name another one since."""
    tell(state, changed)
    settle(state, "sent")
    tell(state, quiet, AGAIN, slack="#new")
    assert {row.channel for row in messages(state)} == {"#assist"}


def test_the_same_revision_can_be_told_twice_anew(state: State, changed: NightPage, quiet: NightPage) -> None:
    """Its page was lost and tells something else each time; what it tells already is not told again."""
    tell(state, changed)
    settle(state, "sent")
    for page in (quiet, changed, changed, quiet):
        tell(state, page, AGAIN, night={"revised": False})
    assert [(row.action, row.key.removeprefix(KEY)) for row in messages(state)] == [
        ("post", ""),
        ("update", "/gone"),
        ("update", "/2026-05-12"),
        ("update", "/gone/2"),
    ]


def gathered(state: State, quiet: NightPage, moves: Moves | None = None) -> list[str]:
    """A morning's message of two nights on which an input moved; its key."""
    for days, inputs in enumerate((WEATHER, CITY)):
        tell(state, quiet, replace(ROW, night=NIGHT - timedelta(days=days)), moves=moves, also=inputs)
    return enqueue.mornings(state, MORNING)


def told(state: State) -> list[str]:
    """What the morning's messages say, without their titles."""
    return [json.loads(row.payload)["blocks"][1]["text"]["text"] for row in messages(state, "")]


@pytest.mark.parametrize("as_", ["waiting", "refused"])
def test_a_morning_that_nobody_got_is_made_anew(
    state: State, changed: NightPage, quiet: NightPage, as_: outbox.State
) -> None:
    """Of the lines that still hold, in their last words; it is gone once none is left."""
    moves: Moves = {}
    (key,) = gathered(state, quiet, moves)
    settle(state, as_)
    assert tell(state, changed, AGAIN, moves=moves) == []
    assert told(state) == ["support_assistant, night of Mon 11 May: incident 2, inputs alone: “city” moved"]
    before = replace(AGAIN, night=NIGHT - timedelta(days=1))
    assert tell(state, quiet, before, moves=moves, also=(*CITY, moved("distribution", "app"))) == []
    assert told(state) == [
        "support_assistant, night of Mon 11 May: incident 2, inputs alone: “app”, “city” moved"
    ]
    assert lines(state) == []
    assert tell(state, quiet, before, moves=moves, tell=False) == [key]
    assert (told(state), lines(state)) == ([], [])


def test_a_line_for_somebody_else_leaves_the_morning(state: State, quiet: NightPage) -> None:
    """It waits for a message of its own."""
    gathered(state, quiet)
    tell(state, quiet, AGAIN, also=WEATHER, slack="#other")
    assert len(told(state)) == 1
    assert "12 May" not in told(state)[0]
    assert lines(state) == [("support_assistant", "#other")]


@pytest.mark.parametrize("as_", ["sending", "unknown", "held", "sent", "written"])
def test_a_morning_that_may_be_there_stays(
    state: State, changed: NightPage, quiet: NightPage, as_: outbox.State
) -> None:
    """Its lines are told, and not told again."""
    gathered(state, quiet)
    settle(state, as_)
    before = told(state)
    tell(state, changed, AGAIN)
    tell(state, quiet, replace(AGAIN, night=NIGHT - timedelta(days=1)), also=WEATHER)
    assert (told(state), lines(state)) == (before, [])


@pytest.mark.parametrize("as_", ["waiting", "refused"])
def test_what_nobody_got_follows_its_service(
    state: State, changed: NightPage, quiet: NightPage, as_: outbox.State
) -> None:
    """Alerts with their pages, lines that wait, and lines that are gathered already; nobody else's."""
    moves: Moves = {}
    other = replace(ROW, service="other", night=NIGHT - timedelta(days=1))
    tell(state, quiet, other, also=WEATHER, service="other")
    (key,) = gathered(state, quiet, moves)
    tell(state, changed, replace(ROW, night=NIGHT + timedelta(days=1)), moves=moves, attach=True)
    settle(state, as_)
    tell(
        state,
        quiet,
        replace(ROW, night=NIGHT - timedelta(days=2)),
        moves=moves,
        also=(moved("distribution", "app"),),
    )
    elsewhere = SERVICE.model_copy(update={"slack": "#right"})
    assert enqueue.follow(state, [elsewhere], MORNING) == []
    assert {row.channel for row in messages(state)} == {"#right"}
    assert lines(state) == [("support_assistant", "#right")] * 3
    assert told(state) == ["other, night of Mon 11 May: incident 1, inputs alone: “weather” moved"]
    (gone,) = enqueue.follow(state, [elsewhere.model_copy(update={"service": "other"})], MORNING)
    assert (gone.key, told(state)) == (key, [])
    assert len(enqueue.mornings(state, MORNING)) == 1
    assert [row.channel for row in messages(state, "")] == ["#right"]
    assert enqueue.follow(state, [elsewhere], MORNING) == []


@pytest.mark.parametrize("as_", ["sending", "unknown", "held", "sent", "written"])
def test_what_may_be_there_follows_nobody(
    state: State, changed: NightPage, quiet: NightPage, as_: outbox.State
) -> None:
    """It is looked for where it was sent."""
    gathered(state, quiet)
    tell(state, changed, replace(ROW, night=NIGHT + timedelta(days=1)))
    settle(state, as_)
    before = messages(state), messages(state, "")
    assert enqueue.follow(state, [SERVICE.model_copy(update={"slack": "#right"})], MORNING) == []
    assert (messages(state), messages(state, "")) == before
