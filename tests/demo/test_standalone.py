"""What `make airflow` keeps and prints: a password that is made once, and commands that show it to nobody."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from demo import airflow_server
from demo.airflow_server import Server, environment
from demo.standalone import commands
from services.errors import UsageError

CURL = shutil.which("curl")
SILENCE = 0  # instead of a status: no answer comes in time


class Answers(BaseHTTPRequestHandler):
    """Gives a token for the right password, and takes runs from who has it, after the refusals that are set."""

    asked: list[tuple[str, str | None, Any]]
    refusals: list[int]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append((self.path, self.headers["Authorization"], body))
        busy = self.refusals and self.path != "/auth/token"
        if busy and self.refusals[0] == SILENCE:
            self.refusals.pop(0)
            time.sleep(1)
            return
        self.send_response(self.refusals.pop(0) if busy else 201)
        self.end_headers()
        self.wfile.write(b'{"access_token":"a.secret_token-1","next":"nothing"}')

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def answering() -> Iterator[tuple[str, list[tuple[str, str | None, Any]], list[int]]]:
    """The address of something that answers as Airflow does, what it was asked, and the refusals to come."""
    asked: list[tuple[str, str | None, Any]] = []
    refusals: list[int] = []
    handler = type("Asked", (Answers,), {"asked": asked, "refusals": refusals})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked, refusals
        finally:
            server.shutdown()


def password_of(folder: Path) -> str:
    environment(folder, 8080, folder / "dags")
    return str(json.loads((folder / "password.json").read_text())["admin"])


@pytest.mark.skipif(CURL is None, reason="the printed commands call curl, which is not installed")
@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_the_commands_start_the_night_and_show_no_secret(tmp_path: Path, answering: Any, shell: str) -> None:
    """Copied into a shell, they ask for a token and a run, twice if the server is busy.

    Whoever lists the processes meanwhile sees neither secret.
    """
    url, asked, refusals = answering
    refusals.append(500)
    folder = tmp_path / "Ana's home" / "airflow"
    password = password_of(folder)
    airflow_server.write_login(folder, password)
    server = Server(url, password, folder / "standalone.log", subprocess.Popen(["true"]))
    server.process.wait()
    called = tmp_path / "called.txt"
    spy = tmp_path / "bin" / "curl"
    spy.parent.mkdir()
    spy.write_text(f'#!/bin/sh\necho "$@" >> {called}\nexec {CURL} "$@"\n')
    spy.chmod(0o700)

    given = commands(server, date(2013, 7, 2))
    path = {"PATH": f"{spy.parent}:/usr/local/bin:/usr/bin:/bin"}
    subprocess.run([shell], input=given, text=True, cwd="/", env=path, check=True, timeout=60)

    run = {"logical_date": None, "partition_key": "2013-07-02"}
    assert asked == [
        ("/auth/token", None, {"username": "admin", "password": password}),
        *2 * [("/api/v2/dags/nightly_round_flight_delay/dagRuns", "Bearer a.secret_token-1", run)],
    ]
    assert len(called.read_text().splitlines()) == 2
    for text in (called.read_text(), given):
        assert password not in text
        assert "secret_token" not in text
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "login.json").stat().st_mode) == 0o600
    assert max(len(line) for line in given.splitlines() if not line.startswith("  cd ")) < 110


def server_at(url: str, folder: Path) -> Server:
    with subprocess.Popen(["true"]) as process:
        return Server(url, "s2L1vUKnkGcXe3Ik", folder / "standalone.log", process)


@pytest.mark.parametrize(
    ("refusals", "fails_with", "asked_times"),
    [
        ([], None, 1),
        ([500, 503], None, 3),
        ([SILENCE, 409], None, 2),
        ([409], None, 1),
        ([500, 409], None, 2),
        ([404], 404, 1),
        ([500] * 9, 500, 5),
    ],
)
def test_what_has_its_own_id_is_made_once(
    tmp_path: Path,
    answering: Any,
    monkeypatch: Any,
    refusals: list[int],
    fails_with: int | None,
    asked_times: int,
) -> None:
    """A busy server is asked again; what is there is there; and what is refused, or stays broken, is an error."""
    monkeypatch.setattr(airflow_server, "_PAUSE", 0.01)
    monkeypatch.setattr(airflow_server, "_ANSWERS_WITHIN", 0.5)
    url, asked, to_come = answering
    to_come.extend(refusals)
    with pytest.raises(HTTPError, match=f"Error {fails_with}") if fails_with else nullcontext():
        server_at(url, tmp_path).make("pools", {"name": "ronda"})
    assert [path for path, _, _ in asked].count("/api/v2/pools") == asked_times


def test_what_has_no_id_is_asked_for_once(tmp_path: Path, answering: Any) -> None:
    """The first request may have started something, though its answer is an error."""
    url, asked, to_come = answering
    to_come.append(500)
    with pytest.raises(HTTPError):
        server_at(url, tmp_path).ask("dags/night_watch/dagRuns", {"logical_date": None})
    assert len(asked) == 2


def test_the_password_is_made_once(tmp_path: Path) -> None:
    """A second start has the first one's password; another folder has another."""
    folder = tmp_path / "airflow"
    first = password_of(folder)
    assert len(first) == 16
    assert password_of(folder) == first
    assert password_of(tmp_path / "other") != first
    assert stat.S_IMODE((folder / "password.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "held", ["", '{"admin": "s2L1', "[]", '{"ana": "s2L1vUKnkGcXe3Ik"}', '{"admin": ""}']
)
def test_a_password_file_without_one_is_refused(tmp_path: Path, held: str) -> None:
    """What an interrupted write left is named, with the way out; Airflow would end over it much later."""
    folder = tmp_path / "airflow"
    folder.mkdir()
    file = folder / "password.json"
    file.write_text(held)
    with pytest.raises(UsageError) as caught:
        password_of(folder)
    assert (
        str(caught.value) == f"{file} holds no password of the user admin. Delete it, and a new one is made."
    )
    file.unlink()
    assert len(password_of(folder)) == 16
