"""What a trainer hands over, and what the retraining of a release comes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # importing the package stays light
    import numpy as np
    import numpy.typing as npt
    import pandas as pd


@dataclass(frozen=True)
class Fitted:
    """What a trainer returns.

    A trainer is a function `fit(rows: pandas.DataFrame) -> Fitted`, named in the service file as
    `retrain: {trainer: "module:function"}`. `rows` are the training rows of a release, in the order of time:
    its feature columns (numbers as float64, categories as text, either may be missing), `label` (0 or 1) and
    `night` (the date of the request). It must not depend on the clock or on chance that is not seeded.

    Attributes:
        predict: takes a frame of the same feature columns, without `label` and `night`, and gives
            P(label = 1) of each row in their order: one float from 0 to 1 a row, shape (rows,), as an array,
            a Series or a list. Rows come from later nights, so there are categories that `fit` has not seen.
        model: the bytes that serving loads, at least one; of scikit-learn models `skops.io.dumps(model)`. Never a
            pickle: reading one runs whatever is in it.
        file_name: what they are called in the lake, such as `model.skops`; letters, digits and `_ - . =`, not
            beginning with a dot.
    """

    predict: Callable[[pd.DataFrame], npt.NDArray[np.float64]]
    model: bytes
    file_name: str


@dataclass(frozen=True)
class Part:
    """Some nights of a release: what was trained on, or what was held out.

    Attributes:
        first, last: the first and the last night that it holds rows of.
        nights: how many nights it holds rows of.
        positive: rows whose label is 1.
    """

    first: date
    last: date
    nights: int
    rows: int
    positive: int


@dataclass(frozen=True)
class Scores:
    """How well probabilities met the labels of the held-out rows. Formulas in `rollout.scores`.

    Attributes:
        positive: rows whose label is 1.
        log_loss: mean over the rows, in nats; lower is better.
        brier: mean squared error of the probability; lower is better.
        roc_auc: how often a positive row is put above a negative one; None if there is only one class.
        mean_predicted, observed_rate: what was expected and what came, as shares of the rows.
        log_loss_by_night: night in ISO form -> mean log loss of its rows.
    """

    rows: int
    nights: int
    positive: int
    log_loss: float
    brier: float
    roc_auc: float | None
    mean_predicted: float
    observed_rate: float
    log_loss_by_night: Mapping[str, float]


@dataclass(frozen=True)
class Retrained:
    """What became of a release that a model was to be made of.

    Attributes:
        model_version: the last night that was trained on, and the first 8 digits of the release's version.
        promoted: whether the new model is to serve.
        reason: why, or why not, in snake case; the words are in `rollout.shown`.
        trained: what the model was fitted on; None if the release holds too few nights.
        held_out: what it was judged on; None if the release holds too few nights.
        without_prediction: held-out rows that were served without a prediction. They are left out of `old`
            and `new` alike.
        served_version: the model version that served last, which the new model was held against; "" if the log
            names none, nothing was fitted, or it was decided before this was kept.
        other_versions: model version -> the held-out rows that it served with a prediction; `unknown` where
            the log does not say. They are left out of `old` and `new` alike.
        old: of what was served, as logged; None if there is nothing to score.
        new: of the new model, on the same rows; None if there is nothing to score, or it was not fitted.
        path: the model's place in the lake; "" if none was fitted.
        content_sha: sha256 of the model's file; "" if none was fitted.
        recorded_at: when it was decided.
        is_new: false if the release was retrained before, and so nothing was fitted.
    """

    service: str
    release_version: str
    model_version: str
    trainer: str
    promoted: bool
    reason: str
    trained: Part | None
    held_out: Part | None
    without_prediction: int
    served_version: str
    other_versions: Mapping[str, int]
    old: Scores | None
    new: Scores | None
    path: str
    content_sha: str
    recorded_at: datetime
    is_new: bool
