"""The index: which service comes first, and where its squares lead."""

from __future__ import annotations

import re
from datetime import date, timedelta

from monitoring.index import IndexLine, IndexNight, render_index
from monitoring.standing import State

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
