"""DAG files are read and run in processes of their own: Airflow takes over logging, warnings and the import path."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from demo.__main__ import MODEL_VERSION, TRAINED
from demo.flight_delay import write_logs
from feedback.night import mature
from monitoring.freeze import freeze
from ronda.nights import go_round
from services.home import home_from
from services.window import nights_between, window_between
from store.references import add_reference, latest_reference
from store.state import writing
from store.watch import open_watch

ROOT = Path(__file__).resolve().parents[2]
DAGS = ROOT / "dags"
SERVICE = """\
service: {name}
owner: "@{name}-team"
slack: "#{name}"
source: /nowhere
requests: sql/any.sql
time_zone: {zone}
"""


LATE_SERVICE = """\
service: flight_late
owner: "@late-team"
slack: "#general"
source: ${FLIGHTS_URL}
requests: sql/flight_delay/requests.sql
"""


def _nights() -> Any:
    """The conftest of the tests of whole nights, whose shop is borrowed."""
    spec = importlib.util.spec_from_file_location("nights_conftest", ROOT / "tests/nights/conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclass looks itself up
    spec.loader.exec_module(module)
    return module


shop = _nights().shop
frozen_shop = _nights().frozen_shop


def airflow_environment(folder: Path, **others: str) -> dict[str, str]:
    """What a process that imports Airflow is started with: a home of its own, and no settings of the caller's."""
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AIRFLOW", "RONDA_", "PYTEST"))
    }
    own.pop("PYTHONDONTWRITEBYTECODE", None)
    return own | {
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{own.get('PATH', '')}",
        **others,
    }


def run(
    command: list[str], environment: dict[str, str], timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run a program in the project's folder and give back what it printed."""
    try:
        return subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=timeout
        )
    except subprocess.TimeoutExpired as error:  # a task that is tried again waits for minutes
        pytest.fail(f"{command[-3:]} took longer than {timeout} s:\n{(error.stdout or b'').decode()[-6000:]}")


@pytest.fixture
def in_airflow(airflow_database: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a program where Airflow has a database: `in_airflow(["airflow", "version"], RONDA_HOME=…)`."""

    def call(command: list[str], **others: str) -> subprocess.CompletedProcess[str]:
        return run(command, airflow_environment(airflow_database, **others))

    return call


@pytest.fixture(scope="session")
def airflow_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for Airflow's settings; it has no database."""
    return tmp_path_factory.mktemp("airflow")


@pytest.fixture(scope="session")
def airflow_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An Airflow home with its database, which takes ten seconds to make."""
    folder = tmp_path_factory.mktemp("airflow-with-database")
    done = run(["airflow", "db", "migrate"], airflow_environment(folder))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def read_dags(airflow_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, Any]]:
    """Read the DAG files as Airflow does, for a home of service files: `{"dags": {id: facts}, "errors": {}}`."""

    def read(home: Path, **others: str) -> dict[str, Any]:
        target = tmp_path_factory.mktemp("read") / "dags.json"
        command = [sys.executable, str(Path(__file__).with_name("read_dags.py")), str(DAGS), str(target)]
        done = run(command, airflow_environment(airflow_home, RONDA_HOME=str(home), **others))
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(target.read_text(encoding="utf-8"))
        return found

    return read


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the demo's service and, beside it, others; one cannot be read. Copy it to change it."""
    made = tmp_path_factory.mktemp("homes") / "home"
    for part in ("services", "sql"):
        ignored = shutil.ignore_patterns("__pycache__", "migrations", "*.py", "_defaults.yaml")
        shutil.copytree(ROOT / part, made / part, ignore=ignored)
    (made / "sql/any.sql").write_text("SELECT 1", encoding="utf-8")
    rated = "feedback: sql/any.sql\noutcome: {event: thumb, positive: value == up, window: 1d}\n"
    files = {
        "_defaults": "enough: {rows: 300}\n",
        "berlin": SERVICE.format(name="berlin", zone="Europe/Berlin") + rated,
        "york": SERVICE.format(name="york", zone="America/New_York"),
        "torn": "service: torn\nsource: [\n",
    }
    for name, text in files.items():
        (made / f"services/{name}.yaml").write_text(text, encoding="utf-8")
    return made


@pytest.fixture(scope="session")
def found(home: Path, read_dags: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """What is read for `home`, with a pool of its own: Airflow takes some seconds to import."""
    return read_dags(home, RONDA_POOL="nights")


@pytest.fixture
def flight_home(tmp_path: Path, slack_server: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with the year's log, outcomes from 21 May, 28 judged nights; and a service whose nights never come."""
    made = tmp_path / "home"
    ignored = shutil.ignore_patterns("__pycache__", "migrations", "*.py")
    for part in ("services", "sql"):
        shutil.copytree(ROOT / part, made / part, ignore=ignored)
    (made / "services/flight_late.yaml").write_text(LATE_SERVICE, encoding="utf-8")
    for name, value in {
        "RONDA_HOME": made,
        "FLIGHTS_URL": tmp_path / "flights",
        "RONDA_SLACK_TOKEN": slack_server.token,
        "RONDA_SLACK_URL": slack_server.url,
    }.items():
        monkeypatch.setenv(name, str(value))
    write_logs(tmp_path / "flights")
    watch, now = open_watch("flight_delay", home_from()), datetime.now(UTC)
    zone = watch.service.time_zone
    freeze(watch, MODEL_VERSION, window_between(*TRAINED, zone), now)
    for night in nights_between(date(2013, 5, 22), date(2013, 7, 1), zone):
        mature(watch, night, now)
    past = nights_between(date(2013, 6, 4), date(2013, 7, 1), zone)
    done = go_round(watch, past, lambda: now, lambda _: None, tell=False)
    assert [each.error for each in done] == [None] * 28
    with writing(watch.state) as connection:
        row = latest_reference(connection, "flight_delay")
        assert row is not None
        add_reference(
            connection,
            replace(row, service="flight_late", recorded_at=now - timedelta(days=10), id=0, revision=0),
        )
    watch.state.dispose()
    return made
