"""A service's incidents, folded anew from what moved on each of its nights and from what people said.

Nothing is remembered between two runs but the numbers that incidents were given: a night that is judged anew changes
what stands after it as if it had always been so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from monitoring.incident import (
    FELT,
    Answer,
    IncidentLine,
    Severity,
    State,
    rank,
    watched_as,
)
from monitoring.verdicts.incidents import AT_ONCE, Incident, Key, Moved, Watch, step, where
from services.model import Service
from services.planned import expects, planned_on

RAISED = 1.25
"""What was called noise has to go a quarter further than it went."""
LEFT_OUT = 28
"""For so many nights an incident is no part of what is usual; what lasts longer is the new usual."""
WEEK = timedelta(days=7)
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


@dataclass(frozen=True)
class Unfolded:
    """What stands after the last of some nights.

    Attributes:
        lines: every incident, in the order they opened.
        gone: numbers that were given and are of nothing any more.
        raised: (measure, feature) -> floors that noise raised it to.
        expected: measure, feature and slice -> the planned change that explains it, of what moved on the last night.
    """

    lines: tuple[IncidentLine, ...] = ()
    gone: tuple[int, ...] = ()
    raised: Mapping[Pair, float] | None = None
    expected: Mapping[Key, str] | None = None

    @property
    def tonight(self) -> tuple[IncidentLine, ...]:
        """Those that are seen on the last night or still open."""
        return tuple(
            each for each in self.lines if each.is_tonight or each.state not in {"resolved", "withdrawn"}
        )


def unfold(
    service: Service,
    nights: Mapping[date, Sequence[Moved]],
    answers: Sequence[Answer] = (),
    known: Sequence[Known] = (),
) -> Unfolded:
    """Fold nights into incidents.

    Args:
        nights: what moved on every judged night, rising; a night on which nothing did is there and empty.
        answers: what people said, oldest first.
        known: incidents that were numbered before, of whatever night.
    """
    fold = _Fold(service, tuple(answers), tuple(known))
    for night, moved in sorted(nights.items()):
        fold.night(night, moved)
    return fold.unfolded(max(nights)) if nights else Unfolded(gone=tuple(each.number for each in known))


class _Fold:
    """The state of the fold; `Watch` numbers incidents from 1 in the order they open, `numbers` are what people see."""

    def __init__(self, service: Service, answers: tuple[Answer, ...], known: tuple[Known, ...]) -> None:
        self.service, self.answers, self.known = service, answers, known
        self.watch = Watch()
        self.numbers: list[int] = []
        self.began: list[date] = []
        self.seen: list[list[tuple[date, Moved]]] = []
        self.sudden: list[set[Key]] = []
        self.struck: dict[Pair, date] = {}
        self.went: list[
            list[tuple[date, Moved]]
        ] = []  # everything of it, where `seen` has what told each night
        self.raised: dict[Pair, float] = {}
        self.expected: dict[Key, str] = {}

    def night(self, night: date, moved: Sequence[Moved]) -> None:
        self._answered(night)
        planned = planned_on(self.service, night)
        self.expected = {each.key: said for each in moved if (said := expects(planned, watched_as(each.key)))}
        counted = [
            each
            for each in moved
            if each.key not in self.expected and not self._is_noise(each) and not self._is_echo(each, night)
        ]
        self.watch, told = step(self.watch, night, counted)
        for number in told.reopened:
            self.began[number - 1] = night
        for incident in self.watch.incidents[len(self.numbers) :]:
            self.numbers.append(self._number(incident))
            self.began.append(incident.first)
            self.seen.append([])
            self.sudden.append(set())
            self.went.append([])
        left = counted
        for place, incident in enumerate(self.watch.incidents):
            if incident.last == night:
                own = [each for each in left if _pair(each.key) in _pairs(incident.keys)]
                left = [each for each in left if each not in own]
                self.seen[place].append((night, _lead(own) if own else incident.lead))
                self.sudden[place] |= {each.key for each in own if not _is_slow(each)}
                self.struck |= {_pair(each.key): night for each in own if each.comparison == "tonight"}
                self.went[place] += [(night, each) for each in own]
        self._take_along(night, left)

    def _take_along(self, night: date, left: Sequence[Moved]) -> None:
        """What users feel of a night that speaks anyway belongs to what speaks: people ask for that first."""
        felt = [each for each in left if each.key.measure in FELT[:3]]
        speaking = [
            place
            for place, each in enumerate(self.watch.incidents)
            if each.last == night and _severity(self.service, self.sudden[place]) != "minor"
        ]
        if not felt or not speaking:
            return
        place = min(speaking, key=lambda at: rank(self.seen[at][-1][1].key))
        incident = self.watch.incidents[place]
        grown = replace(incident, keys=incident.keys | {each.key for each in felt})
        incidents = (*self.watch.incidents[:place], grown, *self.watch.incidents[place + 1 :])
        self.watch = replace(self.watch, incidents=incidents)
        self.sudden[place] |= {each.key for each in felt}
        self.seen[place][-1] = night, _lead([*felt, self.seen[place][-1][1]])
        self.went[place] += [(night, each) for each in felt]

    def _answered(self, until: date) -> None:
        """Let hold what was said until a night: what is over or noise ends, and noise raises its floor."""
        incidents = list(self.watch.incidents)
        for place in range(len(incidents)):
            for answer in self._said(place, until):
                incidents[place] = _ended(incidents[place], answer)
                if answer.what == "noise":
                    self._raise(place, answer.night)
        self.watch = replace(self.watch, incidents=tuple(incidents))

    def _raise(self, place: int, said: date) -> None:
        """Raise the floors of all that was seen when it was called noise: what goes further later is not of it."""
        for pair in _pairs(self.watch.incidents[place].keys):
            went = [each.floors for day, each in self.went[place] if _pair(each.key) == pair and day < said]
            if went and pair[0] != "schema":  # what is gone has no size that could be gone beyond
                self.raised[pair] = max(self.raised.get(pair, 0.0), RAISED * max(went))

    def _is_noise(self, each: Moved) -> bool:
        return each.floors < self.raised.get(_pair(each.key), 0.0)

    def _is_echo(self, each: Moved, night: date) -> bool:
        """Whether a sum of seven nights shows what one of them showed alone: it is over though the sum still holds it."""
        struck = self.struck.get(_pair(each.key), date.min)
        return each.comparison != "tonight" and night - struck < WEEK

    def _said(self, place: int, until: date) -> list[Answer]:
        return [each for each in self.answers if each.number == self.numbers[place] and each.night <= until]

    def _number(self, incident: Incident) -> int:
        """The number it was given before, else the next one that nobody has."""
        taken = set(self.numbers)
        near = [
            each
            for each in self.known
            if each.number not in taken
            and each.opened - SAME <= incident.opened <= max(each.opened + SAME, each.last or each.opened)
            and each.pairs & _pairs(incident.keys)
        ]
        if near:
            return min(near, key=lambda each: (abs(each.opened - incident.opened), each.number)).number
        return max([0, *taken, *(each.number for each in self.known)]) + 1

    def unfolded(self, night: date) -> Unfolded:
        self._answered(date.max)
        lines = tuple(self._line(place, night) for place in range(len(self.numbers)))
        gone = tuple(each.number for each in self.known if each.number not in self.numbers)
        return Unfolded(lines, gone, dict(self.raised), dict(self.expected))

    def _line(self, place: int, night: date) -> IncidentLine:
        incident, seen = self.watch.incidents[place], self.seen[place]
        answers = tuple(self._said(place, date.max))
        return IncidentLine(
            number=self.numbers[place],
            state=_state(incident, answers, self.began[place], night),
            severity=_severity(self.service, self.sudden[place]),
            first=incident.first,
            opened=incident.opened,
            last=incident.last,
            lead=seen[-1][1],
            keys=incident.keys,
            seen=tuple(sorted({incident.first, *(day for day, _ in seen)})),
            night=night,
            resolved=incident.resolved,
            reopened=incident.reopened,
            answers=answers,
        )


def nights_apart(lines: Iterable[IncidentLine], night: date) -> dict[Pair, frozenset[date]]:
    """The nights before one that are no part of what is usual, by measure and feature.

    They are those of its incidents, unless somebody said that it was noise.
    """
    found: dict[Pair, set[date]] = {}
    for line in lines:
        if any(each.what == "noise" for each in line.answers):
            continue
        last = min(line.last, night - timedelta(days=1))
        days = {line.first + timedelta(days=n) for n in range(min((last - line.first).days + 1, LEFT_OUT))}
        for pair in _pairs(line.keys):
            found.setdefault(pair, set()).update(days)
    return {pair: frozenset(days) for pair, days in found.items()}


def _ended(incident: Incident, answer: Answer) -> Incident:
    """What an answer leaves of an incident: one that was seen again since goes on."""
    over = answer.what in {"noise", "resolved"} and incident.is_open and incident.last < answer.night
    return replace(incident, resolved=answer.night) if over else incident


def _state(incident: Incident, answers: Sequence[Answer], began: date, night: date) -> State:
    """What it is on a night: an end that was named holds though it came back; who took it before does not count."""
    if not incident.is_open:
        return "resolved"
    quiet = [each.until for each in answers if each.what in {"expected", "muted"} and each.until is not None]
    if quiet and night <= max(quiet):
        return "muted"
    since = [each for each in answers if each.night >= began]
    return "acknowledged" if any(each.what in {"taken", "real"} for each in since) else "open"


def _is_slow(each: Moved) -> bool:
    """Whether it left the reference little by little: that wakes nobody, unless it is what users feel."""
    return each.comparison == "ageing" and each.key.measure not in FELT[:3]


def _severity(service: Service, sudden: Iterable[Key]) -> Severity:
    """What the service file makes of it; what only aged, and inputs that moved alone, are minor.

    Args:
        sudden: what moved beside the nights before it, or is felt.
    """
    keys = frozenset(sudden)
    words = {watched_as(key) for key in keys}
    if words & set(service.critical):
        return "critical"
    return "minor" if words <= {"features"} else "major"


def _lead(own: Sequence[Moved]) -> Moved:
    """What tells best what moved on a night: what users feel most, in the slice that says where."""
    pairs: dict[Pair, list[Moved]] = {}
    for each in own:
        pairs.setdefault(_pair(each.key), []).append(each)
    said = [where(mine) for mine in pairs.values()]
    return min(
        said, key=lambda each: (rank(each.key), each.key.measure not in AT_ONCE, -each.floors, each.key)
    )


def _pair(key: Key) -> Pair:
    return key.measure, key.feature


def _pairs(keys: Iterable[Key]) -> frozenset[Pair]:
    return frozenset(map(_pair, keys))
