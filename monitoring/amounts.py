"""How a number is written: tonight's, a usual one, and the two beside each other."""

from __future__ import annotations

from monitoring.records import NumberLine
from monitoring.text import count, duration, number, say, share


def tonight(line: NumberLine, language: str) -> str:
    """The number of this night as it is written; a share that rests on a small count is a bound."""
    if line.format == "share":
        return share(language, line.value, line.numerator, line.denominator)
    return written(line, line.value, language)


def written(line: NumberLine, value: float | None, language: str) -> str:
    """A value in the form of its number: percent, count, time, or plain."""
    if value is None:
        return "–"
    if line.format == "count":
        return count(language, round(value))
    if line.format == "share":
        return share(language, value)
    return duration(language, value) if line.format == "ms" else number(language, value)


def change(line: NumberLine, language: str) -> str:
    """A number as usual and tonight."""
    usual = None if line.usual is None else line.usual[0]
    return say(language, "story.change", usual=written(line, usual, language), value=tonight(line, language))
