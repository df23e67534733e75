"""The service's own variation: how far a night lies from others of its kind when nothing has changed.

For each row (measure) the expected squared distance per direction is modelled as φ/n + τ²: φ is what chance adds
(above 1 where requests come in clumps), τ² what nights differ by however many requests there are. One number would
not do, for the design effect grows with n. Each slice's own history then moves its scale away from the row's, as far
as the slices of the service are seen to differ (empirical Bayes; Smyth, "Linear models and empirical Bayes methods",
Stat. Appl. Genet. Mol. Biol. 3, 2004). Nights that are rougher than others are taken out of it (`weather`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, polygamma

from monitoring.verdicts import weather
from monitoring.verdicts.lay import WEEK
from monitoring.verdicts.rows import UNITS, Flags, Floats, Ints, Past
from monitoring.verdicts.weather import over

LEAST_PHI = {"js": 1.0, "sd": 0.3, "share": 1.0, "ratio": 0.0}
"""Smallest φ per unit: what independent rows give. Of a ratio nothing is known beforehand."""
PURE_SPREAD = {"js": 2.0, "sd": 1.2, "share": 2.0, "ratio": 2.0}
"""Squared coefficient of variation of a squared distance of chance alone, times its directions; for a Wasserstein
distance that of the squared area under a Brownian bridge."""
LEAST_SPREAD, MOST_SPREAD = 0.5, 8.0
"""Spreads are kept between half of what chance alone gives and that of a quarter of a direction: estimates from few
nights go astray."""
MOST_FREEDOM = 200.0
"""A prior counts for at most so many nights of one direction: slices are never taken for all alike."""
FEW_CASES = 5.0
"""A share of fewer cases a night says nothing of how alike slices are: most of its squares are those of zero cases."""
PRIOR_SLICES = 10.0
"""A row's own spread of the nightly part counts for half where it rests on so many slices' worth of nights."""
STEPS = 6
"""Steps of reweighted least squares: after three the line hardly moves."""
LINE_SLICES, LINE_SPREAD = 4, 0.02
"""A slope takes so many slices, and sizes that differ by so much (squared coefficient of variation of 1/n)."""


@dataclass(frozen=True)
class Variation:
    """What is fitted to nights of a bank or of a reference. Squares are per direction and without unit.

    Attributes:
        phi: φ, squared distance that chance adds, times the requests of a night; shape (rows, 1).
        tau2: τ², squared distance that usual nights differ by however many requests there are; shape (rows, 1).
        own: how many times its row's scale a slice's is, moderated; shape (rows, slices).
        spread: squared coefficient of variation of the nightly part of a square, shape (rows, 1).
        pure_spread: that of chance alone, shape (rows, 1).
        together: how many times the variance of a week's mean is that of seven independent nights, shape (rows, 1).
        season: what weeks of the reference differ by beyond that, shape (rows, 1); 0 of a bank.
        nights: nights that a slice's scale rests on, less those its centres have used up; shape (rows, slices).
        prior: d₀, what the moderation counts for in degrees of freedom, shape (rows, 1).
        storms: heights that nights of this unit are seen to have, shape (rows, `weather.STORMS`); all 1 without storms.
        storm_weights: how often each is met, adding up to 1, same shape.
        quiet: lower quantile of a usual night's squares over what is expected, shape (rows, 1); NaN without storms.
    """

    phi: Floats
    tau2: Floats
    own: Floats
    spread: Floats
    pure_spread: Floats
    together: Floats
    season: Floats
    nights: Floats
    prior: Floats
    storms: Floats
    storm_weights: Floats
    quiet: Floats


def fitted(past: Past, unit: Ints, dof: Floats) -> Variation:
    """Fit the variation of every row, and moderate it within rows of one unit.

    First φ and τ² by least squares, then the height of every night, then, with heights taken out, each slice's scale
    s, which is moderated to (d₀ + d s) / (d₀ + d), d its own degrees of freedom.

    Args:
        unit: place in `rows.UNITS`, shape (rows,).
        dof: directions of each row, shape (rows,).
    """
    scaled = past.squares / dof[:, np.newaxis, np.newaxis]
    good = ~np.isnan(scaled)
    many = good.sum(axis=1).astype(np.float64)
    inverse = np.where(good, 1 / np.maximum(past.sizes, 1.0), 0.0)
    usual_inverse = over(inverse.sum(axis=1), many)
    mean = over(np.where(good, scaled, 0.0).sum(axis=1), many)
    phi, tau2 = _line(mean, usual_inverse, many, _per_row(LEAST_PHI, unit))
    part = nightly_part(phi, tau2, usual_inverse)
    _, relative = _relative(scaled, good, _expected(phi, tau2, inverse))
    heights, real = weather.heights_of(relative, part, unit)
    heights, factor = weather.levelled(heights, real, unit)
    tau2 = tau2 * factor
    part = nightly_part(phi, tau2, usual_inverse)
    storms, storm_weights = weather.tails(heights, real, unit)
    stormy = weather.roughened(part[:, np.newaxis], heights[..., np.newaxis])
    own, calm = _relative(scaled, good, _expected(phi, tau2, inverse) * stormy)
    pure_spread = _per_row(PURE_SPREAD, unit) / dof[:, np.newaxis]
    spread = _spread(calm, good, part, pure_spread, unit)
    nights = many * (1 - 1 / np.maximum(past.alike, 2))
    freedom = nights * 2 / mixed(pure_spread, spread, part)
    prior = _prior(own, np.where(past.cases >= FEW_CASES, freedom, 0.0), unit)
    own = over(prior + freedom * own, prior + freedom, otherwise=1.0)
    together = _together(past.lagged, tau2 * own * dof[:, np.newaxis], part, unit)
    return Variation(
        phi=phi,
        tau2=tau2,
        own=own,
        spread=spread,
        pure_spread=pure_spread,
        together=together,
        season=_season(past, dof, phi, tau2 * together),
        nights=nights,
        prior=prior,
        storms=storms,
        storm_weights=storm_weights,
        quiet=weather.quiet_quantiles(calm, part, real),
    )


def nightly_part(phi: Floats, nightly: Floats, inverse: Floats) -> Floats:
    """Which part of a square is of the nights: τ² / (φ/n + τ²), between 0 and 1, and 0 where nothing is expected.

    Args:
        phi: shape (rows, 1).
        nightly: τ², broadcasts with `inverse`.
        inverse: 1/n, shape (rows, slices).
    """
    return over(nightly + 0 * inverse, phi * inverse + nightly)


def mixed(pure_spread: Floats, spread: Floats, part: Floats) -> Floats:
    """Squared coefficient of variation of a square of which `part` is of the nights.

    Both parts are taken to add up as in a square of two independent terms, of which the cross product is chance's.

    Args:
        pure_spread: of chance alone, shape (rows, 1).
        spread: of the nightly part alone, shape (rows, 1).
        part: shape (rows, slices).
    """
    found = pure_spread * (1 - part**2) + spread * part**2
    return np.asarray(np.clip(found, pure_spread * LEAST_SPREAD, MOST_SPREAD), dtype=np.float64)


def _per_row(by_unit: dict[str, float], unit: Ints) -> Floats:
    return np.array([by_unit[each] for each in UNITS])[unit][:, np.newaxis]


def _expected(phi: Floats, tau2: Floats, inverse: Floats) -> Floats:
    """φ/n + τ² of each night, shape (rows, nights, slices)."""
    found: Floats = phi[..., np.newaxis] * inverse + tau2[..., np.newaxis]
    return found


def _relative(scaled: Floats, good: Flags, expected: Floats) -> tuple[Floats, Floats]:
    """How many times its row's scale a slice's is, and squares over what is expected of that slice; NaN where unknown."""
    ratio = scaled / np.maximum(expected, 1e-300)
    own = over(np.where(good, ratio, 0.0).sum(axis=1), good.sum(axis=1))
    return own, over(ratio, own[:, np.newaxis], otherwise=np.nan)


def _line(mean: Floats, inverse: Floats, many: Floats, least: Floats) -> tuple[Floats, Floats]:
    """φ and τ² of each row by least squares over its slices, weighted by what is known of each."""
    phi, tau2 = np.broadcast_to(least, (len(mean), 1)).copy(), np.zeros((len(mean), 1))
    known = (many > 0) & (inverse > 0)
    x, y = (np.where(known, each, 0.0) for each in (inverse, mean))
    enough = known.sum(axis=1, keepdims=True) >= LINE_SLICES
    for _ in range(STEPS):
        guess = np.where(known, phi * inverse + tau2, 1.0)
        weight = np.where(known, many / np.maximum(guess, 1e-12) ** 2, 0.0)
        total = np.maximum(weight.sum(axis=1, keepdims=True), 1e-300)
        middle = (weight * x).sum(axis=1, keepdims=True) / total
        height = (weight * y).sum(axis=1, keepdims=True) / total
        spread = (weight * (x - middle) ** 2).sum(axis=1, keepdims=True)
        tilt = (weight * (x - middle) * (y - height)).sum(axis=1, keepdims=True)
        # slices of one size, or few of them, cannot tell chance from nights: chance is then as for single rows
        told = enough & (spread > LINE_SPREAD * total * middle**2)
        phi = np.where(told, np.maximum(tilt / np.maximum(spread, 1e-300), least), least)
        tau2 = np.maximum(height - phi * middle, 0.0)
        # nights that hardly differ leave all to chance
        flat = (tau2 == 0) & (middle > 0)
        phi = np.where(flat, np.maximum(height / np.maximum(middle, 1e-300), least), phi)
    return phi, tau2


def _spread(calm: Floats, good: Flags, part: Floats, pure_spread: Floats, unit: Ints) -> Floats:
    """Squared coefficient of variation of the nightly part, storms taken out: high where it has one direction.

    A row's own is moderated towards that of all rows of its unit.
    """
    many = good.sum(axis=1)
    mean = np.nansum(calm, axis=1) / np.maximum(many, 1)
    square = np.nansum((calm - mean[:, np.newaxis]) ** 2, axis=1) / np.maximum(many - 1, 1)
    seen = np.divide(square, mean**2, out=np.zeros_like(mean), where=(mean > 0) & (many > 2))
    weight = np.where(many > 2, part**2, 0.0)
    above = (weight * (seen - pure_spread * (1 - part**2))).sum(axis=1, keepdims=True)
    below = (weight * part**2).sum(axis=1, keepdims=True)
    found = np.empty_like(pure_spread)
    for each in np.unique(unit):
        mine = unit == each
        pooled = above[mine].sum() / below[mine].sum() if below[mine].sum() > 0 else 0.0
        moderated = (above[mine] + PRIOR_SLICES * pooled) / (below[mine] + PRIOR_SLICES)
        found[mine] = np.maximum(moderated, LEAST_SPREAD * pure_spread[mine])
    return found


def _prior(own: Floats, freedom: Floats, unit: Ints) -> Floats:
    """d₀ per row: how alike the scales of slices are, from the spread of their logarithms (Smyth 2004, section 6.2)."""
    found = np.full((len(own), 1), MOST_FREEDOM)
    for each in np.unique(unit):
        mine = (unit == each)[:, np.newaxis] & (freedom > 1) & (own > 0)
        if mine.sum() < 3:
            continue
        half = freedom[mine] / 2
        logs = np.log(own[mine]) - digamma(half) + np.log(half)
        left = float(np.var(logs, ddof=1) - polygamma(1, half).mean())
        found[unit == each] = MOST_FREEDOM if left <= 0 else min(2 * _inverse_trigamma(left), MOST_FREEDOM)
    return found


def _inverse_trigamma(value: float) -> float:
    """The x of which trigamma(x) is `value`, by Newton's method on 1/trigamma (Smyth 2004, appendix)."""
    x = 0.5 + 1 / value
    for _ in range(50):
        slope = float(polygamma(1, x))
        step = slope * (1 - slope / value) / float(polygamma(2, x))
        x += step
        if abs(step) < 1e-8 * x:
            break
    return x


def _together(lagged: Floats, nightly: Floats, part: Floats, unit: Ints) -> Floats:
    """1 + 2 Σ (1 - k/7) ρₖ, ρ half a row's own and half that of all rows of its unit; never below 1.

    Chance does not follow from one night to the next, so ρ is of the nightly part alone.

    Args:
        lagged: as of `Past`.
        nightly: squared distance that is of the nights, in all directions, shape (rows, slices).
        part: which part of the squares that is, shape (rows, slices): slices count by it.
    """
    weights = 1 - np.arange(1, lagged.shape[-1]) / WEEK
    sums = 2 * (lagged[..., 1:] * weights).sum(axis=-1)
    # relative to the nightly part a slice's products are as rough as 1/part
    trust = np.where(nightly > 0, part**2, 0.0)
    above = over(trust * sums, nightly).sum(axis=1)
    below = trust.sum(axis=1)
    found = np.ones(len(above))
    for each in np.unique(unit):
        mine = unit == each
        own = over(above[mine], below[mine])
        pooled = over(above[mine].sum(), below[mine].sum())
        found[mine] = 1 + (own + pooled) / 2
    return np.asarray(np.clip(found, 1.0, WEEK)[:, np.newaxis], dtype=np.float64)


def _season(past: Past, dof: Floats, phi: Floats, nightly: Floats) -> Floats:
    """What weeks of the reference differ by beyond what seven such nights would: a season, or a slow trend."""
    weeks = past.blocks.shape[1]
    if weeks < 2:
        return np.zeros_like(phi)
    good = (past.block_sizes > 0) & ~np.isnan(past.blocks)
    seen = np.where(good, past.blocks, 0) / dof[:, np.newaxis, np.newaxis] * weeks / (weeks - 1)
    usual = phi[..., np.newaxis] / np.maximum(past.block_sizes, 1) + (nightly / WEEK)[..., np.newaxis]
    more = np.where(good, seen - usual, 0).sum(axis=(1, 2)) / np.maximum(good.sum(axis=(1, 2)), 1)
    return np.asarray(np.maximum(more, 0.0)[:, np.newaxis], dtype=np.float64)
