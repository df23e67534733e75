"""What moved: kept with the revision of its night, and read back for every night that was judged."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from services.errors import StateError
from store import incidents
from store.incidents import MoveRow, moves_since
from store.ledger import NightRow, record_night
from store.references import ReferenceRow, add_reference
from store.state import reading, writing
from store.tables import moves

NOW = datetime(2026, 6, 25, 3, tzinfo=UTC)
JUNE = [date(2026, 6, day) for day in range(31)[1:]]
REFERENCE = ReferenceRow("eta", "v1", "aaa", "training", NOW, NOW, 10, 10, "", "{}", NOW)
NIGHT = NightRow("eta", JUNE[9], "n1", NOW, NOW, 1, 5, 5, NOW)
NULLS = MoveRow("null_share", "city", "", "tonight", 7.25, 1e-300, 7.25, 1.0, 5e-324, up=True)
SLICE = MoveRow("errors", "", "os\x1fiOS 17; 'ção'", "week", 1e300, 0.0, 1.5, 0.25, 0.04, up=False)


@pytest.fixture
def ready(state: sa.Engine) -> sa.Engine:
    """A state that holds the reference, as row 1."""
    with writing(state) as connection:
        add_reference(connection, REFERENCE)
    return state


def record(connection: sa.Connection, night: NightRow, *moved: MoveRow) -> int:
    """Record a night; its id."""
    return record_night(connection, night, {"kept": 5}, moved=moved).id


def test_every_column_has_a_field() -> None:
    """A column that no field knows would be lost on the way."""
    assert {field.name for field in fields(MoveRow)} | {"night_id"} == set(moves.columns.keys())


def test_what_moved_comes_back_as_it_was(ready: sa.Engine) -> None:
    """The smallest chances, huge floors, and the sign between a dimension and its value."""
    with writing(ready) as connection:
        record(connection, NIGHT, NULLS, SLICE)
    with reading(ready) as connection:
        assert moves_since(connection, "eta", None, JUNE[9]) == {JUNE[9]: [SLICE, NULLS]}


def test_every_judged_night_has_an_entry(ready: sa.Engine) -> None:
    """From the first to the last, both included; nothing of other services, nothing made up for missing nights."""
    with writing(ready) as connection:
        for day, moved in ((9, [NULLS]), (12, []), (11, [SLICE]), (14, [NULLS, SLICE])):
            record(connection, replace(NIGHT, night=JUNE[day]), *moved)
        record(connection, replace(NIGHT, service="other", night=JUNE[10]), NULLS)
    with reading(ready) as connection:
        whole = moves_since(connection, "eta", None, JUNE[14])
        part = moves_since(connection, "eta", JUNE[11], JUNE[12])
        before = moves_since(connection, "eta", None, JUNE[8])

    assert list(whole.items()) == [
        (JUNE[9], [NULLS]),
        (JUNE[11], [SLICE]),
        (JUNE[12], []),
        (JUNE[14], [SLICE, NULLS]),
    ]
    assert part == {JUNE[11]: [SLICE], JUNE[12]: []}
    assert before == {}


def test_the_latest_revision_counts(ready: sa.Engine) -> None:
    """What an older revision found is not mixed in, also when nothing moved in the new one."""
    with writing(ready) as connection:
        record(connection, NIGHT, NULLS)
        record(connection, replace(NIGHT, content_sha="n2"), SLICE)
        assert moves_since(connection, "eta", JUNE[9], JUNE[9]) == {JUNE[9]: [SLICE]}
        record(connection, replace(NIGHT, content_sha="n3"))
        assert moves_since(connection, "eta", JUNE[9], JUNE[9]) == {JUNE[9]: []}
        kept = connection.execute(sa.select(sa.func.count()).select_from(moves)).scalar()

    assert kept == 2


def test_the_same_night_again_keeps_what_moved(ready: sa.Engine) -> None:
    """A night whose content is known writes nothing, whatever else is handed in."""
    with writing(ready) as connection:
        record(connection, NIGHT, NULLS)
        record(connection, NIGHT, SLICE)
        assert moves_since(connection, "eta", None, JUNE[9]) == {JUNE[9]: [NULLS]}


def test_a_page_made_again_replaces_what_moved(ready: sa.Engine) -> None:
    """Of that night alone, and all of it."""
    with writing(ready) as connection:
        first = record(connection, NIGHT, NULLS, SLICE)
        record(connection, replace(NIGHT, night=JUNE[10]), NULLS)
        incidents.replace_moves(connection, first, [replace(NULLS, floors=2.0)])
        assert moves_since(connection, "eta", None, JUNE[10]) == {
            JUNE[9]: [replace(NULLS, floors=2.0)],
            JUNE[10]: [NULLS],
        }
        incidents.replace_moves(connection, first, [])
        assert moves_since(connection, "eta", None, JUNE[9]) == {JUNE[9]: []}
    with pytest.raises(sa.exc.IntegrityError), writing(ready) as connection:
        incidents.replace_moves(connection, 999, [NULLS])


@pytest.mark.parametrize("name", ["floors", "chance", "whole", "share", "alone"])
def test_a_number_that_is_none_takes_its_night_with_it(ready: sa.Engine, name: str) -> None:
    """NaN is refused by name; half a night is not kept."""
    broken = replace(SLICE, **{name: float("nan")})
    with pytest.raises(StateError, match="nan cannot be kept"), writing(ready) as connection:
        record(connection, NIGHT, NULLS, broken)
    with reading(ready) as connection:
        assert moves_since(connection, "eta", None, JUNE[9]) == {}


def test_rows_are_in_one_order_on_every_database(ready: sa.Engine) -> None:
    """By code point, whatever language the database sorts by: what folds them must not differ."""
    mixed = [replace(NULLS, feature=name) for name in ("b", "_a", "A", "ä", "a", "B")]
    mixed.append(replace(NULLS, slice="os\x1fb"))
    mixed.append(replace(NULLS, slice="os\x1fB"))
    with writing(ready) as connection:
        record(connection, NIGHT, *mixed)
        (found,) = moves_since(connection, "eta", None, JUNE[9]).values()

    assert [row.feature for row in found] == ["A", "B", "_a", "a", "b", "city", "city", "ä"]
    assert [row.slice for row in found if row.slice] == ["os\x1fB", "os\x1fb"]


def test_long_slices_stay_apart(ready: sa.Engine) -> None:
    """A value that a user typed is shortened for the key, its dimension first; two of the same start are still two."""
    long = [replace(NULLS, slice="city\x1f" + "x" * size) for size in (5000, 5001)]
    with writing(ready) as connection:
        record(connection, NIGHT, *long)
        (found,) = moves_since(connection, "eta", None, JUNE[9]).values()

    assert len({row.slice for row in found}) == 2
    assert all(row.slice.startswith("city\x1fxxx") for row in found)


def test_a_night_long_ago_without_moves_is_there(ready: sa.Engine) -> None:
    """Nights that an older ronda judged have entries, and nothing in them."""
    with writing(ready) as connection:
        record(connection, replace(NIGHT, night=JUNE[9] - timedelta(days=400)))
        record(connection, NIGHT, NULLS)
        assert list(moves_since(connection, "eta", None, JUNE[9]).values()) == [[], [NULLS]]
