"""What a night says: the numbers it speaks of, first what users feel, and what the whole of it comes to."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from statistics import fmean, pstdev

from monitoring.incident import FELT, ROWS, IncidentLine, order, ranked, slice_of
from monitoring.records import ALL_ROWS, OF, NightPage, NumberLine
from monitoring.standing import (
    RHYTHM,
    SET_ASIDE,
    SPEAKING,
    State,
    deviations,
    is_better,
    is_beyond,
    is_thin,
    lost,
    name_of,
    newly_lost,
    only_set_aside,
    place,
    set_aside,
    unmeasured,
    verdict,
)
from monitoring.verdicts.incidents import OVERWHELMING, Key, Moved

FIRST = ("outcome", "guard", "errors", "volume")
"""What users feel: told first on a night that speaks, whatever it speaks of."""


def state_of(page: NightPage) -> State:
    """What the night comes to: the word its first line, the index and the messages begin with."""
    if set_aside(page) > SET_ASIDE or lost(page):
        return "data"
    places = [place(line) for line in page.numbers]
    if told(page) or speaking(page):
        return "changed"
    if all(p.word in {"none", "early"} for p in places):
        judged = any(verdict(f) in {"drifted", "stable"} for f in page.features)
        return "early" if judged or any(p.word == "early" for p in places) else "no_verdict"
    return "quiet"


def told(page: NightPage) -> tuple[NumberLine, ...]:
    """The numbers that a message is sent for, the first to be told first; nothing on a night without an incident.

    What users feel and is as far out as never before is told with them, even if it is no incident by itself: people
    ask for it first.
    """
    of = [(line, each) for each in speaking(page) if (line := line_of(page, each)) is not None]
    alone = [line for line, each in of if line.part != ALL_ROWS and order(each.lead.key, each.keys)[0] == 1]
    own = [line for line, _ in of]
    own += unjudged(page) if page.incidents is None else []
    if not own and not speaking(page):
        return ()
    felt = [line for line in page.numbers if line.name in FIRST and _is_bad(page, line) and _is_out(line)]
    once = {(line.name, line.subject, line.part): line for line in (*felt, *own)}
    return tuple(sorted(once.values(), key=lambda line: _first(line, is_alone=line in alone)))


def speaking(page: NightPage) -> tuple[IncidentLine, ...]:
    """The incidents that speak tonight, the first to be told first."""
    return tuple(each for each in ranked(page.incidents or ()) if each.speaks)


def unjudged(page: NightPage) -> list[NumberLine]:
    """The numbers that are far out as far as can be said of what is not judged by the nights before."""
    return [
        line
        for line in page.numbers
        if line.far is None and line.name in SPEAKING and place(line).far and _is_bad(page, line)
    ]


def moves(page: NightPage, away: Collection[str] = ()) -> tuple[Moved, ...]:
    """What incidents are made of beside the verdicts: rows that could not be judged, what is gone, what is far out.

    Args:
        away: what cannot be measured since its column, which the reference has, is not there (`page.away`).
    """
    apart = set_aside(page)
    rows = [_sure(Key("schema", ROWS, ""), apart / SET_ASIDE)] if apart > SET_ASIDE else []
    gone = [name_of(line) for line in newly_lost(page)]
    still = sorted({*away, *(name_of(line) for line in unmeasured(page))}.difference(gone))
    return (
        *rows,
        *(_sure(Key("schema", name, "")) for name in gone),
        *(_still_away(name) for name in still),
        *(_sure(key_of(line), up=_is_above(line)) for line in unjudged(page)),
    )


def line_of(page: NightPage, incident: IncidentLine) -> NumberLine | None:
    """The number that tells an incident, in the slice it tells; None if there is none with a past."""
    key, part = incident.lead.key, slice_of(incident.lead.key)
    name = "prediction" if key.is_prediction else key.measure
    own = [line for line in page.numbers if line.name == name]
    if key.measure in {"null_share", "guard"}:
        own = [line for line in own if line.subject == key.feature]
    whole = own[0] if own else None
    if part != ALL_ROWS:
        names = {key.slice, f"{part.dimension}{OF}{OF}{part.value}"}
        found = [line for line in page.places if line.name == f"{name}.slice" and line.subject in names]
        subject = whole.subject if whole is not None else ""
        whole = replace(found[0], name=name, subject=subject, part=part) if found else whole
    if whole is None or whole.value is None or whole.usual is None:
        return None
    return whole if _is_above(whole) == incident.lead.up else _of_its_weekday(whole, up=incident.lead.up)


def _of_its_weekday(line: NumberLine, *, up: bool) -> NumberLine | None:
    """The number beside nights of its weekday alone, where beside all nights it seems to go the other way."""
    kept = [value is not None and day.weekday() == line.of_night.weekday() for day, value in line.history]
    history = tuple(night for night, keep in zip(line.history, kept, strict=True) if keep)
    parts = tuple(each for each, keep in zip(line.parts, kept, strict=True) if keep) if line.parts else ()
    same = replace(line, history=history, parts=parts)
    if len(same.ordinary) < RHYTHM:
        return None
    same = replace(same, usual=(fmean(same.ordinary), pstdev(same.ordinary)))
    return same if _is_above(same) == up else None


def _sure(key: Key, floors: float = OVERWHELMING, *, up: bool = True) -> Moved:
    """What needs no second night and no look at chance."""
    return Moved(key, "tonight", max(floors, 1.0), 0.0, 0.0, 1.0, 0.0, up)


def _still_away(name: str) -> Moved:
    """What was away before: no news (`monitoring.vanished`), but no end of it."""
    return Moved(Key("schema", name, ""), "tonight", 1.0, 1.0, 0.0, 1.0, 1.0, up=True)


def key_of(line: NumberLine) -> Key:
    """What a number is of, over all rows."""
    if line.name == "prediction":
        return Key("distribution", "prediction", "")
    return Key(line.name, line.subject if line.name in {"null_share", "guard"} else "", "")


def _first(line: NumberLine, *, is_alone: bool) -> tuple[int, int, bool, float, str]:
    place_of = FELT.index(line.name) if line.name in FELT else len(FELT)
    group = int(is_alone) if line.name in FIRST else 2
    return group, place_of, line.part != ALL_ROWS, -deviations(line), line.subject


def _is_above(line: NumberLine) -> bool:
    return line.value is not None and line.usual is not None and line.value > line.usual[0]


def _is_bad(page: NightPage, line: NumberLine) -> bool:
    return not is_better(line) and not is_thin(line) and not only_set_aside(page, line)


def _is_out(line: NumberLine) -> bool:
    """Whether a number is far out by its verdict, or beyond its limit whatever the verdict."""
    if line.value is None or line.usual is None:
        return False
    return bool(line.far) or is_beyond(line, line.value - line.usual[0])
