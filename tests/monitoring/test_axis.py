"""The axis of a chart: holds all values, and its marks can be told apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.axis import Axis, Format, axis_of, mark_words, marks

FORMS: dict[Format, tuple[float, float]] = {
    "share": (0.0, 1.0),
    "count": (0, 10**12),
    "ms": (0.0, 1e9),
    "number": (-1e300, 1e300),
}


@given(form=st.sampled_from(sorted(FORMS)), data=st.data())
def test_every_value_lies_on_the_axis(form: Format, data: st.DataObject) -> None:
    """Whatever the values, there are 2 to 6 marks, and none of them lies beyond what such a number can be."""
    low, high = FORMS[form]
    one = st.integers(int(low), int(high)) if form == "count" else st.floats(low, high)
    values = [float(value) for value in data.draw(st.lists(one, min_size=1, max_size=9))]
    axis = axis_of(form, values)
    room = 1e-6 * (axis.high - axis.low)
    assert axis.low - room <= min(values) <= max(values) <= axis.high + room
    assert 2 <= len(marks(axis)) <= 6
    if form != "number":
        assert axis.low >= 0
    if form == "share":
        assert axis.high <= 1 + 1e-9


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=9))
def test_no_mark_of_counts_is_a_small_one(counts: list[int]) -> None:
    """1 to 9 are not written anywhere, so neither beside a line that is drawn as 5."""
    assert not [mark for mark in marks(axis_of("count", counts)) if 0 < mark < 10 or mark % 1]


@pytest.mark.parametrize(
    ("form", "values", "en", "pt"),
    [
        ("share", [0.031, 0.081], "0 % 5 % 10 %", "0 % 5 % 10 %"),
        ("share", [0.001, 0.012], "0.0 % 0.5 % 1.0 % 1.5 %", "0,0 % 0,5 % 1,0 % 1,5 %"),
        ("share", [1.0, 1.0], "94 % 96 % 98 % 100 %", "94 % 96 % 98 % 100 %"),
        ("share", [0.0, 0.0], "0 % 50 % 100 %", "0 % 50 % 100 %"),
        ("count", [0, 5], "0 10", "0 10"),
        ("count", [9120, 18_950], "0 10,000 20,000", "0 10.000 20.000"),
        ("ms", [410.0, 640.0], "400 ms 500 ms 600 ms 700 ms", "400 ms 500 ms 600 ms 700 ms"),
        ("ms", [620.0, 1840.0], "0 s 1 s 2 s", "0 s 1 s 2 s"),
        ("number", [-1.25, 1.1], "-2 -1 0 1 2", "-2 -1 0 1 2"),
        ("number", [98_765.2, 98_765.4], "98,765.2 98,765.3 98,765.4", "98.765,2 98.765,3 98.765,4"),
    ],
)
def test_marks_exactly(form: Format, values: list[float], en: str, pt: str) -> None:
    """In the form of the number and of the language, with as many digits as tell them apart."""
    axis = axis_of(form, values)
    written = [
        [mark_words(language, form, axis, mark).replace("\u00a0", " ") for mark in marks(axis)]
        for language in ("en", "pt")
    ]
    assert [" ".join(words) for words in written] == [en, pt]


def test_marks_beyond_what_can_be_written_out_are_written_short() -> None:
    """A prediction may be of any size."""
    axis = axis_of("number", [1e20, 3e20])
    assert [mark_words("en", "number", axis, mark) for mark in marks(axis)][-1] == "4.00e+20"
    assert mark_words("en", "number", Axis(0.0, 1e-8, 1e-8), 1e-8) == "1.00e-08"
