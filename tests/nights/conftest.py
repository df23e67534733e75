"""A small shop with a log, a service file and queries, on which whole nights are run."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.freeze import freeze
from monitoring.night import run
from monitoring.record import Written
from ronda import cli
from services.home import home_from
from services.window import night_of, window_between
from shop_changes import fail_half, no_errors
from store.watch import Watch, open_watch

SERVICE = """\
service: shop
owner: "@shop-team"
slack: "#shop"
source: ${SHOP_URL}
requests: sql/shop/requests.sql
feedback: sql/shop/feedback.sql
outcome: {event: order, positive: "value == bad", window: 1d}
slices: [city]
"""
REQUESTS = "SELECT * FROM requests WHERE night >= {first_night} AND night <= {last_night}\n"
FEEDBACK = "SELECT * FROM feedback WHERE known_at >= {start} AND known_at < {end};\n"
NOW = datetime(2026, 5, 20, tzinfo=UTC)
TRAINED = date(2026, 5, 1), date(2026, 5, 2)
NIGHT = date(2026, 5, 10)
ROWS = 1200  # enough for chance alone to stay below the floors


def requests_of(day: date, rows: int = ROWS) -> dict[str, Any]:
    """The columns of one ordinary night, the same on every call."""
    rng = np.random.default_rng(day.toordinal())
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    seconds = np.sort(rng.integers(0, 86_400, rows))
    return {
        "request_id": [f"{day}-{n}" for n in range(rows)],
        "time": [start + timedelta(seconds=int(s)) for s in seconds],
        "night": [day] * rows,
        "price": rng.lognormal(3, 0.5, rows),
        "eta_min": rng.normal(30, 8, rows),
        "items": rng.integers(1, 6, rows),
        "city": rng.choice(["Recife", "Salvador", "Natal"], rows),
        "channel": rng.choice(["ios", "android"], rows),
        "hour": seconds // 3600,
        "prediction": rng.beta(2, 6, rows),
        "status": rng.choice(["ok", "timeout"], rows, p=[0.95, 0.05]),
        "latency_ms": rng.gamma(4, 20, rows),
        "model_version": ["v1"] * rows,
        "commit_sha": ["9f2c1ab"] * rows,
    }


def feedback_of(day: date, requests: dict[str, Any]) -> dict[str, Any]:
    """An event two hours after every second request; every fourth of them is bad."""
    chosen = range(0, len(requests["request_id"]), 2)
    known = [requests["time"][n] + timedelta(hours=2) for n in chosen]
    return {
        "event_id": [f"e{day}-{n}" for n in chosen],
        "request_id": [requests["request_id"][n] for n in chosen],
        "type": ["order"] * len(known),
        "value": ["bad" if n % 8 == 0 else "good" for n in chosen],
        "time": known,
        "known_at": known,
    }


@dataclass
class Shop:
    """A home in a temporary folder; its log is written night by night."""

    root: Path
    monkeypatch: pytest.MonkeyPatch
    url: str = ""
    tables: dict[str, dict[date, pa.Table]] = field(default_factory=lambda: {"requests": {}, "feedback": {}})

    @property
    def night(self) -> date:
        """The night that tests run."""
        return NIGHT

    @property
    def past(self) -> list[date]:
        """The fourteen nights before it."""
        return [NIGHT - timedelta(days=n) for n in range(14, 0, -1)]

    @property
    def log(self) -> Path:
        """The folder of Parquet tables."""
        return self.root / "log"

    def file(self, path: str, text: str) -> None:
        """Write a file of the home."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def write_night(
        self, day: date, change: Callable[[dict[str, Any]], None] | None = None, rows: int = ROWS
    ) -> None:
        """Write a night's requests and feedback; `change` alters the request columns first."""
        columns = requests_of(day, max(rows, 1))
        feedback = feedback_of(day, columns)
        if change is not None:
            change(columns)
        self.write("requests", day, pa.table(columns).slice(0, rows))
        self.write("feedback", day, pa.table(feedback).slice(0, rows))

    def write(self, table: str, day: date, rows: pa.Table) -> None:
        """Replace the file of a table and night."""
        folder = self.log / table / f"night={day}"
        folder.mkdir(parents=True, exist_ok=True)
        kept = rows.drop_columns(["night"]) if "night" in rows.column_names else rows
        pq.write_table(kept, folder / "part.parquet")
        self.tables[table][day] = rows

    def watch(self) -> Watch:
        """The service under watch."""
        return open_watch("shop", home_from())

    def freeze(self) -> None:
        """Freeze the reference of the two training nights."""
        watch = self.watch()
        freeze(watch, "v1", window_between(*TRAINED, watch.service.time_zone), NOW)

    def run(self, day: date = NIGHT, at: datetime = NOW) -> Written:
        """Judge a night."""
        return run(self.watch(), night_of(day, "UTC"), at)

    def judge_past_anew(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Let the logs of the nights before say something else by now, and judge them silently."""
        for day in self.past:
            self.write_night(day, change)
            assert run(self.watch(), night_of(day, "UTC"), NOW, tell=False).recorded.is_new


def opened(root: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A home in this folder, new or as it stands, that the environment points to."""
    made = Shop(root, monkeypatch)
    made.file("services/shop.yaml", SERVICE)
    made.file("sql/shop/requests.sql", REQUESTS)
    made.file("sql/shop/feedback.sql", FEEDBACK)
    monkeypatch.setenv("RONDA_HOME", str(root))
    monkeypatch.setenv("SHOP_URL", str(made.log))
    return made


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """The shop with its training nights, the night 10 May, and the one before it."""
    made = opened(tmp_path, monkeypatch)
    for day in (*TRAINED, NIGHT - timedelta(days=1), NIGHT):
        made.write_night(day)
    return made


@pytest.fixture
def frozen_shop(shop: Shop) -> Shop:
    """The shop with its reference."""
    shop.freeze()
    return shop


@pytest.fixture(scope="session")
def past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a reference and fourteen nights behind it, made once and copied for each test."""
    root = tmp_path_factory.mktemp("past")
    with pytest.MonkeyPatch.context() as patched:
        made = opened(root, patched)
        for day in (*made.past, NIGHT):
            made.write_night(day)
        made.freeze()
        for day in made.past:
            run(made.watch(), night_of(day, "UTC"), NOW, tell=False)
    return root


@pytest.fixture
def nights(past: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """The shop with fourteen nights behind it."""
    root = tmp_path / "home"
    shutil.copytree(past, root)
    return opened(root, monkeypatch)


@pytest.fixture
def crossed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """The shop with fourteen nights behind it, and a cross of city and channel in its service file."""
    made = opened(tmp_path, monkeypatch)
    made.file(
        "services/shop.yaml", SERVICE.replace("slices: [city]", "slices: [city, channel, city*channel]")
    )
    for day in (*made.past, NIGHT):
        made.write_night(day)
    made.freeze()
    for day in made.past:
        run(made.watch(), night_of(day, "UTC"), NOW, tell=False)
    return made


@pytest.fixture(scope="session")
def quiet_before(past: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose night was quiet beside nights that have no errors since, made once and copied for each test."""
    root = tmp_path_factory.mktemp("other") / "home"
    shutil.copytree(past, root)
    with pytest.MonkeyPatch.context() as patched:
        made = opened(root, patched)
        assert made.run().row.standing == "quiet"
        made.judge_past_anew(no_errors)
    return root


@pytest.fixture
def other_past(quiet_before: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """The shop on a night that was quiet, beside nights that say something else since."""
    root = tmp_path / "home"
    shutil.copytree(quiet_before, root)
    return opened(root, monkeypatch)


@pytest.fixture
def loud(nights: Any, slack_server: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The shop on a night that speaks, with a token for the server."""
    text = (nights.root / "services/shop.yaml").read_text()
    nights.file("services/shop.yaml", f"{text}until: {nights.night}\n")  # so that no later night is missed
    nights.write_night(nights.night, fail_half)
    monkeypatch.setenv("RONDA_SLACK_TOKEN", slack_server.token)
    monkeypatch.setenv("RONDA_SLACK_URL", slack_server.url)
    return nights


@pytest.fixture
def call_ronda(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Call the command line; gives its exit code, standard output and standard error."""

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["ronda", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return call


@pytest.fixture
def ronda(shop: Any, call_ronda: Callable[..., tuple[int, str, str]]) -> Callable[..., tuple[int, str, str]]:
    """The command line, in the shop."""
    return call_ronda
