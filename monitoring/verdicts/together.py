"""Features that always moved together: what moves in both on one night has one cause."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from monitoring.verdicts.rows import Flags, Floats

ALIKE = 0.8
"""From this rank correlation on, features move together."""
LEAST_NIGHTS = 14
"""Fewer nights cannot tell: of seven, one pair in thirty comes as close by chance."""
COMMON = 8
"""From so many rows on, what is common to all of them on a night, a storm, is taken out first."""


def together(squares: Floats, asked: Flags) -> Flags:
    """Which rows lay far from usual on the same nights as which others.

    Of each night's distance from nights of its kind the logarithm is taken, less the middle one of all rows on that
    night, and ranked over the nights that are known of all rows that are asked for (Spearman, "The proof and measurement
    of association between two things", Am. J. Psychol. 15, 1904).

    Args:
        squares: squared distances of past nights over all rows of the log, shape (rows, nights); NaN where a night is
            left out.
        asked: rows that are compared, shape (rows,).

    Returns:
        Shape (rows, rows), symmetric; false for a row beside itself, and wherever too few nights are known.
    """
    found = np.zeros((len(asked), len(asked)), dtype=bool)
    with np.errstate(divide="ignore"):
        far = np.log(squares)
    known = np.isfinite(far[asked]).all(axis=0)
    if asked.sum() < 2 or known.sum() < LEAST_NIGHTS:
        return found
    far = np.where(np.isfinite(far), far, np.nan)[:, known]
    some = np.isfinite(far).all(axis=1)
    if some.sum() >= COMMON:
        far = far - np.median(far[some], axis=0)
    ranks = rankdata(far[asked], axis=1)
    steady = ranks.std(axis=1) == 0
    with np.errstate(invalid="ignore", divide="ignore"):
        alike: Flags = np.asarray(np.corrcoef(ranks) >= ALIKE)
    alike[steady] = alike[:, steady] = False
    np.fill_diagonal(alike, False)
    found[np.ix_(asked, asked)] = alike
    return found
