"""Scripted incidents: when they happen, how large they are, and what is said about them."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from itertools import pairwise

import numpy as np
import pytest

from benchmarks.replay_kinds import a_slice
from benchmarks.replay_moves import distance, floor_of, lean, pour, shift
from benchmarks.replay_names import names_of
from benchmarks.replay_records import EVERYWHERE, KINDS, NOISE, Incident
from benchmarks.replay_script import QUIET, SLOW, SUDDEN, chosen, deployments, first_night, script
from benchmarks.replay_service import HOLIDAYS, Plan, plan
from benchmarks.replay_step import Scene, Step

SEEDS = (1, 2, 3)


@lru_cache(maxsize=1)
def worlds() -> list[tuple[Plan, tuple[Step, ...]]]:
    """The scripts of three services, four noises and three seeds."""
    plans = [plan(service, seed, 120) for service in KINDS for seed in SEEDS]
    made = [(p, script(p, noise, SEEDS[i % 3])) for i, p in enumerate(plans) for noise in NOISE]
    assert len(made) == 36
    return made


def every_step() -> list[tuple[Plan, Step]]:
    """Every incident of every world."""
    made = [(usual, step) for usual, steps in worlds() for step in steps]
    assert len(made) > 250
    return made


def of_kind(kind: str) -> list[tuple[Plan, Step]]:
    """Every incident of one kind; at least one."""
    made = [(usual, step) for usual, step in every_step() if step.incident.kind == kind]
    assert made, kind
    return made


def nights_of(incident: Incident) -> set[int]:
    """The nights on which it holds."""
    return set(range(incident.first, incident.last + 1))


def test_nothing_happens_in_the_reference_and_incidents_end() -> None:
    """The first incident begins at night 60 or later, and none lasts beyond the last night."""
    for _, steps in worlds():
        assert 7 <= len(steps) <= 9
        assert min(s.incident.first for s in steps) >= 60
        assert max(s.incident.last for s in steps) <= 119
        assert [s.incident.first for s in steps] == sorted(s.incident.first for s in steps)


def test_sudden_incidents_keep_their_distance() -> None:
    """Three quiet nights lie between two sudden ones, each lasts 3 to 10 nights, a promotion two."""
    for _, steps in worlds():
        sudden = [s.incident for s in steps if not s.incident.ramp]
        for one, other in pairwise(sudden):
            assert other.first - one.last - 1 >= QUIET
        for incident in sudden:
            assert len(nights_of(incident)) in ({2} if incident.kind == "promotion_weekend" else range(3, 11))


def test_a_slow_incident_shares_nothing_with_those_that_happen_meanwhile() -> None:
    """No column, and not the volume, is moved by two incidents of a world at once; no feature by two at all."""
    met = 0
    for _, steps in worlds():
        names = [name for s in steps for name in (*s.moves, *s.stale)]
        assert len(names) == len(set(names))
        for slow in (s for s in steps if s.incident.ramp):
            for s in steps:
                if s is not slow and nights_of(s.incident) & nights_of(slow.incident):
                    met += 1
                    assert not {*s.moves, *s.stale, *s.factors} & {*slow.moves, *slow.factors}
    assert met > 20


def test_many_nights_are_quiet() -> None:
    """Of the nights after the reference, a third to three quarters are without any incident."""
    for _, steps in worlds():
        busy = set().union(*(nights_of(s.incident) for s in steps))
        assert 1 / 3 <= 1 - len(busy) / 92 <= 3 / 4


@pytest.mark.parametrize("service", KINDS)
def test_the_four_noises_share_out_nearly_all_that_fits(service: str) -> None:
    """No variant comes twice among the four worlds of a service and seed, and at most three of 30 to 38 never."""
    fit = {v for v in (*SLOW, *SUDDEN) if service in v.services}
    for seed in SEEDS:
        seen = Counter(v for noise in NOISE for v in chosen(service, noise, seed, 120))
        assert max(seen.values()) == 1
        assert set(seen) <= fit
        assert len(fit - set(seen)) <= 3
    assert len(fit) >= 30


def test_there_are_many_kinds() -> None:
    """28 kinds in all."""
    assert len({step.incident.kind for _, step in every_step()}) == 28


def test_the_most_moved_column_comes_first_and_floors_are_its_multiples() -> None:
    """Effects are in the unit of the first column, and floors divide by its own floor."""
    for usual, step in every_step():
        incident = step.incident
        known = {c.name for c in usual.columns} | {f"null:{c.name}" for c in usual.columns}
        assert {c for c in incident.columns if floor_of(c) == 0.1} <= known | {"tokens", "cost"}
        if incident.columns:
            assert incident.floors == pytest.approx(incident.effect / floor_of(incident.columns[0]))
        else:
            assert (incident.effect, incident.floors) == (0, 0)


def test_what_only_text_or_labels_show_moves_nothing() -> None:
    """An incident that counts alone cannot show moves no column and no series."""
    unseen = [step for _, step in every_step() if step.incident.needs]
    assert {s.incident.kind for s in unseen} == {"label_flip", "refusals", "language_mix"}
    assert all(not (s.moves or s.factors or s.points or s.stale or s.incident.columns) for s in unseen)


def test_what_is_critical_and_what_is_harmless() -> None:
    """Critical are large null spikes, lost columns, errors and a lost feed; harmless what was planned or removed."""
    for _, step in every_step():
        i = step.incident
        large = i.kind == "null_spike" and i.effect >= 0.1
        assert i.critical == (large or i.kind in {"schema_rename", "deploy_with_error", "feed_stops"})
        assert i.harmless == (i.kind in {"promotion_weekend", "traffic_growth", "duplicated_rows"})


@pytest.mark.parametrize("floors", [1.0, 2.0, 4.0])
def test_feature_shifts_have_the_size_that_was_asked_for(floors: float) -> None:
    """Shifts of one, two and four floors, of numbers and categories, everywhere and in a slice."""
    found = [(u, s.incident) for u, s in of_kind("feature_shift") if round(s.incident.floors) == floors]
    kinds = {
        (next(c.kind for c in usual.columns if c.name == i.columns[0]), i.slice == EVERYWHERE)
        for usual, i in found
    }
    assert len(kinds) == 4
    assert [i.floors for _, i in found] == pytest.approx([floors] * len(found), rel=0.01)


def test_ageing_goes_a_tenth_of_a_floor_a_night() -> None:
    """After k nights the column is k tenths of a floor away; one column or three age, for 26 nights or more."""
    numbers = set()
    for usual, step in of_kind("ageing"):
        i = step.incident
        numbers.add(len(step.moves))
        column = next(c for c in usual.columns if c.name == i.columns[0])
        before = usual.usual_in(column.name, EVERYWHERE, i.first, i.last)
        after = (before[:, None] @ step.moves[column.name])[:, 0]
        nights = np.arange(1, len(before) + 1)
        assert distance(column, before, after) == pytest.approx(nights / 100, rel=0.1)
        assert i.floors == pytest.approx(len(nights) / 10, rel=0.01)
        assert i.ramp == len(nights) >= 26
    assert numbers == {1, 3}


def test_a_promotion_is_on_a_weekend_and_moves_features_by_less_than_a_floor() -> None:
    """Saturday and Sunday, 40 % more requests, half a floor in two categories."""
    for usual, step in of_kind("promotion_weekend"):
        i = step.incident
        assert [usual.nights[n].weekday() for n in (i.first, i.last)] == [5, 6]
        assert i.effect == pytest.approx(0.4)
        assert (i.columns[0], len(i.columns)) == ("volume", 3)


def test_slices_are_of_any_size_but_half_the_time_not_tiny() -> None:
    """Slices below 300 requests are chosen, but about half as often as by mere chance."""
    usual = plan("eta", 1, 120)
    size = dict(zip(usual.slices, usual.requests.mean(axis=0) @ usual.belongs.T, strict=True))
    scene = Scene(usual, np.random.default_rng(1), 60, 62, (), ())
    picked = [a_slice(scene) for _ in range(2000)]
    assert EVERYWHERE not in picked
    tiny = sum(0 < size[s] < 300 for s in usual.slices if s) / 40
    assert np.mean([size[s] < 300 for s in picked]) == pytest.approx(tiny / 2, abs=0.025)


def test_deployments() -> None:
    """Some come with an incident and are rolled back, at least three are harmless and not near a sudden one."""
    for _, steps in worlds():
        made = deployments(steps, 120, np.random.default_rng(0))
        guilty = {s.incident.first for s in steps if s.deploys}
        back = {s.incident.last + 1 for s in steps if s.deploys} & set(range(120))
        assert guilty | back <= set(made)
        harmless = set(made) - guilty - back
        assert len(harmless) >= 3
        assert min(harmless) >= 28
        sudden = set().union(*(nights_of(s.incident) for s in steps if not s.incident.ramp))
        assert not harmless & (sudden | {n - 1 for n in sudden} | {n - 2 for n in sudden})
        assert list(made) == sorted(made)
        for step in (s for s in steps if s.deploys and s.incident.last < 119):
            before = [made[n] for n in made if n < step.incident.first and n not in guilty]
            assert made[step.incident.last + 1] == (before[-1] if before else "v1")


@pytest.mark.parametrize(("nights", "most"), [(35, 1), (60, 4), (90, 7)])
def test_short_worlds_have_fewer_incidents(nights: int, most: int) -> None:
    """Incidents of short worlds begin after the reference too, and are fewer."""
    for service in KINDS:
        steps = script(plan(service, 1, nights), "dirichlet", 1)
        assert len(steps) <= most
        assert all(first_night(nights) <= s.incident.first <= s.incident.last < nights for s in steps)
    assert first_night(nights) >= 28


def test_holidays_look_like_sundays() -> None:
    """Each public holiday in the nights is known, and has a Sunday's rows."""
    usual = plan("eta", 1, 200)
    assert [usual.nights[n] for n in usual.holidays] == sorted(d for d in HOLIDAYS if d in usual.nights)
    assert usual.holidays
    assert set(usual.weekdays[list(usual.holidays)]) == {6}


def test_moves_keep_every_row() -> None:
    """Rows move from cell to cell and none is lost or made; a shift past the last edge stays in the last band."""
    edges = np.array([-3.0, -1.0, 0.0, 0.5, 4.0])
    made = [pour(6, 0.3, [1, 5], [0.2, 0.8]), lean(6, [0, 1], [4], 0.7)]
    made += [shift(edges, by) for by in (-9.0, -0.3, 0.0, 0.2, 9.0)]
    for matrix in made:
        assert matrix.sum(axis=1) == pytest.approx(np.ones(6))
        assert matrix.min() >= 0
    assert np.array_equal(shift(edges, 0.0), np.eye(6))
    assert np.array_equal(shift(edges, 9.0)[:4, 3], np.ones(4))


@pytest.mark.parametrize("service", KINDS)
def test_names_are_told_apart(service: str) -> None:
    """No two columns of a service have the same name."""
    numbers, categories = names_of(service)
    assert (len(numbers), len(categories), len({*numbers, *categories})) == (30, 30, 60)
