"""PostgreSQL as a source: rows stream once, as Arrow batches, into the statement that DuckDB runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import adbc_driver_manager
import adbc_driver_postgresql.dbapi as adbc
import duckdb
import psycopg
import pyarrow as pa
import sqlalchemy as sa

from services.errors import SourceError
from services.secret_text import hide_password
from store.dialect import as_sql, kind_of
from store.duck import Connection, connect, source_error
from store.query import STAGED, Query

_TIMEOUT = "30min"  # a forgotten query must not hold a production database for a day
_CONNECT_SECONDS = 15  # libpq itself would wait for a silent host as long as TCP does
_SHOWN = ("08", "25", "28", "3D", "3F", "40", "42", "53", "54", "55", "57", "58")
"""Classes of SQLSTATE that are about the query or the server. All others may quote a value of the log."""
_ENCODED = re.compile(r"(?:[\w.!~*'()$&,;=:+-]|%[0-9A-Fa-f]{2})*", re.ASCII)


@dataclass(frozen=True)
class PostgresSource:
    """A service's views over a PostgreSQL database, read in one read-only transaction."""

    service: str
    queries: Mapping[str, Query]
    connection: Any = field(repr=False)  # adbc's Connection, whose package ships no types
    url: str = field(repr=False)  # holds the password

    def columns(self, view: str) -> dict[str, str]:
        """Column of a view -> `number`, `category`, `time` or `other`."""
        with self._told(view), psycopg.connect(self.url) as connection:
            connection.read_only = True
            head = f"SELECT * FROM (\n{self.queries[view].text}\n) AS view LIMIT 0"  # noqa: S608 -- the user's own query
            cursor = connection.execute(head.encode())
            found = cursor.description or ()
            own = _own_types(connection, [column.type_code for column in found])
            return {c.name: kind_of(own.get(c.type_code, c.type_display)) for c in found}

    def fetch(self, statement: sa.Select[Any]) -> pa.Table:
        """The rows of a statement over the views; only for results that are small by construction."""
        with self._told(), self.connection.cursor() as cursor:
            cursor.execute(self._with_views(statement))
            return cursor.fetch_arrow_table()

    @contextmanager
    def staged(self, statement: sa.Select[Any]) -> Iterator[Connection]:
        """A DuckDB connection that reads the statement's rows once, as they arrive, as `ronda_staged`."""
        duck = connect()
        try:
            with self._told(), self.connection.cursor() as cursor:
                # no bind parameters: with them the driver returns everything as one batch
                cursor.execute(self._with_views(statement))
                with cursor.fetch_record_batch() as batches:
                    duck.register(STAGED, batches)
                    yield duck
        finally:
            duck.close()

    def close(self) -> None:
        """Let go of the connection; the transaction only read."""
        self.connection.close()

    def _with_views(self, statement: sa.Select[Any]) -> str:
        sql = as_sql(statement)
        views = ", ".join(
            f"{name} AS (\n{query.text}\n)" for name, query in self.queries.items() if name in sql
        )
        return f"WITH {views} {sql}"

    @contextmanager
    def _told(self, view: str = "") -> Iterator[None]:
        try:
            yield
        except (psycopg.Error, adbc_driver_manager.Error) as error:
            if _is_shown(error):
                raise source_error(self.service, self.queries, view, str(error)) from error
            found = f"a value cannot be read as the query asks ({_kind(error)}; values are not shown)"
            raise source_error(self.service, self.queries, view, found) from None
        except (
            duckdb.InvalidInputException,
            duckdb.IOException,
        ):  # what the server said stands in it, and may quote a value
            found = "its rows cannot be read to the end, for the reason in the server's log (values are not shown)"
            raise source_error(self.service, self.queries, view, found) from None


def open_postgres(service: str, url: str, queries: Mapping[str, Query]) -> PostgresSource:
    """Connect to PostgreSQL, read-only, in UTC, with a statement time-out.

    Raises:
        SourceError: the server cannot be reached or refuses the login; the password is never in the message.
    """
    if "connect_timeout" not in url:
        url += f"{'&' if '?' in url else '?'}connect_timeout={_CONNECT_SECONDS}"
    try:
        connection = adbc.connect(url)
        with connection.cursor() as cursor:
            for setting in (
                # every statement of a night sees the same rows, however long it takes
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
                "SET TIME ZONE 'UTC'",
                f"SET statement_timeout = '{_TIMEOUT}'",
            ):
                cursor.execute(setting)
    except adbc_driver_manager.Error as error:
        raise SourceError(
            f"{service}: PostgreSQL at {_shown(url)} cannot be reached: {_reason(str(error), url)}. "
            "Check the variable in `source`, and that the server listens."
        ) from None  # the driver's own error repeats parts of the URL
    return PostgresSource(service, queries, connection, url)


def _is_cut_short(url: str) -> bool:
    """Whether what looks like host:port may be user:password: libpq would quote it as a wrong port."""
    if "@" in url:
        return False
    port = url.partition("?")[0].partition("://")[2].partition("/")[0].partition(":")[2]
    return bool(port) and not port.isdigit() and "]" not in port


def _shown(url: str) -> str:
    if _is_cut_short(url):
        return "an address that is not shown"
    scheme, _, rest = url.partition("://")
    login, at, place = rest.rpartition("@")
    user, colon, _ = login.partition(":")
    return hide_password(f"{scheme}://{user}{colon and ':***'}{at}{place}")


def _reason(message: str, url: str) -> str:
    """Why there is no connection, without the password or a piece of it."""
    if _is_cut_short(url):
        return "the URL has no @host behind its login"
    user = url.partition("://")[2].rpartition("@")[0]
    password = user.partition(":")[2]
    if not _ENCODED.fullmatch(password):  # libpq cuts such a URL in the wrong place and quotes the pieces
        return "its password holds characters that must be percent-encoded (%40 for @, %2F for /, %25 for %)"
    said = " ".join(message.split())
    for secret in {password, unquote(password)} - {""}:
        said = said.replace(secret, "***")
    return hide_password(said)


def _own_types(connection: psycopg.Connection[Any], types: list[int]) -> dict[int, str]:
    """The types that a database made itself, as what they are made of: an enum, or an extension's text."""
    found = connection.execute(
        "SELECT oid::int8, CASE typcategory WHEN 'E' THEN 'enum' ELSE 'text' END FROM pg_type "
        "WHERE oid = ANY(%s) AND typcategory IN ('E', 'S') AND oid >= 16384",  # below are PostgreSQL's own
        (types,),
    )
    return dict(found.fetchall())


def _is_shown(error: psycopg.Error | adbc_driver_manager.Error) -> bool:
    if error.sqlstate:
        return bool(error.sqlstate.startswith(_SHOWN))
    return isinstance(error, psycopg.OperationalError | adbc_driver_manager.OperationalError)


def _kind(error: psycopg.Error | adbc_driver_manager.Error) -> str:
    try:
        return psycopg.errors.lookup(error.sqlstate or "").__name__
    except KeyError:
        return type(error).__name__
