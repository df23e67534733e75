"""Which floors of the service file to change: those that speak on ordinary nights, and those that cannot be held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil, floor, log10

import numpy as np

from monitoring.incident import IncidentLine, slice_of
from monitoring.known import Pair
from monitoring.records import ALL_ROWS, Finding, Slice
from monitoring.replayed import History, Replay, replay
from monitoring.verdicts.incidents import Key
from monitoring.verdicts.judge import JUDGEABLE
from services.model import FeatureRule, Service

RECENT = 7
"""What can be seen is the middle one of so many last nights."""
MOST_ROUNDS = 3
LARGEST = {"js": 0.5, "sd": 5.0, "share": 0.5, "ratio": 2.0}
"""No larger floor is proposed, by unit: what goes so far is no ordinary night, and distances and shares end at 1."""


@dataclass(frozen=True)
class Quieter:
    """A floor that would have kept incidents silent, if nothing of what they told was real.

    Attributes:
        setting: its place in the service file, such as `floors.share`.
        now, proposed: in the measure's own unit.
        silences: when the incidents that it is for began.
    """

    setting: str
    now: float
    proposed: float
    silences: tuple[date, ...]


@dataclass(frozen=True)
class Beyond:
    """What went so far that no floor is proposed for it: an incident seems to lie in these nights.

    Attributes:
        slice: where it went farthest; two empty words are all rows.
        night: when it did.
    """

    measure: str
    feature: str
    slice: Slice
    night: date


@dataclass(frozen=True)
class Unheld:
    """A key of which `JUDGEABLE` floors may pass unseen.

    Attributes:
        visible: smallest effect that three nights of four would show, in `unit`; None where there is none.
        slice: two empty words are all rows.
    """

    measure: str
    feature: str
    slice: Slice
    floor: float
    visible: float | None
    unit: str

    @property
    def floors(self) -> float:
        """`visible` in floors; infinite where nothing is."""
        return np.inf if self.visible is None else self.visible / self.floor


def setting_of(measure: str, feature: str) -> str:
    """Where the service file sets the floor of a measure.

    >>> setting_of("distribution", "fare"), setting_of("errors", ""), setting_of("latency_ms", "")
    ('features.rules.fare.floor', 'floors.share', 'floors.volume')
    """
    if measure == "distribution":
        return f"features.rules.{feature}.floor"
    if measure == "guard":
        return f"guards.{feature}.floor"
    shares = {"null_share", "unseen_share", "errors", "outcome"}
    return "floors.share" if measure in shares else "floors.volume"


def with_floors(service: Service, floors: Mapping[Pair, float]) -> Service:
    """The service with other floors, by measure and feature."""
    rules, guards, own = dict(service.features.rules), dict(service.guards), {}
    for (measure, feature), value in floors.items():
        if measure == "distribution":
            rules[feature] = rules.get(feature, FeatureRule()).model_copy(update={"floor": value})
        elif measure == "guard" and feature in guards:
            guards[feature] = guards[feature].model_copy(update={"floor": value})
        else:
            own[setting_of(measure, feature).partition(".")[2]] = value
    return service.model_copy(
        update={
            "features": service.features.model_copy(update={"rules": rules}),
            "guards": guards,
            "floors": service.floors.model_copy(update=own),
        }
    )


def quieter(
    service: Service, history: History, base: Replay, places: Sequence[int], rounds: int
) -> tuple[tuple[Quieter, ...], tuple[Beyond, ...], Replay, int]:
    """Floors under which nothing speaks, what no floor is for, what would have been said, and how often all was judged.

    A floor is raised just above the farthest that what told an incident went, and all nights are judged again; then
    those of everything that is in the incidents that are left, until none is or so many rounds are over. For an
    incident of which anything went beyond `LARGEST` none is raised.
    """
    floors: dict[Pair, float] = {}
    began: dict[str, set[date]] = {}
    beyond: set[Beyond] = set()
    now, done = base, 0
    while now.lines and done < min(rounds, MOST_ROUNDS):
        raised, known = dict(floors), _floors(now)
        for line in now.lines:
            far = _beyond(now, line, known)
            beyond.update(far)
            for pair in () if far else _to_raise(line, all_of_it=done > 0):
                went = _farthest(now, line, pair, known)
                if went is not None:
                    one = next((each for each in floors if setting_of(*each) == setting_of(*pair)), pair)
                    floors[one] = max(went.floor, floors.get(one, 0.0))
                    began.setdefault(setting_of(*pair), set()).add(line.first)
        if floors == raised:
            break
        now, done = replay(with_floors(service, floors), history, places), done + 1
    before = _floors(base)
    found = [
        Quieter(setting_of(*pair), before[pair], value, tuple(sorted(began[setting_of(*pair)])))
        for pair, value in floors.items()
    ]
    shown = sorted(beyond, key=lambda each: (each.night, each.measure, each.feature, each.slice))
    return tuple(sorted(found, key=lambda each: each.setting)), tuple(shown), now, done


def unheld(findings: Mapping[date, Sequence[Finding]]) -> tuple[Unheld, ...]:
    """Keys of which four floors may pass unseen on the last nights, all rows first, and the worst first."""
    seen: dict[tuple[str, str, Slice], list[Finding]] = {}
    for night in sorted(findings)[-RECENT:]:
        for each in findings[night]:
            if each.rows_current and each.floor:  # what is not measured in a slice has no floor to hold
                seen.setdefault((each.measure, each.feature, each.slice), []).append(each)
    found = []
    for (measure, feature, where), own in seen.items():
        visible = float(np.median([np.inf if each.visible is None else each.visible for each in own]))
        known = visible if np.isfinite(visible) else None
        said = Unheld(measure, feature, where, own[-1].floor or 0.0, known, own[-1].unit)
        if said.floors > JUDGEABLE:
            found.append(said)
    return tuple(sorted(found, key=lambda each: (each.slice != ALL_ROWS, -each.floors, each.slice)))


def above(value: float) -> float:
    """The next number of two digits above one.

    >>> above(0.1372), above(0.14), above(3.0)
    (0.14, 0.15, 3.1)
    """
    digits = 1 - floor(log10(value))
    rounded = ceil(round(value * 10.0**digits, 9)) / 10.0**digits
    return float(round(rounded if rounded > value else rounded + 10.0**-digits, max(digits, 0)))


@dataclass(frozen=True)
class _Farthest:
    """How far something went, as the `floor` just above it, and where and when."""

    floor: float
    key: Key
    night: date


def _floors(of: Replay) -> dict[Pair, float]:
    found: dict[Pair, float] = {}
    for findings in of.findings.values():
        for each in findings:
            if each.floor is not None:
                found[each.measure, each.feature] = each.floor
    return found


def _units(of: Replay) -> dict[Pair, str]:
    return {
        (each.measure, each.feature): each.unit for own in of.findings.values() for each in own if each.unit
    }


def _to_raise(line: IncidentLine, *, all_of_it: bool) -> list[Pair]:
    return sorted(set(map(_pair, line.keys))) if all_of_it else [_pair(line.lead.key)]


def _beyond(of: Replay, line: IncidentLine, floors: Mapping[Pair, float]) -> list[Beyond]:
    """What of an incident no floor is for."""
    units, found = _units(of), []
    for pair in _to_raise(line, all_of_it=True):
        went = _farthest(of, line, pair, floors)
        if went is not None and went.floor > LARGEST.get(units.get(pair, ""), np.inf):
            found.append(Beyond(*pair, slice_of(went.key), went.night))
    return found


def _farthest(of: Replay, line: IncidentLine, pair: Pair, floors: Mapping[Pair, float]) -> _Farthest | None:
    """The farthest that something went while an incident lasted."""
    went = [
        (each.floors * floors[pair], night, each.key)
        for night, moved in of.moved.items()
        for each in moved
        if line.first <= night <= line.last and _pair(each.key) == pair
    ]
    if not went:
        return None
    far, night, key = max(went, key=lambda each: each[0])
    return _Farthest(above(far), key, night)


def _pair(key: Key) -> Pair:
    return key.measure, key.feature
