"""What is found, where, and what is not: changes of a slice, storms, ageing, and what a night could have shown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from monitoring.verdicts import evidence, expected
from monitoring.verdicts.judge import JUDGEABLE, RATE, judge
from monitoring.verdicts.rows import joined
from monitoring.verdicts.scalars import shares
from nightly_counts import (
    FLOOR,
    Setting,
    band_setting,
    categories,
    moved,
    numbers,
    setting,
    usual,
    value_setting,
    with_all,
)

EVEN = np.full(20, 5000)
UNEVEN = np.geomspace(1000, 40_000, 20).astype(int)


def planted(
    effect: float,
    rows: tuple[int, ...],
    slices: tuple[int, ...],
    nights: int = 29,
    seed: int = 21,
    tau2: float = 0.002,
) -> Setting:
    """Thirty features in twenty slices of 5 % each; tonight some of them change by so many floors."""
    rng = np.random.default_rng(seed)
    p = usual(rng, 30)
    at = np.broadcast_to(p, (30, nights, len(EVEN), p.shape[-1])).copy()
    for row in rows:
        at[row, -1, slices] = moved(p[row, 0, 0], effect * FLOOR)
    return setting(with_all(categories(rng, at, EVEN, nights, tau2)))


def test_a_change_of_one_slice_is_found_there_and_not_over_all_rows() -> None:
    """Four floors in 5 % of the traffic are found in the slice; all rows hardly move, and no other key is named."""
    found = planted(4.0, (3,), (6,)).judged().drifted

    assert np.argwhere(found).tolist() == [[3, 7]]


def test_a_change_of_all_slices_is_found_over_all_rows() -> None:
    """Four floors everywhere are found over all rows and in most slices."""
    found = planted(4.0, (3,), tuple(range(20))).judged().drifted

    assert found[3, 0]
    assert found[3].sum() >= 15
    assert not np.delete(found, 3, axis=0).any()


def stormy(height: float) -> Setting:
    """Forty features whose nights are rough to different degrees; tonight the first one is in a storm."""
    rng = np.random.default_rng(22)
    heights = rng.lognormal(-0.5, 1.0, (40, 43, 1, 1))
    heights[0, -1] = height
    return setting(with_all(categories(rng, usual(rng, 40), UNEVEN, 43, 0.004 * heights)))


def test_a_storm_is_not_a_change() -> None:
    """A night that is 25 times as rough in all slices of a feature is no finding in any; without weather it would be."""
    made = stormy(25.0)
    fit, tonight = made.variation, made.rows.tonight
    held = expected.of_night(fit, made.rows.dof, tonight)
    blind = replace(held, storms=np.ones_like(held.storms), height=np.full_like(held.height, np.nan))
    verdicts = made.judged()

    assert (tonight.effect[0, 1:] > FLOOR).mean() > 0.9
    assert (evidence.chance_of(tonight, blind, 0 * held.square)[0, 1:] < 1e-5).mean() > 0.9
    assert not verdicts.tonight.drifted[0, 1:].any()


def test_ageing_is_found_by_the_reference_and_not_by_the_night() -> None:
    """A tenth of a floor a night is found against the reference within 21 nights, and never by the nightly test."""
    rng = np.random.default_rng(23)
    means = rng.normal(0, 0.02, (20, 28 + 21, 6))
    means[0, 28:] += 0.1 * FLOOR * np.arange(1, 22)[:, np.newaxis]
    counts = with_all(numbers(rng, means, np.full(6, 8000)))
    nights = [band_setting(counts[:, n - 28 : n + 1], counts[:, :28]).judged() for n in range(28, 49)]

    assert any(night.ageing.drifted[0, 0] for night in nights)
    assert not any(night.tonight.drifted[0].any() for night in nights)
    assert not any(night.ageing.drifted[1:].any() for night in nights)


def test_what_changed_before_the_bank_is_still_held_against_the_reference() -> None:
    """A feature that has been two floors off for as long as the bank goes back has aged, and does nothing tonight."""
    rng = np.random.default_rng(25)
    means = rng.normal(0, 0.02, (20, 57, 6))
    means[0, 28:] += 2 * FLOOR
    counts = with_all(numbers(rng, means, np.full(6, 8000)))
    found = band_setting(counts[:, 28:], counts[:, :28]).judged()

    assert found.ageing.drifted[0].all()
    assert not found.ageing.drifted[1:].any()
    assert not (found.tonight.drifted | found.week.drifted).any()


def test_what_is_said_to_be_visible_is_seen() -> None:
    """A change of exactly the visible effect is seen, on its own, on about three nights of four."""
    seen = []
    for seed in range(31, 37):
        rng = np.random.default_rng(seed)
        p = usual(rng, 60)
        sizes = np.geomspace(500, 20_000, 8).astype(int)
        before = categories(rng, p, sizes, 29)
        visible = setting(with_all(before)).judged().tonight.visible
        slot = rng.integers(0, len(sizes), 60)
        rows = np.arange(60)
        at = np.broadcast_to(p, (60, 1, len(sizes), p.shape[-1])).copy()
        at[rows, 0, slot] = moved(p[:, 0, 0], visible[rows, slot + 1])
        tonight = categories(rng, at, sizes, 1)
        after = setting(with_all(np.concatenate([before[:, :-1], tonight], axis=1))).judged()
        seen.append(after.tonight.alone[rows, slot + 1] <= RATE)

    assert 0.65 <= np.mean(seen) <= 0.85


def test_families_are_judged_apart() -> None:
    """An incident that moves hundreds of slices leaves the named numbers' probabilities and findings as they were."""
    rng = np.random.default_rng(24)
    whole = np.full((4, 29, 21), 5000.0)
    part = rng.binomial(5000, np.sin(np.arcsin(np.sqrt(0.1)) + rng.normal(0, 0.01, whole.shape)) ** 2).astype(
        float
    )
    part[0, -1] += 230  # just beyond what one of four numbers must show
    errors = value_setting(shares(part, whole, np.full(4, 0.1)), 0.02)
    results = []
    for rows in ((), tuple(range(30))):
        features = planted(6.0, rows, tuple(range(1, 20)))
        both = [errors, features]
        named = np.concatenate([each.named for each in both])
        verdicts = judge(
            joined([each.rows for each in both]), joined([each.reference for each in both]), named
        )
        results.append(verdicts)

    quiet, loud = results
    assert loud.drifted.sum() > quiet.drifted.sum() + 300
    np.testing.assert_array_equal(quiet.tonight.adjusted[:4, 0], loud.tonight.adjusted[:4, 0])
    assert quiet.drifted[:4, 0].tolist() == loud.drifted[:4, 0].tolist() == [True, False, False, False]


def test_a_few_nights_show_large_changes_and_many_show_smaller_ones() -> None:
    """Seven nights of history show four floors, four weeks show two."""
    for history, floors in ((7, JUDGEABLE), (28, 2.0)):
        made = planted(floors + 1, (3,), tuple(range(20)), history + 1).judged()

        assert np.median(made.tonight.visible[:, 0]) <= floors * FLOOR
        assert made.tonight.drifted[3, 0], history


def test_with_fewer_nights_nothing_is_judged() -> None:
    """With six nights even ten floors are not judged, and the night says that it could see nothing."""
    made = planted(6.0, (3,), tuple(range(20)), 7).judged()

    assert not made.drifted.any()
    assert np.isinf(made.tonight.visible).all()
    assert made.inconclusive.all()
