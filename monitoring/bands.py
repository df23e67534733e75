"""From a column's fine cells to the few bands that verdicts are computed from.

Fine cells show a distribution; to tell whether it moved, cells need rows. Bands are chosen from the reference and
kept with it, so that nights add up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from monitoring.moments import quantile, standard_deviation
from monitoring.records import Counts, Kind, Profile, Slice
from store.canonical import sha256_of
from store.grid import CategoryGrid, Grid, NumberGrid

Floats = npt.NDArray[np.float64]

CUTS = (0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.98)
"""A number's bands end near these quantiles of the reference."""
OUTER = (0.001, 0.999)
"""The outermost bands are as wide as if the reference ended here."""
COMMON = 0.005
"""Values of a category that are rarer in the reference share one band."""
MOST_VALUES = 30
"""So do those beyond so many."""


@dataclass(frozen=True)
class Bands:
    """How the cells of one column are put together.

    The last two bands are `other` (an unseen value; of a number NaN and infinities) and null.

    Attributes:
        kind: `number` where bands have an order and a width, else `category`.
        of: cell code -> band, shape (cells,).
        size: how many bands there are.
        widths: of a number, what a gap between cumulative shares at the end of each ordered band but the last counts
            for, in standard deviations of the reference; empty for a category.
    """

    column: str
    kind: Kind
    of: tuple[int, ...]
    size: int
    widths: tuple[float, ...] = ()


def bands_of(column: str, grid: Grid, counts: Counts, fine: frozenset[str] = frozenset()) -> Bands:
    """Choose the bands of a column.

    Args:
        counts: the reference's over all rows, shape (cells,).
        fine: of the column of statuses, those that are no error: they share a band, and all others another.
    """
    if isinstance(grid, CategoryGrid):
        return _statuses(column, grid, fine) if fine else _values(column, grid, counts)
    return _numbers(column, grid, counts)


def merged(bands: Bands, counts: Counts) -> npt.NDArray[np.int64]:
    """Counts of cells as counts of bands; shape (…, cells) to (…, size)."""
    out = np.zeros((*counts.shape[:-1], bands.size), dtype=np.int64)
    np.add.at(np.moveaxis(out, -1, 0), np.array(bands.of), np.moveaxis(counts, -1, 0))
    return out


def banded(layout: tuple[Bands, ...], profile: Profile) -> npt.NDArray[np.int32]:
    """A profile as one dense array: the bands of all columns side by side, a row per slice.

    A column the profile lacks is all 0.

    Returns:
        Shape (slices, sum of sizes).
    """
    parts = []
    for each in layout:
        counts = profile.counts.get(each.column)
        empty = np.zeros((len(profile.slices), each.size), dtype=np.int64)
        parts.append(empty if counts is None else merged(each, counts))
    joined = np.concatenate(parts, axis=1) if parts else np.zeros((len(profile.slices), 0), dtype=np.int64)
    return np.minimum(joined, np.iinfo(np.int32).max).astype(np.int32)


def layout_of(
    profile: Profile, grids: Mapping[str, Grid], judged: Mapping[str, Kind], status_ok: frozenset[str]
) -> tuple[Bands, ...]:
    """The bands of every column that is judged, by name, and of the statuses.

    Args:
        profile: of the reference.
        judged: column -> kind; what is not in it has no bands.
    """
    found = [bands_of(name, grids[name], profile.counts[name][0]) for name in sorted(judged) if name in grids]
    if "status" in grids:
        found.append(bands_of("status", grids["status"], profile.counts["status"][0], status_ok))
    return tuple(found)


def name_of(layout: tuple[Bands, ...], slices: Sequence[Slice]) -> str:
    """A short name for a layout and its slices: arrays of one name can be added up."""
    plain = [[each.column, each.kind, list(each.of), list(each.widths)] for each in layout]
    return sha256_of({"bands": plain, "slices": [list(each) for each in slices]})[:12]


def _numbers(column: str, grid: NumberGrid, counts: Counts) -> Bands:
    ordered = counts[: grid.ordered]
    scale = float(standard_deviation(ordered, grid.midpoints)) if ordered.sum() else 0.0
    odd = [grid.bins + 1 + n for n in range(1, 5)]  # null, NaN and both infinities
    if not scale > 0:
        return _around_home(column, grid, ordered)
    share = np.cumsum(ordered) / ordered.sum()
    ends = np.unique(np.searchsorted(share, CUTS, side="left"))
    ends = ends[ends < grid.ordered - 1]
    of = np.searchsorted(ends, np.arange(grid.ordered), side="left")
    many = len(ends) + 1
    first, last = quantile(ordered, grid.edges, np.array(OUTER))
    # the band that ends with ordered cell c ends at edge c: the first cell is what lies below the first edge
    inner = [float(grid.edges[min(int(c), len(grid.edges) - 1)]) for c in ends]
    edges = [min(float(first), inner[0]), *inner, max(float(last), inner[-1])] if inner else []
    wide = [b - a for a, b in pairwise(edges)]
    widths = tuple((a + b) / 2 / scale for a, b in pairwise(wide))
    places = [*of.tolist(), *[many + (code == grid.null) for code in odd]]
    return Bands(column, "number", tuple(int(each) for each in places), many + 2, widths)


def _around_home(column: str, grid: NumberGrid, ordered: Counts) -> Bands:
    """A number that never varied has no deviation to measure by: below, at and above its one place are three values."""
    home = int(ordered.argmax())
    of = [0 if code < home else 1 if code == home else 2 for code in range(grid.ordered)]
    return Bands(column, "category", (*of, 4, 3, 3, 3), 5)


def _values(column: str, grid: CategoryGrid, counts: Counts) -> Bands:
    total = max(int(counts.sum()), 1)
    common = [code for code in range(grid.other) if counts[code] >= COMMON * total][:MOST_VALUES]
    place = {code: n for n, code in enumerate(common)}
    rest = len(common)
    of = [place.get(code, rest) for code in range(grid.other)]
    return Bands(column, "category", (*of, rest + 1, rest + 2), rest + 3)


def _statuses(column: str, grid: CategoryGrid, fine: frozenset[str]) -> Bands:
    of = [0 if value in fine else 1 for value in grid.values]
    return Bands(column, "category", (*of, 1, 3), 4)
