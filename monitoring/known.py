"""Incidents that were given a number before, and how they are known again when all nights are folded anew."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from monitoring.incident import IncidentLine
from monitoring.verdicts.incidents import Key

SAME = timedelta(days=3)
"""An incident that opens so near to where it was recorded, of the same measure, is the one that was recorded."""

Pair = tuple[str, str]
"""Measure and feature."""


@dataclass(frozen=True)
class Known:
    """An incident that was given a number before."""

    number: int
    opened: date
    pairs: frozenset[Pair]
    last: date | None = None


def pair_of(key: Key) -> Pair:
    """Measure and feature of what is watched, wherever it is."""
    return key.measure, key.feature


def pairs_of(keys: Iterable[Key]) -> frozenset[Pair]:
    """Measures and features of all that is watched."""
    return frozenset(map(pair_of, keys))


def number_of(
    known: Sequence[Known], opened: date, pairs: frozenset[Pair], taken: Collection[int]
) -> int | None:
    """The number of the recorded incident that opened nearest, or was going on; None if it is of none.

    Args:
        taken: numbers that others have.
    """
    near = [
        each
        for each in known
        if each.number not in taken
        and each.opened - SAME <= opened <= max(each.opened + SAME, each.last or each.opened)
        and each.pairs & pairs
    ]
    return min(near, key=lambda each: (abs(each.opened - opened), each.number)).number if near else None


def known_again(known: Sequence[Known], lines: Sequence[IncidentLine]) -> tuple[Known, ...]:
    """What was recorded, moved to where it opens now, of what was found nowhere though the same goes on.

    A planned change that is taken out of the service file lets an incident open many nights before it was recorded: it
    is the same one if a night of it is, and something that moved.
    """
    theirs, found = {each.number for each in known}, {line.number for line in lines}
    new = [line for line in lines if line.number not in theirs]
    again = []
    for each in known:
        shared = [line for line in new if _nights_shared(each, line) > 0 and each.pairs & pairs_of(line.keys)]
        if each.number in found or not shared:
            again.append(each)
            continue
        line = max(shared, key=lambda one: (_nights_shared(each, one), -one.number))
        new.remove(line)
        again.append(replace(each, opened=line.opened, pairs=each.pairs | pairs_of(line.keys)))
    return tuple(again)


def _nights_shared(known: Known, line: IncidentLine) -> int:
    return (min(known.last or known.opened, line.last) - max(known.opened, line.opened)).days + 1
