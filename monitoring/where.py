"""Which part of the traffic a change is in: the slices that left their own range the way the whole did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from math import sqrt
from statistics import NormalDist
from typing import Literal

from monitoring.records import OF, NumberLine, Slice
from monitoring.standing import FEW, is_chance, limit
from monitoring.story import Affected, Where
from services.slices import is_within, parts_of

_NEARLY_ALL, _HALF = 0.8, 0.5
_LEAST = 0.2
_MOST = 3
_SMALL = 0.4  # what a cell leaves of a slice, for each of its requests, is small beside the cell's own change
_CHANCE = 0.05  # of naming a slice of a dimension though nothing happened in any of them


def where(lead: NumberLine, places: Sequence[NumberLine]) -> Where:
    """Which slices moved the way the number did.

    A slice is judged when it has `FEW` requests and a past; it is affected when it is beyond the number's own
    limit (2 standard deviations of the slice's last nights for an outcome, 3 for others) in the same direction.
    The limit grows with the number n of slices in its dimension, to the normal quantile of 1 - 0.05 / n
    (Bonferroni), or chance would always name some of hundreds; and those of a dimension that make up less than a
    fifth of the change are not named. A value without a past of its own, in a dimension
    that has one, is held against what the whole usually has.

    The slices of one dimension are told: that in which the affected ones explain most of the change, of several the
    one with fewest. It is everywhere when four fifths of all requests of some dimension are affected, and there is
    none in which less than half of them explain the change. A cross is told if no column alone explains most, and a
    cell of one in place of the only slice that is affected, if nothing much is left of its change without the cell.
    """
    up = is_up(lead)
    own = [line for line in places if line.name == f"{lead.name}.slice" and line.value is not None]
    judged = list(_with_a_past(lead, [line for line in own if _rows(line) >= FEW]))
    if not judged:
        return Where("unknown")
    of = Counter(_dimension(line) for line in judged)
    beyond = [line for line in judged if _is_beyond(line, _limit(lead, of[_dimension(line)]))]
    hit = [line for line in beyond if is_up(line) == up]
    worth = {name for name in of if _matters(_in(name, hit), _in(name, judged))}
    hit = [line for line in hit if _dimension(line) in worth]
    among = Counter(_dimension(line) for line in hit)
    if not hit:
        return Where("none", affected=among, judged=of)
    new = frozenset(line.subject for line in own if line.usual is None)
    ranked = {name: _ranked(_in(name, hit)) for name in among}
    explained = {name: _explained(ranked[name], _in(name, judged), up=up) for name in among}
    parts = {name: _share(ranked[name], _in(name, own)) for name in among}
    in_a_part = any(explained[name] >= _NEARLY_ALL and parts[name] <= _HALF for name in among)
    if max(parts.values()) >= _NEARLY_ALL and not in_a_part:
        worst = [
            max(ranked[name], key=lambda line: (abs(_away(line)), line.subject)) for name in _plainest(among)
        ]
        return Where("everywhere", _affected(worst, new), affected=among, judged=of)
    most_told = [name for name in among if explained[name] >= _NEARLY_ALL] or list(among)
    told = min(_plainest(most_told), key=lambda name: (-min(explained[name], _NEARLY_ALL), among[name], name))
    against = _ranked([line for line in _in(told, beyond) if is_up(line) != up])
    kind: Literal["against", "unsure", "some", "mostly"] = "mostly"
    if against:
        kind = "against"
    elif _share(_in(told, judged), _in(told, own)) < _NEARLY_ALL:
        kind = "unsure"
    elif explained[told] >= _NEARLY_ALL:
        kind = "some"
    most, rest = ranked[told][:_MOST], len(ranked[told][_MOST:])
    if [line for line in beyond if _dimension(line) == told] == most[:1]:
        most = [_held(_cell(most[0], hit), hit)]
    return Where(kind, _affected(most, new), rest, _affected(against[:_MOST], new), among, of)


def is_up(line: NumberLine) -> bool:
    """Whether a number is above its usual."""
    return _away(line) > 0


def _plainest(dimensions: Iterable[str]) -> list[str]:
    """Those of the fewest columns."""
    of = {name: len(parts_of(name)) for name in dimensions}
    return [name for name, columns in of.items() if columns == min(of.values())]


def _cell(whole: NumberLine, hit: Sequence[NumberLine]) -> NumberLine:
    """The cell of a cross that a slice's change is in, the largest such; the slice itself if it is in no single one."""
    cells = [line for line in hit if is_within(_slice(line), _slice(whole)) and _is_alone(line, whole)]
    found = min(cells, key=lambda line: (len(parts_of(_dimension(line))), -_weight(line)), default=None)
    return whole if found is None else _cell(found, hit)


def _held(cell: NumberLine, hit: Sequence[NumberLine]) -> NumberLine:
    """What holds a cell and moved with it, of the fewest columns: it is no cell alone if its city is hardly more."""
    wholes = [line for line in hit if is_within(_slice(cell), _slice(line)) and not _is_alone(cell, line)]
    return min(wholes, key=lambda line: (len(parts_of(_dimension(line))), -_weight(line)), default=cell)


def _is_alone(cell: NumberLine, whole: NumberLine) -> bool:
    """Whether what a cell leaves of a slice's change is small beside the cell's own, for each request."""
    rows, change = _rows(whole) - _rows(cell), _change(whole) - _change(cell)
    own = _change(cell) / max(_rows(cell), 1)
    return rows > 0 and change / rows * (1 if own > 0 else -1) < _SMALL * abs(own)


def _change(line: NumberLine) -> float:
    """How many requests a slice's change is made of."""
    return _away(line) * (1 if line.format == "count" else _rows(line))


def _with_a_past(lead: NumberLine, lines: Sequence[NumberLine]) -> Iterator[NumberLine]:
    """The slices that can be judged: those with a past, and values that are new in a dimension that has one.

    What is usual of a new value is not known. The best guess is what is usual of everything, as far as chance
    lets a share of so few requests stray from it: p ± sqrt(p (1 - p) / n).
    """
    known = {_dimension(line) for line in lines if line.usual is not None}
    for line in lines:
        if line.usual is not None:
            yield line
        elif lead.format == "share" and lead.usual is not None and _dimension(line) in known:
            usual, spread = lead.usual
            chance = sqrt(usual * (1 - usual) / _rows(line))
            yield replace(line, usual=(usual, sqrt(spread**2 + chance**2)))


def _matters(hit: Sequence[NumberLine], judged: Sequence[NumberLine]) -> bool:
    """Whether the affected slices of a dimension make up a part of its change that is worth naming."""
    net = abs(sum(_away(line) * _rows(line) for line in judged))
    return sum(map(_weight, hit)) >= _LEAST * net


def _explained(hit: Sequence[NumberLine], judged: Sequence[NumberLine], *, up: bool) -> float:
    """How much of a dimension's change is in the affected slices."""
    every = sum(_weight(line) for line in judged if is_up(line) == up)
    return sum(map(_weight, hit)) / every if every else 0.0


def _ranked(lines: Sequence[NumberLine]) -> list[NumberLine]:
    return sorted(lines, key=lambda line: (-_weight(line), line.subject))


def _weight(line: NumberLine) -> float:
    return abs(_away(line)) * _rows(line)


def _share(some: Sequence[NumberLine], every: Sequence[NumberLine]) -> float:
    """The share of requests that are in some slices of a dimension."""
    total = sum(map(_rows, every))
    return sum(map(_rows, some)) / total if total else 0.0


def _in(dimension: str, lines: Iterable[NumberLine]) -> list[NumberLine]:
    return [line for line in lines if _dimension(line) == dimension]


def _limit(lead: NumberLine, judged: int) -> float:
    return max(limit(lead.name), NormalDist().inv_cdf(1 - _CHANCE / judged))


def _is_beyond(line: NumberLine, least: float) -> bool:
    away = _away(line)
    if line.usual is None or away == 0:
        return False
    return abs(away) >= least * line.usual[1] and not is_chance(line, away)


def _away(line: NumberLine) -> float:
    return 0.0 if line.value is None or line.usual is None else line.value - line.usual[0]


def _rows(line: NumberLine) -> int:
    """Requests a slice's number rests on; of a volume that fell, those it usually has."""
    if line.name.startswith("volume") and line.usual is not None and line.value is not None:
        return round(max(line.value, line.usual[0]))
    return line.denominator or 0


def _slice(line: NumberLine) -> Slice:
    dimension, _, value = line.subject.partition(OF)
    return Slice(dimension, value)


def _dimension(line: NumberLine) -> str:
    return _slice(line).dimension


def _affected(lines: Iterable[NumberLine], new: frozenset[str]) -> tuple[Affected, ...]:
    return tuple(Affected(_slice(line), line, line.subject in new) for line in lines)
