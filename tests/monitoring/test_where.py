"""Where a change is: the slices that left their own range, and those that have none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from monitoring.explain import explain
from monitoring.records import Affected, NightPage, NumberLine, Slice
from monitoring.telling import tell
from monitoring.where import where

PAST: list[float | None] = [0.20, 0.21, 0.19, 0.20, 0.22, 0.18, 0.20, 0.21, 0.19, 0.20]


@pytest.fixture
def errors(make: Any) -> NumberLine:
    """The share of errors, from a fifth to a half."""
    line: NumberLine = make.number_line("errors", 0.5, PAST, numerator=500, denominator=1000)
    return line


def part(
    make: Any, subject: str, value: float, rows: int = 200, past: list[float | None] = PAST
) -> NumberLine:
    """The errors of one slice."""
    line: NumberLine = make.number_line(
        "errors.slice", value, past, subject=subject, numerator=round(value * rows), denominator=rows
    )
    return line


def test_some_slices(make: Any, errors: NumberLine) -> None:
    """The slices that left their own range the same way, those with the most additional requests first."""
    places = [
        part(make, "city\x1fRecife", 0.4, 300), part(make, "city\x1fNatal", 0.9, 50), part(make, "city\x1fOlinda", 0.21, 500),
        part(make, "city\x1fFortaleza", 0.01, 500),
    ]  # fmt: skip
    found = where(errors, places)
    assert (found.kind, found.affected, found.judged) == ("some", {"city": 2}, {"city": 4})
    assert found.most == (
        Affected(Slice("city", "Recife"), places[0]),
        Affected(Slice("city", "Natal"), places[1]),
    )


def test_mostly(make: Any, errors: NumberLine) -> None:
    """Where the rest moved too, though not beyond its own range, it is not called usual."""
    loose = [0.1, 0.4, 0.2, 0.3, 0.1, 0.4, 0.2]
    places = [part(make, "city\x1fRecife", 0.5, 300), part(make, "city\x1fNatal", 0.45, 600, past=loose)]
    found = where(errors, places)
    assert (found.kind, [each.slice.value for each in found.most]) == ("mostly", ["Recife"])


def test_everywhere(make: Any, errors: NumberLine) -> None:
    """Four fifths of the requests of every dimension: then only the worst of each is named."""
    places = [
        part(make, "city\x1fRecife", 0.5, 450), part(make, "city\x1fNatal", 0.6, 450), part(make, "city\x1fOlinda", 0.2, 100),
        part(make, "app\x1fios", 0.5, 500), part(make, "app\x1fandroid", 0.55, 500),
    ]  # fmt: skip
    found = where(errors, places)
    assert found.kind == "everywhere"
    assert {each.slice for each in found.most} == {Slice("city", "Natal"), Slice("app", "android")}
    assert where(errors, [*places[:3], part(make, "app\x1fios", 0.2, 500), places[4]]).kind == "some"


def test_nowhere_in_particular(make: Any, errors: NumberLine) -> None:
    """Slices that are too small, too young, or of another number say nothing."""
    assert where(errors, []).kind == "unknown"
    few, young = part(make, "city\x1fRecife", 0.9, 29), part(make, "city\x1fNatal", 0.9, past=PAST[:6])
    other = replace(part(make, "city\x1fOlinda", 0.9), name="outcome.slice")
    assert where(errors, [few, young, other]).kind == "unknown"
    assert where(errors, [part(make, "city\x1fRecife", 0.21)]).kind == "none"


def test_a_slice_that_is_gone_counts_with_its_usual_requests(make: Any) -> None:
    """A city whose requests stopped has few rows tonight, and is the very one to name."""
    usual: list[float | None] = [400.0, 410.0, 390.0, 405.0, 395.0, 400.0, 400.0]
    lead = make.number_line("volume", 600.0, [v and v * 2.5 for v in usual], format="count", numerator=600)
    gone = make.number_line("volume.slice", 3.0, usual, subject="city\x1fRecife", format="count", numerator=3)
    there = make.number_line(
        "volume.slice", 401.0, usual, subject="city\x1fNatal", format="count", numerator=401
    )
    found = where(lead, [gone, there])
    assert [each.slice.value for each in found.most] == ["Recife"]


def test_a_value_that_is_new(make: Any, errors: NumberLine, changed: NightPage) -> None:
    """In a dimension that has a past, it is held against what is usual of everything; the words say that it is new."""
    known = part(make, "variant\x1fa", 0.2, 800)
    new = part(make, "variant\x1fb", 0.5, 200, past=PAST[:5])
    found = where(errors, [known, new])
    assert (found.kind, found.most) == (
        "some",
        (Affected(Slice("variant", "b"), found.most[0].line, is_new=True),),
    )
    page = replace(changed, numbers=(errors,), places=(known, new))
    assert (
        tell(page, explain(page)).where
        == "variant = b (50\xa0%, hardly seen before). The rest is about as usual."
    )

    as_all = part(make, "variant\x1fb", 0.2, 200, past=[])
    assert where(errors, [known, as_all]).kind == "none"
    whole_dimension = [replace(each, usual=None) for each in (known, new)]
    assert (
        where(errors, whole_dimension).kind == "unknown"
    )  # some of its values may always have been like that


@pytest.mark.parametrize(("bad", "kind"), [(11, "none"), (18, "some")])
def test_chance_in_a_new_value(make: Any, errors: NumberLine, bad: int, kind: str) -> None:
    """30 requests at a usual fifth stray by 7 points: 11 errors are within three times that, 18 are not."""
    known = part(make, "variant\x1fa", 0.2, 800)
    assert where(errors, [known, part(make, "variant\x1fb", bad / 30, 30, past=[])]).kind == kind


def test_requests_that_stopped_altogether(make: Any) -> None:
    """A slice with no request at all tonight, and one that had none before, are the ones to name."""
    usual: list[float | None] = [400.0, 410.0, 390.0, 405.0, 395.0, 400.0, 400.0]

    def volume(value: float, past: list[float | None], subject: str = "") -> NumberLine:
        name = "volume.slice" if subject else "volume"
        line: NumberLine = make.number_line(
            name, value, past, subject=subject, format="count", numerator=int(value)
        )
        return line

    same = volume(401.0, usual, "city\x1fNatal")
    stopped = where(volume(401.0, [v and v * 2 for v in usual]), [volume(0.0, usual, "city\x1fRecife"), same])
    assert [(each.slice.value, each.line.value) for each in stopped.most] == [("Recife", 0.0)]
    flood = where(volume(5401.0, usual), [volume(5000.0, [0.0] * 7, "city\x1f(other)"), same])
    assert [(each.slice.value, each.is_new) for each in flood.most] == [("(other)", False)]
