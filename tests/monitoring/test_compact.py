"""Rows rebuilt from counts keep what the counts say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from monitoring.compact import compact_categories, compact_numbers
from monitoring.distances import wasserstein
from monitoring.moments import quantile
from store.grid import CategoryGrid, NumberGrid, Segment

GRID = NumberGrid(
    (Segment(0.0, 4.0, 4), Segment(4.0, 10.0, 2))
)  # codes: under, 6 bins, over, 4 without order
CITIES = CategoryGrid(("recife", "natal", "olinda"))


def counts_of(size: int) -> st.SearchStrategy[np.ndarray]:
    return st.lists(st.integers(0, 10_000), min_size=size, max_size=size).filter(any).map(np.array)


@given(counts_of(GRID.ordered))
def test_numbers_keep_mean_order_and_quantiles(ordered: np.ndarray) -> None:
    """The mean is that of the counts, values rise, and each lies between the quantiles it stands for."""
    counts = np.append(ordered, [9, 9, 9, 9])

    values = compact_numbers(counts, GRID, rows=50)

    bounds = quantile(ordered, GRID.edges, np.arange(len(values) + 1) / len(values))
    assert len(values) == min(50, ordered.sum())
    assert values.mean() == pytest.approx((ordered * GRID.midpoints).sum() / ordered.sum())
    assert (np.diff(values) >= -1e-9).all()
    assert ((bounds[:-1] - 1e-9 <= values) & (values <= bounds[1:] + 1e-9)).all()


@given(counts_of(GRID.ordered), counts_of(GRID.ordered))
def test_numbers_keep_distances(reference: np.ndarray, current: np.ndarray) -> None:
    """The distance of 500 rebuilt rows is that of the counts, up to a step between rows."""
    sides = [np.append(each, [0, 0, 0, 0]) * 500 for each in (reference, current)]

    rebuilt = stats.wasserstein_distance(*(compact_numbers(side, GRID, rows=500) for side in sides))

    expected = wasserstein(reference, current, GRID.edges)
    assert rebuilt == pytest.approx(float(expected), abs=10 / 500)


def test_beyond_the_grid_lies_on_its_edges() -> None:
    """Underflow and overflow are kept, at the outermost edges."""
    counts = np.array([2, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0])

    assert compact_numbers(counts, GRID).tolist() == [0.0, 0.0, 10.0, 10.0]


def test_a_night_of_one_row_stays_one_row() -> None:
    """Five thousand copies of one row would look like evidence."""
    counts = np.array([0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0])

    assert compact_numbers(counts, GRID).tolist() == [1.5]
    assert compact_categories(np.array([0, 1, 0, 0, 0]), CITIES) == ("natal",)


def test_nulls_and_infinities_are_left_out() -> None:
    """Cells without order give no value; a column of nothing else is empty."""
    counts = np.array([0, 0, 0, 0, 0, 0, 0, 0, 5, 6, 7, 8])

    assert compact_numbers(counts, GRID).shape == (0,)
    assert compact_categories(np.array([0, 0, 0, 0, 9]), CITIES) == ()


def test_a_billion_rows_cost_five_thousand() -> None:
    """Size and proportions do not depend on how many rows were counted."""
    few = compact_categories(np.array([700, 200, 90, 10, 5]) * 10, CITIES)
    many = compact_categories(np.array([700, 200, 90, 10, 5]) * 10**15, CITIES)

    assert few == many
    assert len(many) == 5000
    assert many.count("recife") == 3500


@given(counts_of(CITIES.size), st.integers(1, 300))
def test_categories_are_within_one_row_of_their_share(counts: np.ndarray, rows: int) -> None:
    """Largest remainder: every row is given, none is short of its share by a whole one."""
    labels = compact_categories(counts, CITIES, rows)

    valued = counts[: CITIES.null]
    assert len(labels) == min(rows, valued.sum())
    for label, count in zip(CITIES.labels, valued, strict=False):
        assert abs(labels.count(label) - count / max(valued.sum(), 1) * len(labels)) < 1


def test_equal_remainders_go_to_the_earlier_cell() -> None:
    """One row for three equal cells: always the same one."""
    assert compact_categories(np.array([5, 5, 5, 0, 0]), CITIES, rows=1) == ("recife",)


@pytest.mark.parametrize(("complete", "label"), [(True, "unseen"), (False, "other")])
def test_the_rest_bears_its_cells_label(complete: bool, label: str) -> None:
    """Values without a cell appear under the name the page gives them."""
    grid = CategoryGrid(("a",), complete)

    assert compact_categories(np.array([0, 2, 0]), grid) == (label, label)


def test_a_value_called_other_is_not_the_rest() -> None:
    """A real value of that name keeps it; the rest is told apart from it."""
    grid = CategoryGrid(("other", "(other)"), complete=False)

    assert compact_categories(np.array([1, 1, 1, 0]), grid) == ("other", "(other)", "((other))")
