"""One feature on the page: its verdict, its shape reference against current, and where it moved most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from monitoring.plots import bars, histogram
from monitoring.records import ALL_ROWS, Counts, FeatureLine, Finding
from monitoring.standing import times_floor, verdict
from monitoring.text import SMALL, count, grouped, is_small, number, say, share, short

Cell = tuple[str, str, str, Any]
"""Name, reference and current share as written, and the drawing."""

Sides = tuple[str, int, int]
"""Name, reference and current rows."""

_TOP, _SLICES = 8, 5
_NOTABLE = 0.01
"""A cell outside a number's bins is shown from this share of rows on."""


def card(feature: FeatureLine, language: str) -> dict[str, Any]:
    """A feature's card: verdict, the finding that moved most over all rows, its shape and its slices."""
    top = max(overall(feature), key=times_floor, default=None)
    moved = sorted(
        (f for f in feature.findings if f.slice != ALL_ROWS and f.verdict == "drifted"),
        key=times_floor,
        reverse=True,
    )
    return {
        "name": short(feature.name),
        "unit": short(feature.unit),
        "verdict": verdict(feature),
        "top": finding_row(top, language) if top else None,
        "shape": shape(feature, language),
        "slices": [finding_row(f, language) for f in moved[:_SLICES]],
        "more_slices": max(0, len(moved) - _SLICES),
    }


def overall(feature: FeatureLine) -> list[Finding]:
    """The findings over all rows."""
    return [f for f in feature.findings if f.slice == ALL_ROWS]


def finding_row(finding: Finding, language: str) -> dict[str, Any]:
    """A finding as it is written. A share that hides a small count hides its effect, too."""
    times = times_floor(finding)
    hidden = any(is_small(part) or is_small(whole - part) for part, whole in _parts(finding))
    return {
        "measure": finding.measure,
        "feature": short(finding.feature),
        "slice": "" if finding.slice == ALL_ROWS else " = ".join(map(short, finding.slice)),
        "verdict": finding.verdict,
        "reason": finding.reason,
        "effect": "–" if hidden else _amount(finding, finding.effect, language),
        "floor": _amount(finding, finding.floor, language),
        "times": grouped(language, times, 1) if times >= 0 and not hidden else "",
        "unit": finding.unit,
        "values": _values(finding, language),
        "rows": (count(language, finding.rows_reference), count(language, finding.rows_current)),
    }


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


def _values(finding: Finding, language: str) -> list[str]:
    if finding.reference_value is None or finding.current_value is None:
        return []
    if not finding.measure.endswith("_share"):
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
    notable = [side for side in sides if max(side[1] / totals[0], side[2] / totals[1]) >= _NOTABLE]
    return _cells(notable, totals, language, top=1.0)


def _categories(labels: tuple[str, ...], reference: Counts, current: Counts, language: str) -> list[Cell]:
    """The biggest categories on either side, all others, and missing values.

    A category of fewer than 10 rows on both sides is not named: a rare value may be a person's.
    """
    totals = int(reference.sum()), int(current.sum())
    named = len(labels) - 2
    size = np.maximum(reference[:named] / totals[0], current[:named] / totals[1])
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
    drawn = [[_drawn(part, whole) for part, whole in zip(rows, totals, strict=True)] for _, rows in filled]
    top = top or max((drawn_share for pair in drawn for drawn_share in pair), default=1.0)
    return [
        (name, *_written(rows, totals, language), bars(pair[0] / top, pair[1] / top))
        for (name, rows), pair in zip(filled, drawn, strict=True)
    ]


def _drawn(part: int, whole: int) -> float:
    """A share as it is drawn: 1 to 9 rows as if they were 5."""
    return (SMALL / 2 if is_small(part) else part) / whole


def _written(rows: list[int], totals: tuple[int, int], language: str) -> tuple[str, str]:
    return _whole_percent(rows[0], totals[0], language), _whole_percent(rows[1], totals[1], language)


def _whole_percent(part: int, whole: int, language: str) -> str:
    """A share in whole percents, so that one hidden count cannot be found from all the others."""
    if is_small(part) or is_small(whole - part):
        return share(language, part / whole, part, whole)
    return share(language, part / whole, digits=0)
