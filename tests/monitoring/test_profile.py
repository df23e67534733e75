"""Between the long table that is stored and the dense arrays that are compared."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.profile import added, from_parquet, summarise, to_parquet
from monitoring.records import ALL_ROWS, Profile, Slice
from store.count import CELLS
from store.grid import CategoryGrid, Grid, NumberGrid, Segment

CITY = CategoryGrid(("Recife", "null", "a\x1fb"), complete=False)
GRIDS: dict[str, Grid] = {"n": NumberGrid((Segment(0.0, 1.0, 2),)), "city": CITY}
SLICES = {"city": CITY}
KEYS = (ALL_ROWS, *(Slice("city", label) for label in CITY.labels))


def long_of(profile: Profile) -> pa.Table:
    """The long form of a profile, written once more by hand."""
    rows = [
        (column, *where, cell, int(count))
        for column, counts in profile.counts.items()
        for where, line in zip(profile.slices, counts, strict=True)
        for cell, count in enumerate(line)
        if count
    ]
    return pa.table([list(part) for part in zip(*rows, strict=True)] or [[]] * 5, schema=CELLS)


@st.composite
def profiles(draw: st.DrawFn) -> Profile:
    """Any counts over the grids and slices."""
    random = np.random.default_rng(draw(st.integers(0, 10_000)))
    empty = draw(st.booleans())
    counts = {
        name: random.integers(0, 1 if empty else 3, (len(KEYS), grid.size)) for name, grid in GRIDS.items()
    }
    return Profile(KEYS, counts)


@given(profiles())
@settings(max_examples=60)
def test_long_and_dense_hold_the_same(profile: Profile) -> None:
    """Laying counts out and writing them down again loses nothing, in any order of rows and through a file."""
    cells = long_of(profile)
    stored = from_parquet(to_parquet(cells))
    assert stored.equals(cells)
    order = np.random.default_rng(1).permutation(len(cells))
    for table in (cells, stored.take(pa.array(order, pa.int64()))):
        dense = summarise(table, GRIDS, SLICES)
        assert dense.slices == profile.slices
        assert all((dense.counts[name] == profile.counts[name]).all() for name in GRIDS)


@given(profiles(), profiles(), profiles())
@settings(max_examples=30)
def test_profiles_add_up(one: Profile, two: Profile, three: Profile) -> None:
    """A window is the sum of its nights, in any grouping; the parts stay as they were."""
    before = {name: counts.copy() for name, counts in one.counts.items()}
    whole, grouped = added([one, two, three]), added([one, added([two, three])])
    for name in GRIDS:
        assert (whole.counts[name] == one.counts[name] + two.counts[name] + three.counts[name]).all()
        assert (whole.counts[name] == grouped.counts[name]).all()
        assert (one.counts[name] == before[name]).all()


def test_columns_without_counts_are_zeros() -> None:
    """A column that no row had still has its cells in every slice, and an empty night is all zeros."""
    dense = summarise(CELLS.empty_table(), GRIDS, SLICES)
    assert {name: counts.shape for name, counts in dense.counts.items()} == {"n": (6, 8), "city": (6, 5)}
    assert not any(counts.any() for counts in dense.counts.values())
    assert all(counts.dtype == np.int64 for counts in dense.counts.values())


def test_a_value_called_null_is_not_the_null_slice() -> None:
    """Rows of a city named "null" and rows without a city are counted apart."""
    cells = pa.table(
        [["n", "n"], ["city", "city"], ["null", "(null)"], [1, 1], [3, 4]], schema=CELLS
    )  # fmt: skip
    dense = summarise(cells, GRIDS, SLICES)
    assert dense.counts["n"][KEYS.index(Slice("city", "null")), 1] == 3
    assert dense.counts["n"][KEYS.index(Slice("city", "(null)")), 1] == 4


def test_profiles_that_do_not_match_are_refused() -> None:
    """Other slices or columns, or no profile at all, cannot be added up."""
    one = summarise(CELLS.empty_table(), GRIDS, SLICES)
    with pytest.raises(ValueError, match="no profile"):
        added([])
    with pytest.raises(ValueError, match="different slices or columns"):
        added([one, summarise(CELLS.empty_table(), GRIDS, {})])
    with pytest.raises(ValueError, match="different slices or columns"):
        added([one, summarise(CELLS.empty_table(), {"n": GRIDS["n"]}, SLICES)])


def test_the_same_counts_are_the_same_bytes() -> None:
    """Chunks and who wrote first leave no trace in the file."""
    cells = long_of(Profile(KEYS, {"n": np.ones((6, 8), dtype=np.int64)}))
    assert to_parquet(cells) == to_parquet(pa.concat_tables([cells.slice(0, 5), cells.slice(5)]))
