"""The nights since a deployment beside those before it, and tonight beside last night."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.verdicts import evidence, expected
from monitoring.verdicts.judge import Verdicts
from monitoring.verdicts.lay import Bank
from monitoring.verdicts.rows import Floats
from monitoring.verdicts.scalars import ratios, shares
from monitoring.verdicts.since import EVES, LEAST_BEFORE, Began, already, harmonic, mixture
from nightly_counts import (
    Counts,
    categories,
    moved,
    setting,
    usual,
    value_setting,
    with_all,
)

NIGHTS = 57
SIZES = np.array([20_000, 2_000, 100])
WEEKDAYS = np.arange(NIGHTS) % 7


def served(rows: int, began: Began | None) -> Bank:
    """All nights but the last three are used, all of one kind; the last ones were served by a deployment."""
    used = np.ones((rows, NIGHTS), dtype=bool)
    used[:, -3:] = False
    return Bank(np.zeros(NIGHTS, dtype=np.int64), used, began)


def judged(counts: Counts, began: Began | None) -> Verdicts:
    """Verdicts of counts whose last nights were served by a deployment."""
    return setting(counts, bank=served(len(counts), began)).judged()


def nights(
    seed: int, since: int, effect: float, slot: int = 2, rows: int = 8, tau2: float = 0.0005
) -> Counts:
    """Features of which the first moves in one slice on the last nights, all rows the first slice."""
    rng = np.random.default_rng(seed)
    shares_of = np.broadcast_to(usual(rng, rows), (rows, NIGHTS, len(SIZES), 10)).copy()
    shares_of[0, NIGHTS - since :, slot] = moved(shares_of[0, NIGHTS - since :, slot], effect)
    return with_all(categories(rng, shares_of, SIZES, NIGHTS, tau2))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_mixture_is_that_of_the_same_weekdays(data: st.DataObject) -> None:
    """As a plain loop: of each kind the mean of the nights before, weighted by how often the last nights are of it."""
    many = data.draw(st.integers(9, 30))
    last = data.draw(st.integers(1, 7))
    rng = np.random.default_rng(data.draw(st.integers(0, 10_000)))
    kind = rng.integers(0, 3, many)
    size = rng.integers(1, 50, (1, many, 1)).astype(float)
    part = np.floor(size * rng.random((1, many, 1)))
    there = (rng.random((1, many, 1)) < 0.8).astype(float)
    there[:, many - last :] = 0
    found, as_good_as = mixture(
        part[..., np.newaxis], size, there, kind, size[:, many - last :], kind[many - last :]
    )
    before = [n for n in range(many) if there[0, n, 0]]
    if not before:
        assert as_good_as[0, 0] == 0
        return
    wanted, blur, total = 0.0, 0.0, size[0, many - last :].sum()
    for each in set(kind[many - last :]):
        own = [n for n in before if kind[n] == each] or before
        share = sum(size[0, n, 0] for n in range(many - last, many) if kind[n] == each) / total
        wanted += share * sum(part[0, n, 0] for n in own) / sum(size[0, n, 0] for n in own)
        blur += share**2 / len(own)
    assert found[0, 0, 0] == pytest.approx(wanted)
    assert as_good_as[0, 0] == pytest.approx(1 / blur)


def test_a_small_slice_is_told_before_a_week_is_full() -> None:
    """Three nights after a deployment 100 requests a night show what one of them does not, nor seven with four before."""
    found = [judged(nights(seed, 3, 0.2), Began(3)) for seed in range(20, 40)]
    at = 0, 3

    assert all(each.deployment is not None for each in found)
    seen = np.array(
        [(e.deployment.drifted[at], e.tonight.drifted[at], e.week.drifted[at]) for e in found if e.deployment]
    )
    assert seen[:, 0].mean() >= 0.9
    assert seen[:, 1].mean() <= 0.6
    assert seen[:, 2].mean() <= 0.5
    assert not any(each.drifted[1:].any() for each in found)


@pytest.mark.parametrize("since", [1, 4, 7])
def test_without_a_change_a_deployment_is_as_rare_as_it_says(since: int) -> None:
    """On weekdays that differ, p < 0.01 against the nights before comes in no more than 2.5 %, and nothing is called new."""
    rare: list[Floats] = []
    for seed in range(50, 58):
        rng = np.random.default_rng(seed)
        weekly = np.abs(usual(rng, 12) + 0.02 * rng.normal(size=(12, 7, 1, 10)))
        of_night = (weekly / weekly.sum(axis=-1, keepdims=True))[:, WEEKDAYS]
        counts = with_all(categories(rng, of_night, SIZES, NIGHTS, 0.001))
        made = setting(counts, bank=replace(served(12, Began(since)), kind=WEEKDAYS))
        rows = made.rows
        assert rows.deployment is not None
        held = expected.of_several(made.variation, rows.dof, rows.deployment, rows.since[:, np.newaxis])
        rare.append(evidence.chance_of(rows.deployment, held, np.zeros_like(held.square)) < 0.01)
        assert made.judged().unlike_before.mean() <= 0.01
    assert np.mean(rare) <= 0.025


@pytest.mark.parametrize(("slot", "effect"), [(0, 0.4), (2, 0.3)])
def test_what_was_there_before_it_is_not_of_the_deployment(slot: int, effect: float) -> None:
    """A change that began two nights before a deployment, or more, is not told as since it; one that began with it is.

    In a slice of 20,000 requests always, in one of 100 mostly: there a night alone shows little.
    """
    at, most = (0, slot + 1), 1.0 if slot == 0 else 0.8
    told = {
        since: np.mean([
            found.unlike_before[at] and found.unlike_eves[at]
            for found in (judged(nights(seed, since, effect, slot), Began(3)) for seed in range(80, 100))
        ])
        for since in (3, 5, 6, 8)
    }  # fmt: skip
    assert told[3] >= most
    assert max(told[since] for since in (5, 6, 8)) <= 1 - most, told


def test_how_much_was_there_already() -> None:
    """All of it, half, nothing or the other way; the most of several eves counts, and one that is unknown does not."""
    change = np.array([[[3.0, -4.0]]])
    for part in (1.0, 0.5, 0.0, -1.0):
        assert already(change, [part * change])[0, 0] == pytest.approx(part)
    assert already(change, [0.1 * change, 0.8 * change, np.nan * change])[0, 0] == pytest.approx(0.8)
    assert np.isnan(already(change, [np.nan * change])[0, 0])
    assert np.isnan(already(0 * change, [change])[0, 0])


def test_tonight_beside_last_night() -> None:
    """A change is unlike last night on its first night alone; a weekday is each time, and nothing has moved."""
    first, second = (judged(nights(6, since, 0.4, slot=0), None) for since in (1, 2))

    assert (first.unlike_last_night[0, 1], second.unlike_last_night[0, 1]) == (True, False)
    assert first.tonight.drifted[0, 1]
    assert second.tonight.drifted[0, 1]
    rng = np.random.default_rng(7)
    of_night = np.broadcast_to(usual(rng, 4), (4, NIGHTS, len(SIZES), 10)).copy()
    today = WEEKDAYS[-1] == WEEKDAYS
    of_night[:, today] = moved(of_night[:, today], 0.3)
    counts = with_all(categories(rng, of_night, SIZES, NIGHTS, 0.0005))
    weekly = setting(counts, bank=replace(served(4, None), kind=WEEKDAYS)).judged()
    assert weekly.unlike_last_night[:, :3].all()
    assert not weekly.drifted.any()


def test_nights_that_do_not_follow_one_another_are_not_compared() -> None:
    """Where last night is missing, tonight is not held against the one before it."""
    counts = nights(6, 1, 0.4, slot=0)
    apart = setting(counts, bank=replace(served(len(counts), None), in_a_row=False)).judged()

    assert apart.tonight.drifted[0, 1]
    assert not apart.unlike_last_night.any()


def test_numbers_are_held_against_the_deployment_before() -> None:
    """Latency a fifth up since three nights, errors three points: both are told as since then; others are not."""
    rng = np.random.default_rng(9)
    size = np.full((2, NIGHTS, 1), 20_000.0)
    value = 100 * np.exp(rng.normal(0, 0.01, (2, NIGHTS, 1)))
    value[0, -3:] *= 1.2
    p = np.full((2, NIGHTS, 1), 0.02)
    p[0, -3:] += 0.03
    part = rng.binomial(size.astype(int), p).astype(float)
    for values, floor in ((ratios(value, size), 0.1), (shares(part, size, np.array([0.02, 0.02])), 0.02)):
        made = value_setting(values, floor, bank=served(2, Began(3))).judged()
        assert (made.unlike_before & made.unlike_eves)[:, 0].tolist() == [True, False]
        assert made.tonight.drifted[:, 0].tolist() == [True, False]


def test_nothing_before_a_deployment_is_nothing_to_hold_it_against() -> None:
    """A deployment as old as all known nights, and one that these rows do not know yet, are compared with nothing."""
    counts = nights(8, 3, 0.4)
    for began in (Began(NIGHTS), Began()):
        found = judged(counts, began)
        assert found.deployment is not None
        assert not found.deployment.drifted.any()
        assert not (found.unlike_before | found.unlike_eves).any()
    assert judged(counts, None).deployment is None


def test_requests_of_two_nights_are_one_size() -> None:
    """Of 100 and 900 requests a difference is as rough as of 180 and 180; of none there is none."""
    size = np.array([[[100.0, 0.0], [900.0, 50.0]]])

    assert harmonic(size).tolist() == [[pytest.approx(180.0), 0.0]]


def test_a_shared_night_is_on_neither_side() -> None:
    """The night on which both served counts neither for the deployment nor for what was before it."""
    made = Bank(np.zeros(20, dtype=np.int64), np.ones((1, 20), dtype=bool), Began(2, 1))

    assert made.since == slice(18, None)
    assert made.eves == (slice(16, 17), slice(15, 17), slice(14, 17))
    assert made.before_it(np.ones((1, 20, 1)))[0, :, 0].tolist() == [1.0] * 14 + [0.0] * 6
    few = replace(made, began=Began(5, 3))
    assert few.end == LEAST_BEFORE + EVES - 1
    assert few.since_nights == 0
    assert not few.before_it(np.ones((1, 20, 1))).any()


def test_two_nights_since_a_deployment_are_no_test() -> None:
    """One storm among two would speak for both: they are looked at, and find nothing by themselves."""
    few, enough = (judged(nights(9, since, 0.3), Began(since)) for since in (2, 3))

    assert few.deployment is not None
    assert enough.deployment is not None
    assert np.isnan(few.deployment.chance).all()
    assert enough.deployment.drifted[0, 3]
