"""The service's own variation: φ and τ² are found again, and unchanged nights are as rare as they should be."""

from __future__ import annotations

import numpy as np
import pytest

from monitoring.verdicts import evidence, expected
from monitoring.verdicts.rows import Floats
from monitoring.verdicts.scalars import shares
from nightly_counts import band_setting, categories, numbers, setting, usual, value_setting, with_all

SIZES = np.geomspace(100, 20_000, 20).astype(int)
NIGHTS = 29


def unchanged(unit: str, seed: int, tau2: float = 0.002) -> tuple[Floats, Floats, Floats, Floats]:
    """φ, τ², probabilities of tonight against no change at all, and those of seven nights; without all rows."""
    rng = np.random.default_rng(seed)
    if unit == "js":
        made = setting(with_all(categories(rng, usual(rng, 40), SIZES, NIGHTS, tau2)))
    elif unit == "sd":
        means = rng.normal(0, np.sqrt(tau2), (40, NIGHTS, len(SIZES)))
        made = band_setting(with_all(numbers(rng, means, SIZES)))
    else:
        level = rng.uniform(0.05, 0.4, (40, 1, 1))
        angle = 2 * np.arcsin(np.sqrt(level)) + rng.normal(0, np.sqrt(tau2), (40, NIGHTS, len(SIZES)))
        part = with_all(rng.binomial(SIZES, np.sin(angle / 2) ** 2))
        whole = with_all(np.broadcast_to(SIZES, angle.shape))
        made = value_setting(shares(part.astype(float), whole.astype(float), level[:, 0, 0]), 0.02)
    fit = made.variation
    chances = []
    for distance, of in ((made.rows.tonight, expected.of_night), (made.rows.week, expected.of_week)):
        held = of(fit, made.rows.dof, distance)
        chances.append(evidence.chance_of(distance, held, np.zeros_like(held.square))[:, 1:])
    return fit.phi, fit.tau2, chances[0], chances[1]


@pytest.mark.parametrize(
    ("unit", "phi", "tau2"), [("js", 1.0, 0.002), ("js", 1.0, 0.02), ("share", 1.0, 0.002)]
)
def test_what_nights_are_made_of_is_found_again(unit: str, phi: float, tau2: float) -> None:
    """Median φ within 20 % and τ² within 15 % of what the nights were drawn with."""
    found_phi, found_tau2, _, _ = unchanged(unit, 3, tau2)

    assert np.median(found_phi) == pytest.approx(phi, rel=0.2)
    assert np.median(found_tau2) == pytest.approx(tau2, rel=0.15)


def test_requests_in_clumps_are_told_from_nights() -> None:
    """Requests that come by threes make φ three, and leave τ² as it is."""
    rng = np.random.default_rng(4)
    fit = setting(with_all(categories(rng, usual(rng, 40), SIZES, NIGHTS, 0.002, phi=3))).variation

    assert np.median(fit.phi) == pytest.approx(3.0, rel=0.2)
    assert np.median(fit.tau2) == pytest.approx(0.002, rel=0.2)


@pytest.mark.parametrize("unit", ["js", "sd", "share"])
def test_unchanged_nights_are_as_rare_as_they_say(unit: str) -> None:
    """Of 2,400 unchanged keys the share of p < 0.05 and p < 0.01 is near nominal, and not much above it.

    Sums of seven nights leave a storm out, and so err on the safe side.
    """
    nights = [unchanged(unit, seed) for seed in (11, 12, 13)]
    for place in (2, 3):
        p = np.concatenate([night[place].ravel() for night in nights])
        assert len(p) == 2400
        assert 0.01 < (p < 0.05).mean() < 0.07, place
        assert (p < 0.01).mean() < 0.02, place


def test_scales_of_slices_are_pulled_towards_their_row() -> None:
    """Slices that differ by chance alone get scales near 1; one that is truly rougher keeps much of it."""
    rng = np.random.default_rng(5)
    tau2 = np.full((40, 1, 20, 1), 0.005)
    alike = setting(with_all(categories(rng, usual(rng, 40), np.full(20, 5000), 15, tau2))).variation
    tau2[:, :, 7] *= 9
    rough = setting(with_all(categories(rng, usual(rng, 40), np.full(20, 5000), 15, tau2))).variation

    assert np.abs(alike.own[:, 1:] - 1).mean() < 0.05
    assert 3 < np.median(rough.own[:, 8] / np.median(rough.own[:, 1:], axis=1)) < 9
    assert np.median(rough.prior) < np.median(alike.prior)


@pytest.mark.parametrize("history", [7, 14])
def test_squares_are_on_average_what_is_expected(history: int) -> None:
    """Few nights in the bank make distances larger, by as much as is expected of them: within 6 % over 2,400 keys."""
    ratios = []
    for seed in range(51, 54):
        rng = np.random.default_rng(seed)
        made = setting(with_all(categories(rng, usual(rng, 40), SIZES, history + 1)))
        held = expected.of_night(made.variation, made.rows.dof, made.rows.tonight)
        ratios.append((made.rows.tonight.square / held.square)[:, 1:].mean())

    assert np.mean(ratios) == pytest.approx(1.0, abs=0.06)
