"""Comparisons as a service file writes them, such as `delay_min > 15`. Parsed here, never evaluated."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal, cast

Operator = Literal[">", ">=", "<", "<=", "==", "!="]

_SHAPE = re.compile(r"([^\W\d]\w*)\s*(>=|<=|==|!=|>|<)(?![=<>!])\s*(\S.*)", re.DOTALL)
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_QUOTED = re.compile(r"\"([^\"\n]*)\"|'([^'\n]*)'")
_WORD = re.compile(r"\w[\w.:/-]*")


@dataclass(frozen=True)
class Condition:
    """One comparison: the value called `name`, the operator, and a number or a text to hold it against."""

    name: str
    operator: Operator
    operand: float | str


def parse_condition(written: str) -> Condition:
    """Read a comparison with a number, or with a word (quotes are optional round a single word).

    >>> parse_condition("delay_min > 15")
    Condition(name='delay_min', operator='>', operand=15.0)
    >>> parse_condition("value == down")
    Condition(name='value', operator='==', operand='down')
    >>> parse_condition("value != '5'")  # in quotes: the text, not the number
    Condition(name='value', operator='!=', operand='5')

    Raises:
        ValueError: it has another shape, or asks whether a word is more or less than something.
    """
    match = _SHAPE.fullmatch(written.strip())
    if match is None:
        raise ValueError(
            f"write a comparison such as `delay_min > 15` or `value == down` (one of > >= < <= == !=); found {written!r}"
        )
    operator = cast("Operator", match[2])
    operand = _operand(match[3], written)
    if isinstance(operand, str) and operator not in {"==", "!="}:
        raise ValueError(
            f"a word can only be compared with == or !=, and {operand!r} is not a number; found {written!r}"
        )
    return Condition(match[1], operator, operand)


def _operand(text: str, written: str) -> float | str:
    if _NUMBER.fullmatch(text):
        return _finite(float(text), written)
    if quoted := _QUOTED.fullmatch(text):
        return quoted[1] if quoted[1] is not None else quoted[2]
    if _WORD.fullmatch(text):
        return text
    raise ValueError(
        f"compare with one number or one word; put text with spaces or signs in quotes; found {written!r}"
    )


def _finite(number: float, written: str) -> float:
    if math.isinf(number):
        raise ValueError(f"the number is too large; found {written!r}")
    return number
