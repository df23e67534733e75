"""Findings with one cause become one incident: opened once, updated, resolved, and opened again rather than twice.

A pure fold over nights: what stood open, and what moved in the nights before, with tonight's findings gives what
stands open now. `docs/verdicts.md` has the rules with their reasons.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal, NamedTuple

import numpy as np

from monitoring.records import OF
from services.slices import is_within, parts_of

Comparison = Literal["tonight", "week", "ageing", "deployment"]

AT_ONCE = {"null_share": 5.0, "errors": 1.0, "volume": 1.0, "schema": 0.0, "empty_answers": 1.0}
"""Measures that open an incident on their first night, from so many floors on: ten points of nulls, not two."""
OVERWHELMING = 4.0
"""So does a change of so many floors, if chance is far from explaining it."""
ONCE_IN = 0.05
"""What opens at once must be less likely than this in a month of nights; a change of a feature, in a thousand."""
NIGHTS_OF = 2, 3
"""Everything else has to be seen in two nights of three."""
INPUTS = ("distribution", "unseen_share")
"""What a feature is, as against what is felt or missing. An incident of more than inputs ends without them."""
QUIET_NIGHTS = 3
"""An incident is resolved after so many nights without any of its findings."""
REOPEN_NIGHTS = 14
"""Within so many nights of its end the same finding opens it again."""


class Key(NamedTuple):
    """What is watched: a measure of a feature (or none) in a slice (empty: all rows)."""

    measure: str
    feature: str
    slice: str

    @property
    def is_prediction(self) -> bool:
        """Whether it is what the model answers."""
        return (self.measure, self.feature) == ("distribution", "prediction")

    @property
    def is_input(self) -> bool:
        """Whether it is a feature's values, not what is felt, missing or predicted."""
        return self.measure in INPUTS and not self.is_prediction


@dataclass(frozen=True)
class Moved:
    """A finding of one night, as far as incidents care.

    Attributes:
        floors: effect in floors; never below 1.
        chance: probability without a change worth telling.
        whole: what the same measure did over all rows, in floors; 0 if nothing or unknown.
        share: the slice's part of all rows, 1 for all rows.
        alone: chance that any of a night's tests shows as much without a change.
        up: whether it rose.
        beside: features that moved on the same night, and have always moved together with this one.
    """

    key: Key
    comparison: Comparison
    floors: float
    chance: float
    whole: float
    share: float
    alone: float
    up: bool = False
    beside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Incident:
    """One cause, as far as nights show it.

    Attributes:
        first: the first night on which it was seen; `opened` the night on which it was told.
        last: the last night on which any of its findings was seen.
        lead: the finding that tells it best; its slice says where.
        keys: all findings that have been part of it.
        seen: nights on which it was seen.
    """

    number: int
    first: date
    opened: date
    last: date
    lead: Moved
    keys: frozenset[Key]
    seen: int
    resolved: date | None = None
    reopened: int = 0

    @property
    def is_open(self) -> bool:
        """Whether it still goes on, as far as is known."""
        return self.resolved is None

    def carried_by(self, each: Moved) -> bool:
        """Whether a finding of it makes it go on: inputs do not, where more than inputs moved."""
        return not each.key.is_input or all(key.is_input for key in self.keys)


@dataclass(frozen=True)
class Watch:
    """What stands after a night: all incidents, oldest first, and what moved on the nights before.

    Attributes:
        recent: the keys that moved on the nights before, last night first; as many as the rule of two of three needs.
    """

    incidents: tuple[Incident, ...] = ()
    recent: tuple[tuple[date, frozenset[Key]], ...] = ()


@dataclass(frozen=True)
class Told:
    """What a night changed: numbers of incidents that opened, opened again, went on, or ended."""

    opened: tuple[int, ...] = ()
    reopened: tuple[int, ...] = ()
    went_on: tuple[int, ...] = ()
    resolved: tuple[int, ...] = ()


def step(watch: Watch, night: date, moved: Sequence[Moved]) -> tuple[Watch, Told]:
    """Fold one night in.

    Args:
        moved: the night's findings that may page; what is good news or announced is left out before.
    """
    incidents = list(watch.incidents)
    went_on, reopened, resolved = [], [], []
    left = list(moved)
    # what goes on comes first: an older incident that opens again would take its findings
    for place in sorted(range(len(incidents)), key=lambda at: not incidents[at].is_open):
        incident = incidents[place]
        mine = [each for each in left if _belongs(each, incident, night)]
        carried = [each for each in mine if incident.carried_by(each)]
        if incident.is_open and carried:
            went_on.append(incident.number)
        elif not incident.is_open and any(_confirmed(each, watch, night) for each in carried):
            reopened.append(incident.number)
        elif not incident.is_open:
            continue  # one night is not enough to open it again, and too little for a new one
        left = [each for each in left if each not in mine]
        if carried:
            incidents[place] = _with(incident, night, mine)
    sure = [each for each in left if _confirmed(each, watch, night)]
    opened = []
    for group in groups(sure):
        features = {each.key.feature for each in group}
        near = [each for each in left if each in group or (each.key.feature in features and each.key.feature)]
        number = len(incidents) + 1
        incidents.append(_opened(number, night, near, watch))
        opened.append(number)
    for place, incident in enumerate(incidents):
        if incident.is_open and night - incident.last >= timedelta(days=QUIET_NIGHTS):
            incidents[place] = replace(incident, resolved=night)
            resolved.append(incident.number)
    back = NIGHTS_OF[1] - 1
    recent = ((night, frozenset(each.key for each in moved)), *watch.recent)[:back]
    told = Told(tuple(opened), tuple(reopened), tuple(went_on), tuple(resolved))
    return Watch(tuple(incidents), recent), told


def _belongs(each: Moved, incident: Incident, night: date) -> bool:
    """Whether a finding is of an incident: of a key it has, or of the same measure of the same feature elsewhere."""
    ended = incident.resolved
    if ended is not None and night - ended > timedelta(days=REOPEN_NIGHTS):
        return False
    same = {(key.measure, key.feature) for key in incident.keys}
    return (each.key.measure, each.key.feature) in same


def _confirmed(each: Moved, watch: Watch, night: date) -> bool:
    if each.floors >= AT_ONCE.get(each.key.measure, np.inf) and each.alone <= ONCE_IN / 30:
        return True
    if each.alone <= ONCE_IN / 1000 and each.floors >= OVERWHELMING:
        return True
    needed, within = NIGHTS_OF
    nights = [keys for day, keys in watch.recent if night - day < timedelta(days=within)]
    return 1 + sum(each.key in keys for keys in nights) >= needed


def groups(moved: Sequence[Moved]) -> list[list[Moved]]:
    """Findings of a night by cause: the same feature, the same slice, or features that always moved together.

    The slice of a feature is the one that tells its change best (`where`), so that a change in one city is not told
    once for the city and once for everyone.
    """
    features: dict[tuple[str, str], list[Moved]] = {}
    for each in moved:
        features.setdefault((each.key.measure, each.key.feature), []).append(each)
    found: list[tuple[set[str], set[str], set[str], list[Moved]]] = []
    for (measure, feature), mine in features.items():
        names, places, own = {feature or measure}, {where(mine).key.slice}, mine
        beside = {name for each in mine for name in each.beside}
        rest = []
        for other in found:
            if names & (other[0] | other[2]) or places & other[1] or beside & other[0]:
                names, places, beside = names | other[0], places | other[1], beside | other[2]
                own = other[3] + own
            else:
                rest.append(other)
        found = [*rest, (names, places, beside, own)]
    return [own for *_, own in found]


def where(own: Sequence[Moved]) -> Moved:
    """The finding of one feature that says where: the slice whose own change explains that of all rows, or all rows.

    A split of all rows into a slice of share w and the rest, moved by a and b floors in the slice and in all, explains
    w/(1-w) · (a-b)² beyond what the whole shows (the gain of a regression tree, Breiman et al. 1984). The best split
    is named if what it leaves of the rest, (b - w·a)/(1-w), is small beside a. A cell of a cross is named by the same
    rule within each slice that it is a part of; else that slice explains it.
    """
    parts = [each for each in own if each.key.slice and each.share < 1]
    whole = next((each for each in own if not each.key.slice), None)
    if not parts:
        return whole or own[0]
    best = max(parts, key=lambda each: (_gain(each), -_columns(each)))
    while holders := [each for each in parts if _holds(each, best) and not _is_alone(best, each)]:
        best = max(holders, key=lambda each: (_gain(each), -_columns(each)))
    return best if whole is None or _is_alone(best, whole) else whole


def _is_alone(part: Moved, of: Moved) -> bool:
    """Whether what a part leaves of the rest is small beside it."""
    left = of.share - part.share
    return left > 0 and (of.floors * of.share - part.share * part.floors) / left < 0.4 * part.floors


def _holds(coarse: Moved, fine: Moved) -> bool:
    """Whether a slice of fewer columns holds all rows of a cell."""
    whole, cell = (each.key.slice.partition(OF)[::2] for each in (coarse, fine))
    return is_within(cell, whole)


def _columns(each: Moved) -> int:
    return len(parts_of(each.key.slice.partition(OF)[0]))


def _gain(each: Moved) -> float:
    return each.share / (1 - each.share) * max(each.floors - each.whole, 0.0) ** 2


def lead_of(moved: Iterable[Moved]) -> Moved:
    """The finding that tells an incident: of its plainest feature, in the slice that says where."""
    features: dict[tuple[str, str], list[Moved]] = {}
    for each in moved:
        features.setdefault((each.key.measure, each.key.feature), []).append(each)
    said = [where(own) for own in features.values()]
    return min(said, key=lambda each: (each.key.measure not in AT_ONCE, -each.floors, each.key))


def _opened(number: int, night: date, near: list[Moved], watch: Watch) -> Incident:
    keys = frozenset(each.key for each in near)
    days = [day for day, seen in watch.recent if seen & keys]
    first = min([night, *days])
    return Incident(number, first, night, night, lead_of(near), keys, 1 + len(days))


def _with(incident: Incident, night: date, mine: list[Moved]) -> Incident:
    keys = incident.keys | {each.key for each in mine}
    again = incident.reopened + (not incident.is_open)
    return replace(incident, last=night, keys=keys, seen=incident.seen + 1, resolved=None, reopened=again)
