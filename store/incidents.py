"""Incidents: what moved on each night, what became of it under which number, and what people said of that."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from itertools import groupby
from typing import Literal

import sqlalchemy as sa

from services.errors import StateError
from store import rows
from store.tables import answers_taken_back, incident_answers, incidents, moves, nights

Comparison = Literal["tonight", "week", "ageing", "deployment"]

_BIGGEST = 2**63  # what a whole number of the databases ends before


@dataclass(frozen=True)
class MoveRow:
    """A finding of one night that incidents are made of.

    Attributes:
        slice: the dimension, the separator U+001F and the value; `''` for all rows. Like every key, a text of more than
            300 bytes comes back shortened.
        floors: effect in floors; `whole` is that of all rows.
        chance, alone: probabilities, however small.
        share: the slice's part of all rows, 0 to 1.
        up: whether it rose.
        beside: canonical JSON of the features that moved on the same night and always do so together with it; `''` if none.
    """

    measure: str
    feature: str
    slice: str
    comparison: Comparison
    floors: float
    chance: float
    whole: float
    share: float
    alone: float
    up: bool
    beside: str = ""


@dataclass(frozen=True)
class IncidentRow:
    """One incident as it stands. `id` is 0 until it is recorded.

    Attributes:
        number: what people call it; one of its service, for good.
        first: the night it was seen first; `opened` the one it was told on, `last` the last it was seen.
        resolved: the night it ended; None while it goes on.
        seen: on how many nights; `reopened` how many times.
        told: how people heard of it; `''` if they did not.
        measure, feature, slice, comparison, floors, up: of the finding that tells it best.
        keys: canonical JSON of everything that has been part of it.
        detail: canonical JSON of whatever else is shown.
    """

    service: str
    number: int
    first: date
    opened: date
    last: date
    resolved: date | None
    state: Literal["open", "acknowledged", "resolved", "muted", "withdrawn"]
    severity: Literal["critical", "major", "minor"]
    seen: int
    reopened: int
    told: Literal["", "post", "digest"]
    measure: str
    feature: str
    slice: str
    comparison: Comparison
    floors: float
    up: bool
    keys: str
    detail: str
    recorded_at: datetime
    id: int = 0


@dataclass(frozen=True)
class AnswerRow:
    """What a person said of an incident. `id` is 0 until it is recorded.

    Attributes:
        key: names it among all answers to this incident: what is read again has the same one, and is known.
        at: when it was said.
        until: the last night it holds for; None if no end was named.
    """

    service: str
    number: int
    what: Literal["taken", "real", "expected", "noise", "resolved", "muted"]
    by: str
    source: Literal["slack", "command"]
    key: str
    at: datetime
    reason: str = ""
    until: date | None = None
    id: int = 0


@dataclass(frozen=True)
class TakenBackRow:
    """An answer that does not count any more. `id` is 0 until it is recorded.

    Attributes:
        back_by, back_at: who took it back, and when; the rest is as it was said (`AnswerRow`).
    """

    service: str
    number: int
    what: Literal["taken", "real", "expected", "noise", "resolved", "muted"]
    by: str
    source: Literal["slack", "command"]
    key: str
    at: datetime
    reason: str
    until: date | None
    back_by: str
    back_at: datetime
    id: int = 0


def moves_since(
    connection: sa.Connection, service: str, first: date | None, until: date
) -> dict[date, list[MoveRow]]:
    """What moved on each judged night from `first` (None: from the beginning) to `until`, both included.

    Each night counts in its latest revision and has an entry, oldest first, though nothing moved on it. The rows of
    a night are in the order of measure, feature and slice.

    In a transaction that may write, the incidents of the service are held from here to its end: two runs would
    otherwise fold nights that the other has not seen, and give one number to two incidents.
    """
    _hold(connection, service)
    kept = rows.select_as(moves, MoveRow).selected_columns
    statement = (
        sa.select(nights.c.night, *kept)
        .select_from(nights.outerjoin(moves, moves.c.night_id == nights.c.id))
        .where(nights.c.service == service, nights.c.night <= until)
        .where(rows.is_newest(nights, "service", "night"))
        .order_by(nights.c.night)
    )
    if first is not None:
        statement = statement.where(nights.c.night >= first)
    by_night = groupby(connection.execute(statement), key=lambda row: row.night)
    return {
        night: sorted((MoveRow(*row[1:]) for row in group if row.measure is not None), key=_place)
        for night, group in by_night
    }


def replace_moves(connection: sa.Connection, night_id: int, moved: Iterable[MoveRow]) -> None:
    """Record what moved on a night in place of what was, since its page is made anew beside another history."""
    connection.execute(sa.delete(moves).where(moves.c.night_id == night_id))
    rows.add_parts(connection, moves, {"night_id": night_id}, map(vars, moved))


def incidents_of(connection: sa.Connection, service: str) -> list[IncidentRow]:
    """Every incident a service ever had, by number."""
    statement = rows.select_as(incidents, IncidentRow).where(incidents.c.service == service)
    return rows.fetch(connection, statement.order_by(incidents.c.number), IncidentRow)


def incident_of(connection: sa.Connection, service: str, number: int) -> IncidentRow | None:
    """The incident of this number, whatever number a person typed; None if there is none."""
    if not 0 < number < _BIGGEST:
        return None
    statement = rows.select_as(incidents, IncidentRow).where(
        incidents.c.service == service, incidents.c.number == number
    )
    return next(iter(rows.fetch(connection, statement, IncidentRow)), None)


def next_number(connection: sa.Connection, service: str) -> int:
    """The number after the highest that was given. Another process may be told the same: `keep_incident` holds that."""
    highest = connection.execute(
        sa.select(sa.func.max(incidents.c.number)).where(incidents.c.service == service)
    ).scalar()
    return (highest or 0) + 1


def keep_incident(connection: sa.Connection, row: IncidentRow) -> int:
    """Record an incident as it stands, and return its id, the only thing that stays of what was recorded before.

    Args:
        connection: of `state.writing`.
        row: with the id it was read with, or without one if it is new. A new one may be kept several times before it is
            read: until then its number, its opening and its time of recording name it.

    Raises:
        StateError: the number was given to another incident meanwhile, or the incident of this id is not there.
    """
    if row.id:
        return _changed(connection, row)
    new_id = rows.insert_unless_taken(connection, incidents, rows.values_of(row), ("service", "number"))
    if new_id is not None:
        return new_id
    known = incident_of(connection, row.service, row.number)
    assert known is not None
    if (known.opened, known.recorded_at) != (row.opened, row.recorded_at):
        raise StateError(
            f"service {row.service}: the number {row.number} belongs to another incident since a moment ago "
            f"({_named(known)}; this one: {_named(row)}). Nothing was recorded. Another run opened it at the same "
            "time: run this one again, and it takes the next number."
        )
    return _changed(connection, replace(row, id=known.id))


def answer(connection: sa.Connection, row: AnswerRow) -> bool:
    """Record what a person said; False if its key is known, and then nothing is changed."""
    unique = ("service", "number", "key")
    return rows.insert_unless_taken(connection, incident_answers, rows.values_of(row), unique) is not None


def answers_of(connection: sa.Connection, service: str) -> list[AnswerRow]:
    """What people said of a service's incidents, in the order they said it."""
    statement = rows.select_as(incident_answers, AnswerRow).where(incident_answers.c.service == service)
    return rows.fetch(connection, statement.order_by(incident_answers.c.at, incident_answers.c.id), AnswerRow)


def take_answer_back(
    connection: sa.Connection, service: str, number: int, key: str, by: str, at: datetime
) -> bool:
    """Let an answer count no more, and keep who took it back and when; False if there is none of this key.

    The key is free again: the same can be said once more.
    """
    columns = incident_answers.c
    statement = sa.delete(incident_answers).where(
        columns.service == service, columns.number == number, columns.key == key
    )
    kept = rows.select_as(incident_answers, AnswerRow).selected_columns
    gone = [AnswerRow(*row) for row in connection.execute(statement.returning(*kept))]
    back = [{**rows.values_of(each), "back_by": by, "back_at": at} for each in gone]
    rows.add_parts(connection, answers_taken_back, {}, back)
    return bool(gone)


def answers_back_of(connection: sa.Connection, service: str) -> list[TakenBackRow]:
    """What people said of a service's incidents and was taken back, in the order it was said."""
    statement = rows.select_as(answers_taken_back, TakenBackRow).where(
        answers_taken_back.c.service == service
    )
    order = answers_taken_back.c.at, answers_taken_back.c.id
    return rows.fetch(connection, statement.order_by(*order), TakenBackRow)


def _changed(connection: sa.Connection, row: IncidentRow) -> int:
    statement = sa.update(incidents).where(
        incidents.c.id == row.id, incidents.c.service == row.service, incidents.c.number == row.number
    )
    if not connection.execute(statement.values(rows.values_of(row))).rowcount:
        raise StateError(
            f"service {row.service}, incident {row.number} (row {row.id}) is no longer in the state. Was the database "
            "replaced while ronda was running? Run it again."
        )
    return row.id


def _named(row: IncidentRow) -> str:
    return f"{row.measure} of {row.feature or 'the whole service'}, opened {row.opened}"


def _hold(connection: sa.Connection, service: str) -> None:
    # SQLite's transaction holds the write lock already.
    if connection.dialect.name == "sqlite" or connection.get_execution_options().get("ronda_reading", False):
        return
    number = int.from_bytes(sha256(f"ronda incidents of {service}".encode()).digest()[:8], signed=True)
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(number)))


def _place(row: MoveRow) -> tuple[str, str, str]:
    return row.measure, row.feature, row.slice  # sorted here: each database has an order of texts of its own
