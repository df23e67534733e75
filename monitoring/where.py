"""Which part of the traffic a change is in: the slices that left their own range the way the whole did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from math import sqrt
from typing import Literal

from monitoring.records import OF, Affected, NumberLine, Slice, Where
from monitoring.standing import FEW, OTHER_LIMIT, OUTCOME_LIMIT

_NEARLY_ALL = 0.8
_MOST = 3


def where(lead: NumberLine, places: Sequence[NumberLine]) -> Where:
    """Which slices moved the way the number did.

    A slice is judged when it has `FEW` requests and a past; it is affected when it is beyond the number's own
    limit (2 standard deviations of the slice's last nights for an outcome, 3 for others) in the same direction.
    A value without a past of its own, in a dimension that has one, is held against what the whole usually has.
    It is everywhere when that is true of four fifths of all requests in every dimension; `some` when the affected
    slices make up four fifths of the change, else `mostly`.
    """
    up = is_up(lead)
    own = [line for line in places if line.name == f"{lead.name}.slice" and _rows(line) >= FEW]
    judged = list(_with_a_past(lead, own))
    if not judged:
        return Where("unknown")
    new = frozenset(line.subject for line in own if line.usual is None)
    hit = [line for line in judged if is_up(line) == up and _beyond(line, lead)]
    of = Counter(_slice(line).dimension for line in judged)
    among = Counter(_slice(line).dimension for line in hit)
    ranked = sorted(hit, key=lambda line: (-abs(_away(line)) * _rows(line), line.subject))
    if not hit:
        return Where("none", (), among, of)
    if all(_share_hit(name, hit, judged) >= _NEARLY_ALL for name in of):
        strongest = sorted(hit, key=lambda line: (-abs(_away(line)), line.subject))
        first = {_slice(line).dimension: line for line in reversed(strongest)}
        return Where("everywhere", _affected([first[name] for name in of if name in first], new), among, of)
    kind: Literal["some", "mostly"] = "some" if _explained(hit, judged, up=up) >= _NEARLY_ALL else "mostly"
    return Where(kind, _affected(ranked[:_MOST], new), among, of)


def is_up(line: NumberLine) -> bool:
    """Whether a number is above its usual."""
    return _away(line) > 0


def _with_a_past(lead: NumberLine, lines: Sequence[NumberLine]) -> Iterator[NumberLine]:
    """The slices that can be judged: those with a past, and values that are new in a dimension that has one.

    What is usual of a new value is not known. The best guess is what is usual of everything, as far as chance
    lets a share of so few requests stray from it: p ± sqrt(p (1 - p) / n).
    """
    known = {_slice(line).dimension for line in lines if line.usual is not None}
    for line in lines:
        if line.usual is not None:
            yield line
        elif lead.format == "share" and lead.usual is not None and _slice(line).dimension in known:
            usual, spread = lead.usual
            chance = sqrt(usual * (1 - usual) / _rows(line))
            yield replace(line, usual=(usual, sqrt(spread**2 + chance**2)))


def _explained(hit: Sequence[NumberLine], judged: Sequence[NumberLine], *, up: bool) -> float:
    """How much of the change is in the affected slices, in the dimension where they explain most of it."""
    best = 0.0
    for dimension in {_slice(line).dimension for line in hit}:
        own = [line for line in judged if _slice(line).dimension == dimension and is_up(line) == up]
        every = sum(abs(_away(line)) * _rows(line) for line in own)
        inside = sum(abs(_away(line)) * _rows(line) for line in own if line in hit)
        best = max(best, inside / every if every else 0.0)
    return best


def _share_hit(dimension: str, hit: Sequence[NumberLine], judged: Sequence[NumberLine]) -> float:
    """The share of a dimension's requests that are in affected slices."""
    inside, every = (
        sum(_rows(line) for line in lines if _slice(line).dimension == dimension) for lines in (hit, judged)
    )
    return inside / every if every else 0.0


def _beyond(line: NumberLine, lead: NumberLine) -> bool:
    limit = OUTCOME_LIMIT if lead.name == "outcome" else OTHER_LIMIT
    return line.usual is not None and abs(_away(line)) >= limit * line.usual[1] and _away(line) != 0


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


def _affected(lines: Iterable[NumberLine], new: frozenset[str]) -> tuple[Affected, ...]:
    return tuple(Affected(_slice(line), line, line.subject in new) for line in lines)
