"""Scores of drift that Evidently 0.7.23 and scipy give to raw rows, computed from counts.

Every function takes `reference` and `current`, whole numbers of shape (keys, cells), each row a pair to compare
and with at least one count on either side, and returns shape (keys,). Of a number, cells are its bands from low to
high, and all its rows in a band lie on the band's midpoint. None of the packages counts nulls, so there is no null
cell here; `clean` in `benchmarks.replay_rivals` says which cells are left out.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc, ndtr, rel_entr

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

LEAST_DEVIATION = 0.001
"""Evidently divides by no smaller standard deviation than this."""


def shares(counts: Whole) -> Floats:
    """Counts as parts of their rows.

    >>> shares(np.array([[1, 3], [0, 2]])).tolist()
    [[0.25, 0.75], [0.0, 1.0]]
    """
    found: Floats = counts / counts.sum(axis=1, keepdims=True)
    return found


def jensen_shannon(reference: Floats, current: Floats, base: float | None = None) -> Floats:
    """Jensen-Shannon distance of shares: square root of half of KL(p ‖ m) + KL(q ‖ m) with m = (p + q) / 2.

    Source: `scipy.spatial.distance.jensenshannon`. Evidently takes natural logarithms, NannyML base 2; the
    greatest distance is thus 0.833 and 1.

    >>> apart = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    >>> jensen_shannon(*apart).round(3).tolist(), jensen_shannon(*apart, base=2).tolist()
    ([0.833], [1.0])
    """
    middle = (reference + current) / 2
    divergence = (rel_entr(reference, middle) + rel_entr(current, middle)).sum(axis=1) / 2
    # Between equal shares rounding leaves a little less than nothing.
    found: Floats = np.sqrt(np.maximum(divergence, 0) / (1 if base is None else np.log(base)))
    return found


def wasserstein(reference: Whole, current: Whole, middles: Floats) -> Floats:
    """Wasserstein distance in standard deviations of the reference (of its population, at least 0.001).

    Source: `evidently.legacy.calculations.stattests.wasserstein_distance_norm`, which divides
    `scipy.stats.wasserstein_distance` (the area between both cumulative shares) by `numpy.std` of the reference.

    Args:
        middles: midpoints of the bands, rising, shape (cells,).

    >>> wasserstein(np.array([[1, 1]]), np.array([[0, 4]]), np.array([-1.0, 1.0])).tolist()
    [1.0]
    """
    usual = shares(reference)
    apart = np.abs(np.cumsum(usual - shares(current), axis=1))[:, :-1] @ np.diff(middles)
    mean = usual @ middles
    deviation = np.sqrt((usual * (middles - mean[:, None]) ** 2).sum(axis=1))
    found: Floats = apart / np.maximum(deviation, LEAST_DEVIATION)
    return found


def psi(reference: Whole, current: Whole) -> Floats:
    """Population stability index: sum of (p - q) ln(p / q) over cells that either side has rows in.

    Source: `evidently.legacy.calculations.stattests.psi`. A share of nothing is replaced, on each side by
    itself: by a millionth of that side's smallest share if that is at most 0.0001, else by 0.0001. Evidently
    bins numbers of more than 20 distinct values anew; these cells stay as they are.

    >>> psi(np.array([[50, 50, 0]]), np.array([[80, 20, 0]])).round(4).tolist()
    [0.4159]
    """
    present = reference + current > 0
    usual, now = _without_zeros(shares(reference)), _without_zeros(shares(current))
    found: Floats = np.where(present, (usual - now) * np.log(usual / now), 0).sum(axis=1)
    return found


def _without_zeros(parts: Floats) -> Floats:
    smallest = np.where(parts > 0, parts, np.inf).min(axis=1, keepdims=True)
    instead = np.where(smallest <= 0.0001, smallest / 10**6, 0.0001)
    found: Floats = np.where(parts == 0, instead, parts)
    return found


def chi_square(reference: Whole, current: Whole) -> Floats:
    """P-value of the chi-square test of one sample, the reference's shares taken for the truth.

    Source: `evidently.legacy.calculations.stattests.chisquare_stattest`. A value the reference never had makes it
    0. With a single value on both sides there is no test: NaN, which is never below a threshold.

    >>> chi_square(np.array([[500, 500]]), np.array([[60, 40]])).round(4).tolist()
    [0.0455]
    """
    present = reference + current > 0
    expected = reference * (current.sum(axis=1) / reference.sum(axis=1))[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = (current - expected) ** 2 / expected
    statistic = np.where(present, parts, 0).sum(axis=1)
    found: Floats = chdtrc(present.sum(axis=1) - 1, statistic)
    return np.where(present.sum(axis=1) > 1, found, np.nan)


def chi_square_of_two(reference: Whole, current: Whole) -> Floats:
    """P-value of the chi-square test of two samples: `scipy.stats.chi2_contingency`, with Yates' correction.

    The correction, as there, is made with two values only. A single value on both sides gives 1.

    >>> chi_square_of_two(np.array([[500, 500]]), np.array([[60, 40]])).round(4).tolist()
    [0.0715]
    """
    observed = np.stack([reference, current], axis=1).astype(np.float64)
    sides, values = observed.sum(axis=2), observed.sum(axis=1)
    expected = sides[:, :, None] * values[:, None, :] / sides.sum(axis=1)[:, None, None]
    freedom = (values > 0).sum(axis=1) - 1
    apart = np.abs(observed - expected)
    apart = apart - np.where(freedom[:, None, None] == 1, np.minimum(0.5, apart), 0)
    parts = np.divide(apart**2, expected, out=np.zeros_like(expected), where=expected > 0)
    found: Floats = np.where(freedom > 0, chdtrc(np.maximum(freedom, 1), parts.sum(axis=(1, 2))), 1.0)
    return found


def z_test(reference: Whole, current: Whole) -> Floats:
    """P-value of the z-test of the shares of the first value present, two-sided; 1 when there is only that value.

    Source: `evidently.legacy.calculations.stattests.z_stattest`. With two values it is all one which is first.

    >>> z_test(np.array([[500, 500]]), np.array([[60, 40]])).round(4).tolist()
    [0.0565]
    """
    first = ((reference + current) > 0).argmax(axis=1)
    keys = np.arange(len(first))
    rows, rows_now = reference.sum(axis=1), current.sum(axis=1)
    others, others_now = rows - reference[keys, first], rows_now - current[keys, first]
    both = (others + others_now) / (rows + rows_now)
    noise = np.sqrt(both * (1 - both) * (1 / rows + 1 / rows_now))
    apart = np.abs(others / rows - others_now / rows_now)
    z = np.divide(apart, noise, out=np.zeros_like(noise), where=noise > 0)
    found: Floats = 2 * (1 - ndtr(z))
    return found
