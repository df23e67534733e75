"""The index: which service comes first, and where its squares lead."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from monitoring.index import IndexIncident, IndexLine, IndexNight, IndexRelease, render_index
from monitoring.overview import write_index
from monitoring.standing import State
from monitoring.text import say
from page_incidents import key
from store.incidents import answer
from store.lake import open_lake
from store.state import State as Store
from store.state import writing
from told_incidents import judge, moved, said, service, tell

LAST = date(2026, 5, 12)


def line(service: str, *states: State, last: date = LAST) -> IndexLine:
    """A service whose states are given newest first."""
    nights = (
        IndexNight(last - timedelta(days=back), state, 3, f"{service}/{last - timedelta(days=back)}.html")
        for back, state in enumerate(states)
    )
    return IndexLine(service, f"@{service}-team", tuple(nights))


def order(page: str) -> list[str]:
    return re.findall(r"<h2[^>]*>.*?<bdi>(\w+)</bdi>", page)


def test_worst_first() -> None:
    """Missing nights, then bad data, then changes, then early, then quiet; a bad past breaks ties."""
    page = render_index([
        line("calm", "quiet", "quiet"), line("early", "early"), line("recovered", "quiet", "changed"),
        line("moved", "changed"), line("broken", "data"), line("late", "quiet", last=LAST - timedelta(days=2)),
    ])  # fmt: skip
    assert order(page) == ["late", "broken", "moved", "early", "recovered", "calm"]
    assert "<h1>3 services need a look.</h1>" in page


def test_all_quiet() -> None:
    """The best index is one sentence."""
    assert "<h1>All well everywhere.</h1>" in render_index([line("calm", "quiet")])
    assert "<h1>Tudo em ordem em toda parte.</h1>" in render_index([line("calm", "quiet")], "pt")


def test_nothing_yet() -> None:
    """An index of nothing says so, as does a service without nights."""
    assert "<h1>No night has been recorded yet.</h1>" in render_index([])
    assert "No night has been recorded yet." in render_index([IndexLine("new", "@a", ())])


def test_a_service_that_went_silent_is_not_well() -> None:
    """`all well` two nights ago is not `all well`."""
    page = render_index([line("calm", "quiet"), line("silent", "quiet", last=date(2026, 5, 10))])
    assert "no night since Sun 10 May 2026" in page


def test_squares_link_to_their_nights() -> None:
    """28 squares, the newest on the right; a night without a page is an empty one."""
    page = render_index([line("calm", "quiet", "changed")])
    squares = re.findall(
        r'<(a|span) class="(\w*)"(?: href="([^"]*)" title="([^"]*)")?', page.split('class="strip"')[1]
    )
    assert len(squares) == 28
    assert squares[:26] == [("span", "", "", "")] * 26
    assert squares[26:] == [
        ("a", "changed", "calm/2026-05-11.html", "Mon 11 May 2026: something changed"),
        ("a", "quiet", "calm/2026-05-12.html", "Tue 12 May 2026: all well"),
    ]


def test_hostile_names_and_links() -> None:
    """Names are text, and no link runs anything."""
    night = IndexNight(LAST, "quiet", 0, "javascript:alert(1)")
    page = render_index([IndexLine("<script>alert(1)</script>", '"><img onerror=x>', (night,))])
    assert "<script" not in page
    assert "<img" not in page
    assert "javascript:" not in page


def test_the_same_input_gives_the_same_bytes() -> None:
    """The order of the input does not matter either."""
    lines = [line("a", "quiet"), line("b", "changed"), line("c", "quiet")]
    assert render_index(lines) == render_index(lines[::-1])


def test_open_changes_are_the_loud_nights_in_a_row() -> None:
    """What is open is told with its headline, the newest first, back to the last calm night."""
    nights = [
        IndexNight(LAST - timedelta(days=back), state, 3, f"eta/{back}.html", headline)
        for back, state, headline in (
            (0, "changed", "half as many orders (4 % → 2 %)"), (1, "data", "9 % of the night's rows could not be judged"),
            (2, "quiet", ""), (3, "changed", "long over"),
        )
    ]  # fmt: skip
    page = render_index([IndexLine("eta", "@a", tuple(nights))])
    told = re.findall(r'<li><a href="([^"]*)"><bdi>(.*?)</bdi>', page)
    assert told == [
        ("eta/0.html", "half as many orders (4 % → 2 %)"),
        ("eta/1.html", "9 % of the night&#39;s rows could not be judged"),
    ]
    assert "long over" not in page


def test_releases_say_what_became_of_them() -> None:
    """Each dataset with its nights, its rows, and whether a model made of it took over."""
    days = date(2026, 4, 1), date(2026, 4, 28)
    releases = (
        IndexRelease("c3", *days, 39_454, "2026-04-21-c3", promoted=True),
        IndexRelease("b2", *days, 39_000, "2026-04-21-b2", promoted=False),
        IndexRelease("a1", *days, 38_000),
    )
    page = render_index([IndexLine("eta", "@a", line("eta", "quiet").nights, releases)])
    words = " ".join(re.sub(r"<[^>]*>", " ", page.partition('class="strip"')[2]).split())
    assert (
        "Dataset c3 2026-04-01 – 2026-04-28 · 39,454 rows · model 2026-04-21-c3 was better and is promoted"
        in words
    )
    assert "model 2026-04-21-b2 was not better and was refused" in words
    assert "38,000 rows · no model made of it" in words


def test_messages_that_nobody_got_are_named() -> None:
    """Why, once for each reason: the person who looks here is the one who can mend it."""
    page = render_index([line("calm", "quiet")], "en", ["token_revoked: make a new one"] * 3)
    assert "3 messages were not delivered." in page
    assert page.count("token_revoked") == 1


def test_an_open_night_without_a_headline_can_be_clicked() -> None:
    """One that was recorded before headlines were kept is named by its state."""
    night = IndexNight(LAST, "changed", 0, "shop/x.html")
    page = render_index([IndexLine("shop", "@a", (night,))])
    assert f'<a href="shop/x.html"><bdi>{say("en", "state.changed")}</bdi></a>' in page


def test_only_the_nights_that_are_shown_count() -> None:
    """What lies behind the 28 squares neither moves a service up nor is still open."""
    long_ago: list[State] = ["quiet"] * 28 + ["changed"] * 9
    page = render_index([line("calm", *long_ago), line("moved", "quiet", "changed")])
    assert order(page) == ["moved", "calm"]
    loud = line("eta", *["changed"] * 30)
    told = replace(loud, nights=tuple(replace(night, headline="half as many") for night in loud.nights))
    assert render_index([told]).count('"><bdi>half as many</bdi>') == 28


def test_the_newest_night_is_the_one_of_the_last_date() -> None:
    """Whatever order the nights are given in."""
    recovered = line("recovered", "quiet", "changed", "data")
    other = replace(recovered, nights=recovered.nights[::-1])
    assert render_index([other, line("early", "early")]) == render_index([recovered, line("early", "early")])


def test_a_service_without_a_verdict_needs_a_look() -> None:
    """Nobody knows whether it is well."""
    page = render_index([line("calm", "quiet"), line("blind", "no_verdict"), line("young", "early")])
    assert order(page) == ["blind", "young", "calm"]
    assert "<h1>1 service needs a look.</h1>" in page


def ongoing(number: int, severity: Any = "major", state: str = "open", **given: Any) -> IndexIncident:
    """An incident of errors that is not over."""
    plain: dict[str, Any] = {"key": key("errors"), "last": LAST, "headline": f"headline {number}"}
    return IndexIncident(number, state, severity, **(plain | given))


def having(service: str, *incidents: IndexIncident, state: State = "quiet") -> IndexLine:
    """A service with these incidents."""
    return replace(line(service, state), incidents=incidents)


def told_of(page: str) -> list[str]:
    """What stands above each service's squares, on one line."""
    parts = re.findall(r"</h2>(.*?)<div class=\"strip\">", page, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]*>", " ", part).split()) for part in parts]


def test_the_worst_incident_is_told_and_how_many_there_are() -> None:
    """One that goes on before one that is muted, then what cannot wait; with how it stands."""
    many = having(
        "eta", ongoing(1, "critical", "muted", until=date(2026, 5, 15)), ongoing(2), ongoing(3, "critical"), ongoing(4, "minor"),
    )  # fmt: skip
    page = render_index([many])
    assert told_of(page)[0].endswith(
        "4 incidents are not over; the worst: Headline 3 incident 3 · open, nobody looks after it · cannot wait"
    )
    assert page == render_index([replace(many, incidents=many.incidents[::-1])])
    assert "4 incidentes não acabaram; o pior:" in told_of(render_index([many], "pt"))[0]


def test_an_incident_says_how_it_stands() -> None:
    """Taken, muted, not seen lately; one that nobody was told of is named by what moved."""
    lines = [
        having("a", ongoing(1, state="acknowledged", by="ana")),
        having("b", ongoing(2, state="muted", until=date(2026, 5, 15))),
        having("c", ongoing(3, "minor", key=key("distribution", "<b>"), headline="", last=date(2026, 5, 10))),
    ]
    told = [each.partition("moved ")[2] for each in told_of(render_index(lines))]
    assert told == [
        "Headline 1 incident 1 · open, taken by ana · can wait until working hours",
        "Headline 2 incident 2 · muted until Fri 15 May · can wait until working hours",
        "“&lt;b&gt;” moved incident 3 · open, nobody looks after it, last seen Sun 10 May · inputs alone, no hurry",
    ]


def test_what_cannot_wait_stands_first() -> None:
    """Before a night that is missing; one that somebody took after one that nobody did; muted ones do not count."""
    page = render_index([
        having("calm"), line("late", "quiet", last=LAST - timedelta(days=2)), having("muted", ongoing(1, "critical", "muted")),
        having("taken", ongoing(1, "critical", "acknowledged")), having("open", ongoing(1, "critical")), having("major", ongoing(1)),
    ])  # fmt: skip
    assert order(page) == ["open", "taken", "late", "calm", "major", "muted"]
    assert "<h1>3 services need a look.</h1>" in page  # open, late and major: the others are known


def call_nights_quiet(folder: Path) -> None:
    """Give every recorded night a state, as its page does."""
    with sqlite3.connect(folder / "ronda.db") as connection:
        connection.execute("UPDATE nights SET standing = 'quiet'")


def test_the_index_reads_incidents_from_the_state(state: Store, tmp_path: Path) -> None:
    """The headline it was told with, how it stands by what people said; those that are over are not there."""
    shop = service(critical=("errors",))
    for days in range(2):
        judge(state, shop, days, moved("errors"), moved("cost", 8.0))
    tell(state, shop, 1)
    with writing(state) as connection:
        answer(connection, said("taken", 1, by="ana"))
    judge(state, shop, 2, moved("errors"))
    lake = open_lake(str(tmp_path / "lake"))
    call_nights_quiet(tmp_path)
    write_index(state, lake, {"shop": "@team"}, {"shop": "UTC"}, "en")
    page = lake.get("pages/index.html").decode()
    assert "Half of all requests failed incident 1 · open, taken by ana · cannot wait" in told_of(page)[0]
    with writing(state) as connection:
        answer(connection, said("resolved", 3))
    judge(state, shop, 3)
    call_nights_quiet(tmp_path)
    write_index(state, lake, {}, {}, "en")
    assert "incident 1" not in lake.get("pages/index.html").decode()
