"""How sure: the probability of a distance when nothing worth telling has changed, and what could have been seen."""

from __future__ import annotations

import warnings

import numpy as np
from scipy import special, stats

from monitoring.verdicts.expected import Expected
from monitoring.verdicts.rows import Distance, Flags, Floats, Ints, effect_of, square_of
from monitoring.verdicts.weather import STORMS, roughened

POWER = 0.6745
"""Normal quantile of how often a change must be seen to count as visible: on three nights of four, so that two of
three see it."""
LEAST_ROOT = 1e-4
"""Nearer to the mean of two shares' difference than this, in standard deviations, the tail is one half."""
LEAST_HEIGHT = 1e-9
"""Keeps divisions by the height of a night defined, where that is 0."""
MOST_SHIFT = 1e6
"""Noncentrality is cut here: so far out every probability that matters is 0."""


def chance_of(distance: Distance, expected: Expected, null: Floats) -> Floats:
    """Probability of such a distance or a larger one when the true squared distance is `null`.

    The square over its expectation is taken as noncentral F with λ = k₁ · null / expected, k₁ and k₂ the degrees of
    freedom. Where the night's height is known, both are divided by it; else the tail is the mean over the heights
    that nights have, each as often as it is met.

    Args:
        null: squared distance, shape (rows, slices).

    Returns:
        Shape (rows, slices); 1 where the distance is not beyond the null at all, NaN where it is unknown.
    """
    known = np.isfinite(distance.square) & (expected.square > 0)
    safe = np.where(known, expected.square, 1.0)
    ratio = np.where(known, distance.square, np.nan) / safe
    shift = np.minimum(expected.numerator * null / safe, MOST_SHIFT)
    # only what is beyond the null at all can be evidence: elsewhere the probability is not small, and not needed
    far = known & ((ratio > 1 + shift / expected.numerator) | (shift <= 0))
    told = far & _told(expected)
    blind = far & ~told
    found = np.where(known, 1.0, np.nan)
    found[told] = _tail(ratio, expected, shift, expected.height, told)
    total = np.zeros(int(blind.sum()))
    for n in range(STORMS):
        storm = expected.storms[:, n : n + 1]
        often = np.broadcast_to(expected.storm_weights[:, n : n + 1], blind.shape)[blind]
        total += often * _tail(ratio, expected, shift, storm, blind)
    found[blind] = total
    return np.minimum(found, 1.0)


def _told(expected: Expected) -> Flags:
    """Where the night's own height is known: not over all rows, which it is not read off."""
    found = np.isfinite(expected.height) & np.ones(expected.square.shape, dtype=bool)
    found[:, 0] = False
    return found


def _tail(ratio: Floats, expected: Expected, shift: Floats, height: Floats, where: Flags) -> Floats:
    """Upper tail of F or noncentral F on a night of such a height, of the keys in `where` only."""
    rough = np.maximum(roughened(expected.nightly_part, height)[where], LEAST_HEIGHT)
    return beyond(
        ratio[where] / rough, expected.numerator[where], expected.denominator[where], shift[where] / rough
    )


def beyond(ratio: Floats, numerator: Floats, denominator: Floats, shift: Floats) -> Floats:
    """Upper tail of noncentral F at `ratio`, and of F where nothing is shifted; all of one shape (keys,).

    Args:
        ratio: a square over its mean when nothing is shifted.
        numerator: degrees of freedom.
        denominator: degrees of freedom.
        shift: noncentrality λ.
    """
    found = np.asarray(special.fdtrc(numerator, denominator, ratio), dtype=np.float64)
    moved = shift > 0
    found[moved] = _noncentral(ratio[moved], numerator[moved], denominator[moved], shift[moved])
    return found


def _noncentral(ratio: Floats, numerator: Floats, denominator: Floats, shift: Floats) -> Floats:
    with warnings.catch_warnings():
        # SciPy says so where a probability is 0 to all digits, and gives that 0
        warnings.filterwarnings("ignore", "Error in function cdf", RuntimeWarning)
        return np.asarray(stats.ncf.sf(ratio, numerator, denominator, shift), dtype=np.float64)


def chance_of_few(distance: Distance, clumps: Floats, moved: Floats) -> Floats:
    """The same for a share of a few cases, from their number: no angle makes three of fifty normal.

    Of x cases in n requests tonight and y in m before, counted in clumps, the share of either side has an exact
    confidence distribution: from below Gamma(x)/n, from above Gamma(y + 1)/m (Garwood, Biometrika 28, 1936). Their
    chance is melded (Fay, Proschan and Brittain, Biometrics 71, 2015): that tonight's lower one is no more than
    `moved` above the other's upper one; both directions. With `moved` 0 that is the conditional binomial test
    (Przyborowski and Wilenski, Biometrika 31, 1940). That one is blind to a share before which is surely tiny.

    Args:
        distance: of shares, with their numerators and denominators.
        clumps: requests that come together on average, at least 1; shape (rows, 1).
        moved: by how much the share may rise or fall without being worth telling, shape (rows, slices).

    Returns:
        Shape (rows, slices); 1 where neither side has a case.
    """
    now, other = ((distance.part, distance.size), (distance.other_part, distance.other_size))
    (x, n), (y, m) = ((part / clumps, size / clumps) for part, size in (now, other))
    chance = 2 * np.minimum(_above(x, n, y, m, moved), _above(y, m, x, n, moved))
    return np.asarray(np.minimum(chance, 1.0), dtype=np.float64)


def _above(x: Floats, n: Floats, y: Floats, m: Floats, moved: Floats) -> Floats:
    """Probability that Gamma(x)/n - Gamma(y + 1)/m is `moved` or less; 1 where its mean is.

    By the saddlepoint t, which is the root of a quadratic here (Lugannani and Rice, Adv. Appl. Prob. 12, 1980): within
    7 % of the exact one, however small it is.
    """
    found = np.ones(x.shape)
    far = (x > 0) & (n > 0) & (m > 0)
    far[far] = x[far] / n[far] > (y[far] + 1) / m[far] + moved[far]
    x, n, y, m, moved = (each[far] for each in (x, n, y + 1, m, moved))
    linear, constant = x + y - moved * (n - m), x * m - y * n - moved * n * m
    t = -2 * constant / (linear + np.sqrt(linear**2 - 4 * moved * constant))
    power = t * moved + x * np.log1p(-t / n) + y * np.log1p(t / m)
    w = -np.sqrt(2 * np.maximum(power, 0.0))
    v = t * np.sqrt(x / (n - t) ** 2 + y / (m + t) ** 2)
    # next to the mean both are 0, and so is their difference
    unlike = np.where(w < -LEAST_ROOT, 1 / np.minimum(w, -LEAST_ROOT) - 1 / np.minimum(v, -LEAST_ROOT), 0.0)
    found[far] = np.clip(special.ndtr(w) + np.exp(-(w**2) / 2) / np.sqrt(2 * np.pi) * unlike, 0.0, 1.0)
    return found


def without_chance(distance: Distance, expected: Expected) -> Floats:
    """The effect less what chance adds to it: that of square - expected; NaN where it is unknown.

    Raw distances of small slices are far above 0 when nothing has changed. Effects are taken as growing with the root
    of the square, so the effect is multiplied by √(1 - expected/square), or 0 where that is negative.

    Returns:
        In the row's unit, shape (rows, slices).
    """
    left = np.maximum(distance.square - expected.square, 0.0)
    share = np.divide(left, distance.square, out=np.zeros_like(left), where=distance.square > 0)
    return np.where(np.isnan(distance.square), np.nan, distance.effect * np.sqrt(share))


def visible(
    distance: Distance,
    expected: Expected,
    floor: Floats,
    unit: Ints,
    level: Floats,
    alpha: Floats,
    *,
    at: float,
) -> Floats:
    """The smallest true effect that three nights of four would show, in the row's unit.

    It must pass both gates: be told from `at` times the floor with evidence `alpha`, and exceed the floor after
    chance was taken off. The noncentral F is taken as a scaled central one (Patnaik, Biometrika 36, 1949), and the
    root of a square as normal with variance 1 in units of `expected / numerator`.

    Args:
        floor: smallest effect worth telling, shape (rows, 1).
        unit: place in `rows.UNITS`, shape (rows, 1).
        level: as of `Rows`, shape (rows, slices).
        alpha: evidence a single test needs, shape (rows, slices).
        at: what evidence is held against, as a share of the floor.

    Returns:
        Shape (rows, slices); NaN where a side is unknown or nothing is expected to vary.
    """
    known = (expected.square > 0) & (distance.nights > 0) & (distance.size > 0)
    one = np.where(known, expected.square, np.nan) / expected.numerator
    shift = np.minimum(square_of(at * floor, unit, level) / one, MOST_SHIFT)
    limit = _limit(expected, shift, alpha)
    # variance of the ratio's root adds that of its denominator
    blur = POWER * np.sqrt(1 + limit / (2 * expected.denominator))
    needed = np.sqrt(np.maximum(limit - expected.numerator + 1, 0)) + blur
    by_evidence = effect_of(one * needed**2, unit, level)
    at_floor = np.sqrt(square_of(floor, unit, level) / one) + POWER
    by_effect = effect_of(one * at_floor**2, unit, level)
    return np.where(known, np.maximum(by_evidence, by_effect), np.nan)


def _limit(expected: Expected, shift: Floats, alpha: Floats) -> Floats:
    """From which square over `expected / numerator` on a distance is evidence.

    Of a mixture of tails each part is given its share of `alpha`, so together they keep it.
    """
    told = _told(expected)
    limit = np.empty_like(shift)
    limit[told] = _upper(expected, shift, alpha, expected.height, told)
    blind = ~told
    # without storms all heights are 1, and one stands for all
    many = 1 if bool((expected.storms == 1).all()) else STORMS
    worst = np.zeros(int(blind.sum()))
    for n in range(many):
        often = many * np.maximum(expected.storm_weights[:, n : n + 1], 1e-300)
        own = np.minimum(alpha / often, 1.0) if many > 1 else alpha
        worst = np.maximum(worst, _upper(expected, shift, own, expected.storms[:, n : n + 1], blind))
    limit[blind] = worst
    return limit


def _upper(expected: Expected, shift: Floats, alpha: Floats, height: Floats, where: Flags) -> Floats:
    """Upper quantile of the numerator's noncentral chi-square over the denominator, on nights of a height."""
    rough = roughened(expected.nightly_part, height)[where]
    top, moved = expected.numerator[where], shift[where] / np.maximum(rough, LEAST_HEIGHT)
    wide = (top + moved) ** 2 / (top + 2 * moved)
    found: Floats = (top + moved) * stats.f.isf(alpha[where], wide, expected.denominator[where]) * rough
    return found
