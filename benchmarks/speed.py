"""How long a night takes, beside Evidently on the same rows and beside a bare scan of them.

    python -m benchmarks.speed --rows 1000000 --json

Each part runs in a process of its own, so that a peak of memory belongs to one of them and an import is paid
where it is timed. A part writes its numbers to a file; this process starts them, divides and prints. It imports
nothing large: Linux hands a process's peak of memory on to the programs it starts.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

LEAST_ROWS = 2000
"""With fewer rows Evidently has too few gusts of wind to compare, and only fixed costs are measured anyway."""
PARTS = {
    "flights": "writing two nights of {rows:,} rows, and freezing the reference",
    "ronda": "ronda",
    "scan": "a bare scan",
    "evidently": "Evidently on all rows (1 to 2 minutes for a million)",
}
"""Part -> what is told while it runs, in this order."""
_VERSIONS = ("ronda", "evidently", "duckdb", "pandas", "numpy", "pyarrow")
_LINES = (
    ("ronda_seconds", "ronda: statement, duplicates, sample, findings", "s"),
    ("night_seconds", "  the whole night, from opening the source", "s"),
    ("ronda_with_evidently_seconds", "  the whole night with Evidently on compact frames", "s"),
    ("evidently_seconds", "Evidently, DataDriftPreset on all rows", "s"),
    ("scan_seconds", "DuckDB, min max avg count of all columns", "s"),
    ("ratio_to_evidently", "Evidently / ronda", "x"),
    ("ratio_to_evidently_with_comparison", "Evidently / ronda with its comparison", "x"),
    ("ratio_to_scan", "ronda / scan", "x"),
    ("peak_rss_mb", "peak memory of ronda, Evidently's comparison in it", "MB"),
    ("peak_rss_without_evidently_mb", "  before Evidently is imported", "MB"),
    ("evidently_peak_rss_mb", "peak memory of Evidently on all rows", "MB"),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    asked = _asked(arguments)
    try:
        result = measured(asked.rows, asked.runs)
    except subprocess.CalledProcessError as error:
        sys.exit(
            f"The speed run stopped at exit code {error.returncode} of one part; its error stands above."
        )
    print(json.dumps(result, indent=2) if asked.json else table(result))


def measured(rows: int, runs: int) -> dict[str, Any]:
    """Run every part on two fresh nights of `rows` rows in a folder that is removed afterwards.

    Args:
        runs: how often ronda and the scan are timed; the medians are told. Evidently runs once.

    Raises:
        subprocess.CalledProcessError: a part failed; its own error stands above on standard error.
    """
    with tempfile.TemporaryDirectory(prefix="ronda-speed-") as folder:
        found = {part: _run(part, Path(folder), rows, runs) for part in PARTS}
    return {"rows": rows, **summary(found), "runs": runs, "cores": os.cpu_count(), "versions": _versions()}


def summary(found: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The parts' numbers side by side, with their ratios.

    >>> ronda = {"seconds": 2.0, "night_seconds": 2.5, "with_evidently_seconds": 4.0, "parts": {}, "features": 20,
    ...          "peak_mb": 400, "peak_without_evidently_mb": 300, "import_seconds": 1.0}
    >>> rival = {"seconds": 100.0, "peak_mb": 3000, "import_seconds": 5.0}
    >>> told = summary({"ronda": ronda, "evidently": rival, "scan": {"seconds": 0.5}})
    >>> told["ratio_to_evidently"], told["ratio_to_evidently_with_comparison"], told["ratio_to_scan"]
    (50.0, 25.0, 4.0)
    """
    ronda, evidently, scan = found["ronda"], found["evidently"], found["scan"]
    return {
        "features": ronda["features"],
        "ronda_seconds": ronda["seconds"],
        "night_seconds": ronda["night_seconds"],
        "parts": ronda["parts"],
        "ronda_with_evidently_seconds": ronda["with_evidently_seconds"],
        "evidently_seconds": evidently["seconds"],
        "scan_seconds": scan["seconds"],
        "ratio_to_evidently": evidently["seconds"] / ronda["seconds"],
        "ratio_to_evidently_with_comparison": evidently["seconds"] / ronda["with_evidently_seconds"],
        "ratio_to_scan": ronda["seconds"] / scan["seconds"],
        "peak_rss_mb": ronda["peak_mb"],
        "peak_rss_without_evidently_mb": ronda["peak_without_evidently_mb"],
        "evidently_peak_rss_mb": evidently["peak_mb"],
        "import_seconds": {"ronda": ronda["import_seconds"], "evidently": evidently["import_seconds"]},
    }


def table(result: Mapping[str, Any]) -> str:
    """The numbers for a person."""
    head = f"{result['rows']:,} rows × {result['features']} features on {result['cores']} cores, median of {result['runs']}"
    lines = [f"{label:<52}{_number(result[key])} {unit}" for key, label, unit in _LINES]
    parts = _listed(f"{name} {seconds:.3f}" for name, seconds in result["parts"].items())
    imports = _listed(f"{name} {seconds:.1f}" for name, seconds in result["import_seconds"].items())
    versions = _listed(f"{name} {number}" for name, number in result["versions"].items())
    return "\n".join(
        [head, *lines, f"of the night, in s: {parts}", f"imports apart, in s: {imports}", versions]
    )


def _number(value: float) -> str:
    return f"{value:>9,.2f}" if value < 100 else f"{value:>9,.0f}"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the night and of its reference")
    parser.add_argument("--runs", type=int, default=5, help="how often ronda and the scan are timed")
    parser.add_argument("--json", action="store_true", help="print JSON")
    asked = parser.parse_args(arguments)
    if asked.rows < LEAST_ROWS:
        parser.error(f"--rows is {asked.rows}; give at least {LEAST_ROWS}.")
    if asked.runs < 1:
        parser.error(f"--runs is {asked.runs}; give at least 1.")
    return asked


def _run(part: str, folder: Path, rows: int, runs: int) -> dict[str, Any]:
    print(f"{PARTS[part].format(rows=rows)} …", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "benchmarks.speed_part", part, str(folder), str(rows), str(runs)]
    environment = {**os.environ, "DO_NOT_TRACK": "1"}
    subprocess.run(command, check=True, env=environment, stdout=sys.stderr)  # noqa: S603 - our own modules
    found: dict[str, Any] = json.loads((folder / f"{part}.json").read_text(encoding="utf-8"))
    return found


def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: version(name) for name in _VERSIONS}}


if __name__ == "__main__":
    main()
