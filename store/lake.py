"""The lake: files that are written whole, under paths that are safe anywhere fsspec reaches."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import fsspec

from services.errors import StateError

_PART = re.compile(r"[A-Za-z0-9_=-][A-Za-z0-9_.=-]{0,199}")  # a leading dot is ours, for unfinished files
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Lake:
    """A folder of a local disk or an object store. Paths in it are relative, with `/` between their parts.

    Attributes:
        files: the fsspec file system. Not shown: it may hold credentials.
        root: the folder, in that file system's own form.
    """

    files: Any = field(repr=False)
    root: str

    def put(self, path: str, data: bytes) -> str:
        """Write a file, whole or not at all, and return `path`; see `put_file`."""
        return self._put(path, lambda: self._holds(path, data), lambda file: file.write(data))

    def put_file(self, path: str, local_file: Path) -> str:
        """Copy a local file into the lake in pieces, and return `path`.

        Readers see the old content or the new, never a part. If the content is there already nothing is
        written, not even the time of change.

        Raises:
            StateError: the path is not safe, or the lake cannot be written.
        """

        def copy(file: BinaryIO) -> None:
            with local_file.open("rb") as source:
                while piece := source.read(_CHUNK):
                    file.write(piece)

        if not local_file.is_file():
            raise StateError(f"{local_file} is no file, so it cannot be put into the lake as {path}.")
        return self._put(path, lambda: self._equals(path, local_file), copy)

    def get(self, path: str) -> bytes:
        """The content of a file.

        Raises:
            StateError: the path is not safe, there is no such file, or it cannot be read.
        """
        full = self._full(path)
        with self._named_errors("read", path):
            content: bytes = self.files.cat_file(full)
            return content

    def exists(self, path: str) -> bool:
        """Whether there is a whole file at this path."""
        full = self._full(path)
        with self._named_errors("read", path):
            found: bool = self.files.isfile(full)
            return found

    def list(self, prefix: str = "") -> list[str]:
        """The paths of all files in the folder `prefix` and below, in order; unfinished ones are left out."""
        folder = self._full(prefix) if prefix else self.root
        with self._named_errors("listed", prefix):
            self.files.invalidate_cache()
            found = self.files.find(folder)
        paths = (name.removeprefix(self.root).lstrip("/") for name in found)
        return sorted(path for path in paths if not path.rpartition("/")[2].startswith("."))

    def local_path(self, path: str) -> Path:
        """Where a file is on this machine's disk, whether it exists yet or not.

        Raises:
            StateError: the path is not safe, or the lake is not on a local disk.
        """
        full = self._full(path)
        if not self._is_local():
            raise StateError(
                f"The lake {self.root} is not on this machine's disk, so {path} has no local path there."
            )
        return Path(full)

    def _put(self, path: str, is_there: Callable[[], bool], write: Callable[[BinaryIO], object]) -> str:
        full = self._full(path)
        with self._named_errors("written", path):
            if self.files.isfile(full) and is_there():
                return path
            folder, _, name = full.rpartition("/")
            unfinished = f"{folder}/.{name[:100]}.{secrets.token_hex(8)}"
            self.files.makedirs(folder, exist_ok=True)
            try:
                self._write(unfinished, write)
                self._rename(unfinished, full)
            except BaseException:
                if self.files.exists(unfinished):
                    self.files.rm_file(unfinished)
                raise
        return path

    def _write(self, unfinished: str, write: Callable[[BinaryIO], object]) -> None:
        with self.files.open(unfinished, "wb") as file:
            write(file)
            if self._is_local():  # the state will point here: after a power cut the content must be there too
                file.flush()
                os.fsync(file.fileno())

    def _rename(self, unfinished: str, full: str) -> None:
        if self._is_local():
            Path(unfinished).replace(full)
        else:
            self.files.mv(unfinished, full)

    def _holds(self, path: str, data: bytes) -> bool:
        full = self._full(path)
        return bool(self.files.size(full) == len(data) and self.files.cat_file(full) == data)

    def _equals(self, path: str, local_file: Path) -> bool:
        full = self._full(path)
        if self.files.size(full) != local_file.stat().st_size:
            return False
        with self.files.open(full, "rb") as kept, local_file.open("rb") as given:
            return all(piece == given.read(_CHUNK) for piece in iter(lambda: kept.read(_CHUNK), b""))

    def _full(self, path: str) -> str:
        if not all(_PART.fullmatch(part) for part in path.split("/")):
            raise StateError(
                f"{path!r} cannot be a path in the lake. Between slashes it takes letters, digits and _ - . =, "
                "not beginning with a dot."
            )
        return f"{self.root}/{path}"

    def _is_local(self) -> bool:
        return "file" in self.files.protocol or "local" in self.files.protocol

    @contextmanager
    def _named_errors(self, what: str, path: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise StateError(
                f"The lake {self.root} has no file {path}. Is RONDA_LAKE where it was written?"
            ) from error
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise StateError(f"{path} in the lake {self.root} cannot be {what}: {reason}.") from error


def open_lake(url: str) -> Lake:
    """Open the lake at a folder or an fsspec URL (`var/lake`, `s3://bucket/ronda`), which is made if missing.

    Raises:
        StateError: no installed package reaches such a URL, or the folder cannot be made.
    """
    scheme = url.partition("://")[0] if "://" in url else "file"
    try:
        files, root = fsspec.core.url_to_fs(url)
        files.makedirs(root, exist_ok=True)
    except (ImportError, ValueError) as error:
        # The URL itself is not shown: it may hold a key.
        raise StateError(
            f"RONDA_LAKE begins with {scheme}://, which cannot be opened here. Install the fsspec package for it "
            "(s3fs, gcsfs, adlfs …) or give a folder."
        ) from error
    except OSError as error:
        raise StateError(
            f"The lake cannot be opened: {error.strerror or type(error).__name__}. Check RONDA_LAKE."
        ) from error
    return Lake(files, root.rstrip("/"))
