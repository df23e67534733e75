"""The numbers that the state keeps of each night become series; what is not known is not made up."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from judged_series import dates_of, service
from monitoring.numbers import outcome_slices
from monitoring.records import ALL_ROWS, Number, Slice
from monitoring.series import NOTHING, Series, series_of
from store.labelled import LabelCount

SLICES = (ALL_ROWS, Slice("city", "Recife"), Slice("city", "Natal"))
DATES = dates_of(3)
DAY = timedelta(days=1)


def outcome(positive: int, mature: int) -> Number:
    """An outcome as the state keeps it."""
    return Number("outcome", "", positive / mature if mature else None, positive, mature)


def made(
    *numbers: list[Number], outcomes: dict[date, Number] | None = None, delay: int = 0, **guards: object
) -> dict[tuple[str, str], Series]:
    """The series of three nights, by measure and feature."""
    nights = list(zip(DATES, numbers or [[], [], []], strict=True))
    found = series_of(service(guards=guards), SLICES, nights, outcomes or {}, delay)
    return {(each.measure, each.feature): each for each in found}


def test_an_outcome_is_told_with_a_later_night() -> None:
    """What was asked two nights before is told tonight, over all rows and in the slices that have a label."""
    here = outcome_slices([LabelCount("city", "Recife", 40, 10), LabelCount("city", "elsewhere", 9, 9)])
    told = {DATES[0] - 2 * DAY: outcome(9, 90), DATES[2] - 2 * DAY: outcome(30, 100), DATES[2]: outcome(1, 1)}
    (series,) = made([], [], here, outcomes=told, delay=2).values()

    assert (series.measure, series.unit, series.floor, series.delay) == ("outcome", "share", 0.02, 2)
    np.testing.assert_array_equal(series.part, [[9, 0, 0], [0, 0, 0], [30, 10, 0]])
    np.testing.assert_array_equal(series.whole, [[90, 0, 0], [0, 0, 0], [100, 40, 0]])
    np.testing.assert_array_equal(series.value[2], [0.3, 0.25, np.nan])


def test_an_outcome_that_is_not_known_yet_is_no_series() -> None:
    """Without the outcome that is told tonight there is nothing to judge; one without a label is unknown."""
    assert made(outcomes={DATES[1]: outcome(9, 90)}) == {}
    (series,) = made(outcomes={DATES[1]: outcome(9, 90), DATES[2]: outcome(0, 0)}).values()
    assert series.whole[:, 0].tolist() == [0, 90, 0]


def test_times_and_costs_are_ratios_over_all_rows() -> None:
    """A percentile and a mean with the requests behind them; a slice of them, or a night without, is unknown."""
    tonight = [
        Number("latency_ms", "", 80.0, None, 500),
        Number("cost", "", 0.0, None, 480),
        Number("errors", "", 0.1, 50, 500),
    ]
    before = [Number("latency_ms", "", None, None, 0), Number("cost", "", 0.02, None, 470)]
    found = made([Number("tokens_in", "", 9.0, None, 8)], before, tonight)

    assert set(found) == {("latency_ms", ""), ("cost", "")}
    times, cost = found["latency_ms", ""], found["cost", ""]
    assert (times.unit, times.floor, times.whole[:, 0].tolist()) == ("ratio", 0.2, [0, 0, 500])
    assert np.isnan(times.value[:, 1:]).all()
    assert cost.value[1:, 0] == pytest.approx([0.02, 0.02 * NOTHING])
    assert not times.whole[:, 1:].any()


@pytest.mark.parametrize(
    ("tonight", "unit", "part", "whole"),
    [
        (Number("guard", "orders", 0.25, 25, 100), "share", 25, 100),
        (Number("guard", "orders", 0.25, None, 100), "share", 25, 100),
        (Number("guard", "orders", 1.25, 125, 100), "ratio", 0, 100),
        (Number("guard", "orders", 1250.0, None, None), "ratio", 0, 700),
    ],
)
def test_a_guard_is_a_share_or_an_amount(tonight: Number, unit: str, part: int, whole: int) -> None:
    """With a denominator it is a share, unless it is above 1; without, the night's requests stand behind it."""
    found = made([], [], [tonight, Number("volume", "", 700.0, 700, None)])["guard", "orders"]

    assert (found.unit, found.part[2, 0], found.whole[2, 0]) == (unit, part, whole)
    assert found.value[2, 0] == tonight.value
    assert found.whole[:2].sum() == 0


def test_a_guards_own_floor_holds() -> None:
    """Its floor in the service file comes before the service's, whatever it is told as."""
    share, amount = Number("guard", "a", 0.2, 20, 100), Number("guard", "b", 20.0)
    plain = made([], [], [share, amount])
    own = made(
        [], [], [share, amount], a={"query": "a.sql", "floor": 0.5}, b={"query": "b.sql", "floor": 0.6}
    )

    assert [plain["guard", each].floor for each in "ab"] == [0.02, 0.2]
    assert [own["guard", each].floor for each in "ab"] == [0.5, 0.6]


def test_values_that_cannot_be_are_unknown() -> None:
    """Neither a negative amount nor an infinite one has a logarithm, and no number is 0 on all nights."""
    found = made(
        [Number("cost", "", -1.0, None, 9)],
        [Number("cost", "", np.inf, None, 9)],
        [Number("cost", "", 0.0, None, 9)],
    )["cost", ""]

    assert np.isnan(found.value).all()
