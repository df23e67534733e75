"""Looking at a source for the first time: its tables, and some rows of the newest day of one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.compute as pc

from services.errors import SourceError, UsageError
from services.home import Home
from services.model import Service
from services.secret_text import hide_password, secret_in
from services.source import source_url
from store.dialect import kind_of
from store.inspect import TABLE, TABLES, as_text, columns_listed, every, latest, listed, whole
from store.source import open_source

ROWS, VALUES = 10_000, 2_000_000
"""How many rows are looked at, and how many values of a wide table at most."""

_FOREVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Place:
    """Where the log is.

    Attributes:
        written: the `source` of the service file; never holds a password.
        url: what is opened.
        table: the table, where the source named one file or one partitioned folder.
        variable: the environment variable that must be set before the service can be read; may be empty.
    """

    written: str
    url: str = field(repr=False)
    table: str = ""
    variable: str = ""


@dataclass(frozen=True)
class Table:
    """A table and its columns with the engine's own type names."""

    schema: str
    name: str
    columns: Mapping[str, str]

    @property
    def kinds(self) -> dict[str, str]:
        """Column -> number, category, time or other."""
        return {name: kind_of(found) for name, found in self.columns.items()}


@dataclass(frozen=True)
class Look:
    """Some rows of a table, all columns as text under their own names; `newest` is None if its time is no timestamp."""

    rows: pa.Table
    newest: datetime | None

    def values(self, column: str) -> list[str]:
        """The different values of a column that were seen, without nulls and empty ones."""
        return [value for value in pc.unique(self.rows[column]).to_pylist() if value]


def place_of(service: str, source: str, home: Home, environment: Mapping[str, str] | None = None) -> Place:
    """Resolve what was given as `--from`.

    Raises:
        UsageError: it is neither a folder, a Parquet or DuckDB file, a URL nor a variable.
        SourceError: it is a variable or an Airflow connection that is not there.
    """
    variable = f"{service.upper()}_URL"
    if source.startswith(("${", "airflow:")):
        asked = Service.model_construct(service=service, source=source)
        return Place(source, source_url(asked, home, environment))
    if "://" in source:
        hidden = secret_in(source) or source.startswith(("postgres://", "postgresql://"))
        return Place(f"${{{variable}}}", source, variable=variable) if hidden else Place(source, source)
    path = Path(source).expanduser().resolve()
    folder, table = _folder_and_table(path, source)
    shown = str(folder.relative_to(home.root)) if folder.is_relative_to(home.root) else str(folder)
    if "$" in shown or secret_in(shown):
        return Place(f"${{{variable}}}", str(folder), table, variable)
    return Place(shown, str(folder), table)


def tables_of(service: str, place: Place) -> list[Table]:
    """Every table of the source, by schema and name.

    Raises:
        SourceError: it cannot be reached or has no table.
    """
    source = open_source(service, place.url, {TABLES: listed(_folders(service, place))})
    try:
        found = source.fetch(columns_listed()).to_pylist()
    finally:
        source.close()
    columns: dict[tuple[str, str], dict[str, str]] = {}
    for row in found:
        key = (row["table_schema"], row["table_name"])
        columns.setdefault(key, {})[row["column_name"]] = row["data_type"]
    if not columns:
        raise SourceError(
            f"{service}: the source has no table that can be read. Is it the right database, and the right login?"
        )
    return [Table(schema, name, kinds) for (schema, name), kinds in columns.items()]


def look_at(service: str, place: Place, table: Table, time: str) -> Look:
    """Up to `ROWS` rows of a table, of its newest day where `time` is a timestamp.

    Raises:
        SourceError: the table has no rows, or cannot be read.
    """
    names = list(table.columns)
    most = min(ROWS, max(VALUES // len(names), 200))
    source = open_source(service, place.url, {TABLE: whole(table.schema, table.name)})
    try:
        if not source.fetch(every(TABLE, time=time))["rows"][0].as_py():
            raise SourceError(
                f"{service}: table {table.name} has no rows, so nothing can be learned from it. Come back when it has some."
            )
        newest = None
        if table.kinds[time] == "time":
            newest = source.fetch(latest(TABLE, _FOREVER, time))["latest"][0].as_py()
        span = (newest - timedelta(days=1), newest + timedelta(seconds=1)) if newest else None
        rows = source.fetch(as_text(TABLE, names, most, span, time=time))
    finally:
        source.close()
    return Look(rows.rename_columns(names), newest)


def partition_of(place: Place, table: Table) -> str | None:
    """The column of dates that a folder's table is divided by (`night=2013-06-24/…`); None if it is not."""
    if not _is_folder(place.url):
        return None
    filesystem, root = fsspec.core.url_to_fs(place.url)
    folder = f"{root.rstrip('/')}/{table.name}"
    if not filesystem.isdir(folder):
        return None
    for path in filesystem.ls(folder, detail=False):
        key, _, value = str(path).rstrip("/").rpartition("/")[2].partition("=")
        if key in table.columns and table.columns[key].upper() == "DATE" and _is_date(value):
            return key
    return None


def _is_folder(url: str) -> bool:
    return not url.startswith(("postgres://", "postgresql://")) and not url.endswith((".duckdb", ".db"))


def _folders(service: str, place: Place) -> list[str]:
    """The tables of a folder of Parquet: only the one that was given, where one was."""
    if not _is_folder(place.url) or place.table:
        return [place.table]
    try:
        filesystem, root = fsspec.core.url_to_fs(place.url)
        inside = filesystem.ls(root, detail=False)
    except (ImportError, ValueError, OSError) as error:
        raise SourceError(
            f"{service}: the source {hide_password(place.url)} cannot be listed: {error}. Is it the right folder?"
        ) from error
    return sorted(str(path).rstrip("/").rpartition("/")[2].removesuffix(".parquet") for path in inside)


def _folder_and_table(path: Path, given: str) -> tuple[Path, str]:
    if path.is_dir():
        return _divided(path)
    if not path.exists():
        raise UsageError(
            f"--from {given}: there is no such file or folder. Give one, a PostgreSQL URL, or ${{NAME}}."
        )
    if path.suffix == ".parquet":
        return path.parent, path.stem
    if path.suffix in {".duckdb", ".db"}:
        return path, ""
    raise UsageError(
        f"--from {given}: a file ending in {path.suffix or 'nothing'} is not read. Give a folder of Parquet, a .parquet "
        "file, a .duckdb file, a PostgreSQL URL, or ${NAME} for a variable that holds one of them."
    )


def _divided(path: Path) -> tuple[Path, str]:
    """A folder that is itself one table: partitions lie right in it, or several files that only differ by number."""
    inside = [child for child in path.iterdir() if not child.name.startswith((".", "_"))]
    partitions = any(child.is_dir() and "=" in child.name for child in inside)
    stems = {child.stem.rstrip("0123456789") for child in inside if child.suffix == ".parquet"}
    numbered = sum(child.suffix == ".parquet" for child in inside) > 1 and len(stems) == 1
    return (path.parent, path.name) if partitions or numbered else (path, "")


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
