"""How long a night's verdicts take on dense counts of many features and slices, and how much memory.

    python -m benchmarks.verdicts --features 1000 --slices 200 --nights 28 --json

Every night is one file, as a ledger keeps them: counts of shape (features, slices, cells). They are read and laid out
a chunk of features at a time, so that all nights are never in memory at once; what is judged together is what they
come to, one number per feature, night and slice.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from benchmarks.speed_part import peak_mb, timed
from monitoring.verdicts.judge import Verdicts, judge
from monitoring.verdicts.kinds import kinds
from monitoring.verdicts.lay import WEEK, Bank
from monitoring.verdicts.rows import UNITS, Past, Rows, joined
from monitoring.verdicts.shares import of_counts, past_of_counts, roots
from monitoring.verdicts.variation import Variation, fitted

CELLS = 14
CHUNK = 50
"""Features that are laid out at once: 28 nights of them in 200 slices are 16 MB of counts."""
FLOOR = 0.1
FIRST = date(2026, 1, 5)
Counts = npt.NDArray[np.int32]
Found = TypeVar("Found")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    asked = _asked(arguments)
    with tempfile.TemporaryDirectory(prefix="ronda-verdicts-") as folder:
        result = measured(Path(folder), asked.features, asked.slices, asked.nights)
    print(json.dumps(result, indent=2) if asked.json else table(result))


def measured(folder: Path, features: int, slices: int, nights: int) -> dict[str, Any]:
    """Write nights of random counts, and time what is done with them."""
    files = written(folder, features, slices, nights, np.random.default_rng(7))
    read = usual_seconds(lambda: summed(files), runs=3)
    reference, sums = frozen(files[:-1])
    seconds, verdicts = timed(lambda: judged(files, reference, sums))
    return {
        "features": features,
        "slices": slices,
        "nights": nights,
        "keys": features * slices,
        "megabytes": round(sum(file.stat().st_size for file in files) / 1e6),
        "sum_seconds": round(read, 3),
        "verdict_seconds": round(seconds, 3),
        "peak_rss_mb": round(peak_mb()),
        "drifted": int(verdicts.drifted.sum()),
        "inconclusive": int(verdicts.inconclusive.sum()),
        "cores": os.cpu_count(),
    }


def usual_seconds(call: Callable[[], object], runs: int) -> float:
    """The median seconds of several calls."""
    return float(np.median([timed(call)[0] for _ in range(runs)]))


def written(folder: Path, features: int, slices: int, nights: int, rng: np.random.Generator) -> list[Path]:
    """One file per night; slices of 50 to 50,000 requests, nights that differ a little, and no change.

    The first slice holds all requests.
    """
    sizes = np.geomspace(50, 50_000, max(slices - 1, 1))
    shares = rng.dirichlet(np.full(CELLS, 2.0), size=(features, 1))
    files = []
    for night in range(nights):
        moved = shares * rng.gamma(400.0, 1 / 400.0, size=(features, len(sizes), CELLS))
        mean = moved / moved.sum(axis=-1, keepdims=True) * sizes[:, np.newaxis]
        counts = rng.poisson(mean).astype(np.int32)
        dense = np.concatenate([counts.sum(axis=1, keepdims=True, dtype=np.int32), counts], axis=1)[
            :, :slices
        ]
        files.append(folder / f"{FIRST + timedelta(days=night)}.npy")
        np.save(files[-1], dense, allow_pickle=False)
    return files


def read(files: Sequence[Path], features: slice) -> Counts:
    """Some features of many nights, shape (features, nights, slices, cells)."""
    opened = [np.load(file, mmap_mode="r", allow_pickle=False)[features] for file in files]
    return np.stack(opened, axis=1)


def summed(files: Sequence[Path]) -> npt.NDArray[np.int64]:
    """All nights added up, shape (features, slices, cells)."""
    total: npt.NDArray[np.int64] = np.load(files[0], allow_pickle=False).astype(np.int64)
    for file in files[1:]:
        total += np.load(file, mmap_mode="r", allow_pickle=False)
    return total


def frozen(files: Sequence[Path]) -> tuple[Variation, npt.NDArray[np.int64]]:
    """What is kept with a reference: how its nights differ, and their sums."""
    kind, sums = kinds(_days(files), ()), summed(files)

    def lay(features: slice) -> tuple[Past, npt.NDArray[np.float64]]:
        scale = roots(sums[features, 0])
        return past_of_counts(scale, read(files, features), kind), scale.dof

    parts = _in_threads(lay, len(sums))
    dof = np.concatenate([dof for _, dof in parts])
    return fitted(joined([past for past, _ in parts]), np.full(len(sums), UNITS.index("js")), dof), sums


def judged(files: Sequence[Path], reference: Variation, sums: npt.NDArray[np.int64]) -> Verdicts:
    """Verdicts of the last night, from its file and those of the nights before."""
    bank_kind = kinds(_days(files), ())

    def lay(features: slice) -> Rows:
        counts = read(files, features)
        bank = Bank(bank_kind, np.ones(counts.shape[:2], dtype=bool))
        floor = np.full(len(counts), FLOOR)
        weeks = (len(files) - 1) // WEEK
        return of_counts(roots(sums[features, 0]), counts, sums[features], weeks, bank, floor)

    rows = joined(_in_threads(lay, len(sums)))
    return judge(rows, reference, np.zeros(len(sums), dtype=bool))


def table(result: dict[str, Any]) -> str:
    """The numbers in lines."""
    return "\n".join(f"{name.replace('_', ' '):<18} {value:>12,}" for name, value in result.items())


def _days(files: Sequence[Path]) -> list[date]:
    return [date.fromisoformat(file.stem) for file in files]


def _in_threads(lay: Callable[[slice], Found], features: int) -> list[Found]:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lay, _chunks(features)))


def _chunks(features: int) -> Iterator[slice]:
    for first in range(0, features, CHUNK):
        yield slice(first, first + CHUNK)


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verdicts", description=__doc__)
    parser.add_argument("--features", type=int, default=1000)
    parser.add_argument("--slices", type=int, default=200)
    parser.add_argument("--nights", type=int, default=28)
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
