"""A release becomes a model, once, and whatever a killed run left undone is done by the next."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from skops.io import get_untrusted_types, loads  # type: ignore[import-untyped]  # ships no types

import rollout.retrain
from monitoring import frozen
from rollout import trainer
from rollout.records import Part
from rollout.retrain import retrain
from services.errors import StateError, UsageError
from services.window import window_between
from store.deployments import DeploymentRow, deployments_of
from store.lake import Lake
from store.models import models_of
from store.references import latest_reference
from store.state import reading

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 6, 1, tzinfo=UTC)
LATER = NOW + timedelta(days=3)
TRAINED = Part(date(2026, 5, 1), date(2026, 5, 4), nights=4, rows=480, positive=0)
SERVED = -np.log(0.5)  # the log loss of saying 0.5 to everything


def documented() -> str:
    """The example of the documentation."""
    text = (ROOT / "docs" / "retraining.md").read_text(encoding="utf-8")
    (block,) = [part.split("```")[0] for part in text.split("```python\n")[1:]]
    return block


def test_a_better_model_is_promoted(shop: Any, module: Callable[[str, str], None]) -> None:
    """The documented trainer, a real scikit-learn model: fitted on four nights, held against what served on two."""
    module("documented_trainer", documented())
    shop.train_by("documented_trainer:fit")
    made = retrain(shop.watch, shop.version, NOW, code_commit="c0ffee")

    assert len(documented().splitlines()) <= 15
    assert made.model_version == f"2026-05-04-{shop.version[:8]}"
    assert (made.promoted, made.reason, made.is_new) == (True, "lower_log_loss", True)
    assert made.trained == Part(**{**vars(TRAINED), "positive": made.trained.positive})  # type: ignore[union-attr]
    assert made.held_out is not None
    assert (made.held_out.first, made.held_out.last, made.held_out.rows) == (
        date(2026, 5, 5),
        date(2026, 5, 6),
        240,
    )
    assert made.old is not None
    assert made.new is not None
    assert made.old.log_loss == pytest.approx(SERVED)
    assert made.new.log_loss < 0.62
    assert made.new.rows == made.old.rows == 240
    content = shop.watch.lake.get(made.path)
    assert made.path == f"models/shop/{made.model_version}/{sha256(content).hexdigest()[:16]}/model.skops"
    assert shop.models == {made.path: content}
    model = loads(content, trusted=get_untrusted_types(data=content))
    assert model.predict_proba(shop.rows.select(["size", "price"]).to_pandas()).shape == (720, 2)


def test_what_follows_from_a_promotion(shop: Any) -> None:
    """The reference of exactly the training nights, counted from the log, and one deployment."""
    made = retrain(shop.watch, shop.version, NOW, code_commit="c0ffee")
    with reading(shop.watch.state) as connection:
        reference = latest_reference(connection, "shop", made.model_version)
        deployed = [
            replace(row, id=0) for row in deployments_of(connection, "shop") if row.source == "deploy"
        ]
        (model,) = models_of(connection, "shop")

    window = window_between(date(2026, 5, 1), date(2026, 5, 4), "UTC")
    assert reference is not None
    assert (reference.window_start, reference.window_end, reference.rows_kept) == (
        window.start,
        window.end,
        480,
    )
    assert (reference.kind, reference.reason) == ("training", f"trained on release {shop.version}")
    cells = frozen.read(shop.watch.lake, reference.path).cells.to_pylist()
    assert sum(cell["rows"] for cell in cells if cell["column"] == "size" and not cell["dimension"]) == 480
    assert deployed == [
        DeploymentRow("shop", NOW, "deploy", made.model_version, commit_sha="c0ffee", author="model_retrain")
    ]
    assert (model.promoted, model.reason, model.release_version) == (True, "lower_log_loss", shop.version)
    assert (model.path, model.content_sha, model.recorded_at) == (made.path, made.content_sha, NOW)
    scores = json.loads(model.scores)
    assert scores["new"]["log_loss"] == made.new.log_loss  # type: ignore[union-attr]
    left_out = {"without_prediction", "other_versions"}
    assert set(scores) == {"trained", "held_out", *left_out, "served_version", "old", "new"}


def test_a_worse_model_is_not_promoted(shop: Any) -> None:
    """It is kept with its scores, and nothing follows from it."""
    likely = pc.if_else(pc.greater(shop.rows["size"], 0), 0.79, 0.21)
    near = pc.if_else(pc.equal(shop.rows["label"], 1), pc.add(likely, 0.1), pc.subtract(likely, 0.1))
    version = shop.release_serving(near)
    made = retrain(shop.watch, version, NOW)

    assert (made.promoted, made.reason) == (False, "log_loss_not_lower")
    assert list(shop.models) == [made.path]
    with reading(shop.watch.state) as connection:
        assert latest_reference(connection, "shop", made.model_version) is None
        assert {row.source for row in deployments_of(connection, "shop")} <= {"log"}
        assert [(row.promoted, row.reason) for row in models_of(connection, "shop")] == [(False, made.reason)]


@pytest.mark.parametrize("worse", [False, True])
def test_twice_changes_nothing(shop: Any, worse: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same release again reads no data, fits nothing, writes nothing, and gives the same result."""
    perfect = pc.cast(shop.rows["label"], pa.float64())
    version = shop.release_serving(perfect) if worse else shop.version
    first = retrain(shop.watch, version, NOW, code_commit="one")
    dump, files = shop.dump, shop.files
    for way in ("get", "put"):
        monkeypatch.setattr(Lake, way, _killed)
    monkeypatch.setattr("rollout.trainer.find", _killed)
    second = retrain(shop.watch, version, LATER, code_commit="two")

    assert first.promoted is not worse
    assert (first.is_new, second.is_new) == (True, False)
    assert {**vars(first), "is_new": False} == vars(second)
    assert (shop.dump, shop.files) == (dump, files)


def _killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("step", ["record_model", "freeze", "see_deployments"])
def test_killed_between_two_steps(
    shop: Any, new_shop: Callable[[], Any], step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after the lake, after the verdict or after the reference, and run again: as if never killed."""
    whole = new_shop()
    retrain(whole.watch, whole.version, NOW, code_commit="c0ffee")
    with monkeypatch.context() as patched:
        patched.setattr(rollout.retrain, step, _killed)
        with pytest.raises(KeyboardInterrupt):
            retrain(shop.watch, shop.version, NOW, code_commit="c0ffee")
    assert len(shop.models) == 1
    assert shop.dump != whole.dump
    decided = step != "record_model"
    again = retrain(shop.watch, shop.version, LATER if decided else NOW, code_commit="c0ffee")

    assert again.is_new is not decided
    assert shop.dump == whole.dump  # its times too: what follows bears the time of the verdict
    assert shop.files == whole.files


@pytest.mark.parametrize("survived", [0, 1, 2])
def test_killed_before_any_file(
    shop: Any, new_shop: Callable[[], Any], survived: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model, and the reference's two files: whichever is not written is written by the next run."""
    whole = new_shop()
    retrain(whole.watch, whole.version, NOW)
    put, done = Lake.put, 0

    def dying_put(lake: Lake, path: str, data: bytes) -> str:
        nonlocal done
        if done == survived:
            raise KeyboardInterrupt
        done += 1
        return put(lake, path, data)

    with monkeypatch.context() as patched:
        patched.setattr(Lake, "put", dying_put)
        with pytest.raises(KeyboardInterrupt):
            retrain(shop.watch, shop.version, NOW)
    retrain(shop.watch, shop.version, NOW)

    assert (shop.dump, shop.files) == (whole.dump, whole.files)


def test_another_run_that_came_first_is_right(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two runs at once that fitted different models, both tell the first one's verdict, and its file stays."""
    find, inner = trainer.find, []

    def overtaken(*arguments: Any) -> Any:
        monkeypatch.setattr("rollout.trainer.find", find)
        inner.append(retrain(shop.watch, shop.version, NOW))
        found = find(*arguments)
        fit = found.fit
        object.__setattr__(found, "fit", lambda rows: fit(rows.head(300)))
        return found

    monkeypatch.setattr("rollout.trainer.find", overtaken)
    outer = retrain(shop.watch, shop.version, LATER)

    assert {**vars(outer), "is_new": True} == vars(inner[0])
    assert len(shop.models) == 2
    assert sha256(shop.watch.lake.get(outer.path)).hexdigest() == outer.content_sha


@pytest.mark.parametrize("name", ["data/train.parquet", "manifest.json"])
def test_a_changed_release_is_refused(shop: Any, name: str) -> None:
    """Rows that are not those that were released are not trained on; the message says what to do."""
    path = f"releases/shop/{shop.version}/{name}"
    content = shop.watch.lake.get(path)
    if name.endswith("parquet"):
        file = BytesIO()
        pq.write_table(shop.rows.slice(0, 700), file)
        changed = file.getvalue()
    else:
        changed = content.replace(b'"rows_kept":720', b'"rows_kept":719')
    assert changed != content
    shop.watch.lake.put(path, changed)
    dump = shop.dump
    with pytest.raises(StateError) as refused:
        retrain(shop.watch, shop.version, NOW)

    assert f"shop, release {shop.version}: {name} was changed since it was released" in str(refused.value)
    assert "Put the file back from a copy" in str(refused.value)
    assert (shop.dump, shop.models) == (dump, {})


def test_an_unknown_release(shop: Any) -> None:
    """The message names those there are."""
    with pytest.raises(UsageError, match=f"shop has no release 0000. The newest ones: {shop.version}"):
        retrain(shop.watch, "0000", NOW)


def test_an_older_dataset_replaces_no_newer_model(shop: Any) -> None:
    """The same nights released anew, or an old night run again, were held against what served, not against the new model."""
    first = retrain(shop.watch, shop.version, NOW)
    again = retrain(shop.watch, shop.release_of(shop.rows.slice(1)), NOW)

    assert (first.promoted, again.promoted, again.reason) == (True, False, "superseded")
    assert again.new is not None
    with reading(shop.watch.state) as connection:
        deployed = [row.model_version for row in deployments_of(connection, "shop") if row.source == "deploy"]
        assert latest_reference(connection, "shop", again.model_version) is None
    assert deployed == [first.model_version]
    assert retrain(shop.watch, again.release_version, NOW).reason == "superseded"
