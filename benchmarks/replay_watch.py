"""Ronda on a simulated service: the same functions that judge a real night, over all of its nights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.replay_records import Column, Series, World
from benchmarks.replay_records import Incident as Planted
from benchmarks.replay_score import Page, Run, names
from monitoring.verdicts.incidents import Incident, Moved, Told, Watch, step
from monitoring.verdicts.judge import Verdicts, judge
from monitoring.verdicts.kinds import kinds
from monitoring.verdicts.lay import WEEK, Bank
from monitoring.verdicts.moved import moved_of
from monitoring.verdicts.rows import UNITS, Floats, Rows, joined
from monitoring.verdicts.scalars import Values, of_values, past_of_values, ratios, shares, whole_of
from monitoring.verdicts.shares import Scale, bands, of_counts, past_of_counts, roots
from monitoring.verdicts.since import Began
from monitoring.verdicts.variation import Variation, fitted

FLOOR, SHARE_FLOOR = 0.1, 0.02
"""Of distributions, in their own unit; and of a column's null and unseen shares, two points."""
BACK = 56
"""Nights of the bank: eight of each weekday."""
Counts = npt.NDArray[Any]


@dataclass(frozen=True)
class Night:
    """What ronda made of one night.

    Attributes:
        place: place of the night in the world.
        labels: (measure, feature) of each row; numbers of the service have no feature.
        verdicts: of shape (rows, slices).
        floors: smallest effect worth telling of each row, shape (rows, 1).
        moved: the findings that may page.
        told: which incidents the night opened, went on with, or ended.
        stands: all incidents so far.
    """

    place: int
    labels: tuple[tuple[str, str], ...]
    verdicts: Verdicts
    floors: Floats
    moved: tuple[Moved, ...]
    told: Told
    stands: tuple[Incident, ...]


@dataclass(frozen=True)
class Block:
    """Rows of one scale over all nights of a world; the nights are the second axis.

    Attributes:
        labels: (measure, feature) of each row.
        floor: smallest effect worth telling, in the row's unit, shape (rows,).
        scale: of distributions; None for numbers.
        counts: of distributions, shape (rows, nights, slices, cells).
        values: of numbers.
    """

    labels: tuple[tuple[str, str], ...]
    floor: Floats
    scale: Scale | None = None
    counts: Counts | None = None
    values: Values | None = None


def blocks_of(world: World) -> list[Block]:
    """The columns and series of a world in blocks of equal length."""
    frozen = slice(world.reference.start, world.reference.stop)
    numbers = [c for c in world.columns if c.kind == "number"]
    categories = [c for c in world.columns if c.kind == "category"]
    most = max(c.size for c in categories)
    banded = np.stack([world.counts[c.name][..., :-2] for c in numbers])
    filled = np.stack([_wider(world.counts[c.name], most) for c in categories])
    whole = filled[:, frozen, 0].sum(axis=1)
    found = [
        _counted(numbers, bands(np.stack([_widths(c) for c in numbers])), banded),
        _counted(categories, roots(whole), filled),
    ]
    for measure in ("null_share", "unseen_share"):
        part = [
            world.counts[c.name][..., c.null if measure == "null_share" else c.other] for c in world.columns
        ]
        rows = [world.counts[c.name].sum(axis=-1) for c in world.columns]
        found.append(
            _shares(
                [(measure, c.name) for c in world.columns],
                np.stack(part),
                np.stack(rows),
                SHARE_FLOOR,
                frozen,
            )
        )
    return [*found, *(_series(series, frozen) for series in world.series)]


def replay(world: World, *, first: int | None = None, at: float = 0.5, rate: float = 0.05) -> Iterator[Night]:
    """Judge every night after the reference, each one with what was known by then.

    Args:
        first: the first night to judge, with no incident known before it; else the first after the reference.
        at: as of `judge`.
        rate: as of `judge`.
    """
    blocks = blocks_of(world)
    labels = tuple(label for block in blocks for label in block.labels)
    named = np.array([not feature for _, feature in labels])
    reference = reference_of(world, blocks)
    watch = Watch()
    for place in range(first or world.reference.stop, len(world.nights)):
        rows = rows_of(world, blocks, place, watch)
        verdicts = judge(rows, reference, named, at=at, rate=rate)
        floors = rows.floor[:, np.newaxis]
        moved = tuple(moved_of(labels, world.slices, rows, verdicts))
        watch, told = step(watch, world.nights[place], moved)
        yield Night(place, labels, verdicts, floors, moved, told, watch.incidents)


def reference_of(world: World, blocks: Sequence[Block]) -> Variation:
    """How the nights of the reference differ."""
    frozen = slice(world.reference.start, world.reference.stop)
    kind = kinds(world.nights[frozen], {world.nights[n] for n in world.holidays})
    past, unit, dof = [], [], []
    for block in blocks:
        many = len(block.labels)
        if block.scale is not None and block.counts is not None:
            past.append(past_of_counts(block.scale, block.counts[:, frozen], kind))
            unit.append(np.full(many, UNITS.index(block.scale.unit)))
            dof.append(block.scale.dof)
        elif block.values is not None:
            past.append(past_of_values(_nights(block.values, frozen), kind))
            unit.append(np.full(many, UNITS.index(block.values.unit)))
            dof.append(np.ones(many))
    return fitted(joined(past), np.concatenate(unit), np.concatenate(dof))


def rows_of(world: World, blocks: Sequence[Block], place: int, watch: Watch) -> Rows:
    """One night's measures, with the bank before it."""
    span = slice(max(0, place - BACK), place + 1)
    frozen = slice(world.reference.start, world.reference.stop)
    days = world.nights[span]
    kind = kinds(days, {world.nights[n] for n in world.holidays})
    weeks = len(world.reference) // WEEK
    parts = []
    for block in blocks:
        used = np.stack([_used(feature or measure, days, watch) for measure, feature in block.labels])
        bank = Bank(kind, used, _began(world, place, block))
        if block.scale is not None and block.counts is not None:
            reference = block.counts[:, frozen].sum(axis=1)
            parts.append(of_counts(block.scale, block.counts[:, span], reference, weeks, bank, block.floor))
        elif block.values is not None:
            whole = whole_of(_nights(block.values, frozen))
            parts.append(of_values(_nights(block.values, span), whole, weeks, bank, block.floor))
    return joined(parts)


def _began(world: World, place: int, block: Block) -> Began | None:
    """The deployment of the last seven nights, as a block sees it that is told some nights later."""
    delays = {series.name: series.delay for series in world.series}
    began = max((each for each in world.deployments if each <= place), default=-1)
    nights = place - began + 1
    if began < 0 or nights > WEEK + max([0, *delays.values()]):
        return None
    nights -= delays.get(block.labels[0][0], 0)
    return Began(nights) if 0 < nights <= WEEK else Began()


def _used(name: str, days: Sequence[Any], watch: Watch) -> npt.NDArray[np.bool_]:
    """Nights inside an incident of a feature are not what it usually looks like, nor are the last two: they may be in one."""
    out = np.ones(len(days), dtype=bool)
    out[-3:] = False
    for incident in watch.incidents:
        if any((key.feature or key.measure) == name for key in incident.keys):
            out &= np.array([not incident.first <= day <= incident.last for day in days])
    return out


def _counted(columns: Sequence[Column], scale: Scale, counts: Counts) -> Block:
    labels = tuple(("distribution", c.name) for c in columns)
    return Block(labels, np.full(len(columns), FLOOR), scale, counts)


def _shares(
    labels: Sequence[tuple[str, str]], part: Counts, whole: Counts, floor: float, frozen: slice
) -> Block:
    part, whole = part.astype(float), whole.astype(float)
    toward = part[:, frozen, 0].sum(axis=1) / np.maximum(whole[:, frozen, 0].sum(axis=1), 1)
    return Block(tuple(labels), np.full(len(labels), floor), values=shares(part, whole, toward))


def _series(series: Series, frozen: slice) -> Block:
    value, whole = _moved_on(series.value, series.delay), _moved_on(series.whole, series.delay)
    whole = np.where(np.isnan(value), 0.0, np.nan_to_num(whole))[np.newaxis]
    labels = [(series.name, "")]
    if series.part is not None:
        part = np.nan_to_num(_moved_on(series.part, series.delay))[np.newaxis]
        return _shares(labels, part, whole, series.floor, frozen)
    if series.name == "volume":  # of a volume chance goes by what usually comes, also where nothing came
        value = np.maximum(value, 0.5)
        whole = np.broadcast_to(np.median(whole, axis=1, keepdims=True), whole.shape)
    return Block(tuple(labels), np.array([series.floor]), values=ratios(value[np.newaxis], whole))


def _nights(values: Values, nights: slice) -> Values:
    return replace(
        values, point=values.point[:, nights], size=values.size[:, nights], part=values.part[:, nights]
    )


def _moved_on(values: Floats, nights: int) -> Floats:
    """What is known on each night: the values of so many nights before."""
    if not nights:
        return values
    return np.concatenate([np.full((nights, values.shape[1]), np.nan), values[:-nights]])


def _wider(counts: Counts, size: int) -> Counts:
    return np.pad(counts, ((0, 0), (0, 0), (0, size - counts.shape[-1])))


def _widths(column: Column) -> Floats:
    assert column.edges is not None
    wide = np.diff(column.edges)
    return (wide[:-1] + wide[1:]) / 2


def watched(world: World) -> Run:
    """Ronda's run on a world, for scoring."""
    pages, findings, visible = [], set(), {}
    able: list[float] = []
    for night in replay(world):
        verdicts = night.verdicts
        known = ~np.isnan(verdicts.visible)
        able.append(float((verdicts.visible <= 4 * night.floors)[known].mean()))
        keys = [each.key for each in night.moved]
        findings |= {(night.place, names(key.measure, key.feature), key.slice) for key in keys}
        for number in (*night.told.opened, *night.told.reopened):
            incident = night.stands[number - 1]
            reach = 0 if incident.lead.comparison == "tonight" else WEEK - 1
            columns = {names(key.measure, key.feature): None for key in sorted(incident.keys)}
            lead = names(incident.lead.key.measure, incident.lead.key.feature)
            late = max((each.delay for each in world.series if each.name in columns), default=0)
            pages.append(
                Page(
                    night.place,
                    (lead, *(c for c in columns if c != lead)),
                    incident.lead.key.slice,
                    reach + late,
                )
            )
        for place, planted in enumerate(world.incidents):
            if night.place == min(planted.first + planted.ramp, planted.last):
                visible[place] = _visible(world, night, planted)
    return Run(tuple(pages), frozenset(findings), float(np.mean(able)), world.reference.stop, visible)


def _visible(world: World, night: Night, planted: Planted) -> float:
    """What ronda said it could see of the incident's first column, in its slice."""
    rows = [n for n, label in enumerate(night.labels) if names(*label) in planted.columns[:1]]
    if not rows:
        return float("inf")  # nothing that is counted moves by itself
    slot = world.slices.index(planted.slice)
    tests = [night.verdicts.tonight]
    if planted.last - planted.first + 1 >= WEEK + 2:  # a sum of seven nights shows what lasts so long
        tests += [night.verdicts.week, night.verdicts.ageing]
    return float(min(np.nan_to_num(test.visible[rows[0], slot], nan=np.inf) for test in tests))
