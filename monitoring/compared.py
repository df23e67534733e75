"""The nights that a night is compared with: as arrays, and which of them say what is usual of which row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from monitoring.bands import Bands
from monitoring.records import Measure
from monitoring.series import Series
from monitoring.verdicts.judge import LEAST_NIGHTS
from monitoring.verdicts.kinds import SEASONED, kinds
from monitoring.verdicts.lay import WEEK, Bank
from monitoring.verdicts.rows import Flags, Ints
from monitoring.verdicts.since import Began, Deployed
from services.model import Service

Dense = npt.NDArray[np.int32]
Label = tuple[Measure, str]
"""Measure, and feature or a guard's name; empty for another number of the service."""
Apart = Mapping[tuple[str, str], frozenset[date]]
"""Measure and feature -> nights that lie inside an incident of it."""
YEAR = 364
"""Nights of a year in whole weeks: weekdays stay what they are."""
SEASON = 24
"""Nights up to so far from tonight's place in the year are of its season: seven weeks."""
LEAST_OF_SEASON = 28
"""So many of them the reference needs, to be held against these alone."""
LAST_NIGHTS = 2
"""The last two nights are in no bank: they may be the first of what is being looked for."""


@dataclass(frozen=True)
class Nights:
    """What is compared, as dense arrays of one layout.

    Attributes:
        layout: the bands that the last axis is made of, side by side.
        dates: of the nights before, rising, and of the night itself, last.
        counts: shape (nights, slices, bands), the night itself last.
        reference: the reference as a whole, shape (slices, bands).
        reference_dates, reference_counts: its own nights, if they are known.
        year: all of the reference's own nights, where those above are of one season of it; else None.
        series: numbers that are no counts, on the same nights and slices.
        apart: nights that are no part of what is usual, of each measure and feature.
        deployed: what serves tonight, since when; None where nothing is known to have served before it.
    """

    layout: tuple[Bands, ...]
    dates: tuple[date, ...]
    counts: Dense
    reference: npt.NDArray[np.int64]
    reference_dates: tuple[date, ...]
    reference_counts: Dense
    series: tuple[Series, ...] = ()
    apart: Apart = field(default_factory=dict)
    deployed: Deployed | None = None
    year: Dense | None = None


def of_the_season(nights: Nights) -> Nights:
    """The same with what the reference has of tonight's season, a whole number of years before, if it has weeks of it.

    Weeks of a year differ by its seasons. Held against all of them, nothing short of that is ever told as having left
    the reference; held against the same weeks of the year before, growth from year to year is.
    """
    tonight, known = nights.dates[-1], nights.reference_dates
    years = (tonight - known[0]).days // YEAR if known else 0
    for back in range(1, years + 1):
        near = np.array([abs((tonight - night).days - back * YEAR) <= SEASON for night in known])
        if near.sum() >= LEAST_OF_SEASON:
            own = nights.reference_counts[near]
            return replace(
                nights,
                reference=own.sum(axis=0, dtype=np.int64),
                reference_dates=tuple(night for night, is_near in zip(known, near, strict=True) if is_near),
                reference_counts=own,
                year=nights.reference_counts,
            )
    return nights


@dataclass(frozen=True)
class Context:
    """The nights that are compared, with what is usual of whom.

    Attributes:
        holidays: dates that are like Sundays.
    """

    service: Service
    nights: Nights
    holidays: frozenset[date]

    @property
    def weeks(self) -> int:
        """Whole weeks of the reference."""
        return len(self.nights.reference_dates) // WEEK

    @property
    def has_reference(self) -> bool:
        """Whether the reference's own nights are known."""
        return bool(self.nights.reference_dates)

    @property
    def reference_kind(self) -> Ints:
        """Kinds of the reference's own nights."""
        return kinds(self.nights.reference_dates, self.holidays)

    def bank(self, labels: Sequence[Label], delay: int = 0, known: Flags | None = None) -> Bank:
        """The nights that rows are held against: rows as `alike` puts together, or one.

        Args:
            delay: nights after its own on which a value is told; its kind is that of its own night.
            known: nights that have a value, shape (rows, nights); all of them if it is not given.
        """
        mine = self._used(labels, known)
        days = [night - timedelta(days=delay) for night in self.nights.dates]
        kind = np.zeros(len(days), dtype=np.int64) if _is_few(mine).any() else kinds(days, self.holidays)
        return Bank(kind, mine, self._began(delay), self._in_a_row)

    def _began(self, delay: int) -> Began | None:
        """The deployment as rows see it that are told so many nights later; None if no row sees a new one."""
        delays = {0, delay, *(each.delay for each in self.nights.series)}
        seen = {each: self._new_among(each) for each in delays}
        return seen[delay] if any(began.nights for began in seen.values()) else None

    def _new_among(self, delay: int) -> Began:
        if self.nights.deployed is None:
            return Began()
        began = self.nights.deployed.among([night - timedelta(days=delay) for night in self.nights.dates])
        return began if began.nights <= WEEK else Began()

    @property
    def _in_a_row(self) -> bool:
        """Whether the night before is known."""
        return self.nights.dates[-1] - self.nights.dates[-2] == timedelta(days=1)

    def alike(self, measure: Measure, columns: Sequence[Bands]) -> list[list[Bands]]:
        """The columns with nights enough of each weekday to tell weekdays apart, and those without."""
        few = [bool(_is_few(self._used([(measure, each.column)]))[0]) for each in columns]
        parts = [
            [each for each, is_few in zip(columns, few, strict=True) if is_few == wanted]
            for wanted in (False, True)
        ]
        return [part for part in parts if part]

    def _used(self, labels: Sequence[Label], known: Flags | None = None) -> Flags:
        apart = [self.nights.apart.get(label, frozenset()) for label in labels]
        usual = np.array([[night not in each for night in self.nights.dates] for each in apart])
        return np.stack([used(each) for each in (usual if known is None else usual & known)])

    def cut(self, each: Bands) -> slice:
        """Where the bands of a column lie."""
        start = 0
        for other in self.nights.layout:
            if other.column == each.column:
                break
            start += other.size
        return slice(start, start + each.size)


def used(usual: Flags) -> Flags:
    """Which nights are in the bank of the last one.

    Not that night itself, and not the two before it, unless there are too few without them.

    Args:
        usual: nights that are known and not set apart, shape (nights,).
    """
    found = usual.copy()
    found[-1] = False
    settled = found.copy()
    settled[-1 - LAST_NIGHTS :] = False
    return settled if settled.sum() >= LEAST_NIGHTS else found


def _is_few(mine: Flags) -> Flags:
    """Whether rows have too few nights in their bank to tell weekdays apart, whatever others have; shape (rows,)."""
    return np.asarray(mine.sum(axis=1) < SEASONED - LAST_NIGHTS)
