"""How a number is written: tonight's, a usual one, and the two beside each other; and how it may be drawn.

Whether 3 or 8 requests stand behind a night cannot be read from it: what is written of that night is a bound made of
its whole, what is drawn of it is drawn as 5 requests would be, and the mean of many such nights tells their sum alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from statistics import fmean, pstdev

from monitoring.records import NumberLine
from monitoring.text import blur, count, duration, is_few, is_small, number, say, share

Parts = tuple[int, int]
"""What a share is made of: the requests in it, and all."""


def tonight(line: NumberLine, language: str, digits: int | None = None) -> str:
    """The number of this night as it is written; a share that rests on a small count is a bound.

    Args:
        digits: of the percent of a share; None for as many as it takes.
    """
    if line.format == "share":
        return share(language, line.value, line.numerator, line.denominator, digits)
    return written(line, line.value, language)


def tonight_is_bound(line: NumberLine) -> bool:
    """Whether `tonight` writes a bound, because 1 to 9 requests stand behind the number."""
    return line.value is not None and _is_hidden(line, line.value, _tonights(line))


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
    """What the number usually is; of shares a bound where all its nights together rest on a small count."""
    if line.usual is None:
        return "–"
    if line.format == "share":
        part, whole = _all_nights(line) or (None, None)
        return share(language, usual_value(line), part, whole, digits)
    return written(line, usual_value(line), language)


def usual_is_bound(line: NumberLine) -> bool:
    """Whether `usual` writes a bound, because 1 to 9 requests stand behind all nights together."""
    every = _all_nights(line)
    return every is not None and is_few(*every)


def usual_value(line: NumberLine) -> float:
    """The mean of the number's past, as it may be known.

    Beside the nights that it is the mean of, it would tell the one that rests on a small count; or the sum of
    several, where that is small. These count as 5 requests each then.
    """
    assert line.usual is not None  # the caller has looked
    hidden = [
        round(value) if parts is None else min(parts[0], parts[1] - parts[0])
        for day, value, parts in _nights(line)
        if value is not None and day not in line.apart and _is_hidden(line, value, parts)
    ]
    if len(hidden) == 1 or is_small(sum(hidden)):
        return fmean(blurred(line).ordinary)
    return line.usual[0]


def once(line: NumberLine, value: float, language: str) -> str:
    """A value of the number's past; a bound where it rests on a small count on a night that had it."""
    parts = [parts for _, known, parts in _nights(line) if known == value and _is_hidden(line, known, parts)]
    small = [each for each in parts if each is not None]
    if small:
        return share(language, value, *min(small, key=lambda each: each[1]))
    return written(line, value, language)


def change(line: NumberLine, language: str) -> str:
    """A number as usual and tonight."""
    return say(language, "story.change", usual=usual(line, language), value=tonight(line, language))


def drawn(part: int, whole: int) -> float:
    """A share as it may be drawn: 1 to 9 requests in it, or outside it, as 5; a half where the whole is so few.

    >>> drawn(3, 1200) == drawn(8, 1200) == 5 / 1200, drawn(3, 5), drawn(0, 1200), drawn(600, 1200)
    (True, 0.5, 0.0, 0.5)
    """
    if is_small(whole):
        return 0.5
    if is_small(whole - part) and not is_small(part):
        return 1 - blur(whole - part) / whole
    return blur(part) / whole if whole else 0.0


def blurred(line: NumberLine) -> NumberLine:
    """The number with small counts blurred, as it may be drawn: 1 to 9 as 5, tonight and on every night before.

    What is usual is made of those values, too, so that no size of theirs can be had from all of this.
    """
    if not _hides_a_night(line) and not tonight_is_bound(line):
        return line
    history = tuple(
        (day, None if value is None else _blurred(line, value, parts)) for day, value, parts in _nights(line)
    )
    value = None if line.value is None else _blurred(line, line.value, _tonights(line))
    drawn_as = replace(line, value=value, history=history)
    known = drawn_as.ordinary
    usual = None if line.usual is None or not known else (fmean(known), pstdev(known))
    return replace(drawn_as, usual=usual if _hides_a_night(line) else line.usual)


def _blurred(line: NumberLine, value: float, parts: Parts | None) -> float:
    if not _is_hidden(line, value, parts):
        return value
    return blur(value) if parts is None else drawn(*parts)


def _is_hidden(line: NumberLine, value: float | None, parts: Parts | None) -> bool:
    """Whether 1 to 9 requests stand behind a value."""
    if value is None:
        return False
    if line.format == "count":
        return is_small(round(value))
    return line.format == "share" and parts is not None and is_few(*parts)


def _nights(line: NumberLine) -> Iterator[tuple[date, float | None, Parts | None]]:
    """Each night before with its value, and what that was made of where it is known."""
    days, values = [day for day, _ in line.history], [value for _, value in line.history]
    return zip(days, values, line.parts or [None] * len(values), strict=True)


def _tonights(line: NumberLine) -> Parts | None:
    if line.numerator is None or line.denominator is None or line.format != "share":
        return None
    return line.numerator, line.denominator


def _hides_a_night(line: NumberLine) -> bool:
    return any(_is_hidden(line, value, parts) for _, value, parts in _nights(line))


def _all_nights(line: NumberLine) -> Parts | None:
    known = [parts for day, _, parts in _nights(line) if parts is not None and day not in line.apart]
    return (sum(part for part, _ in known), sum(whole for _, whole in known)) if known else None
