"""The company's own function that fits a model: found by its name, and held to its word."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rollout.records import Fitted
from services.errors import RondaError, UsageError
from services.model import Service

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd


@dataclass(frozen=True)
class Trainer:
    """A trainer that was found, and what it is used for, for messages."""

    service: str
    release_version: str
    name: str
    fit: Callable[[pd.DataFrame], Fitted]

    @property
    def subject(self) -> str:
        """The beginning of every message."""
        return f"{self.service}, release {self.release_version}: the trainer {self.name}"


def find(service: Service, release_version: str) -> Trainer:
    """The function that the service file names.

    Raises:
        UsageError: the service file names none, its module cannot be imported, or has no such function.
    """
    if service.retrain is None:
        raise UsageError(
            f"{service.service}: its service file has no `retrain`, so release {release_version} has nothing to be "
            'trained by. Add one, such as retrain: {trainer: "my_team.trainer:fit"}'
        )
    name = service.retrain.trainer
    module_name, _, function = name.partition(":")
    where = f"{service.service}: `retrain.trainer` is {name}"
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise UsageError(
                f"{where}, and its module needs {error.name}, which is not installed."
            ) from error
        raise UsageError(
            f"{where}, and there is no module {error.name}. Install the package that holds it, or name its folder "
            "in PYTHONPATH."
        ) from error
    except Exception as error:
        raise UsageError(
            f"{where}, and its module cannot be imported: {type(error).__name__}: {error}. Mend the module."
        ) from error
    fit = getattr(module, function, None)
    if not callable(fit):
        raise UsageError(
            f"{where}, and {module_name} has no function {function}. Write it, or name another one."
        )
    return Trainer(service.service, release_version, name, fit)


def fitted(trainer: Trainer, rows: pd.DataFrame) -> Fitted:
    """What the trainer makes of the training rows.

    Raises:
        RondaError: it raised, which is kept as the cause, or returned something else.
    """
    try:
        made = trainer.fit(rows)
    except Exception as error:
        raise RondaError(
            f"{trainer.subject} failed on {len(rows):,} rows of {rows['night'].nunique()} nights: "
            f"{type(error).__name__}: {error}. Nothing was recorded; mend the trainer and run it again."
        ) from error
    if not isinstance(made, Fitted) or not isinstance(made.model, bytes):
        raise RondaError(
            f"{trainer.subject} returned {_kind(made)}; it must return rollout.records.Fitted with the model as "
            "bytes. Nothing was recorded."
        )
    return made


def probabilities(trainer: Trainer, made: Fitted, features: pd.DataFrame) -> npt.NDArray[np.float64]:
    """P(label = 1) of each held-out row by the new model, shape (rows,).

    Raises:
        RondaError: the model raised, which is kept as the cause, or gave something else than probabilities.
    """
    import numpy as np  # noqa: PLC0415 - importing the package stays light

    try:
        found = np.asarray(made.predict(features), dtype=np.float64)
    except Exception as error:
        raise RondaError(
            f"{trainer.subject} made a model that fails to predict {len(features):,} held-out rows: "
            f"{type(error).__name__}: {error}. Nothing was recorded; rows of later nights may hold categories and "
            "nulls that training did not."
        ) from error
    if found.shape != (len(features),):
        raise RondaError(
            f"{trainer.subject} made a model that gives predictions of shape {found.shape} for {len(features):,} "
            "rows; it must give one probability a row. Nothing was recorded."
        )
    wrong = ~((found >= 0) & (found <= 1))  # NaN is neither
    if wrong.any():
        raise RondaError(
            f"{trainer.subject} made a model that predicts {found[wrong][0]:g} for a held-out row; a probability is "
            "from 0 to 1. Nothing was recorded."
        )
    return found


def _kind(made: object) -> str:
    if isinstance(made, Fitted):
        return f"a model of type {type(made.model).__name__}"
    return f"a {type(made).__name__}"
