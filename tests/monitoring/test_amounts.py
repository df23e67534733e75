"""How a number of the past is written: exactly, unless 1 to 9 requests stand behind it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from monitoring.amounts import change, once, usual
from monitoring.numbers import line
from monitoring.records import Number, NumberLine

NIGHT = date(2026, 5, 12)


def errors(*past: tuple[int, int]) -> NumberLine:
    """Tonight's share of errors, after nights with these (errors, requests)."""
    nights = [NIGHT - timedelta(days=n) for n in range(len(past), 0, -1)]
    before = [Number("errors", "", bad / rows, bad, rows) for bad, rows in past]
    return line(Number("errors", "", 0.1, 100, 1000), "share", list(zip(nights, before, strict=True)), NIGHT)


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
    assert change(told, "en") == f"{usual(told, 'en')} → 10.0\xa0%"


def test_where_nothing_is_known_of_the_counts() -> None:
    """A mean of probabilities is a share of nothing, and zero is zero."""
    told = errors(*[(0, 1000)] * 7)
    assert (usual(told, "en"), once(told, 0.0, "en")) == ("0.0\xa0%", "0.0\xa0%")
    mean = replace(told, parts=(None,) * 7, usual=(0.003, 0.0))
    assert (usual(mean, "en"), once(mean, 0.0, "en")) == ("0.30\xa0%", "0.0\xa0%")
    assert usual(errors((1, 9)), "en") == "–"
