"""A service's incidents, folded anew from what moved on each of its nights and from what people said.

Nothing is remembered between two runs but the numbers that incidents were given: a night that is judged anew changes
what stands after it as if it had always been so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from monitoring.incident import FELT, Answer, IncidentLine, rank, watched_as
from monitoring.incident_state import ended, is_slow, lead_of_night, severity_of, state_of
from monitoring.known import Known, Pair, known_again, number_of, pair_of, pairs_of
from monitoring.vanished import Vanished
from monitoring.verdicts.incidents import Incident, Key, Moved, Told, Watch, step
from services.model import Service
from services.planned import expects, planned_on

RAISED = 1.25
"""What was called noise has to go a quarter further than it went."""
LEFT_OUT = 28
"""For so many nights an incident is no part of what is usual; what lasts longer is the new usual."""
WEEK = timedelta(days=7)


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
    return settled(service, nights, answers, known)[0]


def settled(
    service: Service,
    nights: Mapping[date, Sequence[Moved]],
    answers: Sequence[Answer],
    known: Sequence[Known],
) -> tuple[Unfolded, tuple[Known, ...]]:
    """Fold until every number is with its incident: with a number come answers, and they change what follows.

    Returns:
        What stands, and the incidents that were numbered before, where they open now; arguments as of `unfold`.
    """
    was = tuple(known)
    for _ in range(len(was) + 1):
        found = _folded(service, nights, answers, was)
        again = known_again(was, found.lines)
        if again == was:
            break
        was = again
    return found, was


def _folded(
    service: Service,
    nights: Mapping[date, Sequence[Moved]],
    answers: Sequence[Answer],
    known: Sequence[Known],
) -> Unfolded:
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
        self.vanished = Vanished()
        self.heard = date.min  # what was said until then has been heard

    def night(self, night: date, moved: Sequence[Moved]) -> None:
        self._answered(night)
        planned = planned_on(self.service, night)
        self.expected = {each.key: said for each in moved if (said := expects(planned, watched_as(each.key)))}
        counted = [
            each
            for each in moved
            if each.key not in self.expected
            and not self._is_noise(each)
            and not self._is_echo(each, night)
            and self.vanished.counts(each, night)
        ]
        self.vanished = self.vanished.after(moved, counted)
        self.watch, told = step(self.watch, night, counted)
        for number in told.reopened:
            self.began[number - 1] = night
        for incident in self.watch.incidents[len(self.numbers) :]:
            self.numbers.append(self._number(incident))
            self.began.append(incident.first)
            self.seen.append([])
            self.sudden.append(set())
            self.went.append([])
        self._take_along(night, self._shared_out(night, counted, told))

    def _shared_out(self, night: date, counted: Sequence[Moved], told: Told) -> list[Moved]:
        """Give each incident what moved of it, in the order in which `step` did; returns what is of none."""
        left = list(counted)
        for place in sorted(range(len(self.numbers)), key=lambda at: at + 1 in told.reopened):
            incident = self.watch.incidents[place]
            if incident.last != night:
                continue
            own = [each for each in left if pair_of(each.key) in pairs_of(incident.keys)]
            left = [each for each in left if each not in own]
            self.seen[place].append((night, lead_of_night(own) if own else incident.lead))
            self.sudden[place] |= {each.key for each in own if not is_slow(each)}
            self.struck |= {pair_of(each.key): night for each in own if each.comparison == "tonight"}
            self.went[place] += [(night, each) for each in own]
        return left

    def _take_along(self, night: date, left: Sequence[Moved]) -> None:
        """What users feel of a night that speaks anyway belongs to what speaks: people ask for that first."""
        felt = [each for each in left if each.key.measure in FELT[:3]]
        speaking = [
            place
            for place, each in enumerate(self.watch.incidents)
            if each.last == night and severity_of(self.service, self.sudden[place]) != "minor"
        ]
        if not felt or not speaking:
            return
        place = min(speaking, key=lambda at: rank(self.seen[at][-1][1].key))
        incident = self.watch.incidents[place]
        grown = replace(incident, keys=incident.keys | {each.key for each in felt})
        incidents = (*self.watch.incidents[:place], grown, *self.watch.incidents[place + 1 :])
        self.watch = replace(self.watch, incidents=incidents)
        self.sudden[place] |= {each.key for each in felt}
        self.seen[place][-1] = night, lead_of_night([*felt, self.seen[place][-1][1]])
        self.went[place] += [(night, each) for each in felt]

    def _answered(self, until: date) -> None:
        """Let hold what was said until a night: what is over or noise ends, and noise raises its floor."""
        incidents = list(self.watch.incidents)
        for place in range(len(incidents)):
            for answer in self._said(place, until):
                incidents[place] = ended(incidents[place], answer)
                if answer.what == "noise":
                    self._raise(place, answer.night)
                    if answer.night > self.heard:
                        self.vanished = self.vanished.hush(pairs_of(incidents[place].keys), answer.night)
        self.watch = replace(self.watch, incidents=tuple(incidents))
        self.heard = until

    def _raise(self, place: int, said: date) -> None:
        """Raise the floors of all that was seen when it was called noise: what goes further later is not of it."""
        for pair in pairs_of(self.watch.incidents[place].keys):
            went = [each.floors for day, each in self.went[place] if pair_of(each.key) == pair and day < said]
            if went and pair[0] != "schema":  # what is gone has no size that could be gone beyond
                self.raised[pair] = max(self.raised.get(pair, 0.0), RAISED * max(went))

    def _is_noise(self, each: Moved) -> bool:
        return each.floors < self.raised.get(pair_of(each.key), 0.0)

    def _is_echo(self, each: Moved, night: date) -> bool:
        """Whether a sum of seven nights shows what one of them showed alone: it is over though the sum still holds it."""
        struck = self.struck.get(pair_of(each.key), date.min)
        return each.comparison != "tonight" and night - struck < WEEK

    def _said(self, place: int, until: date) -> list[Answer]:
        return [each for each in self.answers if each.number == self.numbers[place] and each.night <= until]

    def _number(self, incident: Incident) -> int:
        """The number it was given before, else the next one that nobody has."""
        taken = set(self.numbers)
        number = number_of(self.known, incident.opened, pairs_of(incident.keys), taken)
        return number or max([0, *taken, *(each.number for each in self.known)]) + 1

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
            state=state_of(incident, answers, self.began[place], night),
            severity=severity_of(self.service, self.sudden[place]),
            first=incident.first,
            opened=incident.opened,
            last=incident.last,
            lead=seen[-1][1],
            keys=incident.keys,
            seen=tuple(sorted({incident.first, *(day for day, _ in seen)})),
            night=night,
            resolved=incident.resolved,
            reopened=incident.reopened,
            back=self.began[place] if incident.reopened else None,
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
        for pair in pairs_of(line.keys):
            found.setdefault(pair, set()).update(days)
    return {pair: frozenset(days) for pair, days in found.items()}
