"""The model that the demo's service runs: the probability that a flight arrives more than 15 minutes late.

A real scikit-learn model, trained on the flights of January to March. The log is what it would have served all
year; `demo.flight_trainer` fits the same model on releases.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import date
from typing import TYPE_CHECKING, Any

from demo.flight_tables import WEATHER

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

MODEL_VERSION = "2013-03-31"
TRAINED_FROM, TRAINED_TO = date(2013, 1, 1), date(2013, 3, 31)
LATE_MINUTES = 15

_CATEGORIES = ("carrier", "origin", "dest")
_NUMBERS = ("distance", "sched_hour", "weekday", "seats", *WEATHER)
INPUTS = (*_CATEGORIES, *_NUMBERS)  # not the month, of which it has seen three, nor the aeroplane

DIGITS = 6
"""Probabilities are rounded: their last bits may differ from one processor to the next."""
_FOLDS = 5


def predictions(flights: pd.DataFrame) -> npt.NDArray[np.float64]:
    """The probability of a late arrival for each flight of `demo.flight_tables.flights_frame`, in its order.

    A flight of the training quarter is scored by a model that has seen no flight of its day (five folds of
    whole days): the model's own training rows would look better than anything it can do in production.
    """
    in_quarter = flights["night"].between(TRAINED_FROM, TRAINED_TO)
    folds = _day_folds(flights["night"], in_quarter)
    learned = in_quarter & flights["arr_delay"].notna()
    with one_thread():
        scores = _scores(inputs_of(flights), flights["arr_delay"] > LATE_MINUTES, learned, folds)
    return scores.round(DIGITS)


def one_thread() -> AbstractContextManager[Any]:
    """Keep scikit-learn on one thread: on a busy machine threads wait for each other, ten times slower."""
    import sklearn.ensemble  # noqa: F401, PLC0415 - only libraries that are loaded by now can be limited
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # noqa: PLC0415 - ships no types

    limits: AbstractContextManager[Any] = threadpool_limits(limits=1)
    return limits


def _scores(
    inputs: pd.DataFrame, late: pd.Series[bool], learned: pd.Series[bool], folds: list[pd.Series[bool]]
) -> npt.NDArray[np.float64]:
    scores: npt.NDArray[np.float64] = fitted(inputs[learned], late[learned]).predict_proba(inputs)[:, 1]
    for held_out in folds:
        rest = learned & ~held_out
        scores[held_out] = fitted(inputs[rest], late[rest]).predict_proba(inputs[held_out])[:, 1]
    return scores


def inputs_of(flights: pd.DataFrame) -> pd.DataFrame:
    """What the model looks at of each flight; a category that it was not fitted on counts as missing."""
    return flights[list(INPUTS)].astype(dict.fromkeys(_CATEGORIES, "category"))


def _day_folds(night: pd.Series[Any], in_quarter: pd.Series[bool]) -> list[pd.Series[bool]]:
    """Five masks that part the quarter by whole days, every fifth day in the same one."""
    fold = night[in_quarter].rank(method="dense").mod(_FOLDS).reindex(night.index)
    return [fold.eq(number) for number in range(_FOLDS)]


def fitted(inputs: pd.DataFrame, late: pd.Series[bool]) -> Any:
    """The classifier, fitted on the inputs of some flights and whether each was late."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - takes a second

    model = HistGradientBoostingClassifier(
        categorical_features="from_dtype",
        early_stopping=False,  # it would hold out rows of days that are also trained on
        learning_rate=0.08,
        max_iter=60,
        max_leaf_nodes=15,
        min_samples_leaf=200,
        l2_regularization=10.0,
        random_state=0,
    )
    return model.fit(inputs, late)
