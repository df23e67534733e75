"""One compiled form for every engine: SQLAlchemy Core in PostgreSQL's spelling, values written out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

# numeric_dollar, because every other parameter style doubles the percent signs in literals
_DIALECT = postgresql.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call] # SQLAlchemy leaves it untyped

# First words of type names, whole: `int` also begins `int4range` and `interval`, `date` begins `daterange`.
_NUMBERS = frozenset({
    "tinyint", "smallint", "integer", "bigint", "hugeint", "int", "int1", "int2", "int4", "int8", "float", "float4",
    "float8", "real", "double", "decimal", "numeric", "utinyint", "usmallint", "uinteger", "ubigint", "uhugeint",
})  # fmt: skip
_CATEGORIES = frozenset({
    "varchar", "text", "char", "bpchar", "character", "bool", "boolean", "enum", "name", "uuid", "citext",
})  # fmt: skip
_TIMES = frozenset({
    "timestamp", "timestamptz", "timestamp_s", "timestamp_ms", "timestamp_ns", "timestamp_us", "date", "datetime",
})  # fmt: skip


class try_double(GenericFunction[float]):  # noqa: N801 -- SQLAlchemy names functions by their class
    """Text as a double, or null where it is none. DuckDB and Spark only; PostgreSQL rows arrive staged."""

    type = sa.Double()
    inherit_cache = True


@compiles(try_double)
def _compile_try_double(element: try_double, compiler: SQLCompiler, **options: Any) -> str:
    return f"TRY_CAST({compiler.process(element.clauses, **options)} AS DOUBLE)"


def as_sql(statement: sa.Select[Any] | sa.CompoundSelect[Any]) -> str:
    """The statement as text, every value a literal."""
    return str(statement.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))


def instant(moment: datetime) -> sa.ColumnElement[datetime]:
    """An aware UTC timestamp literal, so that no session's time zone can move it."""
    return sa.cast(sa.literal(moment.isoformat(sep=" "), sa.String), sa.DateTime(timezone=True))


def kind_of(engine_type: str) -> str:
    """An engine's type name as `number`, `category`, `time` or `other`.

    >>> [kind_of(t) for t in ("DECIMAL(18,2)", "character varying", "TIMESTAMP WITH TIME ZONE", "VARCHAR[]")]
    ['number', 'category', 'time', 'other']
    """
    name = engine_type.lower()
    first = name.split("(")[0].split()[0]
    if name.endswith("]"):
        return "other"
    if first in _NUMBERS:
        return "number"
    if first in _CATEGORIES:
        return "category"
    return "time" if first in _TIMES else "other"
