"""How a number of the past is written: exactly, unless 1 to 9 requests stand behind it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from monitoring.amounts import (
    blurred,
    change,
    once,
    tonight,
    tonight_is_bound,
    usual,
    usual_is_bound,
    usual_value,
)
from monitoring.numbers import line
from monitoring.records import Number, NumberLine

NIGHT = date(2026, 5, 12)


def errors(*past: tuple[int, int]) -> NumberLine:
    """Tonight's share of errors, after nights with these (errors, requests)."""
    nights = [NIGHT - timedelta(days=n) for n in range(len(past), 0, -1)]
    before = [Number("errors", "", bad / rows, bad, rows) for bad, rows in past]
    return line(Number("errors", "", 0.1, 100, 1000), "share", list(zip(nights, before, strict=True)), NIGHT)


def volumes(tonight_: int, *past: int) -> NumberLine:
    """Tonight's requests, after nights with these."""
    nights = [NIGHT - timedelta(days=n) for n in range(len(past), 0, -1)]
    before = [Number("volume", "", float(rows), rows) for rows in past]
    return line(
        Number("volume", "", float(tonight_), tonight_),
        "count",
        list(zip(nights, before, strict=True)),
        NIGHT,
    )


def test_a_night_is_bounded_by_its_own_requests() -> None:
    """3 of 1,000 and 3 of 300 are not what tonight's requests would make of them."""
    told = errors(*[(100, 1000)] * 6, (3, 1000), (3, 300))
    assert once(told, 0.003, "en") == "<1.0\xa0%"
    assert once(told, 0.01, "en") == "<3.4\xa0%"
    assert once(told, 0.1, "en") == "10.0\xa0%"
    nearly_all = errors(*[(100, 1000)] * 6, (297, 300))
    assert once(nearly_all, 0.99, "en") == ">96.6\xa0%"


def test_two_nights_with_the_same_share() -> None:
    """If one of them rests on a small count, its bound is written."""
    told = errors(*[(100, 1000)] * 6, (30, 3000), (3, 300))
    assert once(told, 0.01, "en") == "<3.4\xa0%"


@pytest.mark.parametrize("bad", [1, 2])
def test_what_is_usual_rests_on_all_nights(bad: int) -> None:
    """Seven nights with one error each are seven errors; with two each they are fourteen, which may be told."""
    told = errors(*[(bad, 1000)] * 7)
    assert usual(told, "en") == ("<0.15\xa0%" if bad == 1 else "0.20\xa0%")
    assert usual_is_bound(told) == (bad == 1)
    assert change(told, "en") == f"{usual(told, 'en')} → 10.0\xa0%"
    assert usual(errors(*[(1000 - bad, 1000)] * 7), "en") == (">99.85\xa0%" if bad == 1 else "99.8\xa0%")


def test_what_is_usual_does_not_tell_the_one_night_that_is_hidden() -> None:
    """Beside the others the mean would: it is made with 5 on that night; or on two whose sum is small."""
    assert len({usual(errors(*[(12, 1200)] * 12, (few, 1200)), "en") for few in range(1, 10)}) == 1
    assert len({usual_value(errors(*[(60, 1200)] * 27, (few, 1200))) for few in range(1, 10)}) == 1
    assert len({usual_value(errors(*[(60, 1200)] * 20, (few, 1200), (1, 1200))) for few in range(1, 9)}) == 1
    assert len({usual(volumes(1200, *[1212] * 13, few), "en") for few in range(1, 10)}) == 1


def test_whether_tonight_is_a_bound() -> None:
    """1 to 9 in it or outside it; a mean of shares rests on no count, and nothing is no bound."""
    told = errors(*[(100, 1000)] * 7)
    few, nearly_all = replace(told, value=0.003, numerator=3), replace(told, value=0.997, numerator=997)
    assert [tonight_is_bound(each) for each in (told, few, nearly_all)] == [False, True, True]
    assert (tonight(few, "en"), tonight(nearly_all, "en")) == ("<1.0\xa0%", ">99.0\xa0%")
    assert not tonight_is_bound(replace(few, value=None))
    assert not tonight_is_bound(replace(few, numerator=None))
    assert [tonight_is_bound(volumes(n, *[1200] * 7)) for n in (0, 9, 10)] == [False, True, False]


def test_what_is_drawn_is_the_same_for_all_small_counts() -> None:
    """Tonight, the nights before, and the usual range that is made of them."""
    drawn = [
        blurred(replace(errors((40, 1200), *[(few, 1100 + n) for n in range(7)]), value=few / 900, numerator=few,
                     denominator=900))
        for few in (1, 3, 9)
    ]  # fmt: skip
    assert len({(each.value, each.history, each.usual) for each in drawn}) == 1
    assert drawn[0].value == 5 / 900
    untouched = errors(*[(100, 1000)] * 7)
    assert blurred(untouched) is untouched
    assert blurred(volumes(4, *[8] * 7)).value == 5.0


def test_where_nothing_is_known_of_the_counts() -> None:
    """A mean of probabilities is a share of nothing, and zero is zero."""
    told = errors(*[(0, 1000)] * 7)
    assert (usual(told, "en"), once(told, 0.0, "en")) == ("0.0\xa0%", "0.0\xa0%")
    mean = replace(told, parts=(None,) * 7, usual=(0.003, 0.0))
    assert (usual(mean, "en"), once(mean, 0.0, "en")) == ("0.30\xa0%", "0.0\xa0%")
    assert usual(errors((1, 9)), "en") == "–"
