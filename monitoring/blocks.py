"""What a night is judged by, laid out as rows: distributions, shares of them, volume, errors, and series."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from monitoring.bands import Bands
from monitoring.records import Measure
from monitoring.series import Series
from monitoring.verdicts.judge import LEAST_NIGHTS
from monitoring.verdicts.kinds import SEASONED, kinds
from monitoring.verdicts.lay import WEEK, Bank
from monitoring.verdicts.rows import Flags, Floats, Ints, Past, Rows
from monitoring.verdicts.scalars import Values, of_values, past_of_values, ratios, shares, whole_of
from monitoring.verdicts.shares import bands, of_counts, past_of_counts, roots
from services.model import Service

Dense = npt.NDArray[np.int32]
Label = tuple[Measure, str]
"""Measure, and feature or a guard's name; empty for another number of the service."""
Apart = Mapping[tuple[str, str], frozenset[date]]
"""Measure and feature -> nights that lie inside an incident of it."""
Parts = Callable[[npt.NDArray[Any]], tuple[Floats, Floats]]
"""Dense counts to numerators and denominators, shape (rows, nights, slices)."""
LAST_NIGHTS = 2
"""The last two nights are in no bank: they may be the first of what is being looked for."""


@dataclass(frozen=True)
class Nights:
    """What is compared, as dense arrays of one layout.

    Attributes:
        layout: the bands that the last axis is made of, side by side.
        dates: of the nights before, rising, and of the night itself, last.
        counts: shape (nights, slices, bands), the night itself last.
        reference: the reference as a whole, shape (slices, bands).
        reference_dates, reference_counts: its own nights, if they are known.
        series: numbers that are no counts, on the same nights and slices.
        apart: nights that are no part of what is usual, of each measure and feature.
    """

    layout: tuple[Bands, ...]
    dates: tuple[date, ...]
    counts: Dense
    reference: npt.NDArray[np.int64]
    reference_dates: tuple[date, ...]
    reference_counts: Dense
    series: tuple[Series, ...] = ()
    apart: Apart = field(default_factory=dict)


@dataclass(frozen=True)
class Block:
    """Rows that are laid out together.

    Attributes:
        labels: of each row.
        past: how the reference's own nights differ; None where it has no such nights.
        value: of what is told as a ratio, tonight's value, shape (rows, slices); NaN where unknown.
    """

    labels: tuple[Label, ...]
    rows: Rows
    past: Past | None
    value: Floats | None = None


@dataclass(frozen=True)
class Context:
    """The nights that are compared, with what is usual of whom.

    Attributes:
        holidays: dates that are like Sundays.
    """

    service: Service
    nights: Nights
    holidays: frozenset[date]

    @property
    def weeks(self) -> int:
        """Whole weeks of the reference."""
        return len(self.nights.reference_dates) // WEEK

    @property
    def has_reference(self) -> bool:
        """Whether the reference's own nights are known."""
        return bool(self.nights.reference_dates)

    @property
    def reference_kind(self) -> Ints:
        """Kinds of the reference's own nights."""
        return kinds(self.nights.reference_dates, self.holidays)

    def bank(self, labels: Sequence[Label], delay: int = 0, known: Flags | None = None) -> Bank:
        """The nights that rows are held against: rows as `alike` puts together, or one.

        Args:
            delay: nights after its own on which a value is told; its kind is that of its own night.
            known: nights that have a value, shape (rows, nights); all of them if it is not given.
        """
        mine = self._used(labels, known)
        days = [night - timedelta(days=delay) for night in self.nights.dates]
        kind = np.zeros(len(days), dtype=np.int64) if _is_few(mine).any() else kinds(days, self.holidays)
        return Bank(kind, mine)

    def alike(self, measure: Measure, columns: Sequence[Bands]) -> list[list[Bands]]:
        """The columns with nights enough of each weekday to tell weekdays apart, and those without."""
        few = [bool(_is_few(self._used([(measure, each.column)]))[0]) for each in columns]
        parts = [
            [each for each, is_few in zip(columns, few, strict=True) if is_few == wanted]
            for wanted in (False, True)
        ]
        return [part for part in parts if part]

    def _used(self, labels: Sequence[Label], known: Flags | None = None) -> Flags:
        apart = [self.nights.apart.get(label, frozenset()) for label in labels]
        usual = np.array([[night not in each for night in self.nights.dates] for each in apart])
        return np.stack([used(each) for each in (usual if known is None else usual & known)])

    def cut(self, each: Bands) -> slice:
        """Where the bands of a column lie."""
        start = 0
        for other in self.nights.layout:
            if other.column == each.column:
                break
            start += other.size
        return slice(start, start + each.size)


def used(usual: Flags) -> Flags:
    """Which nights are in the bank of the last one.

    Not that night itself, and not the two before it, unless there are too few without them.

    Args:
        usual: nights that are known and not set apart, shape (nights,).
    """
    found = usual.copy()
    found[-1] = False
    settled = found.copy()
    settled[-1 - LAST_NIGHTS :] = False
    return settled if settled.sum() >= LEAST_NIGHTS else found


def _is_few(mine: Flags) -> Flags:
    """Whether rows have too few nights in their bank to tell weekdays apart, whatever others have; shape (rows,)."""
    return np.asarray(mine.sum(axis=1) < SEASONED - LAST_NIGHTS)


def blocks_of(context: Context) -> list[Block]:
    """Everything that is watched; what the reference has nights of comes first."""
    return [
        *_distributions(context),
        *_nulls(context, "null_share"),
        *_nulls(context, "unseen_share"),
        *_numbers(context),
        *(_series(context, each) for each in context.nights.series),
    ]


def _distributions(context: Context) -> list[Block]:
    """Numbers by their ordered bands, categories by all of theirs."""
    found = []
    for kind, tail in (("number", 2), ("category", 0)):
        columns = [each for each in context.nights.layout if each.kind == kind and each.column != "status"]
        found += [_distribution(context, part, tail) for part in context.alike("distribution", columns)]
    return found


def _distribution(context: Context, columns: Sequence[Bands], tail: int) -> Block:
    size = max(each.size - tail for each in columns)
    nights, reference, own = (
        np.stack([_wider(every[..., context.cut(each)][..., : each.size - tail], size) for each in columns])
        for every in (context.nights.counts, context.nights.reference, context.nights.reference_counts)
    )
    if tail:
        scale = bands(np.stack([_padded(each.widths, size - 1) for each in columns]))
    else:
        scale = roots(reference[:, 0])
    floor = np.array([_floor(context.service, each) for each in columns])
    labels: tuple[Label, ...] = tuple(("distribution", each.column) for each in columns)
    rows = of_counts(scale, nights, reference, context.weeks, context.bank(labels), floor)
    past = past_of_counts(scale, own, context.reference_kind) if context.has_reference else None
    return Block(labels, rows, past)


def _nulls(context: Context, measure: Measure) -> list[Block]:
    """The share of rows that are null, or have a value the reference never had."""
    columns = [each for each in context.nights.layout if each.column != "status"]
    return [_null_block(context, measure, part) for part in context.alike(measure, columns)]


def _null_block(context: Context, measure: Measure, columns: Sequence[Bands]) -> Block:
    def parts(counts: npt.NDArray[Any]) -> tuple[Floats, Floats]:
        at = [context.cut(each) for each in columns]
        back = 1 if measure == "null_share" else 2
        return (
            np.stack([counts[..., cut.stop - back] for cut in at]).astype(np.float64),
            np.stack([counts[..., cut].sum(axis=-1) for cut in at]).astype(np.float64),
        )

    return _shares(context, [(measure, each.column) for each in columns], parts)


def _numbers(context: Context) -> list[Block]:
    """Volume, and errors where the log has a status."""
    if not context.nights.layout:
        return []
    cuts = [context.cut(each) for each in context.nights.layout]
    # every column counts all rows, but one that is gone from the log counts none
    volumes = [
        np.max([counts[..., cut].sum(axis=-1, dtype=np.float64) for cut in cuts], axis=0)[np.newaxis]
        for counts in (context.nights.counts, context.nights.reference_counts)
    ]
    usual = np.median(volumes[0][:, :-1], axis=1, keepdims=True)
    values, own = (ratios(np.maximum(each, 0.5), np.broadcast_to(usual, each.shape)) for each in volumes)
    floor = np.array([context.service.floors.volume])
    whole = whole_of(own if context.has_reference else _cut(values, slice(0, -1)))
    labels: tuple[Label, ...] = (("volume", ""),)
    rows = of_values(values, whole, context.weeks, context.bank(labels), floor)
    past = past_of_values(own, context.reference_kind) if context.has_reference else None
    found = [Block(labels, rows, past, volumes[0][:, -1])]
    status = next((each for each in context.nights.layout if each.column == "status"), None)
    if status is not None:
        place = context.cut(status)

        def parts(counts: npt.NDArray[Any]) -> tuple[Floats, Floats]:
            own = counts[..., place].astype(np.float64)
            return own[np.newaxis, ..., 1], own.sum(axis=-1)[np.newaxis]

        found.append(_shares(context, [("errors", "")], parts))
    return found


def _shares(context: Context, labels: Sequence[Label], parts: Parts) -> Block:
    reference = parts(context.nights.reference[np.newaxis])
    toward = reference[0][:, 0, 0] / np.maximum(reference[1][:, 0, 0], 1)
    values, whole, own = (
        shares(*parts(counts), toward)
        for counts in (
            context.nights.counts,
            context.nights.reference[np.newaxis],
            context.nights.reference_counts,
        )
    )
    floor = np.full(len(labels), context.service.floors.share)
    rows = of_values(values, whole, context.weeks, context.bank(labels), floor)
    past = past_of_values(own, context.reference_kind) if context.has_reference else None
    return Block(tuple(labels), rows, past)


def _series(context: Context, series: Series) -> Block:
    """A number that the reference has no nights of: it is held against the nights before alone."""
    part, whole, value = (each[np.newaxis] for each in (series.part, series.whole, series.value))
    if series.unit == "share":
        before = part[:, :-1, 0].sum(axis=1) / np.maximum(whole[:, :-1, 0].sum(axis=1), 1)
        values = shares(part, whole, before)
    else:
        values = ratios(value, whole)
    none = np.zeros_like(values.size[:, :1])
    reference = Values(values.unit, none, none, none, values.toward)
    labels: tuple[Label, ...] = ((series.measure, series.feature),)
    bank = context.bank(labels, series.delay, values.size[:, :, 0] > 0)
    rows = of_values(values, reference, 0, bank, np.array([series.floor]))
    return Block(labels, rows, None, value[:, -1] if series.unit == "ratio" else None)


def _floor(service: Service, each: Bands) -> float:
    own = service.rule(each.column).floor
    if own is not None:
        return own
    return service.floors.number if each.kind == "number" else service.floors.category


def _cut(values: Values, nights: slice) -> Values:
    return Values(
        values.unit, values.point[:, nights], values.size[:, nights], values.part[:, nights], values.toward
    )


def _wider(counts: npt.NDArray[Any], size: int) -> npt.NDArray[Any]:
    return np.pad(counts, (*(((0, 0),) * (counts.ndim - 1)), (0, size - counts.shape[-1])))


def _padded(widths: Sequence[float], size: int) -> Floats:
    return np.array([*widths, *[0.0] * (size - len(widths))])
