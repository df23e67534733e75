"""The index: every service by its recent nights, those that need a look first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any

from monitoring.standing import STATES, State
from monitoring.text import day, fill, href, say, short

NIGHTS = 28
"""How many nights the index shows."""

_MARKS: dict[State, str] = {"data": "■", "changed": "▲", "no_verdict": "?", "early": "·", "quiet": "●"}


@dataclass(frozen=True)
class IndexNight:
    """One night of a service: what it came to (`monitoring.standing.state_of`) and the address of its page."""

    night: date
    state: State
    moved: int
    href: str


@dataclass(frozen=True)
class IndexLine:
    """One service with its nights, in any order."""

    service: str
    owner: str
    nights: tuple[IndexNight, ...]


def render_index(services: Sequence[IndexLine], language: str = "en") -> str:
    """The index page as one self-contained HTML file. The same input gives the same bytes.

    Services stand worst first: those whose newest night is missing, then by their newest night, then by how many of the shown nights were not quiet.
    """
    last = max((night.night for line in services for night in line.nights), default=None)
    lines = [_line(line, last, language) for line in sorted(services, key=partial(_badness, last=last))]
    look = sum(bool(line["late"]) or line["state"] in {"data", "changed", "no_verdict"} for line in lines)
    lead = say(language, "index.lead", n=look) if lines else say(language, "index.empty")
    return fill("index.html", language, title=say(language, "index.title"), lead=lead, services=lines)


def _badness(line: IndexLine, last: date | None) -> tuple[int, int, str]:
    nights = _recent(line)
    late = not nights or nights[-1].night != last
    return (
        -1 if late else STATES.index(nights[-1].state),
        -sum(night.state in {"data", "changed"} for night in nights),
        line.service,
    )


def _recent(line: IndexLine) -> list[IndexNight]:
    return sorted(line.nights, key=lambda night: night.night)[-NIGHTS:]


def _line(line: IndexLine, last: date | None, language: str) -> dict[str, Any]:
    nights = {night.night: night for night in _recent(line)}
    newest = nights[max(nights)] if nights else None
    days = [] if last is None else [last - timedelta(days=back) for back in reversed(range(NIGHTS))]
    return {
        "service": short(line.service),
        "owner": short(line.owner),
        "state": newest.state if newest else "",
        "mark": _MARKS[newest.state] if newest else "",
        "newest": newest,
        "late": newest is None or newest.night != last,
        "href": href(newest.href) if newest else "",
        "cells": [_cell(nights.get(d), language) for d in days],
    }


def _cell(night: IndexNight | None, language: str) -> dict[str, str]:
    if night is None:
        return {"state": "", "mark": "", "href": "", "title": ""}
    state = say(language, f"state.{night.state}")
    return {
        "state": night.state,
        "mark": _MARKS[night.state],
        "href": href(night.href),
        "title": say(language, "index.cell", night=day(language, night.night), state=state),
    }
