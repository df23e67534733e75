"""One scripted incident with all that carries it out, and its true effect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from benchmarks.replay_moves import distance, floor_of
from benchmarks.replay_records import EVERYWHERE, Column, Floats, Incident
from benchmarks.replay_service import Plan


@dataclass(frozen=True)
class Scene:
    """Where and when an incident may happen.

    Attributes:
        first, last: its nights.
        numbers, categories: three columns each, which no other incident of this world moves.
    """

    plan: Plan
    rng: np.random.Generator
    first: int
    last: int
    numbers: tuple[Column, ...]
    categories: tuple[Column, ...]

    @property
    def length(self) -> int:
        """How many nights it lasts."""
        return self.last - self.first + 1


@dataclass(frozen=True)
class Step:
    """An incident, and what it does.

    Attributes:
        moves: column -> matrices (see `replay_moves`), shape (1 or nights of the incident, size, size).
        stale: columns that are served the shares of the night before.
        factors: series on a log scale -> what it is multiplied with, shape (1 or nights of the incident,).
        points: series that is a share -> what is added to it, same shape.
        deploys: a model version begins with it and is rolled back after it.
        duplicated: share of the rows that are copies.
    """

    incident: Incident
    moves: Mapping[str, Floats] = field(default_factory=dict)
    stale: tuple[str, ...] = ()
    factors: Mapping[str, Floats] = field(default_factory=dict)
    points: Mapping[str, Floats] = field(default_factory=dict)
    deploys: bool = False
    duplicated: float = 0.0


def step(
    scene: Scene,
    kind: str,
    where: str = EVERYWHERE,
    *,
    moves: Mapping[str, Floats] | None = None,
    stale: tuple[str, ...] = (),
    factors: Mapping[str, float | Floats] | None = None,
    points: Mapping[str, float] | None = None,
    harmless: bool = False,
    critical: bool = False,
    needs: Literal["", "text", "concept"] = "",
    ramp: int = 0,
    deploys: bool = False,
    duplicated: float = 0.0,
) -> Step:
    """An incident with its effects measured and its columns sorted, the most moved one (in floors) first."""
    matrices = {name: m if m.ndim == 3 else m[None] for name, m in (moves or {}).items()}
    times = {name: np.atleast_1d(np.asarray(f, dtype=np.float64)) for name, f in (factors or {}).items()}
    added = {name: np.array([p]) for name, p in (points or {}).items()}
    effects: dict[str, float] = {}
    for name in (*matrices, *stale):
        effects |= _of_column(scene, name, where, matrices.get(name))
    effects |= {name: float(np.abs(f - 1).max()) for name, f in times.items()}
    effects |= {name: float(np.abs(p).max()) for name, p in added.items()}
    order = sorted(effects, key=lambda name: -effects[name] / floor_of(name))
    effect = effects[order[0]] if order else 0.0
    floors = effect / floor_of(order[0]) if order else 0.0
    incident = Incident(
        kind, scene.first, scene.last, tuple(order), where, effect, floors, harmless, critical, needs, ramp
    )
    return Step(incident, matrices, stale, times, added, deploys, duplicated)


def effect_of(scene: Scene, column: Column, where: str, matrices: Floats | None) -> float:
    """How far a column is moved in a slice on the night that moves it most; None stands for stale shares."""
    before = scene.plan.usual_in(column.name, where, scene.first, scene.last)
    if matrices is None:
        after = scene.plan.usual_in(column.name, where, scene.first - 1, scene.last - 1)
    else:
        after = (before[:, None] @ matrices)[:, 0]
    return float(np.nan_to_num(distance(column, before, after)).max())


def _of_column(scene: Scene, name: str, where: str, matrices: Floats | None) -> dict[str, float]:
    """Effects above a tenth of a floor, of the column's values and of its nulls."""
    column = next(c for c in scene.plan.columns if c.name == name)
    effects = {name: effect_of(scene, column, where, matrices)}
    if matrices is not None:
        usual = scene.plan.usual_in(name, where, scene.first, scene.last)[:, None]
        gained = (usual @ matrices - usual)[:, 0, column.null]
        effects[f"null:{name}"] = float(gained.max())
    return {
        key: effect for key, effect in effects.items() if matrices is None or effect >= floor_of(key) / 10
    }
