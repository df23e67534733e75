"""How a number is written: tonight's, a usual one, and the two beside each other."""

from __future__ import annotations

from monitoring.records import NumberLine
from monitoring.text import count, duration, is_small, number, say, share


def tonight(line: NumberLine, language: str, digits: int | None = None) -> str:
    """The number of this night as it is written; a share that rests on a small count is a bound.

    Args:
        digits: of the percent of a share; None for as many as it takes.
    """
    if line.format == "share":
        return share(language, line.value, line.numerator, line.denominator, digits)
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


def usual(line: NumberLine, language: str, digits: int | None = None) -> str:
    """What the number usually is; a bound where all its nights together rest on a small count."""
    if line.usual is None:
        return "–"
    known = [part for part in line.parts if part is not None]
    if line.format == "share" and known:
        part, whole = (sum(amounts) for amounts in zip(*known, strict=True))
        return share(language, line.usual[0], part, whole, digits)
    if line.format == "share":
        return share(language, line.usual[0], digits=digits)
    return written(line, line.usual[0], language)


def once(line: NumberLine, value: float, language: str) -> str:
    """A value of the number's past; a bound where it rests on a small count on any night that had it."""
    nights = zip(line.history, line.parts or [None] * len(line.history), strict=True)
    parts = [part for (_, known), part in nights if known == value and part is not None]
    small = [part for part in parts if is_small(part[0]) or is_small(part[1] - part[0])]
    if line.format == "share" and small:
        return share(language, value, *min(small, key=lambda part: part[1]))
    return written(line, value, language)


def change(line: NumberLine, language: str) -> str:
    """A number as usual and tonight."""
    return say(language, "story.change", usual=usual(line, language), value=tonight(line, language))
