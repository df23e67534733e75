"""Effects and squares, discoveries, and the tail of noncentral F: what has an exact answer elsewhere."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from monitoring.verdicts.discoveries import discoveries
from monitoring.verdicts.evidence import beyond
from monitoring.verdicts.lay import without_storm
from monitoring.verdicts.rows import UNITS, effect_of, joined, square_of

PROBABILITIES = st.lists(st.floats(0, 1, allow_subnormal=False), min_size=1, max_size=40)


@given(st.sampled_from(range(len(UNITS))), st.floats(1e-3, 0.49), st.floats(0, 1))
def test_effects_and_squares_are_inverses(unit: int, effect: float, level: float) -> None:
    """An effect comes back from its square in every unit, for any usual share."""
    units, levels = np.array([[unit]]), np.array([[level]])

    back = effect_of(square_of(effect, units, levels), units, levels)

    assert back[0, 0] == pytest.approx(effect, rel=1e-6)


@given(st.sampled_from(range(len(UNITS))), st.floats(0, 0.4), st.floats(0.001, 0.1), st.floats(0, 1))
def test_a_larger_effect_has_a_larger_square(unit: int, effect: float, more: float, level: float) -> None:
    """Squares grow with effects, so limits of one are limits of the other."""
    units, levels = np.array([[unit]]), np.array([[level]])

    assert square_of(effect + more, units, levels)[0, 0] > square_of(effect, units, levels)[0, 0]


@given(PROBABILITIES, st.floats(0.001, 0.5))
def test_discoveries_are_benjamini_and_hochbergs(chances: list[float], rate: float) -> None:
    """The vectorised rule finds what a plain loop over ordered probabilities finds."""
    ordered = sorted(chances)
    last = max((p for i, p in enumerate(ordered, 1) if p * len(ordered) / i <= rate), default=-1.0)

    found, _ = discoveries(np.array(chances), rate)

    assert found.tolist() == [p <= last for p in chances]


@given(PROBABILITIES)
def test_adjusted_probabilities_are_scipys(chances: list[float]) -> None:
    """Adjusted probabilities are those of SciPy; what was not tested stays out and stays NaN."""
    given_ones = np.array([*chances, np.nan])

    _, adjusted = discoveries(given_ones, 0.05)

    np.testing.assert_allclose(adjusted[:-1], stats.false_discovery_control(chances), rtol=1e-12)
    assert np.isnan(adjusted[-1])


@given(st.floats(0.01, 50), st.floats(0.5, 20), st.floats(1, 800), st.floats(0, 200))
def test_the_tail_is_that_of_noncentral_f(ratio: float, top: float, bottom: float, shift: float) -> None:
    """Upper tails are SciPy's noncentral F, and those of F without a shift."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SciPy warns where the answer is 0
        wanted = stats.ncf.sf(ratio, top, bottom, shift) if shift else stats.f.sf(ratio, top, bottom)

    found = beyond(*(np.array([each]) for each in (ratio, top, bottom, shift)))

    assert found[0] == pytest.approx(wanted, rel=1e-12, abs=1e-300)


def test_nothing_to_join_is_said() -> None:
    """Joining no blocks is an error that says so."""
    with pytest.raises(ValueError, match="nothing is watched"):
        joined([])


def test_one_storm_does_not_speak_for_a_week() -> None:
    """A night out of all proportion is left out of the sum of its week; seven alike are all added, and so are seven rough ones."""
    week = np.full((1, 7, 3), 2.0, dtype=np.float32)
    week[0, 4, 1] = 9.0
    week[0, :, 2] = 50.0
    kept = without_storm(week)

    assert kept[0, :, 0].tolist() == [1.0] * 7
    assert kept[0, :, 1].tolist() == [1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0]
    assert kept[0, :, 2].tolist() == [1.0] * 7


@pytest.mark.filterwarnings("error")
def test_a_row_of_which_no_square_is_known_has_no_storm() -> None:
    """Neither a row without a value nor one whose squares are all unknown is warned of; all its nights are kept."""
    squares = np.ones((1, 7, 3))
    squares[0, :, 1:] = np.nan
    known = np.ones(squares.shape, dtype=bool)
    known[0, :, 2] = False
    squares[0, 3, 0] = 90.0
    kept = without_storm(squares, known)

    assert np.flatnonzero(kept[0, :, 0] == 0).tolist() == [3]
    assert (kept[0, :, 1:] == 1).all()
