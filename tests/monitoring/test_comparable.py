"""What Evidently cannot bear is made harmless, or left out with its reason, before it is asked."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.comparable import Column, Compared, ready, told_apart

NORMAL = np.random.default_rng(5).normal(0, 1, 300)
ONES = np.ones(300)


def column(kind: Any, reference: Any, current: Any, name: str = "x") -> Column:
    return ready([Compared(name, kind, reference, current)], {"number": 0.1, "category": 0.1}, enough=200)[0]


@pytest.mark.parametrize(
    ("reference", "current", "reason"),
    [
        (NORMAL, NORMAL[:0], "current_empty"),
        (NORMAL, ONES * np.nan, "current_empty"),
        ([None] * 300, NORMAL, "reference_empty"),
        (NORMAL, ONES * np.inf, "current_empty"),
        (NORMAL, NORMAL[:1], "few_rows"),
        (NORMAL[:199], NORMAL, "few_rows"),
        (ONES, NORMAL, "constant_reference"),
        (ONES * 0.1, ONES * 0.1, "constant_reference"),
        (np.array([0.3, 0.1 + 0.2] * 150), NORMAL, "constant_reference"),
        (np.array([0.0, 1e-300] * 150), NORMAL, "constant_reference"),
        (NORMAL * 1e101, NORMAL, "too_large"),
        (NORMAL, NORMAL * 1e307, "too_large"),
        (NORMAL * 1e-90, NORMAL * 1e20, "too_large"),
        (np.array([1.0, "a"] * 150, dtype=object), NORMAL, "not_numbers"),
        (np.array(["1.5"] * 300), NORMAL, "not_numbers"),
        (np.array(["2020-01-01"] * 300, dtype="datetime64[D]"), NORMAL, "not_numbers"),
        (NORMAL, ONES, ""),
    ],
)
def test_numbers_that_cannot_be_compared(reference: Any, current: Any, reason: str) -> None:
    """Each way a column can be unfit has its own word."""
    assert column("number", reference, current).score.reason == reason


@pytest.mark.parametrize(
    ("reference", "current", "reason"),
    [
        (["a"] * 300, [None] * 300, "current_empty"),
        ([np.nan] * 300, ["a"] * 300, "reference_empty"),
        (["a"] * 300, ["a"], "few_rows"),
        ([str(i) for i in range(1001)], ["a"] * 300, "too_many_values"),
        ([str(i % 200) for i in range(400)], ["a"] * 300, ""),
        (["a"] * 300, ["a"] * 300, ""),
    ],
)
def test_categories_that_cannot_be_compared(reference: Any, current: Any, reason: str) -> None:
    """A constant category is fine (its distance is 0); nothing, next to nothing and thousands are not."""
    assert column("category", reference, current).score.reason == reason


@pytest.mark.parametrize(
    "values",
    [
        [Decimal("1.5"), Decimal(2), None, Decimal("NaN")] * 100,
        np.array([1.5, 2, np.nan, np.inf, -np.inf] * 100),
        pd.array([1.5, 2, pd.NA] * 100, dtype="Float64"),
        [1.5, 2, 10**400] * 100,
        np.array([1.5, 2] * 100, dtype=np.float32),
    ],
)
def test_numbers_of_all_kinds_become_doubles(values: Any) -> None:
    """Decimals (PostgreSQL's NUMERIC), missing values and infinities leave plain finite doubles."""
    current = column("number", NORMAL, values).current

    assert current.dtype == np.float64
    assert current[:4].tolist() == [1.5, 2.0, 1.5, 2.0]


def test_booleans_are_numbers() -> None:
    """True and False count as 1 and 0."""
    assert column("number", NORMAL, NORMAL > 0).current.tolist() == (NORMAL > 0).astype(float).tolist()


def test_categories_of_all_kinds_become_text() -> None:
    """Mixed types are named as they are written; missing values go."""
    values = np.array([1, "b", None, 2.5, True, float("nan")] * 100, dtype=object)

    assert column("category", values, values).current[:4].tolist() == ["1", "b", "2.5", "True"]


def test_a_value_has_one_label_on_both_sides() -> None:
    """Values that only become equal by cleaning stay apart, alike in reference and current."""
    one = column("category", ["<b>", "‹b›"] * 200, ["‹b›"] * 200)

    assert one.reference[:2].tolist() == ["‹b›", "‹b› (2)"][:: 1 if one.reference[0] == "‹b›" else -1]
    assert set(one.current) == {one.reference[1]}


def test_small_numbers_are_shown_in_a_finer_unit() -> None:
    """Evidently divides by 0.001 at least: a deviation of 1e-9 must not read as no drift at all."""
    fine = column("number", NORMAL * 1e-9, NORMAL * 1e-9 + 1e-9)

    assert fine.label.startswith("x (×1e")
    assert 0.1 < fine.reference.std() < 20
    assert (fine.current - fine.reference).mean() / fine.reference.std() == pytest.approx(1 / NORMAL.std())


@given(st.lists(st.text()))
def test_labels_are_harmless_and_told_apart(texts: list[str]) -> None:
    """No label holds a sign of HTML, an unpaired surrogate or nothing; none is used twice."""
    labels = told_apart(texts)

    assert len(set(labels)) == len(labels) == len(texts)
    assert all(labels)
    assert not set("<>&\"'`\n\u202e") & set("".join(labels))
    "".join(labels).encode()  # fails on an unpaired surrogate


def test_labels_of_hostile_text() -> None:
    """What a person reads is still what was written."""
    hostile = ["</script><script>alert(1)</script>", '<img src=x onerror="x">', "\ud800", "a" * 5000, "", "é"]

    assert told_apart(hostile) == [
        "‹/script›‹script›alert(1)‹/script›",
        "‹img src=x onerror=”x”›",
        "�",
        "a" * 100,
        "(empty)",
        "é",
    ]


def test_numbered_labels_skip_names_that_exist() -> None:
    """The second `a` does not take the name of a feature called `a (2)`."""
    assert told_apart(["a", "a", "a (2)", "a"]) == ["a", "a (3)", "a (2)", "a (4)"]
