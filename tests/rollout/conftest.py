"""A small shop whose served predictions are poor, with matured outcomes and one real release."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from feedback.night import mature
from feedback.records import Wanted
from feedback.release import DATA, MANIFEST, release
from monitoring.freeze import freeze
from services.home import Home
from services.window import night_of, window_between
from store.releases import ReleaseRow, record_release, releases_of
from store.state import State, open_state, reading, writing
from store.watch import Watch, open_watch

FIRST, NIGHTS, A_NIGHT = date(2026, 5, 1), 6, 120
LAST = FIRST + timedelta(days=NIGHTS - 1)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
SERVICE = """\
service: shop
owner: "@shop-team"
slack: "#shop"
source: ${SHOP_URL}
requests: sql/shop/requests.sql
feedback: sql/shop/feedback.sql
training: sql/shop/training.sql
outcome: {event: rated, positive: "stars > 3", window: 1d}
slices: [city]
enough: {rows: 100}
retrain: {trainer: "shop_trainer:fit", held_out_nights: 2}
"""
QUERIES = {
    "requests": "SELECT * FROM requests WHERE night >= {first_night} AND night <= {last_night}",
    "feedback": "SELECT * FROM feedback WHERE known_at >= {start} AND known_at < {end}",
    # the training pipeline knows nothing of the nights that are released
    "training": "SELECT request_id, time, size, price FROM requests WHERE night >= {first_night} AND night < '2026-01-01'",
}
# Its file is the same on every run, which a skops file is not.
TRAINER = """
import json

from rollout.records import Fitted

def fit(rows):
    rate = rows.groupby(rows["size"] > 0)["label"].mean().to_dict()
    model = json.dumps({str(big): share for big, share in sorted(rate.items())}).encode()
    return Fitted(lambda later: (later["size"] > 0).map(rate).to_numpy(), model, "rates.json")
"""


def log_of(folder: Path) -> None:
    """Large sizes are mostly rated well, small ones are not; what served said 0.5 to every request."""
    rng = np.random.default_rng(7)
    for offset in range(NIGHTS):
        day = FIRST + timedelta(days=offset)
        ids = [f"{day}-{n}" for n in range(A_NIGHT)]
        times = [
            datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=10 * n)
            for n in range(A_NIGHT)
        ]
        size = rng.normal(0, 1, A_NIGHT)
        stars = np.where(rng.random(A_NIGHT) < np.where(size > 0, 0.8, 0.2), 5.0, 1.0)
        requests = {
            "request_id": ids, "time": times, "size": size, "price": rng.gamma(2, 3, A_NIGHT),
            "city": rng.choice(["Recife", "Natal"], A_NIGHT), "prediction": [0.5] * A_NIGHT, "model_version": ["v1"] * A_NIGHT,
        }  # fmt: skip
        known = [time + timedelta(hours=1) for time in times]
        feedback = {
            "event_id": ids, "request_id": ids, "type": ["rated"] * A_NIGHT, "value": stars, "time": known, "known_at": known,
        }  # fmt: skip
        for table, columns in (("requests", requests), ("feedback", feedback)):
            place = folder / table / f"night={day}"
            place.mkdir(parents=True)
            pq.write_table(pa.table(columns), place / "part.parquet")


@dataclass
class Shop:
    """A home of the shop, as it is after its release."""

    root: Path
    watch: Watch
    version: str

    @property
    def dump(self) -> list[str]:
        """The state as SQL."""
        with sqlite3.connect(self.root / "ronda.db") as connection:
            lines = list(connection.iterdump())
        connection.close()
        return lines

    @property
    def files(self) -> dict[str, bytes]:
        """All that the lake holds."""
        lake = self.root / "lake"
        return {
            str(path.relative_to(lake)): path.read_bytes()
            for path in sorted(lake.rglob("*"))
            if path.is_file()
        }

    @property
    def models(self) -> dict[str, bytes]:
        """The lake's model files."""
        return {path: content for path, content in self.files.items() if path.startswith("models/")}

    @property
    def rows(self) -> pa.Table:
        """The rows of the real release."""
        return pq.read_table(BytesIO(self.watch.lake.get(f"releases/shop/{self.version}/{DATA}")))

    def release_of(self, rows: pa.Table) -> str:
        """Another release, which holds these rows."""
        manifest = json.loads(self.watch.lake.get(f"releases/shop/{self.version}/{MANIFEST}"))
        file = BytesIO()
        pq.write_table(rows, file)
        data = file.getvalue()
        version = hashlib.sha256(data).hexdigest()[:16]
        manifest["files"][DATA]["sha256"] = hashlib.sha256(data).hexdigest()
        written = json.dumps(manifest).encode()
        path = f"releases/shop/{version}"
        for name, content in ((DATA, data), (MANIFEST, written)):
            self.watch.lake.put(f"{path}/{name}", content)
        sha = hashlib.sha256(written).hexdigest()
        row = ReleaseRow("shop", version, NOW, NOW, rows.num_rows, rows.num_rows, path, sha, NOW)
        with writing(self.watch.state) as connection:
            record_release(connection, row, {"kept": rows.num_rows})
        return version

    def release_serving(self, predictions: object) -> str:
        """Another release of the same rows, which were served these predictions."""
        place = self.rows.schema.get_field_index("prediction")
        return self.release_of(self.rows.set_column(place, "prediction", predictions))

    def train_by(self, trainer: str) -> None:
        """Replace the service file's trainer."""
        file = self.root / "services" / "shop.yaml"
        file.write_text(file.read_text().replace("shop_trainer:fit", trainer))
        self.watch = _opened(self.root)


def _opened(root: Path) -> Watch:
    return open_watch("shop", Home(root, f"sqlite:///{root / 'ronda.db'}", str(root / "lake"), b"k" * 16))


@pytest.fixture(scope="session")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log of all homes of the shop."""
    folder = tmp_path_factory.mktemp("shop-log")
    log_of(folder)
    return folder


@pytest.fixture(scope="session")
def prepared(log: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the reference v1, the outcomes of all nights and their release; tests work on copies."""
    root = tmp_path_factory.mktemp("shop-home")
    (root / "services").mkdir()
    (root / "services" / "shop.yaml").write_text(SERVICE)
    (root / "sql" / "shop").mkdir(parents=True)
    for name, query in QUERIES.items():
        (root / "sql" / "shop" / f"{name}.sql").write_text(query)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SHOP_URL", str(log))
        watch = _opened(root)
    freeze(watch, "v1", window_between(FIRST, FIRST + timedelta(days=1), "UTC"), NOW, own_traffic=True)
    for offset in range(NIGHTS):
        mature(watch, night_of(FIRST + timedelta(days=offset + 1), "UTC"), NOW)
    wanted = Wanted({"size": "number", "price": "number", "city": "category"})
    release(watch, window_between(FIRST, LAST, "UTC"), wanted, NOW)
    watch.state.dispose()
    return root


@pytest.fixture
def new_shop(
    prepared: Path, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], Shop]]:
    """Makes homes of the shop, all the same."""
    monkeypatch.setenv("SHOP_URL", str(log))
    made: list[Shop] = []

    def make() -> Shop:
        root = tmp_path / f"shop{len(made)}"
        shutil.copytree(prepared, root)
        watch = _opened(root)
        with reading(watch.state) as connection:
            (only,) = releases_of(connection, "shop")
        made.append(Shop(root, watch, only.version))
        return made[-1]

    yield make
    for shop in made:
        shop.watch.state.dispose()


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Writes Python modules that can be imported until the test ends."""
    folder = tmp_path / "modules"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    names: list[str] = []

    def write(name: str, source: str) -> None:
        (folder / f"{name}.py").write_text(source)
        names.append(name)

    yield write
    for name in names:
        sys.modules.pop(name, None)


@pytest.fixture
def shop(new_shop: Callable[[], Shop], module: Callable[[str, str], None]) -> Shop:
    """A home of the shop, and its trainer."""
    module("shop_trainer", TRAINER)
    return new_shop()


@pytest.fixture(params=["sqlite", "postgresql"])
def state(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[State]:
    """An open, empty state database of each kind."""
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'ronda.db'}" if sqlite else request.getfixturevalue("postgres_database")
    engine = open_state(url)
    yield engine
    engine.dispose()
