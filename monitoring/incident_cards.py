"""A night's incidents on its page: what each is, since when, how it stands, and what it takes to say so.

Figures are those of the night's numbers as `monitoring.amounts` writes them; where there is none that may be told, an
incident is told by what it is about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from monitoring.amounts import change
from monitoring.explain import explain
from monitoring.incident import IncidentLine, rank, ranked, slice_of, watched_as
from monitoring.places import part_in_words
from monitoring.records import ALL_ROWS, NUMBERS, NightPage, NumberLine, Slice
from monitoring.speaking import line_of
from monitoring.telling import headline, listed, tell
from monitoring.text import brief_day, say, short, term
from monitoring.verdicts.incidents import Key

_NAMED = 5
_RESTING = ("muted", "open", "acknowledged", "resolved")


@dataclass(frozen=True)
class Standing:
    """How an incident stands.

    Attributes:
        by: who looks after it, or empty.
        until: the last night it is muted for.
        last: the last night it was seen; None if that is the night it is told on.
    """

    state: str
    by: str = ""
    until: date | None = None
    last: date | None = None


def incidents(page: NightPage) -> dict[str, Any]:
    """The incidents of a page: those that speak, inputs that moved alone, and those that must not be forgotten."""
    lines = ranked(page.incidents or ())
    shown = [line for line in lines if line.speaks]
    minor = [line for line in lines if line not in shown and line.severity == "minor" and _is_seen(line)]
    resting = [line for line in lines if line not in shown and line not in minor]
    alone = [say(page.language, "incident.alone", n=len(minor))] if minor else []
    rest = _rest(page, resting)
    return {
        "shown": [_card(page, line) for line in shown],
        "minor": [_card(page, line) for line in minor],
        "resting": [_card(page, line) for line in resting],
        "alone": " · ".join(alone),
        "rest": " · ".join(rest),
        "folded": " · ".join([*rest, *alone]),
    }


def standing_words(language: str, stands: Standing, beside: date) -> str:
    """How an incident stands, in a few words.

    >>> standing_words("en", Standing("muted", until=date(2026, 5, 15)), date(2026, 5, 12))
    'muted until Fri 15 May'
    """
    key = f"incident.{stands.state}" + (".taken" if stands.by and stands.state == "acknowledged" else "")
    until = brief_day(language, stands.until, beside) if stands.until else ""
    said = say(language, key, by=short(stands.by), until=until)
    if stands.last is None or stands.state == "resolved":
        return said
    return say(language, "incident.unseen", said=said, last=brief_day(language, stands.last, beside))


def about(language: str, key: Key, subject: str = "") -> str:
    """What an incident or a part of it is about: a feature by its name, a number by what people call it.

    Args:
        subject: what the service calls an outcome.

    >>> about("en", Key("null_share", "city", "")), about("en", Key("errors", "", ""))
    ('missing values of “city”', 'errors')
    """
    if key.measure == "outcome" and subject:
        return say(language, "story.column", name=short(subject))
    if (key.measure in NUMBERS and key.measure != "guard") or not key.feature or key.measure == "schema":
        return term(language, "measure", key.measure)
    if watched_as(key) == "prediction":
        return say(language, "watched.prediction")
    name = say(language, "story.column", name=short(key.feature))
    return say(language, "incident.nulls", name=name) if key.measure == "null_share" else name


def place_words(language: str, part: Slice) -> str:
    """The part of the traffic an incident is in; empty for all of it."""
    return "" if part == ALL_ROWS else part_in_words(part, language)


def planned(page: NightPage) -> list[str]:
    """What was planned and explains what moved tonight, a sentence each."""
    found: dict[str, list[Key]] = {}
    for key, what in page.planned.items():
        found.setdefault(what, []).append(key)
    return [
        say(page.language, "incident.planned", what=short(what, 120), names=_watched(keys, page.language))
        for what, keys in sorted(found.items())
    ]


def _watched(keys: Sequence[Key], language: str) -> str:
    words = dict.fromkeys(watched_as(key) for key in sorted(keys, key=_order))
    return listed([say(language, f"watched.{word}") for word in words], language)


def _rest(page: NightPage, resting: Sequence[IncidentLine]) -> list[str]:
    """How many incidents are muted (and until when), open but not seen, looked after, over: a phrase each."""
    said = []
    for state in _RESTING:
        own = [line for line in resting if line.state == state]
        untils = [line.until for line in own if line.until is not None]
        until = brief_day(page.language, min(untils), page.night) if untils else ""
        if own:
            said.append(say(page.language, f"incident.rest.{state}", n=len(own), until=until))
    return said


def _is_seen(line: IncidentLine) -> bool:
    return line.is_tonight and line.state in {"open", "acknowledged"}


def _card(page: NightPage, line: IncidentLine) -> dict[str, Any]:
    """One incident as the page shows it."""
    language, own = page.language, _own_line(page, line)
    names, more = _along(page, line)
    # an outcome is told some nights after its own, and has gone on since that many nights before
    first = line.first + (own.of_night - page.night) if own is not None else line.first
    stands = Standing(line.state, line.taken_by, line.until, None if line.is_tonight else line.last)
    said = _what(page, line, own)
    return {
        "number": line.number,
        "severity": line.severity,
        "what": said[:1].upper() + said[1:],
        "change": change(own, language) if own is not None else "",
        "facts": [
            (name, text)
            for name, text in (
                ("where", place_words(language, slice_of(line.lead.key))),
                ("since", _since(language, first, page.night, len(line.seen))),
                ("along", say(language, "incident.more", names=", ".join(names), n=more) if more else ", ".join(names)),
            )
            if text
        ],
        "stands": standing_words(language, stands, page.night),
        "wait": say(language, f"incident.{line.severity}"),
        "command": f"ronda incident {short(page.service)} {line.number}",
    }  # fmt: skip


def _since(language: str, first: date, night: date, nights: int) -> str:
    return say(language, "incident.since", n=nights, night=brief_day(language, first, night))


def _own_line(page: NightPage, line: IncidentLine) -> NumberLine | None:
    """The number that tells an incident tonight, measured in the very part of the traffic that it is in."""
    found = line_of(page, line) if line.is_tonight else None
    return found if found is not None and found.part == slice_of(line.lead.key) else None


def _what(page: NightPage, line: IncidentLine, own: NumberLine | None) -> str:
    """What users see of an incident; what it is about, where no number of the night may tell it."""
    if own is not None:
        return headline(page, replace(own, part=ALL_ROWS))
    if line.is_tonight and line.lead.key.measure == "schema":
        return tell(page, explain(page, line)).headline
    what = about(page.language, line.lead.key, _outcome(page))
    return say(page.language, "incident.moved", what=what) if line.is_tonight else what


def _along(page: NightPage, line: IncidentLine) -> tuple[list[str], int]:
    """What else belongs to an incident: the first few names, what users feel first, and how many more there are.

    A feature is named once, whichever of its measures moved.
    """
    once = {line.lead.key.feature or line.lead.key.measure: ""}
    for key in sorted(line.keys, key=_order):
        once.setdefault(key.feature or key.measure, _name(page, key))
    names = [name for name in once.values() if name]
    return names[:_NAMED], max(0, len(names) - _NAMED)


def _name(page: NightPage, key: Key) -> str:
    if watched_as(key) == "features":
        return say(page.language, "story.column", name=short(key.feature))
    return about(page.language, key, _outcome(page))


def _outcome(page: NightPage) -> str:
    return next((line.subject for line in page.numbers if line.name == "outcome"), "")


def _order(key: Key) -> tuple[int, Key]:
    return rank(key), key
