"""Small drawings, held to exact strings."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring import plots


def test_a_sparkline_exactly() -> None:
    """Band, a line broken at the missing night, a dot for tonight."""
    drawing = plots.sparkline([1.0, 2.0, None, 3.0], 5.0, (2.0, 0.5))
    assert drawing == (
        '<svg class="spark" viewBox="0 0 140 30" aria-hidden="true">'
        '<rect class="band" width="140" y="15" height="11"/>'
        '<path class="past" d="M4 26h.1L37 20M103 15h.1"/>'
        '<circle class="now" cx="136" cy="4" r="3"/></svg>'
    )


def test_a_sparkline_of_nothing_is_nothing() -> None:
    """Neither a past nor a value."""
    assert plots.sparkline([None, None], None, None) == ""


def test_a_flat_past_lies_in_the_middle() -> None:
    """No division by the range of a constant."""
    assert 'd="M4 15h.1L70 15"' in plots.sparkline([2.0, 2.0], 2.0, None)


def test_values_beyond_floats_do_not_break_a_sparkline() -> None:
    """NaN and infinity are not drawn."""
    assert "nan" not in plots.sparkline([1.0, float("inf"), 2.0], float("nan"), (1.5, 0.5))


def test_bars_exactly() -> None:
    """Two shares in whole percents."""
    assert plots.bars(0.254, 0.5) == (
        '<svg class="bars" viewBox="0 0 100 13" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="ref" width="25" height="6"/><rect class="cur" y="7" width="50" height="6"/></svg>'
    )


def test_a_histogram_exactly() -> None:
    """Six bars over [0, 6): the reference in the first two, the current in the last."""
    edges = np.arange(7.0)
    drawing = plots.histogram(np.array([30, 30, 0, 0, 0, 0]), np.array([0, 0, 0, 0, 0, 60]), edges)
    assert drawing is not None
    assert (drawing.low, drawing.high) == (0.0, 6.0)
    assert drawing.svg == (
        '<svg class="hist" viewBox="0 0 60 60" preserveAspectRatio="none" aria-hidden="true">'
        '<path class="ref" d="M0 30V30H10V30H20V60H30V60H40V60H50V60H60V60H0Z"/>'
        '<path class="cur" d="M0 60V60H10V60H20V60H30V60H40V60H50V0H60"/></svg>'
    )


def test_cells_of_unequal_width_are_drawn_as_densities() -> None:
    """600 rows spread evenly look flat, however wide the cells they were counted in."""
    edges = np.array([0.0, 1.0, 2.0, 3.0, 6.0])
    counts = np.array([100, 100, 100, 300])
    drawing = plots.histogram(counts, counts, edges)
    assert drawing is not None
    heights = re.search(r'class="cur" d="M0 (\d+)((?:V\d+H\d+)+)"', drawing.svg)
    assert heights is not None
    assert set(re.findall(r"V(\d+)", heights.group(2))) == {"0"}


def test_one_far_value_does_not_flatten_the_rest() -> None:
    """The axis spans the inner 98 %: a tail of few rows falls into the last bar."""
    edges = np.array([*np.arange(0.0, 11.0), 1e6])
    counts = np.array([100] * 10 + [5])
    drawing = plots.histogram(counts, counts, edges)
    assert drawing is not None
    assert drawing.high == 10.0


def test_so_few_rows_are_not_drawn() -> None:
    """Eight bars with something in them are at least eight rows."""
    few, some = np.ones(8, dtype=np.int64), np.full(8, 30)
    assert plots.histogram(few, some, np.arange(9.0)) is None
    assert plots.histogram(some, few, np.arange(9.0)) is None


@pytest.mark.parametrize(
    "cells",
    [
        pytest.param([30, 0, 0, 0, 0, "few"], id="its share of all rows"),
        pytest.param(["few", 0, 500, 520, 0, 0], id="below all that is drawn"),
        pytest.param([0, 0, 500, 520, 0, "few"], id="beyond all that is drawn"),
        pytest.param([20, "few", 20, 40, 30, 20], id="between full cells"),
        pytest.param([20, "few", 0, "few", 30, 20], id="two of them that are few together"),
    ],
)
def test_a_few_rows_cannot_be_measured(cells: list[Any]) -> None:
    """Neither off a bar of their own nor off one that many rows lie in as well, or one they are left out of."""
    edges = np.array([0.0, 1.0, 2.5, 4.0, 4.4, 5.0, 6.0])
    most = 9 // cells.count("few")
    counts = [np.array([few if cell == "few" else cell for cell in cells]) for few in range(1, most + 1)]
    drawn = {plots.histogram(np.array([60, 0, 0, 0, 0, 0]), each, edges) for each in counts}
    assert len(drawn) == 1
    assert None not in drawn


def test_many_cells_of_a_few_rows_keep_their_shape() -> None:
    """A hundred rows in forty cells are drawn by tens, not as if they were the same everywhere."""
    rising = np.array([1] * 20 + [4] * 20)
    drawing = plots.histogram(rising, rising, np.arange(41.0))
    assert drawing is not None
    assert 'class="cur" d="M0 43V43H10V45H20V42H30V0H40V0H50V0H60"' in drawing.svg


def test_no_rows_no_histogram() -> None:
    """Either side may be empty."""
    some, none = np.array([30, 40]), np.array([0, 0])
    assert plots.histogram(some, none, np.arange(3.0)) is None
    assert plots.histogram(none, some, np.arange(3.0)) is None


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=80), st.floats(1e-9, 1e9))
def test_any_counts_can_be_drawn(counts: list[int], width: float) -> None:
    """Drawings hold finite whole numbers, within their frame, and nothing else."""
    cells = np.array(counts, dtype=np.int64)
    drawing = plots.histogram(cells, cells[::-1], np.arange(len(counts) + 1) * width)
    if drawing is None:
        assert cells.sum() < 10
        return
    numbers = [int(n) for n in re.findall(r"[VH](\S+?)(?=[VHZ\"])", drawing.svg)]
    assert numbers
    assert all(0 <= n <= 240 for n in numbers)


@given(st.integers(2, 9), st.integers(2, 9))
def test_a_few_rows_are_drawn_alike(few: int, other: int) -> None:
    """Nobody can measure a count of 1 to 9 off a bar."""
    edges = np.arange(7.0)
    rest = np.array([24, 24, 24, 24, 24])
    drawn = [plots.histogram(np.append(rest, n), np.append(rest, n), edges) for n in (few, other)]
    assert drawn[0] == drawn[1]
