"""The part of the speed run that is ronda: a night as `ronda night` judges it, whole and step by step."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.speed_log import FEATURES, JUDGED, SERVICE, home_at
from benchmarks.speed_part import peak_mb, timed, usual
from monitoring.compact import compact_categories, compact_numbers
from monitoring.comparable import Compared
from monitoring.compare import scores
from monitoring.decide import decide
from monitoring.extract import layout
from monitoring.judged import Judged
from monitoring.night import judge
from monitoring.profile import summarise
from monitoring.snapshot import build
from monitoring.validate import rules
from store.count import count
from store.duck import arrow
from store.grid import CategoryGrid
from store.query import REQUESTS
from store.source import Source
from store.statement import Selection, duplicated_ids, marked, sampled
from store.watch import Watch, open_watch

SAMPLE_ROWS = 10_000
"""Rows that leave the source for a closer look, chosen by the hash of their id."""


def measure(folder: Path, _rows: int, runs: int) -> dict[str, Any]:
    """Time each step of a night, the night as a whole with a sample, and that with Evidently's comparison.

    `seconds` is the sum of the steps (statement, duplicates, sample, profile, findings). The whole night also
    opens the source twice, looks for deployments, reads the reference and compiles its statements.
    """
    watch = open_watch(SERVICE, home_at(folder))
    night_seconds = usual(lambda: _night(watch), runs)
    walks = [_walk(watch) for _ in range(runs)]
    found = {
        "features": len(_night(watch).grids),
        "seconds": median(sum(walk.values()) for walk in walks),
        "night_seconds": night_seconds,
        "parts": {part: median(walk[part] for walk in walks) for part in walks[0]},
        "peak_without_evidently_mb": peak_mb(),
    }
    import_module("evidently.metrics")  # seconds that are told apart
    return {**found, "with_evidently_seconds": usual(lambda: _compare(_night(watch)), runs)}


def _night(watch: Watch) -> Judged:
    """What is timed as a whole: a night is read and judged, and a sample of its rows taken."""
    judged = judge(watch, JUDGED)
    with watch.source({REQUESTS: JUDGED}) as source:
        _sample(source, _selection(watch, source), judged.counted.rows_kept)
    return judged


def _walk(watch: Watch) -> dict[str, float]:
    """Seconds of each step on its own; `statement` is the counting without its search for duplicates."""
    judged = judge(watch, JUDGED)
    grids, slices = judged.grids, judged.reference.slices
    with watch.source({REQUESTS: JUDGED}) as source:
        selection = _selection(watch, source)
        duplicates, _ = timed(lambda: source.fetch(duplicated_ids(selection)))
        counting, counted = timed(lambda: count(source, selection, grids, slices))
        sample, _ = timed(lambda: _sample(source, selection, counted.rows_kept))
    first, before = timed(lambda: summarise(judged.reference.cells, grids, slices))
    second, now = timed(lambda: summarise(counted.cells, grids, slices))
    findings, _ = timed(lambda: decide(watch.service, scores(before, now, grids), {}))
    return {
        "statement": counting - duplicates,
        "duplicates": duplicates,
        "sample": sample,
        "profile": first + second,
        "findings": findings,
    }


def _selection(watch: Watch, source: Source) -> Selection:
    service, query = watch.service, source.queries[REQUESTS]
    readings = layout(service, source.columns(REQUESTS), query.file, JUDGED.name).readings
    return Selection(readings, JUDGED, query.bounded, rules(service, readings))


def _sample(source: Source, selection: Selection, rows: int) -> int:
    """Take a sample of the features; returns its rows."""
    with source.staged(marked(selection)) as connection:
        return int(arrow(connection, sampled(selection, FEATURES, SAMPLE_ROWS / rows)).num_rows)


def _compare(judged: Judged) -> None:
    """Ronda's own use of Evidently: every feature, on a few thousand rows rebuilt from its counts."""
    made = build([_compared(judged, name) for name in FEATURES], at=JUDGED.start)
    left_out = [score.name for score in made.scores if score.score is None]
    assert not left_out, f"Evidently compared fewer features than on raw rows: {left_out} are missing"


def _compared(judged: Judged, name: str) -> Compared:
    grid = judged.grids[name]
    before, now = judged.before.counts[name][0], judged.current.counts[name][0]
    if isinstance(grid, CategoryGrid):
        return Compared(name, "category", compact_categories(before, grid), compact_categories(now, grid))
    return Compared(name, "number", compact_numbers(before, grid), compact_numbers(now, grid))
