"""Real releases become models: one that is better is promoted, and two that are not, are not."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from skops.io import get_untrusted_types, loads  # type: ignore[import-untyped]  # ships no types

from demo.flight_model import DIGITS, INPUTS, inputs_of
from demo.flight_trainer import fit
from feedback.night import mature
from feedback.records import Released
from rollout.retrain import retrain
from ronda import released
from services.home import Home
from services.window import night_of, nights_between, window_between
from store.deployments import deployments_of
from store.references import latest_reference
from store.state import reading
from store.watch import Watch, open_watch

ROOT = Path(__file__).resolve().parents[2]
ZONE = "America/New_York"
NOW = datetime(2013, 8, 1, tzinfo=UTC)
DAY = timedelta(days=1)
pytestmark = pytest.mark.xdist_group("flight_retrain")  # its outcomes take a quarter of a minute, once
BETTER, WORSE, ONE_NIGHT_ONLY = date(2013, 6, 8), date(2013, 5, 31), date(2013, 6, 13)


@pytest.fixture(scope="module")
def spring(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The nights of 20 April to 14 June alone: a sixth of the files to look through for each night."""
    part = tmp_path_factory.mktemp("spring")
    for night in nights_between(WORSE - 41 * DAY, ONE_NIGHT_ONLY + DAY, ZONE):
        for table in ("requests", "feedback"):
            shutil.copytree(folder / table / f"night={night.name}", part / table / f"night={night.name}")
    return part


@pytest.fixture(scope="module")
def watch(spring: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watch]:
    """The service as it is shipped, with the outcomes of 20 April to 13 June."""
    home = tmp_path_factory.mktemp("retrain")
    for part in ("services", "sql"):
        shutil.copytree(
            ROOT / part, home / part, ignore=shutil.ignore_patterns("__pycache__", "migrations", "*.py")
        )
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("FLIGHTS_URL", str(spring))
        place = Home(home, f"sqlite:///{home / 'ronda.db'}", str(home / "lake"), b"k" * 16)
        made = open_watch("flight_delay", place)
    for night in nights_between(WORSE - 41 * DAY, ONE_NIGHT_ONLY, ZONE):
        mature(made, night_of(night.date + DAY, ZONE), NOW)
    yield made
    made.state.dispose()


def release(watch: Watch, last: date) -> Released:
    """The service's 42 nights up to `last`."""
    first = last - (watch.service.release.nights - 1) * DAY
    return released.make(watch, window_between(first, last, ZONE), NOW)


@pytest.mark.parametrize(
    ("last", "reason", "old", "new", "not_worse"),
    [
        (WORSE, "log_loss_not_lower", 0.417, 0.449, 2),
        # Less wrong on 13 June, when 69.5 % came late, and more wrong on five ordinary nights.
        (ONE_NIGHT_ONLY, "worse_on_most_nights", 0.552, 0.541, 2),
    ],
)
def test_not_promoted(watch: Watch, last: date, reason: str, old: float, new: float, not_worse: int) -> None:
    """Nothing follows from a model that is not better: no reference, no deployment."""
    made = retrain(watch, release(watch, last).row.version, NOW)

    assert (made.promoted, made.reason) == (False, reason)
    assert made.old is not None
    assert made.new is not None
    assert (made.old.log_loss, made.new.log_loss) == pytest.approx((old, new), abs=0.0015)
    nights = made.new.log_loss_by_night.items()
    assert sum(loss <= made.old.log_loss_by_night[night] for night, loss in nights) == not_worse
    assert watch.lake.exists(made.path)
    with reading(watch.state) as connection:
        assert latest_reference(connection, "flight_delay", made.model_version) is None
        deployed = deployments_of(connection, "flight_delay")
    assert made.model_version not in {row.model_version for row in deployed}


def test_promoted(watch: Watch) -> None:
    """Fitted on 28 April to 1 June, better on 6 of the 7 nights after; what follows is recorded."""
    used = release(watch, BETTER)
    made = retrain(watch, used.row.version, NOW, code_commit="c0ffee")

    assert made.model_version == f"2013-06-01-{used.row.version[:8]}"
    assert (made.promoted, made.reason, made.is_new) == (True, "lower_log_loss", True)
    assert made.trained is not None
    assert made.held_out is not None
    assert (made.trained.first, made.trained.last, made.trained.nights) == (
        date(2013, 4, 28),
        date(2013, 6, 1),
        35,
    )
    assert (made.held_out.first, made.held_out.last, made.held_out.nights) == (date(2013, 6, 2), BETTER, 7)
    assert made.old is not None
    assert made.new is not None
    assert (made.old.log_loss, made.new.log_loss) == pytest.approx((0.518, 0.497), abs=0.0015)
    with reading(watch.state) as connection:
        reference = latest_reference(connection, "flight_delay", made.model_version)
        newest = latest_reference(connection, "flight_delay")
        deployed = [row for row in deployments_of(connection, "flight_delay") if row.source == "deploy"]
    assert reference is not None
    assert newest == reference
    window = window_between(date(2013, 4, 28), date(2013, 6, 1), ZONE)
    assert (reference.window_start, reference.window_end) == (window.start, window.end)
    assert [(row.model_version, row.commit_sha) for row in deployed] == [(made.model_version, "c0ffee")]
    _the_file_is_the_model(watch, used, made.path)


def _the_file_is_the_model(watch: Watch, used: Released, path: str) -> None:
    """What serving loads predicts what was judged, and a carrier or airport it never saw stops nothing."""
    rows = pq.read_table(BytesIO(watch.lake.get(f"{used.row.path}/data/train.parquet"))).to_pandas()
    trained, later = rows[rows["night"] <= date(2013, 6, 1)], rows[rows["night"] > date(2013, 6, 1)]
    fitted = fit(trained[[*INPUTS, "label", "night"]])
    predicted = fitted.predict(later)
    content = watch.lake.get(path)
    model = loads(content, trusted=get_untrusted_types(data=content))

    assert np.array_equal(model.predict_proba(inputs_of(later))[:, 1].round(DIGITS), predicted)
    unknown = later.head(50).assign(carrier="??", dest="??", origin=None, tailnum=None)
    assert ((fitted.predict(unknown) > 0) & (fitted.predict(unknown) < 1)).all()
