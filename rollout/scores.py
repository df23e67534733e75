"""How good probabilities were, and whether the new ones are better than those that were served.

With n rows, labels y (0 or 1) and probabilities p of y = 1:

- log loss: −1/n Σ y ln q + (1 − y) ln(1 − q), where q is p kept within [CLIP, 1 − CLIP];
- Brier score: 1/n Σ (p − y)²;
- ROC AUC: the share of pairs of a positive and a negative row in which the positive one has the higher p,
  ties counted half.

All three are scikit-learn's (`log_loss`, `brier_score_loss`, `roc_auc_score`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollout.records import Part, Scores

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

PROMOTED = "lower_log_loss"
"""The one reason with which a model is promoted."""

CLIP = 1e-6
"""Log loss takes probabilities as at least this and at most 1 − this: one answer that was certain and wrong
costs 13.8 nats, not infinity, and cannot outweigh a night alone."""


def measure(
    labels: npt.NDArray[np.int8], probabilities: npt.NDArray[np.float64], nights: npt.NDArray[np.str_]
) -> Scores:
    """The scores of some rows, all together and by night.

    Args:
        labels: 0 or 1, shape (rows,); at least one row.
        probabilities: of label 1, from 0 to 1, shape (rows,).
        nights: of each row in ISO form, shape (rows,).

    >>> import numpy as np
    >>> half = measure(np.array([0, 1], np.int8), np.array([0.5, 0.5]), np.array(["2013-06-01", "2013-06-02"]))
    >>> round(half.log_loss, 4), half.brier, half.roc_auc, half.nights
    (0.6931, 0.25, 0.5, 2)
    """
    import numpy as np  # noqa: PLC0415 - importing the package stays light
    from sklearn.metrics import brier_score_loss, roc_auc_score  # noqa: PLC0415 - takes a second

    positive = int(labels.sum())
    of_night = {str(night): nights == night for night in np.unique(nights)}
    return Scores(
        rows=len(labels),
        nights=len(of_night),
        positive=positive,
        log_loss=_log_loss(labels, probabilities),
        brier=float(brier_score_loss(labels, probabilities, pos_label=1)),
        roc_auc=float(roc_auc_score(labels, probabilities)) if 0 < positive < len(labels) else None,
        mean_predicted=float(probabilities.mean()),
        observed_rate=positive / len(labels),
        log_loss_by_night={
            night: _log_loss(labels[rows], probabilities[rows]) for night, rows in of_night.items()
        },
    )


def untrainable(trained: Part | None, enough_rows: int) -> str:
    """Why no model is fitted on the training rows, in snake case; "" if one is.

    - `too_few_nights`: no night is left beside those held out.
    - `too_few_training_rows`: fewer than `enough_rows`, with which nothing could be compared either.
    - `one_class_in_training`: every label is the same, so there is nothing to tell apart.
    """
    if trained is None:
        return "too_few_nights"
    if trained.rows < enough_rows:
        return "too_few_training_rows"
    return "one_class_in_training" if trained.positive in {0, trained.rows} else ""


def promote(old: Scores | None, new: Scores | None, enough_rows: int) -> tuple[bool, str]:
    """Whether the new model is to serve, and why, in snake case.

    It is promoted (`lower_log_loss`) if, on the held-out rows of the version that serves, with L the log loss,

        L(new) < L(old)   and   2 · #{nights d: L_d(new) ≤ L_d(old)} ≥ #{nights d},

    over the nights that have such rows.

    Log loss, because both are probabilities that something is decided with: it is a proper score, so it is
    lowest in expectation for the true probabilities alone, while AUC does not see a model that is wrong by a constant.
    The nights, because rows of one day share their weather: a gain made on one extreme night only must not
    carry a model that is worse on most. Otherwise it is not, with the first reason that holds:

    - `no_predictions`: the version that serves gave none of the held-out rows a prediction.
    - `too_few_held_out_rows`: it gave fewer than `enough_rows` one.
    - `predictions_not_probabilities`: what was served is not between 0 and 1, so it has no log loss.
    - `one_class_held_out`: every label is the same; whoever says so loudest would win.
    - `log_loss_not_lower`: the new one is not better over all rows.
    - `worse_on_most_nights`: it is, but on more than half of the nights it is worse.

    This is a comparison, not a test: the rows are the last nights only, and the gain may be small. What was
    served has the advantage: a tie keeps it.

    Args:
        old: of what was served; None if that was no probability, or nothing.
        new: of the new model on the same rows; None if there are none.
        enough_rows: the service file's `enough.rows`.
    """
    if new is None:
        reason = "no_predictions"
    elif new.rows < enough_rows:
        reason = "too_few_held_out_rows"
    elif old is None:
        reason = "predictions_not_probabilities"
    elif new.positive in {0, new.rows}:
        reason = "one_class_held_out"
    elif new.log_loss >= old.log_loss:
        reason = "log_loss_not_lower"
    elif 2 * nights_not_worse(old, new) < new.nights:
        reason = "worse_on_most_nights"
    else:
        reason = PROMOTED
    return reason == PROMOTED, reason


def nights_not_worse(old: Scores, new: Scores) -> int:
    """On how many nights the new model's log loss is lower or equal."""
    return sum(loss <= old.log_loss_by_night[night] for night, loss in new.log_loss_by_night.items())


def _log_loss(labels: npt.NDArray[np.int8], probabilities: npt.NDArray[np.float64]) -> float:
    from sklearn.metrics import log_loss  # noqa: PLC0415 - takes a second

    return float(log_loss(labels, probabilities.clip(CLIP, 1 - CLIP), labels=[0, 1]))
