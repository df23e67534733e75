"""Runs one part of the speed run: `python -m benchmarks.speed_part NAME FOLDER ROWS RUNS`.

The part is the module `benchmarks.speed_<name>`, imported with the clock running; its numbers go to
`FOLDER/<name>.json`.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import TypeVar

Result = TypeVar("Result")


def timed(call: Callable[[], Result]) -> tuple[float, Result]:
    """Wall-clock seconds of one call, and what it returned."""
    began = time.perf_counter()
    result = call()
    return time.perf_counter() - began, result


def usual(call: Callable[[], object], runs: int) -> float:
    """The median seconds of several calls: on a busy machine one of them is often disturbed."""
    return median(timed(call)[0] for _ in range(runs))


def peak_mb() -> float:
    """The most memory this process ever had in use, in MB of 1,000,000 bytes, imports included."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return (peak if sys.platform == "darwin" else peak * 1024) / 1e6


def run(name: str, folder: Path, rows: int, runs: int) -> None:
    """Import a part, run it and write what it measured, with its import time and its peak of memory."""
    import_seconds, part = timed(lambda: import_module(f"benchmarks.speed_{name}"))
    found = {**part.measure(folder, rows, runs), "import_seconds": import_seconds, "peak_mb": peak_mb()}
    (folder / f"{name}.json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    run(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
