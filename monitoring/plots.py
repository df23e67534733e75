"""Small drawings as inline SVG. They hold numbers only, never words, so no text from data can reach them.

Everything is drawn to whole pixels, and 1 to 9 rows as if they were 5: what is drawn is the same whatever their number,
so it cannot be measured off a drawing. Sparklines and bars are given values of which that is true already
(`monitoring.amounts.blurred` and `drawn`); in a histogram it is seen to here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from monitoring.records import Counts
from monitoring.text import SMALL

Floats = npt.NDArray[np.float64]

_SPARK_WIDTH, _SPARK_HEIGHT = 140, 30
_BAR_WIDTH = 100
_HISTOGRAM_HEIGHT, _BIN_WIDTH, _BINS = 60, 10, 24
_TAIL = 0.01  # of the rows at either end may fall into the outermost bars


@dataclass(frozen=True)
class Histogram:
    """A drawing, and the values at its left and right end."""

    svg: Markup
    low: float
    high: float


def sparkline(
    history: Sequence[float | None], value: float | None, usual: tuple[float, float] | None
) -> Markup:
    """The nights before as a line, tonight as a dot, and the usual range (mean ± 2 standard deviations) behind.

    Args:
        history: a value per night, oldest first; the line is broken where a night has none.
        value: tonight's; None where it is not known.
        usual: mean and standard deviation of the history.
    """
    band = () if usual is None else (usual[0] - 2 * usual[1], usual[0] + 2 * usual[1])
    shown = [v for v in (*history, value, *band) if v is not None and np.isfinite(v)]
    if not shown:
        return Markup()
    low, high = min(shown), max(shown)
    step = (_SPARK_WIDTH - 8) / max(1, len(history))
    parts = []
    if band:
        top, bottom = _height(band[1], low, high), _height(band[0], low, high)
        parts.append(f'<rect class="band" width="{_SPARK_WIDTH}" y="{top}" height="{max(2, bottom - top)}"/>')
    line = _line([None if v is None else _height(v, low, high) for v in history], step)
    parts.append(f'<path class="past" d="{line}"/>' if line else "")
    if value is not None and np.isfinite(value):
        at = round(4 + len(history) * step)
        parts.append(f'<circle class="now" cx="{at}" cy="{_height(value, low, high)}" r="3"/>')
    return _svg(_SPARK_WIDTH, _SPARK_HEIGHT, "spark", "".join(parts))


def _height(value: float, low: float, high: float) -> int:
    """Pixels from the top; 4 are left free for the dot. A flat line lies in the middle."""
    if not np.isfinite(value):
        return _SPARK_HEIGHT // 2
    portion = 0.5 if high <= low else (value - low) / (high - low)
    return round(4 + (1 - portion) * (_SPARK_HEIGHT - 8))


def _line(heights: Sequence[int | None], step: float) -> str:
    path, pen = [], False
    for i, height in enumerate(heights):
        if height is not None:
            path.append(f"{'L' if pen else 'M'}{round(4 + i * step)} {height}{'' if pen else 'h.1'}")
        pen = height is not None
    return "".join(path)


def histogram(reference: Counts, current: Counts, edges: Floats) -> Histogram | None:
    """Reference as a filled shape, current as a line over it; None where either has fewer than 10 rows.

    The cells' widths differ, so both are spread evenly inside their cells and read off again over at most 24
    bars of equal width between the outer 1 % of either; what lies beyond falls into the outermost bars.

    Args:
        reference: counts of the binned cells, shape (bins,).
        current: the same for the night.
        edges: shape (bins + 1,).
    """
    if min(reference.sum(), current.sum()) < SMALL:
        return None  # each bar that is not empty would hold one row at least
    sides = _told_rows(reference), _told_rows(current)
    low, high = _range(*sides, edges)
    rows = min(float(side.sum()) for side in sides)
    targets = np.linspace(low, high, int(np.clip(rows // 20, 6, _BINS)) + 1)
    heights = [_bar_shares(side, edges, targets) for side in sides]
    top = max(float(h.max()) for h in heights)
    past, now = (_steps(np.rint(_HISTOGRAM_HEIGHT * (1 - h / top))) for h in heights)
    width = _BIN_WIDTH * (len(targets) - 1)
    drawing = f'<path class="ref" d="{past}V{_HISTOGRAM_HEIGHT}H0Z"/><path class="cur" d="{now}"/>'
    return Histogram(_svg(width, _HISTOGRAM_HEIGHT, "hist", drawing, stretch=True), low, high)


def _told_rows(counts: Counts) -> Floats:
    """The rows of each cell as far as they may be drawn, shape (cells,).

    Neighbours of 1 to 9 rows share what they have together as soon as that is 10 rows; what is fewer still, alone among
    empty and full cells, counts as 5. This comes before all else, for a few rows can be measured even where they
    lie on top of many: in the outermost bar, or in one that a full cell reaches into.
    """
    told = counts.astype(np.float64)
    edges = np.flatnonzero(np.diff((counts < SMALL).astype(int), prepend=0, append=0))
    for first, last in edges.reshape(-1, 2):
        cells = first + np.flatnonzero(counts[first:last])
        for together in _groups(cells, counts):
            rows = int(counts[together].sum())
            told[together] = (rows if rows >= SMALL else SMALL / 2) / len(together)
    return told


def _groups(cells: npt.NDArray[np.intp], counts: Counts) -> list[list[int]]:
    """Cells, in their order, in groups of at least 10 rows; a rest of fewer goes to the last, or stands alone."""
    groups: list[list[int]] = []
    rest: list[int] = []
    for cell in map(int, cells):
        rest.append(cell)
        if counts[rest].sum() >= SMALL:
            groups.append(rest)
            rest = []
    if groups:
        groups[-1] += rest
    elif rest:
        groups.append(rest)
    return groups


def _range(reference: Floats, current: Floats, edges: Floats) -> tuple[float, float]:
    ends = []
    for counts in (reference, current):
        filled = np.cumsum(counts) / counts.sum()
        first = int(np.searchsorted(filled, _TAIL, side="right"))
        last = int(np.searchsorted(filled, 1 - _TAIL, side="left"))
        ends.append((edges[min(first, len(counts) - 1)], edges[min(last, len(counts) - 1) + 1]))
    return float(min(low for low, _ in ends)), float(max(high for _, high in ends))


def _bar_shares(rows: Floats, edges: Floats, targets: Floats) -> Floats:
    """Share of rows per bar, shape (bars,)."""
    filled = np.concatenate([[0.0], np.cumsum(rows)])
    read = np.interp(targets, edges, filled)
    read[0], read[-1] = filled[0], filled[-1]
    shares: Floats = np.diff(read) / filled[-1]
    return shares


def as_drawn(rows: Floats | Counts) -> Floats:
    """Counts as they are drawn: 1 to 9 rows as 5.

    >>> as_drawn(np.array([0, 3, 9, 10]))
    array([ 0.,  5.,  5., 10.])
    """
    few: Floats = np.where((rows > 0) & (rows < SMALL), SMALL / 2, rows).astype(np.float64)
    return few


def _steps(heights: Floats) -> str:
    whole = [int(h) for h in heights]
    return f"M0 {whole[0]}" + "".join(f"V{h}H{_BIN_WIDTH * (i + 1)}" for i, h in enumerate(whole))


def bars(reference: float, current: float) -> Markup:
    """Two shares (0 to 1) as bars, the reference above, in whole percents."""
    past, now = (round(_BAR_WIDTH * min(1.0, max(0.0, s))) for s in (reference, current))
    drawing = (
        f'<rect class="ref" width="{past}" height="6"/><rect class="cur" y="7" width="{now}" height="6"/>'
    )
    return _svg(_BAR_WIDTH, 13, "bars", drawing, stretch=True)


def _svg(width: int, height: int, kind: str, drawing: str, *, stretch: bool = False) -> Markup:
    ratio = ' preserveAspectRatio="none"' if stretch else ""
    return Markup(  # noqa: S704 - numbers and words of this file only
        f'<svg class="{kind}" viewBox="0 0 {width} {height}"{ratio} aria-hidden="true">{drawing}</svg>'
    )
