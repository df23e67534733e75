"""How a night stands: what its incidents say, each number against its own past, and what that makes of the whole night.

Where the nights before are too few for a verdict, a number is far out beyond 2 (outcome) or 3 (others) standard
deviations of its own last nights, as the mean and deviation in `NumberLine.usual` say.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from monitoring.incident import ROWS
from monitoring.records import ALL_ROWS, FeatureLine, Finding, NightPage, NumberLine

State = Literal["data", "changed", "no_verdict", "early", "quiet"]
"""What a whole night comes to, worst first."""

LOUD: tuple[State, ...] = ("data", "changed")
"""The nights that have something to tell at once."""

SPEAKING = ("outcome", "errors", "volume", "null_share", "prediction")
"""The numbers that a message is sent for while no verdict is known of them; the others are marked on the page."""

STATES: tuple[State, ...] = ("data", "changed", "no_verdict", "early", "quiet")
OUTCOME_LIMIT, OTHER_LIMIT = 2.0, 3.0
SET_ASIDE = 0.02
"""Above this share of rows set aside the data come first: the same two points as the default floor of a share."""

LEAST_VOLUME = 0.02
"""A smaller change in the number of requests is not worth telling, however steady it was: a night's batch of
exactly as many rows every time has no spread at all."""

FEW = 30
"""Fewer requests than this tell nothing by themselves, of a night or of a slice."""

FRESH = 3
"""For so many nights it is news that something is not measured any more; then it is told only if an incident goes on."""

RHYTHM = 2
"""So many nights of one weekday are a habit."""
_NO_REQUESTS = ("request_id_duplicated", "outside_night")  # copies, and rows of other nights
_FEW = 10  # a change made of fewer requests than this is chance, and could not be shown anyway


@dataclass(frozen=True)
class Place:
    """Where a number stands among its past nights.

    Attributes:
        word: none, early, within, higher, lower, highest or lowest.
        nights: how many past nights have a value.
        far: whether it is beyond its limit, and so worth telling.
    """

    word: Literal["none", "early", "within", "higher", "lower", "highest", "lowest"]
    nights: int
    far: bool = False


def place(line: NumberLine) -> Place:
    """Where the number of this night stands among those of the nights before.

    >>> from datetime import date
    >>> past = tuple((date(2013, 6, d), 0.1 + d / 1000) for d in range(1, 8))
    >>> late = NumberLine("outcome", "", 0.3, 30, 100, "share", past, (0.104, 0.002), date(2013, 6, 8))
    >>> place(late)
    Place(word='highest', nights=7, far=True)
    """
    past = [value for _, value in line.history if value is not None]
    if line.value is None:
        return Place("none", len(past))
    if line.usual is None or not past:
        return Place("early", len(past))
    away = line.value - line.usual[0]
    if abs(away) <= 1e-9 * max(1.0, abs(line.usual[0])):
        return Place("within", len(past), bool(line.far))
    return _placed(line, past, away)


def _placed(line: NumberLine, past: list[float], away: float) -> Place:
    assert line.value is not None and line.usual is not None  # noqa: PT018 - `place` has seen to it
    deviation = line.usual[1]
    far = is_beyond(line, away) if line.far is None else line.far
    if line.value > max(past):
        return Place("highest", len(past), far)
    if line.value < min(past):
        return Place("lowest", len(past), far)
    if abs(away) < OUTCOME_LIMIT * deviation and not far:
        return Place("within", len(past))
    return Place("higher" if away > 0 else "lower", len(past), far)


def is_beyond(line: NumberLine, away: float) -> bool:
    """Whether a number is beyond its limit, and by more than chance or habit explains."""
    assert line.usual is not None  # the caller has looked
    out = abs(away) >= limit(line.name) * line.usual[1]
    return out and not is_chance(line, away) and not _is_slight(line, away)


def limit(name: str) -> float:
    """How many standard deviations of its own past a number may leave its mean by, and still be as usual."""
    return OUTCOME_LIMIT if name == "outcome" else OTHER_LIMIT


def is_chance(line: NumberLine, away: float) -> bool:
    """Whether a change is made of fewer than 10 requests: those in a share that rose, those outside one that fell."""
    if line.numerator is None:
        return False
    if away > 0:
        return line.numerator < _FEW
    return line.denominator is not None and line.denominator - line.numerator < _FEW


def _is_slight(line: NumberLine, away: float) -> bool:
    return line.name == "volume" and line.usual is not None and abs(away) < LEAST_VOLUME * line.usual[0]


def only_set_aside(page: NightPage, line: NumberLine) -> bool:
    """Whether the requests that are missing came after all, and were set aside: then the data are what is told."""
    if line.name != "volume" or line.value is None or set_aside(page) <= SET_ASIDE:
        return False
    came = page.rows_read - sum(page.counts.get(reason, 0) for reason in _NO_REQUESTS)
    return not place(replace(line, value=float(came))).far


def lost(page: NightPage) -> tuple[NumberLine, ...]:
    """The numbers that should be measured and could not be tonight: their column is gone or empty.

    They are told while the loss is new, and for as long as an incident that speaks tonight is about it.
    """
    new = newly_lost(page)
    told = {name_of(line) for line in new}
    names = {
        key.feature
        for each in page.incidents or ()
        for key in each.keys
        if each.speaks and key.measure == "schema" and key.feature not in {ROWS, *told}
    }
    still = [_unmeasured(page, name) for name in sorted(names)]
    return (*new, *(line for line in still if line is not None))


def newly_lost(page: NightPage) -> tuple[NumberLine, ...]:
    """The numbers that were measured on one of the last nights and could not be tonight.

    What the same weekday never has is no loss: some outcomes are known on working days only.
    """
    nights = _nights(page)
    return tuple(
        line
        for line in unmeasured(page)
        if line.usual is not None and _known(line).intersection(_before(line, nights)[-FRESH:])
    )


def unmeasured(page: NightPage) -> list[NumberLine]:
    """The numbers that could not be measured tonight, though this weekday had them while they were known."""
    nights = _nights(page)
    return [
        line
        for line in page.numbers
        if line.name in SPEAKING and line.value is None and not _is_strange(line, nights)
    ]


def name_of(line: NumberLine) -> str:
    """What `schema` calls a number that cannot be measured: a feature by its name."""
    return line.subject if line.name == "null_share" else line.name


def is_measured(page: NightPage, name: str) -> bool:
    """Whether a number has a value tonight; `name` as of `name_of`."""
    return any(
        line.name in SPEAKING and name_of(line) == name and line.value is not None for line in page.numbers
    )


def _unmeasured(page: NightPage, name: str) -> NumberLine | None:
    """The number of this name, without a value; None if it has one, or if the reference does not know its column."""
    if is_measured(page, name):
        return None
    there = [line for line in page.numbers if line.name in SPEAKING and name_of(line) == name]
    if there:
        return there[0]
    feature = next((each for each in page.features if each.name == name), None)
    if name not in SPEAKING and (feature is None or feature.current is not None):
        return None
    measure, subject = (name, "") if name in SPEAKING else ("null_share", name)
    return NumberLine(measure, subject, None, None, None, "share", (), None, page.night)


def _nights(page: NightPage) -> list[date]:
    """The nights of which anything is known, in order."""
    return sorted({day for line in page.numbers for day, value in line.history if value is not None})


def _known(line: NumberLine) -> set[date]:
    return {day for day, value in line.history if value is not None}


def _before(line: NumberLine, nights: list[date]) -> list[date]:
    return [day for day in nights if day < line.of_night]


def _is_strange(line: NumberLine, nights: list[date]) -> bool:
    """Whether this weekday never had a number, while it was known."""
    known = _known(line)
    last = max(known, default=date.min)
    same = [day for day in nights if day <= last and day.weekday() == line.of_night.weekday()]
    return len(same) >= RHYTHM and not known.intersection(same)


def is_thin(line: NumberLine) -> bool:
    """A share of so few requests says nothing by itself."""
    return line.format == "share" and line.denominator is not None and line.denominator < FEW


def is_better(line: NumberLine) -> bool:
    """Fewer errors or missing values than usual: good news; if gaps were filled with nonsense the feature moved."""
    return (
        line.name in {"null_share", "errors"}
        and line.value is not None
        and line.usual is not None
        and line.value < line.usual[0]
    )


def deviations(line: NumberLine) -> float:
    """How many standard deviations of its own past a number is away; many where the past never varied."""
    if line.value is None or line.usual is None:
        return 0.0
    return abs(line.value - line.usual[0]) / max(line.usual[1], 1e-12)


def set_aside(page: NightPage) -> float:
    """Share of the rows read that were not kept."""
    return 1 - page.counts.get("kept", 0) / page.rows_read if page.rows_read else 0.0


def verdict(feature: FeatureLine) -> str:
    """The feature's verdict over all rows, or `calendar`: drifted if any measure is, else its first finding's."""
    if feature.kind == "calendar":
        return "calendar"
    verdicts = [f.verdict for f in feature.findings if f.slice == ALL_ROWS]
    if "drifted" in verdicts:
        return "drifted"
    return verdicts[0] if verdicts else "not_computed"


def times_floor(finding: Finding) -> float:
    """How many times its floor an effect is; -1 without one, so that it sorts last."""
    if finding.effect is None or not finding.floor:
        return -1.0
    return abs(finding.effect) / finding.floor


def moved(page: NightPage) -> int:
    """How many features moved over all rows."""
    return sum(verdict(feature) == "drifted" for feature in page.features)
