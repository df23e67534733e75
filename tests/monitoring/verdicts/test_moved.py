"""What is handed on to incidents: bad news of a number, whatever good news stands beside it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from monitoring.verdicts.judge import Tested, Verdicts
from monitoring.verdicts.moved import moved_of
from monitoring.verdicts.rows import UNITS, Rows
from monitoring.verdicts.scalars import ratios
from nightly_counts import value_setting

NAMES = ("", "city\x1fNatal")


def compared(drifted: bool, chance: float, up: bool) -> Tested:
    """A comparison of one row in two slices, that says the same of both."""
    of = np.ones((1, 2))
    return Tested(3.0 * of, chance * of, chance * of, chance * of, of, of == drifted, of == up)


def verdicts(tonight: Tested, week: Tested, ageing: Tested) -> Verdicts:
    """All three comparisons of a night without a deployment."""
    no = np.zeros((1, 2), dtype=bool)
    return Verdicts(tonight, week, ageing, None, no, no, no, np.ones((1, 2)), no, 6)


def rows() -> Rows:
    """One number with a floor of 1, in two slices of which the second has half of the requests."""
    size = np.broadcast_to([100.0, 50.0], (1, 9, 2))
    made = value_setting(ratios(np.ones((1, 9, 2)), size), 1.0).rows
    assert UNITS[made.unit[0]] == "ratio"
    return replace(made, floor=np.ones(1))


NO = compared(False, 1.0, True)


@pytest.mark.parametrize(
    "measure", ["latency_ms", "first_token_ms", "tokens_in", "tokens_out", "cost", "errors"]
)
def test_good_news_hides_no_bad_news(measure: str) -> None:
    """Better tonight, with most evidence, and worse than the reference: the reference is told, in every slice."""
    better, worse = compared(True, 1e-9, False), compared(True, 1e-3, True)
    found = list(moved_of([(measure, "")], NAMES, rows(), verdicts(better, NO, worse)))

    assert [(each.key.slice, each.comparison, each.up) for each in found] == [
        ("", "ageing", True), (NAMES[1], "ageing", True),
    ]  # fmt: skip
    assert [(each.share, each.floors, each.whole) for each in found] == [(1.0, 3.0, 3.0), (0.5, 3.0, 3.0)]
    assert list(moved_of([(measure, "")], NAMES, rows(), verdicts(better, better, NO))) == []


def test_fewer_requests_are_bad_and_more_are_not() -> None:
    """Of volume it is the other way round."""
    more, fewer = compared(True, 1e-9, True), compared(True, 1e-3, False)

    assert list(moved_of([("volume", "")], NAMES, rows(), verdicts(more, NO, NO))) == []
    found = list(moved_of([("volume", "")], NAMES, rows(), verdicts(more, fewer, NO)))
    assert {(each.comparison, each.up) for each in found} == {("week", False)}


@pytest.mark.parametrize(
    ("measure", "feature"), [("outcome", ""), ("distribution", "price"), ("guard", "orders")]
)
def test_what_has_no_good_direction_is_told_as_of_tonight(measure: str, feature: str) -> None:
    """An outcome, a feature and a guard of which either way is bad: tonight speaks where it shows it, else the surest."""
    sure, unsure = compared(True, 1e-9, False), compared(True, 1e-3, True)
    told = [
        list(moved_of([(measure, feature)], NAMES, rows(), verdicts(*tests), {"orders": "either"}))
        for tests in ((unsure, sure, NO), (NO, unsure, sure))
    ]

    assert [{(each.comparison, each.up) for each in found} for found in told] == [
        {("tonight", True)},
        {("ageing", False)},
    ]
