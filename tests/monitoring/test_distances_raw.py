"""Distances of counts against SciPy on the raw rows, in the cells that a grid chosen from the reference has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import spatial, stats

from monitoring.distances import (
    kolmogorov_smirnov,
    normalised_wasserstein,
    population_stability_index,
    share_change,
    total_variation,
    wasserstein,
)
from monitoring.grids import number_grid
from monitoring.moments import shares, standard_deviation
from store.grid import NumberGrid

Floats = npt.NDArray[np.float64]


def zero_inflated(random: np.random.Generator, rows: int) -> Floats:
    return random.exponential(10, rows) * (random.random(rows) < 0.4)


def two_hills(random: np.random.Generator, rows: int) -> Floats:
    return random.normal(0, 1, rows) + 6 * (random.random(rows) < 0.3)


SHAPES: dict[str, Callable[[np.random.Generator, int], Floats]] = {
    "normal": lambda random, rows: random.normal(100, 15, rows),
    "lognormal": lambda random, rows: random.lognormal(2, 1, rows),
    "two hills": two_hills,
    "zero inflated": zero_inflated,
    "whole": lambda random, rows: random.poisson(4, rows).astype(float),
    "long whole": lambda random, rows: random.geometric(0.002, rows).astype(float),
    "heavy": lambda random, rows: random.standard_t(3, rows),
    "cauchy": lambda random, rows: random.standard_cauchy(rows),
    "constant": lambda _, rows: np.full(rows, 3.7),
}


@dataclass(frozen=True)
class Sides:
    """Raw rows of both sides, the grid of the reference, and both sides' counts in its cells."""

    reference: Floats
    current: Floats
    grid: NumberGrid
    before: npt.NDArray[np.int64]
    now: npt.NDArray[np.int64]

    @property
    def smaller(self) -> Floats:
        """Of each cell, the smaller of its two shares."""
        return np.minimum(shares(self.before), shares(self.now))

    @property
    def values(self) -> tuple[Floats, npt.NDArray[np.intp]]:
        """The values that occur on either side, and which one each row has, the reference's rows first."""
        values, places = np.unique(np.append(self.reference, self.current), return_inverse=True)
        return values, places

    @property
    def mixed(self) -> npt.NDArray[np.bool_]:
        """Which cells hold rows of more than one value."""
        cells = np.searchsorted(self.grid.edges, self.values[0], side="right")
        return np.bincount(cells, minlength=self.grid.ordered) > 1

    @property
    def widths(self) -> Floats:
        """Of each ordered cell; what lies beyond the grid lies on its edge."""
        return np.concatenate([[0.0], np.diff(self.grid.edges), [0.0]])

    def beyond(self, rows: Floats) -> Floats:
        """How far each row lies outside the grid."""
        return np.abs(rows - np.clip(rows, self.grid.edges[0], self.grid.edges[-1]))

    @property
    def error(self) -> float:
        """The stated error of `wasserstein`, and the way past the grid, which it leaves out by its words."""
        inside = (shares(self.before) + shares(self.now)) @ self.widths / 2
        return float(inside + self.beyond(self.reference).mean() + self.beyond(self.current).mean())

    @property
    def spread_error(self) -> float:
        """The stated error of `standard_deviation`; no row of the reference lies outside its own grid."""
        assert not self.beyond(self.reference).any()
        return float(np.sqrt(shares(self.before) @ self.widths**2) / 2)

    @property
    def rounding(self) -> float:
        """What doubles of this size may lose."""
        return 1e-12 * float(max(np.abs(self.grid.edges).max(), np.abs(self.current).max()))


def sides_of(reference: Floats, current: Floats) -> Sides:
    grid = number_grid(reference)
    codes = (np.searchsorted(grid.edges, rows, side="right") for rows in (reference, current))
    before, now = (np.bincount(each, minlength=grid.ordered) for each in codes)
    return Sides(reference, current, grid, before, now)


@st.composite
def sides(draw: st.DrawFn) -> Sides:
    """Rows of one shape, the current ones stretched, shifted by standard deviations, some of them exchanged."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape, other = draw(st.sampled_from(sorted(SHAPES))), draw(st.sampled_from(sorted(SHAPES)))
    reference = SHAPES[shape](random, draw(st.integers(1, 500)))
    current = SHAPES[shape](random, draw(st.integers(1, 500)))
    spread = float(reference.std()) or 1.0
    current = current * draw(st.sampled_from([1.0, 1.0, 0.5, 2.0]))
    current += spread * draw(st.sampled_from([0.0, 0.0, 0.01, 0.2, -1.0, 100.0]))
    exchanged = random.random(len(current)) < draw(st.sampled_from([0.0, 0.05, 0.5, 1.0]))
    current[exchanged] = SHAPES[other](random, int(exchanged.sum()))
    return sides_of(reference, current)


@pytest.mark.filterwarnings("ignore:divide by zero")  # in SciPy's chance of one row against one, unread here
@given(sides())
@settings(max_examples=150)
def test_kolmogorov_smirnov_is_scipys_but_for_one_cell(given: Sides) -> None:
    """Never above the raw rows' distance, and below it by no more than the stated share of one cell of many values."""
    raw = stats.ks_2samp(given.reference, given.current, method="asymp").statistic

    missed = raw - float(kolmogorov_smirnov(given.before, given.now))

    assert -1e-12 <= missed <= given.smaller[given.mixed].max(initial=0) + 1e-12


@given(sides())
@settings(max_examples=150)
def test_total_variation_misses_only_what_cells_mix(given: Sides) -> None:
    """Never above that of the raw values; only cells of several values lose anything, and no more than stated."""
    values, places = given.values
    p = np.bincount(places[: len(given.reference)], minlength=len(values)) / len(given.reference)
    q = np.bincount(places[len(given.reference) :], minlength=len(values)) / len(given.current)
    raw = spatial.distance.cityblock(p, q) / 2

    missed = raw - float(total_variation(given.before, given.now))

    assert -1e-12 <= missed <= given.smaller[given.mixed].sum() + 1e-12


@given(sides())
@settings(max_examples=150)
def test_wasserstein_is_scipys_within_its_binning_error(given: Sides) -> None:
    """Half the mean width of the cells on each side, and the way past the grid: the bound that is stated."""
    raw = stats.wasserstein_distance(given.reference, given.current)

    ours = float(wasserstein(given.before, given.now, given.grid.edges))

    assert abs(ours - raw) <= given.error + given.rounding


@given(sides())
@settings(max_examples=150)
def test_normalised_wasserstein_is_scipys_within_its_binning_error(given: Sides) -> None:
    """Over the raw rows' standard deviation within the stated error; NaN where one cell holds all of them."""
    grid = given.grid
    ours = float(normalised_wasserstein(given.before, given.now, grid.edges, grid.midpoints))
    if (given.before > 0).sum() == 1:
        assert np.isnan(ours)
        return
    raw, spread = stats.wasserstein_distance(given.reference, given.current), given.reference.std()
    used = float(standard_deviation(given.before, grid.midpoints))

    assert abs(used - spread) <= given.spread_error + given.rounding
    allowed = (given.error + given.spread_error * raw / spread + given.rounding) / used
    assert abs(ours - raw / spread) <= allowed


@given(sides())
@settings(max_examples=150)
def test_stability_index_is_scipys_with_half_a_row_more(given: Sides) -> None:
    """Both of SciPy's divergences added, of histograms that NumPy makes, with the zero rule as it is stated."""
    bins = np.concatenate([[-np.inf], given.grid.edges, [np.inf]])
    one, two = (np.histogram(rows, bins)[0] for rows in (given.reference, given.current))
    one, two = (side[(one + two) > 0] + 0.5 for side in (one, two))
    expected = stats.entropy(one, two) + stats.entropy(two, one)

    assert float(population_stability_index(given.before, given.now)) == pytest.approx(expected, abs=1e-12)


@given(sides(), st.floats(0, 1))
@settings(max_examples=150)
def test_share_change_is_that_of_the_raw_rows(given: Sides, part: float) -> None:
    """The share below any edge, as SciPy finds it in the rows."""
    cells = range(1 + int(part * given.grid.bins))
    edge = given.grid.edges[len(cells) - 1]
    now, before = (
        stats.percentileofscore(rows, edge, kind="strict") / 100 for rows in (given.current, given.reference)
    )

    assert float(share_change(given.before, given.now, cells)) == pytest.approx(now - before, abs=1e-12)


@pytest.mark.parametrize("shift", [0.1, 0.5])
@pytest.mark.parametrize("shape", ["normal", "lognormal", "two hills", "whole", "long whole"])
def test_cells_cost_less_than_a_hundredth(shape: str, shift: float) -> None:
    """On 50,000 rows that shifted, Wasserstein distances are SciPy's within 1 %, save for spikes and heavy tails."""
    random = np.random.default_rng(5)
    reference, current = SHAPES[shape](random, 50_000), SHAPES[shape](random, 50_000)
    move = shift * reference.std()
    move = np.ceil(move) if "whole" in shape else move
    given = sides_of(reference, current + move)
    raw = stats.wasserstein_distance(given.reference, given.current)
    grid = given.grid

    ours = normalised_wasserstein(given.before, given.now, grid.edges, grid.midpoints)

    assert float(wasserstein(given.before, given.now, grid.edges)) == pytest.approx(raw, rel=0.01)
    assert float(ours) == pytest.approx(raw / reference.std(), rel=0.01)


@pytest.mark.parametrize("shift", [0.1, 0.3, 1.0])
@pytest.mark.parametrize("change", [lambda rows: rows, np.exp], ids=["normal", "lognormal"])
def test_stability_index_and_total_variation_of_a_known_shift(
    change: Callable[[Floats], Floats], shift: float
) -> None:
    """A normal that shifts by d standard deviations has d² and 2 Phi(d / 2) - 1: within 1 %, in any unit."""
    even = stats.norm.ppf((np.arange(200_000) + 0.5) / 200_000)
    given = sides_of(change(even), change(even + shift))

    assert float(population_stability_index(given.before, given.now)) == pytest.approx(shift**2, rel=0.01)
    expected = 2 * stats.norm.cdf(shift / 2) - 1
    assert float(total_variation(given.before, given.now)) == pytest.approx(expected, rel=0.01)


def test_the_error_of_one_cell_is_met() -> None:
    """Rows at opposite edges of one cell: the gap of the raw rows is 1, and counts cannot see it."""
    grid = number_grid(np.arange(1000.0))
    low, high = float(grid.edges[60]), float(np.nextafter(grid.edges[61], 0))
    counts = np.bincount([61], minlength=grid.ordered)

    assert stats.ks_2samp([low] * 9, [high] * 9, method="asymp").statistic == 1
    assert np.searchsorted(grid.edges, [low, high], side="right").tolist() == [61, 61]
    assert kolmogorov_smirnov(counts, counts) == 0
