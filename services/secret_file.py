"""A secret in a file of its own, made at first use by whichever process comes first."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def secret_in(path: Path, make: Callable[[], bytes]) -> bytes:
    """What the file holds; where there is none, it is made first, readable by its owner only.

    Of processes that come at the same time, all get what the first of them made.

    Args:
        make: gives the content of a new file.

    Raises:
        OSError: the file can be neither read nor made.
    """
    with suppress(FileNotFoundError):
        return path.read_bytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    _place(path, make())
    return path.read_bytes()


def _place(path: Path, content: bytes) -> None:
    """Give a whole new file this name, unless another process has been faster."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # with mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # unlike a file that is opened and then written, a link is never seen empty or in part
        with suppress(FileExistsError):
            path.hardlink_to(name)
    finally:
        Path(name).unlink()
