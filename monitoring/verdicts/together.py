"""Features that always moved together: what moves in both on one night has one cause."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from monitoring.verdicts.rows import Flags, Floats, Ints

ALIKE = 0.8
"""From this rank correlation on, features move together."""
LEAST_NIGHTS = 14
"""Fewer nights cannot tell: of seven, one pair in thirty comes as close by chance."""
COMMON = 8
"""So many rows of one unit it takes to tell what is common to all of them on a night: without, a storm would make pairs."""
KNOWN = 0.75
"""A row that knows fewer of the nights than this part of what the best known one does is left out."""


def together(squares: Floats, unit: Ints, asked: Flags) -> Flags:
    """Which rows lay far from usual on the same nights as which others of their unit.

    Of each night's distance from nights of its kind the logarithm is taken, less the middle one of all rows of that unit
    on that night, and ranked over the nights that are known of all rows that are compared (Spearman, "The proof and
    measurement of association between two things", Am. J. Psychol. 15, 1904).

    Args:
        squares: squared distances of past nights over all rows of the log, shape (rows, nights); NaN where a night is
            left out.
        unit: place in `rows.UNITS`, shape (rows,).
        asked: rows that are compared, shape (rows,).

    Returns:
        Shape (rows, rows), symmetric; false for a row beside itself, and wherever too little is known.
    """
    found = np.zeros((len(asked), len(asked)), dtype=bool)
    with np.errstate(divide="ignore"):
        far = np.log(squares)
    for each in np.unique(unit[asked]):
        mine = np.flatnonzero(unit == each)
        found[np.ix_(mine, mine)] = _of_one_unit(far[mine], asked[mine])
    return found


def _of_one_unit(far: Floats, asked: Flags) -> Flags:
    known = np.isfinite(far)
    nights = known.sum(axis=1)
    there = (nights >= LEAST_NIGHTS) & (nights >= KNOWN * nights.max(initial=0))
    some = asked & there
    shared = known[some].all(axis=0)
    found = np.zeros((len(far), len(far)), dtype=bool)
    if there.sum() < COMMON or some.sum() < 2 or shared.sum() < LEAST_NIGHTS:
        return found
    common = np.nanmedian(np.where(known[there], far[there], np.nan)[:, shared], axis=0)
    ranks = rankdata(far[some][:, shared] - common, axis=1)
    ranks[ranks.std(axis=1) == 0] = np.nan  # what never varied has no partner
    with np.errstate(invalid="ignore", divide="ignore"):
        alike: Flags = np.asarray(np.corrcoef(ranks) >= ALIKE)
    np.fill_diagonal(alike, val=False)
    found[np.ix_(some, some)] = alike
    return found
