"""What a night and a morning put into the outbox: for whom, due when, and with what beside it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from assistant_night import (
    KEY,
    MORNING,
    NIGHT,
    NOW,
    ROW,
    Moves,
    messages,
    moved,
    page_on,
    row_on,
    settle,
    tell,
)
from monitoring import enqueue
from monitoring.records import NightPage
from store import digest, outbox
from store.digest import LineRow
from store.outbox import MessageRow
from store.state import State, reading, writing

WEATHER = (moved("distribution", "weather"),)


def put(state: State, service: str, *, url: str = "", language: str = "en", **given: Any) -> None:
    """Record a line for the morning."""
    said = {"line": f"{service} moved", "url": url, "language": language, "unknown": "hold"}
    plain: dict[str, Any] = {"channel": "#assist", "owner": "@a", "due_at": MORNING, "night": NIGHT}
    with writing(state) as connection:
        digest.put_line(
            connection, LineRow(service=service, line=json.dumps(said), recorded_at=NOW, **(plain | given))
        )


def test_a_line_is_for_whoever_is_notified_on_their_own_morning(state: State, quiet: NightPage) -> None:
    """Eight o'clock where the service is, with the page's address; the owner stands in where nobody is notified."""
    tell(state, quiet, also=WEATHER, page_base_url="https://p.example/")
    with reading(state) as connection:
        assert digest.due_lines(connection, MORNING - timedelta(seconds=1)) == []
        (line,) = digest.due_lines(connection, MORNING)
    assert (line.owner, line.channel) == ("@assist-team", "#assist")
    assert json.loads(line.line) == {
        "line": "incident 1, inputs alone: “weather” moved",
        "url": "https://p.example/support_assistant/2026-05-12.html",
        "language": "en",
        "unknown": "hold",
    }
    tell(state, quiet, also=WEATHER, mention="S0614TZR7")
    with reading(state) as connection:
        assert [each.owner for each in digest.due_lines(connection, MORNING)] == ["S0614TZR7"]


def test_a_line_goes_once_nothing_moved(state: State, quiet: NightPage) -> None:
    """A revision of the night on which nothing is left to say takes its line back."""
    tell(state, quiet, also=WEATHER)
    with reading(state) as connection:
        assert len(digest.due_lines(connection, MORNING)) == 1
    tell(state, quiet, replace(ROW, revision=2))
    with reading(state) as connection:
        assert digest.due_lines(connection, MORNING) == []


def test_no_line_is_gathered_before_its_morning_or_twice(state: State) -> None:
    """Not a second before; then all of it, once."""
    put(state, "eta")
    assert enqueue.mornings(state, MORNING - timedelta(seconds=1)) == []
    assert len(enqueue.mornings(state, MORNING)) == 1
    assert enqueue.mornings(state, MORNING + timedelta(days=9)) == []
    assert len(messages(state, "")) == 1


def first_lines(row: MessageRow) -> list[str]:
    """What a morning's message says, with its title first."""
    title, lines = (block["text"]["text"] for block in json.loads(row.payload)["blocks"])
    return [title, *lines.split("\n")]


def test_each_channel_and_owner_has_a_message(state: State) -> None:
    """Of all the mornings that have come, in the language of its lines, and with what each line links."""
    later = MORNING + timedelta(days=1)
    put(state, "eta", url="https://p.example/eta")
    put(state, "eta", due_at=later, night=NIGHT + timedelta(days=1))
    put(state, "shop", owner="@b")
    put(state, "cart", channel="#other", language="pt")
    keys = enqueue.mornings(state, later)
    eta, shop, cart = messages(state, "")
    assert [row.key for row in (eta, shop, cart)] == keys
    title = "*☀️ Good morning: nothing that cannot wait*"
    assert first_lines(eta) == [
        title,
        "eta, night of Tue 12 May: eta moved  <https://p.example/eta|page>",
        "eta, night of Wed 13 May: eta moved",
    ]
    assert first_lines(shop) == [title, "shop, night of Tue 12 May: shop moved"]
    assert first_lines(cart)[0] == "*☀️ Bom dia: nada que não possa esperar*"
    assert [(row.channel, row.due_at, row.kind, row.unknown) for row in (eta, shop, cart)] == [
        ("#assist", later, "morning", "hold"),
        ("#assist", MORNING, "morning", "hold"),
        ("#other", MORNING, "morning", "hold"),
    ]
    assert eta.key.startswith("morning/2026-05-14/assist-a-")


def test_names_that_look_alike_are_told_apart(state: State) -> None:
    """A key of small letters and digits alone would be the same for both, and for what comes after."""
    put(state, "eta", owner="@a")
    put(state, "shop", owner="A")
    keys = enqueue.mornings(state, MORNING)
    put(state, "cart", owner="A")
    keys += enqueue.mornings(state, MORNING)
    assert len({key.split("/")[2] for key in keys}) == 2
    assert len(set(keys)) == len(messages(state, "")) == 3


@pytest.mark.parametrize(("critical", "due_at"), [("outcome", NOW), ("errors", MORNING)])
def test_an_incident_is_for_its_service(
    state: State, changed: NightPage, critical: str, due_at: datetime
) -> None:
    """Its channel, with what is to become of it where nobody can look; at once, or in the morning if it can wait."""
    tell(state, changed, critical=(critical,))
    (row,) = messages(state)
    assert (row.key, row.kind, row.channel, row.night, row.unknown) == (
        KEY,
        "incident",
        "#assist",
        NIGHT,
        "hold",
    )
    assert (row.due_at, row.action, row.state) == (due_at, "post", "waiting")


def test_what_is_told_after_its_morning_is_due_at_once(state: State, changed: NightPage) -> None:
    """A night that was judged late does not wait for a morning that is over."""
    noon = MORNING + timedelta(hours=4)
    tell(state, changed, replace(ROW, recorded_at=noon))
    assert [row.due_at for row in messages(state)] == [noon]


def test_the_page_goes_along_only_where_nothing_serves_it(state: State, changed: NightPage) -> None:
    """With a token and no address of pages: a file in the thread, for each page that was there to be uploaded."""
    moves: Moves = {}
    tell(state, changed, replace(ROW, content_sha="beef" * 5), moves=moves, attach=True)
    tell(state, changed, moves=moves, attach=True)  # the page that was never uploaded is not there any more
    settle(state)
    tell(state, changed, replace(ROW, page_sha="decade" * 5, revision=2), moves=moves, attach=True)
    _, *files = messages(state)
    assert [(each.action, each.about, each.unknown) for each in files] == [("file", KEY, "hold")] * 2
    assert [json.loads(each.payload)["name"] for each in files] == [
        "support_assistant-2026-05-12-c0ffeec0.html",
        "support_assistant-2026-05-12-decadede.html",
    ]
    settle(state)
    served = row_on(1)
    tell(state, page_on(changed, 1), served, moves=moves, attach=True, page_base_url="https://p.example")
    assert [each.action for each in messages(state)[3:]] == ["update", "reply"]


def test_what_was_told_is_replaced_when_it_changes(
    state: State, changed: NightPage, quiet: NightPage
) -> None:
    """Not while it says the same; an answer says why, and a night that turned out well is withdrawn, once."""
    tell(state, changed)
    settle(state)
    tell(state, changed, replace(ROW, revision=2))
    assert len(messages(state)) == 1
    for revision in (3, 4):
        tell(state, replace(quiet, revision=revision, changed="kept 9 → 12"), replace(ROW, revision=revision))
    _, update, reply = messages(state)
    assert (update.action, update.about, reply.action, reply.about) == ("update", KEY, "reply", KEY)
    assert "as usual after all" in json.loads(update.payload)["text"]
    assert json.loads(reply.payload)["text"] == "Told anew, revision 3 of the night: kept 9 → 12"


def test_a_first_revision_is_not_told_anew(state: State, changed: NightPage, quiet: NightPage) -> None:
    """The state of a night was lost and its message was not: it is mended without an answer."""
    tell(state, changed)
    settle(state)
    tell(state, quiet)
    assert [row.action for row in messages(state)] == ["post", "update"]


def test_a_night_that_is_first_told_a_year_later_names_its_year(
    state: State, changed: NightPage, quiet: NightPage
) -> None:
    """As an alert and when it is withdrawn; one that nobody got is told at the time of its last revision."""
    late = replace(ROW, recorded_at=NOW + timedelta(days=365))
    tell(state, changed)
    (told,) = messages(state)
    assert "May 2026" not in told.payload
    tell(state, changed, late)
    (told,) = messages(state)
    assert "May 2026" in json.loads(told.payload)["text"]
    with writing(state) as connection:
        outbox.take_back(connection, KEY)
    tell(state, changed, late)
    settle(state)
    tell(state, quiet, late)
    assert "12 May 2026: as usual after all" in json.loads(messages(state)[-1].payload)["text"]


def test_another_year_alone_is_nothing_to_tell(state: State, changed: NightPage, quiet: NightPage) -> None:
    """The message stands in the year in which it was told, and so do the words that replace it."""
    tell(state, changed)
    settle(state)
    tell(state, changed, replace(ROW, recorded_at=NOW + timedelta(days=365), revision=2))
    assert [row.action for row in messages(state)] == ["post"]
    tell(state, quiet, replace(ROW, recorded_at=NOW + timedelta(days=365), revision=3))
    assert "2026" not in json.loads(messages(state)[1].payload)["text"]


def test_a_morning_of_another_year_names_the_year_of_its_nights(state: State) -> None:
    """The last morning of a message says which year goes without saying."""
    put(state, "eta", due_at=MORNING + timedelta(days=365))
    enqueue.mornings(state, MORNING + timedelta(days=365))
    (row,) = messages(state, "")
    assert first_lines(row)[1:] == ["eta, night of Tue 12 May 2026: eta moved"]


def test_a_morning_that_comes_a_year_late_names_the_year_of_its_nights(state: State) -> None:
    """What counts is the day on which people read it, not the one on which it was due."""
    put(state, "eta")
    enqueue.mornings(state, MORNING + timedelta(days=365))
    (row,) = messages(state, "")
    assert first_lines(row)[1:] == ["eta, night of Tue 12 May 2026: eta moved"]
