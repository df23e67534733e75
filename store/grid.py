"""Cells: how a value becomes a number that can be counted, the same on every engine.

A grid is frozen when the first reference is made, so scores of two nights, slices or deployments compare.
Only `+ - * / floor` and comparisons are used (engines disagree on logarithms), and null, NaN, infinities,
underflow and overflow are taken out before the floor (PostgreSQL and Spark raise on `floor(1e308)`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

NULL, OTHER = "\x1fnull", "\x1fother"
"""Labels of the cells a category has beside its values; no kept value may begin with this sign."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Segment:
    """`cells` cells of equal width over `[low, high)`."""

    low: float
    high: float
    cells: int

    @property
    def width(self) -> float:
        """Width of one cell, in the feature's unit."""
        return (self.high - self.low) / self.cells


@dataclass(frozen=True)
class NumberGrid:
    """Cells of a number: a few linear segments, side by side, whose widths follow the reference.

    Cell codes run: underflow, the segments' cells from low to high, overflow, null, NaN, -infinity,
    +infinity. Values beyond the segments are counted, not binned.
    """

    segments: tuple[Segment, ...]

    def __post_init__(self) -> None:
        if not self.segments:
            raise ValueError("a grid needs at least one segment")
        if any(left.high != right.low for left, right in pairwise(self.segments)):
            raise ValueError(f"segments must meet: {self.segments}")
        if any(not (s.low < s.high and s.cells >= 1 and s.width > 0) for s in self.segments):
            raise ValueError(f"segments must rise and hold at least one cell: {self.segments}")
        if not (np.isfinite(self.edges).all() and (np.diff(self.edges) > 0).all()):
            raise ValueError(f"cells are too narrow or too wide for doubles: {self.segments}")
        if any((s.high - s.low) / s.width >= s.cells + 1 for s in self.segments):
            raise ValueError(f"cells are narrower than doubles can be divided: {self.segments}")

    @cached_property
    def edges(self) -> Floats:
        """The edges of the binned cells, rising; shape (bins + 1,)."""
        inner = [s.low + np.arange(s.cells) * s.width for s in self.segments]
        return np.concatenate([*inner, [self.segments[-1].high]])

    @property
    def bins(self) -> int:
        """How many cells lie between underflow and overflow."""
        return sum(s.cells for s in self.segments)

    @property
    def size(self) -> int:
        """How many cells there are in all."""
        return self.bins + 6

    @property
    def null(self) -> int:
        """Code of the null cell; NaN, -infinity and +infinity follow it."""
        return self.bins + 2

    @property
    def ordered(self) -> int:
        """How many leading cells have an order: underflow, bins, overflow."""
        return self.bins + 2

    @cached_property
    def midpoints(self) -> Floats:
        """What each ordered cell counts as: its middle, and the outermost edge for under- and overflow."""
        middle = (self.edges[:-1] + self.edges[1:]) / 2
        return np.concatenate([[self.edges[0]], middle, [self.edges[-1]]])

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """A name for each cell."""
        inner = [f"[{low:g}, {high:g})" for low, high in pairwise(self.edges)]
        ends = (f"< {self.edges[0]:g}", f">= {self.edges[-1]:g}")
        return (ends[0], *inner, ends[1], "null", "NaN", "-infinity", "+infinity")

    def cell(self, value: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        """The cell code of a double precision column, as an SQL expression that is never null.

        No floor is taken of anything outside the segments. NaN is above every number on every engine, so it
        falls through all the bounds.
        """
        below = sa.case((value == double("-Infinity"), self.null + 2), else_=0)
        codes = np.cumsum([1, *[s.cells for s in self.segments[:-1]]]).tolist()
        binned = [
            (value < double(s.high), _bin(value, s, code))
            for s, code in zip(self.segments, codes, strict=True)
        ]
        return sa.case(
            (value.is_(None), self.null),
            (value < double(self.segments[0].low), below),
            *binned,
            (value == double("NaN"), self.null + 1),
            (value == double("Infinity"), self.null + 3),
            else_=self.bins + 1,
        )


def _bin(value: sa.ColumnElement[Any], segment: Segment, first: int) -> sa.ColumnElement[Any]:
    steps = sa.func.floor((value - double(segment.low)) / double(segment.width))
    return sa.cast(first + steps, sa.Integer)


@dataclass(frozen=True)
class CategoryGrid:
    """Cells of a category: the reference's most frequent values, then `other`, then null.

    Attributes:
        values: the values that have a cell of their own, most frequent first.
        complete: whether these are all the values the reference had; then `other` holds unseen ones only.
    """

    values: tuple[str, ...]
    complete: bool = True

    def __post_init__(self) -> None:
        if len(set(self.values)) < len(self.values):
            raise ValueError(f"a value has two cells: {sorted(self.values)}")
        if any(value.startswith("\x1f") for value in self.values):
            raise ValueError(f"a value begins with the sign of ronda's own labels: {self.values}")

    @property
    def size(self) -> int:
        """How many cells there are in all."""
        return len(self.values) + 2

    @property
    def other(self) -> int:
        """Code of the cell for every value without a cell of its own."""
        return len(self.values)

    @property
    def null(self) -> int:
        """Code of the null cell."""
        return len(self.values) + 1

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """A name for each cell, no two the same: a value may itself be the word `null`.

        >>> CategoryGrid(("red", "null")).labels
        ('red', 'null', 'unseen', '(null)')
        """
        rest = "unseen" if self.complete else "other"
        return (*self.values, _free(rest, self.values), _free("null", self.values))

    @property
    def own_labels(self) -> dict[str, str]:
        """The labels of the two cells that are no value -> what they are: `unseen` or `other`, and `null`.

        >>> CategoryGrid(("red", "null")).own_labels
        {'unseen': 'unseen', '(null)': 'null'}
        """
        return {
            self.labels[self.other]: "unseen" if self.complete else "other",
            self.labels[self.null]: "null",
        }

    @cached_property
    def codes(self) -> dict[str, int]:
        """Cell label in SQL -> cell code."""
        return {label: code for code, label in enumerate((*self.values, OTHER, NULL))}

    def cell(self, value: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        """The cell label of a text column, as an SQL expression that is never null."""
        known = value.in_(self.values) if self.values else sa.false()
        return sa.case((value.is_(None), NULL), (known, value), else_=OTHER)


Grid = NumberGrid | CategoryGrid


def _free(word: str, taken: tuple[str, ...]) -> str:
    while word in taken:
        word = f"({word})"
    return word


def double(number: float | str) -> sa.ColumnElement[float]:
    """A double precision literal that every engine reads to the same 64 bits."""
    return sa.cast(
        sa.literal(number if isinstance(number, str) else repr(float(number)), sa.String), sa.Double
    )


def grid_to_plain(grid: Grid) -> dict[str, Any]:
    """A grid as plain data for canonical JSON."""
    if isinstance(grid, CategoryGrid):
        return {"kind": "category", "values": list(grid.values), "complete": grid.complete}
    return {"kind": "number", "segments": [[s.low, s.high, s.cells] for s in grid.segments]}


def grid_from_plain(plain: dict[str, Any]) -> Grid:
    """The grid that `grid_to_plain` wrote.

    >>> grid_from_plain(grid_to_plain(NumberGrid((Segment(0.0, 10.0, 5),)))).size
    11
    """
    if plain["kind"] == "category":
        return CategoryGrid(tuple(plain["values"]), bool(plain["complete"]))
    segments = tuple(Segment(float(low), float(high), int(cells)) for low, high, cells in plain["segments"])
    return NumberGrid(segments)
