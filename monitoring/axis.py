"""The axis of a chart: from where to where, with a mark at which values, and how those are written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from monitoring.text import SMALL, grouped, number

Format = Literal["share", "count", "ms", "number"]


@dataclass(frozen=True)
class Axis:
    """From `low` to `high`, with a mark at both and every `step` between."""

    low: float
    high: float
    step: float


def axis_of(form: Format, values: Sequence[float]) -> Axis:
    """An axis of 2 to 5 marks that holds all values; it begins at zero unless they are far from it.

    That of counts has no marks nearer than 10: between 0 and 10 there is nothing to be read.

    Args:
        form: what the values are.
        values: at least one, each finite and below 1e300.

    >>> axis_of("share", [0.031, 0.036, 0.081]), axis_of("count", [0, 5])
    (Axis(low=0.0, high=0.1, step=0.05), Axis(low=0.0, high=10.0, step=10.0))
    """
    low, high = min(values), max(values)
    if 0 <= low < high / 2:
        low = 0.0
    least = max(1e-9 * max(abs(low), abs(high)), 1e-290)
    if high - low < least:  # flat: it lies in the middle
        room = max(abs(high) / 20, least) if high else 1.0
        high = high + room if form != "share" else max(high, min(1.0, high + room))
        low -= 0.0 if low == 0.0 else room
    step = max(_round_step((high - low) / 2.5), SMALL if form == "count" else least)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return Axis(float(step * first), float(step * max(last, first + 1)), float(step))


def _round_step(least: float) -> float:
    """The next 1, 2 or 5 times a power of ten.

    >>> _round_step(0.03), _round_step(6), _round_step(200)
    (0.05, 10.0, 200.0)
    """
    power = 10.0 ** math.floor(math.log10(least))
    return next((power * times for times in (1, 2, 5) if power * times >= least * (1 - 1e-9)), power * 10)


def marks(axis: Axis) -> list[float]:
    """The values with a mark, lowest first.

    >>> marks(Axis(0.0, 40.0, 20.0))
    [0.0, 20.0, 40.0]
    """
    first, last = round(axis.low / axis.step), round(axis.high / axis.step)
    return [mark * axis.step for mark in range(first, last + 1)]


def mark_words(language: str, form: Format, axis: Axis, mark: float) -> str:
    r"""A mark in the form of the number, with the digits that tell it from the next.

    >>> mark_words("pt", "share", Axis(0.0, 0.015, 0.005), 0.005), mark_words("en", "ms", Axis(0, 2000, 500), 500)
    ('0,5\xa0%', '0.5\xa0s')
    """
    if form == "share":
        return f"{grouped(language, 100 * mark, _places(100 * axis.step))}\u00a0%"
    if form == "ms":
        unit, size = ("s", 1000.0) if axis.high >= 1000 else ("ms", 1.0)
        return f"{grouped(language, mark / size, _places(axis.step / size))}\u00a0{unit}"
    if form == "count":
        return grouped(language, mark)
    if axis.step >= 1e-6 and max(abs(axis.low), abs(axis.high)) < 1e12:
        return grouped(language, mark, _places(axis.step))
    return number(language, mark)


def _places(step: float) -> int:
    return min(12, max(0, -math.floor(math.log10(step) + 1e-9)))
