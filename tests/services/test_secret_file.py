"""A secret in a file: one for all that ask at the same time, whole or not there, and its owner's alone."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from services.secret_file import secret_in

# Every process takes the same files in the same order, so that they meet at nearly each of them.
PROGRAM = """\
import json, secrets, sys
from pathlib import Path
from services.secret_file import secret_in
sys.stdin.read()
found = [
    secret_in(Path(sys.argv[1], str(number), "key"), lambda: secrets.token_hex(32).encode()).decode()
    for number in range(200)
]
print(json.dumps(found))
"""


def test_processes_that_come_together_get_one_secret(tmp_path: Path) -> None:
    """Four processes that make two hundred files agree on each of them, and leave nothing else behind."""
    call = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    processes = [
        subprocess.Popen(call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    for each in processes:
        assert each.stdin is not None
        each.stdin.close()
        each.stdin = None
    found = [json.loads(each.communicate(timeout=60)[0]) for each in processes]
    assert {len(secret) for secret in found[0]} == {64}
    assert len(set(found[0])) == 200
    assert found[1:] == [found[0]] * 3
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert {(file.name, stat.S_IMODE(file.stat().st_mode)) for file in files} == {("key", 0o600)}


def test_the_first_one_wins(tmp_path: Path) -> None:
    """Who finds that another was faster takes what that one made."""
    path = tmp_path / "key"

    def slow() -> bytes:
        assert secret_in(path, lambda: b"of the faster one") == b"of the faster one"
        return b"of the slower one"

    assert secret_in(path, slow) == b"of the faster one"
    assert secret_in(path, lambda: b"of a later one") == b"of the faster one"
    assert [file.name for file in tmp_path.iterdir()] == ["key"]


def test_there_is_no_file_before_all_of_it_is_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk leaves neither a part of a secret nor the file that was to become it."""
    path, seen = tmp_path / "key", []

    def full(descriptor: int) -> None:
        seen.append((path.exists(), os.fstat(descriptor).st_size))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        secret_in(path, lambda: b"sixteen bytes it is")
    assert seen == [(False, 19)]
    assert list(tmp_path.iterdir()) == []
