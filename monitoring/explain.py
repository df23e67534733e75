"""What a night comes to, in the order people ask: what, how much, where, since when, can it wait.

A step over plain records: it chooses and counts, and leaves every word to `monitoring.report` and
`monitoring.message`, so that page and message tell the same story.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import takewhile

from monitoring.incident import WATCHED, IncidentLine, watched_as
from monitoring.mix import mix
from monitoring.records import ALL_ROWS, DeploymentLine, NightPage, NumberLine
from monitoring.speaking import key_of, line_of, speaking, state_of, told
from monitoring.standing import limit, lost, only_set_aside, place
from monitoring.story import Affected, Story, Where
from monitoring.text import blur
from monitoring.where import is_up, where
from services.window import night_of

_NEAR = 0.05
_DAY = timedelta(days=1)


def explain(page: NightPage, incident: IncidentLine | None = None) -> Story:
    """The story of a night, or of one of its incidents; a quiet night is told by its state alone.

    The first incident to be told takes along what else users feel that night; every other one is told alone.
    """
    first = next(iter(speaking(page)), None)
    if incident is not None and (incident != first or _is_beside_the_data(page, incident)):
        return _alone(page, incident)
    state, lines = state_of(page), _with_its_own_first(page, first)
    far = [
        line
        for line in page.numbers
        if line.name in WATCHED and place(line).far and not only_set_aside(page, line)
    ]
    names = {WATCHED[line.name] for line in (*lines, *lost(page), *(far if lines else ()))}
    if state == "data":
        names.add("schema")
    serving = max(page.deployments, key=lambda d: d.requests, default=None)
    urgent = tuple(name for name in page.critical if name in names)
    calm = tuple(name for name in page.critical if name not in names and _is_calm(page, name))
    if state == "data" or not lines:
        since = page.night if state == "data" else None
        if first is not None and state != "data":
            return _alone(page, first)
        return Story(
            state, others=lines, since=since, serving=serving, urgent=urgent, calm=calm, incident=first
        )
    return _story(page, lines, first, urgent, calm)


def _is_beside_the_data(page: NightPage, incident: IncidentLine) -> bool:
    """Whether the night says first that its data are wrong, and the incident is another."""
    return state_of(page) == "data" and incident.lead.key.measure != "schema"


def _with_its_own_first(page: NightPage, first: IncidentLine | None) -> tuple[NumberLine, ...]:
    """What is told, without a lead that another incident of this night is told by."""
    others = [line_of(page, each) for each in speaking(page) if each != first]
    theirs = {(line.name, line.subject, line.part) for line in others if line is not None}
    return tuple(
        sorted(told(page), key=lambda line: (line.name, line.subject, line.part) in theirs)  # stable
    )


def _alone(page: NightPage, incident: IncidentLine) -> Story:
    """The story of an incident by itself."""
    words = {watched_as(key) for key in incident.keys}
    urgent = tuple(name for name in page.critical if name in words)
    calm = tuple(name for name in page.critical if name not in words and _is_calm(page, name))
    line = line_of(page, incident)
    if line is not None:
        return _story(page, (line,), incident, urgent, calm)
    state = "data" if incident.lead.key.measure == "schema" else "changed"
    since, nights = incident.first, len(incident.seen)
    serving = _serving(page, since)
    began = None if state == "data" else _began_with(page, incident, since)
    return Story(
        state,
        since=since,
        nights=nights,
        deployed=began,
        serving=serving,
        urgent=urgent,
        calm=calm,
        incident=incident,
    )


def _story(
    page: NightPage,
    lines: tuple[NumberLine, ...],
    incident: IncidentLine | None,
    urgent: tuple[str, ...],
    calm: tuple[str, ...],
) -> Story:
    lead = lines[0]
    since, nights = _since(lead)
    if incident is not None and incident.first < page.night and _is_of(lead, incident):
        # an outcome is told some nights after its own, and has gone on since that many nights before
        since = min(since, incident.first + (lead.of_night - page.night))
        nights = max(nights, len(incident.seen))
    own = Affected(lead.part, lead)
    return Story(
        state=state_of(page),
        lead=lead,
        others=lines[1:],
        more=_more(lead),
        expected=_expected(page, lead) if lead.part == ALL_ROWS else None,
        where=(
            Where("some", (own,))
            if lead.part != ALL_ROWS
            else mix(lead, page.places) or where(lead, page.places)
        ),
        since=since,
        nights=nights,
        deployed=_began_with(page, incident, since),
        serving=_serving(page, since),
        urgent=urgent,
        calm=calm,
        incident=incident,
    )


def _is_of(lead: NumberLine, incident: IncidentLine) -> bool:
    """Whether a number is part of an incident, and not only told with it: it has not gone on since that began."""
    key = key_of(lead)
    return (key.measure, key.feature) in {(each.measure, each.feature) for each in incident.keys}


def _since(lead: NumberLine) -> tuple[date, int]:
    """The first of the nights in a row that were as far from usual as tonight, and how many they are."""
    assert lead.usual is not None  # a number without a past is never told
    least = limit(lead.name) * lead.usual[1]
    usual, up = lead.usual[0], is_up(lead)

    def as_far(night: tuple[date, float | None]) -> bool:
        value = night[1]
        away = 0.0 if value is None else value - usual
        return abs(away) >= max(least, 1e-9 * max(1.0, abs(usual))) and (away > 0) == up

    row = list(takewhile(as_far, reversed(lead.history)))
    return (row[-1][0] if row else lead.of_night), len(row) + 1


def _more(lead: NumberLine) -> int | None:
    """How many requests more than usual the number stands for; None for a mean."""
    if lead.value is None or lead.usual is None:
        return None
    if lead.name == "volume":
        return round(lead.value - lead.usual[0])
    if lead.name in {"outcome", "errors", "null_share"} and lead.denominator:
        part = lead.numerator if lead.numerator is not None else lead.value * lead.denominator
        # blurred, so that the difference to what is usual does not tell how many they are
        return round(blur(part) - lead.usual[0] * lead.denominator)
    return None


def _expected(page: NightPage, lead: NumberLine) -> float | None:
    """The mean prediction of the night whose outcome is told.

    Only where predictions are of the outcome, which their past says: its mean lies within a quarter of the
    outcome's own (or 5 points).
    """
    if lead.name != "outcome" or lead.usual is None:
        return None
    for line in page.numbers:
        if line.name == "prediction" and line.format == "share" and line.usual is not None:
            near = abs(line.usual[0] - lead.usual[0]) <= max(_NEAR, lead.usual[0] / 4)
            nights = dict(line.history) | {line.of_night: line.value}
            return nights.get(lead.of_night) if near else None
    return None


def deployed(page: NightPage, since: date) -> DeploymentLine | None:
    """The last deployment that began on the night the change began, or within a day before it."""
    night = night_of(since, page.time_zone)
    began = [(_instant(line), line) for line in (*page.known, *page.deployments) if line.started_at]
    near = [(at, line) for at, line in began if night.start - _DAY <= at < night.end]
    return max(near, key=lambda pair: pair[0])[1] if near else None


def _began_with(page: NightPage, incident: IncidentLine | None, since: date) -> DeploymentLine | None:
    """The deployment that a change began with: of what is seen over the nights since one, that one."""
    found = deployed(page, since)
    if found is not None or incident is None or incident.lead.comparison != "deployment":
        return found
    newest = max(page.deployments, key=lambda line: line.requests, default=None)
    return newest if newest is not None and newest.started_at else None


def _serving(page: NightPage, since: date) -> DeploymentLine | None:
    """What was there before the change began: what serves most tonight, else the last to begin before it."""
    start = night_of(since, page.time_zone).start
    before = [line for line in page.deployments if line.started_at and _instant(line) < start]
    if before:
        return max(before, key=lambda line: line.requests)
    earlier = [line for line in page.known if line.started_at and _instant(line) < start]
    return max(earlier, key=_instant, default=None)


def _instant(line: DeploymentLine) -> datetime:
    at = datetime.fromisoformat(line.started_at)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _is_calm(page: NightPage, name: str) -> bool:
    """Whether something critical was measured tonight and is as usual."""
    lines = [line for line in page.numbers if WATCHED.get(line.name) == name]
    return bool(lines) and all(
        place(line).word not in {"none", "early"} and not place(line).far for line in lines
    )
