"""The label rule, against the same rule written a second time in plain Python."""

from __future__ import annotations

import math
import operator
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.outcome import labelled
from feedback.records import LABELS, STATES, rule_of
from services.model import Outcome
from store.duck import arrow, connect

START = datetime(2026, 5, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
WINDOW = 2 * HOUR
INSTANT = pa.timestamp("us", "UTC")


def outcomes(pairs: list[tuple[Any, ...]], positive: str, kind: Any = "number") -> list[dict[str, Any]]:
    """Labels of pairs (request_id, hours after it, event_id, value); all requests are made at START."""
    rule = rule_of(Outcome(event="rated", positive=positive, window=WINDOW))
    ids, hours, events, values = zip(*pairs, strict=True) if pairs else ((), (), (), ())
    table = pa.table({
        "request_id": pa.array(ids, pa.string()),
        "time": pa.array([START] * len(ids), INSTANT),
        "event_id": pa.array(events, pa.string()),
        "known_at": pa.array([None if h is None else START + h * HOUR for h in hours], INSTANT),
        "value": pa.array(values, pa.float64() if kind == "number" else pa.string()),
    })  # fmt: skip
    connection = connect()
    connection.register("ronda_staged", table)
    found = arrow(connection, labelled(rule, kind))
    assert found.column_names == LABELS.names
    rows: list[dict[str, Any]] = found.cast(LABELS).to_pylist()
    return rows


def states(pairs: list[tuple[Any, ...]], positive: str, kind: Any = "number") -> list[tuple[str, int | None]]:
    """State and label of each request, in the order of ids."""
    return [(row["state"], row["label"]) for row in outcomes(pairs, positive, kind)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (15.0, ("mature", 0)),
        (math.nextafter(15.0, 16.0), ("mature", 1)),
        (-1e308, ("mature", 0)),
        (None, ("value_missing", None)),
        (math.nan, ("value_not_a_number", None)),
        (math.inf, ("value_not_a_number", None)),
        (-math.inf, ("value_not_a_number", None)),
    ],
)
def test_numbers(value: float | None, expected: tuple[str, int | None]) -> None:
    """A number is compared exactly; one that no comparison can be trusted on gives no label."""
    assert states([("r", 1, "e", value)], "delay > 15") == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("15.5", ("mature", 1)),
        (" 15 ", ("mature", 0)),
        ("2e1", ("mature", 1)),
        ("", ("value_missing", None)),
        ("  ", ("value_missing", None)),
        ("12,5", ("value_not_a_number", None)),
        ("nan", ("value_not_a_number", None)),
        ("inf", ("value_not_a_number", None)),
        ("1e999", ("value_not_a_number", None)),
        ("'; DROP TABLE x; --", ("value_not_a_number", None)),
    ],
)
def test_texts_as_numbers(text: str, expected: tuple[str, int | None]) -> None:
    """A log may keep numbers as text; text that is none has a reason of its own and stops nothing."""
    assert states([("r", 1, "e", text)], "delay > 15", "category") == [expected]


@pytest.mark.parametrize(
    ("positive", "text", "label"),
    [
        ("value == down", "down", 1),
        ("value == down", "Down", 0),
        ("value != down", "up", 1),
        ('value == "it\'s"', "it's", 1),
        ("value == 'a\\b %'", "a\\b %", 1),
        ("value != '5'", "5", 0),
    ],
)
def test_words(positive: str, text: str, label: int) -> None:
    """Words are equal letter by letter, whatever signs are in them; users' words are never kept."""
    (row,) = outcomes([("r", 1, "e", text)], positive, "category")

    assert (row["state"], row["label"], row["value"]) == ("mature", label, None)


@pytest.mark.parametrize(("number", "word"), [(5.0, "5"), (-3.0, "-3"), (0.5, "0.5"), (0.0, "0")])
def test_a_number_as_a_word(number: float, word: str) -> None:
    """A word rule on a number column compares the number as people write it: 5, not 5.0."""
    assert states([("r", 1, "e", number)], f"value == '{word}'") == [("mature", 1)]


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([("r", None, None, None)], ("no_feedback", None)),
        ([("r", 2, "e", 9.0)], ("mature", 1)),
        ([("r", 2.0000001, "e", 9.0)], ("late_feedback", None)),
        ([("r", 0, "e", 9.0)], ("mature", 1)),
        ([("r", 1, "a", 9.0), ("r", 2, "b", 1.0), ("r", 3, "c", 9.0)], ("mature", 0)),
        ([("r", 1, "a", 9.0), ("r", 1, "b", 1.0)], ("mature", 0)),
        ([("r", 1, "b", 9.0), ("r", 1, "a", 1.0)], ("mature", 1)),
        ([("r", 1, "a", 9.0), ("r", 2, "b", None)], ("value_missing", None)),
        ([("r", 1, "a", 9.0), ("r", 1, "a", 9.0)], ("mature", 1)),
        ([("r", 1, None, 9.0), ("r", 1, "a", 1.0)], ("mature", 0)),
    ],
)
def test_which_event_decides(pairs: list[tuple[Any, ...]], expected: tuple[str, int | None]) -> None:
    """The last one known until the window closes, its end included; of several at once, the greatest id."""
    assert states(pairs, "stars > 3") == [expected]


def by_hand(
    events: list[tuple[float, str, float | None]], compare: Any, operand: float
) -> tuple[str, int | None]:
    """The rule, in Python."""
    if not events:
        return "no_feedback", None
    in_time = [each for each in events if each[0] <= 2]
    if not in_time:
        return "late_feedback", None
    *_, value = max(in_time, key=lambda each: (each[0], each[1].encode()))
    if value is None:
        return "value_missing", None
    if not math.isfinite(value):
        return "value_not_a_number", None
    return "mature", int(compare(value, operand))


OPERATORS = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
NUMBERS = st.none() | st.floats(width=64) | st.sampled_from([1.0, 2.0, 3.0])
WORLDS = st.dictionaries(
    st.text("abc'é\"\\", min_size=1, max_size=3),
    st.lists(
        st.tuples(
            st.sampled_from([0, 0.5, 1, 2, 2.001, 3]), st.text("xyZé", min_size=1, max_size=2), NUMBERS
        ),
        max_size=4,
        unique_by=lambda each: (each[0], each[1]),
    ),
    max_size=6,
)


@given(WORLDS, st.sampled_from(sorted(OPERATORS)), st.sampled_from([1.0, 2.0, -0.0]))
def test_any_world(
    world: dict[str, list[tuple[float, str, float | None]]], sign: str, operand: float
) -> None:
    """Every request has the state and the label that the rule by hand gives it, once and in order."""
    nothing: Any = (None, None, None)
    pairs = [(r, *each) for r, events in world.items() for each in events or [nothing]]
    expected = [(r, *by_hand(world[r], OPERATORS[sign], operand)) for r in sorted(world, key=str.encode)]

    found = [
        (row["request_id"], row["state"], row["label"]) for row in outcomes(pairs, f"x {sign} {operand}")
    ]

    assert found == expected
    assert {state for _, state, _ in found} <= set(STATES)
