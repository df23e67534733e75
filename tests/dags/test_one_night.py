"""A whole night through the DAGs, task by task, without a scheduler."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ronda.watch_nights import watch
from services.home import home_from
from store.state import open_state

pytestmark = pytest.mark.xdist_group("airflow")
InAirflow = Callable[..., subprocess.CompletedProcess[str]]
DAGS = Path(__file__).resolve().parents[2] / "dags"


@pytest.fixture
def run_dag(in_airflow: InAirflow) -> Callable[..., tuple[dict[str, Any], str]]:
    """Run a DAG of the shop: what became of the run and its tasks, and everything that was printed."""

    def run(shop: Any, dag: str, night: str) -> tuple[dict[str, Any], str]:
        command = [sys.executable, str(Path(__file__).with_name("run_dag.py")), str(DAGS), dag, night]
        done = in_airflow(command, RONDA_HOME=str(shop.root), SHOP_URL=str(shop.log))
        printed = done.stdout + done.stderr
        assert done.returncode == 0, printed
        return json.loads(done.stdout.partition("RUN ")[2].partition("\n")[0]), printed

    return run


def rows(shop: Any, query: str) -> list[tuple[Any, ...]]:
    """Of the shop's state."""
    with sqlite3.connect(shop.root / "var/ronda.db") as connection:
        return connection.execute(query).fetchall()


def test_a_night_and_its_dataset(frozen_shop: Any, run_dag: Callable[..., Any]) -> None:
    """The three tasks make outcomes, page and messages; the dataset of the week is made on Sunday alone."""
    done, printed = run_dag(frozen_shop, "nightly_round_shop", "2026-05-10")
    assert done == {
        "state": "success",
        "tasks": {"mature": ["success", 1], "judge": ["success", 1], "tell": ["success", 1]},
    }
    assert (frozen_shop.root / "var/lake/pages/shop/2026-05-10.html").is_file()
    assert (frozen_shop.root / "var/lake/pages/index.html").is_file()
    assert rows(frozen_shop, "SELECT night, rows_read, revision FROM nights") == [("2026-05-10", 1200, 1)]
    assert rows(frozen_shop, "SELECT night, mature FROM outcomes") == [("2026-05-09", 600)]
    assert "Returned value was: {'night': '2026-05-10', 'outcomes_of': '2026-05-09'" in printed
    assert "2026-05-10-17" not in printed  # no request's id in any log

    done, printed = run_dag(frozen_shop, "dataset_release_shop", "2026-05-10")
    assert done == {"state": "success", "tasks": {"release": ["success", 1]}}
    assert rows(frozen_shop, "SELECT window_start, window_end, rows_kept FROM releases") == [
        ("2026-04-12 00:00:00.000000", "2026-05-10 00:00:00.000000", 600)
    ]
    assert "Release " in printed

    done, printed = run_dag(frozen_shop, "dataset_release_shop", "2026-05-11")
    assert done == {"state": "success", "tasks": {"release": ["skipped", 1]}}
    assert "One is made every 7 nights, the next with the night of 2026-05-17." in printed
    assert len(rows(frozen_shop, "SELECT * FROM releases")) == 1


def test_a_run_without_a_night_fails_at_once(frozen_shop: Any, run_dag: Callable[..., Any]) -> None:
    """No retry mends it, so none is made; the sentence stands in the log, and nothing is kept as the night's trouble."""
    done, printed = run_dag(frozen_shop, "nightly_round_shop", "")
    assert done["state"] == "failed"
    assert done["tasks"]["mature"] == ["failed", 1]
    assert "shop: this run has no night. Start it with one." in printed
    assert rows(frozen_shop, "SELECT * FROM night_troubles") == []


def test_a_broken_file_fails_with_its_own_words(frozen_shop: Any, run_dag: Callable[..., Any]) -> None:
    """The DAG of a file that cannot be read fails and says why; the shop's own runs as ever."""
    frozen_shop.file("services/torn.yaml", "service: torn\nsurce: x\n")
    done, printed = run_dag(frozen_shop, "nightly_round_torn", "2026-05-10")
    assert done == {"state": "failed", "tasks": {"service_file": ["failed", 1]}}
    assert "services/torn.yaml has" in printed


def test_the_command_of_the_manual_works(frozen_shop: Any, in_airflow: InAirflow) -> None:
    """`airflow dags test` as the documentation of the DAG says it."""
    command = ["airflow", "dags", "test", "nightly_round_shop", "-c", '{"night": "2026-05-10"}']
    done = in_airflow(command, RONDA_HOME=str(frozen_shop.root), SHOP_URL=str(frozen_shop.log))
    assert done.returncode == 0, done.stdout + done.stderr
    assert rows(frozen_shop, "SELECT night FROM nights") == [("2026-05-10",)]


def test_the_watch_tells_and_sends(frozen_shop: Any, run_dag: Callable[..., Any]) -> None:
    """The last three nights never came; without a token, telling is writing."""
    done, _ = run_dag(frozen_shop, "night_watch", "")
    assert done == {"state": "success", "tasks": {"late": ["success", 1], "send": ["success", 1]}}
    assert [state for (state,) in rows(frozen_shop, "SELECT state FROM messages")] == ["written"] * 3


def test_the_watch_sends_when_it_cannot_look(frozen_shop: Any, run_dag: Callable[..., Any]) -> None:
    """Without service files the watch says so and fails at once; what was due is written, and the run is red."""
    home = home_from()
    assert len(watch(home, open_state(home.state_url), datetime(2026, 5, 23, 12, tzinfo=UTC))["late"]) == 3
    home.services.rename(home.root / "elsewhere")
    done, printed = run_dag(frozen_shop, "night_watch", "")
    assert done == {"state": "failed", "tasks": {"late": ["failed", 1], "send": ["failed", 1]}}
    assert "has no folder `services`" in printed
    assert [state for (state,) in rows(frozen_shop, "SELECT state FROM messages")] == ["written"] * 4
