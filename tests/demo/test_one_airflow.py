"""One Airflow per folder, also after what started it was killed: real processes, with a small program as Airflow."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from demo.one_airflow import alone, note, session
from services.errors import UsageError

# As `airflow standalone` does: a part in a process of its own, which gets no open file but the standard ones;
# and as a part does: a task in a group of its own.
AIRFLOW = f"""\
#!{sys.executable}
import subprocess, sys, time
PART = '''
import os, subprocess, sys, time
task = subprocess.Popen(["sleep", "60"], stdin=subprocess.DEVNULL, process_group=0)
os.write(1, b"a part runs: " + (sys.stdin.read() or "and reads nothing").encode())
time.sleep(60)
'''
subprocess.Popen([sys.executable, "-c", PART])
time.sleep(60)
"""

LAUNCHER = """\
import signal, sys, time
from contextlib import suppress
from pathlib import Path
from demo.airflow_server import _started
from demo.one_airflow import alone
folder = Path(sys.argv[1])
sys.executable = str(folder / "python")
signal.signal(signal.SIGTERM, signal.default_int_handler)
with suppress(KeyboardInterrupt), alone(folder) as lock, _started({}, folder / "log", lock):
    time.sleep(60)
"""


@contextmanager
def launched(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """What starts an Airflow, and the leader of the Airflow's session; both are ended."""
    program = folder / "airflow"
    program.write_text(AIRFLOW)
    program.chmod(0o700)
    leader = 0
    with subprocess.Popen([sys.executable, "-c", LAUNCHER, str(folder)]) as launcher:
        try:
            log = folder / "log"
            wait_for_text(log, "a part runs: and reads nothing")
            leader = int((folder / "airflow.lock").read_text())
            yield launcher, leader
        finally:
            launcher.kill()
            for each in session(leader) if leader else []:
                with suppress(ProcessLookupError):
                    os.kill(each, 9)


def wait_for_text(file: Path, text: str) -> None:
    until = time.monotonic() + 30
    while not file.is_file() or text not in file.read_text():
        assert time.monotonic() < until, f"waited for {text!r}"
        time.sleep(0.05)


def refusal(folder: Path) -> str:
    """Why nothing can be started in the folder."""
    with pytest.raises(UsageError) as caught, alone(folder):
        pass
    return str(caught.value)


def living(leader: int) -> list[int]:
    """The processes of a session that have not ended; who has, waits in the list for its parent to look."""
    return [
        each
        for each in session(leader)
        if Path(f"/proc/{each}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    ]


def test_a_second_start_names_the_first(tmp_path: Path) -> None:
    """While it runs, no other is started, and the command that is offered ends both it and what it started."""
    with launched(tmp_path) as (launcher, leader):
        found = refusal(tmp_path)
        command = f"kill -TERM {launcher.pid}"
        assert found == (
            f"Airflow of {tmp_path} runs already, or is being started."
            f" Press Ctrl-C where that was done, or stop it with: {command}"
        )
        assert len(living(leader)) == 3
        subprocess.run(["sh", "-c", command], check=True, timeout=10)
        assert launcher.wait(20) == 0
        with alone(tmp_path):
            assert living(leader) == []


def test_what_a_killed_start_left_is_found_and_stopped(tmp_path: Path) -> None:
    """Its parts hold the lock when it and their first process are gone; the command offered ends them and tasks."""
    with launched(tmp_path) as (launcher, leader):
        launcher.kill()
        launcher.wait()
        os.kill(leader, 9)
        found = refusal(tmp_path)
        said, _, command = found.partition(" Stop it with: ")
        assert said == f"Airflow of {tmp_path} still runs, though what started it has ended."
        groups = sorted({os.getpgid(each) for each in living(leader)})
        assert len(groups) == 2
        assert command == f"kill -s KILL -- -{groups[0]} -{groups[1]}"
        subprocess.run(["sh", "-c", command], check=True, timeout=10)
        with alone(tmp_path):
            assert living(leader) == []


def test_the_number_of_an_airflow_that_ended_is_not_kept(tmp_path: Path) -> None:
    """It may be another program's by now, so a start takes it out before anything can be left over from it."""
    with launched(tmp_path) as (launcher, leader):
        launcher.kill()
        for each in session(leader):
            os.kill(each, 9)
        launcher.wait()
        with alone(tmp_path) as lock:
            assert (tmp_path / "airflow.lock").read_text() == ""
            kept = os.dup(lock)  # as a part keeps it
        try:
            assert refusal(tmp_path) == (
                f"Airflow of {tmp_path} still runs, though what started it has ended."
                " Kill every process of yours whose name begins with airflow."
            )
        finally:
            os.close(kept)
        with alone(tmp_path):
            assert (tmp_path / "launcher.lock").read_text() == f"{os.getpid()}\n"


def test_a_number_replaces_the_one_before(tmp_path: Path) -> None:
    """However often it is written, nothing else is in the file."""
    with alone(tmp_path) as lock:
        for number in (1234567, 42):
            note(lock, number)
            assert (tmp_path / "airflow.lock").read_bytes() == f"{number}\n".encode()
