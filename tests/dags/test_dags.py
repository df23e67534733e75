"""What the DAG files make of a home's service files: exactly these DAGs, each fit to be on call with."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from monitoring.lateness import Late, late
from ronda.roster import dag_id, manner
from ronda.rounds import woken_by
from services.home import Home
from services.model import Service
from services.read import read_service
from services.window import night_of

pytestmark = pytest.mark.xdist_group("airflow")
Found = dict[str, Any]
Read = Callable[..., Found]
ROOT = Path(__file__).resolve().parents[2]
DAG_FILES = ["dataset_release", "model_retrain", "night_watch", "nightly_round"]
DAG_IDS = [
    "dataset_release_berlin",
    "dataset_release_flight_delay",
    "model_retrain_flight_delay",
    "night_watch",
    "nightly_round_berlin",
    "nightly_round_flight_delay",
    "nightly_round_torn",
    "nightly_round_york",
]
HEAVY = ("pandas", "numpy", "pyarrow", "duckdb", "evidently", "sklearn", "slack_sdk", "alembic", "typer")
FAILS_AT_ONCE = {
    "services.errors.ServiceFileError": "fail",
    "services.errors.ReferenceMissingError": "fail",
    "services.errors.UsageError": "fail",
    "services.errors.NightNotOverError": "fail",
}


def test_exactly_these_dags(found: Found) -> None:
    """One of each for the services that it makes sense for; a broken file has one and hurts no other."""
    assert found["errors"] == {}
    assert sorted(found["dags"]) == DAG_IDS
    assert sorted(file.stem for file in (ROOT / "dags").glob("*.py")) == DAG_FILES
    assert {facts["file"] for facts in found["dags"].values()} == {f"{name}.py" for name in DAG_FILES}


def test_every_dag_is_fit_to_be_on_call_with(found: Found) -> None:
    """Documentation, owner, tags; and every task has an owner, tries again, ends at some time, and asks for the pool."""
    for name, dag in found["dags"].items():
        assert len(dag["doc"]) > 300, name
        assert "ronda" in dag["tags"], name
        assert (dag["catchup"], dag["max_active_runs"]) == (False, 1), name
        assert dag["start"] == "2010-01-01T00:00:00+00:00", name
        for each in dag["tasks"].values():
            assert each["pool"] == "nights", name
            assert each["retries"] >= 1, name
            assert each["backoff"], name
            assert 0 < each["minutes"] <= 360, name
            assert each["owner"] not in {"", "airflow"}, name


def test_the_night_is_made_of_three_tasks(found: Found) -> None:
    """mature, judge, tell; what a retry cannot mend fails at once; the night is told to whoever waits for it."""
    dag = found["dags"]["nightly_round_flight_delay"]
    assert {name: each["after"] for name, each in dag["tasks"].items()} == {
        "mature": [],
        "judge": ["mature"],
        "tell": ["judge"],
    }
    assert all(each["policy"] == FAILS_AT_ONCE for each in dag["tasks"].values())
    assert manner("@eta-team", minutes=5)["pool"] == "default_pool"
    assert {each["owner"] for each in dag["tasks"].values()} == {"@eta-team"}
    assert dag["outlets"]["judge"] == [["ronda_night_flight_delay", "ronda://flight_delay/night"]]
    assert dag["schedule"] == ["CronPartitionTimetable", "30 3 * * *", "America/New_York"]
    assert dag["end"] == "2014-01-02T05:00:00+00:00"  # the round of 31 December begins on 1 January
    assert dag["params"] == {}  # a field `night` in the form would be filled in, and no dataset would follow
    assert dag["tags"] == ["flight_delay", "ronda"]
    assert dag["doc"].startswith("# flight_delay\n- Owner: @eta-team\n- Channel: #eta-oncall\n")


def test_a_dataset_and_a_model_follow(found: Found) -> None:
    """The release wakes on the night and the training on the release; each says so only when there is something new."""
    dags = found["dags"]
    release, retrain = dags["dataset_release_flight_delay"], dags["model_retrain_flight_delay"]
    assert release["schedule"] == ["PartitionedAssetTimetable", "ronda_night_flight_delay"]
    assert release["outlets"] == {"release": [["ronda_release_flight_delay", "ronda://flight_delay/release"]]}
    assert retrain["schedule"] == ["PartitionedAssetTimetable", "ronda_release_flight_delay"]
    assert {name: each["after"] for name, each in retrain["tasks"].items()} == {
        "retrain": [],
        "promoted": ["retrain"],
    }
    assert retrain["outlets"] == {
        "retrain": [],
        "promoted": [["ronda_model_flight_delay", "ronda://flight_delay/model"]],
    }


def test_the_watch_sends_even_when_it_cannot_look(found: Found) -> None:
    """Every quarter of an hour, first the late nights, then all that is due, whatever became of the first."""
    dag = found["dags"]["night_watch"]
    assert dag["schedule"] == ["CronTriggerTimetable", "*/15 * * * *", "UTC"]
    assert {name: (each["after"], each["rule"]) for name, each in dag["tasks"].items()} == {
        "late": ([], "all_success"),
        "send": (["late"], "all_done"),
    }


def test_a_broken_file_says_what_is_wrong(home: Path, read_dags: Read, tmp_path: Path) -> None:
    """Its only task is named for it, and its documentation is the error; a name that cannot be one is seen too."""
    home = shutil.copytree(home, tmp_path / "home")
    names = ("Two Words", "Two-Words", "Two+Words")
    for name in names:
        (home / "services" / f"{name}.yaml").write_text("service: x\n", encoding="utf-8")
    found = read_dags(home)
    assert found["errors"] == {}
    # a name that had to be altered for its id ends with a hash, so that no two files share a DAG
    ids = ["nightly_round_Two-Words-8e086add", "nightly_round_Two-Words", "nightly_round_Two-Words-96ae0984"]
    assert set(found["dags"]) == {*DAG_IDS, *ids}
    assert [found["dags"][each]["tags"] for each in ids] == [sorted(["ronda", name]) for name in names]
    torn = found["dags"]["nightly_round_torn"]
    assert list(torn["tasks"]) == ["service_file"]
    assert torn["tasks"]["service_file"]["policy"] == FAILS_AT_ONCE
    assert str(home / "services/torn.yaml") in torn["doc"]


def test_an_odd_file_breaks_its_own_dag_alone(home: Path, read_dags: Read, tmp_path: Path) -> None:
    """A date at the end of the calendar, a path or name longer than Airflow or the disk takes, a file nobody can read."""
    home = shutil.copytree(home, tmp_path / "home")
    york = (
        (home / "services" / "york.yaml").read_text(encoding="utf-8").replace("service: york", "service: odd")
    )
    odd = {
        "odd_end": york + "until: 9999-12-31\n",
        "odd_path": york + f"training: sql/{'x' * 300}.sql\n",
        "odd_owner": york + f"noun: {'o' * 3000}\n",
        "odd_" + "n" * 200: york,
        "odd_value": york + "until: !!bool maybe\n",
        "odd_number": york + f"until: 0x{'f' * 5000}\n",
        "odd_text": york + 'runbook: "https://x/\\ud800"\n',
        "odd_key": york + '"\\ud800": 1\n"\\ud800": 2\n',
    }
    for name, text in odd.items():
        named = text.replace("service: odd", f"service: {name}")  # nothing else is wrong with it
        (home / "services" / f"{name}.yaml").write_text(named, encoding="utf-8")
    (home / "services" / "odd_file.yaml").symlink_to("/proc/self/mem")  # there, and an error to read
    (home / "services" / os.fsdecode(b"odd_\xe9.yaml")).write_text(york, encoding="utf-8")
    os.mkfifo(home / "services" / "odd_pipe.yaml")
    found = read_dags(home)
    assert found["errors"] == {}
    assert json.dumps(
        found, ensure_ascii=False
    ).encode()  # half a character in it would end Airflow's processor
    ids = {dag_id("nightly_round", name) for name in (*odd, "odd_file", "odd_pipe", "odd_\\udce9")}
    assert set(found["dags"]) == {*DAG_IDS, *ids}
    assert all(list(found["dags"][each]["tasks"]) == ["service_file"] for each in ids)


def test_without_a_home_the_files_say_so(tmp_path: Path, read_dags: Read) -> None:
    """A wrong RONDA_HOME is an error that Airflow shows, and not a folder without DAGs."""
    found = read_dags(tmp_path / "gone")
    assert set(found["dags"]) == {"night_watch"}
    assert len(found["errors"]) == 3
    assert all("which is not a folder" in error for error in found["errors"].values())


@pytest.mark.parametrize(
    ("name", "changes"),
    [("york", {"2013-03-10": 23, "2013-11-03": 25}), ("berlin", {"2013-03-31": 23, "2013-10-27": 25})],
)
def test_every_night_of_a_year_has_its_run(
    home: Path, found: Found, name: str, changes: dict[str, int]
) -> None:
    """Through both changes of the clocks."""
    hours = hours_of_nights(found, read_service(name, Home(home, "", "", b"")))
    assert {key: length for key, length in hours.items() if length != 24} == changes


def test_every_night_has_its_run_where_clocks_skip_other_hours(
    home: Path, read_dags: Read, tmp_path: Path
) -> None:
    """Hours that were skipped in 2013 and are not today, or are today and were not then, and the last of the day."""
    home = shutil.copytree(home, tmp_path / "home")
    york = (home / "services" / "york.yaml").read_text(encoding="utf-8")
    places = {
        "nuuk": ("America/Nuuk", "30 22 * * *"),
        "nuuk_last": ("America/Nuuk", "50 23 * * *"),
        "itto": ("America/Scoresbysund", "15 0 * * *"),
        "apia": ("Pacific/Apia", "0 3 * * *"),
    }
    for name, (zone, schedule) in places.items():
        text = york.replace("york", name).replace("America/New_York", zone) + f"schedule: {schedule}\n"
        (home / "services" / f"{name}.yaml").write_text(text, encoding="utf-8")
    found = read_dags(home)
    for name in places:
        hours = hours_of_nights(found, read_service(name, Home(home, "", "", b"")))
        assert (min(hours.values()), max(hours.values())) == (23, 25), name


def hours_of_nights(found: Found, service: Service) -> dict[str, float]:
    """How long each night of 2013 is; each has one run, in order, after its end, and just when the watch expects it.

    From 2 January: the runs that are listed begin with that day's in UTC, and east of it one night is over before.
    """
    listed = found["dags"][f"nightly_round_{service.service}"]["runs"]
    runs = {key: datetime.fromisoformat(at) for at, key in listed}
    year = [(date(2013, 1, 2) + timedelta(days=n)).isoformat() for n in range(364)]
    assert [key for _, key in listed if year[0] <= key <= year[-1]] == year
    hours = {}
    for key in year:
        night = night_of(date.fromisoformat(key), service.time_zone)
        hours[key] = (night.end - night.start) / timedelta(hours=1)
        assert night.end <= runs[key] < night.end + timedelta(hours=24), key
        due = late(
            service, runs[key] + service.late_after, set(), datetime.fromisoformat("2000-01-01T00:00Z")
        )
        assert due[-1] == Late(night.date, runs[key]), key
    return hours


def test_an_event_that_names_no_dataset() -> None:
    """Who makes one by hand gives none; then the dataset is found by the nights, and not a KeyError."""
    named = [SimpleNamespace(extra={"version": version, "rows_kept": 1}) for version in ("a1", "b2")]
    by_hand = [SimpleNamespace(extra=extra) for extra in ({"from_rest_api": True}, None, {"version": 5}, {})]
    assert woken_by(named) == "b2"
    assert woken_by([*named, *by_hand]) == "b2"
    assert woken_by(by_hand) == woken_by([]) == ""


@pytest.mark.parametrize("file", DAG_FILES)
def test_a_file_is_read_in_no_time(home: Path, airflow_home: Path, file: str) -> None:
    """Beyond Airflow itself a file takes less than a second, and imports nothing heavy."""
    code = f"""
import json, runpy, sys, time
import airflow.sdk
for name in ("DAG", "Asset", "Metadata", "task", "CronPartitionTimetable", "PartitionedAssetTimetable", "ExceptionRetryPolicy"):
    getattr(airflow.sdk, name)
began = time.process_time()
runpy.run_path({str(ROOT / "dags" / f"{file}.py")!r})
spent = time.process_time() - began
print("FOUND", json.dumps([spent, [name for name in {HEAVY!r} if name in sys.modules]]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "AIRFLOW_HOME": str(airflow_home), "RONDA_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    spent, heavy = json.loads(done.stdout.partition("FOUND ")[2])
    assert heavy == []
    assert spent < 1


def test_no_dag_file_hides_a_package() -> None:
    """Airflow puts dags/ on the import path, before what is installed."""
    packages = {file.parent.name for file in ROOT.glob("*/__init__.py")}
    assert {"services", "store", "monitoring", "feedback", "rollout", "ronda", "demo"} <= packages
    assert packages.isdisjoint(DAG_FILES)
    assert set(DAG_FILES).isdisjoint(sys.stdlib_module_names)
