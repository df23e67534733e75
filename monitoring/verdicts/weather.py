"""Weather: nights on which all slices of a measure lie further off than usual, though nothing has changed.

Of a squared distance a part w is of the nights (the rest is chance). On a night of height h that part is h times as
large, in every slice: the square is (1 - w) + w h times what is expected of it. Heights are 1 on average. Some services
know storms, nights of heights far above 1, and a test that takes all nights for alike would page on each of them.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from monitoring.verdicts.rows import Floats, Ints

CUTS = (0.0, 0.5, 0.8, 0.95, 0.99, 1.0)
"""Quantiles between which seen heights are averaged: finer towards the roughest, where what is rare is decided."""
STORMS = 10
"""Heights that stand for all: five groups of those seen (`CUTS`), five beyond, each `BEYOND` times the one before."""
BEYOND = 6.0
"""With five such steps heights reach some 1,300 times the worst that was seen: what lies beyond hardly ever comes."""
TAIL_PART, TAIL_LEAST = 50, 5
"""The tail's index is read off the roughest fiftieth of all heights, or off five where that is fewer."""
QUIET = 0.35
"""A night's weather is read off this lower quantile of its slices: those that changed are hardly among them."""
ROUGH, ROUGH_SLICES = 0.3, 8
"""For that it takes so many slices of whose squares the nights make at least such a part."""
LEAST_SLICES, LEAST_WEIGHT = 3, 0.05
"""A night's height is known from more slices than these, and from a sum of squared parts above this."""
LEAST_HEIGHTS = 20
"""Storms are told from noise only where a unit has so many known heights."""
CALMEST = 0.05
"""Heights below it count as this one where logarithms are taken: a height of 0 says no more than a small one."""


def roughened(part: Floats, height: Floats) -> Floats:
    """How many times its expectation a square is on nights of a height: (1 - w) + w h; shapes broadcast."""
    found: Floats = 1 - part + part * height
    return found


def heights_of(relative: Floats, part: Floats, unit: Ints) -> tuple[Floats, Floats]:
    """How much rougher some nights are than others, for all slices of a measure at once.

    The height h of a night is fitted by least squares so that a slice's square is (1 - w) + w h times its expectation.
    Heights would differ by noise alone, as there are few slices: the part of their variance that noise explains is
    taken off by shrinking them towards 1, over all rows of a unit together.

    Args:
        relative: squares over what is expected of them, shape (rows, nights, slices); NaN where unknown.
        part: w, shape (rows, slices).
        unit: place in `rows.UNITS`, shape (rows,).

    Returns:
        Heights of shape (rows, nights), and which part of their variance is of storms, shape (rows, 1).
    """
    good = ~np.isnan(relative)
    weight = np.where(good, part[:, np.newaxis], 0.0)
    excess = np.where(good, relative - 1, 0.0) + weight
    below = (weight**2).sum(axis=2)
    heights = np.maximum(over((weight * excess).sum(axis=2), below, otherwise=1.0), 0.0)
    left = excess - weight * heights[..., np.newaxis]
    slices = good.sum(axis=2)
    noise = over((weight**2 * left**2).sum(axis=2), below**2) * over(slices, np.maximum(slices - 1, 0))
    shrunk, real = np.ones_like(heights), np.zeros((len(part), 1))
    for each in np.unique(unit):
        mine = unit == each
        known = (slices[mine] > LEAST_SLICES) & (below[mine] > LEAST_WEIGHT)
        if known.sum() < LEAST_HEIGHTS:
            continue
        spread = float(np.var(heights[mine][known]))
        real[mine] = max(0.0, 1 - float(noise[mine][known].mean()) / spread) if spread > 0 else 0.0
        shrunk[mine] = np.where(known, 1 + (heights[mine] - 1) * np.sqrt(real[mine]), 1.0)
    return shrunk, real


def levelled(heights: Floats, real: Floats, unit: Ints) -> tuple[Floats, Floats]:
    """Heights whose middle, not whose mean, is that of their unit; and what a row's nightly part is times for it.

    The mean of a few dozen nights hangs on whether they held a storm: a row without one would look calmer than it is.
    The mean logarithm does not, so the heavier the tail, the more a row is levelled by it.

    Args:
        heights: shape (rows, nights).
        real: as of `heights_of`, shape (rows, 1).
        unit: shape (rows,).

    Returns:
        Heights of shape (rows, nights) and factors of τ², shape (rows, 1).
    """
    factor = np.ones((len(heights), 1))
    logs = np.log(np.maximum(heights, CALMEST))
    for each in np.unique(unit):
        mine = (unit == each) & (real[:, 0] > 0)
        if mine.sum() < 2:
            continue
        rough, smooth = float(heights[mine].var()), float(logs[mine].var())
        heavy = np.clip((rough - smooth) / max(rough, 1e-9), 0.0, 1.0)
        middle = logs[mine].mean(axis=1, keepdims=True)
        factor[mine] = np.exp(heavy * (middle - middle.mean()))
    return heights / factor, factor


def tails(heights: Floats, real: Floats, unit: Ints) -> tuple[Floats, Floats]:
    """The heights that stand for those of a row's unit, and how often each is met.

    Args:
        heights: shape (rows, nights).
        real: as of `heights_of`, shape (rows, 1); where it is 0 all heights are 1.
        unit: shape (rows,).

    Returns:
        Two arrays of shape (rows, `STORMS`); weights add up to 1, and so do weights times heights.
    """
    values, often = np.ones((len(heights), STORMS)), np.full((len(heights), STORMS), 1.0 / STORMS)
    for each in np.unique(unit):
        mine = (unit == each) & (real[:, 0] > 0)
        if mine.any():
            values[mine], often[mine] = _tail(heights[mine].ravel())
    return values, often


def _tail(heights: Floats) -> tuple[Floats, Floats]:
    """A few heights that stand for many, finer towards the roughest, and some beyond all that was seen.

    Beyond it the tail is taken to fall as a power, whose index is that of the roughest (Hill, Ann. Stat. 3, 1975).
    """
    ordered = np.sort(heights)
    places = np.round(np.array(CUTS) * len(ordered)).astype(int)
    values = [
        float(ordered[min(first, len(ordered) - 1) : max(last, first + 1)].mean())
        for first, last in pairwise(places)
    ]
    often = [float(each) for each in np.diff(CUTS)]
    top = np.maximum(ordered[-max(len(ordered) // TAIL_PART, TAIL_LEAST) :], 1e-9)
    index = max((len(top) - 1) / max(float(np.log(top / top[0]).sum()), 1e-9), 1.0)
    steps = np.arange(STORMS - len(values))
    values += list(ordered[-1] * BEYOND ** steps.astype(float))
    often += list(BEYOND ** (-index * steps) / len(ordered))
    found, weight = np.array(values), np.array(often) / np.sum(often)
    return found / max(float((found * weight).sum()), 1e-9), weight


def of_several(storms: Floats, weights: Floats, nights: Floats | float) -> tuple[Floats, Floats]:
    """Heights of the mean of several nights: one storm among ordinary nights, as often as there are nights for it.

    Args:
        storms: heights of one night, shape (rows, `STORMS`).
        weights: how often each is met, same shape.
        nights: how many are summed, one number or shape (rows, 1).
    """
    order = np.argsort(-storms, axis=1)
    heights = 1 + (np.take_along_axis(storms, order, axis=1) - 1) / nights
    often = np.take_along_axis(weights, order, axis=1) * nights
    before = np.cumsum(often, axis=1) - often
    often = np.clip(np.minimum(often, 1 - before), 0.0, None)
    return heights / (heights * often).sum(axis=1, keepdims=True), often


def quiet_quantiles(calm: Floats, part: Floats, real: Floats) -> Floats:
    """The lower quantile `QUIET` of a row's squares on usual nights, over what is expected of them.

    Slices of which chance makes the most are left out.

    Args:
        calm: squares over what is expected of them, storms taken out; shape (rows, nights, slices).
        part: w, shape (rows, slices).
        real: as of `heights_of`, shape (rows, 1).

    Returns:
        Shape (rows, 1); NaN where no storms are seen or too few slices could tell.
    """
    found = np.full((len(calm), 1), np.nan)
    for row in np.flatnonzero(real[:, 0] > 0):
        rough = calm[row][:, part[row] > ROUGH]
        if rough.shape[1] >= ROUGH_SLICES and np.isfinite(rough).any():
            found[row] = np.nanquantile(rough, QUIET)
    return found


def tonight(relative: Floats, part: Floats, usual: Floats) -> Floats:
    """The height of this night itself, at least 1, read off the quieter slices.

    A storm moves every slice, a change of some slices not the quieter ones: they are held against what they usually
    are (`quiet_quantiles`).

    Args:
        relative: this night's squares over what is expected of them, shape (rows, slices).
        part: w, shape (rows, slices).
        usual: as of `quiet_quantiles`, shape (rows, 1).

    Returns:
        Shape (rows, 1); NaN where too few slices can tell.
    """
    known = (part > ROUGH) & np.isfinite(relative) & np.isfinite(usual)
    known[:, 0] = False  # all rows are the sum of the slices: what moves a large one moves them
    height = over(relative, usual, otherwise=np.nan)
    said = np.where(known, (height - 1 + part) / np.maximum(part, ROUGH), np.nan)
    found = np.full((len(part), 1), np.nan)
    for row in np.flatnonzero(known.sum(axis=1) >= ROUGH_SLICES):
        found[row] = max(float(np.nanquantile(said[row], QUIET)), 1.0)
    return found


def over(above: Floats, below: Floats | Ints, otherwise: float = 0.0) -> Floats:
    """One over the other, and `otherwise` where that is not above 0; shapes broadcast."""
    above, below = np.broadcast_arrays(above, below)
    return np.asarray(
        np.divide(above, below, out=np.full(above.shape, otherwise), where=below > 0), dtype=np.float64
    )
