"""Columns that vanished from the log: news on their first nights, and no end of it while they stay away."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from monitoring.incident import ROWS
from monitoring.known import Pair, pair_of
from monitoring.verdicts.incidents import Moved

NEWS = timedelta(days=3)
"""For so long one loss is found as news (`monitoring.standing.FRESH`)."""


@dataclass(frozen=True)
class Vanished:
    """What is gone since an incident told of it, and was not back on any night.

    Attributes:
        told: what goes on.
        hushed: what somebody called noise since, and the day they did: it is told again only after it was back.
    """

    told: frozenset[Pair] = frozenset()
    hushed: Mapping[Pair, date] = field(default_factory=dict)

    def counts(self, each: Moved, night: date) -> bool:
        """Whether a finding is one for incidents: what was away before it was ever told opens none."""
        pair = pair_of(each.key)
        if is_still_away(each):
            return pair in self.told and pair not in self.hushed
        return pair not in self.hushed or night - self.hushed[pair] >= NEWS

    def hush(self, pairs: Collection[Pair], said: date) -> Vanished:
        """The same after somebody called an incident of these noise."""
        return replace(self, hushed={**dict.fromkeys(self.told.intersection(pairs), said), **self.hushed})

    def after(self, moved: Iterable[Moved], counted: Iterable[Moved]) -> Vanished:
        """The same after a night.

        Args:
            moved: all that moved on it; `counted` is what incidents were made of.
        """
        gone = frozenset(pair_of(each.key) for each in moved if _is_column(each))
        told = frozenset(pair_of(each.key) for each in counted)
        quiet = {pair: said for pair, said in self.hushed.items() if pair in gone - told}
        return Vanished(gone & (self.told | told), quiet)


def is_still_away(each: Moved) -> bool:
    """Whether a finding says no more than that a column of the reference is not there, whenever that began."""
    return _is_column(each) and each.alone >= 1.0


def _is_column(each: Moved) -> bool:
    return each.key.measure == "schema" and each.key.feature != ROWS
