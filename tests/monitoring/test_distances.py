"""Distances of counts, against SciPy on the rows the counts stand for."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import spatial, stats

from monitoring.distances import (
    jensen_shannon,
    mean,
    quantile,
    share,
    shares,
    standard_deviation,
    wasserstein,
)
from store.grid import NumberGrid, Segment

GRID = NumberGrid((Segment(-4.0, 0.0, 40), Segment(0.0, 2.0, 80), Segment(2.0, 12.0, 20)))
EVEN = np.arange(7.0)  # edges of six cells of width 1


def rows_of(cells: int) -> st.SearchStrategy[np.ndarray]:
    return st.lists(st.integers(0, 1000), min_size=cells, max_size=cells).filter(any).map(np.array)


def counted(values: np.ndarray, grid: NumberGrid) -> np.ndarray:
    codes = np.searchsorted(grid.edges, values, side="right")
    return np.bincount(codes, minlength=grid.ordered)


@given(rows_of(7), rows_of(7))
def test_jensen_shannon_is_scipys(reference: np.ndarray, current: np.ndarray) -> None:
    """The definition, to base 2, is SciPy's."""
    expected = spatial.distance.jensenshannon(reference, current, base=2)

    assert float(jensen_shannon(reference, current)) == pytest.approx(np.nan_to_num(expected), abs=1e-6)


@given(rows_of(7), rows_of(7), rows_of(7))
def test_jensen_shannon_is_a_metric(one: np.ndarray, two: np.ndarray, three: np.ndarray) -> None:
    """Between 0 and 1, the same both ways, no detour is shorter, 0 for equal counts."""
    direct = jensen_shannon(one, three)

    assert 0 <= direct <= 1
    assert direct == pytest.approx(jensen_shannon(three, one), abs=1e-12)
    assert direct <= jensen_shannon(one, two) + jensen_shannon(two, three) + 1e-7
    assert jensen_shannon(one, one) == 0


@given(rows_of(8), rows_of(8))
def test_wasserstein_is_scipys_on_finely_spread_rows(reference: np.ndarray, current: np.ndarray) -> None:
    """The exact formula agrees with SciPy on rows laid evenly over each cell."""
    spots = (np.arange(200) + 0.5) / 200
    places = np.concatenate([np.zeros(200), *(EVEN[:-1, None] + spots), np.full(200, 6.0)])
    weights = np.repeat(reference / 200, 200), np.repeat(current / 200, 200)
    expected = stats.wasserstein_distance(places, places, *weights)

    assert float(wasserstein(reference, current, EVEN)) == pytest.approx(expected, abs=1 / 200)


@given(rows_of(8), rows_of(8), rows_of(8))
def test_wasserstein_is_a_metric(one: np.ndarray, two: np.ndarray, three: np.ndarray) -> None:
    """Never negative nor more than the grid is wide, symmetric, no detour is shorter, 0 for equal counts."""
    direct = wasserstein(one, three, EVEN)

    assert 0 <= direct <= 6
    assert direct == pytest.approx(wasserstein(three, one, EVEN), abs=1e-12)
    assert direct <= wasserstein(one, two, EVEN) + wasserstein(two, three, EVEN) + 1e-9
    assert wasserstein(one, one, EVEN) == 0


@pytest.mark.parametrize(("shift", "scale"), [(0.05, 1.0), (0.2, 1.0), (0.0, 1.3), (-0.5, 0.8)])
def test_wasserstein_on_raw_rows(shift: float, scale: float) -> None:
    """Counting costs under 1 % against SciPy on 50,000 raw rows, with cells of three widths."""
    random = np.random.default_rng(7)
    reference, current = random.normal(0, 1, 50_000), random.normal(shift, scale, 50_000)
    expected = stats.wasserstein_distance(reference, current)

    ours = wasserstein(counted(reference, GRID), counted(current, GRID), GRID.edges)

    assert float(ours) == pytest.approx(expected, rel=0.01)


def test_binning_error_stays_in_its_bound() -> None:
    """All rows on opposite edges of a cell: the worst case is half a cell for each side."""
    reference, current = np.full(100, 1.0), np.full(100, np.nextafter(2.0, 0))
    grid = NumberGrid((Segment(0.0, 6.0, 6),))

    assert stats.wasserstein_distance(reference, current) == pytest.approx(1.0)
    assert wasserstein(counted(reference, grid), counted(current, grid), grid.edges) == 0


def test_rows_beyond_the_grid_count_to_its_edge() -> None:
    """From underflow to overflow is exactly the width of the grid."""
    below, above = np.array([9, 0, 0, 0, 0, 0, 0, 0]), np.array([0, 0, 0, 0, 0, 0, 0, 4])

    assert wasserstein(below, above, EVEN) == 6.0


def test_crossing_inside_a_cell_is_exact() -> None:
    """Two rows that part and meet within one cell: two triangles, not a trapezium."""
    edges = np.array([0.0, 1.0, 2.0, 3.0])
    # The gap runs 0, 1/2, -1/2, 0: three cells of areas 1/4, 1/4 and 1/4.
    reference, current = np.array([0, 1, 0, 1, 0]), np.array([0, 0, 2, 0, 0])

    assert wasserstein(reference, current, edges) == 0.75


def test_mean_deviation_and_quantiles_of_raw_rows() -> None:
    """Against NumPy on the raw rows: within 1 % of a standard deviation."""
    values = np.random.default_rng(3).normal(0.5, 1, 50_000)
    counts = counted(values, GRID)
    asked = np.array([0.01, 0.25, 0.5, 0.9])

    assert mean(counts, GRID.midpoints) == pytest.approx(values.mean(), abs=0.01)
    assert standard_deviation(counts, GRID.midpoints) == pytest.approx(values.std(), rel=0.01)
    assert quantile(counts, GRID.edges, asked) == pytest.approx(np.quantile(values, asked), abs=0.02)


@given(rows_of(8), st.lists(st.floats(0, 1), min_size=2, max_size=5).map(sorted))
def test_quantiles_rise_and_invert_the_cumulative_share(counts: np.ndarray, asked: list[float]) -> None:
    """A higher share never has a lower quantile, and the share below a quantile inside the grid is it."""
    values = quantile(counts, EVEN, np.array(asked))
    below = np.interp(values, EVEN, np.cumsum(counts)[:-1] / counts.sum())
    inside = (values > 0) & (values < 6)

    assert (np.diff(values) >= 0).all()
    assert below[inside] == pytest.approx(np.array(asked)[inside], abs=1e-9)


def test_ends_of_the_quantiles() -> None:
    """Shares 0 and 1 are the edges of the filled cells, not of the grid; one share gives one number."""
    counts = np.array([0, 0, 5, 0, 5, 0, 0, 0])

    assert quantile(counts, EVEN, np.array([0.0, 0.5, 1.0])).tolist() == [1.0, 2.0, 4.0]
    assert quantile(np.stack([counts, counts]), EVEN, 0.25).tolist() == [1.5, 1.5]


def test_slices_at_once_are_slices_one_by_one() -> None:
    """One reference row broadcasts against all slices, and nothing leaks from row to row."""
    random = np.random.default_rng(1)
    reference, slices = random.integers(0, 50, 8), random.integers(0, 50, (30, 8))
    asked = np.array([0.1, 0.7])

    together = wasserstein(reference, slices, EVEN), jensen_shannon(reference, slices)
    assert together[0] == pytest.approx([float(wasserstein(reference, row, EVEN)) for row in slices])
    assert together[1] == pytest.approx([float(jensen_shannon(reference, row)) for row in slices])
    assert quantile(slices, EVEN, asked) == pytest.approx(
        np.stack([quantile(row, EVEN, asked) for row in slices])
    )


def test_empty_rows_are_nan_without_a_warning() -> None:
    """A slice nobody asked for gives NaN everywhere, and the others are not disturbed."""
    counts = np.array([[0, 0, 0, 0, 0, 0, 0, 0], [0, 1, 1, 0, 0, 0, 0, 0]])
    middles = np.concatenate([[0.0], EVEN[:-1] + 0.5, [6.0]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows = [
            jensen_shannon(counts[1], counts),
            wasserstein(counts[1], counts, EVEN),
            mean(counts, middles),
            standard_deviation(counts, middles),
            quantile(counts, EVEN, 0.5),
            share(counts, [1]),
        ]

    assert np.array(rows)[:, 0].tolist() == pytest.approx([np.nan] * 6, nan_ok=True)
    assert np.array(rows)[:, 1].tolist() == [0.0, 0.0, 1.0, 0.5, 1.0, 0.5]
    assert np.isnan(shares(counts)[0]).all()


def test_huge_counts_do_not_overflow() -> None:
    """Counts near 2**62 add up past 64 bits: shares are made in doubles."""
    counts = np.array([2**62, 2**62, 2**62])

    assert share(counts, [0, 1]) == pytest.approx(2 / 3)
    assert jensen_shannon(counts, counts // 2) == pytest.approx(0, abs=1e-7)
