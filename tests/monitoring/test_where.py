"""Where a change is: the slices that left their own range, and those that have none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from monitoring.explain import explain
from monitoring.records import NightPage, NumberLine, Slice
from monitoring.story import Affected
from monitoring.telling import tell
from monitoring.where import where

PAST: list[float | None] = [0.20, 0.21, 0.19, 0.20, 0.22, 0.18, 0.20, 0.21, 0.19, 0.20]


def part(
    make: Any, subject: str, value: float, rows: int = 200, past: list[float | None] = PAST
) -> NumberLine:
    """The errors of one slice."""
    line: NumberLine = make.number_line(
        "errors.slice", value, past, subject=subject, numerator=round(value * rows), denominator=rows
    )
    return line


def volume(make: Any, value: float, past: list[float | None], subject: str = "") -> NumberLine:
    """The requests of a night, or of one slice."""
    name = "volume.slice" if subject else "volume"
    line: NumberLine = make.number_line(
        name, value, past, subject=subject, format="count", numerator=int(value)
    )
    return line


def test_some_slices(make: Any, errors: NumberLine) -> None:
    """The slices that left their own range the same way, those with the most additional requests first."""
    places = [
        part(make, "city\x1fRecife", 0.4, 300), part(make, "city\x1fNatal", 0.9, 50), part(make, "city\x1fOlinda", 0.21, 500),
        part(make, "city\x1fFortaleza", 0.19, 500),
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
        == "variant = b (50\xa0%, no nights to compare with). The rest is about as usual."
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

    same = volume(make, 401.0, usual, "city\x1fNatal")
    stopped = where(
        volume(make, 401.0, [v and v * 2 for v in usual]), [volume(make, 0.0, usual, "city\x1fRecife"), same]
    )
    assert [(each.slice.value, each.line.value) for each in stopped.most] == [("Recife", 0.0)]
    flood = where(volume(make, 5401.0, usual), [volume(make, 5000.0, [0.0] * 7, "city\x1f(other)"), same])
    assert [(each.slice.value, each.is_new) for each in flood.most] == [("(other)", False)]


def words(page: NightPage, lead: NumberLine, places: list[NumberLine]) -> str:
    """Where, as page and message say it."""
    told = replace(page, numbers=(lead,), places=tuple(places))
    return tell(told, explain(told)).where


def test_as_many_as_there_are(make: Any, errors: NumberLine, changed: NightPage) -> None:
    """Three are named, and the others are counted: the rest is what is about as usual."""
    places = [part(make, f"city\x1fc{n}", 0.9 if n < 5 else 0.2, 200 - n) for n in range(10)]
    assert words(changed, errors, places) == (
        "city = c0 (20\xa0% → 90\xa0%), city = c1 (20\xa0% → 90\xa0%), city = c2 (20\xa0% → 90\xa0%) and 2 more. "
        "The rest is about as usual."
    )


def test_the_dimension_that_explains_it(make: Any, errors: NumberLine, changed: NightPage) -> None:
    """All errors are on iOS, so every city has more of them: iOS is the place."""
    cities = [part(make, f"city\x1fc{n}", 0.35, 250) for n in range(4)]
    apps = [part(make, "app\x1fios", 0.5, 500), part(make, "app\x1fandroid", 0.205, 500)]
    assert words(changed, errors, [*cities, *apps]) == (
        "app = ios (20\xa0% → 50\xa0%). The rest is about as usual."
    )


def test_what_moved_the_other_way_is_no_rest(make: Any, changed: NightPage) -> None:
    """Android doubled since iOS stopped: both are told."""
    usual: list[float | None] = [1000.0, 1010.0, 990.0, 1005.0, 995.0, 1000.0, 1000.0]

    lead = volume(make, 2200.0, [v and 2 * v for v in usual])
    places = [volume(make, 2198.0, usual, "app\x1fandroid"), volume(make, 2.0, usual, "app\x1fios")]
    assert words(changed, lead, places) == (
        "app = android (1,000 → 2,200). The other way: app = ios (1,000 → <10)."
    )


def test_most_of_it_is_too_small_to_judge(make: Any, errors: NumberLine, changed: NightPage) -> None:
    """One restaurant of a hundred requests among thousands with a few: not everywhere, and not the rest as usual."""
    small = [part(make, f"restaurant\x1fr{n}", 0.2, 20) for n in range(195)]
    big = part(make, "restaurant\x1fbig", 0.9, 100)
    assert words(changed, errors, [*small, big]) == (
        "restaurant = big (20\xa0% → 90\xa0%). The rest is too small to judge."
    )


def test_chance_in_two_hundred_slices(make: Any) -> None:
    """A change that is the same for all names none of them, though a few are beyond twice their spread."""
    rng = np.random.default_rng(7)
    lead = make.number_line("outcome", 0.22, [0.2, 0.203, 0.197] * 9, numerator=1760, denominator=8000)
    named = 0
    for _ in range(20):
        past = rng.binomial(40, 0.2, (200, 27)) / 40
        tonight = rng.binomial(40, 0.22, 200)
        places = [
            make.number_line(
                "outcome.slice",
                n / 40,
                list(map(float, row)),
                subject=f"r\x1f{i}",
                numerator=int(n),
                denominator=40,
            )
            for i, (n, row) in enumerate(zip(tonight, past, strict=True))
        ]
        named += where(lead, places).kind != "none"
    assert named <= 8  # at 2 standard deviations: all twenty


def test_a_slice_with_a_handful_of_errors(make: Any, errors: NumberLine) -> None:
    """It had none before, so that one is beyond any limit; fewer than ten are chance all the same."""
    tiny = part(make, "city\x1ftiny", 0.1, 60, past=[0.0] * 10)
    worst = part(make, "city\x1fNatal", 0.9, 500)
    assert [each.slice.value for each in where(errors, [tiny, worst]).most] == ["Natal"]


@pytest.mark.parametrize(
    ("value", "said"), [("\x1funseen", "never seen before"), ("\x1fnull", "missing"), ("unseen", "")]
)
def test_what_is_no_value(make: Any, errors: NumberLine, changed: NightPage, value: str, said: str) -> None:
    """Requests without a value, or with a new one, are named as such; a city may be called unseen."""
    places = [part(make, f"city\x1f{value}", 0.9, 500), part(make, "city\x1fNatal", 0.2, 500)]
    first = f"city: {said}" if said else "city = unseen"
    assert words(changed, errors, places).startswith(f"{first} (20\xa0% → 90\xa0%). ")
