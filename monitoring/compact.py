"""A few thousand rows that stand for a night of any size, rebuilt from counts.

Tools that want rows (Evidently) get them from here at constant cost: the rows are placed at the profile's
quantiles, categories in proportion. No row of a real request is among them, only what cells say.
"""

from __future__ import annotations

import numpy as np

from monitoring.records import Counts
from store.grid import CategoryGrid, Floats, NumberGrid

ROWS = 5000


def compact_numbers(counts: Counts, grid: NumberGrid, rows: int = ROWS) -> Floats:
    """Values with the distribution that `counts` describe, rising.

    Row i of n is the mean of what lies between the quantiles i / n and (i + 1) / n, rows spread evenly over
    their cell: so the mean is kept, and long tails far better than by the quantile in the middle. Underflow
    and overflow lie on the outermost edges. Null, NaN and infinity cells are left out: their shares are
    judged on their own. Whole numbers in cells of width 1 come out spread over them: their standard deviation
    s becomes sqrt(s² + 1/12). A profile of fewer rows gives as many as it has, so that one row never looks like
    thousands.

    Args:
        counts: counts per cell of one slice, shape (grid.size,).
        grid: the feature's cells.
        rows: how many values to give at most.

    Returns:
        Values in the feature's unit, shape (min(rows, counted rows),); empty if all cells are empty.

    >>> from store.grid import Segment
    >>> compact_numbers(np.array([0, 2, 2, 0, 9, 0, 0, 0]), NumberGrid((Segment(0.0, 2.0, 2),))).tolist()
    [0.25, 0.75, 1.25, 1.75]
    """
    ordered = counts[: grid.ordered]
    places = min(rows, int(ordered.sum()))
    if places == 0:
        return np.empty(0)
    return np.diff(_sums_below(ordered, grid, places)) * (places / int(ordered.sum()))


def _sums_below(counts: Counts, grid: NumberGrid, places: int) -> Floats:
    """Sum of the values of all rows below each of the quantiles 0, 1 / places, ..., 1."""
    low = np.concatenate([grid.edges[:1], grid.edges])
    width = np.concatenate([[0.0], np.diff(grid.edges), [0.0]])
    reached = np.cumsum(counts, dtype=np.float64)
    rows = np.arange(places + 1) / places * reached[-1]
    cell = np.searchsorted(reached, rows)
    inside = rows - (reached - counts)[cell]
    spread = width[cell] * inside / np.maximum(counts[cell], 1)  # an empty cell is met with no row inside
    sums = np.cumsum(counts * grid.midpoints) - counts * grid.midpoints
    return np.asarray(sums[cell] + inside * (low[cell] + spread / 2), dtype=np.float64)


def compact_categories(counts: Counts, grid: CategoryGrid, rows: int = ROWS) -> tuple[str, ...]:
    """Labels in the proportions that `counts` describe, one cell after the other.

    Proportions become whole rows by the largest remainder (Hamilton's method; ties go to the earlier cell),
    so every cell is within one row of its share. Values without a cell of their own appear together as
    `unseen` or `other`; null is left out, for its share is judged on its own.

    Args:
        counts: counts per cell of one slice, shape (grid.size,).
        grid: the feature's cells.
        rows: how many labels to give at most.

    Returns:
        As many labels as `rows`, or as there were rows with a value if that is fewer.

    >>> compact_categories(np.array([6, 3, 1, 50]), CategoryGrid(("car", "bike")), rows=5)
    ('car', 'car', 'car', 'bike', 'bike')
    """
    valued = counts[: grid.null]
    places = min(rows, int(valued.sum()))
    if places == 0:
        return ()
    labels = (*grid.values, _other_label(grid))
    return tuple(
        label for label, times in zip(labels, _apportion(valued, places), strict=True) for _ in range(times)
    )


def _apportion(counts: Counts, places: int) -> list[int]:
    """Whole numbers that add up to `places`, in proportion to counts: largest remainder first."""
    # In Python's integers: counts * places overflows 64 bits at 2e15 rows and rounds in doubles before.
    total = sum(counts.tolist())
    whole, rest = zip(*(divmod(count * places, total) for count in counts.tolist()), strict=True)
    given = list(whole)
    for cell in sorted(range(len(given)), key=lambda cell: -rest[cell])[: places - sum(given)]:
        given[cell] += 1
    return given


def _other_label(grid: CategoryGrid) -> str:
    """The label of the cell for all other values, told apart from a real value of the same name."""
    label = grid.labels[grid.other]
    while label in grid.values:
        label = f"({label})"
    return label
