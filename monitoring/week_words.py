"""What a week came to, in words: one message for all services of an owner, what is still open first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from monitoring.incident import Severity
from monitoring.message import Payload, payload, plain
from monitoring.text import brief_day, say, short, term

NIGHTS = 7
"""Nights of a week."""
_NAMED = 3
_SERVICES = 40  # of a message; the rest is counted, and those with the least to tell are last
_HEADLINE = 160
_MARKS: dict[Severity, str] = {"critical": "🔴", "major": "🟠", "minor": "▫️"}


@dataclass(frozen=True)
class Told:
    """An incident as a week tells it.

    Attributes:
        headline: what it was told with first; empty if it never was.
        features: what it is of; `measure` where that is no feature.
        cost: how long it lasted and what it cost, in a sentence; empty while it is open.
        is_taken: whether somebody looks after it.
        is_quiet: whether somebody said that it is to be quiet for now.
    """

    number: int
    severity: Severity
    headline: str
    features: tuple[str, ...]
    measure: str
    cost: str = ""
    is_taken: bool = False
    is_quiet: bool = False


@dataclass(frozen=True)
class Week:
    """What a week of a service came to.

    Attributes:
        nights: how many were judged; `unsure` how many of them had no verdict.
        opened: incidents that began to be told in it, but for those `withdrawn`: a night was judged anew.
        over: incidents that ended in it, and `left` those that went on at its end; the worst first.
        critical, sent: critical incidents, and others, that had a message of their own; only the latter count
            against `budget`.
        real, noise: what people said of the quarter's incidents until now.
        unanswered: numbers of the quarter's incidents that were told, and nobody said whether they were real.
    """

    service: str
    nights: int
    unsure: int
    opened: int
    withdrawn: int
    over: tuple[Told, ...]
    left: tuple[Told, ...]
    critical: int
    sent: int
    budget: int
    real: int
    noise: int
    unanswered: tuple[int, ...]

    @property
    def is_calm(self) -> bool:
        """Whether no incident was there, and nobody was told anything."""
        return not (self.opened or self.withdrawn or self.over or self.left or self.critical or self.sent)


def week_before(day: date) -> date:
    """The Monday of the last ISO week that was over on a day.

    >>> week_before(date(2026, 5, 10)), week_before(date(2026, 5, 11))
    (datetime.date(2026, 4, 27), datetime.date(2026, 5, 4))
    """
    return day - timedelta(days=day.weekday() + NIGHTS)


def quarter_of(monday: date) -> date:
    """The Monday on which the quarter of a week begins: a week is of the quarter that its Thursday is in, as of its year.

    >>> quarter_of(date(2026, 5, 4)), quarter_of(date(2025, 12, 29)), quarter_of(date(2026, 9, 28))
    (datetime.date(2026, 3, 30), datetime.date(2025, 12, 29), datetime.date(2026, 9, 28))
    """
    thursday = monday + timedelta(days=3)
    first = date(thursday.year, 3 * ((thursday.month - 1) // 3) + 1, 1)
    return first + timedelta(days=(3 - first.weekday()) % NIGHTS - 3)


def week(found: Sequence[Week], monday: date, language: str) -> Payload:
    """One message for the week from a Monday on: what is open, then what was, then services that were calm."""
    told_on = monday + timedelta(days=NIGHTS)
    first, last = (brief_day(language, each, told_on) for each in (monday, told_on - timedelta(days=1)))
    left = say(language, "week.left", n=sum(len(each.left) for each in found))
    title = say(language, "week.title", first=first, last=last, left=left)
    ordered = sorted(found, key=_place)
    lines = [_service(each, language) for each in ordered[:_SERVICES]]
    if len(ordered) > _SERVICES:
        lines.append(plain(say(language, "week.services", n=len(ordered) - _SERVICES)))
    return payload(title, [f"*{plain(title)}*", *_sections(lines)])


def _sections(lines: Sequence[str]) -> list[str]:
    """Services with something to tell stand apart, the calm ones together: a message has 50 blocks at most."""
    told = [line for line in lines if "\n" in line]
    return [*told, "\n".join(line for line in lines if "\n" not in line)]


def _place(each: Week) -> tuple[int, bool, str]:
    """Where a service stands: by the worst that is open, then those where something was, then the calm ones."""
    worst = list(_MARKS).index(each.left[0].severity) if each.left else len(_MARKS)
    return worst, each.is_calm, each.service


def _service(each: Week, language: str) -> str:
    mark = f"{_MARKS[each.left[0].severity]} " if each.left else ""
    name = f"{mark}*{plain(short(each.service))}*"
    if each.is_calm:
        return f"{name}  {plain(_nights(each, language, 'week.calm'))}"
    said = [
        ("week.open", "; ".join(_named(each.left, language))),
        ("week.over", " ".join(f"{one}." for one in _named(each.over, language))),
        _answers(each, language),
    ]
    lines = [f"*{say(language, key)}*  {plain(text)}" for key, text in said if text]
    return "\n".join([f"{name}  {plain(_counts(each, language))}", *lines])


def _nights(each: Week, language: str, key: str) -> str:
    """How many nights were judged; a whole week goes without saying of how many."""
    said = say(language, f"{key}.all" if each.nights == NIGHTS else key, n=each.nights)
    return f"{said} ({say(language, 'week.unsure', n=each.unsure)})" if each.unsure else said


def _counts(each: Week, language: str) -> str:
    parts = [_nights(each, language, "week.nights"), say(language, "week.opened", n=each.opened)]
    if each.withdrawn:
        parts.append(say(language, "week.withdrawn", n=each.withdrawn))
    sent = say(language, "week.sent", n=each.sent, budget=each.budget)
    if each.critical:
        sent += say(language, "week.critical", n=each.critical)
    return f"{', '.join(parts)}. {sent}."


def _answers(each: Week, language: str) -> tuple[str, str]:
    """The quarter's incidents: of which nobody said whether they were real, and how many of the others were."""
    answered, parts = each.real + each.noise, []
    if each.unanswered:
        numbers = ", ".join(str(number) for number in each.unanswered[:_NAMED])
        if len(each.unanswered) > _NAMED:
            numbers = say(language, "story.where.more", places=numbers, n=len(each.unanswered) - _NAMED)
        parts.append(say(language, "week.unanswered", n=len(each.unanswered), numbers=numbers))
    if answered:
        parts.append(say(language, "week.real", n=answered, real=each.real))
    key = {0: "week.answers", 1: "week.was_it_real"}.get(len(each.unanswered), "week.were_they_real")
    return key, " ".join(parts)


def _named(incidents: Sequence[Told], language: str) -> list[str]:
    """Incidents by number and headline, the worst first; those that are too many are counted."""
    said = [_incident(each, language) for each in incidents[:_NAMED]]
    more = len(incidents) - _NAMED
    return [*said, say(language, "week.more", n=more)] if more > 0 else said


def _incident(each: Told, language: str) -> str:
    headline = short(each.headline, _HEADLINE) or _moved(each, language)
    said = say(language, "week.incident", number=str(each.number), headline=headline)
    if each.cost:
        return f"{said}. {each.cost.rstrip('.')}"
    state = "quiet" if each.is_quiet else "taken" if each.is_taken else ""
    return f"{said} ({say(language, f'week.{state}')})" if state else said


def _moved(each: Told, language: str) -> str:
    """What stands for the headline of an incident that had no message: inputs that moved alone."""
    names = ", ".join(f"“{short(name)}”" for name in each.features[:_NAMED])
    if len(each.features) > _NAMED:
        names = say(language, "story.where.more", places=names, n=len(each.features) - _NAMED)
    what = names or term(language, "measure", each.measure)
    return say(language, "week.moved", what=what, n=max(len(each.features), 1))
