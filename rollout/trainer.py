"""The company's own function that fits a model: found by its name, and held to its word.

It is given rows of users, and what it raises may quote them. A message of ours goes to logs, so it says the
type of an error and where it was raised, never its text, and never chains it.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from traceback import walk_tb
from typing import TYPE_CHECKING

from rollout.records import Fitted
from services.errors import RondaError, UsageError
from services.model import Service

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

_FILE_NAME = re.compile(r"[A-Za-z0-9_=-][A-Za-z0-9_.=-]{0,199}")  # what the lake takes as one part of a path
_RAISED = (Exception, SystemExit)  # a trainer that was written as a script may call sys.exit with a text
_UNQUOTED = "Its text is not shown here, as it may quote rows."


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

    @property
    def modules(self) -> set[str]:
        """Where its code stands: the module that the service file names, and the one that it has `fit` from."""
        return {self.name.partition(":")[0], getattr(self.fit, "__module__", None) or ""}


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
        fit = getattr(importlib.import_module(module_name), function, None)
    except _RAISED as error:
        raise UsageError(f"{where}, and {_not_imported(error, module_name)}") from None
    if not callable(fit):
        raise UsageError(
            f"{where}, and {module_name} has no function {function}. Write it, or name another one."
        )
    return Trainer(service.service, release_version, name, fit)


def fitted(trainer: Trainer, rows: pd.DataFrame) -> Fitted:
    """What the trainer makes of the training rows.

    Raises:
        RondaError: it raised, or returned something else.
    """
    try:
        made = trainer.fit(rows)
    except _RAISED as error:
        raise RondaError(
            f"{trainer.subject} failed on {len(rows):,} rows of {rows['night'].nunique()} nights: "
            f"{_raised(error, trainer.modules)}. {_UNQUOTED} Nothing was recorded; mend the trainer and run it again."
        ) from None
    fault = _fault(made)
    if fault:
        raise RondaError(
            f"{trainer.subject} returned {fault}; it must return rollout.records.Fitted with the model as bytes and "
            "a plain file name. Nothing was recorded."
        )
    return made


def probabilities(trainer: Trainer, made: Fitted, features: pd.DataFrame) -> npt.NDArray[np.float64]:
    """P(label = 1) of each held-out row by the new model, shape (rows,).

    Raises:
        RondaError: the model raised, or gave something else than probabilities.
    """
    try:
        given = made.predict(features)
    except _RAISED as error:
        raise RondaError(
            f"{trainer.subject} made a model that fails to predict {len(features):,} held-out rows: "
            f"{_raised(error, trainer.modules)}. {_UNQUOTED} Nothing was recorded; rows of later nights may hold "
            "categories and nulls that training did not."
        ) from None
    found = _numbers(trainer, given)
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


_KINDS = {"c": "complex numbers", "U": "text", "S": "text", "T": "text", "O": "objects"}


def _numbers(trainer: Trainer, given: object) -> npt.NDArray[np.float64]:
    """Predictions as floats; what only looks like numbers is refused, not converted."""
    import numpy as np  # noqa: PLC0415 - importing the package stays light

    try:
        found = np.asarray(given)
    except Exception:  # noqa: BLE001 - rows of several lengths, or an object that fails to become an array
        kind = "no array"
    else:
        if found.dtype.kind in "biuf":
            return found.astype(np.float64)
        kind = _KINDS.get(found.dtype.kind, f"values of type {found.dtype.name}")
    raise RondaError(
        f"{trainer.subject} made a model that gives {kind} as predictions ({type(given).__name__}); it must give one "
        "probability a row, as real numbers. Nothing was recorded."
    )


def _fault(made: object) -> str:
    """What a trainer returned instead of what it must; "" if it kept its word."""
    if not isinstance(made, Fitted):
        return f"a {type(made).__name__}"
    if not callable(made.predict):
        return f"a `predict` of type {type(made.predict).__name__}"
    if not isinstance(made.model, bytes):
        return f"a model of type {type(made.model).__name__}"
    if not isinstance(made.file_name, str):
        return f"a file name of type {type(made.file_name).__name__}"
    if not _FILE_NAME.fullmatch(made.file_name):
        return "a file name that is not letters, digits and _ - . = alone, or begins with a dot"
    return "" if made.model else "a model of 0 bytes"


def _not_imported(error: BaseException, module: str) -> str:
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    if missing is None:
        parents = {module[:end] for end in range(len(module)) if module[end] == "."}
        return f"its module cannot be imported: {_raised(error, {module, *parents})}. {_UNQUOTED} Mend the module."
    if f"{module}.".startswith(f"{missing}."):
        return f"there is no module {missing}. Install the package that holds it, or name its folder in PYTHONPATH."
    return f"its module needs {missing}, which is not installed."


def _raised(error: BaseException, modules: set[str]) -> str:
    """An error's type, and the innermost place in some modules that it came through, if there is one."""
    frames = walk_tb(error.__traceback__)
    own = [(frame.f_code, line) for frame, line in frames if frame.f_globals.get("__name__") in modules]
    place = ""
    if own:
        code, line = own[-1]
        place = f" at {Path(code.co_filename).name}:{line} in {code.co_name}"
    elif isinstance(error, SyntaxError) and error.filename:
        # a module that cannot be read has no frame
        place = f" at {Path(error.filename).name}:{error.lineno}"
    return f"{type(error).__name__}{place}"
