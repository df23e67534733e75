"""The life of an incident's thread over several nights: what is said, when, where, and that nothing is said twice."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from assistant_night import (
    KEY,
    MORNING,
    NOW,
    Told,
    incidents,
    messages,
    moved,
    only,
    said,
    short,
)
from monitoring.records import NightPage
from store import digest
from store.state import State, reading

PAGE = "page/support_assistant/1"
SECOND = "incident/support_assistant/2"


@pytest.fixture
def outcome(changed: NightPage) -> NightPage:
    """A night on which the outcome left its range, and nothing else."""
    return only(changed, "outcome")


def lines(state: State) -> list[str]:
    """What waits for a morning."""
    with reading(state) as connection:
        found = digest.due_lines(connection, MORNING + timedelta(days=99))
    return [json.loads(line.line)["line"] for line in found]


@pytest.fixture
def told(state: State) -> Told:
    """The service, of which nothing was told yet."""
    return Told(state)


def test_the_life_of_a_thread(told: Told, outcome: NightPage, quiet: NightPage) -> None:
    """One message, put in place each night with an answer; quiet nights say nothing; then its end, once, and its cost."""
    (post,) = told.night(outcome, 0)
    assert (post.key, post.action, post.due_at) == (KEY, "post", MORNING)
    update, reply = told.night(outcome, 1)
    assert short([update, reply]) == [("update", "/2026-05-13"), ("reply", "/2026-05-13/said")]
    assert {row.about for row in (update, reply)} == {KEY}
    assert said(update).startswith("🟠 support_assistant: “thumbs up” less often than usual")
    assert "2 nights in a row" in update.payload
    assert said(reply) == "Night 2 (Wed 13 May): 70.5\u00a0% → 54.0\u00a0%."
    assert (told.night(quiet, 2), told.night(quiet, 3)) == ([], [])
    over, cost = told.night(quiet, 4)
    assert short([over, cost]) == [("update", "/over-2026-05-16"), ("reply", "/over-2026-05-16/cost")]
    assert said(over) == "✅ support_assistant: over, incident 1: “thumbs up” less often than usual"
    words = (
        "Over: not seen since Wed 13 May. It lasted 2 nights, about 1,300 requests fewer than usual, "
        "-17 points from usual on average."
    )
    assert words in over.payload
    assert words in cost.payload
    assert "Was it real?" in cost.payload
    assert told.night(quiet, 5) == []


def test_what_comes_back_is_told_in_its_thread(told: Told, outcome: NightPage, quiet: NightPage) -> None:
    """Its message says again what holds, the answer that it is back; and it ends again, with all that it cost."""
    for days, page in enumerate((outcome, outcome, quiet, quiet, quiet, quiet)):
        told.night(page, days)
    update, reply = told.night(outcome, 6)
    assert short([update, reply]) == [("update", "/2026-05-18"), ("reply", "/2026-05-18/said")]
    assert said(update).startswith("🟠")
    assert said(reply).startswith("It is back on Mon 18 May, night 3 in all: ")
    assert [each.number for each in incidents(told.state)] == [1]
    assert [told.night(quiet, days) for days in (7, 8)] == [[], []]
    over, cost = told.night(quiet, 9)
    assert short([over, cost]) == [("update", "/over-2026-05-21"), ("reply", "/over-2026-05-21/cost")]
    assert "It lasted 3 nights, about 2,000 requests fewer than usual" in over.payload


def test_a_second_incident_has_a_thread_of_its_own(
    told: Told, changed: NightPage, outcome: NightPage
) -> None:
    """It says what is its own, and not what the first one says already."""
    told.night(outcome, 0)
    gaps = only(changed, "outcome", "null_share")
    first, reply, second = told.night(gaps, 1)
    assert (first.about, reply.about) == (KEY, KEY)
    assert (second.key, second.action, second.about) == (SECOND, "post", "")
    assert "thumbs up" in first.payload
    assert "thumbs up" not in second.payload
    assert "prep_minutes" in said(second)
    assert [(each.number, each.measure) for each in incidents(told.state)] == [
        (1, "outcome"),
        (2, "null_share"),
    ]


def test_beyond_the_budget_the_morning_tells(told: Told, changed: NightPage, outcome: NightPage) -> None:
    """With why, on every night it goes on, and never in a message; what is critical is told all the same."""
    told.night(outcome, 0, budget=1)
    gaps = only(changed, "outcome", "null_share")
    assert [row.about for row in told.night(gaps, 1, budget=1)] == [KEY, KEY]
    (line,) = lines(told.state)
    assert line.startswith("incident 2: ")
    assert line.endswith("No message of its own: this week's budget is spent")
    assert [each.told for each in incidents(told.state)] == ["post", "digest"]
    failing = (moved("errors"),)
    rows = told.night(gaps, 2, budget=1, also=failing)
    (critical,) = [row for row in rows if row.action == "post"]
    assert (critical.key, critical.due_at) == ("incident/support_assistant/3", NOW + timedelta(days=2))


def test_the_budget_is_of_a_week(told: Told, changed: NightPage, quiet: NightPage) -> None:
    """Next Monday another incident may have a message."""
    told.night(only(changed, "outcome"), 0, budget=1)
    for days in range(1, 6):
        told.night(quiet, days, budget=1)
    (post,) = [row for row in told.night(only(changed, "null_share"), 6, budget=1) if row.action == "post"]
    assert post.key == SECOND


@pytest.mark.parametrize("judged", [0, 6])
def test_before_seven_nights_the_morning_tells_what_would_be_said(
    told: Told, outcome: NightPage, judged: int
) -> None:
    """Unless a backtest was recorded; rows that cannot be judged are told all the same."""
    few = {"judged": judged}
    assert told.night(outcome, 0, night=few) == []
    (line,) = lines(told.state)
    assert line.startswith("incident 1: “thumbs up” less often than usual (70.5\u00a0% → 54.0\u00a0%). ")
    assert "less than 7 nights and has no backtest" in line
    (post,) = told.night(outcome, 1, night=few | {"backtested": True})
    assert (post.key, post.action) == (KEY, "post")
    other = told.night(outcome, 2, night=few, also=(moved("schema", "rows"),))
    assert [row.key for row in other if row.action == "post"] == [SECOND]


def test_seven_judged_nights_are_enough(told: Told, outcome: NightPage) -> None:
    """Then it speaks."""
    assert [row.key for row in told.night(outcome, 0, night={"judged": 7})] == [KEY]


def test_inputs_alone_are_a_line_on_the_morning_they_open(told: Told, quiet: NightPage) -> None:
    """Once; no message of their own, and no budget."""
    inputs = (moved("distribution", "weather"), moved("distribution", "city"))
    assert told.night(quiet, 0, also=inputs) == []
    assert lines(told.state) == ["incident 1, inputs alone: “city”, “weather” moved"]
    assert told.night(quiet, 1, also=inputs) == []
    assert [each for each in lines(told.state) if "inputs alone" in each] == lines(told.state)[:1]


def test_inputs_alone_that_are_back_are_a_line_again(told: Told, quiet: NightPage) -> None:
    """On the morning after they open again, and on no other; a gap of two nights is no end."""
    inputs = (moved("distribution", "city"),)
    for days in (0, 3, 9, 10):
        for calm in range(days - 2, days):
            told.night(quiet, max(calm, 0), also=inputs if calm <= 0 else ())
        told.night(quiet, days, also=inputs)
    assert lines(told.state) == [
        "incident 1, inputs alone: “city” moved",
        "incident 1 is back, inputs alone: “city” moved",
    ]


def test_who_is_on_call_is_woken_once_for_each_opening(
    told: Told, outcome: NightPage, quiet: NightPage
) -> None:
    """By what is critical alone; and may sleep once it is over."""
    on: dict[str, Any] = {"night": {"wake": True}, "critical": ("outcome",)}

    def pages(page: NightPage, days: int, **given: Any) -> list[tuple[str, str]]:
        rows = [row for row in told.night(page, days, **(on | given)) if row.action == "page"]
        return [(row.key.removeprefix(PAGE), json.loads(row.payload)["event_action"]) for row in rows]

    assert pages(outcome, 0) == [("", "trigger")]
    assert [pages(page, days) for days, page in enumerate((outcome, quiet, quiet), 1)] == [[], [], []]
    assert pages(quiet, 4) == [("/over-2026-05-16", "resolve")]
    assert pages(outcome, 6) == [("/1", "trigger")]
    assert [pages(quiet, days) for days in (7, 8)] == [[], []]
    assert pages(quiet, 9) == [("/over-2026-05-21", "resolve")]
    actions = {row.about for row in messages(told.state) if row.action == "page"}
    assert actions == {""}, "a page waits for no message"


@pytest.mark.parametrize("given", [{"critical": ()}, {"webhook": False}, {"night": {"wake": False}}])
def test_nobody_is_woken_by_what_can_wait(told: Told, outcome: NightPage, given: dict[str, Any]) -> None:
    """Or where the service file, or the home, names no webhook."""
    rows = told.night(outcome, 0, **({"critical": ("outcome",), "night": {"wake": True}} | given))
    assert [row.action for row in rows] == ["post"]
