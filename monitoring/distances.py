"""How far two histograms lie apart, for many slices at once.

Counts have shape (cells,) or (slices, cells); the leading shapes of two arguments broadcast, so one reference
row is compared with every slice of a night in one call. A row without any count gives NaN, quietly: nothing
is known about it. Counts of a number are those of its *ordered* cells: underflow, bins from low to high,
overflow (`NumberGrid.ordered` of them); what lies beyond the grid counts as lying on its outermost edge.
What one side's counts say by themselves is `monitoring.moments`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from monitoring.moments import divide, share, shares, standard_deviation

Floats = npt.NDArray[np.float64]
Array = npt.NDArray[Any]


def share_change(reference: Array, current: Array, cells: Sequence[int]) -> Floats:
    """By how much the share of some cells rose: of null, of one category, of the positive outcomes.

    It is share(current) - share(reference), with the sign kept. No binning error: the rows of these cells are
    known exactly.

    Args:
        reference: counts, shape (cells,) or (slices, cells); any cells, ordered or not.
        current: counts of the same cells.
        cells: codes of the cells that are added up, each once.

    Returns:
        Between -1 and 1 (0.02 is two percentage points more), shape (slices,) or (); NaN where either row has
        no counts.

    >>> share_change(np.array([90, 8, 2]), np.array([[80, 8, 12], [95, 5, 0], [0, 0, 0]]), [2]).round(4)
    array([ 0.1 , -0.02,   nan])
    """
    return np.asarray(share(current, cells) - share(reference, cells), dtype=np.float64)


def total_variation(reference: Array, current: Array) -> Floats:
    """Total variation distance: the share of rows that would have to change cells to make both sides equal.

    Half the sum of |p - q| over the shares; also the most by which the share of any set of cells changed. It
    is a metric. Source: Levin, Peres and Wilmer, "Markov Chains and Mixing Times" (2009), section 4.1.

    Args:
        reference: counts, shape (cells,) or (slices, cells); any cells, ordered or not.
        current: counts of the same cells.

    Returns:
        Between 0 and 1, shape (slices,) or (); NaN where either row has no counts. Never higher than that of
        the raw values; each cell of more than one value makes it lower by at most min(p, q) of that cell.

    >>> total_variation(np.array([50, 50, 0]), np.array([[50, 50, 0], [0, 0, 7], [25, 75, 0]]))
    array([0.  , 1.  , 0.25])
    """
    distance = np.abs(shares(reference) - shares(current)).sum(axis=-1) / 2
    return np.asarray(np.minimum(distance, 1.0), dtype=np.float64)


def jensen_shannon(reference: Array, current: Array) -> Floats:
    """Jensen-Shannon distance to base 2: 0 for equal shares, 1 for shares that never meet.

    With p, q the shares of the two rows and m = (p + q) / 2 it is
    sqrt((KL(p, m) + KL(q, m)) / 2), where KL(p, m) = sum of p log2(p / m). It is a metric, so scores of
    different nights may be compared. Source: Lin, "Divergence measures based on the Shannon entropy", IEEE
    Trans. Inf. Theory 37 (1991); Endres and Schindelin, ibid. 49 (2003), for the square root.
    To natural logarithms (SciPy's and Evidently's default) it is smaller by the factor sqrt(ln 2) = 0.8326.

    Args:
        reference: counts, shape (cells,) or (slices, cells); any cells, ordered or not.
        current: counts of the same cells.

    Returns:
        Distances without unit, shape (slices,) or (); NaN where either row has no counts.

    >>> jensen_shannon(np.array([50, 50, 0]), np.array([[50, 50, 0], [0, 0, 7], [25, 75, 0]])).round(4)
    array([0.    , 1.    , 0.2209])
    """
    p, q = shares(reference), shares(current)
    middle = (p + q) / 2
    divergence = (_divergence(p, middle) + _divergence(q, middle)) / 2
    return np.asarray(np.sqrt(np.clip(divergence, 0.0, 1.0)), dtype=np.float64)


def population_stability_index(reference: Array, current: Array) -> Floats:
    """Population stability index (PSI): sum of (p - q) ln(p / q) over the cells, natural logarithm.

    Also known as Jeffreys' divergence, KL(p, q) + KL(q, p). Source: Kullback and Leibler, "On information and
    sufficiency", Ann. Math. Stat. 22 (1951); Siddiqi, "Credit Risk Scorecards" (2006), for its use. It is no
    metric: a detour can be shorter. Without any change it is on average (K - 1) (1/n + 1/m), for K filled cells
    and n, m rows (Yurdakul, "Statistical properties of population stability index", 2018): a fixed limit such
    as 0.1 means less the fewer rows a slice has.

    Zero rule: where a cell is filled on either side, half a row is added to it on both, before the shares are
    taken; a cell empty on both sides is left out. Half a row makes ln of a count nearly unbiased (Haldane, Ann.
    Hum. Genet. 20, 1956), and counts an empty cell as the less, the more rows were looked at. Evidently 0.7
    puts the share 0.0001 in place of 0 (a millionth of the smallest share, where that is 0.0001 or less) and
    leaves other cells alone. One row in a cell that was empty then adds 0.046 at 100 rows and 0.00046 at a
    million; here 0.011 and 0.000001. It also cuts numbers into new cells every time: its scores of numbers
    are others.

    Args:
        reference: counts, shape (cells,) or (slices, cells); any cells, ordered or not.
        current: counts of the same cells.

    Returns:
        0 or more, without unit or upper bound, shape (slices,) or (); NaN where either row has no counts.
        Merging cells never makes it larger but for the half rows: coarse cells tell less.

    >>> population_stability_index(np.array([500, 500, 0]), np.array([[50, 50, 0], [490, 500, 10]])).round(4)
    array([0.    , 0.0306])
    """
    filled = (reference > 0) | (current > 0)
    p, q = _with_half_rows(reference, filled), _with_half_rows(current, filled)
    logarithm = np.log(divide(p, q, otherwise=1.0), out=np.zeros(filled.shape), where=filled)
    return np.asarray(((p - q) * logarithm).sum(axis=-1), dtype=np.float64)


def kolmogorov_smirnov(reference: Array, current: Array) -> Floats:
    """Kolmogorov-Smirnov distance of a number: the largest gap between both cumulative shares.

    max |F - G|, looked at where cells end. It is a metric, and the same in any unit of the number. Source:
    Smirnov, "Table for estimating the goodness of fit of empirical distributions", Ann. Math. Stat. 19 (1948).

    Binning error: never too high, and too low by at most the largest share of one cell, more exactly by the
    largest min(p, q) of the cells that hold more than one value. That bound is met when all rows share one cell and lie on opposite edges;
    in the cells that `monitoring.grids` chooses it is about 0.001 on smooth rows.

    Args:
        reference: counts of ordered cells, shape (cells,) or (slices, cells).
        current: counts of the same cells.

    Returns:
        Between 0 and 1, shape (slices,) or (); NaN where either row has no counts.

    >>> kolmogorov_smirnov(np.array([5, 5, 0]), np.array([[5, 5, 0], [0, 5, 5], [0, 0, 9]]))
    array([0. , 0.5, 1. ])
    """
    gap = np.cumsum(shares(reference) - shares(current), axis=-1)
    return np.asarray(np.minimum(np.abs(gap).max(axis=-1), 1.0), dtype=np.float64)


def wasserstein(reference: Array, current: Array, edges: Floats) -> Floats:
    """First Wasserstein distance of a number: how far the mean row has to move, in the number's unit.

    The integral of |F - G| over the two cumulative shares, taken exactly under the assumption that the rows
    of a cell are spread evenly over it. Source: Vallender, "Calculation of the Wasserstein distance between
    probability distributions on the line", Theory Probab. Appl. 18 (1974). `normalised_wasserstein`
    is the same without unit.

    Binning error: at most half the mean width of the cells the reference lies in, plus the same of the
    current rows. That bound is met when all rows of a cell sit on opposite edges; in practice both sides err
    alike. Rows beyond the grid add nothing for the way past its outermost edge.

    Args:
        reference: counts of ordered cells, shape (bins + 2,) or (slices, bins + 2).
        current: counts of the same cells.
        edges: rising edges of the bins, shape (bins + 1,).

    Returns:
        Shape (slices,) or (); NaN where either row has no counts.

    >>> edges = np.array([0.0, 1.0, 2.0, 3.0])
    >>> float(wasserstein(np.array([0, 10, 0, 0, 0]), np.array([0, 0, 0, 5, 0]), edges))
    2.0
    """
    # Leaving the overflow cell out gives the gap between both cumulative shares at each edge.
    gap = np.cumsum(shares(reference) - shares(current), axis=-1)[..., :-1]
    left, right = gap[..., :-1], gap[..., 1:]
    a, b = np.abs(left), np.abs(right)
    crossing = divide(a * a + b * b, 2 * (a + b))  # two triangles where the lines cross
    height = np.where(left * right < 0, crossing, (a + b) / 2)
    return np.asarray((height * np.diff(edges)).sum(axis=-1), dtype=np.float64)


def normalised_wasserstein(reference: Array, current: Array, edges: Floats, midpoints: Floats) -> Floats:
    """First Wasserstein distance over the reference's standard deviation: a distance without unit.

    `wasserstein` of both over `standard_deviation` of each reference row. A number shifted by one standard
    deviation has moved by 1. Evidently divides likewise, but by 0.001 at least. For one scale over all slices
    divide `wasserstein` by the standard deviation of all reference rows instead.

    Binning error: with W, s of the raw rows, and dW, ds the errors of `wasserstein` and `standard_deviation`,
    at most (dW + ds W / s) / s', s' the standard deviation used here. ds is at most half the root mean square
    width of the cells the reference lies in. In the cells that `monitoring.grids` chooses it is below 1 % on
    smooth rows, up to 2 % on heavy tails, and up to 4 % where a spike of equal rows moved into a wide cell.

    Args:
        reference: counts of ordered cells, shape (bins + 2,) or (slices, bins + 2).
        current: counts of the same cells.
        edges: rising edges of the bins, shape (bins + 1,).
        midpoints: what each cell counts as, shape (bins + 2,).

    Returns:
        0 or more, shape (slices,) or (); NaN where either row has no counts, or all rows of the reference lie
        in one cell.

    >>> edges, midpoints = np.array([0.0, 2.0, 4.0]), np.array([0.0, 1.0, 3.0, 4.0])
    >>> current = np.array([[0, 5, 5, 0], [0, 0, 9, 0]])
    >>> normalised_wasserstein(np.array([0, 5, 5, 0]), current, edges, midpoints)
    array([0., 1.])
    """
    return divide(wasserstein(reference, current, edges), standard_deviation(reference, midpoints))


def _with_half_rows(counts: Array, filled: npt.NDArray[np.bool_]) -> Floats:
    """Shares after half a row was added to each of the cells in `filled`; a row without counts is all NaN."""
    known = counts.any(axis=-1, keepdims=True)
    return shares(np.where(filled & known, counts + 0.5, 0.0))


def _divergence(p: Floats, middle: Floats) -> Floats:
    """Kullback-Leibler divergence to base 2; empty cells add nothing, NaN rows stay NaN."""
    ratio = divide(p, middle, otherwise=1.0)
    logarithm = np.log2(ratio, out=np.zeros_like(ratio), where=ratio != 0)
    return np.asarray((p * logarithm).sum(axis=-1), dtype=np.float64)
