"""What the test frame itself promises: nothing is left out in silence, and the databases are real."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

CONFTEST = Path(__file__).parents[1] / "conftest.py"
SUITE = """
import os
import pytest

@pytest.mark.needs("no-such-program")
def test_needs_what_is_absent():
    assert False, "must not run"

@pytest.mark.needs("sh")
def test_needs_what_is_there():
    assert not [name for name in os.environ if name.startswith("RONDA_")]
    assert os.environ["DO_NOT_TRACK"] == "1"

@pytest.mark.xfail(reason="known", strict=True)
def test_is_known_to_fail():
    assert False
"""
MODULE = 'import pytest\nnothing = pytest.importorskip("no_such_module_at_all")\n'
REAL = "def test_real(data_folder):\n    assert (data_folder / 'x.csv').is_file()\n"


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A small project of its own with our conftest: one absent program, one absent module, one real-data test."""
    files = {"test_small.py": SUITE, "test_module.py": MODULE, "realdata/test_real.py": REAL}
    for name, text in files.items():
        file = tmp_path / "tests" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    shutil.copy(CONFTEST, tmp_path / "tests" / "conftest.py")
    return tmp_path


def run(suite: Path, *arguments: str, ci: str = "") -> subprocess.CompletedProcess[str]:
    """Run that project's tests as `make test` does, from a caller who has a ronda of his own."""
    environment = {
        "PATH": os.environ["PATH"],
        "CI": ci,
        "RONDA_STATE": "sqlite:///mine.db",
        "HOME": str(suite),
    }
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-n",
        "1",
        "--strict-markers",
        *arguments,
    ]
    return subprocess.run(command, cwd=suite, env=environment, capture_output=True, text=True, check=False)


def test_what_is_left_out_is_listed(suite: Path) -> None:
    """Without CI a test whose program is absent is skipped, and the end says which and why."""
    done = run(suite, "tests")

    assert done.returncode == 0, done.stdout
    assert "1 passed, 2 skipped, 1 xfailed" in done.stdout
    left_out = done.stdout.partition("left out")[2]
    assert "test_needs_what_is_absent: the program no-such-program is not installed" in left_out
    assert "test_module.py: could not import 'no_such_module_at_all'" in left_out
    assert "tests/realdata: no folder of real data was given" in left_out


def test_what_is_left_out_fails_in_ci(suite: Path) -> None:
    """With CI=true a left-out test is a failure, an expected failure is still none."""
    done = run(suite, "tests", ci="true")

    assert done.returncode == 1, done.stdout
    assert "1 passed, 1 xfailed, 2 errors" in done.stdout
    assert "left out, and CI=true forbids it: the program no-such-program is not installed" in done.stdout


def test_real_data_run_when_given(suite: Path) -> None:
    """--data brings the tests on real data in, even under CI."""
    (suite / "data").mkdir()
    (suite / "data" / "x.csv").touch()
    done = run(suite, "tests/realdata", "--data", "data", ci="true")

    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_a_wrong_data_folder_is_refused(suite: Path) -> None:
    """A misspelt folder is an error, not a green run over nothing."""
    done = run(suite, "tests/realdata", "--data", "nowhere")

    assert done.returncode == 4
    assert "--data is nowhere, which is not a folder" in done.stderr


def test_zero_tests_are_a_failure(suite: Path) -> None:
    """pytest ends non-zero when nothing was collected, so make and CI do too."""
    assert run(suite, "tests", "-k", "no_such_test").returncode == 5


@pytest.mark.xdist_group("postgres")
@pytest.mark.parametrize("time", ["first", "second"])
def test_postgres_databases_are_fresh(postgres_database: str, time: str) -> None:
    """Each test gets an empty database of a real server: the same table can be made in each."""
    with psycopg.connect(postgres_database) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
        connection.execute("CREATE TABLE nights (night date)")

    assert tables == (0,)


@pytest.mark.xdist_group("postgres")
def test_postgres_url_suits_every_driver(postgres_database: str) -> None:
    """The same URL opens with ADBC and, its driver named, with SQLAlchemy."""
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(postgres_database) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        name = cursor.fetch_arrow_table().column(0)[0].as_py()
    engine = sa.create_engine(postgres_database.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as again:
        assert again.scalar(sa.text("SELECT current_database()")) == name
    engine.dispose()


@pytest.mark.xdist_group("postgres")
def test_a_forgotten_connection_does_not_keep_the_database(postgres_url: str, postgres_database: str) -> None:
    """The drop after a test is forced: a connection left open must not make the next test fail."""
    forgotten = psycopg.connect(postgres_database)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        name = forgotten.info.dbname
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}"')
    with pytest.raises(psycopg.OperationalError):
        forgotten.execute("SELECT 1")
    forgotten.close()
