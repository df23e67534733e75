"""Threads whose nights were judged anew: nothing false is left standing, whoever has read it, and nobody hears it twice."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from assistant_night import (
    KEY,
    Moves,
    Told,
    incidents,
    messages,
    only,
    page_on,
    row_on,
    said,
    settle,
    short,
    tell,
)
from monitoring.records import NightPage
from monitoring.verdicts.incidents import Key, Moved
from store import outbox
from store.outbox import MessageRow
from store.state import State, reading

PAGE = "page/support_assistant/1"
WEAK = Moved(Key("outcome", "", ""), "tonight", 1.5, 0.01, 0.0, 1.0, 0.01)
"""What has to be seen in two nights of three."""


@pytest.fixture
def told(state: State) -> Told:
    """The service, of which nothing was told yet."""
    return Told(state)


@pytest.fixture
def outcome(changed: NightPage) -> NightPage:
    """A night on which the outcome left its range, and nothing else."""
    return only(changed, "outcome")


def stands(state: State) -> str:
    """What the message says after all its updates."""
    with reading(state) as connection:
        return outbox.latest_payload(connection, KEY)


def waiting(state: State, pages: Sequence[NightPage], moves: Moves, **given: Any) -> list[MessageRow]:
    """Tell nights while nothing can be sent; what waits."""
    for days, page in enumerate(pages):
        tell(state, page_on(page, days), row_on(days), moves=moves, **given)
    return messages(state)


def test_an_older_night_only_says_why(told: Told, outcome: NightPage) -> None:
    """The message says what nights after it made of the incident, and goes on saying that."""
    for days in range(3):
        told.night(outcome, days)
    before = stands(told.state)
    (why,) = told.night(outcome, 1, revision=2)
    assert short([why]) == [("reply", "/2026-05-13/revision-2")]
    assert said(why) == "Told anew, revision 2 of the night: kept 9 → 12"
    assert stands(told.state) == before


def test_a_night_that_shows_it_no_more_is_taken_out(told: Told, outcome: NightPage, quiet: NightPage) -> None:
    """The message says again what the night before made of it, with why; and the cost is without that night."""
    told.night(outcome, 0)
    first = stands(told.state)
    told.night(outcome, 1)
    assert stands(told.state) != first
    update, why = told.night(quiet, 1, revision=2)
    assert short([update, why]) == [("update", "/2026-05-13/2"), ("reply", "/2026-05-13/revision-2")]
    assert stands(told.state) == update.payload == first
    told.night(quiet, 2)
    over, _ = told.night(quiet, 3)
    assert "not seen since Tue 12 May. It lasted 1 night, about 660 requests fewer" in over.payload


def test_a_night_that_nobody_heard_of_is_taken_out(
    state: State, outcome: NightPage, quiet: NightPage
) -> None:
    """Nobody got the message yet: it simply says what holds, whether or not messages are put."""
    moves: Moves = {}
    (first,) = waiting(state, [outcome], moves)
    (second,) = waiting(state, [outcome, outcome], moves)
    assert first.payload != second.payload
    tell(state, page_on(quiet, 1), row_on(1, revision=2), moves=moves, tell=False)
    assert [row.payload for row in messages(state)] == [first.payload]


def test_an_answer_that_waits_says_what_holds(told: Told, outcome: NightPage, quiet: NightPage) -> None:
    """Of the night as it was judged last; it is gone if the night does not show the incident."""
    told.night(outcome, 0)
    tell(told.state, page_on(outcome, 1), row_on(1), moves=told.moves)
    line = outcome.numbers[0]
    worse = replace(outcome, numbers=(replace(line, value=0.44, numerator=1752), *outcome.numbers[1:]))
    tell(told.state, page_on(worse, 1, revision=2), row_on(1, revision=2), moves=told.moves)
    (reply,) = [row for row in messages(told.state) if row.key.endswith("/said")]
    assert said(reply) == "Night 2 (Wed 13 May): 70.5\u00a0% → 44.0\u00a0%."
    gone = tell(told.state, page_on(quiet, 1, revision=3), row_on(1, revision=3), moves=told.moves)
    assert gone == [reply.key]


def test_an_older_night_leaves_what_waits(state: State, outcome: NightPage) -> None:
    """Nobody got the message, which is of the last night: it is not put back, and nothing explains it."""
    moves: Moves = {}
    before = waiting(state, [outcome, outcome], moves)
    shown = page_on(outcome, 0, revision=2, changed="kept 9 → 12")
    assert tell(state, shown, row_on(0, revision=2), moves=moves) == []
    assert messages(state) == before


def test_what_was_withdrawn_by_an_older_night_stands_again(told: Told, outcome: NightPage) -> None:
    """Two nights of three showed it; one of them did not, and did after all."""
    seen = replace(outcome, numbers=tuple(replace(line, far=True) for line in outcome.numbers[:1]))
    calm = replace(seen, numbers=outcome.numbers[1:])
    assert told.night(seen, 0, also=(WEAK,)) == []
    (post,) = told.night(seen, 1, also=(WEAK,))
    withdrawn, why = told.night(calm, 0, revision=2)
    assert (withdrawn.kind, why.action) == (outbox.WITHDRAWN, "reply")
    assert "Incident 1 (“thumbs up” less often than usual) no longer holds" in said(withdrawn)
    again, why = told.night(seen, 0, revision=3, also=(WEAK,))
    assert (again.kind, again.payload, why.action) == ("incident", post.payload, "reply")
    assert [(each.number, each.state) for each in incidents(told.state)] == [(1, "open")]


@pytest.mark.parametrize("as_", ["waiting", "refused"])
def test_nobody_is_woken_by_what_was_nothing(
    state: State, outcome: NightPage, quiet: NightPage, as_: outbox.State
) -> None:
    """A page that woke nobody yet is taken back with the message."""
    moves: Moves = {}
    on: dict[str, Any] = {"critical": ("outcome",), "night": {"wake": True}, "moves": moves}
    tell(state, outcome, row_on(0), **on)
    settle(state, as_)
    assert tell(state, quiet, row_on(0, revision=2), **on) == [KEY, PAGE]
    assert messages(state) == []


def test_who_was_woken_for_nothing_may_sleep(told: Told, outcome: NightPage, quiet: NightPage) -> None:
    """The webhook is told that it is over."""
    on: dict[str, Any] = {"critical": ("outcome",), "night": {"wake": True}}
    told.night(outcome, 0, **on)
    rows = told.night(quiet, 0, revision=2, **on)
    (page,) = [row for row in rows if row.action == "page"]
    assert (page.key, json.loads(page.payload)["event_action"]) == (f"{PAGE}/gone", "resolve")


def test_what_is_over_before_anybody_heard_says_so(
    state: State, outcome: NightPage, quiet: NightPage
) -> None:
    """Once, without an answer; filled in silently too. What was read stays as it is then."""
    moves: Moves = {}
    waiting(state, [outcome], moves)
    for days in range(1, 4):
        tell(state, page_on(quiet, days), row_on(days), moves=moves, tell=False)
    (post,) = messages(state)
    assert said(post).startswith("✅ support_assistant: over, incident 1")
    settle(state)
    tell(state, page_on(quiet, 4), row_on(4), moves=moves)
    assert [row.payload for row in messages(state)] == [post.payload]


def test_what_was_read_is_not_ended_silently(told: Told, outcome: NightPage, quiet: NightPage) -> None:
    """`--no-messages` says nothing new to anybody."""
    told.night(outcome, 0)
    for days in range(1, 4):
        assert told.night(quiet, days, tell=False) == []
    assert short(told.night(quiet, 4)) == [("update", "/over-2026-05-15"), ("reply", "/over-2026-05-15/cost")]


def test_what_was_taken_back_spends_no_budget(state: State, changed: NightPage, quiet: NightPage) -> None:
    """Nobody heard of it."""
    moves: Moves = {}
    waiting(state, [only(changed, "outcome")], moves, budget=1)
    assert tell(state, quiet, row_on(0, revision=2), moves=moves, budget=1) == [KEY]
    tell(state, page_on(only(changed, "null_share"), 1), row_on(1), moves=moves, budget=1)
    assert short(messages(state), "incident/support_assistant") == [("post", "/2")]


def test_another_year_alone_is_no_news_of_a_later_night(told: Told, outcome: NightPage) -> None:
    """An update stands in the year in which it was told, as the first message does."""
    told.night(outcome, 0)
    told.night(outcome, 1)
    late = replace(row_on(1, revision=2), recorded_at=row_on(1).recorded_at + timedelta(days=365))
    before = messages(told.state)
    tell(told.state, page_on(outcome, 1, revision=2), late, moves=told.moves)
    assert messages(told.state) == before
