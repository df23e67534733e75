"""One Airflow at a time in a folder: two would share its database, and each run what the other has begun."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from services.errors import UsageError

LAUNCHER, PARTS = "launcher.lock", "airflow.lock"
_ENDS_WITHIN = 2  # seconds that processes may take to end after they were killed


@contextmanager
def alone(folder: Path) -> Iterator[int]:
    """Hold that no Airflow of this folder runs or is being started, and let none start during the block.

    Gives a file to start Airflow with as its standard input, locked. Airflow hands that to every part that it
    starts, and no other open file; so the lock ends with the last of them, whatever happens to this process.

    Raises:
        UsageError: an Airflow of this folder runs, and how it is stopped.
    """
    with _opened(folder / LAUNCHER) as launcher, _opened(folder / PARTS) as lock:
        # In this order: who has the first lock knows that nobody else writes to the second file.
        if not _taken(launcher):
            raise UsageError(_launched(folder))
        note(launcher, os.getpid())
        if not _taken(lock, _ENDS_WITHIN):
            raise UsageError(_left_over(folder))
        os.ftruncate(lock, 0)  # the number in it is of an Airflow that has ended
        yield lock


def note(lock: int, number: int) -> None:
    """Write who can be told to stop what holds the lock: a process, or a group of them."""
    os.ftruncate(lock, 0)
    os.lseek(lock, 0, os.SEEK_SET)  # after an earlier number; what is skipped would be filled with zeros
    os.write(lock, f"{number}\n".encode())


def session(leader: int) -> list[int]:
    """The processes of a session, where the system lists its processes as files."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.getsid(int(each.name)) == leader:
                found.append(int(each.name))
    return found


def _launched(folder: Path) -> str:
    time.sleep(0.1)  # it may have come this moment, and be about to write its number
    number = (folder / LAUNCHER).read_text(encoding="utf-8").strip()
    return (
        f"Airflow of {folder} runs already, or is being started."
        f" Press Ctrl-C where that was done, or stop it with: kill -TERM {number}"
    )


def _left_over(folder: Path) -> str:
    found = f"Airflow of {folder} still runs, though what started it has ended."
    number = (folder / PARTS).read_text(encoding="utf-8").strip()
    if not number:  # what started it was killed before it could write this
        return f"{found} Kill every process of yours whose name begins with airflow."
    groups = {int(number)} | _groups(int(number))
    # of all forms, this one works in bash, in dash and as a program; after SIGTERM a part may stay for half a minute
    return f"{found} Stop it with: kill -s KILL -- {' '.join(str(-each) for each in sorted(groups))}"


def _groups(leader: int) -> set[int]:
    # a task has a group of its own, and would go on for a while
    found = set()
    for each in session(leader):
        with suppress(OSError):
            found.add(os.getpgid(each))
    return found


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _taken(descriptor: int, seconds: float = 0) -> bool:
    until = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                return False
            time.sleep(0.1)
        else:
            return True
