"""Held-out nights that several model versions served: the new model is held against the last of them alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from rollout import kept, shown
from rollout.records import Retrained
from rollout.retrain import retrain
from store.models import models_of
from store.state import reading

NOW = datetime(2026, 6, 1, tzinfo=UTC)
NIGHT, A_NIGHT = {5: date(2026, 5, 5), 6: date(2026, 5, 6)}, 120
Versions = Callable[[int, int], str | None]


def serving(rows: pa.Table, version: Versions, prediction: Callable[[str | None], float | None]) -> pa.Table:
    """The rows, each with the version that a function of day and place in its night names, and what that predicted."""
    days = [night.day for night in rows["night"].to_pylist()]
    places = [n % A_NIGHT for n in range(rows.num_rows)]
    named = [version(day, place) for day, place in zip(days, places, strict=True)]
    columns = {
        "model_version": pa.array(named, pa.string()),
        "prediction": pa.array([prediction(each) for each in named], pa.float64()),
    }
    for name, values in columns.items():
        rows = rows.set_column(rows.schema.get_field_index(name), name, values)
    return rows


def loss(rows: pa.Table, share: float) -> float:
    """The log loss of saying `share` to all these rows."""
    labels = np.array(rows["label"].to_pylist())
    return float(-np.where(labels == 1, np.log(share), np.log(1 - share)).mean())


def released(shop: Any, version: Versions, **said: float | None) -> Retrained:
    """What becomes of a release of these versions; `said` is the constant of each, 0.5 if it is not named."""
    rows = serving(shop.rows, version, lambda each: said.get(each or "", 0.5))
    made: Retrained = retrain(shop.watch, shop.release_of(rows), NOW)
    assert kept.read(_row(shop, made), is_new=True) == made
    return made


def _row(shop: Any, made: Retrained) -> Any:
    with reading(shop.watch.state) as connection:
        (row,) = [
            each for each in models_of(connection, "shop") if each.release_version == made.release_version
        ]
    return row


def test_only_what_serves_now_is_compared(shop: Any) -> None:
    """v1 was so bad that a mixture with it is easily beaten; v2 replaced it in the second night."""

    def versions(day: int, place: int) -> str:
        return "v2" if day == 6 and place >= 10 else "v1"

    made = released(shop, versions, v1=0.001, v2=0.45)

    assert (made.served_version, made.other_versions, made.without_prediction) == ("v2", {"v1": 130}, 0)
    assert made.held_out is not None
    assert made.old is not None
    assert made.new is not None
    assert (made.held_out.rows, made.old.rows, made.new.rows) == (240, 110, 110)
    assert list(made.new.log_loss_by_night) == list(made.old.log_loss_by_night) == ["2026-05-06"]
    last = shop.rows.slice(shop.rows.num_rows - 110)
    assert made.old.log_loss == pytest.approx(loss(last, 0.45))


def test_a_good_version_is_not_beaten_thanks_to_a_bad_one(shop: Any) -> None:
    """Against the mixture of both the new model would be promoted; what serves is better than it."""
    rows = shop.rows.to_pandas()
    old = (rows["night"] < NIGHT[6]).to_numpy()
    near = np.where(rows["label"] == 1, 0.9, 0.1)
    mixed = shop.rows
    columns = {"model_version": np.where(old, "v1", "v2"), "prediction": np.where(old, 1 - near, near)}
    for name, values in columns.items():
        mixed = mixed.set_column(mixed.schema.get_field_index(name), name, pa.array(values))
    made = retrain(shop.watch, shop.release_of(mixed), NOW)
    as_one = mixed.set_column(
        mixed.schema.get_field_index("model_version"), "model_version", pa.nulls(len(rows), pa.string())
    )
    mixture = retrain(shop.watch, shop.release_of(as_one), NOW)

    assert (made.promoted, made.reason, made.other_versions) == (False, "log_loss_not_lower", {"v1": 120})
    assert (mixture.promoted, mixture.served_version, mixture.other_versions) == (True, "", {})


def test_nights_of_others_do_not_vote(shop: Any) -> None:
    """Three nights are held out, one has compared rows: better on that one is better on all there are."""
    file = shop.root / "services" / "shop.yaml"
    file.write_text(file.read_text().replace("held_out_nights: 2", "held_out_nights: 3"))
    shop.train_by("shop_trainer:fit")
    made = released(shop, lambda day, _: "v2" if day == 6 else "v1", v1=0.5, v2=0.5)

    assert (made.promoted, made.reason) == (True, "lower_log_loss")
    assert made.held_out is not None
    assert made.new is not None
    assert (made.held_out.nights, made.new.nights, made.new.rows) == (3, 1, 120)


@pytest.mark.parametrize(
    ("versions", "served", "others"),
    [
        (lambda day, place: "v2" if day == 6 and place < 60 else "v1", "v2", {"v1": 180}),  # a tie: the later name
        (lambda day, place: "v1" if day == 6 and place < 61 else "v2", "v1", {"v2": 179}),  # most of the last night
        (lambda _day, place: "canary" if place < 10 else "v2", "v2", {"canary": 20}),
        (lambda _day, place: None if place < 20 else "v2", "v2", {"unknown": 40}),
        (lambda _day, place: "" if place < 20 else None if place < 30 else "v2", "v2", {"unknown": 60}),
        (lambda day, place: None if day == 6 and place < 100 else "v2", "v2", {"unknown": 100}),
        (lambda day, _place: None if day == 6 else "v1", "v1", {"unknown": 120}),
        (lambda _day, place: None if place < 20 else "unknown", "unknown", {"unknown": 40}),
        (lambda _day, _place: "v1", "v1", {}),
        (lambda day, _place: "v1" if day < 5 else None, "", {}),
        (lambda _day, _place: None, "", {}),
    ],
)  # fmt: skip
def test_which_version_serves(shop: Any, versions: Versions, served: str, others: dict[str, int]) -> None:
    """Most rows of the last night that names one; rows without a name are of another one, unless none has a name."""
    made = released(shop, versions)

    assert (made.served_version, made.other_versions) == (served, others)
    assert made.new is not None
    assert made.new.rows == 240 - sum(others.values())
    text = shown.text(made)
    assert (f"\n  served     {served}\n" in text) == bool(served)
    assert ("version served (" in text) == bool(others)


def test_a_release_without_versions(shop: Any) -> None:
    """A column that is not there is no fault: everything counts as one."""
    made = retrain(shop.watch, shop.release_of(shop.rows.drop_columns(["model_version"])), NOW)

    assert (made.promoted, made.served_version, made.other_versions) == (True, "", {})
    assert made.old is not None
    assert made.old.rows == 240


def test_enough_rows_are_of_the_version_that_serves(shop: Any) -> None:
    """A version that came an hour ago cannot be compared with."""
    made = released(shop, lambda day, place: "v2" if day == 6 and place >= 61 else None if day == 6 else "v1")

    assert (made.promoted, made.reason) == (False, "too_few_held_out_rows")
    assert (made.served_version, made.other_versions) == ("v2", {"unknown": 61, "v1": 120})


def test_a_version_that_predicts_nothing_serves_all_the_same(shop: Any) -> None:
    """It is not passed over for the one before; each row is counted once."""
    made = released(shop, lambda day, _: "v2" if day == 6 else "v1", v2=None)

    assert (made.promoted, made.reason, made.served_version) == (False, "no_predictions", "v2")
    assert (made.without_prediction, made.other_versions) == (120, {"v1": 120})


def test_what_others_predicted_is_not_looked_at(shop: Any) -> None:
    """A version before that gave no probabilities stops nothing."""
    made = released(shop, lambda day, _: "v2" if day == 6 else "v1", v1=17.0)

    assert (made.promoted, made.served_version) == (True, "v2")


def test_a_model_that_was_recorded_before_is_read(shop: Any) -> None:
    """Its scores say nothing of versions."""
    made = released(shop, lambda day, _: "v2" if day == 6 else "v1")
    row = _row(shop, made)
    judged = json.loads(row.scores)
    assert (judged.pop("served_version"), judged.pop("other_versions")) == ("v2", {"v1": 120})
    before = kept.read(replace(row, scores=json.dumps(judged)), is_new=True)

    assert before == replace(made, served_version="", other_versions={})
    assert "\n  served " not in shown.text(before)
