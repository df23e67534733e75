"""The part of the speed run that is Evidently as its own guide shows it: one preset, default settings, all rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset

from benchmarks.speed_log import FEATURES, JUDGED, TRAINED, log_file
from benchmarks.speed_part import timed


def measure(folder: Path, _rows: int, _runs: int) -> dict[str, Any]:
    """Compare both nights, once. The frames are read before the clock starts."""
    current, reference = (
        pd.read_parquet(log_file(folder, night), columns=list(FEATURES), partitioning=None)
        for night in (JUDGED, TRAINED)
    )
    seconds, _ = timed(lambda: Report([DataDriftPreset()]).run(current, reference))
    return {"seconds": seconds}
