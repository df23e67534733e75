"""Equal content has one sha256, and other content another."""

from __future__ import annotations

import datetime as dt
import io
import math
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.errors import StateError
from store.canonical import canonical_json, sha256_of, sha256_rows

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
ROWS = st.lists(
    st.tuples(
        st.none() | st.integers(-3, 3) | st.integers(-(2**63), 2**63 - 1),
        st.none() | st.sampled_from([0.0, -0.0, math.nan, math.inf, -math.inf]) | st.floats(),
        st.none()
        | st.sampled_from(["", "a", "b"])
        | st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
        st.none() | st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2200, 1, 1), timezones=st.just(dt.UTC)),  # noqa: DTZ001 - hypothesis takes naive bounds and adds the zone
        st.none() | st.booleans(),
    ),
    max_size=12,
)
SCHEMA = pa.schema([
    ("id", pa.int64()),
    ("wind", pa.float64()),
    ("carrier", pa.string()),
    ("time", pa.timestamp("us", "UTC")),
    ("late", pa.bool_()),
])  # fmt: skip


def _table(rows: list[tuple[Any, ...]]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(SCHEMA.names, row, strict=True)) for row in rows], schema=SCHEMA)


def test_json_is_spelled_one_way() -> None:
    """Exact bytes: sorted, dense, UTF-8, shortest floats, UTC times, NumPy as plain numbers."""
    value = {
        "é": "ção 🛵",
        "b": [1, 1.0, 0.1 + 0.2, 1e300, -0.0, True, None],
        "a": {"z": (), "y": np.array([1, 2]), "x": np.float32(0.5), "w": np.int64(2**62)},
        "t": dt.datetime(2013, 6, 24, 1, tzinfo=dt.timezone(dt.timedelta(hours=-3))),
        "d": dt.date(2013, 6, 24),
    }
    expected = (
        '{"a":{"w":4611686018427387904,"x":0.5,"y":[1,2],"z":[]},"b":[1,1.0,0.30000000000000004,1e+300,-0.0,true,null],'
        '"d":"2013-06-24","t":"2013-06-24T04:00:00+00:00","é":"ção 🛵"}'
    )

    assert canonical_json(value).decode() == expected
    assert sha256_of({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": [1, math.nan]}, r"nan at \$\.a\[1\] \(a float\)"),
        ({"a": math.inf}, r"inf at \$\.a \(a float\)"),
        ({"a": {1: 2}}, r"The key 1 at \$\.a is a int"),
        ({"a": np.array([1.0, np.nan])}, r"nan at \$\.a\[1\]"),
        ([dt.datetime(2013, 6, 24)], r"at \$\[0\] \(a datetime\)"),  # noqa: DTZ001 - the naive time is the point
        ({"a": Decimal("1.5")}, r"at \$\.a \(a Decimal\)"),
        ({"a": {1, 2}}, r"at \$\.a \(a set\)"),
        ("\ud83d", "half a surrogate pair at character 1"),
    ],
)
def test_what_json_cannot_say_is_refused(value: object, message: str) -> None:
    """By its path, not by a stack trace."""
    with pytest.raises(StateError, match=message):
        canonical_json(value)


@given(
    st.dictionaries(
        st.text(), st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3), max_leaves=5)
    ),
    st.randoms(),
)
def test_the_order_of_keys_does_not_count(value: dict[str, object], random: Any) -> None:
    """However a mapping was filled, its hash is the same."""
    keys = list(value)
    random.shuffle(keys)

    assert sha256_of({key: value[key] for key in keys}) == sha256_of(value)


@given(ROWS, st.randoms(), st.data())
def test_how_rows_are_kept_does_not_count(
    rows: list[tuple[Any, ...]], random: Any, data: st.DataObject
) -> None:
    """Order of rows and columns, chunks, dictionaries, widths, and a trip through Parquet: one hash."""
    expected = sha256_rows(_table(rows))
    shuffled = list(rows)
    random.shuffle(shuffled)
    table = _table(shuffled)
    cut = data.draw(st.integers(0, len(rows)))
    chunked = pa.concat_tables([table.slice(0, cut), table.slice(0, 0), table.slice(cut)])
    encoded = chunked.set_column(2, "carrier", chunked["carrier"].dictionary_encode())
    widened = chunked.set_column(2, "carrier", chunked["carrier"].cast(pa.large_string()))
    zoned = chunked.set_column(3, "time", chunked["time"].cast(pa.timestamp("ns", "America/Recife")))
    buffer = io.BytesIO()
    pq.write_table(encoded, buffer, row_group_size=2)

    for other in (
        table,
        chunked,
        encoded,
        widened,
        zoned,
        table.select(SCHEMA.names[::-1]),
        pq.read_table(buffer),
    ):
        assert sha256_rows(other) == expected


@given(ROWS.filter(bool), st.data())
def test_any_other_value_counts(rows: list[tuple[Any, ...]], data: st.DataObject) -> None:
    """One value changed, or one row more: another hash."""
    row = data.draw(st.integers(0, len(rows) - 1))
    column = data.draw(st.integers(0, len(SCHEMA) - 1))
    others: tuple[list[Any], ...] = [None, 1, 2], [None, 0.5, math.nan], [None, "", "a"], [None, dt.datetime(2000, 1, 1, tzinfo=dt.UTC)], [None, True, False]  # fmt: skip
    new = data.draw(
        st.sampled_from([value for value in others[column] if not _same(value, rows[row][column])])
    )
    changed = list(rows)
    changed[row] = (*rows[row][:column], new, *rows[row][column + 1 :])

    expected = sha256_rows(_table(rows))
    assert sha256_rows(_table(changed)) != expected
    assert sha256_rows(_table([*rows, rows[row]])) != expected


def _same(one: object, other: object) -> bool:
    both_nan = isinstance(one, float) and isinstance(other, float) and math.isnan(one) and math.isnan(other)
    return both_nan or one == other


@given(ROWS.filter(lambda rows: len(rows) > 1))
def test_values_belong_to_their_rows(rows: list[tuple[Any, ...]]) -> None:
    """Two columns with the same values, put together otherwise, are other rows."""
    turned = [(rows[i - 1][0], *row[1:]) for i, row in enumerate(rows)]
    is_same_bag = sorted(map(_text, turned)) == sorted(map(_text, rows))

    assert (sha256_rows(_table(turned)) == sha256_rows(_table(rows))) is is_same_bag


def _text(row: tuple[Any, ...]) -> str:
    return repr(tuple(0.0 if value == 0 and isinstance(value, float) else value for value in row))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (pa.array([1, None], pa.int8()), pa.array([1, None], pa.uint64())),
        (pa.array([1, 2], pa.int64()), pa.array([Decimal(1), Decimal(2)], pa.decimal128(38, 0))),
        (pa.array([1, 2], pa.int64()), pa.array([Decimal("1.00"), Decimal("2.00")], pa.decimal128(9, 2))),
        (pa.array([0.5], pa.float32()), pa.array([0.5], pa.float64())),
        (pa.array([0.0, 1.0]), pa.array([-0.0, 1.0])),
        (pa.array(["a"], pa.string()), pa.array(["a"], pa.string_view())),
        (pa.array([b"ab"], pa.binary(2)), pa.array([b"ab"], pa.large_binary())),
        (pa.array([None, None], pa.string()), pa.array([None, None], pa.null())),
        (pa.array([1], pa.date32()), pa.array([86_400_000], pa.date64())),
        (pa.array([1], pa.time32("s")), pa.array([10**9], pa.time64("ns"))),
        (pa.array([1], pa.duration("s")), pa.array([10**9], pa.duration("ns"))),
    ],
)
def test_types_that_say_the_same(one: pa.Array, other: pa.Array) -> None:
    """Engines differ in how wide they make a column; that is not content."""
    assert sha256_rows(pa.table({"a": one})) == sha256_rows(pa.table({"a": other}))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (pa.array([1]), pa.array([1.0])),
        (pa.array([1]), pa.array(["1"])),
        (pa.array([1]), pa.array([True])),
        (pa.array(["a"]), pa.array([b"a"])),
        (pa.array(["", None]), pa.array(["", ""])),
        (pa.array([math.nan, 1.0]), pa.array([None, 1.0])),
        (pa.array(["ab", "c"]), pa.array(["a", "bc"])),
        (pa.array([2**64 - 1], pa.uint64()), pa.array([-1])),
        (pa.array([2**64 - 1], pa.uint64()), pa.array([2**64 - 2], pa.uint64())),
        (pa.array([1], pa.timestamp("us", "UTC")), pa.array([1], pa.timestamp("us"))),
        (pa.array([1000], pa.timestamp("ns")), pa.array([1001], pa.timestamp("ns"))),
        (pa.array([Decimal("1.5")]), pa.array([Decimal("1.6")])),
        (pa.array([None], pa.null()), pa.array([None, None], pa.null())),
    ],
)
def test_columns_that_say_something_else(one: pa.Array, other: pa.Array) -> None:
    """What a reader would take for different is different."""
    assert sha256_rows(pa.table({"a": one})) != sha256_rows(pa.table({"a": other}))


def test_names_count() -> None:
    """The same values under another name, and columns whose names are swapped."""
    table = pa.table({"a": [1, 2], "b": [3, 4]})

    assert sha256_rows(table.rename_columns(["a", "c"])) != sha256_rows(table)
    assert sha256_rows(table.rename_columns(["b", "a"])) != sha256_rows(table)


def test_the_hash_itself_is_fixed() -> None:
    """Stored versions must not change under a user: these values may never be edited."""
    table = pa.table({"id": ["b", "a", None], "x": [0.5, math.nan, None], "n": [1, 2, 3]})

    assert sha256_rows(table) == "90841665c3dee6fe893aca949a6415d576c65276e7fe694aba0bb4bf74b19590"
    assert (
        sha256_rows(table.slice(0, 0)) == "881fd923eddb8eb7f3b7feafbfb7d56a7ffc9230ad663b6bd74734e8de8ff929"
    )


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]),
            "Two columns have the same name, among a, a",
        ),
        (pa.table({"a": [[1], [2]]}), "Column a is of type list<item: int64>"),
        (pa.table({"a": [{"b": 1}]}), "Column a is of type struct<b: int64>"),
    ],
)
def test_tables_without_a_canonical_form(table: pa.Table, message: str) -> None:
    """Nested columns and doubled names are refused by name."""
    with pytest.raises(StateError) as refused:
        sha256_rows(table)

    assert message in str(refused.value)
