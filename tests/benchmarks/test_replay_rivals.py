"""The rivals' rules from counts, against the packages themselves on raw rows."""

from __future__ import annotations

import os
from datetime import date, timedelta
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

os.environ["DO_NOT_TRACK"] = "1"  # before Evidently is imported
from evidently.legacy.calculations.stattests import get_stattest, psi_stat_test
from evidently.legacy.core import ColumnType

from benchmarks import replay_rivals as rivals
from benchmarks.replay_records import EVERYWHERE, Column, World
from benchmarks.replay_rivals_ks import _asymptotic
from benchmarks.replay_rivals_timed import drift, frame, seconds_per_night

NIGHTS, REFERENCE = 14, 7
ROWS = {EVERYWHERE: 2500, "recife": 170, "olinda": 130, "ios": 40, "nobody": 1}
"""Slice -> rows a night. Seven nights make a reference of more than 10,000 rows, some more than 1,000, less, few."""
EXACT = {"rel": 1e-9, "abs": 1e-9}
KEYS = 240


def a_column(name: str, cells: int, *, number: bool) -> Column:
    """A column with `cells` bands or values, the bands of uneven width."""
    edges = np.linspace(-3, 3, cells + 1) ** 3 / 5 + 0.01 if number else None
    return Column(name, "number" if number else "category", cells + 2, edges)


@cache
def a_world() -> World:
    """Nights that differ a little, and more after the reference; nulls, unseen values, rare and missing ones."""
    columns = tuple(a_column(f"n{cells}", cells, number=True) for cells in (1, 2, 4, 6, 12))
    columns += tuple(a_column(f"c{cells}", cells, number=False) for cells in (1, 2, 3, 12))
    random = np.random.default_rng(5)
    counts = {column.name: _counts(column, random) for column in columns}
    return _world(columns, counts, tuple(ROWS))


def _counts(column: Column, random: np.random.Generator) -> Any:
    usual = random.dirichlet(np.full(column.size, 2.0))
    usual[column.other :] *= (0.01, 0.3)
    counts = np.zeros((NIGHTS, len(ROWS), column.size), dtype=np.int32)
    for night in range(NIGHTS):
        for place, rows in enumerate(ROWS.values()):
            like = 25 if night >= NIGHTS - 3 else 400
            moved = random.dirichlet(usual * like) if night >= REFERENCE else usual
            counts[night, place] = random.multinomial(rows, moved / moved.sum())
    if column.size > 12:  # new in the reference's largest slice, where the rarest value is 1 row in 17,000
        counts[:REFERENCE, 0, 2] += (
            counts[:REFERENCE, 0, :2].sum(axis=1) - np.eye(REFERENCE, dtype=np.int32)[0]
        )
        counts[:REFERENCE, 0, :2] = 0
        counts[0, 0, 1] = 1
    return counts


def _world(columns: tuple[Column, ...], counts: dict[str, Any], slices: tuple[str, ...]) -> World:
    nights = tuple(date(2026, 3, 1) + timedelta(days=night) for night in range(len(counts[columns[0].name])))
    return World(
        "eta", "dirichlet", nights, slices, {}, range(REFERENCE), columns, counts, (), (), {}, (), {}, {}
    )  # fmt: skip


def sampled(keys: int = KEYS) -> list[tuple[Column, int, int]]:
    """Keys that have rows on both sides: column, night, slice."""
    world = a_world()
    judged = [
        (column, night, place)
        for column in world.columns
        for night in range(NIGHTS)
        for place in range(len(ROWS))
        if len(raw(column.name, (night,), place)) and len(raw(column.name, tuple(world.reference), place))
    ]
    chosen = np.random.default_rng(1).choice(len(judged), keys, replace=False)
    return [judged[each] for each in chosen]


def both(column: Column, night: int, place: int) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """Raw rows of the reference and of a night."""
    return raw(column.name, tuple(a_world().reference), place), raw(column.name, (night,), place)


@cache
def raw(name: str, nights: tuple[int, ...], place: int) -> pd.Series[Any]:
    """Raw rows as Evidently cleans them itself before it calls a test."""
    columns = tuple(column for column in a_world().columns if column.name == name)
    rows = frame(_world(columns, dict(a_world().counts), tuple(ROWS)), nights, place)[name]
    return rows.replace([-np.inf, np.inf], np.nan).dropna()


def told(rule: rivals.Rule) -> dict[str, rivals.Scores]:
    """What a rule says of each column, in every slice."""
    return {column.name: rule(rivals.clean(a_world(), column)) for column in a_world().columns}


def test_evidently_chooses_and_scores_as_the_package_does() -> None:
    """On 240 keys: Evidently's own choice of a test, its score and its verdict; every one of its tests occurs."""
    found, used = told(rivals.evidently), set()
    for column, night, place in sampled():
        reference, current = both(column, night, place)
        kind = ColumnType.Numerical if column.kind == "number" else ColumnType.Categorical
        test = get_stattest(reference, current, kind, None)
        real = test(reference, current, kind, None)
        scores = found[column.name]
        assert scores.value[night, place] == pytest.approx(real.drift_score, **EXACT), (
            column.name,
            test.name,
        )
        assert scores.flagged[night, place] == bool(real.drifted)
        used.add((test.name, bool(real.drifted)))
    names = ("wasserstein", "jensenshannon", "ks", "chisquare", "z")
    assert used == {(name, drifted) for name in names for drifted in (True, False)}


def test_psi_is_evidently_s() -> None:
    """On 240 keys: Evidently's index and verdict at both thresholds, with both of its replacements of zero."""
    found = {threshold: told(lambda cells, t=threshold: rivals.psi(cells, t)) for threshold in (0.1, 0.25)}
    smallest = []
    for column, night, place in sampled():
        reference, current = both(column, night, place)
        kind = ColumnType.Numerical if column.kind == "number" else ColumnType.Categorical
        for threshold, scores in found.items():
            real = psi_stat_test(reference, current, kind, threshold)
            assert scores[column.name].value[night, place] == pytest.approx(real.drift_score, **EXACT)
            assert scores[column.name].flagged[night, place] == bool(real.drifted)
        if set(current) - set(reference):
            smallest.append(reference.value_counts(normalize=True).min())
    assert min(smallest) <= 0.0001 < max(smallest)


def test_p_values_are_scipy_s() -> None:
    """On 240 keys: scipy's two-sample tests on raw rows, exact and asymptotic, and p < 0.05."""
    found, ways = told(rivals.significance), set()
    for column, night, place in sampled():
        reference, current = both(column, night, place)
        if column.kind == "number":
            real = stats.ks_2samp(reference, current).pvalue
            ways.add(len(reference) > 10_000)
        else:
            sides = np.repeat(["then", "now"], [len(reference), len(current)])
            real = stats.chi2_contingency(pd.crosstab(sides, [*reference, *current])).pvalue
        assert found[column.name].value[night, place] == pytest.approx(real, **EXACT)
        assert found[column.name].flagged[night, place] == (real < 0.05)
    assert ways == {True, False}


def test_the_whole_preset_says_the_same_of_a_night() -> None:
    """Evidently's preset on rows with NaN, infinities and nulls: the same scores, columns and dataset drift."""
    world, night = a_world(), 12
    said = drift(world, frame(world, [night]), frame(world, world.reference))["metrics"]
    drifted, values = said[0]["value"], {each["config"]["column"]: each["value"] for each in said[1:]}
    found = told(rivals.evidently)
    assert values == {name: pytest.approx(scores.value[night, 0], **EXACT) for name, scores in found.items()}
    assert drifted["count"] == sum(scores.flagged[night, 0] for scores in found.values())
    paged = rivals.RIVALS["evidently_dataset"](world).nights[night]
    assert paged == (drifted["share"] >= 0.5)


def test_evidently_gives_no_report_when_a_column_is_empty() -> None:
    """What the docstring says: the package raises on such a night, and the rule has no verdict for that key."""
    column = a_column("empty", 3, number=False)
    counts = np.zeros((NIGHTS, 1, column.size), dtype=np.int32)
    counts[:, 0, :2] = 600
    counts[9, 0, :2], counts[9, 0, column.null] = 0, 1200
    world = _world((column,), {"empty": counts}, (EVERYWHERE,))
    with pytest.raises(ValueError, match="empty column"):
        drift(world, frame(world, [9]), frame(world, world.reference))
    flags = rivals.RIVALS["evidently_default"](world)
    assert flags.judgeable == pytest.approx(1 - 1 / NIGHTS)
    assert not flags.nights.any()


def test_seconds_are_told_for_each_night() -> None:
    """The timed run of the real Evidently gives one positive number for every night that is asked for."""
    column = a_column("n6", 6, number=True)
    world = _world((column,), {"n6": a_world().counts["n6"]}, tuple(ROWS))
    seconds = seconds_per_night(world, [8, 9], place=1)
    assert len(seconds) == 2
    assert all(0 < each < 60 for each in seconds)


def test_short_ways_to_the_asymptotic_p_value_end_where_scipy_s_do() -> None:
    """Within 1e-9 of scipy's own function for sizes and distances on both sides of every change of way."""
    for size in (30, 140, 141, 900, 4999, 5000, 20_000):
        distance = np.sqrt(np.array([0.001, 0.3, 1.0, 2.19, 2.21, 4.0, 10.9, 11.1, 25.0]) / size)
        found = _asymptotic(np.full(len(distance), float(size)), distance)
        assert found == pytest.approx(stats.kstwo.sf(distance, size), rel=0, abs=1e-9)


def two_slices(moved: int) -> World:
    """Three categories; on the last night `moved` of them move for all rows, and the first one in `recife`."""
    columns = tuple(a_column(name, 2, number=False) for name in "abc")
    counts = {name: np.zeros((NIGHTS, 2, 4), dtype=np.int32) for name in "abc"}
    for place, name in enumerate("abc"):
        counts[name][:, :, :2] = 500
        counts[name][-1, 0, :2] = (900, 100) if place < moved else (500, 500)
    counts["a"][-1, 1, :2] = (900, 100)
    return _world(columns, counts, (EVERYWHERE, "recife"))


def test_who_looks_where_and_when_it_pages() -> None:
    """Any column in all rows; half of the columns; any column in any slice; and nobody before the last night."""
    cases = {0: ["evidently_per_slice"], 1: ["evidently_default", "evidently_per_slice"]}
    cases[2] = [*sorted([*cases[1], "evidently_dataset"])]
    for moved, expected in cases.items():
        flags = {name: rivals.RIVALS[name](two_slices(moved)) for name in cases[2]}
        assert sorted(name for name, each in flags.items() if each.nights[-1]) == expected
        assert not any(each.nights[:-1].any() for each in flags.values())
        for name, each in flags.items():
            assert each.keys["a"][-1].tolist() == [moved > 0, name == "evidently_per_slice"]
            assert each.judgeable == (1.0 if name == "evidently_per_slice" else 0.5)


def test_half_of_an_even_number_of_columns_is_enough() -> None:
    """Evidently's share is reached at exactly one half."""
    world = two_slices(1)
    two = _world(world.columns[:2], dict(world.counts), world.slices)
    assert rivals.RIVALS["evidently_dataset"](two).nights[-1]


def test_strength_is_beyond_one_where_flagged() -> None:
    """For every rival, so that what is flagged comes first when its columns and slices are ranked."""
    for name, rival in rivals.RIVALS.items():
        flags = rival(a_world())
        assert list(flags.keys) == list(flags.strength) == [column.name for column in a_world().columns]
        for column, flagged in flags.keys.items():
            assert flagged.shape == flags.strength[column].shape == (NIGHTS, len(ROWS))
            assert np.array_equal(flags.strength[column] >= 1, flagged), (name, column)
            assert np.isfinite(flags.strength[column]).all()


def test_each_psi_has_its_own_threshold_and_constants_are_constant() -> None:
    """A night at 0.14 is paged by the stricter one only, one at 0.88 by both; `always` and `never` as they say."""
    world = two_slices(0)
    world.counts["b"][-1, 0, :2] = (680, 320)
    world.counts["c"][-2, 0, :2] = (900, 100)
    pages = {name: np.flatnonzero(rival(world).nights).tolist() for name, rival in rivals.RIVALS.items()}
    assert pages["psi_01"] == [NIGHTS - 2, NIGHTS - 1]
    assert pages["psi_025"] == [NIGHTS - 2]
    assert pages["always"] == list(range(NIGHTS))
    assert pages["never"] == []
