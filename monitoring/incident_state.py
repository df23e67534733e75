"""What an incident is on a night: its state and severity, what tells it, and what an answer leaves of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from monitoring.incident import FELT, Answer, Severity, State, order, watched_as
from monitoring.known import Pair, pair_of
from monitoring.verdicts.incidents import AT_ONCE, Incident, Key, Moved, where
from services.model import Service


def ended(incident: Incident, answer: Answer) -> Incident:
    """What an answer leaves of an incident: one that was seen again since goes on."""
    over = answer.what in {"noise", "resolved"} and incident.is_open and incident.last < answer.night
    return replace(incident, resolved=answer.night) if over else incident


def state_of(incident: Incident, answers: Sequence[Answer], began: date, night: date) -> State:
    """What it is on a night: an end that was named holds though it came back; who took it before does not count."""
    if not incident.is_open:
        return "resolved"
    quiet = [each.until for each in answers if each.what in {"expected", "muted"} and each.until is not None]
    if quiet and night <= max(quiet):
        return "muted"
    since = [each for each in answers if each.night >= began]
    return "acknowledged" if any(each.what in {"taken", "real"} for each in since) else "open"


def is_slow(each: Moved) -> bool:
    """Whether it left the reference little by little: that wakes nobody, unless it is what users feel."""
    return each.comparison == "ageing" and each.key.measure not in FELT[:3]


def severity_of(service: Service, sudden: Iterable[Key]) -> Severity:
    """What the service file makes of it; what only aged, and inputs that moved alone, are minor.

    Args:
        sudden: what moved beside the nights before it, or is felt.
    """
    keys = frozenset(sudden)
    words = {watched_as(key) for key in keys}
    if words & set(service.critical):
        return "critical"
    return "minor" if words <= {"features"} else "major"


def lead_of_night(own: Sequence[Moved]) -> Moved:
    """What tells best what moved on a night: what users feel most, in the slice that says where.

    What they feel over all rows is before what moved in one slice only (`order`).
    """
    pairs: dict[Pair, list[Moved]] = {}
    for each in own:
        pairs.setdefault(pair_of(each.key), []).append(each)
    said, keys = [where(mine) for mine in pairs.values()], {each.key for each in own}
    return min(
        said,
        key=lambda each: (order(each.key, keys), each.key.measure not in AT_ONCE, -each.floors, each.key),
    )
