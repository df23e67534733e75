"""What an older ronda recorded is still there after its tables were brought up to date."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command

from store import migrate, outbox
from store.ledger import nights_of
from store.outbox import MessageRow
from store.state import open_state, reading, writing

NOON = datetime(2026, 5, 11, 12)  # noqa: DTZ001 - as the columns of an old state are read without our types
OF_THE_LIST = {
    "kind": "training",
    "source": "log",
    "outcome": "drifted",
    "action": "post",
    "state": "waiting",
    "severity": "minor",
    "what": "real",
    "incidents.state": "open",
    "incident_answers.source": "slack",
}
ACTIONS = ("post", "reply", "update", "file")
STATES = ("waiting", "sending", "unknown", "held", "refused", "sent", "written")
TABLES = {"0001": 11, "0002": 15, "0003": 19, "0004": 20, "0005": 20, "0006": 21}
Held = dict[str, list[tuple[Any, ...]]]


@pytest.fixture(params=TABLES)
def old(
    request: pytest.FixtureRequest, state_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, sa.MetaData, Held]]:
    """A state as an older ronda left it: its version, its tables, and what they hold."""
    upgrade = command.upgrade
    (tmp_path / "state").mkdir(exist_ok=True)
    engine = sa.create_engine(state_url.replace("postgresql://", "postgresql+psycopg://"))
    tables = sa.MetaData()
    with monkeypatch.context() as patched, engine.begin() as connection:
        patched.setattr(command, "upgrade", lambda config, _: upgrade(config, request.param))
        migrate._upgrade(connection)
        tables.reflect(connection)
        tables.remove(tables.tables["alembic_version"])
        for table in tables.sorted_tables:
            connection.execute(table.insert().values(_row(table)))
        if "messages" in tables.tables:
            connection.execute(tables.tables["messages"].insert(), list(_messages(tables.tables["messages"])))
        held = _held(connection, tables)
    yield request.param, tables, held
    engine.dispose()


def _row(table: sa.Table) -> dict[str, Any]:
    """One row with a value in every column, so that what is lost shows."""
    columns = [column for column in table.c if column.name != "id"]  # counted by the database itself
    return {
        name: OF_THE_LIST.get(f"{table.name}.{name}", OF_THE_LIST.get(name, _value(column)))
        for name, column in ((column.name, column) for column in columns)
    }


def _value(column: sa.Column[Any]) -> object:
    values = {
        str: f"{column.name} ção\n'; --",
        bool: True,
        int: 1,
        float: 0.1,
        date: NOON.date(),
        datetime: NOON,
    }
    return values[column.type.python_type]


def _messages(table: sa.Table) -> Iterator[dict[str, Any]]:
    """A message of every action in every state, without the times that may be missing."""
    for action, state in product(ACTIONS, STATES):
        given = {"key": f"{action}/{state}", "action": action, "state": state}
        yield _row(table) | given | {"night": None, "claimed_at": None, "answered_at": None}


def _held(connection: sa.Connection, tables: sa.MetaData) -> Held:
    return {
        table.name: sorted(map(tuple, connection.execute(sa.select(table))), key=repr)
        for table in tables.sorted_tables
    }


def test_nothing_is_lost(old: tuple[str, sa.MetaData, Held], state_url: str) -> None:
    """Every row of every old table is there with its id and all it held, to the second opening too."""
    version, tables, before = old
    assert len(before) == TABLES[version]
    assert all(before.values())
    for _ in range(2):
        opened = open_state(state_url)
        with reading(opened) as connection:
            assert _held(connection, tables) == before
            (night,) = nights_of(connection, "service ção\n'; --")
            new = {
                connection.execute(sa.text(f"SELECT count(*) FROM {name}")).scalar()
                for name in NEW
                if name not in before
            }
        assert night.headline == ("" if version == "0001" else "headline ção\n'; --")
        assert new == ({0} if set(NEW) - set(before) else set())
        opened.dispose()


def test_threads_are_found_by_an_index(
    old: tuple[str, sa.MetaData, Held], state_url: str, tmp_path: Path
) -> None:
    """Whatever the state was, and also where the index was made before: it is there once."""
    version, tables, _ = old
    if version >= "0003":
        engine = sa.create_engine(state_url.replace("postgresql://", "postgresql+psycopg://"))
        with engine.begin() as connection:
            assert "ix_messages_about" not in {each.name for each in tables.tables["messages"].indexes}
            connection.execute(sa.text("CREATE INDEX ix_messages_about ON messages (about)"))
        engine.dispose()
    opened = open_state(state_url)
    with reading(opened) as connection:
        indexes = sa.inspect(connection).get_indexes("messages")
    assert [each["column_names"] for each in indexes if each["name"] == "ix_messages_about"] == [["about"]]
    opened.dispose()


NEW = ("moves", "incidents", "incident_answers", "answers_taken_back", "backtests", "served")


def test_old_messages_go_on_beside_pages(old: tuple[str, sa.MetaData, Held], state_url: str) -> None:
    """A page can be put, under the next id; the keys, actions and states of before hold as before."""
    _, _, before = old
    count = len(before.get("messages", []))
    opened = open_state(state_url)
    with writing(opened) as connection:
        assert outbox.put(connection, PAGE)
        found = outbox.message_of(connection, "page/1")
        assert found is not None
        assert (found.action, found.id) == ("page", count + 1)
        assert outbox.put(connection, MessageRow("post/sent", *PLAIN)) == (count == 0)
        assert len(outbox.messages_of(connection, "eta")) == (2 if count == 0 else 1)
    for wrong in ({"action": "shout"}, {"state": "gone"}, {"key": "page/1"}):
        values = {**vars(PAGE), "key": "page/2", **wrong}
        del values["id"]
        with pytest.raises(sa.exc.IntegrityError), writing(opened) as connection:
            connection.execute(outbox.messages.insert(), values)
    opened.dispose()


PLAIN = ("alert", "eta", "#eta", "{}", NOON.replace(tzinfo=UTC), NOON.replace(tzinfo=UTC))
PAGE = MessageRow("page/1", *PLAIN, action="page")
