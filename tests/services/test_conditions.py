"""Comparisons in service files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.conditions import Condition, parse_condition


@pytest.mark.parametrize(
    ("written", "condition"),
    [
        ("delay_min > 15", Condition("delay_min", ">", 15.0)),
        ("  a>=-1.5e3 ", Condition("a", ">=", -1500.0)),
        ("a<.5", Condition("a", "<", 0.5)),
        ("a <= 0", Condition("a", "<=", 0.0)),
        ("value == down", Condition("value", "==", "down")),
        ('value != "not good"', Condition("value", "!=", "not good")),
        ("value == '15'", Condition("value", "==", "15")),
        ("valor == não", Condition("valor", "==", "não")),
        ("value == ''", Condition("value", "==", "")),
    ],
)
def test_comparisons(written: str, condition: Condition) -> None:
    """Every operator, numbers in every form, words with and without quotes."""
    assert parse_condition(written) == condition


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("delay_min = 15", "write a comparison"),
        ("delay_min", "write a comparison"),
        ("> 15", "write a comparison"),
        ("a >> 1", "write a comparison"),
        ("a === b", "write a comparison"),
        ("1a > 1", "write a comparison"),
        ("", "write a comparison"),
        ("a > down", "a word can only be compared with == or !="),
        ("a > nan", "a word can only be compared with == or !="),
        ("a > '15'", "a word can only be compared with == or !="),
        ("a == b c", "put text with spaces"),
        ("a == b; DROP TABLE x", "put text with spaces"),
        ("a > 1 and b > 2", "put text with spaces"),
        ("a > 1e999", "the number is too large"),
    ],
)
def test_other_text_is_refused(written: str, told: str) -> None:
    """Another shape says what would be right and repeats what was found."""
    with pytest.raises(ValueError, match=told) as caught:
        parse_condition(written)
    assert f"found {written!r}" in str(caught.value)


@given(st.sampled_from([">", ">=", "<", "<=", "==", "!="]), st.floats(allow_nan=False, allow_infinity=False))
def test_any_number_comes_back(operator: str, number: float) -> None:
    """A number as Python writes it is read without loss."""
    assert parse_condition(f"x {operator} {number!r}") == Condition("x", operator, number)  # type: ignore[arg-type] # sampled
