"""Changes of a known size, put into the counts of some nights: what a backtest looks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from monitoring.bands import Bands
from monitoring.distances import jensen_shannon
from monitoring.records import Measure, Slice

Floats = npt.NDArray[np.float64]
Dense = npt.NDArray[np.int32]
STEPS = 60
"""Halvings until a change is as large as it should be: more than a float has digits."""


@dataclass(frozen=True)
class Change:
    """One change that is put in.

    Attributes:
        cut: where the bands of its column lie; all bands for the number of requests.
        matrix: rows of each band that go to each other one, shape (bands, bands); for the number of requests
            the one share of each night's rows that is left, shape (1, 1).
        slot: the slice it happens in; 0 are all rows.
    """

    cut: slice
    matrix: Floats
    slot: int

    @property
    def is_loss(self) -> bool:
        """Whether requests are lost, in every column."""
        return self.matrix.shape == (1, 1)


def change_of(
    layout: Sequence[Bands], measure: Measure, feature: str, slot: int, usual: Floats, effect: float
) -> Change | None:
    """The change of a measure by so much, or None where it cannot go so far.

    A number's rows all move up by as many standard deviations; of a category a share of all rows gets its second
    commonest value; of nulls and errors so many points more; requests become fewer, by a ratio of 1 + effect.

    Args:
        usual: counts of many nights in that slice, over all bands of the layout.
        effect: in the measure's unit.
    """
    if measure == "volume":
        return Change(slice(0, len(usual)), np.array([[1 / (1 + effect)]]), slot)
    column = "status" if measure == "errors" else feature
    start = 0
    for each in layout:
        if each.column == column:
            own = usual[start : start + each.size]
            matrix = _matrix(each, measure, own / own.sum(), effect) if own.sum() > 0 else None
            return None if matrix is None else Change(slice(start, start + each.size), matrix, slot)
        start += each.size
    return None


def planted(change: Change, counts: Dense, slices: Sequence[Slice], layout: Sequence[Bands]) -> Dense:
    """Some nights with a change in them; whole rows move, and as many as the change says on average.

    Over all rows it happens in every slice. In one slice it moves all rows by as much, no other slice of its
    dimension, and those of other dimensions by their part of all rows.

    Args:
        counts: shape (nights, slices, bands).
    """
    if change.is_loss:
        return _fewer(float(change.matrix[0, 0]), counts, layout)
    found = counts.astype(np.int64)
    own = found[..., change.cut]
    if not change.slot:
        found[..., change.cut] = _poured(own, change.matrix, _order(own.shape))
        return found.astype(np.int32)
    before = own[:, change.slot]
    moved = _poured(before, change.matrix, _order(before.shape)) - before
    whole = np.maximum(own[:, :1].sum(axis=-1), 1)
    part = own.sum(axis=-1) / whole
    for slot, each in enumerate(slices):
        if each.dimension != slices[change.slot].dimension:
            own[:, slot] += np.rint(moved * (part[:, slot, np.newaxis] if slot else 1.0)).astype(np.int64)
    own[:, change.slot] += moved
    found[..., change.cut] = np.maximum(own, 0)
    return found.astype(np.int32)


def _matrix(bands: Bands, measure: Measure, usual: Floats, effect: float) -> Floats | None:
    null, errors = bands.size - 1, 1
    if measure == "null_share":
        return _given(bands.size, range(null), null, effect / max(1 - float(usual[null]), 1e-300))
    if measure == "errors":
        return _given(bands.size, [0], errors, effect / max(float(usual[0]), 1e-300))
    return _shifted(bands, usual, effect) if bands.kind == "number" else _mixed(usual, effect)


def _given(size: int, source: Sequence[int], into: int, share: float) -> Floats | None:
    """A share of the rows of some bands goes to one."""
    if share > 1:
        return None
    matrix = np.eye(size)
    matrix[list(source), list(source)] -= share
    matrix[list(source), into] += share
    return matrix


def _shifted(bands: Bands, usual: Floats, effect: float) -> Floats | None:
    """Every row moves up by so many bands and a part of one, the last band keeping what it gets."""
    ordered = bands.size - 2
    if ordered < 2 or usual[:ordered].sum() <= 0:
        return None
    # the mean row moves as far as the Wasserstein distance, since all rows move one way
    place = np.concatenate([[0.0], np.cumsum(bands.widths)])
    shares = usual[:ordered] / usual[:ordered].sum()

    def matrix(by: float) -> Floats:
        found = np.eye(bands.size)
        whole, part = int(by), by - int(by)
        for band in range(ordered):
            found[band, band] = 0.0
            found[band, min(band + whole, ordered - 1)] += 1 - part
            found[band, min(band + whole + 1, ordered - 1)] += part
        return found

    def far(by: float) -> float:
        return float(shares @ matrix(by)[:ordered, :ordered] @ place - shares @ place)

    by = _strength(far, effect, float(ordered - 1))
    return None if by is None else matrix(by)


def _mixed(usual: Floats, effect: float) -> Floats | None:
    """A share of the rows of all known values gets the second commonest of them."""
    known = len(usual) - 2
    if known < 2 or usual[:known].sum() <= 0:
        return None
    into = int(np.argsort(-usual[:known], kind="stable")[1])
    source = [band for band in range(known) if band != into]

    def matrix(share: float) -> Floats:
        found = _given(len(usual), source, into, share)
        assert found is not None  # a share is at most 1
        return found

    share = _strength(lambda each: float(jensen_shannon(usual, usual @ matrix(each))), effect, 1.0)
    return None if share is None else matrix(share)


def _strength(measure: Callable[[float], float], target: float, most: float) -> float | None:
    """How strong a change must be for a rising measure to reach a target; None where it cannot."""
    if measure(most) < target:
        return None
    low, high = 0.0, most
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if measure(middle) < target else (low, middle)
    return high


def _order(shape: tuple[int, ...]) -> Floats:
    """What whole rows are rounded by, between 0 and 1: the same for the same nights, and even over them."""
    return np.random.default_rng(len(shape)).random(shape)


def _poured(counts: npt.NDArray[Any], matrix: Floats, order: Floats) -> npt.NDArray[np.int64]:
    """Whole rows from band to band; each band gives away what it has, and no more."""
    running = counts[..., np.newaxis] * np.cumsum(matrix, axis=1)
    running[..., -1] = counts
    whole = np.floor(running + order[..., np.newaxis])
    found: npt.NDArray[np.int64] = np.diff(whole, axis=-1, prepend=0.0).sum(axis=-2).astype(np.int64)
    return found


def _fewer(left: float, counts: Dense, layout: Sequence[Bands]) -> Dense:
    """As many requests less in every column of a night and slice."""
    found, start = np.zeros_like(counts), 0
    order = _order(counts.shape[:-1])[..., np.newaxis]
    for each in layout:
        own = np.cumsum(counts[..., start : start + each.size], axis=-1) * left
        found[..., start : start + each.size] = np.diff(np.floor(own + order), axis=-1, prepend=0.0)
        start += each.size
    return found
