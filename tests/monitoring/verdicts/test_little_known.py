"""Where little or nothing is known there are no warnings, no errors and no findings."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import pytest

from monitoring.verdicts.judge import Verdicts
from monitoring.verdicts.scalars import ratios, shares
from monitoring.verdicts.shares import roots
from nightly_counts import Setting, band_setting, categories, numbers, setting, usual, value_setting, with_all


@pytest.fixture(autouse=True)
def _no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def world(rows: int = 5, nights: int = 15, slices: int = 4) -> np.ndarray:
    """Unchanged categories."""
    rng = np.random.default_rng(41)
    return with_all(categories(rng, usual(rng, rows), np.full(slices, 3000), nights))


def unknown(made: Setting) -> Verdicts:
    """Verdicts of a night of which nothing can be known."""
    found = made.judged()
    assert not np.isfinite(found.tonight.visible).any()
    assert not found.drifted.any()
    return found


@pytest.mark.parametrize("nights", [1, 2, 3])
def test_a_bank_without_nights(nights: int) -> None:
    """With none, one or two nights before it, a night is not judged."""
    assert unknown(setting(world(nights=nights))).inconclusive.all()


@pytest.mark.parametrize("nights", [8, 10, 14, 21])
def test_short_histories(nights: int) -> None:
    """From seven nights on a night is judged, and an unchanged one shows nothing."""
    found = setting(world(nights=nights)).judged()

    assert np.isfinite(found.tonight.visible).all()
    assert not found.drifted.any()


def test_a_reference_without_nights() -> None:
    """Where the reference's nights are not kept, nights are judged and ageing is not wrong."""
    counts = world(nights=29)
    made = setting(counts, roots(counts[:, :, 0].sum(axis=1)), counts[:, :0])
    found = made.judged()

    assert np.isfinite(found.tonight.visible).all()
    assert not found.drifted.any()


def test_a_slice_without_rows() -> None:
    """A slice that never had a request is unknown, one that has none tonight too; the others are judged."""
    counts = world()
    counts[:, :, 2] = 0
    counts[:, -1, 3] = 0
    found = setting(counts).judged()

    assert not np.isfinite(found.tonight.visible[:, [2, 3]]).any()
    assert np.isfinite(found.tonight.visible[:, [0, 1, 4]]).all()
    assert not found.drifted.any()


def test_one_slice_and_one_row() -> None:
    """A service with all rows alone, with one feature, or with both, is judged."""
    for counts in (world()[:, :, :1], world(rows=1), world(rows=1)[:, :, :1]):
        found = setting(counts).judged()
        assert np.isfinite(found.tonight.visible).all()
        assert not found.drifted.any()


def test_all_counts_zero() -> None:
    """Where nobody ever asked, nothing is known."""
    unknown(setting(np.zeros_like(world())))
    unknown(band_setting(np.zeros((2, 15, 4, 20), dtype=np.int64)))
    none = np.zeros((2, 15, 3))
    unknown(value_setting(shares(none, none, np.zeros(2)), 0.02))
    unknown(value_setting(ratios(none, none), 0.1))


def test_nan_values() -> None:
    """NaN is unknown: everywhere, and tonight alone."""
    nan = np.full((2, 15, 3), np.nan)
    unknown(value_setting(shares(nan, nan, np.full(2, np.nan)), 0.02))
    unknown(value_setting(ratios(nan, nan), 0.1))
    rng = np.random.default_rng(42)
    value = rng.lognormal(0, 0.05, nan.shape)
    value[:, -1] = np.nan
    unknown(value_setting(ratios(value, np.full(nan.shape, 100.0)), 0.1))
    unknown(
        value_setting(
            shares(np.where(np.isnan(value), np.nan, 9.0), np.full(nan.shape, 100.0), np.full(2, 0.1)), 0.02
        )
    )


def test_one_unknown_night_does_not_hide_the_others() -> None:
    """A night of the bank without a value is left out; tonight is judged by the rest."""
    rng = np.random.default_rng(44)
    part = rng.binomial(5000, 0.1, (2, 15, 3)).astype(float)
    part[:, 4] = np.nan
    found = value_setting(shares(part, np.full(part.shape, 5000.0), np.full(2, 0.1)), 0.02).judged()

    assert np.isfinite(found.tonight.visible).all()
    assert not found.drifted.any()


def test_nights_that_never_differ() -> None:
    """Ratios that are the same every night vary by nothing: no division fails, and nothing is found."""
    same = np.ones((2, 15, 3))

    assert not value_setting(ratios(same, 100 * same), 0.1).judged().drifted.any()


def test_unchanged_numbers() -> None:
    """Bands of an unchanged number show nothing."""
    rng = np.random.default_rng(43)
    found = band_setting(with_all(numbers(rng, rng.normal(0, 0.02, (4, 22, 3)), np.full(3, 4000)))).judged()

    assert np.isfinite(found.tonight.visible).all()
    assert not found.drifted.any()
