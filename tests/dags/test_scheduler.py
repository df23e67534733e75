"""The night in a real Airflow, from a trigger over REST to page, message, dataset and model; and once more, for nothing.

What runs is `make airflow`'s own program, on the demo's log, with a history that is made as cheaply as possible.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from demo.__main__ import MODEL_VERSION
from demo.airflow_server import Server
from demo.one_airflow import session
from monitoring.lateness import late
from services.home import home_from
from services.read import read_service

ROOT = Path(__file__).resolve().parents[2]
ROUND, RELEASE, RETRAIN = (
    "nightly_round_flight_delay",
    "dataset_release_flight_delay",
    "model_retrain_flight_delay",
)
CHAIN = (ROUND, RELEASE, RETRAIN)
PROGRAM = """\
import sys
from datetime import date
from demo import standalone
standalone.HISTORY = date(2013, 6, 24), date(2013, 7, 1)
sys.exit(standalone.main())
"""
NIGHT = "2013-07-02"
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Place:
    """A home with a state and a lake, and the Airflow that works on it."""

    home: Path
    server: Server

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Of the state."""
        with sqlite3.connect(self.home / "var/ronda.db") as connection:
            return connection.execute(query).fetchall()

    def content(self) -> tuple[dict[str, str], list[str]]:
        """The hash of every file of the lake, and the state as SQL, without the service that is late."""
        lake = self.home / "var/lake"
        files = {
            file.relative_to(lake).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in lake.rglob("*")
            if file.is_file()
        }
        with sqlite3.connect(self.home / "var/ronda.db") as connection:
            return files, [line for line in connection.iterdump() if "flight_late" not in line]

    def trigger(self, dag: str, **body: Any) -> str:
        """Start a run; gives its id, which is our own so that asking again starts no second one."""
        run = f"asked_{time.monotonic_ns()}"
        self.server.make(f"dags/{dag}/dagRuns", {"logical_date": None, "dag_run_id": run, **body})
        return run

    def ended(self, dag: str, run: str) -> str:
        """Wait until a run is over; how it ended."""
        found = {}

        def is_over() -> bool:
            found.update(self.server.ask(f"dags/{dag}/dagRuns/{run}"))
            return found["state"] in {"success", "failed"}

        wait_for(is_over, f"the end of {dag}")
        return str(found["state"])

    def night(self, key: str, times: int = 1) -> float:
        """Run a night and wait for all that follows; seconds taken. `times`: how often it has run, with this one."""
        began = time.monotonic()
        self.trigger(ROUND, partition_key=key)

        def is_done() -> bool:
            runs = self.server.ask("dags/~/dagRuns?limit=100")["dag_runs"]
            mine = [(run["dag_id"], run["state"]) for run in runs if run["partition_key"] == key]
            assert not [dag for dag, state in mine if state == "failed"], mine
            return sorted(mine) == sorted((dag, "success") for dag in CHAIN * times)

        wait_for(is_done, f"the night of {key} and what follows")
        return time.monotonic() - began


def wait_for(is_so: Callable[[], bool], what: str, seconds: float = 150) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, f"waited {seconds} seconds for {what}"
        time.sleep(0.5)


@contextmanager
def airflow(home: Path) -> Iterator[Place]:
    """`make airflow`'s program with this home; SIGTERM ends it and all that it started, with code 0."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    output = home.parent / "output.txt"
    environment = {**os.environ, "AIRFLOW_PORT": str(port)}
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM], cwd=ROOT, env=environment, stdout=file, stderr=subprocess.STDOUT
        )
    folder = home / "var/airflow"
    try:
        wait_for(
            lambda: "Ctrl-C" in output.read_text() or process.poll() is not None, "Airflow to start", 240
        )
        assert process.poll() is None, output.read_text()
        password = json.loads((folder / "password.json").read_text())["admin"]
        assert f"Password  {password}\n" in output.read_text()
        yield Place(home, Server(f"http://127.0.0.1:{port}", password, folder / "standalone.log", process))
        assert processes_of(folder) != []
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(90)
    assert (process.returncode, output.read_text()[-9:]) == (0, "Stopped.\n")
    assert processes_of(folder) == []


def processes_of(folder: Path) -> list[str]:
    """Every process that was started with this folder as its AIRFLOW_HOME."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            started_with = (process / "environ").read_bytes().split(b"\0")
            if f"AIRFLOW_HOME={folder}".encode() in started_with:
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue  # it has ended, or is somebody else's
    return found


@pytest.mark.timeout(600)
@pytest.mark.xdist_group("scheduler")
def test_a_night_in_a_real_airflow(flight_home: Path, slack_server: Any, record_property: Any) -> None:
    """Everything follows from one trigger, and nothing from the second."""
    began = time.monotonic()
    with airflow(flight_home) as place:
        record_property("seconds_until_ready", round(time.monotonic() - began))
        private(flight_home)
        no_second_one_starts(place)
        record_property("seconds_of_the_night", round(place.night(NIGHT)))
        told_and_released(place, slack_server)
        replaced_by_a_better_model(place)
        late_nights_are_told(place, slack_server)

        before, posts = place.content(), len(slack_server.calls_of("chat.postMessage"))
        record_property("seconds_of_the_night_again", round(place.night(NIGHT, times=2)))
        files, state = place.content()
        assert files == before[0]
        assert state == before[1]
        assert len(slack_server.calls_of("chat.postMessage")) == posts
        announced_once(place)

        fails_without_a_key(place)
        nothing_was_scheduled(place)
        stopped_while_a_task_runs(place)


def private(home: Path) -> None:
    """What Airflow keeps is its owner's alone."""
    folder = home / "var/airflow"
    paths = (folder, folder / "password.json", folder / "login.json")
    assert [path.stat().st_mode & 0o777 for path in paths] == [0o700, 0o600, 0o600]


def no_second_one_starts(place: Place) -> None:
    """Another start is refused, whatever its port; and would be if the first were killed, as every part has the lock."""
    folder = place.home / "var/airflow"
    other = {**os.environ, "AIRFLOW_PORT": "65000"}
    call = [sys.executable, "-c", PROGRAM]
    again = subprocess.run(call, cwd=ROOT, env=other, capture_output=True, text=True, timeout=60, check=False)
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr == (
        f"ronda: Airflow of {folder} runs already, or is being started. Press Ctrl-C where that was done,"
        f" or stop it with: kill -TERM {place.server.process.pid}\n"
    )
    lock = folder / "airflow.lock"
    with_lock = [
        Path(f"/proc/{each}/cmdline").read_bytes()
        for each in session(int(lock.read_text()))
        if os.path.realpath(f"/proc/{each}/fd/0") == str(lock)
    ]
    for part in "standalone", "scheduler", "dag-processor", "api_server", "triggerer", "LocalExecutor":
        assert any(part.encode() in each for each in with_lock), part


def told_and_released(place: Place, slack_server: Any) -> None:
    """A night whose outcomes left their range: a page, a message, and a dataset of 42 nights."""
    assert (place.home / f"var/lake/pages/flight_delay/{NIGHT}.html").is_file()
    sent = f"key LIKE 'incident/flight_delay/%' AND action = 'post' AND night = '{NIGHT}' AND state = 'sent'"
    (ts,), *_ = place.rows(f"SELECT ts FROM messages WHERE {sent} ORDER BY id")  # the first leads
    [message] = [each for each in slack_server.said() if each["ts"] == ts]
    assert message["text"].endswith(
        "flights land more than 15 minutes late, 2.1 times as often as usual, on Mon 1 Jul 2013"
    )

    [(version, first, last)] = place.rows("SELECT version, window_start, window_end FROM releases")
    assert (first[:10], last[:10]) == ("2013-05-21", "2013-07-02")
    told = events(place)
    assert told["ronda_night_flight_delay", NIGHT] == {
        "night": NIGHT, "revision": 1, "standing": "changed", "rows": 945,
    }  # fmt: skip
    assert told["ronda_release_flight_delay", NIGHT] == {
        "version": version,
        "rows_kept": place.rows("SELECT rows_kept FROM releases")[0][0],
        "path": f"releases/flight_delay/{version}",
    }


def replaced_by_a_better_model(place: Place) -> None:
    """The new model is better: it is kept, its reference is frozen, its deployment recorded, and the asset told."""
    [(version, release, promoted)] = place.rows("SELECT model_version, release_version, promoted FROM models")
    assert (version, promoted) == (f"2013-06-24-{release[:8]}", 1)
    assert place.rows("SELECT model_version FROM reference_profiles WHERE service = 'flight_delay' ORDER BY id") == [
        (MODEL_VERSION,), (version,),
    ]  # fmt: skip
    assert place.rows(f"SELECT source FROM deployments WHERE model_version = '{version}'") == [("deploy",)]
    told = events(place)["ronda_model_flight_delay", NIGHT]
    assert (told["model_version"], told["release"]) == (version, release)


def announced_once(place: Place) -> None:
    """Whoever waits for a new model is woken once, though the night and its dataset were told again."""
    told = place.server.ask("assets/events?limit=100")["asset_events"]
    names = sorted(each["name"].removeprefix("ronda_").removesuffix("_flight_delay") for each in told)
    assert names == ["model", "night", "night", "release", "release"]


def events(place: Place) -> dict[tuple[str, str], dict[str, Any]]:
    """What the assets were told: (asset, key) -> extra."""
    found = place.server.ask("assets/events?limit=100")["asset_events"]
    return {(each["name"], each["partition_key"]): each["extra"] for each in found}


def late_nights_are_told(place: Place, slack_server: Any) -> None:
    """The watch has told the nights that never came; looking once more, it says nothing new."""
    service = read_service("flight_late", home_from())
    assert place.ended("night_watch", place.trigger("night_watch")) == "success"
    nights = [each.night for each in late(service, datetime.now(UTC), set(), datetime.now(UTC) - 10 * DAY)]
    assert len(nights) == 3
    told = place.rows(
        "SELECT key, state FROM messages WHERE service = 'flight_late' AND kind = 'late' ORDER BY key"
    )
    assert told[-3:] == [(f"late/flight_late/{night}", "sent") for night in nights]
    assert len(slack_server.said("general")) == len(told)

    assert place.ended("night_watch", place.trigger("night_watch")) == "success"
    assert len(slack_server.said("general")) == len(told)


def fails_without_a_key(place: Place) -> None:
    """A run that nobody gave a night fails on its first try, with the sentence that says how to give one."""
    run = place.trigger(ROUND)
    assert place.ended(ROUND, run) == "failed"
    tasks = place.server.ask(f"dags/{ROUND}/dagRuns/{run}/taskInstances")["task_instances"]
    assert {each["task_id"]: (each["state"], each["try_number"]) for each in tasks}["mature"] == ("failed", 1)
    log = json.dumps(place.server.ask(f"dags/{ROUND}/dagRuns/{run}/taskInstances/mature/logs/1"))
    assert "flight_delay: this run has no night. Start it with one." in log


def nothing_was_scheduled(place: Place) -> None:
    """The service ended in 2013: its DAG starts no run of today, though it is not paused."""
    runs = place.server.ask(f"dags/{ROUND}/dagRuns?limit=100")["dag_runs"]
    assert {run["run_type"] for run in runs} == {"manual"}
    dag = place.server.ask(f"dags/{ROUND}")
    assert (dag["is_paused"], dag["next_dagrun_run_after"]) == (False, None)
    assert place.server.ask("importErrors")["import_errors"] == []


def stopped_while_a_task_runs(place: Place) -> None:
    """What follows is the stop, which must not wait for a task that waits for the server."""
    run = place.trigger(ROUND, partition_key="2013-06-30")
    tasks = f"dags/{ROUND}/dagRuns/{run}/taskInstances"

    def runs() -> bool:
        return "running" in {each["state"] for each in place.server.ask(tasks)["task_instances"]}

    wait_for(runs, "a task to run")
