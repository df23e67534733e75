"""The house drawn from its source: which file imports what, and which may.

Every rule is a function from imports to sentences of complaint, and each is shown a planted fault first.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest

from house import (
    DOORS,
    FEEDBACK_MAY_USE,
    HOUSE,
    OUTSIDE,
    PART_OF,
    SERVICE_WORDS,
    SHARED_BY_STEPS,
    SHELLS,
    STEP_PACKAGES,
)

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Import:
    """One imported name: `path` is the importing file, `module` the dotted module, most exact first guess."""

    path: str
    line: int
    module: str

    @property
    def package(self) -> str:
        """First part of the importing file's path."""
        return self.path.partition("/")[0]

    @property
    def step(self) -> str:
        """Name of the importing file inside its package."""
        return ".".join(PurePosixPath(self.path).with_suffix("").parts[1:])

    def __str__(self) -> str:
        return f"{self.path}:{self.line} imports {self.module}"


def imports_of(path: str, source: str) -> list[Import]:
    """All imports of a file, wherever in it they stand; `from a import b` counts as `a.b`."""
    found = []
    for node in ast.walk(ast.parse(source, path)):
        if isinstance(node, ast.Import):
            found += [Import(path, node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(path, node)
            found += [Import(path, node.lineno, f"{base}.{alias.name}") for alias in node.names]
    return found


def _absolute(path: str, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parents = PurePosixPath(path).parts[: -node.level]
    return ".".join([*parents, *([node.module] if node.module else [])])


def upward(imports: Iterable[Import]) -> list[str]:
    """Imports that climb the house, or reach for what stands outside it."""
    return [str(each) for each in imports if _is_upward(each.package, each.module.partition(".")[0])]


def _is_upward(package: str, target: str) -> bool:
    if package in OUTSIDE or package == target:
        return False
    if target in OUTSIDE:
        return True
    return package in HOUSE and target in HOUSE and HOUSE.index(target) > HOUSE.index(package)


def forbidden_in_feedback(imports: Iterable[Import]) -> list[str]:
    """Feedback may use of monitoring what is named above and no more."""
    ours = (each for each in imports if each.package == "feedback" and each.module.startswith("monitoring"))
    return [
        str(each) for each in ours if each.module.partition(".")[2].partition(".")[0] not in FEEDBACK_MAY_USE
    ]


def beside_the_door(imports: Iterable[Import]) -> list[str]:
    """Vendors imported anywhere but through their door."""
    return [str(each) for each in imports if not _through_door(each)]


def _through_door(each: Import) -> bool:
    doors = DOORS.get(each.module.partition(".")[0])
    return doors is None or any(each.path == door or each.path.startswith(f"{door}/") for door in doors)


def step_to_step(imports: Iterable[Import]) -> list[str]:
    """Steps that import another step of their package: only the shell ties steps together."""
    return [str(each) for each in imports if each.package in STEP_PACKAGES and not _step_may(each)]


def _step_may(each: Import) -> bool:
    package, _, rest = each.module.partition(".")
    target = rest.partition(".")[0]
    foreign = package != each.package
    step = each.step.partition(".")[0]
    same_step = PART_OF.get(target, target) == PART_OF.get(step, step)
    return foreign or step in SHELLS or target in SHARED_BY_STEPS or same_step


def python_files() -> list[Path]:
    """Every Python file of the packages, the DAGs and the migrations; tests are no part of the house."""
    folders = (*HOUSE, *OUTSIDE, "dags", "sql")
    return sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))


@pytest.fixture(scope="module")
def house() -> list[Import]:
    """All imports of the project."""
    files = {file.relative_to(ROOT).as_posix(): file.read_text(encoding="utf-8") for file in python_files()}
    return [each for path, source in files.items() for each in imports_of(path, source)]


def test_exactly_these_packages() -> None:
    """The drawing covers every package there is; a new one must be given its place in it."""
    packages = {file.parent.name for file in ROOT.glob("*/__init__.py")}

    assert packages == {*HOUSE, *OUTSIDE}


def test_every_package_was_read(house: list[Import]) -> None:
    """A drawing of nothing would pass all that follows."""
    read = {file.relative_to(ROOT).parts[0] for file in python_files()}

    assert {*HOUSE, *OUTSIDE} <= read
    assert {"services", "store", "monitoring", "demo"} <= {each.package for each in house}


def test_no_import_points_upward(house: list[Import]) -> None:
    """services <- store <- monitoring <- feedback <- rollout <- ronda; nothing imports demo or benchmarks."""
    assert upward(house) == []


def test_feedback_uses_little_of_monitoring(house: list[Import]) -> None:
    """Of monitoring, feedback knows records, distances and alert."""
    assert forbidden_in_feedback(house) == []


def test_each_vendor_has_one_door(house: list[Import]) -> None:
    """Replacing a vendor touches the files named in DOORS."""
    assert beside_the_door(house) == []


def test_no_step_imports_a_step(house: list[Import]) -> None:
    """Steps can be read, tested and replaced alone."""
    assert step_to_step(house) == []


def test_parts_of_steps_exist() -> None:
    """A part that is gone leaves no hole in the rule."""
    files = {file.stem for package in STEP_PACKAGES for file in (ROOT / package).glob("*.py")}

    assert {*PART_OF, *PART_OF.values()} <= files


@pytest.mark.parametrize(
    ("rule", "path", "source"),
    [
        (upward, "services/read.py", "import store.lake"),
        (upward, "services/read.py", "from store import lake"),
        (upward, "store/lake.py", "def f():\n    from monitoring import records"),
        (upward, "monitoring/decide.py", "from feedback.outcome import mature"),
        (upward, "feedback/release.py", "from rollout.retrain import retrain"),
        (upward, "rollout/retrain.py", "from ronda.released import code_commit"),
        (upward, "ronda/cli.py", "import demo"),
        (upward, "dags/nightly_round.py", "import benchmarks.speed"),
        (forbidden_in_feedback, "feedback/night.py", "from monitoring.night import run"),
        (forbidden_in_feedback, "feedback/night.py", "from monitoring import night"),
        (forbidden_in_feedback, "feedback/night.py", "import monitoring"),
        (beside_the_door, "monitoring/compare.py", "from evidently import Report"),
        (beside_the_door, "monitoring/alert.py", "from slack_sdk.web import WebClient"),
        (beside_the_door, "feedback/export.py", "import duckdb"),
        (beside_the_door, "ronda/cli.py", "import sqlalchemy as sa"),
        (beside_the_door, "ronda/cli.py", "from adbc_driver_postgresql import dbapi"),
        (beside_the_door, "store/engines.py", "from airflow.sdk import Connection"),
        (step_to_step, "monitoring/compare.py", "from monitoring.profile import summarise"),
        (step_to_step, "monitoring/compare.py", "from . import profile"),
        (step_to_step, "monitoring/compare.py", "from .profile import summarise"),
        (step_to_step, "feedback/export.py", "from feedback import split"),
        (step_to_step, "rollout/scores.py", "from rollout.split import served"),
        (step_to_step, "monitoring/report.py", "from monitoring import profile"),
        (step_to_step, "monitoring/snapshot.py", "from monitoring.text import number"),
        (step_to_step, "monitoring/text.py", "from monitoring import compare"),
    ],
)
def test_a_planted_import_is_found(rule, path: str, source: str) -> None:  # type: ignore[no-untyped-def]  # any rule
    """Each rule sees the fault it is there for, wherever in a file and however written."""
    assert len(rule(imports_of(path, source))) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("store/lake.py", "from services.errors import StateError"),
        ("monitoring/night.py", "from monitoring import compare, profile\nfrom store import lake"),
        (
            "monitoring/compare.py",
            "from monitoring.distances import js\nfrom monitoring.records import Profile",
        ),
        ("monitoring/report.py", "from monitoring import plots, text"),
        ("monitoring/snapshot.py", "def f():\n    from evidently import Report"),
        ("feedback/outcome.py", "from monitoring.records import Night"),
        ("rollout/retrain.py", "from monitoring.freeze import freeze\nfrom rollout import scores"),
        ("demo/__main__.py", "import duckdb\nfrom ronda import cli"),
        ("sql/migrations/env.py", "import sqlalchemy as sa"),
        ("dags/nightly_round.py", "from airflow.sdk import dag\nfrom monitoring import night"),
    ],
)
def test_allowed_imports_are_allowed(path: str, source: str) -> None:
    """The rules leave the intended ways open."""
    found = imports_of(path, source)

    assert found
    assert [
        *upward(found),
        *forbidden_in_feedback(found),
        *beside_the_door(found),
        *step_to_step(found),
    ] == []


def test_no_dag_file_bears_a_packages_name() -> None:
    """Airflow puts dags/ on sys.path: dags/feedback.py would hide the package feedback."""
    names = {file.stem for file in (ROOT / "dags").glob("*.py")}

    assert names & {*HOUSE, *OUTSIDE} == set()


def test_steps_know_nothing_of_any_service() -> None:
    """The words of the demo's service stand in no file of the steps, of whatever kind."""
    files = [file for package in STEP_PACKAGES for file in (ROOT / package).rglob("*") if _is_text(file)]
    assert len(files) >= len(STEP_PACKAGES)

    leaks = {
        file.relative_to(ROOT).as_posix(): _service_words(file) for file in files if _service_words(file)
    }
    assert leaks == {}
    assert SERVICE_WORDS.search("class FlightDelay") is not None


def _is_text(file: Path) -> bool:
    return file.is_file() and "__pycache__" not in file.parts


def _service_words(file: Path) -> list[str]:
    return SERVICE_WORDS.findall(file.read_text(encoding="utf-8"))


def test_no_file_is_long() -> None:
    """Past 300 lines a file does more than one thing; tests are held to it too."""
    files = [*python_files(), *sorted((ROOT / "tests").rglob("*.py"))]
    lengths = {file.relative_to(ROOT).as_posix(): len(file.read_text("utf-8").splitlines()) for file in files}

    assert {path: lines for path, lines in lengths.items() if lines > 300} == {}
