"""What an incident rests on, for who wants the statistics, and the floors that noise raised.

How far something moved would tell a count of 1 to 9 that it is made of: it is written as the cards write it, and not at
all where such a count stands behind it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from monitoring.amounts import blurred
from monitoring.cards import finding_row
from monitoring.explain import deployed
from monitoring.incident import IncidentLine, slice_of
from monitoring.incident_cards import about, place_words
from monitoring.pattern import pattern
from monitoring.records import ALL_ROWS, NUMBERS, FeatureLine, Finding, NightPage, NumberLine
from monitoring.speaking import line_of
from monitoring.text import SMALL, grouped, is_small, say, term
from monitoring.verdicts.incidents import Key

_PATTERNS = {"tonight": "break", "week": "week", "ageing": "ageing", "deployment": "release"}
_RARE = (20, 100, 1_000, 1_000_000)
"""Chance is told as less than one in so many, the furthest that holds."""

Pair = tuple[str, str]
"""Measure and feature."""


def proof(page: NightPage) -> list[dict[str, Any]]:
    """Of each incident seen tonight: against what it moved, how many times its floor, and how likely by chance."""
    lines = sorted((line for line in page.incidents or () if line.is_tonight), key=lambda line: line.number)
    return [_row(page, line) for line in lines]


def _row(page: NightPage, line: IncidentLine) -> dict[str, Any]:
    lead, language = line.lead, page.language
    times = _times(page, line)
    place = place_words(language, slice_of(lead.key))
    what = about(language, lead.key, next((n.subject for n in page.numbers if n.name == "outcome"), ""))
    return {
        "number": line.number,
        "what": f"{what}, {place}" if place else what,
        "against": say(language, f"pattern.{_pattern(page, line)}"),
        "times": times or "–",
        "chance": _chance(language, lead.chance) if times and _is_plain(page, line) else "–",
    }


def _pattern(page: NightPage, line: IncidentLine) -> str:
    """What it moved against, or that a deployment began with it: then that is what to hold it against."""
    if line.lead.comparison != "tonight":
        return _PATTERNS[line.lead.comparison]
    if deployed(page, line.first):
        return "release"
    found = _finding(page, line.lead.key)
    return pattern(found[0]) if found is not None and "usual" in found[0].against else "break"


def _times(page: NightPage, line: IncidentLine) -> str:
    """How many times its floor an incident moved, as far as that may be told; empty where it may not."""
    found = _finding(page, line.lead.key)
    if found is not None:
        times: str = finding_row(*found, page.language)["times"]
        return times
    number = line_of(page, line) if line.lead.key.measure in NUMBERS else None
    if number is None or number.part != slice_of(line.lead.key) or not _is_told(number):
        return ""
    return grouped(page.language, line.lead.floors, 1)


def _finding(page: NightPage, key: Key) -> tuple[Finding, FeatureLine] | None:
    """The check that an incident is told by."""
    return next(
        (
            (finding, feature)
            for feature in page.features
            for finding in feature.findings
            if (finding.measure, finding.feature, finding.slice) == (key.measure, key.feature, slice_of(key))
        ),
        None,
    )


def _is_plain(page: NightPage, line: IncidentLine) -> bool:
    """Whether no category of 1 to 9 rows is part of what an incident is told by; of a number they weigh too little."""
    found = _finding(page, line.lead.key)
    if found is None or found[0].slice != ALL_ROWS or found[0].unit != "js":
        return True
    sides = [side for side in (found[1].reference, found[1].current) if side is not None]
    return not any(is_small(int(rows)) for side in sides for rows in np.asarray(side))


def _is_told(line: NumberLine) -> bool:
    """Whether no small count stands behind a number, tonight or on any night before."""
    return blurred(line) is line  # 5 are drawn as 5, and must not be told by that


def _chance(language: str, chance: float) -> str:
    """How likely it is without a change worth telling, roughly."""
    rare = [many for many in _RARE if chance < 1 / many]
    return say(language, "how.rare", n=max(rare)) if rare else say(language, "how.likely", n=_RARE[0])


def raised(page: NightPage) -> list[str]:
    """The floors that noise raised, a sentence each, furthest first."""
    pairs = sorted(page.raised, key=lambda pair: (-page.raised[pair], pair))
    return [
        say(
            page.language,
            "raised.of",
            what=about(page.language, Key(*pair, ""), _subject(page, pair)),
            said=_raised(page, pair),
        )
        for pair in pairs
    ]


def raised_on(page: NightPage, name: str) -> list[str]:
    """The floors of one feature that noise raised, for its card; of a measure other than its values with its name."""
    own = sorted(pair for pair in page.raised if pair[1] == name and pair[0] not in NUMBERS)
    return [
        _raised(page, pair)
        if pair[0] == "distribution"
        else say(
            page.language,
            "raised.of",
            what=term(page.language, "measure", pair[0]),
            said=_raised(page, pair),
        )
        for pair in own
    ]


def _raised(page: NightPage, pair: Pair) -> str:
    number = page.noise_of.get(pair)
    who = say(page.language, "raised.noise", n=number) if number else say(page.language, "raised.unknown")
    if _hides(page, pair):
        return say(page.language, "raised.more", who=who)
    # up to a tenth of a floor it would tell how many rows moved
    return say(page.language, "raised", who=who, floors=grouped(page.language, math.ceil(page.raised[pair])))


def _hides(page: NightPage, pair: Pair) -> bool:
    """Whether a raised floor could tell a count of 1 to 9 rows that moved once."""
    measure, feature = pair
    subjects = {"", feature} if measure in {"null_share", "guard"} else {""}
    for line in page.numbers:
        if line.name == measure and (not feature or line.subject in subjects) and not _is_told(line):
            return True
    if not measure.endswith("_share"):
        return False
    found = _finding(page, Key(measure, feature, ""))
    if found is None or not found[0].floor or not found[0].rows_current:
        return True
    return page.raised[pair] * found[0].floor * found[0].rows_current < 2 * SMALL


def _subject(page: NightPage, pair: Pair) -> str:
    return next((line.subject for line in page.numbers if line.name == pair[0] == "outcome"), "")
