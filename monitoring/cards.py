"""One feature on the page: its verdict, its shape reference against current, and where it moved most."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import starmap
from typing import Any

import numpy as np

from monitoring.amounts import drawn
from monitoring.distances import jensen_shannon
from monitoring.pattern import pattern
from monitoring.places import part_in_words
from monitoring.plots import Floats, as_drawn, bars, histogram
from monitoring.records import ALL_ROWS, Counts, FeatureLine, Finding
from monitoring.standing import times_floor, verdict
from monitoring.text import SMALL, grouped, is_few, is_small, number, roughly, say, share, short

Cell = tuple[str, str, str, Any]
"""Name, reference and current share as written, and the drawing."""

Sides = tuple[str, int, int]
"""Name, reference and current rows."""

_TOP, _SLICES = 8, 5
_NOTABLE = 0.01
"""A cell outside a number's bins is shown from this share of rows on."""

_STEPS = (1, 2, 5, 10, 20, 50)
"""What shares are rounded to, in percent, beside a cell of 1 to 9 rows: the first that is 10 rows or more."""


def card(feature: FeatureLine, language: str) -> dict[str, Any]:
    """A feature's card: verdict, the finding that moved most over all rows, its shape and its slices."""
    top = max(overall(feature), key=lambda f: _rank(f, feature), default=None)
    moved = sorted(
        (f for f in feature.findings if f.slice != ALL_ROWS and f.verdict == "drifted"),
        key=times_floor,
        reverse=True,
    )
    return {
        "name": short(feature.name),
        "unit": short(feature.unit),
        "verdict": verdict(feature),
        "top": finding_row(top, feature, language) if top else None,
        "shape": shape(feature, language),
        "slices": [
            row | {"times": row["times"] or "–"}
            for row in (finding_row(f, feature, language) for f in moved[:_SLICES])
        ],
        "more_slices": max(0, len(moved) - _SLICES),
    }


def overall(feature: FeatureLine) -> list[Finding]:
    """The findings over all rows, by measure: by effect their order would tell how small a hidden one is."""
    return sorted((f for f in feature.findings if f.slice == ALL_ROWS), key=lambda f: f.measure)


def movement(feature: FeatureLine) -> float:
    """How many times its floor the feature moved, as far as that may be told."""
    return max((_times(f, feature) for f in overall(feature)), default=-1.0)


def finding_row(finding: Finding, feature: FeatureLine, language: str) -> dict[str, Any]:
    """A finding as it is written. A share that hides a small count hides its effect, too.

    The rows are written to two digits: those of a distribution leave missing values out, and so would tell 1 to 9
    of them beside all that were kept.
    """
    times, hidden = _times(finding, feature), _is_hidden(finding, feature)
    return {
        "measure": finding.measure,
        "feature": short(finding.feature),
        "slice": "" if finding.slice == ALL_ROWS else part_in_words(finding.slice, language),
        "verdict": finding.verdict,
        "reason": finding.reason,
        "pattern": pattern(finding),
        "visible": _amount(finding, finding.visible, language),
        "effect": "–" if hidden else _amount(finding, _effect(finding, feature), language),
        "floor": _amount(finding, finding.floor, language),
        "times": grouped(language, times, 1) if times >= 0 and not hidden else "",
        "unit": finding.unit,
        "values": _values(finding, feature, language),
        "rows": tuple(
            "–" if rows is None else roughly(language, rows)
            for rows in (finding.rows_reference, finding.rows_current)
        ),
    }


def _rank(finding: Finding, feature: FeatureLine) -> tuple[bool, bool, float]:
    """What a card tells first: what moved, then what can be told, then what moved most."""
    return finding.verdict == "drifted", not _is_hidden(finding, feature), _times(finding, feature)


def _times(finding: Finding, feature: FeatureLine) -> float:
    return times_floor(replace(finding, effect=_effect(finding, feature)))


def _effect(finding: Finding, feature: FeatureLine) -> float | None:
    """The effect as it may be told: one that a cell of 1 to 9 rows is part of is made of the shares as they are drawn.

    Of categories that are otherwise as ever the distance is nearly a function of that one cell: 0.035 would be 3 of
    1,200 rows that nobody had seen before. The verdict is made of the counts as they are.
    """
    parts = _parts(finding)
    if len(parts) == len(_sides(finding)) and any(starmap(is_few, parts)):
        return abs(drawn(*parts[1]) - drawn(*parts[0]))
    counts = _own_counts(finding, feature)
    few = any(is_small(int(rows)) for side in counts for rows in side)
    if finding.unit != "js" or finding.effect is None or not few:
        return finding.effect
    return float(jensen_shannon(*map(_told_counts, counts)))


def _told_counts(counts: Counts) -> Floats:
    """Counts from which a hidden one cannot be found: 1 to 9 rows as 5, and of few rows the others in steps."""
    step = _step(counts, int(counts.sum()))
    if step == _STEPS[0]:
        return as_drawn(counts)
    return np.array([_told(int(part), int(counts.sum()), step) for part in counts])


def _is_hidden(finding: Finding, feature: FeatureLine) -> bool:
    """Whether 1 to 9 rows are all that a finding's numbers rest on.

    That is a share of so few, or a distribution of so few rows; or a number of which all other rows have the same
    value, for then its mean and its effect are those few rows times how far they lie off.
    """
    few_rows = is_small(finding.rows_reference) or is_small(finding.rows_current)
    if few_rows or any(starmap(is_few, _parts(finding))):
        return True
    if finding.measure != "distribution" or feature.edges is None:
        return False
    if finding.unit == "share" and finding.effect is not None and finding.rows_current:
        return is_few(round(finding.effect * finding.rows_current), finding.rows_current)
    ordered = [side[: len(feature.edges) + 1] for side in _own_counts(finding, feature)]
    return any(is_small(int(side.sum() - side.max())) for side in ordered)


def _own_counts(finding: Finding, feature: FeatureLine) -> tuple[Counts, ...]:
    """The counts a finding was made of, where they are known: those of all rows."""
    if finding.slice != ALL_ROWS or feature.reference is None or feature.current is None:
        return ()
    return feature.reference, feature.current


def _sides(finding: Finding) -> tuple[tuple[float | None, int | None], ...]:
    return (finding.reference_value, finding.rows_reference), (finding.current_value, finding.rows_current)


def _parts(finding: Finding) -> list[tuple[int, int]]:
    """The rows in a share and all rows, of either side; empty for what is not a share."""
    if not finding.measure.endswith("_share"):
        return []
    return [
        (round(value * rows), rows)
        for value, rows in _sides(finding)
        if value is not None and rows is not None
    ]


def _values(finding: Finding, feature: FeatureLine, language: str) -> list[str]:
    if finding.reference_value is None or finding.current_value is None:
        return []
    if not finding.measure.endswith("_share"):
        if _is_hidden(finding, feature):
            return []
        return [number(language, value) for value, _ in _sides(finding)]
    return [share(language, part / whole if whole else None, part, whole) for part, whole in _parts(finding)]


def _amount(finding: Finding, value: float | None, language: str) -> str:
    return share(language, value) if finding.unit == "share" else number(language, value)


def shape(feature: FeatureLine, language: str) -> dict[str, Any]:
    """What to draw: a histogram with the special cells that hold anything, or the biggest categories.

    A feature without counts, or with none on one side, has neither.
    """
    reference, current = feature.reference, feature.current
    if reference is None or current is None or not reference.sum() or not current.sum():
        return {"hist": None, "cells": []}
    if feature.edges is None:
        return {"hist": None, "cells": _categories(feature.labels, reference, current, language)}
    bins = slice(1, len(feature.edges))
    drawing = histogram(reference[bins], current[bins], feature.edges)
    ends = drawing and (
        say(language, "feature.least", value=number(language, drawing.low)),
        say(language, "feature.most", value=number(language, drawing.high)),
    )
    return {"hist": drawing, "ends": ends, "cells": _special(feature, reference, current, language)}


def _special(feature: FeatureLine, reference: Counts, current: Counts, language: str) -> list[Cell]:
    """Cells of a number outside its bins: beyond either end, missing, not a number, infinite."""
    assert feature.edges is not None
    low, high = (number(language, float(feature.edges[i])) for i in (0, -1))
    last = len(feature.edges)  # the overflow cell; null, NaN and both infinities follow
    names = (
        (say(language, "cell.below", value=low), [0]),
        (say(language, "cell.above", value=high), [last]),
        (say(language, "cell.null"), [last + 1]),
        (say(language, "cell.NaN"), [last + 2]),
        (say(language, "cell.infinite"), [last + 3, last + 4]),
    )
    sides: list[Sides] = [
        (name, int(reference[cells].sum()), int(current[cells].sum())) for name, cells in names
    ]
    totals = int(reference.sum()), int(current.sum())
    notable = [
        side for side in sides if max(drawn(side[1], totals[0]), drawn(side[2], totals[1])) >= _NOTABLE
    ]
    return _cells(notable, totals, language, top=1.0)


def _categories(labels: tuple[str, ...], reference: Counts, current: Counts, language: str) -> list[Cell]:
    """The biggest categories on either side, all others, and missing values.

    A category of fewer than 10 rows on both sides is not named: a rare value may be a person's.
    """
    totals = int(reference.sum()), int(current.sum())
    named = len(labels) - 2
    # by their size as it is drawn, so that their order does not tell which of two small counts is smaller
    pairs = zip(reference[:named], current[:named], strict=True)
    size = np.array([max(drawn(int(was), totals[0]), drawn(int(now), totals[1])) for was, now in pairs])
    common = np.maximum(reference[:named], current[:named]) >= SMALL
    top = [int(i) for i in np.argsort(-size, kind="stable") if common[i]][:_TOP]
    cells: list[Sides] = [(short(labels[i], 40), int(reference[i]), int(current[i])) for i in top]
    rest = np.setdiff1d(np.arange(named), top)
    unseen = labels[named] == "unseen"
    other = rest if unseen else np.append(rest, named)
    cells.append((say(language, "cell.other"), int(reference[other].sum()), int(current[other].sum())))
    if unseen:
        cells.append((say(language, "cell.unseen"), int(reference[named]), int(current[named])))
    cells.append((say(language, "cell.null"), int(reference[-1]), int(current[-1])))
    return _cells(cells, totals, language)


def _cells(
    sides: Sequence[Sides], totals: tuple[int, int], language: str, top: float | None = None
) -> list[Cell]:
    """Every cell that holds anything. Bars are drawn against `top`, else against the largest of them."""
    filled = [(name, rows) for name, *rows in sides if any(rows)]
    steps = [_step([rows[side] for _, rows in filled], totals[side]) for side in (0, 1)]
    told = [
        [_told(part, whole, step) for part, whole, step in zip(rows, totals, steps, strict=True)]
        for _, rows in filled
    ]
    top = top or max((portion for pair in told for portion in pair), default=1.0)
    return [
        (
            name,
            _written(rows[0], totals[0], pair[0], language),
            _written(rows[1], totals[1], pair[1], language),
            bars(pair[0] / top, pair[1] / top),
        )
        for (name, rows), pair in zip(filled, told, strict=True)
    ]


def _step(parts: Iterable[int], whole: int) -> int:
    """To how many percent shares are rounded, so that one hidden count cannot be found from all the others.

    Whole percents of 100 rows are counts, and 60 and 37 of them leave 3. Beside a cell of 1 to 9 rows a step is at
    least 10 of the rows there are.
    """
    if not any(is_small(int(part)) for part in parts):
        return _STEPS[0]
    return next((step for step in _STEPS if step * whole >= 100 * SMALL), _STEPS[-1])


def _told(part: int, whole: int, step: int) -> float:
    """A share as it is written and drawn: in whole steps, at least one of them where there are any rows."""
    if not part or is_few(part, whole):
        return drawn(part, whole)
    portion = part / whole
    return portion if step == _STEPS[0] else max(1, round(100 * portion / step)) * step / 100


def _written(part: int, whole: int, told: float, language: str) -> str:
    if is_few(part, whole):
        return share(language, part / whole, part, whole)
    return share(language, told, digits=0)
