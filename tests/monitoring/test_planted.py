"""A planted change is exactly as large as it says, and nothing else moves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from monitoring.bands import Bands
from monitoring.distances import jensen_shannon
from monitoring.planted import change_of, planted
from stored_nights import WIDTHS, history, layout, slices

FLOOR, POINTS = 0.1, 0.02
STORED = history(9, reference=0)
NUMBER, CATEGORY, STATUS = slice(0, 8), slice(8, 14), slice(14, 18)
CITY, OTHER_CITY, IOS = 2, 1, 5


def changed(measure: Any, feature: str, slot: int, effect: float) -> Any:
    """All nights with a change in them, as counts of shape (nights, slices, bands)."""
    usual = STORED.counts[:, slot].sum(axis=0).astype(np.float64)
    change = change_of(layout(), measure, feature, slot, usual, effect)
    assert change is not None
    return planted(change, STORED.counts, slices(), layout())


def shares(counts: Any, slot: int, cut: slice) -> Any:
    """Shares over all nights."""
    own = counts[:, slot, cut].sum(axis=0)
    return own / own.sum()


def wasserstein(before: Any, after: Any) -> float:
    """In standard deviations, from cumulative shares and the widths of the bands."""
    gap = np.cumsum(after[:6] / after[:6].sum()) - np.cumsum(before[:6] / before[:6].sum())
    return float(np.abs(gap[:-1]) @ np.array(WIDTHS))


@pytest.mark.parametrize("slot", [0, CITY, IOS])
@pytest.mark.parametrize("times", [1, 2, 4])
def test_a_change_is_of_so_many_floors(times: int, slot: int) -> None:
    """Wasserstein distance, Jensen-Shannon distance and points, over all rows as in a slice; whole rows are as near as it gets."""
    number = changed("distribution", "number_0", slot, times * FLOOR)
    category = changed("distribution", "place_0", slot, times * FLOOR)
    nulls = changed("null_share", "number_0", slot, times * POINTS)
    errors = changed("errors", "", slot, times * POINTS)

    before = STORED.counts
    assert wasserstein(shares(before, slot, NUMBER), shares(number, slot, NUMBER)) == pytest.approx(
        times * FLOOR, abs=0.002
    )
    assert float(
        jensen_shannon(shares(before, slot, CATEGORY), shares(category, slot, CATEGORY))
    ) == pytest.approx(times * FLOOR, abs=0.002)
    for found, cut, band in ((nulls, NUMBER, 7), (errors, STATUS, 1)):
        rose = shares(found, slot, cut)[band] - shares(before, slot, cut)[band]
        assert rose == pytest.approx(times * POINTS, abs=0.0005)


@pytest.mark.parametrize("seed", range(5))
def test_a_change_is_exact_before_rows_are_made_whole(seed: int) -> None:
    """Of any usual shares: the matrix alone moves them by the floor to nine digits, and keeps all rows."""
    rng = np.random.default_rng(seed)
    number = Bands("x", "number", (), 8, tuple(rng.uniform(0.05, 1.0, 5)))
    usual = np.concatenate([rng.dirichlet(np.ones(6)), [0.01, 0.02]])
    change = change_of((number,), "distribution", "x", 0, usual, 0.3)
    assert change is not None
    after = usual @ change.matrix
    gap = np.cumsum(after[:6] - usual[:6]) / usual[:6].sum()

    assert float(np.abs(gap[:-1]) @ np.array(number.widths)) == pytest.approx(0.3, abs=1e-9)
    assert after[6:].tolist() == usual[6:].tolist()
    category = Bands("y", "category", (), 8)
    change = change_of((category,), "distribution", "y", 0, usual, 0.3)
    assert change is not None
    assert float(jensen_shannon(usual, usual @ change.matrix)) == pytest.approx(0.3, abs=1e-9)
    assert (usual @ change.matrix).sum() == pytest.approx(usual.sum())


@pytest.mark.parametrize("times", [1, 2, 4])
def test_lost_requests_are_missing_everywhere(times: int) -> None:
    """A fifth fewer by ratio, in every column and slice alike: no share moves."""
    found = changed("volume", "", 0, times * 0.2)

    for cut in (NUMBER, CATEGORY, STATUS):
        left = found[..., cut].sum(axis=-1) / STORED.counts[..., cut].sum(axis=-1)
        assert left == pytest.approx(1 / (1 + times * 0.2), abs=0.005)
        assert shares(found, 0, cut) == pytest.approx(shares(STORED.counts, 0, cut), abs=0.001)


@pytest.mark.parametrize(
    ("measure", "feature", "cut"), [("distribution", "number_0", NUMBER), ("errors", "", STATUS)]
)
def test_a_change_in_a_slice_is_one_of_all_rows(measure: str, feature: str, cut: slice) -> None:
    """All rows move by the same rows, other cities not at all, the apps by their part; no row is lost or made."""
    found, before = changed(measure, feature, CITY, 0.15), STORED.counts
    moved = found.astype(int) - before

    assert np.array_equal(moved[:, 0], moved[:, CITY])
    assert not moved[:, OTHER_CITY].any()
    assert moved[:, IOS, cut] == pytest.approx(moved[:, 0, cut] * 2 / 3, abs=25)
    assert np.array_equal(found[..., cut].sum(axis=-1)[:, :5], before[..., cut].sum(axis=-1)[:, :5])
    rest = np.setdiff1d(np.arange(18), np.arange(18)[cut])
    assert not moved[..., rest].any()
    assert found.min() >= 0


def test_only_what_is_named_moves() -> None:
    """Nulls of a number leave the shares of its values alone; a category keeps its nulls and unseen values."""
    nulls = changed("null_share", "number_0", 0, 0.08)
    assert wasserstein(shares(STORED.counts, 0, NUMBER), shares(nulls, 0, NUMBER)) == pytest.approx(
        0, abs=0.001
    )
    category = changed("distribution", "place_0", 0, 0.4)
    assert np.array_equal(category[..., 12:14], STORED.counts[..., 12:14])


@pytest.mark.parametrize(
    ("measure", "feature", "effect"),
    [
        ("distribution", "number_0", 1.5),
        ("distribution", "place_0", 0.99),
        ("errors", "", 0.98),
        ("null_share", "number_0", 1.0),
    ],
)
def test_what_cannot_be_so_far_is_none(measure: Any, feature: str, effect: float) -> None:
    """Nobody is told that a change was missed that there cannot be."""
    usual = STORED.counts[:, 0].sum(axis=0).astype(np.float64)

    assert change_of(layout(), measure, feature, 0, usual, effect) is None
    assert change_of(layout(), measure, feature, 0, usual, effect / 2) is not None


def test_what_is_not_there_cannot_change() -> None:
    """A column without rows, or without a name."""
    usual = STORED.counts[:, 0].sum(axis=0).astype(np.float64)

    assert change_of(layout(), "distribution", "nobody", 0, usual, 0.1) is None
    assert change_of(layout(), "distribution", "number_0", 0, 0 * usual, 0.1) is None
