"""Distances of counts, against SciPy on the rows the counts stand for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import spatial, stats

from monitoring.distances import (
    jensen_shannon,
    kolmogorov_smirnov,
    normalised_wasserstein,
    population_stability_index,
    share_change,
    total_variation,
    wasserstein,
)
from monitoring.moments import mean, quantile, share, shares, standard_deviation
from store.grid import NumberGrid, Segment

GRID = NumberGrid((Segment(-4.0, 0.0, 40), Segment(0.0, 2.0, 80), Segment(2.0, 12.0, 20)))
EVEN = np.arange(7.0)  # edges of six cells of width 1
MIDDLES = np.concatenate([[0.0], EVEN[:-1] + 0.5, [6.0]])

DISTANCES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "jensen_shannon": jensen_shannon,
    "total_variation": total_variation,
    "kolmogorov_smirnov": kolmogorov_smirnov,
    "wasserstein": lambda reference, current: wasserstein(reference, current, EVEN),
    "normalised": lambda reference, current: normalised_wasserstein(reference, current, EVEN, MIDDLES),
    "stability": population_stability_index,
    "change": lambda reference, current: share_change(reference, current, [1, 3]),
}


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


@pytest.mark.parametrize(
    ("name", "largest"),
    [("jensen_shannon", 1), ("total_variation", 1), ("kolmogorov_smirnov", 1), ("wasserstein", 6)],
)
@given(rows_of(8), rows_of(8), rows_of(8))
def test_metrics(name: str, largest: float, one: np.ndarray, two: np.ndarray, three: np.ndarray) -> None:
    """Never negative nor above its largest, the same both ways, no detour is shorter, 0 for equal counts."""
    distance = DISTANCES[name]
    direct = distance(one, three)

    assert 0 <= direct <= largest
    assert direct == pytest.approx(distance(three, one), abs=1e-12)
    assert direct <= distance(one, two) + distance(two, three) + 1e-7
    assert distance(one, one) == 0


@given(rows_of(8), rows_of(8))
def test_total_variation_is_scipys_and_above_the_others(reference: np.ndarray, current: np.ndarray) -> None:
    """Half SciPy's city block; no cumulative gap and no squared Jensen-Shannon distance (Lin 1991) exceeds it."""
    expected = spatial.distance.cityblock(shares(reference), shares(current)) / 2

    distance = total_variation(reference, current)

    assert float(distance) == pytest.approx(expected, abs=1e-12)
    assert kolmogorov_smirnov(reference, current) <= distance + 1e-12
    assert jensen_shannon(reference, current) ** 2 <= distance + 1e-12


@pytest.mark.filterwarnings("ignore:divide by zero")  # in SciPy's chance of one row against one
@given(rows_of(8), rows_of(8))
def test_kolmogorov_smirnov_is_scipys(reference: np.ndarray, current: np.ndarray) -> None:
    """Of whole numbers, each with a cell of its own, it is exactly SciPy's: no edge is left out."""
    rows = [np.repeat(np.arange(8), side) for side in (reference, current)]
    expected = stats.ks_2samp(*rows, method="asymp").statistic

    assert float(kolmogorov_smirnov(reference, current)) == pytest.approx(expected, abs=1e-12)


@given(rows_of(8), rows_of(8), st.sets(st.integers(0, 7)))
def test_share_changes(reference: np.ndarray, current: np.ndarray, cells: set[int]) -> None:
    """Turned round the sign turns, all others change the other way, and the most any cells rise is known."""
    rise = share_change(reference, current, [*cells])
    risen = np.flatnonzero(shares(current) > shares(reference)).tolist()

    assert rise == -share_change(current, reference, [*cells])
    assert rise == pytest.approx(-share_change(reference, current, [*({*range(8)} - cells)]), abs=1e-12)
    most = total_variation(reference, current)
    assert abs(rise) <= most + 1e-12
    assert share_change(reference, current, risen) == pytest.approx(most, abs=1e-12)


@given(rows_of(8), rows_of(8))
def test_stability_index_with_and_without_half_a_row(reference: np.ndarray, current: np.ndarray) -> None:
    """Symmetric, 0 for equal counts, blind to cells empty on both sides; SciPy's where half a row is nothing."""
    index = population_stability_index(reference, current)
    many, more = (side * 10**12 + 10**12 for side in (reference, current))
    plain = stats.entropy(many, more) + stats.entropy(more, many)
    wide = [np.append(side, [0] * 50) for side in (reference, current)]

    assert index >= 0
    assert index == pytest.approx(population_stability_index(current, reference), abs=1e-12)
    assert population_stability_index(reference, reference) == 0
    assert population_stability_index(*wide) == pytest.approx(index)
    assert population_stability_index(many, more) == pytest.approx(plain, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("rows", "expected"), [(100, 0.0110), (1_000_000, 1.1e-6)])
def test_one_row_in_an_empty_cell_weighs_the_less_the_more_rows(rows: int, expected: float) -> None:
    """The zero rule in the numbers that its docstring names."""
    reference, current = np.array([rows // 2, rows // 2, 0]), np.array([rows // 2, rows // 2 - 1, 1])

    assert population_stability_index(reference, current) == pytest.approx(expected, rel=0.01)


def test_stability_index_of_mere_chance() -> None:
    """Samples of one distribution have (K - 1) (1/n + 1/m) on average: half rows do not shift it by 5 %."""
    random, weights = np.random.default_rng(2), np.full(14, 1 / 14)
    one, two = random.multinomial(20_000, weights, 4000), random.multinomial(500, weights, 4000)

    assert population_stability_index(one, two).mean() == pytest.approx(13 * (1 / 20_000 + 1 / 500), rel=0.05)


def test_a_detour_can_have_a_shorter_stability_index() -> None:
    """It is no metric, as its docstring says."""
    one, two, three = (np.array([n, 1000 - n]) for n in (100, 300, 500))

    detour = population_stability_index(one, two) + population_stability_index(two, three)
    assert population_stability_index(one, three) > detour


@given(rows_of(8), rows_of(8))
def test_wasserstein_is_scipys_on_finely_spread_rows(reference: np.ndarray, current: np.ndarray) -> None:
    """The exact formula agrees with SciPy on rows laid evenly over each cell."""
    spots = (np.arange(200) + 0.5) / 200
    places = np.concatenate([np.zeros(200), *(EVEN[:-1, None] + spots), np.full(200, 6.0)])
    weights = np.repeat(reference / 200, 200), np.repeat(current / 200, 200)
    expected = stats.wasserstein_distance(places, places, *weights)

    assert float(wasserstein(reference, current, EVEN)) == pytest.approx(expected, abs=1 / 200)


@given(rows_of(8), rows_of(8), st.sampled_from([2.0**-40, 8.0, 2.0**30]))
def test_normalised_wasserstein_has_no_unit(reference: np.ndarray, current: np.ndarray, unit: float) -> None:
    """The quotient of both parts, the same in any unit; NaN where one cell holds the whole reference."""
    ours = normalised_wasserstein(reference, current, EVEN, MIDDLES)
    spread = standard_deviation(reference, MIDDLES)

    assert np.isnan(ours) == ((reference > 0).sum() == 1)
    assert np.isnan(ours) or ours == wasserstein(reference, current, EVEN) / spread
    assert ours == pytest.approx(
        normalised_wasserstein(reference, current, EVEN * unit, MIDDLES * unit), nan_ok=True
    )
    assert not normalised_wasserstein(reference, reference, EVEN, MIDDLES) > 0


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


def test_quantiles_at_once_are_quantiles_one_by_one() -> None:
    """Nothing leaks from row to row."""
    slices, asked = np.random.default_rng(1).integers(0, 50, (30, 8)), np.array([0.1, 0.7])

    together = quantile(slices, EVEN, asked)

    assert together == pytest.approx(np.stack([quantile(row, EVEN, asked) for row in slices]))


@pytest.mark.parametrize("name", DISTANCES)
def test_slices_at_once_are_slices_one_by_one(name: str) -> None:
    """Leading shapes broadcast, either side first, and nothing leaks from row to row."""
    random, distance = np.random.default_rng(1), DISTANCES[name]
    one, slices = random.integers(0, 50, 8), random.integers(0, 50, (30, 8))
    nights = random.integers(0, 50, (3, 1, 8))
    slices[4], nights[2] = 0, 0

    def loop(some: np.ndarray, others: np.ndarray) -> np.ndarray:
        return np.array([[float(distance(a, b)) for b in others] for a in some])

    assert distance(one, slices[0]).shape == ()
    assert distance(one, slices) == pytest.approx(loop(one[None], slices)[0], nan_ok=True)
    assert distance(slices, one) == pytest.approx(loop(slices, one[None])[:, 0], nan_ok=True)
    assert distance(nights, slices) == pytest.approx(loop(nights[:, 0], slices), nan_ok=True)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", DISTANCES)
def test_a_side_without_counts_is_nan_without_a_warning(name: str) -> None:
    """A slice nobody asked for gives NaN, whichever side it is on, and the others are not disturbed."""
    rows = np.array([[0, 0, 0, 0, 0, 0, 0, 0], [0, 1, 1, 0, 0, 0, 0, 0]])

    assert np.isnan(DISTANCES[name](rows[:, None], rows)).tolist() == [[True, True], [True, False]]
    assert DISTANCES[name](rows[1], rows)[1] == 0


@pytest.mark.filterwarnings("error")
def test_empty_rows_have_no_moments_and_no_warning() -> None:
    """A slice nobody asked for gives NaN everywhere, and the others are not disturbed."""
    counts = np.array([[0, 0, 0, 0, 0, 0, 0, 0], [0, 1, 1, 0, 0, 0, 0, 0]])
    moments = [mean(counts, MIDDLES), standard_deviation(counts, MIDDLES), quantile(counts, EVEN, 0.5)]
    rows = np.array([*moments, share(counts, [1])])

    assert np.isnan(rows[:, 0]).all()
    assert rows[:, 1].tolist() == [1.0, 0.5, 1.0, 0.5]
    assert np.isnan(shares(counts)[0]).all()


def test_huge_counts_do_not_overflow() -> None:
    """Counts near 2**62 add up past 64 bits: shares are made in doubles."""
    counts = np.array([2**62] * 8)

    assert share(counts, [0, 1]) == pytest.approx(1 / 4)
    for distance in DISTANCES.values():
        assert distance(counts, counts) == 0
        assert distance(counts, counts // 2) == pytest.approx(0, abs=1e-7)
