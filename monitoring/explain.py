"""What a night comes to, in the order people ask: what, how much, where, since when, can it wait.

A step over plain records: it chooses and counts, and leaves every word to `monitoring.report` and
`monitoring.message`, so that page and message tell the same story.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import takewhile
from typing import Literal

from monitoring.records import OF, Affected, DeploymentLine, NightPage, NumberLine, Slice, Story, Where
from monitoring.standing import FEW, OTHER_LIMIT, OUTCOME_LIMIT, lost, place, state_of, told
from monitoring.text import SMALL
from services.window import night_of

WATCHED = {
    "outcome": "outcome", "errors": "errors", "volume": "volume", "null_share": "nulls", "prediction": "prediction",
    "latency_ms": "latency", "first_token_ms": "latency", "cost": "cost", "tokens_in": "cost", "tokens_out": "cost",
}  # fmt: skip
"""Number -> what the service file calls it in `critical` and `morning`."""

_NEARLY_ALL = 0.8
_MOST = 3
_NEAR = 0.05
_DAY = timedelta(days=1)


def explain(page: NightPage) -> Story:
    """The story of a night; a quiet one is told by its state alone."""
    state, lines = state_of(page), told(page)
    far = [line for line in page.numbers if line.name in WATCHED and place(line).far]
    names = {WATCHED[line.name] for line in (*lines, *lost(page), *(far if lines else ()))}
    if state == "data":
        names.add("schema")
    serving = max(page.deployments, key=lambda d: d.requests, default=None)
    urgent = tuple(name for name in page.critical if name in names)
    calm = tuple(name for name in page.critical if name not in names and _is_calm(page, name))
    if state == "data" or not lines:
        since = page.night if state == "data" else None
        return Story(state, others=lines, since=since, serving=serving, urgent=urgent, calm=calm)
    lead = lines[0]
    since, nights = _since(lead)
    return Story(
        state=state,
        lead=lead,
        others=lines[1:],
        more=_more(lead),
        expected=_expected(page, lead),
        where=where(lead, page.places),
        since=since,
        nights=nights,
        deployed=_deployed(page, since),
        serving=_serving(page, since),
        urgent=urgent,
        calm=calm,
    )


def where(lead: NumberLine, places: Sequence[NumberLine]) -> Where:
    """Which slices moved the way the number did.

    A slice is judged when it has `FEW` requests and a past; it is affected when it is beyond the number's own
    limit (2 standard deviations of the slice's last nights for an outcome, 3 for others) in the same direction.
    It is everywhere when that is true of four fifths of all requests in every dimension; `some` when the affected
    slices make up four fifths of the change, else `mostly`.
    """
    up = _is_up(lead)
    judged = [
        line for line in places if line.name == f"{lead.name}.slice" and _rows(line) >= FEW and line.usual
    ]
    if not judged:
        return Where("unknown")
    hit = [line for line in judged if _is_up(line) == up and _beyond(line, lead)]
    of = Counter(_slice(line).dimension for line in judged)
    among = Counter(_slice(line).dimension for line in hit)
    ranked = sorted(hit, key=lambda line: (-abs(_away(line)) * _rows(line), line.subject))
    if not hit:
        return Where("none", (), among, of)
    if all(_share_hit(name, hit, judged) >= _NEARLY_ALL for name in of):
        strongest = sorted(hit, key=lambda line: (-abs(_away(line)), line.subject))
        first = {_slice(line).dimension: line for line in reversed(strongest)}
        return Where("everywhere", tuple(_affected(first[name]) for name in of if name in first), among, of)
    kind: Literal["some", "mostly"] = "some" if _explained(hit, judged, up=up) >= _NEARLY_ALL else "mostly"
    return Where(kind, tuple(map(_affected, ranked[:_MOST])), among, of)


def _explained(hit: Sequence[NumberLine], judged: Sequence[NumberLine], *, up: bool) -> float:
    """How much of the change is in the affected slices, in the dimension where they explain most of it."""
    best = 0.0
    for dimension in {_slice(line).dimension for line in hit}:
        own = [line for line in judged if _slice(line).dimension == dimension and _is_up(line) == up]
        every = sum(abs(_away(line)) * _rows(line) for line in own)
        inside = sum(abs(_away(line)) * _rows(line) for line in own if line in hit)
        best = max(best, inside / every if every else 0.0)
    return best


def _share_hit(dimension: str, hit: Sequence[NumberLine], judged: Sequence[NumberLine]) -> float:
    """The share of a dimension's requests that are in affected slices."""
    inside, every = (
        sum(_rows(line) for line in lines if _slice(line).dimension == dimension) for lines in (hit, judged)
    )
    return inside / every if every else 0.0


def _beyond(line: NumberLine, lead: NumberLine) -> bool:
    limit = OUTCOME_LIMIT if lead.name == "outcome" else OTHER_LIMIT
    return line.usual is not None and abs(_away(line)) >= limit * line.usual[1] and _away(line) != 0


def _away(line: NumberLine) -> float:
    return 0.0 if line.value is None or line.usual is None else line.value - line.usual[0]


def _is_up(line: NumberLine) -> bool:
    return _away(line) > 0


def _rows(line: NumberLine) -> int:
    """Requests a slice's number rests on; of a volume that fell, those it usually has."""
    if line.name.startswith("volume") and line.usual is not None and line.value is not None:
        return round(max(line.value, line.usual[0]))
    return line.denominator or 0


def _slice(line: NumberLine) -> Slice:
    dimension, _, value = line.subject.partition(OF)
    return Slice(dimension, value)


def _affected(line: NumberLine) -> Affected:
    assert line.usual is not None and line.value is not None  # noqa: PT018 - `where` kept only such lines
    return Affected(_slice(line), line.usual[0], line.value, _rows(line))


def _since(lead: NumberLine) -> tuple[date, int]:
    """The first of the nights in a row that were as far from usual as tonight, and how many they are."""
    assert lead.usual is not None  # a number without a past is never told
    limit = (OUTCOME_LIMIT if lead.name == "outcome" else OTHER_LIMIT) * lead.usual[1]
    usual, up = lead.usual[0], _is_up(lead)

    def as_far(night: tuple[date, float | None]) -> bool:
        value = night[1]
        away = 0.0 if value is None else value - usual
        return abs(away) >= max(limit, 1e-9 * max(1.0, abs(usual))) and (away > 0) == up

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
        # 1 to 9 requests count as 5, so that the difference to what is usual does not tell how many they are
        part = SMALL / 2 if 0 < part < SMALL else part
        return round(part - lead.usual[0] * lead.denominator)
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


def _deployed(page: NightPage, since: date) -> DeploymentLine | None:
    """The last deployment that began on the night the change began, or within a day before it."""
    night = night_of(since, page.time_zone)
    began = [(_instant(line), line) for line in (*page.known, *page.deployments) if line.started_at]
    near = [(at, line) for at, line in began if night.start - _DAY <= at < night.end]
    return max(near, key=lambda pair: pair[0])[1] if near else None


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
