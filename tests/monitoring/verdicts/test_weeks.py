"""Sums of seven nights: what nights that follow one another make of them, and how they are spread."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from monitoring.verdicts import evidence, expected
from monitoring.verdicts.lay import lag_products, with_centres
from monitoring.verdicts.rows import LAGS, Floats
from nightly_counts import Setting, band_setting, numbers, setting, usual, with_all

NIGHTS, CELLS = 57, 10
SIZES = np.geomspace(200, 20_000, 10).astype(int)
AFTER = 0.6
"""Correlation of one night with the night before, where they follow one another; a week's c is 2.96 then."""
Made = Callable[..., Setting]


def followed(rng: np.random.Generator, shape: tuple[int, ...], after: float) -> Floats:
    """Normal deviations of variance 1, each night like the one before; nights are the second axis."""
    made = rng.normal(size=shape)
    for night in range(1, shape[1]):
        made[:, night] = after * made[:, night - 1] + np.sqrt(1 - after**2) * made[:, night]
    return made


def nights(seed: int, after: float, tau: float = 0.05) -> Setting:
    """Thirty features whose nights differ in all slices alike and in each by itself; the first 28 are the reference."""
    rng = np.random.default_rng(seed)
    shape = (30, NIGHTS, 1, CELLS), (30, NIGHTS, len(SIZES), CELLS)
    moved = sum(followed(rng, each, after) * tau * np.sqrt(0.5) for each in shape)
    shares = (np.sqrt(usual(rng, 30, CELLS)) + moved / 2) ** 2
    counts = rng.multinomial(
        np.broadcast_to(SIZES, shares.shape[:-1]), shares / shares.sum(-1, keepdims=True)
    )
    whole = with_all(counts)
    return setting(whole[:, 28:], None, whole[:, :28])


def number_nights(seed: int, after: float, tau: float = 0.05) -> Setting:
    """The same of normal numbers, whose mean moves by so many standard deviations."""
    rng = np.random.default_rng(seed)
    shape = (30, NIGHTS, 1), (30, NIGHTS, len(SIZES))
    means = sum(followed(rng, each, after) * tau * np.sqrt(0.5) for each in shape)
    whole = with_all(numbers(rng, means, SIZES))
    return band_setting(whole[:, 28:], whole[:, :28])


@pytest.mark.parametrize(
    ("after", "tau", "wanted"), [(AFTER, 0.05, 2.96), (AFTER, 0.02, 2.96), (0.0, 0.05, 1.0)]
)
@pytest.mark.parametrize("made", [nights, number_nights])
def test_how_alike_nights_are_is_found_again(made: Made, after: float, tau: float, wanted: float) -> None:
    """c within 12 %, though small slices are mostly chance, and centres move with their nights."""
    found = np.concatenate([made(seed, after, tau).variation.together for seed in (61, 62, 63)])

    assert found.mean() == pytest.approx(wanted, rel=0.12)


@pytest.mark.parametrize("after", [AFTER, 0.0])
@pytest.mark.parametrize(("made_by", "most"), [(nights, 0.025), (number_nights, 0.04)])
def test_unchanged_weeks_are_as_rare_as_they_say(made_by: Made, most: float, after: float) -> None:
    """Against the bank and the reference, over all rows and in slices, p < 0.01 comes in no more than 2.5 %; of numbers 4 %."""
    rare: dict[str, list[Floats]] = {"week": [], "ageing": []}
    for seed in range(71, 83):
        made = made_by(seed, after)
        rows, dof = made.rows, made.rows.dof
        for name, distance, held in (
            ("week", rows.week, expected.of_week(made.variation, dof, rows.week)),
            ("ageing", rows.ageing, expected.of_ageing(made.reference, dof, rows.ageing)),
        ):
            rare[name].append(evidence.chance_of(distance, held, np.zeros_like(held.square)) < 0.01)
    for name, found in rare.items():
        assert np.mean([each[:, 0] for each in found]) <= most, name
        assert np.mean([each[:, 1:] for each in found]) <= most, name


def test_a_sum_has_no_more_directions_than_chance() -> None:
    """Where nights in a row are even once weather is out, a week against the reference is still spread as chance is."""
    made = nights(64, 0.0)
    dof = made.rows.dof[:, np.newaxis]

    assert (made.reference.spread < made.reference.pure_spread).any()
    assert (expected.of_ageing(made.reference, made.rows.dof, made.rows.ageing).numerator <= dof + 1e-9).all()


@pytest.mark.parametrize("weeks", [4, 8])
def test_what_centres_take_is_given_back(weeks: int) -> None:
    """Of weekdays' centres, a quarter or an eighth of a night's square is missing in residuals, less than a tenth after."""
    kind = np.tile(np.arange(7), weeks)
    rng = np.random.default_rng(65)
    made = followed(rng, (4000, 7 * weeks + 40, 1, 1), AFTER)[:, 40:].astype(np.float64)
    means = made.reshape(4000, weeks, 7).mean(axis=1)
    residual = (made[..., 0, 0] - means[:, kind])[..., np.newaxis, np.newaxis]

    products = lag_products(residual, np.ones(made.shape[:3]))
    found = with_centres(products, kind).mean(axis=(0, 1))

    true = AFTER ** np.arange(1 + LAGS)
    np.testing.assert_allclose(found, true, atol=0.1)
    assert np.abs(products.mean(axis=(0, 1)) - true).max() > (0.25 if weeks == 4 else 0.12)


def test_a_lag_without_a_pair_is_zero() -> None:
    """Three nights have no pair four nights apart, and no night has none at all."""
    products = lag_products(np.ones((1, 3, 2, 1)), np.ones((1, 3, 2)))

    assert products[0, 0].tolist() == [1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    assert np.isfinite(with_centres(products, np.zeros(3, dtype=np.int64))).all()
    none = with_centres(lag_products(np.ones((1, 0, 2, 1)), np.ones((1, 0, 2))), np.zeros(0, dtype=np.int64))
    assert (none == 0).all()
