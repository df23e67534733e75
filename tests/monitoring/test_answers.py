"""What people say of incidents: kept once, folded in, told in the thread, and taken back whole."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from monitoring import stands
from monitoring.answers import Answered, answer, is_ahead, take_back
from services.errors import UsageError
from store import outbox
from store.incidents import AnswerRow, IncidentRow, answers_of, incident_of
from store.outbox import MessageRow
from store.state import State, reading, writing
from told_incidents import PART, judge, morning_after, moved, night_after, said, service, tell, thread

ITS = service(critical=["errors"])
HOSTILE = "<!channel> *now*"


@pytest.fixture
def told(state: State) -> State:
    """A night on which errors and one city's answers moved, told in its channel."""
    judge(state, ITS, 0, moved(floors=4.0), moved(floors=6.0, part=PART), moved("null_share", 5.5, "wind"))
    tell(state, ITS, 1)
    return state


def say(state: State, row: AnswerRow, its: Any = ITS) -> Answered:
    with writing(state) as connection:
        return answer(connection, its, row)


def stands_at(state: State, number: int = 1) -> IncidentRow:
    with reading(state) as connection:
        row = incident_of(connection, "shop", number)
    assert row is not None
    return row


def root_of(state: State) -> dict[str, Any]:
    with reading(state) as connection:
        words: dict[str, Any] = json.loads(outbox.latest_payload(connection, "incident/shop/1"))
    return words


def test_taken_by_command_is_told_and_by_reaction_is_seen(told: State) -> None:
    """The incident is acknowledged either way; only what nobody can see in Slack is written there."""
    assert say(told, said("taken", 0, "U0ANA00001", source="slack")).incident.state == "acknowledged"
    assert thread(told) == []
    say(told, said("taken", 0, "bruno"))
    assert thread(told) == [("reply", "bruno is on it.")]
    say(told, said("real", 0, "bruno"))
    assert thread(told)[1:] == [("reply", "Real, says bruno.")]


def test_an_answer_is_kept_once(told: State) -> None:
    """The same key changes nothing, and says nothing again."""
    first, again = (say(told, said("noise", 0)) for _ in range(2))
    assert (first.is_new, again.is_new) == (True, False)
    assert again.incident == stands_at(told) == first.incident
    assert len(thread(told)) == 2
    with reading(told) as connection:
        assert [row.what for row in answers_of(connection, "shop")] == ["noise"]


def test_noise_ends_it_and_says_which_floors_are_raised(told: State) -> None:
    """A quarter further than the furthest it went, in whatever slice; nobody is asked again whether it was real."""
    done = say(told, said("noise", 0))
    assert done.raised == {("errors", ""): 7.5, ("null_share", "wind"): 6.875}
    assert (done.incident.state, done.incident.resolved) == ("resolved", night_after(1))
    (update, root), (reply, text) = thread(told)
    assert (update, reply) == ("update", "reply")
    assert root.startswith("✅ shop: over, incident 1: half of all requests failed")
    assert "Noise, says ana" in text
    assert (
        "(errors from about 8 times its floor on, share of missing values “wind” from about 7 times its floor on)"
        in text
    )
    with reading(told) as connection:
        last = outbox.thread_of(connection, "incident/shop/1")[-1]
    assert "Was it real?" not in last.payload


def test_a_raised_floor_holds_and_does_not_rise_by_itself(told: State) -> None:
    """As much as before is not told; what goes further is, and then that is not noise too."""
    say(told, said("noise", 0))
    judge(told, ITS, 1, moved(floors=4.0), moved(floors=7.4, part=PART))
    assert stands_at(told).state == "resolved"
    for days in (2, 3):
        judge(told, ITS, days, moved(floors=12.0))
        assert (stands_at(told).state, stands_at(told).last) == ("open", night_after(days))


def test_resolved_is_told_with_what_it_cost(told: State) -> None:
    """The message says who ended it; what comes back later opens the same incident, and can be ended again."""
    assert say(told, said("resolved", 0)).incident.resolved == night_after(1)
    assert [action for action, _ in thread(told)] == ["update", "reply"]
    assert "Resolved, says ana. It lasted 1 night, about 120 requests failed beyond the usual." in json.dumps(
        root_of(told)
    )
    with reading(told) as connection:
        assert "Was it real?" in outbox.thread_of(connection, "incident/shop/1")[-1].payload
    judge(told, ITS, 1, moved())
    with writing(told) as connection:  # as the night does
        root = outbox.message_of(connection, "incident/shop/1")
        assert root is not None
        more = replace(root, key=f"{root.key}/2026-05-11", action="update", about=root.key, state="waiting")
        assert outbox.put(connection, more)
    again = stands_at(told)
    assert (again.number, again.state, again.reopened, again.resolved) == (1, "open", 1, None)
    assert say(told, said("resolved", 1, "bruno")).incident.state == "resolved"
    assert [action for action, _ in thread(told)] == ["update", "reply", "update", "update", "reply"]


@pytest.mark.parametrize("what", ["muted", "expected"])
def test_quiet_has_an_end(told: State, what: Any) -> None:
    """Until that night it is muted, also if it ended and came back meanwhile; then it is open again."""
    done = say(told, said(what, 0, until=night_after(6), reason="sale"))
    assert done.incident.state == "muted"
    (_, text) = thread(told)[-1]
    assert "until the night of Sat 16 May" in text
    for days in (1, 2, 3):
        judge(told, ITS, days)
    assert stands_at(told).state == "resolved"
    for days in (5, 6):
        judge(told, ITS, days, moved())
        assert stands_at(told).state == "muted"
    judge(told, ITS, 7, moved())
    assert stands_at(told).state == "open"


def test_after_its_end_it_can_still_be_called_real(told: State) -> None:
    """That is what its end asks; nobody can take, mute or end what is over."""
    say(told, said("resolved", 0))
    assert say(told, said("real", 0)).incident.state == "resolved"
    for what in ("taken", "resolved", "muted"):
        with pytest.raises(UsageError, match="shop, incident 1: it is over since 2026-05-11"):
            say(told, said(what, 1, until=night_after(5)))


def test_what_cannot_be_answered_names_what_can(told: State) -> None:
    """A number nobody gave, and one that a night judged anew took away; nothing is kept of such an answer."""
    with pytest.raises(UsageError, match=r"shop has no incident 7\. Open: 1 \(errors, since 2026-05-10\)\."):
        say(told, said("taken", 0, number=7))
    with writing(told) as connection:
        stood = stands.read(connection, ITS).with_night(night_after(0), ())
        stands.keep(connection, stood, stood.now(), morning_after(0))
    with pytest.raises(UsageError, match=r"it is none any more.*No incident is open\."):
        say(told, said("taken", 0))
    with reading(told) as connection:
        assert answers_of(connection, "shop") == []


@pytest.mark.parametrize("until", [None, night_after(0), night_after(1) + timedelta(days=93)])
def test_an_end_is_a_night_people_still_remember(told: State, until: date | None) -> None:
    """Neither without an end, nor past, nor more than 92 nights ahead; the error says what would do."""
    with pytest.raises(UsageError, match="Give one from 2026-05-11 to 2026-08-11"):
        say(told, said("muted", 0, until=until))
    assert is_ahead(night_after(93), night_after(1))


def test_who_spoke_in_slack_is_mentioned_and_nobody_else(told: State) -> None:
    """An id of Slack's is a mention; a name that looks like one of Slack's signs is text."""
    say(told, said("noise", 0, "U0ANA00001", source="slack"))
    assert "Noise, says <@U0ANA00001>" in json.dumps(root_of(told))
    say(told, said("real", 0, HOSTILE, reason=HOSTILE))
    with reading(told) as connection:
        words = outbox.thread_of(connection, "incident/shop/1")[-1].payload
    assert "&lt;!channel&gt; ∗now∗" in words
    assert "<!channel" not in words


def test_what_nobody_got_says_that_it_is_over(state: State) -> None:
    """A message that waits for the morning says the end at once, and is not sent twice."""
    judge(state, ITS, 0, moved())
    tell(state, ITS, 1, sent=False)
    say(state, said("resolved", 0))
    assert thread(state) == [("reply", "Resolved, says ana.")]
    assert "Resolved, says ana." in json.dumps(root_of(state))


def test_an_incident_that_was_not_told_can_be_answered(state: State) -> None:
    """There is no thread to answer in."""
    judge(state, ITS, 0, moved("distribution", 9.0, "price"))
    assert say(state, said("noise", 0)).incident.state == "resolved"
    assert thread(state) == []


def test_who_was_woken_may_sleep(told: State) -> None:
    """What an answer ends is resolved where the page went; a page that woke nobody yet is taken back."""
    now = morning_after(0)
    page = MessageRow("page/shop/1", "page", "shop", "#team", "{}", now, now, night_after(0), action="page")
    noise = said("noise", 0)
    with writing(told) as connection:
        outbox.put(connection, page)
    assert [row.key for row in say(told, noise).gone] == [page.key]
    with writing(told) as connection:
        take_back(connection, ITS, noise, now)
        outbox.put(connection, page)
        outbox.settle(connection, page, "sent", now=now)
    assert say(told, noise).gone == ()
    with reading(told) as connection:
        event = outbox.message_of(connection, "page/shop/1/over-2026-05-11")
    assert event is not None
    body = json.loads(event.payload)
    assert (body["event_action"], body["dedup_key"], event.action) == ("resolve", "ronda/shop/1", "page")


def test_what_is_taken_back_is_as_if_it_had_not_been_said(told: State) -> None:
    """The floor falls, the incident is open, its message says what it said; and it can be said again."""
    noise = said("noise", 0, "U0ANA00001", source="slack", key="slack/no_bell/U0ANA00001")
    before = stands_at(told)
    for turn in (1, 2):
        assert say(told, noise).is_new
        with writing(told) as connection:
            assert take_back(connection, ITS, noise, morning_after(0))
            assert not take_back(connection, ITS, noise, morning_after(0))
        assert stands_at(told) == before
        assert root_of(told)["text"] == "half failed"
        assert len(thread(told)) == 4 * turn
    assert ("reply", "U0ANA00001 took that back: it does not count any more.") in thread(told)
    judge(told, ITS, 1, moved(floors=4.0))
    assert stands_at(told).last == night_after(1)


def test_taking_back_what_ended_nothing_leaves_the_message(told: State) -> None:
    """Who does not look after it any more says so by taking their reaction away, and nobody need be told."""
    taken = said("taken", 0, "U0ANA00001", source="slack")
    say(told, taken)
    with writing(told) as connection:
        assert take_back(connection, ITS, taken, morning_after(0))
        assert not take_back(connection, ITS, replace(taken, number=9), morning_after(0))
    assert (stands_at(told).state, thread(told)) == ("open", [])
