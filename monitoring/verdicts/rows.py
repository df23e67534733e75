"""What a measure comes to before it is judged: one row per measure, one column per slice.

Every measure is brought to a scale on which squared distances tell chance from change: a category's shares p
become roots 2√p (Freeman and Tukey, "Transformations related to the angular and the square root", Ann. Math.
Stat. 21, 1950), a share of two parts the angle 2 arcsin √p, what is told as a ratio its logarithm, and two
distributions of a number their Wasserstein distance itself. What evidence is made of is a squared distance on
that scale; what people set floors in is the effect, in the measure's own unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal, TypeVar

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Unit = Literal["js", "sd", "share", "ratio"]
Record = TypeVar("Record")

UNITS: tuple[Unit, ...] = ("js", "sd", "share", "ratio")
"""What floors are set in: Jensen-Shannon distance of a category, standard deviations of a number, points of a share,
and relative change, as 0.1 for a tenth more or for what a tenth less is as far from."""
LAGS = 6
"""Nights that lie up to so many apart may share a window of seven."""
NATS = 8 * np.log(2.0)
"""A squared distance of roots is about this many times the squared Jensen-Shannon distance to base 2: for a small
change of the shares p by d, the one is Σ d² / p and the other Σ d² / (8 p ln 2)."""
MOST_LOG = 50.0
"""Logarithms of ratios are cut here, where their exponential is still a number."""


@dataclass(frozen=True)
class Distance:
    """One side of the nights against another; all of shape (rows, slices).

    Attributes:
        square: squared distance on the measure's scale, without unit; NaN where a side is unknown.
        effect: the same in the row's unit, never negative; NaN where a side is unknown.
        up: whether it rose; false for a category, which has no direction.
        size: requests of the current side.
        nights: how many nights the other side is made of; 0 where it is unknown.
        part: of a share, its numerator on the current side, in requests; else 0.
        other_part: of a share, its numerator on the other side; else 0.
        other_size: of a number of its own, the requests of the other side; of a distribution 0.
    """

    square: Floats
    effect: Floats
    up: Flags
    size: Floats
    nights: Floats
    part: Floats
    other_part: Floats
    other_size: Floats


def unknown(shape: tuple[int, int]) -> Distance:
    """A distance that nothing is known of, of shape (rows, slices)."""
    none, nowhere = np.zeros(shape), np.full(shape, np.nan)
    return Distance(nowhere, nowhere, np.zeros(shape, dtype=bool), none, none, none, none, none)


@dataclass(frozen=True)
class Past:
    """How far nights lie from others of their kind, before any of it is told from change.

    Attributes:
        squares: squared distance of each night from the mean of its kind, made up for its own part in that mean; shape
            (rows, nights, slices), NaN where a night is left out.
        sizes: requests of each night, shape (rows, nights, slices).
        alike: nights that the mean of a kind is made of, on average over the nights; shape (rows, slices).
        cases: of a share, how many requests a night brings that count for it, shape (rows, slices); else infinite.
        lagged: mean product of two nights 0 to `LAGS` apart, each less the centre of its kind, shape (rows, slices,
            1 + LAGS).
        blocks: squared distance of each whole week from all nights together, shape (rows, weeks, slices); no weeks
            where a season is not asked for.
        block_sizes: requests of each week, shape (rows, weeks, slices).
    """

    squares: Floats
    sizes: Floats
    alike: Floats
    cases: Floats
    lagged: Floats
    blocks: Floats
    block_sizes: Floats


@dataclass(frozen=True)
class Rows:
    """Measures laid out for judging; of each array the first axis is the rows, the first slice is all requests.

    Attributes:
        unit: place in `UNITS`, shape (rows,).
        dof: how many directions chance moves a row in, shape (rows,): cells less one, or 1.
        floor: smallest effect worth telling, in the row's unit, shape (rows,).
        level: of a share what it usually is, between 0 and 1, shape (rows, slices); else 0.
        tonight: tonight against the bank's nights of the same kind.
        week: the last seven nights together against the bank before them.
        ageing: the last seven nights together against the reference.
        last_night: tonight against the night before it, whatever weekday that was; `size` is the harmonic mean of both.
        deployment: the nights since a deployment together against as many of the same kinds in the bank before it; None
            where nothing began in the last seven nights.
        eves: how much of what differs since then was already there on the last nights before (`since.already`), shape
            (rows, slices); None as well.
        since: how many nights of each row there are since that deployment, shape (rows,); 0 where there is none.
        past: how nights in the bank differ from others of their kind.
    """

    unit: Ints
    dof: Floats
    floor: Floats
    level: Floats
    tonight: Distance
    week: Distance
    ageing: Distance
    last_night: Distance
    deployment: Distance | None
    eves: Floats | None
    since: Floats
    past: Past


def joined(blocks: Sequence[Record]) -> Record:
    """Several blocks of rows as one, in their order: records of arrays (`Rows`, `Past`), field by field.

    Raises:
        ValueError: there is none.
    """
    if not blocks:
        raise ValueError("there is no block of rows to join: nothing is watched")
    found: Record = _joined(blocks)
    return found


def _joined(values: Sequence[Any]) -> Any:
    if values[0] is None:
        return None  # what one block does not have, none has
    if not is_dataclass(values[0]):
        return np.concatenate(values)
    kind: Any = type(values[0])
    names = [each.name for each in fields(kind)]
    return kind(**{name: _joined([getattr(value, name) for value in values]) for name in names})


def square_of(effect: Floats | float, unit: Ints, level: Floats) -> Floats:
    """The squared distance at which an effect lies, on the scale of its row.

    Of a Jensen-Shannon distance e it is 8 ln 2 · e² (`NATS`), of standard deviations e², of a ratio ln²(1 + e), and of
    points the squared difference of the angles 2 arcsin √p. For a share the way that is shorter on the scale is
    taken, towards one half; a share cannot move beyond 0 or 1.

    Args:
        effect: in the row's unit, 0 or more, broadcasts with `level`.
        unit: place in `UNITS`, broadcasts with `level`.
        level: of a share what it usually is, shape (rows, slices).
    """
    effect = np.asarray(effect, dtype=np.float64)
    nearer = np.where(level > 0.5, level - effect, level + effect)
    moved = 2 * (np.arcsin(np.sqrt(np.clip(nearer, 0, 1))) - np.arcsin(np.sqrt(np.clip(level, 0, 1))))
    ways = [NATS * effect**2, effect**2, moved**2, np.log1p(effect) ** 2]
    return np.asarray(np.select([unit == place for place in range(len(UNITS))], ways), dtype=np.float64)


def effect_of(square: Floats, unit: Ints, level: Floats) -> Floats:
    """The effect at a squared distance: `square_of` the other way round, with the same arguments.

    >>> unit, level = np.array([[0], [1], [2], [3]]), np.full((4, 1), 0.1)
    >>> effect_of(square_of(0.05, unit, level), unit, level).ravel().round(6).tolist()
    [0.05, 0.05, 0.05, 0.05]
    """
    root = np.sqrt(np.maximum(square, 0.0))
    angle = np.arcsin(np.sqrt(np.clip(level, 0, 1)))
    nearer = np.clip(angle + np.where(level > 0.5, -root, root) / 2, 0, np.pi / 2)
    points = np.abs(np.sin(nearer) ** 2 - level)
    ways = [root / np.sqrt(NATS), root, points, np.expm1(np.minimum(root, MOST_LOG))]
    return np.asarray(np.select([unit == place for place in range(len(UNITS))], ways), dtype=np.float64)
