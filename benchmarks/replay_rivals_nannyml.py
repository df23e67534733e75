"""NannyML's univariate drift, by the rule of its version 0.13.1, computed from the counts of one column in one slice.

Source: `nannyml.drift.univariate.methods` (Jensen-Shannon for numbers and for categories, its default for both),
`nannyml.thresholds.StandardDeviationThreshold` and `DEFAULT_THRESHOLDS` in `nannyml.drift.univariate.calculator`.
A chunk is one night. The package itself is no dependency: it asks for an older python-dateutil, and brings
clients of two clouds and a library of boosted trees.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmarks.replay_rivals_scores import jensen_shannon

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

DEVIATIONS = 3


def distances(counts: Whole, reference: range, middles: Floats | None) -> Floats:
    """Each night's Jensen-Shannon distance (base 2) from the pooled reference; NaN for a night without rows.

    A number is binned anew, by Doane's rule on the reference's rows. A category's values are those of the
    reference. Rows outside of these count as one value more, which the reference never had.

    Args:
        counts: shape (nights, cells), nulls left out, and of numbers what is not finite.
        middles: midpoints of a number's bands, rising, shape (cells,); None for a category.

    >>> distances(np.array([[5, 5, 0], [0, 0, 7], [0, 0, 0]]), range(1), None).tolist()
    [0.0, 1.0, nan]
    """
    found = np.full(len(counts), np.nan)
    pooled = counts[reference.start : reference.stop].sum(axis=0)
    if not pooled.any():
        return found
    places = _bins(pooled, middles)
    inside = places >= 0
    many = places.max() + 1
    binned = np.zeros((many + 1, len(counts)), dtype=np.int64)  # the last one: rows outside
    np.add.at(binned, np.where(inside, places, many), counts.T)
    rows = counts.sum(axis=1)
    usual = binned[:, reference.start : reference.stop].sum(axis=1) / pooled.sum()
    has = rows > 0
    now = (binned[:, has] / rows[has]).T
    found[has] = jensen_shannon(np.broadcast_to(usual, now.shape), now, base=2)
    return found


def limits(reference: Floats) -> tuple[float, float]:
    """Mean of the reference nights' distances, and how far above it a night must be to alert.

    The reach is 3 standard deviations (of the population). By default NannyML 0.13.1 has no lower limit for
    Jensen-Shannon, and none above: `StandardDeviationThreshold(std_lower_multiplier=None)`. NaN is left out.

    >>> limits(np.array([1.0, 3.0, np.nan]))
    (2.0, 3.0)
    """
    known = reference[~np.isnan(reference)]
    if not known.size:
        return float("nan"), float("nan")
    return float(known.mean()), float(DEVIATIONS * known.std())


def _bins(pooled: Whole, middles: Floats | None) -> npt.NDArray[np.int64]:
    """Bin of every cell, -1 for cells outside of the reference's bins."""
    present = np.flatnonzero(pooled)
    if middles is None:
        places = np.full(len(pooled), -1)
        places[present] = np.arange(len(present))
        return places
    edges = _doane(pooled[present], middles[present])
    places = np.searchsorted(edges, middles, side="right") - 1
    places[middles == edges[-1]] = len(edges) - 2  # the last bin holds its upper edge
    places[(middles < edges[0]) | (middles > edges[-1])] = -1
    return places


def _doane(counts: Whole, values: Floats) -> Floats:
    """The edges `numpy.histogram_bin_edges(rows, bins="doane")` makes of `counts` rows of each of `values`."""
    rows = int(counts.sum())
    low, high = float(values[0]), float(values[-1])
    if low == high:
        return np.array([low - 0.5, high + 0.5])
    if rows <= 2:
        return np.array([low, high])
    parts = counts / rows
    from_mean = values - parts @ values
    skew = float(parts @ (from_mean / np.sqrt(parts @ from_mean**2)) ** 3)
    noise = np.sqrt(6 * (rows - 2) / ((rows + 1) * (rows + 3)))
    width = (high - low) / (1 + np.log2(rows) + np.log2(1 + abs(skew) / noise))
    return np.linspace(low, high, int(np.ceil((high - low) / width)) + 1)
