"""Between table rows and frozen dataclasses: a column of the same name for each field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from services.errors import StateError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Row = TypeVar("Row", bound="DataclassInstance")

_ATTEMPTS = 100  # each failed one means that another writer finished one


@dataclass(frozen=True)
class Recorded:
    """What became of something handed in to be recorded.

    Attributes:
        id: the row that holds it.
        revision: its number, from 1; what does not come in revisions has always 1.
        is_new: false if exactly this was recorded already, and so nothing was written.
    """

    id: int
    revision: int
    is_new: bool


def select_as(table: sa.Table, kind: type[Row]) -> sa.Select[Any]:
    """A select of the columns that `kind` has fields for."""
    return sa.select(*(table.c[field.name] for field in fields(kind)))


def values_of(row: DataclassInstance) -> dict[str, object]:
    """A row's values by column, without the `id` and `revision` that the database side gives."""
    return {name: value for name, value in vars(row).items() if name not in {"id", "revision"}}


def fetch(connection: sa.Connection, statement: sa.Select[Any], kind: type[Row]) -> list[Row]:
    """Run a statement made by `select_as` and read its rows as `kind`."""
    return [kind(*row) for row in connection.execute(statement)]


def latest(
    connection: sa.Connection, table: sa.Table, kind: type[Row], key: Mapping[str, object]
) -> Row | None:
    """The row of `key` with the highest revision, if there is one."""
    statement = select_as(table, kind).where(*_matches(table, key)).order_by(table.c.revision.desc()).limit(1)
    return next(iter(fetch(connection, statement, kind)), None)


def is_newest(table: sa.Table, *key: str) -> sa.ColumnElement[bool]:
    """A condition that leaves, of each key, only the row with the highest revision."""
    other = table.alias()
    newest = sa.select(sa.func.max(other.c.revision)).where(*(other.c[name] == table.c[name] for name in key))
    return table.c.revision == newest.correlate(table).scalar_subquery()


def append_revision(
    connection: sa.Connection, table: sa.Table, key: Mapping[str, object], values: Mapping[str, object]
) -> Recorded:
    """Add `values` as the next revision of `key`, unless the latest one has the same `content_sha`.

    Of several writers with the same content, in whatever processes, exactly one adds a row. Content that
    went back to what an older revision held is a new revision.

    Raises:
        StateError: others kept adding revisions of this key, a hundred times in a row.
    """
    for _ in range(_ATTEMPTS):
        found = connection.execute(
            sa.select(table.c.id, table.c.revision, table.c.content_sha)
            .where(*_matches(table, key))
            .order_by(table.c.revision.desc())
            .limit(1)
        ).first()
        if found is not None and found.content_sha == values["content_sha"]:
            return Recorded(found.id, found.revision, is_new=False)
        revision = 1 if found is None else found.revision + 1
        new_id = insert_unless_taken(
            connection, table, {**values, **key, "revision": revision}, unique=(*key, "revision")
        )
        if new_id is not None:
            return Recorded(new_id, revision, is_new=True)
    raise StateError(f"{table.name} {dict(key)}: {_ATTEMPTS} other writers came first. Run fewer at once.")


def insert_unless_taken(
    connection: sa.Connection, table: sa.Table, values: Mapping[str, object], unique: Iterable[str]
) -> int | None:
    """Insert a row and return its id; None if another row has the same `unique` columns already.

    Waits for a concurrent writer of the same key to finish. Any other broken constraint is raised.
    """
    statement = insert(connection, table).values(**values).on_conflict_do_nothing(index_elements=list(unique))
    new_id: int | None = connection.execute(statement.returning(table.c.id)).scalar()
    return new_id


def insert(connection: sa.Connection, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """An insert that knows ON CONFLICT; both databases write it the same, SQLAlchemy has one of each."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def add_parts(
    connection: sa.Connection, table: sa.Table, owner: Mapping[str, int], rows: Iterable[Mapping[str, object]]
) -> None:
    """Insert the rows that belong to an owner, such as the findings of a night, in one go."""
    values = [{**row, **owner} for row in rows]
    if values:
        connection.execute(table.insert(), values)


def add_counts(
    connection: sa.Connection, table: sa.Table, owner: Mapping[str, int], counts: Mapping[str, int]
) -> None:
    """Insert how many rows were kept, and removed for each reason."""
    add_parts(connection, table, owner, ({"reason": reason, "rows": rows} for reason, rows in counts.items()))


def read_counts(connection: sa.Connection, table: sa.Table, owner: Mapping[str, int]) -> dict[str, int]:
    """Rows by reason, `kept` among them, in the order of their names."""
    statement = (
        sa.select(table.c.reason, table.c.rows).where(*_matches(table, owner)).order_by(table.c.reason)
    )
    return {row.reason: row.rows for row in connection.execute(statement)}


def check_counts(what: str, read: int, kept: int | None, counts: Mapping[str, int]) -> None:
    """Hold that no row was lost: `read` is the sum of `counts`, and `kept` the count of that name.

    Raises:
        StateError: they do not add up.
    """
    found = ", ".join(f"{reason} {rows}" for reason, rows in sorted(counts.items()))
    if sum(counts.values()) != read:
        raise StateError(
            f"{what}: {read} rows were read, but {sum(counts.values())} are accounted for ({found or 'none'}). "
            "Nothing was recorded. This is a fault in ronda: please report it with this line."
        )
    if kept is not None and counts.get("kept", 0) != kept:
        raise StateError(
            f"{what}: {kept} rows were kept, but the counts say otherwise ({found or 'none'}). "
            "Nothing was recorded. This is a fault in ronda: please report it with this line."
        )


def _matches(table: sa.Table, key: Mapping[str, object]) -> list[sa.ColumnElement[bool]]:
    return [table.c[name] == value for name, value in key.items()]
