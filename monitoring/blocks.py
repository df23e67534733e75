"""What a night is judged by, laid out as rows: distributions, shares of them, volume, errors, and series."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from monitoring.bands import Bands
from monitoring.compared import Context, Dense, Label
from monitoring.records import Measure
from monitoring.series import Series
from monitoring.verdicts.rows import Floats, Past, Rows
from monitoring.verdicts.scalars import Values, of_values, past_of_values, ratios, shares, whole_of
from monitoring.verdicts.shares import bands, of_counts, past_of_counts, roots
from services.model import Service

Parts = Callable[[npt.NDArray[Any]], tuple[Floats, Floats]]
"""Dense counts to numerators and denominators, shape (rows, nights, slices)."""


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

    def of_each(every: npt.NDArray[Any]) -> npt.NDArray[Any]:
        cut = [every[..., context.cut(each)][..., : each.size - tail] for each in columns]
        return np.stack([_wider(own, size) for own in cut])

    side = context.nights
    reference = of_each(side.reference)
    if tail:
        scale = bands(np.stack([_padded(each.widths, size - 1) for each in columns]))
    else:
        scale = roots(reference[:, 0])
    floor = np.array([_floor(context.service, each) for each in columns])
    labels: tuple[Label, ...] = tuple(("distribution", each.column) for each in columns)
    rows = of_counts(scale, of_each(side.counts), reference, context.weeks, context.bank(labels), floor)
    if not context.has_reference:
        return Block(labels, rows, None)
    year = None if side.year is None else of_each(side.year)
    own = of_each(side.reference_counts)
    return Block(labels, rows, past_of_counts(scale, own, context.reference_kind, year))


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
    def volume_of(counts: Dense) -> Floats:
        most: Floats = np.max([counts[..., cut].sum(axis=-1, dtype=np.float64) for cut in cuts], axis=0)
        return most[np.newaxis]

    volume = volume_of(context.nights.counts)
    usual = np.median(volume[:, :-1], axis=1, keepdims=True)

    def as_values(volume: Floats) -> Values:
        return ratios(np.maximum(volume, 0.5), np.broadcast_to(usual, volume.shape))

    values, own = as_values(volume), as_values(volume_of(context.nights.reference_counts))
    year = None if context.nights.year is None else as_values(volume_of(context.nights.year))
    floor = np.array([context.service.floors.volume])
    whole = whole_of(own if context.has_reference else _cut(values, slice(0, -1)))
    labels: tuple[Label, ...] = (("volume", ""),)
    rows = of_values(values, whole, context.weeks, context.bank(labels), floor)
    past = past_of_values(own, context.reference_kind, year) if context.has_reference else None
    found = [Block(labels, rows, past, volume[:, -1])]
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
    year = None if context.nights.year is None else shares(*parts(context.nights.year), toward)
    past = past_of_values(own, context.reference_kind, year) if context.has_reference else None
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
