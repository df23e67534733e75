"""What a squared distance comes to when nothing has changed, and how sure that is: what evidence is measured by."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from monitoring.verdicts import weather
from monitoring.verdicts.lay import WEEK
from monitoring.verdicts.rows import Distance, Floats
from monitoring.verdicts.variation import MOST_FREEDOM, Variation, mixed, nightly_part


@dataclass(frozen=True)
class Expected:
    """What a squared distance is held against: its mean, and how it is spread about it.

    Over its mean, a square is distributed about as F with these degrees of freedom (Satterthwaite, Biometrics
    Bulletin 2, 1946), times the height of the night.

    Attributes:
        square: mean squared distance when nothing has changed, shape (rows, slices).
        numerator: degrees of freedom of one square, shape (rows, slices): few where nights move in few directions.
        denominator: degrees of freedom of the estimated mean, shape (rows, slices).
        nightly_part: which part of the square is of the nights, shape (rows, slices).
        storms: heights of such nights, shape (rows, `weather.STORMS`).
        storm_weights: how often each is met, adding up to 1, same shape.
        height: that of this very night, shape (rows, 1); NaN where too few slices can tell, and storms have to do.
    """

    square: Floats
    numerator: Floats
    denominator: Floats
    nightly_part: Floats
    storms: Floats
    storm_weights: Floats
    height: Floats


def of_night(variation: Variation, dof: Floats, distance: Distance) -> Expected:
    """What one night is held against, beside the mean of `distance.nights` others.

    Args:
        variation: of the bank.
        dof: directions of each row, shape (rows,).
    """
    return _expected(variation, dof, distance, variation.tau2, np.ones((len(dof), 1)))


def of_week(variation: Variation, dof: Floats, distance: Distance) -> Expected:
    """What seven nights together are held against, beside the nights of the bank before them.

    Args:
        variation: of the bank; these seven nights are in it, so that rough ones raise what they are held against.
        dof: directions of each row, shape (rows,).
    """
    return of_several(variation, dof, distance, np.full((len(dof), 1), float(WEEK)))


def of_several(variation: Variation, dof: Floats, distance: Distance, nights: Floats) -> Expected:
    """What some nights together are held against, up to seven of them.

    Their mean varies no more than if nights resembled each other as much as seven in a row are seen to.

    Args:
        variation: of the bank.
        dof: directions of each row, shape (rows,).
        nights: how many are summed, at least 1; shape (rows, 1).
    """
    storms, weights = weather.of_several(variation.storms, variation.storm_weights, nights)
    nightly = variation.tau2 * np.minimum(variation.together, nights) / nights
    summed = replace(variation, storms=storms, storm_weights=weights)
    return _expected(summed, dof, distance, nightly, nights)


def of_ageing(reference: Variation, dof: Floats, distance: Distance) -> Expected:
    """What seven nights together are held against beside the reference, whose variation knows nothing of them.

    The spread of a sum's square is no less than chance's: how even the squares of single nights are, once weather is
    taken out of them, says nothing of the direction in which seven of them add up.

    Args:
        reference: its own variation, with its seasons.
        dof: directions of each row, shape (rows,).
    """
    spread = np.maximum(reference.spread, reference.pure_spread)
    return of_week(replace(reference, spread=spread), dof, distance)


def _expected(
    variation: Variation, dof: Floats, distance: Distance, nightly: Floats, nights: Floats
) -> Expected:
    """(φ/n + τ²) · own + season, times 1 + nights/M for the M nights of the other side, in all directions.

    Args:
        nightly: τ² of so many nights together, shape (rows, 1).
        nights: how many are summed on this side, shape (rows, 1); one knows no season.
    """
    season = np.where(nights > 1, variation.season, 0.0)
    inverse = 1 / np.maximum(distance.size, 1.0)
    one = (variation.phi * inverse + nightly) * variation.own + season
    part = np.where(one > 0, nightly_part(variation.phi, nightly + season, inverse), 0.0)
    numerator = 2 / mixed(variation.pure_spread, variation.spread, part)
    denominator = np.clip(variation.prior + variation.nights * numerator, 1.0, 4 * MOST_FREEDOM)
    square = one * (1 + nights / np.maximum(distance.nights, 1.0)) * dof[:, np.newaxis]
    height = weather.tonight(distance.square / np.maximum(square, 1e-300), part, variation.quiet)
    return Expected(square, numerator, denominator, part, variation.storms, variation.storm_weights, height)
