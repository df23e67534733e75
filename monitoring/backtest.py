"""A service's stored nights under the rules in force: what they would have said, and what they could have missed.

The past may hold real incidents, and nothing here knows which: what is counted is what would have been told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from monitoring.delays import MOST_STARTS, REPLAYS, Delay, delays, keys_of, rows_of, starts_of
from monitoring.incident import IncidentLine, Severity, slice_of
from monitoring.quieter import RECENT, Beyond, Quieter, Unheld, quieter, unheld
from monitoring.records import ALL_ROWS, Finding, Slice
from monitoring.replayed import History, replay
from services.model import Service

MOST_NIGHTS = 60
"""So many last nights are judged again."""
MONTH = 30
WORK = 100_000_000
"""Counts that are looked at in all, about a minute of one core: what is more costs starts first, then nights and keys."""
BANK_NIGHTS, LEAST_WORK = 57, 50_000
MOST_UNHELD = 100
FEW = 9


@dataclass(frozen=True)
class Raised:
    """An incident that would have been told.

    Attributes:
        first, last: nights on which it was seen first and last; `nights` how many in all.
        severity: only what is more than `minor` has a message of its own.
        floors: how far what tells it went on the last of them.
    """

    first: date
    opened: date
    last: date
    nights: int
    severity: Severity
    measure: str
    feature: str
    slice: Slice
    floors: float
    up: bool

    @property
    def is_page(self) -> bool:
        """Whether it has a message of its own; else it is a line in the morning's."""
        return self.severity != "minor"


@dataclass(frozen=True)
class Sight:
    """What can be seen in a slice.

    Attributes:
        rows: on a usual night; fewer than ten count as nine.
        floors: smallest visible effect in floors, the middle one of its features; None where nothing is visible.
        features: how many features that is of.
    """

    slice: Slice
    rows: int
    floors: float | None
    features: int


@dataclass(frozen=True)
class Backtest:
    """What a replay of stored nights came to.

    Attributes:
        first, last: of the nights that were judged again, `nights` in all.
        replays: how many nights were judged, with changes put in and other floors tried.
        raised: incidents that would have been told, oldest first.
        delays: what became of changes of a known size, put in from each of `starts` on.
        sights: all rows first, then slices, the one that sees least first.
        enough: requests a night that a verdict takes, `enough.rows` of the service file.
        quieter: floors that would have kept silent what was raised; `left` is what would be raised with them.
        beyond: what went too far for a floor to be proposed.
        unheld: keys of which four floors may pass unseen, of `unheld_of` that were judged in all; the first
            `MOST_UNHELD` of `unheld_in_all`.
    """

    service: str
    first: date
    last: date
    nights: int
    replays: int
    raised: tuple[Raised, ...]
    starts: tuple[date, ...]
    delays: tuple[Delay, ...]
    sights: tuple[Sight, ...]
    enough: int
    quieter: tuple[Quieter, ...]
    beyond: tuple[Beyond, ...]
    left: tuple[Raised, ...]
    unheld: tuple[Unheld, ...]
    unheld_in_all: int
    unheld_of: int

    @property
    def pages(self) -> tuple[Raised, ...]:
        """Those with a message of their own."""
        return tuple(each for each in self.raised if each.is_page)

    @property
    def usual_sights(self) -> tuple[Sight, ...]:
        """All rows, and the slices that have enough requests on a usual night to tell anything."""
        return tuple(each for each in self.sights if each.slice == ALL_ROWS or each.rows >= self.enough)

    @property
    def pages_a_month(self) -> float:
        """Messages in thirty nights; false ones, if none of the incidents was real."""
        return MONTH * len(self.pages) / self.nights


def backtest(service: Service, history: History) -> Backtest | None:
    """Replay a service's history; None while fewer than eight nights are known, or if nothing is watched.

    The same history gives the same result: where it is too large for a minute, fewer nights, keys and starts are
    looked at, by its size alone.
    """
    most_nights, most_tries = _bounds(history)
    places = history.judged[-most_nights:]
    base = replay(service, history, places) if places else None
    if base is None or not any(base.findings.values()):
        return None
    keys, starts = keys_of(service, history), starts_of(history, base)
    starts = starts[-max(1, min(MOST_STARTS, most_tries // max(len(keys), 1))) :]
    found, replays = delays(service, history, base, keys[: max(1, most_tries // len(starts))], starts)
    rounds = max(1, (_replays(history) - replays) // len(places) - 1)
    floors, beyond, now, again = quieter(service, history, base, places, rounds)
    dim = unheld(base.findings)
    return Backtest(
        service=service.service,
        first=history.dates[places[0]],
        last=history.dates[places[-1]],
        nights=len(places),
        replays=len(places) * (1 + again) + replays,
        raised=tuple(map(_raised, base.lines)),
        starts=tuple(history.dates[start] for start in starts),
        delays=found,
        sights=_sights(history, base.findings),
        enough=service.enough.rows,
        quieter=floors,
        beyond=beyond,
        left=tuple(map(_raised, now.lines)),
        unheld=dim[:MOST_UNHELD],
        unheld_in_all=len(dim),
        unheld_of=sum(bool(each.rows_current) for each in base.findings[max(base.findings)]),
    )


def plain(found: Backtest) -> dict[str, Any]:
    """A backtest as plain data, as it is recorded."""
    return asdict(found) | {"pages": len(found.pages), "pages_a_month": round(found.pages_a_month, 2)}


def is_small(history: History) -> bool:
    """Whether a minute is enough for it: what is larger is replayed when it is asked for, however long it takes."""
    return _replays(history) >= 4 * RECENT


def _replays(history: History) -> int:
    """How many nights may be judged in all."""
    nights = BANK_NIGHTS + len(history.reference_dates)
    return WORK // max(int(nights * history.reference.size), LEAST_WORK)


def _bounds(history: History) -> tuple[int, int]:
    """Nights to judge again, and changes times starts to look for."""
    allowed = _replays(history)
    nights = min(MOST_NIGHTS, max(RECENT, allowed // 3))
    return nights, max(1, (allowed - nights) // REPLAYS)


def _raised(line: IncidentLine) -> Raised:
    lead = line.lead
    return Raised(
        line.first,
        line.opened,
        line.last,
        len(line.seen),
        line.severity,
        lead.key.measure,
        lead.key.feature,
        slice_of(lead.key),
        lead.floors,
        lead.up,
    )


def _sights(history: History, findings: Mapping[date, Sequence[Finding]]) -> tuple[Sight, ...]:
    """What was visible on the last nights, in floors."""
    seen: dict[Slice, list[float]] = {}
    features: dict[Slice, set[str]] = {}
    for night in sorted(findings)[-RECENT:]:
        for each in findings[night]:
            if each.measure == "distribution" and each.floor:
                visible = np.inf if each.visible is None else each.visible / each.floor
                seen.setdefault(each.slice, []).append(visible)
                features.setdefault(each.slice, set()).add(each.feature)
    rows = dict(zip(history.slices, rows_of(history), strict=True))
    found = [
        Sight(where, max(round(rows[where]), FEW), float(np.median(own)), len(features[where]))
        for where, own in seen.items()
    ]
    found.sort(key=lambda each: (bool(each.slice.dimension), -(each.floors or 0.0), each.slice))
    return tuple(each if np.isfinite(each.floors or 0.0) else replace(each, floors=None) for each in found)
