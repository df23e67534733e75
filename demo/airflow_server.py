"""An Airflow of one's own: all its parts as one process group, in one folder, stopped without leaving anything behind."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from demo.one_airflow import note, session
from services.errors import RondaError, UsageError
from services.secret_file import secret_in

USER = "admin"
LOGIN = "login.json"
"""In the folder of an Airflow: what its REST interface gives a token for."""
POOL, SLOTS = "ronda", 2
_PASSWORDS = "password.json"
_PARTS = ("metadatabase", "scheduler", "triggerer", "dag_processor")
_TRIES, _PAUSE = 5, 1.0  # of a request that may be repeated, and the seconds between two
_ANSWERS_WITHIN = 20.0  # seconds
_STARTS_WITHIN, _STOPS_WITHIN = 240, 15  # seconds; ten to twenty are usual for a start, and eight for a stop


@dataclass(frozen=True)
class Server:
    """An Airflow that runs, as its REST interface is asked.

    Attributes:
        url: where it answers.
        log: everything that its parts write.
        process: the one that started all others.
    """

    url: str
    password: str = field(repr=False)
    log: Path
    process: subprocess.Popen[bytes] = field(repr=False)

    def is_alive(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def ask(self, path: str, body: Any = None, method: str | None = None) -> Any:
        """One request to the REST interface, such as `dags/night_watch`; gives what it answers.

        What only reads is asked again where no answer comes, or it is an error of Airflow's own. On SQLite that is
        expected now and then: of two requests that write, one can hold the database while the other waits for it in the
        server's only thread, until SQLite gives up after five seconds ("database is locked").

        Raises:
            urllib.error.HTTPError: it refuses.
            OSError: it does not answer.
        """
        # a POST may have begun something, whatever became of its answer
        return self._ask(path, body, method, _TRIES if body is None and method is None else 1)

    def make(self, path: str, body: Mapping[str, Any]) -> None:
        """Make what `body` names by an id of its own, such as a pool or a run; what is there already stays.

        As a second one cannot be made, it is asked again like what only reads.

        Raises:
            urllib.error.HTTPError: it refuses.
            OSError: it does not answer.
        """
        try:
            self._ask(path, body, None, _TRIES)
        except urllib.error.HTTPError as error:
            if error.code != 409:
                raise

    def _ask(self, path: str, body: Any, method: str | None, tries: int) -> Any:
        token = self._json("/auth/token", {"username": USER, "password": self.password})["access_token"]
        while True:
            tries -= 1
            try:
                return self._json(f"/api/v2/{path}", body, method, {"Authorization": f"Bearer {token}"})
            except urllib.error.HTTPError as error:
                if error.code < 500 or not tries:
                    error.add_note(f"{path}: {error.read(1000).decode(errors='replace')}")
                    raise
            except TimeoutError:
                if not tries:
                    raise
            time.sleep(_PAUSE)

    def _json(
        self, path: str, body: Any = None, method: str | None = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - our own address
            self.url + path,
            data,
            {"Content-Type": "application/json", **(headers or {})},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=_ANSWERS_WITHIN) as answer:  # noqa: S310 - as above
            content = answer.read()
        return json.loads(content) if content else None

    def is_healthy(self) -> bool:
        """Whether every part says that it is well."""
        with suppress(OSError, ValueError):
            health = self._json("/api/v2/monitor/health")
            return all((health.get(part) or {}).get("status") == "healthy" for part in _PARTS)
        return False


def environment(folder: Path, port: int, dags: Path) -> dict[str, str]:
    """What an Airflow in `folder` is started with: this process's own variables, but those of another Airflow.

    Args:
        folder: becomes AIRFLOW_HOME, readable by its owner only; a password is made in it if there is none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    _password(folder)
    url = f"http://127.0.0.1:{port}"
    own = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    own.pop("PYTHONDONTWRITEBYTECODE", None)  # without compiled files Airflow starts in twice the time
    return own | {
        # standalone starts its parts as `airflow`, by name
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": url,  # tasks find the server by it; its default has port 8080
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(folder / _PASSWORDS),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "DO_NOT_TRACK": "1",
        "RONDA_POOL": POOL,
    }


def refuse_taken(port: int, variable: str) -> None:
    """Hold that nothing listens on a port.

    Raises:
        UsageError: something does; `variable` is named as the way to another port.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise UsageError(
                f"Port {port} cannot be used: {error.strerror}. Stop what uses it, or name another one: {variable}={port + 1}"
            ) from None


@contextmanager
def running(settings: Mapping[str, str], lock: int) -> Iterator[Server]:
    """An Airflow that is started, waited for, and stopped at the end of the block with all that it started.

    Args:
        settings: of `environment`.
        lock: of `alone`, for the same folder.

    Raises:
        RondaError: it ends while it starts, or is not well within four minutes; its log is named.
    """
    folder = Path(settings["AIRFLOW_HOME"])
    password = _password(folder)
    write_login(folder, password)
    log = folder / "standalone.log"
    with _started(settings, log, lock) as process:
        server = Server(settings["AIRFLOW__API__BASE_URL"], password, log, process)
        _wait(server)
        _make_pool(server)
        yield server


@contextmanager
def _started(settings: Mapping[str, str], log: Path, lock: int) -> Iterator[subprocess.Popen[bytes]]:
    if (
        signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    ):  # as a shell's background job has it, and hands it on
        signal.signal(signal.SIGINT, signal.default_int_handler)
    process = None
    try:
        with _private(log) as file:
            process = subprocess.Popen(  # noqa: S603 - our own program
                [str(Path(sys.executable).parent / "airflow"), "standalone"],
                env=dict(settings),
                stdout=file,
                stderr=subprocess.STDOUT,
                stdin=lock,
                start_new_session=True,  # Ctrl-C in a terminal reaches us alone, and we stop it in order
            )
        note(lock, process.pid)
        yield process
    finally:
        if process is not None:
            _stop(process)


def _wait(server: Server) -> None:
    until = time.monotonic() + _STARTS_WITHIN
    while not server.is_healthy():
        if not server.is_alive():
            raise RondaError(
                f"Airflow ended while it started, with code {server.process.returncode}. See {server.log}."
            )
        if time.monotonic() > until:
            raise RondaError(f"Airflow did not start within {_STARTS_WITHIN} seconds. See {server.log}.")
        time.sleep(0.5)


def _make_pool(server: Server) -> None:
    server.make(
        "pools", {"name": POOL, "slots": SLOTS, "description": "Tasks of ronda that run at one time."}
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask it to stop, and end what is left of its session; a second Ctrl-C waits until that is done.

    With a task running, the scheduler would wait for it, and the task for the server, which is gone. A night
    may be killed anywhere, so it is.
    """
    before = {each: signal.signal(each, signal.SIG_IGN) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOPS_WITHIN)
        with suppress(ProcessLookupError):  # nothing is left, as it should be
            os.killpg(process.pid, signal.SIGKILL)
        for each in session(process.pid):  # tasks have groups of their own
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _password(folder: Path) -> str:
    path = folder / _PASSWORDS
    made = secret_in(path, lambda: json.dumps({USER: secrets.token_urlsafe(12)}).encode())
    with suppress(ValueError, KeyError, TypeError):
        if found := json.loads(made)[USER]:
            return str(found)
    raise UsageError(f"{path} holds no password of the user {USER}. Delete it, and a new one is made.")


def write_login(folder: Path, password: str) -> None:
    """Write `LOGIN`."""
    with _private(folder / LOGIN) as file:
        file.write(json.dumps({"username": USER, "password": password}).encode())


def _private(path: Path) -> BinaryIO:
    """An empty file that its owner alone can read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
