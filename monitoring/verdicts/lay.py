"""Laying measures out as rows: the steps that all measures share, on residuals of any length.

A block holds rows of one scale. Its *points* are where each night lies on that scale, shape (rows, nights, slices,
length): the roots of a category, the cumulative shares of a number, one angle or logarithm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from monitoring.verdicts.rows import LAGS, Flags, Floats, Ints, Past
from monitoring.verdicts.since import EVES, LEAST_BEFORE, Began

Points = npt.NDArray[np.floating[Any]]
"""Of either width: counts of many cells are laid out in 32 bits, which is all their roots need."""
WEEK = 7
"""Nights that are summed, so that every weekday is in them once."""
STORM = 4.0
"""A night whose square is so many times the middle one of its week is a storm."""
RETURNS = 3
"""Steps that give back what centres have taken: of what the centres of three nights of each weekday took, four fifths or more."""


@dataclass(frozen=True)
class Bank:
    """The nights a night is compared with; the last one of the axis is the night itself.

    Attributes:
        kind: kind of each night, shape (nights,); see `kinds.kinds`.
        used: whether a row's night may be in its bank, shape (rows, nights); that of tonight does not count.
        began: the deployment that serves now; None if none is new, and 0 nights of it where these rows know none yet.
        in_a_row: whether the last two nights of the axis follow one another.
    """

    kind: Ints
    used: Flags
    began: Began | None = None
    in_a_row: bool = True

    @property
    def weeks_back(self) -> slice:
        """The nights that the last seven are compared with."""
        return slice(0, max(len(self.kind) - WEEK, 0))

    @property
    def since_nights(self) -> int:
        """How many nights there are since the deployment, if it is new and nights enough before it are there."""
        return 0 if self.began is None or self.end < LEAST_BEFORE + EVES else self.began.nights

    @property
    def since(self) -> slice:
        """The nights since the deployment."""
        return slice(len(self.kind) - self.since_nights, None)

    @property
    def end(self) -> int:
        """How many nights there are before the deployment."""
        began = self.began or Began()
        return len(self.kind) - began.nights - began.shared

    @property
    def eves(self) -> tuple[slice, ...]:
        """The last night before the deployment, the last two, and so on."""
        return tuple(slice(self.end - many, self.end) for many in range(1, EVES + 1))

    def before_it(self, size: Floats) -> npt.NDArray[np.float32]:
        """As `there`, of the nights before the deployment without its eves; none where they are too few."""
        found = self.there(size)
        found[:, self.end - EVES :] = 0.0
        return np.where(found.sum(axis=1, keepdims=True) >= LEAST_BEFORE, found, np.float32(0.0))

    def there(self, size: Floats) -> npt.NDArray[np.float32]:
        """1 for a night that is in the bank and has requests, else 0 and 0 for tonight; shape (rows, nights, slices).

        Args:
            size: requests, shape (rows, nights, slices).
        """
        found = ((size > 0) & self.used[:, :, np.newaxis]).astype(np.float32)
        found[:, -1] = 0.0
        return found


@dataclass(frozen=True)
class Laid:
    """Nights beside the mean of their kind.

    Attributes:
        residual: points less that mean, shape (rows, nights, slices, length).
        nights: of how many nights the mean is, shape (rows, nights, slices); the residual means nothing where it is 0.
        there: 1 for a night that is in such means, shape (rows, nights, slices).
        kind: shape (nights,).
    """

    residual: Points
    nights: Points
    there: Points
    kind: Ints

    def before(self) -> Laid:
        """The same without tonight."""
        return Laid(self.residual[:, :-1], self.nights[:, :-1], self.there[:, :-1], self.kind[:-1])


def laid(points: Points, there: Points, kind: Ints) -> Laid:
    """Each night less the mean of the nights of its kind that count.

    Args:
        points: shape (rows, nights, slices, length).
        there: 1 for a night that counts, else 0; shape (rows, nights, slices).
        kind: shape (nights,).
    """
    residual = np.empty_like(points)
    nights = np.zeros(points.shape[:3], dtype=np.float32)
    for each in np.unique(kind):
        own = kind == each
        mine, counted = points[:, own], there[:, own]
        many = counted.sum(axis=1)
        mean = (mine * counted[..., np.newaxis]).sum(axis=1) / np.maximum(many, 1)[..., np.newaxis]
        residual[:, own] = mine - mean[:, np.newaxis]
        nights[:, own] = many[:, np.newaxis]
    return Laid(residual, nights, there, kind)


def without_storm(squares: Points, known: Flags | None = None) -> Points:
    """Which of the last nights are added up: all but the roughest, if it is a storm beside the others.

    A night that is out of all proportion is told by itself; in a sum it would speak for a week.

    Args:
        squares: squared distance of each night from the mean of its kind, shape (rows, nights, slices).
        known: nights that have a value, same shape; all of them if it is not given. The others are no storms.

    Returns:
        1 for a night that is added, else 0; same shape.
    """
    if known is not None and not known.all():
        return _without_storm_of(squares, known)
    middle = np.median(squares, axis=1, keepdims=True)
    roughest = squares == squares.max(axis=1, keepdims=True)
    kept: Points = 1 - (roughest & (squares > STORM * middle)).astype(np.float32)
    return kept


def _without_storm_of(squares: Points, known: Flags) -> Points:
    # where no night is known it does not matter which are added: none has a request
    shown = np.where(known | ~known.any(axis=1, keepdims=True), squares, np.nan)
    # a square is unknown too where all its kind has no value; of nothing but those the middle one is none
    shown = np.where(np.isnan(shown).all(axis=1, keepdims=True), np.float32(0.0), shown)
    middle = np.nanmedian(shown, axis=1, keepdims=True)
    roughest = shown == np.nanmax(shown, axis=1, keepdims=True)
    kept: Points = 1 - (roughest & (shown > STORM * middle)).astype(np.float32)
    return kept


def past(
    nights: Laid,
    squared: Callable[[Points], Points],
    size: Floats,
    cases: Floats,
    weeks: tuple[Floats, Floats] | None = None,
) -> Past:
    """How nights differ from others of their kind.

    Args:
        nights: those of the bank or of a reference, without tonight.
        squared: squared length of residuals, their last axis gone.
        size: requests, shape (rows, nights, slices).
        cases: as of `Past`.
        weeks: squared distance of each whole week from all nights, and its requests; shapes (rows, weeks, slices).
    """
    rows, _, slices = nights.there.shape
    none = np.zeros((rows, 0, slices))
    blocks, block_sizes = weeks or (none, none)
    squares, products = squared(nights.residual), lag_products(nights.residual, nights.there)
    # a product of two nights is a sum over their length, and a square need not be: both in the unit of squares
    inner = products[..., :1]
    unit = np.divide(
        _mean_of(squares, nights.there)[..., np.newaxis], inner, out=np.ones_like(inner), where=inner > 0
    )
    return Past(
        squares=residual_squares(squares, nights.there, nights.nights),
        sizes=size,
        alike=_mean_of(nights.nights, nights.there),
        cases=cases,
        lagged=with_centres(products * unit, nights.kind),
        blocks=blocks,
        block_sizes=block_sizes,
    )


def by_week(nights: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Sums over whole weeks: of shape (rows, nights, …) to (rows, weeks, …); nights beyond them are left out."""
    rows, weeks, rest = nights.shape[0], nights.shape[1] // WEEK, nights.shape[2:]
    found: npt.NDArray[Any] = nights[:, : weeks * WEEK].reshape(rows, weeks, WEEK, *rest).sum(axis=2)
    return found


def _mean_of(values: Points, there: Points) -> Floats:
    many = there.sum(axis=1)
    found: Floats = ((values * there).sum(axis=1) / np.maximum(many, 1)).astype(np.float64)
    return found


def residual_squares(squared: Points, there: Points, nights: Points) -> Floats:
    """Squared distances of nights from their centres, as if these did not hold the night itself.

    The mean of M nights takes a share 1/M of a night's own square away, so it is divided by 1 - 1/M; a night
    that is alone of its kind, or left out, is NaN.

    Args:
        squared: squared residuals, shape (rows, nights, slices).
        there: 1 for a night that counts, same shape.
        nights: M, same shape.
    """
    good = (there > 0) & (nights > 1)
    share = 1 - 1 / np.maximum(nights, 2)
    found: Floats = np.where(good, squared / share, np.nan).astype(np.float64)
    return found


def lag_products(residuals: Points, there: Points) -> Floats:
    """How alike nights are that follow one another: the mean product of their residuals, per slice and lag.

    Args:
        residuals: shape (rows, nights, slices, length).
        there: 1 for a night that counts, shape (rows, nights, slices).

    Returns:
        For 0 to `LAGS` nights apart, shape (rows, slices, 1 + `LAGS`); 0 where a lag has no pair.
    """
    rows, nights, slices, _ = residuals.shape
    counted = residuals * there[..., np.newaxis]
    found = np.zeros((rows, slices, 1 + LAGS))
    for lag in range(min(LAGS, nights - 1) + 1):
        product = np.einsum("ftsx,ftsx->fs", counted[:, lag:], counted[:, : nights - lag])
        pairs = np.einsum("fts,fts->fs", there[:, lag:], there[:, : nights - lag])
        found[..., lag] = product / np.maximum(pairs, 1)
    return found


def with_centres(products: Floats, kind: Ints) -> Floats:
    """Mean products of nights beside their true centres, from those of residuals.

    The mean of a kind's few nights moves with them, and takes with it some of what nights have in common. What
    residuals would show of products γ is linear in them, B γ; it is undone by `RETURNS` steps γ ← γ + c - B γ, not
    solved, since of a single week nothing could be told apart.

    Args:
        products: c, as of `lag_products`.
        kind: shape (nights,).
    """
    if not len(kind):
        return products
    same = (kind[:, np.newaxis] == kind).astype(np.float64)
    less = np.eye(len(kind)) - same / same.sum(axis=1)
    apart = np.abs(np.subtract.outer(np.arange(len(kind)), np.arange(len(kind))))
    taken = np.zeros((1 + LAGS, 1 + LAGS))
    for lag in range(min(LAGS, len(kind) - 1) + 1):
        shown = less @ (apart == lag) @ less.T
        taken[:, lag] = [
            np.diagonal(shown, each).mean() if each < len(kind) else 0.0 for each in range(1 + LAGS)
        ]
    found = products
    for _ in range(RETURNS):
        found = found + products - found @ taken.T
    return found
