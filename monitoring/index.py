"""The index: every service by its recent nights, those that need a look first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from itertools import takewhile
from typing import Any

from monitoring.standing import LOUD, STATES, State
from monitoring.text import count, day, fill, href, say, short

NIGHTS = 28
"""How many nights the index shows."""

_MARKS: dict[State, str] = {"data": "■", "changed": "▲", "no_verdict": "?", "early": "·", "quiet": "●"}


@dataclass(frozen=True)
class IndexNight:
    """One night of a service: what it came to (`monitoring.standing.state_of`), its page, and its headline if loud."""

    night: date
    state: State
    moved: int
    href: str
    headline: str = ""


@dataclass(frozen=True)
class IndexRelease:
    """One dataset of a service, and what became of it: `promoted` is None while no model was made of it."""

    version: str
    first: date
    last: date
    rows: int
    model: str = ""
    promoted: bool | None = None


@dataclass(frozen=True)
class IndexLine:
    """One service with its nights, in any order, and its newest releases first."""

    service: str
    owner: str
    nights: tuple[IndexNight, ...]
    releases: tuple[IndexRelease, ...] = ()


def render_index(services: Sequence[IndexLine], language: str = "en", undelivered: Sequence[str] = ()) -> str:
    """The index page as one self-contained HTML file. The same input gives the same bytes.

    Services stand worst first: those whose newest night is missing, then by their newest night, then by how many
    of the shown nights were not quiet.

    Args:
        undelivered: why each message that could not be delivered was not.
    """
    last = max((night.night for line in services for night in line.nights), default=None)
    lines = [_line(line, last, language) for line in sorted(services, key=partial(_badness, last=last))]
    look = sum(bool(line["late"]) or line["state"] in {"data", "changed", "no_verdict"} for line in lines)
    lead = say(language, "index.lead", n=look) if lines else say(language, "index.empty")
    return fill(
        "index.html",
        language,
        title=say(language, "index.title"),
        lead=lead,
        services=lines,
        undelivered=len(undelivered),
        why=[short(reason, 300) for reason in dict.fromkeys(undelivered)],
    )


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
        "open": [_open(night, language) for night in _open_nights(line)],
        "releases": [_release(release, language) for release in line.releases],
        "cells": [_cell(nights.get(d), language) for d in days],
    }


def _open_nights(line: IndexLine) -> list[IndexNight]:
    """The loud nights since the last one that was not, the newest first: what is open until a night is calm again."""
    newest_first = reversed(_recent(line))
    return list(takewhile(lambda night: night.state in LOUD, newest_first))


def _open(night: IndexNight, language: str) -> dict[str, str]:
    return {
        "night": day(language, night.night),
        "headline": short(night.headline, 300) or say(language, f"state.{night.state}"),
        "href": href(night.href),
    }


def _release(release: IndexRelease, language: str) -> dict[str, str]:
    became = {None: "none", True: "promoted", False: "refused"}[release.promoted]
    return {
        "version": short(release.version),
        "nights": f"{release.first.isoformat()} – {release.last.isoformat()}",
        "rows": count(language, release.rows),
        "model": say(language, f"index.model.{became}", model=release.model),
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
