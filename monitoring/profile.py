"""From the long table of counts to dense arrays, one per column, and back to what is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from io import BytesIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from monitoring.records import ALL_ROWS, Counts, Profile, Slice
from store.grid import CategoryGrid, Grid


def summarise(cells: pa.Table, grids: Mapping[str, Grid], slices: Mapping[str, CategoryGrid]) -> Profile:
    """Lay counts out densely: every slice and every cell has its place, also those without rows.

    Args:
        cells: counts in long form (`store.count.CELLS`); those of other slices are left out.
        grids: column -> grid; columns without counts in `cells` get zeros.
        slices: dimension -> the values that are told apart.
    """
    keys = slices_of(slices)
    places = pc.index_in(_key(cells["dimension"], cells["value"]), pa.array([f"{d}\x1f{v}" for d, v in keys]))
    there = pc.is_valid(places)
    cells, places = cells.filter(there), places.filter(there)
    place, column = places.to_numpy(), cells["column"].to_numpy(zero_copy_only=False)
    cell, rows = cells["cell"].to_numpy(), cells["rows"].to_numpy()
    counts: dict[str, Counts] = {}
    for name, grid in grids.items():
        own = column == name
        dense = np.zeros((len(keys), grid.size), dtype=np.int64)
        dense[place[own], cell[own]] = rows[own]
        counts[name] = dense
    return Profile(keys, counts)


def slices_of(slices: Mapping[str, CategoryGrid]) -> tuple[Slice, ...]:
    """All rows and every slice, in the order in which profiles have them: by dimension, whatever order a file names."""
    return (ALL_ROWS, *(Slice(name, label) for name, grid in sorted(slices.items()) for label in grid.labels))


def added(profiles: Sequence[Profile]) -> Profile:
    """The profile of several windows together.

    Raises:
        ValueError: there is none, or they do not have the same slices and columns.
    """
    if not profiles:
        raise ValueError("no profile to add up")
    return reduce(_add, profiles)


def to_parquet(cells: pa.Table) -> bytes:
    """Counts in long form as a Parquet file; the same counts give the same bytes with the same pyarrow."""
    buffer = BytesIO()
    pq.write_table(cells.combine_chunks(), buffer, compression="zstd")
    return buffer.getvalue()


def from_parquet(stored: bytes) -> pa.Table:
    """Counts in long form, as `to_parquet` wrote them."""
    return pq.read_table(BytesIO(stored))


def _add(one: Profile, other: Profile) -> Profile:
    if one.slices != other.slices or one.counts.keys() != other.counts.keys():
        raise ValueError("profiles with different slices or columns cannot be added up")
    return Profile(one.slices, {name: one.counts[name] + other.counts[name] for name in one.counts})


def _key(dimension: pa.ChunkedArray, value: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(dimension, value, "\x1f")
