"""What always moved together is one incident, also when it is read back from the state."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from monitoring.records import OF
from monitoring.verdicts.incidents import Moved
from monitoring.verdicts.judge import Tested, Verdicts
from monitoring.verdicts.moved import moved_of
from monitoring.verdicts.rows import Rows
from monitoring.verdicts.scalars import ratios
from nightly_counts import value_setting
from store.state import State
from told_incidents import judge, moved, service

LABELS = [("distribution", name) for name in ("price", "basket", "city", *"abcdef")]
ROWS = len(LABELS)


def rows() -> Rows:
    """Nine features over 40 nights, of which the first two have lain far off on the same ones."""
    rng = np.random.default_rng(3)
    made = value_setting(ratios(np.ones((ROWS, 41, 1)), np.full((ROWS, 41, 1), 900.0)), 0.1).rows
    squares = rng.gamma(0.5, 2.0, (ROWS, 40, 1))
    squares[1] = 4 * squares[0]
    return replace(made, past=replace(made.past, squares=squares))


def verdicts(*drifted: bool) -> Verdicts:
    """Features that drifted tonight, surely."""
    one, no = np.ones((ROWS, 1)), np.zeros((ROWS, 1), dtype=bool)
    yes = np.array([*drifted, *[False] * (ROWS - len(drifted))])[:, np.newaxis]
    tonight, none = (Tested(one, 1e-9 * one, one, 1e-9 * one, one, each, no) for each in (yes, no))
    return Verdicts(tonight, none, none, None, no, no, no, one, no, ROWS)


def found(*drifted: bool) -> list[Moved]:
    """What moved, with what always moves along."""
    return list(moved_of(LABELS, ("",), rows(), verdicts(*drifted)))


def test_what_moves_along_is_named() -> None:
    """The other of the pair, if it moved tonight as well; never a feature of its own."""
    assert [each.beside for each in found(True, True, True)] == [("basket",), ("price",), ()]
    assert [each.beside for each in found(True, False, True)] == [(), ()]


@pytest.mark.parametrize(("beside", "wanted"), [(True, 1), (False, 2)])
def test_what_moves_along_is_one_incident(state: State, beside: bool, wanted: int) -> None:
    """Two features in two cities are one cause if they always moved together; it is still so on the night after."""
    along = json.dumps(["basket"]) if beside else ""
    price = replace(moved("distribution", feature="price", part=f"city{OF}Recife"), beside=along)
    basket = moved("distribution", feature="basket", part=f"city{OF}Natal")

    assert len(judge(state, service(), 0, price, basket)) == wanted
    assert len(judge(state, service(), 1, price, basket)) == wanted
