"""The shell of incidents: reads what moved on a service's nights and what was said, and keeps what stands after it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from monitoring.incident import Answer, IncidentLine
from monitoring.incidents import Unfolded, nights_apart, settled, unfold
from monitoring.known import Known, Pair
from monitoring.verdicts.incidents import Key, Moved
from services.model import Service
from store.canonical import canonical_json
from store.incidents import (
    AnswerRow,
    IncidentRow,
    MoveRow,
    answers_of,
    incidents_of,
    keep_incident,
    moves_since,
)
from store.state import Connection


@dataclass(frozen=True)
class Stands:
    """What the state knows of a service's incidents.

    Attributes:
        moves: what moved on every judged night, oldest first.
        rows: the incidents as they were recorded last, by number.
    """

    service: Service
    moves: Mapping[date, Sequence[Moved]]
    answers: tuple[Answer, ...]
    rows: tuple[IncidentRow, ...]

    def apart(self, night: date) -> dict[Pair, frozenset[date]]:
        """The nights before one that are no part of what is usual, by measure and feature."""
        return nights_apart(self._until(night, None).lines, night)

    def after(self, night: date, moved: Sequence[Moved]) -> Unfolded:
        """What stands after a night, given what moved on it; nights after it are not known yet."""
        return self._until(night, moved)

    def now(self) -> Unfolded:
        """What stands after the last night."""
        return self._settled[0]

    def with_night(self, night: date, moved: Sequence[Moved]) -> Stands:
        """The same with a night in it, in place of what it was before."""
        return replace(self, moves=dict(sorted({**self.moves, night: tuple(moved)}.items())))

    def _until(self, night: date, moved: Sequence[Moved] | None) -> Unfolded:
        nights = {day: each for day, each in self.moves.items() if day < night}
        if moved is not None:
            nights[night] = moved
        # what was said later is not known yet: a page that is written again says what it said
        said = tuple(each for each in self.answers if each.night <= night)
        return unfold(self.service, nights, said, self._settled[1])

    @cached_property
    def _settled(self) -> tuple[Unfolded, tuple[Known, ...]]:
        """All nights, and what was recorded where it opens by them: a page written again names the same numbers."""
        recorded = tuple(
            Known(
                row.number,
                row.opened,
                frozenset((key.measure, key.feature) for key in keys_of(row)),
                row.last,
            )
            for row in self.rows
        )
        return settled(self.service, self.moves, self.answers, recorded)


def read(connection: Connection, service: Service) -> Stands:
    """Read what is known of a service's incidents."""
    name, zone = service.service, ZoneInfo(service.time_zone)
    moves = {
        night: tuple(map(_moved, rows))
        for night, rows in moves_since(connection, name, None, date.max).items()
    }
    answers = tuple(_answer(row, zone) for row in answers_of(connection, name))
    return Stands(service, moves, answers, tuple(incidents_of(connection, name)))


def keep(
    connection: Connection, stands: Stands, unfolded: Unfolded, recorded_at: datetime
) -> list[IncidentRow]:
    """Record what stands now; returns every incident of the service, those that are gone as withdrawn.

    Args:
        connection: of `state.writing`.
        unfolded: of all nights.
    """
    before = {row.number: row for row in stands.rows}
    rows = [
        _row(stands.service.service, line, before.get(line.number), recorded_at) for line in unfolded.lines
    ]
    rows += [replace(before[number], state="withdrawn") for number in unfolded.gone]
    for row in rows:
        if before.get(row.number) != row:
            keep_incident(connection, row)
    return sorted(rows, key=lambda row: row.number)


def keys_of(row: IncidentRow) -> tuple[Key, ...]:
    """Everything that has been part of an incident."""
    return tuple(Key(*each) for each in json.loads(row.keys))


def move_row(each: Moved) -> MoveRow:
    """What moved, as it is recorded."""
    rest = {name: value for name, value in vars(each).items() if name not in {"key", "beside"}}
    return MoveRow(
        *each.key, **rest, beside=canonical_json(list(each.beside)).decode() if each.beside else ""
    )


def _moved(row: MoveRow) -> Moved:
    rest = {name: value for name, value in vars(row).items() if name not in {*Key._fields, "beside"}}
    beside = tuple(json.loads(row.beside)) if row.beside else ()
    return Moved(Key(row.measure, row.feature, row.slice), **rest, beside=beside)


def _answer(row: AnswerRow, zone: ZoneInfo) -> Answer:
    return Answer(row.number, row.what, row.at.astimezone(zone).date(), row.by, row.until, row.reason)


def _row(service: str, line: IncidentLine, before: IncidentRow | None, recorded_at: datetime) -> IncidentRow:
    lead = line.lead
    return IncidentRow(
        service=service,
        number=line.number,
        first=line.first,
        opened=line.opened,
        last=line.last,
        resolved=line.resolved,
        state=line.state,
        severity=line.severity,
        seen=len(line.seen),
        reopened=line.reopened,
        told=before.told if before is not None else "",
        measure=lead.key.measure,
        feature=lead.key.feature,
        slice=lead.key.slice,
        comparison=lead.comparison,
        floors=lead.floors,
        up=lead.up,
        keys=canonical_json(sorted(map(list, line.keys))).decode(),
        detail=before.detail if before is not None else "",
        recorded_at=before.recorded_at if before is not None else recorded_at,
        id=before.id if before is not None else 0,
    )
