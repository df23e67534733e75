"""Rows of distributions: categories by the roots of their shares, numbers by the Wasserstein distance of their bands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from monitoring.verdicts.lay import (
    WEEK,
    Bank,
    Laid,
    Points,
    by_week,
    laid,
    past,
    without_storm,
)
from monitoring.verdicts.rows import NATS, UNITS, Distance, Floats, Ints, Past, Rows, Unit, unknown
from monitoring.verdicts.seasons import beside_the_wave
from monitoring.verdicts.since import already, harmonic, mixture

SMOOTHING = 5.0
"""A slice counts as if so many rows more had come, spread as they are over all rows: near-empty cells of small slices
would otherwise pass for change."""
Counts = npt.NDArray[Any]
"""Whole numbers of any width."""


@dataclass(frozen=True)
class Scale:
    """How counts of one block become points, and differences of points a squared distance.

    Attributes:
        unit: one of `rows.UNITS`.
        dof: directions chance moves a row in, shape (rows,).
        points: counts of shape (rows, …, slices, cells) to points of shape (rows, …, slices, length).
        square: differences of points to squared distances, the last axis gone.
    """

    unit: Unit
    dof: Floats
    points: Callable[[Counts], Points]
    square: Callable[[Points], Points]


def roots(whole: Counts) -> Scale:
    """The scale of categories: 2√p, on which chance is alike for rare and frequent cells.

    A cell may be any value, `other` and null among them. Source: Freeman and Tukey, "Transformations related to the
    angular and the square root", Ann. Math. Stat. 21 (1950).

    Args:
        whole: counts over all rows and many nights, shape (rows, cells), towards which small slices are smoothed.
    """
    toward = (whole / np.maximum(whole.sum(axis=-1, keepdims=True), 1)).astype(np.float32)

    def points(counts: Counts) -> Points:
        usual = np.float32(SMOOTHING) * _beside(toward, counts.ndim)
        total = counts.sum(axis=-1, keepdims=True, dtype=np.float32) + np.float32(SMOOTHING)
        found: Points = 2 * np.sqrt((counts + usual) / total)
        return found

    def square(difference: Points) -> Points:
        return np.asarray(np.einsum("...k,...k->...", difference, difference))

    return Scale("js", np.maximum((whole > 0).sum(axis=1) - 1, 1).astype(np.float64), points, square)


def bands(widths: Floats) -> Scale:
    """The scale of numbers: how far the mean row has to move, in standard deviations of the reference.

    That is the Wasserstein distance, the integral of the gap between both cumulative shares. It is taken by the
    trapezoid rule over the ordered bands. Where the gap changes its sign inside a band that is a little more than the
    exact distance.

    Args:
        widths: what the gap at the upper edge of each band but the last counts for: half the widths of both bands
            beside it, in standard deviations of the reference, shape (rows, bands - 1).
    """
    stretch = widths.astype(np.float32)

    def points(counts: Counts) -> Points:
        running = np.cumsum(counts[..., :-1], axis=-1, dtype=np.float32)
        total = counts.sum(axis=-1, dtype=np.float32)[..., np.newaxis]
        found: Points = running / np.maximum(total, 1) * _beside(stretch, counts.ndim)
        return found

    def square(difference: Points) -> Points:
        return np.asarray(np.abs(difference).sum(axis=-1) ** 2)

    return Scale("sd", np.ones(len(widths)), points, square)


def of_counts(scale: Scale, counts: Counts, reference: Counts, weeks: int, bank: Bank, floor: Floats) -> Rows:
    """Rows of one block of distributions.

    Args:
        counts: shape (rows, nights, slices, cells), tonight last, all rows the first slice; cells that a row does
            not have are 0.
        reference: all nights of the reference together, shape (rows, slices, cells).
        weeks: how many weeks the reference is.
        floor: in the unit of the scale, shape (rows,).
    """
    size = counts.sum(axis=-1).astype(np.float64)
    rows, _, slices = size.shape
    there = bank.there(size)
    nights = laid(scale.points(counts), there, bank.kind)
    back = bank.weeks_back
    added = without_storm(scale.square(nights.residual[:, -WEEK:]))
    last = np.where(added[..., np.newaxis] > 0, counts[:, -WEEK:], 0).sum(axis=1)
    before = np.where(there[:, back, :, np.newaxis] > 0, counts[:, back], 0).sum(axis=1)
    deployment, eves = _deployed(scale, counts, size, nights, bank)
    return Rows(
        unit=np.full(rows, UNITS.index(scale.unit)),
        dof=scale.dof,
        floor=floor,
        level=np.zeros((rows, slices)),
        tonight=_distance(scale, nights.residual[:, -1], size[:, -1], nights.nights[:, -1]),
        week=_between(scale, last, before, there[:, back].sum(axis=1)),
        ageing=_between(scale, last, reference, np.full((rows, slices), float(max(weeks, 1) * WEEK))),
        last_night=_last_night(scale, counts[:, -2:], size[:, -2:], bank.in_a_row),
        deployment=deployment,
        eves=eves,
        since=np.full(rows, bank.since_nights, dtype=np.float64),
        past=past(nights.before(), scale.square, size[:, :-1], np.full((rows, slices), np.inf)),
    )


def past_of_counts(scale: Scale, counts: Counts, kind: Ints, year: Counts | None = None) -> Past:
    """How the reference's own nights differ, and its weeks.

    Args:
        counts: nights of the reference, shape (rows, nights, slices, cells).
        kind: shape (nights,).
        year: where these are of one season, all nights of the year that it is of: its weeks are what differs.
    """
    size = counts.sum(axis=-1).astype(np.float64)
    rows, _, slices = size.shape
    whole = scale.points(counts.sum(axis=1))
    weeks = by_week(counts if year is None else year)
    points = scale.points(weeks)
    left = points - whole[:, np.newaxis] if year is None else beside_the_wave(points)
    blocks = scale.square(left).astype(np.float64)
    nights = laid(scale.points(counts), (size > 0).astype(np.float32), kind)
    cases = np.full((rows, slices), np.inf)
    return past(nights, scale.square, size, cases, (blocks, weeks.sum(axis=-1).astype(np.float64)))


def _last_night(scale: Scale, counts: Counts, size: Floats, in_a_row: bool) -> Distance:
    points = scale.points(counts)
    known = (size > 0).all(axis=1) & (size.shape[1] > 1) & in_a_row
    return _distance(scale, points[:, -1] - points[:, 0], harmonic(size), known.astype(np.float64))


def _deployed(
    scale: Scale, counts: Counts, size: Floats, nights: Laid, bank: Bank
) -> tuple[Distance | None, Floats | None]:
    """The nights since a deployment beside the bank before it, and how much of that its eves already show."""
    if bank.began is None:
        return None, None
    if not bank.since_nights:
        return unknown(size[:, 0].shape), np.full(size[:, 0].shape, np.nan)
    there, since = bank.before_it(size), bank.since
    # of as many rows as those nights had, so that small slices are smoothed by as much as they deserve
    total = (size * there).sum(axis=1)[..., np.newaxis]

    def beside(span: slice, added: Points) -> tuple[Counts, Floats, Floats]:
        now = np.where(added[..., np.newaxis] > 0, counts[:, span], 0).sum(axis=1)
        usual, many = mixture(counts, size, there, bank.kind, size[:, span] * added, bank.kind[span])
        return now, usual * total, many

    now, usual, many = beside(since, without_storm(scale.square(nights.residual[:, since])))
    eves = []
    for span in bank.eves:
        eve, as_usual, _ = beside(span, np.ones_like(size[:, span]))
        known = (eve.sum(axis=-1) > 0)[..., np.newaxis]
        eves.append(np.where(known, scale.points(eve) - scale.points(as_usual), np.nan))
    return _between(scale, now, usual, many), already(scale.points(now) - scale.points(usual), eves)


def _between(scale: Scale, current: Counts, other: Counts, nights: Points) -> Distance:
    difference = scale.points(current) - scale.points(other)
    known = np.where(other.sum(axis=-1) > 0, nights, 0)
    return _distance(scale, difference, current.sum(axis=-1).astype(np.float64), known)


def _distance(scale: Scale, difference: Points, size: Floats, nights: Points) -> Distance:
    squared = np.where((size > 0) & (nights > 0), scale.square(difference), np.nan).astype(np.float64)
    effect = np.sqrt(squared / NATS) if scale.unit == "js" else np.sqrt(squared)
    # a number whose rows lie further up has less below every edge
    up = difference.sum(axis=-1) < 0 if scale.unit == "sd" else np.zeros(squared.shape, dtype=bool)
    none = np.zeros(squared.shape)
    return Distance(squared, effect, up, size, nights.astype(np.float64), none, none, none)


def _beside(per_row: Points, axes: int) -> Points:
    """Of shape (rows, length) to one that broadcasts with so many axes."""
    return per_row.reshape(len(per_row), *(1,) * (axes - 2), per_row.shape[1])
