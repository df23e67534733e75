"""The statements that run where the rows live: a night's requests with their events, and what the events were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from feedback.records import MATURE, LabelRule, ValueKind
from services.columns import REQUIRED_FEEDBACK_COLUMNS, require
from services.errors import SourceError
from services.window import Night, Window
from store.dialect import instant
from store.query import FEEDBACK
from store.statement import COPY, KEPT, REASON, Selection, judged, marked, typed

Select = sa.Select[Any]
Column = sa.ColumnElement[Any]

OUTCOMES = "ronda_outcomes"
"""Name of the relation that holds a night's recorded outcomes while they are joined to its requests."""

_WITHOUT_OUTCOME = ("request_id_missing", "time_missing", "outside_night", "request_id_duplicated")


@dataclass(frozen=True)
class EventSelection:
    """What is read of a feedback view.

    Attributes:
        window: the events' own window; it cuts the view by `known_at`, unless the query is `bounded`.
        bounded: the query names a placeholder, and so decides itself how late an event may be to be seen.
        value: how `value` is read. Numbers travel as numbers: engines differ in how they write them.
    """

    window: Window
    bounded: bool
    value: ValueKind


def requests_of(window: Window, bounded: bool, duplicates: bool = False) -> Selection:
    """Ids and times of a window's requests: all that outcomes need to know of them."""
    return Selection({"request_id": "id", "time": "time"}, window, bounded, duplicates=duplicates)


def value_kind(
    service: str, nights: str, columns: Mapping[str, str], file: str, rule: LabelRule
) -> ValueKind:
    """How the feedback view's `value` is read.

    Raises:
        SourceError: a column that outcomes need is missing or of the wrong type.
    """
    require(service, nights, file, columns, (*REQUIRED_FEEDBACK_COLUMNS, "value"), times=("time", "known_at"))
    found = columns["value"]
    if found in {"number", "category"}:
        return "number" if found == "number" else "category"
    raise SourceError(
        f"{service}: column `value` of {file} is neither number nor text, so `{rule.written}` cannot be tried on it. "
        "Cast it in the query."
    )


def paired(selection: Selection, events: EventSelection, rule: LabelRule) -> Select:
    """Each request of a night with each event of the outcome's type that became known from its time on.

    A request without any has one row with nulls. Requests that every night sets aside (no id, no time,
    outside the night, a later copy of an id) are left out here as well.

    Result columns: `request_id`, `time`, `event_id`, `known_at`, `value`.
    """
    every = marked(selection).subquery("every")
    inside = sa.and_(
        every.c.time >= instant(selection.window.start), every.c.time < instant(selection.window.end)
    )
    kept = sa.and_(every.c.request_id.is_not(None), every.c.request_id != "", inside, every.c[COPY] == 1)
    requests = sa.select(every.c.request_id, every.c.time).where(kept).subquery("requests")
    of_type = sa.cast(sa.column("type"), sa.Text) == rule.event
    seen = _events(events).where(of_type).subquery("seen")
    belongs = sa.and_(seen.c.request_id == requests.c.request_id, seen.c.known_at >= requests.c.time)
    return sa.select(
        requests.c.request_id, requests.c.time, seen.c.event_id, seen.c.known_at, seen.c.value
    ).select_from(requests.outerjoin(seen, belongs))


def event_reasons(requests: Selection, events: EventSelection, night: Night, rule: LabelRule) -> Select:
    """What the events were that became known during a night: columns `reason` (see `EVENTS`) and `events`.

    Args:
        requests: of a window wide enough for every request such an event may belong to.
        events: a view that holds the night.
        night: each event is counted in the night it became known in, and in no other.
        rule: whose events are asked for.
    """
    known = _numbered(_events(replace(events, bounded=True)), night).subquery("known")
    asked = sa.select(known.c.request_id).where(known.c.request_id.is_not(None))
    logged = typed(requests).subquery("logged")
    first = (
        sa.select(logged.c.request_id, sa.func.min(logged.c.time).label("time"))
        .where(logged.c.request_id.in_(asked))
        .group_by(logged.c.request_id)
        .subquery("first")
    )
    reason = sa.case(
        (known.c.type.is_distinct_from(rule.event), "other_type"),
        (sa.or_(known.c.request_id.is_(None), known.c.request_id == ""), "request_id_missing"),
        (sa.and_(known.c.event_id.is_not(None), known.c.place > 1), "duplicate_event"),
        (first.c.time.is_(None), "unknown_request"),
        (known.c.known_at < first.c.time, "event_before_request"),
        (known.c.known_at > first.c.time + seconds(rule.window), "event_too_late"),
        else_="event_in_time",
    )
    joined = known.outerjoin(first, first.c.request_id == known.c.request_id)
    each = sa.select(reason.label("reason")).select_from(joined).subquery("each")
    return sa.select(each.c.reason, sa.func.count().label("events")).group_by(each.c.reason)


def curated(selection: Selection) -> Select:
    """The staged rows of a night, each with its outcome (as `ronda_outcomes` has it) and why it is left out.

    Result columns: those of the selection, `label`, `known_at`, `joined` (it is one of the requests that
    outcomes were made for) and `left_out`: `kept`, `quarantined_<reason>`, `after_outcomes` (logged since
    they were made), or the state that took the label's place. In the order of time and id.
    """
    rows = judged(selection)
    labels = sa.table(
        OUTCOMES,
        sa.column("request_id", sa.Text),
        sa.column("state", sa.Text),
        sa.column("label", sa.Integer),
        sa.column("known_at", sa.DateTime(timezone=True)),
    )
    belongs = sa.and_(labels.c.request_id == rows.c.request_id, rows.c[REASON].not_in(_WITHOUT_OUTCOME))
    left_out = sa.case(
        (rows.c[REASON] != KEPT, sa.literal("quarantined_") + rows.c[REASON]),
        (labels.c.state.is_(None), "after_outcomes"),
        (labels.c.state != MATURE, labels.c.state),
        else_=KEPT,
    )
    return (
        sa.select(
            *[rows.c[name] for name in selection.columns],
            labels.c.label,
            labels.c.known_at,
            labels.c.state.is_not(None).label("joined"),
            left_out.label("left_out"),
        )
        .select_from(rows.outerjoin(labels, belongs))
        .order_by(rows.c.time, rows.c.request_id)
    )


def seconds(span: timedelta) -> Column:
    """A length of time in seconds, so that no day of 23 or 25 hours can stretch it."""
    return sa.cast(sa.literal(f"{int(span.total_seconds())} seconds", sa.String), sa.Interval)


def _numbered(events: Select, night: Night) -> Select:
    rows = events.subquery("rows")
    # md5, because a database's own collation would put another one first
    order = [rows.c.known_at, sa.func.md5(rows.c.request_id)]
    place = sa.func.row_number().over(partition_by=[rows.c.type, rows.c.event_id], order_by=order)
    during = sa.and_(rows.c.known_at >= instant(night.start), rows.c.known_at < instant(night.end))
    return sa.select(
        rows.c.type, rows.c.event_id, rows.c.request_id, rows.c.known_at, place.label("place")
    ).where(during)


def _events(events: EventSelection) -> Select:
    value: sa.types.TypeEngine[Any] = sa.Double() if events.value == "number" else sa.Text()
    types: dict[str, sa.types.TypeEngine[Any]] = {
        "event_id": sa.Text(), "request_id": sa.Text(), "type": sa.Text(),
        "known_at": sa.DateTime(timezone=True), "value": value,
    }  # fmt: skip
    view = sa.table(FEEDBACK, *[sa.column(name, kind) for name, kind in types.items()])
    statement = sa.select(*[sa.cast(view.c[name], kind).label(name) for name, kind in types.items()])
    if events.bounded:
        return statement
    known_at = sa.cast(view.c.known_at, types["known_at"])
    return statement.where(known_at >= instant(events.window.start), known_at < instant(events.window.end))
