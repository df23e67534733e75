"""Rows drawn from true shares, clustered, and added up to slices."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.replay_records import Counts, Floats

Ints = npt.NDArray[np.int64]


def clustered(shares: Floats, requests: Ints, phi: float, rng: np.random.Generator) -> Ints:
    """Counts whose variance within a night is phi times that of rows free of one another.

    Requests / phi groups are drawn, each of phi rows that share a fate. Group counts are scaled back to rows,
    and the running total over the cells is rounded: so a row is never lost, and no cell is off by more than one.

    Args:
        shares: shape (nights, parts, cells).
        requests: shape (nights, parts).

    Returns:
        Shape (nights, parts, cells); adds up to `requests` over the cells.
    """
    groups = np.where(requests > 0, np.maximum(np.rint(requests / phi), 1), 0).astype(np.int64)
    drawn = rng.multinomial(groups, shares)
    scale = requests / np.maximum(groups, 1)
    total = np.rint(np.cumsum(drawn, axis=-1) * scale[..., None]).astype(np.int64)
    return np.diff(total, axis=-1, prepend=0)


def in_slices(counts: npt.NDArray[Any], belongs: Floats) -> Floats:
    """Sums over the parts of each slice.

    Args:
        counts: shape (nights, parts) or (nights, parts, cells).
        belongs: shape (slices, parts).

    Returns:
        Shape (nights, slices) or (nights, slices, cells).
    """
    if counts.ndim == 2:
        return np.asarray(counts @ belongs.T, dtype=np.float64)
    return np.asarray(belongs @ counts.astype(np.float64), dtype=np.float64)


def whole_numbers(sums: Floats) -> Counts:
    """Sums of counts as whole numbers; exact, for they are far below 2 to the 53."""
    return np.rint(sums).astype(np.int32)
