"""What is done to a feature, as a matrix that moves its rows from cell to cell, and how far that moves it.

Every incident but one is linear: shares after = shares before @ matrix, whatever the night's noise was. So the
true effect follows from usual shares alone. Rows of a band count as spread evenly over it, as in the distance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.replay_records import Column, Floats
from monitoring.distances import jensen_shannon, wasserstein

FLOORS = {
    "volume": 0.2, "errors": 0.02, "latency_p95": 0.2, "outcome": 0.02, "labels_known": 0.02, "empty_answers": 0.02,
    "tokens": 0.1, "cost": 0.1, "checkout": 0.02,
}  # fmt: skip
"""The smallest change of a series worth telling; see `Series.floor`."""
FEATURE_FLOOR = 0.1
NULL_FLOOR = 0.02


def floor_of(name: str) -> float:
    """The floor of a column, of its nulls, or of a series.

    >>> floor_of("null:fare"), floor_of("fare"), floor_of("volume")
    (0.02, 0.1, 0.2)
    """
    return NULL_FLOOR if name.startswith("null:") else FLOORS.get(name, FEATURE_FLOOR)


def distance(column: Column, before: Floats, after: Floats) -> Floats:
    """True distance between shares, in the column's unit; shape (...), NaN where a number has no values at all.

    Of a number its bands alone count, of a category all cells.

    Args:
        before: shape (..., size).
        after: same.
    """
    if column.edges is None:
        return jensen_shannon(before, after)
    pad = [(0, 0)] * (before.ndim - 1) + [(1, 1)]
    bands = slice(0, column.other)
    return wasserstein(np.pad(before[..., bands], pad), np.pad(after[..., bands], pad), column.edges)


def pour(size: int, share: float, into: Sequence[int], parts: Sequence[float] | None = None) -> Floats:
    """A share of all rows goes to some cells, whatever cell they were in: nulls, defaults, bots.

    Args:
        parts: how they are divided among `into`; evenly if not given.

    >>> np.array([0.8, 0.2, 0.0]) @ pour(3, 0.5, [2])
    array([0.4, 0.1, 0.5])
    """
    target = np.zeros(size)
    target[list(into)] = 1 / len(into) if parts is None else parts
    return (1 - share) * np.eye(size) + share * target


def lean(size: int, source: Sequence[int], into: Sequence[int], share: float) -> Floats:
    """A share of the rows of some cells goes to others, divided evenly among them.

    >>> np.array([0.8, 0.2, 0.0]) @ lean(3, [1], [2], 1.0)
    array([0.8, 0. , 0.2])
    """
    matrix = np.eye(size)
    matrix[list(source)] *= 1 - share
    matrix[np.ix_(list(source), list(into))] += share / len(into)
    return matrix


def shift(edges: Floats, by: float) -> Floats:
    """Every value of a number grows by `by`; values beyond the outermost edges stay in the outermost bands.

    >>> np.array([0.5, 0.5, 0.0, 0.0]) @ shift(np.array([0.0, 1.0, 2.0]), 0.5)
    array([0.25, 0.75, 0.  , 0.  ])
    """
    bands = len(edges) - 1
    inner = np.concatenate([[-np.inf], edges[1:-1], [np.inf]])
    low, high = edges[:-1] + by, edges[1:] + by
    shared = np.minimum(high[:, None], inner[1:]) - np.maximum(low[:, None], inner[:-1])
    matrix = np.eye(bands + 2)
    matrix[:bands, :bands] = np.maximum(shared, 0) / np.diff(edges)[:, None]
    return matrix


def strength(measure: Callable[[float], float], target: float, most: float) -> float:
    """How strong a change must be for a distance to reach a target; `most` where it cannot.

    Args:
        measure: strength -> distance, rising.

    >>> round(strength(lambda x: x * x, 0.25, 1.0), 6)
    0.5
    """
    low, high = 0.0, most
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if measure(middle) < target else (low, middle)
    return high
