"""What a night is held against: of a reference that is a year long, the season that tonight is of."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from judged_series import service
from monitoring.bands import layout_of
from monitoring.compared import YEAR, Nights, of_the_season
from monitoring.records import ALL_ROWS, Profile
from monitoring.verdict import judged_against
from store.grid import CategoryGrid

GRID = CategoryGrid(("a", "b"))
FIRST = date(2025, 1, 1)


def share(day: date, more: float) -> float:
    """Four fifths in April, a fifth in October."""
    return 0.5 + 0.3 * np.sin((day - FIRST).days / 365 * 2 * np.pi) + more


def nights(
    tonight: date, *, reference: int = 365, more: float = 0.0, wander: np.ndarray | None = None
) -> Nights:
    """Eight weeks before a night and a reference before them, of a category with a season.

    Args:
        wander: what each night from the first on has more.
    """
    rng = np.random.default_rng(1)
    usual = Profile((ALL_ROWS,), {"x": np.array([[500, 500, 0, 0]])})
    layout = layout_of(usual, {"x": GRID}, {"x": "category"}, frozenset())

    def counts(days: list[date], more: float) -> np.ndarray:
        p = np.array([share(day, more) for day in days]) + rng.normal(0, 0.01, len(days))
        if wander is not None:
            p = np.clip(p + wander[[(day - FIRST).days for day in days]], 0.0, 1.0)
        part = np.rint(5000 * p).astype(np.int32)
        found = np.zeros((len(days), 1, layout[0].size), dtype=np.int32)
        found[:, 0, 0], found[:, 0, 1] = part, 5000 - part
        return found

    trained = [FIRST + timedelta(days=n) for n in range(reference)]
    known = [tonight - timedelta(days=n) for n in range(56, -1, -1)]
    own = counts(trained, 0.0)
    return Nights(
        layout, tuple(known), counts(known, more), own.sum(axis=0, dtype=np.int64), tuple(trained), own
    )


def left(made: Nights) -> bool:
    """Whether the category has left the reference."""
    found = judged_against(service(), (ALL_ROWS,), made).findings
    return any("reference" in each.against for each in found if each.measure == "distribution")


def test_a_change_from_year_to_year_is_seen_against_its_season() -> None:
    """Twenty points less than the year before: within how far seasons lie apart, and not within tonight's."""
    tonight = date(2026, 4, 2)
    fallen, same = nights(tonight, more=-0.2), nights(tonight)
    of_this_year = tuple(night + timedelta(days=YEAR) for night in fallen.reference_dates)

    assert left(fallen)
    assert not left(same)
    assert not left(replace(fallen, reference_dates=of_this_year))  # the same nights, and no year between


def test_the_season_is_seven_weeks_about_the_same_night() -> None:
    """Of a year before, whole weeks on both sides, which add up to what is held against."""
    made = nights(date(2026, 4, 2))
    found = of_the_season(made)
    middle = made.dates[-1] - timedelta(days=YEAR)

    assert (found.reference_dates[0], found.reference_dates[-1]) == (
        middle - timedelta(days=24), middle + timedelta(days=24),
    )  # fmt: skip
    assert len(found.reference_dates) == len(found.reference_counts) == 49
    assert found.reference.tolist() == found.reference_counts.sum(axis=0).tolist()
    assert found.counts is made.counts
    assert found.year is made.reference_counts


@pytest.mark.parametrize(
    ("tonight", "reference"), [(date(2026, 7, 1), 90), (date(2025, 12, 1), 300), (date(2026, 4, 2), 0)]
)
def test_a_reference_without_that_season_is_taken_whole(tonight: date, reference: int) -> None:
    """A quarter of another season, a year that is not over, and a reference without nights of its own stay as they are."""
    made = nights(tonight, reference=reference)

    assert of_the_season(made) is made


def test_what_wanders_slowly_has_not_left_its_season() -> None:
    """Of forty categories that wander by months, hardly one lies a year later where its season says it cannot."""
    rng = np.random.default_rng(4)
    told = 0
    for _ in range(40):
        way = np.zeros(600)
        for n in range(1, 600):
            way[n] = 0.97 * way[n - 1] + np.sqrt(1 - 0.97**2) * rng.normal()
        made = nights(date(2026, 4, 2), wander=0.15 * way)
        told += left(made)
    assert told <= 1
