"""The numbers of a service are judged as its features are: the outcome in its slices, speed and guards over all rows."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pytest

from judged_series import MATURE, SLICES, TONIGHT, dates_of, judged, latencies, outcomes, over_all
from monitoring.records import OF
from monitoring.verdicts.incidents import Key
from monitoring.verdicts.lay import without_storm

CITIES = len(SLICES) - 1
NATAL = f"city{OF}Natal"


@pytest.fixture(autouse=True)
def _no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def test_an_outcome_that_doubles_in_one_slice_is_found_there() -> None:
    """One city of four goes from 10 % to 20 %: the city is named and no other, and all rows moved by a quarter of it."""
    rates = np.full((29, CITIES), 0.1)
    rates[-1, 1] = 0.2
    found = judged(outcomes(rates))

    drifted = [each for each in found.findings if each.verdict == "drifted" and each.slice.value]
    assert [(each.slice, each.direction) for each in drifted] == [(SLICES[2], "up")]
    assert drifted[0].reference_value == pytest.approx(0.1, abs=0.01)
    assert drifted[0].current_value == pytest.approx(0.2, abs=0.02)
    (moved,) = [each for each in found.moved if each.key.slice]
    assert moved.key == Key("outcome", "", NATAL)
    assert moved.share == 0.25
    assert moved.floors == pytest.approx(5.0, abs=0.7)


def test_an_outcome_that_stops_is_as_suspicious() -> None:
    """Nobody complains any more: that is handed on, too."""
    rates = np.full((29, CITIES), 0.1)
    rates[-1] = 0.01
    found = judged(outcomes(rates))

    assert (over_all(found, "outcome").verdict, over_all(found, "outcome").direction) == ("drifted", "down")
    assert Key("outcome", "", "") in {each.key for each in found.moved}


def test_a_quiet_outcome_is_steady_everywhere() -> None:
    """Nothing changed: no finding anywhere, and every slice is known well enough to say so."""
    found = judged(outcomes(np.full((29, CITIES), 0.1)))

    assert {each.verdict for each in found.findings} == {"stable"}
    assert found.moved == ()


def test_slower_answers_are_found_and_faster_ones_hand_nothing_on() -> None:
    """Twice as slow moved; twice as fast is a finding, and no incident is made of it."""
    slow, fast = judged(latencies(np.array([2.0]))), judged(latencies(np.array([0.5])))

    assert [each.key for each in slow.moved] == [Key("latency_ms", "", "")]
    told = over_all(slow, "latency_ms")
    assert told.current_value == pytest.approx(2 * told.reference_value, rel=0.1)  # type: ignore[operator]
    assert (over_all(fast, "latency_ms").verdict, over_all(fast, "latency_ms").direction) == (
        "drifted",
        "down",
    )
    assert fast.moved == ()


def test_slices_that_a_number_is_not_measured_in_are_unknown() -> None:
    """A latency over all rows says nothing of a city: it is inconclusive there, never steady and never at 0."""
    found = [each for each in judged(latencies(np.array([2.0]))).findings if each.slice.value]

    assert {(each.verdict, each.effect, each.current_value) for each in found} == {
        ("inconclusive", None, None)
    }


def test_an_incidents_nights_set_apart_bring_power_back() -> None:
    """Two weeks of slow answers hide the next slow night, but for who leaves them out; other numbers keep them."""
    series = latencies(np.array([1.5] * 14 + [1.0, 1.0, 1.5]))
    inside = frozenset(dates_of(17)[:14])

    assert judged(series).moved == ()
    assert judged(series, apart={("errors", ""): inside, ("latency_ms", "x"): inside}).moved == ()
    found = judged(series, apart={("latency_ms", ""): inside})
    assert [each.key for each in found.moved] == [Key("latency_ms", "", "")]


@pytest.mark.parametrize(("known", "judges"), [(6, False), (7, True), (8, True), (9, True)])
def test_seven_nights_suffice(known: int, judges: bool) -> None:
    """With seven nights known a slow night is found; with six nothing is said."""
    found = judged(latencies(np.array([3.0]), known + 1))

    assert bool(found.findings) == bool(found.moved) == judges


def test_a_young_service_keeps_its_last_nights_where_others_are_set_apart() -> None:
    """Ten nights of which two were an incident: eight are left, and all of them are used."""
    inside = {("latency_ms", ""): frozenset(dates_of(11)[3:5])}
    factors = np.array([2.0, 2.0, *[1.0] * 5, 3.0])
    found = judged(latencies(factors, 11), apart=inside)

    assert [each.key.measure for each in found.moved] == ["latency_ms"]


def test_an_outcome_is_of_the_kind_of_its_own_night() -> None:
    """Told a night late, Sundays' outcomes are held against Sundays', and a holiday's too, by the date of its requests."""
    days = [night - timedelta(days=1) for night in dates_of(57)]
    rates = np.array([[0.2 if day.weekday() == 6 else 0.1] * CITIES for day in days])
    monday = TONIGHT - timedelta(days=1)
    rates[-1] = 0.2  # what was asked on Monday is told on Tuesday
    series = outcomes(rates, delay=1)

    assert over_all(judged(series, holidays={monday}), "outcome").verdict == "stable"
    assert over_all(judged(series, holidays={TONIGHT}), "outcome").verdict == "drifted"


def test_few_values_among_many_nights_are_not_told_apart_by_weekday() -> None:
    """Of five weeks only the last eight nights have a latency: a slow answer is found, as on a service that is new."""
    series = latencies(np.array([3.0]), 36)
    series.value[:-9], series.whole[:-9] = np.nan, 0.0
    quiet = latencies(np.array([1.0]), 36, measure="cost")
    found = judged(series, quiet)

    assert [each.key.measure for each in found.moved] == ["latency_ms"]


@pytest.mark.parametrize(
    ("worse", "factor", "told"),
    [("down", 0.5, True), ("down", 2.0, False), ("up", 2.0, True), ("up", 0.5, False), ("either", 0.5, True)],
)
def test_a_guard_is_told_the_way_it_gets_worse(worse: str, factor: float, told: bool) -> None:
    """Which direction hurts is said in the service file."""
    guards = {"orders": {"query": "sql/orders.sql", "worse": worse}}
    found = judged(latencies(np.array([factor]), measure="guard", feature="orders"), guards=guards)

    assert over_all(found, "guard").verdict == "drifted"
    assert [each.key for each in found.moved] == ([Key("guard", "orders", "")] if told else [])


def test_unknown_nights_of_a_week_are_no_storm() -> None:
    """A storm among the nights that are known is left out of the sum, however far off the others seem to be."""
    squares = np.array([1.0, 90.0, 1.0, 9.0, 1.0, 90.0, 1.0]).reshape(1, 7, 1)
    known = squares < 90

    assert np.flatnonzero(without_storm(squares, known)[0, :, 0] * known[0, :, 0]).tolist() == [0, 2, 4, 6]
    assert without_storm(squares, known & False).shape == squares.shape


def test_unknown_nights_of_a_week_do_not_hide_a_change() -> None:
    """Three of the last seven nights have no outcome; the others are summed as ever, and a slow change is found."""
    rates = np.full((43, CITIES), 0.1)
    rates[-7:] = 0.145
    series = outcomes(rates)
    for array in (series.part, series.whole):
        array[[-2, -4, -6]] = 0.0
    found = over_all(judged(series), "outcome")

    assert found.verdict == "drifted"
    assert found.rows_current == CITIES * MATURE


def test_a_number_that_was_never_known_is_inconclusive() -> None:
    """No value on any night, or none tonight: nothing can be said, and nothing fails."""
    never, gone = latencies(np.array([1.0])), latencies(np.array([1.0]), measure="cost")
    never.value[:], never.whole[:] = np.nan, 0.0
    gone.value[-1], gone.whole[-1] = np.nan, 0.0
    found = judged(never, gone, outcomes(np.full((29, CITIES), 0.1)))

    assert (over_all(found, "latency_ms").verdict, over_all(found, "cost").verdict) == ("inconclusive",) * 2
    assert over_all(found, "outcome").verdict == "stable"
