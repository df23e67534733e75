"""Rows in and out in bounded memory: streamed from a statement, written in blocks that are always the same."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from store.canonical import sha256_rows
from store.dialect import as_sql
from store.duck import Connection
from store.source import Source
from store.statement import Select, Selection, duplicated_ids

BLOCK = 65_536
"""Rows held at once, and rows of one row group."""

_SETTINGS = (
    "memory_limit = '512MB'",  # beyond it DuckDB sorts on disk
    "threads = 1",  # each thread holds blocks of its own: with two, a wide sort fails at this limit, not spills
    "preserve_insertion_order = false",
)


class BlockFile:
    """A Parquet file written in blocks of equal size, whatever the sizes of the tables handed in.

    So neither its bytes nor its hash depend on how an engine cuts its result, and memory does not grow.
    """

    def __init__(self, writer: pq.ParquetWriter, schema: pa.Schema) -> None:
        self._writer = writer
        self._schema = schema
        self._pending = schema.empty_table()
        self._digest = hashlib.sha256()
        self.rows = 0

    def append(self, rows: pa.Table) -> None:
        """Add rows after those there are; their columns are cast to the file's schema."""
        ready = rows.select(self._schema.names).cast(self._schema)
        self._pending = pa.concat_tables([self._pending, ready])
        self.rows += ready.num_rows
        while self._pending.num_rows >= BLOCK:
            self._write(self._pending.slice(0, BLOCK))
            self._pending = self._pending.slice(BLOCK)

    def finish(self) -> str:
        """Write what is left and return the sha256 of all rows' canonical content, block by block."""
        if self._pending.num_rows:
            self._write(self._pending)
            self._pending = self._schema.empty_table()
        return self._digest.hexdigest()

    def _write(self, block: pa.Table) -> None:
        whole = block.combine_chunks()
        self._digest.update(sha256_rows(whole).encode())
        self._writer.write_table(whole, row_group_size=BLOCK)


@contextmanager
def block_file(path: Path, schema: pa.Schema) -> Iterator[BlockFile]:
    """Open a Parquet file for writing; after an error it is not whole and must not be used."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        yield BlockFile(writer, schema)


def streamed(connection: Connection, statement: Select, folder: Path) -> Iterator[pa.Table]:
    """The rows of a statement, a block at a time; what does not fit into memory is sorted in `folder`."""
    for setting in _SETTINGS:
        connection.execute(f"SET {setting}")
    connection.execute(f"SET temp_directory = {_quoted(folder / 'spill')}")
    for batch in connection.sql(as_sql(statement)).to_arrow_reader(BLOCK):
        yield pa.Table.from_batches([batch])


def with_duplicates(source: Source, selection: Selection) -> Selection:
    """The selection, told whether the log has repeated ids, so that one without any pays for no sorting."""
    repeated = int(source.fetch(duplicated_ids(selection))["ids"][0].as_py())
    return replace(selection, duplicates=repeated > 0)


def tally(words: pa.ChunkedArray) -> Counter[str]:
    """How often each word stands in a column; null counts as the empty word.

    >>> tally(pa.chunked_array([["a", "b", "a", None]]))
    Counter({'a': 2, 'b': 1, '': 1})
    """
    counted = pc.value_counts(words.combine_chunks())
    values, counts = counted.field("values").to_pylist(), counted.field("counts").to_pylist()
    return Counter({value or "": count for value, count in zip(values, counts, strict=True)})


def read_parquet(connection: Connection, name: str, file: Path) -> None:
    """Let a local Parquet file be read under a name of ours."""
    connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS FROM read_parquet({_quoted(file)})")


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
