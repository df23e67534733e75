"""Whether a share moved because other requests came: the mix of the traffic changed, and no part of it did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from monitoring.records import OF, NumberLine, Slice
from monitoring.story import Affected, Where
from monitoring.text import is_small
from services.slices import parts_of

MOSTLY = 0.5
"""From so much of a change on, it is the mix's."""
_MOST = 3
_AS_MUCH = 0.8  # of what the best dimension tells: where one of fewer columns tells so much, it is as good


@dataclass(frozen=True)
class _Part:
    """One slice: what it is of all requests and its own share, usually and tonight."""

    line: NumberLine
    weight: tuple[float, float]
    share: tuple[float, float]


def mix(lead: NumberLine, places: Sequence[NumberLine]) -> Where | None:
    """The slices that grew or shrank, if that explains most of a change; None if it does not, or cannot be said.

    With the weights w and shares p of a dimension's slices, usually (0) and tonight (1), and p̄ the sum of w₀ p₀, a
    change is Σ (w₁ - w₀)(p₀ - p̄), the mix, and Σ w₁ (p₁ - p₀), within the slices (Kitagawa, JASA 50, 1955, with
    tonight's weights). It is told as a change of the mix where that makes up `MOSTLY` or more of it, and more than what
    is within. Of several dimensions that is told whose mix is largest, but a cross only if its columns alone tell less.
    """
    if lead.name not in {"outcome", "errors"} or lead.value is None or lead.usual is None:
        return None
    own = [line for line in places if line.name == f"{lead.name}.slice"]
    found = [
        (mixed, parts, base)
        for dimension in dict.fromkeys(_slice(line).dimension for line in own)
        if (parts := _parts([line for line in own if _slice(line).dimension == dimension]))
        for base in [sum(each.weight[0] * each.share[0] for each in parts)]
        for mixed in [sum(_moved(each, base) for each in parts)]
        if _is_most(mixed, sum(each.weight[1] * (each.share[1] - each.share[0]) for each in parts))
    ]
    if not found:
        return None
    least = _AS_MUCH * max(abs(each[0]) for each in found)
    as_good = (each for each in found if abs(each[0]) >= least)
    mixed, parts, base = min(as_good, key=lambda each: (_columns(each[1][0]), -abs(each[0])))
    worst = sorted(
        (each for each in parts if _moved(each, base) * mixed > 0), key=lambda each: -abs(_moved(each, base))
    )
    told = [each for each in worst if not is_small(each.line.denominator)]
    return Where("mix", tuple(map(_affected, told[:_MOST])), len(told[_MOST:])) if told else None


def _parts(lines: Sequence[NumberLine]) -> list[_Part]:
    """The slices of a dimension, if the past of each is known; a value that is new has none."""
    known = [line for line in lines if line.value is not None and line.usual is not None and line.denominator]
    usually = [sum(part[1] for part in line.parts if part is not None) for line in known]
    tonight, before = sum(line.denominator or 0 for line in known), sum(usually)
    if len(known) < len([line for line in lines if line.denominator]) or len(known) < 2 or not before:
        return []
    return [
        _Part(line, (rows / before, (line.denominator or 0) / tonight), (line.usual[0], line.value))
        for line, rows in zip(known, usually, strict=True)
        if line.usual is not None and line.value is not None
    ]


def _columns(each: _Part) -> int:
    """How many columns its dimension is made of."""
    return len(parts_of(_slice(each.line).dimension))


def _moved(each: _Part, base: float) -> float:
    """What the slice's growth alone adds to the whole."""
    return (each.weight[1] - each.weight[0]) * (each.share[0] - base)


def _is_most(mixed: float, within: float) -> bool:
    whole = mixed + within
    return whole != 0 and mixed / whole >= MOSTLY and abs(mixed) > abs(within)


def _affected(each: _Part) -> Affected:
    """The slice, with what it is of all requests in place of its own share."""
    line, (usual, tonight) = each.line, each.weight
    whole = round((line.denominator or 0) / tonight) if tonight else None
    grown = replace(
        line, value=tonight, usual=(usual, 0.0), numerator=line.denominator, denominator=whole, parts=()
    )
    return Affected(_slice(line), grown)


def _slice(line: NumberLine) -> Slice:
    dimension, _, value = line.subject.partition(OF)
    return Slice(dimension, value)
