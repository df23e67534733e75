"""A change of the outcome or of answer times is exactly as large as it says, and a backtest says when it is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from judged_series import service as service_with
from monitoring.delays import TIMES, WITHIN, Delay, delays, keys_of, starts_of
from monitoring.records import OF, Number
from monitoring.replayed import History, replay
from monitoring.shifted import is_known, shift_of, shifted
from stored_nights import history

SERVICE = service_with(slices=["city", "app"])
SIZES = (6000, 2500, 1200, 300)
MATURE, LATE, USUAL = 4000, 2, 0.25
PARTS = {"c0": 0.6, "c1": 0.25, "c2": 0.12, "c3": 0.03, "ios": 2 / 3, "android": 1 / 3}
OUTCOME, LATENCY = ("outcome", "", 0), ("latency_ms", "", 0)
C1, ANDROID = 2, 6


def told(nights: int = 30, *, late: int = LATE, first: int = 0, sliced: bool = True) -> History:
    """Calm nights, the outcome of which is told so many nights later, from one of them on; and answer times."""
    made = history(nights, categories=0, sizes=SIZES)
    rng, numbers, outcomes = np.random.default_rng(5), {}, {}
    for n, night in enumerate(made.dates):
        own = [Number("latency_ms", "", float(80 * rng.lognormal(0, 0.03)), None, MATURE)]
        if n >= first:
            outcomes[night - timedelta(days=late)] = _share("outcome", "", MATURE, rng)
            for name, part in PARTS.items() if sliced else ():
                dimension = "city" if name.startswith("c") else "app"
                own.append(_share("outcome.slice", f"{dimension}{OF}{name}", round(MATURE * part), rng))
        numbers[night] = tuple(own)
    return replace(made, numbers=numbers, outcomes=outcomes, delay=late)


def _share(name: str, subject: str, whole: int, rng: Any) -> Number:
    part = int(rng.binomial(whole, USUAL))
    return Number(name, subject, part / whole, part, whole)


def pooled(made: History, places: range, subject: str = "") -> float:
    """The share of some nights together, over all rows or in a slice."""
    nights = [made.dates[n] for n in places]
    if not subject:
        found = [made.outcomes[night - timedelta(days=made.delay)] for night in nights]
    else:
        found = [each for night in nights for each in made.numbers[night] if each.subject == subject]
    assert len(found) == len(places)
    return sum(each.numerator or 0 for each in found) / sum(each.denominator or 0 for each in found)


@pytest.mark.parametrize("times", TIMES)
def test_an_outcome_rises_by_so_many_points_everywhere(times: int) -> None:
    """Over all rows and in each slice, on the nights it is put in and on no other; what was asked stays."""
    made, places = told(), range(15, 22)
    shift = shift_of(made, "outcome", 0, 15, times * 0.02)
    assert shift is not None
    found = shifted(shift, made, places)

    for subject in ("", f"city{OF}c1", f"app{OF}ios"):
        rose = pooled(found, places, subject) - pooled(made, places, subject)
        assert rose == pytest.approx(times * 0.02, abs=0.002)
    changed = {made.dates[n] - timedelta(days=LATE) for n in places}
    assert {day for day in made.outcomes if made.outcomes[day] != found.outcomes[day]} == changed
    assert {day for day in made.dates if made.numbers[day] != found.numbers[day]} == {
        made.dates[n] for n in places
    }
    for day in changed:
        one = found.outcomes[day]
        assert (one.denominator, one.value) == (MATURE, (one.numerator or 0) / MATURE)


def test_an_outcome_of_one_slice_is_one_of_all_rows() -> None:
    """All rows rise by the same requests, other cities by none, apps by their part of them."""
    made, places = told(), range(15, 22)
    shift = shift_of(made, "outcome", C1, 15, 0.08)
    assert shift is not None
    found = shifted(shift, made, places)

    def rose(subject: str) -> float:
        return pooled(found, places, subject) - pooled(made, places, subject)

    assert rose(f"city{OF}c1") == pytest.approx(0.08, abs=0.004)
    assert rose("") == pytest.approx(0.08 * 0.25, abs=0.001)
    assert rose(f"app{OF}ios") == pytest.approx(0.08 * 0.25, abs=0.001)
    assert rose(f"city{OF}c0") == 0


def test_answer_times_rise_by_a_ratio() -> None:
    """And nothing else does; an outcome that is not told is not made up."""
    made, places = told(first=40), range(15, 22)
    shift = shift_of(made, "latency_ms", 0, 15, 0.4)
    assert shift is not None
    found = shifted(shift, made, places)

    for n, day in enumerate(made.dates):
        before, after = made.numbers[day][0].value, found.numbers[day][0].value
        assert before is not None
        assert after == pytest.approx(before * (1.4 if n in places else 1.0))
    outcome = shift_of(told(), "outcome", 0, 15, 0.02)
    assert outcome is not None
    assert shifted(outcome, made, places) == made


def test_a_share_cannot_rise_beyond_all() -> None:
    """Nobody is told that a change was missed that there cannot be."""
    assert shift_of(told(), "outcome", 0, 15, 0.76) is None
    assert shift_of(told(), "outcome", 0, 15, 0.7) is not None


def test_what_is_not_told_long_enough_is_not_known() -> None:
    """Seven nights have to know an outcome before the one on which it is put in."""
    made = told(first=10)

    assert [n for n in range(30) if is_known(made, "outcome", 0, n)] == list(range(17, 30))
    assert not is_known(made, "latency_ms", C1, 20)


def found_of(made: History, *keys: Any, service: Any = SERVICE) -> dict[tuple[str, str, int], Delay]:
    """What became of changes from the starts that a backtest chooses."""
    base = replay(service, made, made.judged)
    found, _ = delays(service, made, base, keys, starts_of(made, base))
    return {(each.measure, each.slice, each.times): each for each in found}


def test_a_worse_outcome_is_told_and_its_lateness_is_said() -> None:
    """Four floors at once or after two nights of being told, the sooner the larger; answer times likewise."""
    found = found_of(told(), OUTCOME, LATENCY, ("outcome", "", C1))

    assert {(measure, where) for measure, where, _ in found} == {
        ("outcome", ""), ("outcome", f"city{OF}c1"), ("latency_ms", ""),
    }  # fmt: skip
    for measure in ("outcome", "latency_ms"):
        four = found[measure, "", 4]
        assert set(four.told) <= {1, 2}
        assert four.pages
        one = [WITHIN + 1 if n is None else n for n in found[measure, "", 1].told]
        assert sum(one) > sum(n or 0 for n in four.told)
    assert {each.late for key, each in found.items() if key[0] == "outcome"} == {LATE}
    assert {each.late for key, each in found.items() if key[0] == "latency_ms"} == {0}
    assert (found["outcome", "", 4].floor, found["outcome", "", 4].unit) == (0.02, "share")


def test_changes_begin_where_there_is_an_outcome() -> None:
    """Also if calmer nights lie before; where it never is known no delay of it is made up, and the rest is as ever."""
    late = told(32, first=12, sliced=False)
    for night in (24, 25):
        own = late.counts[night]
        failed = own[:, -4] // 10
        own[:, -4] -= failed
        own[:, -3] += failed
    base = replay(SERVICE, late, late.judged)
    assert any(base.moved.values())
    assert {is_known(late, "outcome", 0, start) for start in starts_of(late, base)} == {True}

    never = told(24, first=40)
    assert {key[0] for key in found_of(never, OUTCOME, ("errors", "", 0))} == {"errors"}


def test_what_users_feel_is_looked_for_first() -> None:
    """A very large service has few keys looked at: the outcome is the first. No more than fifteen in all."""
    keys = keys_of(SERVICE, told())

    assert keys[0] == OUTCOME
    assert LATENCY in keys
    assert [slot for measure, _, slot in keys if measure == "outcome"] == [0, ANDROID]
    assert len(keys) == len(set(keys)) <= 15
    assert [slot for _, _, slot in keys] == sorted((slot for _, _, slot in keys), key=bool)
    assert "outcome" not in {measure for measure, _, _ in keys_of(SERVICE, told(first=40))}
