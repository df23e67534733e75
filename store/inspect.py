"""Looking at a source without judging it: what `check` and `init` ask, in the manner of `store.statement`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from services.window import Window
from store.dialect import instant
from store.query import Query
from store.statement import Select, Selection, typed

TABLES, TABLE = "ronda_tables", "ronda_table"
"""Names of the views that list a source's columns, and that show one of its tables."""

QUARTER = 900
"""Seconds of a quarter of an hour."""

_EVER = Window(datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC), date.min, date.max)  # fmt: skip
# Words that DuckDB keeps for itself and PostgreSQL does not.
_ALSO_RESERVED = frozenset({
    "anti", "asof", "at", "describe", "glob", "lambda", "map", "pivot", "pivot_longer", "pivot_wider", "positional",
    "qualify", "semi", "show", "struct", "summarize", "unpivot", "values",
})  # fmt: skip
_PREPARER = postgresql.dialect(paramstyle="numeric_dollar").identifier_preparer  # type: ignore[no-untyped-call] # SQLAlchemy leaves it untyped


def listed(folders: Sequence[str] = ()) -> Query:
    """A view of every column a person made: `table_schema`, `table_name`, `column_name`, `data_type`, `place`.

    Args:
        folders: the tables of a folder of Parquet; it opens those only that its queries name.
    """
    names = "'" + "/".join(folders).replace("'", "''") + "'"
    text = (
        "SELECT table_schema, table_name, column_name, data_type, ordinal_position AS place\n"
        "FROM information_schema.columns\n"
        "WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND table_catalog = current_database()\n"
        f"    AND {names} IS NOT NULL"
    )
    return Query(text, _EVER, bounded=True, file="the source's list of tables")


def whole(schema: str, table: str) -> Query:
    """A view of one table, all columns and all rows."""
    text = f"SELECT * FROM {quoted(schema)}.{quoted(table)}"  # noqa: S608 -- quoted names
    return Query(text, _EVER, bounded=True, file=f"table {table}")


def shown(text: str, window: Window, file: str) -> Query:
    """A view of a query that is about to be written, as it stands."""
    return Query(text, window, bounded=True, file=file)


def columns_listed() -> Select:
    """The rows of `listed`, in the order of the tables' columns."""
    names = ("table_schema", "table_name", "column_name", "data_type", "place")
    view = sa.table(TABLES, *[sa.column(name) for name in names])
    texts: list[Any] = [sa.cast(view.c[name], sa.Text).label(name) for name in names[:-1]]
    statement = sa.select(*texts)
    return statement.order_by(view.c.table_schema, view.c.table_name, view.c.place)


def quoted(name: str) -> str:
    """An identifier as it must be written in a query, in quotes only where it needs them.

    >>> quoted("carrier"), quoted("order"), quoted("qualify"), quoted('a "b" c')
    ('carrier', '"order"', '"qualify"', '"a ""b"" c"')
    """
    if name.lower() in _ALSO_RESERVED:
        return _PREPARER.quote_identifier(name)
    return str(_PREPARER.quote(name))


def latest(view: str, before: datetime, time: str = "time") -> Select:
    """The newest time before a moment: one row, column `latest`."""
    moment = sa.cast(sa.table(view, sa.column(time)).c[time], sa.DateTime(timezone=True))
    return sa.select(sa.func.max(moment).label("latest")).where(moment < instant(before))


def earliest(view: str, after: datetime, time: str = "time") -> Select:
    """The oldest time from a moment on: one row, column `earliest`."""
    moment = sa.cast(sa.table(view, sa.column(time)).c[time], sa.DateTime(timezone=True))
    return sa.select(sa.func.min(moment).label("earliest")).where(moment >= instant(after))


def without_time(view: str) -> Select:
    """Rows that no night can hold: one row, column `rows`."""
    table = sa.table(view, sa.column("time"))
    return sa.select(sa.func.count().label("rows")).select_from(table).where(table.c.time.is_(None))


def every(view: str, window: tuple[datetime, datetime] | None = None, time: str = "time") -> Select:
    """How many rows a view has, between two moments if given: one row, column `rows`."""
    table = sa.table(view, sa.column(time))
    statement = sa.select(sa.func.count().label("rows")).select_from(table)
    return statement if window is None else statement.where(_between(table.c[time], window))


def by_quarter(view: str, window: Window) -> Select:
    """Rows of each quarter of an hour in a window: columns `quarter`, counted from 1970, and `rows`.

    Every zone's midnight is the beginning of one.
    """
    moment = sa.cast(sa.table(view, sa.column("time")).c.time, sa.DateTime(timezone=True))
    quarter = sa.func.floor(sa.extract("epoch", moment) / QUARTER)
    rows: Any = sa.func.count().label("rows")
    inside = (moment >= instant(window.start), moment < instant(window.end))
    return sa.select(quarter.label("quarter"), rows).where(*inside).group_by(quarter).order_by(quarter)


def as_text(
    view: str,
    columns: Sequence[str],
    most: int,
    window: tuple[datetime, datetime] | None = None,
    time: str = "time",
    key: str | None = None,
    share: float = 1.0,
) -> Select:
    """Some rows with every column as text, named `c_<n>`; of all rows, or of those between two moments.

    Args:
        most: no more rows than this.
        key: with a `share` below 1, the rows whose key's md5 is small are taken: the same on every run.
    """
    # a set, or a column that is also the key would stand there twice
    named = {*columns, *([time] if window else []), *([key] if key else [])}
    table = sa.table(view, *[sa.column(name) for name in sorted(named)])
    texts: list[Any] = [sa.cast(table.c[name], sa.Text).label(f"c_{n}") for n, name in enumerate(columns)]
    statement = sa.select(*texts).select_from(table).limit(most)
    if window:
        statement = statement.where(_between(table.c[time], window))
    if key and share < 1:
        hashed = sa.func.md5(sa.cast(table.c[key], sa.Text))
        statement = statement.where(sa.or_(hashed.is_(None), hashed < f"{int(share * 16**8):08x}"))
    return statement


def by_value(selection: Selection, column: str, most: int) -> Select:
    """The most frequent values of a column in the window: columns `value` and `rows`."""
    rows = typed(selection).subquery("typed")
    value: Any = sa.func.coalesce(rows.c[column], "").label("value")
    count: Any = sa.func.count().label("rows")
    statement = sa.select(value, count)
    return statement.group_by(value).order_by(count.desc(), value).limit(most)


def values_of(selection: Selection, event: str, most: int) -> Select:
    """The different values of one type of event: columns `value` (as text) and `rows`."""
    rows = typed(selection).subquery("typed")
    count = sa.func.count().label("rows")
    chosen = sa.select(rows.c.value, count).where(rows.c.type == event)
    return chosen.group_by(rows.c.value).order_by(count.desc(), rows.c.value).limit(most)


def answered(requests: Selection, feedback: Selection, event: str, within: timedelta) -> Select:
    """Requests, and those with an event of a type known soon enough: one row, `requests` and `answered`."""
    asked = _inside(requests)
    events = typed(feedback).subquery("events")
    limit = asked.c.time + sa.cast(sa.literal(f"{int(within.total_seconds())} seconds"), sa.Interval())
    soon = sa.and_(
        events.c.request_id == asked.c.request_id, events.c.type == event, events.c.known_at <= limit
    )
    known = sa.select(asked.c.request_id).where(sa.exists().where(soon)).distinct().subquery("known")
    return _two_counts(asked, known, "answered")


def matched(requests: Selection, training: Selection) -> Select:
    """Requests, and those the training pipeline has a row for: one row, `requests` and `matched`."""
    asked, trained = _inside(requests), typed(training).subquery("trained")
    same = sa.exists().where(trained.c.request_id == asked.c.request_id)
    known = sa.select(asked.c.request_id).where(same).distinct().subquery("known")
    return _two_counts(asked, known, "matched")


def _two_counts(asked: sa.Subquery, known: sa.Subquery, name: str) -> Select:
    requests = sa.select(sa.func.count(asked.c.request_id.distinct())).scalar_subquery()
    part = sa.select(sa.func.count()).select_from(known).scalar_subquery()
    return sa.select(requests.label("requests"), part.label(name))


def _inside(selection: Selection) -> sa.Subquery:
    rows = typed(selection).subquery("rows")
    window = selection.window
    return sa.select(*rows.c).where(_between(rows.c.time, (window.start, window.end))).subquery("asked")


def _between(time: sa.ColumnElement[Any], window: tuple[datetime, datetime]) -> sa.ColumnElement[bool]:
    moment = sa.cast(time, sa.DateTime(timezone=True))
    return sa.and_(moment >= instant(window[0]), moment < instant(window[1]))


def distinct_texts(column: Iterable[str | None]) -> list[str]:
    """The different texts of a column, in their order, without nulls and empty ones."""
    return list(dict.fromkeys(value for value in column if value))
