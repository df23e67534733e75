"""The index: every service by its recent nights, those that need a look first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from itertools import takewhile
from typing import Any

from monitoring.incident import SEVERITIES, Severity, rank
from monitoring.incident_cards import Standing, about, standing_words
from monitoring.standing import LOUD, STATES, State
from monitoring.text import count, day, fill, href, say, short
from monitoring.verdicts.incidents import Key

NIGHTS = 28
"""How many nights the index shows."""

_GOING_ON = ("open", "acknowledged")
"""Incidents that go on and are not muted, those first that nobody looks after."""
_MARKS: dict[State, str] = {"data": "■", "changed": "▲", "no_verdict": "?", "early": "·", "quiet": "●"}


@dataclass(frozen=True)
class IndexNight:
    """One night of a service: what it came to (`monitoring.speaking.state_of`), its page, and its headline if loud."""

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
class IndexIncident:
    """An incident that is not over: what it is, in the words it was told in, and how it stands.

    Attributes:
        headline: empty for one that no message was sent of; it is then told by its `key`.
        by: who looks after it, or empty; `until` the last night it is muted for.
        last: the last night it was seen.
    """

    number: int
    state: str
    severity: Severity
    key: Key
    last: date
    headline: str = ""
    by: str = ""
    until: date | None = None


@dataclass(frozen=True)
class IndexLine:
    """One service with its nights and the incidents that are not over, in any order; its newest releases first."""

    service: str
    owner: str
    nights: tuple[IndexNight, ...]
    releases: tuple[IndexRelease, ...] = ()
    incidents: tuple[IndexIncident, ...] = ()


def render_index(services: Sequence[IndexLine], language: str = "en", undelivered: Sequence[str] = ()) -> str:
    """The index page as one self-contained HTML file. The same input gives the same bytes.

    Services stand worst first: those with an incident that cannot wait, then those whose newest night is missing, then
    by their newest night, then by how many of the shown nights were not quiet.

    Args:
        undelivered: why each message that could not be delivered was not.
    """
    last = max((night.night for line in services for night in line.nights), default=None)
    lines = [_line(line, last, language) for line in sorted(services, key=partial(_badness, last=last))]
    look = sum(bool(line["look"]) for line in lines)
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


def _badness(line: IndexLine, last: date | None) -> tuple[int, int, int, str]:
    nights = _recent(line)
    late = not nights or nights[-1].night != last
    worst = _worst(line)
    cannot_wait = worst is not None and worst.severity == "critical" and worst.state in _GOING_ON
    return (
        _GOING_ON.index(worst.state) if worst is not None and cannot_wait else len(_GOING_ON),
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
        "look": _needs_a_look(line, newest, last),
        "incidents": _incidents(line, newest, language),
        "open": [] if line.incidents else [_open(night, language) for night in _open_nights(line)],
        "releases": [_release(release, language) for release in line.releases],
        "cells": [_cell(nights.get(d), language) for d in days],
    }


def _needs_a_look(line: IndexLine, newest: IndexNight | None, last: date | None) -> bool:
    if newest is None or newest.night != last or newest.state in {"data", "changed", "no_verdict"}:
        return True
    return any(each.state == "open" and each.severity != "minor" for each in line.incidents)


def _worst(line: IndexLine) -> IndexIncident | None:
    """The incident to be told of all that are not over: one that goes on, then what cannot wait, then what users feel."""
    return min(line.incidents, key=_first, default=None)


def _first(each: IndexIncident) -> tuple[bool, int, int, int, int]:
    state = _GOING_ON.index(each.state) if each.state in _GOING_ON else len(_GOING_ON)
    resting = state == len(_GOING_ON)
    return resting, SEVERITIES.index(each.severity), state, rank(each.key), each.number


def _incidents(line: IndexLine, newest: IndexNight | None, language: str) -> dict[str, Any]:
    """How many incidents are not over, and the worst of them: what it is and how it stands."""
    worst = _worst(line)
    if worst is None:
        return {}
    night = newest.night if newest is not None else worst.last
    stands = Standing(worst.state, worst.by, worst.until, worst.last if worst.last != night else None)
    moved = say(language, "incident.moved", what=about(language, worst.key))
    said = short(worst.headline, 300) or moved
    return {
        "number": worst.number,
        "count": say(language, "index.incidents", n=len(line.incidents)) if len(line.incidents) > 1 else "",
        "headline": said[:1].upper() + said[1:],
        "stands": standing_words(language, stands, night),
        "wait": say(language, f"incident.{worst.severity}"),
        "severity": worst.severity if worst.state in _GOING_ON else "resting",
        "href": href(newest.href) if newest is not None else "",
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
