"""Releases that no model can be judged on, and trainers that do not keep their word."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from rollout.records import Retrained
from rollout.retrain import retrain
from services.errors import RondaError, UsageError

NOW = datetime(2026, 6, 1, tzinfo=UTC)
Change = Callable[[pa.Table], pa.Table]


def where(rows: pa.Table, *nights: int) -> pa.Table:
    """The rows of some nights of May."""
    days = pa.array([date(2026, 5, night) for night in nights])
    return rows.filter(pc.is_in(rows["night"], days))


def predicting(rows: pa.Table, values: Any) -> pa.Table:
    """The rows, served with other predictions."""
    return rows.set_column(rows.schema.get_field_index("prediction"), "prediction", values)


def labelled(rows: pa.Table, label: int, *nights: int) -> pa.Table:
    """The rows, those of some nights all with one label."""
    days = pa.array([date(2026, 5, night) for night in nights])
    labels = pc.if_else(pc.is_in(rows["night"], days), pa.scalar(label, pa.int8()), rows["label"])
    return rows.set_column(rows.schema.get_field_index("label"), "label", labels)


def nulls(rows: pa.Table, kept: int) -> pa.Table:
    """The rows, of which only the last `kept` have a prediction; every other of them lost it to a NaN."""
    size = rows.num_rows
    lost = [None if n < size - 2 * kept else float("nan") if n % 2 else 0.5 for n in range(size)]
    return predicting(rows, pa.array(lost, pa.float64()))


def one_of(rows: pa.Table, wrong: float) -> pa.Table:
    """The rows, the last of which was served something that is no probability."""
    return predicting(rows, pa.array([0.5] * (rows.num_rows - 1) + [wrong]))


@pytest.mark.parametrize(
    ("reason", "change", "fitted"),
    [
        ("too_few_nights", lambda rows: where(rows, 1, 3), False),
        ("too_few_training_rows", lambda rows: pa.concat_tables([where(rows, 1).slice(0, 99), where(rows, 5, 6)]), False),
        ("one_class_in_training", lambda rows: labelled(rows, 1, 1, 2, 3, 4), False),
        ("one_class_in_training", lambda rows: labelled(rows, 0, 1, 2, 3, 4), False),
        ("no_predictions", lambda rows: predicting(rows, pa.nulls(rows.num_rows, pa.float64())), True),
        ("too_few_held_out_rows", lambda rows: nulls(rows, 99), True),
        ("predictions_not_probabilities", lambda rows: one_of(rows, 1.001), True),
        ("predictions_not_probabilities", lambda rows: one_of(rows, -0.001), True),
        ("predictions_not_probabilities", lambda rows: one_of(rows, float("inf")), True),
        ("predictions_not_probabilities", lambda rows: predicting(rows, pa.array(["late"] * rows.num_rows)), True),
        ("one_class_held_out", lambda rows: labelled(rows, 0, 5, 6), True),
        ("one_class_held_out", lambda rows: labelled(rows, 1, 5, 6), True),
    ],
)  # fmt: skip
def test_not_promoted(shop: Any, reason: str, change: Change, fitted: bool) -> None:
    """Each has its reason; a model is kept only where one could be fitted, and run again it is the same."""
    version = shop.release_of(change(shop.rows))
    made = retrain(shop.watch, version, NOW)

    assert (made.promoted, made.reason) == (False, reason)
    assert (made.path != "", made.content_sha != "", len(shop.models) == 1) == (fitted,) * 3
    assert (made.new is not None) == (fitted and reason != "no_predictions")
    again = retrain(shop.watch, version, NOW)
    assert {**vars(made), "is_new": False} == vars(again)


def test_rows_without_a_prediction_are_left_out_of_both(shop: Any) -> None:
    """Nulls and NaN are counted, and neither side is scored on them."""
    made = retrain(shop.watch, shop.release_of(nulls(shop.rows, 105)), NOW)

    assert made.held_out is not None
    assert made.old is not None
    assert made.new is not None
    assert (made.held_out.rows, made.without_prediction, made.old.rows, made.new.rows) == (240, 135, 105, 105)
    assert made.promoted


def test_nights_are_those_that_the_release_holds(shop: Any) -> None:
    """Held out are the last two nights with rows, not the last two dates."""
    made: Retrained = retrain(shop.watch, shop.release_of(where(shop.rows, 1, 2, 4, 6)), NOW)

    assert made.trained is not None
    assert made.held_out is not None
    assert (made.trained.first, made.trained.last, made.trained.nights) == (
        date(2026, 5, 1),
        date(2026, 5, 2),
        2,
    )
    assert (made.held_out.first, made.held_out.last, made.held_out.nights) == (
        date(2026, 5, 4),
        date(2026, 5, 6),
        2,
    )
    assert made.model_version.startswith("2026-05-02-")


def test_too_few_nights_bear_the_last_one(shop: Any) -> None:
    """There is no training night to be named after."""
    made = retrain(shop.watch, shop.release_of(where(shop.rows, 1, 3)), NOW)

    assert made.model_version.startswith("2026-05-03-")
    assert (made.trained, made.old, made.new) == (None, None, None)


def test_what_the_trainer_and_its_model_are_given(shop: Any, module: Callable[[str, str], None]) -> None:
    """Features, label and night of the training nights; then the features alone, of the held-out ones."""
    source = """
from rollout.records import Fitted
SEEN = []
def fit(rows):
    SEEN.append(rows)
    def predict(later):
        SEEN.append(later)
        return [0.5] * len(later)
    return Fitted(predict, b"half", "half.bin")
"""
    module("spy_trainer", source)
    shop.train_by("spy_trainer:fit")
    retrain(shop.watch, shop.version, NOW)
    import spy_trainer  # type: ignore[import-not-found]  # written above

    rows, later = spy_trainer.SEEN
    assert list(rows.columns) == ["size", "price", "city", "label", "night"]
    assert list(later.columns) == ["size", "price", "city"]
    assert (rows["night"].min(), rows["night"].max(), len(rows), len(later)) == (
        date(2026, 5, 1), date(2026, 5, 4), 480, 240,
    )  # fmt: skip
    assert set(rows["label"]) == {0, 1}


FITTED = "from rollout.records import Fitted\ndef fit(rows): "
BROKEN = {
    "def fit(rows): 1 / 0": "failed on 480 rows of 4 nights: ZeroDivisionError at broken_trainer.py:1 in fit. Its text",
    "def fit(rows): return 7": "returned a int; it must return rollout.records.Fitted",
    FITTED + "return Fitted(None, b'm', 'a')": "returned a `predict` of type NoneType",
    FITTED + "return Fitted(len, 'text', 'a')": "returned a model of type str",
    FITTED + "return Fitted(len, b'', 'a')": "returned a model of 0 bytes",
    FITTED + "return Fitted(len, b'm', None)": "returned a file name of type NoneType",
    FITTED + "return Fitted(len, b'm', '')": "returned a file name that is not letters, digits and _ - . = alone",
    FITTED + "return Fitted(len, b'm', 'a/b')": "returned a file name that is not letters",
    FITTED + "return Fitted(len, b'm', '..')": "returned a file name that is not letters",
    FITTED + "return Fitted(len, b'm', 'a\\n')": "returned a file name that is not letters",
    FITTED + "return Fitted(lambda later: 1 / 0, b'm', 'a')":
        "fails to predict 240 held-out rows: ZeroDivisionError at broken_trainer.py:2 in <lambda>",
    FITTED + "return Fitted(lambda later: ['0.5'] * len(later), b'm', 'a')": "gives text as predictions (list)",
    FITTED + "return Fitted(lambda later: [0.5j] * len(later), b'm', 'a')": "gives complex numbers as predictions (list)",
    FITTED + "return Fitted(lambda later: later['size'].astype(object), b'm', 'a')": "gives objects as predictions (Series)",
    FITTED + "return Fitted(lambda later: None, b'm', 'a')": "gives objects as predictions (NoneType)",
    FITTED + "return Fitted(lambda later: [[0.5], [0.5, 0.5]], b'm', 'a')": "gives no array as predictions (list)",
    FITTED + "return Fitted(lambda later: [[0.5, 0.5]] * 240, b'm', 'a')": "gives predictions of shape (240, 2) for 240 rows",
    FITTED + "return Fitted(lambda later: [1.5] + [0.5] * 239, b'm', 'a')": "predicts 1.5 for a held-out row",
    FITTED + "return Fitted(lambda later: [float('nan')] * 240, b'm', 'a')": "predicts nan for a held-out row",
}  # fmt: skip


@pytest.mark.filterwarnings("error::numpy.exceptions.ComplexWarning")
@pytest.mark.parametrize("source", BROKEN)
def test_a_trainer_that_breaks_its_word(shop: Any, module: Callable[[str, str], None], source: str) -> None:
    """The message names service, release and trainer; nothing is written, and numpy warns of nothing."""
    module("broken_trainer", source)
    shop.train_by("broken_trainer:fit")
    dump = shop.dump
    with pytest.raises(RondaError) as raised:
        retrain(shop.watch, shop.version, NOW)

    assert type(raised.value) is RondaError
    assert str(raised.value).startswith(f"shop, release {shop.version}: the trainer broken_trainer:fit ")
    assert BROKEN[source] in str(raised.value)
    assert "Nothing was recorded" in str(raised.value)
    assert (shop.dump, shop.models) == (dump, {})


MISSING = {
    "no_such_package.trainer:fit": "there is no module no_such_package. Install the package that holds it",
    "needy_trainer:fit": "its module needs no_such_thing, which is not installed",
    "raising_trainer:fit": "its module cannot be imported: RuntimeError at raising_trainer.py:1 in <module>. Its text",
    "empty_trainer:fit": "empty_trainer has no function fit. Write it, or name another one",
    "constant_trainer:fit": "constant_trainer has no function fit",
}


@pytest.mark.parametrize("name", MISSING)
def test_a_trainer_that_is_not_there(shop: Any, module: Callable[[str, str], None], name: str) -> None:
    """The message names service, key and what to do."""
    module("needy_trainer", "import no_such_thing")
    module("raising_trainer", "raise RuntimeError('not today')")
    module("empty_trainer", "")
    module("constant_trainer", "fit = 7")
    shop.train_by(name)
    with pytest.raises(UsageError) as refused:
        retrain(shop.watch, shop.version, NOW)

    assert str(refused.value).startswith(f"shop: `retrain.trainer` is {name}, and ")
    assert MISSING[name] in str(refused.value)


def test_a_service_without_a_trainer(shop: Any) -> None:
    """The message says what to add."""
    file = shop.root / "services" / "shop.yaml"
    file.write_text(file.read_text().partition("retrain:")[0])
    shop.train_by("")
    with pytest.raises(UsageError, match=r"shop: its service file has no `retrain`, .* retrain: \{trainer: "):
        retrain(shop.watch, shop.version, NOW)
