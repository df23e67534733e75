"""Where a number stands among its past nights, and what a night comes to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from monitoring import speaking, standing
from monitoring.records import FeatureLine, NightPage

PAST = [0.20, 0.21, 0.19, 0.20, 0.22, 0.18, 0.20, 0.21, 0.19, 0.20]


@pytest.mark.parametrize(
    ("value", "word", "far"),
    [(0.20, "within", False), (0.21, "within", False), (0.5, "highest", True), (0.1, "lowest", True),
     (0.222, "highest", False), (None, "none", False)],
)  # fmt: skip
def test_places(make: Any, value: float | None, word: str, far: bool) -> None:
    """Usual, extreme by little, and far out beyond three standard deviations."""
    where = standing.place(make.number_line("errors", value, PAST, numerator=500, denominator=1000))
    assert (where.word, where.far, where.nights) == (word, far, 10)


def test_an_outcome_speaks_sooner(make: Any) -> None:
    """Two standard deviations for an outcome, three for the rest: 0.226 is 2.4 away."""
    far = {name: standing.place(make.number_line(name, 0.226, PAST)).far for name in ("outcome", "errors")}
    assert far == {"outcome": True, "errors": False}


def test_unusual_but_seen_before(make: Any) -> None:
    """Beyond two standard deviations, yet one past night was further out."""
    past = [0.2, 0.21] * 13 + [0.4]
    assert standing.place(make.number_line("errors", 0.3, past)).word == "higher"
    assert standing.place(make.number_line("errors", 0.1, [0.2, 0.21] * 13 + [0.0])).word == "lower"


def test_too_few_nights(make: Any) -> None:
    """Six nights do not make a habit."""
    assert standing.place(make.number_line("errors", 0.9, PAST[:6])).word == "early"


def test_first_errors_ever(make: Any) -> None:
    """After nights of exactly none, nine requests are chance and ten are not."""
    few, more = (
        make.number_line("errors", n / 900, [0.0] * 28, numerator=n, denominator=900) for n in (9, 10)
    )
    assert (standing.place(few).far, standing.place(more).far) == (False, True)


def test_a_constant_stays_within(make: Any) -> None:
    """A mean of equal floats may differ from them in the last bit."""
    assert standing.place(make.number_line("cost", 0.1, [0.1] * 28)).word == "within"


def test_states(changed: NightPage, quiet: NightPage) -> None:
    """Bad data come before changes; a night without history is early; nothing judged is no verdict."""
    early = tuple(replace(line, usual=None) for line in quiet.numbers)
    halved = {"kept": 9_000, "outside_night": 9_166}
    assert speaking.state_of(changed) == "changed"
    assert speaking.state_of(quiet) == "quiet"
    assert speaking.state_of(replace(changed, counts=halved)) == "data"
    assert speaking.state_of(replace(quiet, numbers=early)) == "early"
    assert speaking.state_of(replace(quiet, numbers=(), features=())) == "no_verdict"


def test_one_drifted_measure_moves_a_feature(make: Any) -> None:
    """A feature whose values are steady but whose values went missing has moved."""
    steady, missing = (
        make.finding("x", 0.01),
        make.finding("x", 0.5, 0.02, measure="null_share", unit="share"),
    )
    feature = FeatureLine("x", "number", "", (), None, None, None, (steady, missing))
    assert standing.verdict(feature) == "drifted"
    assert standing.verdict(replace(feature, findings=(steady,))) == "stable"
    assert standing.verdict(replace(feature, kind="calendar")) == "calendar"
    assert standing.verdict(replace(feature, findings=())) == "not_computed"


def test_what_is_away_for_weeks_is_not_forgotten(make: Any, quiet: NightPage) -> None:
    """An outcome that is known on no night any more is unmeasured, and no news; on a weekday that never has one it is not."""
    line = make.number_line("outcome", None, PAST)
    nights = [line.of_night - timedelta(days=n) for n in range(40, 0, -1)]

    def page(values: list[float | None]) -> NightPage:
        volume = make.number_line("volume", 9.0, PAST)
        own = replace(line, history=tuple(zip(nights, values, strict=True)))
        every = replace(volume, history=tuple((day, 9.0) for day in nights), of_night=line.of_night)
        return replace(quiet, numbers=(own, every))

    gone = page([0.2] * 18 + [None] * 22)
    assert [each.name for each in standing.unmeasured(gone)] == ["outcome"]
    assert standing.newly_lost(gone) == ()
    assert [each.name for each in standing.newly_lost(page([0.2] * 39 + [None]))] == ["outcome"]
    assert [each.name for each in standing.unmeasured(page([0.2] * 3 + [None] * 37))] == ["outcome"]
    never = page([None if day.weekday() == line.of_night.weekday() else 0.2 for day in nights])
    assert standing.unmeasured(never) == []
