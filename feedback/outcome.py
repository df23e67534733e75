"""The rule that turns a request's events into its outcome."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from feedback.records import LABELS, MATURE, LabelRule, ValueKind
from store.dialect import try_double
from store.grid import double
from store.query import STAGED

Column = sa.ColumnElement[Any]

_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_WHOLE_BELOW = 1e15  # above it a double no longer holds every whole number


def labelled(rule: LabelRule, value: ValueKind) -> sa.Select[Any]:
    """The outcome of every request among the staged pairs, in the columns and the order of `LABELS`.

    The last event decides, whatever it says: if it has no value, the request has no label, even where an
    earlier event had one.
    """
    chosen = _chosen(rule, value).subquery("chosen")
    numeric = isinstance(rule.condition.operand, float)
    number = _number(chosen.c.value, value) if numeric else sa.null()
    compared = number if numeric else _word(chosen.c.value, value)
    state = _state(chosen, number if numeric else None, value)
    read = sa.select(
        chosen.c.request_id, chosen.c.time, chosen.c.known_at, state.label("state"),
        sa.cast(number, sa.Double).label("value"), compared.label("compared"),
    ).subquery("read")  # fmt: skip
    mature = read.c.state == MATURE
    columns: dict[str, Column] = {
        "request_id": read.c.request_id,
        "time": read.c.time,
        "state": read.c.state,
        "label": sa.case((mature, sa.cast(_positive(rule, read.c.compared), sa.Integer))),
        "value": sa.case((mature, read.c.value)),
        "known_at": sa.case((mature, read.c.known_at)),
    }
    return sa.select(*[columns[name].label(name) for name in LABELS.names]).order_by(
        read.c.time, read.c.request_id
    )


def _chosen(rule: LabelRule, value: ValueKind) -> sa.Select[Any]:
    """Of each request the event that decides: in time before late, then the last."""
    kind: sa.types.TypeEngine[Any] = sa.Double() if value == "number" else sa.Text()
    pairs = sa.table(
        STAGED,
        sa.column("request_id", sa.Text),
        sa.column("time", sa.DateTime(timezone=True)),
        sa.column("event_id", sa.Text),
        sa.column("known_at", sa.DateTime(timezone=True)),
        sa.column("value", kind),
    )
    window = sa.cast(sa.literal(f"{int(rule.window.total_seconds())} seconds", sa.String), sa.Interval)
    in_time = sa.func.coalesce(pairs.c.known_at <= pairs.c.time + window, sa.false())
    last_first = [
        in_time.desc(),
        *[pairs.c[name].desc().nulls_last() for name in ("known_at", "event_id", "value")],
    ]
    place = sa.func.row_number().over(partition_by=pairs.c.request_id, order_by=last_first)
    ranked = sa.select(*pairs.c, in_time.label("in_time"), place.label("place")).subquery("ranked")
    return sa.select(*ranked.c).where(ranked.c.place == 1)


def _state(chosen: sa.Subquery, number: Column | None, value: ValueKind) -> Column:
    missing: Column = chosen.c.value.is_(None)
    if value == "category":
        missing = sa.or_(missing, sa.func.trim(chosen.c.value) == "")
    whens: list[tuple[Column, str]] = [
        (chosen.c.known_at.is_(None), "no_feedback"),
        (~chosen.c.in_time, "late_feedback"),
        (missing, "value_missing"),
    ]
    if number is not None:
        not_finite = number.in_([double(name) for name in ("NaN", "Infinity", "-Infinity")])
        whens.append((sa.or_(number.is_(None), not_finite), "value_not_a_number"))
    return sa.case(*whens, else_=MATURE)


def _positive(rule: LabelRule, compared: Column) -> Column:
    operand = rule.condition.operand
    literal = double(operand) if isinstance(operand, float) else sa.literal(operand, sa.Text)
    positive: Column = _OPERATORS[rule.condition.operator](compared, literal)
    return positive


def _number(column: Column, value: ValueKind) -> Column:
    return column if value == "number" else try_double(column)


def _word(column: Column, value: ValueKind) -> Column:
    """A value as the word a service file would write: 5, not 5.0, whatever type the log keeps it in."""
    if value == "category":
        return column
    whole = sa.and_(sa.func.floor(column) == column, sa.func.abs(column) < double(_WHOLE_BELOW))
    short = sa.cast(sa.cast(column, sa.BigInteger), sa.Text)
    return sa.case((whole, short), else_=sa.cast(column, sa.Text))
