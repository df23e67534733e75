"""What is said in an incident's thread, and of incidents in the morning; the first message is `message.alert`'s."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from monitoring.amounts import tonight_is_bound, usual_is_bound
from monitoring.explain import explain
from monitoring.incident import IncidentLine
from monitoring.message import Payload, links, payload, plain
from monitoring.records import NightPage
from monitoring.story import Story
from monitoring.telling import noun, tell
from monitoring.text import brief_day, grouped, is_small, number, roughly, say, short, term
from services.model import Service

Pair = tuple[str, str]
"""Measure and feature."""

Facts = Mapping[str, Any]
"""What is kept of an incident for its threads: `headline`, `noun` and, by night, `more`, `points` and `change`.

By night too is `said`, what its message said of the last nights: of one that is judged anew it may have to take that
back.
"""

Over = Literal["unseen", "measured", "usual"]
"""How an incident ends by itself: not seen for some nights; what was gone is measured again, or not asked for any more."""
_OVER: Mapping[Over, str] = {
    "unseen": "thread.resolved",
    "measured": "thread.resolved.schema",
    "usual": "thread.resolved.schema.usual",
}

_NAMED = 3
_TOLD = 2
_SAID = 2
"""So many nights are kept as they were said."""
_SLACK_ID = re.compile(r"[UW](?=[A-Z]*[0-9])[A-Z0-9]{7,14}")


@dataclass(frozen=True)
class End:
    """What somebody said that ended an incident.

    Attributes:
        text: the sentence, see `said`.
        was_it_real: whether that tells if it was real, so that nobody need be asked.
    """

    text: str
    by: str
    was_it_real: bool


def facts(page: NightPage, story: Story, before: Facts, said: str = "") -> dict[str, Any]:
    """What a night adds to what is known of an incident; the headline stays that of its first night.

    Args:
        said: what its message says of this night, as text of the outbox; empty if nothing is said.
    """
    told = tell(page, story)
    lead = story.lead
    points = None
    hidden = lead is not None and (tonight_is_bound(lead) or usual_is_bound(lead))
    if lead is not None and lead.name == "outcome" and lead.value is not None and lead.usual and not hidden:
        points = round(100 * (lead.value - lead.usual[0]), 2)
    measure = lead.name if lead is not None else ""
    tonight = {
        "change": told.change or told.headline, "more": story.more, "points": points, "measure": measure
    }  # fmt: skip
    day = page.night.isoformat()
    nights = {**before.get("nights", {}), day: tonight}
    kept = {**before.get("said", {}), **({day: said} if said else {})}
    return {
        "headline": before.get("headline") or told.headline,
        "noun": noun(page),
        "measure": before.get("measure") or measure,
        "nights": dict(sorted(nights.items())),
        "said": dict(sorted(kept.items())[-_SAID:]),
    }


def without(known: Facts, day: str) -> dict[str, Any]:
    """What is known of an incident but for a night, which judged anew does not show it."""
    parts = {
        name: {at: each for at, each in known.get(name, {}).items() if at != day}
        for name in ("nights", "said")
    }
    return {**known, **parts}


def went_on(page: NightPage, line: IncidentLine, story: Story, *, back: bool) -> Payload:
    """The answer in the thread of an incident that is seen on another night.

    Args:
        back: it was resolved, and is seen again.
    """
    language, told = page.language, tell(page, story)
    text = say(
        language,
        "thread.back" if back else "thread.night",
        n=len(line.seen),
        night=brief_day(language, page.night, page.night),
        said=told.change or told.headline,
    )
    if not line.taken_by:
        return payload(text, [plain(text)])
    taken = say(language, "thread.taken", who=short(line.taken_by))
    return payload(f"{text} {taken}", [f"{plain(text)} {_with_mention(taken, line.taken_by)}"])


def resolved(
    service: Service,
    number: int,
    last: date,
    known: Facts,
    end: End | None = None,
    *,
    nights: int,
    over: Over = "unseen",
) -> tuple[Payload, Payload]:
    """What the first message of an incident that is over becomes, and the answer that says what it cost.

    Args:
        last: the last night it was seen.
        known: see `facts`.
        end: who said that it is over; None if it was not seen for some nights.
        nights: on how many it was seen.
        over: how it ended, if nobody said so.
    """
    language = service.language
    headline = known.get("headline", "")
    title = say(language, "thread.resolved.title", service=service.service, headline=headline, n=number)
    by_itself = say(language, _OVER[over], last=brief_day(language, last, last))
    text = end.text if end is not None else by_itself
    said = f"{_with_mention(text, end.by) if end is not None else plain(text)} {plain(cost(service, known, nights))}"
    asked = "" if end is not None and end.was_it_real else say(language, "thread.was_it_real")
    root = payload(title, [f"*{plain(title)}*", said])
    return root, payload(text, [f"{said}\n{plain(asked)}".rstrip("\n")])


def cost(service: Service, known: Facts, seen: int) -> str:
    """How long an incident lasted, and what it cost, in a sentence."""
    language, nights = service.language, known.get("nights", {})
    parts = [say(language, "thread.cost", n=seen)]
    own = [
        each for each in nights.values() if each.get("measure", known.get("measure")) == known.get("measure")
    ]
    more = sum(each["more"] for each in own if each.get("more"))
    if (
        known.get("measure") in {"outcome", "errors", "null_share", "volume"}
        and more
        and not is_small(abs(more))
    ):
        key = f"thread.cost.{'volume.down' if more < 0 else known['measure']}"
        parts.append(say(language, key, amount=roughly(language, abs(more)), noun=known.get("noun", "")))
    points = [each["points"] for each in nights.values() if each.get("points") is not None]
    if points:
        mean = sum(points) / len(points)
        parts.append(say(language, "thread.cost.points", points=number(language, mean, 2)))
    return f"{', '.join(parts)}."


def withdrawn(
    service: Service, number: int, first: date, told_on: date, known: Facts, page_path: str
) -> Payload:
    """What the first message of an incident becomes that a night, judged anew, does not show any more.

    Args:
        first: the night it was seen first; `told_on` the day people heard of it.
        page_path: the place of the page that was judged anew, below the pages' own address: it says why.
    """
    text = say(
        service.language,
        "thread.withdrawn",
        service=service.service,
        headline=known.get("headline", ""),
        n=number,
        night=brief_day(service.language, first, told_on),
    )
    return payload(text, [plain(text), links(service, page_path, service.language)])


def answered(
    service: Service, what: str, by: str, until: date | None, reason: str, *, raised: str = ""
) -> Payload:
    """The answer in the thread when somebody said what an incident is.

    Args:
        raised: by how much the floors were raised that noise raises, in words.
    """
    text = said(service, what, by, until, reason, raised=raised)
    return payload(text, [_with_mention(text, by)])


def said(
    service: Service, what: str, by: str, until: date | None = None, reason: str = "", *, raised: str = ""
) -> str:
    """What somebody said of an incident, in a sentence."""
    language = service.language
    day = brief_day(language, until, until) if until is not None else ""
    return say(
        language, f"thread.said.{what}", who=short(by), until=day, reason=short(reason, 200), raised=raised
    )


def taken_back(service: Service, by: str) -> Payload:
    """The answer in the thread when somebody took their reaction away."""
    text = say(service.language, "thread.taken_back", who=short(by))
    return payload(text, [_with_mention(text, by)])


def undone(service: Service, what: str, by: str, who: str) -> Payload:
    """The answer in the thread when somebody (`who`) took back by command what was said by command (`by`)."""
    said_it = term(service.language, "answer", what)
    text = say(service.language, "thread.taken_back.of", who=short(who), what=said_it, by=short(by))
    return payload(text, [plain(text)])


def raised_words(language: str, floors: Mapping[Pair, float]) -> str:
    """Which floors noise raised, and to how many times what they were, furthest first."""
    # rounded up: up to a tenth of a floor it would tell how many rows moved
    parts = [
        say(
            language,
            "thread.raised",
            what=_pair_words(language, *pair),
            floors=grouped(language, math.ceil(times)),
        )
        for pair, times in sorted(floors.items(), key=lambda each: (-each[1], each[0]))
    ]
    shown = ", ".join(parts[:_NAMED])
    if len(parts) <= _NAMED:
        return shown
    return say(language, "story.where.more", places=shown, n=len(parts) - _NAMED)


def _pair_words(language: str, measure: str, feature: str) -> str:
    name = term(language, "measure", measure)
    return f"{name} “{short(feature)}”" if feature else name


def _with_mention(text: str, by: str) -> str:
    """A sentence as Slack shows it; who is named by an id of Slack's is mentioned, and nothing else in it can be.

    >>> _with_mention("U0ANA00001 is on it.", "U0ANA00001"), _with_mention("<!here> is on it.", "<!here>")
    ('<@U0ANA00001> is on it.', '&lt;!here&gt; is on it.')
    """
    safe = plain(text)
    # every sentence names who spoke before anything that comes from data
    return safe.replace(by, f"<@{by}>", 1) if _SLACK_ID.fullmatch(by) else safe


def ask_until(service: Service, example: date) -> Payload:
    """The question after somebody said that an incident is expected."""
    text = say(service.language, "thread.until", day=example.isoformat())
    return payload(text, [plain(text)])


def too_far(service: Service, last: date) -> Payload:
    """The answer to a date that is further ahead than an incident can be expected."""
    text = say(service.language, "thread.until.far", day=last.isoformat())
    return payload(text, [plain(text)])


def morning_words(page: NightPage, lines: Sequence[tuple[IncidentLine, str]]) -> str:
    """The incidents of a night that wait for the morning, each with why: `minor`, `again`, `budget`, `would`."""
    said = []
    for line, why in lines:
        what = _inputs(page, line) if why in {"minor", "again"} else _headline(page, line)
        said.append(say(page.language, f"morning.incident.{why}", n=line.number, what=what))
    if len(said) > _TOLD:  # a line of the morning has room for so many
        said = [*said[:_TOLD], say(page.language, "morning.incident.more", n=len(said) - _TOLD)]
    return "; ".join(said)


def _headline(page: NightPage, line: IncidentLine) -> str:
    told = tell(page, explain(page, line))
    return f"{told.headline} ({told.change})" if told.change else told.headline


def _inputs(page: NightPage, line: IncidentLine) -> str:
    names = sorted({key.feature for key in line.keys if key.feature})
    shown = ", ".join(f"“{short(name)}”" for name in names[:_NAMED])
    if len(names) > _NAMED:
        shown = say(page.language, "story.where.more", places=shown, n=len(names) - _NAMED)
    return shown or term(page.language, "measure", line.lead.key.measure)
