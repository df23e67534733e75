"""Grids chosen from data: always valid, around the data, and frozen as the data were."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.grids import KEPT_VALUES, LARGEST, category_grid, number_grid
from store.grid import NumberGrid

Floats = npt.NDArray[np.float64]

RANDOM = np.random.default_rng(11)
KINDS: dict[str, Floats] = {
    "normal": RANDOM.normal(size=5000),
    "constant": np.full(100, 3.7),
    "constant zero": np.zeros(100),
    "constant integer": np.full(100, 2013.0),
    "constant huge": np.full(100, 1e300),
    "constant tiny": np.full(100, -5e-324),
    "one value": np.array([0.1]),
    "two values": RANDOM.choice([0.0, 1.0], 1000),
    "two fractions": RANDOM.choice([0.1, 0.10000001], 1000),
    "integers": RANDOM.integers(-50, 50, 3000).astype(float),
    "long integers": RANDOM.integers(10**14, 10**15, 3000).astype(float),
    "lognormal": RANDOM.lognormal(3, 3, 5000),
    "cauchy": RANDOM.standard_cauchy(5000),
    "zero inflated": RANDOM.exponential(10, 5000) * (RANDOM.random(5000) < 0.2),
    "huge": RANDOM.normal(size=1000) * 1e299,
    "both ends": RANDOM.choice([-1e300, 1e300], 100),
    "beyond": RANDOM.choice([1e308, -1e308, 1.0, 2.0], 100),
    "tiny": RANDOM.normal(size=1000) * 1e-300,
    "denormal": RANDOM.integers(0, 1000, 1000) * 5e-324,
    "negative": -RANDOM.gamma(2, 3, 1000),
    "far from zero": 1e6 + RANDOM.normal(size=1000),
    "unix seconds": 1.7e9 + RANDOM.random(1000) * 86400,
    "outlier": np.append(RANDOM.random(5000), 1e12),
    "all NaN": np.full(10, math.nan),
    "infinite": RANDOM.choice([math.inf, -math.inf, math.nan], 10),
    "nothing": np.array([]),
}


def inside(grid: NumberGrid, values: Floats) -> npt.NDArray[np.bool_]:
    """Which values lie between the outermost edges."""
    return (values >= grid.edges[0]) & (values < grid.edges[-1])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", KINDS)
def test_any_data_gives_a_valid_grid_around_them(kind: str) -> None:
    """Edges rise, are finite, and hold every value the cells were made for; nothing warns."""
    values = KINDS[kind]
    grid = number_grid(values)
    assert (np.diff(grid.edges) > 0).all()
    assert np.isfinite(grid.edges).all()
    assert inside(grid, values[np.abs(values) <= LARGEST]).all()
    assert grid.size <= 200


@given(st.lists(st.floats(), max_size=40), st.integers(0, 3))
@settings(max_examples=300)
def test_whatever_the_doubles(values: list[float], copies: int) -> None:
    """Hypothesis finds no doubles, few or many alike, that make a grid fail or leave their range."""
    data = np.array(values + values[:1] * 50 * copies, dtype=float)
    grid = number_grid(data)
    assert inside(grid, data[np.abs(data) <= LARGEST]).all()


@given(st.lists(st.floats(-1e9, 1e9, allow_subnormal=False), min_size=1, max_size=40), st.randoms())
@settings(max_examples=60)
def test_the_order_of_rows_does_not_matter(values: list[float], random: np.random.Generator) -> None:
    """A reference is a bag of rows: the same grid in any order."""
    shuffled = list(values)
    random.shuffle(shuffled)  # type: ignore[arg-type] # hypothesis' Random shuffles lists
    assert number_grid(np.array(values)) == number_grid(np.array(shuffled))


def test_no_edge_is_a_long_number_of_the_data() -> None:
    """A phone number that is a constant, a minimum or a maximum is rounded off before it becomes an edge."""
    phone = 11987654321.0
    for values in (np.full(50, phone), phone + np.arange(100.0) * 1e6, phone - np.arange(100.0) * 1e6):
        edges = number_grid(values).edges
        assert not np.isin(np.round(edges), values).any()
        assert inside(number_grid(values), values).all()


@pytest.mark.parametrize("values", [[0.0, 1.0], [3.0, 3.0, 4.0, 9.0], [-2.0, 0.0, 5.0]])
def test_whole_numbers_are_the_middle_of_their_cells(values: list[float]) -> None:
    """Small whole numbers each have a cell, whose middle they are, so that means are exact."""
    grid = number_grid(np.array(values * 10))
    for value in values:
        assert np.abs(grid.midpoints - value).min() == 0


@pytest.mark.parametrize(
    "kind", ["normal", "lognormal", "far from zero", "unix seconds", "negative", "outlier"]
)
def test_cells_are_narrow_where_the_data_are(kind: str) -> None:
    """No cell holds more than a sixth of smooth data, however heavy their tail or far their zero."""
    values = KINDS[kind]
    filled = np.histogram(values, number_grid(values).edges)[0]
    assert filled.max() <= len(values) / 6


def test_zeros_have_a_cell_of_their_own() -> None:
    """Where most rows are exactly zero, no other row shares their cell, and the mean stays theirs."""
    values = KINDS["zero inflated"]
    filled = np.histogram(values, number_grid(values).edges)[0]
    assert filled.max() == (values == 0).sum()


@pytest.mark.parametrize(
    ("value", "alive"), [(0.0, 0.3), (0.0, 0.01), (1.0, 1.2), (3.7, 3.71), (2013.0, 2012.0)]
)
def test_a_constant_has_a_cell_that_anything_else_leaves(value: float, alive: float) -> None:
    """A discount that was always 0 and becomes 0.3 must not stay in its cell."""
    edges = number_grid(np.full(100, value)).edges
    assert np.searchsorted(edges, value, side="right") != np.searchsorted(edges, alive, side="right")


def test_categories_keep_the_most_frequent() -> None:
    """200 values have cells; with fewer in all, a new value is unseen, with more it is other."""
    words = [f"w{n}" for n in range(300)]
    assert category_grid(words, 300).values == tuple(words[:KEPT_VALUES])
    assert not category_grid(words, 300).complete
    assert category_grid(words[:5], 5).complete
    assert not category_grid(words[:5], 6).complete
    assert category_grid([], 0).values == ()


def test_values_that_must_have_a_cell() -> None:
    """A fine status has its cell when it is rare, or was never seen; that does not make the list complete."""
    words = [f"e{n}" for n in range(300)] + ["ok"]
    grid = category_grid(words, 301, ("ok", "ok", "200"))
    assert len(grid.values) == KEPT_VALUES
    assert {"ok", "200"} < set(grid.values)
    assert grid.values[:3] == ("e0", "e1", "e2")
    assert category_grid(["late"], 3, ("ok", "200")).complete is False
    assert category_grid(["late"], 1, ("ok",)).labels == ("late", "ok", "unseen", "null")
