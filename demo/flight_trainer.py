"""How the demo's model is retrained: the model that serves, fitted anew on a release of its own log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from demo.flight_model import DIGITS, fitted, inputs_of, one_thread
from rollout.records import Fitted

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd


def fit(rows: pd.DataFrame) -> Fitted:
    """Fit the demo's classifier; the trainer that `services/flight_delay.yaml` names.

    Carriers and airports that training did not see are taken as missing. The same rows give the same
    probabilities; the bytes of a skops file differ from run to run, as it holds addresses and times.

    Args:
        rows: of a release: features, `label` (1 if the flight came more than 15 minutes late), `night`.
    """
    from skops.io import dumps  # type: ignore[import-untyped]  # noqa: PLC0415 - ships no types; takes a second

    with one_thread():
        model = fitted(inputs_of(rows), rows["label"] == 1)

    def predict(flights: pd.DataFrame) -> npt.NDArray[np.float64]:
        with one_thread():
            scores: npt.NDArray[np.float64] = model.predict_proba(inputs_of(flights))[:, 1]
        return scores.round(DIGITS)

    return Fitted(predict, dumps(model), "model.skops")
