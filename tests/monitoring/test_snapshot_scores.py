"""Evidently's scores on compact rows and our own from counts, both against Evidently's on the raw rows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from monitoring.compact import compact_categories, compact_numbers
from monitoring.distances import jensen_shannon, wasserstein
from monitoring.moments import standard_deviation
from monitoring.snapshot import Compared, build
from store.grid import CategoryGrid, NumberGrid, Segment

AT = datetime(2024, 6, 1, tzinfo=UTC)
ROWS = 100_000
random = np.random.default_rng(2024)

LINEAR = NumberGrid((Segment(-4.0, 4.0, 160),))
TAILED = NumberGrid(
    (Segment(0.0, 4.0, 80), Segment(4.0, 12.0, 40), Segment(12.0, 40.0, 40), Segment(40.0, 120.0, 20))
)
FAR = NumberGrid(
    (Segment(0.0, 4.0, 80), Segment(4.0, 40.0, 60), Segment(40.0, 400.0, 60), Segment(400.0, 40_000.0, 40))
)
CITIES = CategoryGrid(tuple(f"c{i:02}" for i in range(20)))
SHARES = random.dirichlet(np.ones(20))

# name -> (reference rows, current rows, grid, tolerance of the compact frame, tolerance of our own distance)
RAW: dict[str, tuple[Any, Any, Any, float, float]] = {
    "normal": (random.normal(0, 1, ROWS), random.normal(0.2, 1, ROWS), LINEAR, 0.005, 0.005),
    "spread": (random.normal(0, 1, ROWS), random.normal(0, 1.2, ROWS), LINEAR, 0.005, 0.005),
    "lognormal": (random.lognormal(0, 1, ROWS), random.lognormal(0.1, 1, ROWS), TAILED, 0.01, 0.01),
    # In cells as wide as the steps between values: the compact rows spread over them, our own distance does not.
    "discrete": (random.binomial(23, 0.4, ROWS), random.binomial(23, 0.45, ROWS), NumberGrid((Segment(0.0, 24.0, 24),)), 0.01, 1e-6),
    # A deviation that rests on a few rows: the last of 5,000 compact rows averages them away.
    "heavy tail": (random.lognormal(0, 2, ROWS), random.lognormal(0.2, 2, ROWS), FAR, 0.3, 0.03),
    # Rare categories come to whole rows: 0.0022 too much at a distance of 0.0587.
    "cities": (random.choice(20, ROWS, p=SHARES), random.choice(20, ROWS, p=0.9 * SHARES + 0.1 * SHARES[::-1]), CITIES, 0.04, 1e-6),
}  # fmt: skip


def counted(values: Any, grid: Any) -> Any:
    codes = values if isinstance(grid, CategoryGrid) else np.searchsorted(grid.edges, values, side="right")
    return np.bincount(codes, minlength=grid.size)


def compared(name: str, compact: bool) -> Compared:
    *sides, grid, _, _ = RAW[name]
    if isinstance(grid, NumberGrid):
        rows = [compact_numbers(counted(side, grid), grid) if compact else side for side in sides]
        return Compared(name, "number", *rows)
    labels = np.array(grid.values)
    rows = [compact_categories(counted(side, grid), grid) if compact else labels[side] for side in sides]
    return Compared(name, "category", *rows)


@pytest.fixture(scope="module")
def raw() -> dict[str, float | None]:
    """Evidently's scores on the raw rows."""
    return {each.name: each.score for each in build([compared(name, False) for name in RAW], at=AT).scores}


@pytest.fixture(scope="module")
def compact() -> dict[str, float | None]:
    """Evidently's scores on 5,000 rows rebuilt from counts."""
    return {each.name: each.score for each in build([compared(name, True) for name in RAW], at=AT).scores}


@pytest.mark.parametrize("name", RAW)
def test_compact_rows_score_as_raw_rows(raw: dict[str, float], compact: dict[str, float], name: str) -> None:
    """5,000 rebuilt rows stand for 100,000 raw ones, within the tolerance written beside the case."""
    assert compact[name] == pytest.approx(raw[name], rel=RAW[name][3])


@pytest.mark.parametrize("name", RAW)
def test_our_distance_is_evidentlys(raw: dict[str, float], name: str) -> None:
    """Our distance from counts is Evidently's from raw rows: two ways of computing the same."""
    reference, current, grid, _, tolerance = RAW[name]
    a, b = counted(reference, grid), counted(current, grid)
    if isinstance(grid, NumberGrid):
        a, b = a[: grid.ordered], b[: grid.ordered]
        ours = wasserstein(a, b, grid.edges) / standard_deviation(a, grid.midpoints)
    else:
        ours = jensen_shannon(a, b)

    assert float(ours) == pytest.approx(raw[name], rel=tolerance)
