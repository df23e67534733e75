"""The tables are made once, as they are declared, and only in a database that is ours."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from services.errors import StateError
from store import migrate
from store.migrate import _lock, migrations_folder
from store.state import open_state, reading, writing
from store.tables import HEAD, metadata

ROOT = Path(__file__).parents[2]


def test_migrated_tables_are_the_declared_ones(state: sa.Engine) -> None:
    """Migrations, written by hand, and `store/tables.py` describe the same tables, indexes and keys."""
    with reading(state) as connection:
        found = set(sa.inspect(connection).get_table_names())
        differences = compare_metadata(MigrationContext.configure(connection), metadata)

    assert found == {*metadata.tables, "alembic_version"}
    assert len(found) == 22
    assert differences == []


def test_checks_are_in_both(state: sa.Engine) -> None:
    """Alembic does not compare CHECK constraints, so their names are compared here."""
    declared = {
        (table.name, str(constraint.name))
        for table in metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, sa.CheckConstraint)
    }
    with reading(state) as connection:
        inspector = sa.inspect(connection)
        found = {
            (table, check["name"])
            for table in metadata.tables
            for check in inspector.get_check_constraints(table)
        }

    assert declared == {
        ("deployments", "ck_deployments_source"),
        ("findings", "ck_findings_outcome"),
        ("incident_answers", "ck_incident_answers_source"),
        ("incident_answers", "ck_incident_answers_what"),
        ("incidents", "ck_incidents_severity"),
        ("incidents", "ck_incidents_state"),
        ("messages", "ck_messages_action"),
        ("messages", "ck_messages_state"),
        ("reference_profiles", "ck_reference_profiles_kind"),
    }
    assert found == declared


def test_partial_indexes_are_partial(state: sa.Engine) -> None:
    """Nor does it compare the conditions of partial indexes: one log row each, but many deploys."""
    with reading(state) as connection:
        indexes = {index["name"]: index for index in sa.inspect(connection).get_indexes("deployments")}
    option = f"{state.dialect.name}_where"
    conditions = {str(name): str(index["dialect_options"][option]) for name, index in indexes.items()}

    assert sorted(conditions) == ["uq_deployments_deploy", "uq_deployments_log"]
    assert "'deploy'" in conditions["uq_deployments_deploy"]
    assert "'log'" in conditions["uq_deployments_log"]


def test_head_is_the_newest_migration() -> None:
    """The constant that saves loading Alembic is the head of the migrations."""
    assert ScriptDirectory(str(migrations_folder())).get_heads() == [HEAD]


def test_opening_again_does_not_load_alembic(tmp_path: Path) -> None:
    """The second opening is the fast one."""
    url = f"sqlite:///{tmp_path / 'ronda.db'}"
    open_state(url).dispose()
    code = "import sys; from store.state import open_state; open_state(sys.argv[1]); print('alembic' in sys.modules)"

    assert _python(code, url) == "False"


def test_migrations_are_found_in_an_installed_package(tmp_path: Path) -> None:
    """A wheel keeps them as `store/_sql`; a folder `sql` beside the package is then somebody else's."""
    for package in ("services", "store"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "sql" / "migrations", tmp_path / "store" / "_sql" / "migrations")
    (tmp_path / "sql" / "migrations").mkdir(parents=True)
    (tmp_path / "sql" / "migrations" / "env.py").write_text("raise SystemExit('the wrong folder')")
    code = (
        "import sys; from store.state import open_state; from store.migrate import migrations_folder;"
        "open_state(sys.argv[1]); print(migrations_folder())"
    )

    found = _python(code, f"sqlite:///{tmp_path / 'ronda.db'}", folder=tmp_path)

    assert found == str(tmp_path / "store" / "_sql" / "migrations")


def test_missing_migrations_are_named(tmp_path: Path) -> None:
    """A broken installation is told as such."""
    for package in ("services", "store"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    code = "import sys; from store.state import open_state; open_state(sys.argv[1])"

    with pytest.raises(subprocess.CalledProcessError) as failed:
        _python(code, f"sqlite:///{tmp_path / 'ronda.db'}", folder=tmp_path)

    assert "StateError" in failed.value.stderr
    assert "The migrations are missing beside" in failed.value.stderr


def test_several_processes_open_a_new_database_at_once(state_url: str) -> None:
    """One creates the tables, the others wait; none fails."""
    code = "import sys; from store.state import open_state; open_state(sys.argv[1])"
    command = [sys.executable, "-c", code, state_url]
    started = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(6)]
    errors = [process.communicate(timeout=120)[1] for process in started]

    assert errors == [""] * 6
    with reading(open_state(state_url)) as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").all() == [(HEAD,)]


def test_whoever_comes_second_waits(postgres_database: str) -> None:
    """While another process holds the lock of the migrations nothing is made; after it, all is well."""
    holder = sa.create_engine(postgres_database.replace("postgresql://", "postgresql+psycopg://"))
    second = threading.Thread(target=lambda: open_state(postgres_database).dispose())
    with holder.begin() as connection:
        _lock(connection)
        second.start()
        second.join(timeout=0.5)
        assert second.is_alive()
        assert sa.inspect(connection).get_table_names() == []
    second.join(timeout=60)

    assert len(sa.inspect(holder).get_table_names()) == 22
    holder.dispose()


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("0999", "written by a newer ronda (tables 0999, this one knows up to 0007). Upgrade ronda."),
        (
            "e3f1a2b4c5d6",
            "another program's database (its version is e3f1a2b4c5d6). Give ronda a database of its own",
        ),
    ],
)
def test_versions_that_are_not_ours_are_refused(
    state: sa.Engine, state_url: str, version: str, message: str
) -> None:
    """A newer ronda's database, and for instance Airflow's, stay as they are."""
    with writing(state) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :version"), {"version": version})

    with pytest.raises(StateError) as refused:
        open_state(state_url)

    assert message in str(refused.value)
    with reading(state) as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == version


def test_tables_of_others_are_refused(state_url: str, tmp_path: Path) -> None:
    """A database with other tables and no version of ours gets none of our tables."""
    (tmp_path / "state").mkdir()
    engine = sa.create_engine(state_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE orders (id INTEGER)")

    with pytest.raises(StateError, match="holds tables that are not ronda's \\(orders\\)"):
        open_state(state_url)

    assert sa.inspect(engine).get_table_names() == ["orders"]
    engine.dispose()


def test_a_failed_migration_leaves_nothing(state_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs in one transaction: a crash at its end leaves an empty database, not half the tables."""
    upgrade = migrate._upgrade

    def crash(connection: sa.Connection) -> None:
        upgrade(connection)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(migrate, "_upgrade", crash)
        with pytest.raises(KeyboardInterrupt):
            open_state(state_url)

    engine = open_state(state_url)  # a half-made database would be refused here
    assert len(sa.inspect(engine).get_table_names()) == 22
    engine.dispose()


def _python(code: str, *arguments: str, folder: Path = ROOT) -> str:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()
