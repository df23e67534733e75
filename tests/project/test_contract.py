"""What the project promises to whoever clones it: targets, licence, reasons, light imports, clean text."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TARGETS = ["help", "demo", "airflow", "test", "lint", "format", "check-data", "clean"]
NOT_OURS = {".git", ".venv", ".tools", "var", "dist", "__pycache__", ".hypothesis"}
# Cut in two, or this file would be its own first finding.
HOSTS_AND_PLACES = [
    "py" + "pi.org",
    "python" + "hosted.org",
    "npm" + "js.org",
    "registry." + "npm",
    "crates" + ".io",
    "/wor" + "k/",
    "/tmp/" + "brief",
    "sub" + "agent",
    "shared/" + "design",
    "issues " + "show",
]


def test_make_prints_each_target() -> None:
    """Bare `make` says what can be made, and sets nothing up."""
    done = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    lines = [line.split(maxsplit=2) for line in done.stdout.splitlines()]
    assert [line[:2] for line in lines] == [["make", target] for target in TARGETS]
    assert all(line[2:] for line in lines), "each target says what it does"


def test_every_phony_target_is_printed() -> None:
    """A target without `## text` would be hidden from the list."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony is not None
    assert phony[1].split() == TARGETS


def test_licence_is_apache() -> None:
    """The licence file and the package's metadata say the same."""
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")

    assert "Apache License\n" in text
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert _pyproject()["project"]["license"] == "Apache-2.0"  # type: ignore[index]  # read from TOML


def _pyproject() -> dict[str, object]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def without_reason(lines: list[str]) -> list[str]:
    """Lines that hold a requirement with an upper bound or an exact pin, and no comment after it."""
    bounded = (line for line in lines if re.search(r'"[^"]*(<|==|~=)[^"]*"', line))
    return [line.strip() for line in bounded if not re.search(r'["\],]\s*#\s*\w+.{8,}$', line)]


def test_every_upper_bound_has_a_reason() -> None:
    """A pin whose reason is forgotten is never lifted."""
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    bounded = [line for line in lines if re.search(r'"[^"]*<[^"]*"', line)]
    assert len(bounded) >= 5

    assert without_reason(lines) == []
    assert without_reason(['"pandas<3.1",', '"a==1", # x']) == ['"pandas<3.1",', '"a==1", # x']


def test_every_ruff_ignore_has_a_reason() -> None:
    """Each line of ruff's ignores says why."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    ignores = text.partition("\nignore = [\n")[2].partition("\n]")[0].splitlines()
    assert len(ignores) >= 5

    assert [line for line in ignores if not re.search(r"# .{4,}", line)] == []


LIGHT = """
import importlib, json, pkgutil, sys
seen = []
for package in ("services", "store", "monitoring", "feedback", "rollout"):
    home = importlib.import_module(package)
    for found in pkgutil.walk_packages(home.__path__, package + "."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)
            seen.append(found.name)
heavy = {"airflow", "pyspark", "evidently", "sklearn", "slack_sdk"} & set(sys.modules)
print(json.dumps([len(seen), sorted(heavy)]))
"""


def test_importing_the_library_is_light() -> None:
    """Every module of the library imports without Airflow, Spark, Evidently or scikit-learn."""
    done = subprocess.run(
        [sys.executable, "-c", LIGHT], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    modules, heavy = done.stdout.strip()[1:-1].split(", ", 1)
    assert heavy == "[]"
    assert int(modules) >= 6


@pytest.mark.filterwarnings("ignore")  # evidently's own warnings are not what is tested
def test_evidently_works_with_the_pandas_that_is_installed() -> None:
    """Guards the pandas pin: evidently 0.7.23 cannot be imported under pandas 3.1, and no resolver sees it."""
    import pandas as pd
    from evidently import Report
    from evidently.metrics import ValueDrift

    reference = pd.DataFrame({"x": [float(i % 100) for i in range(400)]})
    current = reference + 50.0
    drift = ValueDrift(column="x", method="wasserstein", threshold=0.1)
    result = Report([drift]).run(current, reference).dict()

    # 50 over the standard deviation of 0..99, which is 28.9 (n - 1 = 399 makes it 28.87).
    assert result["metrics"][0]["value"] == pytest.approx(1.732, abs=0.01)


def project_files() -> Iterator[Path]:
    """Every file of the project, tracked or not, that is not made by a tool."""
    for folder, subfolders, names in os.walk(ROOT):
        subfolders[:] = [name for name in subfolders if name not in NOT_OURS and not name.endswith("_cache")]
        yield from (Path(folder, name) for name in names)


def test_no_text_names_a_registry_or_a_workplace() -> None:
    """The project reads the same wherever it is cloned; only the lock file names where packages come from."""
    files = [file for file in project_files() if file.name != "uv.lock"]
    assert {"pyproject.toml", "Makefile", "Dockerfile", "test_contract.py", "ci.yml"} <= {
        file.name for file in files
    }

    named = {
        f"{file.relative_to(ROOT)}: {word}"
        for file in files
        for word in HOSTS_AND_PLACES
        if word.encode() in file.read_bytes()
    }
    assert named == set()


def test_the_lock_file_would_be_found() -> None:
    """The search above sees what it looks for where it does stand."""
    assert HOSTS_AND_PLACES[0].encode() in (ROOT / "uv.lock").read_bytes()
