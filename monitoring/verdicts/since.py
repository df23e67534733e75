"""A deployment among the nights: which it has served, and what they would come to if nothing had changed with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from monitoring.verdicts.rows import Floats, Ints

Points = npt.NDArray[np.floating[Any]]


EVES = 3
"""What a deployment changed was not there on the last nights before it: neither on one, two nor three of them together."""
LEAST_BEFORE = 10
"""So many nights before that it takes to hold it against them: fewer cannot tell how alike nights are that follow."""


@dataclass(frozen=True)
class Deployed:
    """What serves tonight.

    Attributes:
        first: the first night of those in a row that it served most requests of.
        shared: nights before, on which it served some beside what was there before it.
    """

    first: date
    shared: frozenset[date] = frozenset()

    def among(self, nights: Sequence[date]) -> Began:
        """It among some nights, rising."""
        return Began(
            sum(night >= self.first for night in nights), sum(night in self.shared for night in nights)
        )


@dataclass(frozen=True)
class Began:
    """A deployment that is new among the nights.

    Attributes:
        nights: how many of the last ones it has served.
        shared: how many before these it shared with what was there before it.
    """

    nights: int = 0
    shared: int = 0


def mixture(
    values: Points, weight: Points, there: Points, kind: Ints, wanted: Points, of_kind: Ints
) -> tuple[Floats, Floats]:
    """What the last nights would come to if they were as the nights before them: kind by kind, as often as each is met.

    A kind that no night before is of counts as all of them.

    Args:
        values: what adds up over nights, shape (rows, nights, slices, length).
        weight: what it adds up to a mean by (requests, or 1 a night), shape (rows, nights, slices).
        there: 1 for a night before that counts, else 0; same shape.
        kind: shape (nights,).
        wanted: weights of the nights that are looked at, shape (rows, these nights, slices).
        of_kind: their kinds, shape (these nights,).

    Returns:
        The mean, shape (rows, slices, length), and how many nights it is as good as, shape (rows, slices); 0 if none.
    """
    everything, nights = _mean(values, weight, there), there.sum(axis=1)
    total = np.maximum(wanted.sum(axis=1), 1e-300)
    mean, blur = np.zeros(everything.shape), np.zeros(total.shape)
    for each in np.unique(of_kind):
        own = kind == each
        many = there[:, own].sum(axis=1)
        part = wanted[:, of_kind == each].sum(axis=1) / total
        found = np.where(
            (many > 0)[..., np.newaxis], _mean(values[:, own], weight[:, own], there[:, own]), everything
        )
        mean += part[..., np.newaxis] * found
        blur += part**2 / np.maximum(np.where(many > 0, many, nights), 1)
    known = (nights > 0) & (blur > 0)
    return mean, np.where(known, 1 / np.where(known, blur, 1.0), 0.0)


def _mean(values: Points, weight: Points, there: Points) -> Floats:
    total = (weight * there).sum(axis=1, dtype=np.float64)[..., np.newaxis]
    # not a product of the size of all nights: of a thousand features in two hundred slices that is a gigabyte
    added: Floats = np.einsum("rnsl,rns->rsl", values, there, dtype=np.float64, casting="unsafe")
    return np.where(total > 0, added / np.maximum(total, 1e-300), 0.0)


def already(since: Points, eves: Sequence[Points]) -> Floats:
    """How much of a change was there before the deployment: 0 if nothing, 1 if all of it, of its last nights the most.

    With u what the nights since differ by from those before, and e what the eves do, it is ⟨e, u⟩/⟨u, u⟩.

    Args:
        since: differences of points, shape (rows, slices, length).
        eves: the same of the last night before, of the last two and so on; NaN where unknown.

    Returns:
        Shape (rows, slices); NaN where no eve is known, or nothing differs.
    """
    square = np.einsum("rsl,rsl->rs", since, since, dtype=np.float64)
    found = np.full(square.shape, np.nan)
    for each in eves:
        along = np.einsum("rsl,rsl->rs", each, since, dtype=np.float64)
        found = np.fmax(found, np.divide(along, square, out=np.full(square.shape, np.nan), where=square > 0))
    return found


def harmonic(size: Floats) -> Floats:
    """Requests of two nights as one size: what chance adds to their difference goes by its inverse.

    Args:
        size: shape (rows, 2, slices), or of one night alone.

    Returns:
        Shape (rows, slices); 0 where either has none.
    """
    known = (size > 0).all(axis=1)
    return np.where(known, size.shape[1] / np.maximum((1 / np.maximum(size, 1.0)).sum(axis=1), 1e-300), 0.0)
