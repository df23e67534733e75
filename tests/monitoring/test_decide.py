"""From a distance to one of four verdicts, each with its reason."""

from __future__ import annotations

import math
from typing import Any

import pytest

from monitoring.compare import scores
from monitoring.decide import REFERENCE, decide, not_computed
from monitoring.records import ALL_ROWS, Finding, Profile, Score, Slice
from services.model import Service
from store.grid import CategoryGrid, NumberGrid, Segment

pytestmark = pytest.mark.filterwarnings("error")

CITY = Slice("city", "Recife")


def service(**more: Any) -> Service:
    """A service file with the shipped floors: 0.1 for numbers and categories, 2 points of share, 200 rows."""
    given: dict[str, Any] = {
        "service": "shop", "owner": "@team", "slack": "#team", "source": "log", "requests": "sql/r.sql",
        "status_ok": ["ok"], "floors": {"number": 0.1, "category": 0.1, "share": 0.02, "volume": 0.2},
        "enough": {"rows": 200, "history_nights": 28}, "critical": [], "morning": [], "schedule": "30 2 * * *",
        "morning_at": "08:00", "late_after": "30m", "slack_unknown": "repeat", "release": {"nights": 28, "every": 7},
        "time_zone": "UTC", "retention": dict.fromkeys(("profiles", "pages", "quarantine", "releases"), "30d"),
    }  # fmt: skip
    return Service.model_validate(given | more)


def score(effect: float, noise: float = 0.0, **more: Any) -> Score:
    """A distance of feature `x` over all rows, with plenty of them."""
    given: dict[str, Any] = {"measure": "distribution", "feature": "x", "slice": ALL_ROWS, "unit": "sd",
                             "rows_reference": 1000, "rows_current": 1000}  # fmt: skip
    return Score(effect=effect, noise=noise, **(given | more))


def verdict(found: Score, **more: Any) -> tuple[str, str]:
    """Verdict and reason of one score."""
    (finding,) = decide(service(**more), [found], [])
    return finding.verdict, finding.reason


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (score(0.11), ("drifted", "")),
        (score(0.1), ("stable", "")),
        (score(0.05), ("stable", "")),
        (score(0.0), ("stable", "")),
        (score(0.13, 0.09), ("stable", "")),  # sqrt(0.13² - 0.09²) = 0.094
        (score(0.14, 0.09), ("drifted", "")),  # sqrt(0.14² - 0.09²) = 0.107
        (score(0.05, 0.09), ("stable", "")),  # below what chance shows
        (score(0.29, 0.1), ("inconclusive", "chance_reaches_floor")),
        (score(0.0, 0.1), ("inconclusive", "chance_reaches_floor")),
        (score(0.31, 0.1), ("drifted", "")),  # three times what chance shows is no chance
        (score(5.0, 0.0, rows_current=199), ("inconclusive", "too_few_rows")),
        (score(5.0, 0.0, rows_reference=199), ("inconclusive", "too_few_rows")),
        (score(5.0, 0.0, rows_current=200, rows_reference=200), ("drifted", "")),
        (score(math.nan, math.nan, rows_reference=0), ("not_computed", "empty_in_reference")),
        (score(math.nan, math.nan, rows_current=0), ("not_computed", "all_null")),
        (score(math.nan, math.nan, rows_reference=0, rows_current=0), ("not_computed", "empty_in_reference")),
        (score(math.nan, math.nan, rows_reference=0, slice=CITY), ("inconclusive", "new_slice")),
        (score(math.nan, math.nan, rows_current=0, slice=CITY), ("inconclusive", "no_rows")),
        (score(0.03, unit="share"), ("drifted", "")),
        (score(0.02, unit="share"), ("stable", "")),
        (score(0.03, measure="null_share", unit="share"), ("drifted", "")),
        (score(0.03, 0.02, measure="null_share", unit="share"), ("inconclusive", "chance_reaches_floor")),
        (score(0.11, unit="js"), ("drifted", "")),
    ],
)  # fmt: skip
def test_the_table_of_verdicts(found: Score, wanted: tuple[str, str]) -> None:
    """Effect beyond chance against the floor; too little data is inconclusive, a broken side is not computed."""
    assert verdict(found) == wanted


def test_a_features_own_floor_counts_for_its_distribution_only() -> None:
    """`floor` of a feature replaces the service's for its distance, not for shares."""
    own = {"features": {"rules": {"x": {"floor": 0.5}}}}
    assert verdict(score(0.4), **own) == ("stable", "")
    assert verdict(score(0.6), **own) == ("drifted", "")
    assert verdict(score(0.03, measure="null_share", unit="share"), **own) == ("drifted", "")
    assert verdict(score(0.03, unit="share"), **own) == ("drifted", "")


def test_numbers_and_categories_have_their_own_floors() -> None:
    """The unit says which floor holds."""
    floors = {"floors": {"number": 0.5, "category": 0.2, "share": 0.3, "volume": 0.2}}
    for unit, floor in (("sd", 0.5), ("js", 0.2), ("share", 0.3)):
        (found,) = decide(service(**floors), [score(floor + 0.01, unit=unit)], [])
        assert (found.floor, found.verdict) == (floor, "drifted")
        assert verdict(score(floor - 0.01, unit=unit), **floors) == ("stable", "")


def test_a_finding_keeps_its_numbers() -> None:
    """Everything the score knew is in the finding, and an unknown effect is none."""
    (found,) = decide(
        service(), [score(0.3, 0.01, reference_value=1.0, current_value=2.0, direction="up")], []
    )
    assert found == Finding(
        "distribution", "x", ALL_ROWS, REFERENCE, "drifted", effect=0.3, floor=0.1, unit="sd", reference_value=1.0,
        current_value=2.0, rows_reference=1000, rows_current=1000, direction="up",
    )  # fmt: skip
    assert decide(service(), [score(math.nan, math.nan, rows_current=0)], [])[0].effect is None


def known(measure: str, place: Slice = ALL_ROWS, verdict: str = "stable", feature: str = "") -> Finding:
    """What the nights before say of a key."""
    given: dict[str, Any] = {"measure": measure, "feature": feature, "slice": place, "verdict": verdict}
    return Finding(comparison="nights", effect=0.05, floor=0.02, unit="share", visible=0.03, **given)


def test_numbers_are_kept_beside_the_scores() -> None:
    """All over all rows; in slices what drifted; of shares of null and unseen what drifted in a slice; nothing else."""
    numbers = [known("outcome"), known("volume", verdict="drifted"), known("guard", feature="orders")]
    in_slices = [known("outcome", CITY, "drifted"), known("null_share", CITY, "drifted", "x")]
    left_out = [
        known("errors", CITY), known("volume", CITY, "inconclusive"), known("null_share", CITY, feature="z"),
        known("unseen_share", ALL_ROWS, "drifted", "y"), known("distribution", CITY, "drifted", "y"),
    ]  # fmt: skip
    found = decide(service(), [score(0.3)], [*numbers, *left_out, *in_slices])

    assert [each.feature for each in found[:1]] == ["x"]
    assert found[1:] == [*numbers, *in_slices]


def test_a_score_is_told_once() -> None:
    """What the nights before say of a score is in its finding, not beside it; of another slice's it is not."""
    whole = known("null_share", verdict="drifted", feature="x")
    (one, other) = decide(
        service(),
        [score(0.001, measure="null_share", unit="share")],
        [whole, known("null_share", CITY, "drifted", "x")],
    )

    assert (one.comparison, one.verdict, one.visible) == (REFERENCE, "drifted", 0.03)
    assert other.slice == CITY


def test_columns_that_cannot_be_compared() -> None:
    """Each has one finding that says why."""
    found = not_computed([("x", "missing_column"), ("y", "changed_type")])
    assert [(f.feature, f.verdict, f.reason, f.effect) for f in found] == [
        ("x", "not_computed", "missing_column", None), ("y", "not_computed", "changed_type", None),
    ]  # fmt: skip


def judged(grid: NumberGrid | CategoryGrid, before: list[int], now: list[int]) -> dict[str, tuple[str, str]]:
    """Measure -> verdict of one column from its counts."""
    import numpy as np

    sides = [Profile((ALL_ROWS,), {"x": np.array([side], dtype=np.int64)}) for side in (before, now)]
    return {
        f.measure: (f.verdict, f.reason)
        for f in decide(service(), scores(sides[0], sides[1], {"x": grid}), [])
    }


def test_whole_columns_that_break() -> None:
    """All-null, new words only, a constant that comes alive, and an all-null reference, from counts to verdict."""
    number, words = NumberGrid((Segment(0.0, 2.0, 2),)), CategoryGrid(("a", "b"))
    usual, nulls = [0, 500, 500, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1000, 0, 0, 0]
    assert judged(number, usual, nulls) == {
        "distribution": ("not_computed", "all_null"), "null_share": ("drifted", ""), "beyond_share": ("stable", ""),
    }  # fmt: skip
    assert judged(number, nulls, usual)["distribution"] == ("not_computed", "empty_in_reference")
    assert judged(number, [0, 1000, 0, 0, 0, 0, 0, 0], [0, 900, 100, 0, 0, 0, 0, 0])["distribution"] == (
        "drifted",
        "",
    )
    assert judged(number, [0, 1000, 0, 0, 0, 0, 0, 0], [0, 990, 10, 0, 0, 0, 0, 0])["distribution"] == (
        "stable",
        "",
    )
    assert judged(words, [500, 500, 0, 0], [0, 0, 1000, 0]) == {
        "distribution": ("drifted", ""), "null_share": ("stable", ""), "unseen_share": ("drifted", ""),
    }  # fmt: skip
    assert judged(words, [500, 500, 0, 0], [0, 0, 0, 1000])["null_share"] == ("drifted", "")
    assert judged(number, usual, [0, 0, 0, 0, 0, 1000, 0, 0])["beyond_share"] == ("drifted", "")
