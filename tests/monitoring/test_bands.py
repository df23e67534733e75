"""Cells become bands: every row is in exactly one, and a number's distance survives it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.bands import Bands, banded, bands_of, layout_of, merged, name_of
from monitoring.distances import normalised_wasserstein
from monitoring.grids import category_grid, number_grid
from monitoring.records import ALL_ROWS, Profile, Slice
from monitoring.verdicts.shares import bands as scale_of
from store.grid import CategoryGrid, NumberGrid

SHAPES = {
    "normal": lambda rng: rng.normal(20, 3, 50_000),
    "lognormal": lambda rng: rng.lognormal(1, 0.8, 50_000),
    "whole": lambda rng: rng.poisson(4, 50_000).astype(float),
    "half zeros": lambda rng: np.where(rng.random(50_000) < 0.5, 0.0, rng.gamma(3, 2, 50_000)),
}


def counted(grid: NumberGrid, values: np.ndarray, nulls: int = 0) -> np.ndarray:
    """Counts of every cell."""
    codes = np.searchsorted(grid.edges, values, side="right")
    counts = np.bincount(codes, minlength=grid.size)
    counts[grid.null] = nulls
    return counts


@pytest.mark.parametrize("shape", SHAPES)
def test_a_numbers_bands_hold_its_rows(shape: str) -> None:
    """At most twelve bands, each but those of point masses with a fair part of the reference; null and other are last."""
    values = SHAPES[shape](np.random.default_rng(1))
    grid = number_grid(values)
    bands = bands_of("x", grid, counted(grid, values, 7))
    counts = merged(bands, counted(grid, values, 7))

    assert counts.sum() == len(values) + 7
    assert (counts[-1], counts[-2]) == (7, 0)
    assert bands.size <= 14
    assert len(bands.widths) == bands.size - 3
    assert counts[:-2].min() > 0.005 * len(values)


@pytest.mark.parametrize("shape", ["normal", "lognormal"])
@pytest.mark.parametrize("shift", [0.1, 0.3])
def test_a_shift_measures_the_same_in_bands(shape: str, shift: float) -> None:
    """The distance of bands is that of the fine cells within an eighth: coarser, never blind."""
    rng = np.random.default_rng(2)
    values = SHAPES[shape](rng)
    grid = number_grid(values)
    before, now = counted(grid, values), counted(grid, values + shift * values.std())
    bands = bands_of("x", grid, before)
    scale = scale_of(np.array([bands.widths]))
    sides = [merged(bands, each)[:-2].reshape(1, 1, -1) for each in (before, now)]
    found = float(np.sqrt(scale.square(scale.points(sides[1]) - scale.points(sides[0])))[0, 0])
    fine = float(
        normalised_wasserstein(before[: grid.ordered], now[: grid.ordered], grid.edges, grid.midpoints)
    )

    assert found == pytest.approx(fine, rel=0.125)


def test_a_constant_number_is_told_by_where_it_went() -> None:
    """Without a deviation there are three places: below, at home, above."""
    grid = number_grid(np.full(1000, 5.0))
    bands = bands_of("x", grid, counted(grid, np.full(1000, 5.0)))

    assert (bands.kind, bands.size) == ("category", 5)
    assert merged(bands, counted(grid, np.array([4.0, 5.0, 5.0, 9.0]), 2)).tolist() == [1, 2, 1, 0, 2]


def test_rare_values_share_a_band() -> None:
    """Common values have a band each; rare ones one together; unseen and null one each, at the end."""
    grid = category_grid(["a", "b", "rare", "rarer"], 4)
    counts = np.array([600, 396, 3, 1, 0, 0])
    bands = bands_of("x", grid, counts)

    assert merged(bands, np.array([1, 2, 3, 4, 5, 6])).tolist() == [1, 2, 7, 5, 6]


def test_statuses_are_fine_bad_or_empty() -> None:
    """Any status that is not among the fine ones is an error, an unseen one too; an empty one is none."""
    grid = CategoryGrid(("ok", "timeout", "200"))
    bands = bands_of("status", grid, np.zeros(5, dtype=np.int64), frozenset({"ok", "200"}))

    assert merged(bands, np.array([1, 2, 4, 8, 16])).tolist() == [5, 10, 0, 16]


@given(st.lists(st.integers(0, 10**6), min_size=6, max_size=6))
def test_no_row_is_lost(cells: list[int]) -> None:
    """Bands hold as many rows as cells, whatever they are."""
    bands = bands_of("x", category_grid(["a", "b", "c", "d"], 4), np.array([9, 9, 1, 1, 0, 0]))

    assert merged(bands, np.array(cells)).sum() == sum(cells)


def test_a_profile_becomes_one_dense_array() -> None:
    """The bands of all columns stand side by side; a column that a night lacks is all 0."""
    grid = CategoryGrid(("a", "b"))
    slices = (ALL_ROWS, Slice("city", "Recife"))
    profile = Profile(slices, {name: np.array([[3, 4, 0, 1], [1, 0, 0, 0]]) for name in ("x", "y")})
    layout = layout_of(profile, {"x": grid, "y": grid}, {"x": "category", "y": "category"}, frozenset())
    dense = banded(layout, Profile(slices, {"y": profile.counts["y"]}))

    assert dense.dtype == np.int32
    assert dense.tolist() == [[0, 0, 0, 0, 0, 3, 4, 0, 0, 1], [0, 0, 0, 0, 0, 1, 0, 0, 0, 0]]
    assert name_of(layout, slices) == name_of(layout, slices)
    for other in ((*slices, Slice("city", "Natal")), (ALL_ROWS, Slice("city", "Natal")), slices[::-1]):
        assert name_of(layout, slices) != name_of(layout, other)
    assert name_of(layout, slices) != name_of((*layout[:1], Bands("y", "category", (0, 0, 1, 2), 3)), slices)
