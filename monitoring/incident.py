"""The record of an incident, as pages, messages and the command line show it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from monitoring.records import OF, Slice
from monitoring.verdicts.incidents import Key, Moved

State = Literal["open", "acknowledged", "resolved", "muted", "withdrawn"]
Severity = Literal["critical", "major", "minor"]
"""What cannot wait, what a message of its own is sent for, and inputs that moved alone."""
SEVERITIES: tuple[Severity, ...] = ("critical", "major", "minor")
What = Literal["taken", "real", "expected", "noise", "resolved", "muted"]
"""An answer of a person: they look after it; it was real; it is expected (until); it was nothing; it is over; mute it."""

FELT = (
    "outcome", "guard", "errors", "volume", "schema", "latency_ms", "first_token_ms", "null_share", "cost",
    "tokens_out", "tokens_in",
)  # fmt: skip
"""Measures that a message is sent for, what users feel first; inputs that moved alone are told in the morning."""

ROWS = "rows"
"""What `schema` calls rows that could not be judged; else it names what cannot be measured."""

WATCHED = {
    "outcome": "outcome", "guard": "guards", "errors": "errors", "volume": "volume", "schema": "schema",
    "null_share": "nulls", "latency_ms": "latency", "first_token_ms": "latency", "cost": "cost",
    "tokens_in": "cost", "tokens_out": "cost", "prediction": "prediction",
}  # fmt: skip
"""Measure -> what the service file calls it in `critical` and `planned`; everything else is `features`."""


def watched_as(key: Key) -> str:
    """The service file's word for what moved.

    >>> watched_as(Key("distribution", "prediction", "")), watched_as(Key("unseen_share", "city", ""))
    ('prediction', 'features')
    """
    return WATCHED.get("prediction" if key.is_prediction else key.measure, "features")


def rank(key: Key) -> int:
    """Where it stands among what is told, what users feel first; inputs are last."""
    if key.measure in FELT:
        return FELT.index(key.measure)
    return len(FELT) + (watched_as(key) == "features")


def order(key: Key, keys: Collection[Key]) -> tuple[int, int]:
    """Where it stands among what is told: of what users feel first, what moved in one slice only is behind the rest.

    Args:
        keys: everything it moved with: what moved over all rows as well is not in its slice only.

    >>> down, errors = Key("outcome", "", f"city{OF}Natal"), Key("errors", "", "")
    >>> order(errors, [down, errors]) < order(down, [down, errors]), order(down, [down, Key("outcome", "", "")])
    (True, (0, 0))
    """
    place = rank(key)
    if place > FELT.index("volume"):
        return 2, place
    return int(bool(key.slice) and key._replace(slice="") not in keys), place


def slice_of(key: Key) -> Slice:
    """The part of the traffic a key is about; all rows are two empty words."""
    dimension, _, value = key.slice.partition(OF)
    return Slice(dimension, value)


@dataclass(frozen=True)
class Answer:
    """What a person said of an incident.

    Attributes:
        night: the day it was said, in the service's time zone; it holds for this night and later ones.
        until: the last night an `expected` or `muted` holds for.
    """

    number: int
    what: What
    night: date
    by: str
    until: date | None = None
    reason: str = ""


@dataclass(frozen=True)
class IncidentLine:
    """An incident as it stands on one night.

    Attributes:
        number: what people call it; it never changes.
        first: the night it was seen first; `opened` when two nights of three, or one alone, sufficed to say so.
        last: the last night it was seen.
        lead: what tells it best on that last night.
        keys: everything that has been part of it.
        seen: the nights on which it was seen, in order.
        night: the night as of which all this is said.
        answers: what people said of it until then, oldest first.
        back: the night it opened again last; None if it never did.
    """

    number: int
    state: State
    severity: Severity
    first: date
    opened: date
    last: date
    lead: Moved
    keys: frozenset[Key]
    seen: tuple[date, ...]
    night: date
    resolved: date | None = None
    reopened: int = 0
    answers: tuple[Answer, ...] = ()
    back: date | None = None

    @property
    def begins(self) -> bool:
        """Whether it opens, or opens again, on the night as of which it is told."""
        return self.night in {self.opened, self.back}

    @property
    def is_tonight(self) -> bool:
        """Whether it was seen on the night as of which it is told."""
        return self.last == self.night

    @property
    def speaks(self) -> bool:
        """Whether a message of its own says that it goes on."""
        return self.severity != "minor" and self.is_tonight and self.state in {"open", "acknowledged"}

    @property
    def taken_by(self) -> str:
        """Who looks after it; empty while nobody does, or nobody has since it came back."""
        if self.state == "open":
            return ""
        return next((each.by for each in reversed(self.answers) if each.what == "taken"), "")

    @property
    def until(self) -> date | None:
        """The last night it is muted for; None if it is not."""
        if self.state != "muted":
            return None
        return max((each.until for each in self.answers if each.until is not None), default=None)


def ranked(lines: Sequence[IncidentLine]) -> list[IncidentLine]:
    """Incidents in the order they are told: what cannot wait, then what users feel most."""
    return sorted(
        lines,
        key=lambda line: (SEVERITIES.index(line.severity), order(line.lead.key, line.keys), line.number),
    )


def noise_of(lines: Sequence[IncidentLine]) -> dict[tuple[str, str], int]:
    """Measure and feature -> the number of the last incident of theirs that people called noise."""
    called = [line for line in lines if any(each.what == "noise" for each in line.answers)]
    called.sort(
        key=lambda line: (max(each.night for each in line.answers if each.what == "noise"), line.number)
    )
    return {(key.measure, key.feature): line.number for line in called for key in line.keys}
