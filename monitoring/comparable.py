"""Features made fit for Evidently: harmless labels, values it can bear, or the reason why not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from math import ceil, log10
from numbers import Real
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Values = Sequence[Any] | Array

MOST_VALUES = 1000
"""More categories than this are not compared: Evidently's time grows with their square."""

LARGEST = 1e100
"""Numbers beyond it are not compared: their squares are infinite, and so would be the score."""

_LOOKALIKES = str.maketrans("<>&\"'`", "‹›＆”’’")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True)
class Compared:
    """Both sides of one feature.

    Attributes:
        name: the feature's name.
        kind: which method: Wasserstein distance for a number, Jensen-Shannon for a category.
        reference, current: values, shape (n,) each and of any lengths; of a category, its labels.
            Nulls, NaN and infinities are dropped before the comparison.
    """

    name: str
    kind: Literal["number", "category"]
    reference: Values
    current: Values


@dataclass(frozen=True)
class Score:
    """Evidently's score of one feature, in ronda's units.

    Attributes:
        method: Evidently's name of the method: `wasserstein` (divided by the reference's standard
            deviation) or `jensenshannon` (here to base 2; Evidently's own page shows it times 0.8326).
        threshold: from this score on Evidently calls it drift; same unit.
        score: None when the feature was left out.
        drifted: what Evidently's own test said, which has no notion of sample size; None when left out.
        reason: snake-case word for why the feature was left out; empty when it was compared.
    """

    name: str
    method: str
    threshold: float
    score: float | None = None
    drifted: bool | None = None
    reason: str = ""


@dataclass(frozen=True)
class Column:
    """A feature made ready: values Evidently can bear under a label no other has, and its score so far."""

    label: str
    score: Score
    reference: Array
    current: Array


def ready(features: Sequence[Compared], thresholds: Mapping[str, float], enough: int) -> list[Column]:
    """Features as columns, in the same order; where one cannot be compared, its score holds the reason.

    Args:
        features: what is compared.
        thresholds: kind -> threshold that stands in the score.
        enough: with fewer values on either side a feature is `few_rows`.
    """
    columns = [_ready(feature, thresholds[feature.kind], enough) for feature in features]
    labels = told_apart(column.label for column in columns)
    return [replace(column, label=label) for column, label in zip(columns, labels, strict=True)]


def _ready(feature: Compared, threshold: float, enough: int) -> Column:
    return (
        _number(feature, threshold, enough)
        if feature.kind == "number"
        else _category(feature, threshold, enough)
    )


def _number(feature: Compared, threshold: float, enough: int) -> Column:
    score = Score(feature.name, "wasserstein", threshold)
    reference, current = _finite(feature.reference), _finite(feature.current)
    if reference is None or current is None:
        return Column(feature.name, replace(score, reason="not_numbers"), np.empty(0), np.empty(0))
    reason = _too_little(reference, current, enough) or _beyond_measure(reference, current)
    column = Column(feature.name, replace(score, reason=reason), reference, current)
    return column if reason else _in_fine_unit(column)


def _category(feature: Compared, threshold: float, enough: int) -> Column:
    sides = [[str(value) for value in _known(side)] for side in (feature.reference, feature.current)]
    values = sorted({*sides[0], *sides[1]})
    label = dict(zip(values, told_apart(values), strict=True))
    reference, current = (np.array([label[value] for value in side], dtype=object) for side in sides)
    reason = _too_little(reference, current, enough) or (
        "too_many_values" if len(values) > MOST_VALUES else ""
    )
    return Column(
        feature.name, Score(feature.name, "jensenshannon", threshold, reason=reason), reference, current
    )


def _finite(values: Values) -> Array | None:
    """Doubles without nulls, NaN and infinities; None if there is anything but numbers (text that reads so too)."""
    raw = np.asarray(values)
    if raw.dtype.kind not in "biuf":
        known = _known(values)
        if not all(isinstance(value, Real | Decimal) for value in known):
            return None
        raw = np.array([_double(value) for value in known])
    doubles = raw.astype(np.float64)
    return doubles[np.isfinite(doubles)]


def _double(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer of more than 308 digits is as infinite as 1e309
        return np.inf


def _known(values: Values) -> list[Any]:
    import pandas as pd  # noqa: PLC0415 - takes half a second, and this module's records are wanted without it

    known: list[Any] = pd.Series(values, dtype=object).dropna().tolist()
    return known


def _too_little(reference: Array, current: Array, enough: int) -> str:
    if len(reference) == 0:
        return "reference_empty"
    if len(current) == 0:
        return "current_empty"
    return "few_rows" if min(len(reference), len(current)) < enough else ""


def _beyond_measure(reference: Array, current: Array) -> str:
    """Whether the distance, in standard deviations of the reference, would be infinite or only rounding."""
    reach = float(np.abs(reference).max())
    if max(reach, float(np.abs(current).max())) > LARGEST:
        return "too_large"
    deviation = float(reference.std())
    if reference.max() - reference.min() <= 1e-12 * reach or deviation == 0:
        return "constant_reference"
    return "too_large" if np.abs(current).max() > LARGEST * min(deviation, 1.0) else ""


def _in_fine_unit(column: Column) -> Column:
    """Evidently divides by 0.001 at least, so a number with a smaller standard deviation is scaled up."""
    deviation = float(column.reference.std())
    if deviation >= 0.001:
        return column
    power = ceil(-log10(deviation))
    reference, current = (side * 10.0**power for side in (column.reference, column.current))
    return replace(column, label=f"{column.label} (×1e{power})", reference=reference, current=current)


def told_apart(texts: Iterable[str]) -> list[str]:
    """Texts without HTML's signs, invisible and unpaired characters; what is then equal is numbered.

    >>> told_apart(["<b>", "plain", "‹b›", ""])
    ['‹b›', 'plain', '‹b› (2)', '(empty)']
    """
    harmless = [_UNSEEN.sub("�", text.translate(_LOOKALIKES))[:100] or "(empty)" for text in texts]
    taken, labels = set(harmless), dict.fromkeys(harmless, 0)
    return [_first(text, labels, taken) for text in harmless]


def _first(text: str, uses: dict[str, int], taken: set[str]) -> str:
    """The text itself at its first use, then with the next number that is free."""
    label = text
    while uses[text] and label in taken:
        uses[text] += 1
        label = f"{text} ({uses[text]})"
    uses[text] = max(uses[text], 1)
    taken.add(label)
    return label
