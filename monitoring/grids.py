"""Choosing the grid of a feature, once, from the data its model was trained on."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from store.grid import CategoryGrid, NumberGrid, Segment

Floats = npt.NDArray[np.float64]

KNOTS = (0.0, 0.001, 0.25, 0.75, 0.95, 0.999, 1.0)
"""Quantiles of the reference at which one segment ends and the next begins; each segment costs time in every night."""
CELLS = (8, 28, 20, 16, 16, 8)
"""Cells of the segments between them: for a normal number less than 0.1 standard deviations wide, where nearly all
rows are."""
TAIL_SPANS, TAIL_CELLS = (1.0, 4.0), (16, 8)
"""Beyond the reference's range, cells widen: 16 for one more range, 8 for four more, then under- or overflow."""
LARGEST = 1e300  # a range up to the largest double cannot be divided into cells
LONG = 1e7  # longer whole numbers are binned like fractions: an edge must not be anybody's phone number
TINIEST = 1e-290  # numbers that differ by less are one number: so small a range cannot be divided into cells
KEPT_VALUES = 200
"""Categories keep this many of the reference's most frequent values; the rest share the cell `other`."""


def number_grid(values: Floats) -> NumberGrid:
    """Cells for a number: `CELLS` of equal width between each two of the reference's quantiles `KNOTS`.

    Cells are therefore narrow where the reference is dense, and widen along a heavy tail. Whole numbers get cells of whole width that
    begin half a step below, so that a cell of one value has that value as its middle.

    Args:
        values: finite and other values of the reference, in any order, shape (rows,). NaN and infinities are
            passed over; without any finite value there is one cell.

    >>> grid = number_grid(np.arange(1000.0))
    >>> grid.bins, float(grid.edges[0]), float(grid.edges[-1])
    (126, -5040.5, 6039.5)
    """
    finite = values[np.abs(values) <= LARGEST]  # NaN compares false
    if not finite.size:
        return NumberGrid((Segment(0.0, 1.0, 1),))
    whole = bool(np.all(finite == np.floor(finite)) and np.abs(finite).max() < LONG)
    knots = np.quantile(finite, KNOTS)
    if not _differ(float(knots[0]), float(knots[-1])):
        return _constant(float(knots[0]), whole=whole)
    core = _whole_segments(knots) if whole else _segments(knots)
    span = _span(core, whole=whole)
    return NumberGrid((*_tail_below(core, span), *core, *_tail_above(core, span)))


def category_grid(values: list[str], distinct: int, also: tuple[str, ...] = ()) -> CategoryGrid:
    """Cells for a category: its most frequent values, at most `KEPT_VALUES`.

    Args:
        values: the reference's values, most frequent first.
        distinct: how many different values the reference had in all.
        also: values that get a cell however rare they are, even if the reference never had them.
    """
    wanted = tuple(dict.fromkeys(also))
    most = max(KEPT_VALUES - len(wanted), 0)
    seen = (*values[:most], *(value for value in values[most:] if value in wanted))
    never = tuple(value for value in wanted if value not in seen)
    return CategoryGrid((*seen, *never), complete=distinct <= len(seen))


def _constant(value: float, *, whole: bool) -> NumberGrid:
    """A cell for the one value, so narrow that any other number leaves it, and wide cells on both sides."""
    size = abs(value) if abs(value) > TINIEST else 1.0
    half = min(5e-7 * size, 0.5) if whole else 5e-7 * size
    if size >= LONG:  # six digits of it: see LONG
        value, half = float(f"{value:.6g}"), 1e-5 * size
    core = (Segment(value - half, value + half, 1),)
    return NumberGrid((*_tail_below(core, size), *core, *_tail_above(core, size)))


def _segments(knots: Floats) -> tuple[Segment, ...]:
    reach = float(knots[-1] - knots[0])
    points = [_rounded(float(knot), reach) for knot in knots]
    segments: list[Segment] = []
    low = points[0]
    for high, cells in zip(points[1:], CELLS, strict=True):
        if not _differ(low, high):
            continue
        # many rows on one value (zeros, a full score) get a cell hardly wider than that
        heavy = points.count(low) > 1
        end = low + _narrow(low, high - low)
        segments += [Segment(low, end, 1)] * heavy
        segments.append(Segment(end if heavy else low, high, cells))
        low = high
    # cells are half-open: the largest value needs one of its own too
    return (*segments, Segment(low, low + _narrow(low, reach), 1))


def _differ(low: float, high: float) -> bool:
    return high - low > max(1e-9 * max(abs(low), abs(high)), TINIEST)


def _narrow(value: float, room: float) -> float:
    """The width of a cell for one value: a millionth of the room beside it, unless that would drown in rounding."""
    return max(1e-6 * room, 1e3 * float(np.spacing(abs(value))))


def _rounded(knot: float, reach: float) -> float:
    """A knot to six digits of its own or of the range: short numbers read better, and no edge is anybody's number."""
    size = min(abs(knot), reach)
    return round(knot, 6 - int(np.ceil(np.log10(size)))) if size > TINIEST else knot


def _whole_segments(knots: Floats) -> tuple[Segment, ...]:
    low, segments = float(np.floor(knots[0])) - 0.5, []
    for knot, most in zip(knots[1:], CELLS, strict=True):
        length = float(np.floor(knot)) + 0.5 - low
        if length < 1:
            continue
        width = max(1.0, np.ceil(length / most))
        cells = int(np.ceil(length / width))
        segments.append(Segment(low, low + cells * width, cells))
        low = segments[-1].high
    return tuple(segments) or (Segment(low, low + 1, 1),)


def _tail_above(core: tuple[Segment, ...], span: float) -> tuple[Segment, ...]:
    low = core[-1].high
    ends = [low, low + span * TAIL_SPANS[0], low + span * sum(TAIL_SPANS)]
    return tuple(Segment(a, b, cells) for (a, b), cells in zip(pairwise(ends), TAIL_CELLS, strict=True))


def _tail_below(core: tuple[Segment, ...], span: float) -> tuple[Segment, ...]:
    high = core[0].low
    ends = [high - span * sum(TAIL_SPANS), high - span * TAIL_SPANS[0], high]
    return tuple(
        Segment(a, b, cells) for (a, b), cells in zip(pairwise(ends), reversed(TAIL_CELLS), strict=True)
    )


def _span(core: tuple[Segment, ...], *, whole: bool) -> float:
    span = core[-1].high - core[0].low
    return float(np.ceil(span / TAIL_CELLS[0]) * TAIL_CELLS[0]) if whole else float(f"{span:.6g}")
