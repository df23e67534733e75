"""Files in blocks: the same bytes and hash however the rows arrive."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from feedback import rows
from feedback.rows import block_file

SCHEMA = pa.schema([("id", pa.string()), ("number", pa.float64())])
TABLE = pa.table({"id": [f"r{n}" for n in range(50)], "number": [n / 7 for n in range(50)]})


def written(path: Path, cuts: list[int]) -> tuple[bytes, str, int]:
    """The file, its hash and its rows, when the table is handed in cut at these places."""
    with block_file(path, SCHEMA) as file:
        for first, last in zip([0, *cuts], [*cuts, TABLE.num_rows], strict=True):
            file.append(TABLE.slice(first, last - first))
        sha = file.finish()
    return path.read_bytes(), sha, file.rows


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "BLOCK", 16)


def test_cuts_do_not_show(tmp_path: Path) -> None:
    """Neither bytes nor hash depend on the batches an engine gave."""
    whole = written(tmp_path / "a", [])

    assert written(tmp_path / "b", [1, 2, 16, 31, 50]) == whole
    assert whole[2] == 50
    assert pq.read_table(tmp_path / "a").equals(TABLE)
    assert pq.ParquetFile(tmp_path / "a").num_row_groups == 4


def test_order_and_content_show(tmp_path: Path) -> None:
    """Rows in another block, or one changed value, make another hash."""
    with block_file(tmp_path / "a", SCHEMA) as file:
        file.append(TABLE.take(pa.array(range(49, -1, -1))))
        other = file.finish()

    assert other != written(tmp_path / "b", [])[1]


def test_nothing_is_a_file_too(tmp_path: Path) -> None:
    """Without rows the file has the columns, and a hash."""
    with block_file(tmp_path / "a", SCHEMA) as file:
        sha = file.finish()

    assert pq.read_table(tmp_path / "a").schema == SCHEMA
    assert len(sha) == 64
