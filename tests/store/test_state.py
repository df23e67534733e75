"""Opening the state database, and what its transactions promise."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from services.errors import StateError
from store.column_types import Finite, Key, Utc, Whole, Words, key_text, storable
from store.state import open_state, reading, writing

AtOnce = Callable[[Callable[[int], object], int], list[object]]
SECRET = "correct-horse"


def test_sqlite_is_opened_as_agreed(tmp_path: Path) -> None:
    """The folder is made; WAL, foreign keys, NORMAL and a wait of 30 seconds hold on every connection."""
    engine = open_state(f"sqlite:///{tmp_path / 'deep' / 'down' / 'ronda.db'}")
    for _ in range(2):
        with reading(engine) as connection:
            pragmas = ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
            found = [connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() for pragma in pragmas]
        engine.dispose()

        assert found == ["wal", 1, 1, 30_000]


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_all_spellings_of_postgresql_are_taken(postgres_database: str, scheme: str) -> None:
    """Hosts hand out `postgres://` and `postgresql://`; the driver is ours to choose."""
    engine = open_state(postgres_database.replace("postgresql", scheme, 1))

    assert engine.url.drivername == "postgresql+psycopg"
    engine.dispose()


def test_a_schema_of_its_own(postgres_database: str) -> None:
    """The way out that the refusal names: the tables of others stay in theirs."""
    engine = open_state(postgres_database)
    with writing(engine) as connection:
        connection.exec_driver_sql("CREATE SCHEMA ronda")
    own = open_state(postgres_database + "&options=-csearch_path%3Dronda")
    with reading(own) as connection:
        schema = connection.exec_driver_sql("SELECT current_schema()").scalar()
        tables = len(sa.inspect(connection).get_table_names(schema="ronda"))

    assert (schema, tables) == ("ronda", 22)
    engine.dispose()
    own.dispose()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (f"postgresql://user:{SECRET}@localhost:port/x", "is not a database URL"),
        ("var/ronda.db", "is not a database URL"),
        (f"mysql://user:{SECRET}@localhost/x", "names a mysql database"),
        ("sqlite://", "without a plain file (none)"),
        ("sqlite:///:memory:", "without a plain file (:memory:)"),
        ("sqlite:///file:x.db?mode=memory&uri=true", "without a plain file (file:x.db)"),
        (f"postgresql://user:{SECRET}@127.0.0.1:1/x", "127.0.0.1, database x cannot be opened"),
        (f"postgresql://user@127.0.0.1:1/x?password={SECRET}", "127.0.0.1, database x cannot be opened"),
    ],
)
def test_bad_urls_are_named_without_the_password(url: str, message: str) -> None:
    """Whatever is wrong with it, the message says so, and no password shows, in causes neither."""
    with pytest.raises(StateError) as refused:
        open_state(url)

    assert message in str(refused.value)
    error: BaseException | None = refused.value
    while error is not None:
        assert SECRET not in repr(error)
        error = error.__cause__


def test_the_password_does_not_show_in_an_engine(postgres_database: str) -> None:
    """An engine may be printed by anybody's logging; the password in the query hides as well."""
    engine = open_state(f"{postgres_database}&password={SECRET}")

    assert SECRET not in repr(engine)
    assert SECRET not in str(engine.url)
    engine.dispose()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    """It is left as it is."""
    path = tmp_path / "ronda.db"
    path.write_text("dear diary, " * 1000)

    with pytest.raises(StateError, match=r"ronda\.db cannot be opened: file is not a database"):
        open_state(f"sqlite:///{path}")

    assert path.read_text().startswith("dear diary")


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "var").write_text("")

    with pytest.raises(
        StateError, match=r"The folder .*var/state of the state cannot be made: Not a directory"
    ):
        open_state(f"sqlite:///{tmp_path / 'var' / 'state' / 'ronda.db'}")


@pytest.fixture
def counter(state: sa.Engine) -> sa.Table:
    """A table with one number, 0."""
    table = sa.Table("counter", sa.MetaData(), sa.Column("n", sa.Integer, nullable=False, unique=True))
    with writing(state) as connection:
        table.create(connection)
        connection.execute(table.insert().values(n=0))
    return table


def test_a_failed_transaction_leaves_nothing(state: sa.Engine, counter: sa.Table) -> None:
    """All or nothing, tables included."""

    def fail() -> None:
        with writing(state) as connection:
            connection.execute(counter.update().values(n=1))
            connection.exec_driver_sql("CREATE TABLE half (n INTEGER)")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()

    with reading(state) as connection:
        assert connection.execute(sa.select(counter)).all() == [(0,)]
        assert not sa.inspect(connection).has_table("half")


def test_no_update_is_lost_on_sqlite(tmp_path: Path, at_once: AtOnce) -> None:
    """360 concurrent read-modify-writes by 6 threads over separate engines: SQLAlchemy's default loses most."""
    url = f"sqlite:///{tmp_path / 'ronda.db'}"
    engine = open_state(url)
    with writing(engine) as connection:
        connection.exec_driver_sql("CREATE TABLE counter (n INTEGER)")
        connection.exec_driver_sql("INSERT INTO counter VALUES (0)")

    def add_sixty(_worker: int) -> None:
        own = open_state(url)
        for _ in range(60):
            with writing(own) as connection:
                n = connection.exec_driver_sql("SELECT n FROM counter").scalar_one()
                connection.exec_driver_sql(f"UPDATE counter SET n = {n + 1}")
        own.dispose()

    at_once(add_sixty, 6)

    with reading(engine) as connection:
        assert connection.exec_driver_sql("SELECT n FROM counter").scalar() == 360


def test_reading_sees_one_moment_and_blocks_nobody(state: sa.Engine, counter: sa.Table) -> None:
    """A write that is committed meanwhile is not seen, and does not wait."""
    with reading(state) as connection:
        before = connection.execute(sa.select(counter)).all()
        with writing(state) as other:
            other.execute(counter.update().values(n=7))
        after = connection.execute(sa.select(counter)).all()

    assert before == after == [(0,)]
    with reading(state) as connection:
        assert connection.execute(sa.select(counter)).all() == [(7,)]


def test_reading_cannot_write(state: sa.Engine, counter: sa.Table) -> None:
    """A step that forgot it only reads is stopped, and writing works on the same connection afterwards."""
    with pytest.raises(StateError, match=r"read.?only"), reading(state) as connection:
        connection.execute(counter.update().values(n=1))

    with writing(state) as connection:
        connection.execute(counter.update().values(n=2))
        assert connection.execute(sa.select(counter)).all() == [(2,)]


def test_our_own_mistakes_are_not_reworded(state: sa.Engine, counter: sa.Table) -> None:
    """A broken unique key is a fault of the code: it comes through as it is, without the values."""
    with pytest.raises(sa.exc.IntegrityError) as broken, writing(state) as connection:
        connection.execute(counter.insert().values(n=0))

    assert "SQL parameters hidden" in str(broken.value)


def test_foreign_keys_hold(state: sa.Engine) -> None:
    """Counts of a night that does not exist are refused, on SQLite as well."""
    with pytest.raises(sa.exc.IntegrityError), writing(state) as connection:
        connection.exec_driver_sql("INSERT INTO night_counts (night_id, reason, rows) VALUES (99, 'kept', 1)")


@pytest.fixture
def values(state: sa.Engine) -> sa.Table:
    """A table with one column of each of our types."""
    columns: dict[str, Any] = {"at": Utc, "number": Finite, "whole": Whole, "words": Words, "key": Key}
    table = sa.Table("things", sa.MetaData(), *(sa.Column(name, kind) for name, kind in columns.items()))
    with writing(state) as connection:
        table.create(connection)
    return table


def test_values_come_back_as_they_were(state: sa.Engine, values: sa.Table) -> None:
    """Times in UTC to the microsecond, doubles to the last bit, NumPy's numbers, and any text."""
    recife = timezone(timedelta(hours=-3))
    with writing(state) as connection:
        connection.execute(
            values.insert(),
            {
                "at": datetime(2013, 6, 24, 22, 30, 1, 5, tzinfo=recife),
                "number": np.float64(0.1) + 0.2,
                "whole": np.int64(2**62),
                "words": "</script>'; DROP TABLE nights; -- ção 🛵",
                "key": "Recife",
            },
        )
    with reading(state) as connection:
        found = connection.execute(sa.select(values)).one()

    assert found.at == datetime(2013, 6, 25, 1, 30, 1, 5, tzinfo=UTC)
    assert found.at.tzinfo is UTC
    assert found[1:] == (0.30000000000000004, 2**62, "</script>'; DROP TABLE nights; -- ção 🛵", "Recife")
    assert type(found.whole) is int


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"at": datetime(2013, 6, 24)}, "The time 2013-06-24 00:00:00 has no time zone"),  # noqa: DTZ001 - the naive time is the point
        ({"number": float("nan")}, "The number nan cannot be kept"),
        ({"number": float("-inf")}, "The number -inf cannot be kept"),
    ],
)
def test_what_the_databases_would_bend_is_refused(
    state: sa.Engine, values: sa.Table, value: dict[str, object], message: str
) -> None:
    """SQLite would keep NaN as NULL and a naive time as whatever; both are refused by name."""
    with pytest.raises(StateError, match=message), writing(state) as connection:
        connection.execute(values.insert(), value)


def test_hostile_text_is_made_storable(state: sa.Engine, values: sa.Table) -> None:
    """NUL and half surrogates, which PostgreSQL refuses, and keys too long for its index."""
    long = "é" * 5000
    with writing(state) as connection:
        connection.execute(values.insert(), {"words": "a\x00b\ud83dc", "key": long})
    with reading(state) as connection:
        found = connection.execute(sa.select(values.c.words, values.c.key).where(values.c.key == long)).one()

    assert found.words == "a�b�c"
    assert found.key == key_text(long)
    assert found.key.startswith("é" * 100 + "…")


def test_long_keys_stay_apart() -> None:
    """Two long values with the same start are still two; 300 bytes are kept whole."""
    assert key_text("x" * 300) == "x" * 300
    assert key_text("x" * 301) != key_text("x" * 302)
    assert len(key_text("é" * 301).encode()) <= 300
    assert storable("🛵") == "🛵"
