"""Shares of a few cases: their probability, exact where it can be, and held where truths are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import ArrayLike
from scipy import integrate, special, stats

from monitoring.verdicts import evidence
from monitoring.verdicts.judge import RATE, Verdicts
from monitoring.verdicts.rows import Distance, Floats
from monitoring.verdicts.scalars import shares
from nightly_counts import value_setting

FLOOR = 0.02


def chance(x: ArrayLike, n: float, y: ArrayLike, m: float, moved: float, clump: float = 1.0) -> Floats:
    """Probability of x cases of n tonight beside y of m before."""
    part, other = np.atleast_2d(np.asarray(x, dtype=float)), np.atleast_2d(np.asarray(y, dtype=float))
    shape = np.broadcast_shapes(part.shape, other.shape)
    filled = {"size": n, "other_size": m, "nights": 4.0, "square": 1.0, "effect": 1.0}
    arrays: Mapping[str, Floats] = {name: np.full(shape, value) for name, value in filled.items()}
    distance = Distance(
        **arrays,
        up=np.ones(shape, dtype=bool),
        part=part + np.zeros(shape),
        other_part=other + np.zeros(shape),
    )
    return evidence.chance_of_few(distance, np.array([[clump]]), np.full(shape, moved))


def melded(x: float, n: float, y: float, m: float, moved: float) -> float:
    """That tonight's share lies no more than `moved` above the other, by numerical integration."""

    def density(g: float) -> float:
        return float(stats.gamma.pdf(g, y + 1) * special.gammainc(x, n * (g / m + moved)))

    return float(integrate.quad(density, 0, 60 + 10 * (y + 1), limit=400, epsabs=0, epsrel=1e-8)[0])


def judged(cases: int, of: int = 1200, before: int = 12_000, nights: int = 12) -> Verdicts:
    """A night with so many null values, of which the nights before had none, or as many as the last array says."""
    whole = np.full((1, nights + 1, 1), before / nights)
    part = np.zeros_like(whole)
    whole[0, -1], part[0, -1] = of, cases
    return value_setting(shares(part, whole, np.zeros(1)), FLOOR).judged()


def test_many_cases_after_none_are_found() -> None:
    """Of 1,200 requests 71 failed, of 14,000 before none: no share near that one is possible, half a floor allowed."""
    found = judged(71, before=14_400)

    assert found.tonight.chance[0, 0] < 1e-12
    assert found.tonight.drifted[0, 0]


def test_a_few_cases_after_none_are_not() -> None:
    """Twice the floor in fifty requests is two cases, and no evidence of more than half a floor."""
    found = judged(2, of=50, before=600)

    assert found.tonight.chance[0, 0] > RATE
    assert not found.drifted.any()


@pytest.mark.parametrize(("x", "n", "y", "m"), [(1, 100, 0, 1000), (5, 100, 2, 1000), (40, 900, 90, 9000)])
@pytest.mark.parametrize("moved", [0.0, 0.002, 0.01])
def test_the_closed_form_is_the_integral(x: int, n: int, y: int, m: int, moved: float) -> None:
    """Within 7 % of the probability by integration, which without a floor is the conditional binomial one."""
    exact = melded(x, n, y, m, moved)
    if moved == 0:
        assert exact == pytest.approx(special.betainc(x, y + 1, n / (n + m)), rel=1e-6)

    found = chance(x, n, y, m, moved)[0, 0]

    assert found == pytest.approx(min(2 * exact, 1), rel=0.07) or (exact > 0.4 and found == 1)


def test_a_fall_is_a_rise_of_the_other_side() -> None:
    """Sides exchanged, the probability is the same."""
    np.testing.assert_allclose(chance(0, 1200, 71, 1200, 0.01), chance(71, 1200, 0, 1200, 0.01), rtol=1e-12)
    assert chance(0, 1200, 71, 1200, 0.01)[0, 0] < 1e-9
    assert chance(0, 1200, 0, 9000, 0.0)[0, 0] == 1


def test_ageing_goes_by_the_clumps_of_the_reference() -> None:
    """An aged share is no surer than clumps of the reference's size allow, and tonight's is not held against them."""
    rng = np.random.default_rng(6)
    whole = np.full((1, 29, 8), 100.0)
    part = rng.binomial(100, 0.01, whole.shape).astype(float)
    part[:, 22:] += 2
    made = value_setting(shares(part, whole, np.full(1, 0.01)), 0.0005)
    made = replace(made, reference=replace(made.reference, phi=5 * made.reference.phi))
    few = evidence.chance_of_few(made.rows.ageing, made.reference.phi, np.zeros(part[:, 0].shape))

    found = made.judged()

    assert (found.ageing.chance >= few).all()
    assert (found.tonight.chance < few).any()


def test_clumps_count_once() -> None:
    """Cases that come by threes are a third as many."""
    np.testing.assert_allclose(
        chance(30, 600, 6, 6000, 0.01, 3.0), chance(10, 200, 2, 2000, 0.01), rtol=1e-12
    )


@pytest.mark.parametrize("moved", [0.0, 0.01])
@pytest.mark.parametrize(("n", "m"), [(50, 400), (300, 1200), (300, 100)])
@pytest.mark.parametrize("before", [0.0005, 0.004, 0.03])
def test_a_change_of_half_a_floor_is_no_evidence(n: int, m: int, before: float, moved: float) -> None:
    """Over all counts that two binomials can show, p is at most alpha no more often than alpha, at the edge of the null."""
    x, y = np.arange(n + 1), np.arange(int(m * before) * 4 + 30)
    often = np.outer(stats.binom.pmf(y, m, before), stats.binom.pmf(x, n, before + moved))
    p = chance(x[np.newaxis], n, y[:, np.newaxis], m, moved)
    for alpha in (0.05, 0.01, 1e-3, 1e-5):
        assert often[p <= alpha].sum() <= alpha
