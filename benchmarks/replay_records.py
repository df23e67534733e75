"""What a simulated service is made of: its counts night by night, and the truth about what was done to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int32]

NOISE = ("dirichlet", "direction", "heavy_tails", "autocorrelated")
"""How nights differ from one another: freely, along one direction, with storms, or each like the one before."""
KINDS = ("eta", "recommender", "assistant")
EVERYWHERE = ""
"""The slice of all rows; it comes first in a world's slices."""


@dataclass(frozen=True)
class Column:
    """One feature, counted in cells.

    The cells of a number are its bands from low to high, those of a category its values; in both the last but
    one is `other` (unseen values; of a number NaN and infinities), the last one is null.

    Attributes:
        size: how many cells, the two last ones among them.
        edges: of a number, the edges of its bands, rising, shape (size - 1,), in standard deviations of the
            reference (the outermost ones at its 0.1 % and 99.9 % quantiles); None for a category.
    """

    name: str
    kind: Literal["number", "category"]
    size: int
    edges: Floats | None = None

    @property
    def other(self) -> int:
        """Code of the cell of unseen values."""
        return self.size - 2

    @property
    def null(self) -> int:
        """Code of the null cell."""
        return self.size - 1


@dataclass(frozen=True)
class Series:
    """A number measured every night in every slice, such as the error rate or the 95th percentile of latency.

    Attributes:
        scale: `log` for what is told as a ratio (volume, latency, tokens, cost), `share` for a part of a whole.
        floor: the smallest change worth telling: of a share in points (0.02), else as a ratio less one (0.2).
        value: shape (nights, slices); NaN where it is not known (yet: an outcome matures later).
        part, whole: numerator and denominator of a share, shape (nights, slices); `whole` of the others is
            the number of requests behind the value.
        delay: after how many nights a value is known.
    """

    name: str
    scale: Literal["log", "share"]
    floor: float
    value: Floats
    whole: Floats
    part: Floats | None = None
    delay: int = 0


@dataclass(frozen=True)
class Incident:
    """Something that was done to a service, and what may be expected of whoever watches it.

    Attributes:
        kind: what it is, such as `null_spike`.
        first, last: the first and last night on which it holds, as places in `World.nights`.
        columns: the names of the columns and series it moves by itself, the most moved one (in floors) first;
            `null:` before a column's name stands for its share of nulls. Empty where nothing counted moves.
        slice: where; one of `World.slices`.
        effect: how far the first of `columns` is moved in `slice` on the night that moves it most: true
            distance between the probabilities with and without it, in the column's unit (Jensen-Shannon distance
            to base 2 over all cells of a category, first Wasserstein distance over the bands of a number in
            standard deviations, points of a share as 0.02, ratio less one), never negative.
        floors: the same as a multiple of the floor.
        harmless: nobody should be paged.
        critical: should be told after its first night: schema, nulls, volume, errors.
        needs: `text` or `concept` where counts alone cannot show it; empty otherwise.
        ramp: nights until its full height; 0 for a sudden one. Sudden ones may happen during a slow one, in
            other columns.
    """

    kind: str
    first: int
    last: int
    columns: tuple[str, ...]
    slice: str
    effect: float
    floors: float
    harmless: bool = False
    critical: bool = False
    needs: Literal["", "text", "concept"] = ""
    ramp: int = 0


@dataclass(frozen=True)
class World:
    """One service over many nights.

    Attributes:
        service: its kind, one of `KINDS`.
        noise: one of `NOISE`.
        slices: their names, `EVERYWHERE` first; crosses of two dimensions are written `recife × ios`.
        members: slice -> the dimensions and values it is made of, such as {"city": "recife", "app": "ios"}.
        reference: places of the nights that the model was trained on; the first nights, free of incidents.
        columns, series: what is watched.
        counts: column -> shape (nights, slices, size).
        holidays: places of the nights that are public holidays.
        deployments: place of a night -> the model version that begins to serve on it.
        duplicated: place of a night -> share of its rows that are copies of others, removed before counting.
        noise_floors: column -> standard deviation of one night's true distance from usual, as a multiple of
            the floor, for all rows; what no amount of requests takes away.
    """

    service: str
    noise: str
    nights: tuple[date, ...]
    slices: tuple[str, ...]
    members: Mapping[str, Mapping[str, str]]
    reference: range
    columns: tuple[Column, ...]
    counts: Mapping[str, Counts]
    series: tuple[Series, ...]
    holidays: tuple[int, ...]
    deployments: Mapping[int, str]
    incidents: tuple[Incident, ...]
    duplicated: Mapping[int, float]
    noise_floors: Mapping[str, float]
