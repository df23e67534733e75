"""The index: what counts for the order of services, and what does not."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta

from monitoring.index import IndexLine, IndexNight, render_index
from monitoring.standing import State

LAST = date(2026, 5, 12)


def line(service: str, *states: State) -> IndexLine:
    """A service whose states are given newest first."""
    nights = (
        IndexNight(LAST - timedelta(days=back), state, 3, f"{service}/{back}.html")
        for back, state in enumerate(states)
    )
    return IndexLine(service, f"@{service}-team", tuple(nights))


def order(page: str) -> list[str]:
    return re.findall(r"<h2[^>]*>.*?<bdi>(\w+)</bdi>", page)


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
