"""Incidents as a night's page has them, made by hand."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from monitoring.incident import Answer, IncidentLine
from monitoring.verdicts.incidents import Key, Moved

NIGHT = date(2026, 5, 12)


def key(measure: str, feature: str = "", part: str = "") -> Key:
    """What is watched, over all rows if no part is named."""
    return Key(measure, feature, part)


def incident(number: int, lead: Key, *along: Key, back: int = 0, seen: int = 1, **given: Any) -> IncidentLine:
    """An incident that was last seen so many nights back, and on so many nights in a row.

    Args:
        given: `state`, `severity`, `answers`; and of what tells it `up`, `floors`, `chance`, `comparison`.
    """
    last = NIGHT - timedelta(days=back)
    nights = tuple(last - timedelta(days=n) for n in range(seen - 1, -1, -1))
    told = {"comparison": "tonight", "floors": 5.2, "chance": 1e-5, "up": True}
    told |= {name: given.pop(name) for name in tuple(given) if name in told}
    plain = {"state": "open", "severity": "major", "answers": ()}
    return IncidentLine(
        number=number, first=nights[0], opened=nights[0], last=last, keys=frozenset((lead, *along)), seen=nights,
        night=NIGHT, lead=Moved(key=lead, whole=0.0, share=1.0, alone=told["chance"], **told), **(plain | given),
    )  # fmt: skip


def muted(number: int, lead: Key, until: date, **given: Any) -> IncidentLine:
    """An incident that somebody muted."""
    said = Answer(number, "muted", NIGHT, "rui", until=until)
    return incident(number, lead, state="muted", answers=(said,), **given)


def taken(number: int, lead: Key, *along: Key, by: str = "ana", **given: Any) -> IncidentLine:
    """An incident that somebody looks after."""
    said = Answer(number, "taken", NIGHT, by)
    return incident(number, lead, *along, state="acknowledged", answers=(said,), **given)
