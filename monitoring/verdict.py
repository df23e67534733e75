"""A night's verdicts: its bands against those of the nights before it and of the reference."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from monitoring.bands import Bands
from monitoring.records import Against, Finding, Measure, Slice, Verdict
from monitoring.verdicts.judge import LEAST_NIGHTS, Verdicts, judge
from monitoring.verdicts.kinds import kinds
from monitoring.verdicts.lay import WEEK, Bank
from monitoring.verdicts.rows import UNITS, Floats, Past, Rows, joined
from monitoring.verdicts.scalars import Values, of_values, past_of_values, ratios, shares, whole_of
from monitoring.verdicts.shares import bands, of_counts, past_of_counts, roots
from monitoring.verdicts.variation import fitted
from services.model import Service

Dense = npt.NDArray[np.int32]
AGAINST: tuple[Against, ...] = ("usual", "week", "reference")
"""What the tests of a night compare with, in the order of `judge`."""
NIGHTS = "nights"
"""The comparison of these findings; `Finding.against` says with which nights."""
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
    """

    layout: tuple[Bands, ...]
    dates: tuple[date, ...]
    counts: Dense
    reference: npt.NDArray[np.int64]
    reference_dates: tuple[date, ...]
    reference_counts: Dense


@dataclass(frozen=True)
class _Block:
    """Rows that are laid out together, and how the reference's own nights differ.

    Attributes:
        labels: (measure, feature) of each row.
    """

    labels: tuple[tuple[Measure, str], ...]
    rows: Rows
    past: Past


def judged_against(
    service: Service, slices: Sequence[Slice], nights: Nights, holidays: Collection[date] = ()
) -> list[Finding]:
    """Judge a night; nothing while there are fewer than `LEAST_NIGHTS` nights in the bank.

    Without nights of its own the reference ages by the variation of the bank.

    Args:
        slices: what the second axis of the counts is, all rows first.
        holidays: dates that are like Sundays.
    """
    used = np.ones(len(nights.dates), dtype=bool)
    used[-1 - LAST_NIGHTS :] = False
    if used.sum() < LEAST_NIGHTS:
        return []
    own = bool(nights.reference_dates)
    context = _Context(
        service,
        nights,
        kinds(nights.dates, holidays),
        used,
        kinds(nights.reference_dates, holidays) if own else np.zeros(0, dtype=np.int64),
    )
    blocks = [
        *_distributions(context),
        _nulls(context, "null_share"),
        _nulls(context, "unseen_share"),
        *_numbers(context),
    ]
    labels = [label for block in blocks for label in block.labels]
    rows = joined([block.rows for block in blocks])
    past = joined([block.past for block in blocks]) if own else rows.past
    named = np.array([not feature for _, feature in labels])
    verdicts = judge(rows, fitted(past, rows.unit, rows.dof), named)
    return [
        _finding(labels[row], slices[slot], rows, verdicts, (row, slot))
        for row in range(len(labels))
        for slot in range(len(slices))
    ]


@dataclass(frozen=True)
class _Context:
    service: Service
    nights: Nights
    kind: npt.NDArray[np.int64]
    used: npt.NDArray[np.bool_]
    reference_kind: npt.NDArray[np.int64]

    @property
    def weeks(self) -> int:
        return len(self.nights.reference_dates) // WEEK

    def bank(self, rows: int) -> Bank:
        return Bank(self.kind, np.broadcast_to(self.used, (rows, len(self.used))))

    def cut(self, each: Bands) -> slice:
        start = 0
        for other in self.nights.layout:
            if other.column == each.column:
                break
            start += other.size
        return slice(start, start + each.size)


def _distributions(context: _Context) -> list[_Block]:
    """Numbers by their ordered bands, categories by all of theirs."""
    found = []
    for kind, tail in (("number", 2), ("category", 0)):
        columns = [each for each in context.nights.layout if each.kind == kind and each.column != "status"]
        if not columns:
            continue
        size = max(each.size - tail for each in columns)
        nights, reference, own = (
            np.stack(
                [_wider(every[..., context.cut(each)][..., : each.size - tail], size) for each in columns]
            )
            for every in (context.nights.counts, context.nights.reference, context.nights.reference_counts)
        )
        scale = (
            bands(np.stack([_padded(each.widths, size - 1) for each in columns]))
            if tail
            else roots(reference[:, 0])
        )
        floor = np.array([_floor(context.service, each, kind) for each in columns])
        rows = of_counts(scale, nights, reference, context.weeks, context.bank(len(columns)), floor)
        past = past_of_counts(scale, own, context.reference_kind)
        found.append(_Block(tuple(("distribution", each.column) for each in columns), rows, past))
    return found


def _nulls(context: _Context, measure: Measure) -> _Block:
    """The share of rows that are null, or have a value the reference never had."""
    columns = [each for each in context.nights.layout if each.column != "status"]

    def parts(counts: npt.NDArray[Any]) -> tuple[Floats, Floats]:
        at = [context.cut(each) for each in columns]
        back = 1 if measure == "null_share" else 2
        return (
            np.stack([counts[..., cut.stop - back] for cut in at]).astype(np.float64),
            np.stack([counts[..., cut].sum(axis=-1) for cut in at]).astype(np.float64),
        )

    return _shares(context, [(measure, each.column) for each in columns], parts)


def _numbers(context: _Context) -> list[_Block]:
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
    whole = whole_of(own if context.nights.reference_dates else _cut(values, slice(0, -1)))
    rows = of_values(values, whole, context.weeks, context.bank(1), floor)
    found = [_Block((("volume", ""),), rows, past_of_values(own, context.reference_kind))]
    status = next((each for each in context.nights.layout if each.column == "status"), None)
    if status is not None:
        place = context.cut(status)

        def parts(counts: npt.NDArray[Any]) -> tuple[Floats, Floats]:
            own = counts[..., place].astype(np.float64)
            return own[np.newaxis, ..., 1], own.sum(axis=-1)[np.newaxis]

        found.append(_shares(context, [("errors", "")], parts))
    return found


def _shares(context: _Context, labels: Sequence[tuple[Measure, str]], parts: Parts) -> _Block:
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
    rows = of_values(values, whole, context.weeks, context.bank(len(labels)), floor)
    return _Block(tuple(labels), rows, past_of_values(own, context.reference_kind))


def _finding(
    label: tuple[Measure, str], where: Slice, rows: Rows, verdicts: Verdicts, at: tuple[int, int]
) -> Finding:
    tests = (verdicts.tonight, verdicts.week, verdicts.ageing)
    sure = sorted(
        (n for n, test in enumerate(tests) if test.drifted[at]), key=lambda n: float(tests[n].chance[at])
    )
    test = tests[sure[0] if sure else 0]
    verdict: Verdict = "drifted" if sure else "inconclusive" if verdicts.inconclusive[at] else "stable"
    unit = UNITS[int(rows.unit[at[0]])]
    effect = _known(test.effect[at])
    return Finding(
        *label, where, NIGHTS, verdict,
        effect=effect, floor=float(rows.floor[at[0]]), unit=unit,
        rows_current=int(rows.tonight.size[at]),
        direction="" if effect is None or unit == "js" else "up" if test.up[at] else "down",
        reason="not_visible" if verdict == "inconclusive" else "",
        against=tuple(AGAINST[n] for n in sure),
        visible=_known(verdicts.visible[at]), p_value=_known(test.chance[at]), q_value=_known(test.adjusted[at]),
    )  # fmt: skip


def _floor(service: Service, each: Bands, kind: str) -> float:
    own = service.rule(each.column).floor
    if own is not None:
        return own
    return service.floors.number if kind == "number" else service.floors.category


def _cut(values: Values, nights: slice) -> Values:
    return Values(
        values.unit, values.point[:, nights], values.size[:, nights], values.part[:, nights], values.toward
    )


def _wider(counts: npt.NDArray[Any], size: int) -> npt.NDArray[Any]:
    return np.pad(counts, (*(((0, 0),) * (counts.ndim - 1)), (0, size - counts.shape[-1])))


def _padded(widths: Sequence[float], size: int) -> Floats:
    return np.array([*widths, *[0.0] * (size - len(widths))])


def _known(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
