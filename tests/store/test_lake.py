"""Files in the lake are whole, stay untouched when equal, and stay inside."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from services.errors import StateError
from store.lake import Lake, open_lake


@pytest.fixture(params=["local", "memory"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lake]:
    """A lake on disk, and one as an object store would be."""
    if request.param == "local":
        yield open_lake(str(tmp_path / "var" / "lake"))
        return
    opened = open_lake("memory://ronda-lake")
    yield opened
    fsspec.filesystem("memory").rm(opened.root, recursive=True)


def test_a_file_comes_back(lake: Lake) -> None:
    """Folders are made on the way, and `put` returns the path to record."""
    assert not lake.exists("flight_delay/2013-06-24/profile.parquet")
    assert (
        lake.put("flight_delay/2013-06-24/profile.parquet", b"\x00\xff")
        == "flight_delay/2013-06-24/profile.parquet"
    )
    assert lake.exists("flight_delay/2013-06-24/profile.parquet")
    assert lake.get("flight_delay/2013-06-24/profile.parquet") == b"\x00\xff"


def test_a_file_is_replaced(lake: Lake) -> None:
    """An index page changes; the new content counts."""
    lake.put("index.html", b"one")
    lake.put("index.html", b"two")

    assert lake.get("index.html") == b"two"
    assert lake.list() == ["index.html"]


@pytest.mark.parametrize("large", [False, True])
def test_equal_content_is_not_written(tmp_path: Path, large: bool) -> None:
    """Neither bytes nor the time of change, so that a second run leaves no trace."""
    lake = open_lake(str(tmp_path / "lake"))
    source = tmp_path / "source"
    source.write_bytes(os.urandom(3 << 20))
    before = []
    for _ in range(2):
        path = lake.put_file("a/b", source) if large else lake.put("a/b", source.read_bytes())
        file = lake.local_path(path)
        before.append((file.stat().st_mtime_ns, file.stat().st_ino))

    assert before[0] == before[1]
    assert lake.local_path("a/b").read_bytes() == source.read_bytes()


@pytest.mark.parametrize("place", [0, -1])
def test_one_other_byte_is_written(lake: Lake, tmp_path: Path, place: int) -> None:
    """Equal length is not equal content, in the first piece nor in the last."""
    data = bytearray(os.urandom(3 << 20))
    source = tmp_path / "source"
    source.write_bytes(data)
    lake.put_file("a/b", source)
    data[place] ^= 1
    source.write_bytes(data)
    lake.put_file("a/b", source)

    assert lake.get("a/b") == data


def test_a_killed_write_is_not_seen(lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped after some bytes or before the renaming: the old content stands, and nothing half is left."""
    lake.put("a/page.html", b"old")

    def stop_after_some_bytes(_self: Lake, unfinished: str, write: object) -> None:
        with lake.files.open(unfinished, "wb") as file:
            file.write(b"ne")
            raise KeyboardInterrupt

    def stop_before_renaming(_self: Lake, unfinished: str, full: str) -> None:
        assert lake.files.cat_file(unfinished) == b"new"
        assert lake.list() == ["a/page.html"]
        raise KeyboardInterrupt

    for name, stop in (("_write", stop_after_some_bytes), ("_rename", stop_before_renaming)):
        with monkeypatch.context() as patched:
            patched.setattr(Lake, name, stop)
            with pytest.raises(KeyboardInterrupt):
                lake.put("a/page.html", b"new")

        assert lake.get("a/page.html") == b"old"
        assert lake.files.find(lake.root) == [f"{lake.root}/a/page.html"]


def test_what_a_killed_process_leaves_is_not_listed(lake: Lake) -> None:
    """A process that had no time to tidy up leaves a file that no reader takes for one."""
    lake.put("a/page.html", b"whole")
    with lake.files.open(f"{lake.root}/a/.page.html.0123", "wb") as file:
        file.write(b"ha")

    assert lake.list() == ["a/page.html"]
    assert not lake.exists("a/page2.html")


def test_files_are_listed_in_order(lake: Lake) -> None:
    """All below a folder, and nothing of a folder whose name only begins alike."""
    for path in ("eta/2.bin", "eta/1/x.bin", "eta2/3.bin", "index.html"):
        lake.put(path, b"")

    assert lake.list() == ["eta/1/x.bin", "eta/2.bin", "eta2/3.bin", "index.html"]
    assert lake.list("eta") == ["eta/1/x.bin", "eta/2.bin"]
    assert lake.list("nothing") == []


@pytest.mark.parametrize(
    "path",
    ["", "/etc/passwd", "..", "a/../b", "a//b", "a/", "./a", "a/.hidden", "a\\b", "a b", "a\x00", "a\n", "ção", "a:b", "a*", "x" * 201],
)  # fmt: skip
def test_unsafe_paths_are_refused(lake: Lake, path: str) -> None:
    """A name that a user could have typed reaches no file outside, and none with a meaning of its own."""
    for use in (lake.get, lake.exists, lake.local_path, lambda path: lake.put(path, b"")):
        with pytest.raises(StateError, match="cannot be a path in the lake"):
            use(path)

    assert lake.list() == []


def test_a_missing_file_is_named(lake: Lake) -> None:
    """With what to look at."""
    with pytest.raises(
        StateError, match=r"has no file eta/profile\.bin\. Is RONDA_LAKE where it was written\?"
    ):
        lake.get("eta/profile.bin")


def test_a_missing_source_is_named(lake: Lake, tmp_path: Path) -> None:
    """It is the local file that is missing, and the message says so."""
    with pytest.raises(StateError, match="source is no file, so it cannot be put into the lake as a"):
        lake.put_file("a", tmp_path / "source")


def test_a_lake_that_cannot_be_written(tmp_path: Path) -> None:
    """A file where a folder should be; the message names the path and the reason."""
    lake = open_lake(str(tmp_path))
    lake.put("eta", b"a file")

    with pytest.raises(StateError, match=r"eta/profile\.bin in the lake .* cannot be written: File exists"):
        lake.put("eta/profile.bin", b"")


def test_only_a_local_lake_has_local_paths(tmp_path: Path) -> None:
    """Elsewhere the caller must read the content."""
    assert open_lake(str(tmp_path)).local_path("a/b") == tmp_path / "a" / "b"
    assert open_lake(f"file://{tmp_path}").local_path("a/b") == tmp_path / "a" / "b"
    with pytest.raises(StateError, match="is not on this machine's disk, so a/b has no local path there"):
        open_lake("memory://ronda-lake").local_path("a/b")


def test_a_lake_that_cannot_be_opened(tmp_path: Path) -> None:
    """An unknown scheme and a file in the way; keys in the URL do not show."""
    with pytest.raises(
        StateError, match="RONDA_LAKE begins with nosuch://, which cannot be opened here"
    ) as refused:
        open_lake("nosuch://key:secret@bucket/lake")
    assert "secret" not in str(refused.value)

    (tmp_path / "lake").write_text("")
    with pytest.raises(StateError, match="The lake cannot be opened: File exists"):
        open_lake(str(tmp_path / "lake"))


def test_a_lake_does_not_show_its_credentials() -> None:
    """Printed, it is its folder."""
    assert repr(open_lake("memory://ronda-lake")) == "Lake(root='/ronda-lake')"
