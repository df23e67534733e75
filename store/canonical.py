"""One spelling for equal content, so that its sha256 names it wherever and however it was written."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from services.errors import StateError


def canonical_json(value: object) -> bytes:
    """JSON as UTF-8, with sorted keys, no spaces, and floats in the shortest form that reads back the same.

    Takes what JSON has, and tuples, NumPy numbers and arrays, dates, and aware times (as UTC). `1` and `1.0`
    are different content. NaN and infinities are refused: JSON has none, and readers differ in what they
    make of them.

    >>> canonical_json({"b": (1, 0.1), "a": "ção"}).decode()
    '{"a":"ção","b":[1,0.1]}'

    Raises:
        StateError: a value that has no place in JSON, named by its path.
    """
    try:
        text = json.dumps(
            _plain(value, "$"), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
        return text.encode()
    except UnicodeEncodeError as error:
        raise StateError(
            f"A text holds half a surrogate pair at character {error.start}: it is not Unicode."
        ) from error


def sha256_of(value: object) -> str:
    """The sha256 of `canonical_json(value)`, as 64 hex digits.

    >>> sha256_of({"a": 1, "b": 2}) == sha256_of({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(canonical_json(value)).hexdigest()


def sha256_rows(table: pa.Table) -> str:
    """The sha256 of a table's rows as a bag: what they say, not how they are kept.

    The same for any order of rows or columns, chunks, dictionary encoding, and width of a type (int32 or
    int64, float or double, string or large_string, decimal without fraction or integer; microseconds or
    nanoseconds of the same instant, in any zone). Equal numbers are equal: -0.0 is 0.0, and every NaN is one
    NaN, which is not null. A column without any value has no type. Memory: about two copies more than the table itself.

    Raises:
        StateError: two columns have one name, or a column is nested.
    """
    names = sorted(table.column_names)
    if len(set(names)) < len(names):
        raise StateError(f"Two columns have the same name, among {', '.join(names)}. Name them apart.")
    kinds, columns = {}, {}
    for name in names:
        kinds[name], columns[name] = _reduce(name, table.column(name))
    digest = hashlib.sha256(canonical_json({"rows": table.num_rows, "columns": kinds}))
    order = _sorted_order(columns)
    for column in columns.values():
        for part in _parts(column if order is None else column.take(order)):
            digest.update(part.nbytes.to_bytes(8, "little"))
            digest.update(part)
    return digest.hexdigest()


def _plain(value: Any, path: str) -> object:
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise StateError(
                    f"The key {key!r} at {path} is a {type(key).__name__}; JSON has only text keys."
                )
        return {key: _plain(item, f"{path}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, f"{path}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, np.generic | np.ndarray):
        return _plain(value.tolist(), path)
    return _scalar(value, path)


def _scalar(value: object, path: str) -> object:
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    raise StateError(
        f"{value!r} at {path} (a {type(value).__name__}) has no canonical JSON. Leave it out, or write it as text."
    )


def _reduce(name: str, column: pa.ChunkedArray) -> tuple[str, pa.Array]:
    """What a column holds, and its values in one chunk of int64, large_string or large_binary."""
    if column.null_count == len(column):
        return "nothing", pa.nulls(len(column), pa.int64())
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    found = _numbers(column) or _words(column) or _times(column)
    if found is None:
        raise StateError(f"Column {name} is of type {column.type}; only flat columns have a canonical form.")
    kind, reduced = found
    return kind, pa.concat_arrays(reduced.chunks)


def _numbers(column: pa.ChunkedArray) -> tuple[str, pa.ChunkedArray] | None:
    if pa.types.is_boolean(column.type):
        return "bool", column.cast(pa.int64())
    if pa.types.is_integer(column.type) or pa.types.is_decimal(column.type):
        return _exact(column)
    if pa.types.is_floating(column.type):
        return "double", _bits(column.cast(pa.float64()))
    return None


def _exact(column: pa.ChunkedArray) -> tuple[str, pa.ChunkedArray]:
    try:
        return "int", column.cast(pa.int64())
    except pa.ArrowInvalid:  # it has fractions, or is beyond 64 bits
        return "decimal", column.cast(pa.large_string())


def _bits(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The bit patterns of doubles: they sort NaN as they do any number, and compare without rounding."""
    positive_zero = pc.add(column, 0.0)
    one_nan = pc.if_else(pc.is_nan(positive_zero), math.nan, positive_zero)
    return pa.chunked_array([chunk.view(pa.int64()) for chunk in one_nan.chunks], pa.int64())


def _words(column: pa.ChunkedArray) -> tuple[str, pa.ChunkedArray] | None:
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return "text", column.cast(pa.large_string())
    if pa.types.is_fixed_size_binary(kind):
        column = column.cast(pa.binary())
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return "bytes", column.cast(pa.large_binary())
    return None


def _times(column: pa.ChunkedArray) -> tuple[str, pa.ChunkedArray] | None:
    kind = column.type
    if pa.types.is_date(kind):
        return "date", column.cast(pa.date32()).cast(pa.int32()).cast(pa.int64())
    if pa.types.is_timestamp(kind):
        zone = "UTC" if kind.tz else None
        return _finest("instant" if zone else "local time", column, lambda unit: pa.timestamp(unit, zone))
    if pa.types.is_time(kind):
        return _finest("time of day", column, pa.time64)
    if pa.types.is_duration(kind):
        return _finest("duration", column, pa.duration)
    return None


def _finest(
    kind: str, column: pa.ChunkedArray, typed: Callable[[str], pa.DataType]
) -> tuple[str, pa.ChunkedArray]:
    """Microseconds, unless that would drop a part of a value: nanoseconds cannot reach all the years."""
    try:
        return f"{kind} us", column.cast(typed("us")).cast(pa.int64())
    except pa.ArrowInvalid:
        return f"{kind} ns", column.cast(typed("ns")).cast(pa.int64())


def _sorted_order(columns: dict[str, pa.Array]) -> pa.Array | None:
    keys = [(name, "ascending") for name, column in columns.items() if column.null_count < len(column)]
    return pc.sort_indices(pa.table(columns), sort_keys=keys) if keys else None


def _parts(column: pa.Array) -> Iterator[memoryview]:
    """What is hashed of a column: which values are there, then the values; for texts lengths and bytes."""
    yield np.packbits(column.is_valid().to_numpy(zero_copy_only=False)).data
    if column.type == pa.int64():
        yield _bytes(column.fill_null(0))
        return
    filled = column.fill_null(b"" if column.type == pa.large_binary() else "")
    yield _bytes(pc.binary_length(filled))
    ends = np.frombuffer(filled.buffers()[1], dtype=np.int64)[[filled.offset, filled.offset + len(filled)]]
    yield memoryview(filled.buffers()[2] or b"")[ends[0] : ends[1]]


def _bytes(numbers: pa.Array) -> memoryview:
    return memoryview(numbers.to_numpy(zero_copy_only=False).astype("<i8", copy=False)).cast("B")
