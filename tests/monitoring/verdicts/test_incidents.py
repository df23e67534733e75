"""Findings become incidents: opened once, updated, resolved, and opened again rather than twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest

from monitoring.verdicts.incidents import Incident, Key, Moved, Told, Watch, groups, step, where

DAY = date(2026, 3, 2)


def moved(
    feature: str = "age",
    place: str = "",
    floors: float = 2.0,
    *,
    measure: str = "distribution",
    alone: float = 1.0,
    whole: float = 0.0,
    share: float = 1.0,
) -> Moved:
    """A finding; by default one that has to be seen twice."""
    return Moved(Key(measure, feature, place), "tonight", floors, 1e-6, whole, share, alone)  # fmt: skip


def told(
    nights: Mapping[int, Sequence[Moved]], last: int | None = None
) -> tuple[list[Told], tuple[Incident, ...]]:
    """Fold nights in, from day 0 to `last`; what each said and what stands."""
    watch, said = Watch(), []
    for n in range((max(nights) if last is None else last) + 1):
        watch, each = step(watch, DAY + timedelta(days=n), nights.get(n, ()))
        said.append(each)
    return said, watch.incidents


def opened(said: Sequence[Told]) -> list[int]:
    """The nights on which an incident opened."""
    return [n for n, each in enumerate(said) if each.opened]


@pytest.mark.parametrize(("nights", "wanted"), [((0,), []), ((0, 1), [1]), ((0, 2), [2]), ((0, 3), [])])
def test_two_nights_of_three_open_an_incident(nights: tuple[int, ...], wanted: list[int]) -> None:
    """One night opens nothing; the second within three does, and it is told from when."""
    said, stands = told({n: [moved()] for n in nights})

    assert opened(said) == wanted
    assert [each.first for each in stands] == [DAY] * len(wanted)


@pytest.mark.parametrize(
    ("found", "at_once"),
    [
        (moved(measure="errors", feature="", floors=1.0, alone=0.001), True),
        (moved(measure="errors", feature="", floors=1.0, alone=0.01), False),
        (moved(measure="null_share", floors=5.0, alone=0.001), True),
        (moved(measure="null_share", floors=4.9, alone=0.001), False),
        (moved(floors=4.0, alone=1e-5), True),
        (moved(floors=4.0, alone=1e-4), False),
        (moved(floors=3.9, alone=1e-9), False),
    ],
)
def test_what_opens_at_once(found: Moved, at_once: bool) -> None:
    """Errors, many nulls and overwhelming changes open on their first night, if chance is far from explaining them."""
    assert opened(told({0: [found]})[0]) == ([0] if at_once else [])


def test_what_belongs_to_an_open_incident_updates_it() -> None:
    """The same measure of the same feature in another slice goes on with it; another feature does not."""
    said, stands = told({0: [moved()], 1: [moved()], 2: [moved(place="Recife"), moved("city", "Natal")]})

    assert [each.went_on for each in said] == [(), (), (1,)]
    assert len(stands) == 1
    assert stands[0].keys == {Key("distribution", "age", ""), Key("distribution", "age", "Recife")}
    assert stands[0].seen == 3


def test_three_quiet_nights_resolve_it() -> None:
    """It ends on the third night without any of its findings, and not before."""
    said, stands = told({0: [moved()], 1: [moved()]}, last=5)

    assert [n for n, each in enumerate(said) if each.resolved] == [4]
    assert stands[0].resolved == DAY + timedelta(days=4)
    assert stands[0].last == DAY + timedelta(days=1)


@pytest.mark.parametrize(("gap", "again"), [(13, True), (14, True), (15, False)])
def test_it_opens_again_within_two_weeks_of_its_end(gap: int, again: bool) -> None:
    """Up to 14 nights after its end the same finding opens it again; later it is a new one. Two nights it takes."""
    said, stands = told({0: [moved()], 1: [moved()], 4 + gap - 1: [moved()], 4 + gap: [moved()]})

    assert said[4 + gap].reopened == ((1,) if again else ())
    assert said[4 + gap].opened == (() if again else (2,))
    assert len(stands) == (1 if again else 2)
    assert stands[0].reopened == int(again)
    assert stands[0].is_open == again


def test_one_night_is_not_enough_to_open_it_again() -> None:
    """A single finding after the end neither opens it again nor opens another."""
    said, stands = told({0: [moved()], 1: [moved()], 8: [moved()]})

    assert said[8] == Told()
    assert [each.is_open for each in stands] == [False]


def test_findings_of_one_slice_or_feature_are_one_cause() -> None:
    """Features that move in the same slice go together, one in another slice does not; nor do two everywhere apart."""
    here = [moved("age", "Recife", share=0.1), moved("city", "Recife", share=0.1)]
    there = moved("price", "Natal", share=0.1)

    assert [len(group) for group in groups([*here, there])] == [2, 1]
    pair = [moved("age", "Recife", share=0.1), moved("price", "Natal", share=0.1)]
    assert len(groups(pair)) == 2
    for told in (0, 1):  # whichever of the two says so
        along = [replace(each, beside=("age", "price") if n == told else ()) for n, each in enumerate(pair)]
        assert len(groups(along)) == 1


def test_inputs_do_not_keep_going_what_is_over() -> None:
    """Requests were missing for two nights; the feature that moved with them stays, and is told on its own afterwards."""
    fewer = moved("", "Recife", measure="volume", alone=1e-6, share=0.1)
    schedule = moved("origin", "Recife", alone=1e-6, floors=5.0, share=0.1)
    nights = {n: [fewer, schedule] if n < 2 else [schedule] for n in range(12)}
    said, stands = told(nights)

    assert [each.keys for each in stands] == [{fewer.key, schedule.key}, {schedule.key}]
    assert [(each.first, each.last, each.is_open) for each in stands] == [
        (DAY, DAY + timedelta(days=1), False),
        (DAY + timedelta(days=3), DAY + timedelta(days=11), True),
    ]  # fmt: skip
    assert [n for n, each in enumerate(said) if each.went_on] == [1, *range(6, 12)]
    again, stands = told({**nights, 6: [fewer, schedule]})
    assert again[6].reopened == (1,)
    assert stands[0].reopened == 1


def test_where_names_a_slice_or_all_rows() -> None:
    """The slice whose change explains that of all rows is named; all rows where slices moved as they did."""
    small = moved(place="Recife", floors=8.0, whole=1.0, share=0.1)
    assert where([moved(floors=1.0), small]) == small
    everywhere = moved(floors=4.0)
    assert where([everywhere, moved(place="Recife", floors=4.2, whole=4.0, share=0.1)]) == everywhere
    assert where([small]) == small
    assert where([everywhere]) == everywhere


def test_a_fold_that_was_killed_and_repeated_gives_the_same() -> None:
    """A night folded twice from what stood before it gives the same watch: nothing hangs on having run once."""
    nights = [[moved()], [moved(), moved("city")], [], [moved("city"), moved()], [], [], [], [moved()]]
    watch = Watch()
    for n, found in enumerate(nights):
        day = DAY + timedelta(days=n)
        first, second = step(watch, day, found), step(watch, day, tuple(found))
        assert first == second
        watch = first[0]

    assert [each.number for each in watch.incidents] == list(range(1, len(watch.incidents) + 1))
    assert len(watch.incidents) == 1 or watch.incidents[1].lead.key.feature == "city"


def test_what_is_open_is_served_before_what_would_open_again() -> None:
    """An older incident that shares a measure of a feature with an open one does not take its finding, nor opens again."""
    age = Key("distribution", "age", "")
    old = Incident(1, DAY, DAY, DAY, moved(), frozenset({age}), 1, resolved=DAY + timedelta(days=3))
    now = replace(old, number=2, opened=DAY + timedelta(days=8), last=DAY + timedelta(days=9), resolved=None)
    overwhelming = moved(floors=9.0, alone=0.0)

    watch, said = step(Watch((old, now)), DAY + timedelta(days=10), [overwhelming])

    assert said == Told(went_on=(2,))
    assert [each.is_open for each in watch.incidents] == [False, True]
