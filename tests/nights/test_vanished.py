"""A column that vanishes from the log is told until it is back; one that is left out on purpose is not."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from monitoring.freeze import freeze
from services.window import window_between
from store import outbox
from store.incidents import IncidentRow, incidents_of
from store.outbox import MessageRow
from store.state import reading

LOG = "FROM requests WHERE night >= {first_night} AND night <= {last_night}"


def without(shop: Any, column: str) -> None:
    """From now on the query yields all columns but this one."""
    shop.file("sql/shop/requests.sql", f"SELECT * EXCLUDE ({column}) {LOG}")


def judge(nights: Any, first: int, last: int) -> list[str]:
    """Judge nights, the last of them twice; what each comes to."""
    standings = []
    for days in range(first, last + 1):
        nights.write_night(nights.night + timedelta(days=days))
        standings.append(nights.run(nights.night + timedelta(days=days)).row.standing)
    before = stored(nights)
    assert not nights.run(nights.night + timedelta(days=last)).recorded.is_new
    assert stored(nights) == before, "nothing twice"
    return standings


def stored(nights: Any) -> tuple[list[IncidentRow], list[MessageRow]]:
    """The incidents and the messages of the shop."""
    with reading(nights.watch().state) as connection:
        return incidents_of(connection, "shop"), outbox.messages_of(connection, "shop")


def title(nights: Any) -> str:
    """The last words of the first incident's message."""
    with reading(nights.watch().state) as connection:
        return outbox.latest_payload(connection, "incident/shop/1")


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("SELECT * EXCLUDE (status)", "errors"),
        ("SELECT * REPLACE ('about ' || price AS price)", "“price”"),
    ],
)
def test_it_is_told_until_it_is_back(nights: Any, query: str, name: str) -> None:
    """Errors, or an input's missing values, cannot be measured: one message, a line in its thread each night, one end."""
    nights.file("sql/shop/requests.sql", f"{query} {LOG}")
    assert judge(nights, 0, 4) == ["data"] * 5
    rows, messages = stored(nights)
    assert [(row.number, row.state, row.seen) for row in rows] == [(1, "open", 5)]
    assert [row.key for row in messages if row.action == "post"] == ["incident/shop/1"]
    assert f"{name} could not be measured" in title(nights)
    nights.file("sql/shop/requests.sql", f"SELECT * {LOG}")
    assert judge(nights, 5, 7) == ["quiet"] * 3
    [row] = stored(nights)[0]
    assert (row.state, row.resolved) == ("resolved", nights.night + timedelta(days=7))
    assert "Over: it is measured again; last missing on" in title(nights)


def test_a_new_reference_without_it_makes_it_usual(nights: Any) -> None:
    """Whoever freezes one says so: nothing is missed from then on."""
    without(nights, "status")
    assert judge(nights, 0, 1) == ["data"] * 2
    trained = window_between(date(2026, 5, 1), date(2026, 5, 2), "UTC")
    freeze(nights.watch(), "v1", trained, datetime(2026, 5, 12, tzinfo=UTC), reason="no status any more")
    assert judge(nights, 2, 4) == ["quiet"] * 3
    assert stored(nights)[0][0].state == "resolved"
    assert "missing is the new usual" in title(nights)


def test_a_feature_that_is_left_out(nights: Any) -> None:
    """The service file says that it is none: nothing vanished."""
    text = (nights.root / "services/shop.yaml").read_text()
    nights.file("services/shop.yaml", f"{text}features: {{not: [price]}}\n")
    nights.write_night(nights.night)
    assert nights.run().row.standing == "quiet"


def test_a_feature_that_the_new_model_does_without(nights: Any) -> None:
    """It is in the log, and no longer in the reference."""
    without(nights, "price")
    watch = nights.watch()
    trained = window_between(date(2026, 5, 1), date(2026, 5, 2), "UTC")
    freeze(watch, "v1", trained, datetime(2026, 5, 9, tzinfo=UTC), reason="the new model knows no price")
    nights.file("sql/shop/requests.sql", f"SELECT * {LOG}")
    nights.write_night(nights.night)
    assert nights.run().row.standing == "quiet"
