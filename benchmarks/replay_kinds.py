"""The kinds of incident that are done to features; those of series stand in `replay_kinds_series`."""

from __future__ import annotations

import numpy as np

from benchmarks.replay_moves import FEATURE_FLOOR, lean, pour, shift, strength
from benchmarks.replay_names import CITY, HOUR, LANGUAGE
from benchmarks.replay_records import EVERYWHERE, Column, Floats
from benchmarks.replay_step import Scene, Step, effect_of, step


def a_slice(scene: Scene) -> str:
    """Any slice but all rows; half of the time only those of at least 300 requests."""
    size = scene.plan.requests.mean(axis=0) @ scene.plan.belongs.T
    least = 300 if scene.rng.random() < 0.5 else 0
    return str(scene.rng.choice([scene.plan.slices[i] for i in np.flatnonzero(size >= least) if i > 0]))


def named(scene: Scene, name: str) -> Column:
    """A column that a kind always moves."""
    return next(column for column in scene.plan.columns if column.name == name)


def either(scene: Scene) -> Column:
    """A number or a category."""
    return scene.numbers[0] if scene.rng.random() < 0.5 else scene.categories[0]


def null_spike(scene: Scene) -> Step:
    """In all rows, 12 to 40 points of a column become null."""
    return _nulls(scene, EVERYWHERE, scene.rng.uniform(0.12, 0.4))


def null_spike_in_slice(scene: Scene) -> Step:
    """In one slice, about 6 or about 20 points of a column become null."""
    return _nulls(scene, a_slice(scene), float(scene.rng.choice([0.06, 0.2])) * scene.rng.uniform(0.7, 1.3))


def schema_rename(scene: Scene) -> Step:
    """A column is gone under its name: all rows are null."""
    return _nulls(scene, EVERYWHERE, 1.0, "schema_rename")


def _nulls(scene: Scene, where: str, share: float, kind: str = "null_spike") -> Step:
    column = either(scene)
    made = pour(column.size, share, [column.null])
    return step(scene, kind, where, moves={column.name: made}, critical=share >= 0.1)


def unit_change(scene: Scene) -> Step:
    """A number arrives a thousand times too large or too small, everywhere."""
    return _unit(scene, EVERYWHERE)


def unit_change_in_slice(scene: Scene) -> Step:
    """The same in one slice."""
    return _unit(scene, a_slice(scene))


def _unit(scene: Scene, where: str) -> Step:
    column = scene.numbers[0]
    end = column.other - 1 if scene.rng.random() < 0.7 else 0
    return step(
        scene, "unit_change", where, moves={column.name: lean(column.size, range(column.other), [end], 1.0)}
    )


def default_fill(scene: Scene) -> Step:
    """A fifth to a half of the rows get one value, a default."""
    column = either(scene)
    value = 0 if column.edges is not None else int(scene.rng.integers(1, column.other))
    return step(
        scene, "default_fill", moves={column.name: pour(column.size, scene.rng.uniform(0.2, 0.5), [value])}
    )


def stale_by_a_day(scene: Scene) -> Step:
    """A column is served as of the night before."""
    return step(scene, "stale_by_a_day", stale=(either(scene).name,))


def new_city(scene: Scene) -> Step:
    """Requests from a city that the model never saw: 12 to 30 % more of them."""
    column, growth = named(scene, CITY), scene.rng.uniform(0.12, 0.3)
    made = pour(column.size, growth / (1 + growth), [column.other])
    return step(scene, "new_city", moves={column.name: made}, factors={"volume": 1 + growth})


def category_renamed(scene: Scene) -> Step:
    """One of the three largest values of a category is written otherwise, so that it counts as unseen."""
    column = scene.categories[0]
    made = lean(column.size, [int(scene.rng.integers(0, 3))], [column.other], 1.0)
    return step(scene, "category_renamed", moves={column.name: made})


def feature_stops(scene: Scene) -> Step:
    """A number becomes constant: all its values lie in one of the middle bands."""
    column = scene.numbers[0]
    band = int(scene.rng.integers(4, 8))
    return step(
        scene, "feature_stops", moves={column.name: lean(column.size, range(column.other), [band], 1.0)}
    )


def clock_shift(scene: Scene) -> Step:
    """The hour is off by one to three; the hours of a day have a standard deviation of about five."""
    column, hours = named(scene, HOUR), int(scene.rng.integers(1, 4)) * int(scene.rng.choice([-1, 1]))
    assert column.edges is not None
    return step(scene, "clock_shift", moves={column.name: shift(column.edges, hours / 5)})


def bot_flood(scene: Scene) -> Step:
    """30 % more requests, all with the same few rare values of two categories."""
    moves = {
        c.name: pour(c.size, 0.3 / 1.3, [c.other - 1, c.other], [0.7, 0.3]) for c in scene.categories[:2]
    }
    return step(scene, "bot_flood", moves=moves, factors={"volume": 1.3})


def language_mix(scene: Scene) -> Step:
    """More requests in other languages, and the column of the language tells."""
    made = toward(scene, named(scene, LANGUAGE), EVERYWHERE, scene.rng.uniform(1.5, 4))
    return step(scene, "language_mix", moves={LANGUAGE: made})


def language_mix_unseen(scene: Scene) -> Step:
    """More requests in other languages, and only their text tells."""
    return step(scene, "language_mix", needs="text")


def promotion_weekend(scene: Scene) -> Step:
    """A planned promotion: 40 % more requests on Saturday and Sunday, two categories move by half a floor."""
    moves = {c.name: toward(scene, c, EVERYWHERE, 0.5) for c in scene.categories[:2]}
    return step(scene, "promotion_weekend", moves=moves, factors={"volume": 1.4}, harmless=True)


def feature_shift(scene: Scene, floors: float, *, in_slice: bool) -> Step:
    """A number's mean moves, or rows of a category move to other values, by so many floors."""
    column, where = either(scene), a_slice(scene) if in_slice else EVERYWHERE
    return step(scene, "feature_shift", where, moves={column.name: toward(scene, column, where, floors)})


def ageing(scene: Scene, columns: int) -> Step:
    """Numbers move by a tenth of a floor every night, together."""
    heights = np.arange(1, scene.length + 1) / scene.length
    moves = {}
    for column in scene.numbers[:columns]:
        assert column.edges is not None
        full = _shift_for(scene, column, EVERYWHERE, scene.length / 10)
        moves[column.name] = np.stack([shift(column.edges, full * height) for height in heights])
    return step(scene, "ageing", moves=moves, ramp=scene.length)


def toward(scene: Scene, column: Column, where: str, floors: float) -> Floats:
    """The matrix that moves a column by so many floors on the night that it moves most."""
    if column.edges is not None:
        return shift(column.edges, _shift_for(scene, column, where, floors))
    usual = scene.plan.usual_in(column.name, where, scene.first, scene.last).mean(axis=0)[: column.other]
    order = scene.rng.permutation(column.other)
    # Less than half of the rows cannot carry four floors; more than two thirds leave too few values to go to.
    losing = int(np.searchsorted(np.cumsum(usual[order]), 0.45)) + 1
    source, into = order[:losing].tolist(), order[losing:].tolist() or [column.other]
    share = strength(
        lambda s: effect_of(scene, column, where, lean(column.size, source, into, s)[None]),
        floors * FEATURE_FLOOR,
        1.0,
    )
    return lean(column.size, source, into, share)


def _shift_for(scene: Scene, column: Column, where: str, floors: float) -> float:
    edges, sign = column.edges, float(scene.rng.choice([-1, 1]))
    assert edges is not None
    return sign * strength(
        lambda s: effect_of(scene, column, where, shift(edges, sign * s)[None]), floors * FEATURE_FLOOR, 3.0
    )
