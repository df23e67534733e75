"""The README's commands are run as they stand, on a log of the kind it names."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def shell_blocks(heading: str) -> list[str]:
    """The shell blocks of one section of the README."""
    section = README.split(f"## {heading}\n")[1].split("\n## ")[0]
    return [block.split("```")[0] for block in section.split("```sh\n")[1:]]


@pytest.fixture
def eta_log(tmp_path: Path) -> Path:
    """A small log of an ETA model with thumbs, from March to May 2026."""
    folder = tmp_path / "log"
    days = [date(2026, 3, 1) + timedelta(days=n) for n in (*range(28), *range(69, 73))]
    for day in days:
        rng = np.random.default_rng(day.toordinal())
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        times = [midnight + timedelta(seconds=int(s)) for s in np.sort(rng.integers(0, 80_000, 250))]
        requests = {
            "request_id": [f"{day}/{n}" for n in range(250)],
            "time": times,
            "city": rng.choice(["Recife", "Natal"], 250),
            "distance_km": rng.gamma(2, 3, 250),
            "prediction": rng.gamma(9, 3, 250),
            "model_version": ["2026-04-01"] * 250,
            "status": ["ok"] * 250,
        }
        thumbs = {
            "event_id": [f"t{day}/{n}" for n in range(0, 250, 5)],
            "request_id": requests["request_id"][::5],
            "type": ["thumb"] * 50,
            "value": ["down" if n % 4 == 0 else "up" for n in range(50)],
            "time": times[::5],
            "known_at": times[::5],
        }
        for table, columns in (("requests", requests), ("feedback", thumbs)):
            place = folder / table / f"night={day}"
            place.mkdir(parents=True)
            pq.write_table(pa.table(columns), place / "part-0.parquet")
    return folder


def test_your_own_service(eta_log: Path, tmp_path: Path) -> None:
    """The commands for one's own service run one after the other, and end in a page and a dataset."""
    home = tmp_path / "home"
    home.mkdir()
    blocks = shell_blocks("Your own service, in ten minutes")
    assert len(blocks) == 2
    environment = {**os.environ, "RONDA_HOME": str(home), "ETA_LOG": str(eta_log), "DO_NOT_TRACK": "1"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(blocks)],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Reference of eta, model version 2026-04-01, revision 1: frozen." in done.stdout
    assert (home / "var/lake/pages/eta/2026-05-12.html").is_file()
    assert "Release" in done.stdout
    assert len(list((home / "var/lake/releases/eta").glob("*/data/train.parquet"))) == 1


def test_the_two_commands_are_targets() -> None:
    """The two commands of the README are targets of the Makefile."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = [
        line.split()[1] for line in shell_blocks("Two commands")[0].splitlines() if line.startswith("make ")
    ]
    assert named == ["demo", "test"]
    assert all(f"\n{target}:" in makefile for target in named)
