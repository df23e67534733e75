"""Answers that are taken back: what stood before stands again, the record says who, and the pager rings again."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from monitoring.answers import TakenBack, answer, take_back, undo
from services.errors import UsageError
from services.model import Service
from store import outbox
from store.incidents import AnswerRow, IncidentRow, answers_back_of, answers_of, incident_of
from store.outbox import MessageRow
from store.state import State, reading, writing
from told_incidents import judge, morning_after, moved, night_after, said, service, tell, thread

ITS = service(critical=["errors"])
NOW = morning_after(0)
TRIGGER = json.dumps({
    "event_action": "trigger", "dedup_key": "ronda/shop/1",
    "payload": {"summary": "half failed", "severity": "critical", "timestamp": "2026-05-11T00:00:00+00:00"},
})  # fmt: skip


@pytest.fixture
def told(state: State) -> State:
    """A night on which errors moved, told in its channel."""
    judge(state, ITS, 0, moved(floors=4.0))
    tell(state, ITS, 1)
    return state


@pytest.fixture
def paged(told: State) -> State:
    """The same, and somebody was woken."""
    page = MessageRow(
        "page/shop/1", "page", "shop", "#team", TRIGGER, NOW, NOW, night_after(0), action="page"
    )
    with writing(told) as connection:
        outbox.put(connection, page)
    rang(told)
    return told


def say(state: State, row: AnswerRow) -> None:
    with writing(state) as connection:
        answer(connection, ITS, row)


def undone(state: State, by: str = "bruno", number: int = 1, its: Service = ITS) -> TakenBack:
    with writing(state) as connection:
        return undo(connection, its, number, by, NOW, wake=True)


def stands_at(state: State) -> IncidentRow:
    with reading(state) as connection:
        row = incident_of(connection, "shop", 1)
    assert row is not None
    return row


def rang(state: State) -> None:
    """As if the webhook had answered to every page that waits."""
    with writing(state) as connection:
        for row in outbox.messages_of(connection, "shop"):
            if row.action == "page" and row.state == "waiting":
                outbox.settle(connection, outbox.claim(connection, row, NOW), "sent", now=NOW)


def pages(state: State) -> list[tuple[str, str, str]]:
    """Every event for the pager, in its order: key, action and what it is of."""
    with reading(state) as connection:
        rows = [row for row in outbox.messages_of(connection, "shop") if row.action == "page"]
    events = [(row.key, json.loads(row.payload)) for row in rows]
    return [(key, body["event_action"], body["dedup_key"]) for key, body in events]


@pytest.mark.parametrize(
    ("what", "word", "given"),
    [
        ("taken", "somebody looks after it", {}),
        ("real", "real", {}),
        ("noise", "noise", {}),
        ("resolved", "resolved", {}),
        ("expected", "expected", {"until": night_after(6)}),
        ("muted", "muted", {"until": night_after(6), "reason": "sale"}),
    ],
)
def test_what_was_said_by_command_is_undone(told: State, what: Any, word: str, given: dict[str, Any]) -> None:
    """The incident stands as before, its thread says who took what back, and the record keeps both."""
    before = stands_at(told)
    say(told, said(what, 0, **given))
    assert what == "real" or stands_at(told) != before
    done = undone(told)
    assert (done.is_new, done.incident, done.said.what) == (True, before, what)
    assert stands_at(told) == before
    with reading(told) as connection:
        assert answers_of(connection, "shop") == []
        [back] = answers_back_of(connection, "shop")
        root = json.loads(outbox.latest_payload(connection, "incident/shop/1"))
    assert (back.what, back.by, back.at, back.back_by, back.back_at) == (what, "ana", NOW, "bruno", NOW)
    assert root["text"] == "half failed"
    words = f"bruno took back “{word}”, which ana had said: it does not count any more."
    assert ("reply", words) in thread(told)


def test_undone_twice_is_undone_once(told: State) -> None:
    """A command that is sent again takes back nothing else; said again it can be taken back again."""
    say(told, said("taken", 0, "ana", at=NOW.replace(hour=7)))
    say(told, said("noise", 0))
    assert undone(told).is_new
    before = thread(told)
    again = undone(told, "carla")
    assert (again.is_new, again.said.what, again.incident.state) == (False, "noise", "acknowledged")
    assert thread(told) == before
    say(told, said("noise", 0, at=NOW.replace(hour=10)))
    assert stands_at(told).state == "resolved"
    assert undone(told).is_new
    with reading(told) as connection:
        assert [row.what for row in answers_of(connection, "shop")] == ["taken"]
        assert [row.back_by for row in answers_back_of(connection, "shop")] == ["bruno", "bruno"]


def test_there_must_be_something_to_take_back(told: State) -> None:
    """A reaction is taken back where it was given; a number must be there."""
    say(told, said("noise", 0, "U0ANA00001", source="slack"))
    with pytest.raises(UsageError, match="shop, incident 1: nothing was said of it by command"):
        undone(told)
    with pytest.raises(UsageError, match=r"shop has no incident 7\. No incident is open\."):
        undone(told, number=7)


def test_the_pager_rings_again(paged: State) -> None:
    """Under the key it knows, whoever took it back; each end and each return is told once, in their order."""
    noise = said("noise", 0, "U0ANA00001", source="slack")
    end, key = "page/shop/1/over-2026-05-11", "ronda/shop/1"
    say(paged, noise)
    rang(paged)
    with writing(paged) as connection:
        assert take_back(connection, ITS, noise, NOW, wake=True)
    assert pages(paged)[1:] == [(end, "resolve", key), (f"{end}/back", "trigger", key)]
    with reading(paged) as connection:
        again = outbox.message_of(connection, f"{end}/back")
    assert again is not None
    assert json.loads(again.payload)["payload"] == {
        "summary": "half failed", "severity": "critical", "timestamp": NOW.isoformat(),
    }  # fmt: skip
    rang(paged)
    say(paged, said("resolved", 0))
    rang(paged)
    undone(paged)
    assert [event[:2] for event in pages(paged)][3:] == [
        (f"{end}/2", "resolve"),
        (f"{end}/2/back", "trigger"),
    ]


def test_who_did_not_hear_of_the_end_need_not_hear_of_its_return(paged: State) -> None:
    """What waits is taken back; said once more, the end is told after all, and once."""
    say(paged, said("noise", 0))
    gone = undone(paged).gone
    assert [row.key for row in gone] == ["page/shop/1/over-2026-05-11"]
    assert [event[1] for event in pages(paged)] == ["trigger"]
    say(paged, said("noise", 0))
    rang(paged)
    undone(paged)
    say(paged, said("noise", 0))  # before it rang again
    assert [event[1] for event in pages(paged)] == ["trigger", "resolve"]


def test_a_page_that_was_taken_back_is_put_again(told: State) -> None:
    """Nobody was woken when it was called noise by mistake: somebody is now, in the words of its message."""
    page = MessageRow(
        "page/shop/1", "page", "shop", "#team", TRIGGER, NOW, NOW, night_after(0), action="page"
    )
    with writing(told) as connection:
        outbox.put(connection, page)
    say(told, said("noise", 0))
    assert pages(told) == []
    undone(told)
    assert pages(told) == [("page/shop/1", "trigger", "ronda/shop/1")]
    with reading(told) as connection:
        put = outbox.message_of(connection, "page/shop/1")
    assert put is not None
    assert "shop: half of all requests failed" in put.payload


@pytest.mark.parametrize("why", ["not critical", "no webhook", "muted", "no key"])
def test_nobody_is_woken_for_nothing(paged: State, why: str) -> None:
    """Only what is critical, goes on, and has somewhere to go."""
    its = ITS.model_copy(
        update={"critical": ()} if why == "not critical" else {"webhook": why != "no webhook"}
    )
    if why == "muted":
        say(paged, said("muted", 0, until=night_after(6), reason="sale", at=NOW.replace(hour=7)))
    say(paged, said("noise", 0))
    rang(paged)
    with writing(paged) as connection:
        undo(connection, its, 1, "bruno", NOW, wake=why != "no key")
    assert [event[1] for event in pages(paged)] == ["trigger", "resolve"]


def test_what_is_over_anyway_stays_over(paged: State) -> None:
    """It had ended before it was called noise: nobody is woken, nothing says that it is open."""
    for days in (1, 2, 3):
        judge(paged, ITS, days)
    late = replace(said("noise", 4), at=morning_after(4))
    say(paged, late)
    assert undone(paged).incident.state == "resolved"
    assert [event[1] for event in pages(paged)] == ["trigger", "resolve"]
