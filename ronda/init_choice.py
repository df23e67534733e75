"""Which table and columns `init` takes for what; where their names do not tell, an error says which flag does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from monitoring import text
from ronda.check_personal import kinds_in, suspects_in
from ronda.guess import feedback_columns, request_columns, request_table, sounds_like_feedback
from ronda.look import Place, Table, look_at, partition_of
from ronda.starter_sql import can_stand, feedback_sql
from services.errors import SourceError, UsageError
from services.problems import nearest


@dataclass(frozen=True)
class Feedback:
    """A table that seems to hold what users did. `event` is a type that occurs and can be shown."""

    table: Table
    columns: Mapping[str, str]
    sql: str
    event: str
    assumed: tuple[str, ...]


def chosen_table(tables: list[Table], wanted: str | None) -> Table:
    """The request log among the tables.

    Raises:
        UsageError: it is not there, or several could be it.
    """
    by_name = {each.name: each for each in tables} | {f"{each.schema}.{each.name}": each for each in tables}
    listed = ", ".join(text.short(each.name) for each in tables[:20])
    if wanted is not None:
        if wanted not in by_name:
            near = nearest(wanted, tuple(by_name))
            meant = f"Did you mean {text.short(near)!r}? " if near else ""
            raise UsageError(
                f"--table {text.short(wanted)}: there is no such table. {meant}There are: {listed}."
            )
        return _nameable(by_name[wanted])
    fitting = [each for each in tables if {"request_id", "time"} <= set(request_columns(_kinds(each), {}))]
    likely = request_table([each.name for each in fitting])
    one = (
        [each for each in fitting if not sounds_like_feedback(each.name)]
        if likely is None
        else [by_name[likely]]
    )
    if len(one) == 1 or len(tables) == 1:
        return _nameable((one or tables)[0])
    raise UsageError(
        f"The source has {len(tables)} tables; say which holds the requests with --table: {listed}."
    )


def _nameable(table: Table) -> Table:
    if can_stand(table.name) and can_stand(table.schema):
        return table
    raise UsageError(
        f"The table {text.short(table.name)!r} has a placeholder in its name. Make a view with another name."
    )


def _kinds(table: Table) -> dict[str, str]:
    return {name: kind for name, kind in table.kinds.items() if can_stand(name)}


def named_columns(table: Table, given: Mapping[str, str | None]) -> dict[str, str]:
    """Canonical column -> column of the table; id and time are always among them.

    Raises:
        UsageError: one of them cannot be found by its name.
    """
    kinds = _kinds(table)
    known = {canonical: column for canonical, column in given.items() if column is not None}
    for canonical, column in known.items():
        if column not in kinds:
            near = nearest(column, tuple(kinds))
            meant = f" Did you mean {text.short(near)!r}?" if near else ""
            raise UsageError(
                f"{_flag(canonical)} {text.short(column)}: table {table.name} has no such column.{meant}"
            )
    found = request_columns(kinds, known)
    for canonical, what in (("request_id", "the id of a request"), ("time", "when a request came")):
        if canonical not in found:
            columns = ", ".join(text.short(name, 40) for name in list(kinds)[:30])
            raise UsageError(
                f"Table {text.short(table.name)} has no column that seems to hold {what}. Name it with {_flag(canonical)}. Columns: {columns}."
            )
    return found


def _flag(canonical: str) -> str:
    return {"time": "--time-column", "request_id": "--id-column"}[canonical]


def found_feedback(
    name: str, place: Place, tables: list[Table], requests: Table, request_id: str, wanted: str | None
) -> Feedback | None:
    """The one other table that seems to hold what users did; None if there is none, or several.

    Raises:
        UsageError: the table that was named cannot be it.
    """
    others = [each for each in tables if each is not requests]
    if wanted is not None:
        others = [chosen_table(others or tables, wanted)]
    fitting = []
    for each in others:
        columns = feedback_columns(_kinds(each), request_id)
        if (
            {"request_id", "time"} <= set(columns)
            and ({"type", "value"} & set(columns))
            and can_stand(each.name)
        ):
            fitting.append((each, columns))
    sounding = [pair for pair in fitting if sounds_like_feedback(pair[0].name)] if wanted is None else fitting
    if wanted is not None and not fitting:
        raise UsageError(
            f"--feedback-table {text.short(wanted)}: no columns there seem to hold the request's id, a time, and a type or value."
        )
    if len(sounding) != 1:
        return None
    table, columns = sounding[0]
    return _looked_feedback(name, place, table, columns)


def _looked_feedback(name: str, place: Place, table: Table, columns: Mapping[str, str]) -> Feedback | None:
    try:
        look = look_at(name, place, table, columns["time"])
    except SourceError:
        return None  # it is empty: nothing to learn from, and the service works without
    types = look.values(columns["type"]) if "type" in columns else ["feedback"]
    safe = [value for value in types if not (kinds_in("type", [value]) or suspects_in([value]))]
    assumed = [
        f"feedback: {', '.join(f'{raw} is {canonical}' for canonical, raw in columns.items() if raw != canonical)}"
    ]
    if "known_at" not in columns:
        assumed.append(
            "feedback: no column says when an event became known, so it counts as known at its own time"
        )
    if "event_id" not in columns:
        assumed.append("feedback: an event has no id of its own, so it is made of request, type and time")
    sql = feedback_sql(table, columns, look, partition_of(place, table))
    shown = tuple(text.short(line, 300) for line in assumed if not line.endswith(": "))
    return Feedback(table, columns, sql, safe[0] if safe else "thumb", shown)
