"""A service's stored nights, judged again one after the other by the rules in force, each with what was known by then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from monitoring.bands import Bands
from monitoring.bank import NIGHTS
from monitoring.compared import Apart, Dense, Nights
from monitoring.incident import IncidentLine
from monitoring.incidents import nights_apart, unfold
from monitoring.records import Finding, Number, Slice
from monitoring.series import series_of
from monitoring.verdict import Judgement, judged_against
from monitoring.verdicts.incidents import REOPEN_NIGHTS, Moved
from monitoring.verdicts.judge import LEAST_NIGHTS
from services.model import Service
from services.planned import holidays_on

BEFORE = timedelta(days=2 * REOPEN_NIGHTS)
"""What moved longer ago is of no incident that may go on or open again."""


@dataclass(frozen=True)
class History:
    """What is stored of a service.

    Attributes:
        layout: the bands that the last axis of counts is made of, side by side.
        slices: what their second axis is, all rows first.
        dates, counts: the nights, rising; shape (nights, slices, bands).
        reference: the reference as a whole, shape (slices, bands).
        reference_dates, reference_counts: its own nights, if they are known.
        numbers: night -> what was measured on it beside the counts; nights of the reference have none.
        outcomes: night of the requests -> their outcome; `delay` nights later it is told.
    """

    layout: tuple[Bands, ...]
    slices: tuple[Slice, ...]
    dates: tuple[date, ...]
    counts: Dense
    reference: npt.NDArray[np.int64]
    reference_dates: tuple[date, ...]
    reference_counts: Dense
    numbers: Mapping[date, Sequence[Number]] = field(default_factory=dict)
    outcomes: Mapping[date, Number] = field(default_factory=dict)
    delay: int = 0

    @property
    def judged(self) -> tuple[int, ...]:
        """Places of the nights before which enough are known to judge them."""
        return tuple(n for n in range(len(self.dates)) if n - self.since(n) >= LEAST_NIGHTS)

    def since(self, place: int) -> int:
        """The first night that a night is held against."""
        first = self.dates[place] - timedelta(days=NIGHTS)
        return next(n for n in range(place + 1) if self.dates[n] >= first)


@dataclass(frozen=True)
class Replay:
    """What the rules in force say of some nights.

    Attributes:
        moved: what incidents are made of, on every night that was judged.
        findings: of every key that is watched, on the same nights.
        lines: the incidents as they stand after the last of them.
    """

    moved: Mapping[date, tuple[Moved, ...]]
    findings: Mapping[date, tuple[Finding, ...]]
    lines: tuple[IncidentLine, ...]


def replay(service: Service, history: History, places: Sequence[int]) -> Replay:
    """Judge some nights, with no incident known before the first of them."""
    moved: dict[date, tuple[Moved, ...]] = {}
    findings: dict[date, tuple[Finding, ...]] = {}
    for place in places:
        night = history.dates[place]
        lines = unfold(service, moved).lines if moved else ()
        judged = judge(service, history, history.counts, place, nights_apart(lines, night))
        moved[night], findings[night] = judged.moved, judged.findings
    return Replay(moved, findings, unfold(service, moved).lines)


def judge(service: Service, history: History, counts: Dense, place: int, apart: Apart) -> Judgement:
    """Judge one night as `monitoring.night` does.

    Args:
        counts: as of the history, perhaps with a change in them.
        apart: nights that are no part of what is usual.
    """
    span = slice(history.since(place), place + 1)
    dates = history.dates[span]
    known = [(day, history.numbers.get(day, ())) for day in dates]
    nights = Nights(
        layout=history.layout,
        dates=dates,
        counts=counts[span],
        reference=history.reference,
        reference_dates=history.reference_dates,
        reference_counts=history.reference_counts,
        series=series_of(service, history.slices, known, history.outcomes, history.delay),
        apart=apart,
    )
    years = {day.year for day in (*dates, dates[0] - timedelta(days=history.delay), *history.reference_dates)}
    return judged_against(service, history.slices, nights, holidays_on(service, years))


def until(before: Mapping[date, tuple[Moved, ...]], night: date) -> dict[date, tuple[Moved, ...]]:
    """What moved on the nights before one, as far back as it matters to what it opens."""
    return {day: moved for day, moved in before.items() if night - BEFORE <= day < night}
